//! Voices made of voices, whoever they come from.

pub mod fallback;
