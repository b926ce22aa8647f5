//! Ogg Opus files, of stereo at 8 kHz: a tenth of the size of WAV, for recordings that are kept.
//!
//! For when a call is over: encoding costs nearly as much as the call itself did (`cargo bench --bench recorder --features opus`). The length
//! is exact, because the last page says where the stream ends (RFC 7845 section 4.5).
//! Not here: Opus on a wire, other rates, other makers' files ([`read`] takes only what [`Writer`] made).

use std::io::{Read, Seek, Write};

use audiopus::coder::{Decoder, Encoder};
use audiopus::{Application, Bitrate, Channels, SampleRate};
use ogg::{PacketReader, PacketWriteEndInfo, PacketWriter};

/// Pairs of a packet: 20 ms.
const PACKET_PAIRS: usize = 160;
/// Positions in Ogg Opus count at 48 kHz, whatever the rate (RFC 7845 section 4).
const SCALE: u64 = 6;
/// Both sides together. Telephone speech gains nothing above.
const BITRATE: i32 = 32_000;
/// Of 0 to 10. Higher costs more than it is worth for speech.
const COMPLEXITY: u8 = 5;
/// Packets of a page: a second.
const PAGE_PACKETS: u64 = 50;
/// A packet of 20 ms is never larger (RFC 6716 section 3.4).
const MOST_PACKET_BYTES: usize = 1_276;
/// There is one stream in a file.
const SERIAL: u32 = 1;

/// Why a file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum OpusError {
    /// The codec refused.
    #[error("opus codec")]
    Codec(#[from] audiopus::Error),
    /// The stream failed.
    #[error("opus file")]
    Io(#[from] std::io::Error),
    /// Not a file of ours.
    #[error("not an opus file of this program")]
    Foreign,
}

/// Writes one file.
pub struct Writer<W: Write> {
    out: PacketWriter<'static, W>,
    encoder: Encoder,
    /// Pairs that the decoder has to drop at the start.
    pre_skip: u64,
    /// Interleaved samples that fill no packet yet.
    rest: Vec<i16>,
    /// Pairs that came in.
    pairs: u64,
    packets: u64,
    /// The packet that waits to know whether it is the last.
    waiting: Option<Vec<u8>>,
}

impl<W: Write> Writer<W> {
    /// Writes the headers.
    pub fn new(out: W) -> Result<Self, OpusError> {
        let mut encoder = Encoder::new(SampleRate::Hz8000, Channels::Stereo, Application::Voip)?;
        encoder.set_complexity(COMPLEXITY)?;
        encoder.set_bitrate(Bitrate::BitsPerSecond(BITRATE))?;
        let pre_skip = u64::from(encoder.lookahead()?);
        let mut out = PacketWriter::new(out);
        out.write_packet(head(pre_skip * SCALE), SERIAL, PacketWriteEndInfo::EndPage, 0)?;
        out.write_packet(tags(), SERIAL, PacketWriteEndInfo::EndPage, 0)?;
        Ok(Self { out, encoder, pre_skip, rest: Vec::new(), pairs: 0, packets: 0, waiting: None })
    }

    /// The next samples, interleaved.
    pub fn push(&mut self, interleaved: &[i16]) -> Result<(), OpusError> {
        self.pairs += interleaved.len() as u64 / 2;
        self.rest.extend_from_slice(interleaved);
        let whole = self.rest.len() - self.rest.len() % (2 * PACKET_PAIRS);
        let rest = self.rest.split_off(whole);
        for frame in std::mem::replace(&mut self.rest, rest).chunks_exact(2 * PACKET_PAIRS) {
            self.packet(frame)?;
        }
        Ok(())
    }

    /// Writes the rest, and where the stream ends.
    pub fn finish(mut self) -> Result<W, OpusError> {
        let end = self.pairs + self.pre_skip;
        while self.encoded() < end || self.waiting.is_none() {
            let mut frame = std::mem::take(&mut self.rest);
            frame.resize(2 * PACKET_PAIRS, 0);
            self.packet(&frame)?;
        }
        if let Some(last) = self.waiting.take() {
            self.out.write_packet(last, SERIAL, PacketWriteEndInfo::EndStream, end * SCALE)?;
        }
        Ok(self.out.into_inner())
    }

    /// Pairs that packets hold.
    fn encoded(&self) -> u64 {
        self.packets * PACKET_PAIRS as u64
    }

    fn packet(&mut self, frame: &[i16]) -> Result<(), OpusError> {
        if let Some(before) = self.waiting.take() {
            let page_ends = self.packets.is_multiple_of(PAGE_PACKETS);
            let info = if page_ends { PacketWriteEndInfo::EndPage } else { PacketWriteEndInfo::NormalPacket };
            self.out.write_packet(before, SERIAL, info, self.encoded() * SCALE)?;
        }
        let mut packet = vec![0; MOST_PACKET_BYTES];
        let length = self.encoder.encode(frame, &mut packet)?;
        packet.truncate(length);
        (self.waiting, self.packets) = (Some(packet), self.packets + 1);
        Ok(())
    }
}

/// Reads a file of [`Writer`]'s, and gives it to `take` piece by piece, interleaved. Returns its pairs.
pub fn read(file: impl Read + Seek, mut take: impl FnMut(&[i16])) -> Result<u64, OpusError> {
    let mut packets = PacketReader::new(file);
    let mut next = || packets.read_packet().map_err(|error| OpusError::Io(std::io::Error::other(error)));
    let head = next()?.filter(|head| head.data.starts_with(b"OpusHead\x01\x02") && head.data.len() >= 19);
    let head = head.ok_or(OpusError::Foreign)?.data;
    let mut skip = usize::from(u16::from_le_bytes([head[10], head[11]])) / SCALE as usize;
    let pre_skip = skip as u64;
    next()?.ok_or(OpusError::Foreign)?; // tags
    let mut decoder = Decoder::new(SampleRate::Hz8000, Channels::Stereo)?;
    let (mut pcm, mut given) = (vec![0; 2 * PACKET_PAIRS], 0_u64);
    while let Some(packet) = next()? {
        let pairs = decoder.decode(Some(packet.data.as_slice().try_into()?), pcm.as_mut_slice().try_into()?, false)?;
        let dropped = skip.min(pairs);
        skip -= dropped;
        let mut kept = &pcm[2 * dropped..2 * pairs];
        if packet.last_in_stream() {
            let end = (packet.absgp_page() / SCALE).saturating_sub(pre_skip);
            let left = usize::try_from(end.saturating_sub(given)).unwrap_or(usize::MAX).saturating_mul(2);
            kept = &kept[..left.min(kept.len())];
        }
        given += kept.len() as u64 / 2;
        take(kept);
    }
    Ok(given)
}

/// Pairs of a file of [`Writer`]'s, as its last page says: without decoding it.
pub fn pairs(file: impl Read + Seek) -> Result<u64, OpusError> {
    let mut packets = PacketReader::new(file);
    let mut next = || packets.read_packet().map_err(|error| OpusError::Io(std::io::Error::other(error)));
    let head = next()?.filter(|head| head.data.starts_with(b"OpusHead") && head.data.len() >= 19);
    let head = head.ok_or(OpusError::Foreign)?.data;
    let pre_skip = u64::from(u16::from_le_bytes([head[10], head[11]]));
    let mut end = 0;
    while let Some(packet) = next()? {
        end = packet.absgp_page();
    }
    Ok(end.saturating_sub(pre_skip) / SCALE)
}

/// RFC 7845 section 5.1.
fn head(pre_skip: u64) -> Vec<u8> {
    let mut head = b"OpusHead\x01\x02".to_vec(); // version, channels
    head.extend((pre_skip as u16).to_le_bytes());
    head.extend(8_000_u32.to_le_bytes()); // of the input, for whoever asks
    head.extend([0, 0, 0]); // gain, mapping: stereo
    head
}

/// RFC 7845 section 5.2.
fn tags() -> Vec<u8> {
    let vendor = b"Tandem";
    let mut tags = b"OpusTags".to_vec();
    tags.extend((vendor.len() as u32).to_le_bytes());
    tags.extend(vendor);
    tags.extend(0_u32.to_le_bytes());
    tags
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Cursor;

    use super::*;

    /// A tone on the left until the middle, on the right from there.
    fn sides(pairs: usize) -> Vec<i16> {
        let tone = |at: usize| ((at as f64 * 0.3).sin() * 8_000.0) as i16;
        (0..pairs).flat_map(|at| if at < pairs / 2 { [tone(at), 0] } else { [0, tone(at)] }).collect()
    }

    fn round(samples: &[i16]) -> (Vec<u8>, Vec<i16>) {
        let mut writer = Writer::new(Vec::new()).unwrap();
        samples.chunks(998).for_each(|piece| writer.push(piece).unwrap());
        let file = writer.finish().unwrap();
        let mut back = Vec::new();
        let pairs = read(Cursor::new(&file), |piece| back.extend_from_slice(piece)).unwrap();
        assert_eq!(pairs as usize, back.len() / 2);
        assert_eq!(super::pairs(Cursor::new(&file)).unwrap(), pairs);
        (file, back)
    }

    fn power(samples: &[i16], channel: usize) -> f64 {
        samples.iter().skip(channel).step_by(2).map(|sample| f64::from(*sample).powi(2)).sum::<f64>().max(1.0)
    }

    #[test]
    fn the_length_is_kept_to_the_sample() {
        for pairs in [0, 1, 159, 160, 161, 8_000, 24_123] {
            assert_eq!(round(&sides(pairs)).1.len(), 2 * pairs, "{pairs}");
        }
    }

    #[test]
    fn both_sides_stand_where_they_stood() {
        let samples = sides(80_000);
        let (file, back) = round(&samples);
        assert!(file.len() < 80_000 * 4 / 6, "{} bytes", file.len());
        for (from, to, speaks) in [(0, 78_000, 0), (82_000, 160_000, 1)] {
            let part = &back[from..to];
            assert!(power(part, speaks) > 1_000.0 * power(part, 1 - speaks), "{speaks}");
            let kept = power(part, speaks) / power(&samples[from..to], speaks);
            assert!((0.8..1.2).contains(&kept), "as loud as it was: {kept}");
        }
        // The moment at which the sides change is where it was, to half a packet.
        let loud = |channel: usize| {
            let side = back.iter().skip(channel).step_by(2).enumerate();
            side.filter(|(_, sample)| sample.abs() > 4_000).map(|(at, _)| at).collect::<Vec<_>>()
        };
        let (last, first) = (loud(0)[loud(0).len() - 1], loud(1)[0]);
        assert!(last.abs_diff(40_000) < 80 && first.abs_diff(40_000) < 80, "{last}, {first}");
    }

    #[test]
    fn what_is_no_file_of_ours_is_refused() {
        for foreign in [&b""[..], b"RIFF", &[0; 100], b"OggS"] {
            assert!(read(Cursor::new(foreign), |_| {}).is_err());
        }
    }
}
