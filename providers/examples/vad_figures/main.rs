//! What the speech detectors make of noise, music, breath, tones and speech, in figures; the tables of `docs/detectors.md`.
//!
//! `cargo run --release -p tandem-providers --example vad_figures [-- --json]`; needs flite, espeak-ng and
//! `tandem models install --vad silero`. Everything is made from seeds, and all speech is synthetic.

#[cfg(feature = "local-speech")]
mod figures;
#[cfg(feature = "local-speech")]
mod sounds;
#[cfg(feature = "local-speech")]
mod speech;
#[cfg(feature = "local-speech")]
mod table;

#[cfg(feature = "local-speech")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    table::print(std::env::args().any(|argument| argument == "--json"))
}

#[cfg(not(feature = "local-speech"))]
fn main() {
    eprintln!("built without local speech");
}
