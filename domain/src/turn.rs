//! The caller's turns: when one begins, when it is over, when it goes on after all.
//!
//! ```text
//!            speech            speech ends           endpoint silence
//!            begins            (VAD)                 and transcript
//! Idle ───────────► Speaking ───────────► Paused ───────────────────► Committed ──► Idle (our reply is heard)
//!                       ▲                    │                             │
//!                       └── speech goes on ──┴── speech before our reply ──┘   the same turn
//! ```
//!
//! The transcript is asked for at the pause, not at the end of the turn, so that recognition runs while we wait; a caller who goes on
//! supersedes it. How long the silence must be is [`crate::endpointing`]'s to say. Speech under our own voice that stays short is no turn at all.

use std::time::{Duration, Instant};

use crate::endpointing::{Endpointing, Wait};
use crate::ids::TurnId;
use crate::port::stt::Covers;

/// Speech that goes on for longer is cut there: noise that never ends must not hold the call.
const LONGEST_SPEECH: Duration = Duration::from_secs(30);
/// Samples in a millisecond of the ingress clock.
const SAMPLES_PER_MS: u64 = 8;
/// A recogniser that has not answered after this is treated as one that heard nothing.
const TRANSCRIPT_LIMIT: Duration = Duration::from_secs(4);

/// What the turn machine wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum TurnAction {
    /// Settle the words of `from..to`.
    Transcribe {
        /// The turn.
        turn: TurnId,
        /// First sample of the turn.
        from: u64,
        /// Sample after its last speech.
        to: u64,
    },
    /// The turn is over.
    Commit(Committed),
    /// The caller went on before our reply was heard: take the reply back.
    Reopen(TurnId),
}

/// A finished turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// The turn.
    pub turn: TurnId,
    /// What was said; empty if nothing was understood.
    pub text: String,
    /// 0 to 1.
    pub confidence: Option<f32>,
    /// When the caller began.
    pub began: Instant,
    /// When the caller's speech ended: the origin of the reply's latency.
    pub ended: Instant,
    /// When the silence that ends a turn was full.
    pub endpoint: Instant,
    /// Length of the speech: tells a cough from a word that was not understood.
    pub speech: Duration,
    /// It was typed: no recogniser had a part in it.
    pub typed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Open {
    turn: TurnId,
    from: u64,
    began: Instant,
    /// Where, and when, the present stretch of speech began: the turn's beginning, or after a pause in it.
    spoke_from: u64,
    spoke_at: Instant,
    /// Speech began while our own voice was playing.
    over_agent: bool,
    /// Some stretch of the turn's speech was long enough for an interruption; the present one was.
    sustained: bool,
    stretch_sustained: bool,
}

impl Open {
    /// The same turn, going on after a pause.
    fn again(self, at: u64, began: Instant) -> Self {
        Self { spoke_from: at, spoke_at: began, stretch_sustained: false, ..self }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Idle,
    Speaking { open: Open, words: Words },
    Paused(Pause),
    Committed { open: Open, words: Words, ended: Instant, wait: Wait },
}

/// A silence that may be the turn's end.
#[derive(Debug, Clone, PartialEq)]
struct Pause {
    open: Open,
    words: Words,
    /// Sample after the last speech, and when that was.
    to: u64,
    ended: Instant,
    /// When the words were asked for, and whether they are there.
    asked: Instant,
    settled: bool,
    /// How sure a model is that this is the end, 0 to 1.
    end: Option<f32>,
    /// How long the silence must last, by all that is known.
    wait: Wait,
}

impl Pause {
    /// When the turn is over, if nobody speaks until then.
    fn over_at(&self) -> Instant {
        let full = self.ended + self.wait.silence;
        if self.settled { full } else { full.max(self.asked + TRANSCRIPT_LIMIT) }
    }
}

/// The transcript of a turn as it grows.
#[derive(Debug, Clone, PartialEq, Default)]
struct Words {
    text: String,
    confidence: Option<f32>,
    /// The recogniser reads the turn again from its beginning: its next final replaces what was settled.
    read_again: bool,
}

impl Words {
    fn settle(&mut self, text: &str, confidence: Option<f32>, covers: Covers) {
        match covers {
            Covers::SinceLastFinal if std::mem::take(&mut self.read_again) => self.text = text.trim().to_owned(),
            Covers::WholeTurn => self.text = text.trim().to_owned(),
            Covers::SinceLastFinal => {
                if !self.text.is_empty() && !text.trim().is_empty() {
                    self.text.push(' ');
                }
                self.text.push_str(text.trim());
            }
        }
        self.confidence = confidence;
    }
}

/// The turn machine of one call.
#[derive(Debug, Clone)]
pub struct Turns {
    state: State,
    next: u32,
    endpointing: Endpointing,
}

impl Turns {
    /// `endpointing` says which silence ends a turn.
    pub fn new(endpointing: Endpointing) -> Self {
        Self { state: State::Idle, next: 1, endpointing }
    }

    /// What decides how long silence must last: told what the caller was asked.
    pub fn endpointing(&mut self) -> &mut Endpointing {
        &mut self.endpointing
    }

    /// Whether the caller is speaking right now.
    pub fn caller_speaking(&self) -> bool {
        matches!(self.state, State::Speaking { .. })
    }

    /// When the present speech began; `None` while nobody speaks.
    pub fn speaking_since(&self) -> Option<Instant> {
        if let State::Speaking { open, .. } = &self.state { Some(open.spoke_at) } else { None }
    }

    /// Sound of the open turn so far, up to its sample `to`.
    pub fn length_to(&self, to: u64) -> Duration {
        match &self.state {
            State::Speaking { open, .. } | State::Paused(Pause { open, .. }) | State::Committed { open, .. } => {
                Duration::from_millis(to.saturating_sub(open.from) / SAMPLES_PER_MS)
            }
            State::Idle => Duration::ZERO,
        }
    }

    /// The settled words of the turn that is open.
    pub fn words(&self) -> &str {
        match &self.state {
            State::Speaking { words, .. } | State::Paused(Pause { words, .. }) => &words.text,
            State::Idle | State::Committed { .. } => "",
        }
    }

    /// Whether a turn is open: the caller speaks, or has spoken and was not answered yet.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// The detector heard speech that began at sample `at`, at the instant `began`.
    pub fn speech_started(&mut self, at: u64, began: Instant, agent_speaking: bool) -> Option<TurnAction> {
        #[cfg(feature = "sabotage")]
        if crate::sabotage::is_off(crate::sabotage::Mechanism::Spelling)
            && matches!(self.state, State::Committed { .. })
        {
            self.state = State::Idle;
        }
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {
                let turn = TurnId(self.next);
                self.next += 1;
                let (from, over_agent) = (at, agent_speaking);
                let open = Open {
                    turn,
                    from,
                    began,
                    spoke_from: at,
                    spoke_at: began,
                    over_agent,
                    sustained: false,
                    stretch_sustained: false,
                };
                self.state = State::Speaking { open, words: Words::default() };
                None
            }
            State::Paused(Pause { open, words, ended, wait, .. }) => {
                self.endpointing.went_on(began.saturating_duration_since(ended), wait);
                self.state = State::Speaking { open: open.again(at, began), words };
                None
            }
            State::Committed { open, words, ended, wait } => {
                self.endpointing.went_on(began.saturating_duration_since(ended), wait);
                let turn = open.turn;
                self.state = State::Speaking { open: open.again(at, began), words };
                Some(TurnAction::Reopen(turn))
            }
            speaking @ State::Speaking { .. } => {
                self.state = speaking;
                None
            }
        }
    }

    /// The current speech has lasted as long as an interruption must.
    pub fn speech_sustained(&mut self) {
        if let State::Speaking { open, .. } = &mut self.state {
            open.sustained = true;
            open.stretch_sustained = true;
        }
    }

    /// The caller's speech ended at sample `to`, at the instant `ended`.
    pub fn speech_ended(&mut self, now: Instant, to: u64, ended: Instant, agent_speaking: bool) -> Option<TurnAction> {
        match std::mem::replace(&mut self.state, State::Idle) {
            // A cough or an "mm" under our own voice: nobody's turn.
            State::Speaking { open, .. } if open.over_agent && !open.sustained && agent_speaking => None,
            State::Speaking { open, words } => {
                let action = TurnAction::Transcribe { turn: open.turn, from: open.from, to };
                self.state = self.paused(open, words, to, ended, now);
                Some(action)
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    fn paused(&self, open: Open, words: Words, to: u64, ended: Instant, now: Instant) -> State {
        let wait = self.endpointing.plain();
        State::Paused(Pause { open, words, to, ended, asked: now, settled: false, end: None, wait })
    }

    /// The recogniser settled a turn. Answers about an older state of affairs are dropped.
    pub fn transcript(
        &mut self,
        now: Instant,
        turn: TurnId,
        to: u64,
        text: &str,
        confidence: Option<f32>,
        covers: Covers,
    ) -> Option<TurnAction> {
        if let State::Paused(pause) = &mut self.state
            && pause.open.turn == turn
            && pause.to == to
        {
            pause.words.settle(text, confidence, covers);
            pause.settled = true;
            pause.wait = self.endpointing.wait(&pause.words.text, pause.end);
        }
        self.handle_timeout(now)
    }

    /// A model has judged the silence after sample `to`: how sure it is that the turn is over, 0 to 1. Judgements of another pause are dropped.
    pub fn judged(&mut self, now: Instant, turn: TurnId, to: u64, end: f32) -> Option<TurnAction> {
        if let State::Paused(pause) = &mut self.state
            && pause.open.turn == turn
            && pause.to == to
        {
            pause.end = Some(end);
            if pause.settled {
                pause.wait = self.endpointing.wait(&pause.words.text, pause.end);
            }
        }
        self.handle_timeout(now)
    }

    /// The recogniser was restarted and reads the open turn from its beginning: what to ask it again.
    pub fn unanswered(&mut self, now: Instant) -> Option<TurnAction> {
        if let State::Speaking { words, .. } | State::Paused(Pause { words, .. }) = &mut self.state {
            words.read_again = true;
        }
        match &mut self.state {
            State::Paused(Pause { open, to, asked, settled: false, .. }) => {
                *asked = now;
                Some(TurnAction::Transcribe { turn: open.turn, from: open.from, to: *to })
            }
            _ => None,
        }
    }

    /// The turn in whose pause the words are not settled yet.
    pub fn unsettled(&self) -> Option<TurnId> {
        if let State::Paused(Pause { open, settled: false, .. }) = &self.state { Some(open.turn) } else { None }
    }

    /// The turn whose words are settled and whose silence runs, if it is likely over: its words, and how sure the recogniser is of them.
    pub fn likely_over(&self) -> Option<(TurnId, &str, Option<f32>)> {
        match &self.state {
            State::Paused(Pause { open, words, settled: true, wait, .. }) if wait.ground.is_likely_end() => {
                Some((open.turn, &words.text, words.confidence))
            }
            _ => None,
        }
    }

    /// The silence that the committed turn ended with.
    pub fn ended_by(&self) -> Option<Wait> {
        if let State::Committed { wait, .. } = &self.state { Some(*wait) } else { None }
    }

    /// Our reply is in the caller's ear: speech from now on is a new turn.
    pub fn reply_heard(&mut self) {
        if let State::Committed { .. } = self.state {
            self.state = State::Idle;
        }
    }

    /// Whether the current speech is all that there is of its turn.
    pub fn is_first_stretch(&self) -> bool {
        matches!(&self.state, State::Speaking { open, .. } if open.from == open.spoke_from)
    }

    /// Whether the current speech has lasted as long as an interruption must.
    pub fn is_sustained(&self) -> bool {
        matches!(self.state, State::Speaking { open: Open { stretch_sustained: true, .. }, .. })
    }

    /// The words of a turn that will not be finished: the call ends in it.
    pub fn unfinished(&self, now: Instant) -> Option<Committed> {
        let (open, words, ended) = match &self.state {
            State::Speaking { open, words } => (open, words, now),
            State::Paused(Pause { open, words, ended, .. }) => (open, words, *ended),
            State::Idle | State::Committed { .. } => return None,
        };
        (!words.text.is_empty()).then(|| committed(open, words, ended, ended))
    }

    /// The caller typed `text`: a turn of its own that is over at once. Whatever turn was open is dropped; speech from now on is another.
    pub fn typed(&mut self, now: Instant, text: String) -> Committed {
        let turn = TurnId(self.next);
        self.next += 1;
        self.state = State::Idle;
        Committed {
            turn,
            text,
            confidence: None,
            began: now,
            ended: now,
            endpoint: now,
            speech: Duration::ZERO,
            typed: true,
        }
    }

    /// Whether the recogniser was asked last about this turn up to `to`: an older answer is not all that was said.
    pub fn asked_about(&self, turn: TurnId, to: u64) -> bool {
        matches!(&self.state, State::Paused(Pause { open, to: asked, .. }) if open.turn == turn && *asked == to)
    }

    /// The turn that is being spoken, or was and is not committed yet.
    pub fn open_turn(&self) -> Option<TurnId> {
        match &self.state {
            State::Speaking { open, .. } | State::Paused(Pause { open, .. }) => Some(open.turn),
            State::Idle | State::Committed { .. } => None,
        }
    }

    /// The turn in hand is dropped: its words were noise, or the call is ending.
    pub fn drop_turn(&mut self) {
        self.state = State::Idle;
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Paused(pause) => Some(pause.over_at()),
            State::Speaking { open, .. } => Some(open.spoke_at + LONGEST_SPEECH),
            State::Idle | State::Committed { .. } => None,
        }
    }

    /// Commits the turn when its silence is full and its words are known (or overdue).
    pub fn handle_timeout(&mut self, now: Instant) -> Option<TurnAction> {
        if now < self.poll_timeout()? {
            return None;
        }
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Speaking { open, words } => {
                let to = open.spoke_from + LONGEST_SPEECH.as_millis() as u64 * SAMPLES_PER_MS;
                let action = TurnAction::Transcribe { turn: open.turn, from: open.from, to };
                self.state = self.paused(open, words, to, now, now);
                Some(action)
            }
            State::Paused(Pause { open, words, ended, wait, .. }) => {
                let turn = committed(&open, &words, ended, ended + wait.silence);
                self.state = State::Committed { open, words, ended, wait };
                Some(TurnAction::Commit(turn))
            }
            other => {
                self.state = other;
                None
            }
        }
    }
}

fn committed(open: &Open, words: &Words, ended: Instant, endpoint: Instant) -> Committed {
    Committed {
        turn: open.turn,
        text: words.text.clone(),
        confidence: words.confidence,
        began: open.began,
        ended,
        endpoint,
        speech: ended.saturating_duration_since(open.began),
        typed: false,
    }
}

#[cfg(test)]
mod tests;
