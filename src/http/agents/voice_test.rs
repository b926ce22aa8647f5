//! A voice is tried out (E6): the agent is told a message, its answer is spoken by the voice that calls have, and can be heard for an hour.
//!
//! ```text
//! message ─► brain of the agent ─► sentences ─► voice ─► WAV in memory ─► GET …/voice/test/{file}
//! ```
//!
//! As in a call whose caller speaks first: the agent greets, and answers. Nothing of it is stored with the conversations, and no caller is known.
//! The file's name is made of chance and is all that is asked for: a player in a page sends no token.
//! Nobody here measures how an answer comes across, so the personality that was set is told, with a confidence of 0.

use std::io::Cursor;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use moka::sync::Cache;
use tandem_actors::clock;
use tandem_codecs::frame::{Pcm, SampleRate};
use tandem_codecs::wav;
use tandem_domain::agent::{Agent, Timing};
use tandem_domain::agent_settings::catalogue;
use tandem_domain::caller::Arriving;
use tandem_domain::guide::{PersonalityDetected, VoiceTest, VoiceTested};
use tandem_domain::ids::TurnId;
use tandem_domain::port::brain::{Ask, BrainEvent, Brains, Prompt};
use tandem_domain::port::store::AgentRecord;
use tandem_domain::port::tts::{KnownVoice, Tts, TtsSpec};
use tandem_domain::record::Direction;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Surface;
use super::super::body;
use super::super::guard::Tenant;
use super::super::problem::Problem;
use super::super::range::{self, Part};
use super::described::SentVoiceTest;
use super::{AgentPath, find};

/// Tests at once: each takes a place of a call at the voice's vendor.
const AT_ONCE: usize = 2;
/// How long one waits for its turn.
const TURN: Duration = Duration::from_secs(5);
/// The longest that one may take.
const LIMIT: Duration = Duration::from_secs(30);
/// Samples a second of what is heard: more than a telephone has, and what every voice can give.
const RATE: SampleRate = SampleRate::HZ_16000;
/// Speech of one answer; what comes after is not made.
const MOST_SPEECH: Duration = Duration::from_secs(60);
/// How long an answer can be heard.
const KEPT: Duration = Duration::from_secs(3_600);
/// Answers that are kept, together.
const MOST_BYTES: u64 = 64 << 20;

/// What tests of voices share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct VoiceTests(Arc<Shared>);

struct Shared {
    brains: Arc<dyn Brains>,
    voice: Arc<dyn Tts>,
    places: Semaphore,
    /// By the agent's id and their own.
    sounds: Cache<(Uuid, Uuid), Bytes>,
}

/// What came of a test.
#[derive(Default)]
struct Spoken {
    words: Vec<String>,
    samples: Vec<i16>,
    /// When the first sound was there.
    first: Option<Instant>,
    /// Why it went no further.
    failed: Option<String>,
}

impl VoiceTests {
    /// Tests by what calls are answered with.
    pub(crate) fn new(brains: Arc<dyn Brains>, voice: Arc<dyn Tts>) -> Self {
        let weigh = |_: &(Uuid, Uuid), sound: &Bytes| u32::try_from(sound.len()).unwrap_or(u32::MAX);
        let sounds = Cache::builder().max_capacity(MOST_BYTES).weigher(weigh).time_to_live(KEPT).build();
        Self(Arc::new(Shared { brains, voice, places: Semaphore::new(AT_ONCE), sounds }))
    }

    /// The voices that may be chosen.
    pub(super) fn voices(&self) -> Vec<KnownVoice<'_>> {
        self.0.voice.voices()
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let busy = || Problem::unavailable("other voices are being tested", 5);
        timeout(TURN, self.0.places.acquire()).await.map_err(|_| busy())?.map_err(|_| busy())
    }

    /// What the agent answers to `message`, spoken.
    async fn answer(&self, agent: &Agent, message: String) -> Spoken {
        let mut spoken = Spoken::default();
        if timeout(LIMIT, self.speak(agent, message, &mut spoken)).await.is_err() {
            spoken.failed = Some(format!("the answer took longer than {} s", LIMIT.as_secs()));
        }
        if spoken.samples.is_empty() && spoken.failed.is_none() {
            spoken.failed = Some("the agent answered without a sound".to_owned());
        }
        spoken
    }

    async fn speak(&self, agent: &Agent, message: String, spoken: &mut Spoken) {
        let call = Arriving { direction: Direction::Inbound, number: None, at: clock::utc(), first_message: None };
        let brain = match self.0.brains.brain_for(agent, call).await {
            Ok(brain) => brain,
            Err(error) => return spoken.failed = Some(error.to_string()),
        };
        let prompt = Prompt::Heard { text: message, confidence: None };
        let mut events = brain.respond(Ask { turn: TurnId(1), prompt, state: None, history: [].into() });
        while let Some(event) = events.next().await {
            let said = match event {
                Ok(BrainEvent::Say(text)) => self.say(agent, text, spoken).await,
                Ok(_) => Ok(true),
                Err(error) => Err(error.to_string()),
            };
            match said {
                Ok(true) => {}
                Ok(false) => return,
                Err(failed) => return spoken.failed = Some(failed),
            }
        }
    }

    /// Speaks one sentence; whether there is room for another.
    async fn say(&self, agent: &Agent, text: String, spoken: &mut Spoken) -> Result<bool, String> {
        let most = RATE.samples_in(MOST_SPEECH);
        let spec = TtsSpec {
            text: text.clone(),
            voice: agent.voice.clone(),
            language: agent.language.clone(),
            rate_hz: RATE.hz(),
        };
        let mut chunks = self.0.voice.speak(spec);
        spoken.words.push(text);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| error.to_string())?;
            if !chunk.samples.is_empty() {
                spoken.first.get_or_insert_with(clock::now);
            }
            let room = most - spoken.samples.len();
            spoken.samples.extend(chunk.samples.iter().take(room));
            if chunk.samples.len() >= room {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Keeps a sound for whoever knows its name.
    fn keep(&self, agent: Uuid, samples: Vec<i16>) -> Result<Uuid, wav::WavError> {
        let mut file = Cursor::new(Vec::with_capacity(samples.len() * 2 + 44));
        wav::write_mono(&mut file, &Pcm::new(RATE, samples))?;
        let name = Uuid::new_v4();
        self.0.sounds.insert((agent, name), file.into_inner().into());
        Ok(name)
    }
}

/// The agent answers a message, and the answer can be heard.
///
/// `voice_url` works for an hour and needs no token. `test_successful` is false where nothing can be heard; `detail` then says why.
#[utoipa::path(
    post, path = "/api/agents/management/{agent_id}/voice/test", operation_id = "test_agent_voice", tag = "agents", request_body = SentVoiceTest,
    params(("agent_id" = String, Path, description = "UUID, number or name")),
    responses((status = OK, body = VoiceTested)),
)]
pub(in crate::http) async fn test(
    Tenant(surface): Tenant,
    id: AgentPath,
    (uri, headers): (Uri, HeaderMap),
    sent: Bytes,
) -> Result<Json<VoiceTested>, Problem> {
    let record = find(&surface, id).await?;
    let VoiceTest { test_message } = VoiceTest::read(&body::read(&sent)?)?;
    let tests = &surface.voice_tests;
    let _place = tests.place().await?;
    // What a server sets of an agent's patience is of no matter to one answer.
    let agent = Agent::configured(record.identity, &record.settings, &Timing::default());
    let began = clock::now();
    let spoken = tests.answer(&agent, test_message).await;
    let response_time = spoken.first.map_or(Duration::ZERO, |first| first.saturating_duration_since(began));
    let mut tested = VoiceTested {
        test_successful: spoken.failed.is_none(),
        agent_response: spoken.words.join(" "),
        voice_url: String::new(),
        personality_detected: personality(&record),
        response_time_ms: u64::try_from(response_time.as_millis()).unwrap_or(u64::MAX),
        detail: spoken.failed,
    };
    if let Some(reason) = &tested.detail {
        tracing::warn!(agent = agent.name, reason, "the voice was tested and did not speak");
    } else {
        let file = tests.keep(agent.uuid, spoken.samples).map_err(|error| {
            tracing::error!(%error, "a sound cannot be kept");
            Problem::internal()
        })?;
        let base = base(&uri, &headers);
        tested.voice_url = format!("{base}/api/agents/management/{}/voice/test/{file}.wav", agent.uuid);
    }
    Ok(Json(tested))
}

fn personality(record: &AgentRecord) -> PersonalityDetected {
    PersonalityDetected::new(record.settings.text(&catalogue::PERSONALITY_TYPE), 0.0, "neutral".to_owned())
}

/// What the client asked us by; nothing where it did not say, which makes an address of this server.
fn base(uri: &Uri, headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = uri.authority().map(|authority| authority.as_str()).or_else(|| text("host"));
    // A proxy that ends TLS says so. Who lies here gets a wrong link to their own sound.
    let scheme = if text("x-forwarded-proto") == Some("https") { "https" } else { "http" };
    host.map_or_else(String::new, |host| format!("{scheme}://{host}"))
}

/// The bytes of a sound.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
struct Wave(#[expect(dead_code, reason = "described, never made")] Vec<u8>);

/// What an agent answered in a test: WAV, 16 kHz, one channel.
///
/// Whoever knows the address may hear it. `Range` fetches a part, as players do.
#[utoipa::path(
    get, path = "/api/agents/management/{agent_id}/voice/test/{file}", operation_id = "get_agent_voice_test", tag = "agents",
    params(
        ("agent_id" = String, Path, description = "the agent's UUID"),
        ("file" = String, Path, description = "as `voice_url` has it"),
        ("range" = Option<String>, Header, description = "one range of bytes; several are answered with the whole"),
    ),
    responses(
        (status = OK, body = inline(Wave), content_type = "audio/wav"),
        (status = PARTIAL_CONTENT, body = inline(Wave), content_type = "audio/wav", description = "the range that was asked for"),
        (status = RANGE_NOT_SATISFIABLE, body = inline(super::super::problem::Body), content_type = "application/problem+json", description = "the range lies outside; `Content-Range` has the length"),
    ),
)]
pub(in crate::http) async fn sound(
    State(surface): State<Surface>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path((agent, file)) = path.map_err(|error| Problem::invalid("file", error.body_text()))?;
    let named = agent.parse().ok().zip(file.strip_suffix(".wav").and_then(|name| name.parse().ok()));
    let found = named.and_then(|name: (Uuid, Uuid)| surface.voice_tests.0.sounds.get(&name));
    let sound =
        found.ok_or_else(|| Problem::not_found("there is no such sound; it is kept for an hour: test again"))?;
    let length = sound.len() as u64;
    let asked = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let common = [
        (header::CONTENT_TYPE, "audio/wav".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CACHE_CONTROL, format!("private, max-age={}, immutable", KEPT.as_secs())),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    Ok(match asked.map_or(Part::Whole, |asked| range::asked(asked, length)) {
        Part::Whole => (common, sound).into_response(),
        Part::Bytes(bytes) => {
            let range = [(header::CONTENT_RANGE, format!("bytes {}-{}/{length}", bytes.start, bytes.end - 1))];
            let at = |byte: u64| usize::try_from(byte).unwrap_or(sound.len());
            let part = sound.slice(at(bytes.start)..at(bytes.end));
            (StatusCode::PARTIAL_CONTENT, common, range, part).into_response()
        }
        Part::Outside => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            (StatusCode::RANGE_NOT_SATISFIABLE, range, format!("range: the sound has {length} bytes")).into_response()
        }
    })
}
