//! Both directions of a call as one stereo stream on the call's clock: left the caller, right the agent.
//!
//! ```text
//! caller   frames, with the moment at which each was in ───────┐
//! agent    audio, with the moment from which it is heard ──────┼─► base ······ settled ······ newest ─► take
//! gate     withheld from this moment on, admitted from that ───┘
//! ```
//!
//! Moments are positions: samples since the call began, by the call's clock, the same for both sides. So the stream is as long as the call,
//! whatever came when, and nothing in it drifts:
//!
//! - What the agent says stands where it is *heard*; what a `clear` took away before it was heard is taken out again.
//! - A caller's audio that stalls and then comes in a burst was spoken in the meantime, and is laid back into the gap. Audio that never comes
//!   leaves silence. Which of the two it was shows when the next frames are in: until then the stream waits, at most [`MOST_STALL`].
//! - While the gate is shut, both sides are digital silence, to the sample.
//!
//! Place: the heart of a recorder, which brings clock, lanes and files. Pure, and bounded: some seconds of audio, whatever it is told.
//! Not here: consent, formats.

use std::collections::VecDeque;
use std::time::Duration;

use crate::frame::SampleRate;

/// Kept back of the agent's audio: it may still be cleared, and reaches us a moment after it was due.
const HOLD: Duration = Duration::from_millis(200);
/// How long a caller's audio may be overdue before its next frame is taken to begin anew. Less is a network's delay.
const SLACK: Duration = Duration::from_millis(250);
/// Audio that begins anew may be laid back by what follows within this.
const SETTLE: Duration = Duration::from_secs(1);
/// Longest stall whose audio is still laid back.
pub const MOST_STALL: Duration = Duration::from_secs(5);
/// How far a caller's audio may run ahead of our clock: two clocks are never the same, and the first message may hold more than has passed.
const AHEAD: Duration = Duration::from_millis(200);
/// A caller's audio that was overdue by more than [`CREEP`] all through one window has lost that much.
const WINDOW: Duration = Duration::from_secs(2);
const CREEP: Duration = Duration::from_millis(60);
/// Most that is kept, from the oldest sample to the newest.
const MOST_KEPT: Duration = Duration::from_secs(8);
/// Most that is taken at once.
const MOST_AT_ONCE: Duration = Duration::from_secs(1);
/// Times that the gate may move between two takes; the last move holds.
const MOST_CHANGES: usize = 64;

const CALLER: usize = 0;
const AGENT: usize = 1;

/// The stream of one call.
#[derive(Debug)]
pub struct Stereo {
    samples: Lengths,
    /// Position of the first pair that is kept.
    base: u64,
    pairs: VecDeque<[i16; 2]>,
    caller: Caller,
    open: bool,
    /// Moves of the gate at and after `base`, oldest first.
    changes: VecDeque<(u64, bool)>,
}

/// The lengths above, in samples.
#[derive(Debug, Clone, Copy)]
struct Lengths {
    hold: u64,
    slack: u64,
    settle: u64,
    stall: u64,
    ahead: u64,
    window: u64,
    creep: u64,
    kept: usize,
    at_once: u64,
}

/// Where the caller's audio goes.
#[derive(Debug, Default)]
struct Caller {
    /// Position of the next frame, if nothing is missing before it.
    next: u64,
    island: Option<Island>,
    begun: bool,
    /// Least that was overdue in this window.
    overdue: Option<u64>,
    window_ends: u64,
}

/// Audio up to `next` that began anew after a gap, and may yet turn out to belong further back.
#[derive(Debug)]
struct Island {
    /// Where the audio before the gap ends.
    after: u64,
    at: u64,
    /// When its first frame was in.
    born: u64,
}

impl Stereo {
    /// With the gate open.
    pub fn new(rate: SampleRate) -> Self {
        let samples = |time: Duration| rate.samples_in(time) as u64;
        Self {
            samples: Lengths {
                hold: samples(HOLD),
                slack: samples(SLACK),
                settle: samples(SETTLE),
                stall: samples(MOST_STALL),
                ahead: samples(AHEAD),
                window: samples(WINDOW),
                creep: samples(CREEP),
                kept: samples(MOST_KEPT) as usize,
                at_once: samples(MOST_AT_ONCE),
            },
            base: 0,
            pairs: VecDeque::new(),
            caller: Caller::default(),
            open: true,
            changes: VecDeque::new(),
        }
    }

    /// Pairs that were taken: the position of the next one.
    pub fn taken(&self) -> u64 {
        self.base
    }

    /// A frame of the caller's, whose last sample was in at `arrived`.
    pub fn caller(&mut self, arrived: u64, frame: &[i16]) {
        let (length, limits) = (frame.len() as u64, self.samples);
        let caller = &mut self.caller;
        if caller.island.as_ref().is_some_and(|island| arrived >= island.born + limits.settle) {
            caller.island = None;
        }
        let end = caller.next + length;
        if !caller.begun || arrived > end + limits.slack {
            caller.begun = true;
            let at = arrived.saturating_sub(length).max(caller.next);
            caller.island = (at > caller.next).then_some(Island { after: caller.next, at, born: arrived });
            (caller.next, caller.overdue, caller.window_ends) = (at, None, arrived + limits.window);
        } else if end > arrived {
            self.lay_back(end - arrived);
        }
        let next = self.caller.next;
        let room = (arrived + limits.ahead).saturating_sub(next).min(length); // beyond is a clock that runs too fast
        self.write(CALLER, next, &frame[..room as usize]);
        self.caller.next += room;
        self.creep(arrived);
    }

    /// Audio of the agent's that is heard from `at` on, in place of what was there.
    pub fn agent(&mut self, at: u64, audio: &[i16]) {
        self.write(AGENT, at, audio);
    }

    /// What was said by the agent for `at` and later is not heard.
    pub fn agent_cleared(&mut self, at: u64) {
        let from = at.saturating_sub(self.base).min(self.pairs.len() as u64) as usize;
        for pair in self.pairs.range_mut(from..) {
            pair[AGENT] = 0;
        }
    }

    /// From `at` on, what is heard goes into the stream, or silence does. Moves are in the order of time.
    pub fn gate(&mut self, at: u64, open: bool) {
        let newest = self.changes.back().map_or(self.base, |(at, _)| *at);
        let at = at.max(newest);
        if self.changes.back().is_some_and(|(last, _)| *last == at) || self.changes.len() == MOST_CHANGES {
            self.changes.pop_back();
        }
        self.changes.push_back((at, open));
    }

    /// Appends what is settled at `now` to `out`, in pairs, at most a second of it; `true` if there is more.
    pub fn take(&mut self, now: u64, out: &mut Vec<i16>) -> bool {
        let heard = match &self.caller.island {
            Some(island) if now < island.born + self.samples.settle => island.after,
            _ => self.caller.next,
        };
        let heard = heard.max(now.saturating_sub(self.samples.stall));
        self.take_until(now.saturating_sub(self.samples.hold).min(heard), out)
    }

    /// As [`Self::take`], of all up to `length`, where the call ended.
    pub fn finish(&mut self, length: u64, out: &mut Vec<i16>) -> bool {
        self.take_until(length, out)
    }

    fn take_until(&mut self, end: u64, out: &mut Vec<i16>) -> bool {
        let until = end.min(self.base + self.samples.at_once);
        while self.base < until {
            while let Some((_, open)) = self.changes.pop_front_if(|(at, _)| *at <= self.base) {
                self.open = open;
            }
            let run = self.changes.front().map_or(until, |(at, _)| until.min(*at)) - self.base;
            let kept = self.pairs.len().min(run as usize);
            let filled = out.len() + 2 * run as usize;
            if self.open {
                let (front, back) = self.pairs.as_slices();
                let (in_front, in_back) = (kept.min(front.len()), kept.saturating_sub(front.len()));
                out.extend_from_slice(front[..in_front].as_flattened());
                out.extend_from_slice(back[..in_back].as_flattened());
            }
            self.pairs.drain(..kept);
            out.resize(filled, 0);
            self.base += run;
        }
        if self.pairs.capacity() > 4 * self.pairs.len().max(4_096) {
            self.pairs.shrink_to(2 * self.pairs.len());
        }
        self.base < end
    }

    /// Lays the island back by up to `by`.
    fn lay_back(&mut self, by: u64) {
        let Some(island) = &mut self.caller.island else { return };
        let by = by.min(island.at.saturating_sub(island.after.max(self.base)));
        if by == 0 {
            return;
        }
        let from = (island.at - self.base) as usize;
        let to = ((self.caller.next - self.base) as usize).min(self.pairs.len());
        let pairs = self.pairs.make_contiguous();
        for index in from..to {
            pairs[index - by as usize][CALLER] = pairs[index][CALLER];
        }
        for pair in pairs[..to].iter_mut().skip(to.saturating_sub(by as usize).max(from - by as usize)) {
            pair[CALLER] = 0;
        }
        island.at -= by;
        self.caller.next -= by;
        if island.at <= island.after {
            self.caller.island = None;
        }
    }

    /// Audio that stays overdue has lost something that no burst will bring.
    fn creep(&mut self, arrived: u64) {
        let caller = &mut self.caller;
        let overdue = arrived.saturating_sub(caller.next);
        let least = caller.overdue.map_or(overdue, |least| least.min(overdue));
        caller.overdue = Some(least);
        if arrived >= caller.window_ends {
            if least > self.samples.creep {
                caller.next += least;
            }
            (caller.overdue, caller.window_ends) = (None, arrived + self.samples.window);
        }
    }

    /// Later than taken is too late; further ahead than can be kept is no position.
    fn write(&mut self, channel: usize, at: u64, audio: &[i16]) {
        let late = usize::try_from(self.base.saturating_sub(at)).unwrap_or(usize::MAX);
        let Some(audio) = audio.get(late..) else { return };
        let from = usize::try_from(at.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let Some(end) = from.checked_add(audio.len()).filter(|end| *end <= self.samples.kept) else { return };
        if self.pairs.len() < end {
            self.pairs.resize(end, [0; 2]);
        }
        for (pair, sample) in self.pairs.range_mut(from..).zip(audio) {
            pair[channel] = *sample;
        }
    }
}

#[cfg(test)]
mod tests;
