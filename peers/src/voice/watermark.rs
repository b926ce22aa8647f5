//! The watermark's symbols: how a word becomes tones, and how symbols become a word again.
//!
//! Four-tone FSK, 8 ms a symbol, tones 125 Hz apart and therefore orthogonal over one symbol. A word of n bytes takes
//! 17 + 4n symbols: preamble, length (6 bits), bytes, CRC-16 over length and bytes, most significant bits first.
//!
//! Why not nearer to 4 kHz: carriers and resamplers cut there. Why so loud (-36 dBFS): after a gain of -12 dB the tones
//! must still stand 20 dB above the steps of mu-law.

use std::f32::consts::TAU;

/// Samples of one symbol at 8 kHz.
pub(super) const SYMBOL_SAMPLES: usize = 64;
/// Middle of the four tones.
pub(super) const CENTRE_HZ: f32 = 3_375.0;
/// The tones, as offsets from the middle.
pub(super) const TONE_OFFSETS_HZ: [f32; 4] = [-187.5, -62.5, 62.5, 187.5];
/// Marks the beginning of a word.
pub(super) const PREAMBLE: [u8; 6] = [0, 3, 1, 3, 0, 2];
/// Longest word in bytes: what the length field holds.
pub(super) const MAX_BYTES: usize = 63;

/// Symbols of the length field.
const LENGTH_SYMBOLS: usize = 3;
/// Symbols of one byte.
const BYTE_SYMBOLS: usize = 4;
/// Symbols of the checksum.
const CRC_SYMBOLS: usize = 8;
/// Symbols from which a block's length is known.
pub(super) const HEAD_SYMBOLS: usize = PREAMBLE.len() + LENGTH_SYMBOLS;
/// -36 dBFS root mean square, as a sine's peak.
const AMPLITUDE: f32 = 734.0;
/// Ramp at both ends of a block: a hard start would splash into the voice band.
const RAMP_SAMPLES: usize = 16;

/// Symbols of a whole block for a word of `bytes`.
pub(super) const fn block_symbols(bytes: usize) -> usize {
    HEAD_SYMBOLS + bytes * BYTE_SYMBOLS + CRC_SYMBOLS
}

/// The block of one word.
pub(super) fn symbols(word: &[u8]) -> Vec<u8> {
    debug_assert!((1..=MAX_BYTES).contains(&word.len()));
    let mut out = Vec::with_capacity(block_symbols(word.len()));
    out.extend_from_slice(&PREAMBLE);
    push_bits(&mut out, word.len() as u16, LENGTH_SYMBOLS);
    for &byte in word {
        push_bits(&mut out, u16::from(byte), BYTE_SYMBOLS);
    }
    push_bits(&mut out, checksum(word), CRC_SYMBOLS);
    out
}

/// Bytes announced by a block's head; `None` unless preamble and length are good.
pub(super) fn read_head(symbols: impl Fn(usize) -> u8) -> Option<usize> {
    if PREAMBLE.iter().enumerate().any(|(index, &expected)| symbols(index) != expected) {
        return None;
    }
    let bytes = usize::from(pull_bits(&symbols, PREAMBLE.len(), LENGTH_SYMBOLS));
    (bytes > 0).then_some(bytes)
}

/// The word of a block whose head announced `bytes`; `None` if it came damaged.
pub(super) fn read_word(symbols: impl Fn(usize) -> u8, bytes: usize) -> Option<String> {
    let body = |index: usize| HEAD_SYMBOLS + index * BYTE_SYMBOLS;
    let word: Vec<u8> = (0..bytes).map(|index| pull_bits(&symbols, body(index), BYTE_SYMBOLS) as u8).collect();
    if pull_bits(&symbols, body(bytes), CRC_SYMBOLS) != checksum(&word) {
        return None;
    }
    String::from_utf8(word).ok()
}

/// Adds the tones of `symbols` to the beginning of `mix`; the phase runs through.
pub(super) fn add(mix: &mut [f32], symbols: &[u8]) {
    let length = symbols.len() * SYMBOL_SAMPLES;
    let mut phase = 0.0_f32;
    for (index, sample) in mix.iter_mut().take(length).enumerate() {
        let tone = TONE_OFFSETS_HZ[usize::from(symbols[index / SYMBOL_SAMPLES])];
        phase = (phase + TAU * (CENTRE_HZ + tone) / super::RATE_HZ as f32) % TAU;
        let from_edge = (index + 1).min(length - index);
        let ramp = (from_edge as f32 / RAMP_SAMPLES as f32).min(1.0);
        *sample += AMPLITUDE * ramp * phase.sin();
    }
}

fn push_bits(out: &mut Vec<u8>, value: u16, symbols: usize) {
    out.extend((0..symbols).rev().map(|index| (value >> (2 * index)) as u8 & 0b11));
}

fn pull_bits(symbols: &impl Fn(usize) -> u8, at: usize, count: usize) -> u16 {
    (at..at + count).fold(0, |value, index| value << 2 | u16::from(symbols(index)))
}

/// CRC-16 with the polynomial x^16 + x^12 + x^5 + 1, from 0xffff (ITU-T V.41), over length and bytes.
fn checksum(word: &[u8]) -> u16 {
    std::iter::once(word.len() as u8).chain(word.iter().copied()).fold(0xffff, |crc, byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_block_reads_back() {
        for word in ["I", "Delhi", "₹60", &"x".repeat(MAX_BYTES)] {
            let block = symbols(word.as_bytes());
            assert_eq!(block.len(), block_symbols(word.len()));
            let bytes = read_head(|index| block[index]).unwrap();
            assert_eq!(read_word(|index| block[index], bytes).unwrap(), *word);
        }
    }

    #[test]
    fn any_wrong_symbol_spoils_the_block() {
        let block = symbols(b"lakh");
        for index in 0..block.len() {
            for flip in 1..4 {
                let mut bent = block.clone();
                bent[index] ^= flip;
                let word = read_head(|index| bent[index])
                    .filter(|&bytes| block_symbols(bytes) <= bent.len())
                    .and_then(|bytes| read_word(|index| bent[index], bytes));
                assert_eq!(word, None, "symbol {index}");
            }
        }
    }

    #[test]
    fn checksum_is_the_published_one() {
        // check value of CRC-16/IBM-3740 is over "123456789" alone: the length is put before it here
        let plain = b"123456789".iter().fold(0xffff_u16, |crc, &byte| {
            (0..8)
                .fold(crc ^ u16::from(byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
        });
        assert_eq!(plain, 0x29b1);
    }
}
