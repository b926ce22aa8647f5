//! What a recording costs: one second of a call, both sides, as a recorder lays and takes it, and as it goes to its file.
//!
//! `cargo bench -p tandem-codecs --bench recorder --features opus`. A microsecond is a millionth of a core for each call; the budget of a whole call is 3,000.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tandem_codecs::wav::HEADER_BYTES;
use tandem_codecs::{SampleRate, Stereo};

const FRAME: usize = 160;
/// A recorder looks about four times a second.
const LOOK: u64 = 1_920;

/// A call that goes on for as long as it is asked to.
struct Call {
    stereo: Stereo,
    now: u64,
    frame: [i16; FRAME],
}

impl Call {
    fn new() -> Self {
        let frame = std::array::from_fn(|index| (index as i16 - 80) * 100);
        Self { stereo: Stereo::new(SampleRate::HZ_8000), now: 0, frame }
    }

    /// A second of it; `taken` gets each quarter, and the position where that begins.
    fn second(&mut self, out: &mut Vec<i16>, mut taken: impl FnMut(u64, &[i16])) {
        for _ in 0..50 {
            self.stereo.agent(self.now, &self.frame);
            self.now += FRAME as u64;
            self.stereo.caller(self.now, &self.frame);
            if self.now.is_multiple_of(LOOK) {
                out.clear();
                let position = self.stereo.taken();
                while self.stereo.take(self.now, out) {}
                taken(position, out);
            }
        }
    }
}

fn bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

fn recorder(c: &mut Criterion) {
    let mut group = c.benchmark_group("a_second_of_a_call");
    let (mut call, mut out) = (Call::new(), Vec::new());
    group.bench_function("laid_and_taken", |b| {
        b.iter(|| {
            call.second(&mut out, |_, samples| {
                black_box(samples);
            });
        });
    });
    let (mut call, mut out) = (Call::new(), Vec::new());
    group.bench_function("laid_taken_and_made_bytes", |b| {
        b.iter(|| call.second(&mut out, |_, samples| drop(black_box(bytes(samples)))));
    });
    let path = std::env::temp_dir().join(format!("tandem-recorder-bench-{}", std::process::id()));
    let file = File::create(&path).expect("a temporary file");
    let (mut call, mut out) = (Call::new(), Vec::new());
    group.bench_function("and_written", |b| {
        b.iter(|| {
            call.second(&mut out, |position, samples| {
                let place = HEADER_BYTES + position % 480_000 * 4; // the same minute over and over
                file.write_all_at(&bytes(samples), place).expect("room for a minute");
            });
        });
    });
    #[cfg(feature = "opus")]
    {
        let (mut call, mut out, mut second) = (Call::new(), Vec::new(), Vec::new());
        while second.len() < 16_000 {
            call.second(&mut out, |_, samples| second.extend_from_slice(samples));
        }
        second.truncate(16_000);
        let mut writer = tandem_codecs::ogg_opus::Writer::new(std::io::sink()).expect("a codec");
        group
            .bench_function("as_opus_when_it_is_over", |b| b.iter(|| writer.push(black_box(&second)).expect("a sink")));
    }
    group.finish();
    std::fs::remove_file(path).expect("it was made above");
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = recorder
}
criterion_main!(benches);
