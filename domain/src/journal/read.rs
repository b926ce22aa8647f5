//! Reads a journal: all of it is checked and decoded before anything is done with it.

use std::io::Cursor;

use serde::de::{DeserializeOwned, IgnoredAny};

use super::entry::{CLOSING, Due, EFFECT, INPUT, LONGEST_SECS, Offset, SETTLED, WrittenInput};
use super::recorder::LENGTH_BYTES;
use super::seal::{SEAL_BYTES, Seal};
use super::{Closing, Header, MAGIC, VERSION};
use crate::agent::Timing;

/// Lists and maps within each other: no input of a call comes near it.
const MOST_DEPTH: usize = 256;

/// Why a file is no journal that can be trusted. Positions are bytes from its beginning; entries count from 0, the header.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// It begins otherwise.
    #[error("this is not the journal of a call: its first bytes are others")]
    NotAJournal,
    /// Of another time.
    #[error(
        "the journal has format {found}, and this program reads format {VERSION}: replay it with the program that wrote it"
    )]
    Version {
        /// What it has.
        found: u16,
    },
    /// Something is missing at the end.
    #[error(
        "the journal ends too early, in entry {entry} at byte {offset}: its end is missing, or a length before it was changed"
    )]
    Cut {
        /// Where its last, incomplete entry begins.
        offset: usize,
        /// Its number.
        entry: usize,
    },
    /// The seal does not fit.
    #[error("entry {entry} at byte {offset} is not what was written: it was changed, or one before it is missing")]
    Altered {
        /// Where the entry begins.
        offset: usize,
        /// Its number.
        entry: usize,
    },
    /// There is more after the closing.
    #[error("the journal ends at byte {offset} and the file does not: bytes too many: {more}")]
    Trailing {
        /// Where the journal ends.
        offset: usize,
        /// How many.
        more: usize,
    },
    /// The seal fits and the contents do not.
    #[error(
        "entry {entry} at byte {offset} cannot be understood ({detail}): replay it with the program that wrote it, if that is another version"
    )]
    Foreign {
        /// Where the entry begins.
        offset: usize,
        /// Its number.
        entry: usize,
        /// What does not fit.
        detail: String,
    },
}

/// A journal that is whole.
#[derive(Debug, Clone)]
pub struct Journal {
    pub(super) header: Header,
    pub(super) steps: Vec<Step>,
    pub(super) closing: Closing,
}

/// What the core was told and did until it had nothing more to do.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Where it stands in the file.
    pub(super) offset: usize,
    pub(super) parts: Vec<Part>,
}

#[derive(Debug, Clone)]
pub(super) enum Part {
    Input(Offset, WrittenInput),
    /// MessagePack.
    Effect(Vec<u8>),
    Settled(Option<Due>),
}

impl Journal {
    /// Reads a journal.
    pub fn read(bytes: &[u8]) -> Result<Self, Damage> {
        let mut entries = Entries::of(bytes)?;
        let (offset, payload) = entries.next()?;
        let foreign = |offset, entry| move |detail| Damage::Foreign { offset, entry, detail };
        let header = header(payload).map_err(foreign(offset, 0))?;
        let mut steps = Vec::new();
        loop {
            let (offset, payload) = entries.next()?;
            let entry = steps.len() + 1;
            if let [CLOSING, code] = payload {
                let unknown = || foreign(offset, entry)(format!("closing {code}"));
                let closing = Closing::of_code(*code).ok_or_else(unknown)?;
                entries.at_end()?;
                return Ok(Self { header, steps, closing });
            }
            let parts = parts(payload).map_err(foreign(offset, entry))?;
            steps.push(Step { offset, parts });
        }
    }

    /// Whose it is.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How it ends.
    pub fn closing(&self) -> Closing {
        self.closing
    }

    /// How many steps it has.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// Time of the last input: how much of the call it holds.
    pub fn length(&self) -> Offset {
        let inputs = self.steps.iter().flat_map(|step| &step.parts).filter_map(|part| match part {
            Part::Input(at, _) => Some(*at),
            Part::Effect(_) | Part::Settled(_) => None,
        });
        inputs.max().unwrap_or(Offset(0))
    }
}

/// The entries of a file, each with its place, seals checked.
struct Entries<'b> {
    bytes: &'b [u8],
    next: usize,
    entry: usize,
    seal: Seal,
}

impl<'b> Entries<'b> {
    fn of(bytes: &'b [u8]) -> Result<Self, Damage> {
        let beginning = MAGIC.len() + size_of_val(&VERSION);
        let Some(&[low, high]) = bytes.strip_prefix(&MAGIC).and_then(|rest| rest.first_chunk()) else {
            return Err(Damage::NotAJournal);
        };
        match u16::from_le_bytes([low, high]) {
            VERSION => Ok(Self { bytes, next: beginning, entry: 0, seal: Seal::over(&bytes[..beginning]) }),
            found => Err(Damage::Version { found }),
        }
    }

    /// The next entry: its place and its payload.
    fn next(&mut self) -> Result<(usize, &'b [u8]), Damage> {
        let (offset, entry) = (self.next, self.entry);
        let cut = Damage::Cut { offset, entry };
        let Some((length, rest)) = self.bytes[offset..].split_first_chunk::<LENGTH_BYTES>() else { return Err(cut) };
        let Some((payload, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize) else {
            return Err(cut);
        };
        let Some(seal) = rest.first_chunk::<SEAL_BYTES>() else { return Err(cut) };
        if self.seal.next(payload) != *seal {
            return Err(Damage::Altered { offset, entry });
        }
        self.next += LENGTH_BYTES + payload.len() + SEAL_BYTES;
        self.entry += 1;
        Ok((offset, payload))
    }

    fn at_end(&self) -> Result<(), Damage> {
        match self.bytes.len() - self.next {
            0 => Ok(()),
            more => Err(Damage::Trailing { offset: self.next, more }),
        }
    }
}

fn header(payload: &[u8]) -> Result<Header, String> {
    let (header, length) = unpack::<Header>(payload)?;
    if length != payload.len() {
        return Err("more than a header".to_owned());
    }
    // By name and without a rest: a new patience is one that the core counts with, too.
    let Timing {
        endpoint_silence,
        eagerness: _, // read as a number from 0 to 1
        spelling_patience: _,
        end_of_turn_model: _,
        preemptive_generation: _,
        barge_in_min_speech,
        interrupt_on_dtmf: _,
        turn_after_silence,
        end_after_silence,
        max_duration,
        soft_timeout,
        answer_limit,
    } = header.setup.timing;
    let spans = [endpoint_silence, barge_in_min_speech, turn_after_silence, max_duration, answer_limit];
    if spans.into_iter().chain(end_after_silence).chain(soft_timeout).any(|span| span.as_secs() > LONGEST_SECS) {
        return Err("a patience of more than a hundred years".to_owned());
    }
    Ok(header)
}

fn parts(mut payload: &[u8]) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    while let Some((kind, rest)) = payload.split_first() {
        let (part, length) = match *kind {
            INPUT => {
                let ((at, input), length) = unpack::<(Offset, WrittenInput)>(rest)?;
                if !at.is_sane() || !input.is_sane() {
                    return Err("a time of more than a hundred years, or as many samples".to_owned());
                }
                (Part::Input(at, input), length)
            }
            EFFECT => {
                let (IgnoredAny, length) = unpack(rest)?;
                (Part::Effect(rest[..length].to_vec()), length)
            }
            SETTLED => {
                let (due, length) = unpack(rest)?;
                (Part::Settled(due), length)
            }
            kind => return Err(format!("part of kind {kind}")),
        };
        parts.push(part);
        payload = &rest[length..];
    }
    Ok(parts)
}

/// The value that the bytes begin with, and its length.
pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), String> {
    let mut reader = rmp_serde::Deserializer::new(Cursor::new(bytes));
    reader.set_max_depth(MOST_DEPTH);
    let value = T::deserialize(&mut reader).map_err(|error| error.to_string())?;
    Ok((value, usize::try_from(reader.position()).unwrap_or(usize::MAX).min(bytes.len())))
}
