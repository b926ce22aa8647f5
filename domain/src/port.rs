//! The traits that the outside world fulfils. The switch sees vendors, carriers and the store through these alone.
//!
//! Audio streams in, results stream out, and dropping the result stream cancels the work at the vendor.

use std::pin::Pin;

use futures_core::Stream;
use serde::{Deserialize, Serialize};

pub mod agent_saved;
pub mod brain;
pub mod dialect;
pub mod end_of_turn;
pub mod llm;
pub mod store;
pub mod stt;
pub mod tts;

/// A stream of results from a vendor. Dropping it cancels the work.
pub type EventStream<T, E> = Pin<Box<dyn Stream<Item = Result<T, E>> + Send>>;

/// Whose fault a failure is; decides who is told and whether a retry can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// Our configuration, our code or our machine.
    Us,
    /// The person on the line.
    Caller,
    /// The carrier that brought the call.
    Carrier,
    /// A speech or language vendor.
    Vendor,
    /// Nobody can tell.
    Unknown,
}

/// What may be tried after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The same request cannot succeed.
    Never,
    /// The same vendor may answer now.
    Now,
    /// Another vendor should be asked.
    NextVendor,
}
