//! How PCM looks on a wire: an encoding and a rate, and the conversion both ways.
//!
//! Place: between the bytes of a carrier's message or an RTP payload and everything that works on
//! samples. Mono only. Base64, message framing and chunk sizes belong to the carrier's dialect.

use std::time::Duration;

use crate::frame::SampleRate;
use crate::{g711, l16};

/// How one sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// G.711 mu-law, one byte a sample (RTP payload type 0).
    Pcmu,
    /// G.711 A-law, one byte a sample (RTP payload type 8).
    Pcma,
    /// Linear 16-bit, low byte first: what WebSocket carriers call PCM, slin or `audio/l16`.
    L16Le,
    /// Linear 16-bit in network order, as RTP demands (RFC 3551 4.5.11).
    L16Be,
}

impl Encoding {
    /// Bytes that one sample takes.
    pub const fn bytes_per_sample(self) -> usize {
        match self {
            Self::Pcmu | Self::Pcma => 1,
            Self::L16Le | Self::L16Be => 2,
        }
    }
}

/// What a media stream carries, in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MediaFormat {
    /// How a sample is written.
    pub encoding: Encoding,
    /// Samples per second.
    pub rate: SampleRate,
}

impl MediaFormat {
    /// The default of telephony, and all that Twilio speaks.
    pub const PCMU_8K: Self = Self { encoding: Encoding::Pcmu, rate: SampleRate::HZ_8000 };

    /// Bytes that one sample takes.
    pub const fn bytes_per_sample(&self) -> usize {
        self.encoding.bytes_per_sample()
    }

    /// Bytes that `duration` of this stream takes: 20 ms of [`PCMU_8K`](Self::PCMU_8K) is 160.
    pub fn bytes_in(&self, duration: Duration) -> usize {
        self.rate.samples_in(duration).saturating_mul(self.bytes_per_sample())
    }

    /// Turns wire bytes into samples at [`rate`](Self::rate), appended to `out`.
    ///
    /// Fails only when the last sample is cut in half; `out` is then as it was.
    pub fn decode(&self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), FormatError> {
        match self.encoding {
            Encoding::Pcmu => g711::decode_ulaw(payload, out),
            Encoding::Pcma => g711::decode_alaw(payload, out),
            Encoding::L16Le => l16::decode_le(payload, out)?,
            Encoding::L16Be => l16::decode_be(payload, out)?,
        }
        Ok(())
    }

    /// Turns samples at [`rate`](Self::rate) into wire bytes, appended to `out`.
    pub fn encode(&self, samples: &[i16], out: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Pcmu => g711::encode_ulaw(samples, out),
            Encoding::Pcma => g711::encode_alaw(samples, out),
            Encoding::L16Le => l16::encode_le(samples, out),
            Encoding::L16Be => l16::encode_be(samples, out),
        }
    }
}

/// A payload that does not hold a whole number of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// 16-bit audio with a byte missing or one too many.
    #[error("16-bit payload of {bytes} bytes ends within a sample")]
    OddLength {
        /// Length of the payload.
        bytes: usize,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ALL: [Encoding; 4] = [Encoding::Pcmu, Encoding::Pcma, Encoding::L16Le, Encoding::L16Be];

    #[test]
    fn every_encoding_keeps_silence_silent_and_counts_right() {
        for encoding in ALL {
            let format = MediaFormat { encoding, rate: SampleRate::HZ_8000 };
            let (mut wire, mut back) = (Vec::new(), Vec::new());
            format.encode(&[0; 160], &mut wire);
            assert_eq!(wire.len(), format.bytes_in(Duration::from_millis(20)), "{encoding:?}");
            format.decode(&wire, &mut back).unwrap();
            assert_eq!(back.len(), 160, "{encoding:?}");
            // A-law has no zero: its smallest step is 8.
            assert!(back.iter().all(|s| s.abs() <= 8), "{encoding:?}");
        }
    }

    #[test]
    fn output_is_appended() {
        let mut out = vec![7];
        MediaFormat::PCMU_8K.decode(&[0xff, 0x00], &mut out).unwrap();
        assert_eq!(out, [7, 0, -32_124]);
    }

    #[test]
    fn a_cut_sample_is_an_error_and_leaves_the_buffer_alone() {
        for encoding in [Encoding::L16Le, Encoding::L16Be] {
            let format = MediaFormat { encoding, rate: SampleRate::HZ_16000 };
            let mut out = vec![7];
            let refused = format.decode(&[1, 2, 3], &mut out);
            assert_eq!(refused, Err(FormatError::OddLength { bytes: 3 }));
            assert_eq!(out, [7]);
        }
    }
}
