//! Which language models answer agents without a playbook. Names come from `LLM_PROVIDER`, else the keys that are set decide.

use std::sync::Arc;

use tandem_domain::port::llm::Llm;
use tandem_providers::llm::local::NoModel;
use tandem_providers::llm::openai::{OpenAi, OpenAiError};
use tandem_providers::llm::order::Order;
use tracing::{info, warn};

use crate::config::Config;

/// The models of a configuration in their order; without any, something that says so to the caller.
pub(super) fn models(config: &Config) -> Result<Arc<dyn Llm>, OpenAiError> {
    let mut models = Vec::new();
    for account in &config.models {
        models.push(Arc::new(OpenAi::new(account.clone())?) as Arc<dyn Llm>);
    }
    let mut models = models.into_iter();
    let Some(first) = models.next() else {
        info!("no language model is set up: agents without a playbook say so; set OPENAI_API_KEY to give them one");
        return Ok(Arc::new(NoModel));
    };
    Ok(Arc::new(Order::new(first, models)))
}

/// Opens the models' connections, beside whatever else is done: the first answer shall not wait for a handshake.
pub(super) fn warm(llm: &Arc<dyn Llm>) {
    let llm = Arc::clone(llm);
    tokio::spawn(async move {
        if let Err(error) = llm.warm().await {
            warn!(%error, "the language model cannot be reached: agents without a playbook will apologise");
        }
    });
}
