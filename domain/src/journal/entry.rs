//! Inputs, effects and deadlines as they are written: the core's own types with instants as offsets.
//!
//! Inputs are read back. Effects are only compared, byte by byte, and shown, so they are written from borrowed parts and never become values again.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::seal::fingerprint;
use crate::barge_in::Ground;
use crate::call_core::{Effect, Input, Note, Part};
use crate::echo::Loudness;
use crate::ids::{TurnId, UtteranceId};
use crate::ledger::Heard;
use crate::port::brain::{BrainEvent, Prompt};
use crate::port::dialect::Notice;
use crate::port::stt::Covers;
use crate::record::EndReason;
use crate::record::name::{self, Name};
use crate::turn::Committed;

/// First byte of a part of a step, or of the closing.
pub(super) const INPUT: u8 = 1;
pub(super) const EFFECT: u8 = 2;
pub(super) const SETTLED: u8 = 3;
pub(super) const CLOSING: u8 = 4;

/// A hundred years in seconds. A time beyond is none of a call, and sums of two within it do not overflow.
pub(super) const LONGEST_SECS: u64 = 100 * 366 * 86_400;

/// A year of samples at the switch's rate, in samples, and more.
const MOST_SAMPLES: u64 = 1 << 38;

/// Nanoseconds since the call's first instant; less than nothing before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub(super) i64);

impl Offset {
    /// The same in seconds, for people.
    pub fn seconds(self) -> f64 {
        Duration::from_nanos(self.0.unsigned_abs()).as_secs_f64() * self.0.signum() as f64
    }

    /// Whether a call can have it.
    pub(super) fn is_sane(self) -> bool {
        self.0.unsigned_abs() / 1_000_000_000 <= LONGEST_SECS
    }
}

/// The call's first instant, here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin(pub(super) Instant);

impl Origin {
    pub(super) fn offset(self, at: Instant) -> Offset {
        let nanos = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
        Offset(match at.checked_duration_since(self.0) {
            Some(after) => nanos(after),
            None => -nanos(self.0.saturating_duration_since(at)),
        })
    }

    /// An instant that this machine's clock cannot name becomes the origin.
    pub(super) fn instant(self, offset: Offset) -> Instant {
        let span = Duration::from_nanos(offset.0.unsigned_abs());
        let at = if offset.0 < 0 { self.0.checked_sub(span) } else { self.0.checked_add(span) };
        at.unwrap_or(self.0)
    }
}

/// [`Input`], written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WrittenInput {
    Started,
    SpeechStarted {
        at: u64,
        began_ns: Offset,
    },
    SpeechSustained,
    SpeechEnded {
        to: u64,
        ended_ns: Offset,
    },
    Transcript {
        turn: TurnId,
        to: u64,
        text: String,
        confidence: Option<f32>,
        covers: Covers,
    },
    EndOfTurn {
        turn: TurnId,
        to: u64,
        probability: f32,
    },
    Brain {
        ask: u32,
        event: BrainEvent,
    },
    BrainDone {
        ask: u32,
    },
    BrainFailed {
        ask: u32,
    },
    FirstAudio(UtteranceId),
    Spoken(UtteranceId, Heard),
    Cut(Heard),
    Held(Heard),
    Dtmf(char),
    Partial(String),
    Typed(String),
    Context(String),
    Activity,
    ToolResult {
        id: String,
        result: String,
        is_error: bool,
    },
    Noticed {
        #[serde(deserialize_with = "name::one")]
        kind: Name,
        detail: String,
    },
    Restarted(Part),
    Ended(EndReason),
    Dismiss(EndReason),
    Tick,
    Loudness(Loudness),
}

impl WrittenInput {
    /// Moves, so that a journal costs no copy of what was said.
    pub(super) fn of(input: Input, origin: Origin) -> Self {
        match input {
            Input::Started => Self::Started,
            Input::SpeechStarted { at, began } => Self::SpeechStarted { at, began_ns: origin.offset(began) },
            Input::SpeechSustained => Self::SpeechSustained,
            Input::SpeechEnded { to, ended } => Self::SpeechEnded { to, ended_ns: origin.offset(ended) },
            Input::Transcript { turn, to, text, confidence, covers } => {
                Self::Transcript { turn, to, text, confidence, covers }
            }
            Input::EndOfTurn { turn, to, probability } => Self::EndOfTurn { turn, to, probability },
            Input::Brain { ask, event } => Self::Brain { ask, event },
            Input::BrainDone { ask } => Self::BrainDone { ask },
            Input::BrainFailed { ask } => Self::BrainFailed { ask },
            Input::FirstAudio(utterance) => Self::FirstAudio(utterance),
            Input::Spoken(utterance, heard) => Self::Spoken(utterance, heard),
            Input::Cut(heard) => Self::Cut(heard),
            Input::Held(heard) => Self::Held(heard),
            Input::Dtmf(digit) => Self::Dtmf(digit),
            Input::Partial(text) => Self::Partial(text),
            Input::Typed(text) => Self::Typed(text),
            Input::Context(text) => Self::Context(text),
            Input::Activity => Self::Activity,
            Input::ToolResult { id, result, is_error } => Self::ToolResult { id, result, is_error },
            Input::Noticed { kind, detail } => Self::Noticed { kind, detail },
            Input::Restarted(part) => Self::Restarted(part),
            Input::Ended(reason) => Self::Ended(reason),
            Input::Dismiss(reason) => Self::Dismiss(reason),
            Input::Tick => Self::Tick,
            Input::Loudness(loudness) => Self::Loudness(loudness),
        }
    }

    pub(super) fn input(self, origin: Origin) -> Input {
        match self {
            Self::Started => Input::Started,
            Self::SpeechStarted { at, began_ns } => Input::SpeechStarted { at, began: origin.instant(began_ns) },
            Self::SpeechSustained => Input::SpeechSustained,
            Self::SpeechEnded { to, ended_ns } => Input::SpeechEnded { to, ended: origin.instant(ended_ns) },
            Self::Transcript { turn, to, text, confidence, covers } => {
                Input::Transcript { turn, to, text, confidence, covers }
            }
            Self::EndOfTurn { turn, to, probability } => Input::EndOfTurn { turn, to, probability },
            Self::Brain { ask, event } => Input::Brain { ask, event },
            Self::BrainDone { ask } => Input::BrainDone { ask },
            Self::BrainFailed { ask } => Input::BrainFailed { ask },
            Self::FirstAudio(utterance) => Input::FirstAudio(utterance),
            Self::Spoken(utterance, heard) => Input::Spoken(utterance, heard),
            Self::Cut(heard) => Input::Cut(heard),
            Self::Held(heard) => Input::Held(heard),
            Self::Dtmf(digit) => Input::Dtmf(digit),
            Self::Partial(text) => Input::Partial(text),
            Self::Typed(text) => Input::Typed(text),
            Self::Context(text) => Input::Context(text),
            Self::Activity => Input::Activity,
            Self::ToolResult { id, result, is_error } => Input::ToolResult { id, result, is_error },
            Self::Noticed { kind, detail } => Input::Noticed { kind, detail },
            Self::Restarted(part) => Input::Restarted(part),
            Self::Ended(reason) => Input::Ended(reason),
            Self::Dismiss(reason) => Input::Dismiss(reason),
            Self::Tick => Input::Tick,
            Self::Loudness(loudness) => Input::Loudness(loudness),
        }
    }

    /// Whether its instants and positions can be a call's: the core counts with them and expects no others.
    pub(super) fn is_sane(&self) -> bool {
        match self {
            Self::SpeechStarted { at: sample, began_ns: at } | Self::SpeechEnded { to: sample, ended_ns: at } => {
                at.is_sane() && *sample <= MOST_SAMPLES
            }
            Self::Spoken(_, heard) | Self::Cut(heard) | Self::Held(heard) => {
                heard.samples <= MOST_SAMPLES && heard.sentences.iter().all(|audio| audio.samples <= MOST_SAMPLES)
            }
            _ => true,
        }
    }
}

/// [`Effect`], written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WrittenEffect<'a> {
    Transcribe {
        turn: TurnId,
        from: u64,
        to: u64,
    },
    JudgeTurn {
        turn: TurnId,
        from: u64,
        to: u64,
    },
    Think {
        number: u32,
        turn: TurnId,
        prompt: &'a Prompt,
        /// Hash of the playbook's state.
        state: Option<String>,
        /// Lines of the history, and their hash.
        history: (usize, String),
    },
    Prepare(&'a str),
    Discard,
    StopThinking,
    Speak {
        utterance: UtteranceId,
        sentence: u32,
        text: &'a str,
    },
    Seal {
        utterance: UtteranceId,
        sentences: u32,
    },
    Cut,
    Hold,
    Resume(Ground),
    Press(&'a str),
    UserTurn {
        turn: TurnId,
        text: &'a str,
        confidence: Option<f32>,
        began_ns: Offset,
        ended_ns: Offset,
        endpoint_ns: Offset,
        speech: Duration,
        typed: bool,
    },
    AgentResponse {
        utterance: UtteranceId,
        turn: Option<TurnId>,
        text: &'a str,
        heard: &'a str,
        interrupted: bool,
        at_ns: Offset,
        latency: Option<Duration>,
        stages: &'a [(&'static str, Duration)],
    },
    Progress {
        stage: &'a str,
        /// Hash of the playbook's state.
        state: String,
    },
    Event {
        kind: &'static str,
        detail: &'a str,
    },
    Show(&'a Notice),
    End(&'a EndReason),
}

impl<'a> WrittenEffect<'a> {
    pub(super) fn of(effect: &'a Effect, origin: Origin) -> Self {
        match effect {
            Effect::Transcribe { turn, from, to } => Self::Transcribe { turn: *turn, from: *from, to: *to },
            Effect::JudgeTurn { turn, from, to } => Self::JudgeTurn { turn: *turn, from: *from, to: *to },
            Effect::Think { number, ask } => Self::Think {
                number: *number,
                turn: ask.turn,
                prompt: &ask.prompt,
                state: ask.state.as_ref().map(hash),
                history: (ask.history.len(), hash(&*ask.history)),
            },
            Effect::Prepare(text) => Self::Prepare(text),
            Effect::Discard => Self::Discard,
            Effect::StopThinking => Self::StopThinking,
            Effect::Speak { utterance, sentence, text } => {
                Self::Speak { utterance: *utterance, sentence: *sentence, text }
            }
            Effect::Seal { utterance, sentences } => Self::Seal { utterance: *utterance, sentences: *sentences },
            Effect::Cut => Self::Cut,
            Effect::Hold => Self::Hold,
            Effect::Resume(ground) => Self::Resume(*ground),
            Effect::Press(keys) => Self::Press(keys),
            Effect::Note(Note::UserTurn(Committed {
                turn,
                text,
                confidence,
                began,
                ended,
                endpoint,
                speech,
                typed,
            })) => Self::UserTurn {
                turn: *turn,
                text,
                confidence: *confidence,
                began_ns: origin.offset(*began),
                ended_ns: origin.offset(*ended),
                endpoint_ns: origin.offset(*endpoint),
                speech: *speech,
                typed: *typed,
            },
            Effect::Note(Note::AgentResponse(response)) => Self::AgentResponse {
                utterance: response.utterance,
                turn: response.turn,
                text: &response.text,
                heard: &response.heard,
                interrupted: response.interrupted,
                at_ns: origin.offset(response.at),
                latency: response.latency,
                stages: &response.stages,
            },
            Effect::Note(Note::Progress(state)) => Self::Progress { stage: &state.stage, state: hash(state) },
            Effect::Note(Note::Event { kind, detail }) => Self::Event { kind, detail },
            Effect::Show(notice) => Self::Show(notice),
            Effect::End(reason) => Self::End(reason),
        }
    }
}

/// A deadline, written: when, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Due {
    pub(super) at_ns: Offset,
    pub(super) why: String,
}

impl Due {
    pub(super) fn of(due: Option<(Instant, &'static str)>, origin: Origin) -> Option<Self> {
        due.map(|(at, why)| Self { at_ns: origin.offset(at), why: why.to_owned() })
    }
}

/// A value as MessagePack with field names; `false` if it has a type that MessagePack lacks, which none of the core's has.
pub(super) fn pack(value: &(impl Serialize + ?Sized), into: &mut Vec<u8>) -> bool {
    rmp_serde::encode::write_named(into, value).is_ok()
}

/// Hash of a value; of its writable beginning, if not all of it can be written.
fn hash(value: &(impl Serialize + ?Sized)) -> String {
    let mut bytes = Vec::new();
    pack(value, &mut bytes);
    fingerprint(&bytes)
}

#[cfg(test)]
mod tests;
