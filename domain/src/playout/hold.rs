//! Holding a voice and letting it go on: the other half of a barge-in that may be taken back ([`crate::barge_in`]).
//!
//! ```text
//! sent  ─────────────────┬───── cleared ─────┐
//! heard ────────────┬────┘ held here         │        what was sent is kept for a while, so it can be sent again
//!            word ──┴── resumed from here ───┘
//! ```
//!
//! The far end's buffer is emptied at once. What goes on begins at a word's beginning, because half a word is noise, and rises over 10 ms.

use std::time::{Duration, Instant};

use super::{Playing, Playout};
use crate::ledger::Heard;

/// Audio that was sent is kept so long: what a far end may not have played yet, and a word before it.
const KEPT: Duration = Duration::from_millis(2_000);
/// Without word timings, the quietest place so far back is taken for a word's beginning.
const LOOKED_BACK: Duration = Duration::from_millis(400);
/// What is compared for quietness.
const QUIET: Duration = Duration::from_millis(10);
/// The voice that goes on rises over this.
const RISE: Duration = Duration::from_millis(10);

impl Playout {
    /// Stops the current utterance, has the far end's buffer cleared, and keeps what was not heard; says what was. Nothing new of it is sent
    /// until [`Self::resume`].
    pub fn hold(&mut self, now: Instant) -> Heard {
        let heard = self.heard(now);
        if self.silent {
            return heard; // nothing plays: there is nothing to hold
        }
        if let Some(playing) = self.playing.as_mut().filter(|playing| playing.held.is_none()) {
            playing.held = Some(heard.samples);
            playing.floor = heard.samples;
            (playing.final_mark, playing.acknowledged) = (None, None);
            playing.timeline.clear();
            playing.out.clear(); // the far end gives them back at once, or never
            if playing.sent > 0 {
                let voice = playing.voice();
                self.clear(voice);
            }
        }
        heard
    }

    /// Goes on with the utterance that was held, at the beginning of the word in which it stopped.
    pub fn resume(&mut self) {
        let (kept, rise) = (self.samples_in(LOOKED_BACK), self.samples_in(RISE));
        let window = self.samples_in(QUIET).max(1) as usize;
        let Some(playing) = &mut self.playing else { return };
        let Some(held) = playing.held.take() else { return };
        playing.resumed += 1;
        let from = playing.word_start(held, kept, window).max(playing.sent - playing.sent_tail.len() as u64);
        let again = (playing.sent - from) as usize;
        let first = playing.sent_tail.len() - again;
        for sample in playing.sent_tail.drain(first..).rev() {
            playing.queue.push_front(sample);
        }
        for (n, sample) in playing.queue.iter_mut().take(rise as usize).enumerate() {
            *sample = (i32::from(*sample) * (n as i32 + 1) / (rise as i32 + 1)) as i16;
        }
        (playing.sent, playing.marked) = (from, from);
        playing.pause = true; // no word is torn that the caller had not been spared
    }

    /// Whether the utterance in hand is held.
    pub fn is_held(&self) -> bool {
        self.playing.as_ref().is_some_and(|playing| playing.held.is_some())
    }

    /// Remembers what was sent.
    pub(super) fn keep(&mut self, samples: &[i16]) {
        let most = self.samples_in(KEPT) as usize;
        if let Some(playing) = &mut self.playing {
            let tail = &mut playing.sent_tail;
            let over = (tail.len() + samples.len()).saturating_sub(most).min(tail.len());
            tail.drain(..over);
            if tail.capacity() - tail.len() < samples.len() {
                tail.reserve_exact(samples.len().max(most / 4)); // short utterances need less, and doubling would end at more than the most
            }
            tail.extend(samples);
        }
    }
}

impl Playing {
    /// Where the word begins that was being heard at `position`.
    fn word_start(&self, position: u64, looked_back: u64, window: usize) -> u64 {
        let mut base = 0;
        for sentence in &self.sentences {
            if position < base + sentence.samples {
                let begun = sentence.words.iter().rev().find(|word| base + word.sample <= position);
                return match begun {
                    Some(word) => base + word.sample,
                    None if position - base <= looked_back / 4 => base,
                    None => self.quietest(base.max(position.saturating_sub(looked_back)), position, window),
                };
            }
            base += sentence.samples;
        }
        position // all that is queued was heard
    }

    /// The beginning of the quietest stretch within `from..to`, the latest of equals.
    fn quietest(&self, from: u64, to: u64, window: usize) -> u64 {
        let oldest = self.sent - self.sent_tail.len() as u64;
        let (from, to) = (from.max(oldest), to.min(self.sent));
        let energy = |at: u64| -> u64 {
            let start = (at - oldest) as usize;
            self.sent_tail.iter().skip(start).take(window).map(|&s| u64::from(i32::from(s).unsigned_abs().pow(2))).sum()
        };
        let last = to.saturating_sub(window as u64);
        (from..=last).rev().step_by(window / 2 + 1).min_by_key(|at| energy(*at)).unwrap_or(to)
    }
}
