//! What a client sends us.
//!
//! | `type`                                | when                                   | becomes                                      |
//! |---------------------------------------|----------------------------------------|----------------------------------------------|
//! | `conversation_initiation_client_data` | once, first                            | [`LegEvent::Started`]                        |
//! | none, `user_audio_chunk`              | 10 to 40 times a second                | [`LegEvent::Audio`]; `Started` if it is first|
//! | `user_message`, `multimodal_message`  | the caller typed                       | [`LegEvent::Typed`]                          |
//! | `contextual_update`                   | the agent should know something        | [`LegEvent::Context`]                        |
//! | `user_activity`                       | the caller types                       | [`LegEvent::Activity`]                       |
//! | `client_tool_result`                  | a tool of the client is done           | [`LegEvent::ToolResult`]                     |
//! | `pong`                                | at once after our `ping`               | [`LegEvent::Pong`]                           |
//! | `feedback`, `mcp_tool_approval_result`| never asked for by us                  | [`LegEvent::Ignored`]                        |
//!
//! A client that says nothing before its audio starts the talk with it; that first chunk is not heard.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tandem_codecs::format::Encoding;
use tandem_codecs::{MediaFormat, SampleRate};
use tandem_domain::port::dialect::{Breach, Decoder, LegEvent, WireMessage};

use super::MAX_MESSAGE_BYTES;
use super::start::leg_start;
use super::wire::{self, ClientData, Head, Message, Multimodal, Pong, Text, ToolResult};

const FORMAT: MediaFormat = MediaFormat { encoding: Encoding::L16Le, rate: SampleRate::HZ_16000 };
/// One second. Whatever is longer would stall the turn-taking behind it.
const MAX_PAYLOAD_BYTES: usize = 32_000;
/// Characters that a caller may type, or a page tell, at once.
const MAX_TEXT_CHARS: usize = 4_000;
/// Characters of the id of a tool's call. Ours have ten.
const MAX_ID_CHARS: usize = 128;
/// Messages besides audio and pongs in one talk: each leaves a row, or costs an answer.
const MAX_ASIDES: u32 = 2_000;

/// Reads one socket. Audio reuses one buffer.
#[derive(Debug)]
pub struct BrowserDecoder {
    agent: Option<String>,
    started: bool,
    /// The client's wishes came, or it is too late for them.
    told: bool,
    asides: u32,
    unknown_events_allowed: u32,
    unknown_events: u32,
    bytes: Vec<u8>,
}

impl BrowserDecoder {
    /// A decoder for one socket; see [`super::BrowserDialect::new`].
    pub fn new(agent: Option<String>, unknown_events_allowed: u32) -> Self {
        Self {
            agent,
            started: false,
            told: false,
            asides: 0,
            unknown_events_allowed,
            unknown_events: 0,
            bytes: Vec::new(),
        }
    }

    fn start(&mut self, data: ClientData) -> Result<LegEvent, Breach> {
        let start = leg_start(self.agent.as_deref(), data)?;
        self.started = true;
        Ok(LegEvent::Started(start))
    }

    fn client_data(&mut self, text: &str) -> Result<LegEvent, Breach> {
        if std::mem::replace(&mut self.told, true) {
            return Err(Breach::DuplicateStart);
        }
        if self.started {
            return Ok(LegEvent::Ignored("late_client_data"));
        }
        self.start(wire::read(text)?)
    }

    fn audio(&mut self, payload: &str, pcm: &mut Vec<i16>) -> Result<LegEvent, Breach> {
        self.bytes.clear();
        STANDARD.decode_vec(payload.as_bytes(), &mut self.bytes).map_err(|_| Breach::BadBase64)?;
        let bytes = self.bytes.len();
        if bytes == 0 || bytes > MAX_PAYLOAD_BYTES {
            return Err(Breach::BadPayloadLength(bytes));
        }
        let before = pcm.len();
        FORMAT.decode(&self.bytes, pcm).map_err(|_| Breach::BadPayloadLength(bytes))?;
        if !self.started {
            pcm.truncate(before);
            return self.start(ClientData::default());
        }
        Ok(LegEvent::Audio { samples: pcm.len() - before, timestamp: None })
    }

    fn unknown(&mut self, kind: &str) -> Result<LegEvent, Breach> {
        if self.unknown_events == self.unknown_events_allowed {
            return Err(Breach::UnknownEvent(wire::quote(kind)));
        }
        self.unknown_events += 1;
        Ok(LegEvent::Ignored("unknown_event"))
    }

    /// A message of a talk that runs, besides audio.
    fn aside(&mut self, kind: &str, text: &str) -> Result<LegEvent, Breach> {
        if !self.started {
            return Err(Breach::BeforeStart(wire::quote(kind)));
        }
        if kind == "pong" {
            return Ok(LegEvent::Pong(wire::read::<Pong>(text)?.event_id));
        }
        self.asides += 1;
        if self.asides > MAX_ASIDES {
            return Err(Breach::Flood);
        }
        match kind {
            "user_message" => typed(wire::read::<Message>(text)?.text),
            "multimodal_message" => typed(wire::read::<Multimodal>(text)?.text.and_then(|message| message.text)),
            "contextual_update" => match words(wire::read::<Message>(text)?.text)? {
                Some(text) => Ok(LegEvent::Context(text)),
                None => Ok(LegEvent::Ignored("empty_message")),
            },
            "user_activity" => Ok(LegEvent::Activity),
            "client_tool_result" => tool_result(text),
            "feedback" => Ok(LegEvent::Ignored("feedback")),
            "mcp_tool_approval_result" => Ok(LegEvent::Ignored("mcp_tool_approval_result")),
            other => self.unknown(other),
        }
    }
}

impl Decoder for BrowserDecoder {
    fn decode(&mut self, message: &WireMessage, pcm: &mut Vec<i16>) -> Result<LegEvent, Breach> {
        let text = match message {
            WireMessage::Text(text) => text.as_str(),
            WireMessage::Binary(_) => return Err(Breach::BinaryFrame),
        };
        if text.len() > MAX_MESSAGE_BYTES {
            return Err(Breach::OversizedMessage);
        }
        let head = wire::read::<Head<'_>>(text)?;
        match (head.kind, head.user_audio_chunk) {
            (None, Some(Text(payload))) => self.audio(&payload, pcm),
            (Some(Text(kind)), Some(Text(payload))) if kind == "user_audio_chunk" => self.audio(&payload, pcm),
            (Some(Text(kind)), _) if kind == "conversation_initiation_client_data" => self.client_data(text),
            (Some(Text(kind)), _) => self.aside(&kind, text),
            (None, None) => Err(Breach::MalformedMessage("missing field `type`".to_owned())),
        }
    }

    fn format(&self) -> MediaFormat {
        FORMAT
    }
}

fn typed(text: Option<String>) -> Result<LegEvent, Breach> {
    Ok(words(text)?.map_or(LegEvent::Ignored("empty_message"), LegEvent::Typed))
}

/// A text that says something and is not too long.
fn words(text: Option<String>) -> Result<Option<String>, Breach> {
    let text = text.filter(|text| !text.trim().is_empty());
    if text.as_ref().is_some_and(|text| text.chars().nth(MAX_TEXT_CHARS).is_some()) {
        return Err(Breach::MalformedMessage(format!("text of more than {MAX_TEXT_CHARS} characters")));
    }
    Ok(text)
}

fn tool_result(text: &str) -> Result<LegEvent, Breach> {
    let ToolResult { tool_call_id: id, result, is_error } = wire::read(text)?;
    if id.chars().nth(MAX_ID_CHARS).is_some() {
        return Err(Breach::MalformedMessage("tool_call_id is too long".to_owned()));
    }
    let result = match result {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    };
    Ok(LegEvent::ToolResult { id, result, is_error })
}
