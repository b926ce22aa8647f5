//! ElevenLabs: a hosted voice, by a socket of many contexts or by HTTP.
//!
//! Place: `port::tts`, in front of the local voices in an [`Order`](super::order::Order). Shared by all calls of a process.
//!
//! | | socket (default) | HTTP |
//! |---|---|---|
//! | words' beginnings | yes | no: what was heard of an interrupted sentence is estimated |
//! | connection | kept by the pool, open before it is needed | kept by the client |
//! | interruption | audio dropped at once; the socket serves the next sentence | connection dropped |
//! | back-pressure | the socket is not read | the body is not read |
//!
//! - At 8 kHz it comes as mu-law, is expanded once, and compressed once by the carrier's dialect: the same bytes, but for the second of
//!   mu-law's two zeros.
//! - Digits are spelled ([`spelled`](super::spelled)): the fast models' own reading of them is off. Markup goes.
//! - An agent's voice is taken where it has the form of this vendor's ids, else the default: agents carry other engines' names too. A voice
//!   that the account does not have is asked for once in ten minutes.
//! - Limits: 2 s to connect, 5 s of silence where audio is due, 15 s of audio in a message, 30 s in a sentence. Who has less patience stands in
//!   front.
//! - The key is in a header, marked as secret, and in no log.
//!
//! Not here: cloning, pronunciation dictionaries, `eleven_v3` (which has another socket), a cache of what was said.

mod alignment;
mod contexts;
mod http;
mod pool;
mod socket;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use moka::sync::Cache;
use tandem_domain::port::EventStream;
use tandem_domain::port::tts::{KnownVoice, Tts, TtsChunk, TtsError, TtsSpec};
use tokio::time::{Instant, timeout};

use self::alignment::Follower;
use self::contexts::Piece;
use self::pool::{Lease, Pool};
use self::socket::{Pieces, Trouble};
use self::wire::{Alignment, Format, NAME, Route};
use super::spelled::Spelled;

/// Where the vendor is.
pub const DEFAULT_BASE_URL: &str = "https://api.elevenlabs.io";
/// The model with the lowest latency.
pub const DEFAULT_MODEL: &str = "eleven_flash_v2_5";
/// A voice that every account has: George.
pub const DEFAULT_VOICE: &str = "JBFqnCBsd6RMkjVDRZzb";

/// A connection takes no longer, or fails (promises.md P3).
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// Audio that is due comes within this, or the sentence fails.
const SILENCE_LIMIT: Duration = Duration::from_secs(5);
/// Speech in one sentence beyond which a voice runs away and is cut (promises.md P7).
const LONGEST_SENTENCE: Duration = Duration::from_secs(30);
/// For how long a voice that the account does not have is not asked for again, and how many are remembered.
const UNKNOWN_VOICES: (Duration, u64) = (Duration::from_secs(600), 256);

/// A secret that nothing shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The vendor's key.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// How sentences go to the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// One context of a socket each.
    #[default]
    Socket,
    /// One request each.
    Http,
}

/// How to reach the vendor, and what to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElevenLabsConfig {
    /// Sent with every request.
    pub key: Key,
    /// `http://…` or `https://…`, without `/v1`.
    pub base_url: String,
    /// The model's id.
    pub model: String,
    /// Voice where the agent names none of this vendor's.
    pub voice: String,
    /// By which of its ways.
    pub transport: Transport,
    /// Most sockets at once.
    pub most_sockets: usize,
    /// How long a socket that nobody uses stays open, but for one.
    pub idle: Duration,
}

impl ElevenLabsConfig {
    /// The defaults.
    pub fn new(key: Key) -> Self {
        Self {
            key,
            base_url: DEFAULT_BASE_URL.to_owned(),
            model: DEFAULT_MODEL.to_owned(),
            voice: DEFAULT_VOICE.to_owned(),
            transport: Transport::default(),
            most_sockets: 512,
            idle: Duration::from_secs(60),
        }
    }
}

/// The voice. Clones share its connections.
#[derive(Clone)]
pub struct ElevenLabs {
    shared: Arc<Shared>,
}

struct Shared {
    config: ElevenLabsConfig,
    way: Way,
    /// Voices that the account does not have.
    unknown: Cache<String, ()>,
}

enum Way {
    Socket(Pool),
    Http(reqwest::Client),
}

impl ElevenLabs {
    /// Begins to connect, so that the first sentence finds a connection. Needs a runtime, and rustls its provider.
    ///
    /// # Errors
    /// The voice's or model's id cannot be one, or the TLS library is not set up.
    pub fn start(config: ElevenLabsConfig) -> Result<Self, TtsError> {
        for (setting, id) in [("ELEVENLABS_VOICE_ID", &config.voice), ("ELEVENLABS_MODEL", &config.model)] {
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
                let remedy = format!("{setting} is {id:?}, which is no id");
                return Err(TtsError::Unavailable { vendor: NAME, remedy });
            }
        }
        let way = match config.transport {
            Transport::Socket => {
                let route = Route {
                    voice: config.voice.clone(),
                    model: config.model.clone(),
                    language: wire::language("en", &config.model),
                    format: Format::of_rate(8_000).expect("telephones have a format"),
                };
                let (base, key) = (config.base_url.clone(), config.key.clone());
                Way::Socket(Pool::start(base, key, route, config.most_sockets, config.idle))
            }
            Transport::Http => {
                let client = http::client()?;
                let (warm, base, key) = (client.clone(), config.base_url.clone(), config.key.clone());
                tokio::spawn(async move {
                    if let Err(error) = http::warm(&warm, &base, &key).await {
                        tracing::warn!(%error, "no connection waits for the first sentence");
                    }
                });
                Way::Http(client)
            }
        };
        let unknown = Cache::builder().time_to_live(UNKNOWN_VOICES.0).max_capacity(UNKNOWN_VOICES.1).build();
        Ok(Self { shared: Arc::new(Shared { config, way, unknown }) })
    }
}

impl Tts for ElevenLabs {
    fn name(&self) -> &'static str {
        NAME
    }

    /// The configured one: what else the account owns is its vendor's list.
    fn voices(&self) -> Vec<KnownVoice<'_>> {
        vec![KnownVoice { id: &self.shared.config.voice, name: "the server's voice at ElevenLabs", accent: "" }]
    }

    /// Chunks as the vendor makes them, with the words that begin in each where it tells.
    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let Some(format) = Format::of_rate(spec.rate_hz) else {
            let remedy = format!("it makes no audio of {} Hz: ask for 8000 or 16000", spec.rate_hz);
            return stream::iter([Err(TtsError::Unavailable { vendor: NAME, remedy })]).boxed();
        };
        let spelled = Spelled::new(&spec.text, &spec.language);
        if spelled.text.is_empty() {
            return stream::empty().boxed();
        }
        let shared = Arc::clone(&self.shared);
        let begun = async move {
            let source = shared.begin(&spec, format, &spelled.text).await?;
            let follower = Follower::new(&spelled, spec.rate_hz);
            let sentence = Sentence { source, follower, format, odd: None, samples: 0 };
            Ok(stream::try_unfold(sentence, Sentence::next))
        };
        stream::once(begun).try_flatten().boxed()
    }
}

impl Shared {
    /// The audio of a text, with the agent's voice or, where the account has no such voice, the default.
    async fn begin(&self, spec: &TtsSpec, format: Format, text: &str) -> Result<Source, TtsError> {
        let default = &self.config.voice;
        let own = Some(&spec.voice).filter(|voice| wire::is_voice_id(voice) && *voice != default);
        if let Some(voice) = own.filter(|voice| !self.unknown.contains_key(*voice)) {
            match self.begin_as(voice, spec, format, text).await {
                Err(TtsError::NoSuchVoice { .. }) => {
                    tracing::warn!(voice, "the account has no such voice; the default speaks");
                    self.unknown.insert(voice.clone(), ());
                }
                begun => return begun,
            }
        }
        self.begin_as(default, spec, format, text).await.map_err(|error| match error {
            TtsError::NoSuchVoice { vendor, .. } => TtsError::NoSuchVoice { vendor, voice: default.clone() },
            error => error,
        })
    }

    async fn begin_as(&self, voice: &str, spec: &TtsSpec, format: Format, text: &str) -> Result<Source, TtsError> {
        let ElevenLabsConfig { model, base_url, key, .. } = &self.config;
        let language = wire::language(&spec.language, model);
        let route = Route { voice: voice.to_owned(), model: model.clone(), language, format };
        match &self.way {
            Way::Http(client) => Ok(Source::Http(http::speak(client, base_url, key, &route, text).await?.boxed())),
            Way::Socket(pool) => by_socket(pool, &route, text).await,
        }
    }
}

/// The first piece of a text's audio and the rest. A socket that stood in wait may be gone by the time it is used; then a fresh one is tried.
async fn by_socket(pool: &Pool, route: &Route, text: &str) -> Result<Source, TtsError> {
    let mut fresh = false;
    loop {
        let lease = pool.lease(route, fresh).await?;
        let stale = lease.reused;
        let (pieces, first) = match lease.speak(text.to_owned()).await {
            Some(mut pieces) => {
                let first = next_piece(&mut pieces).await;
                (Some(pieces), first)
            }
            None => (None, Err(Trouble::Lost(wire::failed("closed the connection")))),
        };
        match (first, pieces) {
            (Err(Trouble::Lost(_)), _) if stale => fresh = true,
            (Ok(first), Some(pieces)) => return Ok(Source::Socket(Box::new(Context { first, pieces, _lease: lease }))),
            (Ok(_), None) => return Err(wire::failed("closed the connection")),
            (Err(Trouble::Lost(error) | Trouble::Refused(error)), _) => return Err(error),
        }
    }
}

/// The next piece; `None` after the last.
async fn next_piece(pieces: &mut Pieces) -> Result<Option<Piece>, Trouble> {
    match timeout(SILENCE_LIMIT, pieces.recv()).await {
        Ok(piece) => piece.transpose(),
        Err(_) => Err(Trouble::Refused(wire::failed("no audio in time"))),
    }
}

/// Where a sentence's audio comes from.
enum Source {
    Socket(Box<Context>),
    Http(BoxStream<'static, Result<bytes::Bytes, TtsError>>),
}

/// A text in a socket's context.
struct Context {
    first: Option<Piece>,
    pieces: Pieces,
    /// Goes back after the pieces are dropped, hence below them.
    _lease: Lease,
}

/// A sentence on its way.
struct Sentence {
    source: Source,
    follower: Follower,
    format: Format,
    /// Half a sample, at the end of what came last.
    odd: Option<u8>,
    samples: u64,
}

impl Sentence {
    async fn next(mut self) -> Result<Option<(TtsChunk, Self)>, TtsError> {
        loop {
            let Some((audio, alignment)) = self.audio().await? else {
                return if self.samples > 0 { Ok(None) } else { Err(wire::failed("no audio")) };
            };
            let samples = self.decode(audio);
            let words = self.follower.words(alignment.as_ref(), samples.len());
            if self.follower.is_stretched() {
                return Err(wire::failed("audio that is longer than its own timing: another rate than was asked for"));
            }
            if samples.is_empty() {
                continue;
            }
            let longest = self.format.media.rate.samples_in(LONGEST_SENTENCE) as u64;
            if self.samples >= longest {
                tracing::warn!(vendor = NAME, "a sentence of more than 30 s was cut");
                return Ok(None);
            }
            self.samples += samples.len() as u64;
            return Ok(Some((TtsChunk { samples: samples.into(), words }, self)));
        }
    }

    /// What comes next, as it came; `None` after the last.
    async fn audio(&mut self) -> Result<Option<(Vec<u8>, Option<Alignment>)>, TtsError> {
        match &mut self.source {
            Source::Socket(context) => {
                let piece = match context.first.take() {
                    Some(piece) => Some(piece),
                    None => next_piece(&mut context.pieces).await.map_err(|trouble| match trouble {
                        Trouble::Lost(error) | Trouble::Refused(error) => error,
                    })?,
                };
                Ok(piece.map(|Piece { audio, alignment }| (audio, alignment)))
            }
            Source::Http(body) => Ok(body.try_next().await?.map(|bytes| (bytes.into(), None))),
        }
    }

    /// Whole samples; half a one is kept for the next time.
    fn decode(&mut self, mut audio: Vec<u8>) -> Vec<i16> {
        if let Some(odd) = self.odd.take() {
            audio.insert(0, odd);
        }
        if self.format.media.bytes_per_sample() == 2 && audio.len() % 2 == 1 {
            self.odd = audio.pop();
        }
        let mut samples = Vec::with_capacity(audio.len() / self.format.media.bytes_per_sample());
        self.format.media.decode(&audio, &mut samples).expect("half a sample was taken off");
        samples
    }
}

#[expect(clippy::disallowed_methods, reason = "a vendor's connections are no part of a call's decisions")]
fn now() -> Instant {
    Instant::now()
}
