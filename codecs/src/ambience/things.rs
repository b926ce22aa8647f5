//! Things that make a sound: struck, plucked, blown or pressed. Each is a short sound of its own, about 1 at its peak.

use std::f32::consts::TAU;

use super::canvas::{Dice, HZ};

/// `seconds` of a function of time.
fn sound(seconds: f32, of: impl FnMut(f32) -> f32) -> Vec<f32> {
    (0..(seconds * HZ) as usize).map(|n| n as f32 / HZ).map(of).collect()
}

/// A partial that dies away.
fn ring(t: f32, hz: f32, decay: f32) -> f32 {
    (TAU * hz * t).sin() * (-t / decay).exp()
}

/// A beginning without a step, 2 ms.
fn edge(t: f32) -> f32 {
    (t / 0.002).min(1.0)
}

/// A key of a keyboard: the finger's tap and the spring's tick.
pub(super) fn keystroke(dice: &mut Dice) -> Vec<f32> {
    let (hz, back) = (dice.between(1_500.0, 2_600.0), dice.between(0.05, 0.09));
    let tap = |t: f32| if t < 0.0 { 0.0 } else { (-t / 0.004).exp() * edge(t) };
    sound(0.13, |t| (dice.noise() * 0.7 + (TAU * hz * t).sin() * 0.3) * (tap(t) + 0.4 * tap(t - back)))
}

/// A glass or a plate: partials that are no chord.
pub(super) fn clink(dice: &mut Dice) -> Vec<f32> {
    let (hz, decay) = (dice.between(1_700.0, 2_300.0), dice.between(0.04, 0.16));
    let parts = [(1.0, 1.0), (1.31, 0.6), (1.57, 0.4)];
    sound(0.5, |t| {
        parts.iter().map(|(ratio, loud)| ring(t, hz * ratio, decay / ratio) * loud).sum::<f32>() * 0.5 * edge(t)
    })
}

/// One ring of a desk telephone, two seconds.
pub(super) fn telephone() -> Vec<f32> {
    let fade = |t: f32| (t / 0.02).min(1.0).min((2.0 - t) / 0.1).max(0.0);
    sound(2.0, |t| {
        let warble = if (t * 20.0).fract() < 0.5 { 1_000.0 } else { 1_250.0 };
        (TAU * warble * t).sin() * fade(t) * 0.7
    })
}

/// Two hard sticks.
pub(super) fn clave() -> Vec<f32> {
    sound(0.12, |t| ring(t, 2_350.0, 0.018) * edge(t))
}

/// A drum skin under a hand; the pitch falls a little.
pub(super) fn conga(hz: f32, open: bool) -> Vec<f32> {
    let decay = if open { 0.11 } else { 0.035 };
    sound(0.4, |t| {
        let phase = TAU * hz * (t + 0.004 * (1.0 - (-t / 0.02).exp()));
        (phase.sin() + 0.3 * (phase * 1.59).sin()) * 0.75 * (-t / decay).exp() * edge(t)
    })
}

/// Seeds in a gourd.
pub(super) fn shaker(dice: &mut Dice) -> Vec<f32> {
    let mut last = 0.0;
    sound(0.06, |t| {
        let noise = dice.noise();
        let bright = noise - last;
        last = noise;
        bright * 0.5 * (t / 0.012).min(1.0) * (-t / 0.016).exp()
    })
}

/// A string of a bass.
pub(super) fn bass(hz: f32, seconds: f32) -> Vec<f32> {
    sound(seconds, |t| {
        let body = (TAU * hz * t).sin() + 0.5 * (TAU * 2.0 * hz * t).sin() + 0.2 * (TAU * 3.0 * hz * t).sin();
        body * 0.6 * (-t / 0.5).exp() * edge(t) * ((seconds - t) / 0.02).clamp(0.0, 1.0)
    })
}

/// A key of a piano.
pub(super) fn piano(hz: f32, seconds: f32) -> Vec<f32> {
    sound(seconds, |t| {
        let partials = (1..6).map(|n| n as f32).filter(|n| hz * n < HZ / 2.2);
        let body: f32 = partials.map(|n| ring(t, hz * n, 0.35 / n) / n).sum();
        body * 0.7 * edge(t) * ((seconds - t) / 0.015).clamp(0.0, 1.0)
    })
}

/// A chord that is held, as strings and wind would.
pub(super) fn pad(chord: &[f32], seconds: f32) -> Vec<f32> {
    let fade = |t: f32| (t / 0.6).min(1.0) * ((seconds - t) / 0.6).clamp(0.0, 1.0);
    sound(seconds, |t| {
        let note = |hz: f32| {
            (1..5).map(move |n| (TAU * hz * n as f32 * (t + 0.0006 * (TAU * 4.7 * t).sin())).sin() / (n * n) as f32)
        };
        chord.iter().map(|&hz| note(hz).sum::<f32>()).sum::<f32>() / chord.len() as f32 * fade(t)
    })
}

/// A pair of hands.
pub(super) fn clap(dice: &mut Dice) -> Vec<f32> {
    let (hz, decay) = (dice.between(800.0, 1_500.0), dice.between(0.006, 0.014));
    sound(0.05, |t| (dice.noise() * 0.6 + ring(t, hz, 0.01) * 0.5) * (-t / decay).exp() * edge(t))
}

/// A drum that is felt rather than heard.
pub(super) fn thump() -> Vec<f32> {
    sound(0.3, |t| (TAU * (70.0 * t + 0.8 * (1.0 - (-t / 0.03).exp()))).sin() * (-t / 0.09).exp() * edge(t))
}
