//! The browser's socket: a talk page, or any client of the agents socket whose event shape it has (subprotocol `convai`).
//!
//! Place:    leg > ingress and egress, by [`Dialect`].
//! Not here: who may open the socket, and how its URL names an agent ([`BrowserDialect::new`] is told); what a client may choose of the agent.
//!
//! ```text
//! page ──conversation_initiation_client_data─user_audio_chunk…─user_message─pong─…──► Decoder ──► LegEvent, PCM 16 kHz
//! page ◄──conversation_initiation_metadata─audio…─agent_response─interruption─ping─… Encoder ◄── PCM 16 kHz, Notice
//! ```
//!
//! Both ways one JSON object in one text frame, named by `type`, its payload in a member of its own; audio is linear 16-bit, low byte first,
//! 16 kHz, mono, in base64. There are no marks: what was heard runs by the clock, less the way to the page, which pings measure.
//!
//! # Event ids
//!
//! A client drops audio by its id: the public JavaScript client what is less than the last `interruption`, the Python client what is not
//! greater. Both do right by these numbers, which need no counter here and so outlive a pump. An interruption may be taken back: what goes on
//! then is audio of the same utterance, behind its interruption.
//!
//! | of                                                       | id                |
//! |----------------------------------------------------------|-------------------|
//! | words of utterance `u`, and its audio                    | `1000u`           |
//! | its audio after it went on for the `r`th time            | `1000u + 2r`      |
//! | its interruption, before it has gone on again            | `1000u + 2r + 1`  |
//! | words of the caller's turn `t`                           | `1000t - 1`       |
//!
//! Source: npm `@elevenlabs/client` 1.25 and `@elevenlabs/types` 0.23, read 2026-11.

use std::time::Duration;

use tandem_domain::admission::Denied;
use tandem_domain::port::dialect::{Capabilities, ClearMarks, Decoder, Dialect, Encoder, EndBy, LegStart, Parting};
use tandem_domain::record::{BROWSER, EndReason};

mod decoder;
mod encoder;
mod start;
mod wire;

pub use decoder::BrowserDecoder;
pub use encoder::BrowserEncoder;

/// Largest message that we read. A page sends 25 to 100 ms of audio, 1 to 4 KB; a second takes 43 KB.
const MAX_MESSAGE_BYTES: usize = 65_536;
/// Longest sentence of a close frame (RFC 6455 5.5: 125 bytes, two of them the code).
const MAX_REASON_BYTES: usize = 123;

const CAPABILITIES: Capabilities = Capabilities {
    carrier: BROWSER,
    // Half as many messages as a telephone's: a page handles each on the thread that draws it.
    chunk: Duration::from_millis(40),
    // A page stalls longer than a carrier does. It drops what it holds as soon as it reads an interruption.
    lead: Duration::from_millis(240),
    clear: ClearMarks::NoneReturned,
    marks: false,
    notices: true,
    dtmf_in: false,
    dtmf_out: false,
    end: EndBy::SocketClose,
    max_message_bytes: MAX_MESSAGE_BYTES,
};

/// The dialect of one socket.
#[derive(Debug, Clone, Default)]
pub struct BrowserDialect {
    agent: Option<String>,
    unknown_events_allowed: u32,
}

impl BrowserDialect {
    /// `agent` is whom the socket's URL asked for. `unknown_events_allowed`: how many messages of a kind that we do not know a talk may carry
    /// before it is ended.
    pub fn new(agent: Option<String>, unknown_events_allowed: u32) -> Self {
        Self { agent, unknown_events_allowed }
    }
}

impl Dialect for BrowserDialect {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn agreed(&self, start: &LegStart) -> Capabilities {
        let lead = if start::is_text_only(start) { Duration::MAX } else { CAPABILITIES.lead };
        Capabilities { lead, ..CAPABILITIES }
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(BrowserDecoder::new(self.agent.clone(), self.unknown_events_allowed))
    }

    fn encoder(&self, _start: &LegStart) -> Box<dyn Encoder> {
        Box::new(BrowserEncoder::default())
    }

    /// Clients show the sentence where the code is not 1000.
    fn parting(&self, reason: &EndReason) -> Parting {
        let plain = Parting::of(reason);
        let sentence = match reason {
            EndReason::Breach(breach) => format!("{}: {breach}", breach.reason()),
            EndReason::NotInvited(uninvited) => uninvited.to_string(),
            EndReason::NoAgent => "no agent of that name: check agent_id".to_owned(),
            EndReason::StartTimeout => "nothing was sent in time".to_owned(),
            EndReason::MediaTimeout => "nothing was sent for too long".to_owned(),
            EndReason::Refused | EndReason::Denied(Denied::AtOnce { .. }) => {
                "all lines are busy: try again in a minute".to_owned()
            }
            EndReason::Denied(Denied::Today { .. }) => {
                "there have been as many calls today as there may be: try again tomorrow".to_owned()
            }
            _ if plain.code == 1011 => "the talk broke off: try again".to_owned(),
            _ => plain.reason,
        };
        let end = sentence.floor_char_boundary(MAX_REASON_BYTES);
        Parting { code: plain.code, reason: sentence[..end].to_owned() }
    }
}

/// Event ids that an utterance has for itself.
const IDS: u64 = 1_000;
/// Interruptions of one utterance that have numbers of their own; it takes minutes of coughing to come so far.
const MOST_RESUMED: u32 = 498;

/// Event id of the words of an utterance, and of its audio until it is interrupted.
fn utterance_id(utterance: tandem_domain::ids::UtteranceId) -> u64 {
    IDS * u64::from(utterance.0)
}

/// Event id of audio.
fn voice_id(voice: tandem_domain::playout::Voice) -> u64 {
    utterance_id(voice.utterance) + 2 * u64::from(voice.resumed.min(MOST_RESUMED))
}

/// Event id of the caller's turn.
fn turn_id(turn: tandem_domain::ids::TurnId) -> u64 {
    (IDS * u64::from(turn.0)).saturating_sub(1)
}
