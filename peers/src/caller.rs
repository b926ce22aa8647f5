//! A person with a script: says a line when the agent has finished, presses keys, interrupts, keeps silent, hangs up.
//!
//! Place: driven frame by frame by `simulate` or by a test; hears what the carrier's model plays, and says what the carrier's
//! model sends. Knows nothing of carriers and holds no clock: one call of [`Caller::tick`] is 20 ms of life.
//!
//! ```text
//!  agent  ....#########..###.............................####....
//!  caller ...........................@@@@@@@@@@.................
//!                          |<-quiet->|         |<latency>|
//! ```
//!
//! "The agent has finished" means what it means to a person: something was heard since our own last word, and then nothing
//! for [`Manners::quiet`]. After the last step the caller stays and listens.

mod script;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tandem_codecs::SampleRate;
use tandem_codecs::noise::Noise;

use crate::ear;

pub use script::{Line, Rendered, Step};

/// Samples of one frame: 20 ms at 8 kHz.
pub const FRAME_SAMPLES: usize = 160;
const FRAME: Duration = Duration::from_millis(20);
/// A handset in a quiet room.
const ROOM_DBFS: f32 = -65.0;
/// From one key to the next.
const KEY_SPACING: Duration = Duration::from_millis(300);

/// How the caller behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manners {
    /// Silence after which the agent counts as finished.
    pub quiet: Duration,
    /// Dead air after which the caller goes on with the script although the agent said nothing.
    pub patience: Duration,
    /// Seed of the room's noise.
    pub seed: u64,
}

impl Default for Manners {
    fn default() -> Self {
        Self { quiet: Duration::from_millis(700), patience: Duration::from_secs(20), seed: 1 }
    }
}

/// 20 ms of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// What goes into the telephone.
    pub frame: [i16; FRAME_SAMPLES],
    /// What the caller does besides.
    pub action: Option<Action>,
}

/// What is not audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Presses a key.
    Press(char),
    /// Hangs up; the last tick that matters.
    HangUp,
}

/// One go of the caller and when it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerTurn {
    /// The words, or the keys.
    pub said: String,
    /// When the first sound left the mouth.
    pub began: Instant,
    /// When the last sound left it; `None` while it speaks.
    pub ended: Option<Instant>,
    /// The first agent sound after `ended`; `None` until it comes. Agent sound that was under way when we ended does not count:
    /// it must first have been silent for [`Caller::BREATH`].
    pub answered: Option<Instant>,
    /// Whether it began while the agent spoke.
    pub over_agent: bool,
}

impl CallerTurn {
    /// From the end of the caller's last sound to the first sound of the answer.
    pub fn latency(&self) -> Option<Duration> {
        Some(self.answered?.saturating_duration_since(self.ended?))
    }
}

/// What the caller is about.
#[derive(Debug)]
enum Doing {
    /// Listens since then, and looks at its script.
    Listening { since: Instant },
    /// Speaks; frames still to come.
    Speaking { line: Rendered, at: usize, spoken: usize },
    /// Presses the rest of the keys.
    Dialling { keys: VecDeque<char>, next: Instant },
    /// Keeps silent on purpose.
    Silent { until: Instant },
    /// Has hung up.
    Gone,
}

/// A scripted caller.
#[derive(Debug)]
pub struct Caller {
    script: VecDeque<Step<Rendered>>,
    manners: Manners,
    room: Noise,
    doing: Doing,
    turns: Vec<CallerTurn>,
    /// First agent sound since our own last go.
    agent_began: Option<Instant>,
    /// End of the last agent sound.
    agent_ended: Option<Instant>,
    /// Whether the next line need not be preceded by agent speech: after a silence of our own.
    unprompted: bool,
}

impl Caller {
    /// Silence of the agent that separates its reply from what it was saying before.
    pub const BREATH: Duration = Duration::from_millis(100);

    /// A caller who picks up at `now`.
    pub fn new(script: impl IntoIterator<Item = Step<Rendered>>, manners: Manners, now: Instant) -> Self {
        Self {
            script: script.into_iter().collect(),
            manners,
            room: Noise::new(manners.seed, ROOM_DBFS),
            doing: Doing::Listening { since: now },
            turns: Vec::new(),
            agent_began: None,
            agent_ended: None,
            unprompted: false,
        }
    }

    /// Hears 20 ms that begin at `now`, and does the 20 ms that end at `now`.
    ///
    /// A telephone sends a frame when it is full, so a line's last sound left the mouth before the frame left the telephone;
    /// the latency so measured is what a person notices, packetisation included.
    pub fn tick(&mut self, now: Instant, heard: &[i16]) -> Tick {
        self.hear(now, heard);
        let action = self.decide(now);
        Tick { frame: self.next_frame(now), action }
    }

    /// Adds a step behind the others: a person makes up their mind during the call.
    pub fn push(&mut self, step: Step<Rendered>) {
        self.script.push_back(step);
    }

    /// All goes so far.
    pub fn turns(&self) -> &[CallerTurn] {
        &self.turns
    }

    /// Whether the script is used up and the last line spoken.
    pub fn is_done(&self) -> bool {
        self.script.is_empty() && matches!(self.doing, Doing::Listening { .. } | Doing::Gone)
    }

    fn hear(&mut self, now: Instant, heard: &[i16]) {
        let Some(first) = ear::first_sound(heard) else { return };
        let began = now + at_samples(first);
        let silent_before = self.agent_ended.is_none_or(|ended| began.saturating_duration_since(ended) >= Self::BREATH);
        if let Some(turn) = self.turns.last_mut()
            && let (Some(ended), None) = (turn.ended, turn.answered)
            && began >= ended
            && silent_before
        {
            turn.answered = Some(began);
        }
        // the rest of a sentence that we interrupted is no new go of the agent
        if silent_before {
            self.agent_began.get_or_insert(began);
        }
        self.agent_ended = Some(now + at_samples(ear::spoken_length(heard)));
    }

    /// Takes the next step of the script if its moment has come.
    fn decide(&mut self, now: Instant) -> Option<Action> {
        match &mut self.doing {
            Doing::Speaking { .. } | Doing::Gone => return None,
            Doing::Silent { until } if now < *until => return None,
            Doing::Silent { .. } => {
                self.unprompted = true;
                self.listen(now);
            }
            Doing::Dialling { next, .. } if now < *next => return None,
            Doing::Dialling { keys, next } => {
                *next = now + KEY_SPACING;
                let key = keys.pop_front();
                if keys.is_empty() {
                    self.end_turn(now);
                    self.listen(now);
                }
                if key.is_some() {
                    return key.map(Action::Press);
                }
            }
            Doing::Listening { .. } => {}
        }
        if !self.is_due(now) {
            return None;
        }
        match self.script.pop_front()? {
            Step::Say(line) | Step::Interrupt { say: line, .. } => self.speak(now, line),
            Step::Wait => self.listen(now),
            Step::Dtmf(keys) => {
                self.begin_turn(now, keys.clone());
                self.doing = Doing::Dialling { keys: keys.chars().collect(), next: now };
                return self.decide(now);
            }
            Step::Silence(length) => self.doing = Doing::Silent { until: now + length },
            Step::HangUp => {
                self.doing = Doing::Gone;
                return Some(Action::HangUp);
            }
        }
        None
    }

    /// Whether the moment of the script's next step has come.
    fn is_due(&self, now: Instant) -> bool {
        match self.script.front() {
            None => false,
            Some(Step::Silence(_) | Step::HangUp) => true,
            Some(Step::Interrupt { after, .. }) => {
                self.agent_began.is_some_and(|began| now >= began + *after) || self.out_of_patience(now)
            }
            Some(Step::Say(_) | Step::Wait | Step::Dtmf(_)) => {
                let quiet =
                    self.agent_ended.is_none_or(|ended| now.saturating_duration_since(ended) >= self.manners.quiet);
                quiet && (self.agent_began.is_some() || self.unprompted) || self.out_of_patience(now)
            }
        }
    }

    fn out_of_patience(&self, now: Instant) -> bool {
        let Doing::Listening { since } = self.doing else { return false };
        let dead_since = self.agent_ended.map_or(since, |ended| ended.max(since));
        now.saturating_duration_since(dead_since) >= self.manners.patience
    }

    fn listen(&mut self, now: Instant) {
        self.doing = Doing::Listening { since: now };
        self.agent_began = None;
    }

    fn speak(&mut self, now: Instant, line: Rendered) {
        self.begin_turn(now, line.text.clone());
        let spoken = ear::spoken_length(&line.samples);
        self.doing = Doing::Speaking { line, at: 0, spoken };
    }

    fn begin_turn(&mut self, now: Instant, said: String) {
        let over_agent = self.agent_ended.is_some_and(|ended| now.saturating_duration_since(ended) < Self::BREATH);
        self.unprompted = false;
        self.turns.push(CallerTurn { said, began: now, ended: None, answered: None, over_agent });
    }

    fn end_turn(&mut self, ended: Instant) {
        if let Some(turn) = self.turns.last_mut() {
            turn.ended = Some(ended);
        }
    }

    fn next_frame(&mut self, now: Instant) -> [i16; FRAME_SAMPLES] {
        let Doing::Speaking { line, at, spoken } = &mut self.doing else {
            return std::array::from_fn(|_| self.room.next().unwrap_or_default());
        };
        let from = *at;
        *at += FRAME_SAMPLES;
        let (ends_here, over) = ((from..*at).contains(&spoken.saturating_sub(1)), *at >= line.samples.len());
        let last_sound = *spoken;
        let rest = line.samples.get(from..).unwrap_or_default();
        let frame = std::array::from_fn(|index| rest.get(index).copied().unwrap_or_default());
        if ends_here {
            // the frame ends at `now`, so its first sample was spoken one frame earlier
            self.end_turn(now - FRAME + at_samples(last_sound - from.min(last_sound)));
        }
        if over {
            self.listen(now);
        }
        frame
    }
}

fn at_samples(samples: usize) -> Duration {
    SampleRate::HZ_8000.duration_of(samples as u64)
}

#[cfg(test)]
mod tests;
