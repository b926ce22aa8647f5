//! Every setting by name: what it is, its default, and whether it already has an effect.
//!
//! One table, read by the loader, by `config print` and by the test that holds `tandem.example.toml` against it. A setting is the
//! same word everywhere: `PORT` in the environment and in `.env`, `port` in the TOML file, `--set PORT=…` on the command line.
//! Names and meanings are a promise to existing users: their `.env` of an earlier service loads unchanged, so names whose feature is
//! still to come are known here too.

/// How the text of a setting is read and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Shown as it is.
    Plain,
    /// Never shown.
    Secret,
    /// A URL; shown without its password.
    Url,
}

/// Whether this version acts on a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It does.
    Now,
    /// Accepted, kept, shown; its feature is to come.
    ToCome,
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Name in the environment; the TOML key is its lower case.
    pub name: &'static str,
    /// How it is shown.
    pub kind: Kind,
    /// Whether it does anything yet.
    pub effect: Effect,
    /// Default as text; empty where there is none.
    pub default: &'static str,
    /// Meaning, unit and range in one line.
    pub about: &'static str,
}

const fn now(name: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { name, kind: Kind::Plain, effect: Effect::Now, default, about }
}

const fn to_come(name: &'static str, kind: Kind, default: &'static str, about: &'static str) -> Key {
    Key { name, kind, effect: Effect::ToCome, default, about }
}

const fn secret(name: &'static str, about: &'static str) -> Key {
    to_come(name, Kind::Secret, "", about)
}

/// A secret that has an effect.
const fn guard(name: &'static str, about: &'static str) -> Key {
    Key { name, kind: Kind::Secret, effect: Effect::Now, default: "", about }
}

const fn base_url(name: &'static str) -> Key {
    to_come(name, Kind::Url, "", "base URL of that vendor's interface; a plain http:// base means ws:// sockets")
}

/// All settings, in the order in which they are shown.
pub const KEYS: &[Key] = &[
    now("APP_NAME", "Tandem", "name shown at start-up and in logs"),
    now("ENVIRONMENT", "development", "development or production; production refuses DEBUG"),
    now("DEBUG", "false", "yes or no; logs at debug level, with numbers and transcripts"),
    now("LOG_LEVEL", "info", "trace, debug, info, warn or error, any case"),
    now(
        "LOG_DIR",
        "",
        "folder of the log file server.log, one a day, 14 kept; empty means none, the log is on stderr alone",
    ),
    now(
        "HOST",
        "127.0.0.1",
        "address to listen on; beyond loopback only the set-up page is served until there is an administrator",
    ),
    now(
        "ALLOWED_ORIGINS",
        "",
        "origins of foreign pages that may talk, such as https://www.example.com, with commas; empty means our own pages alone",
    ),
    now("PORT", "8000", "TCP port, 0 to 65535; 0 takes a free one"),
    Key {
        name: "DATABASE_URL",
        kind: Kind::Url,
        effect: Effect::Now,
        default: "",
        about: "sqlite: or postgresql: URL, a +driver part is ignored; empty means tandem.db under DATA_DIR",
    },
    now("DATA_DIR", "data", "folder of everything that is kept"),
    now("MODELS_DIR", "", "folder of speech models; empty means tandem/models in the user's cache folder"),
    now("PLAYBOOKS_DIR", "", "folder of further playbooks, one .toml file each; empty means the built-in ones alone"),
    now(
        "LEXICONS_DIR",
        "",
        "folder of lists of what callers say over an agent's voice, one .toml file a language; empty means English and Hindi alone",
    ),
    now(
        "DEFAULT_AGENT",
        "front-desk",
        "agent, or playbook, that answers a call that names none; `assistant` is answered by a language model alone",
    ),
    now(
        "DEFAULT_REGION",
        "IN",
        "country in two letters, of telephone numbers that are written or dictated without its code",
    ),
    now(
        "TIMEZONE",
        "Asia/Kolkata",
        "time zone in which callers' \"tomorrow\" is understood and a business's day begins, such as Europe/London",
    ),
    now(
        "NUMBER_AGENTS",
        "",
        "agents of numbers that /api/phone-numbers does not know, such as +918047112233=front-desk,+918047112234=sales; other calls go to DEFAULT_AGENT",
    ),
    now(
        "STT_PROVIDER",
        "",
        "speech recognisers, best first, with commas: deepgram, whisper (local); empty means those whose key is set, then whisper",
    ),
    now(
        "TTS_PROVIDER",
        "",
        "voices, best first, with commas: elevenlabs, piper (local, natural; needs `make models VOICE=natural`), flite (local, light); \
         empty means those whose key is set, then flite",
    ),
    now(
        "LLM_PROVIDER",
        "",
        "language models of agents without a playbook, best first, with commas: openai, homeai; empty means those whose key is set",
    ),
    now(
        "VAD_ENGINE",
        "earshot",
        "what tells speech from noise: earshot (built in), silero (needs `tandem models install --vad silero`) or webrtc (cheapest)",
    ),
    now(
        "END_OF_TURN_MODEL",
        "off",
        "model that hears whether a turn is complete: off or smart-turn (needs `tandem models install --end-of-turn smart-turn`)",
    ),
    now(
        "INFERENCE_WORKERS",
        "",
        "local recognisers, natural voices, and judges of turns, at work at once, 1 to 64; empty means one for each core",
    ),
    now("MAX_CONCURRENT_CALLS", "10", "calls at once on this server, 1 to 10000"),
    now("MAX_CALL_DURATION_MINUTES", "10", "longest call in minutes for agents that set none, 1 to 240"),
    now(
        "ENDPOINT_SILENCE_MS",
        "500",
        "silence in ms after which a plain sentence is the caller's whole turn, 100 to 5000; an agent's eagerness scales it",
    ),
    now(
        "PREEMPTIVE_GENERATION",
        "on",
        "on or off; asks the brain, and has its first sentence made, before the silence that ends a turn is full; what is not used is counted",
    ),
    now("BARGE_IN_MIN_SPEECH_MS", "200", "caller speech in ms that interrupts the agent, 40 to 5000"),
    now("INTERRUPT_ON_DTMF", "on", "on or off: a key that the caller presses ends what the agent is saying"),
    now(
        "SYSTEM_TOOLS",
        "skip_turn",
        "tools that language models may use, for agents that set none, with commas: skip_turn, play_keypad_tone; `none` offers none",
    ),
    now(
        "INBAND_DTMF",
        "auto",
        "whether keys are listened for in callers' audio: auto (where the carrier has no message for them), on or off",
    ),
    now(
        "NOISE_SUPPRESSION",
        "off",
        "on or off; suppresses noise in callers' audio, for some 2 % of a core a call and 25 ms",
    ),
    now("AGC", "off", "on or off; brings faint and loud callers to one level, slowly"),
    now("MEDIA_START_TIMEOUT", "10", "seconds within which a media socket has to start its stream, 1 to 300"),
    now("MEDIA_TIMEOUT", "20", "seconds without a message after which a media socket counts as dead, 1 to 300"),
    now(
        "MEDIA_MAX_MESSAGES_PER_SECOND",
        "200",
        "messages a second that a media socket may send, twice that in a burst; 50 to 10000",
    ),
    now(
        "UNKNOWN_EVENTS_ALLOWED",
        "0",
        "unknown events that a media socket may send; the next one ends its call; 0 to 10000",
    ),
    now("MEDIA_USER", "", "user of media sockets, by HTTP Basic: wss://USER:PASSWORD@HOST/media"),
    guard("MEDIA_PASSWORD", "password of media sockets, 8 or more letters, digits and - . _ ~"),
    guard("MEDIA_SECRET", "secret in the path of media sockets, 16 or more characters: wss://HOST/media/SECRET"),
    now(
        "MEDIA_MAX_MUTE_PER_ADDRESS",
        "64",
        "media sockets of one address on which no stream has started, without credentials; 1 to 100000",
    ),
    now("EXOTEL_CAMEL_CASE", "false", "yes or no; repeats the keys of messages to Exotel in camelCase"),
    now(
        "JOURNAL_CALLS",
        "0",
        "finished calls whose journals stay in memory for `tandem replay`, 0 to 10000, up to 1 MB each; they hold what callers said; 0 is off",
    ),
    now(
        "JOURNAL_DIR",
        "",
        "folder that gets each finished call's journal, the newest 1000; they hold what callers said; empty means none",
    ),
    now(
        "RECORD_CALLS",
        "off",
        "recordings of calls in DATA_DIR/recordings: off, wav (stereo, 8 kHz, 2 MB a minute) or opus (a tenth of that); they hold what callers said",
    ),
    now(
        "RECORD_FROM",
        "start",
        "since when calls are recorded; before, there is silence: start, or announcement (the end of the agent's first message, heard whole)",
    ),
    now("DRAIN_TIMEOUT", "600", "seconds that running calls get to finish after SIGTERM, 0 to 14400"),
    to_come("OUR_BASE_URL", Kind::Url, "", "public base URL for carriers' callbacks and media sockets"),
    to_come("REDIS_URL", Kind::Url, "", "Redis for more than one node, such as redis://localhost:6379"),
    to_come("CELERY_BROKER_URL", Kind::Url, "", "stands in for REDIS_URL where that is unset"),
    to_come(
        "CELERY_RESULT_BACKEND",
        Kind::Url,
        "",
        "stands in for REDIS_URL where that and CELERY_BROKER_URL are unset",
    ),
    guard(
        "SECRET_KEY",
        "signs tokens, 32 or more random characters; empty means one that is made and kept in DATA_DIR/secret_key",
    ),
    guard(
        "SECRET_KEY_PREVIOUS",
        "SECRET_KEY before its last change, or what was in DATA_DIR/secret_key: what it signed stays good; drop it after a week",
    ),
    guard(
        "SWITCH_API_KEY",
        "API key by which `tandem talk` and `tandem simulate` read what a switch understood that asks who it is; `tandem key make cli --scope calls:read`",
    ),
    to_come("CALLING_HOURS_START", Kind::Plain, "10", "first hour of the calling window, 0 to 24"),
    to_come("CALLING_HOURS_END", Kind::Plain, "19", "hour at which the calling window closes, 0 to 24"),
    to_come("TWILIO_ACCOUNT_SID", Kind::Plain, "", "Twilio account"),
    secret("TWILIO_AUTH_TOKEN", "Twilio token; also verifies its webhooks"),
    to_come("TWILIO_PHONE_NUMBER", Kind::Plain, "", "our number at Twilio, E.164"),
    base_url("TWILIO_BASE_URL"),
    to_come("EXOTEL_ACCOUNT_SID", Kind::Plain, "", "Exotel account"),
    secret("EXOTEL_API_KEY", "Exotel key"),
    secret("EXOTEL_API_TOKEN", "Exotel token"),
    to_come("EXOTEL_VIRTUAL_NUMBER", Kind::Plain, "", "our number at Exotel, national form"),
    to_come("EXOTEL_EXOPHLO_ID", Kind::Plain, "", "call flow that holds the voicebot applet"),
    base_url("EXOTEL_BASE_URL"),
    secret("VONAGE_API_KEY", "Vonage key"),
    secret("VONAGE_API_SECRET", "Vonage secret"),
    to_come("VONAGE_APPLICATION_ID", Kind::Plain, "", "Vonage application"),
    secret("VONAGE_PRIVATE_KEY", "PEM key of the Vonage application"),
    base_url("VONAGE_BASE_URL"),
    to_come("PLIVO_AUTH_ID", Kind::Plain, "", "Plivo account"),
    secret("PLIVO_AUTH_TOKEN", "Plivo token"),
    base_url("PLIVO_BASE_URL"),
    secret("TELNYX_API_KEY", "Telnyx key"),
    base_url("TELNYX_BASE_URL"),
    to_come("LIVEKIT_URL", Kind::Url, "", "LiveKit server"),
    secret("LIVEKIT_API_KEY", "LiveKit key"),
    secret("LIVEKIT_API_SECRET", "LiveKit secret"),
    guard("DEEPGRAM_API_KEY", "Deepgram key"),
    Key {
        name: "DEEPGRAM_BASE_URL",
        kind: Kind::Url,
        effect: Effect::Now,
        default: "https://api.deepgram.com",
        about: "base URL of Deepgram; a plain http:// base means ws:// sockets",
    },
    now(
        "DEEPGRAM_MODEL",
        "nova-3",
        "Deepgram's streaming model; nova-3 knows key terms and speakers who mix languages",
    ),
    guard("OPENAI_API_KEY", "OpenAI key"),
    Key {
        name: "OPENAI_BASE_URL",
        kind: Kind::Url,
        effect: Effect::Now,
        default: "https://api.openai.com/v1",
        about: "base URL of OpenAI, as its own packages take it",
    },
    now("OPENAI_MODEL", "gpt-4o-mini", "model asked of OpenAI"),
    guard("ELEVENLABS_API_KEY", "ElevenLabs key"),
    now(
        "ELEVENLABS_VOICE_ID",
        "JBFqnCBsd6RMkjVDRZzb",
        "ElevenLabs voice for agents that name none of its own; George unless set",
    ),
    now("ELEVENLABS_MODEL", "eleven_flash_v2_5", "ElevenLabs model; the fast ones have the lowest latency"),
    now(
        "ELEVENLABS_TRANSPORT",
        "socket",
        "socket or http: sentences by a WebSocket that stays open, with the times of words, or by one request each",
    ),
    Key {
        name: "ELEVENLABS_BASE_URL",
        kind: Kind::Url,
        effect: Effect::Now,
        default: "https://api.elevenlabs.io",
        about: "base URL of ElevenLabs; a plain http:// base means ws:// sockets",
    },
    secret("SARVAM_API_KEY", "Sarvam key"),
    base_url("SARVAM_BASE_URL"),
    secret("GEMINI_API_KEY", "Gemini key"),
    base_url("GEMINI_BASE_URL"),
    secret("ANTHROPIC_API_KEY", "Anthropic key"),
    base_url("ANTHROPIC_BASE_URL"),
    secret("HUME_API_KEY", "Hume key"),
    base_url("HUME_BASE_URL"),
    secret("CARTESIA_API_KEY", "Cartesia key"),
    base_url("CARTESIA_BASE_URL"),
    guard("HOMEAI_API_KEY", "HomeAI key, or that of any other service with OpenAI's interface"),
    Key {
        name: "HOMEAI_BASE_URL",
        kind: Kind::Url,
        effect: Effect::Now,
        default: "https://api.homeai.com/v1",
        about: "base URL of any service with OpenAI's interface",
    },
    now("HOMEAI_MODEL", "gpt-4-voice", "model asked of HomeAI"),
];

/// Prefix under which every setting may be given too. `TANDEM_HOST` wins over `HOST`: some shells and build environments export a
/// `HOST` of their own.
pub const PREFIX: &str = "TANDEM_";

/// Names with our prefix that other programs of this project read, and that come here by inheritance.
pub const NOT_SETTINGS: &[&str] = &["TANDEM_SKIP_SETUP"]; // scripts/setup.sh

/// The setting of that name in any case.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name.eq_ignore_ascii_case(name))
}

/// The known name nearest to a misspelt one; `None` if nothing is near enough to be what was meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    let (distance, key) = KEYS.iter().map(|key| (strsim::damerau_levenshtein(&name, key.name), key.name)).min()?;
    (distance <= 2.max(name.len() / 4)).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_upper_case() {
        let mut names: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KEYS.len());
    }

    #[test]
    fn a_slip_of_the_finger_finds_its_name() {
        assert_eq!(nearest("prot"), Some("PORT"));
        assert_eq!(nearest("MAX_CONCURENT_CALL"), Some("MAX_CONCURRENT_CALLS"));
        assert_eq!(nearest("drain_timeout_s"), Some("DRAIN_TIMEOUT"));
        assert_eq!(nearest("colour_of_the_console"), None);
    }
}
