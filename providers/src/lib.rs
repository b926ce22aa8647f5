//! Everyone else's wire formats: carriers and speech or language vendors, one folder each, behind the ports of `tandem-domain`.
//!
//! Place:    `src/` wires these adapters into the switch; `actors` never sees this crate.
//! Not here: what to do with a call. Who stands in for a vendor that fails is decided here, by an order that `src/` hands in.

pub mod breaker;
pub mod carrier;
mod clock;
pub mod http;
pub mod llm;
#[cfg(feature = "local-speech")]
pub mod local;
pub mod stt;
pub mod tts;
pub mod ws;
