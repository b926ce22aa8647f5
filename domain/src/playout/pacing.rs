//! What is due when, and sending it: one chunk after the other on an absolute clock.
//!
//! ```text
//! origin ─┬─ 20 ms ─┬─ 20 ms ─┬─ …      chunk k is heard from origin + k·chunk
//!         └ sent `lead` before that: voice and keys
//!                └ half of it: the bed alone          a voice that comes has less of it before it
//!                     └ 10 ms: what conceals a gap    a voice that is only a little late comes in time
//! ```
//!
//! A chunk holds samples of the utterance, or keys, or neither; whatever it holds, it takes its place on the clock.

use std::time::{Duration, Instant};

use super::drift::Drift;
use super::{Playing, Playout, PlayoutAction, Voice, marks};

/// Audio between two marks.
const MARK_EVERY: Duration = Duration::from_millis(100);
/// A final mark that is late by this much is not waited for any longer.
pub(super) const MARK_GRACE: Duration = Duration::from_millis(1_000);
/// A gap is concealed when the far end has so much left.
const BRINK: Duration = Duration::from_millis(10);
/// A bed leaves a call's first voice so much time to go before it: what is sent of the bed, the first word waits for.
const HEAD_START: Duration = Duration::from_millis(100);
/// Gaps of one leg that are told of one by one: a voice that is always late fills no timeline.
const MOST_GAPS: u32 = 50;
/// No chunk is concealed by more than this: where chunks are long, what comes next would wait for too much that is nothing.
const CONCEALED_AT_ONCE: Duration = Duration::from_millis(100);

/// When what was sent is heard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    origin: Instant,
    chunks: u32,
}

impl Clock {
    /// Everything from here on is heard so many µs later, or earlier.
    fn put(&mut self, by_us: i64) {
        let by = Duration::from_micros(by_us.unsigned_abs());
        self.origin = if by_us < 0 { self.origin.checked_sub(by).unwrap_or(self.origin) } else { self.origin + by };
    }

    /// When the far end has played all that was sent.
    pub(super) fn end(&self, chunk: Duration) -> Instant {
        #[cfg(feature = "sabotage")]
        let chunk = match crate::sabotage::is_off(crate::sabotage::Mechanism::Deadlines) {
            true => chunk + Duration::from_millis(2), // what a timer adds to a sleep of 20 ms on a busy machine
            false => chunk,
        };
        self.origin + chunk * self.chunks
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The utterance's end is no longer waited for.
    Finish,
    /// All audio is sent.
    End,
    /// A chunk of the utterance.
    Voice,
    /// A chunk of keys.
    Keys,
    /// A chunk for a gap.
    Conceal,
    /// A chunk of neither: the last edge, and the bed.
    Fill,
}

impl Playout {
    /// When to call [`Self::poll`] next: `now` if something is due already, `None` while there is nothing to do.
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        if self.clear_pending.is_some() {
            return Some(now);
        }
        self.next(now).map(|(at, _)| at).into_iter().chain(self.key_message_due(now)).min()
    }

    /// Something was queued, pressed or let go on: when it could be sent at the earliest is remembered, so that a pump that comes to it
    /// late is late, and not the first to see it.
    pub fn came(&mut self, now: Instant) {
        let next = self.next(now).map(|(_, step)| step);
        if next != self.awaited {
            (self.there_since, self.awaited) = (Some(now), next);
        }
    }

    /// Everything that is due, in the order it must be written.
    pub fn poll(&mut self, now: Instant, out: &mut Vec<PlayoutAction>) {
        out.extend(self.clear_pending.take().map(PlayoutAction::Clear));
        self.send_key_messages(now, out);
        if self.sound.has_bed() {
            self.bed_since.get_or_insert(now);
        }
        self.came(now); // what grew due by the clock alone, such as the bed
        while let Some((_, step)) = self.next(now).filter(|(due, _)| *due <= now) {
            match step {
                Step::Finish => out.extend(self.finish()),
                Step::End => self.end_of_audio(now, out),
                Step::Voice | Step::Keys | Step::Conceal | Step::Fill => self.send(now, step, out),
            }
        }
        self.awaited = self.next(now).map(|(_, step)| step);
    }

    fn next(&self, now: Instant) -> Option<(Instant, Step)> {
        let end = self.clock.map(|clock| clock.end(self.chunk));
        let ahead = |lead: Duration| end.map_or(Some(now), |end| end.checked_sub(lead)).unwrap_or(now);
        let voice = self.voice(now, ahead(self.lead.now()));
        let at_brink = self.lead.now().min(BRINK);
        let filling = if self.silent {
            None
        } else if self.keys_turn() {
            Some((ahead(self.lead.now()), Step::Keys))
        } else if self.sound.may_fill() && self.is_torn() && end.is_some_and(|end| now <= end) {
            Some((ahead(at_brink), Step::Conceal))
        } else if self.sound.has_bed() {
            let begins = self.bed_since.map_or(now, |since| since + HEAD_START);
            Some((if self.has_begun { ahead(self.lead.now() / 2) } else { begins }, Step::Fill))
        } else if self.sound.is_open() && self.may_round_off() && end.is_some_and(|end| now <= end) {
            Some((ahead(at_brink), Step::Fill))
        } else {
            None
        };
        match (voice, filling) {
            (Some(voice), Some(filling)) => Some(if filling.0 < voice.0 { filling } else { voice }),
            (voice, filling) => voice.or(filling),
        }
    }

    /// What is next of the utterance, whose chunks are due at `due`.
    fn voice(&self, now: Instant, due: Instant) -> Option<(Instant, Step)> {
        let playing = self.playing.as_ref().filter(|playing| playing.held.is_none())?;
        if let Some(limit) = playing.final_mark {
            return Some((limit, Step::Finish));
        }
        if playing.is_over() {
            return Some((now, Step::End));
        }
        if !self.has_chunk(playing) || self.keys_turn() {
            return None;
        }
        #[cfg(feature = "sabotage")]
        if crate::sabotage::is_off(crate::sabotage::Mechanism::Pacing) {
            return Some((now, Step::Voice));
        }
        Some((if self.silent { now } else { due }, Step::Voice))
    }

    /// A whole chunk is queued, or the rest of a sentence that will get no more.
    fn has_chunk(&self, playing: &Playing) -> bool {
        #[cfg(feature = "sabotage")]
        if crate::sabotage::is_off(crate::sabotage::Mechanism::Framing) {
            return !playing.queue.is_empty();
        }
        playing.queue.len() >= self.chunk_samples
            || (!playing.queue.is_empty() && playing.sentences.iter().all(|sentence| sentence.complete))
    }

    /// Whether the far end has heard the beginning of a sentence whose next chunk is not there.
    fn is_torn(&self) -> bool {
        let Some(playing) = self.playing.as_ref().filter(|playing| playing.held.is_none()) else { return false };
        let missing = self.chunk_samples.saturating_sub(playing.queue.len()) as u64;
        let begun = playing.sentences.iter().find(|sentence| !sentence.complete);
        missing > 0
            && missing <= self.samples_in(CONCEALED_AT_ONCE)
            && playing.sent > playing.floor
            && begun.is_some_and(|sentence| sentence.samples > playing.queue.len() as u64)
    }

    /// Whether keys wait, and what was being said before them is said.
    fn keys_turn(&self) -> bool {
        let before = |playing: &Playing| self.keys_after == Some(playing.id) && playing.final_mark.is_none();
        !self.keys.is_empty() && !self.playing.as_ref().is_some_and(before)
    }

    /// Whether a chunk may be spent on the last edge of a voice: it ends here, or the next is soon over.
    fn may_round_off(&self) -> bool {
        let goes_on = self.playing.as_ref().is_some_and(|playing| playing.final_mark.is_none());
        !goes_on || self.chunk <= CONCEALED_AT_ONCE / 2
    }

    fn send(&mut self, now: Instant, step: Step, out: &mut Vec<PlayoutAction>) {
        let chunk = self.chunk;
        let end = self.clock.map(|clock| clock.end(chunk));
        let lead = if step == Step::Fill { self.lead.now() / 2 } else { self.lead.now() };
        let there = self.there_since.unwrap_or(now);
        let due = match end.and_then(|end| end.checked_sub(lead)) {
            Some(due) => due.max(there),
            None if step == Step::Fill => now, // nobody waits for a bed's beginning
            None => there,
        };
        let late =
            if self.silent || step == Step::Conceal { Duration::ZERO } else { now.saturating_duration_since(due) };
        if step == Step::Voice && self.awaited.take() == Some(Step::Voice) {
            self.lead.written(now, late);
        }
        let dry = !self.silent && end.is_some_and(|end| now > end);
        if dry {
            self.sound.fell_silent();
        }
        self.has_begun = true;
        let begins = self.clock.is_none() || dry;
        if begins {
            self.clock = Some(Clock { origin: now, chunks: 0 });
            self.drift = Drift::default(); // the far end begins anew as well
            self.there_since = Some(now);
        }
        if begins || (step == Step::Voice && self.playing.as_ref().is_some_and(|playing| playing.sent == 0)) {
            self.lead.begin();
        }
        match step {
            Step::Voice | Step::Conceal => self.send_voice(step, dry, late, out),
            Step::Keys | Step::Fill => {
                let mut samples = vec![0; self.chunk_samples];
                if step == Step::Keys {
                    let keys = self.keys.len().min(self.chunk_samples);
                    self.sound.tones(&mut samples, self.keys.drain(..keys));
                } else {
                    self.sound.silence(&mut samples);
                }
                self.sound.bed(&mut samples);
                self.tick();
                if self.playing.is_none() && self.sound.has_bed() {
                    // Between words, of which no place moves: the far end has a little more of the bed by it, or less.
                    let spare = self.lead.now() / 4;
                    if let (Some(by_us), Some(clock)) = (self.drift.take(spare), &mut self.clock) {
                        clock.put(by_us);
                    }
                }
                out.push(PlayoutAction::Filling { samples, late });
            }
            Step::Finish | Step::End => {}
        }
    }

    /// A chunk takes its place on the clock; from when it is heard.
    fn tick(&mut self) -> Option<Instant> {
        let clock = self.clock.as_mut()?;
        clock.chunks += 1;
        Some(clock.origin + self.chunk * (clock.chunks - 1))
    }

    fn send_voice(&mut self, step: Step, dry: bool, late: Duration, out: &mut Vec<PlayoutAction>) {
        let Some(at) = self.tick() else { return };
        let (chunk, chunk_samples, rate_hz, silent) = (self.chunk, self.chunk_samples, self.rate_hz, self.silent);
        let (marks, mark_samples) = (self.marks, self.samples_in(MARK_EVERY));
        let Some(playing) = &mut self.playing else { return };
        let torn = step == Step::Conceal;
        self.underruns += u32::from(!playing.torn && (torn || (dry && !playing.pause)));
        if torn && !playing.torn && self.gaps < MOST_GAPS {
            self.gaps += 1;
            out.push(PlayoutAction::Gap(playing.id));
        }
        playing.torn = torn;
        playing.pause = false;
        let spoken = chunk_samples.min(playing.queue.len());
        let mut samples = Vec::with_capacity(chunk_samples);
        let (front, back) = playing.queue.as_slices();
        samples.extend_from_slice(&front[..spoken.min(front.len())]);
        samples.extend_from_slice(&back[..spoken.saturating_sub(front.len())]);
        playing.queue.drain(..spoken);
        let from = playing.sent;
        let first = from == 0;
        playing.sent += spoken as u64;
        playing.timeline.sent(at, from, spoken as u64, rate_hz);
        let (voice, position) = (playing.voice(), playing.sent);
        let id = voice.utterance;
        let mark = marks && position - playing.marked >= mark_samples;
        if mark {
            playing.marked = position;
            playing.out.push_back((position, at + chunk));
        }
        if !silent {
            let joints = playing.joints(from, spoken);
            self.keep(&samples);
            self.sound.voice(&mut samples, joints.into_iter());
            samples.resize(chunk_samples, 0); // the end of a sentence rarely fills its chunk
            if torn {
                self.sound.conceal(&mut samples[spoken..]);
            } else if spoken < chunk_samples {
                self.sound.silence(&mut samples[spoken..]);
            }
            self.sound.bed(&mut samples);
            self.echo.played(at, chunk, &samples);
            out.push(PlayoutAction::Audio { voice, samples, late });
        }
        if first && spoken > 0 {
            out.push(PlayoutAction::FirstAudio(id));
        }
        if mark {
            out.push(PlayoutAction::Mark(marks::name(self.epoch, id, position)));
        }
    }

    /// All audio is sent: the last mark, and a limit for its return.
    fn end_of_audio(&mut self, now: Instant, out: &mut Vec<PlayoutAction>) {
        let (epoch, marks, way, chunk, clock) = (self.epoch, self.marks, self.way, self.chunk, self.clock);
        let Some(playing) = &mut self.playing else { return };
        if self.silent {
            playing.final_mark = Some(now);
            return;
        }
        let heard_at = clock.map_or(now, |clock| clock.end(chunk).max(now));
        if !marks || playing.sent == 0 {
            playing.final_mark = Some(if playing.sent == 0 { now } else { heard_at + way });
            return;
        }
        playing.final_mark = Some(heard_at + MARK_GRACE);
        if playing.marked < playing.sent {
            playing.marked = playing.sent;
            playing.out.push_back((playing.sent, heard_at));
            out.push(PlayoutAction::Mark(marks::name(epoch, playing.id, playing.sent)));
        } else if playing.acknowledged.is_some_and(|mark| mark.position == playing.sent) {
            playing.final_mark = Some(now); // the last mark is back already
        }
    }
}

impl Playing {
    pub(super) fn voice(&self) -> Voice {
        Voice { utterance: self.id, resumed: self.resumed }
    }

    /// No more audio will come and none is left.
    fn is_over(&self) -> bool {
        self.queue.is_empty()
            && self.expected.is_some_and(|expected| {
                self.sentences.iter().filter(|sentence| sentence.complete).count() >= expected as usize
            })
    }

    /// Where within `samples` from position `from` on a sentence begins that another goes before: two takes meet there.
    fn joints(&self, from: u64, samples: usize) -> Vec<usize> {
        let mut begin = 0;
        let mut joints = Vec::new();
        for sentence in &self.sentences {
            if begin > 0 && begin >= from && begin < from + samples as u64 {
                joints.push((begin - from) as usize);
            }
            begin += sentence.samples;
        }
        joints
    }
}
