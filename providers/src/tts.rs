//! Voices that are hosted, and voices made of voices, whoever they come from.

pub mod elevenlabs;
pub mod order;
pub mod spelled;
