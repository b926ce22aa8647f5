//! What an ambience costs a call: a bed under 20 ms of voice, and what stands in for a voice that is late.
//!
//! `cargo bench -p tandem-codecs --bench ambience`. A call has 50 frames a second, so a microsecond a frame is 0.005 % of a core.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tandem_codecs::ambience::{RATE, Scene};
use tandem_codecs::mix::Bed;
use tandem_codecs::plc::Concealer;
use tandem_codecs::tone::Sine;

const FRAME_SAMPLES: usize = 160;

fn beds(c: &mut Criterion) {
    let voice: Vec<i16> = Sine::new(RATE, 300.0, 9_000).take(FRAME_SAMPLES).collect();
    let mut frame = voice.clone();
    let mut group = c.benchmark_group("bed_20_ms");
    let mut bed = Bed::new(RATE, Scene::Office.round(), 0.5, 7);
    (0..20).for_each(|_| bed.mix(&mut vec![0; FRAME_SAMPLES]));
    group.bench_function("standing", |b| {
        b.iter(|| {
            frame.copy_from_slice(&voice);
            bed.mix(black_box(&mut frame));
        });
    });
    let mut ducked = false;
    group.bench_function("ducking", |b| {
        b.iter(|| {
            ducked = !ducked;
            bed.duck(ducked);
            frame.copy_from_slice(&voice);
            bed.mix(black_box(&mut frame));
        });
    });
    group.finish();
}

/// What the playout does to every frame of voice besides, and what a gap costs.
fn gaps(c: &mut Criterion) {
    let voice: Vec<i16> = Sine::new(RATE, 300.0, 9_000).take(FRAME_SAMPLES).collect();
    let (mut concealer, mut frame) = (Concealer::new(RATE), voice.clone());
    let mut group = c.benchmark_group("gap_20_ms");
    group.bench_function("none", |b| {
        b.iter(|| {
            frame.copy_from_slice(&voice);
            concealer.good(black_box(&mut frame));
        });
    });
    group.bench_function("begins", |b| b.iter(|| concealer.clone().conceal(black_box(&mut frame))));
    group.finish();
}

criterion_group!(benches, beds, gaps);
criterion_main!(benches);
