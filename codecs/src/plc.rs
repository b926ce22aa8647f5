//! What is played where audio is missing: the sound before it, carried on, then the room's own noise.
//!
//! Place: behind a jitter buffer (lost packets) and before the far end (a voice that is late). It works on samples already decoded and knows
//! neither packets nor clocks: each frame is either there ([`Concealer::good`]) or not ([`Concealer::conceal`]).
//!
//! ```text
//! good ──► missing: last pitch period again and again │ quieter and quieter ► comfort noise ──► good: crossfade 5 ms
//!          0 ms                                    10 ms                  60 ms
//! ```
//!
//! The method is that of ITU-T G.711 appendix I (repeat the last pitch period, fade to silence), with two changes. Nothing is delayed: where the
//! appendix holds the stream back by 3.75 ms to blend into the last good frame, the step at the seam is carried over and let decay. And what
//! is left after 60 ms is not silence but noise as loud and as dull as the quietest of what was heard, because a line that goes dead sounds
//! hung up.

use std::time::Duration;

use crate::frame::SampleRate;
use crate::level::dbfs_to_rms;
use crate::noise::Noise;

/// Pitch of voices: 66 to 400 Hz.
const LONGEST_PERIOD: Duration = Duration::from_micros(15_000);
const SHORTEST_PERIOD: Duration = Duration::from_micros(2_500);
/// What is compared with the sound one period before.
const COMPARED: Duration = Duration::from_millis(15);
/// The step at a seam decays over this.
const SEAM: Duration = Duration::from_micros(2_500);
/// From concealed to good audio.
const CROSSFADE: Duration = Duration::from_millis(5);
/// Full loudness so long.
const HOLD: Duration = Duration::from_millis(10);
/// From the end of [`HOLD`] until nothing of the voice is left.
const FADE: Duration = Duration::from_millis(50);
/// Over so much the room is measured.
const ROOM: Duration = Duration::from_millis(10);
/// The room gets louder by no more than this factor a second of good audio: a voice is not a room.
const ROOM_RISE_A_SECOND: f64 = 2.0;
/// The loudest comfort noise.
const LOUDEST_ROOM_DBFS: f32 = -45.0;

/// Conceals gaps in one stream.
#[derive(Clone, Debug)]
pub struct Concealer {
    sizes: Sizes,
    /// The last good audio, oldest first. Every frame comes here and few gaps do: what a gap needs is made of it then.
    past: Vec<i16>,
    gap: Option<Gap>,
    room: Room,
}

/// Samples.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    longest: usize,
    shortest: usize,
    compared: usize,
    seam: usize,
    crossfade: usize,
    hold: usize,
    fade: usize,
}

/// The gap that is being filled.
#[derive(Clone, Debug)]
struct Gap {
    /// One period, which may be repeated without a step at its ends.
    period: Vec<f32>,
    /// What the first sample would jump by.
    step: f32,
    /// Samples filled.
    filled: usize,
}

impl Concealer {
    /// For audio of this rate.
    pub fn new(rate: SampleRate) -> Self {
        let sizes = Sizes {
            longest: rate.samples_in(LONGEST_PERIOD),
            shortest: rate.samples_in(SHORTEST_PERIOD),
            compared: rate.samples_in(COMPARED),
            seam: rate.samples_in(SEAM).max(1),
            crossfade: rate.samples_in(CROSSFADE).max(1),
            hold: rate.samples_in(HOLD),
            fade: rate.samples_in(FADE).max(1),
        };
        let past = vec![0; 2 * sizes.longest + sizes.compared];
        Self { sizes, past, gap: None, room: Room::new(rate) }
    }

    /// Audio that is there. After a gap its beginning is blended with what the gap was filled with.
    pub fn good(&mut self, samples: &mut [i16]) {
        if self.gap.is_some() && !samples.is_empty() {
            let blended = samples.len().min(self.sizes.crossfade);
            for (n, sample) in samples.iter_mut().take(blended).enumerate() {
                let share = (n + 1) as f32 / (blended + 1) as f32;
                let filled = self.next();
                *sample = to_i16(filled * (1.0 - share) + f32::from(*sample) * share);
            }
            self.gap = None;
        }
        self.room.learn(samples);
        self.remember(samples);
    }

    /// Fills a stretch that is missing.
    pub fn conceal(&mut self, out: &mut [i16]) {
        if self.gap.is_none() {
            self.gap = Some(self.carried_on());
        }
        for sample in out.iter_mut() {
            *sample = to_i16(self.next());
        }
    }

    /// Whether the last stretch was concealed.
    pub fn is_concealing(&self) -> bool {
        self.gap.is_some()
    }

    /// The next sample of the gap.
    fn next(&mut self) -> f32 {
        let noise = self.room.next();
        let Some(gap) = &mut self.gap else { return noise };
        let n = gap.filled;
        gap.filled += 1;
        let voice = 1.0 - (n.saturating_sub(self.sizes.hold) as f32 / self.sizes.fade as f32).min(1.0);
        if voice <= 0.0 {
            return noise;
        }
        let seam = gap.step * (1.0 - n as f32 / self.sizes.seam as f32).max(0.0);
        (gap.period[n % gap.period.len()] + seam) * voice + noise * (1.0 - voice)
    }

    fn carried_on(&self) -> Gap {
        let past: Vec<f32> = self.past.iter().map(|sample| f32::from(*sample)).collect();
        let (period, end) = (self.pitch(&past), past.len());
        // The end of the period leads over to what came before its beginning, so that it can follow itself.
        let blend = (period / 4).max(1);
        let mut carried: Vec<f32> = past[end - period..].to_vec();
        for n in 0..blend {
            let share = (n + 1) as f32 / (blend + 1) as f32;
            let place = period - blend + n;
            carried[place] = carried[place] * (1.0 - share) + past[end - period - blend + n] * share;
        }
        // What follows the last sample in the repetition is what followed its counterpart one period earlier.
        let step = past[end - 1] - past[end - period - 1];
        Gap { period: carried, step, filled: 0 }
    }

    /// The lag at which the past resembles itself most, in samples.
    fn pitch(&self, past: &[f32]) -> usize {
        let end = past.len();
        let recent = &past[end - self.sizes.compared..];
        let mut best = (self.sizes.longest, 0.0);
        for lag in self.sizes.shortest..=self.sizes.longest {
            let earlier = &past[end - self.sizes.compared - lag..end - lag];
            let (alike, energy) = recent
                .iter()
                .zip(earlier)
                .fold((0.0f32, 0.0f32), |(alike, energy), (a, b)| (alike + a * b, energy + b * b));
            let likeness = if energy > 0.0 { alike / energy.sqrt() } else { 0.0 };
            if likeness > best.1 {
                best = (lag, likeness);
            }
        }
        best.0
    }

    fn remember(&mut self, samples: &[i16]) {
        let kept = self.past.len();
        let new = &samples[samples.len().saturating_sub(kept)..];
        self.past.copy_within(new.len().., 0);
        self.past[kept - new.len()..].copy_from_slice(new);
    }
}

/// How the line sounds when nobody speaks.
#[derive(Clone, Debug)]
struct Room {
    block: usize,
    /// Samples of the block that is being measured, and its sums: squares, and products of neighbours. Whole numbers, which are exact in any
    /// order.
    count: usize,
    squares: i64,
    neighbours: i64,
    last: i16,
    /// Mean square of the quietest block lately, and how alike neighbours are in it (-1 to 1).
    level: Option<f64>,
    likeness: f64,
    rise: f64,
    noise: Noise,
    coloured: f64,
}

impl Room {
    fn new(rate: SampleRate) -> Self {
        Self {
            block: rate.samples_in(ROOM).max(2),
            count: 0,
            squares: 0,
            neighbours: 0,
            last: 0,
            level: None,
            likeness: 0.0,
            rise: ROOM_RISE_A_SECOND.powf(ROOM.as_secs_f64()),
            noise: Noise::new(0, 0.0), // as loud as it can be: ±1
            coloured: 0.0,
        }
    }

    fn learn(&mut self, samples: &[i16]) {
        let product = |a: i16, b: i16| i64::from(i32::from(a) * i32::from(b));
        let mut rest = samples;
        while let Some(&first) = rest.first() {
            let part;
            (part, rest) = rest.split_at(rest.len().min(self.block - self.count));
            self.squares += part.iter().map(|&sample| product(sample, sample)).sum::<i64>();
            self.neighbours += product(first, self.last);
            self.neighbours += part.iter().zip(&part[1..]).map(|(&one, &next)| product(one, next)).sum::<i64>();
            self.last = part[part.len() - 1];
            self.count += part.len();
            if self.count == self.block {
                let (squares, neighbours) = (self.squares as f64, self.neighbours as f64);
                let level = squares / self.block as f64;
                let known = self.level.map_or(f64::INFINITY, |level| (level * self.rise).max(1e-3));
                if level <= known {
                    self.likeness = if squares > 0.0 { (neighbours / squares).clamp(-0.9, 0.9) } else { 0.0 };
                }
                self.level = Some(level.min(known));
                (self.count, self.squares, self.neighbours) = (0, 0, 0);
            }
        }
    }

    /// Noise through one pole: as loud as the room, its neighbours as alike.
    fn next(&mut self) -> f32 {
        let white = self.noise.next().map_or(0.0, |sample| f64::from(sample) / f64::from(i16::MAX)); // mean square 1/3
        let loudest = dbfs_to_rms(LOUDEST_ROOM_DBFS).powi(2);
        let wanted = self.level.unwrap_or(0.0).min(loudest);
        let drive = (wanted * 3.0 * (1.0 - self.likeness * self.likeness)).sqrt();
        self.coloured = self.coloured * self.likeness + white * drive;
        self.coloured as f32
    }
}

fn to_i16(sample: f32) -> i16 {
    sample.round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
}
