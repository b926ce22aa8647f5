//! The real Silero model: needs it (`tandem models install --vad silero`) and fails without.

#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used)]

use tandem_codecs::noise::Noise;
use tandem_codecs::vad::{Detector, FRAME_SAMPLES, GateMode, Gated, Network, NeuralConfig};
use tandem_codecs::wav;
use tandem_providers::local::models;
use tandem_providers::local::silero::Silero;

fn silero() -> Silero {
    let path = models::require(models::DETECTOR, &models::models_dir()).unwrap_or_else(|error| panic!("{error}"));
    Silero::load(&path).unwrap()
}

fn sentence() -> Vec<i16> {
    wav::read(&include_bytes!("../../codecs/tests/fixtures/apartment.wav")[..]).unwrap().samples.to_vec()
}

/// Scores of the sentence's steps by onnxruntime 1.31.1 through the package's own wrapper: the first ten and the last six of 87.
#[test]
fn scores_are_those_of_the_models_own_runtime() {
    let first = [0.0227, 0.0337, 0.0277, 0.0245, 0.0193, 0.0485, 0.8872, 0.9651, 0.9967, 0.9991];
    let last = [0.9990, 0.9989, 0.9961, 0.8749, 0.2895, 0.0508];
    let mut network = silero().network();
    let scores: Vec<f32> = sentence().chunks_exact(256).filter_map(|step| network.hear(step)).collect();
    assert_eq!(scores.len(), 87);
    for (score, expected) in scores.iter().zip(first).chain(scores[81..].iter().zip(last)) {
        assert!((score - expected).abs() < 1e-3, "{score} is not {expected}");
    }
    network.reset();
    let again: Vec<f32> = sentence().chunks_exact(256).filter_map(|step| network.hear(step)).collect();
    assert_eq!(scores, again, "reset forgets");
}

/// Frames of 20 ms complete five steps in eight; the others bring nothing new.
#[test]
fn frames_that_complete_no_step_bring_no_score() {
    let mut network = silero().network();
    let told: Vec<bool> = (0..8).map(|_| network.hear(&[0; FRAME_SAMPLES]).is_some()).collect();
    assert_eq!(told, [false, true, false, true, true, false, true, true]);
}

/// Behind the gate the network sleeps; what it slept through changes no judgement in a hundred.
#[test]
fn a_network_that_slept_judges_as_one_that_heard_everything() {
    let silero = silero();
    for noise_dbfs in [-90.0, -60.0, -45.0, -30.0] {
        let mut sleeper = silero.detector();
        let mut gate = tandem_codecs::vad::GateDetector::new(GateMode::Aggressive);
        let (mut awake, mut score) = (silero.network(), 0.0);
        let quiet = vec![0; 12_000];
        let talk = [&quiet[..], &sentence(), &quiet, &sentence(), &quiet].concat();
        let talk: Vec<i16> = talk
            .into_iter()
            .zip(Noise::new(7, noise_dbfs))
            .map(|(sample, noise)| sample.saturating_add(noise))
            .collect();
        let (mut differences, mut frames) = (0, 0);
        for frame in talk.chunks_exact(FRAME_SAMPLES) {
            score = awake.hear(frame).unwrap_or(score);
            let expected = gate.push(frame) && score >= 0.5;
            differences += u32::from(sleeper.push(frame) != expected);
            frames += 1;
        }
        println!("noise of {noise_dbfs} dBFS: {differences} of {frames} frames differ");
        assert!(differences * 100 <= frames, "noise of {noise_dbfs} dBFS: {differences} of {frames} frames");
    }
}

/// Every call has a state of its own, whichever thread it runs on.
#[test]
fn calls_do_not_hear_each_other() {
    let silero = silero();
    let alone: Vec<bool> = judge(silero.detector().as_mut());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let mut detector = silero.detector();
            std::thread::spawn(move || judge(detector.as_mut()))
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), alone);
    }
    assert!(alone.iter().filter(|speech| **speech).count() > 100, "it hears the sentence");
}

fn judge(detector: &mut dyn Detector) -> Vec<bool> {
    sentence().chunks_exact(FRAME_SAMPLES).map(|frame| detector.push(frame)).collect()
}

#[test]
fn a_file_of_another_kind_is_refused_with_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("silero.onnx");
    std::fs::write(&path, b"not a model").unwrap();
    let error = Silero::load(&path).err().unwrap().to_string();
    assert!(error.contains("run `tandem models install --vad silero`"), "{error}");
    let _ = Gated::with(silero().network(), NeuralConfig::default()); // any gate may stand before it
}
