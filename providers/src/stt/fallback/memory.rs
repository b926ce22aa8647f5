//! What a recogniser that takes over has to hear: the open turn, and the question that waits for its answer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tandem_domain::ids::TurnId;
use tandem_domain::port::stt::SttInput;
use tokio::time::Instant;

/// Audio that is kept; the chunks are shared with the call's own lane, which keeps as much.
const KEPT: Duration = Duration::from_secs(10);
/// Chunks that are kept, however short they are.
const KEPT_CHUNKS: usize = 1_000;
/// A turn is heard from that much before its beginning: detectors of speech are late.
const LEAD: Duration = Duration::from_millis(300);

/// One call's memory.
#[derive(Debug)]
pub(super) struct Memory {
    rate_hz: u64,
    audio: VecDeque<(u64, Arc<[i16]>)>,
    /// The last turn that was asked for.
    turn: Option<TurnId>,
    /// The open question, and when it was asked.
    question: Option<(SttInput, Instant)>,
    /// Where the caller's present turn began, if somebody wants partials.
    speaking: Option<u64>,
}

impl Memory {
    pub(super) fn new(rate_hz: u32) -> Self {
        Self { rate_hz: u64::from(rate_hz), audio: VecDeque::new(), turn: None, question: None, speaking: None }
    }

    /// Keeps an input.
    pub(super) fn take(&mut self, input: &SttInput, now: Instant) {
        match input {
            SttInput::Audio { start, samples } => {
                self.audio.push_back((*start, Arc::clone(samples)));
                let end = start + samples.len() as u64;
                self.forget_before(end.saturating_sub(self.span(KEPT)));
                if self.audio.len() > KEPT_CHUNKS {
                    self.audio.pop_front();
                }
            }
            SttInput::Speaking { from } => self.speaking = Some(*from),
            SttInput::Finalize { turn, from, .. } => {
                if self.turn != Some(*turn) {
                    self.forget_before(from.saturating_sub(self.span(LEAD)));
                }
                (self.turn, self.question, self.speaking) = (Some(*turn), Some((input.clone(), now)), None);
            }
        }
    }

    /// A final came; whether it is the one that was waited for.
    pub(super) fn answered(&mut self, turn: TurnId, to: u64) -> bool {
        let waited = matches!(
            &self.question,
            Some((SttInput::Finalize { turn: asked, to: asked_to, .. }, _)) if *asked == turn && *asked_to == to
        );
        if waited {
            self.question = None;
        }
        waited
    }

    /// When the open question was asked.
    pub(super) fn asked(&self) -> Option<Instant> {
        self.question.as_ref().map(|(_, asked)| *asked)
    }

    /// All that a successor has to hear, in order; its time to answer begins now.
    pub(super) fn replay(&mut self, now: Instant) -> Vec<SttInput> {
        let speaking = self.speaking.map(|from| SttInput::Speaking { from });
        let question = self.question.as_mut().map(|(question, asked)| {
            *asked = now;
            question.clone()
        });
        let audio =
            self.audio.iter().map(|(start, samples)| SttInput::Audio { start: *start, samples: samples.clone() });
        speaking.into_iter().chain(audio).chain(question).collect()
    }

    fn forget_before(&mut self, position: u64) {
        while self.audio.front().is_some_and(|(start, samples)| start + samples.len() as u64 <= position) {
            self.audio.pop_front();
        }
    }

    fn span(&self, duration: Duration) -> u64 {
        duration.as_millis() as u64 * self.rate_hz / 1_000
    }
}
