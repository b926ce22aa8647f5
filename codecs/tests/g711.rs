//! Every code and every sample of both laws, against tables generated with the ITU's own tools.

use audio_codec_algorithms as reference;
use proptest::prelude::*;
use tandem_codecs::g711::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};

fn all_codes() -> Vec<u8> {
    (0..=u8::MAX).collect()
}

fn all_samples() -> Vec<i16> {
    (i16::MIN..=i16::MAX).collect()
}

fn decoded(law: fn(&[u8], &mut Vec<i16>), codes: &[u8]) -> Vec<i16> {
    let mut out = Vec::new();
    law(codes, &mut out);
    out
}

fn encoded(law: fn(&[i16], &mut Vec<u8>), samples: &[i16]) -> Vec<u8> {
    let mut out = Vec::new();
    law(samples, &mut out);
    out
}

#[test]
fn all_256_ulaw_codes_expand_as_the_itu_says() {
    let expected: Vec<i16> = all_codes().into_iter().map(reference::decode_ulaw).collect();
    assert_eq!(decoded(decode_ulaw, &all_codes()), expected);
}

#[test]
fn all_256_alaw_codes_expand_as_the_itu_says() {
    let expected: Vec<i16> = all_codes().into_iter().map(reference::decode_alaw).collect();
    assert_eq!(decoded(decode_alaw, &all_codes()), expected);
}

#[test]
fn all_65536_samples_compress_to_the_ulaw_code_of_the_itu() {
    let expected: Vec<u8> = all_samples().into_iter().map(reference::encode_ulaw).collect();
    assert_eq!(encoded(encode_ulaw, &all_samples()), expected);
}

#[test]
fn all_65536_samples_compress_to_the_alaw_code_of_the_itu() {
    let expected: Vec<u8> = all_samples().into_iter().map(reference::encode_alaw).collect();
    assert_eq!(encoded(encode_alaw, &all_samples()), expected);
}

/// Read by eye from G.711 tables 1a, 1b, 2a and 2b, so that the reference is checked too.
#[test]
fn landmarks_of_the_recommendation() {
    assert_eq!(decoded(decode_ulaw, &[0x80, 0x00, 0xff, 0x7f, 0xf0]), [32_124, -32_124, 0, 0, 120]);
    assert_eq!(decoded(decode_alaw, &[0xaa, 0x2a, 0xd5, 0x55]), [32_256, -32_256, 8, -8]);
    assert_eq!(encoded(encode_ulaw, &[0, i16::MAX, i16::MIN]), [0xff, 0x80, 0x00]);
    assert_eq!(encoded(encode_alaw, &[0, i16::MAX, i16::MIN]), [0xd5, 0xaa, 0x2a]);
}

#[test]
fn codes_survive_the_way_through_linear() {
    let codes = all_codes();
    assert_eq!(encoded(encode_alaw, &decoded(decode_alaw, &codes)), codes);
    // Mu-law has two zeros, 0xff and 0x7f; the positive one is what we send.
    let expected: Vec<u8> = codes.iter().map(|&c| if c == 0x7f { 0xff } else { c }).collect();
    assert_eq!(encoded(encode_ulaw, &decoded(decode_ulaw, &codes)), expected);
}

proptest! {
    /// Half of the widest step of the segment, relative to the magnitude: the law's promise.
    #[test]
    fn the_error_is_a_small_share_of_the_sample(sample in -32_124i16..=32_124) {
        let bound = |smallest: i32| (i32::from(sample).abs() / 32).max(smallest) + 4;
        let through_mu = decoded(decode_ulaw, &encoded(encode_ulaw, &[sample]))[0];
        prop_assert!((i32::from(through_mu) - i32::from(sample)).abs() <= bound(4));
        let through_a = decoded(decode_alaw, &encoded(encode_alaw, &[sample]))[0];
        prop_assert!((i32::from(through_a) - i32::from(sample)).abs() <= bound(8));
    }
}
