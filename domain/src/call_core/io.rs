//! What goes into the core and what comes out of it: plain data, the whole interface between decisions and drivers.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::barge_in::Ground;
use crate::echo::Loudness;
use crate::ids::{TurnId, UtteranceId};
use crate::ledger::Heard;
use crate::playbook::PlaybookState;
use crate::port::brain::{Ask, BrainEvent};
use crate::port::dialect::Notice;
use crate::port::stt::Covers;
use crate::record::EndReason;
use crate::turn::Committed;

/// A replaceable part of a call: the drivers that may die without ending it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The speech detector.
    Vad,
    /// The recogniser's stream.
    Stt,
    /// The brain's driver.
    Dialogue,
    /// The voice's driver.
    Tts,
    /// The outgoing pump.
    Egress,
    /// The alarm clock of deadlines.
    Silence,
    /// The connection.
    Leg,
    /// The incoming pump.
    Ingress,
    /// What writes the recording.
    Recorder,
}

impl Part {
    /// Name for logs, metrics and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vad => "vad",
            Self::Stt => "stt",
            Self::Dialogue => "dialogue",
            Self::Tts => "tts",
            Self::Egress => "egress",
            Self::Silence => "silence",
            Self::Leg => "leg",
            Self::Ingress => "ingress",
            Self::Recorder => "recorder",
        }
    }
}

/// The sentences that the switch itself may have to say, in the agent's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lines {
    /// The language of these lines and of the call (BCP 47 tag).
    pub language: String,
    /// What was said was hardly understood, and the agent has no line of its own for that.
    pub unsure: String,
    /// The brain gave no answer.
    pub sorry: String,
    /// Nobody answers, and the brain has nothing to say to that.
    pub there: String,
    /// Nobody answers any more.
    pub silence: String,
    /// The longest call is over.
    pub time_up: String,
    /// We are shutting down.
    pub drain: String,
    /// The answer takes its time: one of these, in turn. May be empty, then nothing is said.
    pub filler: Vec<String>,
}

/// What happened, in the order it is handled.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The leg is up: the call begins.
    Started,
    /// The detector heard speech, which began at sample `at`, at the instant `began`.
    SpeechStarted {
        /// Position on the ingress clock.
        at: u64,
        /// When it began; a little before now.
        began: Instant,
    },
    /// How loud the current speech is against what we play. Comes before the input that it is about, and when it has come to say something else.
    Loudness(Loudness),
    /// The current speech has lasted as long as an interruption must.
    SpeechSustained,
    /// The speech ended at sample `to`, at the instant `ended`.
    SpeechEnded {
        /// Position on the ingress clock.
        to: u64,
        /// When it ended; the detector's hangover before now.
        ended: Instant,
    },
    /// The recogniser settled a turn.
    Transcript {
        /// The turn.
        turn: TurnId,
        /// `to` of the [`Effect::Transcribe`] that this answers.
        to: u64,
        /// Its words; empty if none.
        text: String,
        /// 0 to 1.
        confidence: Option<f32>,
        /// Whole turn or continuation.
        covers: Covers,
    },
    /// The answer to [`Effect::JudgeTurn`].
    EndOfTurn {
        /// The turn.
        turn: TurnId,
        /// `to` of the effect that this answers.
        to: u64,
        /// How sure the model is that the turn is over, 0 to 1.
        probability: f32,
    },
    /// The brain answers the ask of this number.
    Brain {
        /// From [`Effect::Think`].
        ask: u32,
        /// The next item.
        event: BrainEvent,
    },
    /// The brain's answer to this ask is complete.
    BrainDone {
        /// From [`Effect::Think`].
        ask: u32,
    },
    /// The brain failed on this ask.
    BrainFailed {
        /// From [`Effect::Think`].
        ask: u32,
    },
    /// The first sample of the utterance was sent.
    FirstAudio(UtteranceId),
    /// The utterance was played to its end; what was heard of it.
    Spoken(UtteranceId, Heard),
    /// The answer to [`Effect::Cut`]: what was heard. Comes before any other input.
    Cut(Heard),
    /// The answer to [`Effect::Hold`]: what was heard. Comes before any other input.
    Held(Heard),
    /// A key was pressed.
    Dtmf(char),
    /// What the recogniser understood so far of the open turn.
    Partial(String),
    /// The caller typed: a turn without speech.
    Typed(String),
    /// Something that the brain should know, and that nobody said.
    Context(String),
    /// The caller does something that is not heard.
    Activity,
    /// The far end has run a tool.
    ToolResult {
        /// From [`Notice::ToolCall`].
        id: String,
        /// What it gave.
        result: String,
        /// It failed.
        is_error: bool,
    },
    /// Something outside the core belongs in the timeline.
    Noticed {
        /// Closed set.
        kind: &'static str,
        /// A few words.
        detail: String,
    },
    /// A driver died and stands again.
    Restarted(Part),
    /// The far end is gone, or we were told to end: no more words.
    Ended(EndReason),
    /// Say goodbye and end.
    Dismiss(EndReason),
    /// A deadline may have passed.
    Tick,
}

/// What the drivers shall do, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Settle the words of `from..to`; supersedes what was asked before about the turn.
    Transcribe {
        /// The turn.
        turn: TurnId,
        /// First sample.
        from: u64,
        /// Sample after the last.
        to: u64,
    },
    /// Judge by the sound of `from..to` whether the turn is over, and answer with [`Input::EndOfTurn`] or not at all. Only where
    /// [`Timing::end_of_turn_model`](crate::agent::Timing::end_of_turn_model) asks for it.
    JudgeTurn {
        /// The turn.
        turn: TurnId,
        /// First sample.
        from: u64,
        /// Sample after the last.
        to: u64,
    },
    /// Ask the brain; supersedes what was asked before.
    Think {
        /// Number of this ask, to be returned with the answers.
        number: u32,
        /// All that the brain may know.
        ask: Ask,
    },
    /// Have the voice make this sentence, which may be the first of the next utterance, and keep its sound. An [`Self::Speak`] of the same words
    /// wants it, a [`Self::Discard`] does not.
    Prepare(String),
    /// What was prepared is not said.
    Discard,
    /// Drop what the brain is doing.
    StopThinking,
    /// Speak a sentence of an utterance. Said again after the voice's driver died; what is queued already is not to be queued twice.
    Speak {
        /// The utterance.
        utterance: UtteranceId,
        /// Its sentence, from 0.
        sentence: u32,
        /// The words.
        text: String,
    },
    /// The utterance has so many sentences and no more.
    Seal {
        /// The utterance.
        utterance: UtteranceId,
        /// Number of sentences.
        sentences: u32,
    },
    /// Stop speaking now and answer with [`Input::Cut`].
    Cut,
    /// Stop speaking now, keep what was not heard, and answer with [`Input::Held`]. A [`Self::Cut`] or [`Self::Resume`] follows. Where a protected
    /// sentence is in the ear ([`Heard::protected_rest`]), go on speaking, and answer just so.
    Hold,
    /// Go on with what is held.
    Resume(Ground),
    /// Press keys, after what is being said.
    Press(String),
    /// Something to be stored.
    Note(Note),
    /// Something to be shown; only after [`CallCore::showing`](super::CallCore::showing).
    Show(Notice),
    /// Close the leg; the call is over. The last effect of every call.
    End(EndReason),
}

/// Something to be stored about the call.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// A committed turn of the caller.
    UserTurn(Committed),
    /// An utterance that is over.
    AgentResponse(Response),
    /// The playbook moved on.
    Progress(Box<PlaybookState>),
    /// An entry of the timeline.
    Event {
        /// Closed set.
        kind: &'static str,
        /// A few words.
        detail: String,
    },
}

/// An utterance of the agent that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Which.
    pub utterance: UtteranceId,
    /// The turn it answers, if any.
    pub turn: Option<TurnId>,
    /// What was meant.
    pub text: String,
    /// What was heard.
    pub heard: String,
    /// Cut short.
    pub interrupted: bool,
    /// When its first sample left.
    pub at: Instant,
    /// End of the caller's speech to the first sample.
    pub latency: Option<Duration>,
    /// Its parts; they add up to it.
    pub stages: Vec<(&'static str, Duration)>,
}
