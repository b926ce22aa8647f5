#![allow(clippy::unwrap_used)]
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::clock;
use crate::vendor::Latency;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn origin() -> Instant {
    clock::now().into_std()
}

const FRAME: Duration = Duration::from_millis(20);

/// Sends so many numbers, one a frame; returns each that arrived, with when, since the first was sent.
fn run(plan: ChannelPlan, seed: u64, count: u32) -> (Vec<(Duration, u32)>, ChannelCounts) {
    let (start, mut channel) = (origin(), Channel::new(plan, seed));
    let mut arrived = Vec::new();
    for number in 0..count {
        let now = start + FRAME * number;
        while let Some(due) = channel.poll_timeout().filter(|due| *due < now) {
            arrived.extend(channel.poll(due).into_iter().map(|item| (due - start, item)));
        }
        channel.send(now, number);
    }
    while let Some(due) = channel.poll_timeout() {
        arrived.extend(channel.poll(due).into_iter().map(|item| (due - start, item)));
    }
    (arrived, channel.counts())
}

fn rough_websocket() -> ChannelPlan {
    ChannelPlan::websocket(ms(40), Latency::percentiles_ms(5, 60)).stalling(Stalls {
        every: ms(2_000),
        least: ms(100),
        most: ms(500),
    })
}

fn rough_rtp() -> ChannelPlan {
    let datagrams =
        Datagrams { loss: Loss::bursts(0.05, 3.0), reordered: 0.05, duplicated: 0.03, ..Datagrams::default() };
    ChannelPlan::rtp(ms(40), Latency::percentiles_ms(5, 30), datagrams)
}

#[test]
fn a_perfect_line_changes_nothing() {
    let (arrived, counts) = run(ChannelPlan::PERFECT, 1, 50);
    assert!(arrived.iter().enumerate().all(|(index, (at, item))| *at == FRAME * *item && index == *item as usize));
    assert_eq!((counts.sent, counts.delivered), (50, 50));
}

#[test]
fn a_seed_is_a_run() {
    for plan in [rough_websocket(), rough_rtp()] {
        assert_eq!(run(plan, 7, 500), run(plan, 7, 500));
        assert_ne!(run(plan, 7, 500).0, run(plan, 8, 500).0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_websocket_loses_nothing_and_keeps_its_order(
        seed: u64, delay in 0_u64..300, p50 in 0_u64..50, spread in 1_u64..8, stall in 1_u64..800,
    ) {
        let plan = ChannelPlan::websocket(ms(delay), Latency::percentiles_ms(p50, p50 * spread))
            .stalling(Stalls { every: ms(1_000), least: ms(1), most: ms(stall) });
        let (arrived, counts) = run(plan, seed, 300);
        let items: Vec<u32> = arrived.iter().map(|(_, item)| *item).collect();
        prop_assert_eq!(items, (0..300).collect::<Vec<_>>());
        prop_assert!(arrived.is_sorted_by_key(|(at, _)| *at));
        prop_assert!(arrived.iter().all(|(at, item)| *at >= FRAME * *item + ms(delay)), "nothing comes before its time");
        prop_assert_eq!(counts.lost + counts.duplicated + counts.reordered, 0);
    }

    #[test]
    fn datagrams_are_accounted_for(seed: u64) {
        let (arrived, counts) = run(rough_rtp(), seed, 400);
        prop_assert_eq!(arrived.len() as u64, counts.sent - counts.lost + counts.duplicated);
        prop_assert_eq!(counts.delivered, arrived.len() as u64);
    }
}

#[test]
fn rates_are_as_planned() {
    let count = 40_000;
    for loss in [Loss::Independent(0.05), Loss::bursts(0.05, 4.0)] {
        let datagrams = Datagrams { loss, reordered: 0.02, duplicated: 0.01, ..Datagrams::default() };
        let (arrived, counts) = run(ChannelPlan::rtp(ms(30), Latency::ZERO, datagrams), 3, count);
        let rate = |n: u64| n as f64 / f64::from(count);
        assert!((loss.rate() - 0.05).abs() < 1e-9);
        assert!((rate(counts.lost) - 0.05).abs() < 0.006, "{loss:?} {}", rate(counts.lost));
        assert!((rate(counts.reordered) - 0.019).abs() < 0.003, "{}", rate(counts.reordered));
        assert!((rate(counts.duplicated) - 0.0095).abs() < 0.002, "{}", rate(counts.duplicated));
        let inversions = arrived.windows(2).filter(|pair| pair[1].1 < pair[0].1).count();
        assert!(inversions > 0, "overtaken datagrams come behind later ones");
    }
}

/// Mean number of packets lost in a row.
fn mean_burst(loss: Loss) -> f64 {
    let mut losing = Losing::new(loss, Dice::new(5));
    let fates: Vec<bool> = (0..200_000).map(|_| losing.loses()).collect();
    let bursts = fates.chunk_by(|a, b| a == b).filter(|run| run[0]).count();
    fates.iter().filter(|lost| **lost).count() as f64 / bursts as f64
}

#[test]
fn bursts_are_as_long_as_asked() {
    assert!((mean_burst(Loss::bursts(0.05, 4.0)) - 4.0).abs() < 0.2);
    // by chance alone a burst at 5 % is 1 / (1 - 0.05) long
    assert!((mean_burst(Loss::Independent(0.05)) - 1.053).abs() < 0.02);
}

#[test]
fn a_stall_holds_everything_and_lets_it_go_at_once() {
    let stalls = Stalls { every: ms(1_000), least: ms(300), most: ms(300) };
    let (arrived, _) = run(ChannelPlan::websocket(ms(10), Latency::ZERO).stalling(stalls), 2, 3_000);
    let bunches: Vec<usize> = arrived.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len).filter(|n| *n > 1).collect();
    // 60 s, a stall each 1.3 s on average, and 300 ms hold 15 or 16 frames
    assert!((30..62).contains(&bunches.len()), "{bunches:?}");
    let whole = &bunches[..bunches.len() - 1]; // the last may have been under way when the sending ended
    assert!(whole.iter().all(|bunch| (15..=16).contains(bunch)), "{bunches:?}");
    let gap = arrived.windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap();
    assert!(gap >= ms(280) && gap <= ms(320), "{gap:?}");
}

#[test]
fn marks_are_lost_late_and_renamed() {
    let marks = MarkTrouble { lost: 0.2, late: 0.2, lateness: ms(400).into(), unknown: 0.1 };
    let plan = ChannelPlan::websocket(ms(20), Latency::ZERO).with_marks(marks);
    let (start, mut channel) = (origin(), Channel::new(plan, 4));
    for number in 0..5_000_u32 {
        let now = start + FRAME * number;
        channel.send(now, ("media", number));
        channel.send_mark(now, ("mark", number), |(_, number)| ("renamed", number));
    }
    let mut arrived = Vec::new();
    while let Some(due) = channel.poll_timeout() {
        arrived.extend(channel.poll(due).into_iter().map(|(kind, number)| (kind, due - (start + FRAME * number))));
    }
    let counts = channel.counts();
    let share = |n: u64| n as f64 / 5_000.0;
    assert!((share(counts.marks_lost) - 0.2).abs() < 0.02, "{counts:?}");
    assert!((share(counts.marks_late) - 0.2).abs() < 0.02, "{counts:?}");
    assert!((share(counts.marks_renamed) - 0.1).abs() < 0.02, "{counts:?}");
    let of = |kind| arrived.iter().filter(move |(of, _)| *of == kind);
    assert_eq!(of("media").count(), 5_000, "media have no trouble");
    assert!(of("media").all(|(_, took)| *took == ms(20)), "and a late mark holds none of them");
    assert_eq!(of("mark").filter(|(_, took)| *took == ms(420)).count() as u64, counts.marks_late);
    assert_eq!(of("renamed").count() as u64, counts.marks_renamed);
}

#[test]
fn drift_adds_up() {
    let start = origin();
    for (ppm, behind_ms) in [(200, 12), (-200, -12), (2_000, 120), (-2_000, -120)] {
        let clock = FarClock::new(start, ppm);
        let minute = start + Duration::from_secs(60);
        let far = clock.far(minute).duration_since(start).as_millis() as i64;
        assert_eq!(far - 60_000, behind_ms, "{ppm} ppm");
        for frame in 0..3_000 {
            let far = start + FRAME * frame;
            assert!(clock.far(clock.real(far)) >= far, "woken too early, frame {frame} at {ppm} ppm");
            assert!(clock.far(clock.real(far)) - far < Duration::from_nanos(3));
        }
    }
}

#[test]
fn a_codec_leaves_the_voice_and_loses_the_bits() {
    let speech = crate::voice::speak("sixty lakh in Delhi");
    let mut once = speech.clone();
    Codec::Ulaw.pass(&mut once);
    let mut twice = once.clone();
    Codec::Ulaw.pass(&mut twice);
    assert_eq!(once, twice, "the second time there is nothing left to lose");
    let mut abroad = speech.clone();
    Codec::AlawUlaw.pass(&mut abroad);
    let mut untouched = speech.clone();
    Codec::None.pass(&mut untouched);
    assert_eq!(untouched, speech);
    for coded in [&once, &abroad] {
        assert_ne!(coded, &speech);
        let noise: f64 = coded.iter().zip(&speech).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let signal: f64 = speech.iter().map(|a| f64::from(*a).powi(2)).sum();
        assert!(signal / noise > 10_f64.powf(3.0), "G.711 keeps 30 dB and more");
    }
}
