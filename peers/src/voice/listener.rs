//! Finds the talker's words in a stream of audio.
//!
//! ```text
//!  8 kHz ──× 3.375 kHz──► low-pass, one in eight ──► 1 kHz complex ──► four tones over 8 ms, each millisecond
//!         ──► one symbol a millisecond ──► block at every millisecond? head, bytes, checksum ──► word
//! ```
//!
//! Cost: about a fifth of a million multiplications per second of audio, so that load tests measure the switch.

use std::collections::VecDeque;
use std::f32::consts::TAU;
use std::sync::LazyLock;

use super::{RATE_HZ, formant, watermark};

/// Input samples per baseband sample: 8 kHz to 1 kHz, one millisecond.
const STEP: usize = 8;
/// Baseband samples of one symbol.
const SYMBOL: usize = watermark::SYMBOL_SAMPLES / STEP;
/// Taps of the decimating low-pass; 60 dB down at 690 Hz, from where the voice would fold in.
const TAPS: usize = 96;
/// The mixer's period in samples: 3375 / 8000 = 27 / 64.
const MIXER_PERIOD: usize = 64;
/// A tone's phase repeats after 16 baseband samples: 62.5 / 1000 = 1 / 16.
const TONE_PERIOD: usize = 16;
/// Share of the strongest tone in all four, averaged over a block, below which it is noise. Noise alone gives 0.52.
const MIN_DOMINANCE: f32 = 0.7;
/// From the reading of a symbol back to its first sample: the window and the low-pass lie behind.
const READING_DELAY: i64 = (watermark::SYMBOL_SAMPLES + TAPS / 2 - STEP / 2) as i64;

static LOWPASS: LazyLock<Vec<f32>> = LazyLock::new(|| formant::lowpass_taps(430.0, TAPS));
static MIXER: LazyLock<[(f32, f32); MIXER_PERIOD]> = LazyLock::new(|| {
    std::array::from_fn(|index| {
        let angle = -TAU * ((index * 27) % MIXER_PERIOD) as f32 / MIXER_PERIOD as f32;
        (angle.cos(), angle.sin())
    })
});
static TONES: LazyLock<[[(f32, f32); SYMBOL]; 4]> = LazyLock::new(|| {
    watermark::TONE_OFFSETS_HZ.map(|hz| {
        let turns = (hz / 62.5) as i32;
        std::array::from_fn(|index| {
            let step = (turns * index as i32).rem_euclid(TONE_PERIOD as i32);
            let angle = -TAU * step as f32 / TONE_PERIOD as f32;
            (angle.cos(), angle.sin())
        })
    })
});

/// A word that came through whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The word, exactly as it was spoken.
    pub text: String,
    /// First sample of its watermark, counted from the listener's origin; exact to 4 ms.
    pub start: u64,
    /// Sample after its watermark.
    pub end: u64,
}

/// The words in a row, one space between them.
pub fn transcript<'a>(words: impl IntoIterator<Item = &'a Heard>) -> String {
    words.into_iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// One reading of the four tones.
#[derive(Debug, Clone, Copy)]
struct Reading {
    symbol: u8,
    dominance: f32,
}

/// A streaming decoder of the watermark.
#[derive(Debug, Clone)]
pub struct Listener {
    /// Position of the next input sample.
    position: u64,
    /// Position of the first input sample ever.
    origin: u64,
    /// The last [`TAPS`] input samples and those since the last reading, mixed down, oldest first.
    mixed: Vec<(f32, f32)>,
    /// The last [`SYMBOL`] baseband samples.
    baseband: VecDeque<(f32, f32)>,
    /// Readings not yet ruled out as the beginning of a word.
    readings: VecDeque<Reading>,
    /// Readings given up before the first of `readings`.
    forgotten: u64,
}

impl Default for Listener {
    fn default() -> Self {
        Self::starting_at(0)
    }
}

impl Listener {
    /// A listener whose first sample is sample 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// A listener whose first sample has that position.
    pub fn starting_at(position: u64) -> Self {
        Self {
            position,
            origin: position,
            mixed: vec![(0.0, 0.0); TAPS],
            baseband: VecDeque::from(vec![(0.0, 0.0); SYMBOL]),
            readings: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// Position of the next sample.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Hears the next samples at 8 kHz; returns the words that were completed by them.
    pub fn push(&mut self, samples: &[i16]) -> Vec<Heard> {
        for &sample in samples {
            let since = (self.position - self.origin) as usize;
            let (cos, sin) = MIXER[since % MIXER_PERIOD];
            let sample = f32::from(sample);
            self.mixed.push((sample * cos, sample * sin));
            self.position += 1;
            if since % STEP == STEP - 1 {
                self.read();
            }
        }
        self.scan()
    }

    /// Says that nothing more will come; returns the words that still waited for room behind them.
    pub fn finish(mut self) -> Vec<Heard> {
        let longest = watermark::block_symbols(watermark::MAX_BYTES) * watermark::SYMBOL_SAMPLES;
        self.push(&vec![0; longest + TAPS])
    }

    /// One baseband sample and one reading from what was mixed down so far.
    fn read(&mut self) {
        let window = &self.mixed[self.mixed.len() - TAPS..];
        let sample = window
            .iter()
            .zip(LOWPASS.iter())
            .fold((0.0, 0.0), |sum, (sample, tap)| (sum.0 + sample.0 * tap, sum.1 + sample.1 * tap));
        self.mixed.drain(..self.mixed.len() - TAPS);
        self.baseband.pop_front();
        self.baseband.push_back(sample);

        let power = TONES.each_ref().map(|tone| {
            let (re, im) = self.baseband.iter().zip(tone).fold((0.0, 0.0), |(re, im), (sample, turn)| {
                (re + sample.0 * turn.0 - sample.1 * turn.1, im + sample.0 * turn.1 + sample.1 * turn.0)
            });
            re * re + im * im
        });
        let mut best = 0;
        for tone in 1..power.len() {
            if power[tone] > power[best] {
                best = tone;
            }
        }
        let total: f32 = power.iter().sum();
        let dominance = if total > 0.0 { power[best] / total } else { 0.0 };
        self.readings.push_back(Reading { symbol: best as u8, dominance });
    }

    /// Tries every reading as the first of a word, until one would need readings that are not there yet.
    fn scan(&mut self) -> Vec<Heard> {
        let mut heard = Vec::new();
        loop {
            match self.block_at(0) {
                Block::Unfinished => return heard,
                Block::None => self.forget(1),
                Block::Word { text, symbols, dominance } => {
                    let Some((offset, text)) = self.sharpest(text, symbols, dominance) else { return heard };
                    let samples = (symbols * watermark::SYMBOL_SAMPLES) as u64;
                    let first = ((self.forgotten as usize + offset + 1) * STEP) as i64 - READING_DELAY;
                    let start = self.origin.saturating_add_signed(first);
                    heard.push(Heard { text, start, end: start + samples });
                    // the next word's preamble cannot begin before the last symbol is over
                    self.forget((offset + (symbols - 1) * SYMBOL) as u64);
                }
            }
        }
    }

    /// The same word reads well at neighbouring milliseconds: takes the one in the middle of its symbols.
    /// `None` while the neighbours are not there yet.
    fn sharpest(&self, text: String, symbols: usize, dominance: f32) -> Option<(usize, String)> {
        if self.readings.len() < (symbols + 1) * SYMBOL {
            return None;
        }
        let mut best = (0, dominance);
        for offset in 1..SYMBOL {
            match self.block_at(offset) {
                Block::Word { text: again, dominance, .. } if again == text => {
                    if dominance > best.1 {
                        best = (offset, dominance);
                    }
                }
                Block::Word { .. } | Block::None | Block::Unfinished => break,
            }
        }
        Some((best.0, text))
    }

    fn block_at(&self, offset: usize) -> Block {
        let symbol = |index: usize| self.readings[offset + index * SYMBOL].symbol;
        let reaches = |symbols: usize| self.readings.len() > offset + (symbols - 1) * SYMBOL;
        if !reaches(watermark::HEAD_SYMBOLS) {
            return Block::Unfinished;
        }
        let Some(bytes) = watermark::read_head(symbol) else { return Block::None };
        let clear = |symbols: usize| {
            let sum: f32 = (0..symbols).map(|index| self.readings[offset + index * SYMBOL].dominance).sum();
            sum / symbols as f32
        };
        if clear(watermark::HEAD_SYMBOLS) < MIN_DOMINANCE {
            return Block::None;
        }
        let symbols = watermark::block_symbols(bytes);
        if !reaches(symbols) {
            return Block::Unfinished;
        }
        let dominance = clear(symbols);
        match watermark::read_word(symbol, bytes) {
            Some(text) if dominance >= MIN_DOMINANCE => Block::Word { text, symbols, dominance },
            Some(_) | None => Block::None,
        }
    }

    fn forget(&mut self, readings: u64) {
        self.readings.drain(..readings as usize);
        self.forgotten += readings;
    }
}

/// What stands at one reading.
enum Block {
    /// No word begins here.
    None,
    /// Perhaps a word; its end has not been heard.
    Unfinished,
    /// A word.
    Word { text: String, symbols: usize, dominance: f32 },
}

const _: () = assert!(RATE_HZ as usize == 8 * 1_000);
