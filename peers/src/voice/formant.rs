//! Speech-like sound: a pulse train through formants, one segment a letter.
//!
//! Good enough for voice activity detectors, which look for pitch, formants and a syllable rhythm. Not meant for ears.

use std::f32::consts::{PI, TAU};
use std::sync::LazyLock;

use super::RATE_HZ;

/// A stretch of voice: letters spread evenly over `samples`; without letters, a fading vowel.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// What to articulate.
    pub(super) letters: Vec<char>,
    /// How long.
    pub(super) samples: usize,
}

impl Segment {
    /// The rest between words.
    pub(super) fn breath(samples: usize) -> Self {
        Self { letters: Vec::new(), samples }
    }
}

/// Root mean square of the voice while it speaks: about -21 dBFS.
const TARGET_RMS: f32 = 3_000.0;
/// Where peaks bend: leaves 6 dB of room for the watermark and a line's gain.
const CEILING: f32 = 13_000.0;
/// Nothing of the voice above this: the watermark begins at 3.1 kHz.
const LOWPASS_HZ: f32 = 2_750.0;
/// Taps of the low-pass; odd, so that its delay is whole samples. 60 dB down at 3.05 kHz.
const LOWPASS_TAPS: usize = 129;
/// Lanes of [`dot`]; the taps are filled up with zeros to a multiple.
const LANES: usize = 8;

static LOWPASS: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let mut taps = lowpass_taps(LOWPASS_HZ, LOWPASS_TAPS);
    taps.resize(LOWPASS_TAPS.next_multiple_of(LANES), 0.0);
    taps
});
/// One pole of the glide between two segments: 12 ms, as fast as a tongue.
const GLIDE: f32 = 1.0 / 96.0;

/// Pitch and formants are set anew so often: 2 ms, for the trigonometry costs more than all the rest.
const TUNING_SAMPLES: usize = 16;

/// How one letter sounds.
#[derive(Clone, Copy)]
struct Posture {
    formants_hz: [f32; 3],
    voiced: f32,
    noise: f32,
}

const BREATH: Posture = Posture { formants_hz: [500.0, 1_500.0, 2_500.0], voiced: 0.12, noise: 0.01 };

/// Formants after the usual tables of English vowels; consonants only roughly.
fn posture(letter: char) -> Posture {
    let vowel = |f1, f2, f3| Posture { formants_hz: [f1, f2, f3], voiced: 1.0, noise: 0.0 };
    let voiced = |f1, f2| Posture { formants_hz: [f1, f2, 2_400.0], voiced: 0.5, noise: 0.02 };
    let unvoiced = |f2| Posture { formants_hz: [900.0, f2, 2_600.0], voiced: 0.06, noise: 0.25 };
    match letter.to_ascii_lowercase() {
        'a' => vowel(730.0, 1_090.0, 2_440.0),
        'e' => vowel(530.0, 1_840.0, 2_480.0),
        'i' | 'y' => vowel(290.0, 2_250.0, 2_600.0),
        'o' => vowel(570.0, 840.0, 2_410.0),
        'u' => vowel(320.0, 870.0, 2_240.0),
        'm' | 'n' | 'b' | 'd' | 'g' => voiced(280.0, 1_300.0),
        'l' | 'r' | 'w' | 'v' | 'z' | 'j' => voiced(350.0, 1_100.0),
        'f' | 'p' | 'h' => unvoiced(1_200.0),
        's' | 'c' | 'x' | 't' | 'k' | 'q' => unvoiced(1_900.0),
        other if other.is_ascii_punctuation() => BREATH,
        // digits and other scripts: a vowel of their own
        other => match other as u32 % 3 {
            0 => vowel(660.0, 1_720.0, 2_410.0),
            1 => vowel(440.0, 1_020.0, 2_240.0),
            _ => vowel(490.0, 1_350.0, 1_690.0),
        },
    }
}

/// The voice of all segments in a row, at its final loudness, below [`LOWPASS_HZ`].
pub(super) fn synthesise(pitch_hz: f32, segments: &[Segment]) -> Vec<f32> {
    let total: usize = segments.iter().map(|segment| segment.samples).sum();
    let mut raw = Vec::with_capacity(total);
    let mut throat = Throat::new(pitch_hz, total);
    for segment in segments {
        for index in 0..segment.samples {
            let target = match segment.letters.len() {
                0 => BREATH,
                letters => posture(segment.letters[index * letters / segment.samples]),
            };
            raw.push(throat.next(target));
        }
    }
    level(&mut raw);
    lowpass(&raw)
}

struct Throat {
    pitch_hz: f32,
    total: usize,
    at: usize,
    phase: f32,
    /// Share of a pitch period in one sample.
    step: f32,
    now: Posture,
    glottis: f32,
    resonators: [Resonator; 3],
    noise: u32,
}

impl Throat {
    fn new(pitch_hz: f32, total: usize) -> Self {
        let now = Posture { voiced: 0.0, noise: 0.0, ..BREATH };
        Self {
            pitch_hz,
            total,
            at: 0,
            phase: 0.0,
            step: 0.0,
            now,
            glottis: 0.0,
            resonators: Default::default(),
            noise: 0x2545_f491,
        }
    }

    fn next(&mut self, target: Posture) -> f32 {
        for (now, target) in self.now.formants_hz.iter_mut().zip(target.formants_hz) {
            *now += (target - *now) * GLIDE;
        }
        self.now.voiced += (target.voiced - self.now.voiced) * GLIDE;
        self.now.noise += (target.noise - self.now.noise) * GLIDE;

        if self.at.is_multiple_of(TUNING_SAMPLES) {
            self.tune();
        }
        self.phase += self.step;
        let pulse = if self.phase >= 1.0 { 1.0 } else { 0.0 };
        self.phase %= 1.0;
        self.at += 1;

        // one pole at 250 Hz: glottal tilt less the lips' radiation
        self.glottis += 0.18 * (pulse * 12.0 - self.glottis);
        let source = self.glottis * self.now.voiced + self.white() * self.now.noise;
        self.resonators.iter_mut().fold(source, |sound, resonator| resonator.next(sound))
    }

    /// Sets pitch and formants for the next [`TUNING_SAMPLES`].
    fn tune(&mut self) {
        // pitch falls by a fifth over the utterance and wavers a little, as it does in people
        let progress = self.at as f32 / self.total as f32;
        let waver = 0.03 * (TAU * 5.0 * self.at as f32 / RATE_HZ as f32).sin();
        self.step = self.pitch_hz * (1.1 - 0.2 * progress + waver) / RATE_HZ as f32;
        for (index, bandwidth_hz) in [80.0, 110.0, 160.0].into_iter().enumerate() {
            self.resonators[index].tune(self.now.formants_hz[index], bandwidth_hz);
        }
    }

    /// Uniform over -1..1 (xorshift, seed fixed: the same text gives the same samples).
    fn white(&mut self) -> f32 {
        self.noise ^= self.noise << 13;
        self.noise ^= self.noise >> 17;
        self.noise ^= self.noise << 5;
        self.noise as f32 / (u32::MAX / 2) as f32 - 1.0
    }
}

/// Two poles, unity gain at zero frequency.
#[derive(Default)]
struct Resonator {
    gain: f32,
    near: f32,
    back: f32,
    last: f32,
    before: f32,
}

impl Resonator {
    fn tune(&mut self, centre_hz: f32, bandwidth_hz: f32) {
        let radius = (-PI * bandwidth_hz / RATE_HZ as f32).exp();
        self.back = -radius * radius;
        self.near = 2.0 * radius * (TAU * centre_hz / RATE_HZ as f32).cos();
        self.gain = 1.0 - self.near - self.back;
    }

    fn next(&mut self, input: f32) -> f32 {
        let output = self.gain * input + self.near * self.last + self.back * self.before;
        (self.before, self.last) = (self.last, output);
        output
    }
}

/// Brings the voice to [`TARGET_RMS`] and bends what would pass [`CEILING`].
pub(super) fn level(raw: &mut [f32]) {
    let power = raw.iter().map(|sample| sample * sample).sum::<f32>() / raw.len().max(1) as f32;
    let gain = TARGET_RMS / power.sqrt().max(1e-9);
    for sample in raw {
        *sample = CEILING * (*sample * gain / CEILING).tanh();
    }
}

/// Low-pass without delay: the taps' delay is taken off, so word positions stay true.
pub(super) fn lowpass(raw: &[f32]) -> Vec<f32> {
    let taps = &*LOWPASS;
    let half = LOWPASS_TAPS / 2;
    let mut padded = vec![0.0; raw.len() + taps.len()];
    padded[half..half + raw.len()].copy_from_slice(raw);
    padded.windows(taps.len()).take(raw.len()).map(|window| dot(window, taps)).collect()
}

/// In eight lanes, which the compiler may sum side by side.
fn dot(window: &[f32], taps: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    for (samples, taps) in window.chunks_exact(LANES).zip(taps.chunks_exact(LANES)) {
        for lane in 0..LANES {
            lanes[lane] += samples[lane] * taps[lane];
        }
    }
    lanes.iter().sum()
}

/// A windowed sinc (Blackman) with unity gain at zero frequency.
pub(super) fn lowpass_taps(cutoff_hz: f32, count: usize) -> Vec<f32> {
    let middle = (count - 1) as f32 / 2.0;
    let taps: Vec<f32> = (0..count)
        .map(|index| {
            let x = index as f32 - middle;
            let angle = TAU * cutoff_hz / RATE_HZ as f32 * x;
            let sinc = if x == 0.0 { 1.0 } else { angle.sin() / angle };
            let turn = TAU * (index as f32 + 0.5) / count as f32;
            sinc * (0.42 - 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos())
        })
        .collect();
    let sum: f32 = taps.iter().sum();
    taps.into_iter().map(|tap| tap / sum).collect()
}
