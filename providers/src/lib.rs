//! Everyone else's wire formats: carriers and speech or language vendors, one folder each, behind the ports of `tandem-domain`.
//!
//! Place:    `src/` wires these adapters into the switch; `actors` never sees this crate.
//! Not here: what to do with a call, when to retry, which vendor comes next.

pub mod carrier;
#[cfg(feature = "local-speech")]
pub mod local;
pub mod tts;
