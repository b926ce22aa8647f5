//! How fast the natural voice is here: time to the first audio, and seconds of speech for each second of work, on one core.
//!
//! `cargo run --release -p tandem-providers --example voice_speed`; needs `make models VOICE=natural` and espeak-ng.

#[cfg(feature = "local-speech")]
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::sync::Arc;

    use futures_util::StreamExt;
    use tandem_domain::port::tts::{Tts, TtsSpec};
    use tandem_providers::local::clauses::Clauses;
    use tandem_providers::local::models;
    use tandem_providers::local::piper::{Piper, PiperConfig};

    const SENTENCES: [&str; 8] = [
        "Hello.",
        "Good morning, how may I help you?",
        "I want an apartment in Delhi.",
        "Which part of the city would you like to live in?",
        "I can help you with that, and it will take two minutes of your time.",
        "Your appointment is on Monday at three, and the doctor will call you in the afternoon.",
        "One moment while I look that up for you and then we will go through your options together.",
        "We have flats in the city centre, some near the park, some by the river, and a few that are close to the new metro line.",
    ];

    let voice = models::require_voice(&models::models_dir())?;
    let started = now();
    // Nothing is kept: each sentence is made.
    let piper = Piper::start(PiperConfig { workers: 1, cache_bytes: 0, ..PiperConfig::new(voice) }).await?;
    println!("start: {} ms", started.elapsed().as_millis());
    let voice = Clauses::new(Arc::new(piper));
    println!("{:>12} {:>9} {:>9} {:>7}  sentence", "first audio", "all", "speech", "speed");
    let (mut work, mut speech) = (0.0, 0.0);
    for text in SENTENCES {
        let spec = TtsSpec { text: text.to_owned(), rate_hz: 8_000, ..TtsSpec::default() };
        let (began, mut first, mut samples) = (now(), None, 0);
        let mut chunks = voice.speak(spec);
        while let Some(chunk) = chunks.next().await {
            samples += chunk?.samples.len();
            first.get_or_insert_with(|| began.elapsed());
        }
        let (first, all) = (first.unwrap_or_default().as_secs_f64(), began.elapsed().as_secs_f64());
        let seconds = samples as f64 / 8_000.0;
        (work, speech) = (work + all, speech + seconds);
        println!("{:>9.0} ms {:>6.0} ms {seconds:>7.2} s {:>6.1}x  {text}", 1e3 * first, 1e3 * all, seconds / all);
    }
    println!("all: {speech:.1} s of speech in {work:.1} s, {:.1} times real time", speech / work);
    Ok(())
}

#[cfg(feature = "local-speech")]
#[expect(clippy::disallowed_methods, reason = "measures; decides nothing")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[cfg(not(feature = "local-speech"))]
fn main() {
    eprintln!("built without local speech");
}
