//! A language model: messages in, an answer out as it is made.
//!
//! What the words are for, and which of them are spoken, is the brain's ([`crate::brain::model`]); which vendor comes next after a failure is
//! that of the order of models in `providers`, and what a tool does that a model asks for is the core's.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::{Blame, EventStream, Retry};

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// We, to the model: what it is and what it knows.
    System,
    /// The caller.
    User,
    /// The model, as far as the caller heard it.
    Assistant,
}

/// One message of the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who wrote it.
    pub author: Author,
    /// Plain text.
    pub text: String,
}

/// One answer that is wanted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LlmSpec {
    /// The conversation, oldest first; the last one is to be answered.
    pub messages: Vec<Message>,
    /// The longest answer in tokens. A vendor may know no such limit, so whoever reads has to count too.
    pub max_tokens: u32,
    /// Tools that the model may ask for. It may ask for others all the same: who reads has to look.
    pub tools: Vec<OfferedTool>,
}

/// A tool that a model may ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferedTool {
    /// By which it asks.
    pub name: &'static str,
    /// When to use it, in words for the model.
    pub description: &'static str,
    /// JSON Schema of its arguments, an object.
    pub parameters: serde_json::Value,
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// It had said all.
    Stop,
    /// The longest answer was reached.
    Length,
    /// It waits for tools.
    ToolCalls,
}

/// What an answer has cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the question.
    pub prompt_tokens: u64,
    /// Of these, tokens that the vendor had in its cache.
    pub cached_tokens: u64,
    /// Tokens of the answer.
    pub completion_tokens: u64,
}

/// A tool that the model asks for, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedTool {
    /// The vendor's id of this request.
    pub id: String,
    /// The tool.
    pub name: String,
    /// JSON text as the model wrote it: it may be no JSON.
    pub arguments: String,
}

/// One piece of an answer. `Text`* `ToolCall`* `Finished` `Usage`?, then the stream ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LlmEvent {
    /// The next characters; any number of them, cut anywhere between two.
    Text(String),
    /// A tool is asked for.
    ToolCall(AskedTool),
    /// What came before is void: another model begins anew. Nothing is asked of it before the next poll.
    Restarted,
    /// The answer is whole.
    Finished(Finish),
    /// What it has cost, where the vendor tells.
    Usage(Usage),
}

/// Why there is no (whole) answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LlmError {
    /// The vendor refused our credentials.
    #[error("{vendor} refused our key: check {setting}")]
    Unauthorized {
        /// The vendor.
        vendor: &'static str,
        /// Where the key is set.
        setting: &'static str,
    },
    /// The vendor has no such model, or not for us.
    #[error("{vendor} has no model {model:?} for us: check {setting}")]
    NoModel {
        /// The vendor.
        vendor: &'static str,
        /// What was asked for.
        model: String,
        /// Where the model is set.
        setting: &'static str,
    },
    /// Our money there is spent.
    #[error("{vendor} says that the quota is spent: look at the plan and its billing")]
    QuotaSpent {
        /// The vendor.
        vendor: &'static str,
    },
    /// Too many requests.
    #[error("{vendor} limits our rate")]
    RateLimited {
        /// The vendor.
        vendor: &'static str,
        /// When to come again, where it says so.
        retry_after: Option<Duration>,
    },
    /// The vendor cannot serve now (5xx).
    #[error("{vendor} is overloaded or broken: status {status}")]
    Overloaded {
        /// The vendor.
        vendor: &'static str,
        /// Of its answer.
        status: u16,
        /// When to come again, where it says so.
        retry_after: Option<Duration>,
    },
    /// The vendor does not understand, or does not want, this request.
    #[error("{vendor} refused the request: {detail}")]
    Invalid {
        /// The vendor.
        vendor: &'static str,
        /// The vendor's own code or words, bounded.
        detail: String,
    },
    /// The model would not answer this, or its vendor would not let it.
    #[error("the model of {vendor} refused to answer")]
    Refused {
        /// The vendor.
        vendor: &'static str,
    },
    /// A limit of time passed.
    #[error("{vendor} gave no {what} within {} ms", .limit.as_millis())]
    Late {
        /// The vendor.
        vendor: &'static str,
        /// What was waited for: `connection`, `first token`, `next token`.
        what: &'static str,
        /// How long.
        limit: Duration,
    },
    /// The connection broke, or what came over it makes no sense.
    #[error("{vendor} failed: {detail}")]
    Failed {
        /// The vendor.
        vendor: &'static str,
        /// What happened, for the log.
        detail: String,
    },
    /// Every model of the order is being left alone after failures.
    #[error("no model can be asked: {0}")]
    AllResting(String),
}

impl LlmError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Unauthorized { .. } | Self::NoModel { .. } | Self::QuotaSpent { .. } | Self::Invalid { .. } => {
                Blame::Us
            }
            Self::RateLimited { .. } => Blame::Us,
            Self::Overloaded { .. }
            | Self::Refused { .. }
            | Self::Late { .. }
            | Self::Failed { .. }
            | Self::AllResting(_) => Blame::Vendor,
        }
    }

    /// What may be tried next. `Never` speaks of this vendor: another may serve.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unauthorized { .. } | Self::NoModel { .. } | Self::QuotaSpent { .. } | Self::Invalid { .. } => {
                Retry::Never
            }
            Self::RateLimited { .. } | Self::Overloaded { .. } | Self::Failed { .. } => Retry::Now,
            Self::Refused { .. } | Self::Late { .. } | Self::AllResting(_) => Retry::NextVendor,
        }
    }

    /// How long the vendor wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Overloaded { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// What [`Llm::warm`] returns.
pub type Warming<'a> = Pin<Box<dyn Future<Output = Result<(), LlmError>> + Send + 'a>>;

/// A language model.
pub trait Llm: Send + Sync {
    /// Stable lower-case name of the vendor, as in `LLM_PROVIDER` and in metrics.
    fn name(&self) -> &'static str;

    /// Answers. An `Err` item ends the stream. Dropping the stream ends the work at the vendor: the connection is closed, or the stream
    /// on it reset.
    fn complete(&self, spec: LlmSpec) -> EventStream<LlmEvent, LlmError>;

    /// Opens the connection that the next answer will use, where it is not open, and thereby finds out whether the vendor lets us in.
    fn warm(&self) -> Warming<'_> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spent_quota_is_never_retried_and_a_rate_limit_says_when() {
        let spent = LlmError::QuotaSpent { vendor: "openai" };
        assert_eq!((spent.blame(), spent.retry(), spent.retry_after()), (Blame::Us, Retry::Never, None));
        let wait = Some(Duration::from_millis(700));
        let limited = LlmError::RateLimited { vendor: "openai", retry_after: wait };
        assert_eq!((limited.retry(), limited.retry_after()), (Retry::Now, wait));
        let late = LlmError::Late { vendor: "openai", what: "first token", limit: Duration::from_secs(5) };
        assert_eq!((late.blame(), late.retry()), (Blame::Vendor, Retry::NextVendor));
        assert_eq!(late.to_string(), "openai gave no first token within 5000 ms");
    }
}
