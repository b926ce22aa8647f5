//! One scripted caller on a real socket, in real time: the driver behind `tandem simulate`.
//!
//! Place: a [`MediaPeer`] plays the carrier, [`Caller`] the person, [`Ear`] cuts what the person heard; this module moves their
//! messages over a web socket on an absolute 20 ms clock and decides nothing. A [`Violation`] ends the call at once.
//!
//! The call ends when the switch closes the socket, when the caller hangs up, or at the limit. Afterwards what was heard is
//! recognised, if a recogniser was given, and the two directions are recorded, if a path was given. What only the switch knows
//! (why the call ended, what it understood) is added by [`merge`] from the switch's API, which the binary asks.

mod hostile;
mod live;
mod merge;
mod recognise;
mod report;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use tandem_codecs::SampleRate;
use tandem_domain::port::stt::{Stt, SttError};
use tandem_domain::port::tts::{Tts, TtsError, TtsSpec};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

use crate::caller::{Action, Caller, Line, Manners, Rendered, Step};
use crate::carrier::{Carrier, HeardFrame, MediaPeer, Violation};
use crate::clock;
use crate::ear::{Ear, Utterance};

pub use hostile::{Hostile, hostile, hostile_to_browser, hostile_to_exotel};
pub use live::LiveSteps;
pub use merge::merge;
pub use report::{AudioReport, EndedBy, PeerReport, PeerTurn, SimulationReport, TurnReport};

/// Longest wait for the switch to accept the socket; Twilio waits no longer (error 31901).
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Longest wait for the switch to take one message, and to close a socket that we have closed.
const SOCKET_LIMIT: Duration = Duration::from_secs(5);
/// Silence that separates two utterances of the agent; below the default [`Manners::quiet`], so that every answer is its own.
const UTTERANCE_GAP: Duration = Duration::from_millis(600);

/// What to simulate.
#[derive(Clone)]
pub struct SimulateConfig {
    /// The switch's media socket, `ws://` or `wss://`.
    pub url: String,
    /// Socket file behind which the switch listens, where it does not listen on the URL's port.
    pub unix_socket: Option<PathBuf>,
    /// Whose protocol the call speaks, and its names there.
    pub carrier: Carrier,
    /// Values that the carrier's customer attached to the stream: Twilio's `<Parameter>` elements, Exotel's URL query.
    pub custom_parameters: BTreeMap<String, String>,
    /// What the caller does.
    pub script: Vec<Step<Line>>,
    /// How the caller behaves.
    pub manners: Manners,
    /// Speaks the caller's lines.
    pub renderer: Arc<dyn Tts>,
    /// Voice of the caller by the renderer's own name; empty for its default.
    pub voice: String,
    /// BCP 47 tag of the caller's lines.
    pub language: String,
    /// Recognises what the caller heard; without it `agent_heard_text` stays empty.
    pub recogniser: Option<Arc<dyn Stt>>,
    /// Where to write the call: WAV, left the caller, right the agent as heard.
    pub record_to: Option<PathBuf>,
    /// Longest call.
    pub limit: Duration,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// A line of the script could not be spoken.
    #[error("cannot speak {line:?}")]
    Render {
        /// The line.
        line: String,
        /// Why.
        source: TtsError,
    },
    /// The switch did not take the socket.
    #[error("cannot connect to {url}")]
    Connect {
        /// Where.
        url: String,
        /// Why.
        source: Box<tungstenite::Error>,
    },
    /// The switch answered, and refused.
    #[error("{url} refused the socket with status {status}: {detail}")]
    Refused {
        /// Where.
        url: String,
        /// Of its answer.
        status: u16,
        /// Its own words.
        detail: String,
    },
    /// The switch did not answer the handshake.
    #[error("{url} did not answer within {} s", CONNECT_LIMIT.as_secs())]
    ConnectTimeout {
        /// Where.
        url: String,
    },
    /// The switch broke the carrier's protocol.
    #[error("protocol broken {:.1} s into call {call_sid}", .at.as_secs_f64())]
    Violation {
        /// The call.
        call_sid: String,
        /// Since the stream began.
        at: Duration,
        /// How.
        source: Violation,
    },
    /// What was heard could not be recognised.
    #[error("cannot recognise what was heard")]
    Recognise(#[from] SttError),
    /// The recording could not be written.
    #[error("cannot write the recording {}", .path.display())]
    Record {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Makes one call and tells what the caller's side knows of it.
///
/// Takes as long as the call and, where a recogniser is given, as long as that needs for what was heard.
pub async fn run(config: SimulateConfig) -> Result<PeerReport, SimulateError> {
    run_live(config, live::nothing()).await
}

/// As [`run`], with further steps that come while the call runs: a person at a keyboard. Each is spoken when it comes, beside the call, and
/// done after those before it. When no more will come the caller stays on the line, so the last step should be [`Step::HangUp`].
pub async fn run_live(config: SimulateConfig, steps: LiveSteps) -> Result<PeerReport, SimulateError> {
    run_told(config, steps, oneshot::channel().0).await
}

/// As [`run_live`]; `begun` hears the switch's name for the call as soon as there is one: a page is told it, a carrier has it beforehand.
pub async fn run_told(
    config: SimulateConfig,
    steps: LiveSteps,
    begun: oneshot::Sender<String>,
) -> Result<PeerReport, SimulateError> {
    let script = render(&config).await?;
    let peer = config.carrier.peer(config.custom_parameters.clone());
    let url = with_query(&config.url, peer.query());
    let socket = connect(&url, config.unix_socket.as_deref(), &config.carrier.subprotocols()).await?;
    let now = clock::now().into_std();
    let mut call = Call::new(&config, peer, script, socket, now);
    call.begun = Some(begun);
    let mut live = live::Rendering::of(&config, steps);
    let ended_by = call.talk(config.limit, &mut live).await?;
    let (mut report, utterances, recorded) = call.close(ended_by).await;

    if let Some(recogniser) = &config.recogniser {
        for utterance in utterances {
            let text = recognise::text_of(recogniser.as_ref(), &config.language, &utterance.audio).await?;
            report.add_heard(utterance.start, &text);
        }
    }
    if let Some(path) = config.record_to {
        report.recording = Some(recorded.write(path).await?);
    }
    Ok(report)
}

/// Speaks all lines of the script beforehand, so that synthesis costs the call no time.
async fn render(config: &SimulateConfig) -> Result<Vec<Step<Rendered>>, SimulateError> {
    let mut script = Vec::with_capacity(config.script.len());
    for step in config.script.iter().cloned() {
        let rendered = match step.line() {
            Some(Line::Text(text)) => Some(speak(config, text).await?),
            Some(Line::Audio(audio)) => Some(audio.clone()),
            None => None,
        };
        script.push(step.map(|_| rendered.expect("a step that has a line has just been rendered")));
    }
    Ok(script)
}

async fn speak(config: &SimulateConfig, text: &str) -> Result<Rendered, SimulateError> {
    speak_as(config.renderer.as_ref(), &config.voice, &config.language, text).await
}

async fn speak_as(renderer: &dyn Tts, voice: &str, language: &str, text: &str) -> Result<Rendered, SimulateError> {
    let mut chunks = renderer.speak(TtsSpec {
        text: text.to_owned(),
        voice: voice.to_owned(),
        language: language.to_owned(),
        rate_hz: SampleRate::HZ_8000.hz(),
    });
    let mut samples = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|source| SimulateError::Render { line: text.to_owned(), source })?;
        samples.extend_from_slice(&chunk.samples);
    }
    Ok(Rendered { text: text.to_owned(), samples: samples.into() })
}

/// A connection, whatever it goes through.
trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

type Socket = WebSocketStream<MaybeTlsStream<Box<dyn Connection>>>;

async fn connect(url: &str, unix_socket: Option<&Path>, subprotocols: &[String]) -> Result<Socket, SimulateError> {
    let handshake = async {
        let stream = dial(url, unix_socket).await?;
        let (socket, _) = client_async_tls_with_config(request(url, subprotocols)?, stream, None, None).await?;
        Ok(socket)
    };
    match timeout(CONNECT_LIMIT, handshake).await {
        Ok(Ok(socket)) => Ok(socket),
        Ok(Err(tungstenite::Error::Http(answer))) => Err(SimulateError::Refused {
            url: without_secrets(url),
            status: answer.status().as_u16(),
            detail: detail(answer.body().as_deref().unwrap_or_default()),
        }),
        Ok(Err(error)) => Err(SimulateError::Connect { url: without_secrets(url), source: Box::new(error) }),
        Err(_) => Err(SimulateError::ConnectTimeout { url: without_secrets(url) }),
    }
}

/// What a refusal says of itself: the `detail` of a problem (RFC 9457), as far as it came with the head.
fn detail(body: &[u8]) -> String {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    problem["detail"].as_str().unwrap_or("it does not say why").to_owned()
}

/// The handshake. A user and a password in the URL go out as HTTP Basic, as carriers send them; the library would drop them.
fn request(url: &str, subprotocols: &[String]) -> Result<Request, tungstenite::Error> {
    let mut request = url.into_client_request()?;
    if !subprotocols.is_empty() {
        let value = HeaderValue::from_str(&subprotocols.join(", ")).map_err(tungstenite::http::Error::from)?;
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, value);
    }
    if let Some(credentials) = credentials(url) {
        let basic = format!("Basic {}", STANDARD.encode(credentials));
        let value = HeaderValue::from_str(&basic).expect("base64 fits in a header");
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

/// `user:password` of a URL, as written.
fn credentials(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1.split(['/', '?']).next()?;
    authority.rsplit_once('@').map(|(credentials, _)| credentials)
}

/// A URL as it may be shown: without a user and a password, and with the first part of its path alone, since a further one may be a secret.
fn without_secrets(url: &str) -> String {
    let bare = credentials(url).map_or_else(|| url.to_owned(), |known| url.replacen(&format!("{known}@"), "", 1));
    let bare = bare.split('?').next().unwrap_or_default();
    let Some((scheme, rest)) = bare.split_once("://") else { return bare.to_owned() };
    let shown: Vec<&str> = rest.splitn(3, '/').collect();
    match shown[..] {
        [host, first, _] => format!("{scheme}://{host}/{first}/…"),
        _ => bare.to_owned(),
    }
}

fn with_query(url: &str, query: Option<String>) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    query.map_or_else(|| url.to_owned(), |query| format!("{url}{joint}{query}"))
}

async fn dial(url: &str, unix_socket: Option<&Path>) -> Result<Box<dyn Connection>, tungstenite::Error> {
    if let Some(path) = unix_socket {
        return Ok(Box::new(UnixStream::connect(path).await?));
    }
    let uri: tungstenite::http::Uri = url.parse()?;
    let host = uri.host().ok_or(tungstenite::error::UrlError::NoHostName)?.trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("wss") { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?; // a carrier's frames leave when they are due
    Ok(Box::new(stream))
}

/// Both directions of a call, sample for sample.
#[derive(Default)]
struct Recorded {
    caller: Vec<i16>,
    agent: Vec<i16>,
}

impl Recorded {
    /// Writes left the caller, right the agent.
    async fn write(self, path: PathBuf) -> Result<PathBuf, SimulateError> {
        let mut file = std::io::Cursor::new(Vec::new());
        let made = tandem_codecs::wav::write_stereo(&mut file, SampleRate::HZ_8000, &self.caller, &self.agent);
        let written = match made {
            Ok(()) => tokio::fs::write(&path, file.into_inner()).await,
            Err(error) => Err(std::io::Error::other(error)),
        };
        match written {
            Ok(()) => Ok(path),
            Err(source) => Err(SimulateError::Record { path, source }),
        }
    }
}

/// A call on its socket.
struct Call {
    socket: Socket,
    peer: Box<dyn MediaPeer>,
    caller: Caller,
    /// Who waits for the call's name.
    begun: Option<oneshot::Sender<String>>,
    ear: Ear,
    began: Instant,
    utterances: Vec<Utterance>,
    keep_audio: bool,
    recorded: Recorded,
}

/// What the socket or the clock brought.
enum Event {
    Frame,
    Step(Step<Rendered>),
    Message(Option<Result<Message, tungstenite::Error>>),
}

impl Call {
    fn new(
        config: &SimulateConfig,
        peer: Box<dyn MediaPeer>,
        script: Vec<Step<Rendered>>,
        socket: Socket,
        now: Instant,
    ) -> Self {
        Self {
            socket,
            peer,
            caller: Caller::new(script, config.manners, now),
            begun: None,
            ear: Ear::new(UTTERANCE_GAP),
            began: now,
            utterances: Vec::new(),
            keep_audio: config.record_to.is_some(),
            recorded: Recorded::default(),
        }
    }

    /// Talks until somebody ends the call.
    async fn talk(&mut self, limit: Duration, live: &mut live::Rendering) -> Result<EndedBy, SimulateError> {
        for text in self.peer.open(self.began) {
            if let Err(lost) = self.send(text).await {
                return Ok(lost);
            }
        }
        while let Some(due) = self.peer.poll_timeout() {
            if !self.peer.call_sid().is_empty()
                && let Some(begun) = self.begun.take()
            {
                let _ = begun.send(self.peer.call_sid().to_owned()); // nobody may wait for it
            }
            let event = tokio::select! {
                biased;
                () = sleep_until(due.into()) => Event::Frame,
                message = self.socket.next() => Event::Message(message),
                step = live.next() => Event::Step(step?),
            };
            let now = clock::now().into_std();
            let answers = match event {
                Event::Step(step) => {
                    self.caller.push(step);
                    Vec::new()
                }
                Event::Frame => {
                    if now.saturating_duration_since(self.began) >= limit {
                        return Ok(EndedBy::Limit);
                    }
                    match self.live(now) {
                        (texts, false) => texts,
                        (_, true) => return Ok(EndedBy::Caller),
                    }
                }
                Event::Message(Some(Ok(Message::Text(text)))) => {
                    self.peer.receive(now, &text).map_err(|source| self.violation(now, source))?
                }
                Event::Message(Some(Ok(Message::Binary(bytes)))) => {
                    let violation = self.peer.receive_binary(bytes.len());
                    return Err(self.violation(now, violation));
                }
                Event::Message(Some(Ok(Message::Close(_))) | None) => return Ok(EndedBy::Switch),
                Event::Message(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => Vec::new(),
                Event::Message(Some(Err(error))) => return Ok(EndedBy::Lost(error.to_string())),
            };
            for text in answers {
                if let Err(lost) = self.send(text).await {
                    return Ok(lost);
                }
            }
        }
        Ok(EndedBy::Caller)
    }

    /// Lives the frames that are due; returns the messages for the switch and whether the caller hangs up.
    fn live(&mut self, now: Instant) -> (Vec<String>, bool) {
        let mut texts = self.peer.handle_timeout(now);
        for HeardFrame { at, samples, .. } in self.peer.played(now) {
            self.utterances.extend(self.ear.push(&samples));
            // the frame's own time, not ours: a driver that wakes late must not make the caller late
            let tick = self.caller.tick(self.began + at, &samples);
            if self.keep_audio {
                self.recorded.caller.extend_from_slice(&tick.frame);
                self.recorded.agent.extend_from_slice(&samples);
            }
            match tick.action {
                Some(Action::HangUp) => return (texts, true),
                Some(Action::Press(key)) => texts.push(self.peer.dtmf(key)),
                None => {}
            }
            texts.extend(self.peer.caller_audio(&tick.frame));
        }
        (texts, false)
    }

    /// Sends one message; the error says how the call ended with it.
    async fn send(&mut self, text: String) -> Result<(), EndedBy> {
        match timeout(SOCKET_LIMIT, self.socket.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed)) => Err(EndedBy::Switch),
            Ok(Err(error)) => Err(EndedBy::Lost(error.to_string())),
            Err(_) => Err(EndedBy::Lost("the switch has stopped reading".to_owned())),
        }
    }

    fn violation(&self, now: Instant, source: Violation) -> SimulateError {
        let at = now.saturating_duration_since(self.began);
        SimulateError::Violation { call_sid: self.peer.call_sid().to_owned(), at, source }
    }

    /// Takes leave, if it is for us to do so, and sums up.
    async fn close(mut self, ended_by: EndedBy) -> (PeerReport, Vec<Utterance>, Recorded) {
        let now = clock::now().into_std();
        let stop = self.peer.stop(now);
        match ended_by {
            EndedBy::Caller | EndedBy::Limit => {
                if self.send(stop).await.is_ok() {
                    self.hang_up().await;
                }
            }
            EndedBy::Switch => self.hang_up().await,
            EndedBy::Lost(_) => {}
        }
        self.utterances.extend(self.ear.finish());
        let report = PeerReport::new(self.peer.as_ref(), self.caller.turns(), self.began, ended_by, now);
        (report, self.utterances, self.recorded)
    }

    /// Closes the socket and waits for the other side to do so too; what comes meanwhile no longer matters.
    async fn hang_up(&mut self) {
        let closing = async {
            // an error says that it is closed already
            let _ = self.socket.close(None).await;
            while let Some(Ok(_)) = self.socket.next().await {}
        };
        let _ = timeout(SOCKET_LIMIT, closing).await;
    }
}

#[cfg(test)]
mod tests;
