//! Makes frames longer or shorter, so that the delay stays where packets need it.
//!
//! Place: inside the jitter buffer, before each frame. What a joint sounds like is the concealer's doing: it carries the past on, we choose where
//! the rest follows it best, and it fades from one to the other.
//!
//! Frames are pulled at fixed moments and a packet is needed as a whole with its first sample, so packets are waited for in steps of a frame
//! (or of what frames and packets have in common). Delay between two steps helps no packet: it is spare, and what is worth nothing is not taken
//! away and given back by turns.

use std::time::Duration;

use super::{MOST_DELAY, RUNAWAY, Timeline};
use crate::frame::SampleRate;
use crate::level::Level;
use crate::plc::Concealer;

/// Frames are made longer so far under the target, and shorter when so much more than needed is spare.
const UNDER: Duration = Duration::from_millis(3);
const SPARE: Duration = Duration::from_millis(12);
const SPARE_IN_SILENCE: Duration = Duration::from_millis(8);
/// What counts as silence there.
const SILENCE_DBFS: f32 = -40.0;
/// By how much one frame is made longer or shorter.
const LEAST_PIECE: Duration = Duration::from_micros(2_500);
const MOST_PIECE: Duration = Duration::from_millis(12);
/// What is compared to find the best joint; the concealer fades over as much.
const JOINT: Duration = Duration::from_millis(5);

/// What steering did to a frame.
pub(super) enum Steered {
    /// Nothing, or it moved the place alone.
    Not,
    /// It filled so much of the frame.
    Filled(usize),
    /// There is a joint in it, after so much that was filled.
    Joined(usize),
}

/// Makes this frame longer or shorter if the delay asks for it.
pub(super) fn steer(
    line: &mut Timeline,
    concealer: &mut Concealer,
    rate: SampleRate,
    now: i64,
    out: &mut [i16],
    decode: &mut impl FnMut(&[u8], &mut Vec<i16>),
) -> Steered {
    let samples = |duration| rate.samples_in(duration) as i64;
    let delay = line.lateness.of(now, line.place);
    let target = line.lateness.target() as i64;
    let grid = Grid::of(line, out.len() as i64);
    let over = delay - grid.last_packet - target;
    let room = samples(MOST_DELAY) - delay;
    if over > samples(RUNAWAY) && !line.waiting.is_empty() {
        // Far behind, as after a burst: what is too old goes, and the crossfade covers the joint.
        let skipped = over.min(line.waiting.keys().last().map_or(0, |newest| newest - line.place));
        line.place += skipped.max(0);
        line.ready.clear();
        line.waiting = line.waiting.split_off(&(line.place - line.packet_samples + 1));
        concealer.conceal(&mut []);
        return Steered::Not;
    }
    // What can go without a packet being too late for it; above the ceiling some must.
    let spare = (grid.aside + over.max(0) / grid.step * grid.step).max(-room);
    let wanted = grid.step - grid.aside;
    let longer = over < -samples(UNDER) && wanted <= room - samples(UNDER);
    if !longer && spare <= samples(SPARE_IN_SILENCE) && room >= 0 {
        return Steered::Not;
    }
    let (joint, most) = (samples(JOINT) as usize, samples(MOST_PIECE) as usize);
    let least = samples(LEAST_PIECE) as usize;
    let ready = line.fill(out.len() + most, decode);
    if concealer.is_concealing() && ready < out.len() {
        // Nothing sounds that could be heard to change: the gap itself becomes longer or shorter.
        let missing = line.waiting.first_key_value().map_or(0, |(next, _)| next - line.place);
        if !longer {
            line.place += spare.min(missing.max(0));
            return Steered::Not;
        }
        let longer = (wanted as usize).min(out.len());
        concealer.conceal(&mut out[..longer]);
        return Steered::Filled(longer);
    }
    if ready < out.len() || out.len() <= joint {
        return Steered::Not;
    }
    let carried_on = |count: usize| {
        let mut carried = vec![0; count];
        concealer.clone().conceal(&mut carried);
        carried
    };
    let best = |alike: &dyn Fn(usize) -> f32, most: usize| {
        (least..=most).map(|piece| (piece, alike(piece))).max_by(|a, b| a.1.total_cmp(&b.1)).map(|(piece, _)| piece)
    };
    if longer {
        let most = most.min(out.len() - joint).min((wanted as usize).max(least));
        let carried = carried_on(most + joint);
        let Some(piece) = best(&|piece| likeness(&line.ready[..joint], &carried[piece..]), most) else {
            return Steered::Not;
        };
        concealer.conceal(&mut out[..piece]);
        return Steered::Joined(piece);
    }
    let silent = Level::of(&line.ready[..out.len()]).rms_dbfs < SILENCE_DBFS;
    if !silent && spare <= samples(SPARE) && room >= 0 {
        return Steered::Not;
    }
    let carried = carried_on(joint);
    let most = most.min((spare as usize).max(least)).min(ready - out.len());
    let Some(piece) = best(&|piece| likeness(&carried, &line.ready[piece..]), most) else { return Steered::Not };
    line.ready.drain(..piece);
    line.place += piece as i64;
    concealer.conceal(&mut []);
    Steered::Joined(0)
}

/// How packets lie in the frames that are pulled. Frames are pulled at fixed moments, so a packet is waited for in steps.
struct Grid {
    /// Of both lengths.
    step: i64,
    /// How far the packets' borders are behind the frames', less than a step: delay that helps no packet.
    aside: i64,
    /// How long after the beginning of a frame the last packet begins that it needs, at worst.
    last_packet: i64,
}

impl Grid {
    fn of(line: &Timeline, frame: i64) -> Self {
        let packet = if line.packet_samples > 0 { line.packet_samples } else { frame };
        let step = greatest_common_divisor(packet, frame).max(1);
        let aside = (line.ready.len() as i64).rem_euclid(step);
        Self { step, aside, last_packet: aside + (frame - 1 - aside).max(0) / step * step }
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// How alike two stretches are, -1 to 1: the first with as much of the second. Silence is like silence.
fn likeness(a: &[i16], b: &[i16]) -> f32 {
    let (alike, a_energy, b_energy) = a.iter().zip(b).fold((0.0, 1.0, 1.0), |(alike, a_energy, b_energy), (a, b)| {
        let (a, b) = (f32::from(*a), f32::from(*b));
        (alike + a * b, a_energy + a * a, b_energy + b * b)
    });
    alike / f32::sqrt(a_energy * b_energy)
}
