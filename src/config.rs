//! What the program is told before it starts: one typed [`Config`], read from flags, environment, `.env`, a TOML file and defaults.
//!
//! Place: made once by `main` (or by a test), handed to [`crate::boot`]. Nothing else in the program reads the environment.
//! Not here: the settings of an agent, which live in the database and change at run time.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use tandem_access::api_key::Presented;
use tandem_access::secret::{Secret, SecretKey};
use tandem_actors::{Hearing, InbandDtmf, RecordFrom, RecordingFormat};
use tandem_domain::agent::SystemTool;
use tandem_domain::number::Region;
use tandem_domain::reception::NumberAgents;
use tandem_providers::llm::openai::OpenAiConfig;
use tandem_providers::stt::deepgram::DeepgramConfig;
use tandem_providers::tts::elevenlabs::ElevenLabsConfig;
use tandem_store::Location;

mod dotenv;
mod error;
pub mod keys;
mod media;
mod models;
mod read;
mod recognisers;
mod report;
mod sources;
mod voices;

pub use error::{ConfigError, Problem};
pub use media::MediaCredentials;
pub(crate) use recognisers::{DEEPGRAM, WHISPER};
pub use report::{Shown, mask_url, shown};
pub use sources::{Origins, Setting, Settings, Source};

/// How much the log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// Also numbers and transcripts.
    Debug,
    /// What operations wants to know.
    Info,
    /// What may need a hand.
    Warn,
    /// What does.
    Error,
}

impl LogLevel {
    /// The word that the log filter understands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// Reads the words of this program and those of Python's logging.
    fn read(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "trace" => Ok(Self::Trace),
            "debug" => Ok(Self::Debug),
            "info" | "notset" => Ok(Self::Info),
            "warn" | "warning" => Ok(Self::Warn),
            "error" | "critical" | "fatal" => Ok(Self::Error),
            _ => Err(format!("{text:?} is not a level; choose trace, debug, info, warn or error")),
        }
    }
}

/// Names of the engines that serve each stage of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engines {
    /// Speech recognisers, best first.
    pub stt: Vec<&'static str>,
    /// The account of `deepgram`, if it is among them.
    pub deepgram: Option<DeepgramConfig>,
    /// Voices, best first.
    pub tts: Vec<&'static str>,
    /// The account of `elevenlabs`, if it is among them.
    pub elevenlabs: Option<ElevenLabsConfig>,
    /// What tells speech from noise.
    pub vad: &'static str,
    /// What hears whether a turn is complete; `None` where nothing does.
    pub end_of_turn: Option<&'static str>,
    /// Local recognisers, natural voices and judges of turns at work at once; `None` leaves it to the machine's cores.
    pub workers: Option<usize>,
}

/// Limits and patience of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallLimits {
    /// Calls at once on this server.
    pub max_concurrent: usize,
    /// Longest call, for agents that set none.
    pub max_duration: Duration,
    /// Silence that ends the caller's turn, before an agent's eagerness scales it.
    pub endpoint_silence: Duration,
    /// Whether the brain is asked before the silence that ends a turn is full.
    pub preemptive_generation: bool,
    /// Caller speech that interrupts the agent.
    pub barge_in_min_speech: Duration,
    /// Whether a key that the caller presses ends the agent's speech.
    pub interrupt_on_dtmf: bool,
    /// How long a socket may take to start its stream.
    pub start_timeout: Duration,
    /// Silence on the wire after which a socket counts as dead.
    pub media_timeout: Duration,
    /// Messages a second that a socket may send.
    pub max_messages_per_second: u32,
    /// Unknown events that a socket may send.
    pub unknown_events_allowed: u32,
    /// Sockets of one address on which no stream has started.
    pub max_mute_per_address: u32,
    /// Whether messages to Exotel repeat their keys in camelCase.
    pub exotel_camel_case: bool,
    /// What running calls get to finish when the program is told to stop.
    pub drain: Duration,
}

/// What VAD_ENGINE may be; the first where nobody said otherwise.
const DETECTORS: [&str; 3] = ["earshot", SILERO, "webrtc"];
/// The detector with a model of its own.
pub(crate) const SILERO: &str = "silero";
/// The judge of turns.
pub(crate) const SMART_TURN: &str = "smart-turn";

/// What RECORD_CALLS may be.
const RECORDED: &[&str] = if cfg!(feature = "opus") { &["off", "wav", "opus"] } else { &["off", "wav"] };

/// What NOISE_SUPPRESSION may be.
const SUPPRESSED: &[&str] = if cfg!(feature = "denoise") { &["off", "on"] } else { &["off"] };

/// Which calls' journals are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallJournals {
    /// Of so many calls that are over, in memory.
    pub calls: usize,
    /// Folder that gets a file of each.
    pub folder: Option<PathBuf>,
}

/// Everything the program is told before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name shown at start-up.
    pub app_name: String,
    /// Stricter checks.
    pub production: bool,
    /// How much the log tells.
    pub log_level: LogLevel,
    /// Folder of the log file; `None` leaves the log to stderr alone.
    pub log_dir: Option<PathBuf>,
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Origins of foreign pages that may talk.
    pub allowed_origins: Vec<String>,
    /// Folder of everything that is kept.
    pub data_dir: PathBuf,
    /// Where rows are kept.
    pub database: Location,
    /// Folder of speech models; `None` means the user's cache folder.
    pub models_dir: Option<PathBuf>,
    /// Folder of further playbooks.
    pub playbooks_dir: Option<PathBuf>,
    /// Folder of further lists of words.
    pub lexicons_dir: Option<PathBuf>,
    /// Agent of calls that name none.
    pub default_agent: String,
    /// Two letters: whose telephone numbers come without a country code.
    pub region: String,
    /// In whose days callers speak of "tomorrow".
    pub zone: chrono_tz::Tz,
    /// Agents of our numbers.
    pub numbers: NumberAgents,
    /// What guards the media sockets.
    pub media: MediaCredentials,
    /// What tokens are signed with; `None` means the one that is kept in the folder of data.
    pub secret_key: Option<SecretKey>,
    /// The one before, whose tokens are still good.
    pub secret_key_previous: Option<SecretKey>,
    /// What commands of this machine show to a switch that asks who they are.
    pub switch_api_key: Option<Secret>,
    /// Who serves each stage.
    pub engines: Engines,
    /// Language models of agents without a playbook, best first.
    pub models: Vec<OpenAiConfig>,
    /// What those may use, for agents that set none.
    pub system_tools: Vec<SystemTool>,
    /// Limits and patience of calls.
    pub calls: CallLimits,
    /// How callers are heard.
    pub hearing: Hearing,
    /// Which calls' journals are kept.
    pub journals: CallJournals,
    /// As what calls are recorded, if they are.
    pub recorded: Option<RecordingFormat>,
    /// Since when.
    pub record_from: RecordFrom,
    /// What the operator should know about the settings, one sentence each.
    pub notices: Vec<String>,
    /// Each value with its source.
    pub settings: Settings,
}

impl Config {
    /// Reads and checks everything; returns all problems at once.
    pub fn load(origins: &Origins) -> Result<Self, ConfigError> {
        let (settings, problems) = sources::gather(origins);
        let mut reader = read::Reader::new(&settings, problems);
        let seconds = Duration::from_secs;
        let millis = Duration::from_millis;
        let path = |text: Option<String>| text.map(PathBuf::from);

        let production = reader.value("ENVIRONMENT", |text| read::one_of(text, &["development", "production"]))
            == Some("production");
        let debug = reader.value("DEBUG", read::yes_or_no).unwrap_or_default();
        let mut log_level = reader.value("LOG_LEVEL", LogLevel::read).unwrap_or(LogLevel::Info);
        if debug && !reader.is_set("LOG_LEVEL") {
            log_level = LogLevel::Debug;
        }
        if debug && production {
            let source = settings.setting("DEBUG").source.clone();
            let detail = "writes callers' numbers and words to the log; switch it off, or set ENVIRONMENT=development"
                .to_owned();
            reader.problems.push(Problem { subject: "DEBUG".to_owned(), source, detail });
        }
        let data_dir = PathBuf::from(reader.text("DATA_DIR").unwrap_or_default());
        let in_data_dir = Location::from_settings(None, &data_dir).expect("no setting, nothing to misread");
        let host = reader.value("HOST", read::address).unwrap_or(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
        let region = reader.value("DEFAULT_REGION", read::region).unwrap_or_default();
        let of_numbers = region.parse::<Region>().ok();
        let numbers = reader
            .value("NUMBER_AGENTS", |text| NumberAgents::read(text, of_numbers).map_err(|error| error.to_string()))
            .unwrap_or_default();
        let media = MediaCredentials::read(&mut reader);
        let key = |text: &str| SecretKey::parse(text).map_err(|error| error.to_string());
        let secret_key = reader.value("SECRET_KEY", key);
        let switch_api_key = reader.value("SWITCH_API_KEY", |text| {
            Presented::parse(text).map(|_| Secret::from(text)).map_err(|error| error.to_string())
        });
        let secret_key_previous = reader.value("SECRET_KEY_PREVIOUS", |text| {
            key(text).map_err(|error| error.replace("SECRET_KEY", "SECRET_KEY_PREVIOUS"))
        });
        let (stt, deepgram) = recognisers::read(&mut reader);
        let (tts, elevenlabs) = voices::read(&mut reader);
        let models = models::read(&mut reader);
        let config = Self {
            app_name: reader.text("APP_NAME").unwrap_or_default(),
            production,
            log_level,
            log_dir: path(reader.text("LOG_DIR")),
            host,
            port: reader.number("PORT", 0..=u16::MAX),
            allowed_origins: reader.value("ALLOWED_ORIGINS", read::origins).unwrap_or_default(),
            database: reader.value("DATABASE_URL", |text| read::location(text, &data_dir)).unwrap_or(in_data_dir),
            data_dir,
            models_dir: path(reader.text("MODELS_DIR")),
            playbooks_dir: path(reader.text("PLAYBOOKS_DIR")),
            lexicons_dir: path(reader.text("LEXICONS_DIR")),
            default_agent: reader.text("DEFAULT_AGENT").unwrap_or_default(),
            region,
            zone: reader.value("TIMEZONE", read::zone).unwrap_or_default(),
            numbers,
            engines: Engines {
                stt,
                deepgram,
                tts,
                elevenlabs,
                vad: reader.value("VAD_ENGINE", |text| read::one_of(text, &DETECTORS)).unwrap_or(DETECTORS[0]),
                end_of_turn: reader
                    .value("END_OF_TURN_MODEL", |text| read::one_of(text, &["off", SMART_TURN]))
                    .filter(|name| *name != "off"),
                workers: reader.optional_number("INFERENCE_WORKERS", 1..=64),
            },
            system_tools: reader.value("SYSTEM_TOOLS", read::system_tools).unwrap_or_default(),
            calls: CallLimits {
                max_concurrent: reader.number("MAX_CONCURRENT_CALLS", 1..=10_000),
                max_duration: seconds(60 * reader.number("MAX_CALL_DURATION_MINUTES", 1..=240)),
                endpoint_silence: millis(reader.number("ENDPOINT_SILENCE_MS", 100..=5_000)),
                preemptive_generation: reader.value("PREEMPTIVE_GENERATION", |text| read::one_of(text, &["off", "on"]))
                    != Some("off"),
                barge_in_min_speech: millis(reader.number("BARGE_IN_MIN_SPEECH_MS", 40..=5_000)),
                interrupt_on_dtmf: reader.value("INTERRUPT_ON_DTMF", |text| read::one_of(text, &["off", "on"]))
                    != Some("off"),
                start_timeout: seconds(reader.number("MEDIA_START_TIMEOUT", 1..=300)),
                media_timeout: seconds(reader.number("MEDIA_TIMEOUT", 1..=300)),
                max_messages_per_second: reader.number("MEDIA_MAX_MESSAGES_PER_SECOND", 50..=10_000),
                unknown_events_allowed: reader.number("UNKNOWN_EVENTS_ALLOWED", 0..=10_000),
                max_mute_per_address: reader.number("MEDIA_MAX_MUTE_PER_ADDRESS", 1..=100_000),
                exotel_camel_case: reader.value("EXOTEL_CAMEL_CASE", read::yes_or_no).unwrap_or_default(),
                drain: seconds(reader.number("DRAIN_TIMEOUT", 0..=14_400)),
            },
            hearing: Hearing {
                inband_dtmf: match reader.value("INBAND_DTMF", |text| read::one_of(text, &["auto", "on", "off"])) {
                    Some("on") => InbandDtmf::On,
                    Some("off") => InbandDtmf::Off,
                    _ => InbandDtmf::Auto,
                },
                noise_suppression: reader.value("NOISE_SUPPRESSION", |text| read::one_of(text, SUPPRESSED))
                    == Some("on"),
                agc: reader.value("AGC", |text| read::one_of(text, &["off", "on"])) == Some("on"),
            },
            journals: CallJournals {
                calls: reader.number("JOURNAL_CALLS", 0..=10_000),
                folder: path(reader.text("JOURNAL_DIR")),
            },
            recorded: match reader.value("RECORD_CALLS", |text| read::one_of(text, RECORDED)) {
                Some("wav") => Some(RecordingFormat::Wav),
                Some("opus") => Some(RecordingFormat::Opus),
                _ => None,
            },
            record_from: match reader.value("RECORD_FROM", |text| read::one_of(text, &["start", "announcement"])) {
                Some("announcement") => RecordFrom::Announcement,
                _ => RecordFrom::Start,
            },
            notices: notices(&settings, host, &media, !models.is_empty()),
            models,
            media,
            secret_key,
            secret_key_previous,
            switch_api_key,
            settings: settings.clone(),
        };
        match reader.problems {
            problems if problems.is_empty() => Ok(config),
            problems => Err(ConfigError { problems }),
        }
    }
}

/// What is accepted but probably not what its writer had in mind.
fn notices(settings: &Settings, host: IpAddr, media: &MediaCredentials, models: bool) -> Vec<String> {
    let mut notices = Vec::new();
    let set = |name: &str| settings.setting(name).source != Source::Default;
    if !set("REDIS_URL")
        && let Some(name) = ["CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"].into_iter().find(|name| set(name))
    {
        notices.push(format!("{name} stands in for REDIS_URL; Celery itself is not used"));
    }
    let to_come = settings.iter().filter(|s| s.source != Source::Default && s.key.effect == keys::Effect::ToCome);
    let names: Vec<_> = to_come.map(|setting| setting.key.name).collect();
    if !names.is_empty() {
        notices.push(format!("accepted without effect in this version: {}", names.join(", ")));
    }
    if !host.is_loopback() && !media.are_set() {
        notices.push(format!(
            "media sockets on {host} are refused: set MEDIA_SECRET, or MEDIA_USER and MEDIA_PASSWORD, and put them into the URL that \
             your carrier connects to"
        ));
    }
    let agent = settings.setting("DEFAULT_AGENT").text.as_deref().unwrap_or_default();
    if !models && agent.eq_ignore_ascii_case("assistant") {
        notices.push(
            "calls go to the assistant, which has no language model and will say so: set OPENAI_API_KEY, or HOMEAI_API_KEY and \
             HOMEAI_BASE_URL for another service with OpenAI's interface"
                .to_owned(),
        );
    }
    notices
}
