//! What we send to a client, to the letter: each message is pinned by a golden file.
//!
//! `tentative_user_transcript` is known to the public client and passed to its debug callback; `turn_latency` and `conversation_ended` are
//! ours, and clients that do not know them skip them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tandem_codecs::l16;
use tandem_domain::ids::UtteranceId;
use tandem_domain::playout::Voice;
use tandem_domain::port::dialect::notice::AnswerPart;
use tandem_domain::port::dialect::{Encoder, Notice, WireMessage};

use super::{turn_id, utterance_id, voice_id};

/// The format of audio in both directions, in the client's words.
const PCM_16000: &str = "pcm_16000";
/// Everything before and after the audio.
const AUDIO_HEAD: &str = r#"{"type":"audio","audio_event":{"audio_base_64":""#;
const AUDIO_MIDDLE: &str = r#"","event_id":"#;
const AUDIO_TAIL: &str = "}}";
/// Digits of the largest event id.
const ID_BYTES: usize = 20;

/// Writes one socket. An audio message costs one allocation, its own.
#[derive(Debug)]
pub struct BrowserEncoder {
    voice: Voice,
    bytes: Vec<u8>,
}

impl Default for BrowserEncoder {
    /// An encoder that has not said anything yet.
    fn default() -> Self {
        Self { voice: UtteranceId(0).into(), bytes: Vec::new() }
    }
}

impl Encoder for BrowserEncoder {
    fn speaking(&mut self, voice: Voice) {
        self.voice = voice;
    }

    /// `pcm`: 16 kHz, one chunk.
    fn audio(&mut self, pcm: &[i16]) -> WireMessage {
        self.bytes.clear();
        l16::encode_le(pcm, &mut self.bytes);
        let payload_bytes = self.bytes.len().div_ceil(3) * 4;
        let rest = AUDIO_HEAD.len() + AUDIO_MIDDLE.len() + ID_BYTES + AUDIO_TAIL.len();
        let mut text = String::with_capacity(payload_bytes + rest);
        text.push_str(AUDIO_HEAD);
        STANDARD.encode_string(&self.bytes, &mut text);
        text.push_str(AUDIO_MIDDLE);
        text.push_str(&voice_id(self.voice).to_string());
        text.push_str(AUDIO_TAIL);
        WireMessage::Text(text)
    }

    /// None: a page does not tell what it played.
    fn mark(&mut self, _name: &str) -> Option<WireMessage> {
        None
    }

    fn clear(&mut self) -> Option<WireMessage> {
        let event_id = voice_id(self.voice) + 1;
        message(json!({"type": "interruption", "interruption_event": {"event_id": event_id}}))
    }

    /// None: closing the socket ends the talk.
    fn end(&mut self) -> Option<WireMessage> {
        None
    }

    /// None: a page has no keys.
    fn dtmf(&mut self, _digit: char) -> Option<WireMessage> {
        None
    }

    fn notice(&mut self, notice: &Notice) -> Option<WireMessage> {
        message(match notice {
            Notice::Started { conversation } => json!({
                "type": "conversation_initiation_metadata",
                "conversation_initiation_metadata_event": {
                    "conversation_id": conversation.0,
                    "agent_output_audio_format": PCM_16000,
                    "user_input_audio_format": PCM_16000,
                },
            }),
            Notice::UserTranscript { turn, text } => json!({
                "type": "user_transcript",
                "user_transcription_event": {"user_transcript": text, "event_id": turn_id(*turn)},
            }),
            Notice::TentativeTranscript { turn, text } => json!({
                "type": "tentative_user_transcript",
                "tentative_user_transcription_event": {"user_transcript": text, "event_id": turn_id(*turn)},
            }),
            Notice::AgentPart { utterance, part } => {
                let (kind, text) = match part {
                    AnswerPart::Start => ("start", ""),
                    AnswerPart::Delta(text) => ("delta", text.as_str()),
                    AnswerPart::Stop => ("stop", ""),
                };
                json!({
                    "type": "agent_chat_response_part",
                    "text_response_part": {"text": text, "type": kind, "event_id": utterance_id(*utterance)},
                })
            }
            Notice::AgentResponse { utterance, text } => json!({
                "type": "agent_response",
                "agent_response_event": {"agent_response": text, "event_id": utterance_id(*utterance)},
            }),
            Notice::Correction { utterance, original, heard } => json!({
                "type": "agent_response_correction",
                "agent_response_correction_event": {
                    "original_agent_response": original,
                    "corrected_agent_response": heard,
                    "event_id": utterance_id(*utterance),
                },
            }),
            Notice::VadScore(score) => {
                // Two decimals, as a number that prints so.
                let score = (f64::from(*score) * 100.0).round() / 100.0;
                json!({"type": "vad_score", "vad_score_event": {"vad_score": score}})
            }
            Notice::Latency { utterance, total, stages } => json!({
                "type": "turn_latency",
                "turn_latency_event": {
                    "event_id": utterance_id(*utterance),
                    "total_ms": millis(*total),
                    "stages": stages.iter().map(stage).collect::<Map<_, _>>(),
                },
            }),
            Notice::ToolCall { id, call } => json!({
                "type": "client_tool_call",
                "client_tool_call": {
                    "tool_name": call.name,
                    "tool_call_id": id,
                    "parameters": call.parameters,
                    "event_id": utterance_id(self.voice.utterance),
                },
            }),
            Notice::ToolDone { id, name, is_error, answered } => json!({
                "type": "agent_tool_response",
                "agent_tool_response": {
                    "tool_name": name,
                    "tool_call_id": id,
                    "tool_type": "client",
                    "is_error": is_error,
                    "is_called": answered,
                    "event_id": utterance_id(self.voice.utterance),
                },
            }),
            Notice::Ping { id, round_trip } => json!({
                "type": "ping",
                "ping_event": {"event_id": id, "ping_ms": round_trip.map(millis)},
            }),
            Notice::Ended { reason } => json!({
                "type": "conversation_ended",
                "conversation_ended_event": {"reason": reason.as_str()},
            }),
        })
    }
}

fn message(value: Value) -> Option<WireMessage> {
    Some(WireMessage::Text(value.to_string()))
}

/// A part of a turn's latency, under the short name that a page shows.
fn stage((name, time): &(&'static str, Duration)) -> (String, Value) {
    let name = match *name {
        "stt_final" => "stt",
        "llm_first_sentence" => "brain",
        "tts_first_audio" => "tts",
        other => other,
    };
    (name.to_owned(), millis(*time).into())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
