//! Tandem as a program: configuration, HTTP, media sockets, the command line, and the wiring of all parts.
//!
//! [`boot`] starts the whole program in this process and returns a handle to it; `main` does no more, and so do the tests. This is the
//! only crate that sees the switch and its vendors together: everything below meets them as traits of `tandem_domain::port`.

pub mod cli;
pub mod config;
pub mod http;
mod media_ws;
pub mod shutdown;
pub mod telemetry;
pub mod wiring;

pub use wiring::{BootError, Extras, Running, Vendors, boot, boot_with, boot_with_echo, boot_with_extras};

/// Which build this is, such as `0.1.0 (a27d6ce1f00d)`: version and commit.
pub fn build() -> String {
    format!("{} ({})", env!("CARGO_PKG_VERSION"), option_env!("BUILD_COMMIT").unwrap_or("unknown"))
}
