//! How fast a media socket is read.
//!
//! Place:   a brake under every connection of the listener; [`brake_sockets`] sets it when a request becomes a socket, everything else reads freely.
//!
//! A token bucket of bytes. It bounds what a far end can make us parse without ever finishing a message: fragments without an end, frames without
//! content. Whoever is too fast is not told: his bytes wait in the kernel, his own sending stalls, and the tasks beside him keep their processor
//! time. Ends nothing: which call ends, and why, is decided on messages.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use tandem_actors::clock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep_until};

/// Bytes a second in the long run: four times the widest stream of a carrier (PCM at 24 kHz, base64 in JSON).
const BYTES_PER_SECOND: u32 = 512 * 1024;
/// Bytes at once after a quiet time: what a network holds back for seconds comes in one piece.
const BURST_BYTES: u32 = 2 * 1024 * 1024;

/// The brake of one connection; clones are the same brake.
#[derive(Debug, Clone, Default)]
pub(super) struct Brake(Arc<AtomicBool>);

/// Sets the brake of a connection that was upgraded to a socket.
pub(super) async fn brake_sockets(request: Request, next: Next) -> Response {
    let brake = request.extensions().get::<Brake>().cloned();
    let response = next.run(request).await;
    if let Some(Brake(on)) = brake
        && response.status() == StatusCode::SWITCHING_PROTOCOLS
    {
        on.store(true, Ordering::Relaxed);
    }
    response
}

/// A connection with a brake.
pub(super) struct Braked<S> {
    inner: S,
    brake: Brake,
    bucket: Bucket,
    rest: Option<Pin<Box<Sleep>>>,
}

impl<S> Braked<S> {
    pub(super) fn new(inner: S, brake: Brake) -> Self {
        Self { inner, brake, bucket: Bucket::default(), rest: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Braked<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(rest) = &mut this.rest {
            ready!(rest.as_mut().poll(context));
            this.rest = None;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(context, buffer))?;
        if this.brake.0.load(Ordering::Relaxed)
            && let Some(until) = this.bucket.take(clock::now(), buffer.filled().len() - before)
        {
            this.rest = Some(Box::pin(sleep_until(until.into())));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Braked<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

/// The token bucket, as the instant at which it will be full again.
#[derive(Debug, Default)]
struct Bucket {
    full_at: Option<Instant>,
}

impl Bucket {
    /// Takes `bytes` out. `Some` when that was more than it held: read on then.
    fn take(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let full_at = self.full_at.map_or(now, |at| at.max(now)) + time_for(bytes);
        self.full_at = Some(full_at);
        let debt = full_at.saturating_duration_since(now).checked_sub(time_for(BURST_BYTES as usize))?;
        (!debt.is_zero()).then(|| now + debt)
    }
}

fn time_for(bytes: usize) -> Duration {
    Duration::from_secs_f64(bytes as f64 / f64::from(BYTES_PER_SECOND))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn a_burst_passes_and_what_is_above_the_rate_waits() {
        let t0 = Instant::now();
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(t0, BURST_BYTES as usize), None);
        assert_eq!(bucket.take(t0, BYTES_PER_SECOND as usize), Some(t0 + Duration::from_secs(1)));
        let later = t0 + Duration::from_secs(1);
        assert_eq!(bucket.take(later, 0), None, "the debt is paid");
        assert_eq!(
            bucket.take(t0 + Duration::from_secs(3_600), BURST_BYTES as usize),
            None,
            "it never holds more than a burst"
        );
    }

    #[test]
    fn a_carriers_stream_never_waits() {
        let t0 = Instant::now();
        let mut bucket = Bucket::default();
        // PCM at 24 kHz in messages of 100 ms, 36 % longer on the wire.
        assert!((0..36_000).all(|n| bucket.take(t0 + Duration::from_millis(n * 100), 6_600).is_none()));
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_braked_connection_waits() {
        for (on, least, most) in [(false, 0, 0), (true, 3_900, 4_100)] {
            let (mut far, near) = tokio::io::duplex(64 * 1024);
            let brake = Brake(Arc::new(AtomicBool::new(on)));
            let mut near = Braked::new(near, brake);
            let total = (BURST_BYTES + 4 * BYTES_PER_SECOND) as usize;
            let sender = tokio::spawn(async move { far.write_all(&vec![7; total]).await });
            let began = tokio::time::Instant::now();
            let mut read = Vec::new();
            near.read_to_end(&mut read).await.unwrap();
            sender.await.unwrap().unwrap();
            let took = began.elapsed().as_millis();
            assert_eq!(read.len(), total);
            assert!((least..=most).contains(&took), "braked {on}: {took} ms");
        }
    }
}
