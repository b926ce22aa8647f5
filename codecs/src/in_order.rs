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
//! row that follow one another to 10 ms. Some senders write the wall's clock there, or always the same, or round; some do so after a while.
//! Theirs are passed as they come: a time that cannot be is a reason to stop believing times, never to lose what a caller said. Left out is
//!
//! - a copy: a message of a time and of samples that were given already, one of the last [`REMEMBERED`],
//! - a straggler: a message whose place was told as missing, and as much of them at most.
//!
//! Anything else of a time that is over, more than [`JUMP`] off, or the [`PASTS_IN_A_ROW`]th of them in a row (silence with a time that
//! stands still looks like copies) is a new count of the sender's: it is given at once, and times have to earn their trust again.
//!
//! Bounded: [`MOST_HELD`] messages wait, two messages' length, no less than [`WAIT`] and no more than [`LONGEST_WAIT`].

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::frame::SampleRate;

/// How long a message waits for one that it has overtaken: as long as two messages of 20 ms. Longer ones wait for two of theirs.
pub const WAIT: Duration = Duration::from_millis(40);
/// No message waits longer, however long it is.
pub const LONGEST_WAIT: Duration = Duration::from_millis(200);
/// How far a message's time may be from where the stream stands.
pub const JUMP: Duration = Duration::from_millis(500);
/// So many messages whose times follow one another make the times worth believing.
pub const TRUSTED_AFTER: u32 = 5;
/// So many copies and stragglers in a row are a new count. Three may be: of neighbours that were all doubled.
pub const PASTS_IN_A_ROW: u32 = 4;
/// Messages that wait at most.
pub const MOST_HELD: usize = 8;
/// Messages given of which a copy is known: 640 ms of the shortest that carriers send.
pub const REMEMBERED: usize = 32;
/// Holes given up of which a straggler is known.
const HOLES: usize = 4;
/// Half of the shortest message that carriers send: what is nearer follows. Of a message that is shorter, half of that.
const NEAR: Duration = Duration::from_millis(10);

/// What to do with a message that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is next: give it, and then what is [`ready`](InOrder::ready).
    Next,
    /// It was kept; look at what is [`ready`](InOrder::ready).
    Held,
    /// It was given already, or its place was given up: leave it out.
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
    /// Copies and stragglers since one came that followed.
    pasts: u32,
    /// Times and [prints](print) of what was given or left out last.
    recent: VecDeque<(Duration, u64)>,
    holes: VecDeque<Hole>,
    /// By media time; with each when it came.
    held: BTreeMap<Duration, (Duration, Vec<i16>)>,
    due: VecDeque<Piece>,
}

/// Media time told as missing.
#[derive(Clone, Debug)]
struct Hole {
    from: Duration,
    to: Duration,
    /// What has not been left out of it yet.
    left: Duration,
}

impl InOrder {
    /// For audio of this rate.
    pub fn new(rate: SampleRate) -> Self {
        Self {
            rate,
            next: None,
            followed: 0,
            pasts: 0,
            recent: VecDeque::with_capacity(REMEMBERED),
            holes: VecDeque::with_capacity(HOLES),
            held: BTreeMap::new(),
            due: VecDeque::new(),
        }
    }

    /// A message came, at `now` on any clock of ours that does not go back, with the media time of its first sample, where it has one.
    pub fn came(&mut self, now: Duration, at: Option<Duration>, samples: &[i16]) -> Place {
        let Some(at) = at else { return self.untimed(samples) };
        let Some(next) = self.next else { return self.follow(at, samples) };
        if at.abs_diff(next) <= self.near(samples) {
            (self.followed, self.pasts) = (self.followed.saturating_add(1), 0);
            return self.follow(at, samples);
        }
        if self.followed < TRUSTED_AFTER {
            self.followed = 0;
            return self.follow(at, samples);
        }
        if self.is_copy(at, samples) || self.is_straggler(at, samples) {
            self.pasts += 1;
            return if self.pasts < PASTS_IN_A_ROW { Place::Past } else { self.anew(at, samples) };
        }
        if at < next || at - next > JUMP || self.held.contains_key(&at) {
            return self.anew(at, samples);
        }
        self.held.insert(at, (now, samples.to_vec()));
        Place::Held
    }

    /// What is due at `now`. Asked until there is no more.
    pub fn ready(&mut self, now: Duration) -> Option<Piece> {
        if let Some(piece) = self.due.pop_front() {
            return Some(piece);
        }
        let (&at, (_, samples)) = self.held.first_key_value()?;
        let (near, next) = (self.near(samples), self.next.unwrap_or(at));
        if at > next + near {
            let waited = self.poll_timeout().is_some_and(|due| now >= due);
            if !waited && self.held.len() <= MOST_HELD {
                return None;
            }
            self.next = Some(at);
            remember(&mut self.holes, HOLES, Hole { from: next, to: at, left: at - next });
            return Some(Piece::Missing(at - next));
        }
        if at + near < next {
            self.give_up_on_times(); // its time was given meanwhile, and it is no copy
            return self.due.pop_front();
        }
        let (_, samples) = self.held.remove(&at)?;
        self.follow(at, &samples);
        Some(Piece::Audio(samples))
    }

    /// When to ask for what is [`ready`](Self::ready), if nothing comes; `None` while nothing waits.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let (_, (_, samples)) = self.held.first_key_value()?;
        let two = self.rate.duration_of(2 * samples.len() as u64);
        self.since().map(|since| since + two.clamp(WAIT, LONGEST_WAIT))
    }

    /// Since when the message waits that came first.
    fn since(&self) -> Option<Duration> {
        self.held.values().map(|(came, _)| *came).min()
    }

    fn length(&self, samples: &[i16]) -> Duration {
        self.rate.duration_of(samples.len() as u64)
    }

    fn near(&self, samples: &[i16]) -> Duration {
        NEAR.min(self.length(samples) / 2)
    }

    fn follow(&mut self, at: Duration, samples: &[i16]) -> Place {
        self.next = Some(at + self.length(samples));
        remember(&mut self.recent, REMEMBERED, (at, print(samples)));
        Place::Next
    }

    /// A message without a time is where the stream stands. If something waits there for another, nobody can tell which of them is first.
    fn untimed(&mut self, samples: &[i16]) -> Place {
        if self.held.is_empty() {
            self.next = self.next.map(|next| next + self.length(samples));
            return Place::Next;
        }
        self.give_up_on_times();
        self.due.push_back(Piece::Audio(samples.to_vec()));
        self.next = None;
        Place::Held
    }

    fn is_copy(&self, at: Duration, samples: &[i16]) -> bool {
        let waits = self.held.get(&at).is_some_and(|(_, held)| held == samples);
        waits || self.recent.contains(&(at, print(samples)))
    }

    /// Whether the message's place was given up. Its place is taken then.
    fn is_straggler(&mut self, at: Duration, samples: &[i16]) -> bool {
        let (length, near) = (self.length(samples), self.near(samples));
        let place = |hole: &&mut Hole| hole.from <= at + near && at + near <= hole.to && length <= hole.left + near;
        let Some(hole) = self.holes.iter_mut().find(place) else { return false };
        hole.left = hole.left.saturating_sub(length);
        remember(&mut self.recent, REMEMBERED, (at, print(samples)));
        true
    }

    /// The sender counts anew: what waits is given first, and the new count has to earn its trust.
    fn anew(&mut self, at: Duration, samples: &[i16]) -> Place {
        self.give_up_on_times();
        let place = self.follow(at, samples);
        if self.due.is_empty() {
            return place;
        }
        self.due.push_back(Piece::Audio(samples.to_vec()));
        Place::Held
    }

    /// What waits is due, and times are believed no longer.
    fn give_up_on_times(&mut self) {
        (self.followed, self.pasts) = (0, 0);
        self.recent.clear();
        self.holes.clear();
        for (at, (_, samples)) in std::mem::take(&mut self.held) {
            self.follow(at, &samples);
            self.due.push_back(Piece::Audio(samples));
        }
    }
}

/// Keeps the last so many.
fn remember<T>(kept: &mut VecDeque<T>, most: usize, new: T) {
    if kept.len() == most {
        kept.pop_front();
    }
    kept.push_back(new);
}

/// Tells samples from others.
fn print(samples: &[i16]) -> u64 {
    let mut hasher = DefaultHasher::new();
    samples.hash(&mut hasher);
    hasher.finish()
}
