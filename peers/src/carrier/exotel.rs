//! Exotel's side of AgentStream (the bidirectional Voicebot applet): what Exotel sends, what it plays, and what it forbids.
//!
//! Place: between a caller and the switch, as [`twilio`](super::twilio) is. The driver hands it the switch's messages and the time; it
//! answers with messages for the switch and with the audio that the caller hears.
//!
//! ```text
//!  caller ──20 ms──► 100 ms ──text──► switch        8 kHz ──► the stream's rate
//!  caller ◄─20 ms── played ◄── queue ◄── receive ◄──text── switch        the stream's rate ──► 8 kHz
//!                                 └── mark ──text──► switch
//! ```
//!
//! Stricter than Exotel on purpose: where Exotel plays gaps (a message below 3,200 bytes, or off a multiple of 320), times out (above
//! 100,000) or hangs up later (a second and more ahead of real time), this model breaks the call at once. Where Exotel's pages disagree, or
//! do not say, [`Habits`] plays either: spellings, and marks that a `clear` overtakes.
//!
//! Not here: the applet's HTTP endpoint, Passthru, REST. Source: Exotel's AgentStream and Voicebot articles and its sample code.

mod wire;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tandem_codecs::{Resampler, SampleRate, l16};

use super::playback::Playback;
use super::{FRAME, FRAME_SAMPLES, HeardFrame, MediaPeer, PlaybackStatistics};
pub use wire::Violation;
use wire::{FromSwitch, Order, Wire};

/// Frames of the caller in one media message: 100 ms.
const FRAMES_PER_MESSAGE: usize = 5;
/// How far the switch may run ahead of what is played.
const MAX_LEAD: Duration = Duration::from_secs(1);
/// What was under way when we sent `stop` is not held against the switch.
const CROSSING: Duration = Duration::from_millis(500);

/// Exotel's names for one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExotelIds {
    /// The account's name.
    pub account_sid: String,
    /// 32 hexadecimal digits.
    pub call_sid: String,
    /// 32 hexadecimal digits.
    pub stream_sid: String,
}

impl ExotelIds {
    /// The ids of call `number`. Equal numbers give equal ids.
    pub fn numbered(number: u128) -> Self {
        Self {
            account_sid: "acme1".to_owned(),
            call_sid: format!("{number:032x}"),
            stream_sid: format!("{:032x}", number ^ u128::MAX),
        }
    }
}

/// How counts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counts {
    /// As strings: the newer reference.
    #[default]
    Strings,
    /// As numbers: the older one.
    Numbers,
}

/// How keys are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keys {
    /// `stream_sid`.
    #[default]
    Snake,
    /// `streamSid`: Exotel's sample code.
    Camel,
}

/// What becomes of the marks that a `clear` overtakes; Exotel does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MarksOnClear {
    /// They come back at once.
    #[default]
    Returned,
    /// They never come back.
    Dropped,
}

/// What differs between streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// Sample rate both ways: 8, 16 or 24 kHz.
    pub rate: SampleRate,
    /// Whether `start` names the rate; if not, only the URL's query does.
    pub start_names_rate: bool,
    /// How counts are written.
    pub counts: Counts,
    /// How keys are written.
    pub keys: Keys,
    /// Marks that a `clear` overtakes.
    pub marks_on_clear: MarksOnClear,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            rate: SampleRate::HZ_8000,
            start_names_rate: true,
            counts: Counts::default(),
            keys: Keys::default(),
            marks_on_clear: MarksOnClear::default(),
        }
    }
}

impl Habits {
    /// The habits of the newer reference, at this rate.
    pub fn at(rate: SampleRate) -> Self {
        Self { rate, ..Self::default() }
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

/// One Exotel call on a media socket.
#[derive(Debug)]
pub struct ExotelPeer {
    ids: ExotelIds,
    habits: Habits,
    custom_parameters: BTreeMap<String, String>,
    phase: Phase,
    wire: Wire,
    order: Order,
    playback: Playback,
    /// From the stream's rate to the caller's telephone.
    to_caller: Resampler,
    from_caller: Resampler,
    /// Caller audio at the stream's rate that fills no message yet.
    spoken: Vec<i16>,
    frames: u32,
    chunks: u64,
}

impl ExotelPeer {
    /// A call that has not begun. `custom_parameters` is what the socket's URL had in its query.
    pub fn new(ids: ExotelIds, habits: Habits, custom_parameters: BTreeMap<String, String>) -> Self {
        let telephone = SampleRate::HZ_8000;
        Self {
            wire: Wire::new(habits, &ids.stream_sid),
            ids,
            habits,
            custom_parameters,
            phase: Phase::Idle,
            order: Order::default(),
            playback: Playback::default(),
            to_caller: Resampler::new(habits.rate, telephone),
            from_caller: Resampler::new(telephone, habits.rate),
            spoken: Vec::new(),
            frames: 0,
            chunks: 0,
        }
    }

    /// The call's names.
    pub fn ids(&self) -> &ExotelIds {
        &self.ids
    }

    fn queue(&mut self, now: Instant, payload: &str) -> Result<(), Violation> {
        let bytes = wire::audio(payload)?;
        let mut samples = Vec::with_capacity(bytes.len() / 2);
        l16::decode_le(&bytes, &mut samples).expect("a multiple of 320 bytes is whole samples");
        let mut heard = Vec::new();
        self.to_caller.process(&samples, &mut heard);
        self.playback.queue(now, &heard);
        // A frame of grace: what plays is counted frame by frame.
        match self.playback.waiting() {
            ahead if ahead > MAX_LEAD + FRAME => Err(Violation::TooFarAhead { ahead }),
            _ => Ok(()),
        }
    }

    fn clear(&mut self) -> Vec<String> {
        self.to_caller.reset();
        let marks = self.playback.clear();
        match self.habits.marks_on_clear {
            MarksOnClear::Returned => marks,
            MarksOnClear::Dropped => Vec::new(),
        }
    }

    fn return_marks(&mut self, names: Vec<String>) -> Vec<String> {
        names.into_iter().map(|name| self.wire.mark(&name)).collect()
    }
}

impl MediaPeer for ExotelPeer {
    fn call_sid(&self) -> &str {
        &self.ids.call_sid
    }

    /// The rate is asked for in the query of the socket's URL.
    fn query(&self) -> Option<String> {
        (self.habits.rate != SampleRate::HZ_8000).then(|| format!("sample-rate={}", self.habits.rate.hz()))
    }

    /// `connected`, then `start`. Empty if it has begun already.
    fn open(&mut self, now: Instant) -> Vec<String> {
        let Phase::Idle = self.phase else { return Vec::new() };
        self.phase = Phase::Streaming;
        self.playback.start(now);
        vec![wire::connected(), self.wire.start(&self.ids, &self.custom_parameters)]
    }

    /// A message goes out with every fifth frame. Its timestamp is that of its first sample, by count and not by clock.
    fn caller_audio(&mut self, samples: &[i16; FRAME_SAMPLES]) -> Option<String> {
        self.from_caller.process(samples, &mut self.spoken);
        self.frames += 1;
        if !(self.frames as usize).is_multiple_of(FRAMES_PER_MESSAGE) {
            return None;
        }
        let timestamp = FRAME * FRAMES_PER_MESSAGE as u32 * u32::try_from(self.chunks).unwrap_or(u32::MAX);
        self.chunks += 1;
        let mut bytes = Vec::with_capacity(self.spoken.len() * 2);
        l16::encode_le(&self.spoken, &mut bytes);
        self.spoken.clear();
        Some(self.wire.media(self.chunks, timestamp, &STANDARD.encode(bytes)))
    }

    fn dtmf(&mut self, digit: char) -> String {
        self.wire.dtmf(digit)
    }

    fn stop(&mut self, now: Instant) -> String {
        self.playback.stop(now);
        self.phase = Phase::Stopped { at: now };
        self.wire.stop(&self.ids, "callended")
    }

    fn receive(&mut self, now: Instant, text: &str) -> Result<Vec<String>, super::Violation> {
        let message = FromSwitch::parse(text)?;
        match self.phase {
            Phase::Idle => return Err(Violation::BeforeStart.into()),
            Phase::Streaming => {}
            Phase::Stopped { at } if now.saturating_duration_since(at) <= CROSSING => return Ok(Vec::new()),
            Phase::Stopped { .. } => return Err(Violation::AfterStop.into()),
        }
        message.is_about(&self.ids.stream_sid)?;
        self.order.check(&message)?;
        let mut marks = self.playback.advance(now);
        match message.event {
            wire::Event::Media { payload, .. } => self.queue(now, &payload)?,
            wire::Event::Mark { name } => marks.extend(self.playback.mark(name)),
            wire::Event::Clear => marks.extend(self.clear()),
        }
        Ok(self.return_marks(marks))
    }

    fn receive_binary(&mut self, bytes: usize) -> super::Violation {
        Violation::Binary { bytes }.into()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Streaming => self.playback.next_frame(),
            Phase::Idle | Phase::Stopped { .. } => None,
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Vec<String> {
        let marks = self.playback.advance(now);
        self.return_marks(marks)
    }

    fn played(&mut self, now: Instant) -> Vec<HeardFrame> {
        self.playback.take_frames(now)
    }

    fn statistics(&self) -> PlaybackStatistics {
        self.playback.statistics()
    }

    fn sent(&self) -> Duration {
        FRAME * FRAMES_PER_MESSAGE as u32 * u32::try_from(self.chunks).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
