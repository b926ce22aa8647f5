//! What one call costs: codecs, resampling and voice detection, per 20 ms frame.
//!
//! `cargo bench -p tandem-codecs`. A call has 50 frames a second and direction, so a microsecond a
//! frame is 0.005 % of a core.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tandem_codecs::vad::{EnergyDetector, FRAME_SAMPLES, GateDetector, NeuralDetector};
use tandem_codecs::{Detector, Level, Resampler, SampleRate, g711, wav};

/// 2.8 s of speech at 8 kHz.
fn speech() -> Vec<i16> {
    let file = include_bytes!("../tests/fixtures/apartment.wav");
    wav::read(file.as_slice()).expect("the fixture is a wav file").samples.to_vec()
}

fn codecs(c: &mut Criterion) {
    let speech = speech();
    let frame = &speech[8_000..][..FRAME_SAMPLES];
    let (mut wire, mut linear) = (Vec::with_capacity(FRAME_SAMPLES), Vec::with_capacity(FRAME_SAMPLES));
    let mut group = c.benchmark_group("g711");
    group.bench_function("encode_ulaw", |b| {
        b.iter(|| {
            wire.clear();
            g711::encode_ulaw(black_box(frame), &mut wire);
        });
    });
    group.bench_function("decode_ulaw", |b| {
        b.iter(|| {
            linear.clear();
            g711::decode_ulaw(black_box(&wire), &mut linear);
        });
    });
    group.bench_function("encode_alaw", |b| {
        b.iter(|| {
            wire.clear();
            g711::encode_alaw(black_box(frame), &mut wire);
        });
    });
    group.bench_function("decode_alaw", |b| {
        b.iter(|| {
            linear.clear();
            g711::decode_alaw(black_box(&wire), &mut linear);
        });
    });
    group.finish();
    c.bench_function("level", |b| b.iter(|| Level::of(black_box(frame))));
}

fn resampling(c: &mut Criterion) {
    use SampleRate as R;
    let pairs = [
        (R::HZ_8000, R::HZ_16000),
        (R::HZ_16000, R::HZ_8000),
        (R::HZ_8000, R::HZ_24000),
        (R::HZ_24000, R::HZ_8000),
        (R::HZ_16000, R::HZ_24000),
        (R::HZ_24000, R::HZ_16000),
        (R::HZ_22050, R::HZ_8000),
        (R::HZ_44100, R::HZ_8000),
        (R::HZ_8000, R::HZ_44100),
        (R::HZ_48000, R::HZ_8000),
        (R::HZ_8000, R::HZ_48000),
        (R::HZ_48000, R::HZ_16000),
        (R::HZ_16000, R::HZ_48000),
    ];
    let mut group = c.benchmark_group("resample");
    for (from, to) in pairs {
        let name = format!("{}_to_{}", from.hz(), to.hz());
        let frame: Vec<i16> = speech().into_iter().take(from.samples_in(Duration::from_millis(20))).collect();
        let (mut resampler, mut out) = (Resampler::new(from, to), Vec::new());
        group.bench_function(&name, |b| {
            b.iter(|| {
                out.clear();
                resampler.process(black_box(&frame), &mut out);
            });
        });
        group.bench_function(format!("{name}_new"), |b| {
            b.iter(|| Resampler::new(black_box(from), black_box(to)));
        });
    }
    group.finish();
}

/// Speech over and over: a detector's cost may depend on what it hears.
fn detectors(c: &mut Criterion) {
    let speech = speech();
    let engines: [Box<dyn Detector>; 3] =
        [Box::new(EnergyDetector::default()), Box::new(GateDetector::default()), Box::new(NeuralDetector::default())];
    let mut group = c.benchmark_group("vad");
    for mut engine in engines {
        let mut frames = speech.chunks_exact(FRAME_SAMPLES).cycle();
        group.bench_function(engine.name(), |b| {
            b.iter_batched(
                || frames.next().expect("a cycle never ends"),
                |frame| engine.push(black_box(frame)),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, codecs, resampling, detectors);
criterion_main!(benches);
