//! Playing the agent's audio to a carrier: exact pacing, marks, clearing, what it sounds like, and what has been heard.
//!
//! ```text
//! push ─► queue ─► pacing ─► timeline (what is heard when) ─► sound (edges, gaps, bed) ─► PlayoutAction
//!                    └ lead: how far ahead                        hold: stop, and go on
//! ```
//!
//! Deadlines are absolute, so they do not drift (`pacing`); the lead follows the line (`lead`). The clock begins anew when the far end had
//! run dry. About every 100 ms a mark follows the audio; heard = last mark returned + time since then, never more than was sent. A `clear` ends
//! an epoch: marks that come back from an older epoch say nothing (Twilio returns all of them at once, Plivo none). Where there are no marks,
//! heard runs by the clock alone, later by the way to the far end ([`round_trip`]). What is sent besides the utterance (concealment, keys, the
//! bed) takes time and counts for nothing (`timeline`).
//!
//! Pure: told the time, returns what to write. The audio queue lives here and not in the egress pump, so a pump that dies takes nothing along.

mod drift;
mod hold;
mod keys;
mod lead;
mod marks;
mod pacing;
pub mod round_trip;
mod sound;
mod timeline;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tandem_codecs::mix::Bed;

use crate::echo::EchoWatch;
use crate::ids::UtteranceId;
use crate::ledger::{Heard, SentenceAudio};
use crate::port::dialect::{Capabilities, ClearMarks};
use crate::port::tts::WordStart;

use drift::Drift;
use keys::KeyStep;
use lead::Lead;
use pacing::{Clock, MARK_GRACE, Step};
use sound::Sound;
use timeline::Timeline;

pub use keys::{KEY_GAP, KEY_LENGTH, KeysError, MOST_KEYS};
pub use sound::NO_STEP;

/// Room that is made for what is pushed, at least.
const ROOM: Duration = Duration::from_millis(500);
/// A way to the far end that is longer than this is a stall of its answers, not of our audio.
const LONGEST_WAY: Duration = Duration::from_millis(500);
/// The measured lag of marks rises no faster than this from mark to mark.
const LAG_RISE: Duration = Duration::from_millis(5);

/// What egress shall do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayoutAction {
    /// Empty the carrier's buffer: the voice was cut, or is held.
    Clear(Voice),
    /// Send one chunk of audio. `late` is how far behind its deadline it is.
    Audio {
        /// Whose audio it is.
        voice: Voice,
        /// Exactly one chunk of samples.
        samples: Vec<i16>,
        /// Time since the chunk was due, or there; zero for those that build up the lead.
        late: Duration,
    },
    /// Send one chunk of audio that is of no utterance: the bed, keys, the last edge of a voice.
    Filling {
        /// Exactly one chunk of samples.
        samples: Vec<i16>,
        /// Time since the chunk was due.
        late: Duration,
    },
    /// In the middle of a word of this utterance its audio was not there in time; what follows stands in for it.
    Gap(UtteranceId),
    /// Press a key by the carrier's own message.
    Key(char),
    /// Send a mark of this name.
    Mark(String),
    /// The first sample of the utterance leaves with the actions before this one.
    FirstAudio(UtteranceId),
    /// The utterance was played to its end; what was heard of it.
    Spoken(UtteranceId, Heard),
}

/// An utterance, and how often it has gone on after a hold: audio before a `clear` and behind it are told apart by that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voice {
    /// Which.
    pub utterance: UtteranceId,
    /// 0 until it was held and went on.
    pub resumed: u32,
}

impl From<UtteranceId> for Voice {
    /// An utterance that was never held.
    fn from(utterance: UtteranceId) -> Self {
        Self { utterance, resumed: 0 }
    }
}

/// A mark that came back.
#[derive(Debug, Clone, Copy)]
struct Acknowledged {
    position: u64,
    /// When it was due by our clock.
    due: Instant,
    at: Instant,
}

#[derive(Debug)]
struct Playing {
    id: UtteranceId,
    /// Times that it went on after a hold.
    resumed: u32,
    sentences: Vec<SentenceAudio>,
    /// How many sentences there will be, once known.
    expected: Option<u32>,
    queue: VecDeque<i16>,
    /// Samples sent, padding not counted.
    sent: u64,
    /// The last that was sent, oldest first: what a far end may not have played yet.
    sent_tail: VecDeque<i16>,
    /// Nothing is sent: what was heard when it was held.
    held: Option<u64>,
    /// Heard before the last hold: what is sent again cannot take it back.
    floor: u64,
    /// Position of the last mark sent.
    marked: u64,
    /// Marks that are out: position, and when it is heard by our clock.
    out: VecDeque<(u64, Instant)>,
    acknowledged: Option<Acknowledged>,
    timeline: Timeline,
    final_mark: Option<Instant>,
    /// What is queued begins a sentence, after all before it had been sent whole: the silence between them tears no word.
    pause: bool,
    /// The gap in a sentence that lasts is counted.
    torn: bool,
}

/// The playout of one leg.
#[derive(Debug)]
pub struct Playout {
    chunk: Duration,
    chunk_samples: usize,
    lead: Lead,
    marks: bool,
    /// A `clear` empties the far end's buffer.
    clears: bool,
    /// Keys go by a message of the carrier's own.
    key_messages_exist: bool,
    /// The far end reads: no audio is sent, and what is made counts as heard.
    silent: bool,
    rate_hz: u32,
    /// One way to the far end, where marks do not tell what was heard.
    way: Duration,
    /// A mark has come back: this far end answers.
    answered: bool,
    /// How much later than by our clock marks come back, the least lately: what is heard before an utterance's first mark is that late too.
    lag: Duration,
    /// The far end's clock against ours.
    drift: Drift,
    epoch: u32,
    clear_pending: Option<Voice>,
    clock: Option<Clock>,
    sound: Sound,
    /// When there was a bed first.
    bed_since: Option<Instant>,
    /// Something was sent.
    has_begun: bool,
    echo: EchoWatch,
    /// Keys in band that were not sent, as sound.
    keys: VecDeque<i16>,
    /// The utterance that they wait for.
    keys_after: Option<UtteranceId>,
    /// Keys that go as messages, and the waits between them.
    key_messages: VecDeque<KeyStep>,
    /// Until when the last of those waits.
    key_waits_until: Option<Instant>,
    /// What waits for its deadline, since the last look: a poll, or [`Self::came`].
    awaited: Option<Step>,
    /// When it could have been sent at the earliest: what has just come is not late, however much of it the lead takes at once.
    there_since: Option<Instant>,
    playing: Option<Playing>,
    /// The newest utterance ever opened: an older one is over.
    newest: u32,
    /// The last utterance that was played to its end.
    finished: Option<(UtteranceId, Heard)>,
    /// Times that the queue ran dry, not yet told.
    underruns: u32,
    /// Gaps that were told of as they happened.
    gaps: u32,
}

impl Playout {
    /// For a leg of these capabilities whose audio has `rate_hz`.
    pub fn new(capabilities: &Capabilities, rate_hz: u32) -> Self {
        let lead = capabilities.lead;
        #[cfg(feature = "sabotage")]
        let lead = if crate::sabotage::is_off(crate::sabotage::Mechanism::Lead) { Duration::ZERO } else { lead };
        let chunk_samples = (capabilities.chunk.as_micros() * u128::from(rate_hz) / 1_000_000) as usize;
        Self {
            chunk: capabilities.chunk,
            chunk_samples: chunk_samples.max(1),
            lead: Lead::new(lead),
            clears: capabilities.clear != ClearMarks::NoClear,
            key_messages_exist: capabilities.dtmf_out,
            marks: capabilities.marks && !capabilities.reads(),
            silent: capabilities.reads(),
            rate_hz,
            way: Duration::ZERO,
            answered: false,
            lag: Duration::ZERO,
            drift: Drift::default(),
            epoch: 0,
            clear_pending: None,
            clock: None,
            sound: Sound::new(rate_hz),
            bed_since: None,
            has_begun: false,
            echo: EchoWatch::default(),
            keys: VecDeque::new(),
            keys_after: None,
            key_messages: VecDeque::new(),
            key_waits_until: None,
            awaited: None,
            there_since: None,
            playing: None,
            newest: 0,
            finished: None,
            underruns: 0,
            gaps: 0,
        }
    }

    /// Plays `bed` under everything and between, from now on; `None` ends it. Not for a far end that reads.
    pub fn set_bed(&mut self, bed: Option<Bed>) {
        self.sound.set_bed(bed.filter(|_| !self.silent));
    }

    /// The caller speaks, or has stopped: the bed gives way.
    pub fn caller_speaks(&mut self, speaks: bool) {
        self.sound.duck(speaks);
    }

    /// What tells our own echo from a caller: told of what is sent, to be told of what comes in.
    pub fn echo(&mut self) -> &mut EchoWatch {
        &mut self.echo
    }

    /// How far ahead of the far end's ear audio is sent at present.
    pub fn lead(&self) -> Duration {
        self.lead.now()
    }

    /// The far end was found to be so far away, there and back.
    pub fn round_trip(&mut self, measured: Duration) {
        self.way = (measured / 2).min(LONGEST_WAY);
    }

    /// Samples of `utterance`'s sentence that are queued already: a restarted synthesis skips them.
    pub fn queued(&self, utterance: UtteranceId, sentence: u32) -> u64 {
        self.current(utterance)
            .and_then(|playing| playing.sentences.get(sentence as usize))
            .map_or(0, |audio| audio.samples)
    }

    /// Whether the sentence is queued to its end.
    pub fn is_complete(&self, utterance: UtteranceId, sentence: u32) -> bool {
        self.current(utterance)
            .and_then(|playing| playing.sentences.get(sentence as usize))
            .is_some_and(|audio| audio.complete)
    }

    /// Samples of `utterance` that were sent; `None` if it does not play (any more).
    pub fn sent(&self, utterance: UtteranceId) -> Option<u64> {
        self.current(utterance).map(|playing| playing.sent)
    }

    /// Audio that is queued and not yet sent.
    pub fn backlog(&self) -> Duration {
        let samples = self.playing.as_ref().map_or(0, |playing| playing.queue.len());
        Duration::from_micros(samples as u64 * 1_000_000 / u64::from(self.rate_hz))
    }

    /// Makes `utterance` the one that plays, unless it has played already. Whatever played before must have been spoken or cut.
    pub fn open(&mut self, utterance: UtteranceId) {
        if utterance.0 > self.newest {
            self.newest = utterance.0;
            self.playing = Some(Playing {
                id: utterance,
                resumed: 0,
                sentences: Vec::new(),
                expected: None,
                queue: VecDeque::new(),
                sent: 0,
                sent_tail: VecDeque::new(),
                held: None,
                floor: 0,
                marked: 0,
                out: VecDeque::new(),
                acknowledged: None,
                timeline: Timeline::default(),
                final_mark: None,
                pause: false,
                torn: false,
            });
        }
    }

    /// What was heard of `utterance`, if it is the last one that was played to its end.
    pub fn finished(&self, utterance: UtteranceId) -> Option<Heard> {
        self.finished.as_ref().filter(|(id, _)| *id == utterance).map(|(_, heard)| heard.clone())
    }

    /// Queues audio of a sentence that begins `offset` samples into it; what is queued already is skipped, so a sentence that is synthesised
    /// again goes on where the first attempt stopped. Audio of an utterance that was cut is dropped: `false`.
    pub fn push(
        &mut self,
        utterance: UtteranceId,
        sentence: u32,
        offset: u64,
        samples: &[i16],
        words: &[WordStart],
    ) -> bool {
        let room = self.samples_in(ROOM).max(1) as usize;
        let Some(playing) = self.current_mut(utterance) else { return false };
        let index = sentence as usize;
        if playing.sentences.len() <= index {
            playing.sentences.resize_with(index + 1, SentenceAudio::default);
        }
        let dry = playing.queue.is_empty() && playing.sentences[index].samples == 0;
        if dry && !samples.is_empty() && playing.sentences[..index].iter().all(|sentence| sentence.complete) {
            playing.pause = true;
        }
        let audio = &mut playing.sentences[index];
        let known = usize::try_from(audio.samples.saturating_sub(offset)).unwrap_or(usize::MAX).min(samples.len());
        let newest_word = audio.words.last().map(|word| word.sample);
        audio.words.extend(words.iter().filter(|word| newest_word.is_none_or(|newest| word.sample > newest)));
        audio.samples += (samples.len() - known) as u64;
        let more = &samples[known..];
        if playing.queue.capacity() - playing.queue.len() < more.len() {
            playing.queue.reserve_exact(more.len().next_multiple_of(room)); // by doubling it would end at twice as much
        }
        playing.queue.extend(more);
        true
    }

    /// The sentence is queued to its end.
    pub fn complete(&mut self, utterance: UtteranceId, sentence: u32) {
        self.push(utterance, sentence, 0, &[], &[]);
        if let Some(playing) = self.current_mut(utterance) {
            playing.sentences[sentence as usize].complete = true;
        }
    }

    /// The utterance has this many sentences and no more.
    pub fn seal(&mut self, utterance: UtteranceId, sentences: u32) {
        if let Some(playing) = self.current_mut(utterance) {
            playing.expected = Some(sentences);
        }
    }

    /// Stops at once: drops what is queued here, has the carrier's buffer cleared, and says what was heard.
    pub fn cut(&mut self, now: Instant) -> Heard {
        let heard = self.heard(now);
        if let Some(playing) = self.playing.take()
            && playing.sent > 0
        {
            // Even when our own queue is empty: seconds may still sit at the carrier. What is held was cleared already.
            if playing.held.is_none() {
                self.clear(playing.voice());
            }
        }
        heard
    }

    /// Has the far end's buffer emptied, and everything begin anew after it.
    fn clear(&mut self, voice: Voice) {
        if self.silent {
            return; // nothing was sent to a far end that reads
        }
        self.epoch += 1;
        self.clear_pending = Some(voice);
        if self.clears {
            self.clock = None;
            self.sound.fell_silent();
        }
    }

    /// What the caller has heard of the current utterance.
    pub fn heard(&self, now: Instant) -> Heard {
        let Some(playing) = &self.playing else {
            // Played to its end, and the news of it is still on its way to whoever asks.
            let newest = self.finished.as_ref().filter(|(id, _)| id.0 == self.newest);
            return newest.map(|(_, heard)| heard.clone()).unwrap_or_default();
        };
        if self.silent {
            return Heard { samples: playing.sent, sentences: playing.sentences.clone() };
        }
        let way = if self.marks { self.lag } else { self.way };
        let position = |at: Option<Instant>| playing.timeline.position_at(at?, self.rate_hz);
        let samples = match playing.acknowledged {
            // The end of what came before a pause says nothing of what comes behind it.
            Some(mark) if playing.timeline.newest().is_some_and(|newest| mark.position > newest) => {
                position(Some(mark.due + now.saturating_duration_since(mark.at)))
            }
            mark => position(now.checked_sub(way)).max(mark.map(|mark| mark.position)),
        };
        let samples = samples.unwrap_or(0);
        // What lies behind a mark that is out is not heard yet. One that stays out is lost, and says nothing any more.
        let out = playing.out.iter().find(|(_, due)| now < *due + self.lag + MARK_GRACE).map(|(position, _)| *position);
        let samples = samples.min(out.filter(|_| self.answered).unwrap_or(u64::MAX));
        let samples = samples.min(playing.sent).max(playing.floor);
        Heard { samples, sentences: playing.sentences.clone() }
    }

    /// Times that the queue ran dry in the middle of a sentence, since this was asked last.
    pub fn take_underruns(&mut self) -> u32 {
        std::mem::take(&mut self.underruns)
    }

    /// A mark came back.
    pub fn mark_returned(&mut self, now: Instant, name: &str) -> Option<PlayoutAction> {
        let (epoch, utterance, position) = marks::parse(name)?;
        if epoch != self.epoch {
            return None;
        }
        let playing = self.current_mut(utterance)?;
        // What was never sent, or came back already, is no mark of ours.
        let index = playing.out.iter().position(|(out, _)| *out == position)?;
        let (_, due) = playing.out.drain(..=index).next_back()?;
        playing.acknowledged = Some(Acknowledged { position, due, at: now });
        let finished = playing.final_mark.is_some() && position == playing.sent;
        // One that comes late because the line stood still tells nothing of the line.
        let lag = now.saturating_duration_since(due).min(LONGEST_WAY);
        let early = due.saturating_duration_since(now).min(LONGEST_WAY);
        self.drift.mark(now, lag.as_micros() as i64 - early.as_micros() as i64);
        self.answered = true;
        self.lag = if self.lag.is_zero() { lag } else { lag.min(self.lag + LAG_RISE) };
        self.lead.lag(lag);
        finished.then(|| self.finish()).flatten()
    }

    fn finish(&mut self) -> Option<PlayoutAction> {
        let playing = self.playing.take()?;
        let heard = Heard { samples: playing.sent, sentences: playing.sentences };
        self.finished = Some((playing.id, heard.clone()));
        Some(PlayoutAction::Spoken(playing.id, heard))
    }

    fn samples_in(&self, time: Duration) -> u64 {
        (time.as_micros() * u128::from(self.rate_hz) / 1_000_000) as u64
    }

    fn current(&self, utterance: UtteranceId) -> Option<&Playing> {
        self.playing.as_ref().filter(|playing| playing.id == utterance)
    }

    fn current_mut(&mut self, utterance: UtteranceId) -> Option<&mut Playing> {
        self.playing.as_mut().filter(|playing| playing.id == utterance)
    }
}

#[cfg(test)]
mod tests;
