//! Parts of a file that a client asks for (RFC 9110 section 14). Pure.
//!
//! One range at a time: for several, the whole is a right answer too (section 14.2), and no player asks for them.

use std::ops::Range;

/// What to send of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// These bytes; never none.
    Bytes(Range<u64>),
    /// The range lies outside.
    Outside,
}

/// What the `Range` header asks for of a file of `length` bytes. What is no byte range is ignored.
pub(super) fn asked(header: &str, length: u64) -> Part {
    let Some(range) = header.trim().strip_prefix("bytes=") else { return Part::Whole };
    let Some((first, last)) = range.trim().split_once('-') else { return Part::Whole };
    let (first, last) = match (number(first), number(last)) {
        (Some(Some(first)), Some(Some(last))) if first <= last => (first, last.saturating_add(1).min(length)),
        (Some(Some(first)), Some(None)) => (first, length),
        (Some(None), Some(Some(suffix))) => (length.saturating_sub(suffix), length),
        _ => return Part::Whole,
    };
    if first < last { Part::Bytes(first..last) } else { Part::Outside }
}

/// A number of digits alone, or nothing; `None` for anything else. What is too large for us is beyond every file.
fn number(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| if text.is_empty() { None } else { Some(text.parse().unwrap_or(u64::MAX)) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (header, part) in [
            ("bytes=0-0", Part::Bytes(0..1)),
            ("bytes=10-", Part::Bytes(10..100)),
            ("bytes=10-19", Part::Bytes(10..20)),
            ("bytes=90-1000", Part::Bytes(90..100)),
            ("bytes=-30", Part::Bytes(70..100)),
            ("bytes=-300", Part::Bytes(0..100)),
            ("bytes=99-99999999999999999999999", Part::Bytes(99..100)),
            ("bytes=100-", Part::Outside),
            ("bytes=99999999999999999999999-", Part::Outside),
            ("bytes=-0", Part::Outside),
            ("bytes=5-4", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("samples=0-1", Part::Whole),
            ("", Part::Whole),
        ] {
            assert_eq!(asked(header, 100), part, "{header}");
        }
        assert_eq!(asked("bytes=0-", 0), Part::Outside);
    }

    proptest! {
        #[test]
        fn no_header_leads_out_of_the_file(header in "(bytes=)?[0-9,-]{0,30}", length: u64) {
            if let Part::Bytes(range) = asked(&header, length) {
                prop_assert!(range.start < range.end && range.end <= length);
            }
        }
    }
}
