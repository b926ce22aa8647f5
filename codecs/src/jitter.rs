//! A jitter buffer: packets in as the network brings them, frames out at the pace of our own clock.
//!
//! Place: between an RTP socket and everything that works on frames. Sans IO: told the time, never waits. Not here: RTP's header and RTCP, keys
//! by RFC 4733, Opus' copies of lost frames (its decoder has them).
//!
//! ```text
//! packets ──push──► sorted by timestamp ──pull──► decoded ──► steered ──► frame
//!                        │                            ▲          ▲
//!                        └ lateness of each ─► target ┼──────────┘ shorter or longer by a pitch period
//!                                              none there: concealed
//! ```
//!
//! **Delay.** A packet's *lateness* is how much later it came than the fastest of the last eight seconds. The target is what the latest but one
//! of the last ten seconds needed, with [`MARGIN`], from [`LEAST_TARGET`] to [`MOST_TARGET`]. What is played now has a delay of its own; where it
//! is 3 ms too short or 12 ms longer than any packet needs (8 ms in silence), a frame is made longer or shorter by a few
//! milliseconds, at the place where the sound joins best, with a crossfade. The same keeps pace with a sender whose clock runs fast or slow: 200 ppm
//! are one or two such joints a minute. [`MOST_DELAY`] goes before the target; what is more than [`RUNAWAY`] over it is skipped at once.
//!
//! **A new timeline** begins, without a pause longer than the target, when the source changes, when a timestamp jumps against the clock by more
//! than [`JUMP`], or when packets come too late one after the other, [`FAR_LATE_IN_A_ROW`] or [`LATE_IN_A_ROW`]: the way has become longer.
//!
//! Bounded: [`MOST_PACKETS`] wait at most, the oldest go first.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::frame::SampleRate;
use crate::plc::Concealer;

mod lateness;
mod steer;

use lateness::Lateness;
use steer::{Steered, steer};

/// Least and most delay that is aimed at.
pub const LEAST_TARGET: Duration = Duration::from_millis(20);
/// See [`LEAST_TARGET`].
pub const MOST_TARGET: Duration = Duration::from_millis(60);
/// Delay that nothing is played with for long. A frame of 20 ms over a packet's border has to wait for the second packet, so this is more than
/// the greatest target.
pub const MOST_DELAY: Duration = Duration::from_millis(80);
/// Kept above what the packets needed: the lower edge of the band has to be enough.
pub const MARGIN: Duration = Duration::from_millis(8);
/// Delay over the target that is skipped at once.
pub const RUNAWAY: Duration = Duration::from_millis(40);
/// How far a timestamp may be from where the clock says.
pub const JUMP: Duration = Duration::from_millis(500);
/// So many packets that came too late are no accident.
pub const LATE_IN_A_ROW: u32 = 12;
/// Nor are so many that no delay of ours would have waited for.
pub const FAR_LATE_IN_A_ROW: u32 = 3;
/// Packets that wait at most: 1.3 s of 20 ms.
pub const MOST_PACKETS: usize = 64;

/// One packet as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The source (RFC 3550 section 5.1).
    pub ssrc: u32,
    /// Sample clock of its first sample; wraps.
    pub timestamp: u32,
    /// What the codec wrote.
    pub payload: Vec<u8>,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It waits for its turn.
    Kept,
    /// It was there already.
    Duplicate,
    /// Its place was played already.
    Late,
    /// It is the first of a new timeline, and waits for its turn.
    Restarted,
}

/// Counts since the buffer was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Packets, all of them.
    pub received: u64,
    /// Packets that were there already.
    pub duplicates: u64,
    /// Packets that came after their place was played.
    pub late: u64,
    /// Packets dropped because too many waited.
    pub overflowed: u64,
    /// New timelines after the first.
    pub restarts: u64,
    /// Samples that were concealed.
    pub concealed_samples: u64,
    /// Frames that were made shorter or longer.
    pub adjusted: u64,
}

/// Reorders and delays one stream.
#[derive(Clone, Debug)]
pub struct JitterBuffer {
    rate: SampleRate,
    /// Ticks of the timestamps a second.
    clock_hz: u32,
    concealer: Concealer,
    line: Option<Timeline>,
    /// The source before this one: its stragglers open no new timeline.
    former: Option<u32>,
    stats: Stats,
}

/// Places on it are samples since its first packet.
#[derive(Clone, Debug)]
struct Timeline {
    ssrc: u32,
    /// Newest timestamp, on the wire and unwrapped.
    newest: (u32, i64),
    waiting: BTreeMap<i64, Vec<u8>>,
    /// Decoded and not played, beginning at `place`.
    ready: Vec<i16>,
    place: i64,
    /// Samples of the last packet that was decoded.
    packet_samples: i64,
    lateness: Lateness,
    late_in_a_row: u32,
}

impl JitterBuffer {
    /// For audio of `rate` whose timestamps count `clock_hz` ticks a second (RTP: equal for G.711, 8,000 for G.722, 48,000 for Opus).
    pub fn new(rate: SampleRate, clock_hz: u32) -> Self {
        let concealer = Concealer::new(rate);
        Self { rate, clock_hz: clock_hz.max(1), concealer, line: None, former: None, stats: Stats::default() }
    }

    /// A packet came, at `now` on any clock of ours that does not go back.
    pub fn push(&mut self, now: Duration, packet: Packet) -> Arrival {
        self.stats.received += 1;
        let now = self.samples(now);
        let Some(line) = self.line.as_mut().filter(|line| line.ssrc == packet.ssrc) else {
            if self.former == Some(packet.ssrc) {
                self.stats.late += 1;
                return Arrival::Late;
            }
            return self.restart(now, packet);
        };
        let ticks = i64::from(packet.timestamp.wrapping_sub(line.newest.0) as i32); // half the circle each way
        let unwrapped = line.newest.1 + ticks;
        let place = unwrapped * i64::from(self.rate.hz()) / i64::from(self.clock_hz);
        let jump = self.rate.samples_in(JUMP) as i64;
        if line.lateness.of(now, place).abs() > jump {
            return self.restart(now, packet);
        }
        if ticks > 0 {
            line.newest = (packet.timestamp, unwrapped);
        }
        if line.waiting.contains_key(&place) {
            self.stats.duplicates += 1;
            return Arrival::Duplicate;
        }
        if place + line.packet_samples.max(1) <= line.place + line.ready.len() as i64 {
            // Decoded already, or too late; which of the two only shows in whether its place was concealed.
            if line.lateness.was_seen(place) {
                self.stats.duplicates += 1;
                return Arrival::Duplicate;
            }
            line.lateness.learn(now, place);
            self.stats.late += 1;
            line.late_in_a_row += 1;
            let far = line.lateness.of(now, place) > self.rate.samples_in(MOST_DELAY) as i64;
            if line.late_in_a_row >= if far { FAR_LATE_IN_A_ROW } else { LATE_IN_A_ROW } {
                return self.restart(now, packet);
            }
            return Arrival::Late;
        }
        line.late_in_a_row = 0;
        line.lateness.learn(now, place);
        line.waiting.insert(place, packet.payload);
        if line.waiting.len() > MOST_PACKETS {
            line.waiting.pop_first();
            self.stats.overflowed += 1;
        }
        Arrival::Kept
    }

    /// The next `out.len()` samples, due at `now`. `decode` turns a payload into samples; one that it cannot read it leaves alone.
    ///
    /// True if a packet was played in it, so that a stream that has ended can be told from one with a gap.
    pub fn pull(&mut self, now: Duration, out: &mut [i16], mut decode: impl FnMut(&[u8], &mut Vec<i16>)) -> bool {
        let now = self.samples(now);
        let Some(line) = &mut self.line else {
            out.fill(0);
            return false;
        };
        let mut filled = match steer(line, &mut self.concealer, self.rate, now, out, &mut decode) {
            Steered::Not => 0,
            Steered::Filled(filled) => filled,
            Steered::Joined(filled) => {
                self.stats.adjusted += 1;
                filled
            }
        };
        let mut played = false;
        while filled < out.len() {
            let rest = &mut out[filled..];
            let ready = line.fill(rest.len(), &mut decode).min(rest.len());
            let count = if ready > 0 {
                let (now_due, _) = rest.split_at_mut(ready);
                now_due.copy_from_slice(&line.ready[..ready]);
                line.ready.drain(..ready);
                self.concealer.good(now_due);
                played = true;
                ready
            } else {
                let until_next = line.waiting.first_key_value().map_or(i64::MAX, |(next, _)| next - line.place);
                let missing = usize::try_from(until_next).unwrap_or(0).clamp(1, rest.len());
                self.concealer.conceal(&mut rest[..missing]);
                self.stats.concealed_samples += missing as u64;
                missing
            };
            line.place += count as i64;
            filled += count;
        }
        played
    }

    /// The delay that is aimed at.
    pub fn target(&self) -> Duration {
        self.line.as_ref().map_or(LEAST_TARGET, |line| self.rate.duration_of(line.lateness.target()))
    }

    /// The delay that the next sample has, over that of the fastest packet; what a caller waits for because of this buffer.
    pub fn delay(&self, now: Duration) -> Duration {
        let now = self.samples(now);
        let delay = self.line.as_ref().map_or(0, |line| line.lateness.of(now, line.place));
        self.rate.duration_of(u64::try_from(delay).unwrap_or(0))
    }

    /// Counts so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// `packet` is the first of a new timeline, which begins so much before it that the target's delay is kept.
    fn restart(&mut self, now: i64, packet: Packet) -> Arrival {
        let former = self.line.take();
        let Packet { ssrc, timestamp, payload } = packet;
        let mut lateness = match &former {
            Some(line) => line.lateness.again(),
            None => Lateness::new(self.rate),
        };
        lateness.learn(now, 0);
        self.stats.restarts += u64::from(former.is_some());
        if let Some(line) = former {
            self.former = if line.ssrc == ssrc { self.former } else { Some(line.ssrc) };
            self.concealer.conceal(&mut []); // what comes next does not follow what was played
        }
        self.line = Some(Timeline {
            ssrc,
            newest: (timestamp, 0),
            waiting: BTreeMap::from([(0, payload)]),
            ready: Vec::new(),
            place: -(lateness.target() as i64),
            packet_samples: 0,
            lateness,
            late_in_a_row: 0,
        });
        Arrival::Restarted
    }

    fn samples(&self, time: Duration) -> i64 {
        i64::try_from(self.rate.samples_in(time)).unwrap_or(i64::MAX)
    }
}

impl Timeline {
    /// Decodes packets until `wanted` samples are ready, or the next one is missing. Returns how many are.
    fn fill(&mut self, wanted: usize, decode: &mut impl FnMut(&[u8], &mut Vec<i16>)) -> usize {
        while self.ready.len() < wanted {
            let end = self.place + self.ready.len() as i64;
            let Some(next) = self.waiting.first_entry().filter(|next| *next.key() <= end) else { break };
            let (place, payload) = next.remove_entry();
            let before = self.ready.len();
            decode(&payload, &mut self.ready);
            self.packet_samples = (self.ready.len() - before) as i64;
            // Its beginning was concealed, if it came in the last moment.
            let passed = usize::try_from(end - place).unwrap_or(0).min(self.ready.len() - before);
            self.ready.drain(before..before + passed);
        }
        self.ready.len()
    }
}
