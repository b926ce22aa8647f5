//! Which adapter serves speech. Names come from `STT_PROVIDER` and `TTS_PROVIDER`; today all of them are local and need no key.

use std::sync::Arc;

use tandem_domain::port::stt::Stt;
use tandem_domain::port::tts::Tts;

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
    /// Deepgram's settings are none.
    #[error(transparent)]
    Deepgram(#[from] tandem_providers::stt::deepgram::DeepgramError),
    /// The voice is not on this machine.
    #[cfg(feature = "local-speech")]
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
        None => local::voice(config).await?,
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

#[cfg(feature = "local-speech")]
pub(crate) use local::models_dir;
#[cfg(feature = "local-speech")]
pub use local::recogniser;

#[cfg(feature = "local-speech")]
mod local {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use tandem_providers::local::clauses::Clauses;
    use tandem_providers::local::flite::{Flite, FliteConfig};
    use tandem_providers::local::models;
    use tandem_providers::local::piper::{Piper, PiperConfig};
    use tandem_providers::local::whisper::{WhisperConfig, WhisperPool};
    use tandem_providers::local::whisper_stt::WhisperStt;
    use tandem_providers::tts::fallback::{Fallback, Limits};

    use super::{Arc, Config, EngineError, Stt, Tts};

    /// When flite speaks for the natural voice. The beginning of a clause, its place in the queue included, may take half of what the call
    /// waits before it takes a voice for dead.
    const LIMITS: Limits = Limits { patience: Duration::from_millis(1_500), rest: Duration::from_secs(10) };

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

    /// flite, or Piper with flite behind it.
    pub(super) async fn voice(config: &Config) -> Result<Arc<dyn Tts>, EngineError> {
        let flite = Flite::new(FliteConfig::default());
        let there = flite.probe().await;
        if config.engines.tts != "piper" {
            there?;
            return Ok(Arc::new(flite));
        }
        let mut piper = PiperConfig::new(models::require_voice(&models_dir(config))?);
        if let Some(workers) = config.engines.workers {
            piper.workers = workers;
        }
        let piper: Arc<dyn Tts> = Arc::new(Piper::start(piper).await?);
        let voice: Arc<dyn Tts> = match there {
            Ok(()) => Arc::new(Fallback::new(piper, Arc::new(flite), LIMITS)),
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

    pub(super) async fn voice(_: &Config) -> Result<Arc<dyn Tts>, EngineError> {
        Err(EngineError::NotBuilt)
    }

    pub(super) fn this_program() -> PathBuf {
        PathBuf::new()
    }
}
