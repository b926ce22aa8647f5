//! What the vendor makes of a text: audio in the format asked for, in pieces, with the times of its characters.

use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value, json};
use tandem_codecs::{Encoding, MediaFormat, Pcm, SampleRate, resample_all, wav};

use crate::mock::Fate;
use crate::vendor::Fault;
use crate::voice::{RATE_HZ, Spoken, Talker};

/// Audio in one piece.
const PIECE: Duration = Duration::from_millis(300);

/// A format that is made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format(MediaFormat);

impl Format {
    /// By the vendor's name.
    pub(super) fn of(name: &str) -> Option<Self> {
        let (encoding, rate) = name.split_once('_')?;
        let encoding = match encoding {
            "ulaw" => Encoding::Pcmu,
            "alaw" => Encoding::Pcma,
            "pcm" => Encoding::L16Le,
            _ => return None,
        };
        let rates: &[u32] = if encoding == Encoding::L16Le {
            &[8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]
        } else {
            &[8_000]
        };
        let rate = rate.parse().ok().filter(|hz| rates.contains(hz))?;
        Some(Self(MediaFormat { encoding, rate: SampleRate::new(rate).ok()? }))
    }

    /// As the answer's `content-type`.
    pub(super) fn content_type(self) -> &'static str {
        if self.0.encoding == Encoding::L16Le { "audio/pcm" } else { "audio/basic" }
    }
}

/// A piece of speech.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub(super) audio: Bytes,
    /// Characters that begin in it: text, beginning and length in ms, counted from the piece.
    pub(super) chars: Vec<(String, u64, u64)>,
}

impl Piece {
    /// Characters, beginnings and lengths, as sockets tell them; `null` where no character begins.
    pub(super) fn alignment(&self) -> Value {
        if self.chars.is_empty() {
            return Value::Null;
        }
        let texts: Vec<&str> = self.chars.iter().map(|(text, ..)| text.as_str()).collect();
        let starts: Vec<u64> = self.chars.iter().map(|(_, start, _)| *start).collect();
        let lengths: Vec<u64> = self.chars.iter().map(|(.., length)| *length).collect();
        json!({"chars": texts, "charStartTimesMs": starts, "charDurationsMs": lengths})
    }
}

/// How a stretch of speech ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// As it should.
    Well,
    /// With an error.
    Error,
    /// The connection breaks.
    Broken,
    /// Never: its pieces come again and again.
    Never,
    /// There is nothing, and nothing follows.
    Silence,
}

/// What is made of `text` by a vendor of that fate.
pub(super) fn speech(text: &str, format: Format, fate: Fate) -> (Vec<Piece>, Ending) {
    let spoken = Talker::default().speak(text);
    let cut = |within: bool| {
        let middle = spoken.words.len() / 2;
        let word = spoken.words.get(middle).map_or(0..0, |word| word.samples.clone());
        if within { (word.start + word.end) / 2 } else { word.start }
    };
    let whole = spoken.samples.len();
    let (length, ending) = match fate.fault {
        None | Some(Fault::Slow(_) | Fault::Garbage) => (whole, Ending::Well),
        Some(Fault::Silent) => (0, Ending::Silence),
        Some(Fault::Error) => (cut(false), Ending::Error),
        Some(Fault::Drop) => (cut(false), Ending::Broken),
        Some(Fault::DropMidway) => (cut(true), Ending::Broken),
        Some(Fault::Endless) => (whole, Ending::Never),
    };
    let mut pieces = pieces(text, &spoken, length, format);
    if fate.fault == Some(Fault::Garbage) {
        garble(&mut pieces, &spoken);
    }
    (pieces, ending)
}

/// The first `length` samples in pieces.
fn pieces(text: &str, spoken: &Spoken, length: usize, format: Format) -> Vec<Piece> {
    let rate = format.0.rate;
    let mut chars = characters(text, spoken).into_iter().peekable();
    let step = SampleRate::HZ_8000.samples_in(PIECE);
    // Resampled as one, or each piece would begin with the filter's silence.
    let samples = resample_all(&spoken.samples[..length], SampleRate::HZ_8000, rate);
    let at = |sample: usize| (sample * rate.hz() as usize / RATE_HZ as usize).min(samples.len());
    (0..length)
        .step_by(step)
        .map(|from| {
            let to = (from + step).min(length);
            let end = if to == length { samples.len() } else { at(to) };
            let mut audio = Vec::new();
            format.0.encode(&samples[at(from)..end], &mut audio);
            let ms = |samples: usize| samples as u64 * 1_000 / u64::from(RATE_HZ);
            let mine = std::iter::from_fn(|| chars.next_if(|(_, start, _)| *start < to));
            let chars = mine.map(|(text, start, samples)| (text, ms(start - from), ms(samples))).collect();
            Piece { audio: audio.into(), chars }
        })
        .collect()
}

/// Each character with its first sample and its length; spaces lie between the words.
fn characters(text: &str, spoken: &Spoken) -> Vec<(String, usize, usize)> {
    let mut out = Vec::new();
    let mut words = spoken.words.iter().peekable();
    let mut word: Option<(usize, usize, usize)> = None; // first byte, first sample, samples a character
    let mut at = 0;
    for (byte, c) in text.char_indices() {
        if let Some(begins) = words.next_if(|word| word.byte == byte) {
            let end = words.peek().map_or(text.len(), |next| next.byte);
            let letters = text[byte..end].trim_end().chars().count().max(1);
            word = Some((byte, begins.samples.start, begins.samples.len() / letters));
            at = begins.samples.start;
        }
        let length = if c.is_whitespace() { 0 } else { word.map_or(0, |(.., each)| each) };
        out.push((c.to_string(), at, length));
        at += length;
    }
    out
}

/// Puts a WAV file of 44.1 kHz where the audio was.
fn garble(pieces: &mut [Piece], spoken: &Spoken) {
    let samples = resample_all(&spoken.samples, SampleRate::HZ_8000, SampleRate::HZ_44100);
    let mut file = std::io::Cursor::new(Vec::new());
    // In memory: it cannot fail, and if it did there would be nothing, which is no speech either.
    let _ = wav::write_mono(&mut file, &Pcm::new(SampleRate::HZ_44100, samples));
    let file = Bytes::from(file.into_inner());
    let each = file.len().div_ceil(pieces.len().max(1));
    for (index, piece) in pieces.iter_mut().enumerate() {
        piece.audio = file.slice((index * each).min(file.len())..((index + 1) * each).min(file.len()));
    }
}
