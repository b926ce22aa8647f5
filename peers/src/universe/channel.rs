//! The line between two ends, one direction of it: what is sent comes out later, and perhaps not in order, twice or never.
//!
//! Sans-IO and generic over what is carried: the driver tells the time and asks what is due.
//!
//! ```text
//!  sent      a    b    c    d    e    f    g            20 ms apart
//!                      |<- stall ->|
//!  arrives     a     b             cde  f     g         WebSocket: TCP delays and bunches, nothing more
//!  arrives     a     b          d  ce   .    gg         RTP: overtaken, lost and doubled as well
//! ```
//!
//! A WebSocket's line keeps order and loses nothing, because TCP does; what a plan may ask of it is delay, jitter, stalls and a
//! carrier's trouble with marks. What the carrier itself mixes up is a [`Disorder`]. The far end's clock, which is neither end's fault, is a [`FarClock`]. Bits are never changed: what a
//! codec does to samples is [`Codec::pass`].

mod clock;
mod disorder;
mod loss;
mod plan;
mod stalls;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

pub use clock::FarClock;
pub use disorder::{Disorder, Disordering};
pub use loss::{Losing, Loss};
pub use plan::{ChannelPlan, Codec, Datagrams, LinePlan, MarkTrouble, Transport};
pub use stalls::Stalls;

use crate::dice::Dice;
use stalls::Stalling;

/// What a channel has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChannelCounts {
    /// Items handed in, marks included.
    pub sent: u64,
    /// Items handed out, copies included.
    pub delivered: u64,
    /// Items that never come.
    pub lost: u64,
    /// Items that come twice.
    pub duplicated: u64,
    /// Items that were taken out of the row, to be overtaken.
    pub reordered: u64,
    /// Marks that the carrier kept to itself.
    pub marks_lost: u64,
    /// Marks that the carrier sent late.
    pub marks_late: u64,
    /// Marks that the carrier sent under another name.
    pub marks_renamed: u64,
}

/// One direction of a line.
#[derive(Debug)]
pub struct Channel<T> {
    plan: ChannelPlan,
    delays: Dice,
    fates: Dice,
    losing: Losing,
    stalling: Stalling,
    /// When the last item that keeps its place arrives.
    row_ends: Option<Instant>,
    /// Tells items of one instant apart, in the order they were sent.
    next_number: u64,
    under_way: BinaryHeap<Reverse<Due<T>>>,
    /// Marks that the carrier has not sent yet.
    held_marks: BinaryHeap<Reverse<Due<T>>>,
    counts: ChannelCounts,
}

/// An item and when it arrives. Ordered by time, then by number.
#[derive(Debug)]
struct Due<T> {
    at: Instant,
    number: u64,
    item: T,
}

impl<T> PartialEq for Due<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Due<T> {}

impl<T> PartialOrd for Due<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Due<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl<T: Clone> Channel<T> {
    /// A channel that behaves by `plan`; the seed decides on every item.
    pub fn new(plan: ChannelPlan, seed: u64) -> Self {
        Self {
            delays: Dice::stream(seed, "channel delays"),
            fates: Dice::stream(seed, "channel fates"),
            losing: Losing::new(plan.loss(), Dice::stream(seed, "channel loss")),
            stalling: Stalling::new(plan.stalls, Dice::stream(seed, "channel stalls")),
            plan,
            row_ends: None,
            next_number: 0,
            under_way: BinaryHeap::new(),
            held_marks: BinaryHeap::new(),
            counts: ChannelCounts::default(),
        }
    }

    /// Hands an item in at `now`. Times must not run backwards.
    pub fn send(&mut self, now: Instant, item: T) {
        self.release_marks(now);
        self.counts.sent += 1;
        self.carry(now, item);
    }

    /// Hands in a mark, or what else a carrier says about its playback: it may be lost, late, or come back under a name that nobody
    /// gave (`rename`). A late one falls behind what is sent in the meantime.
    pub fn send_mark(&mut self, now: Instant, mark: T, rename: impl FnOnce(T) -> T) {
        self.release_marks(now);
        self.counts.sent += 1;
        let trouble = self.plan.marks;
        let fate = self.fates.unit();
        if fate < trouble.lost {
            self.counts.marks_lost += 1;
        } else if fate < trouble.lost + trouble.late {
            self.counts.marks_late += 1;
            let at = now + trouble.lateness.draw(&mut self.delays);
            let number = self.number();
            self.held_marks.push(Reverse(Due { at, number, item: mark }));
        } else if fate < trouble.lost + trouble.late + trouble.unknown {
            self.counts.marks_renamed += 1;
            self.carry(now, rename(mark));
        } else {
            self.carry(now, mark);
        }
    }

    /// What has arrived by `now`, in the order of arrival.
    pub fn poll(&mut self, now: Instant) -> Vec<T> {
        self.release_marks(now);
        let mut arrived = Vec::new();
        while self.under_way.peek().is_some_and(|Reverse(due)| due.at <= now) {
            arrived.extend(self.under_way.pop().map(|Reverse(due)| due.item));
        }
        self.counts.delivered += arrived.len() as u64;
        arrived
    }

    /// When to poll next; `None` while nothing is under way.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let at = |heap: &BinaryHeap<Reverse<Due<T>>>| heap.peek().map(|Reverse(due)| due.at);
        at(&self.under_way).into_iter().chain(at(&self.held_marks)).min()
    }

    /// What it has done so far.
    pub fn counts(&self) -> ChannelCounts {
        self.counts
    }

    /// Sends the marks that the carrier has held back until `now`, each at its own time.
    fn release_marks(&mut self, now: Instant) {
        while self.held_marks.peek().is_some_and(|Reverse(due)| due.at <= now) {
            if let Some(Reverse(due)) = self.held_marks.pop() {
                self.carry(due.at, due.item);
            }
        }
    }

    fn carry(&mut self, now: Instant, item: T) {
        let travel = self.plan.delay + self.plan.jitter.draw(&mut self.delays);
        let arrival = self.stalling.pass(now, now + travel);
        let Transport::Rtp(datagrams) = self.plan.transport else {
            return self.arrive_in_row(arrival, item);
        };
        if self.losing.loses() {
            self.counts.lost += 1;
            return;
        }
        if self.fates.chance(datagrams.duplicated) {
            self.counts.duplicated += 1;
            let copy_at = arrival + datagrams.copy_after;
            let number = self.number();
            self.under_way.push(Reverse(Due { at: copy_at, number, item: item.clone() }));
        }
        if self.fates.chance(datagrams.reordered) {
            self.counts.reordered += 1;
            let number = self.number();
            self.under_way.push(Reverse(Due { at: arrival + datagrams.reordered_by, number, item }));
        } else {
            self.arrive_in_row(arrival, item);
        }
    }

    /// Queues of a network keep their order: a packet that had less delay than the one before waits for it.
    fn arrive_in_row(&mut self, arrival: Instant, item: T) {
        let at = self.row_ends.map_or(arrival, |last| arrival.max(last));
        self.row_ends = Some(at);
        let number = self.number();
        self.under_way.push(Reverse(Due { at, number, item }));
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }
}

#[cfg(test)]
mod tests;
