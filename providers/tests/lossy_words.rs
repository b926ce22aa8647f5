//! Words that a lossy line costs the real recogniser: row N1 of the table of faults, "at 5 % with concealment word error +3 points at most".
//!
//! The twenty sentences of `make wer` in its three voices, µ-law coded, in messages of 20 ms that tell their media time. Those that are lost are
//! concealed as the switch conceals them. Needs the model (`make models`) and flite, and fails without them; `--nocapture` prints the figures
//! of docs/codecs.md.

#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use futures_util::StreamExt;
use serde::Deserialize;
use tandem_codecs::in_order::{InOrder, Piece, Place};
use tandem_codecs::late::LateAudio;
use tandem_codecs::{Pcm, SampleRate, g711};
use tandem_domain::port::tts::{Tts, TtsSpec};
use tandem_peers::dice::Dice;
use tandem_peers::universe::channel::{Losing, Loss};
use tandem_peers::wer::{WordErrors, word_errors};
use tandem_providers::local::flite::{Flite, FliteConfig};

use support::pool;

const RATE: SampleRate = SampleRate::HZ_8000;
const FRAME: Duration = Duration::from_millis(20);
const VOICES: [&str; 3] = ["rms", "awb", "slt"];
/// What a front desk expects to hear of.
const VOCABULARY: &str =
    "Delhi, Mumbai, Bangalore, Chennai, Hyderabad, Kolkata, Pune, Jaipur, lakh, crore, rupees, villa, flat, plot.";

#[derive(Deserialize)]
struct Sentences {
    sentence: Vec<Sentence>,
}

#[derive(Deserialize)]
struct Sentence {
    text: String,
    reference: String,
}

/// Not a test of its own: the child process.
#[test]
fn worker() {
    support::be_worker();
}

/// The sentence as it arrives by telephone, in the middle of a call.
async fn telephone(voice: &str, text: &str) -> Vec<i16> {
    let spec = TtsSpec { text: text.into(), voice: voice.into(), language: "en".into(), rate_hz: RATE.hz() };
    let chunks: Vec<_> = Flite::new(FliteConfig::default()).speak(spec).collect().await;
    let (mut coded, mut samples) = (Vec::new(), Vec::new());
    g711::encode_ulaw(&[0; 1_600], &mut coded);
    for chunk in chunks {
        g711::encode_ulaw(&chunk.unwrap_or_else(|error| panic!("{error}")).samples, &mut coded);
    }
    g711::decode_ulaw(&coded, &mut samples);
    samples.resize(samples.len().next_multiple_of(160), 0);
    samples
}

/// What the recogniser is given of it over a line that loses so many messages.
fn over(samples: &[i16], loss: f64, seed: u64) -> Vec<i16> {
    let mut losing = Losing::new(Loss::Independent(loss), Dice::stream(seed, "lost words"));
    let (mut order, mut late, mut given) = (InOrder::new(RATE), LateAudio::new(RATE), Vec::new());
    for (number, frame) in samples.chunks_exact(160).enumerate() {
        let at = FRAME * number as u32;
        let mut pieces = Vec::new();
        if number < 10 || !losing.loses() {
            match order.came(at, Some(at), frame) {
                Place::Next => pieces.push(Piece::Audio(frame.to_vec())),
                Place::Held | Place::Past => {}
            }
        }
        pieces.extend(std::iter::from_fn(|| order.ready(at)));
        for piece in pieces {
            match piece {
                Piece::Audio(mut frame) => {
                    late.came(at, &mut frame);
                    given.extend(frame);
                }
                Piece::Missing(length) => {
                    let mut frame = vec![0; RATE.samples_in(length)];
                    late.fill(at, &mut frame);
                    given.extend(frame);
                }
            }
        }
    }
    given
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_loses_5_percent_costs_3_points_of_words_at_most() {
    let fixture = include_str!("../../tests/fixtures/wer/sentences.toml");
    let sentences = toml::from_str::<Sentences>(fixture).unwrap().sentence;
    let pool = pool();
    pool.warm().await.unwrap();
    let mut rates = Vec::new();
    for loss in [0.0, 0.05] {
        let mut errors = WordErrors::default();
        for (number, voice) in VOICES.iter().enumerate() {
            for (line, Sentence { text, reference }) in sentences.iter().enumerate() {
                let given = over(&telephone(voice, text).await, loss, (number * 100 + line) as u64);
                let heard = pool.transcribe(&Pcm::new(RATE, given), VOCABULARY).await.unwrap();
                errors += word_errors(reference, &heard.text);
            }
        }
        println!("loss {:.0} %: {:.1} % of {} words", loss * 100.0, errors.rate() * 100.0, errors.words);
        rates.push(errors.rate() * 100.0);
    }
    assert!(rates[1] <= rates[0] + 3.0, "{rates:.1?} % of the words were misheard");
}
