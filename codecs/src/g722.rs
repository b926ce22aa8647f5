//! G.722 at 64 kbit/s: 16 kHz speech in the bytes of G.711.
//!
//! Place: wideband legs over RTP, payload type 9. RTP counts its clock at 8 kHz although there are 16,000 samples a second (RFC 3551 4.5.2), so
//! a timestamp moves by one for each byte. Not here: the modes of 56 and 48 kbit/s, which steal bits for data and which nobody offers.
//!
//! Each direction has a state: one coder for one stream, its packets in order. After a lost packet the decoder goes on with the state it has;
//! fill the gap by [`crate::plc`]. The two band-splitting filters delay sound by 22 samples, 1.4 ms.

use ezk_g722::libg722::{Bitrate, decoder, encoder};

/// Writes one stream.
pub struct Encoder {
    inner: encoder::Encoder,
    /// A sample that waits for its partner: a byte says two.
    odd: Option<i16>,
}

impl Encoder {
    /// At the beginning of a stream.
    pub fn new() -> Self {
        Self { inner: encoder::Encoder::new(Bitrate::Mode1_64000, false, false), odd: None }
    }

    /// Appends to `out` one byte for each two samples at 16 kHz. An odd sample waits for the next call.
    pub fn encode(&mut self, mut samples: &[i16], out: &mut Vec<u8>) {
        if let (Some(odd), Some((first, rest))) = (self.odd, samples.split_first()) {
            out.extend(self.inner.encode(&[odd, *first]));
            (self.odd, samples) = (None, rest);
        }
        let (pairs, rest) = samples.split_at(samples.len() / 2 * 2);
        out.extend(self.inner.encode(pairs));
        self.odd = rest.first().copied().or(self.odd);
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads one stream.
pub struct Decoder {
    inner: decoder::Decoder,
}

impl Decoder {
    /// At the beginning of a stream.
    pub fn new() -> Self {
        Self { inner: decoder::Decoder::new(Bitrate::Mode1_64000, false, false) }
    }

    /// Appends to `out` two samples at 16 kHz for each byte. Total: every byte is valid.
    pub fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) {
        out.extend(self.inner.decode(payload));
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}
