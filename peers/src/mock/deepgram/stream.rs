//! One stream: audio and messages in, answers out, each at its time. Sans-IO: told the time.
//!
//! ```text
//! audio ──► words (watermark) ──┐
//!       └─► level, 20 ms ───────┴─► interim: a new word, or a second later
//!                                   final:   `endpointing` of silence (speech_final) │ Finalize (from_finalize) │ 5 s of talk │ CloseStream
//! ```
//!
//! One utterance is one request of the [`Behaviour`]: its fate is drawn at its first sound, its delay is that of its final. A stream that has
//! fallen silent stays so, and stays open: half-open connections do not come back.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;
use tandem_codecs::level::Level;
use tokio::time::Instant;

use super::audio::{Decoder, NoAudio};
use super::message::{self, Flags};
use super::query::Listen;
use crate::mock::{Behaviour, Fate};
use crate::vendor::Fault;
use crate::voice::{Heard, Listener, RATE_HZ};

/// Without anything from the client.
const IDLE: Duration = Duration::from_secs(10);
const IDLE_REASON: &str =
    "Deepgram did not receive audio data or a text message within the timeout window. See https://dpgr.am/net0001";
/// With keep-alives alone, and never any audio.
const NEVER_AUDIO: Duration = Duration::from_secs(15);
const NEVER_AUDIO_REASON: &str =
    "Deepgram did not provide a response message within the timeout window. See https://dpgr.am/net0000";
const DATA_REASON: &str = "The payload cannot be decoded as audio. See https://dpgr.am/data0000";
/// Key terms of a `Configure`; their real limit counts tokens.
const MAX_KEYTERMS: usize = 100;
/// A stretch that is settled without a pause.
const LONG: u64 = 5 * RATE_HZ as u64;
/// A word may be under way for so long.
const LONGEST_WORD: u64 = 3 * RATE_HZ as u64;
/// Without a new word an interim comes that often.
const INTERIM_EVERY: u64 = RATE_HZ as u64;
/// What the endpointer looks at.
const BLOCK: usize = RATE_HZ as usize / 50;
const BLOCK_TIME: Duration = Duration::from_millis(20);
/// Above this a block is sound.
const SOUND_DBFS: f32 = -45.0;
/// Messages of a vendor that lost its mind.
const GARBAGE: usize = 30;

/// What goes to the client.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Text(String),
    Binary(Vec<u8>),
    /// With a code and a reason.
    Close(u16, &'static str),
    /// The connection goes without a word.
    Drop,
}

/// One client's stream.
pub(super) struct Stream {
    listen: Listen,
    behaviour: Behaviour,
    request_id: String,
    decoder: Decoder,
    listener: Listener,
    /// Words that no final has told, in order.
    open: Vec<Heard>,
    /// Words that end by here were told in a final.
    told_to: u64,
    /// Beginning of the stretch that is not settled.
    from: u64,
    /// Position of the last interim.
    interim_at: u64,
    /// Sound since the last final.
    spoke: bool,
    quiet: Duration,
    /// Samples that are no whole block yet.
    block: Vec<i16>,
    /// End of the last word that `UtteranceEnd` has not told.
    word_end: Option<u64>,
    /// Of the utterance that is under way.
    fate: Option<Fate>,
    /// Nothing is said any more.
    mute: bool,
    answers: VecDeque<(Instant, Answer)>,
    last_message: Instant,
    opened: Instant,
    heard_audio: bool,
    /// The end is queued.
    closing: bool,
}

impl Stream {
    pub(super) fn new(now: Instant, listen: Listen, behaviour: Behaviour, request_id: String) -> Self {
        Self {
            decoder: Decoder::new(&listen),
            listen,
            behaviour,
            request_id,
            listener: Listener::new(),
            open: Vec::new(),
            told_to: 0,
            from: 0,
            interim_at: 0,
            spoke: false,
            quiet: Duration::ZERO,
            block: Vec::new(),
            word_end: None,
            fate: None,
            mute: false,
            answers: VecDeque::new(),
            last_message: now,
            opened: now,
            heard_audio: false,
            closing: false,
        }
    }

    /// A binary message.
    pub(super) fn audio(&mut self, now: Instant, bytes: &[u8]) {
        self.last_message = now;
        if bytes.is_empty() {
            return self.close(now); // once the way to say so
        }
        self.heard_audio = true;
        match self.decoder.decode(bytes) {
            Ok(samples) => self.hear(now, &samples),
            Err(NoAudio) => self.answer(now, Answer::Close(1008, DATA_REASON)),
        }
    }

    /// A text message.
    pub(super) fn text(&mut self, now: Instant, text: &str) {
        self.last_message = now;
        let message: Value = serde_json::from_str(text).unwrap_or_default();
        match message["type"].as_str() {
            Some("KeepAlive") => {}
            Some("Finalize") => {
                // "may not come at all when nothing was buffered"
                if self.spoke || !self.open.is_empty() {
                    self.settle(now, Flags { from_finalize: true, ..Flags::default() });
                }
            }
            Some("CloseStream") => self.close(now),
            Some("Configure") => self.configure(now, &message),
            Some(other) => self.answer(now, Answer::Text(message::schema_error(&format!("unknown type {other}")))),
            None => self.answer(now, Answer::Text(message::schema_error("no type"))),
        }
    }

    /// When to call [`Self::handle_timeout`], or [`Self::poll`] again.
    pub(super) fn poll_timeout(&self) -> Instant {
        let idle = self.last_message + IDLE;
        let idle = if self.heard_audio { idle } else { idle.min(self.opened + NEVER_AUDIO) };
        self.answers.front().map_or(idle, |(due, _)| idle.min(*due))
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.closing {
            return;
        }
        if now >= self.last_message + IDLE {
            self.answer(now, Answer::Close(1011, IDLE_REASON));
        } else if !self.heard_audio && now >= self.opened + NEVER_AUDIO {
            self.answer(now, Answer::Close(1011, NEVER_AUDIO_REASON));
        }
    }

    /// The next answer whose time has come.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Answer> {
        if self.fate.is_some_and(|fate| fate.fault == Some(Fault::Endless)) && !self.open.is_empty() {
            return Some(Answer::Text(self.results(self.listener.position(), &self.open, Flags::default())));
        }
        let due = self.answers.front().is_some_and(|(due, _)| *due <= now);
        if due { self.answers.pop_front().map(|(_, answer)| answer) } else { None }
    }

    fn hear(&mut self, now: Instant, samples: &[i16]) {
        self.block.extend_from_slice(samples);
        let mut blocks = std::mem::take(&mut self.block);
        let rest = blocks.split_off(blocks.len() / BLOCK * BLOCK);
        self.block = rest;
        for block in blocks.chunks_exact(BLOCK) {
            if !self.closing {
                self.hear_block(now, block);
            }
        }
    }

    fn hear_block(&mut self, now: Instant, block: &[i16]) {
        let told_to = self.told_to;
        let fresh: Vec<Heard> = self.listener.push(block).into_iter().filter(|word| word.end > told_to).collect();
        if Level::of(block).rms_dbfs > SOUND_DBFS {
            if !self.spoke && self.listen.vad_events {
                let at = self.listener.position() - BLOCK as u64;
                self.answer(now, Answer::Text(message::speech_started(at)));
            }
            (self.spoke, self.quiet) = (true, Duration::ZERO);
            let fate = *self.fate.get_or_insert_with(|| self.behaviour.next());
            self.mute |= fate.fault == Some(Fault::Silent);
        } else {
            self.quiet += BLOCK_TIME;
        }
        if let Some(last) = fresh.last() {
            self.word_end = Some(last.end);
            if self.fate.is_some_and(|fate| fate.fault == Some(Fault::DropMidway)) {
                self.closing = true;
                return self.answer(now, Answer::Drop);
            }
        }
        let position = self.listener.position();
        let new_words = !fresh.is_empty();
        self.open.extend(fresh);
        if self.spoke && self.listen.endpointing.is_some_and(|silence| self.quiet >= silence) {
            self.settle(now, Flags { speech_final: true, ..Flags::default() });
        } else if position >= self.from + LONG {
            self.settle_long(now);
        } else if self.listen.interim_results && (new_words || position >= self.interim_at + INTERIM_EVERY) {
            self.interim_at = position;
            let text = self.results(position, &self.open, Flags::default());
            self.answer(now, Answer::Text(text));
        }
        self.end_utterance(now, position);
    }

    /// `UtteranceEnd`, a while after the last word, whatever the noise.
    fn end_utterance(&mut self, now: Instant, position: u64) {
        let Some((gap, end)) = self.listen.utterance_end.zip(self.word_end) else { return };
        if message::seconds(position - end) >= gap.as_secs_f64() {
            self.word_end = None;
            self.answer(now, Answer::Text(message::utterance_end(end)));
        }
    }

    /// Settles a long stretch without a pause: up to the last whole word.
    fn settle_long(&mut self, now: Instant) {
        let position = self.listener.position();
        let to = match self.open.last() {
            Some(last) => last.end,
            None if self.spoke => position - LONGEST_WORD,
            None => position,
        };
        let words = std::mem::take(&mut self.open);
        let text = self.results(to, &words, Flags { is_final: true, ..Flags::default() });
        self.answer(now, Answer::Text(text));
        (self.from, self.told_to, self.interim_at) = (to, to, position);
    }

    /// Settles all that was heard.
    fn settle(&mut self, now: Instant, flags: Flags) {
        let told_to = self.told_to;
        let position = self.listener.position();
        // A word in the decoder's delay line was sent; so it counts.
        let ending =
            self.listener.clone().finish().into_iter().filter(|word| word.end > told_to && word.end <= position);
        let mut words = std::mem::take(&mut self.open);
        words.extend(ending);
        let fate = self.fate.take().unwrap_or_else(|| self.behaviour.next());
        let due = now + fate.delay;
        let text = self.results(position, &words, Flags { is_final: true, ..flags });
        match fate.fault {
            None | Some(Fault::Slow(_)) => self.answer(due, Answer::Text(text)),
            Some(Fault::Silent) => self.mute = true,
            Some(Fault::Error) => self.answer(due, Answer::Close(1011, "Internal server error.")),
            Some(Fault::Drop | Fault::DropMidway) => self.answer(due, Answer::Drop),
            Some(Fault::Garbage) => {
                for index in 0..GARBAGE {
                    let torn = text[..text.floor_char_boundary(text.len() / 2 + index)].to_owned();
                    self.answer(
                        due,
                        if index % 3 == 0 { Answer::Binary(torn.into_bytes()) } else { Answer::Text(torn) },
                    );
                }
            }
            Some(Fault::Endless) => {
                self.fate = Some(fate);
                self.open = words;
                return;
            }
        }
        (self.from, self.told_to, self.interim_at) = (position, position, position);
        (self.spoke, self.quiet) = (false, Duration::ZERO);
    }

    fn close(&mut self, now: Instant) {
        if self.closing {
            return;
        }
        self.closing = true;
        if self.spoke || !self.open.is_empty() {
            self.settle(now, Flags::default());
        }
        let position = self.listener.position();
        self.answer(now, Answer::Text(message::metadata(&self.listen, &self.request_id, position)));
        self.answer(now, Answer::Close(1000, ""));
    }

    fn configure(&mut self, now: Instant, message: &Value) {
        let refused = |code, description| Answer::Text(message::not_configured(&self.request_id, code, description));
        let keyterms: Option<Vec<String>> = message["keyterms"]
            .as_array()
            .map(|terms| terms.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        let answer = match keyterms {
            Some(_) if !self.listen.model.starts_with("nova-3") => {
                refused("CONFIGURE_KEYTERMS_NOT_SUPPORTED", "Keyterm prompting is only available for Nova-3.")
            }
            Some(terms) if terms.len() > MAX_KEYTERMS => {
                refused("CONFIGURE_KEYTERM_LIMIT_EXCEEDED", "Too many keyterms.")
            }
            Some(terms) => {
                self.listen.keyterms = terms;
                Answer::Text(message::configured(&self.request_id, &self.listen.keyterms))
            }
            None => Answer::Text(message::configured(&self.request_id, &self.listen.keyterms)),
        };
        self.answer(now, answer);
    }

    fn results(&self, to: u64, words: &[Heard], flags: Flags) -> String {
        message::results(&self.listen, &self.request_id, self.from, to, words, flags)
    }

    /// Answers keep their order, whatever their delay.
    fn answer(&mut self, due: Instant, answer: Answer) {
        if self.mute {
            return;
        }
        let due = self.answers.back().map_or(due, |(last, _)| due.max(*last));
        self.answers.push_back((due, answer));
    }
}

#[cfg(test)]
mod tests;
