//! Floors under the figures of `docs/detectors.md`: what the engines make of noise, music, breath, tones and speech, on a part of what
//! `examples/vad_figures` measures. Needs flite and the Silero model (`tandem models install --vad silero`), and fails without them.

#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used)]

#[path = "../examples/vad_figures/figures.rs"]
#[allow(dead_code, reason = "the example uses the rest")]
mod figures;
#[path = "../examples/vad_figures/sounds.rs"]
#[allow(dead_code, reason = "the example uses the rest")]
mod sounds;
#[path = "../examples/vad_figures/speech.rs"]
mod speech;

use std::collections::BTreeMap;

use tandem_codecs::noise::Noise;
use tandem_codecs::vad::{Detector, GateDetector, NeuralDetector};
use tandem_providers::local::models;
use tandem_providers::local::silero::Silero;

const SECONDS: usize = 12;

fn silero() -> Box<dyn Detector> {
    let path = models::require(models::DETECTOR, &models::models_dir()).unwrap_or_else(|error| panic!("{error}"));
    Silero::load(&path).unwrap().detector()
}

/// Seconds of false speech a minute, by sound.
fn false_speech(detector: &mut dyn Detector, dbfs: f32) -> BTreeMap<&'static str, f64> {
    let sounds = sounds::all(SECONDS, dbfs).into_iter();
    sounds.map(|sound| (sound.name, figures::false_seconds(detector, &sound.samples))).collect()
}

fn hold(name: &str, found: &BTreeMap<&'static str, f64>, sounds: &[&str], most: f64) {
    for sound in sounds {
        println!("{name}, {sound}: {:.1} s a minute", found[sound]);
        assert!(found[sound] <= most, "{name} takes {sound} for speech: {:.1} s a minute", found[sound]);
    }
}

#[test]
fn the_default_engine_is_not_fooled_by_even_noise_and_steady_tones() {
    let mut neural = NeuralDetector::default();
    let steady = ["white noise", "hum of the mains", "dial tone, 350 + 440 Hz", "one tone, 1 kHz"];
    let moderate = false_speech(&mut neural, -40.0);
    hold("neural", &moderate, &steady, 0.5);
    hold(
        "neural",
        &moderate,
        &["pink noise", "fan", "street", "busy, 480 + 620 Hz", "music on hold: melody alone"],
        0.5,
    );
    hold("neural", &moderate, &["breathing", "keyboard"], 10.0);
    // The beginning of a loud sound may count, once: a fifth of a second of these twelve is one in a minute.
    hold("neural", &false_speech(&mut neural, -25.0), &steady, 2.0);
}

#[test]
fn silero_is_fooled_by_voices_alone() {
    let mut silero = silero();
    for dbfs in [-40.0, -25.0] {
        let found = false_speech(silero.as_mut(), dbfs);
        let others: Vec<&str> = found.keys().copied().filter(|sound| *sound != "babble of six").collect();
        hold("silero", &found, &others, 0.5);
    }
}

/// Why there is a network behind the gate.
#[test]
fn the_gate_alone_takes_loud_noise_music_and_tones_for_speech() {
    let found = false_speech(&mut GateDetector::default(), -25.0);
    for sound in ["white noise", "music: chords, melody, drums", "one tone, 1 kHz"] {
        assert!(found[sound] > 50.0, "{sound}: {:.1} s a minute", found[sound]);
    }
}

#[test]
fn speech_is_found_in_time_on_a_quiet_line_and_20_db_above_noise() {
    let utterances = speech::all(true).unwrap_or_else(|error| panic!("{error}"));
    let rooms: [(&str, f32); 2] = [("a quiet line", -65.0), ("noise 20 dB below", -40.0)];
    for (room, noise_dbfs) in rooms {
        let engines: [Box<dyn Detector>; 2] = [Box::new(NeuralDetector::default()), silero()];
        for mut engine in engines {
            let noise = |length| Noise::new(11, noise_dbfs).take(length).collect();
            let heard = figures::heard(engine.as_mut(), &utterances, 0.0, noise);
            println!("{}, {room}: {heard:?}", engine.name());
            let name = engine.name();
            assert_eq!(heard.started_percent, 100.0, "{name}, {room}: a sentence was not heard");
            assert!(heard.missed_percent <= 5.0, "{name}, {room}: {heard:?}");
            let ([onset, late_onset], [_, late_offset]) = (heard.onset_ms.unwrap(), heard.offset_ms.unwrap());
            assert!((40..=120).contains(&onset) && late_onset <= 160, "{name}, {room}: {heard:?}");
            assert!((200..=400).contains(&late_offset), "{name}, {room}: {heard:?}");
        }
    }
}
