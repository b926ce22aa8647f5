#![allow(clippy::unwrap_used)]
use std::sync::Mutex;

use futures_util::FutureExt;
use tandem_domain::port::tts::WordStart;
use tokio::time::timeout;

use super::*;

/// Samples of a word of [`Act::Words`].
const WORD: usize = 800;

/// A step of a voice.
#[derive(Clone, Copy)]
enum Act {
    /// A sample, without words.
    Chunk,
    /// So many words of the text, told; the last only half.
    Words(usize),
    /// All that is left of the text.
    Rest,
    Pause(u64),
    Fail,
    Busy,
    NoQuota,
    Hang,
}
use Act::{Busy, Chunk, Fail, Hang, NoQuota, Pause, Rest as All, Words};

/// Name, the value of its samples, steps; and what it was asked for.
#[derive(Clone)]
struct Scripted {
    name: &'static str,
    number: i16,
    acts: &'static [Act],
    asked: Arc<Mutex<Vec<String>>>,
}

fn scripted(name: &'static str, number: i16, acts: &'static [Act]) -> Scripted {
    Scripted { name, number, acts, asked: Arc::default() }
}

impl Scripted {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Tts for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }

    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        self.asked.lock().unwrap().push(spec.text.clone());
        let (vendor, number) = (self.name, self.number);
        let starts: Vec<usize> =
            spec.text.split_whitespace().map(|word| word.as_ptr() as usize - spec.text.as_ptr() as usize).collect();
        let mut said = 0;
        Box::pin(stream::iter(self.acts).then(move |act| {
            let words = match act {
                Words(count) => said..(said + count).min(starts.len()),
                All => said..starts.len(),
                _ => said..said,
            };
            let half = matches!(act, Words(_));
            let starts = starts[words.clone()].to_vec();
            said = words.end;
            async move {
                let failed = |detail: &str| TtsError::Failed { vendor, detail: detail.to_owned() };
                match act {
                    Chunk => Ok(TtsChunk { samples: Arc::from([number]), words: Vec::new() }),
                    Words(_) | All => {
                        let length = words.len() * WORD - if half { WORD / 2 } else { 0 };
                        let word = |(index, byte): (usize, &usize)| WordStart {
                            byte: *byte,
                            sample: ((words.start + index) * WORD) as u64,
                        };
                        let words = starts.iter().enumerate().map(word).collect();
                        Ok(TtsChunk { samples: vec![number; length].into(), words })
                    }
                    Pause(ms) => {
                        tokio::time::sleep(Duration::from_millis(*ms)).await;
                        Ok(TtsChunk { samples: Arc::from([number]), words: Vec::new() })
                    }
                    Fail => Err(failed("on purpose")),
                    Busy => Err(TtsError::Busy { vendor }),
                    NoQuota => Err(TtsError::Exhausted { vendor }),
                    Hang => std::future::pending().await,
                }
            }
        }))
    }
}

fn order(voices: &[&Scripted]) -> Order {
    let mut voices = voices.iter().map(|voice| Arc::new((*voice).clone()) as Arc<dyn Tts>);
    Order::new(voices.next().unwrap(), voices, Limits::default())
}

fn two(first: &'static [Act]) -> Order {
    order(&[&scripted("one", 1, first), &scripted("two", 2, &[Chunk, Chunk])])
}

fn spec(text: &str) -> TtsSpec {
    TtsSpec { text: text.to_owned(), rate_hz: 8_000, ..TtsSpec::default() }
}

/// All samples, the words, and the error at the end.
async fn spoken(voice: &Order, text: &str) -> (Vec<i16>, Vec<WordStart>, Option<TtsError>) {
    let chunks: Vec<_> = voice.speak(spec(text)).collect().await;
    let error = chunks.iter().find_map(|chunk| chunk.as_ref().err().cloned());
    let chunks: Vec<TtsChunk> = chunks.into_iter().flatten().collect();
    let samples = chunks.iter().flat_map(|chunk| chunk.samples.to_vec()).collect();
    (samples, chunks.into_iter().flat_map(|chunk| chunk.words).collect(), error)
}

async fn heard(voice: &Order) -> (Vec<i16>, Option<TtsError>) {
    let (samples, _, error) = spoken(voice, "Hello.").await;
    (samples, error)
}

#[tokio::test(start_paused = true)]
async fn the_second_voice_says_what_the_first_has_not_begun() {
    assert_eq!(two(&[Chunk]).name(), "one");
    assert_eq!(heard(&two(&[Chunk, Chunk, Chunk])).await, (vec![1, 1, 1], None));
    assert_eq!(heard(&two(&[Fail])).await, (vec![2, 2], None));
    assert_eq!(heard(&two(&[])).await, (vec![], None), "nothing to say is no failure");
    let in_time = Limits::default().patience + Duration::from_millis(1);
    assert_eq!(timeout(in_time, heard(&two(&[Hang]))).await.unwrap(), (vec![2, 2], None));
}

#[tokio::test(start_paused = true)]
async fn voices_that_hang_share_the_patience() {
    let (one, two) = (scripted("one", 1, &[Hang]), scripted("two", 2, &[Hang]));
    let voice = order(&[&one, &two, &scripted("three", 3, &[Chunk])]);
    let began = now();
    assert_eq!(heard(&voice).await, (vec![3], None));
    assert_eq!(now() - began, Limits::default().patience);
    // What a voice that refuses at once has not used is for those behind it.
    let slow = scripted("slow", 2, &[Pause(1_400)]);
    assert_eq!(heard(&order(&[&scripted("no", 1, &[Fail]), &slow, &two])).await.0, [2]);
}

#[tokio::test(start_paused = true)]
async fn who_failed_rests_and_one_sentence_asks_it_again() {
    let one = scripted("one", 1, &[Hang]);
    let voice = order(&[&one, &scripted("two", 2, &[Chunk])]);
    heard(&voice).await;
    assert!(heard(&voice).now_or_never().is_some(), "nobody waits for it");
    tokio::time::advance(Limits::default().rest).await;
    let (trial, other) = tokio::join!(heard(&voice), async { heard(&voice).now_or_never().is_some() });
    assert_eq!((trial.0, other, one.asked().len()), (vec![2], true, 2), "one waits, the other passes by");
}

#[tokio::test(start_paused = true)]
async fn no_quota_is_a_long_rest_and_being_busy_none() {
    let (poor, busy) = (scripted("poor", 1, &[NoQuota]), scripted("busy", 2, &[Busy]));
    let voice = order(&[&poor, &busy, &scripted("last", 3, &[Chunk])]);
    for _ in 0..2 {
        heard(&voice).await;
        tokio::time::advance(Duration::from_secs(60)).await;
    }
    assert_eq!((poor.asked().len(), busy.asked().len()), (1, 2));
    tokio::time::advance(Limits::default().long_rest).await;
    heard(&voice).await;
    assert_eq!(poor.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_next_voice_goes_on_at_the_word_that_was_not_said() {
    let next = scripted("two", 2, &[All]);
    let voice = order(&[&scripted("one", 1, &[Words(2), Fail]), &next]);
    let text = "Your order ships today";
    let (samples, words, error) = spoken(&voice, text).await;
    assert_eq!(error, None);
    assert_eq!(next.asked(), ["order ships today"], "half of \"order\" was made, and none of it handed on");
    assert_eq!(samples.iter().filter(|sample| **sample == 1).count(), WORD);
    assert_eq!(samples.iter().filter(|sample| **sample == 2).count(), 3 * WORD);
    let expected = ["Your", "order", "ships", "today"].map(|word| text.find(word).unwrap());
    assert_eq!(words.iter().map(|word| word.byte).collect::<Vec<_>>(), expected);
    let starts: Vec<usize> = words.iter().map(|word| word.sample as usize).collect();
    assert_eq!(starts, [0, WORD, 2 * WORD, 3 * WORD]);
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_stops_within_a_sentence_is_not_waited_for() {
    let next = scripted("two", 2, &[All]);
    let voice = order(&[&scripted("one", 1, &[Words(3), Hang]), &next]);
    let began = now();
    let (samples, _, error) = spoken(&voice, "one two three four").await;
    assert_eq!((samples.len(), error), (4 * WORD, None));
    assert_eq!(next.asked(), ["three four"]);
    assert_eq!(now() - began, Limits::default().stall);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_changed_where_nothing_fails() {
    let voice = order(&[&scripted("one", 1, &[Words(1), Words(2), All]), &scripted("two", 2, &[])]);
    let (samples, words, _) = spoken(&voice, "one two three four").await;
    // Halves are missing because the scripted voice leaves them out; its words say where they should have been.
    assert_eq!(samples.len(), 4 * WORD - WORD);
    assert_eq!(words.iter().map(|word| word.byte).collect::<Vec<_>>(), [0, 4, 8, 14]);
}

#[tokio::test(start_paused = true)]
async fn the_first_word_is_held_back_for_a_moment_only() {
    let voice = order(&[&scripted("one", 1, &[Words(1), Pause(500), All]), &scripted("two", 2, &[])]);
    let mut chunks = voice.speak(spec("Hello there"));
    let began = now();
    assert_eq!(chunks.next().await.unwrap().unwrap().samples.len(), WORD / 2);
    assert_eq!(now() - began, HOLD);
}

#[tokio::test]
async fn without_word_times_the_place_is_estimated_and_no_word_left_out() {
    let text = "one two three four";
    let rest = |samples: usize| {
        let mut held = Held::default();
        held.begins(0);
        held.push(TtsChunk { samples: vec![1; samples].into(), words: Vec::new() }, now());
        &text[held.rest_of(text, 8_000)..]
    };
    assert_eq!(rest(0), text);
    assert_eq!(rest(1_000), text, "less than a word");
    assert_eq!(rest(4_000), "two three four", "seven characters: within the second word");
    assert_eq!(rest(80_000), "four", "longer than expected: the last word is said again");
}

#[tokio::test]
async fn a_failure_of_the_last_voice_is_passed_on() {
    let (samples, error) = heard(&order(&[&scripted("one", 1, &[Chunk, Fail])])).await;
    assert_eq!(samples, [1]);
    assert!(matches!(error, Some(TtsError::Failed { vendor: "one", .. })));
}

proptest::proptest! {
    #[test]
    fn any_chunks_are_handed_on_whole_and_in_order(
        chunks in proptest::collection::vec((0usize..50, proptest::collection::vec((0usize..40, 0u64..300), 0..3)), 0..8), release in 0usize..8
    ) {
        let (mut held, mut given, mut got) = (Held::default(), 0, 0);
        held.begins(0);
        for (index, (samples, words)) in chunks.into_iter().enumerate() {
            given += samples;
            let words = words.into_iter().map(|(byte, sample)| WordStart { byte, sample }).collect();
            got += held.push(TtsChunk { samples: vec![1; samples].into(), words }, now()).map_or(0, |chunk| chunk.samples.len());
            if index == release {
                got += held.release().map_or(0, |chunk| chunk.samples.len());
            }
            held.rest_of("some words, é, of no use", 8_000);
        }
        got += held.finish().map_or(0, |chunk| chunk.samples.len());
        proptest::prop_assert_eq!(got, given);
    }
}
