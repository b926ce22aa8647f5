#![allow(clippy::unwrap_used)]

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const FRAME: usize = 160;
const SECOND: u64 = 8_000;

fn stereo() -> Stereo {
    Stereo::new(SampleRate::HZ_8000)
}

fn side(out: &[i16], channel: usize) -> Vec<i16> {
    out.chunks(2).map(|pair| pair[channel]).collect()
}

fn finish(stereo: &mut Stereo, length: u64, out: &mut Vec<i16>) {
    while stereo.finish(length, out) {}
}

/// A caller who says 1, 2, 3, … a frame each.
fn spoken(frames: usize) -> Vec<i16> {
    (1..=frames).flat_map(|number| [number as i16; FRAME]).collect()
}

/// Records frames that are in at those moments, looking every 250 ms.
fn heard(arrivals: &[u64], length: u64) -> Vec<i16> {
    let (mut stereo, mut out, mut looked) = (stereo(), Vec::new(), 0);
    for (arrived, frame) in arrivals.iter().zip(spoken(arrivals.len()).chunks(FRAME)) {
        while looked + SECOND / 4 <= *arrived {
            looked += SECOND / 4;
            while stereo.take(looked, &mut out) {}
        }
        stereo.caller(*arrived, frame);
    }
    finish(&mut stereo, length, &mut out);
    side(&out, CALLER)
}

/// When frames are in that are sent as they are spoken and stall from `from` to `to`.
fn arrivals(frames: usize, stalls: &[(u64, u64)]) -> Vec<u64> {
    let sent = (1..=frames as u64).map(|number| number * FRAME as u64);
    sent.map(|sent| stalls.iter().find(|(from, to)| (*from..*to).contains(&sent)).map_or(sent, |stall| stall.1))
        .collect()
}

#[test]
fn the_sides_stand_beside_each_other_and_gaps_are_silent() {
    let (mut stereo, mut out) = (stereo(), Vec::new());
    stereo.caller(3, &[1, 2, 3]);
    stereo.agent(2, &[7, 8]);
    finish(&mut stereo, 6, &mut out);
    assert_eq!(out, [1, 0, 2, 0, 3, 7, 0, 8, 0, 0, 0, 0]);
}

#[test]
fn what_was_cleared_before_it_was_heard_is_not_in_it() {
    let (mut stereo, mut out) = (stereo(), Vec::new());
    stereo.agent(0, &[5; 4_000]);
    stereo.agent_cleared(2_500);
    stereo.agent(3_000, &[6; 1_000]);
    finish(&mut stereo, 4_000, &mut out);
    let agent = side(&out, AGENT);
    assert!(agent[..2_500].iter().all(|sample| *sample == 5));
    assert!(agent[2_500..3_000].iter().all(|sample| *sample == 0));
    assert!(agent[3_000..].iter().all(|sample| *sample == 6));
}

#[test]
fn a_burst_is_laid_back_into_the_stall_before_it() {
    let arrivals = arrivals(500, &[(2 * SECOND, 5 * SECOND + 77)]);
    assert_eq!(heard(&arrivals, 10 * SECOND), spoken(500));
}

#[test]
fn frames_that_never_come_leave_silence_and_nothing_moves() {
    let mut arrivals = arrivals(500, &[]);
    arrivals[100..].iter_mut().for_each(|arrived| *arrived += 3 * SECOND);
    let heard = heard(&arrivals, 13 * SECOND);
    let spoken = spoken(500);
    assert_eq!(heard[..16_000], spoken[..16_000]);
    assert!(heard[16_000..40_000].iter().all(|sample| *sample == 0));
    assert_eq!(heard[40_000..], spoken[16_000..]);
}

#[test]
fn frames_that_were_lost_in_small_pieces_do_not_add_up() {
    // 100 ms are missing of every 3 s: never enough for a gap of its own.
    let arrivals: Vec<u64> = (0..2_000).map(|number| (number + 1 + number / 150 * 5) * FRAME as u64).collect();
    let length = *arrivals.last().unwrap();
    let heard = heard(&arrivals, length);
    let last = heard.iter().rposition(|sample| *sample != 0).unwrap() as u64;
    assert!(length - last < SECOND / 5, "{} samples early after a minute", length - last);
}

#[test]
fn a_clock_that_runs_fast_or_slow_stays_beside_ours() {
    for (per_mille, name) in [(998, "fast"), (1_002, "slow")] {
        let arrivals: Vec<u64> = (1..=9_000).map(|number| number * FRAME as u64 * per_mille / 1_000).collect();
        let length = *arrivals.last().unwrap();
        let heard = heard(&arrivals, length);
        assert_eq!(heard.len() as u64, length);
        let first = heard.iter().position(|sample| *sample == 8_000).unwrap() as u64;
        let spoken_at = 7_999 * FRAME as u64 * per_mille / 1_000;
        assert!(first.abs_diff(spoken_at) <= SECOND / 4, "{name}: {first} and {spoken_at}");
    }
}

#[test]
fn a_shut_gate_is_silence_to_the_sample() {
    let (mut stereo, mut out) = (stereo(), Vec::new());
    stereo.gate(0, false);
    stereo.gate(1_000, true);
    stereo.gate(2_001, false);
    for number in 1..=20 {
        stereo.caller(number * 160, &[9; 160]);
        stereo.agent((number - 1) * 160, &[4; 160]);
        stereo.take(number * 160, &mut out);
    }
    finish(&mut stereo, 3_200, &mut out);
    for (at, pair) in out.chunks(2).enumerate() {
        let expected = if (1_000..2_001).contains(&at) { [9, 4] } else { [0, 0] };
        assert_eq!(pair, expected, "at {at}");
    }
}

#[test]
fn a_gate_that_flutters_is_bounded_and_its_last_move_holds() {
    let (mut stereo, mut out) = (stereo(), Vec::new());
    for number in 0..10_000 {
        stereo.gate(number, number % 2 == 0);
    }
    stereo.gate(10_000, false);
    assert_eq!(stereo.changes.len(), MOST_CHANGES);
    stereo.agent(10_000, &[1; 160]);
    finish(&mut stereo, 10_160, &mut out);
    assert!(out.iter().all(|sample| *sample == 0));
}

#[test]
fn no_position_takes_more_than_seconds_of_memory() {
    let mut stereo = stereo();
    stereo.agent(u64::MAX, &[1; 160]);
    stereo.agent(u64::MAX - 100, &[1; 160]);
    stereo.agent(3_600 * SECOND, &[1; 160]);
    stereo.agent_cleared(u64::MAX);
    stereo.caller(u64::MAX / 2, &[1; 160]);
    assert!(stereo.pairs.len() <= stereo.samples.kept);
}

#[derive(Debug, Clone)]
enum Act {
    Caller(u64, usize),
    Agent(i64, usize),
    Cleared(i64),
    Gate(bool),
    Take,
    Pass(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..2_000_u64, 0..400_usize).prop_map(|(ago, length)| Act::Caller(ago, length)),
        (-4_000..9_000_i64, 0..900_usize).prop_map(|(from_now, length)| Act::Agent(from_now, length)),
        (-4_000..4_000_i64).prop_map(Act::Cleared),
        any::<bool>().prop_map(Act::Gate),
        Just(Act::Take),
        (0..20_000_u64).prop_map(Act::Pass),
    ]
}

proptest! {
    #[test]
    fn the_stream_is_as_long_as_the_call_whatever_comes_when(acts in vec(act(), 0..200), rest in 0..9_000_u64) {
        let (mut stereo, mut out, mut now) = (stereo(), Vec::new(), 0_u64);
        for act in acts {
            match act {
                Act::Caller(ago, length) => stereo.caller(now.saturating_sub(ago), &vec![1; length]),
                Act::Agent(from_now, length) => stereo.agent(now.saturating_add_signed(from_now), &vec![2; length]),
                Act::Cleared(from_now) => stereo.agent_cleared(now.saturating_add_signed(from_now)),
                Act::Gate(open) => stereo.gate(now, open),
                Act::Take => drop(stereo.take(now, &mut out)),
                Act::Pass(samples) => now += samples,
            }
            prop_assert!(out.len() as u64 / 2 <= now, "nothing of the future is given away");
            prop_assert!(stereo.pairs.len() <= stereo.samples.kept);
        }
        finish(&mut stereo, now + rest, &mut out);
        prop_assert_eq!(out.len() as u64, 2 * (now + rest));
        prop_assert!(out.chunks(2).all(|pair| [0, 1].contains(&pair[0]) && [0, 2].contains(&pair[1])));
    }

    #[test]
    fn stalls_and_bursts_leave_no_trace(
        stalls in vec((8_000..24_000_u64, 0..36_000_u64), 0..6),
    ) {
        let mut at = 0;
        let stalls: Vec<_> = stalls.into_iter().map(|(pause, length)| {
            let from = at + pause;
            at = from + length;
            (from, at)
        }).collect();
        let frames = (at / FRAME as u64) as usize + 100;
        prop_assert_eq!(heard(&arrivals(frames, &stalls), (frames * FRAME) as u64), spoken(frames));
    }

    #[test]
    fn a_jittery_line_is_recorded_whole(delays in vec(0..800_u64, 100..400)) {
        // A frame is never before the one that was sent before it.
        let arrivals: Vec<u64> = delays.iter().zip(1_u64..).scan(0, |newest, (delay, number)| {
            *newest = (*newest).max(number * FRAME as u64 + delay);
            Some(*newest)
        }).collect();
        let heard = heard(&arrivals, arrivals.len() as u64 * FRAME as u64 + 1_600);
        let begin = heard.iter().position(|sample| *sample != 0).unwrap();
        prop_assert!(begin <= 800);
        let spoken = spoken(arrivals.len());
        prop_assert_eq!(&heard[begin..begin + spoken.len()], &spoken[..]);
    }
}
