//! A recogniser that hears only the voice of [`crate::voice`], without an error but for those it is told to make.
//!
//! Behaves as a batch engine: a final covers the whole turn, one `Finalize` supersedes another. Audio is read while an answer
//! is under way, as any vendor does. Wants 8 kHz; on a position that jumps, it listens afresh from there.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tandem_domain::ids::TurnId;
use tandem_domain::port::EventStream;
use tandem_domain::port::stt::{Covers, Stt, SttError, SttEvent, SttInput, SttInputStream, SttSpec};
use tokio::time::{Instant, sleep_until};

use super::babble;
use super::latency::Latency;
use super::plan::{Fault, FaultPlan};
use super::recognition::RecognitionErrors;
use crate::clock;
use crate::dice::Dice;
use crate::voice::{Heard, Listener, RATE_HZ};

const NAME: &str = "fake";
/// From one partial to the next of [`Fault::Endless`].
const ENDLESS_INTERVAL: Duration = Duration::from_millis(100);
/// Words of [`Fault::Garbage`].
const GARBAGE_WORDS: usize = 12;

/// How the recogniser behaves.
#[derive(Debug, Clone, Default)]
pub struct FakeSttConfig {
    /// From `Finalize` to the final.
    pub latency: Latency,
    /// Whether each new word yields a partial, whether or not somebody asks for them.
    pub partials: bool,
    /// From the end of a word to the partial that tells it.
    pub partial_latency: Latency,
    /// How often it mishears; partials and finals agree on what.
    pub errors: RecognitionErrors,
    /// Which finals go wrong. [`Fault::DropMidway`] tells half of the words and closes; [`Fault::Garbage`] is a confident final of words
    /// that no language has; [`Fault::Endless`] is partials for ever, each longer, and no final.
    pub faults: FaultPlan,
    /// Seed of latencies and errors.
    pub seed: u64,
}

/// The recogniser; clones share the fault plan.
#[derive(Debug, Clone, Default)]
pub struct FakeStt {
    config: FakeSttConfig,
}

impl FakeStt {
    /// A recogniser that behaves so.
    pub fn new(config: FakeSttConfig) -> Self {
        Self { config }
    }
}

impl Stt for FakeStt {
    fn name(&self) -> &'static str {
        NAME
    }

    fn transcribe(&self, spec: SttSpec, audio: SttInputStream) -> EventStream<SttEvent, SttError> {
        if spec.rate_hz != RATE_HZ {
            let remedy = format!("send {RATE_HZ} Hz, not {}", spec.rate_hz);
            return stream::iter([Err(SttError::Unavailable { vendor: NAME, remedy })]).boxed();
        }
        let session = Session {
            config: FakeSttConfig { partials: self.config.partials || spec.partials, ..self.config.clone() },
            audio,
            audio_ended: false,
            dice: Dice::stream(self.config.seed, "partials"),
            listener: Listener::new(),
            words: Vec::new(),
            settled: 0,
            partials: VecDeque::new(),
            answers: VecDeque::new(),
            over: false,
        };
        stream::unfold(session, |mut session| async move { Some((session.next().await?, session)) }).boxed()
    }
}

/// What comes back at its time.
enum Answer {
    Event(SttEvent),
    Error,
    Drop,
    /// A partial that long, and a longer one after it.
    Endless {
        words: usize,
    },
}

/// A partial on its way.
struct Due {
    at: Instant,
    /// Position of its last word's end.
    to: u64,
    text: String,
}

struct Session {
    config: FakeSttConfig,
    audio: SttInputStream,
    audio_ended: bool,
    dice: Dice,
    listener: Listener,
    /// All words heard so far, by position.
    words: Vec<Heard>,
    /// Position up to which a `Finalize` has asked; partials tell only what came after.
    settled: u64,
    partials: VecDeque<Due>,
    answers: VecDeque<(Instant, Answer)>,
    over: bool,
}

impl Session {
    async fn next(&mut self) -> Option<Result<SttEvent, SttError>> {
        loop {
            if self.over {
                return None;
            }
            let answer = self.answers.front().map(|(due, _)| *due);
            let partial =
                self.partials.front().map(|partial| partial.at).filter(|at| answer.is_none_or(|due| *at <= due));
            let due = partial.or(answer);
            if self.audio_ended && due.is_none() {
                return None;
            }
            tokio::select! {
                biased;
                () = sleep_until(due.unwrap_or_else(clock::now)), if due.is_some() => {
                    if partial.is_some() {
                        let text = self.partials.pop_front()?.text;
                        return Some(Ok(SttEvent::Partial { text }));
                    }
                    match self.answers.pop_front()?.1 {
                        Answer::Event(event) => {
                            if let SttEvent::Final { to, .. } = event {
                                self.partials.retain(|partial| partial.to > to);
                            }
                            return Some(Ok(event));
                        }
                        Answer::Error => {
                            self.over = true;
                            let detail = "failed as planned".to_owned();
                            return Some(Err(SttError::Failed { vendor: NAME, detail }));
                        }
                        Answer::Drop => return None,
                        Answer::Endless { words } => {
                            self.answers.push_front((clock::now() + ENDLESS_INTERVAL, Answer::Endless { words: words + 1 }));
                            let text = babble::words(&mut Dice::new(self.config.seed), words);
                            return Some(Ok(SttEvent::Partial { text }));
                        }
                    }
                }
                input = self.audio.next(), if !self.audio_ended => match input {
                    Some(SttInput::Audio { start, samples }) => self.hear(start, &samples),
                    Some(SttInput::Speaking { .. }) => {} // it hears for itself
                    Some(SttInput::Finalize { turn, from, to, hints: _ }) => self.finalize(turn, from, to),
                    None => self.audio_ended = true,
                },
            }
        }
    }

    fn hear(&mut self, start: u64, samples: &[i16]) {
        if start != self.listener.position() {
            self.listener = Listener::starting_at(start);
            self.words.retain(|word| word.end <= start);
        }
        let fresh = self.listener.push(samples);
        if fresh.is_empty() {
            return;
        }
        self.words.extend(fresh);
        if self.config.partials {
            let unsettled: Vec<&Heard> = self.words.iter().filter(|word| word.end > self.settled).collect();
            let (text, _) = self.config.errors.recognise(self.config.seed, unsettled.iter().copied());
            let to = unsettled.last().map_or(self.settled, |word| word.end);
            let at = clock::now() + self.config.partial_latency.draw(&mut self.dice);
            let at = self.partials.back().map_or(at, |last| at.max(last.at));
            self.partials.push_back(Due { at, to, text });
        }
    }

    fn finalize(&mut self, turn: TurnId, from: u64, to: u64) {
        self.settled = to;
        let request = self.config.faults.request();
        let mut delay = self.config.latency.of_request(self.config.seed, u64::from(request.number));
        // a word still in the decoder's delay line has been sent, so it counts
        let ending = self.listener.clone().finish();
        let within = |word: &&Heard| (from..to).contains(&((word.start + word.end) / 2));
        let words = self.words.iter().chain(&ending).filter(within);
        let (mut text, mut confidence) = self.config.errors.recognise(self.config.seed, words);
        match request.fault {
            None => {}
            Some(Fault::Slow(longer)) => delay += longer,
            Some(Fault::Silent) => return,
            Some(Fault::Error) => return self.answer(delay, Answer::Error),
            Some(Fault::Drop) => return self.answer(delay, Answer::Drop),
            Some(Fault::DropMidway) => {
                text.truncate(text.floor_char_boundary(text.len() / 2));
                self.answer(delay, Answer::Event(SttEvent::Partial { text }));
                return self.answer(delay, Answer::Drop);
            }
            Some(Fault::Garbage) => {
                let mut dice = Dice::numbered(self.config.seed, u64::from(request.number));
                (text, confidence) = (babble::words(&mut dice, GARBAGE_WORDS), 0.95);
            }
            Some(Fault::Endless) => return self.answer(delay, Answer::Endless { words: 1 }),
        }
        let confidence = Some(confidence);
        self.answer(delay, Answer::Event(SttEvent::Final { turn, to, text, confidence, covers: Covers::WholeTurn }));
    }

    /// Answers keep their order, whatever their delay.
    fn answer(&mut self, delay: Duration, answer: Answer) {
        let due = clock::now() + delay;
        let due = self.answers.back().map_or(due, |(last, _)| due.max(*last));
        self.answers.push_back((due, answer));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use super::*;
    use crate::voice::Talker;

    const LATENCY: Duration = Duration::from_millis(300);

    fn spec() -> SttSpec {
        SttSpec { rate_hz: RATE_HZ, ..SttSpec::default() }
    }

    fn finalize(turn: u32, from: u64, to: u64) -> SttInput {
        SttInput::Finalize { turn: TurnId(turn), from, to, hints: Arc::from([]) }
    }

    /// Two turns: "sixty lakh" and, a second later, "in Delhi".
    fn two_turns() -> (Vec<SttInput>, u64, u64) {
        let first = Talker::default().speak("sixty lakh").samples;
        let second = Talker::default().speak("in Delhi").samples;
        let pause = first.len() as u64 + 8_000;
        let line = [first.clone(), vec![0; 8_000], second].concat();
        let mut inputs = Vec::new();
        for (index, chunk) in line.chunks(160).enumerate() {
            inputs.push(SttInput::Audio { start: index as u64 * 160, samples: Arc::from(chunk) });
            if index as u64 == pause / 160 {
                inputs.push(finalize(1, 0, first.len() as u64));
            }
        }
        inputs.push(finalize(2, pause, line.len() as u64));
        (inputs, pause, line.len() as u64)
    }

    fn events(stt: &FakeStt, inputs: Vec<SttInput>) -> EventStream<SttEvent, SttError> {
        stt.transcribe(spec(), stream::iter(inputs).boxed())
    }

    fn finals(events: &[Result<SttEvent, SttError>]) -> Vec<(u32, &str)> {
        events
            .iter()
            .filter_map(|event| match event {
                Ok(SttEvent::Final { turn, text, .. }) => Some((turn.0, text.as_str())),
                Ok(SttEvent::Partial { .. }) | Err(_) => None,
            })
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn each_turn_yields_its_own_words() {
        let stt = FakeStt::new(FakeSttConfig { latency: LATENCY.into(), ..FakeSttConfig::default() });
        let began = clock::now();
        let events: Vec<_> = events(&stt, two_turns().0).collect().await;
        assert_eq!(finals(&events), [(1, "sixty lakh"), (2, "in Delhi")]);
        assert_eq!(began.elapsed().as_millis(), LATENCY.as_millis());
    }

    #[tokio::test(start_paused = true)]
    async fn partials_grow_within_a_turn() {
        let stt = FakeStt::new(FakeSttConfig { partials: true, ..FakeSttConfig::default() });
        let events: Vec<_> = events(&stt, two_turns().0).collect().await;
        let partials: Vec<&str> = events
            .iter()
            .filter_map(|event| if let Ok(SttEvent::Partial { text }) = event { Some(text.as_str()) } else { None })
            .collect();
        assert_eq!(partials, ["sixty", "sixty lakh", "in", "in Delhi"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_fed_again_from_a_rewind_hears_the_same() {
        let (inputs, from, to) = two_turns();
        let again = inputs.clone().into_iter().filter(|input| match input {
            SttInput::Audio { start, .. } => *start >= from - 1_600,
            SttInput::Speaking { .. } | SttInput::Finalize { .. } => false,
        });
        let all = inputs.into_iter().chain(again).chain([finalize(2, from, to)]).collect();
        let events: Vec<_> = events(&FakeStt::default(), all).collect().await;
        assert_eq!(finals(&events).last(), Some(&(2, "in Delhi")));
    }

    #[tokio::test(start_paused = true)]
    async fn faults_come_as_planned() {
        let with = |faults| FakeStt::new(FakeSttConfig { faults, ..FakeSttConfig::default() });
        let failed: Vec<_> = events(&with(FaultPlan::times(Fault::Error, 1, 1)), two_turns().0).collect().await;
        assert_eq!(finals(&failed), [(1, "sixty lakh")]);
        assert!(matches!(failed.last(), Some(Err(SttError::Failed { .. }))));

        let dropped: Vec<_> = events(&with(FaultPlan::always(Fault::Drop)), two_turns().0).collect().await;
        assert_eq!(dropped, []);

        let silent: Vec<_> = events(&with(FaultPlan::times(Fault::Silent, 0, 1)), two_turns().0).collect().await;
        assert_eq!(finals(&silent), [(2, "in Delhi")]);

        let began = clock::now();
        let slow = Fault::Slow(Duration::from_secs(5));
        let slow: Vec<_> = events(&with(FaultPlan::times(slow, 0, 1)), two_turns().0).collect().await;
        assert_eq!(finals(&slow), [(1, "sixty lakh"), (2, "in Delhi")]);
        assert_eq!(began.elapsed().as_secs(), 5);
    }

    #[tokio::test]
    async fn another_rate_is_refused() {
        let spec = SttSpec { rate_hz: 16_000, ..SttSpec::default() };
        let events: Vec<_> = FakeStt::default().transcribe(spec, stream::empty().boxed()).collect().await;
        assert!(matches!(events.as_slice(), [Err(SttError::Unavailable { .. })]));
    }

    #[tokio::test(start_paused = true)]
    async fn it_may_break_off_within_a_word_babble_or_never_end() {
        let with = |fault| {
            let faults = FaultPlan::times(fault, 0, 1);
            FakeStt::new(FakeSttConfig { faults, ..FakeSttConfig::default() })
        };
        let midway: Vec<_> = events(&with(Fault::DropMidway), two_turns().0).collect().await;
        assert_eq!(midway, [Ok(SttEvent::Partial { text: "sixty".to_owned() })]);

        let babble: Vec<_> = events(&with(Fault::Garbage), two_turns().0).collect().await;
        let finals = finals(&babble);
        assert_eq!((finals.len(), finals[0].1.split(' ').count()), (2, GARBAGE_WORDS));
        assert_eq!(finals[1], (2, "in Delhi"));

        let endless: Vec<_> = events(&with(Fault::Endless), two_turns().0).take(500).collect().await;
        assert!(endless.iter().all(|event| matches!(event, Ok(SttEvent::Partial { .. }))));
        assert_eq!(endless.len(), 500);
    }

    #[tokio::test(start_paused = true)]
    async fn partials_come_late_and_never_behind_their_final() {
        let stt = FakeStt::new(FakeSttConfig {
            partials: true,
            partial_latency: Duration::from_millis(200).into(),
            latency: Duration::from_millis(50).into(),
            ..FakeSttConfig::default()
        });
        let events: Vec<_> = events(&stt, two_turns().0).collect().await;
        assert_eq!(finals(&events), [(1, "sixty lakh"), (2, "in Delhi")]);
        assert_eq!(events.len(), 2, "the stream came at once, so all partials were overtaken: {events:?}");
    }
}
