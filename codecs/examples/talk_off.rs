//! Keys and tones that the detectors hear in speech, which has none.
//!
//! ```text
//! flite -voice awb -f book.txt -o book.wav
//! cargo run --release -p tandem-codecs --example talk_off -- book.wav
//! ```

use std::error::Error;
use std::fs::File;
use std::io::BufReader;

use tandem_codecs::call_tone::{ToneDetector, common};
use tandem_codecs::dtmf::{DtmfDetector, DtmfEvent};
use tandem_codecs::{SampleRate, resample_all, wav};

fn main() -> Result<(), Box<dyn Error>> {
    let mut files = std::env::args().skip(1).peekable();
    if files.peek().is_none() {
        return Err("name WAV files of speech, one channel each".into());
    }
    for file in files {
        let speech = wav::read(BufReader::new(File::open(&file)?))?;
        let samples = resample_all(&speech.samples, speech.rate, SampleRate::HZ_8000);
        let (mut detector, mut events) = (DtmfDetector::new(SampleRate::HZ_8000), Vec::new());
        detector.push(&samples, &mut events);
        let pressed: Vec<String> = events
            .iter()
            .filter_map(|event| match event {
                DtmfEvent::Pressed { key, at } => Some(format!("{key} at {:.2} s", *at as f64 / 8_000.0)),
                DtmfEvent::Released { .. } => None,
            })
            .collect();
        let (mut detector, mut tones) = (ToneDetector::new(SampleRate::HZ_8000, common()), Vec::new());
        detector.push(&samples, &mut tones);
        let tones: Vec<String> =
            tones.iter().map(|heard| format!("{} at {:.2} s", heard.name, heard.at as f64 / 8_000.0)).collect();
        println!(
            "{file}: {} keys and {} tones in {:.1} minutes {pressed:?} {tones:?}",
            pressed.len(),
            tones.len(),
            samples.len() as f64 / 480_000.0
        );
    }
    Ok(())
}
