//! A caller who speaks in groups with pauses, heard by a detector and a recogniser of stated delays.

use std::time::{Duration, Instant};

use tandem_domain::agent::Timing;
use tandem_domain::endpointing::{Endpointing, Expects};
use tandem_domain::ids::TurnId;
use tandem_domain::port::stt::Covers;
use tandem_domain::turn::{Committed, TurnAction, Turns};

/// The detector says that speech has ended so long after it did.
pub(crate) const HANGOVER: Duration = ms(200);
/// The recogniser settles the words so long after it was asked.
const RECOGNITION: Duration = ms(120);
/// Length of a spoken word.
const WORD: Duration = ms(320);

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
fn origin() -> Instant {
    Instant::now()
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ended {
    /// After so many groups.
    pub(crate) groups: usize,
    /// From the end of the speech to the commit.
    pub(crate) delay: Duration,
}

/// A call in which only the caller speaks.
pub(crate) struct Caller {
    pub(crate) turns: Turns,
    pub(crate) now: Instant,
    at: u64,
}

impl Caller {
    pub(crate) fn new(timing: &Timing, language: &str, expects: Option<Expects>) -> Self {
        let mut endpointing = Endpointing::new(timing, language);
        endpointing.expect(expects);
        Self { turns: Turns::new(endpointing), now: origin(), at: 0 }
    }

    /// Speaks `groups` with these pauses between them until the turn ends, which it must within a minute of the last.
    pub(crate) fn speaks(&mut self, groups: &[&str], pauses: &[Duration]) -> Ended {
        let mut text = String::new();
        for (i, group) in groups.iter().enumerate() {
            self.begins();
            self.now += WORD * group.split_whitespace().count() as u32;
            let ended = self.now;
            text = format!("{text} {group}");
            let until = ended + pauses.get(i).copied().unwrap_or(ms(60_000));
            if let Some((at, _)) = self.pauses(ended, &text, until) {
                self.turns.reply_heard();
                return Ended { groups: i + 1, delay: at - ended };
            }
            self.now = until;
        }
        panic!("the turn never ended: {text}");
    }

    /// Begins to speak.
    pub(crate) fn begins(&mut self) {
        self.at += 8_000;
        assert_eq!(self.turns.speech_started(self.at, self.now, false), None, "nothing was committed");
        assert_eq!(self.turns.handle_timeout(self.now), None, "no commit under the caller's speech");
    }

    /// Is silent from `ended` to `until`; the commit, if there is one.
    pub(crate) fn pauses(&mut self, ended: Instant, text: &str, until: Instant) -> Option<(Instant, Committed)> {
        let heard_end = ended + HANGOVER;
        if heard_end >= until {
            return None; // the detector bridges it
        }
        self.at += 8_000;
        let asked = self.turns.speech_ended(heard_end, self.at, ended, false);
        let Some(TurnAction::Transcribe { turn, to, .. }) = asked else { panic!("the words are not asked for") };
        let settled = heard_end + RECOGNITION;
        if settled >= until {
            return None;
        }
        self.settles(settled, turn, to, text).or_else(|| {
            let due = self.turns.poll_timeout().unwrap();
            if due >= until {
                return None;
            }
            committed(due, self.turns.handle_timeout(due))
        })
    }

    fn settles(&mut self, at: Instant, turn: TurnId, to: u64, text: &str) -> Option<(Instant, Committed)> {
        committed(at, self.turns.transcript(at, turn, to, text, None, Covers::WholeTurn))
    }
}

fn committed(at: Instant, action: Option<TurnAction>) -> Option<(Instant, Committed)> {
    match action {
        Some(TurnAction::Commit(turn)) => Some((at, turn)),
        None => None,
        other => panic!("{other:?}"),
    }
}
