//! Public ids of rows whose records carry none.
//!
//! They are made from the record itself: the same record always is the same row, so applying it again finds it there, and a run that is
//! repeated gives the same ids.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// A version 7 UUID (RFC 9562 5.7): milliseconds of `at`, then, in place of random bits, a hash of `parts`.
///
/// `parts` must tell the row from every other of its table. Instants before 1970 count as 1970.
pub(crate) fn row_uuid(at: DateTime<Utc>, parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes()); // so that "ab", "c" is not "a", "bc"
        hash.update(part);
    }
    let mut tail = [0; 10];
    tail.copy_from_slice(&hash.finalize()[..10]);
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_rows_apart_and_repeats_itself() {
        let at = DateTime::from_timestamp_millis(1_735_689_600_123).expect("a valid instant");
        let id = row_uuid(at, &[b"ab", b"c"]);
        assert_eq!(id, row_uuid(at, &[b"ab", b"c"]));
        assert_ne!(id, row_uuid(at, &[b"a", b"bc"]));
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_timestamp().map(|t| t.to_unix()), Some((1_735_689_600, 123_000_000)));
    }
}
