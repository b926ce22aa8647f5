//! Speech by the flite program, kept in a folder.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};
use tandem_codecs::{Level, Pcm, SampleRate, WavError, resample_all, wav};
use tempfile::NamedTempFile;

use crate::voice::{NotEnoughRoom, room_for};

const PROGRAM: &str = "flite";
/// Part of every file's name: raise it when [`Flite::render`] changes what it makes.
const EDITION: u32 = 1;
/// Windows this far under the loudest are silence, at both ends.
const SILENT_BELOW_LOUDEST_DB: f32 = 35.0;
const WINDOW_SAMPLES: usize = 80;
/// Slower than this is no speech any more.
const SLOWEST: f64 = 3.0;
/// flite reads letters where people hum.
const SPELLING: [(&str, &str); 3] = [("mm-hmm", "um hum"), ("haan", "hahn"), ("uh-huh", "uh huh")];

/// Why flite said nothing.
#[derive(Debug, thiserror::Error)]
pub enum FliteError {
    /// The program is not there.
    #[error("flite cannot be started: run `make setup` or `apt-get install flite`")]
    Start(#[source] io::Error),
    /// The program ended with an error.
    #[error("flite ended with {status} on {text:?}")]
    Ended {
        /// Its exit status.
        status: std::process::ExitStatus,
        /// What it should have said.
        text: String,
    },
    /// The folder of recordings cannot be used.
    #[error("the folder of voices {} cannot be used: make it writable, or set XDG_CACHE_HOME", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// What it wrote is no recording.
    #[error("flite wrote no audio for {text:?}")]
    Audio {
        /// What it should have said.
        text: String,
        /// What is wrong with it, where that is known.
        source: Option<WavError>,
    },
    /// The speech has no room for its words, however slow.
    #[error(transparent)]
    TooShort(NotEnoughRoom),
}

/// The program and its recordings.
#[derive(Debug)]
pub(super) struct Flite {
    program: &'static str,
    folder: PathBuf,
    version: OnceLock<Vec<u8>>,
}

impl Flite {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { program: PROGRAM, folder, version: OnceLock::new() }
    }

    /// `text` in flite's voice of that name: 8 kHz mono, trimmed to where it sounds, long enough for its words' watermark.
    pub(super) fn speech(&self, voice: &'static str, text: &str) -> Result<Vec<i16>, FliteError> {
        let path = self.folder.join(format!("{voice}-{}.wav", self.digest(voice, text)?));
        if let Some(kept) = File::open(&path).ok().and_then(|file| wav::read(file).ok()) {
            return Ok(kept.samples.to_vec());
        }
        let speech = self.render(voice, text)?;
        self.keep(&path, &speech)?;
        Ok(speech)
    }

    /// Speaks it, and once more and slower if the words need more room.
    fn render(&self, voice: &str, text: &str) -> Result<Vec<i16>, FliteError> {
        let needed = room_for(text);
        let mut stretch = 1.0;
        loop {
            let speech = self.run(voice, text, stretch)?;
            if speech.is_empty() {
                return Err(FliteError::Audio { text: text.to_owned(), source: None });
            }
            if speech.len() >= needed {
                return Ok(speech);
            }
            if stretch >= SLOWEST {
                return Err(FliteError::TooShort(NotEnoughRoom { needed, there: speech.len() }));
            }
            // flite does not stretch quite as far as it is told
            stretch = (stretch * 1.08 * needed as f64 / speech.len() as f64).min(SLOWEST);
        }
    }

    fn run(&self, voice: &str, text: &str, stretch: f64) -> Result<Vec<i16>, FliteError> {
        let spelled = SPELLING.iter().fold(text.to_owned(), |text, (word, sound)| text.replace(word, sound));
        // flite writes the header last, so it needs a file and not a pipe
        let out = NamedTempFile::with_suffix(".wav").map_err(|error| self.unusable(error))?;
        let mut process = Command::new(self.program)
            .args(["-voice", voice, "--setf", &format!("duration_stretch={stretch:.3}"), "-f", "-", "-o"])
            .arg(out.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(FliteError::Start)?;
        if let Some(mut stdin) = process.stdin.take() {
            writeln!(stdin, "{spelled}").map_err(FliteError::Start)?;
        }
        let status = process.wait().map_err(FliteError::Start)?;
        if !status.success() {
            return Err(FliteError::Ended { status, text: text.to_owned() });
        }
        let spoken = wav::read(out.as_file())
            .map_err(|source| FliteError::Audio { text: text.to_owned(), source: Some(source) })?;
        Ok(trimmed(&resample_all(&spoken.samples, spoken.rate, SampleRate::HZ_8000)).to_vec())
    }

    /// Written beside its place and moved there: a reader sees a whole file or none.
    fn keep(&self, path: &Path, speech: &[i16]) -> Result<(), FliteError> {
        fs::create_dir_all(&self.folder).map_err(|error| self.unusable(error))?;
        let file = NamedTempFile::new_in(&self.folder).map_err(|error| self.unusable(error))?;
        let pcm = Pcm::new(SampleRate::HZ_8000, speech);
        wav::write_mono(io::BufWriter::new(file.as_file()), &pcm)
            .map_err(|error| self.unusable(io::Error::other(error)))?;
        file.persist(path).map_err(|error| self.unusable(error.error))?;
        Ok(())
    }

    fn digest(&self, voice: &str, text: &str) -> Result<String, FliteError> {
        let mut digest = Sha256::new();
        digest.update(EDITION.to_be_bytes());
        digest.update(self.version()?);
        for part in [voice, text] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Ok(digest.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect())
    }

    /// What flite says of itself.
    fn version(&self) -> Result<&[u8], FliteError> {
        if let Some(known) = self.version.get() {
            return Ok(known);
        }
        // it answers with exit code 1
        let said =
            Command::new(self.program).arg("--version").stdin(Stdio::null()).output().map_err(FliteError::Start)?;
        Ok(self.version.get_or_init(|| said.stdout))
    }

    fn unusable(&self, source: io::Error) -> FliteError {
        FliteError::Folder { folder: self.folder.clone(), source }
    }
}

/// From the first sound to the last.
fn trimmed(samples: &[i16]) -> &[i16] {
    let levels: Vec<f32> = samples.chunks(WINDOW_SAMPLES).map(|window| Level::of(window).rms_dbfs).collect();
    let loudest = levels.iter().copied().fold(f32::MIN, f32::max);
    let sounds = |level: &f32| *level > loudest - SILENT_BELOW_LOUDEST_DB && *level > -90.0;
    match levels.iter().position(sounds).zip(levels.iter().rposition(sounds)) {
        Some((first, last)) => &samples[first * WINDOW_SAMPLES..((last + 1) * WINDOW_SAMPLES).min(samples.len())],
        None => &[],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_machine_without_flite_is_told_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Flite { program: "no-such-synthesiser", ..Flite::new(folder.path().to_owned()) };
        let error = missing.speech("rms", "hello").unwrap_err().to_string();
        assert!(error.contains("make setup"), "{error}");
    }

    #[test]
    fn silence_is_cut_off_at_both_ends() {
        let padded = [vec![1; 800], vec![4_000; 800], vec![-1; 1_600]].concat();
        assert_eq!(trimmed(&padded), vec![4_000; 800]);
        assert!(trimmed(&[0; 800]).is_empty());
        assert!(trimmed(&[]).is_empty());
    }
}
