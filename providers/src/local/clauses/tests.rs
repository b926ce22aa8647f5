#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use proptest::prelude::*;
use tokio::sync::Semaphore;

use super::*;

#[test]
fn sentences_and_long_enough_clauses_are_cut() {
    let cases: [(&str, &[&str]); 11] = [
        ("Good morning.", &["Good morning."]),
        ("Sorry? Could you say that again?", &["Sorry?", "Could you say that again?"]),
        ("Yes, of course.", &["Yes, of course."]),
        (
            "I can help you with that, and it will take two minutes.",
            &["I can help you with that,", "and it will take two minutes."],
        ),
        ("Your number is nine eight seven, six five.", &["Your number is nine eight seven, six five."]),
        ("Dr. Rao will see you at 3:30 p.m. on Monday.", &["Dr. Rao will see you at 3:30 p.m. on Monday."]),
        ("It costs 1,000 rupees and 1.5 lakh.", &["It costs 1,000 rupees and 1.5 lakh."]),
        ("He said \"yes, I do.\" Then he left.", &["He said \"yes, I do.\"", "Then he left."]),
        (
            "One moment while I look that up for you and then we will go through your options together",
            &["One moment while I look that up for you,", "and then we will go through your options together"],
        ),
        ("...", &["..."]),
        ("", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(clauses(text), expected, "{text:?}");
    }
}

#[test]
fn after_the_first_clause_there_is_time_for_longer_ones() {
    let text = "We have flats in the city centre, some near the park, some by the river, and a few that are close to the new \
                metro line, I think.";
    let first = "We have flats in the city centre,";
    let second = "some near the park, some by the river, and a few that are close to the new metro line,";
    // "I think" is too short to stand alone.
    assert_eq!(clauses(text), [first.to_owned(), format!("{second} I think.")]);
}

proptest! {
    #[test]
    fn no_word_is_lost_and_no_clause_is_too_long(text in "([a-zA-Z0-9,.;:!?'\"()é-]{1,90} ?){0,12}") {
        let text = speakable(&text);
        let clauses = clauses(&text);
        prop_assert!(clauses.iter().all(|clause| chars(clause) <= LONGEST && !clause.is_empty()));
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != ',').collect::<String>();
        prop_assert_eq!(letters(&clauses.concat()), letters(&text));
    }
}

/// A voice that writes down what it is asked for and speaks when it is let.
struct Gated {
    asked: Mutex<Vec<String>>,
    finished: Mutex<Vec<String>>,
    gate: Semaphore,
    fails: bool,
}

impl Gated {
    fn new(open: usize, fails: bool) -> Arc<Self> {
        Arc::new(Self { asked: Mutex::default(), finished: Mutex::default(), gate: Semaphore::new(open), fails })
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

struct Voice(Arc<Gated>);

impl Tts for Voice {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let gated = Arc::clone(&self.0);
        gated.asked.lock().unwrap().push(spec.text.clone());
        Box::pin(stream::once(async move {
            gated.gate.acquire().await.unwrap().forget();
            gated.finished.lock().unwrap().push(spec.text);
            match gated.fails {
                true => Err(TtsError::Failed { vendor: "gated", detail: "on purpose".to_owned() }),
                false => Ok(TtsChunk { samples: Arc::from([7; 80]), words: Vec::new() }),
            }
        }))
    }
}

fn two_sentences() -> TtsSpec {
    TtsSpec { text: "Good morning. How may I help you?".to_owned(), rate_hz: 8_000, ..TtsSpec::default() }
}

#[tokio::test]
async fn the_first_audio_is_there_before_the_second_sentence_is_begun() {
    let gated = Gated::new(1, false); // one synthesis may end, no more
    let mut chunks = Clauses::new(Arc::new(Voice(Arc::clone(&gated)))).speak(two_sentences());
    assert_eq!(gated.asked(), 0, "nothing is made before somebody listens");
    assert_eq!(chunks.next().await.unwrap().unwrap().samples.len(), 80);
    assert_eq!(*gated.asked.lock().unwrap(), ["Good morning."], "the second sentence is not even begun");
    assert!(futures_util::poll!(chunks.next()).is_pending(), "now it is, and not finished");
    assert_eq!((gated.asked(), gated.finished.lock().unwrap().len()), (2, 1));
    gated.gate.add_permits(1);
    assert!(chunks.next().await.unwrap().is_ok());
    assert!(chunks.next().await.is_none());
    assert_eq!(*gated.finished.lock().unwrap(), ["Good morning.", "How may I help you?"]);
}

#[tokio::test]
async fn who_stops_listening_stops_the_voice() {
    let gated = Gated::new(5, false);
    let mut chunks = Clauses::new(Arc::new(Voice(Arc::clone(&gated)))).speak(two_sentences());
    chunks.next().await.unwrap().unwrap();
    drop(chunks);
    assert_eq!((gated.asked(), gated.gate.available_permits()), (1, 4));
}

#[tokio::test]
async fn nothing_follows_a_clause_that_failed() {
    let gated = Gated::new(5, true);
    let chunks: Vec<_> = Clauses::new(Arc::new(Voice(Arc::clone(&gated)))).speak(two_sentences()).collect().await;
    assert!(matches!(&chunks[..], [Err(TtsError::Failed { .. })]), "{chunks:?}");
}
