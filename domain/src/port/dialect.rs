//! A carrier's media protocol, as a pure translation: socket messages to leg events and back.
//!
//! A dialect does no IO and holds no clock. It splits into a decoder (owned by the ingress pump) and, once the stream has started, an encoder
//! (owned by the egress pump), so that neither pump waits for the other.

pub mod notice;

use std::time::Duration;

use bytes::Bytes;
use tandem_codecs::{MediaFormat, SampleRate};

pub use notice::Notice;

use crate::admission::Denied;
use crate::playout::Voice;
use crate::record::EndReason;

/// What a dialect can do and how it wants its audio; the switch never asks for the carrier's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Carrier's name, lower case, as in records and metrics.
    pub carrier: &'static str,
    /// Audio in one of our messages.
    pub chunk: Duration,
    /// Greatest lead over real time at which we send: what sits at the carrier cannot be taken back but by `clear`.
    /// [`Duration::MAX`]: the far end reads and does not listen; no audio is sent, and what is made counts as heard.
    pub lead: Duration,
    /// What becomes of marks that are outstanding when we send a `clear`.
    pub clear: ClearMarks,
    /// Whether marks exist at all; without them "heard" runs by the clock.
    pub marks: bool,
    /// Whether the far end can show what happens in the call: only then are [`Notice`]s made and partial transcripts asked for.
    pub notices: bool,
    /// Whether the far end tells keys by messages of their own; if not they may be in its audio.
    pub dtmf_in: bool,
    /// Whether keys can be sent on the socket.
    pub dtmf_out: bool,
    /// How we end the call from our side.
    pub end: EndBy,
    /// Largest message that the carrier may send us.
    pub max_message_bytes: usize,
}

impl Capabilities {
    /// Whether the far end reads instead of listening.
    pub fn reads(&self) -> bool {
        self.lead == Duration::MAX
    }
}

/// What a carrier does with outstanding marks on `clear`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClearMarks {
    /// All come back at once, and look like "played" (Twilio).
    AllReturned,
    /// None comes back (Plivo).
    NoneReturned,
    /// The carrier does not say, and either may be (Exotel). Marks of before the `clear` mean nothing.
    Unsaid,
    /// The dialect has no `clear`.
    NoClear,
}

/// How a leg is ended from our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndBy {
    /// Closing the socket ends it.
    SocketClose,
    /// A message on the socket ends it.
    Message,
    /// Only the carrier's REST interface ends it.
    Rest,
}

/// One message of a media socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireMessage {
    /// A text frame.
    Text(String),
    /// A binary frame.
    Binary(Bytes),
}

/// What the carrier said about the stream when it started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LegStart {
    /// The carrier's id of this media stream.
    pub stream_id: String,
    /// The carrier's id of the call (`call_sid`).
    pub carrier_call_id: String,
    /// Account at the carrier.
    pub account_id: String,
    /// Calling number, where the carrier tells it.
    pub from: Option<String>,
    /// Dialled number, where the carrier tells it.
    pub to: Option<String>,
    /// The values that our answer document attached to the stream, in the order of their names.
    pub parameters: std::collections::BTreeMap<String, String>,
    /// Sample rate of the audio both ways, where the carrier lets it be chosen for each stream.
    pub sample_rate: Option<SampleRate>,
}

/// What came over the leg.
#[derive(Debug, Clone, PartialEq)]
pub enum LegEvent {
    /// The greeting before the stream; nothing to do.
    Connected,
    /// The stream runs; comes once, before any audio.
    Started(LegStart),
    /// Caller audio, decoded to linear mono PCM and appended to the buffer given to [`Decoder::decode`]; `samples` of them.
    Audio {
        /// How many samples were appended.
        samples: usize,
        /// The carrier's media time of the first sample since its stream began, where it tells.
        timestamp: Option<Duration>,
    },
    /// A key was pressed.
    Dtmf(char),
    /// Everything that was sent before this mark was played, or dropped by our `clear`.
    Mark(String),
    /// The caller typed this instead of saying it.
    Typed(String),
    /// Something that the agent should know, and that nobody said.
    Context(String),
    /// The caller does something: types, clicks. Not silence, though nothing is heard.
    Activity,
    /// A tool that the far end was asked to run is done.
    ToolResult {
        /// From [`Notice::ToolCall`].
        id: String,
        /// What it gave, as text.
        result: String,
        /// It failed; `result` says how.
        is_error: bool,
    },
    /// The answer to a [`Notice::Ping`].
    Pong(u64),
    /// A message that asks nothing of us, and why; a closed set, for the metric.
    Ignored(&'static str),
    /// The carrier ended the stream.
    Stopped,
    /// The carrier ended the stream and keeps the caller: its call flow has moved on.
    MovedOn,
}

/// Whether a message is of a dialect, for a socket that several may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognition {
    /// No other dialect writes so.
    Mine,
    /// This dialect never writes so.
    NotMine,
    /// It may be; the next message will tell.
    Unsure,
}

/// What a far end did that its protocol forbids. Ends its own call only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum Breach {
    /// A text frame that is not the JSON expected.
    #[error("message is not valid: {0}")]
    MalformedMessage(String),
    /// A frame type that the protocol does not use.
    #[error("binary frame where only text is allowed")]
    BinaryFrame,
    /// Payload is not base64.
    #[error("payload is not base64")]
    BadBase64,
    /// Payload is empty, too long, or no whole number of milliseconds.
    #[error("payload of {0} bytes")]
    BadPayloadLength(usize),
    /// Audio or another stream message before `start`.
    #[error("{0} before start")]
    BeforeStart(String),
    /// A second `start`.
    #[error("second start")]
    DuplicateStart,
    /// An event that the protocol does not have.
    #[error("unknown event {0:?}")]
    UnknownEvent(String),
    /// A message about another stream.
    #[error("message for another stream")]
    WrongStream,
    /// A media format that we did not agree to.
    #[error("unsupported media format {0}")]
    UnsupportedFormat(String),
    /// A message above [`Capabilities::max_message_bytes`].
    #[error("message too large")]
    OversizedMessage,
    /// More messages a second than any carrier sends.
    #[error("too many messages")]
    Flood,
    /// A stream that begins like none of the protocols that this socket serves.
    #[error("stream of no known carrier")]
    UnknownProtocol,
}

impl Breach {
    /// Stable name for records and metric labels.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::MalformedMessage(_) => "malformed_message",
            Self::BinaryFrame => "binary_frame",
            Self::BadBase64 => "bad_base64",
            Self::BadPayloadLength(_) => "bad_payload_length",
            Self::BeforeStart(_) => "media_before_start",
            Self::DuplicateStart => "duplicate_start",
            Self::UnknownEvent(_) => "unknown_event",
            Self::WrongStream => "wrong_stream",
            Self::UnsupportedFormat(_) => "unsupported_format",
            Self::OversizedMessage => "oversized_message",
            Self::Flood => "message_flood",
            Self::UnknownProtocol => "unknown_protocol",
        }
    }
}

/// What the close frame of a socket says: for far ends that show it to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parting {
    /// Status code (RFC 6455 7.4).
    pub code: u16,
    /// A sentence; at most 123 bytes fit.
    pub reason: String,
}

impl Parting {
    /// The code that RFC 6455 7.4.1 has for `reason`, and our name for it. Carriers log the one and people read the other.
    pub fn of(reason: &EndReason) -> Self {
        let code = match reason {
            EndReason::Completed
            | EndReason::Handover
            | EndReason::CallerHangup
            | EndReason::Silence
            | EndReason::MaxDuration
            | EndReason::MovedOn
            | EndReason::Drained => 1000,
            EndReason::Breach(Breach::OversizedMessage) => 1009,
            EndReason::Breach(_)
            | EndReason::NotInvited(_)
            | EndReason::NoAgent
            | EndReason::Denied(Denied::Unanswered)
            | EndReason::StartTimeout
            | EndReason::MediaTimeout => 1008,
            EndReason::Refused
            | EndReason::Denied(Denied::AtOnce { .. } | Denied::Today { .. } | Denied::DayUnknown) => 1013,
            EndReason::LegLost
            | EndReason::PartFailed(_)
            | EndReason::CallCrashed
            | EndReason::ServerRestarted
            | EndReason::ServerLost => 1011,
        };
        Self { code, reason: reason.as_str().to_owned() }
    }
}

/// A carrier's media protocol.
pub trait Dialect: Send + Sync {
    /// What it can do, before a stream has started.
    fn capabilities(&self) -> Capabilities;
    /// What holds for this stream: a carrier's chunk may depend on the sample rate that its `start` brought.
    fn agreed(&self, start: &LegStart) -> Capabilities {
        let _ = start;
        self.capabilities()
    }
    /// Whether one of a socket's first messages is of this dialect. Asked only where a socket serves several.
    fn recognises(&self, message: &WireMessage) -> Recognition {
        let _ = message;
        Recognition::Unsure
    }
    /// A fresh decoder for one socket.
    fn decoder(&self) -> Box<dyn Decoder>;
    /// The encoder for a stream that has started.
    fn encoder(&self, start: &LegStart) -> Box<dyn Encoder>;
    /// What the close frame says when a call, or a socket that never became one, ends for `reason`.
    fn parting(&self, reason: &EndReason) -> Parting {
        Parting::of(reason)
    }
}

/// The carrier's side of a socket, read.
pub trait Decoder: Send {
    /// Translates one message. Audio is appended to `pcm` as linear samples at [`Decoder::format`]'s rate.
    fn decode(&mut self, message: &WireMessage, pcm: &mut Vec<i16>) -> Result<LegEvent, Breach>;
    /// Format of the audio, both ways; settled once `Started` was returned.
    fn format(&self) -> MediaFormat;
}

/// Our side of a socket, written. Each method returns one message.
pub trait Encoder: Send {
    /// The audio and the `clear` that follow are of this voice. Told before the first of them, and to a new encoder again.
    fn speaking(&mut self, voice: Voice) {
        let _ = voice;
    }
    /// One chunk of agent audio ([`Dialect::agreed`]), linear samples at the rate of [`Decoder::format`].
    fn audio(&mut self, pcm: &[i16]) -> WireMessage;
    /// A mark that comes back when everything before it was played.
    fn mark(&mut self, name: &str) -> Option<WireMessage>;
    /// Drops everything that the carrier has queued.
    fn clear(&mut self) -> Option<WireMessage>;
    /// Ends the call by a message, where the protocol has one.
    fn end(&mut self) -> Option<WireMessage>;
    /// Presses keys, where the protocol can.
    fn dtmf(&mut self, digit: char) -> Option<WireMessage>;
    /// Shows what happened, where [`Capabilities::notices`] says that the far end can.
    fn notice(&mut self, notice: &Notice) -> Option<WireMessage> {
        let _ = notice;
        None
    }
}
