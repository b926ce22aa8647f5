//! Tones of networks and machines, heard in a stream: busy, ringing, fax, the beep of a mailbox.
//!
//! Place: on an outbound leg before somebody speaks, and under answering-machine detection. Not here: keys ([`crate::dtmf`]), what a tone means
//! for the call.
//!
//! A tone is one or two frequencies ([`Pitch`]) and a rhythm ([`Cadence`]). Every 20 ms the last 40 are looked at: Goertzel's sums at the named
//! frequencies have to hold most of the energy. A beep has no frequency of its own, so it is looked for as *any* pure tone: a sine
//! is told by its last two samples, `x[n] = 2·cos(ω)·x[n-1] - x[n-2]`, and the best `ω` is one division.
//!
//! Speech makes none of them: a vowel has many harmonics and does not stand still. Held against the fixtures of this crate and 46 minutes read by
//! five synthetic voices (`cargo run -p tandem-codecs --example talk_off -- *.wav`).

use std::f64::consts::TAU;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::frame::SampleRate;
use crate::level::{Level, dbfs_to_rms};
use crate::tone::power_dbfs;

const HOP: Duration = Duration::from_millis(20);
const WINDOW: Duration = Duration::from_millis(40);
/// Quieter windows hold no tone.
const LEAST_DBFS: f32 = -42.0;
/// The tones' share of all energy.
const LEAST_SHARE: f64 = 0.75;
/// The same of a tone whose frequency was not named.
const LEAST_SHARE_OF_ANY: f64 = 0.85;
/// The estimate of a frequency is off by some Hz in noise: looked for so far around it, in such steps.
const SEARCH_HZ: [f64; 9] = [0.0, -6.0, 6.0, -12.0, 12.0, -18.0, 18.0, -24.0, 24.0];
/// Two tones of one signal are as loud as each other to 10 dB.
const MOST_TWIST_DB: f32 = 10.0;
/// A beep keeps its frequency from one window to the next, as a share.
const MOST_WANDER: f64 = 0.02;
/// Rhythms are kept to a quarter, and to a hop.
const TOLERANCE: f64 = 0.25;

/// Frequencies of a tone, in Hz.
#[derive(Clone, Debug, PartialEq)]
pub enum Pitch {
    /// This one.
    One(f64),
    /// Both at once.
    Two(f64, f64),
    /// A single one, somewhere in there.
    Any(RangeInclusive<f64>),
}

/// When a tone sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cadence {
    /// Without a pause, for so long at least.
    Steady(Duration),
    /// So long on, so long off, so often.
    Bursts {
        /// Sound.
        on: Duration,
        /// Pause.
        off: Duration,
        /// Bursts that make sure.
        times: u8,
    },
}

/// A tone to listen for.
#[derive(Clone, Debug, PartialEq)]
pub struct Tone {
    /// What it is called.
    pub name: &'static str,
    /// Its frequencies.
    pub pitch: Pitch,
    /// Its rhythm.
    pub cadence: Cadence,
}

const fn bursts(on_ms: u64, off_ms: u64, times: u8) -> Cadence {
    Cadence::Bursts { on: Duration::from_millis(on_ms), off: Duration::from_millis(off_ms), times }
}

/// Tones of India (ITU-T E.180 supplement 2), of North America (ANSI T1.401), and of fax machines (ITU-T T.30) and mailboxes anywhere.
pub fn common() -> Vec<Tone> {
    let tone = |name, pitch, cadence| Tone { name, pitch, cadence };
    vec![
        tone("busy", Pitch::One(400.0), bursts(750, 750, 2)),
        tone("congestion", Pitch::One(400.0), bursts(250, 250, 3)),
        tone("busy", Pitch::Two(480.0, 620.0), bursts(500, 500, 2)),
        tone("congestion", Pitch::Two(480.0, 620.0), bursts(250, 250, 3)),
        tone("ringback", Pitch::Two(440.0, 480.0), bursts(2_000, 4_000, 1)),
        tone("fax calling", Pitch::One(1_100.0), bursts(500, 3_000, 1)),
        tone("fax answering", Pitch::One(2_100.0), Cadence::Steady(Duration::from_millis(1_000))),
        tone("beep", Pitch::Any(600.0..=2_050.0), bursts(300, 0, 1)),
    ]
}

/// A tone was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its name.
    pub name: &'static str,
    /// Sample since the detector was made by which it was sure.
    pub at: u64,
}

/// Listens for tones in one stream.
#[derive(Clone, Debug)]
pub struct ToneDetector {
    rate: SampleRate,
    pending: Vec<i16>,
    /// Position of the first pending sample.
    position: u64,
    tones: Vec<(Tone, Rhythm)>,
}

/// Where one tone's rhythm stands. In hops.
#[derive(Clone, Debug, Default)]
struct Rhythm {
    /// Windows in a row with the tone, or without it.
    on: u32,
    off: u32,
    /// Frequency in the last window, for a tone without a name.
    hz: Option<f64>,
    bursts: u8,
    told: bool,
}

impl ToneDetector {
    /// Listens for `tones`, such as [`common`], in audio of this rate.
    pub fn new(rate: SampleRate, tones: Vec<Tone>) -> Self {
        let tones = tones.into_iter().map(|tone| (tone, Rhythm::default())).collect();
        Self { rate, pending: Vec::new(), position: 0, tones }
    }

    /// Takes the next samples, in chunks of any size, and appends what is heard to `heard`. Each tone is told once; a steady one, or a burst,
    /// again when it comes again.
    pub fn push(&mut self, samples: &[i16], heard: &mut Vec<Heard>) {
        self.pending.extend_from_slice(samples);
        let (window, hop) = (self.rate.samples_in(WINDOW), self.rate.samples_in(HOP));
        let mut from = 0;
        while let Some(looked_at) = self.pending.get(from..from + window) {
            let at = self.position + (from + window) as u64;
            let loud = Level::of(looked_at).rms_dbfs >= LEAST_DBFS;
            for (tone, rhythm) in &mut self.tones {
                let hz = if loud { pitch(looked_at, self.rate, &tone.pitch) } else { None };
                let steady = match (&tone.pitch, rhythm.hz, hz) {
                    (Pitch::Any(_), Some(before), Some(now)) => (now / before - 1.0).abs() <= MOST_WANDER,
                    _ => true,
                };
                rhythm.hz = hz;
                if rhythm.step(hz.is_some() && steady, tone.cadence) {
                    heard.push(Heard { name: tone.name, at });
                }
            }
            from += hop;
        }
        self.pending.drain(..from);
        self.position += from as u64;
    }
}

impl Rhythm {
    /// One window with or without the tone. True when the tone is sure.
    fn step(&mut self, sounds: bool, cadence: Cadence) -> bool {
        let hops = |duration: Duration| (duration.as_secs_f64() / HOP.as_secs_f64()).round();
        // A burst of n hops fills n - 1 windows, and its pause n + 1.
        let near = |count: u32, wanted: f64| (f64::from(count) - wanted).abs() <= (wanted * TOLERANCE).max(1.0) + 1.0;
        match cadence {
            Cadence::Steady(least) => {
                self.on = if sounds { self.on + 1 } else { 0 };
                self.told &= sounds;
                let sure = f64::from(self.on) >= hops(least) - 1.0 && !self.told;
                self.told |= sure;
                sure
            }
            Cadence::Bursts { on, off, times } => {
                if sounds {
                    if self.off > 0 && self.bursts > 0 && !near(self.off, hops(off) + 1.0) {
                        self.bursts = 0;
                    }
                    (self.on, self.off) = (self.on + 1, 0);
                    return false;
                }
                let ended = std::mem::take(&mut self.on);
                self.off += 1;
                if ended == 0 {
                    return false;
                }
                self.bursts = if near(ended, hops(on) - 1.0) { self.bursts + 1 } else { 0 };
                let sure = self.bursts == times;
                if sure {
                    self.bursts = 0;
                }
                sure
            }
        }
    }
}

/// The tone's frequency, or the first of its two, if it fills the window.
fn pitch(samples: &[i16], rate: SampleRate, pitch: &Pitch) -> Option<f64> {
    let all = f64::from(Level::of(samples).rms_dbfs);
    let power = |hz: f64| power_dbfs(samples, rate, hz);
    let share = |powers: &[f32]| {
        let together: f64 = powers.iter().map(|dbfs| dbfs_to_rms(*dbfs).powi(2)).sum();
        together / dbfs_to_rms(all as f32).powi(2)
    };
    match pitch {
        Pitch::One(hz) => (share(&[power(*hz)]) >= LEAST_SHARE).then_some(*hz),
        Pitch::Two(low, high) => {
            let powers = [power(*low), power(*high)];
            let twist = (powers[0] - powers[1]).abs();
            (twist <= MOST_TWIST_DB && share(&powers) >= LEAST_SHARE).then_some(*low)
        }
        Pitch::Any(range) => {
            let about = sine_of(samples, rate).filter(|hz| range.contains(hz))?;
            let found = SEARCH_HZ.map(|off| (about + off, power(about + off)));
            let (hz, power) = found.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
            (share(&[power]) >= LEAST_SHARE_OF_ANY).then_some(hz)
        }
    }
}

/// The frequency of the sine that `samples` are most like.
fn sine_of(samples: &[i16], rate: SampleRate) -> Option<f64> {
    let (mut product, mut energy) = (0.0, 0.0);
    for three in samples.windows(3) {
        let [before, now, after] = [0, 1, 2].map(|n| f64::from(three[n]));
        product += now * (before + after);
        energy += now * now;
    }
    let cosine = product / (2.0 * energy);
    (energy > 0.0 && cosine.abs() <= 1.0).then(|| cosine.acos() * f64::from(rate.hz()) / TAU)
}
