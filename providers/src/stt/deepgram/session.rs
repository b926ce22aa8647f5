//! One call's socket: opened, fed, watched, opened again, closed.
//!
//! Place: behind [`Deepgram`](super::Deepgram). Runs inside the stream that the call polls, not as a task of its own: who drops the stream
//! drops the socket with it, and nothing is billed any further.
//!
//! ```text
//!              handshake                    CloseStream at the end of the audio
//! Connecting ──────────────► Open ────────────────────────────────────────────────► over
//!      ▲                      │ lost: audio since the last settled word is sent again, at most 5 s,
//!      └──────────────────────┘ and Finalize too where an answer was waited for
//! ```
//!
//! | sign | means |
//! |------|-------|
//! | nothing at all arrives for 3 s while we send, a ping included | the connection is half open: the stream fails |
//! | results have not reached the end of a turn 2 s after `Finalize` | the vendor sleeps: the stream fails |
//! | connection lost, or closed by a time limit of theirs | connected again, at most 3 times in 30 s |
//! | closed for a reason of ours, handshake refused | the stream fails |

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{SinkExt, StreamExt};
use tandem_domain::port::stt::{SttError, SttEvent, SttInput, SttInputStream};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::hearing::{Due, Hearing};
use super::rewind::{Joined, Rewind};
use super::wire::{self, Encoding, FromDeepgram, NAME};
use crate::clock::now;
use crate::ws::Socket;

/// Audio of one message. Deepgram takes 20 to 100 ms; every message costs a system call.
const MESSAGE: Duration = Duration::from_millis(60);
/// Audio that is kept for a new connection (promises.md P4).
const REWIND: Duration = Duration::from_secs(5);
/// Of one message while the past is sent again.
const REWIND_MESSAGE_SAMPLES: u64 = 4_000;
/// At 10 s without anything the server gives up.
const KEEP_ALIVE: Duration = Duration::from_secs(4);
/// Silence that goes before the first keep-alive of a connection without audio: on keep-alives alone the server gives up too.
const FIRST_SILENCE: Duration = Duration::from_millis(20);
/// Nothing came for so long: a ping asks for a sign of life.
const PING: Duration = Duration::from_secs(1);
/// No sign of life for so long (promises.md P5).
const DEAD: Duration = Duration::from_secs(3);
/// A message that cannot be written for so long is lost, and the connection with it.
const SEND_LIMIT: Duration = Duration::from_secs(2);
/// From `CloseStream` to the server's goodbye (promises.md P8: closed within 2 s of the hang-up).
const CLOSE_LIMIT: Duration = Duration::from_secs(1);
/// Connections that may be lost within [`LOSSES_WITHIN`].
const LOSSES: usize = 3;
/// See [`LOSSES`].
const LOSSES_WITHIN: Duration = Duration::from_secs(30);
/// Messages in a row that cannot be read.
const MAX_UNREADABLE: u32 = 20;
/// Messages that come while not a single one of ours goes out: a flood. A live stream has a few a second, and we send 16.
const MAX_IN_A_ROW: u32 = 100;

/// Makes a connection.
pub(super) type Connect = Box<dyn Fn() -> BoxFuture<'static, Result<Box<Socket>, SttError>> + Send>;

/// The life of one call's stream.
pub(super) struct Session {
    rate_hz: u32,
    connect: Connect,
    /// `None` after its end.
    audio: Option<SttInputStream>,
    line: Line,
    rewind: Rewind,
    hearing: Hearing,
    /// When connections were lost, oldest first.
    losses: VecDeque<Instant>,
    alarm: Pin<Box<Sleep>>,
    /// Until when the server may say goodbye.
    closing: Option<Instant>,
    over: bool,
    /// Samples that were sent, for the bill.
    sent_samples: u64,
}

enum Line {
    Connecting(BoxFuture<'static, Result<Box<Socket>, SttError>>),
    Open(Open),
}

/// A connection that stands.
struct Open {
    socket: Box<Socket>,
    /// Samples of silence that went before the call's audio.
    silence: u64,
    /// Position up to which the call's audio was sent; `None` before the first.
    sent_to: Option<u64>,
    last_sent: Instant,
    /// When something was sent after which nothing came.
    unanswered: Option<Instant>,
    pinged: bool,
    unreadable: u32,
    in_a_row: u32,
}

enum News {
    Connected(Result<Box<Socket>, SttError>),
    Message(Option<Result<Message, tokio_tungstenite::tungstenite::Error>>),
}

enum Woken {
    Tick,
    Input(Option<SttInput>),
    News(News),
}

/// What a step of ours came to: an event for the call, or the end of the stream.
type Step = Result<Option<SttEvent>, SttError>;

impl Session {
    pub(super) fn new(rate_hz: u32, connect: Connect, audio: SttInputStream) -> Self {
        let samples = REWIND.as_secs() * u64::from(rate_hz);
        Self {
            rate_hz,
            line: Line::Connecting(connect()),
            connect,
            audio: Some(audio),
            rewind: Rewind::new(Encoding::of(rate_hz), samples),
            hearing: Hearing::new(rate_hz),
            losses: VecDeque::new(),
            alarm: Box::pin(sleep_until(now())),
            closing: None,
            over: false,
            sent_samples: 0,
        }
    }

    /// The next event; an error is the last one.
    pub(super) async fn next(&mut self) -> Option<Result<SttEvent, SttError>> {
        while !self.over {
            let step = match self.wake().await {
                Woken::Tick => self.tick().await,
                Woken::Input(Some(input)) => self.input(input).await,
                Woken::Input(None) => self.audio_ended().await,
                Woken::News(News::Connected(Ok(socket))) => self.connected(socket).await,
                Woken::News(News::Connected(Err(error))) => Err(error),
                Woken::News(News::Message(message)) => self.message(message).await,
            };
            match step {
                Ok(Some(event)) => return Some(Ok(event)),
                Ok(None) => {}
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    async fn wake(&mut self) -> Woken {
        let due = self.due();
        // Most of the time the deadline moves away: then the old alarm may ring in vain.
        if due.is_some_and(|due| due < self.alarm.deadline() || self.alarm.is_elapsed()) {
            self.alarm.as_mut().reset(due.unwrap_or_else(now));
        }
        tokio::select! {
            biased; // a flood of theirs stops neither our watch nor our audio
            () = self.alarm.as_mut(), if due.is_some() => Woken::Tick,
            input = next_input(&mut self.audio), if self.audio.is_some() => Woken::Input(input),
            news = self.line.next() => Woken::News(news),
        }
    }

    /// When to look again.
    fn due(&self) -> Option<Instant> {
        let line = match &self.line {
            Line::Connecting(_) => None, // has its own limit
            Line::Open(open) => {
                let watch = open.unanswered.map(|since| since + if open.pinged { DEAD } else { PING });
                Some(watch.map_or(open.last_sent + KEEP_ALIVE, |at| at.min(open.last_sent + KEEP_ALIVE)))
            }
        };
        [line, self.hearing.poll_timeout(), self.closing].into_iter().flatten().min()
    }

    async fn tick(&mut self) -> Step {
        let now = now();
        match self.hearing.handle_timeout(now) {
            Some(Due::Answer(event)) => return Ok(Some(event)),
            Some(Due::Stalled) => return Err(failed("no result after the end of a turn")),
            None => {}
        }
        if self.closing.is_some_and(|until| now >= until) {
            self.over = true;
            return Ok(None);
        }
        let Line::Open(open) = &mut self.line else { return Ok(None) };
        if open.unanswered.is_some_and(|since| now >= since + DEAD) {
            return Err(failed("no sign of life for 3 s"));
        }
        if !open.pinged && open.unanswered.is_some_and(|since| now >= since + PING) {
            open.pinged = true;
            return self.send(Message::Ping(bytes::Bytes::new())).await;
        }
        if now >= open.last_sent + KEEP_ALIVE {
            return self.keep_alive().await;
        }
        Ok(None)
    }

    async fn keep_alive(&mut self) -> Step {
        let silence = FIRST_SILENCE.as_millis() as u64 * u64::from(self.rate_hz) / 1_000;
        if let Line::Open(open) = &mut self.line
            && open.sent_to.is_none()
            && open.silence == 0
        {
            open.silence = silence;
            let mut bytes = Vec::new();
            Encoding::of(self.rate_hz).encode(&vec![0; silence as usize], &mut bytes);
            self.send(Message::binary(bytes)).await?;
        }
        self.send(Message::text(wire::KEEP_ALIVE)).await
    }

    async fn input(&mut self, input: SttInput) -> Step {
        match input {
            SttInput::Audio { start, samples } => {
                if self.rewind.push(start, &samples) == Joined::Afresh
                    && matches!(&self.line, Line::Open(open) if open.sent_to.is_some())
                {
                    // Their clock cannot follow a hole of that size.
                    return self.lost(failed("a hole in the audio")).map(|()| None);
                }
                let message = MESSAGE.as_millis() as u64 * u64::from(self.rate_hz) / 1_000;
                let waiting = match &self.line {
                    Line::Open(open) => {
                        self.rewind.end() - open.sent_to.unwrap_or(self.rewind.start()).min(self.rewind.end())
                    }
                    Line::Connecting(_) => 0,
                };
                if waiting >= message { self.flush().await } else { Ok(None) }
            }
            SttInput::Speaking { from } => {
                self.hearing.speaking(from);
                Ok(None)
            }
            SttInput::Finalize { turn, from, to, hints: _ } => {
                if let Some(event) = self.hearing.ask(now(), turn, from, to) {
                    return Ok(Some(event));
                }
                self.flush().await?;
                self.finalize().await
            }
        }
    }

    /// Sends what was not sent, if there is a connection.
    async fn flush(&mut self) -> Step {
        let Line::Open(open) = &mut self.line else { return Ok(None) };
        if self.rewind.is_empty() {
            return Ok(None);
        }
        let mut at = match open.sent_to {
            Some(sent) => sent.max(self.rewind.start()),
            None => {
                let from = self.hearing.settled_to().clamp(self.rewind.start(), self.rewind.end());
                self.hearing.connected(from, open.silence);
                from
            }
        };
        let end = self.rewind.end();
        while at < end {
            let to = end.min(at + REWIND_MESSAGE_SAMPLES);
            let bytes = self.rewind.bytes(at, to);
            self.sent_samples += to - at;
            at = to;
            let Line::Open(open) = &mut self.line else { return Ok(None) };
            open.sent_to = Some(at);
            self.send(Message::binary(bytes)).await?;
        }
        self.rewind.forget_before(self.hearing.settled_to().min(end));
        Ok(None)
    }

    async fn finalize(&mut self) -> Step {
        if let Line::Open(_) = self.line
            && self.hearing.is_asked()
        {
            self.hearing.finalize_sent();
            return self.send(Message::text(wire::FINALIZE)).await;
        }
        Ok(None)
    }

    async fn audio_ended(&mut self) -> Step {
        self.audio = None;
        self.flush().await?;
        self.closing = Some(now() + CLOSE_LIMIT);
        if let Line::Connecting(_) = self.line {
            self.over = !self.hearing.is_asked();
            return Ok(None);
        }
        self.send(Message::text(wire::CLOSE_STREAM)).await
    }

    async fn connected(&mut self, socket: Box<Socket>) -> Step {
        let open = Open {
            socket,
            silence: 0,
            sent_to: None,
            last_sent: now(),
            unanswered: None,
            pinged: false,
            unreadable: 0,
            in_a_row: 0,
        };
        self.line = Line::Open(open);
        self.flush().await?;
        self.finalize().await?;
        if self.closing.is_some() {
            return self.send(Message::text(wire::CLOSE_STREAM)).await;
        }
        Ok(None)
    }

    async fn message(&mut self, message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>) -> Step {
        let Line::Open(open) = &mut self.line else { return Ok(None) };
        open.unanswered = None;
        open.pinged = false;
        open.in_a_row += 1;
        if open.in_a_row > MAX_IN_A_ROW {
            return Err(failed("a flood of messages"));
        }
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(frame))) => {
                let (code, reason) =
                    frame.map_or((1005, String::new()), |frame| (frame.code.into(), frame.reason.to_string()));
                return self.lost(wire::closed(code, &reason)).map(|()| None);
            }
            Some(Ok(Message::Binary(_))) => return self.unreadable("binary message"),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return Ok(None),
            Some(Err(error)) => return self.lost(failed(&error.to_string())).map(|()| None),
            None => return self.lost(failed("the connection ended")).map(|()| None),
        };
        let message = match wire::decode(&text) {
            Ok(message) => message,
            Err(error) => return self.unreadable(&error.to_string()),
        };
        open.unreadable = 0;
        match message {
            FromDeepgram::Results(results) => {
                let event = self.hearing.results(results);
                self.rewind.forget_before(self.hearing.settled_to().min(self.sent_to()));
                Ok(event)
            }
            FromDeepgram::Metadata { request_id } => {
                tracing::debug!(vendor = NAME, request_id, "stream closed");
                Ok(None)
            }
            FromDeepgram::Error { variant, description } => Err(wire::complaint(&variant, &description)),
            FromDeepgram::Other => Ok(None),
        }
    }

    fn sent_to(&self) -> u64 {
        match &self.line {
            Line::Open(open) => open.sent_to.unwrap_or_default(),
            Line::Connecting(_) => 0,
        }
    }

    fn unreadable(&mut self, detail: &str) -> Step {
        tracing::debug!(vendor = NAME, detail, "message skipped");
        let Line::Open(open) = &mut self.line else { return Ok(None) };
        open.unreadable += 1;
        if open.unreadable >= MAX_UNREADABLE {
            return Err(failed(&format!("{MAX_UNREADABLE} messages in a row that cannot be read: {detail}")));
        }
        Ok(None)
    }

    /// The connection is gone: makes another, unless that is no use.
    fn lost(&mut self, error: SttError) -> Result<(), SttError> {
        if self.closing.is_some() {
            self.over = true;
            return Ok(());
        }
        let now = now();
        self.losses.retain(|loss| now.saturating_duration_since(*loss) < LOSSES_WITHIN);
        if error.retry() != tandem_domain::port::Retry::Now || self.losses.len() >= LOSSES {
            return Err(error);
        }
        tracing::warn!(%error, "connecting again");
        self.losses.push_back(now);
        self.line = Line::Connecting((self.connect)());
        Ok(())
    }

    async fn send(&mut self, message: Message) -> Step {
        let Line::Open(open) = &mut self.line else { return Ok(None) };
        let sent = timeout(SEND_LIMIT, open.socket.send(message)).await;
        let at = now();
        if let Ok(Ok(())) = sent {
            open.last_sent = at;
            open.in_a_row = 0;
            open.unanswered.get_or_insert(at);
            return Ok(None);
        }
        // What they said before they went is more telling than that they do not listen.
        while let Some(Some(Ok(message))) = futures_util::FutureExt::now_or_never(open.socket.next()) {
            if let Message::Close(Some(frame)) = message {
                let error = wire::closed(frame.code.into(), &frame.reason);
                return self.lost(error).map(|()| None);
            }
        }
        let detail = match sent {
            Ok(Err(error)) => error.to_string(),
            Ok(Ok(())) | Err(_) => "it takes no more audio".to_owned(),
        };
        self.lost(failed(&detail)).map(|()| None)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let seconds = self.sent_samples / u64::from(self.rate_hz.max(1));
        metrics::counter!("tandem_stt_audio_seconds_total", "provider" => NAME).increment(seconds);
    }
}

impl Line {
    async fn next(&mut self) -> News {
        match self {
            Self::Connecting(connecting) => News::Connected(connecting.await),
            Self::Open(open) => News::Message(open.socket.next().await),
        }
    }
}

async fn next_input(audio: &mut Option<SttInputStream>) -> Option<SttInput> {
    audio.as_mut()?.next().await
}

fn failed(detail: &str) -> SttError {
    SttError::Failed { vendor: NAME, detail: detail.to_owned() }
}
