//! A listener that is outside: it posts each saved agent to an address, with the key as `Idempotency-Key`, as an adapter of a vendor does.
//!
//! Place: in the switch that is measured, for tests that kill it while it tells.

use serde_json::json;
use tandem_domain::port::agent_saved::{AgentSaved, AgentSavedError, Hearing, SavedAgent};

/// Posts to an address.
pub(super) struct Posts {
    client: reqwest::Client,
    url: String,
}

impl Posts {
    pub(super) fn to(url: String) -> Self {
        Self { client: reqwest::Client::new(), url }
    }
}

impl AgentSaved for Posts {
    fn name(&self) -> &'static str {
        "posts"
    }

    fn saved<'a>(&'a self, agent: &'a SavedAgent) -> Hearing<'a> {
        Box::pin(async move {
            let told = json!({
                "agent": agent.settings.name(), "uuid": agent.identity.uuid, "version": agent.version,
                "first_line": agent.settings.script().first_line(),
            });
            let post = self.client.post(&self.url).header("idempotency-key", agent.key.to_string()).json(&told);
            let answer = post.send().await.map_err(|error| AgentSavedError::Away(error.without_url().to_string()))?;
            match answer.status() {
                status if status.is_success() => Ok(()),
                status if status.is_client_error() => Err(AgentSavedError::Refused(status.to_string())),
                status => Err(AgentSavedError::Away(status.to_string())),
            }
        })
    }
}
