//! The one place of this crate that reads the time, for drivers of sockets and breakers.
//!
//! By the runtime's clock, so that a test that pauses it pauses everything.

use tokio::time::Instant;

/// The time by the runtime's clock.
pub(crate) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "this is where the others are sent")]
    Instant::now()
}
