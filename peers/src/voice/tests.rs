//! The watermark against what lines do to it, and the voice's length and loudness.

#![allow(clippy::unwrap_used)]

use tandem_codecs::vad::{Detector, EnergyDetector, GateDetector, NeuralDetector};
use tandem_codecs::{Level, SpeechGate, SpeechGateConfig, VadEvent, g711};

use super::*;

const TEXT: &str = "I want an apartment in Delhi, sixty lakh rupees.";

fn hear(samples: &[i16]) -> Vec<Heard> {
    let mut listener = Listener::new();
    let mut words = Vec::new();
    for frame in samples.chunks(160) {
        words.extend(listener.push(frame));
    }
    words.extend(listener.finish());
    words
}

fn through_ulaw(samples: &[i16]) -> Vec<i16> {
    let (mut wire, mut out) = (Vec::new(), Vec::new());
    g711::encode_ulaw(samples, &mut wire);
    g711::decode_ulaw(&wire, &mut out);
    out
}

fn gained(samples: &[i16], decibels: f32) -> Vec<i16> {
    let gain = 10_f32.powf(decibels / 20.0);
    samples.iter().map(|&sample| (f32::from(sample) * gain) as i16).collect()
}

#[test]
fn the_text_is_heard_as_it_was_spoken() {
    for pitch in [70.0, 120.0, 220.0, 300.0] {
        assert_eq!(transcript(&hear(&Talker::new(pitch).speak(TEXT).samples)), TEXT, "{pitch} Hz");
    }
}

#[test]
fn mu_law_and_gain_lose_no_word() {
    for decibels in [-12.0, -6.0, 0.0, 6.0] {
        let line = through_ulaw(&gained(&speak(TEXT), decibels));
        assert_eq!(transcript(&hear(&line)), TEXT, "{decibels} dB");
        assert_eq!(transcript(&hear(&through_ulaw(&line))), TEXT, "{decibels} dB, coded twice");
    }
}

#[test]
fn words_are_found_at_any_place_and_where_they_stand() {
    let spoken = Talker::default().speak(TEXT);
    for lead in [0, 1, 37, 160, 4_003] {
        let line = through_ulaw(&[vec![0; lead], spoken.samples.clone(), vec![0; 1_000]].concat());
        let words = hear(&line);
        assert_eq!(words.len(), spoken.words.len());
        for (heard, word) in words.iter().zip(&spoken.words) {
            let expected = (word.samples.start + lead + MARGIN) as i64;
            assert!((heard.start as i64 - expected).abs() <= 32, "{heard:?} expected at {expected}");
            assert!(heard.end <= (word.samples.end + lead) as u64 + 32);
        }
    }
}

#[test]
fn a_dropout_kills_only_the_word_it_hits() {
    let spoken = Talker::default().speak(TEXT);
    for (index, word) in spoken.words.iter().enumerate() {
        let mut line = spoken.samples.clone();
        let middle = (word.samples.start + word.samples.end) / 2;
        line[middle - 80..middle + 80].fill(0);
        let expected: Vec<&str> =
            TEXT.split(' ').enumerate().filter(|&(place, _)| place != index).map(|(_, word)| word).collect();
        assert_eq!(transcript(&hear(&through_ulaw(&line))), expected.join(" "), "word {index}");
    }
}

#[test]
fn a_cut_utterance_yields_the_words_really_heard() {
    let spoken = Talker::default().speak(TEXT);
    let words: Vec<&str> = TEXT.split(' ').collect();
    for cut in (0..spoken.samples.len()).step_by(400) {
        let whole = spoken.words.iter().filter(|word| word.samples.end <= cut).count();
        let begun = spoken.words.iter().filter(|word| word.samples.start < cut).count();
        let heard = hear(&spoken.samples[..cut]).len();
        assert!((whole..=begun).contains(&heard), "cut at {cut}: {heard} of {whole} to {begun}");
        assert_eq!(transcript(&hear(&spoken.samples[..cut])), words[..heard].join(" "));
    }
}

#[test]
fn a_new_sentence_is_heard_right_after_a_cut_word() {
    let spoken = Talker::default().speak("apartment");
    let line = [spoken.samples[..spoken.samples.len() / 2].to_vec(), speak("no, fifty lakh")].concat();
    assert_eq!(transcript(&hear(&line)), "no, fifty lakh");
}

#[test]
fn two_talkers_never_mix() {
    let first = Talker::new(100.0).speak("alpha bravo charlie delta echo");
    let second = Talker::new(190.0).speak("golf hotel india juliet kilo");
    let known: Vec<&str> = "alpha bravo charlie delta echo golf hotel india juliet kilo".split(' ').collect();
    for shift in (0..4_000).step_by(173) {
        for decibels in [0.0, -3.0, -9.0] {
            let mut line = first.samples.clone();
            for (at, sample) in gained(&second.samples, decibels).into_iter().enumerate() {
                match line.get_mut(at + shift) {
                    Some(mixed) => *mixed = mixed.saturating_add(sample),
                    None => line.push(sample),
                }
            }
            for word in hear(&through_ulaw(&line)) {
                assert!(known.contains(&word.text.as_str()), "{word:?} was said by nobody");
            }
        }
    }
}

#[test]
fn noise_and_silence_say_nothing() {
    assert_eq!(hear(&vec![0; 80_000]), []);
    for level in [-60.0, -20.0] {
        let noise: Vec<i16> = tandem_codecs::noise::Noise::new(3, level).take(8_000 * 120).collect();
        assert_eq!(hear(&noise), []);
    }
}

#[test]
fn length_and_loudness_are_natural() {
    let spoken = Talker::default().speak("I want an apartment in Delhi");
    let seconds = spoken.samples.len() as f32 / RATE_HZ as f32;
    assert!((1.4..2.6).contains(&seconds), "{seconds} s");
    let level = Level::of(&spoken.samples);
    assert!((-24.0..-18.0).contains(&level.rms_dbfs), "{level:?}");
    assert!(level.peak < 16_384, "{level:?}");
    assert_eq!(speak(""), Vec::<i16>::new());
    assert_eq!(speak(TEXT), speak(TEXT));
}

#[test]
fn the_voice_leaves_the_watermark_its_band() {
    let segments = [formant::Segment { letters: "apartmentsix".chars().collect(), samples: 16_000 }];
    let voice: Vec<i16> = formant::synthesise(120.0, &segments).into_iter().map(|sample| sample as i16).collect();
    for hz in [3_187.5, 3_312.5, 3_437.5, 3_562.5] {
        let power = tandem_codecs::tone::power_dbfs(&voice, tandem_codecs::SampleRate::HZ_8000, hz);
        assert!(power < -75.0, "{hz} Hz: {power} dBFS");
    }
}

#[test]
fn long_words_are_cut_not_lost() {
    let text = "क".repeat(30);
    let heard = hear(&speak(&text));
    assert_eq!(heard.len(), 2);
    assert_eq!(heard.into_iter().map(|word| word.text).collect::<String>(), text);
}

/// How a detector and its gate judge `text` after a second of quiet line: frames taken for speech, frames, stretches.
fn judge(detector: &mut dyn Detector, talker: Talker, text: &str) -> (usize, usize, Vec<Range<u64>>) {
    let quiet = |seed| tandem_codecs::noise::Noise::new(seed, -65.0).take(8_000).collect::<Vec<i16>>();
    let spoken = talker.speak(text).samples;
    let speech = 8_000..8_000 + spoken.len();
    let line = through_ulaw(&[quiet(1), spoken, quiet(2)].concat());
    let mut gate = SpeechGate::new(SpeechGateConfig::default());
    let (mut yes, mut frames, mut stretches, mut since) = (0, 0, Vec::new(), 0);
    for (index, frame) in line.chunks_exact(160).enumerate() {
        let verdict = detector.push(frame);
        if speech.start <= index * 160 && (index + 1) * 160 <= speech.end {
            frames += 1;
            yes += usize::from(verdict);
        }
        match gate.push(verdict, index as u64 * 160) {
            Some(VadEvent::SpeechStarted { at_sample }) => since = at_sample,
            Some(VadEvent::SpeechEnded { at_sample }) => stretches.push(since..at_sample),
            None => {}
        }
    }
    // WebRTC's model may take the first frames of any stream for speech
    stretches.retain(|stretch| stretch.end as usize > speech.start);
    (yes, frames, stretches)
}

#[test]
fn detectors_take_the_voice_for_speech() {
    // the energy detector hears the pauses inside a sentence, so it is only asked for most of it
    let mut engines: [(Box<dyn Detector>, f32, bool); 3] = [
        (Box::new(NeuralDetector::default()), 0.95, true),
        (Box::new(GateDetector::default()), 0.95, true),
        (Box::new(EnergyDetector::default()), 0.80, false),
    ];
    let texts = [TEXT, "no", "fifty lakh", "I do not know yet, perhaps a house with three bedrooms near the metro"];
    for (engine, least, one_stretch) in &mut engines {
        let (mut yes, mut frames) = (0, 0);
        for (number, text) in (0..16).flat_map(|number| texts.map(|text| (number, text))) {
            engine.reset();
            let judged = judge(engine.as_mut(), Talker::numbered(number), text);
            (yes, frames) = (yes + judged.0, frames + judged.1);
            if *one_stretch {
                let [stretch] = judged.2.as_slice() else { panic!("{}: {text:?}: {:?}", engine.name(), judged.2) };
                assert!((8_000..=8_480).contains(&stretch.start), "{}: {text:?} starts at {stretch:?}", engine.name());
            }
        }
        let share = yes as f32 / frames as f32;
        println!("{}: {:.1} % of {frames} frames", engine.name(), 100.0 * share);
        assert!(share >= *least, "{}", engine.name());
    }
}
