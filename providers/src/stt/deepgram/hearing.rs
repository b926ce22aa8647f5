//! From Deepgram's results to the transcript of a turn. Told the time; no IO.
//!
//! ```text
//! connection    0 s ─────────────── results ──────────────►       seconds since its first audio; 0 again on every connection
//! call          offset ──────────── samples ──────────────►       positions; the words keep theirs over connections
//!
//!               ├── settled ──┤├─ settled ─┤├ interim ┤
//! turn               from ─────────────────────── to │ Finalize
//! answer        300 ms before ... all that is settled, once it reaches `to`
//! ```
//!
//! A turn's answer holds every word of the turn, so a caller who goes on after a pause needs no stitching. Each word belongs to the turn that
//! it was first told in, and to no other: what is heard again after a lost connection, or stands at the border of two turns, is said once.
//!
//! The answer does not wait for `from_finalize` alone: that may never come when nothing was buffered, and need not come when their own
//! endpointer has settled everything already.

use std::collections::VecDeque;
use std::time::Duration;

use tandem_domain::ids::TurnId;
use tandem_domain::port::stt::{Covers, SttEvent};
use tokio::time::Instant;

use super::wire::{self, Results};

/// A detector of speech is late by a consonant: words that end after this much before a turn's beginning are the turn's.
const LEAD: Duration = Duration::from_millis(300);
/// Results may end that much before the position that was asked for: theirs are rounded.
const TOLERANCE: Duration = Duration::from_millis(50);
/// How long an answer may take where their results have passed the end of the turn and nothing is unsettled: there is nothing to wait for but
/// a word that no hypothesis has seen yet.
const NOTHING_LIMIT: Duration = Duration::from_millis(500);
/// How long an answer may take where their results have passed the end of the turn. Then the hypothesis is the answer.
const ANSWER_LIMIT: Duration = Duration::from_millis(1_500);
/// How long until their results have to have passed the end of the turn. Audio goes on all the while, and so do the results of a vendor that
/// lives (promises.md P5: noticed in 3 s, and the next one needs time too). Half a turn is no answer: who hears it afresh has all of it.
const STALLED_LIMIT: Duration = Duration::from_millis(2_000);
/// Settled stretches that are kept: a vendor that never ends must not fill our memory. The longest turn has far fewer.
const MAX_STRETCHES: usize = 128;
/// Words that are read of one result; the longest stretch has far fewer.
const MAX_WORDS: usize = 256;
/// Bytes of one result's text, for the same reason.
const MAX_TEXT_BYTES: usize = 4_096;

/// A word and where it ends.
#[derive(Debug, Clone, PartialEq)]
struct Spoken {
    text: String,
    end: u64,
}

/// One result in the call's positions.
#[derive(Debug, Clone, PartialEq)]
struct Stretch {
    end: u64,
    text: String,
    words: Vec<Spoken>,
    confidence: f32,
    /// The turn that it was told in.
    turn: Option<TurnId>,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Question {
    turn: TurnId,
    from: u64,
    to: u64,
    asked: Instant,
}

/// What a time that has come means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Due {
    /// It is answered as well as can be.
    Answer(SttEvent),
    /// The vendor says nothing at all.
    Stalled,
}

/// What was heard in one call.
#[derive(Debug)]
pub(super) struct Hearing {
    rate_hz: u32,
    /// Position of the connection's second 0; `None` until audio of the call was sent on it.
    offset: Option<i64>,
    settled: VecDeque<Stretch>,
    interim: Option<Stretch>,
    /// Position up to which words are settled.
    settled_to: u64,
    /// Position up to which there were results at all.
    heard_to: u64,
    question: Option<Question>,
    /// `Finalize`s of this connection that were not answered.
    finalizes: u32,
    /// Where the open turn began, if somebody wants partials of it.
    speaking: Option<u64>,
    shown: String,
}

impl Hearing {
    pub(super) fn new(rate_hz: u32) -> Self {
        Self {
            rate_hz,
            offset: None,
            settled: VecDeque::new(),
            interim: None,
            settled_to: 0,
            heard_to: 0,
            question: None,
            finalizes: 0,
            speaking: None,
            shown: String::new(),
        }
    }

    /// A connection stands, on which `sent` samples of silence precede the audio from `position` on. What was not settled will be heard again.
    pub(super) fn connected(&mut self, position: u64, sent: u64) {
        self.offset = Some(position as i64 - sent as i64);
        self.interim = None;
        self.finalizes = 0;
        self.settled_to = self.settled_to.max(position);
        self.heard_to = self.settled_to;
    }

    /// Audio before this needs not be heard again.
    pub(super) fn settled_to(&self) -> u64 {
        self.settled_to
    }

    /// The caller speaks in a turn from `from` on, and somebody looks.
    pub(super) fn speaking(&mut self, from: u64) {
        self.speaking = Some(from);
    }

    /// Asks for a turn; a question that is open is superseded. The answer, if it is known already.
    pub(super) fn ask(&mut self, now: Instant, turn: TurnId, from: u64, to: u64) -> Option<SttEvent> {
        self.speaking = None;
        self.shown.clear();
        self.settled.retain(|stretch| stretch.turn.is_none_or(|told| told == turn));
        self.question = Some(Question { turn, from, to, asked: now });
        (self.settled_to + self.span(TOLERANCE) >= to).then(|| self.answer(false)).flatten()
    }

    /// Whether an answer is waited for; then a new connection has to be sent `Finalize` again.
    pub(super) fn is_asked(&self) -> bool {
        self.question.is_some()
    }

    /// `Finalize` was sent.
    pub(super) fn finalize_sent(&mut self) {
        self.finalizes += 1;
    }

    /// A result came.
    pub(super) fn results(&mut self, results: Results) -> Option<SttEvent> {
        let offset = self.offset?; // before any audio there is nothing to be heard
        let (is_final, from_finalize) = (results.is_final, results.from_finalize);
        let mut stretch = self.stretch(offset, results);
        let end = stretch.end;
        self.heard_to = self.heard_to.max(end);
        if !is_final {
            self.interim = Some(stretch).filter(|stretch| !stretch.text.is_empty());
            return self.partial();
        }
        self.interim = None;
        stretch.keep_since(self.settled_to); // the rest was said already, on a hypothesis
        self.settled_to = self.settled_to.max(end);
        if !stretch.text.is_empty() {
            if self.settled.len() == MAX_STRETCHES {
                self.settled.pop_front();
            }
            self.settled.push_back(stretch);
        }
        let mut last_answer = false;
        if from_finalize {
            last_answer = self.finalizes == 1;
            self.finalizes = self.finalizes.saturating_sub(1);
        }
        match self.question {
            Some(Question { from, to, .. })
                if self.settled_to + self.span(TOLERANCE) >= to || (last_answer && end >= from) =>
            {
                self.answer(false)
            }
            Some(_) => None,
            None => self.partial(),
        }
    }

    /// When to call [`Self::handle_timeout`].
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let question = self.question?;
        Some(question.asked + self.patience(question))
    }

    /// An early tick returns `None`.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<Due> {
        let question = self.question?;
        if now < question.asked + self.patience(question) {
            return None;
        }
        self.finalizes = 0;
        if self.has_heard(question.to) { self.answer(true).map(Due::Answer) } else { Some(Due::Stalled) }
    }

    fn patience(&self, Question { to, .. }: Question) -> Duration {
        match (self.has_heard(to), &self.interim) {
            (true, None) => NOTHING_LIMIT,
            (true, Some(_)) => ANSWER_LIMIT,
            (false, _) => STALLED_LIMIT,
        }
    }

    fn has_heard(&self, to: u64) -> bool {
        self.heard_to + self.span(TOLERANCE) >= to
    }

    /// The answer to the question, with what is not settled or without.
    fn answer(&mut self, with_interim: bool) -> Option<SttEvent> {
        let Question { turn, from, to, .. } = self.question.take()?;
        if with_interim && let Some(interim) = self.interim.take() {
            // Settled by us: should it come once more, it must not be said once more.
            self.settled_to = self.settled_to.max(interim.end);
            self.settled.push_back(interim);
        }
        let lead = from.saturating_sub(self.span(LEAD));
        let (mut text, mut weight, mut confidence) = (String::new(), 0, 0.0);
        for stretch in &mut self.settled {
            let words = stretch.words.iter().filter(|word| word.end > lead).count();
            if words == 0 {
                continue; // from before the turn: nobody's
            }
            stretch.turn = Some(turn);
            append(&mut text, &stretch.since(lead));
            confidence += stretch.confidence * words as f32;
            weight += words;
        }
        let confidence = (weight > 0).then(|| confidence / weight as f32);
        Some(SttEvent::Final { turn, to, text, confidence, covers: Covers::WholeTurn })
    }

    /// The turn so far, if somebody looks and it has changed.
    fn partial(&mut self) -> Option<SttEvent> {
        let lead = self.speaking?.saturating_sub(self.span(LEAD));
        let mut text = String::new();
        for stretch in self.settled.iter().filter(|stretch| stretch.turn.is_none()).chain(&self.interim) {
            append(&mut text, &stretch.since(lead));
        }
        if text.is_empty() || text == self.shown {
            return None;
        }
        self.shown.clone_from(&text);
        Some(SttEvent::Partial { text })
    }

    fn stretch(&self, offset: i64, results: Results) -> Stretch {
        let position = |seconds: f64| wire::samples(seconds, self.rate_hz).saturating_add_signed(offset);
        let end = position(results.start + results.duration);
        let best = results.channel.alternatives.into_iter().next().unwrap_or_default();
        let mut text = best.transcript;
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
        let text = text.trim().to_owned();
        let words = best.words.into_iter().take(MAX_WORDS).filter(|_| !text.is_empty()).map(|word| {
            let mut text = word.punctuated_word.unwrap_or(word.word);
            text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
            Spoken { text, end: position(word.end) }
        });
        let mut words: Vec<Spoken> = words.collect();
        // a text without words stands where it was heard
        if words.is_empty() && !text.is_empty() {
            words.push(Spoken { text: text.clone(), end });
        }
        Stretch { end, text, words, confidence: best.confidence.clamp(0.0, 1.0) as f32, turn: None }
    }

    fn span(&self, duration: Duration) -> u64 {
        duration.as_millis() as u64 * u64::from(self.rate_hz) / 1_000
    }
}

impl Stretch {
    /// Forgets words that end by `position`.
    fn keep_since(&mut self, position: u64) {
        self.text = self.since(position);
        self.words.retain(|word| word.end > position);
    }

    /// The text from `lead` on: as it is to be read where all of it is, else its words.
    fn since(&self, lead: u64) -> String {
        if self.words.iter().all(|word| word.end > lead) {
            return self.text.clone();
        }
        let words = self.words.iter().filter(|word| word.end > lead).map(|word| word.text.as_str());
        words.collect::<Vec<_>>().join(" ")
    }
}

fn append(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}

#[cfg(test)]
mod tests;
