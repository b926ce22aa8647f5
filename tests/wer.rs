//! Word error rate and latency of the local recogniser, over the real socket: `make wer` prints them.
//!
//! Twenty telephone sentences in three synthetic voices, each voice a call of its own, µ-law coded like any call. The agent is a playbook from
//! a folder that the repository does not hold: it asks for the next sentence and takes whatever is said.
#![cfg(feature = "local-speech")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tandem_domain::port::tts::Tts;
use tandem_peers::caller::{Line, Manners, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::simulate::{self, EndedBy, SimulateConfig};
use tandem_peers::wer::{WordErrors, word_errors};
use tandem_providers::local::flite::Flite;

mod support;

/// Voices of Debian's flite; the switch itself speaks as `rms`.
const VOICES: [&str; 3] = ["rms", "awb", "slt"];
/// What this agent expects to hear of: the recogniser's hint, as a front desk's cities and amounts are.
const VOCABULARY: [&str; 14] = [
    "Delhi",
    "Mumbai",
    "Bangalore",
    "Chennai",
    "Hyderabad",
    "Kolkata",
    "Pune",
    "Jaipur",
    "lakh",
    "crore",
    "rupees",
    "villa",
    "flat",
    "plot",
];
/// Word error rate that the product promises at most, in percent.
const PROMISED: f64 = 8.0;

#[derive(Deserialize)]
struct Sentences {
    sentence: Vec<Sentence>,
}

#[derive(Deserialize)]
struct Sentence {
    text: String,
    reference: String,
}

/// A playbook with a free-text slot for each sentence; no sentence means anything to it.
fn dictation(sentences: usize) -> String {
    let mut playbook = String::from(
        "name = \"dictation\"\ntitle = \"Dictation\"\nlanguage = \"en\"\nmax_turns = 40\ngreeting = [\"Please dictate.\"]\n\
         [phrases]\nhandover = []\nrepeat = []\nhelp = []\nwait = []\nunknown = []\nrefuse = []\ngoodbye = []\ncorrection = []\n\
         [closing]\ncompleted = [\"Thank you.\"]\n[confirmation]\npolicy = \"none\"\n",
    );
    for number in 1..=sentences {
        write!(
            playbook,
            "[[slots]]\nname = \"sentence_{number}\"\ntype = \"text\"\nprompt = \"Next.\"\nexamples = {VOCABULARY:?}\n"
        )
        .unwrap();
    }
    playbook
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_sentences_in_three_voices_are_understood() {
    support::install_tls_provider();
    let fixture = include_str!("fixtures/wer/sentences.toml");
    let sentences = toml::from_str::<Sentences>(fixture).unwrap().sentence;
    assert_eq!(sentences.len(), 20);

    let folder = tempfile::tempdir().unwrap();
    let playbooks = folder.path().join("playbooks");
    std::fs::create_dir(&playbooks).unwrap();
    std::fs::write(playbooks.join("dictation.toml"), dictation(sentences.len())).unwrap();
    let settings = [("PLAYBOOKS_DIR", playbooks.to_str().unwrap()), ("DEFAULT_AGENT", "dictation")];
    let config = support::config(&folder, &settings);
    let stt = tandem::wiring::recogniser(&config, Path::new(env!("CARGO_BIN_EXE_tandem")))
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let vendors = tandem::Vendors { stt: Some(stt), tts: None };
    let program = support::boot_in(folder, &settings, vendors).await.unwrap();

    let calls = VOICES.iter().zip(1u128..).map(|(voice, number)| dictate(&program, voice, number, &sentences));
    let heard = futures_util::future::join_all(calls).await;

    let (mut total, mut latencies) = (WordErrors::default(), Vec::<u64>::new());
    for (voice, call) in VOICES.iter().zip(&heard) {
        let mut errors = WordErrors::default();
        for (sentence, heard) in sentences.iter().zip(&call.heard) {
            let found = word_errors(&sentence.reference, heard);
            if found.errors() > 0 {
                println!("  {voice}: {:?} heard as {heard:?}", sentence.text);
            }
            errors += found;
        }
        assert_eq!(call.heard.len(), sentences.len(), "{voice}: a sentence was lost or split: {:#?}", call.heard);
        println!("WER {voice}: {:.1} % ({} of {} words)", errors.rate() * 100.0, errors.errors(), errors.words);
        total += errors;
        latencies.extend(&call.latencies_ms);
    }
    latencies.sort_unstable();
    println!(
        "WER all: {:.1} % ({} of {} words), promised {PROMISED} %",
        total.rate() * 100.0,
        total.errors(),
        total.words
    );
    println!(
        "latency, end of speech to first agent audio in the ear: median {} ms, p95 {} ms, {} turns, three calls at once",
        latencies[latencies.len() / 2],
        latencies[latencies.len() * 95 / 100],
        latencies.len()
    );
    assert!(total.rate() * 100.0 <= PROMISED, "{:.1} % of the words were misheard", total.rate() * 100.0);
    program.running.shutdown().await;
}

/// What came of one voice's call.
struct Dictated {
    heard: Vec<String>,
    latencies_ms: Vec<u64>,
}

async fn dictate(program: &support::Program, voice: &str, number: u128, sentences: &[Sentence]) -> Dictated {
    let renderer: Arc<dyn Tts> = Arc::new(Flite::new(tandem_providers::local::flite::FliteConfig::default()));
    let ids = TwilioIds::numbered(number);
    let report = simulate::run(SimulateConfig {
        url: program.socket_url("/media"),
        unix_socket: None,
        carrier: Carrier::Twilio(ids.clone()),
        custom_parameters: BTreeMap::new(),
        script: sentences.iter().map(|sentence| Step::Say(Line::Text(sentence.text.clone()))).collect(),
        manners: Manners { seed: number as u64, ..Manners::default() },
        renderer,
        voice: voice.to_owned(),
        language: "en".to_owned(),
        recogniser: None,
        record_to: None,
        limit: Duration::from_secs(400),
    })
    .await
    .unwrap();
    assert_eq!(report.ended_by, EndedBy::Switch, "{voice}");
    let transcript = support::transcript(program, &ids.call_sid).await;
    let heard = transcript.as_array().unwrap().iter().filter(|line| line["role"] == "user");
    Dictated {
        heard: heard.map(|line| line["text"].as_str().unwrap().to_owned()).collect(),
        latencies_ms: report
            .turns
            .iter()
            .filter_map(|turn| turn.latency)
            .map(|latency| latency.as_millis() as u64)
            .collect(),
    }
}
