//! Audio messages that say when they were made, put in order: what comes twice is given once, what was overtaken is waited for.
//!
//! Place: behind the decoder of a leg whose messages carry a media time, before [`crate::late`]. TCP keeps order, so what is out of order here
//! left its carrier so. RTP has [`crate::jitter`]. Not here: what stands in for audio that never comes.
//!
//! ```text
//! came    1   2   4   3   5   5   6   8   9  10          in messages of 20 ms
//! given   1   2       34  5       6          ─89 10      ─ missing, given up after 40 ms
//!                 └held        └again
//! ```
//!
//! A stream in order passes untouched and at once. A time is believed only while times and samples agree: after [`TRUSTED_AFTER`] messages in a
//! row that follow one another to 10 ms. Some senders write the wall's clock there, or always the same; theirs are passed as they come. More than
//! [`JUMP`] off, or [`BEHIND_IN_A_ROW`] messages of the past that follow one another, is a new
//! count of the sender's, and goes on at once.
//!
//! Bounded: [`MOST_HELD`] messages wait, two messages' length at most, and no less than [`WAIT`].

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::frame::SampleRate;

/// How long a message waits for one that it has overtaken: as long as two messages of 20 ms. Longer ones wait for two of theirs.
pub const WAIT: Duration = Duration::from_millis(40);
/// How far a message's time may be from where the stream stands.
pub const JUMP: Duration = Duration::from_millis(500);
/// So many messages whose times follow one another make the times worth believing.
pub const TRUSTED_AFTER: u32 = 5;
/// So many messages of the past in a row are a new count.
pub const BEHIND_IN_A_ROW: u32 = 3;
/// Messages that wait at most.
pub const MOST_HELD: usize = 8;
/// Half of the shortest message that carriers send: what is nearer follows.
const NEAR: Duration = Duration::from_millis(10);

/// What to do with a message that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is next: give it, and then what is [`ready`](InOrder::ready).
    Next,
    /// It was kept; look at what is [`ready`](InOrder::ready).
    Held,
    /// Its time was given already, or given up: leave it out.
    Past,
}

/// What is due, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A message that had waited.
    Audio(Vec<i16>),
    /// So much has not come, and is waited for no longer.
    Missing(Duration),
}

/// The order of one stream.
#[derive(Clone, Debug)]
pub struct InOrder {
    rate: SampleRate,
    /// The media time that follows what was given.
    next: Option<Duration>,
    /// Messages in a row whose times followed.
    followed: u32,
    /// Messages of the past in a row that follow one another, and the media time that follows the last of them.
    behind: Option<(u32, Duration)>,
    /// By media time; with each when it came.
    held: BTreeMap<Duration, (Duration, Vec<i16>)>,
    due: VecDeque<Piece>,
}

impl InOrder {
    /// For audio of this rate.
    pub fn new(rate: SampleRate) -> Self {
        Self { rate, next: None, followed: 0, behind: None, held: BTreeMap::new(), due: VecDeque::new() }
    }

    /// A message came, at `now` on any clock of ours that does not go back, with the media time of its first sample, where it has one.
    pub fn came(&mut self, now: Duration, at: Option<Duration>, samples: &[i16]) -> Place {
        let Some(at) = at else { return Place::Next };
        let Some(next) = self.next else { return self.follow(at, samples) };
        if at.abs_diff(next) <= NEAR {
            self.followed = self.followed.saturating_add(1);
            self.behind = None;
            return self.follow(at, samples);
        }
        if self.followed < TRUSTED_AFTER {
            self.followed = 0;
            return self.follow(at, samples);
        }
        if at.abs_diff(next) > JUMP {
            return self.anew(at, samples);
        }
        if at < next {
            return self.past(at, samples);
        }
        if self.held.contains_key(&at) {
            return Place::Past;
        }
        self.behind = None;
        self.held.insert(at, (now, samples.to_vec()));
        Place::Held
    }

    /// What is due at `now`. Asked until there is no more.
    pub fn ready(&mut self, now: Duration) -> Option<Piece> {
        if let Some(piece) = self.due.pop_front() {
            return Some(piece);
        }
        loop {
            let (&at, _) = self.held.first_key_value()?;
            let next = self.next.unwrap_or(at);
            if at > next + NEAR {
                let waited = self.poll_timeout().is_some_and(|due| now >= due);
                if !waited && self.held.len() <= MOST_HELD {
                    return None;
                }
                self.next = Some(at);
                return Some(Piece::Missing(at - next));
            }
            let (_, samples) = self.held.remove(&at)?;
            if at + NEAR < next {
                continue; // its time was given meanwhile
            }
            self.follow(at, &samples);
            return Some(Piece::Audio(samples));
        }
    }

    /// When to ask for what is [`ready`](Self::ready), if nothing comes; `None` while nothing waits.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let (_, (_, samples)) = self.held.first_key_value()?;
        let two = self.rate.duration_of(2 * samples.len() as u64);
        self.since().map(|since| since + two.max(WAIT))
    }

    /// Since when the message waits that came first.
    fn since(&self) -> Option<Duration> {
        self.held.values().map(|(came, _)| *came).min()
    }

    fn follow(&mut self, at: Duration, samples: &[i16]) -> Place {
        self.next = Some(at + self.rate.duration_of(samples.len() as u64));
        Place::Next
    }

    /// A message of a time that is over: a copy, a straggler, or the sender counts anew.
    fn past(&mut self, at: Duration, samples: &[i16]) -> Place {
        let before = self.behind.filter(|(_, next)| at.abs_diff(*next) <= NEAR).map_or(0, |(count, _)| count);
        if before + 1 == BEHIND_IN_A_ROW {
            return self.anew(at, samples);
        }
        self.behind = Some((before + 1, at + self.rate.duration_of(samples.len() as u64)));
        Place::Past
    }

    /// The sender counts anew: what waits is given first, and the new count has to earn its trust.
    fn anew(&mut self, at: Duration, samples: &[i16]) -> Place {
        (self.followed, self.behind) = (0, None);
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return self.follow(at, samples);
        }
        self.due.extend(held.into_values().map(|(_, samples)| Piece::Audio(samples)));
        self.due.push_back(Piece::Audio(samples.to_vec()));
        self.follow(at, samples);
        Place::Held
    }
}
