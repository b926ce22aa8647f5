//! A page in a browser: what a client of the agents socket sends, what it plays and shows, and what it cannot make sense of.
//!
//! Place: between a caller and the switch, as the carriers' models beside it. Written from the public client's source and types, stricter than
//! it on purpose: where the client skips what it does not know, or shows nonsense, this model breaks the talk.
//!
//! ```text
//!  caller ──frame──► caller_audio ──user_audio_chunk──► switch
//!  caller ◄──frame── played ◄── queue, 20 ms clock ◄── receive ◄──audio─interruption── switch
//!                                                         └── words, corrections, tools, pings: checked, kept, answered
//! ```
//!
//! What it holds the switch to: metadata first, once; audio ids by which both public clients drop exactly what was interrupted; a lead that an
//! interruption can still undo; answers whose parts add up; corrections of answers that were given, to something that they begin with; scores
//! and latencies that are what they say; each tool asked for and settled once; nothing after the end.
//!
//! Source: npm `@elevenlabs/client` 1.25 and `@elevenlabs/types` 0.23, read 2026-11; for the Python client's rule, its documentation.

mod seen;
mod wire;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tandem_codecs::{Resampler, SampleRate, l16};

use super::playback::Playback;
use super::{FRAME, FRAME_SAMPLES, HeardFrame, MediaPeer, PlaybackStatistics};

pub use seen::Seen;
use wire::FromSwitch;
pub use wire::Violation;

/// Audio that may wait at a page. More could not be undone by an interruption before somebody hears it: the page plays what it has handed on.
const MOST_WAITING: Duration = Duration::from_secs(1);

/// What a page wants at the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wishes {
    /// `agent_id` of the URL.
    pub agent: Option<String>,
    /// `conversation_config_override.agent`.
    pub overrides: BTreeMap<String, String>,
    /// Reads, and neither listens nor speaks.
    pub text_only: bool,
    /// By what it shows who it is, to a switch that asks.
    pub token: Option<Token>,
}

/// A token or a key of the switch's interface.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// One talk.
#[derive(Debug)]
pub struct BrowserPeer {
    wishes: Wishes,
    variables: BTreeMap<String, String>,
    conversation: String,
    to_16k: Resampler,
    to_8k: Resampler,
    frames: u32,
    playback: Playback,
    /// Greatest event id of audio so far, and the last interruption's.
    audio_id: u64,
    interruption_id: u64,
    seen: Seen,
    ended: bool,
}

impl BrowserPeer {
    /// A talk that has not begun. `variables` become `dynamic_variables`.
    pub fn new(wishes: Wishes, variables: BTreeMap<String, String>) -> Self {
        Self {
            wishes,
            variables,
            conversation: String::new(),
            to_16k: Resampler::new(SampleRate::HZ_8000, SampleRate::HZ_16000),
            to_8k: Resampler::new(SampleRate::HZ_16000, SampleRate::HZ_8000),
            frames: 0,
            playback: Playback::default(),
            audio_id: 0,
            interruption_id: 0,
            seen: Seen::default(),
            ended: false,
        }
    }

    /// What the page has shown.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// The caller types.
    pub fn type_text(&mut self, text: &str) -> String {
        json!({"type": "user_message", "text": text}).to_string()
    }

    fn audio(&mut self, now: Instant, payload: &str, event_id: u64) -> Result<(), Violation> {
        if event_id <= self.interruption_id {
            return Err(Violation::AudioOfTheInterrupted { event_id });
        }
        if event_id < self.audio_id {
            return Err(Violation::AudioOutOfOrder { event_id });
        }
        self.audio_id = event_id;
        let bytes = STANDARD.decode(payload).map_err(|error| Violation::Payload { why: error.to_string() })?;
        let mut wide = Vec::new();
        l16::decode_le(&bytes, &mut wide).map_err(|error| Violation::Payload { why: error.to_string() })?;
        if wide.is_empty() {
            return Err(Violation::Payload { why: "it is empty".to_owned() });
        }
        let mut samples = Vec::new();
        self.to_8k.process(&wide, &mut samples);
        self.playback.queue(now, &samples);
        match self.playback.waiting() {
            waiting if waiting > MOST_WAITING => Err(Violation::Overflow { waiting }),
            _ => Ok(()),
        }
    }

    fn interruption(&mut self, event_id: u64) -> Result<(), Violation> {
        // The JavaScript client keeps what is not less, the Python client what is greater.
        if event_id <= self.audio_id {
            return Err(Violation::InterruptsNothing { event_id });
        }
        self.interruption_id = event_id;
        self.to_8k.reset();
        self.playback.clear();
        self.seen.interruptions += 1;
        Ok(())
    }
}

impl MediaPeer for BrowserPeer {
    /// The conversation's id, once the switch has told it.
    fn call_sid(&self) -> &str {
        &self.conversation
    }

    fn query(&self) -> Option<String> {
        self.wishes.agent.as_ref().map(|agent| format!("agent_id={agent}"))
    }

    /// Says what it wants, as soon as the socket is open.
    fn open(&mut self, now: Instant) -> Vec<String> {
        self.playback.start(now);
        let mut data = Map::from_iter([("type".to_owned(), json!("conversation_initiation_client_data"))]);
        if !self.wishes.overrides.is_empty() || self.wishes.text_only {
            let conversation = json!({"text_only": self.wishes.text_only});
            let wishes = json!({"agent": self.wishes.overrides, "tts": {}, "conversation": conversation});
            data.insert("conversation_config_override".to_owned(), wishes);
        }
        if !self.variables.is_empty() {
            data.insert("dynamic_variables".to_owned(), json!(self.variables));
        }
        data.insert("source_info".to_owned(), json!({"source": "js_sdk", "version": "1.25.0"}));
        vec![Value::Object(data).to_string()]
    }

    /// The microphone is opened when the switch has said how it wants to hear.
    fn caller_audio(&mut self, samples: &[i16; FRAME_SAMPLES]) -> Option<String> {
        if self.conversation.is_empty() || self.wishes.text_only {
            return None;
        }
        self.frames += 1;
        let (mut wide, mut bytes) = (Vec::new(), Vec::new());
        self.to_16k.process(samples, &mut wide);
        l16::encode_le(&wide, &mut bytes);
        Some(json!({"user_audio_chunk": STANDARD.encode(bytes)}).to_string())
    }

    /// A page has no keys: the digit is typed.
    fn dtmf(&mut self, digit: char) -> String {
        self.type_text(&digit.to_string())
    }

    /// Nothing on this socket says goodbye but its close; before that the page was last seen doing something.
    fn stop(&mut self, now: Instant) -> String {
        self.playback.stop(now);
        self.ended = true;
        json!({"type": "user_activity"}).to_string()
    }

    fn receive(&mut self, now: Instant, text: &str) -> Result<Vec<String>, super::Violation> {
        let event = FromSwitch::parse(text)?;
        self.playback.advance(now);
        if let FromSwitch::ConversationInitiationMetadata(metadata) = event {
            if !self.conversation.is_empty() {
                return Err(Violation::SecondMetadata.into());
            }
            self.conversation = metadata.checked()?;
            return Ok(Vec::new());
        }
        if self.conversation.is_empty() {
            return Err(Violation::BeforeMetadata.into());
        }
        if self.seen.ended.is_some() {
            return Err(Violation::AfterEnd.into());
        }
        match event {
            FromSwitch::Audio(_) if self.wishes.text_only => return Err(Violation::AudioForAReader.into()),
            FromSwitch::Audio(audio) => self.audio(now, &audio.audio_base_64, audio.event_id)?,
            FromSwitch::Interruption(event) => self.interruption(event.event_id)?,
            FromSwitch::Ping(ping) => {
                self.seen.pings += 1;
                return Ok(vec![json!({"type": "pong", "event_id": ping.event_id}).to_string()]);
            }
            FromSwitch::ClientToolCall(call) => {
                let (id, name) = (call.tool_call_id.clone(), call.tool_name.clone());
                self.seen.tool_called(call)?;
                let result = json!({"type": "client_tool_result", "tool_call_id": id, "result": format!("{name} is done"), "is_error": false});
                return Ok(vec![result.to_string()]);
            }
            shown => self.seen.show(now, shown)?,
        }
        Ok(Vec::new())
    }

    fn receive_binary(&mut self, bytes: usize) -> super::Violation {
        Violation::Binary { bytes }.into()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        if self.ended { None } else { self.playback.next_frame() }
    }

    fn handle_timeout(&mut self, now: Instant) -> Vec<String> {
        self.playback.advance(now); // this socket has no marks
        Vec::new()
    }

    fn played(&mut self, now: Instant) -> Vec<HeardFrame> {
        self.playback.take_frames(now)
    }

    fn statistics(&self) -> PlaybackStatistics {
        self.playback.statistics()
    }

    fn sent(&self) -> Duration {
        FRAME * self.frames
    }
}

#[cfg(test)]
mod tests;
