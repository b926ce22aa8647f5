//! A recogniser that hears only the voice of [`crate::voice`], and that without an error.
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

use super::plan::{Fault, FaultPlan};
use crate::clock;
use crate::voice::{Heard, Listener, RATE_HZ, transcript};

const NAME: &str = "fake";

/// How the recogniser behaves.
#[derive(Debug, Clone, Default)]
pub struct FakeSttConfig {
    /// From `Finalize` to the final.
    pub latency: Duration,
    /// Whether each new word yields a partial, whether or not somebody asks for them.
    pub partials: bool,
    /// Which finals go wrong.
    pub faults: FaultPlan,
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
}

struct Session {
    config: FakeSttConfig,
    audio: SttInputStream,
    audio_ended: bool,
    listener: Listener,
    /// All words heard so far, by position.
    words: Vec<Heard>,
    /// Position up to which a `Finalize` has asked; partials tell only what came after.
    settled: u64,
    partials: VecDeque<SttEvent>,
    answers: VecDeque<(Instant, Answer)>,
    over: bool,
}

impl Session {
    async fn next(&mut self) -> Option<Result<SttEvent, SttError>> {
        loop {
            if self.over {
                return None;
            }
            if let Some(partial) = self.partials.pop_front() {
                return Some(Ok(partial));
            }
            let due = self.answers.front().map(|(due, _)| *due);
            if self.audio_ended && due.is_none() {
                return None;
            }
            tokio::select! {
                biased;
                () = sleep_until(due.unwrap_or_else(clock::now)), if due.is_some() => {
                    match self.answers.pop_front()?.1 {
                        Answer::Event(event) => return Some(Ok(event)),
                        Answer::Error => {
                            self.over = true;
                            let detail = "failed as planned".to_owned();
                            return Some(Err(SttError::Failed { vendor: NAME, detail }));
                        }
                        Answer::Drop => return None,
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
            let text = transcript(self.words.iter().filter(|word| word.end > self.settled));
            self.partials.push_back(SttEvent::Partial { text });
        }
    }

    fn finalize(&mut self, turn: TurnId, from: u64, to: u64) {
        self.settled = to;
        let delay = match self.config.faults.next() {
            None => Duration::ZERO,
            Some(Fault::Slow(delay)) => delay,
            Some(Fault::Silent) => return,
            Some(Fault::Error) => return self.answer(Duration::ZERO, Answer::Error),
            Some(Fault::Drop) => return self.answer(Duration::ZERO, Answer::Drop),
        };
        // a word still in the decoder's delay line has been sent, so it counts
        let ending = self.listener.clone().finish();
        let within = |word: &&Heard| (from..to).contains(&((word.start + word.end) / 2));
        let text = transcript(self.words.iter().chain(&ending).filter(within));
        let confidence = Some(if text.is_empty() { 0.0 } else { 1.0 });
        self.answer(delay, Answer::Event(SttEvent::Final { turn, to, text, confidence, covers: Covers::WholeTurn }));
    }

    /// Answers keep their order, whatever their delay.
    fn answer(&mut self, delay: Duration, answer: Answer) {
        let due = clock::now() + self.config.latency + delay;
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
        let stt = FakeStt::new(FakeSttConfig { latency: LATENCY, ..FakeSttConfig::default() });
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
}
