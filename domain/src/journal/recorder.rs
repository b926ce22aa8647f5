//! Writes a journal, in memory, up to a bound.

use std::time::Instant;

use super::entry::{CLOSING, Due, EFFECT, INPUT, Offset, Origin, SETTLED, WrittenEffect, WrittenInput, pack};
use super::seal::{SEAL_BYTES, Seal};
use super::{Closing, Header, MAGIC, VERSION};
use crate::call_core::Effect;

/// Bytes of an entry's length.
pub(super) const LENGTH_BYTES: usize = 4;

/// The journal of a call while it is written.
#[derive(Debug)]
pub struct Recorder {
    origin: Origin,
    bytes: Vec<u8>,
    seal: Seal,
    most_bytes: usize,
    /// Where the step begins that is being written.
    open: Option<usize>,
    /// Nothing more is taken.
    full: bool,
    /// The core has said that the call is over.
    ended: bool,
}

impl Recorder {
    /// A journal that begins at `origin` and takes at most `most_bytes`, its closing not counted.
    pub fn new(header: &Header, origin: Instant, most_bytes: usize) -> Self {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        let mut recorder = Self {
            origin: Origin(origin),
            seal: Seal::over(&bytes),
            bytes,
            most_bytes: most_bytes.min(u32::MAX as usize),
            open: None,
            full: false,
            ended: false,
        };
        let begins = recorder.begin();
        recorder.full = !pack(header, &mut recorder.bytes);
        recorder.finish(begins);
        recorder
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The journal as far as it goes. `over`: the call is no longer there to go on.
    pub fn journal(&self, over: bool) -> Vec<u8> {
        let closing = match (self.full, self.ended, over) {
            (true, ..) => Closing::Full,
            (false, true, _) => Closing::Ended,
            (false, false, true) => Closing::Died,
            (false, false, false) => Closing::Running,
        };
        let (mut bytes, mut seal) = (self.bytes.clone(), self.seal.clone());
        if let Some(begins) = self.open {
            close_frame(&mut bytes, begins, &mut seal);
        }
        let begins = bytes.len();
        bytes.extend([0; LENGTH_BYTES]);
        bytes.extend([CLOSING, closing.code()]);
        close_frame(&mut bytes, begins, &mut seal);
        bytes
    }

    pub(super) fn origin(&self) -> Origin {
        self.origin
    }

    pub(super) fn input(&mut self, now: Instant, input: &WrittenInput) {
        let at: Offset = self.origin.offset(now);
        self.write(INPUT, &(at, input));
    }

    pub(super) fn effect(&mut self, effect: &Effect) {
        self.write(EFFECT, &WrittenEffect::of(effect, self.origin));
        self.ended |= matches!(effect, Effect::End(_));
    }

    /// All effects of the step were taken; the core waits for this.
    pub(super) fn settled(&mut self, due: Option<(Instant, &'static str)>) {
        if self.open.is_none() {
            return; // asked again, with nothing new
        }
        self.write(SETTLED, &Due::of(due, self.origin));
        if let Some(begins) = self.open.take() {
            self.finish(begins);
        }
    }

    /// Adds to the open step, or opens one. A step that finds no room is taken out again, whole.
    fn write(&mut self, kind: u8, value: &impl serde::Serialize) {
        if self.full {
            return;
        }
        let begins = match self.open {
            Some(begins) => begins,
            None => self.begin(),
        };
        self.open = Some(begins);
        self.bytes.push(kind);
        if !pack(value, &mut self.bytes) || self.bytes.len() + SEAL_BYTES > self.most_bytes {
            self.bytes.truncate(begins);
            self.open = None;
            self.full = true;
        }
    }

    fn begin(&mut self) -> usize {
        let begins = self.bytes.len();
        self.bytes.extend([0; LENGTH_BYTES]);
        begins
    }

    fn finish(&mut self, begins: usize) {
        close_frame(&mut self.bytes, begins, &mut self.seal);
    }
}

/// Writes the length and the seal of the entry that begins there and reaches to the end.
fn close_frame(bytes: &mut Vec<u8>, begins: usize, seal: &mut Seal) {
    let payload = begins + LENGTH_BYTES;
    let length = u32::try_from(bytes.len() - payload).expect("a journal is far below 4 GB");
    bytes[begins..payload].copy_from_slice(&length.to_le_bytes());
    let seal = seal.next(&bytes[payload..]);
    bytes.extend(seal);
}
