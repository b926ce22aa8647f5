//! From the bytes of a client to samples at the talker's rate.

use tandem_codecs::{Resampler, SampleRate, g711};

use super::query::{Encoding, Listen};
use crate::voice::RATE_HZ;

/// What audio in a container begins with; those but the first are accepted and not heard.
const CONTAINERS: [&[u8]; 6] = [b"RIFF", b"OggS", b"fLaC", b"ID3", &[0x1a, 0x45, 0xdf, 0xa3], &[0xff, 0xfb]];
/// Header of a WAV file with one format chunk.
const WAV_HEADER_BYTES: usize = 44;

/// The bytes are no audio of the announced kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoAudio;

/// Reads one stream.
pub(super) struct Decoder {
    encoding: Encoding,
    channels: usize,
    /// `None` at the talker's rate, and at rates that nobody has.
    resampler: Option<Resampler>,
    /// Bytes of a frame whose rest is to come, or of a header.
    held: Vec<u8>,
    /// The container's head was read.
    begun: bool,
    sample_rate: u32,
}

impl Decoder {
    pub(super) fn new(listen: &Listen) -> Self {
        let mut decoder = Self {
            encoding: listen.encoding,
            channels: listen.channels,
            resampler: None,
            held: Vec::new(),
            begun: false,
            sample_rate: listen.sample_rate,
        };
        decoder.at_rate(listen.sample_rate);
        decoder
    }

    fn at_rate(&mut self, rate_hz: u32) {
        self.sample_rate = rate_hz;
        self.resampler = match (SampleRate::new(rate_hz), SampleRate::new(RATE_HZ)) {
            (Ok(from), Ok(to)) if from != to => Some(Resampler::new(from, to)),
            _ => None,
        };
    }

    /// The samples in `bytes`, at the talker's rate.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Result<Vec<i16>, NoAudio> {
        self.held.extend_from_slice(bytes);
        if self.encoding == Encoding::Container && !self.open_container()? {
            return Ok(Vec::new());
        }
        let width = match self.encoding {
            Encoding::Linear16 => 2,
            Encoding::Mulaw | Encoding::Alaw => 1,
            Encoding::Compressed | Encoding::Container => {
                self.held.clear();
                return Ok(Vec::new());
            }
        };
        let frame = width * self.channels;
        let whole: Vec<u8> = self.held.drain(..self.held.len() / frame * frame).collect();
        let first: Vec<u8> = whole.chunks_exact(frame).flat_map(|frame| &frame[..width]).copied().collect();
        let mut samples = Vec::with_capacity(first.len());
        match self.encoding {
            Encoding::Mulaw => g711::decode_ulaw(&first, &mut samples),
            Encoding::Alaw => g711::decode_alaw(&first, &mut samples),
            _ => samples.extend(first.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]))),
        }
        let Some(resampler) = &mut self.resampler else { return Ok(samples) };
        let mut resampled = Vec::new();
        resampler.process(&samples, &mut resampled);
        Ok(resampled)
    }

    /// Looks for a container's head; whether it is there. A WAV file says what follows, the others stay closed to us.
    fn open_container(&mut self) -> Result<bool, NoAudio> {
        if self.begun {
            return Ok(true);
        }
        if self.held.len() < 4 {
            return Ok(false);
        }
        if !CONTAINERS.iter().any(|head| self.held.starts_with(head)) {
            return Err(NoAudio);
        }
        if !self.held.starts_with(CONTAINERS[0]) {
            (self.begun, self.encoding) = (true, Encoding::Compressed);
            return Ok(true);
        }
        if self.held.len() < WAV_HEADER_BYTES {
            return Ok(false);
        }
        let field = |at: usize| u32::from(u16::from_le_bytes([self.held[at], self.held[at + 1]]));
        let (format, channels) = (field(20), field(22));
        let rate = field(24) | field(26) << 16;
        self.encoding = match format {
            1 => Encoding::Linear16,
            6 => Encoding::Alaw,
            7 => Encoding::Mulaw,
            _ => return Err(NoAudio),
        };
        self.channels = channels.clamp(1, 20) as usize;
        self.at_rate(rate);
        self.held.drain(..WAV_HEADER_BYTES);
        self.begun = true;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::query::tests::read;
    use super::*;

    fn decoder(query: &str) -> Decoder {
        Decoder::new(&read(query).unwrap())
    }

    #[test]
    fn a_sample_may_come_in_two_messages() {
        let mut decoder = decoder("model=nova-3&encoding=linear16&sample_rate=8000");
        assert_eq!(decoder.decode(&[1, 0, 2]).unwrap(), [1]);
        assert_eq!(decoder.decode(&[0]).unwrap(), [2]);
        let mut stereo = self::decoder("model=nova-3&encoding=linear16&sample_rate=8000&channels=2");
        assert_eq!(stereo.decode(&[1, 0, 9, 9, 2, 0, 9, 9]).unwrap(), [1, 2]);
    }

    #[test]
    fn without_an_encoding_the_first_bytes_tell() {
        let mut wav = Vec::new();
        let pcm = tandem_codecs::Pcm { samples: vec![5, 6, 7].into(), rate: SampleRate::new(8_000).unwrap() };
        tandem_codecs::wav::write_mono(std::io::Cursor::new(&mut wav), &pcm).unwrap();
        let mut decoder = decoder("model=nova-3");
        let samples: Vec<i16> = wav.chunks(10).flat_map(|chunk| decoder.decode(chunk).unwrap()).collect();
        assert_eq!(samples, [5, 6, 7]);
        assert_eq!(self::decoder("model=nova-3").decode(&[0; 160]), Err(NoAudio));
        assert_eq!(self::decoder("model=nova-3").decode(b"OggS and more"), Ok(Vec::new()));
    }
}
