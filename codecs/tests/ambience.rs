//! The scenes as they are played: their level, their seam, their place under a voice, and that they differ.
#![allow(clippy::unwrap_used)]

use tandem_codecs::ambience::{LENGTH, LEVEL_DBFS, RATE, Scene};
use tandem_codecs::click::clicks;
use tandem_codecs::dtmf::DtmfDetector;
use tandem_codecs::mix::Bed;
use tandem_codecs::vad::{FRAME_SAMPLES, NeuralDetector, SpeechGate, SpeechGateConfig};
use tandem_codecs::{Detector, Level, VadEvent, wav};

#[test]
fn every_round_has_its_length_and_its_level() {
    for scene in Scene::ALL {
        let round = scene.round();
        let level = Level::of(&round);
        assert_eq!(round.len(), RATE.samples_in(LENGTH), "{scene:?}");
        assert!((level.rms_dbfs - LEVEL_DBFS).abs() < 0.3, "{scene:?}: {level:?}");
        assert!(level.peak_dbfs() < -13.0, "{scene:?}: {level:?}");
        let quietest = round.chunks(8_000).map(|second| Level::of(second).rms_dbfs).reduce(f32::min).unwrap();
        assert!(quietest > LEVEL_DBFS - 12.0, "{scene:?} is never silent: {quietest}");
    }
}

#[test]
fn a_round_is_made_once_and_is_the_same_in_every_process() {
    let sum = |scene: Scene| -> u64 {
        scene.round().iter().fold(0, |sum: u64, sample| sum.wrapping_mul(31).wrapping_add(*sample as u16 as u64))
    };
    for scene in Scene::ALL {
        assert!(std::sync::Arc::ptr_eq(&scene.round(), &scene.made().unwrap()));
    }
    let sums: std::collections::BTreeSet<u64> = Scene::ALL.into_iter().map(sum).collect();
    assert_eq!(sums.len(), 5, "five places, five sounds");
}

#[test]
fn going_round_makes_no_click() {
    for scene in Scene::ALL {
        let round = scene.round();
        let seam = [&round[round.len() - 800..], &round[..800]].concat();
        assert_eq!(clicks(&seam, RATE), Vec::<usize>::new(), "{scene:?}");
    }
}

#[test]
fn no_scene_presses_a_key() {
    for scene in Scene::ALL {
        let mut events = Vec::new();
        DtmfDetector::new(RATE).push(&scene.round(), &mut events);
        assert_eq!(events, [], "{scene:?}");
    }
}

/// What comes back to us as echo is at least 20 dB weaker, on the worst lines.
#[test]
fn its_echo_is_no_speech() {
    for scene in Scene::ALL {
        let mut bed = Bed::new(RATE, scene.round(), 1.0, 5);
        let (mut detector, mut gate, mut started) =
            (NeuralDetector::default(), SpeechGate::new(SpeechGateConfig::default()), Vec::new());
        for n in 0..1_200u64 {
            let mut frame = [0; FRAME_SAMPLES];
            bed.mix(&mut frame);
            frame.iter_mut().for_each(|sample| *sample /= 10);
            match gate.push(detector.push(&frame), n * FRAME_SAMPLES as u64) {
                Some(VadEvent::SpeechStarted { at_sample }) => started.push(at_sample),
                Some(VadEvent::SpeechEnded { .. }) | None => {}
            }
        }
        assert_eq!(started, [], "{scene:?}");
    }
}

#[test]
fn speech_over_a_full_bed_stays_twelve_decibels_above_it() {
    let file = include_bytes!("fixtures/apartment.wav");
    let speech = wav::read(file.as_slice()).unwrap().samples.to_vec();
    let voiced: Vec<i16> =
        speech.chunks(160).filter(|frame| Level::of(frame).rms_dbfs > -35.0).flatten().copied().collect();
    let spoken = Level::of(&voiced).rms_dbfs;
    for scene in Scene::ALL {
        let mut bed = vec![0; 80_000];
        Bed::new(RATE, scene.round(), 1.0, 1).mix(&mut bed);
        let under = spoken - Level::of(&bed).rms_dbfs;
        assert!(under > 12.0, "{scene:?}: speech at {spoken}, {under} dB above");
    }
}
