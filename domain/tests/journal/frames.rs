//! Journals as a forger sees them: taken apart and put together again by the description of the format, not by the code that writes them.

use sha2::{Digest, Sha256};

/// Magic and version.
const BEGINNING: usize = 10;

/// The payloads of a journal's entries: header, steps, closing.
pub(crate) fn payloads(journal: &[u8]) -> Vec<Vec<u8>> {
    let (mut at, mut payloads) = (BEGINNING, Vec::new());
    while at < journal.len() {
        let length = u32::from_le_bytes(journal[at..at + 4].try_into().unwrap()) as usize;
        payloads.push(journal[at + 4..at + 4 + length].to_vec());
        at += 4 + length + 8;
    }
    payloads
}

/// A journal of these entries, with seals that fit.
pub(crate) fn sealed(beginning: &[u8], payloads: &[Vec<u8>]) -> Vec<u8> {
    let mut journal = beginning[..BEGINNING].to_vec();
    let mut seal = Sha256::digest(&journal).to_vec();
    for payload in payloads {
        journal.extend((payload.len() as u32).to_le_bytes());
        journal.extend(payload);
        seal = Sha256::digest([seal, payload.clone()].concat()).to_vec();
        journal.extend(&seal[..8]);
    }
    journal
}

/// The same journal with the first `old` of its last entry that has one written over by `new`, of the same length, and sealed again.
pub(crate) fn forged(journal: &[u8], old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    assert_eq!(old.len(), new.len());
    let mut payloads = payloads(journal);
    let place = |payload: &Vec<u8>| payload.windows(old.len()).position(|window| window == old);
    let (payload, at) = payloads.iter_mut().rev().find_map(|payload| place(payload).map(|at| (payload, at)))?;
    payload[at..at + new.len()].copy_from_slice(new);
    Some(sealed(journal, &payloads))
}
