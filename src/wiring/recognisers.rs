//! The recognisers of a configuration, in their order.

use std::sync::Arc;

use tandem_domain::port::stt::Stt;
use tandem_providers::stt::deepgram::Deepgram;
use tandem_providers::stt::fallback::Order;

use super::engines::{self, EngineError};
use crate::config::{Config, DEEPGRAM};

/// Starts them. A local one that cannot run is an error where it is the first, and a warning where it only stands behind.
pub(super) async fn recogniser(config: &Config) -> Result<Arc<dyn Stt>, EngineError> {
    let mut recognisers: Vec<Arc<dyn Stt>> = Vec::new();
    for name in &config.engines.stt {
        match (*name, &config.engines.deepgram) {
            (DEEPGRAM, Some(account)) => recognisers.push(Arc::new(Deepgram::new(account)?)),
            (DEEPGRAM, None) => {} // refused by the configuration
            _ => match engines::local_recogniser(config).await {
                Ok(local) => recognisers.push(local),
                Err(error) if recognisers.is_empty() => return Err(error),
                Err(error) => tracing::warn!(%error, "no local recogniser stands behind the hosted one"),
            },
        }
    }
    let mut recognisers = recognisers.into_iter();
    let first = recognisers.next().ok_or(EngineError::NotBuilt)?;
    Ok(if recognisers.len() == 0 { first } else { Arc::new(Order::new(first, recognisers)) })
}
