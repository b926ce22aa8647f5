//! The callers' clock, and the one place of the load that reads it.

use std::time::Instant;

/// Now, on the clock that the runtime's timers use.
pub(in crate::cli::bench) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "this is where the others are sent")]
    Instant::now()
}
