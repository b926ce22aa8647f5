//! Keys of a telephone keypad as sound: making them, and hearing them in a stream.
//!
//! Place: for far ends that send keys in band; those that send them as messages of their own need
//! none of this. Not here: RFC 4733 events.
//!
//! A key is two tones, one of four rows and one of four columns (ITU-T Q.23). Eight correlations a
//! window give power and phase at the nominal frequencies; they are the sums of Goertzel's recursion,
//! written as products with a table because that form fits vector units. The turn of the phase from
//! one window to the next gives each tone's true frequency, so a window may be short and the ear
//! narrow all the same. Figures are ITU-T Q.24's:
//!
//! | | heard | ignored |
//! |---|---|---|
//! | tone | from 40 ms | up to 23 ms |
//! | pause between equal keys | from 40 ms | up to 20 ms |
//! | off its frequency | up to 1.5 % | from 3.5 % |
//! | column louder, quieter than row | up to 8 dB | from 12 dB |
//! | level of each tone | from -33 dBFS | under -42 dBFS |
//!
//! Speech must not press keys: the two tones have to hold most of the window's energy, and the same
//! level over 30 ms. In 75 minutes read aloud by flite's voices no key is heard
//! (`cargo run -p tandem-codecs --example talk_off -- *.wav`).

use std::f64::consts::{PI, TAU};
use std::fmt;
use std::time::Duration;

use crate::frame::{Pcm, SampleRate};

/// Low tones, in Hz, from the top row down.
const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
/// High tones, in Hz, from the left column.
const COLUMNS: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// What is looked at at once: a third of the shortest tone's length more would miss that tone.
const WINDOW: Duration = Duration::from_millis(20);
/// From one window to the next.
const HOP: Duration = Duration::from_millis(10);
/// How far a tone may be from its nominal frequency: between 1.5 % and 3.5 %, with room for noise.
const MOST_DETUNED: f64 = 0.024;
/// The tones' share of all energy in the window. A tone of 23 ms fills two windows to 0.825 at best.
const LEAST_SHARE: f64 = 0.85;
/// Other tones of the same group stay this far below, as a ratio of powers: 8 dB. Leakage of a neighbour alone is -13 dB.
const MOST_OF_ANOTHER: f64 = 0.158;
/// Column against row as a ratio of powers: 9.5 dB, for the 8 dB that must be heard.
const MOST_TWIST: f64 = 8.9;
/// How much a tone may change from one window to the next, as a ratio of powers: 3 dB.
const MOST_CHANGE: f64 = 2.0;
/// Mean square of the quietest tone: -36 dBFS.
const LEAST_POWER: f64 = 32_768.0 * 32_768.0 * 2.5e-4;
/// Windows without the key after which it is up: a dropout of 20 ms costs five, a pause of 40 ms six.
const MISSES: u8 = 6;

/// One of the sixteen keys: `0` to `9`, `A` to `D`, `*`, `#`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(char);

impl Key {
    /// The key of this character; lower-case letters are taken.
    pub fn new(character: char) -> Option<Self> {
        let character = character.to_ascii_uppercase();
        KEYS.iter().flatten().find(|key| **key == character).map(|key| Self(*key))
    }

    /// Its character.
    pub fn as_char(self) -> char {
        self.0
    }

    /// Its two tones in Hz, the low one first.
    pub fn tones(self) -> (f64, f64) {
        let place = KEYS.iter().flatten().position(|key| *key == self.0).unwrap_or(0);
        (ROWS[place / 4], COLUMNS[place % 4])
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The sound of a key for so long, each tone with a greatest magnitude of `peak` 16-bit steps (at most half of full scale). It rises and
/// falls over 2 ms, so that it does not click.
pub fn dtmf(rate: SampleRate, key: Key, peak: i16, duration: Duration) -> Pcm {
    let (low, high) = key.tones();
    let (count, ramp) = (rate.samples_in(duration), rate.samples_in(Duration::from_millis(2)).max(1));
    let peak = f64::from(peak.min(i16::MAX / 2));
    let samples: Vec<i16> = (0..count)
        .map(|n| {
            let at = TAU * n as f64 / f64::from(rate.hz());
            let edge = (n + 1).min(count - n).min(ramp) as f64 / ramp as f64;
            (((at * low).sin() + (at * high).sin()) * peak * edge).round() as i16
        })
        .collect();
    Pcm::new(rate, samples)
}

/// What the detector has heard. Positions are samples since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DtmfEvent {
    /// A key went down; told about 30 ms later.
    Pressed {
        /// Which.
        key: Key,
        /// Where its tone began, to 10 ms.
        at: u64,
    },
    /// It came up again; told about 60 ms later.
    Released {
        /// Which.
        key: Key,
        /// Where its tone ended, to 10 ms.
        at: u64,
    },
}

/// Hears keys in one stream of audio.
#[derive(Clone, Debug)]
pub struct DtmfDetector {
    ear: Ear,
    /// What has come and was not all looked at, oldest first.
    pending: Vec<f32>,
    /// Position of the first pending sample.
    position: u64,
    before: Option<Spectrum>,
    down: Option<Key>,
    misses: u8,
}

impl DtmfDetector {
    /// Listens to audio of this rate, from 8 kHz up.
    pub fn new(rate: SampleRate) -> Self {
        Self { ear: Ear::new(rate), pending: Vec::new(), position: 0, before: None, down: None, misses: 0 }
    }

    /// Takes the next samples, in chunks of any size, and appends what is heard in them to `events`.
    pub fn push(&mut self, samples: &[i16], events: &mut Vec<DtmfEvent>) {
        self.pending.extend(samples.iter().map(|sample| f32::from(*sample)));
        let mut from = 0;
        while self.pending.len() - from >= self.ear.window {
            let spectrum = self.ear.look(&self.pending[from..][..self.ear.window]);
            let key = match (&self.before, &spectrum) {
                (Some(before), Some(now)) => self.ear.key(before, now),
                _ => None,
            };
            self.before = spectrum;
            self.judge(key, self.position + from as u64, events);
            from += self.ear.hop;
        }
        self.pending.drain(..from);
        self.position += from as u64;
    }

    /// `key` was heard in the window that begins at `start` and in the one before it.
    fn judge(&mut self, key: Option<Key>, start: u64, events: &mut Vec<DtmfEvent>) {
        let hop = self.ear.hop as u64;
        match (self.down, key) {
            (Some(down), Some(key)) if down == key => self.misses = 0,
            (_, Some(key)) => {
                if let Some(key) = self.down.replace(key) {
                    events.push(DtmfEvent::Released { key, at: start - hop });
                }
                events.push(DtmfEvent::Pressed { key, at: start - hop });
                self.misses = 0;
            }
            (Some(key), None) => {
                self.misses += 1;
                if self.misses == MISSES {
                    self.down = None;
                    // The last window that held it began before the first miss, and was a window long.
                    let end = (start + self.ear.window as u64).saturating_sub(u64::from(MISSES) * hop);
                    events.push(DtmfEvent::Released { key, at: end });
                }
            }
            (None, None) => {}
        }
    }
}

/// Correlations of one window with the eight tones.
#[derive(Clone, Copy, Debug)]
struct Spectrum {
    tones: [Bin; 8],
    /// Sum of squares.
    energy: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    re: f64,
    im: f64,
}

impl Bin {
    fn squared(self) -> f64 {
        self.re * self.re + self.im * self.im
    }
}

/// Tables for one rate.
#[derive(Clone, Debug)]
struct Ear {
    rate_hz: f64,
    window: usize,
    hop: usize,
    /// For each tone its cosine and sine over a window.
    waves: Vec<(Vec<f32>, Vec<f32>)>,
}

impl Ear {
    fn new(rate: SampleRate) -> Self {
        let rate_hz = f64::from(rate.hz());
        let (window, hop) = (rate.samples_in(WINDOW), rate.samples_in(HOP).max(1));
        let wave = |hz: f64| {
            let angles = (0..window).map(move |n| TAU * hz * n as f64 / rate_hz);
            (angles.clone().map(|angle| angle.cos() as f32).collect(), angles.map(|angle| angle.sin() as f32).collect())
        };
        Self { rate_hz, window, hop, waves: ROWS.into_iter().chain(COLUMNS).map(wave).collect() }
    }

    /// `None` for a window that is too quiet to hold a key.
    fn look(&self, samples: &[f32]) -> Option<Spectrum> {
        let energy = dot(samples, samples);
        if energy < 2.0 * LEAST_POWER * self.window as f64 {
            return None;
        }
        let mut tones = [Bin::default(); 8];
        for (bin, (cosine, sine)) in tones.iter_mut().zip(&self.waves) {
            *bin = Bin { re: dot(samples, cosine), im: -dot(samples, sine) };
        }
        Some(Spectrum { tones, energy })
    }

    /// The key that both windows hold.
    fn key(&self, before: &Spectrum, now: &Spectrum) -> Option<Key> {
        let row = self.strongest(now, 0)?;
        let column = self.strongest(now, 4)?;
        let (low, high) = (self.tone(before, now, row)?, self.tone(before, now, column)?);
        let shares = [(low.0 + high.0) / before.energy, (low.1 + high.1) / now.energy];
        let twist = high.1 / low.1;
        let steady = |(before, now): (f64, f64)| (1.0 / MOST_CHANGE..=MOST_CHANGE).contains(&(now / before));
        let loud = low.1.min(high.1) >= LEAST_POWER * self.window as f64;
        let whole = shares.iter().all(|share| *share >= LEAST_SHARE);
        let is_key = loud && whole && steady(low) && steady(high) && (1.0 / MOST_TWIST..=MOST_TWIST).contains(&twist);
        is_key.then(|| Key(KEYS[row][column - 4]))
    }

    /// The strongest tone of the four from `first`, if the others are far enough below.
    fn strongest(&self, spectrum: &Spectrum, first: usize) -> Option<usize> {
        let group = &spectrum.tones[first..first + 4];
        let (best, power) =
            group.iter().map(|bin| bin.squared()).enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let alone =
            group.iter().enumerate().all(|(place, bin)| place == best || bin.squared() <= power * MOST_OF_ANOTHER);
        alone.then_some(first + best)
    }

    /// The tone's energy in both windows, if it is near enough to its frequency.
    fn tone(&self, before: &Spectrum, now: &Spectrum, tone: usize) -> Option<(f64, f64)> {
        let nominal = if tone < 4 { ROWS[tone] } else { COLUMNS[tone - 4] };
        let (a, b) = (before.tones[tone], now.tones[tone]);
        // The turn from one window to the next, less the turn that the nominal frequency makes in a hop.
        let (re, im) = (b.re * a.re + b.im * a.im, b.im * a.re - b.re * a.im);
        let seconds = self.hop as f64 / self.rate_hz;
        let turn = im.atan2(re) - TAU * (nominal * seconds).fract();
        let turn = turn - TAU * (turn / TAU).round();
        let off_hz = turn / (TAU * seconds);
        if off_hz.abs() > nominal * MOST_DETUNED {
            return None;
        }
        // Beside the middle of its bin a tone reads too weak by the square of a sinc.
        let angle = PI * off_hz * self.window as f64 / self.rate_hz;
        let gain = if angle.abs() < 1e-6 { 1.0 } else { (angle.sin() / angle).powi(2) };
        let scale = 2.0 / (self.window as f64 * gain);
        Some((a.squared() * scale, b.squared() * scale))
    }
}

/// In eight sums, which the compiler lays side by side.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0f32; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    f64::from(sums.iter().sum::<f32>() + rest)
}
