//! A voice's two files: the network, and the settings that came with it. Runs on whichever thread calls it.
//!
//! The network is a VITS model as Piper exports it. In: `input`, the ids of the sounds; `input_lengths`, their number; `scales`: how much
//! the timbre varies, how slow it speaks, how much the rhythm varies. Out: PCM from -1 to 1. Ids are `^`, each sound followed by `_`,
//! then `$`; the map from sounds to ids is in the settings. Source: piper-phonemize, `phoneme_ids.cpp`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use rten::{Model, NodeId, RunOptions, ThreadPool, Value};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use serde::Deserialize;
use tandem_codecs::{Pcm, RateError, SampleRate};
use unicode_normalization::UnicodeNormalization;

/// Most sounds at once, about 17 s of speech: memory and time of a run grow with them.
const MOST_SOUNDS: usize = 250;

/// How much slower than its settings say the voice speaks. By itself "joe" says "want an" as "won an" on the telephone: the recogniser missed 2
/// words in 6 times 8 sentences, at this pace 1, at 1.3 (unnatural) 8.
const SLOWNESS: f32 = 1.15;

/// A voice, loaded.
pub(super) struct Voice {
    model: Model,
    inputs: [NodeId; 3],
    output: NodeId,
    settings: Settings,
    rate: SampleRate,
}

/// What we read of the settings.
#[derive(Debug, Deserialize)]
struct Settings {
    audio: Audio,
    espeak: Espeak,
    inference: Scales,
    phoneme_id_map: HashMap<char, Vec<i32>>,
}

#[derive(Debug, Deserialize)]
struct Audio {
    sample_rate: u32,
}

#[derive(Debug, Deserialize)]
struct Espeak {
    voice: String,
}

#[derive(Debug, Deserialize)]
struct Scales {
    noise_scale: f32,
    length_scale: f32,
    noise_w: f32,
}

impl Voice {
    /// Reads `weights` and the settings beside them, `.json` appended. Takes a few hundred milliseconds.
    pub(super) fn load(weights: &Path) -> Result<Self, VoiceError> {
        let mut beside = weights.as_os_str().to_owned();
        beside.push(".json");
        let beside = PathBuf::from(beside);
        let text = fs::read(&beside).map_err(|source| VoiceError::File { path: beside.clone(), source })?;
        let settings: Settings =
            serde_json::from_slice(&text).map_err(|source| VoiceError::Settings { path: beside, source })?;
        let rate = SampleRate::new(settings.audio.sample_rate)?;
        let wrong = |error: String| VoiceError::Network { path: weights.to_owned(), error };
        let model = Model::load_file(weights).map_err(|error| wrong(error.to_string()))?;
        let node = |name| model.node_id(name).map_err(|error| wrong(error.to_string()));
        let inputs = [node("input")?, node("input_lengths")?, node("scales")?];
        let output = node("output")?;
        Ok(Self { model, inputs, output, settings, rate })
    }

    /// The name of espeak-ng's voice that this one was trained with.
    pub(super) fn espeak_voice(&self) -> &str {
        &self.settings.espeak.voice
    }

    /// The ids of `phonemes`, in as many runs as they need. Sounds that the voice does not know are left out.
    pub(super) fn runs(&self, phonemes: &str) -> Vec<Vec<i32>> {
        runs(&self.settings.phoneme_id_map, phonemes)
    }

    /// Speaks one run on `threads`.
    pub(super) fn speak(&self, ids: &[i32], threads: &Arc<ThreadPool>) -> Result<Pcm, VoiceError> {
        let Scales { noise_scale, length_scale, noise_w } = self.settings.inference;
        let count = i32::try_from(ids.len()).map_err(|_| VoiceError::Run("too many sounds".to_owned()))?;
        let [input, lengths, scales] = self.inputs;
        let inputs = vec![
            (input, NdTensor::from_data([1, ids.len()], ids.to_vec()).into()),
            (lengths, NdTensor::from([count]).into()),
            (scales, NdTensor::from([noise_scale, SLOWNESS * length_scale, noise_w]).into()),
        ];
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(threads)));
        let failed = |error: String| VoiceError::Run(error);
        let [output]: [Value; 1] =
            self.model.run_n(inputs, [self.output], Some(options)).map_err(|error| failed(error.to_string()))?;
        let output: NdTensor<f32, 4> = output.try_into().map_err(|_| failed("no sound".to_owned()))?;
        let samples = output.iter().map(|sample| (sample * 32_767.0) as i16); // a cast of floats saturates
        Ok(Pcm::new(self.rate, samples.collect::<Vec<_>>()))
    }
}

fn runs(map: &HashMap<char, Vec<i32>>, phonemes: &str) -> Vec<Vec<i32>> {
    let id = |sound: char| map.get(&sound).map_or(&[][..], Vec::as_slice);
    let mut rest: Vec<char> = phonemes.nfd().filter(|sound| map.contains_key(sound)).collect();
    let mut out = Vec::new();
    while !rest.is_empty() {
        // At a space, where there is one.
        let all = rest.len() <= MOST_SOUNDS;
        let end = if all {
            rest.len()
        } else {
            rest[..MOST_SOUNDS].iter().rposition(|c| *c == ' ').map_or(MOST_SOUNDS, |at| at + 1)
        };
        let mut ids = [id('^'), id('_')].concat();
        for sound in rest.drain(..end) {
            ids.extend_from_slice(id(sound));
            ids.extend_from_slice(id('_'));
        }
        ids.extend_from_slice(id('$'));
        out.push(ids);
    }
    out
}

/// Why a voice cannot be loaded, or did not speak.
#[derive(Debug, thiserror::Error)]
pub(super) enum VoiceError {
    /// The settings are not there.
    #[error("cannot read {path}: {source}", path = .path.display())]
    File { path: PathBuf, source: io::Error },
    /// The settings are not a voice's.
    #[error("{path} is not a voice's settings: {source}", path = .path.display())]
    Settings { path: PathBuf, source: serde_json::Error },
    /// The settings name a rate that we cannot convert.
    #[error(transparent)]
    Rate(#[from] RateError),
    /// The weights are not a voice's.
    #[error("{path} is not a voice: {error}", path = .path.display())]
    Network { path: PathBuf, error: String },
    /// The network did not run.
    #[error("{0}")]
    Run(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> HashMap<char, Vec<i32>> {
        "_^$ abc\u{303}.".chars().zip(0..).map(|(sound, id)| (sound, vec![id])).collect()
    }

    #[test]
    fn sounds_stand_between_pads() {
        assert_eq!(runs(&map(), "ab."), [[1, 0, 4, 0, 5, 0, 8, 0, 2]]);
        assert_eq!(runs(&map(), "\u{e3}"), [[1, 0, 4, 0, 7, 0, 2]], "an accent is a sound of its own");
        assert_eq!(runs(&map(), "a?\u{1F600}"), [[1, 0, 4, 0, 2]], "unknown sounds are left out");
        assert!(runs(&map(), "?").is_empty() && runs(&map(), "").is_empty());
    }

    #[test]
    fn a_run_is_bounded_and_ends_at_a_word() {
        let long = "abc ".repeat(200) + &"b".repeat(600);
        let runs = runs(&map(), &long);
        assert!(runs.iter().all(|ids| ids.len() <= 2 * MOST_SOUNDS + 3), "{:?}", runs.iter().map(Vec::len));
        assert_eq!(runs.iter().map(|ids| (ids.len() - 3) / 2).sum::<usize>(), long.len());
        assert_eq!(runs[0][runs[0].len() - 3..], [3, 0, 2], "a space, a pad, the end");
    }
}
