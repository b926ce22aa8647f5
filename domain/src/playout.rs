//! Playing the agent's audio to a carrier: exact pacing, marks, clearing, and what has been heard.
//!
//! ```text
//! origin ─┬─ 20 ms ─┬─ 20 ms ─┬─ …      chunk k is heard from origin + k·chunk
//!         └ sent `lead` before that, so the far end never runs dry and never holds more than the lead
//! ```
//!
//! Deadlines are absolute, so they do not drift. A burst begins anew (a new origin) when the queue had run dry for longer than the lead.
//! About every 100 ms a mark follows the audio; heard = last mark returned + time since then, never more than was sent. A `clear` ends an
//! epoch: marks that come back from an older epoch say nothing (Twilio returns all of them at once, Plivo none). Where there are no marks,
//! heard runs by the clock alone, later by the way to the far end ([`round_trip`]).
//!
//! Pure: told the time, returns what to write. The audio queue lives here and not in the egress pump, so a pump that dies takes nothing along.

mod hold;
pub mod round_trip;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::ids::UtteranceId;
use crate::ledger::{Heard, SentenceAudio};
use crate::port::dialect::Capabilities;
use crate::port::tts::WordStart;

/// Audio between two marks.
const MARK_EVERY: Duration = Duration::from_millis(100);
/// A final mark that is late by this much is not waited for any longer.
const MARK_GRACE: Duration = Duration::from_millis(1_000);
/// The measured lag of marks rises no faster than this from mark to mark.
const LAG_RISE: Duration = Duration::from_millis(5);
/// A way to the far end that is longer than this is a stall of its answers, not of our audio.
const LONGEST_WAY: Duration = Duration::from_millis(500);

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
        /// Time since the chunk was due; zero for the first of a burst.
        late: Duration,
    },
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

#[derive(Debug)]
struct Burst {
    /// When its first sample is heard.
    origin: Instant,
    /// Utterance position of that sample.
    base: u64,
    /// Chunks sent.
    chunks: u32,
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
    /// Position and time of the last mark that came back.
    acknowledged: Option<(u64, Instant)>,
    burst: Option<Burst>,
    final_mark: Option<Instant>,
    /// What is queued begins a sentence, after all before it had been sent whole: the silence between them tears no word.
    pause: bool,
}

/// The playout of one leg.
#[derive(Debug)]
pub struct Playout {
    chunk: Duration,
    chunk_samples: usize,
    lead: Duration,
    marks: bool,
    /// The far end reads: no audio is sent, and what is made counts as heard.
    silent: bool,
    rate_hz: u32,
    /// One way to the far end, where marks do not tell what was heard.
    way: Duration,
    /// A mark has come back: this far end answers.
    answered: bool,
    /// How much later than by our clock marks come back, the least lately: what is heard before an utterance's first mark is that late too.
    lag: Duration,
    epoch: u32,
    clear_pending: Option<Voice>,
    playing: Option<Playing>,
    /// The newest utterance ever opened: an older one is over.
    newest: u32,
    /// The last utterance that was played to its end.
    finished: Option<(UtteranceId, Heard)>,
    /// Times that the queue ran dry, not yet told.
    underruns: u32,
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
            lead,
            marks: capabilities.marks && !capabilities.reads(),
            silent: capabilities.reads(),
            rate_hz,
            way: Duration::ZERO,
            answered: false,
            lag: Duration::ZERO,
            epoch: 0,
            clear_pending: None,
            playing: None,
            newest: 0,
            finished: None,
            underruns: 0,
        }
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
                burst: None,
                final_mark: None,
                pause: false,
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
        playing.queue.extend(&samples[known..]);
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
                self.epoch += 1;
                self.clear_pending = (!self.silent).then_some(playing.voice()); // nothing was sent to a far end that reads
            }
        }
        heard
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
        let by_burst = playing.burst.as_ref().map(|burst| (burst.base, burst.origin + way));
        let anchor = match (playing.acknowledged, by_burst) {
            // The end of what came before a pause says nothing of what comes behind it.
            (Some(mark), Some(burst)) => Some(if mark.0 > burst.0 { mark } else { burst }),
            (mark, burst) => mark.or(burst),
        };
        let samples = anchor.map_or(0, |(position, at)| position + self.samples_in(now.saturating_duration_since(at)));
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
        let (epoch, utterance, position) = parse_mark(name)?;
        if epoch != self.epoch {
            return None;
        }
        let playing = self.current_mut(utterance)?;
        // Positions only grow, and nothing can be heard that was not sent.
        if position > playing.sent || playing.acknowledged.is_some_and(|(known, _)| known >= position && position > 0) {
            return None;
        }
        playing.acknowledged = Some((position, now));
        while playing.out.front().is_some_and(|(out, _)| *out <= position) {
            playing.out.pop_front();
        }
        let behind =
            playing.burst.as_ref().filter(|burst| position > burst.base).map(|burst| (burst.origin, burst.base));
        let finished = playing.final_mark.is_some() && position == playing.sent;
        if let Some((origin, base)) = behind {
            let played = Duration::from_micros((position - base) * 1_000_000 / u64::from(self.rate_hz));
            let lag = now.saturating_duration_since(origin + played).min(LONGEST_WAY);
            // One that comes late because the line stood still tells nothing of the line.
            self.answered = true;
            self.lag = if self.lag.is_zero() { lag } else { lag.min(self.lag + LAG_RISE) };
        }
        finished.then(|| self.finish()).flatten()
    }

    /// When to call [`Self::poll`] next: `now` if something is due already, `None` while there is nothing to do.
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        if self.clear_pending.is_some() {
            return Some(now);
        }
        let playing = self.playing.as_ref().filter(|playing| playing.held.is_none())?;
        if playing.final_mark.is_some() {
            return playing.final_mark;
        }
        if playing.is_over() {
            return Some(now);
        }
        self.has_chunk(playing).then(|| self.due(playing).unwrap_or(now))
    }

    fn is_due(&self, now: Instant) -> bool {
        self.poll_timeout(now).is_some_and(|due| due <= now)
    }

    /// Everything that is due, in the order it must be written.
    pub fn poll(&mut self, now: Instant, out: &mut Vec<PlayoutAction>) {
        out.extend(self.clear_pending.take().map(PlayoutAction::Clear));
        while self.is_due(now) {
            let Some(playing) = &mut self.playing else { break };
            if playing.final_mark.is_some() {
                out.extend(self.finish());
                break;
            }
            if playing.queue.is_empty() {
                self.end_of_audio(now, out);
                continue;
            }
            self.send_chunk(now, out);
        }
    }

    fn send_chunk(&mut self, now: Instant, out: &mut Vec<PlayoutAction>) {
        let (chunk, lead, chunk_samples, epoch, marks, silent) =
            (self.chunk, self.lead, self.chunk_samples, self.epoch, self.marks, self.silent);
        let mark_samples = self.samples_in(MARK_EVERY);
        let Some(playing) = &mut self.playing else { return };
        let dry = !silent && playing.burst.as_ref().is_some_and(|burst| now > burst.origin + chunk * burst.chunks);
        if playing.burst.is_none() || dry {
            self.underruns += u32::from(dry && !playing.pause);
            playing.burst = Some(Burst { origin: now, base: playing.sent, chunks: 0 });
        }
        let voice = playing.voice();
        let Some(burst) = &mut playing.burst else { return };
        let due = (burst.origin + chunk * burst.chunks).checked_sub(lead).unwrap_or(burst.origin).max(burst.origin);
        playing.pause = false;
        let take = chunk_samples.min(playing.queue.len());
        let mut samples: Vec<i16> = playing.queue.drain(..take).collect();
        let spoken = samples.len();
        samples.resize(chunk_samples, 0); // the end of a sentence rarely fills its chunk
        burst.chunks += 1;
        let first = playing.sent == 0;
        playing.sent += take as u64;
        let id = playing.id;
        let mark = marks && playing.sent - playing.marked >= mark_samples;
        if mark {
            playing.marked = playing.sent;
            playing.out.push_back((playing.sent, burst.origin + chunk * burst.chunks));
        }
        let position = playing.sent;
        if !silent {
            self.keep(&samples[..spoken]);
            out.push(PlayoutAction::Audio { voice, samples, late: now.saturating_duration_since(due) });
        }
        if first {
            out.push(PlayoutAction::FirstAudio(id));
        }
        if mark {
            out.push(PlayoutAction::Mark(mark_name(epoch, id, position)));
        }
    }

    /// All audio is sent: the last mark, and a limit for its return.
    fn end_of_audio(&mut self, now: Instant, out: &mut Vec<PlayoutAction>) {
        let (epoch, marks, chunk, way) = (self.epoch, self.marks, self.chunk, self.way);
        let Some(playing) = &mut self.playing else { return };
        if self.silent {
            playing.final_mark = Some(now);
            return;
        }
        let heard_at = playing.burst.as_ref().map_or(now, |burst| (burst.origin + chunk * burst.chunks).max(now));
        if !marks || playing.sent == 0 {
            playing.final_mark = Some(if playing.sent == 0 { heard_at } else { heard_at + way });
            return;
        }
        playing.final_mark = Some(heard_at + MARK_GRACE);
        if playing.marked < playing.sent {
            playing.marked = playing.sent;
            playing.out.push_back((playing.sent, heard_at));
            out.push(PlayoutAction::Mark(mark_name(epoch, playing.id, playing.sent)));
        } else if playing.acknowledged.is_some_and(|(position, _)| position == playing.sent) {
            playing.final_mark = Some(now); // the last mark is back already
        }
    }

    fn finish(&mut self) -> Option<PlayoutAction> {
        let playing = self.playing.take()?;
        let heard = Heard { samples: playing.sent, sentences: playing.sentences };
        self.finished = Some((playing.id, heard.clone()));
        Some(PlayoutAction::Spoken(playing.id, heard))
    }

    /// A whole chunk is queued, or the rest of a sentence that will get no more.
    fn has_chunk(&self, playing: &Playing) -> bool {
        playing.queue.len() >= self.chunk_samples
            || (!playing.queue.is_empty() && playing.sentences.iter().all(|sentence| sentence.complete))
    }

    /// When the next chunk is to be sent; `None` for at once.
    fn due(&self, playing: &Playing) -> Option<Instant> {
        #[cfg(feature = "sabotage")]
        if crate::sabotage::is_off(crate::sabotage::Mechanism::Pacing) {
            return None;
        }
        let burst = playing.burst.as_ref()?;
        (burst.origin + self.chunk * burst.chunks).checked_sub(self.lead)
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

impl Playing {
    fn voice(&self) -> Voice {
        Voice { utterance: self.id, resumed: self.resumed }
    }

    /// No more audio will come and none is left.
    fn is_over(&self) -> bool {
        self.queue.is_empty()
            && self.expected.is_some_and(|expected| {
                self.sentences.iter().filter(|sentence| sentence.complete).count() >= expected as usize
            })
    }
}

/// `<epoch>-<utterance>-<position>`: unique in a call, and all that is needed to read it back.
fn mark_name(epoch: u32, utterance: UtteranceId, position: u64) -> String {
    format!("{epoch}-{}-{position}", utterance.0)
}

fn parse_mark(name: &str) -> Option<(u32, UtteranceId, u64)> {
    let mut parts = name.splitn(3, '-');
    let epoch = parts.next()?.parse().ok()?;
    let utterance = UtteranceId(parts.next()?.parse().ok()?);
    Some((epoch, utterance, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests;
