//! Stalls and bursts on a stream without sequence numbers: the clock of samples, what is heard meanwhile, and that no word is lost.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;
use tandem_codecs::click::clicks;
use tandem_codecs::late::LateAudio;
use tandem_codecs::noise::Noise;
use tandem_codecs::{Level, SampleRate, wav};

const RATE: SampleRate = SampleRate::HZ_8000;
const FRAME: usize = 160;
/// Filled from so late.
const LATE_FRAMES: usize = 10;

/// Sentences with pauses, over a room of -55 dBFS.
fn speech(seconds: usize) -> Vec<i16> {
    let sentence = wav::read(include_bytes!("fixtures/apartment.wav").as_slice()).unwrap().samples;
    let talk: Vec<i16> = sentence.iter().copied().chain([0; 16_000]).collect();
    let talk = talk.into_iter().cycle().take(seconds * 8_000);
    talk.zip(Noise::new(8, -55.0)).map(|(a, b)| a.saturating_add(b)).collect()
}

fn is_silent(frame: &[i16]) -> bool {
    Level::of(frame).rms_dbfs < -45.0
}

/// The stream frame by frame over a call of that many frames. In a stall nothing comes; behind it all that was held up, or nothing if lost.
/// Returns what was given, and the frames of the source that were left out.
fn through(source: &[i16], stalls: &[(usize, usize, bool)]) -> (Vec<i16>, Vec<usize>) {
    let mut late = LateAudio::new(RATE);
    let (mut given, mut left_out, mut held) = (Vec::new(), Vec::new(), Vec::new());
    for (number, frame) in source.chunks_exact(FRAME).enumerate() {
        let now = Duration::from_millis(20 * (number as u64 + 1));
        if let Some((from, _, lost)) = stalls.iter().find(|(from, frames, _)| (*from..from + frames).contains(&number))
        {
            if !lost {
                held.push((number, frame.to_vec()));
            }
            let waited = number - from + 1;
            if waited >= LATE_FRAMES {
                let mut fill = vec![0; if waited == LATE_FRAMES { FRAME * LATE_FRAMES } else { FRAME }];
                late.fill(now, &mut fill);
                given.extend(fill);
            }
            continue;
        }
        held.push((number, frame.to_vec()));
        for (number, mut frame) in held.drain(..) {
            let silent = is_silent(&frame);
            late.came(now, &mut frame);
            if silent && late.takes_back(now, FRAME) {
                left_out.push(number);
            } else {
                given.extend(frame);
            }
        }
    }
    assert_eq!(late.given(), given.len() as u64);
    (given, left_out)
}

#[test]
fn without_a_stall_nothing_is_altered() {
    let source = speech(10);
    assert!(through(&source, &[]).0 == source);
}

#[test]
fn a_stall_and_its_burst_leave_the_clock_exact_and_every_word() {
    let source = speech(20);
    let (given, left_out) = through(&source, &[(60, 50, false)]);
    assert!(given.len().abs_diff(source.len()) <= FRAME, "{} of {}", given.len(), source.len());
    assert_eq!(left_out.len(), 50);
    assert!(left_out.iter().all(|&number| is_silent(&source[number * FRAME..][..FRAME])));
    assert_eq!(clicks(&given, RATE), [0_usize; 0]);
}

#[test]
fn what_never_comes_is_not_owed() {
    let source = speech(20);
    let (given, left_out) = through(&source, &[(60, 50, true)]);
    assert_eq!((given.len(), left_out.len()), (source.len(), 0));
}

#[test]
fn a_stall_is_carried_on_and_then_sounds_like_the_room() {
    let source = speech(10);
    let (given, _) = through(&source, &[(60, 60, false)]);
    let stall = &given[60 * FRAME..120 * FRAME];
    let level = |from_ms: usize, to_ms: usize| Level::of(&stall[from_ms * 8..to_ms * 8]).rms_dbfs;
    assert!(level(0, 10) > -40.0, "carried on: {}", level(0, 10));
    for from in [100, 400, 1_000] {
        assert!((level(from, from + 200) + 55.0).abs() < 4.0, "the room from {from} ms: {}", level(from, from + 200));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_stalls_leave_the_clock_exact(stalls in prop::collection::vec((10_usize..80, any::<bool>()), 1..6)) {
        let source = speech(60);
        // One every eight seconds, and time behind the last to give back what is owed.
        let stalls: Vec<_> = stalls.iter().enumerate().map(|(place, (frames, lost))| (50 + place * 400, *frames, *lost)).collect();
        let (given, left_out) = through(&source, &stalls);
        prop_assert!(given.len().abs_diff(source.len()) <= FRAME, "{} of {}", given.len(), source.len());
        prop_assert!(left_out.iter().all(|&number| is_silent(&source[number * FRAME..][..FRAME])));
    }
}
