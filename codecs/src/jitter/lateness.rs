//! How late packets are, against the fastest of late, and what delay would have been enough for them.
//!
//! Place: inside the jitter buffer. All in samples, which are also the unit of its clock here.

use std::collections::VecDeque;
use std::time::Duration;

use super::{LEAST_TARGET, MARGIN, MOST_TARGET};
use crate::frame::SampleRate;

/// The fastest packet is looked for in so many stretches of [`STRETCH`]: a sender that is 200 ppm slow is 1.6 ms behind after all of them.
const STRETCHES: usize = 8;
const STRETCH: Duration = Duration::from_secs(1);
/// Packets whose lateness is remembered: ten seconds of 20 ms.
const REMEMBERED: usize = 512;
/// The target is computed anew after so many.
const EVERY: usize = 8;

#[derive(Clone, Debug)]
pub(super) struct Lateness {
    stretch: i64,
    least_target: i64,
    most_target: i64,
    margin: i64,
    /// For each stretch of time the least transit in it: arrival less place.
    fastest: VecDeque<(i64, i64)>,
    /// Transits and places, newest last.
    seen: VecDeque<(i64, i64)>,
    since_target: usize,
    target: i64,
}

impl Lateness {
    pub(super) fn new(rate: SampleRate) -> Self {
        let samples = |duration| rate.samples_in(duration) as i64;
        Self {
            stretch: samples(STRETCH).max(1),
            least_target: samples(LEAST_TARGET),
            most_target: samples(MOST_TARGET),
            margin: samples(MARGIN),
            fastest: VecDeque::new(),
            seen: VecDeque::new(),
            since_target: 0,
            target: samples(LEAST_TARGET),
        }
    }

    /// For a new timeline over the same network: what was learnt of its jitter holds, where packets stood does not.
    pub(super) fn again(&self) -> Self {
        Self { fastest: VecDeque::new(), seen: VecDeque::new(), since_target: 0, ..self.clone() }
    }

    /// How much later something at `place` is, or would be played, at `now` than the fastest packet had allowed.
    pub(super) fn of(&self, now: i64, place: i64) -> i64 {
        now - place - self.fastest.iter().map(|(_, transit)| *transit).min().unwrap_or(now - place)
    }

    /// The delay that would have been enough, in samples.
    pub(super) fn target(&self) -> u64 {
        self.target as u64
    }

    /// Whether a packet of that place was learnt of.
    pub(super) fn was_seen(&self, place: i64) -> bool {
        self.seen.iter().rev().any(|(_, seen)| *seen == place)
    }

    pub(super) fn learn(&mut self, now: i64, place: i64) {
        let transit = now - place;
        let stretch = now / self.stretch;
        match self.fastest.back_mut() {
            Some((last, least)) if *last == stretch => *least = transit.min(*least),
            _ => self.fastest.push_back((stretch, transit)),
        }
        while self.fastest.front().is_some_and(|(oldest, _)| stretch - oldest >= STRETCHES as i64) {
            self.fastest.pop_front();
        }
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back((transit, place));
        self.since_target += 1;
        // One late packet at once asks for more; that less will do has time.
        if self.since_target >= EVERY || self.of(now, place) + self.margin > self.target {
            self.since_target = 0;
            self.target = self.needed();
        }
    }

    /// What all but the latest of the packets needed.
    fn needed(&self) -> i64 {
        let fastest = self.fastest.iter().map(|(_, transit)| *transit).min().unwrap_or(0);
        let (mut most, mut second) = (0, 0);
        for (transit, _) in &self.seen {
            let late = transit - fastest;
            (most, second) = if late > most { (late, most) } else { (most, second.max(late)) };
        }
        (second + self.margin).clamp(self.least_target, self.most_target)
    }
}
