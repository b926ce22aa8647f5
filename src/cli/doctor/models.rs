//! Language models: which are set up, and whether they take our key. They are asked for the list of their models, which costs nothing.

use tandem_domain::port::llm::{Llm, LlmError};
use tandem_providers::llm::openai::{OpenAi, OpenAiConfig};

use super::Finding;
use crate::config::Config;

const MODEL: &str = "llm";

pub(super) async fn all(config: &Config) -> Vec<Finding> {
    if config.models.is_empty() {
        return vec![Finding::ok(
            MODEL,
            "none is set up: agents with a playbook need none, others say so (OPENAI_API_KEY gives them one)",
        )];
    }
    futures_util::future::join_all(config.models.iter().map(one)).await
}

async fn one(account: &OpenAiConfig) -> Finding {
    let (name, model) = (account.vendor.name, &account.model);
    let llm = match OpenAi::new(account.clone()) {
        Ok(llm) => llm,
        Err(error) => return Finding::fail(MODEL, super::in_one_line(&error), "correct the setting"),
    };
    match llm.warm().await {
        Ok(()) => Finding::ok(MODEL, format!("{name} takes our key; agents without a playbook ask {model}")),
        // Calls are answered all the same: with an apology.
        Err(error) => Finding::warn(MODEL, error.to_string(), remedy(&error, account)),
    }
}

fn remedy(error: &LlmError, account: &OpenAiConfig) -> String {
    let vendor = account.vendor;
    match error {
        LlmError::Unauthorized { .. } => format!("set {} to a key of this service", vendor.key_setting),
        LlmError::NoModel { .. } => format!("set {} to a model that this service has", vendor.model_setting),
        LlmError::QuotaSpent { .. } | LlmError::RateLimited { .. } => {
            "look at the limits in the vendor's console".to_owned()
        }
        LlmError::Overloaded { .. }
        | LlmError::Invalid { .. }
        | LlmError::Refused { .. }
        | LlmError::Late { .. }
        | LlmError::Failed { .. }
        | LlmError::AllResting(_) => {
            format!("check {} and this machine's way out to the network", vendor.base_setting)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tandem_peers::mock::{Mock, MockConfig};
    use tandem_providers::llm::openai::{Limits, Vendor};

    use super::super::Verdict;
    use super::*;

    #[tokio::test]
    async fn a_key_that_is_refused_is_told_before_the_first_call() {
        let mock = Mock::start(MockConfig { key: Some("sk-right".to_owned()), ..MockConfig::default() }).await.unwrap();
        let account = |key: &str| OpenAiConfig {
            vendor: Vendor::OPENAI,
            base: mock.base_url(),
            key: key.to_owned(),
            model: "gpt-4o-mini".to_owned(),
            limits: Limits::default(),
        };
        assert_eq!(one(&account("sk-right")).await.verdict, Verdict::Ok);
        let finding = one(&account("sk-wrong")).await;
        assert_eq!(finding.verdict, Verdict::Warn);
        assert!(finding.remedy.is_some_and(|remedy| remedy.contains("OPENAI_API_KEY")));
        assert!(!finding.detail.contains("sk-"), "{}", finding.detail);
    }
}
