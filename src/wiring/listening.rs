//! Which engine tells speech from noise, and which hears whether a turn is complete. Names come from `VAD_ENGINE` and `END_OF_TURN_MODEL`.

use tandem_actors::{TurnJudge, VadEngine};

use super::EngineError;
use crate::config::{Config, SILERO};

/// The detector of a configuration. Loads its model, if it has one: not for a thread that others wait for.
pub(super) async fn detector(config: &Config) -> Result<VadEngine, EngineError> {
    match config.engines.vad {
        SILERO => local::silero(config).await,
        "webrtc" => Ok(VadEngine::webrtc()),
        _ => Ok(VadEngine::earshot()),
    }
}

/// The judge of turns of a configuration; none unless it was chosen.
pub(super) async fn judge(config: &Config) -> Result<TurnJudge, EngineError> {
    match config.engines.end_of_turn {
        Some(_) => local::smart_turn(config).await,
        None => Ok(TurnJudge::default()),
    }
}

#[cfg(feature = "local-speech")]
mod local {
    use std::sync::Arc;

    use tandem_providers::local::models;
    use tandem_providers::local::silero::Silero;
    use tandem_providers::local::smart_turn::{SmartTurn, SmartTurnConfig};

    use super::{Config, EngineError, SILERO, TurnJudge, VadEngine};
    use crate::wiring::models_dir;

    pub(super) async fn silero(config: &Config) -> Result<VadEngine, EngineError> {
        let path = models::require(models::DETECTOR, &models_dir(config))?;
        let silero = tokio::task::spawn_blocking(move || Silero::load(&path)).await;
        let silero = silero.map_err(|_| EngineError::DetectorCrashed)??;
        Ok(VadEngine::of(SILERO, move || silero.detector()))
    }

    pub(super) async fn smart_turn(config: &Config) -> Result<TurnJudge, EngineError> {
        let mut smart_turn = SmartTurnConfig::new(models::require(models::END_OF_TURN, &models_dir(config))?);
        if let Some(workers) = config.engines.workers {
            smart_turn.workers = workers;
        }
        Ok(TurnJudge::new(Arc::new(SmartTurn::start(smart_turn).await?)))
    }
}

#[cfg(not(feature = "local-speech"))]
mod local {
    use super::{Config, EngineError, TurnJudge, VadEngine};

    pub(super) async fn silero(_: &Config) -> Result<VadEngine, EngineError> {
        Err(EngineError::NotBuilt)
    }

    pub(super) async fn smart_turn(_: &Config) -> Result<TurnJudge, EngineError> {
        Err(EngineError::NotBuilt)
    }
}
