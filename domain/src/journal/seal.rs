//! The seal of an entry: it holds for the entry and for all before it.

use sha2::{Digest as _, Sha256};

/// Bytes of a seal that are written: enough that no accident passes.
pub(super) const SEAL_BYTES: usize = 8;

/// The running seal.
#[derive(Debug, Clone)]
pub(super) struct Seal([u8; 32]);

impl Seal {
    /// Of a journal that begins so.
    pub(super) fn over(beginning: &[u8]) -> Self {
        Self(Sha256::digest(beginning).into())
    }

    /// Takes the next payload in and returns its seal as it is written.
    pub(super) fn next(&mut self, payload: &[u8]) -> [u8; SEAL_BYTES] {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(payload);
        self.0 = hash.finalize().into();
        let mut written = [0; SEAL_BYTES];
        written.copy_from_slice(&self.0[..SEAL_BYTES]);
        written
    }
}

/// The first 8 bytes of the hash, as people compare hashes.
pub(super) fn fingerprint(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
