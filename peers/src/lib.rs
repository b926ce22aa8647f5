//! The other side of a call, for tests, `tandem simulate` and benches: carriers, vendors and callers as models.
//!
//! Place: stands on `domain` and `codecs`; the binary's `simulate` and everybody's tests use it, the switch never does.
//!
//! | module | what it plays |
//! |--------|---------------|
//! | [`carrier`] | a carrier's side of its media socket, strict to the letter of its protocol |
//! | [`caller`], [`ear`] | a person with a script, and what that person hears |
//! | [`mock`] | the vendors' wires, served on one port |
//! | [`voice`] | speech whose words can be heard without a recogniser |
//! | [`vendor`] | recogniser and synthesiser behind the ports of `domain`, with faults on request |
//! | [`dice`] | chance that repeats by its seed |
//! | [`wer`] | word error rate between what was said and what was heard |
//! | [`universe`] | whole calls drawn from a seed: voices, noise, the line, vendors, and what was heard |
//! | [`simulate`] | the driver: one scripted caller on a real socket, in real time |
//!
//! All but the socket driver and the vendors' timers is sans-IO: time comes in by argument. Nothing here shares code with the
//! switch's own side of a protocol: each is written from the protocol's description, so that the two check each other.

pub mod caller;
pub mod carrier;
mod clock;
pub mod dice;
pub mod ear;
mod millis;
pub mod mock;
pub mod simulate;
pub mod universe;
pub mod vendor;
pub mod voice;
pub mod wer;
