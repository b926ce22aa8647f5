//! What the processors of a call's sound cost, for each 20 ms frame: wideband codecs, jitter buffer, concealment, keys and tones, gain, noise.
//!
//! `cargo bench -p tandem-codecs --all-features --bench processors`. A call has 50 frames a second and direction, so a microsecond a frame is
//! 0.005 % of a core.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use tandem_codecs::agc::Agc;
use tandem_codecs::call_tone::{ToneDetector, common};
use tandem_codecs::dtmf::DtmfDetector;
use tandem_codecs::jitter::{JitterBuffer, Packet};
use tandem_codecs::late::LateAudio;
use tandem_codecs::plc::Concealer;
use tandem_codecs::{SampleRate, click, g722, l16, resample_all, wav};

/// 2.8 s of speech at 8 kHz.
fn speech() -> Vec<i16> {
    let file = include_bytes!("../tests/fixtures/apartment.wav");
    wav::read(file.as_slice()).expect("the fixture is a wav file").samples.to_vec()
}

/// Runs `process` over speech, frame by frame, for ever.
fn frames(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    speech: &[i16],
    frame: usize,
    mut process: impl FnMut(&[i16]),
) {
    let mut frames = speech.chunks_exact(frame).cycle();
    group.bench_function(name, |b| b.iter(|| process(black_box(frames.next().expect("a cycle never ends")))));
}

fn codecs(c: &mut Criterion) {
    let narrow = speech();
    let wide = resample_all(&narrow, SampleRate::HZ_8000, SampleRate::HZ_16000);
    let mut group = c.benchmark_group("codec");
    let mut bytes = Vec::new();
    frames(&mut group, "l16_be_encode", &narrow, 160, |frame| {
        bytes.clear();
        l16::encode_be(frame, &mut bytes);
    });
    let (mut encoder, mut decoder) = (g722::Encoder::new(), g722::Decoder::new());
    frames(&mut group, "g722_encode", &wide, 320, |frame| {
        bytes.clear();
        encoder.encode(frame, &mut bytes);
    });
    let mut pcm = Vec::new();
    let packet = bytes.clone();
    group.bench_function("g722_decode", |b| {
        b.iter(|| {
            pcm.clear();
            decoder.decode(black_box(&packet), &mut pcm);
        });
    });
    #[cfg(feature = "opus")]
    opus(&mut group, &wide);
    group.finish();
}

#[cfg(feature = "opus")]
fn opus(group: &mut BenchmarkGroup<'_, WallTime>, wide: &[i16]) {
    use tandem_codecs::opus::{Decoder, Encoder, Settings};
    let mut packets = Vec::new();
    for complexity in [3, 4, 5, 9] {
        let settings = Settings { complexity, ..Settings::default() };
        let mut encoder = Encoder::new(SampleRate::HZ_16000, settings).expect("settings are in range");
        let mut packet = Vec::new();
        frames(group, &format!("opus_encode_{complexity}"), wide, 320, |frame| {
            packet.clear();
            encoder.encode(frame, &mut packet).expect("20 ms is a length of Opus");
        });
        packets.push(packet);
    }
    let mut decoder = Decoder::new(SampleRate::HZ_16000).expect("16 kHz is a rate of Opus");
    let (packet, mut pcm) = (packets[1].clone(), Vec::new());
    group.bench_function("opus_decode", |b| {
        b.iter(|| {
            pcm.clear();
            decoder.decode(black_box(&packet), &mut pcm).expect("the encoder's packet");
        });
    });
    group.bench_function("opus_conceal", |b| {
        b.iter(|| {
            pcm.clear();
            decoder.conceal(320, &mut pcm).expect("20 ms is a length of Opus");
        });
    });
}

fn repairs(c: &mut Criterion) {
    let speech = speech();
    let rate = SampleRate::HZ_8000;
    let mut group = c.benchmark_group("repair");
    let mut concealer = Concealer::new(rate);
    let mut out = [0; 160];
    frames(&mut group, "plc_good", &speech, 160, |frame| {
        out.copy_from_slice(frame);
        concealer.good(&mut out);
    });
    group.bench_function("plc_first_of_a_gap", |b| {
        b.iter_batched(
            || concealer.clone(),
            |mut fresh| fresh.conceal(black_box(&mut out)),
            criterion::BatchSize::SmallInput,
        );
    });
    let (mut late, mut now) = (LateAudio::new(rate), Duration::ZERO);
    frames(&mut group, "late_audio", &speech, 160, |frame| {
        out.copy_from_slice(frame);
        now += Duration::from_millis(20);
        late.came(now, &mut out);
    });
    let (mut buffer, mut now, mut timestamp) = (JitterBuffer::new(rate, 8_000), Duration::ZERO, 0_u32);
    frames(&mut group, "jitter_push_and_pull", &speech, 160, |frame| {
        let mut payload = Vec::with_capacity(320);
        l16::encode_le(frame, &mut payload);
        buffer.push(now, Packet { ssrc: 1, timestamp, payload });
        buffer.pull(now, &mut out, |payload, out| l16::decode_le(payload, out).expect("even"));
        (now, timestamp) = (now + Duration::from_millis(20), timestamp.wrapping_add(160));
    });
    group.bench_function("clicks_in_a_second", |b| b.iter(|| click::clicks(black_box(&speech[..8_000]), rate)));
    group.finish();
}

fn listeners(c: &mut Criterion) {
    let speech = speech();
    let rate = SampleRate::HZ_8000;
    let mut group = c.benchmark_group("listen");
    let (mut keys, mut events) = (DtmfDetector::new(rate), Vec::new());
    frames(&mut group, "dtmf", &speech, 160, |frame| keys.push(frame, &mut events));
    let (mut tones, mut heard) = (ToneDetector::new(rate, common()), Vec::new());
    frames(&mut group, "call_tones", &speech, 160, |frame| tones.push(frame, &mut heard));
    group.finish();
}

fn levels(c: &mut Criterion) {
    let speech = speech();
    let rate = SampleRate::HZ_8000;
    let mut out = [0; 160];
    let mut group = c.benchmark_group("level");
    let mut agc = Agc::new(rate);
    frames(&mut group, "agc", &speech, 160, |frame| {
        out.copy_from_slice(frame);
        agc.process(&mut out);
    });
    #[cfg(feature = "denoise")]
    {
        let mut denoiser = tandem_codecs::denoise::Denoiser::new(rate);
        frames(&mut group, "denoise", &speech, 160, |frame| {
            out.copy_from_slice(frame);
            denoiser.process(&mut out);
        });
    }
    group.finish();
}

criterion_group!(benches, codecs, repairs, listeners, levels);
criterion_main!(benches);
