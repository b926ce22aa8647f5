//! People who talk, and are not understood: pulses of a voice through the resonances of vowels, in syllables that make no word.

use std::f32::consts::{PI, TAU};

use super::canvas::{Canvas, Dice, HZ};

/// First and second resonance of five vowels, in Hz (after Peterson and Barney, 1952).
const VOWELS: [(f32, f32); 5] =
    [(730.0, 1_090.0), (530.0, 1_840.0), (390.0, 1_990.0), (570.0, 840.0), (440.0, 1_020.0)];

/// Two poles.
struct Resonance {
    a: f32,
    b: f32,
    last: f32,
    before: f32,
}

impl Resonance {
    fn new() -> Self {
        Self { a: 0.0, b: 0.0, last: 0.0, before: 0.0 }
    }

    fn tune(&mut self, hz: f32, width_hz: f32) {
        let radius = (-PI * width_hz / HZ).exp();
        (self.a, self.b) = (2.0 * radius * (TAU * hz / HZ).cos(), -radius * radius);
    }

    fn next(&mut self, drive: f32) -> f32 {
        let now = drive + self.a * self.last + self.b * self.before;
        (self.before, self.last) = (self.last, now);
        now
    }
}

/// Some seconds of one person talking.
pub(super) fn phrase(dice: &mut Dice, pitch_hz: f32, seconds: f32) -> Vec<f32> {
    let total = (seconds * HZ) as usize;
    let mut out = Vec::with_capacity(total);
    let (mut first, mut second, mut phase) = (Resonance::new(), Resonance::new(), 0.0f32);
    while out.len() < total {
        let length = (dice.between(0.11, 0.26) * HZ) as usize;
        let ((f1, f2), loud) = (dice.one_of(&VOWELS), dice.between(0.4, 1.0));
        let (shift, rise) = (dice.between(0.95, 1.08), dice.between(-0.12, 0.1));
        // A consonant that is mostly breath, then the vowel.
        let breath = if dice.unit() < 0.4 { length / 5 } else { 0 };
        first.tune(f1 * shift, 90.0);
        second.tune(f2 * shift, 120.0);
        let falling = 1.0 - 0.15 * out.len() as f32 / total as f32; // a sentence comes down
        for n in 0..length {
            let place = n as f32 / length as f32;
            phase += pitch_hz * falling * (1.0 + rise * place) / HZ;
            let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
            phase -= phase.floor();
            let envelope = (PI * place).sin() * loud;
            let drive = if n < breath { dice.noise() * 0.25 } else { pulse + dice.noise() * 0.01 };
            out.push((first.next(drive) + 0.6 * second.next(drive)) * envelope);
        }
        if dice.unit() < 0.12 {
            out.resize(out.len() + (dice.between(0.08, 0.3) * HZ) as usize, 0.0);
        }
    }
    out
}

/// So many people, each talking for a while and listening for a while.
pub(super) fn crowd(dice: &mut Dice, people: usize) -> Canvas {
    let mut canvas = Canvas::new();
    for person in 0..people {
        let pitch = if person % 2 == 0 { dice.between(95.0, 140.0) } else { dice.between(170.0, 235.0) };
        let (near, mut at) = (dice.between(0.4, 1.0), dice.between(0.0, 3.0));
        while at < canvas.seconds() {
            let seconds = dice.between(1.0, 3.5);
            canvas.lay(at, &phrase(dice, pitch, seconds), near);
            at += seconds + dice.between(0.4, 3.0);
        }
    }
    canvas
}
