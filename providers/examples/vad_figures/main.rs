//! What the speech detectors make of noise, music, breath, tones and speech, in figures; the tables of `docs/detectors.md`.
//!
//! `cargo run -p tandem-providers --example vad_figures [-- --json | --svg]`, on stdout; needs flite, espeak-ng and
//! `tandem models install --vad silero`. Takes a minute and a half. Everything is made from seeds, and all speech is synthetic.

#[cfg(feature = "local-speech")]
mod figures;
#[cfg(feature = "local-speech")]
mod picture;
#[cfg(feature = "local-speech")]
mod sounds;
#[cfg(feature = "local-speech")]
mod speech;
#[cfg(feature = "local-speech")]
mod table;

#[cfg(feature = "local-speech")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => table::print(table::Form::Tables),
        ["--json"] => table::print(table::Form::Json),
        ["--svg"] => table::print(table::Form::Picture),
        _ => Err("choose --json, --svg or neither".into()),
    }
}

#[cfg(not(feature = "local-speech"))]
fn main() {
    eprintln!("built without local speech");
}
