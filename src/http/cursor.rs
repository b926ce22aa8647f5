//! Where a page ended, as a text that clients carry back: opaque to them, checked by us.
//!
//! ```text
//! base64url( position, 16 bytes big-endian │ check, 8 bytes )        check = SHA-256(version, scope, position), cut
//! ```
//!
//! The scope is the list with its filters: a cursor that was cut short, made up, or taken to another list or to other filters is refused,
//! where it would silently skip rows. It is no secret and no permission: which rows exist for a caller is the query's business. So there
//! is no key, and a cursor outlives a restart and a move to another node.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

const VERSION: &[u8] = b"tandem-cursor/1";
const POSITION_BYTES: usize = 16;
const CHECK_BYTES: usize = 8;

/// The cursor of a page of `scope` that ended at `position`.
pub(super) fn encode(scope: &str, position: u128) -> String {
    URL_SAFE_NO_PAD.encode([position.to_be_bytes().as_slice(), &check(scope, position)].concat())
}

/// The position in a cursor; `None` if it is none of `scope`.
pub(super) fn decode(scope: &str, cursor: &str) -> Option<u128> {
    let mut bytes = [0; POSITION_BYTES + CHECK_BYTES];
    // A longer text does not fit into the buffer and is an error, not an allocation.
    let length = URL_SAFE_NO_PAD.decode_slice(cursor, &mut bytes).ok()?;
    let (position, check_of_it) = bytes[..length].split_first_chunk::<POSITION_BYTES>()?;
    let position = u128::from_be_bytes(*position);
    (check_of_it == check(scope, position)).then_some(position)
}

fn check(scope: &str, position: u128) -> [u8; CHECK_BYTES] {
    let mut digest = Sha256::new();
    digest.update(VERSION);
    digest.update((scope.len() as u64).to_be_bytes());
    digest.update(scope);
    digest.update(position.to_be_bytes());
    let digest = digest.finalize();
    std::array::from_fn(|index| digest[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_to_its_own_list_alone() {
        for position in [0, 7, u128::MAX] {
            let cursor = encode("calls", position);
            assert_eq!(decode("calls", &cursor), Some(position));
            assert_eq!(decode("calls?status=failed", &cursor), None);
            assert_eq!(decode("conversations", &cursor), None);
        }
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let cursor = encode("calls", 4711);
        for at in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(decode("calls", &changed), None, "{changed}");
            assert_eq!(decode("calls", &cursor[..at]), None);
        }
        for text in ["", "-1", "x", "ü", &"A".repeat(10_000), &format!("{cursor}A")] {
            assert_eq!(decode("calls", text), None, "{text}");
        }
    }
}
