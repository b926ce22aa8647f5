//! Which adapter serves speech. Names come from `STT_PROVIDER` and `TTS_PROVIDER`.

use std::sync::Arc;

use tandem_domain::port::stt::Stt;
use tandem_domain::port::tts::Tts;
use tandem_providers::tts::elevenlabs::ElevenLabs;
use tandem_providers::tts::order::{Limits, Order};

use super::Vendors;
use crate::config::Config;

/// Both directions of speech.
pub(crate) struct Speech {
    pub(crate) stt: Arc<dyn Stt>,
    pub(crate) tts: Arc<dyn Tts>,
}

/// Why an engine cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The speech model is not on this machine, or could not be brought here.
    #[cfg(feature = "local-speech")]
    #[error(transparent)]
    Model(#[from] tandem_providers::local::models::ModelError),
    /// The recogniser does not start.
    #[cfg(feature = "local-speech")]
    #[error("the recogniser does not start: reinstall its model with `tandem models install`")]
    Whisper(#[from] tandem_providers::local::whisper::WhisperError),
    /// The detector's model is none.
    #[cfg(feature = "local-speech")]
    #[error(transparent)]
    Detector(#[from] tandem_providers::local::silero::SileroError),
    /// The detector's model made its loader panic.
    #[error(
        "the model of the speech detector cannot be loaded: run `tandem models install --vad silero`, or set VAD_ENGINE=earshot"
    )]
    DetectorCrashed,
    /// The judge of turns cannot be run.
    #[error(transparent)]
    EndOfTurn(#[from] tandem_domain::port::end_of_turn::EndOfTurnError),
    /// Deepgram's settings are none.
    #[error(transparent)]
    Deepgram(#[from] tandem_providers::stt::deepgram::DeepgramError),
    /// The voice cannot speak: it is not on this machine, or its settings are none.
    #[error(transparent)]
    Voice(#[from] tandem_domain::port::tts::TtsError),
    /// The engines were left out of this build.
    #[error("this build has no local speech: build it with `--features local-speech`")]
    NotBuilt,
}

/// The engines of a configuration, started; those of `vendors` come first.
pub(crate) async fn speech(config: &Config, vendors: Vendors) -> Result<Speech, EngineError> {
    let tts = match vendors.tts {
        Some(tts) => tts,
        None => voice(config).await?,
    };
    let stt = match vendors.stt {
        Some(stt) => stt,
        None => super::recognisers::recogniser(config).await?,
    };
    Ok(Speech { stt, tts })
}

/// The recogniser that runs on this machine.
pub(super) async fn local_recogniser(config: &Config) -> Result<Arc<dyn Stt>, EngineError> {
    local::recogniser(config, &local::this_program()).await
}

/// The voices of a configuration, in their order. Behind hosted ones stands a local one, asked for or not: it needs no network.
async fn voice(config: &Config) -> Result<Arc<dyn Tts>, EngineError> {
    let mut voices: Vec<Arc<dyn Tts>> = Vec::new();
    for name in &config.engines.tts {
        match (*name, &config.engines.elevenlabs) {
            ("elevenlabs", Some(account)) => voices.push(Arc::new(ElevenLabs::start(account.clone())?)),
            ("elevenlabs", None) => {} // refused by the configuration
            (local, _) => match local::voice(config, local).await {
                Ok(voice) => voices.push(voice),
                Err(error) if voices.is_empty() => return Err(error),
                Err(error) => tracing::warn!(%error, "no local voice stands behind the hosted one"),
            },
        }
    }
    if config.engines.tts.iter().all(|name| *name == "elevenlabs") {
        match local::voice(config, "flite").await {
            Ok(voice) => voices.push(voice),
            Err(error) => tracing::warn!(%error, "no local voice stands behind the hosted one"),
        }
    }
    let mut voices = voices.into_iter();
    let first = voices.next().ok_or(EngineError::NotBuilt)?;
    if voices.len() == 0 {
        return Ok(first);
    }
    Ok(Arc::new(Order::new(first, voices, Limits::default())))
}

#[cfg(feature = "local-speech")]
pub(crate) use local::models_dir;
#[cfg(feature = "local-speech")]
pub use local::recogniser;

#[cfg(feature = "local-speech")]
mod local {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    use tandem_providers::local::clauses::Clauses;
    use tandem_providers::local::flite::{Flite, FliteConfig};
    use tandem_providers::local::models;
    use tandem_providers::local::piper::{Piper, PiperConfig};
    use tandem_providers::local::whisper::{WhisperConfig, WhisperPool};
    use tandem_providers::local::whisper_stt::WhisperStt;

    use super::{Arc, Config, EngineError, Limits, Order, Stt, Tts};

    /// The folder of speech models.
    pub(crate) fn models_dir(config: &Config) -> PathBuf {
        config.models_dir.clone().unwrap_or_else(models::models_dir)
    }

    /// Whisper in processes of `program`, which has to be a `tandem`: it is started as `program stt-worker …`.
    pub async fn recogniser(config: &Config, program: &Path) -> Result<Arc<dyn Stt>, EngineError> {
        let model = models::require_whisper(&models_dir(config))?;
        let worker = vec![program.into(), OsString::from("stt-worker")];
        let mut whisper = WhisperConfig::new(worker, model);
        if let Some(workers) = config.engines.workers {
            whisper.workers = workers;
        }
        let pool = WhisperPool::new(whisper);
        pool.warm().await?;
        Ok(Arc::new(WhisperStt::new(pool)))
    }

    /// flite, or Piper with flite behind it: a clause may take half of what the call waits before it takes a voice for dead.
    pub(super) async fn voice(config: &Config, name: &str) -> Result<Arc<dyn Tts>, EngineError> {
        let flite = Flite::new(FliteConfig::default());
        let there = flite.probe().await;
        if name != "piper" {
            there?;
            return Ok(Arc::new(flite));
        }
        let mut piper = PiperConfig::new(models::require_voice(&models_dir(config))?);
        if let Some(workers) = config.engines.workers {
            piper.workers = workers;
        }
        let piper: Arc<dyn Tts> = Arc::new(Piper::start(piper).await?);
        let voice: Arc<dyn Tts> = match there {
            Ok(()) => Arc::new(Order::new(piper, [Arc::new(flite) as Arc<dyn Tts>], Limits::default())),
            Err(error) => {
                tracing::warn!(%error, "no voice stands behind piper");
                piper
            }
        };
        Ok(Arc::new(Clauses::new(voice)))
    }

    /// This very program, also when its file was replaced by a newer one while it runs.
    pub(super) fn this_program() -> PathBuf {
        let link = Path::new("/proc/self/exe");
        if link.exists() {
            link.to_owned()
        } else {
            std::env::current_exe().unwrap_or_else(|_| PathBuf::from("tandem"))
        }
    }
}

#[cfg(not(feature = "local-speech"))]
mod local {
    use std::path::{Path, PathBuf};

    use super::{Arc, Config, EngineError, Stt, Tts};

    pub(super) async fn recogniser(_: &Config, _: &Path) -> Result<Arc<dyn Stt>, EngineError> {
        Err(EngineError::NotBuilt)
    }

    pub(super) async fn voice(_: &Config, _: &str) -> Result<Arc<dyn Tts>, EngineError> {
        Err(EngineError::NotBuilt)
    }

    pub(super) fn this_program() -> PathBuf {
        PathBuf::new()
    }
}
