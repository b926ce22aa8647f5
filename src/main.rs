//! The program `tandem`. Everything is in the library, so that tests can start it too.

use std::process::ExitCode;

const _: () =
    assert!(!tandem_actors::CAN_BE_SABOTAGED, "the feature `sabotage` is for the universe alone: build without it");

fn main() -> ExitCode {
    // First of all: more than one TLS provider is linked, and rustls refuses to choose by itself.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("tandem: a TLS provider was installed before main; this build is broken");
        return ExitCode::FAILURE;
    }
    tandem::cli::run(std::env::args_os())
}
