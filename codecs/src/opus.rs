//! Opus on a wire: speech at any rate of its own from 8 to 48 kHz, with the losses of the way covered.
//!
//! Place: WebRTC and wideband SIP legs; the feature `opus`, which links the system's libopus. Mono only. Not here: files ([`crate::ogg_opus`]),
//! SDP's parameters, which rates a far end takes.
//!
//! A lost packet has two remedies, and the second is better: [`Decoder::conceal`] carries the sound on; [`Decoder::recover`] reads the copy of
//! the lost frame, of lower quality, that the packet *after* it carries when the sender was told to expect loss
//! ([`Settings::expected_loss_percent`]). A jitter buffer usually has that packet already.

use std::time::Duration;

use audiopus::coder::{self, GenericCtl};
use audiopus::{Application, Bitrate, Channels, SampleRate as OpusRate, Signal};

use crate::frame::SampleRate;

/// A packet of up to 60 ms in one frame is never larger (RFC 6716 section 3.4).
const MOST_PACKET_BYTES: usize = 1_276;
/// Longest packet (RFC 6716 section 2.1.4).
const LONGEST: Duration = Duration::from_millis(120);

/// Why a stream could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum OpusError {
    /// A rate that Opus does not have.
    #[error("opus has no {rate}; resample to 8, 12, 16, 24 or 48 kHz")]
    Rate {
        /// The rate asked for.
        rate: SampleRate,
    },
    /// A frame of a length that Opus does not have.
    #[error("opus has no frame of {samples} samples at {rate}; hand in 2.5, 5, 10, 20, 40 or 60 ms")]
    FrameLength {
        /// Samples in the frame.
        samples: usize,
        /// Samples a second.
        rate: SampleRate,
    },
    /// The library refused: a broken packet, in most cases.
    #[error("opus codec")]
    Codec(#[from] audiopus::Error),
}

/// How a stream is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bits a second, 6,000 to 510,000.
    pub bitrate: i32,
    /// Effort, 0 to 10. From 3 to 5 is right for speech: the default of the library, 9, costs three times as much for nothing one hears.
    pub complexity: u8,
    /// Packets that are lost on the way, 0 to 100. Above 0 each packet carries a copy of the one before it.
    pub expected_loss_percent: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bitrate: 24_000, complexity: 4, expected_loss_percent: 5 }
    }
}

/// Writes one stream.
pub struct Encoder {
    inner: coder::Encoder,
    rate: SampleRate,
}

impl Encoder {
    /// For audio of this rate.
    pub fn new(rate: SampleRate, settings: Settings) -> Result<Self, OpusError> {
        let mut inner = coder::Encoder::new(opus_rate(rate)?, Channels::Mono, Application::Voip)?;
        inner.set_bitrate(Bitrate::BitsPerSecond(settings.bitrate))?;
        inner.set_complexity(settings.complexity)?;
        inner.set_signal(Signal::Voice)?;
        inner.set_inband_fec(settings.expected_loss_percent > 0)?;
        inner.set_packet_loss_perc(settings.expected_loss_percent)?;
        Ok(Self { inner, rate })
    }

    /// Appends to `out` the packet of one frame of 2.5, 5, 10, 20, 40 or 60 ms.
    pub fn encode(&mut self, frame: &[i16], out: &mut Vec<u8>) -> Result<(), OpusError> {
        let lengths = [2_500, 5_000, 10_000, 20_000, 40_000, 60_000].map(Duration::from_micros);
        if !lengths.iter().any(|length| self.rate.samples_in(*length) == frame.len()) {
            return Err(OpusError::FrameLength { samples: frame.len(), rate: self.rate });
        }
        let start = out.len();
        out.resize(start + MOST_PACKET_BYTES, 0);
        let written = self.inner.encode(frame, &mut out[start..]);
        out.truncate(start + *written.as_ref().unwrap_or(&0));
        written?;
        Ok(())
    }

    /// What the encoder holds back, in samples: so much later the decoder gives a sound that went in.
    pub fn delay(&self) -> Result<usize, OpusError> {
        Ok(self.inner.lookahead()? as usize)
    }
}

/// Reads one stream.
pub struct Decoder {
    inner: coder::Decoder,
    rate: SampleRate,
}

impl Decoder {
    /// That gives audio of this rate, whatever the sender's was.
    pub fn new(rate: SampleRate) -> Result<Self, OpusError> {
        Ok(Self { inner: coder::Decoder::new(opus_rate(rate)?, Channels::Mono)?, rate })
    }

    /// Appends to `out` the samples of a packet. A broken packet is an error and leaves `out` as it was.
    pub fn decode(&mut self, packet: &[u8], out: &mut Vec<i16>) -> Result<(), OpusError> {
        self.give(Some(packet), self.rate.samples_in(LONGEST), false, out)
    }

    /// Appends `samples` in place of a lost packet, from what came before. A multiple of 2.5 ms.
    pub fn conceal(&mut self, samples: usize, out: &mut Vec<i16>) -> Result<(), OpusError> {
        self.give(None, samples, false, out)
    }

    /// Appends `samples` in place of a lost packet, from the copy in the packet `after` it; where that has none, as [`conceal`](Self::conceal).
    /// `after` itself is then decoded as ever.
    pub fn recover(&mut self, after: &[u8], samples: usize, out: &mut Vec<i16>) -> Result<(), OpusError> {
        self.give(Some(after), samples, true, out)
    }

    fn give(&mut self, packet: Option<&[u8]>, most: usize, recover: bool, out: &mut Vec<i16>) -> Result<(), OpusError> {
        let start = out.len();
        let packet = packet.map(TryInto::try_into).transpose()?;
        out.resize(start + most.min(self.rate.samples_in(LONGEST)), 0);
        let room = out.get_mut(start..).unwrap_or_default();
        let given = room.try_into().and_then(|room| self.inner.decode(packet, room, recover));
        out.truncate(start + *given.as_ref().unwrap_or(&0));
        given?;
        Ok(())
    }

    /// Forgets the stream: the next packet is the first of another.
    pub fn reset(&mut self) -> Result<(), OpusError> {
        Ok(self.inner.reset_state()?)
    }
}

fn opus_rate(rate: SampleRate) -> Result<OpusRate, OpusError> {
    match rate.hz() {
        8_000 => Ok(OpusRate::Hz8000),
        12_000 => Ok(OpusRate::Hz12000),
        16_000 => Ok(OpusRate::Hz16000),
        24_000 => Ok(OpusRate::Hz24000),
        48_000 => Ok(OpusRate::Hz48000),
        _ => Err(OpusError::Rate { rate }),
    }
}
