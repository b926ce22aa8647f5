//! What is not speech: rooms, machines, bodies, music and the telephone's own tones, drawn from a seed, 8 kHz.
//!
//! Noises that the universe has are the universe's; those of it reach to 2.75 kHz only, so white and pink noise are made here.

use std::f64::consts::TAU;

use tandem_codecs::Level;
use tandem_codecs::noise::Noise as White;
use tandem_peers::dice::Dice;
use tandem_peers::universe::noise::{Background, Noise, SPEECH_DBFS, breath, cough, dtmf, keyboard};

pub(crate) const RATE: usize = 8_000;

/// Sounds of one kind and the level of their loudest second.
pub(crate) struct Sound {
    pub(crate) name: &'static str,
    pub(crate) samples: Vec<i16>,
}

/// Every kind, `seconds` of each; what has a level is at `dbfs`, what comes in bursts is as loud as it is beside speech.
pub(crate) fn all(seconds: usize, dbfs: f32) -> Vec<Sound> {
    let length = seconds * RATE;
    let sound = |name, samples: Vec<i16>| Sound { name, samples };
    let lasting = |name, samples: Vec<f64>| Sound { name, samples: to_level(&samples, dbfs) };
    let room = |kind| {
        let mut samples = vec![0; length];
        let mut background = Background::new(kind, 0.0, 1);
        samples.chunks_mut(160).for_each(|frame| background.add(frame));
        to_level(&samples.iter().map(|sample| f64::from(*sample)).collect::<Vec<_>>(), dbfs)
    };
    vec![
        lasting("white noise", white(1, length)),
        lasting("pink noise", pink(2, length)),
        lasting("fan", fan(3, length)),
        sound("hum of the mains", room(Noise::Hum)),
        sound("street", room(Noise::Street)),
        sound("babble of six", room(Noise::Babble)),
        lasting("music: chords, melody, drums", music(4, length)),
        lasting("music on hold: melody alone", melody(5, length)),
        sound("breathing", every(length, 24_000, breath)),
        sound("coughs", every(length, 24_000, cough)),
        sound("keyboard", every(length, 16_000, keyboard)),
        sound("keys (DTMF)", every(length, 16_000, |_| dtmf("19#5083"))),
        lasting("dial tone, 350 + 440 Hz", tones(&[350.0, 440.0], length, |_| true)),
        lasting("ringback, 440 + 480 Hz", tones(&[440.0, 480.0], length, |at| at % 48_000 < 16_000)),
        lasting("ringback of India, 400 × 25 Hz", ringback_of_india(length)),
        lasting("busy, 480 + 620 Hz", tones(&[480.0, 620.0], length, |at| at % 8_000 < 4_000)),
        lasting("one tone, 1 kHz", tones(&[1_000.0], length, |_| true)),
    ]
}

/// `samples` with a root mean square of `dbfs`, pauses left out.
fn to_level(samples: &[f64], dbfs: f32) -> Vec<i16> {
    let loudest = samples.iter().fold(1e-9_f64, |peak, sample| peak.max(sample.abs()));
    let rough: Vec<i16> = samples.iter().map(|sample| (sample / loudest * 30_000.0) as i16).collect();
    let sounding: Vec<i16> =
        rough.chunks(160).filter(|frame| Level::of(frame).rms_dbfs > -50.0).flatten().copied().collect();
    let gain = 10f64.powf(f64::from(dbfs - Level::of(&sounding).rms_dbfs) / 20.0);
    rough.into_iter().map(|sample| (f64::from(sample) * gain) as i16).collect()
}

/// One sound every `period` samples, each of another seed.
fn every(length: usize, period: usize, one: impl Fn(u64) -> Vec<i16>) -> Vec<i16> {
    let mut samples = vec![0; length];
    for (seed, from) in (period / 4..length).step_by(period).enumerate() {
        for (sample, new) in samples[from..].iter_mut().zip(one(seed as u64)) {
            *sample = new;
        }
    }
    samples
}

fn white(seed: u64, length: usize) -> Vec<f64> {
    White::new(seed, -20.0).take(length).map(f64::from).collect()
}

/// White noise through P. Kellet's three poles: 3 dB an octave.
fn pink(seed: u64, length: usize) -> Vec<f64> {
    let mut poles = [0.0; 3];
    let filter = |white: f64| {
        poles[0] = 0.997_65 * poles[0] + white * 0.099_046;
        poles[1] = 0.963 * poles[1] + white * 0.296_516_4;
        poles[2] = 0.57 * poles[2] + white * 1.052_691_3;
        poles.iter().sum::<f64>() + white * 0.184_8
    };
    white(seed, length).into_iter().map(filter).collect()
}

/// Air below 600 Hz, and five blades at 1,200 turns a minute.
fn fan(seed: u64, length: usize) -> Vec<f64> {
    let mut air = 0.0;
    let blow = |(at, white): (usize, f64)| {
        air += 0.38 * (white - air);
        air * (1.0 + 0.3 * (TAU * 100.0 * at as f64 / RATE as f64).sin())
    };
    white(seed, length).into_iter().enumerate().map(blow).collect()
}

fn tones(hz: &[f64], length: usize, sounds: impl Fn(usize) -> bool) -> Vec<f64> {
    let tone = |at: usize| hz.iter().map(|hz| (TAU * hz * at as f64 / RATE as f64).sin()).sum::<f64>();
    (0..length).map(|at| if sounds(at) { tone(at) } else { 0.0 }).collect()
}

/// 400 Hz shaken 25 times a second; 0.4 s, a pause of 0.2 s, 0.4 s, a pause of 2 s.
fn ringback_of_india(length: usize) -> Vec<f64> {
    let sounds = |at: usize| matches!(at % 24_000, 0..3_200 | 4_800..8_000);
    let shaken = |(at, tone): (usize, f64)| tone * (1.0 + 0.5 * (TAU * 25.0 * at as f64 / RATE as f64).sin());
    tones(&[400.0], length, sounds).into_iter().enumerate().map(shaken).collect()
}

/// Semitones of a major scale.
const SCALE: [f64; 7] = [0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 11.0];
/// Samples of a note at 120 beats a minute.
const BEAT: usize = RATE / 2;

/// A plucked note with six harmonics.
fn note(hz: f64, length: usize) -> impl Iterator<Item = f64> {
    (0..length).map(move |at| {
        let harmonics = (1..=6).map(|n| (TAU * hz * f64::from(n) * at as f64 / RATE as f64).sin() / f64::from(n));
        harmonics.sum::<f64>() * (-3.0 * at as f64 / length as f64).exp() * (at as f64 / 80.0).min(1.0)
    })
}

fn degree(step: usize, octave: i32) -> f64 {
    220.0 * 2f64.powf(SCALE[step % 7] / 12.0 + f64::from(octave))
}

fn melody(seed: u64, length: usize) -> Vec<f64> {
    let mut dice = Dice::stream(seed, "melody");
    let mut out = Vec::with_capacity(length + BEAT);
    while out.len() < length {
        let step = dice.within(0..7) as usize;
        out.extend(note(degree(step, 1), BEAT * (1 + dice.within(0..2) as usize)));
    }
    out.truncate(length);
    out
}

/// A chord for each four beats, a melody over it, a drum on each beat and a cymbal between.
fn music(seed: u64, length: usize) -> Vec<f64> {
    let mut out = melody(seed, length);
    let mut hiss = White::new(seed, -20.0).map(|sample| f64::from(sample) / 4_000.0);
    for (bar, from) in (0..length).step_by(4 * BEAT).enumerate() {
        let root = [0, 5, 3, 4][bar % 4];
        for step in [root, root + 2, root + 4] {
            out[from..].iter_mut().zip(note(degree(step, 0), 4 * BEAT)).for_each(|(sum, new)| *sum += 0.7 * new);
        }
    }
    for from in (0..length).step_by(BEAT / 2) {
        let low = from % BEAT == 0;
        let hit = (0..800).map(|at| {
            let fades = (-(at as f64) / if low { 200.0 } else { 80.0 }).exp();
            let body = if low { (TAU * 70.0 * at as f64 / RATE as f64).sin() } else { 0.0 };
            fades * (1.5 * body + 0.4 * hiss.next().unwrap_or_default())
        });
        let hit: Vec<f64> = hit.collect();
        out[from..].iter_mut().zip(hit).for_each(|(sum, new)| *sum += new);
    }
    out
}

/// A stretch of a noise for mixing under speech: `dbfs` loud.
pub(crate) fn background(kind: &str, length: usize, dbfs: f32) -> Vec<i16> {
    match kind {
        "white" => White::new(11, dbfs).take(length).collect(),
        "pink" => to_level(&pink(12, length), dbfs),
        "babble" => {
            let mut samples = vec![0; length];
            let mut background = Background::new(Noise::Babble, SPEECH_DBFS - dbfs, 3);
            samples.chunks_mut(160).for_each(|frame| background.add(frame));
            samples
        }
        _ => {
            let mut samples = vec![0; length];
            let mut background = Background::new(Noise::Street, SPEECH_DBFS - dbfs, 3);
            samples.chunks_mut(160).for_each(|frame| background.add(frame));
            samples
        }
    }
}
