//! The vendors' own packages against the mock of their wire, and what they send held beside what our adapters send.
//!
//! The packages come by `scripts/peers.sh`, which `make peers` calls.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "vendor_sdks/deepgram.rs"]
mod deepgram;
#[path = "vendor_sdks/elevenlabs.rs"]
mod elevenlabs;
#[path = "support/foreign.rs"]
mod foreign;
#[path = "vendor_sdks/one_port.rs"]
mod one_port;
#[path = "vendor_sdks/openai.rs"]
mod openai;
#[path = "vendor_sdks/program.rs"]
mod program;
