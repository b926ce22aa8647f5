//! Vendors whose processor time is counted: theirs, not that of the audio that they are fed.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use rustix::time::{ClockId, clock_gettime};
use tandem_domain::port::EventStream;
use tandem_domain::port::stt::{Stt, SttError, SttEvent, SttInputStream, SttSpec};
use tandem_domain::port::tts::{Tts, TtsChunk, TtsError, TtsSpec};

/// Processor time, in nanoseconds. Shared by all streams of a vendor.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter(Arc<AtomicI64>);

impl Meter {
    pub(super) fn total(&self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.load(Ordering::Relaxed)).unwrap_or(0))
    }

    /// Runs `work` and counts it `times` over: once, or minus once to take it off a count around it.
    fn count<T>(&self, times: i64, work: impl FnOnce() -> T) -> T {
        let before = thread_nanos();
        let result = work();
        self.0.fetch_add((thread_nanos() - before) * times, Ordering::Relaxed);
        result
    }
}

fn thread_nanos() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// A vendor under a meter.
pub(super) struct Metered<V> {
    pub(super) vendor: V,
    pub(super) meter: Meter,
}

impl<V: Stt> Stt for Metered<V> {
    fn name(&self) -> &'static str {
        self.vendor.name()
    }

    fn transcribe(&self, spec: SttSpec, audio: SttInputStream) -> EventStream<SttEvent, SttError> {
        let audio = Box::pin(Polled { inner: audio, meter: self.meter.clone(), times: -1 });
        let inner = self.meter.count(1, || self.vendor.transcribe(spec, audio));
        Box::pin(Polled { inner, meter: self.meter.clone(), times: 1 })
    }
}

impl<V: Tts> Tts for Metered<V> {
    fn name(&self) -> &'static str {
        self.vendor.name()
    }

    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let inner = self.meter.count(1, || self.vendor.speak(spec));
        Box::pin(Polled { inner, meter: self.meter.clone(), times: 1 })
    }
}

/// A stream whose polls are counted.
struct Polled<T> {
    inner: Pin<Box<dyn Stream<Item = T> + Send>>,
    meter: Meter,
    times: i64,
}

impl<T> Stream for Polled<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let (meter, times) = (self.meter.clone(), self.times);
        meter.count(times, || self.inner.as_mut().poll_next(context))
    }
}
