//! What the caller does, as written on the command line or in a file.
//!
//! ```toml
//! [[step]]
//! say = "I want an apartment in Delhi"      # when the agent has finished
//! [[step]]
//! wav = "sixty-lakh.wav"                    # a recording, any rate; relative to this file
//! [[step]]
//! interrupt = "no, fifty lakh"              # over the agent's next words
//! after_ms = 800                            # since they began
//! [[step]]
//! keys = "12#"
//! [[step]]
//! silence_ms = 3000                         # whatever the agent does
//! [[step]]
//! wait = true                               # lets one go of the agent pass
//! [[step]]
//! hang_up = true
//! ```

use std::fs;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tandem_codecs::{SampleRate, WavError, resample_all, wav};
use tandem_peers::caller::{Line, Rendered, Step};

/// Why a script cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A recording cannot be used.
    #[error("cannot use the recording {}", path.display())]
    Wav {
        /// Which.
        path: PathBuf,
        /// Why.
        source: WavError,
    },
    /// The file is no script.
    #[error("{} is not a script", path.display())]
    Toml {
        /// Which.
        path: PathBuf,
        /// Where in it, and why.
        source: toml::de::Error,
    },
    /// A step says nothing or more than one thing.
    #[error(
        "{}: step {number} must have one of say, wav, interrupt (with after_ms), keys, silence_ms, wait, hang_up",
        path.display()
    )]
    Step {
        /// Which file.
        path: PathBuf,
        /// Which step, counted from 1.
        number: usize,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    step: Vec<Written>,
}

/// A step as written. Exactly one kind of it counts.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    say: Option<String>,
    wav: Option<PathBuf>,
    interrupt: Option<String>,
    after_ms: Option<u64>,
    keys: Option<String>,
    silence_ms: Option<u64>,
    wait: bool,
    hang_up: bool,
}

/// Reads a script file.
pub(super) fn read(path: &Path) -> Result<Vec<Step<Line>>, ScriptError> {
    let text = fs::read_to_string(path).map_err(|source| ScriptError::Read { path: path.to_owned(), source })?;
    let file: File = toml::from_str(&text).map_err(|source| ScriptError::Toml { path: path.to_owned(), source })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let steps = file.step.into_iter().enumerate().map(|(index, written)| match written {
        Written { wav: Some(ref wav), .. } if written == (Written { wav: Some(wav.clone()), ..Written::default() }) => {
            recording(&folder.join(wav))
        }
        written => step(written).ok_or_else(|| ScriptError::Step { path: path.to_owned(), number: index + 1 }),
    });
    steps.collect()
}

/// A step that needs no other file; `None` if it is not exactly one.
fn step(written: Written) -> Option<Step<Line>> {
    let Written { say, wav: None, interrupt, after_ms, keys, silence_ms, wait, hang_up } = written else { return None };
    match (say, interrupt, after_ms, keys, silence_ms, wait, hang_up) {
        (Some(text), None, None, None, None, false, false) => Some(Step::Say(Line::Text(text))),
        (None, Some(text), after_ms, None, None, false, false) => {
            let after = Duration::from_millis(after_ms.unwrap_or_default());
            Some(Step::Interrupt { after, say: Line::Text(text) })
        }
        (None, None, None, Some(keys), None, false, false) => Some(Step::Dtmf(keys)),
        (None, None, None, None, Some(length), false, false) => Some(Step::Silence(Duration::from_millis(length))),
        (None, None, None, None, None, true, false) => Some(Step::Wait),
        (None, None, None, None, None, false, true) => Some(Step::HangUp),
        _ => None,
    }
}

/// A step that plays a recording.
pub(in crate::cli) fn recording(path: &Path) -> Result<Step<Line>, ScriptError> {
    let file = fs::File::open(path).map_err(|source| ScriptError::Read { path: path.to_owned(), source })?;
    let pcm = wav::read(BufReader::new(file)).map_err(|source| ScriptError::Wav { path: path.to_owned(), source })?;
    let samples = resample_all(&pcm.samples, pcm.rate, SampleRate::HZ_8000).into();
    let text = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Step::Say(Line::Audio(Rendered { text, samples })))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read_text(text: &str) -> Result<Vec<Step<Line>>, ScriptError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("caller.toml");
        fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn every_step_of_the_documentation() {
        let text = "[[step]]\nsay='a'\n[[step]]\ninterrupt='b'\nafter_ms=800\n[[step]]\nkeys='12#'\n\
            [[step]]\nsilence_ms=3000\n[[step]]\nwait=true\n[[step]]\nhang_up=true\n";
        let line = |text: &str| Line::Text(text.to_owned());
        let expected = [
            Step::Say(line("a")),
            Step::Interrupt { after: Duration::from_millis(800), say: line("b") },
            Step::Dtmf("12#".to_owned()),
            Step::Silence(Duration::from_secs(3)),
            Step::Wait,
            Step::HangUp,
        ];
        assert_eq!(read_text(text).unwrap(), expected);
    }

    #[test]
    fn a_step_is_one_thing() {
        for text in [
            "[[step]]\nsay='a'\nwait=true",
            "[[step]]\n",
            "[[step]]\nsay='a'\nafter_ms=1",
            "[[step]]\nwav='a'\nwait=true",
        ] {
            assert!(matches!(read_text(text), Err(ScriptError::Step { number: 1, .. })), "{text}");
        }
        assert!(matches!(read_text("[[step]]\nshout='a'"), Err(ScriptError::Toml { .. })));
        assert!(matches!(read_text("[[step]]\nwav='absent.wav'"), Err(ScriptError::Read { .. })));
    }
}
