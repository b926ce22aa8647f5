//! G.711: mu-law and A-law, by tables that the compiler builds.
//!
//! Place: behind [`crate::format`]. Both laws are total: every byte decodes, every sample encodes.
//! Not here: comfort noise and concealment (G.711 appendices II and I), which are not codecs.
//!
//! Decoding takes 256 entries a law. Encoding takes 16,384 (mu-law looks at 14 bits) and 8,192
//! (A-law at 13) bytes, which fits the first cache. All 256 codes and all 65,536
//! samples of both laws are pinned against an independent implementation in `codecs/tests/g711.rs`.

static ULAW_TO_LINEAR: [i16; 256] = ulaw_decode_table();
static ALAW_TO_LINEAR: [i16; 256] = alaw_decode_table();
static LINEAR_TO_ULAW: [u8; 1 << 14] = ulaw_encode_table();
static LINEAR_TO_ALAW: [u8; 1 << 13] = alaw_encode_table();

/// Expands G.711 mu-law to linear PCM.
///
/// In: PCMU bytes as on the wire, one a sample. Out: as many `i16`, -32124..=32124, appended.
/// Source: ITU-T G.711 tables 2a and 2b, scaled from 14 bits to 16.
pub fn decode_ulaw(payload: &[u8], out: &mut Vec<i16>) {
    out.extend(payload.iter().map(|&code| ULAW_TO_LINEAR[usize::from(code)]));
}

/// Compresses linear PCM to G.711 mu-law.
///
/// In: any `i16`; beyond ±32635 the last code saturates. Out: one byte a sample, appended.
/// Source: ITU-T G.711 tables 2a and 2b. Zero becomes 0xff, so silence on the wire is 0xff.
pub fn encode_ulaw(samples: &[i16], out: &mut Vec<u8>) {
    out.extend(samples.iter().map(|&s| LINEAR_TO_ULAW[usize::from(s as u16 >> 2)]));
}

/// Expands G.711 A-law to linear PCM.
///
/// In: PCMA bytes as on the wire, one a sample. Out: as many `i16`, -32256..=32256, appended.
/// Never zero: the law has no code for it, the smallest values are ±8.
/// Source: ITU-T G.711 tables 1a and 1b, scaled from 13 bits to 16.
pub fn decode_alaw(payload: &[u8], out: &mut Vec<i16>) {
    out.extend(payload.iter().map(|&code| ALAW_TO_LINEAR[usize::from(code)]));
}

/// Compresses linear PCM to G.711 A-law.
///
/// In: any `i16`. Out: one byte a sample, appended. Zero becomes 0xd5.
/// Source: ITU-T G.711 tables 1a and 1b.
pub fn encode_alaw(samples: &[i16], out: &mut Vec<u8>) {
    out.extend(samples.iter().map(|&s| LINEAR_TO_ALAW[usize::from(s as u16 >> 3)]));
}

/// Added to a 14-bit mu-law magnitude so that every segment starts at a power of two.
const ULAW_BIAS: u32 = 33;

/// One mu-law code to 16 bits. The wire carries all bits inverted (G.711 3.2, table 2).
const fn expand_ulaw(code: u8) -> i16 {
    let bits = !code;
    let (segment, step) = ((bits >> 4 & 0b111) as i16, (bits & 0b1111) as i16);
    let magnitude = (((step * 2 + ULAW_BIAS as i16) << segment) - ULAW_BIAS as i16) * 4;
    if bits & 0x80 == 0 { magnitude } else { -magnitude }
}

/// One A-law code to 16 bits. The wire carries the even bits inverted (G.711 3.2, table 1).
const fn expand_alaw(code: u8) -> i16 {
    let bits = code ^ 0x55;
    let (segment, step) = ((bits >> 4 & 0b111) as i16, (bits & 0b1111) as i16);
    // Segments 0 and 1 share one step size; the +1 puts the value in the middle of its step.
    let magnitude = match segment {
        0 => step * 2 + 1,
        _ => (step * 2 + 33) << (segment - 1),
    } * 8;
    if bits & 0x80 == 0 { -magnitude } else { magnitude }
}

/// One 14-bit sample to mu-law. Negative values use the one's complement, so that the decision
/// values of both signs mirror each other as the tables demand.
const fn compress_ulaw(linear14: i16) -> u8 {
    let (sign, magnitude) = if linear14 < 0 { (0x80, !linear14) } else { (0, linear14) };
    let biased = magnitude as u32 + ULAW_BIAS;
    let segment = biased.ilog2() - 5;
    let code = if segment > 7 { 0x7f } else { segment << 4 | (biased >> (segment + 1) & 0b1111) };
    !(sign | code as u8)
}

/// One 13-bit sample to A-law, mirrored like [`compress_ulaw`].
const fn compress_alaw(linear13: i16) -> u8 {
    let (sign, magnitude) = if linear13 < 0 { (0, !linear13) } else { (0x80, linear13) };
    let magnitude = magnitude as u32;
    let code = if magnitude < 32 {
        magnitude >> 1
    } else {
        let segment = magnitude.ilog2() - 4;
        segment << 4 | (magnitude >> segment & 0b1111)
    };
    (sign | code as u8) ^ 0x55
}

// `const fn` has neither closures nor `for`, hence four plain loops.

const fn ulaw_decode_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < table.len() {
        table[code] = expand_ulaw(code as u8);
        code += 1;
    }
    table
}

const fn alaw_decode_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < table.len() {
        table[code] = expand_alaw(code as u8);
        code += 1;
    }
    table
}

/// Indexed by the sample's upper 14 bits read as unsigned.
const fn ulaw_encode_table() -> [u8; 1 << 14] {
    let mut table = [0; 1 << 14];
    let mut index = 0;
    while index < table.len() {
        table[index] = compress_ulaw(((index as u16) << 2) as i16 >> 2);
        index += 1;
    }
    table
}

/// Indexed by the sample's upper 13 bits read as unsigned.
const fn alaw_encode_table() -> [u8; 1 << 13] {
    let mut table = [0; 1 << 13];
    let mut index = 0;
    while index < table.len() {
        table[index] = compress_alaw(((index as u16) << 3) as i16 >> 3);
        index += 1;
    }
    table
}
