//! Twilio's side of Media Streams: what Twilio sends, what it plays, and what it forbids.
//!
//! Place: between a caller and the switch. The driver (`simulate`, or a test with a made-up clock) hands it the switch's
//! messages and the time; it answers with messages for the switch and with the audio that the caller hears.
//!
//! ```text
//!  caller ──frame──► caller_audio ──text──► switch
//!  caller ◄──frame── played ◄── queue, 20 ms clock ◄── receive ◄──text── switch
//!                                 └── mark ──text──► switch
//! ```
//!
//! Stricter than Twilio on purpose: where Twilio logs a warning and goes on (31931, 31950, 31951), this model breaks the
//! call, so that no test passes over a message that a carrier would refuse.
//!
//! Only `<Connect><Stream>` with its one inbound track is played. Not here: TwiML, REST, the handshake's signature.
//! Source: Twilio documentation, Media Streams, WebSocket messages.

mod wire;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tandem_codecs::{SampleRate, g711};

use super::MediaPeer;
use super::playback::Playback;
pub use super::{FRAME, FRAME_SAMPLES, HeardFrame, PlaybackStatistics};
pub use wire::Violation;

/// Twilio keeps about ten minutes (warning 31931).
const CAPACITY: Duration = Duration::from_secs(10 * 60);

/// What was under way when we sent `stop` is not held against the switch.
const CROSSING: Duration = Duration::from_millis(500);

/// Twilio's names for one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwilioIds {
    /// `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// `CA` and 32 hexadecimal digits.
    pub call_sid: String,
    /// `MZ` and 32 hexadecimal digits.
    pub stream_sid: String,
}

impl TwilioIds {
    /// The ids of call `number`, all in Twilio's spelling. Equal numbers give equal ids.
    pub fn numbered(number: u128) -> Self {
        Self {
            account_sid: format!("AC{:032x}", 0x7a6e_de11_u32),
            call_sid: format!("CA{number:032x}"),
            stream_sid: format!("MZ{:032x}", number ^ u128::MAX),
        }
    }
}

/// Where the stream stands.
#[derive(Debug)]
enum Phase {
    /// `open` was not called.
    Idle,
    /// Media flows both ways.
    Streaming,
    /// `stop` was sent.
    Stopped { at: Instant },
}

/// One Twilio call on a media socket.
#[derive(Debug)]
pub struct TwilioPeer {
    ids: TwilioIds,
    custom_parameters: BTreeMap<String, String>,
    phase: Phase,
    sequence: u64,
    chunk: u64,
    playback: Playback,
}

impl TwilioPeer {
    /// A call that has not begun. `custom_parameters` is what the answer document's `<Parameter>` elements held.
    pub fn new(ids: TwilioIds, custom_parameters: BTreeMap<String, String>) -> Self {
        Self { ids, custom_parameters, phase: Phase::Idle, sequence: 0, chunk: 0, playback: Playback::default() }
    }

    /// The call's names.
    pub fn ids(&self) -> &TwilioIds {
        &self.ids
    }

    /// Begins the stream: `connected`, then `start`. The 20 ms playback clock runs from `now`. Empty if it has begun already.
    pub fn open(&mut self, now: Instant) -> Vec<String> {
        match self.phase {
            Phase::Idle => {}
            Phase::Streaming | Phase::Stopped { .. } => return Vec::new(),
        }
        self.phase = Phase::Streaming;
        self.playback.start(now);
        let sequence = self.next_sequence();
        vec![wire::connected(), wire::start(&sequence, &self.ids, &self.custom_parameters)]
    }

    /// The caller's next 20 ms: 160 samples at 8 kHz, sent as one `media` message.
    ///
    /// Chunk n carries the timestamp 20 n ms, by count and not by clock, as media time is.
    pub fn caller_audio(&mut self, samples: &[i16; FRAME_SAMPLES]) -> String {
        self.chunk += 1;
        let mut payload = Vec::with_capacity(FRAME_SAMPLES);
        g711::encode_ulaw(samples, &mut payload);
        let timestamp_ms = self.chunk * FRAME.as_millis() as u64;
        let sequence = self.next_sequence();
        wire::media(&sequence, &self.ids.stream_sid, self.chunk, timestamp_ms, &STANDARD.encode(payload))
    }

    /// The caller presses a key.
    pub fn dtmf(&mut self, digit: char) -> String {
        let sequence = self.next_sequence();
        wire::dtmf(&sequence, &self.ids.stream_sid, digit)
    }

    /// The caller hangs up: the last message. Nothing is played any more.
    pub fn stop(&mut self, now: Instant) -> String {
        self.playback.stop(now);
        self.phase = Phase::Stopped { at: now };
        let sequence = self.next_sequence();
        wire::stop(&sequence, &self.ids)
    }

    /// Takes a text message of the switch; returns the messages that answer it at once: marks that an empty queue or a
    /// `clear` sends back.
    pub fn receive(&mut self, now: Instant, text: &str) -> Result<Vec<String>, Violation> {
        let message = wire::FromSwitch::parse(text)?;
        match self.phase {
            Phase::Idle => return Err(Violation::BeforeStart),
            Phase::Streaming => {}
            Phase::Stopped { at } if now.saturating_duration_since(at) <= CROSSING => return Ok(Vec::new()),
            Phase::Stopped { .. } => return Err(Violation::AfterStop),
        }
        if message.stream_sid() != self.ids.stream_sid {
            return Err(Violation::WrongStream { stream_sid: message.stream_sid().to_owned() });
        }
        let mut marks = self.playback.advance(now);
        match message {
            wire::FromSwitch::Media { payload, .. } => self.queue(now, &wire::audio(&payload)?)?,
            wire::FromSwitch::Mark { name, .. } => marks.extend(self.playback.mark(name)),
            wire::FromSwitch::Clear { .. } => marks.extend(self.playback.clear()),
        }
        Ok(self.return_marks(marks))
    }

    /// A binary frame: forbidden whatever it holds.
    pub fn receive_binary(&mut self, bytes: usize) -> Violation {
        Violation::Binary { bytes }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); `None` while nothing is played.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Streaming => self.playback.next_frame(),
            Phase::Idle | Phase::Stopped { .. } => None,
        }
    }

    /// Plays up to `now`; returns the marks that are due, as messages for the switch. May be called early and often.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<String> {
        let marks = self.playback.advance(now);
        self.return_marks(marks)
    }

    /// The frames that began since the last call, each 20 ms, without a gap: silence where the queue is empty.
    ///
    /// Marks that fall due on the way are kept for the next [`handle_timeout`](Self::handle_timeout).
    pub fn played(&mut self, now: Instant) -> Vec<HeardFrame> {
        self.playback.take_frames(now)
    }

    /// What the listener could complain about.
    pub fn statistics(&self) -> PlaybackStatistics {
        self.playback.statistics()
    }

    /// Caller audio sent so far.
    pub fn sent(&self) -> Duration {
        FRAME * u32::try_from(self.chunk).unwrap_or(u32::MAX)
    }

    fn queue(&mut self, now: Instant, ulaw: &[u8]) -> Result<(), Violation> {
        let mut samples = Vec::with_capacity(ulaw.len());
        g711::decode_ulaw(ulaw, &mut samples);
        let queued = self.playback.waiting() + SampleRate::HZ_8000.duration_of(samples.len() as u64);
        if queued > CAPACITY {
            return Err(Violation::Overflow { queued });
        }
        self.playback.queue(now, &samples);
        Ok(())
    }

    fn return_marks(&mut self, names: Vec<String>) -> Vec<String> {
        names
            .into_iter()
            .map(|name| {
                let sequence = self.next_sequence();
                wire::mark(&sequence, &self.ids.stream_sid, &name)
            })
            .collect()
    }

    fn next_sequence(&mut self) -> String {
        self.sequence += 1;
        self.sequence.to_string()
    }
}

impl MediaPeer for TwilioPeer {
    fn call_sid(&self) -> &str {
        &self.ids.call_sid
    }

    /// Twilio forwards no query.
    fn query(&self) -> Option<String> {
        None
    }

    fn open(&mut self, now: Instant) -> Vec<String> {
        self.open(now)
    }

    fn caller_audio(&mut self, samples: &[i16; FRAME_SAMPLES]) -> Option<String> {
        Some(self.caller_audio(samples))
    }

    fn dtmf(&mut self, digit: char) -> String {
        self.dtmf(digit)
    }

    fn stop(&mut self, now: Instant) -> String {
        self.stop(now)
    }

    fn receive(&mut self, now: Instant, text: &str) -> Result<Vec<String>, super::Violation> {
        Ok(self.receive(now, text)?)
    }

    fn receive_binary(&mut self, bytes: usize) -> super::Violation {
        self.receive_binary(bytes).into()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Instant) -> Vec<String> {
        self.handle_timeout(now)
    }

    fn played(&mut self, now: Instant) -> Vec<HeardFrame> {
        self.played(now)
    }

    fn statistics(&self) -> PlaybackStatistics {
        self.statistics()
    }

    fn sent(&self) -> Duration {
        self.sent()
    }
}

#[cfg(test)]
mod tests;
