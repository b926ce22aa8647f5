//! The scenes, each composed of layers with a loudness of their own; only their ratio counts, the whole is brought to one level.

use super::Scene;
use super::canvas::{Canvas, Dice};
use super::crowd::crowd;
use super::things;

/// An eighth note: 180 beats a minute.
const EIGHTH: f32 = 1.0 / 6.0;
/// Eighths of two bars.
const CYCLE: usize = 16;
/// Two bars, so often in a round.
const CYCLES: usize = 9;

/// One round of it.
pub(super) fn paint(scene: Scene) -> Vec<i16> {
    let canvas = match scene {
        Scene::Office => office(&mut Dice::new(0x0ff1)),
        Scene::CallCenter => call_center(&mut Dice::new(0xca11)),
        Scene::Restaurant => restaurant(&mut Dice::new(0x4e57)),
        Scene::Salsa => salsa(&mut Dice::new(0x5a15)),
        Scene::Concert => concert(&mut Dice::new(0xc0ce)),
    };
    canvas.finish()
}

/// Somebody types, and thinks, and types.
fn typing(dice: &mut Dice, people: usize) -> Canvas {
    let mut canvas = Canvas::new();
    for _ in 0..people {
        let (near, mut at) = (dice.between(0.3, 1.0), dice.between(0.0, 4.0));
        while at < canvas.seconds() {
            for _ in 0..dice.between(4.0, 22.0) as usize {
                canvas.lay(at, &things::keystroke(dice), near * dice.between(0.5, 1.0));
                at += dice.between(0.09, 0.24);
            }
            at += dice.between(0.8, 5.0);
        }
    }
    canvas
}

/// Air that is moved by a fan.
fn air(dice: &mut Dice, hz: f32) -> Canvas {
    Canvas::noise(dice).lower(hz).lower(hz * 2.0).higher(60.0)
}

fn office(dice: &mut Dice) -> Canvas {
    let mut room = Canvas::new();
    room.lay_round(&air(dice, 350.0).swell(5, 0.15), 1.0);
    room.lay_round(&typing(dice, 3).room(0.5, 0.3), 0.35);
    room.lay_round(&crowd(dice, 2).lower(700.0).lower(1_200.0).room(0.7, 0.8), 0.35);
    room
}

fn call_center(dice: &mut Dice) -> Canvas {
    let mut room = Canvas::new();
    room.lay_round(&crowd(dice, 14).lower(1_800.0).higher(150.0).room(0.6, 0.5), 1.0);
    room.lay_round(&typing(dice, 5), 0.22);
    room.lay_round(&air(dice, 500.0), 0.3);
    let (mut phones, ring) = (Canvas::new(), things::telephone());
    for at in [2.5, 8.5, 15.2, 19.2] {
        phones.lay(at, &ring, 1.0);
    }
    room.lay_round(&phones.lower(1_000.0).lower(1_600.0).room(0.75, 1.0), 0.1);
    room
}

fn restaurant(dice: &mut Dice) -> Canvas {
    let mut room = Canvas::new();
    room.lay_round(&crowd(dice, 18).lower(1_400.0).higher(140.0).room(0.72, 0.8).swell(3, 0.25), 1.0);
    let mut table = Canvas::new();
    for _ in 0..46 {
        let (at, near) = (dice.between(0.0, table.seconds()), dice.between(0.2, 1.0));
        table.lay(at, &things::clink(dice), near);
        if dice.unit() < 0.4 {
            table.lay(at + dice.between(0.06, 0.2), &things::clink(dice), near * 0.7);
        }
    }
    room.lay_round(&table.room(0.6, 0.5), 0.3);
    room.lay_round(&air(dice, 200.0), 0.4);
    room
}

/// Son clave (2-3), tumbao in bass and congas, and a piano that answers them, over a minor cadence of two bars.
fn salsa(dice: &mut Dice) -> Canvas {
    const CLAVE: [usize; 5] = [2, 4, 8, 11, 14];
    // A minor, D minor, E, A minor: half a bar each, root and chord.
    const BASS_HZ: [f32; 4] = [110.0, 73.4, 82.4, 110.0];
    const CHORDS: [[f32; 3]; 4] =
        [[440.0, 523.3, 659.3], [440.0, 587.3, 698.5], [415.3, 493.9, 659.3], [440.0, 523.3, 659.3]];
    const MONTUNO: [usize; 10] = [0, 1, 3, 5, 7, 8, 9, 11, 13, 15];
    let [mut sticks, mut skins, mut seeds, mut low, mut keys] = std::array::from_fn(|_| Canvas::new());
    let (clave, open, muted) = (things::clave(), things::conga(196.0, true), things::conga(262.0, false));
    for cycle in 0..CYCLES {
        let at = |eighth: usize| (cycle * CYCLE + eighth) as f32 * EIGHTH;
        CLAVE.into_iter().for_each(|eighth| sticks.lay(at(eighth), &clave, 1.0));
        for eighth in 0..CYCLE {
            seeds.lay(at(eighth), &things::shaker(dice), if eighth % 2 == 0 { 1.0 } else { 0.55 });
            match eighth % 8 {
                2 => skins.lay(at(eighth), &muted, 0.9),
                6 | 7 => skins.lay(at(eighth), &open, dice.between(0.8, 1.0)),
                _ => skins.lay(at(eighth), &muted, dice.between(0.1, 0.25)),
            }
            // The bass comes before the bar: on the second "and" and on four, with the chord that follows.
            if eighth % 8 == 3 || eighth % 8 == 6 {
                let chord = (eighth / 4 + 1) % 4;
                low.lay(at(eighth), &things::bass(BASS_HZ[chord], 0.45), 1.0);
            }
        }
        for eighth in MONTUNO {
            let chord = CHORDS[eighth / 4];
            let note = chord[(eighth * 2 + cycle) % 3];
            keys.lay(at(eighth), &things::piano(note, 0.3), 0.9);
            keys.lay(at(eighth), &things::piano(note / 2.0, 0.3), 0.6);
        }
    }
    let mut band = Canvas::new();
    for (part, rms) in [(sticks, 0.35), (skins, 0.8), (seeds, 0.22), (low, 1.0), (keys, 0.75)] {
        band.lay_round(&part, rms);
    }
    band.lower(2_400.0).room(0.6, 0.4)
}

fn concert(dice: &mut Dice) -> Canvas {
    // C, A minor, F, G: four bars of six seconds in all, so that a round holds them once.
    const CHORDS: [[f32; 3]; 4] =
        [[261.6, 329.6, 392.0], [220.0, 261.6, 329.6], [174.6, 261.6, 349.2], [196.0, 246.9, 293.7]];
    let (mut band, mut drum, thump) = (Canvas::new(), Canvas::new(), things::thump());
    for (bar, chord) in CHORDS.iter().enumerate() {
        band.lay(bar as f32 * 6.0, &things::pad(chord, 6.6), 1.0);
    }
    for beat in 0..48 {
        drum.lay(beat as f32 * 0.5, &thump, if beat % 4 == 0 { 1.0 } else { 0.6 });
    }
    let mut hands = Canvas::new();
    for _ in 0..1_100 {
        // Most of it in two waves of applause.
        let wave = dice.one_of(&[5.0, 5.0, 17.5, 17.5, 12.0]);
        let at = wave + (dice.unit() + dice.unit() - 1.0) * 4.5;
        hands.lay(at, &things::clap(dice), dice.between(0.1, 1.0));
    }
    let mut hall = Canvas::new();
    hall.lay_round(&band.lower(900.0), 0.9);
    hall.lay_round(&drum, 0.4);
    hall.lay_round(&crowd(dice, 20).lower(1_000.0).higher(200.0).swell(2, 0.4), 0.8);
    hall.lay_round(&hands.lower(2_000.0), 0.35);
    hall.lay_round(&Canvas::noise(dice).lower(700.0).higher(250.0).swell(2, 0.5), 0.3);
    hall.room(0.82, 1.2)
}
