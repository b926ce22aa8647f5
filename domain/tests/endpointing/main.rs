//! Endpointing on made-up clocks: values that are dictated with pauses, sentences that end or go on, and the bounds that hold for any words.

#![allow(clippy::unwrap_used, missing_docs)]

mod asked;
mod caller;
mod dictated;
mod sentences;
