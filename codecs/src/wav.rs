//! WAV in and out: 16-bit PCM, one or two channels.
//!
//! Place: recordings, uploaded prompts and test fixtures, through streams the caller opens. What is
//! read becomes mono at the file's own rate; [`crate::resample_all`] takes it from there.
//! Not here: other sample sizes, floats, compressed WAV. Who writes while a call runs puts [`stereo_header`] before the samples, as often as he likes.

use std::io::{Read, Seek, Write};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::frame::{Pcm, RateError, SampleRate};

/// Samples reserved before the first is read. A header may claim four gigabytes and hold none.
const MAX_RESERVED_SAMPLES: usize = 1 << 20;

/// Reads a whole file. Two channels are mixed to their mean.
///
/// A file shorter than its header claims is an error, not a short recording.
pub fn read(reader: impl Read) -> Result<Pcm, WavError> {
    let (rate, interleaved) = read_stereo(reader)?;
    Ok(Pcm::new(rate, interleaved.chunks_exact(2).map(|pair| pair[0].midpoint(pair[1])).collect::<Vec<_>>()))
}

/// Reads a whole file as interleaved pairs; one channel is on both sides. Errors as of [`read`].
pub fn read_stereo(reader: impl Read) -> Result<(SampleRate, Vec<i16>), WavError> {
    let reader = WavReader::new(reader).map_err(WavError::Read)?;
    let WavSpec { channels, sample_rate, bits_per_sample, sample_format } = reader.spec();
    if sample_format != SampleFormat::Int || bits_per_sample != 16 || !(1..=2).contains(&channels) {
        let float = sample_format == SampleFormat::Float;
        return Err(WavError::Unsupported { channels, bits: bits_per_sample, float });
    }
    let rate = SampleRate::new(sample_rate)?;
    let claimed = reader.duration() as usize * 2;
    let mut interleaved = Vec::with_capacity(claimed.min(MAX_RESERVED_SAMPLES));
    for sample in reader.into_samples::<i16>() {
        let sample = sample.map_err(WavError::Read)?;
        // hound refuses a file whose data is no whole number of frames, so pairs are whole
        interleaved.extend(std::iter::repeat_n(sample, 3 - usize::from(channels)));
    }
    Ok((rate, interleaved))
}

/// Writes one channel.
pub fn write_mono(writer: impl Write + Seek, pcm: &Pcm) -> Result<(), WavError> {
    write(writer, pcm.rate, 1, pcm.samples.iter().copied())
}

/// Writes two channels of the same rate; the shorter is filled up with silence.
pub fn write_stereo(writer: impl Write + Seek, rate: SampleRate, left: &[i16], right: &[i16]) -> Result<(), WavError> {
    let at = |side: &[i16], index: usize| side.get(index).copied().unwrap_or(0);
    let frames = left.len().max(right.len());
    write(writer, rate, 2, (0..frames).flat_map(|i| [at(left, i), at(right, i)]))
}

fn write(
    writer: impl Write + Seek,
    rate: SampleRate,
    channels: u16,
    interleaved: impl Iterator<Item = i16>,
) -> Result<(), WavError> {
    let spec = WavSpec { channels, sample_rate: rate.hz(), bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut out = WavWriter::new(writer, spec).map_err(WavError::Write)?;
    for sample in interleaved {
        out.write_sample(sample).map_err(WavError::Write)?;
    }
    // Dropping would finish the header too, and swallow the error.
    out.finalize().map_err(WavError::Write)
}

/// Bytes before the first sample of a file that begins with [`stereo_header`].
pub const HEADER_BYTES: u64 = 44;

/// What stands before `frames` pairs of 16-bit samples. A length that does not fit (37 hours at 8 kHz) reads "to the end of the file", as the
/// header of a stream does.
pub fn stereo_header(rate: SampleRate, frames: u64) -> [u8; HEADER_BYTES as usize] {
    let data = frames.checked_mul(4).and_then(|bytes| u32::try_from(bytes).ok()).filter(|bytes| *bytes < u32::MAX - 36);
    let mut header = Vec::with_capacity(HEADER_BYTES as usize);
    header.extend(b"RIFF");
    header.extend(data.map_or(u32::MAX, |bytes| bytes + 36).to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend(16_u32.to_le_bytes()); // length of what follows
    header.extend([1_u16, 2].into_iter().flat_map(u16::to_le_bytes)); // PCM, two channels
    header.extend([rate.hz(), rate.hz() * 4].into_iter().flat_map(u32::to_le_bytes));
    header.extend([4_u16, 16].into_iter().flat_map(u16::to_le_bytes)); // bytes a pair, bits a sample
    header.extend(b"data");
    header.extend(data.unwrap_or(u32::MAX).to_le_bytes());
    header.try_into().expect("the fields of a PCM header are 44 bytes")
}

/// Why a WAV file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// Not a WAV file, cut short, or the stream failed.
    #[error("cannot read wav")]
    Read(#[source] hound::Error),
    /// A WAV file of a kind we do not take.
    #[error("wav with {channels} channels of {bits} bits (float: {float}), not 1 or 2 of 16")]
    Unsupported {
        /// Channels in the file.
        channels: u16,
        /// Bits of one sample.
        bits: u16,
        /// Whether samples are floating point.
        float: bool,
    },
    /// A rate that no telephone or voice uses.
    #[error("cannot use wav")]
    Rate(#[from] RateError),
    /// The stream failed, or the file would pass four gigabytes.
    #[error("cannot write wav")]
    Write(#[source] hound::Error),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn mono(rate: SampleRate, samples: &[i16]) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        write_mono(&mut file, &Pcm::new(rate, samples)).unwrap();
        file.into_inner()
    }

    #[test]
    fn stereo_is_mixed_to_its_mean_and_padded() {
        let mut file = Cursor::new(Vec::new());
        let (left, right) = ([100, i16::MAX, i16::MIN, 8], [50, i16::MAX, i16::MIN]);
        write_stereo(&mut file, SampleRate::HZ_8000, &left, &right).unwrap();
        let pcm = read(file.into_inner().as_slice()).unwrap();
        assert_eq!(*pcm.samples, [75, i16::MAX, i16::MIN, 4]);
    }

    #[test]
    fn both_sides_come_back_and_one_is_doubled() {
        let mut file = Cursor::new(Vec::new());
        write_stereo(&mut file, SampleRate::HZ_8000, &[1, 2], &[-1, -2]).unwrap();
        assert_eq!(read_stereo(file.into_inner().as_slice()).unwrap(), (SampleRate::HZ_8000, vec![1, -1, 2, -2]));
        let file = mono(SampleRate::HZ_16000, &[5, 6]);
        assert_eq!(read_stereo(file.as_slice()).unwrap(), (SampleRate::HZ_16000, vec![5, 5, 6, 6]));
    }

    #[test]
    fn the_header_is_the_one_that_the_writer_of_files_makes() {
        let mut file = Cursor::new(Vec::new());
        write_stereo(&mut file, SampleRate::HZ_8000, &[1; 5], &[2; 5]).unwrap();
        assert_eq!(file.into_inner()[..44], stereo_header(SampleRate::HZ_8000, 5));
        assert_eq!(stereo_header(SampleRate::HZ_8000, u64::MAX / 3)[40..], [0xff; 4]);
    }

    #[test]
    fn other_kinds_are_named() {
        let spec = WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 32, sample_format: SampleFormat::Float };
        let mut file = Cursor::new(Vec::new());
        WavWriter::new(&mut file, spec).unwrap().finalize().unwrap();
        let refused = read(file.into_inner().as_slice()).unwrap_err();
        assert!(matches!(refused, WavError::Unsupported { channels: 1, bits: 32, float: true }));
    }

    #[test]
    fn absurd_rates_are_refused() {
        let mut file = mono(SampleRate::HZ_8000, &[0; 8]);
        file[24..28].copy_from_slice(&1_000_000_000u32.to_le_bytes());
        file[28..32].copy_from_slice(&2_000_000_000u32.to_le_bytes());
        assert!(matches!(read(file.as_slice()), Err(WavError::Rate(_))));
    }

    #[test]
    fn a_cut_file_is_an_error() {
        let file = mono(SampleRate::HZ_8000, &[1; 100]);
        assert!(matches!(read(&file[..file.len() - 20]), Err(WavError::Read(_))));
        assert!(matches!(read(&b"RIFF"[..]), Err(WavError::Read(_))));
    }

    proptest! {
        #[test]
        fn mono_is_lossless(hz in 4_000u32..=192_000, samples in proptest::collection::vec(any::<i16>(), 0..300)) {
            let rate = SampleRate::new(hz).unwrap();
            let pcm = read(mono(rate, &samples).as_slice()).unwrap();
            prop_assert_eq!(pcm, Pcm::new(rate, samples));
        }

        #[test]
        fn damaged_files_are_read_or_refused_but_never_panic(at in 0usize..64, byte: u8, keep in 0usize..100) {
            let mut file = mono(SampleRate::HZ_8000, &[5; 20]);
            file[at] = byte;
            let _ = read(&file[..keep.min(file.len())]);
        }
    }
}
