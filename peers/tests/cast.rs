//! The callers' voices as flite speaks them. Apart from the other tests: speaking takes a core, and some of those measure real time.
#![allow(clippy::unwrap_used, missing_docs)]

use tandem_codecs::Level;
use tandem_codecs::vad::{Detector, NeuralConfig, NeuralDetector};
use tandem_peers::caller::Step;
use tandem_peers::universe::cast::{Cast, Voice};
use tandem_peers::universe::noise::{Background, Noise};
use tandem_peers::universe::scenario::Scenario;
use tandem_peers::universe::{phrases, public_bugs};
use tandem_peers::voice::{Listener, transcript};

const VOICES: [Voice; 4] = [Voice::Rms, Voice::Awb, Voice::Slt, Voice::Formant(5)];
const SAID: &str = "I want an apartment in Delhi";

fn heard(samples: &[i16]) -> String {
    let mut listener = Listener::new();
    let words = [listener.push(samples), listener.finish()].concat();
    transcript(&words)
}

/// Share of frames that the switch's default detector calls speech.
fn speech_share(samples: &[i16]) -> f64 {
    let mut detector = NeuralDetector::new(NeuralConfig::default());
    let frames: Vec<bool> = samples.chunks_exact(160).map(|frame| detector.push(frame)).collect();
    frames.iter().filter(|&&speech| speech).count() as f64 / frames.len() as f64
}

#[test]
fn every_voice_says_all_its_phrases_in_words_that_can_be_told() {
    let cast = Cast::in_cache();
    for voice in VOICES {
        for text in phrases::everything() {
            let line = cast.say(voice, text).unwrap();
            assert_eq!(heard(&line.samples), *text, "{voice:?}");
            let level = Level::of(&line.samples).rms_dbfs;
            assert!((-26.0..-17.0).contains(&level), "{voice:?} {text:?}: {level}");
            let seconds = line.samples.len() as f64 / 8_000.0;
            assert!((0.2..8.0).contains(&seconds), "{voice:?} {text:?}: {seconds}");
        }
    }
}

#[test]
fn the_words_survive_the_line_and_the_street() {
    let cast = Cast::in_cache();
    for voice in VOICES {
        for noise in Noise::ALL {
            let mut line = cast.say(voice, SAID).unwrap().samples.to_vec();
            Background::new(noise, 10.0, 3).add(&mut line);
            tandem_peers::universe::channel::Codec::AlawUlaw.pass(&mut line);
            assert_eq!(heard(&line), SAID, "{voice:?} in {noise:?}");
        }
    }
}

#[test]
fn the_switchs_detector_hears_every_voice_as_speech() {
    let cast = Cast::in_cache();
    for voice in VOICES {
        let share = speech_share(&cast.say(voice, SAID).unwrap().samples);
        assert!(share > 0.8, "{voice:?}: {share}");
    }
    let mut street = vec![0; 80_000];
    Background::new(Noise::Street, 20.0, 1).add(&mut street);
    let share = speech_share(&street);
    assert!(share < 0.1, "a street is no speech: {share}");
}

#[test]
fn a_second_cast_reads_what_the_first_one_kept() {
    let folder = tempfile::tempdir().unwrap();
    let first = Cast::new(folder.path().to_owned()).say(Voice::Slt, "in Delhi please").unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let written = std::fs::metadata(&files[0]).unwrap().modified().unwrap();
    assert_eq!(Cast::new(folder.path().to_owned()).say(Voice::Slt, "in Delhi please").unwrap(), first);
    assert_eq!(std::fs::metadata(&files[0]).unwrap().modified().unwrap(), written, "it was not made again");
    // a file that was cut short is
    std::fs::write(&files[0], b"RIFF").unwrap();
    assert_eq!(Cast::new(folder.path().to_owned()).say(Voice::Slt, "in Delhi please").unwrap(), first);
}

#[test]
fn a_murmur_has_no_words() {
    let cast = Cast::in_cache();
    for voice in VOICES {
        let murmur = cast.murmur(voice, phrases::ASIDES[0]).unwrap();
        assert_eq!(heard(&murmur), "");
        assert!(speech_share(&murmur) > 0.6, "{voice:?} is a voice all the same");
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Cast::new(file.path().join("voices")).say(Voice::Rms, "hello").unwrap_err().to_string();
    assert!(error.contains(&file.path().display().to_string()) && error.contains("XDG_CACHE_HOME"), "{error}");
}

#[test]
fn a_script_sounds_the_same_each_time() {
    let (one, other) = (Cast::in_cache(), Cast::in_cache());
    for seed in 0..30 {
        let call = Scenario::from_seed(seed);
        let script = call.script(&one).unwrap();
        assert_eq!(script, call.script(&other).unwrap());
        assert_eq!(script.len(), call.caller.script.len());
        let words: Vec<&str> = script.iter().filter_map(Step::line).map(|line| line.text.as_str()).collect();
        let said: Vec<&str> = words.into_iter().filter(|text| !text.is_empty()).collect();
        assert_eq!(said, call.said().collect::<Vec<_>>());
    }
}

#[test]
fn a_room_sounds_the_same_each_time() {
    let cast = Cast::in_cache();
    for seed in 0..30 {
        let call = Scenario::from_seed(seed);
        let listen = || {
            let mut room = call.room(&cast).unwrap();
            let mut out = Vec::new();
            for at in 0..200_i16 {
                let mut frame = [0; 160];
                room.add(&mut frame, &[at; 160]);
                out.extend(frame);
            }
            out
        };
        assert_eq!(listen(), listen(), "seed {seed}");
    }
}

#[test]
fn public_bugs_can_be_spoken() {
    let cast = Cast::in_cache();
    for bug in public_bugs::all() {
        assert_eq!(bug.call.script(&cast).unwrap().len(), bug.call.caller.script.len(), "{}", bug.call.name);
    }
}
