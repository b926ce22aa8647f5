//! Linear 16-bit PCM in both byte orders.
//!
//! Place: behind [`crate::format`]. RTP's L16 is big-endian (RFC 3551 4.5.11); carriers' WebSockets
//! send little-endian under the same name, so the order is always said, never guessed.

use crate::format::FormatError;

/// Reads samples with the low byte first, appended to `out`. An odd length is refused whole.
pub fn decode_le(payload: &[u8], out: &mut Vec<i16>) -> Result<(), FormatError> {
    decode(payload, out, i16::from_le_bytes)
}

/// Reads samples with the high byte first, appended to `out`. An odd length is refused whole.
pub fn decode_be(payload: &[u8], out: &mut Vec<i16>) -> Result<(), FormatError> {
    decode(payload, out, i16::from_be_bytes)
}

/// Writes samples with the low byte first, appended to `out`.
pub fn encode_le(samples: &[i16], out: &mut Vec<u8>) {
    out.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
}

/// Writes samples with the high byte first, appended to `out`.
pub fn encode_be(samples: &[i16], out: &mut Vec<u8>) {
    out.extend(samples.iter().flat_map(|s| s.to_be_bytes()));
}

fn decode(payload: &[u8], out: &mut Vec<i16>, sample: impl Fn([u8; 2]) -> i16) -> Result<(), FormatError> {
    let (pairs, rest) = payload.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(FormatError::OddLength { bytes: payload.len() });
    }
    out.extend(pairs.iter().map(|&pair| sample(pair)));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn byte_orders_differ_as_named() {
        let (mut le, mut be) = (Vec::new(), Vec::new());
        encode_le(&[0x0102, -2], &mut le);
        encode_be(&[0x0102, -2], &mut be);
        assert_eq!(le, [0x02, 0x01, 0xfe, 0xff]);
        assert_eq!(be, [0x01, 0x02, 0xff, 0xfe]);
    }

    proptest! {
        #[test]
        fn both_orders_are_lossless(samples in proptest::collection::vec(any::<i16>(), 0..400)) {
            let (mut wire, mut back) = (Vec::new(), Vec::new());
            encode_le(&samples, &mut wire);
            decode_le(&wire, &mut back).unwrap();
            prop_assert_eq!(&back, &samples);
            wire.clear();
            back.clear();
            encode_be(&samples, &mut wire);
            decode_be(&wire, &mut back).unwrap();
            prop_assert_eq!(&back, &samples);
        }
    }
}
