//! A caller of the load: says a line when the agent has finished or 0.6 s after it began, and notes when it was answered.
//!
//! Told the time and what was heard, 20 ms at a time. "The agent has finished" means that something was heard since our own last word, and
//! then nothing for [`QUIET`]. An answer is the first sound behind our last one that follows [`BREATH`] of silence, so the rest of a sentence
//! that we interrupted is none.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::FRAME;
use super::lines::Line;
use super::playback::Heard;

/// Silence after which the agent counts as finished.
const QUIET: Duration = Duration::from_millis(700);
/// Silence that separates an answer from what was said before.
const BREATH: Duration = Duration::from_millis(100);
/// An interruption begins so long after the agent did.
const INTERRUPT_AFTER: Duration = Duration::from_millis(600);
/// Dead air after which a turn counts as lost, and the caller goes on.
pub(super) const LOST: Duration = Duration::from_secs(8);

/// What the caller does next.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Says a line when the agent has finished.
    Say(Arc<Line>),
    /// Says it while the agent speaks.
    Interrupt(Arc<Line>),
    /// Hangs up when the agent has finished. Without it the caller stays until the agent does.
    HangUp,
}

/// What goes into the telephone.
#[derive(Debug, Clone)]
pub(super) enum Frame {
    /// Nobody speaks.
    Room,
    /// This part of a line.
    Line(Arc<Line>, usize),
}

/// What became of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It was answered so long after the caller's last sound.
    Answered(Duration),
    /// The agent opened the call, so long after the stream began.
    Greeted(Duration),
    /// Nothing was heard for [`LOST`].
    Lost,
}

/// 20 ms of the caller.
#[derive(Debug)]
pub(super) struct Tick {
    pub(super) frame: Frame,
    /// With this frame the caller's voice begins over the agent's.
    pub(super) interrupts: bool,
    pub(super) turn: Option<Turn>,
    pub(super) hangs_up: bool,
}

/// For what the caller waits.
#[derive(Debug, Clone, Copy)]
enum Waiting {
    Greeting { since: Instant },
    Answer { since: Instant },
}

#[derive(Debug)]
struct Speaking {
    line: Arc<Line>,
    next: usize,
    interrupting: bool,
}

#[derive(Debug)]
pub(super) struct Caller {
    script: VecDeque<Step>,
    speaking: Option<Speaking>,
    waiting: Option<Waiting>,
    listening_since: Instant,
    /// First agent sound since our own last go, and the end of the last.
    agent_began: Option<Instant>,
    agent_ended: Option<Instant>,
}

impl Caller {
    /// A caller who is connected at `now`.
    pub(super) fn new(script: impl IntoIterator<Item = Step>, now: Instant) -> Self {
        Self {
            script: script.into_iter().collect(),
            speaking: None,
            waiting: Some(Waiting::Greeting { since: now }),
            listening_since: now,
            agent_began: None,
            agent_ended: None,
        }
    }

    /// Hears 20 ms that begin at `now`, and does the 20 ms that end at `now`.
    pub(super) fn tick(&mut self, now: Instant, heard: Heard) -> Tick {
        let answered = self.hear(now, heard);
        let turn = answered.or_else(|| self.give_up(now));
        let hangs_up = self.speaking.is_none() && self.decide(now);
        let (frame, interrupts) = self.frame(now);
        Tick { frame, interrupts, turn, hangs_up }
    }

    fn hear(&mut self, now: Instant, heard: Heard) -> Option<Turn> {
        let (first, last) = heard.sound?;
        let began = now + first;
        let fresh = self.agent_ended.is_none_or(|ended| began.saturating_duration_since(ended) >= BREATH);
        self.agent_ended = Some(now + last);
        if !fresh {
            return None;
        }
        self.agent_began.get_or_insert(began);
        match self.waiting? {
            Waiting::Greeting { since } => {
                self.waiting = None;
                Some(Turn::Greeted(began.saturating_duration_since(since)))
            }
            Waiting::Answer { since } if began >= since => {
                self.waiting = None;
                Some(Turn::Answered(began - since))
            }
            Waiting::Answer { .. } => None,
        }
    }

    fn give_up(&mut self, now: Instant) -> Option<Turn> {
        let (Waiting::Greeting { since } | Waiting::Answer { since }) = self.waiting?;
        if now.saturating_duration_since(since) < LOST {
            return None;
        }
        self.waiting = None;
        Some(Turn::Lost)
    }

    /// Takes the next step if its moment has come; whether it is to hang up.
    fn decide(&mut self, now: Instant) -> bool {
        let Some(step) = self.script.front() else { return false };
        let silent_since = self.agent_ended.map_or(self.listening_since, |ended| ended.max(self.listening_since));
        let silent = now.saturating_duration_since(silent_since);
        let due = match step {
            Step::Say(_) | Step::HangUp => self.agent_began.is_some() && silent >= QUIET,
            Step::Interrupt(_) => self.agent_began.is_some_and(|began| now >= began + INTERRUPT_AFTER),
        };
        if !due && silent < LOST {
            return false;
        }
        let (line, interrupting) = match self.script.pop_front() {
            Some(Step::Say(line)) => (line, false),
            Some(Step::Interrupt(line)) => (line, true),
            Some(Step::HangUp) => return true,
            None => return false,
        };
        self.speaking = Some(Speaking { line, next: 0, interrupting });
        false
    }

    fn frame(&mut self, now: Instant) -> (Frame, bool) {
        let Some(Speaking { line, next, interrupting }) = &mut self.speaking else { return (Frame::Room, false) };
        let at = *next;
        *next += 1;
        let speaks = self.agent_ended.is_some_and(|ended| now.saturating_duration_since(ended) < BREATH);
        let interrupts = *interrupting && at == line.first_voiced && speaks;
        let frame = Frame::Line(Arc::clone(line), at);
        if *next >= line.payloads.len() {
            // the frame ends at `now`, so the line began its length earlier
            let began = now.checked_sub(FRAME * line.payloads.len() as u32).unwrap_or(now);
            self.waiting = Some(Waiting::Answer { since: began + line.spoken });
            (self.listening_since, self.agent_began, self.speaking) = (now, None, None);
        }
        (frame, interrupts)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Half a second, sound from 100 to 450 ms.
    fn line() -> Arc<Line> {
        Arc::new(Line { payloads: vec!["".into(); 25].into(), first_voiced: 5, spoken: ms(450) })
    }

    /// Runs a caller against an agent who speaks from and to these ms: what happened, with its time.
    fn run(script: Vec<Step>, agent: &[(u64, u64)], until: u64) -> Vec<(u64, String)> {
        let origin = super::super::now();
        let (mut caller, mut events) = (Caller::new(script, origin), Vec::new());
        let mut speaking = false;
        for at in (0..until).step_by(20) {
            let sound = agent.iter().any(|&(from, to)| (from..to).contains(&at)).then_some((ms(0), ms(20)));
            let tick = caller.tick(origin + ms(at), Heard { sound });
            let speaks = matches!(tick.frame, Frame::Line(..));
            if speaks && !speaking {
                events.push((at, "speaks".to_owned()));
            }
            speaking = speaks;
            if tick.interrupts {
                events.push((at, "interrupts".to_owned()));
            }
            events.extend(tick.turn.map(|turn| (at, format!("{turn:?}"))));
            if tick.hangs_up {
                events.push((at, "hangs up".to_owned()));
                break;
            }
        }
        events
    }

    fn named(events: &[(u64, String)]) -> Vec<(u64, &str)> {
        events.iter().map(|(at, what)| (*at, what.as_str())).collect()
    }

    #[test]
    fn speaks_when_the_agent_has_finished_and_measures_the_answer() {
        let events = run(vec![Step::Say(line()), Step::HangUp], &[(100, 1_000), (3_000, 3_500)], 6_000);
        // the line's first frame ends at 1,700, so it began at 1,680 and its last sound was at 2,130
        assert_eq!(
            named(&events),
            [(100, "Greeted(100ms)"), (1_700, "speaks"), (3_000, "Answered(870ms)"), (4_200, "hangs up")]
        );
    }

    #[test]
    fn an_interruption_begins_over_the_agent_and_its_rest_is_no_answer() {
        let events = run(vec![Step::Interrupt(line())], &[(100, 900), (1_600, 2_000)], 3_000);
        let expected = [(100, "Greeted(100ms)"), (700, "speaks"), (800, "interrupts"), (1_600, "Answered(470ms)")];
        assert_eq!(named(&events), expected);
    }

    #[test]
    fn a_line_that_comes_too_late_interrupts_nobody() {
        let events = run(vec![Step::Interrupt(line())], &[(100, 300)], 2_000);
        assert_eq!(named(&events), [(100, "Greeted(100ms)"), (700, "speaks")]);
    }

    #[test]
    fn dead_air_is_a_lost_turn_and_the_caller_goes_on() {
        let events = run(vec![Step::Say(line()), Step::Say(line())], &[(100, 200)], 12_000);
        let expected = [(100, "Greeted(100ms)"), (900, "speaks"), (9_340, "Lost"), (9_380, "speaks")];
        assert_eq!(named(&events), expected);
        assert_eq!(named(&run(Vec::new(), &[], 9_000)), [(8_000, "Lost")], "the greeting counts too");
    }
}
