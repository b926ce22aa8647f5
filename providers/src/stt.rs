//! Recognisers of vendors, and the order in which recognisers stand in for each other.

pub mod deepgram;
pub mod fallback;
