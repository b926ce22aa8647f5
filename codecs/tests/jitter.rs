//! The jitter buffer over seeded channels: loss, jitter, reordering, duplicates, drift, and streams that change under way.
//!
//! A packet is delayed by a uniform share of the jitter named. `cargo test -p tandem-codecs --test jitter --
//! --nocapture` prints the figures of docs/codecs.md.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;
use tandem_codecs::click::clicks;
use tandem_codecs::jitter::{Arrival, JitterBuffer, Packet, Stats};
use tandem_codecs::noise::Noise;
use tandem_codecs::{SampleRate, l16, wav};

const RATE: SampleRate = SampleRate::HZ_8000;
const FRAME: usize = 160;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Sentences with pauses between them, over a quiet room.
fn speech() -> Vec<i16> {
    let files: [&[u8]; 3] = [
        include_bytes!("fixtures/apartment.wav"),
        include_bytes!("fixtures/fifty_lakh.wav"),
        include_bytes!("fixtures/yes.wav"),
    ];
    let mut speech = Vec::new();
    for file in files {
        speech.extend(wav::read(file).unwrap().samples.iter());
        speech.extend([0; 8_000]);
    }
    speech.iter().zip(Noise::new(9, -60.0)).map(|(a, b)| a.saturating_add(b)).collect()
}

/// What happens on the way. Rates are shares of 1.
#[derive(Clone, Copy, Debug)]
struct Channel {
    seed: u64,
    loss: f64,
    jitter_ms: f64,
    reorder: f64,
    duplicate: f64,
    /// How much faster the sender's clock runs, in millionths.
    drift_ppm: f64,
    packet_ms: u64,
}

const CLEAN: Channel =
    Channel { seed: 1, loss: 0.0, jitter_ms: 0.0, reorder: 0.0, duplicate: 0.0, drift_ppm: 0.0, packet_ms: 20 };

impl Channel {
    /// Arrivals of `seconds` of the sender's packets, in order of time.
    fn arrivals(self, source: &[i16], seconds: u64) -> Vec<(Duration, Packet)> {
        let mut state = self.seed;
        let mut chance = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let samples = RATE.samples_in(ms(self.packet_ms));
        let mut arrivals = Vec::new();
        for number in 0..seconds * 1_000 / self.packet_ms {
            let start = number as usize * samples;
            let audio: Vec<i16> = (start..start + samples).map(|at| source[at % source.len()]).collect();
            let mut payload = Vec::new();
            l16::encode_le(&audio, &mut payload);
            // Both counters wrap in the first seconds.
            let timestamp = (u32::MAX - 4_000).wrapping_add(start as u32);
            let packet = Packet { ssrc: 7, timestamp, payload };
            let sent = (number * self.packet_ms) as f64 / (1.0 + self.drift_ppm * 1e-6);
            let (lost, doubled, held) = (chance() < self.loss, chance() < self.duplicate, chance() < self.reorder);
            // A packet that is held is overtaken by the next one, however fast itself.
            let delay = 80.0 + if held { 30.0 } else { chance() * self.jitter_ms };
            let at = Duration::from_secs_f64((sent + delay) / 1_000.0);
            if !lost {
                arrivals.push((at, packet.clone()));
                if doubled {
                    arrivals.push((at + Duration::from_secs_f64(chance() * 0.04), packet));
                }
            }
        }
        arrivals.sort_by_key(|(at, _)| *at);
        arrivals
    }
}

fn decode(payload: &[u8], out: &mut Vec<i16>) {
    l16::decode_le(payload, out).unwrap();
}

struct Heard {
    samples: Vec<i16>,
    stats: Stats,
    /// Furthest delay from the target, in ms, and the longest delay, both after the first ten seconds.
    off_target_ms: f64,
    longest_ms: f64,
}

/// Plays for as long as packets come, a frame each 20 ms of our clock.
fn play(arrivals: Vec<(Duration, Packet)>) -> Heard {
    let mut buffer = JitterBuffer::new(RATE, RATE.hz());
    let end = arrivals.last().unwrap().0;
    let mut arrivals = arrivals.into_iter().peekable();
    let mut heard = Heard { samples: Vec::new(), stats: Stats::default(), off_target_ms: 0.0, longest_ms: 0.0 };
    let mut now = arrivals.peek().unwrap().0;
    while now < end {
        while let Some((at, packet)) = arrivals.next_if(|(at, _)| *at <= now) {
            buffer.push(at, packet);
        }
        if heard.samples.len() > 80_000 {
            let (delay, target) = (buffer.delay(now).as_secs_f64() * 1e3, buffer.target().as_secs_f64() * 1e3);
            heard.off_target_ms = heard.off_target_ms.max((delay - target).abs());
            heard.longest_ms = heard.longest_ms.max(delay);
        }
        let mut frame = [0; FRAME];
        buffer.pull(now, &mut frame, decode);
        heard.samples.extend(frame);
        now += ms(20);
    }
    heard.stats = buffer.stats();
    heard
}

/// Late packets of those that came, duplicates aside.
fn late_share(stats: Stats) -> f64 {
    stats.late as f64 / (stats.received - stats.duplicates) as f64
}

fn minutes(samples: &[i16]) -> f64 {
    samples.len() as f64 / f64::from(RATE.hz()) / 60.0
}

#[test]
fn a_clean_channel_passes_every_sample() {
    let source = speech();
    let heard = play(CLEAN.arrivals(&source, 30));
    assert_eq!((heard.stats.late, heard.stats.duplicates, heard.stats.adjusted), (0, 0, 0));
    let begin = heard.samples.windows(40).position(|window| *window == source[40..80]).unwrap();
    let whole = &heard.samples[begin..]; // the first 5 ms are faded in
    assert!(whole.iter().zip(source[40..].iter()).all(|(a, b)| a == b), "altered");
    assert!(begin <= RATE.samples_in(ms(40)), "began after {begin} samples");
}

#[test]
fn loss_is_concealed_and_costs_nothing_else() {
    let source = speech();
    for loss in [0.01, 0.05, 0.10, 0.20] {
        let heard = play(Channel { loss, ..CLEAN }.arrivals(&source, 120));
        let concealed = heard.stats.concealed_samples as f64 / heard.samples.len() as f64;
        let clicks = clicks(&heard.samples, RATE).len() as f64 / minutes(&heard.samples);
        println!("loss {:.0} %: {:.1} % concealed, {clicks:.1} clicks a minute", loss * 100.0, concealed * 100.0);
        assert!((concealed - loss).abs() < 0.015, "{loss}: {concealed}");
        assert_eq!((heard.stats.late, heard.stats.restarts), (0, 0));
        assert!(clicks <= 1.0, "{clicks} clicks a minute at {loss}");
    }
}

#[test]
fn jitter_loses_under_a_percent_and_delays_by_80_ms_at_most() {
    let source = speech();
    for (jitter_ms, most_late) in [(10.0, 0.01), (30.0, 0.01), (60.0, 0.01)] {
        let channel = Channel { jitter_ms, reorder: 0.05, duplicate: 0.05, ..CLEAN };
        let heard = play(channel.arrivals(&source, 300));
        let late = late_share(heard.stats);
        println!(
            "jitter {jitter_ms} ms: {:.2} % late, delay up to {:.1} ms, {:?}",
            late * 100.0,
            heard.longest_ms,
            heard.stats
        );
        assert!(late < most_late, "{jitter_ms} ms: {late}");
        assert!(heard.longest_ms <= 80.0, "{jitter_ms} ms: {} ms", heard.longest_ms);
        assert!(heard.stats.duplicates > 500 && heard.stats.restarts == 0, "{:?}", heard.stats);
    }
}

#[test]
fn an_hour_with_a_fast_or_a_slow_sender() {
    let source = speech();
    for drift_ppm in [-200.0, 200.0] {
        let heard = play(Channel { drift_ppm, jitter_ms: 5.0, ..CLEAN }.arrivals(&source, 3_600));
        let clicks = clicks(&heard.samples, RATE).len() as f64 / minutes(&heard.samples);
        println!(
            "{drift_ppm} ppm: off target by {:.1} ms, {clicks:.2} clicks a minute, {:?}",
            heard.off_target_ms, heard.stats
        );
        assert!(heard.off_target_ms <= 40.0, "{drift_ppm}: {} ms", heard.off_target_ms);
        assert!(clicks <= 1.0, "{drift_ppm}: {clicks} clicks a minute");
        assert!(heard.stats.concealed_samples < 8_000 && heard.stats.late == 0, "{:?}", heard.stats);
    }
}

#[test]
fn six_minutes_with_a_clock_2000_ppm_off() {
    let source = speech();
    for drift_ppm in [-2_000.0, 2_000.0] {
        let heard = play(Channel { drift_ppm, jitter_ms: 5.0, ..CLEAN }.arrivals(&source, 360));
        let clicks = clicks(&heard.samples, RATE).len() as f64 / minutes(&heard.samples);
        println!(
            "{drift_ppm} ppm: off target by {:.1} ms, {clicks:.2} clicks a minute, {:?}",
            heard.off_target_ms, heard.stats
        );
        assert!(heard.off_target_ms <= 40.0, "{drift_ppm}: {} ms", heard.off_target_ms);
        assert!(clicks <= 1.0, "{drift_ppm}: {clicks} clicks a minute");
    }
}

#[test]
fn packets_of_30_ms_are_played_in_frames_of_20() {
    let source = speech();
    let heard = play(Channel { packet_ms: 30, jitter_ms: 10.0, ..CLEAN }.arrivals(&source, 60));
    assert_eq!((heard.stats.late, heard.stats.restarts), (0, 0));
    assert!(heard.stats.concealed_samples < 1_600, "{:?}", heard.stats);
}

/// The stream changes after two seconds; how long it is concealed from there, in ms.
fn gap_after(change: impl Fn(Duration, &mut Packet)) -> (f64, Stats) {
    let mut arrivals = CLEAN.arrivals(&speech(), 4);
    let turn = arrivals[100].0;
    for (at, packet) in arrivals.iter_mut().skip(100) {
        change(*at, packet);
    }
    let (before, _) = arrivals.split_at(100);
    let alone = play(before.to_vec()).stats.concealed_samples;
    let heard = play(arrivals);
    assert!(turn > Duration::ZERO);
    ((heard.stats.concealed_samples - alone) as f64 / 8.0, heard.stats)
}

#[test]
fn a_new_source_and_a_jump_of_the_timestamp_go_on_within_100_ms() {
    let (gap, stats) = gap_after(|_, packet| (packet.ssrc, packet.timestamp) = (8, packet.timestamp ^ 0x5555_0000));
    assert!(gap <= 100.0 && stats.restarts == 1, "new source: {gap} ms, {stats:?}");
    for jump in [800_000_u32, 80_000_u32.wrapping_neg(), 1 << 31] {
        let (gap, stats) = gap_after(|_, packet| packet.timestamp = packet.timestamp.wrapping_add(jump));
        assert!(gap <= 100.0 && stats.restarts == 1, "jump by {jump}: {gap} ms, {stats:?}");
    }
}

#[test]
fn a_way_that_became_longer_goes_on_within_100_ms_of_its_first_packet() {
    let mut arrivals = CLEAN.arrivals(&speech(), 6);
    arrivals.iter_mut().skip(100).for_each(|(at, _)| *at += ms(300));
    let heard = play(arrivals);
    // 300 ms do not exist, and three packets tell that the rest is late.
    let gap = heard.stats.concealed_samples as f64 / 8.0;
    assert!(gap <= 300.0 + 110.0 && heard.stats.restarts == 1, "{gap} ms, {:?}", heard.stats);
}

#[test]
fn a_stall_and_its_burst_leave_no_delay_behind() {
    let mut arrivals = CLEAN.arrivals(&speech(), 20);
    let stall_ends = arrivals[140].0;
    arrivals[100..140].iter_mut().for_each(|(at, _)| *at = stall_ends);
    let heard = play(arrivals);
    assert!(heard.longest_ms <= 80.0, "{} ms", heard.longest_ms);
}

#[test]
fn stragglers_of_the_former_source_do_not_come_back() {
    let mut buffer = JitterBuffer::new(RATE, RATE.hz());
    let packet = |ssrc, timestamp| Packet { ssrc, timestamp, payload: vec![0; 320] };
    assert_eq!(buffer.push(ms(0), packet(1, 0)), Arrival::Restarted);
    assert_eq!(buffer.push(ms(20), packet(2, 9_000)), Arrival::Restarted);
    assert_eq!(buffer.push(ms(21), packet(1, 160)), Arrival::Late);
    assert_eq!(buffer.push(ms(40), packet(2, 9_160)), Arrival::Kept);
    assert_eq!(buffer.push(ms(41), packet(2, 9_160)), Arrival::Duplicate);
    assert_eq!(buffer.stats().restarts, 1);
}

#[test]
fn nothing_is_unbounded_when_nobody_pulls() {
    let mut buffer = JitterBuffer::new(RATE, RATE.hz());
    for number in 0..1_000_u32 {
        buffer.push(ms(u64::from(number) * 20), Packet { ssrc: 1, timestamp: number * 160, payload: vec![1; 320] });
    }
    assert_eq!(buffer.stats().overflowed, 1_000 - 64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_channel_gives_a_frame_each_tick(
        seed: u64,
        loss in 0.0..0.5,
        jitter_ms in 0.0..80.0,
        reorder in 0.0..0.3,
        duplicate in 0.0..0.3,
        drift_ppm in -2_000.0..2_000.0,
        packet_ms in prop::sample::select(vec![10_u64, 20, 30, 60]),
    ) {
        let channel = Channel { seed, loss, jitter_ms, reorder, duplicate, drift_ppm, packet_ms };
        let arrivals = channel.arrivals(&speech(), 20);
        let span = arrivals.last().unwrap().0 - arrivals[0].0;
        let (sent, heard) = (arrivals.len() as u64, play(arrivals));
        prop_assert!(heard.samples.len().abs_diff(RATE.samples_in(span)) <= FRAME, "{} samples", heard.samples.len());
        // what a line of this jitter still has under way when the last frame is pulled
        let under_way = 3 + 80 / packet_ms;
        prop_assert!(heard.stats.received + under_way >= sent, "{} of {sent}", heard.stats.received);
        prop_assert!(heard.stats.late + heard.stats.duplicates <= sent);
        prop_assert!(heard.longest_ms <= 110.0, "{} ms", heard.longest_ms);
    }

    #[test]
    fn any_packets_at_all_are_taken(
        packets in prop::collection::vec((0_u32..3, any::<u32>(), prop::collection::vec(any::<u8>(), 0..400), 0_u64..200), 0..80),
        rate in prop::sample::select(vec![SampleRate::HZ_8000, SampleRate::HZ_16000, SampleRate::HZ_48000]),
        clock_hz in prop::sample::select(vec![0, 8_000, 48_000, u32::MAX]),
    ) {
        let mut buffer = JitterBuffer::new(rate, clock_hz);
        let mut now = Duration::ZERO;
        for (ssrc, timestamp, payload, after) in packets {
            now += ms(after);
            buffer.push(now, Packet { ssrc, timestamp, payload });
            let mut frame = vec![0; rate.samples_in(ms(20))];
            buffer.pull(now, &mut frame, |payload, out| out.extend(payload.iter().map(|byte| i16::from(*byte))));
        }
    }
}
