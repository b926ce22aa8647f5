//! Voices that are hosted, and voices made of voices, whoever they come from.

pub mod elevenlabs;
pub mod fallback;
pub mod spelled;
