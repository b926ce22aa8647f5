//! The callers' voices: three that flite speaks, and the formant talkers of [`crate::voice`].
//!
//! flite's are real enough for the detectors of speech, and carry the watermark under them, so that every word can still be followed
//! ([`crate::voice::mark`]). A phrase is spoken by flite once in the life of a cache folder and once a process read from it: calls by the
//! ten thousand share a few hundred recordings. The same flite gives the same samples, so a seed repeats wherever the same flite is.
//!
//! The files hold what flite said, at 8 kHz and trimmed, without words or level; their names are a digest of the voice, the text and of
//! flite's own version. Deleting the folder costs a minute.

mod flite;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::caller::Rendered;
use crate::dice::Dice;
use crate::universe::noise;
use crate::voice::{self, Talker};
use flite::Flite;

pub use flite::FliteError;

/// Whose voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// flite's `rms`, a man.
    Rms,
    /// flite's `awb`, a Scotsman.
    Awb,
    /// flite's `slt`, a woman.
    Slt,
    /// [`Talker::numbered`].
    Formant(u64),
}

impl Voice {
    /// The voices that flite speaks.
    pub const LOCAL: [Self; 3] = [Self::Rms, Self::Awb, Self::Slt];

    /// Any voice; three in four are flite's.
    pub fn draw(dice: &mut Dice) -> Self {
        match dice.chance(0.75) {
            true => dice.pick(&Self::LOCAL).copied().unwrap_or(Self::Rms),
            false => Self::Formant(dice.within(0..64)),
        }
    }
}

/// Why a line cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum CastError {
    /// The cast has no such voice.
    #[error("this cast was made without flite's voices: make it with `Cast::in_cache`")]
    WithoutFlite,
    /// flite failed.
    #[error(transparent)]
    Flite(#[from] FliteError),
}

/// What a voice said, by the voice and the text.
type Kept<T> = Mutex<HashMap<(Voice, String), T>>;

/// Speaks lines, and remembers them. Threads may share one.
#[derive(Debug)]
pub struct Cast {
    flite: Option<Flite>,
    lines: Kept<Rendered>,
    murmurs: Kept<Arc<[i16]>>,
}

impl Cast {
    /// A cast whose flite voices are kept in `folder`, which is made when the first is spoken.
    pub fn new(folder: PathBuf) -> Self {
        Self { flite: Some(Flite::new(folder)), lines: Mutex::default(), murmurs: Mutex::default() }
    }

    /// A cast that keeps its voices in the user's cache folder (`XDG_CACHE_HOME`, `~/.cache`, else the folder for temporary files).
    pub fn in_cache() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
        Self::new(cache.unwrap_or_else(std::env::temp_dir).join("tandem").join("voices"))
    }

    /// A cast of formant talkers alone: needs no program and no folder.
    pub fn without_flite() -> Self {
        Self { flite: None, lines: Mutex::default(), murmurs: Mutex::default() }
    }

    /// The line in that voice. Blocks for 60 to 150 ms where flite has never said it here.
    pub fn say(&self, voice: Voice, text: &str) -> Result<Rendered, CastError> {
        let key = (voice, text.to_owned());
        if let Some(line) = self.lines.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(line.clone());
        }
        let samples = match self.recording(voice, text)? {
            Recording::Talker(talker) => talker.speak(text).samples,
            Recording::Speech(speech) => voice::mark(&speech, text).map_err(FliteError::TooShort)?.samples,
        };
        let line = Rendered { text: text.to_owned(), samples: samples.into() };
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).insert(key, line.clone());
        Ok(line)
    }

    /// The same voice saying the same, with nothing by which a word could be told: somebody in the background.
    pub fn murmur(&self, voice: Voice, text: &str) -> Result<Arc<[i16]>, CastError> {
        let key = (voice, text.to_owned());
        if let Some(murmur) = self.murmurs.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(murmur));
        }
        let samples: Arc<[i16]> = match self.recording(voice, text)? {
            Recording::Talker(talker) => talker.murmur(text).into(),
            Recording::Speech(speech) => voice::unmarked(&speech).into(),
        };
        self.murmurs.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&samples));
        Ok(samples)
    }

    /// A cough, as a line without words.
    pub fn cough(&self, seed: u64) -> Rendered {
        Rendered { text: String::new(), samples: noise::cough(seed).into() }
    }

    /// Keys pressed in band, as a line without words.
    pub fn keys(&self, keys: &str) -> Rendered {
        Rendered { text: String::new(), samples: noise::dtmf(keys).into() }
    }

    fn recording(&self, voice: Voice, text: &str) -> Result<Recording, CastError> {
        let name = match voice {
            Voice::Formant(number) => return Ok(Recording::Talker(Talker::numbered(number))),
            Voice::Rms => "rms",
            Voice::Awb => "awb",
            Voice::Slt => "slt",
        };
        let flite = self.flite.as_ref().ok_or(CastError::WithoutFlite)?;
        Ok(Recording::Speech(flite.speech(name, text)?))
    }
}

/// What a voice is made from.
enum Recording {
    Talker(Talker),
    Speech(Vec<i16>),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    // what needs flite is in tests/cast.rs

    #[test]
    fn a_cast_without_flite_says_so() {
        let error = Cast::without_flite().say(Voice::Rms, "hello").unwrap_err().to_string();
        assert!(error.contains("Cast::in_cache"), "{error}");
        let line = Cast::without_flite().say(Voice::Formant(1), "hello").unwrap();
        assert_eq!(*line.samples, Talker::numbered(1).speak("hello").samples);
    }

    #[test]
    fn three_in_four_voices_are_flites() {
        let mut dice = Dice::new(1);
        let local = (0..4_000).filter(|_| Voice::LOCAL.contains(&Voice::draw(&mut dice))).count();
        assert!((2_880..3_120).contains(&local), "{local}");
    }
}
