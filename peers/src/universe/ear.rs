//! The fake ear: what the caller heard, sample by sample, and what was wrong with it.
//!
//! Place: behind the carrier's playback, which tells of each sample whether it came from the switch. What the switch *meant* to play, it
//! does not know and does not ask: this is the witness against which its ledger is checked.
//!
//! ```text
//!  playback  ..####.####....##########..      # agent samples
//!  speaking    |<------>|   |<------>|        pauses under 300 ms inside
//!  gap               .                        an empty queue inside: starved
//!  words       one  two     three fo|         a word that was cut is none
//!  cut                              |         the sound ends at once, without its tail
//! ```
//!
//! Two utterances at once cannot be seen in a playback queue. They are heard in two ways: mixed, their watermarks spoil each other, and
//! there is loud speech in which no word can be told ([`EarReport::unintelligible`]); interleaved, their words come in an order that was
//! never meant ([`interleaved`]).

mod order;

use std::time::Duration;

use tandem_codecs::SampleRate;

use crate::carrier::{FRAME, FRAME_SAMPLES, HeardFrame};
use crate::ear::{first_sound, spoken_length};
use crate::voice::{Heard, Listener};

pub use order::{Disorder, interleaved};

/// A pause of this length ends a stretch of speech.
const PAUSE: Duration = Duration::from_millis(300);
/// Loud speech of this length without a word is unintelligible. Between two words of a talker lie 170 ms at most, and no word's
/// watermark is further from its sound.
const WORDLESS: Duration = Duration::from_millis(450);
/// At the end of a stretch of speech there may be this much more without a word: one that was cut off.
const LONGEST_WORD: Duration = Duration::from_millis(1_300);
/// A step from one sample to the next that no voice makes. The talkers' own steps stay below 18,000 (a test holds them to it).
pub const CLICK_STEP: u16 = 20_000;
/// Sound that ends (or begins) at this level or above next to an empty queue has been cut.
pub const CUT_STEP: u16 = 1_500;

/// A stretch of time in the ear, since the stream began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it begins.
    pub start: Duration,
    /// When it ends.
    pub end: Duration,
}

impl Span {
    /// How long it is.
    pub fn length(self) -> Duration {
        self.end.saturating_sub(self.start)
    }

    /// Whether the two share any time.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// A word that was heard from beginning to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardWord {
    /// As it was sent to the voice, punctuation included.
    pub text: String,
    /// Where its watermark lies; exact to 4 ms.
    pub span: Span,
}

/// A silence inside or between the agent's speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Where.
    pub span: Span,
    /// Whether the carrier had nothing to play; else the agent's own audio was silent.
    pub starved: bool,
}

/// A step in the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Duration,
    /// How far, in 16-bit steps.
    pub size: u16,
}

/// What the ear can say of a call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EarReport {
    /// How long it listened.
    pub listened: Duration,
    /// When the agent spoke.
    pub speaking: Vec<Span>,
    /// The words that came through whole, in order.
    pub words: Vec<HeardWord>,
    /// Silences of a frame and more between the first and the last sound, in order.
    pub gaps: Vec<Gap>,
    /// Loud speech in which no word can be told: two voices at once, noise, or a word broken in its middle.
    pub unintelligible: Vec<Span>,
    /// Steps of [`CLICK_STEP`] and more within the sound.
    pub clicks: Vec<Step>,
    /// Sound that was cut off, or began, in the middle of a wave: a `clear`, a starved queue, or an edit without a fade.
    pub cuts: Vec<Step>,
    /// The greatest step within the sound, whether a click or not.
    pub greatest_step: u16,
}

impl EarReport {
    /// The words in a row, one space between them.
    pub fn transcript(&self) -> String {
        self.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Silences in the agent's speech for want of audio, up to `longest`: what was longer was the end of something.
    pub fn starved_within(&self, longest: Duration) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().filter(move |gap| gap.starved && gap.span.length() <= longest)
    }

    /// The longest silence of the agent that begins in `within`; a silence that lasts to the end counts.
    pub fn longest_silence(&self, within: Span) -> Duration {
        let ends = self.speaking.iter().map(|span| span.end);
        let starts = self.speaking.iter().map(|span| span.start);
        std::iter::once(Duration::ZERO)
            .chain(ends)
            .zip(starts.chain([self.listened]))
            .map(|(from, to)| to.min(within.end).saturating_sub(from.max(within.start)))
            .max()
            .unwrap_or_default()
    }

    /// From `since` until the agent is first silent; `None` if it never falls silent. Zero if it was silent then.
    pub fn silent_after(&self, since: Duration) -> Option<Duration> {
        let speaking = self.speaking.iter().find(|span| (span.start..span.end).contains(&since));
        match speaking {
            None => Some(Duration::ZERO),
            Some(span) if span.end >= self.listened => None,
            Some(span) => Some(span.end - since),
        }
    }

    /// Whether the agent made itself heard twice at once, by mixture; for interleaving ask [`interleaved`].
    pub fn is_clear(&self) -> bool {
        self.unintelligible.is_empty()
    }
}

/// Records what the caller hears.
#[derive(Debug, Default)]
pub struct FakeEar {
    listener: Listener,
    words: Vec<Heard>,
    /// Samples heard.
    position: u64,
    audio: Option<Vec<i16>>,
    speaking: Vec<(u64, u64)>,
    gaps: Vec<(u64, u64, bool)>,
    clicks: Vec<(u64, u16)>,
    cuts: Vec<(u64, u16)>,
    greatest_step: u16,
    last: i16,
    /// Whether `last` came from the switch.
    last_was_agent: bool,
    /// End of the last sound, and whether the queue has stood empty since.
    sound_ended: Option<(u64, bool)>,
}

impl FakeEar {
    /// An ear that keeps no audio: two kilobytes a call.
    pub fn new() -> Self {
        Self::default()
    }

    /// An ear that keeps all it hears: 16 kB a second.
    pub fn recording() -> Self {
        Self { audio: Some(Vec::new()), ..Self::default() }
    }

    /// Hears the next 20 ms. Frames that the playback left out are silence.
    pub fn push(&mut self, frame: &HeardFrame) {
        let from = SampleRate::HZ_8000.samples_in(frame.at) as u64;
        while self.position + FRAME_SAMPLES as u64 <= from {
            self.hear(&[0; FRAME_SAMPLES], 0);
        }
        self.hear(&frame.samples, frame.agent_samples);
    }

    /// All that was heard so far, sample by sample; `None` unless it is [`Self::recording`].
    pub fn audio(&self) -> Option<&[i16]> {
        self.audio.as_deref()
    }

    /// The words so far. The last may still be under way.
    pub fn words(&self) -> &[Heard] {
        &self.words
    }

    /// Whether the agent was heard in the last frame.
    pub fn is_spoken_to(&self) -> bool {
        self.sound_ended.is_some_and(|(end, _)| self.position - end < FRAME_SAMPLES as u64)
    }

    /// Length of the present silence.
    pub fn quiet(&self) -> Duration {
        at(self.position - self.sound_ended.map_or(0, |(end, _)| end))
    }

    /// The call is over: says what was heard.
    pub fn finish(mut self) -> EarReport {
        self.words.extend(std::mem::take(&mut self.listener).finish());
        let span = |from: u64, to: u64| Span { start: at(from), end: at(to) };
        let step = |&(position, size): &(u64, u16)| Step { at: at(position), size };
        let speaking: Vec<Span> = self.speaking.iter().map(|&(from, to)| span(from, to)).collect();
        let words: Vec<HeardWord> = self
            .words
            .into_iter()
            .map(|word| HeardWord { span: span(word.start, word.end), text: word.text })
            .collect();
        EarReport {
            listened: at(self.position),
            unintelligible: unintelligible(&speaking, &words),
            speaking,
            words,
            gaps: self.gaps.iter().map(|&(from, to, starved)| Gap { span: span(from, to), starved }).collect(),
            clicks: self.clicks.iter().map(step).collect(),
            cuts: self.cuts.iter().map(step).collect(),
            greatest_step: self.greatest_step,
        }
    }

    fn hear(&mut self, samples: &[i16; FRAME_SAMPLES], agent_samples: usize) {
        self.words.extend(self.listener.push(samples));
        self.watch_steps(samples, agent_samples);
        self.follow_speech(samples, agent_samples);
        if let Some(audio) = &mut self.audio {
            audio.extend_from_slice(samples);
        }
        self.position += FRAME_SAMPLES as u64;
    }

    fn watch_steps(&mut self, samples: &[i16; FRAME_SAMPLES], agent_samples: usize) {
        for (index, &sample) in samples.iter().enumerate() {
            let size = sample.abs_diff(self.last);
            let is_agent = index < agent_samples;
            let position = self.position + index as u64;
            if is_agent != self.last_was_agent {
                if size >= CUT_STEP {
                    self.cuts.push((position, size));
                }
            } else {
                self.greatest_step = self.greatest_step.max(size);
                if size >= CLICK_STEP {
                    self.clicks.push((position, size));
                }
            }
            (self.last, self.last_was_agent) = (sample, is_agent);
        }
    }

    fn follow_speech(&mut self, samples: &[i16; FRAME_SAMPLES], agent_samples: usize) {
        let Some(first) = first_sound(samples) else {
            if let Some((_, starved)) = &mut self.sound_ended {
                *starved |= agent_samples == 0;
            }
            return;
        };
        let (begin, end) = (self.position + first as u64, self.position + spoken_length(samples) as u64);
        match self.sound_ended {
            None => self.speaking.push((begin, end)),
            Some((ended, starved)) => {
                let silence = at(begin - ended);
                if silence >= FRAME {
                    self.gaps.push((ended, begin, starved));
                }
                match self.speaking.last_mut() {
                    Some(span) if silence < PAUSE => span.1 = end,
                    Some(_) | None => self.speaking.push((begin, end)),
                }
            }
        }
        self.sound_ended = Some((end, agent_samples < FRAME_SAMPLES));
    }
}

/// Stretches of speech without a word, less what a cut-off word explains.
fn unintelligible(speaking: &[Span], words: &[HeardWord]) -> Vec<Span> {
    let mut found = Vec::new();
    for span in speaking {
        let mut told = span.start;
        for word in words.iter().filter(|word| word.span.overlaps(*span)) {
            if word.span.start.saturating_sub(told) >= WORDLESS {
                found.push(Span { start: told, end: word.span.start });
            }
            told = told.max(word.span.end);
        }
        if span.end.saturating_sub(told) >= WORDLESS + LONGEST_WORD {
            found.push(Span { start: told, end: span.end });
        }
    }
    found
}

fn at(position: u64) -> Duration {
    SampleRate::HZ_8000.duration_of(position)
}

#[cfg(test)]
mod tests;
