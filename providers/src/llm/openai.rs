//! OpenAI's chat completions, and every service that speaks them (`HOMEAI_BASE_URL`).
//!
//! ```text
//! LlmSpec ─► POST …/chat/completions ─► bytes ─► events (sse) ─► LlmEvent (wire)
//!               pooled, warmed              each with a limit of its own
//! ```
//!
//! | limit | |
//! |---|---|
//! | connection | 2 s |
//! | first token, from the request | 5 s (design.md section 12 item 4) |
//! | next token | 3 s |
//!
//! Dropping the stream closes the connection (HTTP/1.1) or resets the stream (HTTP/2), at which the vendor stops. A stream that was read to its
//! end leaves its connection to the next one. The key goes into one header and nowhere else: neither log nor `Debug` shows it.
//! Not here: which vendor comes after a failure ([`super::order`]), and how much of an answer is read (the brain).

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, Url};
use tandem_domain::port::EventStream;
use tandem_domain::port::llm::{Llm, LlmError, LlmEvent, LlmSpec, Warming};
use tokio::time::{Instant, timeout, timeout_at};

use crate::clock::now;
use crate::http::{self, CONNECT_LIMIT, HttpError};

mod sse;
mod wire;

/// How long an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the request to the first token.
    pub first_token: Duration,
    /// From one token to the next.
    pub next_token: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { first_token: Duration::from_secs(5), next_token: Duration::from_secs(3) }
    }
}

/// From the last event to the end of the body.
const END_LIMIT: Duration = Duration::from_millis(250);
/// A connection that was used within this time needs no warming.
const WARM_FOR: Duration = Duration::from_secs(30);
/// Of a body that is not an answer.
const MOST_BODY: usize = 64 * 1_024;
/// Of the list of models, which is read so that its connection can be kept.
const MOST_LIST: usize = 1_024 * 1_024;

/// A service that speaks this protocol: its name and the settings that an operator is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vendor {
    /// As in `LLM_PROVIDER`.
    pub name: &'static str,
    /// Where its key is set.
    pub key_setting: &'static str,
    /// Where its address is set.
    pub base_setting: &'static str,
    /// Where its model is set.
    pub model_setting: &'static str,
}

impl Vendor {
    /// OpenAI itself.
    pub const OPENAI: Self = Self {
        name: "openai",
        key_setting: "OPENAI_API_KEY",
        base_setting: "OPENAI_BASE_URL",
        model_setting: "OPENAI_MODEL",
    };
    /// Any other service with OpenAI's interface.
    pub const HOMEAI: Self = Self {
        name: "homeai",
        key_setting: "HOMEAI_API_KEY",
        base_setting: "HOMEAI_BASE_URL",
        model_setting: "HOMEAI_MODEL",
    };
}

/// How a service is reached.
#[derive(Clone)]
pub struct OpenAiConfig {
    /// Which.
    pub vendor: Vendor,
    /// Base URL as users of the official packages write it, with `/v1`; without a path it is added.
    pub base: String,
    /// Secret.
    pub key: String,
    /// Such as `gpt-4o-mini`.
    pub model: String,
    /// How long it may take.
    pub limits: Limits,
}

impl fmt::Debug for OpenAiConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vendor, base, model, .. } = self;
        f.debug_struct("OpenAiConfig")
            .field("vendor", vendor)
            .field("base", base)
            .field("model", model)
            .finish_non_exhaustive()
    }
}

/// The adapter. Clones share connections.
#[derive(Clone)]
pub struct OpenAi {
    vendor: Vendor,
    base: Url,
    /// `Bearer …`, marked as sensitive.
    key: HeaderValue,
    model: Arc<str>,
    limits: Limits,
    client: Client,
    used: Arc<Mutex<Option<Instant>>>,
}

impl fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vendor, base, model, .. } = self;
        f.debug_struct("OpenAi")
            .field("vendor", vendor)
            .field("base", &base.as_str())
            .field("model", model)
            .finish_non_exhaustive()
    }
}

/// Why the adapter cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum OpenAiError {
    /// The key is no text for a header.
    #[error("{0} holds characters that no key has")]
    Key(&'static str),
    /// No client, or no address.
    #[error("{setting}: {source}")]
    Http {
        /// Where the address is set.
        setting: &'static str,
        /// Why not.
        source: HttpError,
    },
}

impl OpenAi {
    /// An adapter that has asked nothing yet; [`Llm::warm`] opens its connection.
    ///
    /// # Errors
    /// The base or the key is unusable.
    pub fn new(config: OpenAiConfig) -> Result<Self, OpenAiError> {
        let OpenAiConfig { vendor, base, key, model, limits } = config;
        let http = |source| OpenAiError::Http { setting: vendor.base_setting, source };
        let base = http::base(&base, "/v1").map_err(http)?;
        let mut key = HeaderValue::from_str(&format!("Bearer {}", key.trim()))
            .map_err(|_| OpenAiError::Key(vendor.key_setting))?;
        key.set_sensitive(true);
        let client = http::client(&base).map_err(http)?;
        Ok(Self { vendor, base, key, model: model.into(), limits, client, used: Arc::default() })
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url
    }

    fn used(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request, and tells a refusal from an answer, before `deadline`.
    async fn ask(&self, request: RequestBuilder, deadline: Instant) -> Result<Response, LlmError> {
        let sent = timeout_at(deadline, request.header(AUTHORIZATION, self.key.clone()).send()).await;
        let answer =
            sent.map_err(|_| self.late("first token", self.limits.first_token))?.map_err(|error| self.broken(error))?;
        let status = answer.status();
        if status.is_success() {
            *self.used() = Some(now());
            return Ok(answer);
        }
        let headers = answer.headers().clone();
        let body = timeout_at(deadline, read(answer, MOST_BODY)).await.unwrap_or_default();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Err(self.vendor.refusal(&self.model, status.as_u16(), header, &body))
    }

    async fn begin(self, spec: LlmSpec) -> Result<Body, LlmError> {
        let deadline = now() + self.limits.first_token;
        let request = self.client.post(self.url("/chat/completions")).json(&wire::Request::new(&self.model, &spec));
        let answer = self.ask(request, deadline).await?;
        let kind =
            answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or("text/event-stream");
        if !kind.starts_with("text/event-stream") {
            return Err(LlmError::Failed {
                vendor: self.vendor.name,
                detail: "its answer is no event stream".to_owned(),
            });
        }
        Ok(Body {
            bytes: Some(answer),
            events: sse::Events::default(),
            answer: wire::Answer::new(self.vendor),
            ready: VecDeque::new(),
            failed: None,
            begun: false,
            deadline,
            model: self,
        })
    }

    fn late(&self, what: &'static str, limit: Duration) -> LlmError {
        LlmError::Late { vendor: self.vendor.name, what, limit }
    }

    /// A failure below the protocol; without the address, which is the operator's own.
    fn broken(&self, error: reqwest::Error) -> LlmError {
        if error.is_connect() && error.is_timeout() {
            return self.late("connection", CONNECT_LIMIT);
        }
        let what = if error.is_connect() { "no connection" } else { "the connection broke" };
        let mut detail = what.to_owned();
        let error = error.without_url();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            detail = format!("{what}: {error}"); // the innermost says most
            cause = error.source();
        }
        LlmError::Failed { vendor: self.vendor.name, detail }
    }

    async fn open(&self) -> Result<(), LlmError> {
        if self.used().is_some_and(|used| now() < used + WARM_FOR) {
            return Ok(());
        }
        let deadline = now() + self.limits.first_token;
        match self.ask(self.client.get(self.url("/models")), deadline).await {
            Ok(list) => drop(timeout_at(deadline, read(list, MOST_LIST)).await), // to its end: the connection is kept
            Err(LlmError::Invalid { .. }) => {} // a service without that list: the connection stands all the same
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// At most so much of a body.
async fn read(mut answer: Response, most: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > most {
            break;
        }
    }
    body
}

impl Llm for OpenAi {
    fn name(&self) -> &'static str {
        self.vendor.name
    }

    fn complete(&self, spec: LlmSpec) -> EventStream<LlmEvent, LlmError> {
        let begun = stream::once(self.clone().begin(spec));
        Box::pin(begun.flat_map(|body| match body {
            Ok(body) => stream::unfold(Some(body), Body::next).left_stream(),
            Err(error) => stream::once(std::future::ready(Err(error))).right_stream(),
        }))
    }

    fn warm(&self) -> Warming<'_> {
        Box::pin(self.open())
    }
}

/// An answer that is being read.
struct Body {
    /// `None` once it is read to its end.
    bytes: Option<Response>,
    events: sse::Events,
    answer: wire::Answer,
    ready: VecDeque<LlmEvent>,
    /// What comes after those: the end.
    failed: Option<LlmError>,
    /// A token has come.
    begun: bool,
    deadline: Instant,
    model: OpenAi,
}

impl Body {
    /// The next event; the stream ends after an error.
    async fn next(body: Option<Self>) -> Option<(Result<LlmEvent, LlmError>, Option<Self>)> {
        let mut body = body?;
        loop {
            if let Some(event) = body.ready.pop_front() {
                return Some((Ok(event), Some(body)));
            }
            if let Some(error) = body.failed.take() {
                return Some((Err(error), None));
            }
            body.bytes.as_ref()?;
            body.failed = body.read().await.err();
        }
    }

    /// Reads until something was understood, or all was read.
    async fn read(&mut self) -> Result<(), LlmError> {
        let Some(bytes) = &mut self.bytes else { return Ok(()) };
        if self.answer.is_done() {
            let end = async { while let Ok(Some(_)) = bytes.chunk().await {} };
            let _ = timeout(END_LIMIT, end).await; // one that does not end is closed: its successor is new
            self.bytes = None;
            return Ok(());
        }
        let chunk = match timeout_at(self.deadline, bytes.chunk()).await {
            // What follows an answer is its cost alone: nobody waits for that.
            Err(_) if self.answer.is_finished() => None,
            Err(_) if self.begun => return Err(self.model.late("next token", self.model.limits.next_token)),
            Err(_) => return Err(self.model.late("first token", self.model.limits.first_token)),
            Ok(Err(_)) if self.answer.is_finished() => None,
            Ok(chunk) => chunk.map_err(|error| self.model.broken(error))?,
        };
        let Some(chunk) = chunk else {
            self.bytes = None;
            return self.answer.end();
        };
        let (mut data, mut events) = (Vec::new(), Vec::new());
        let whole = self.events.push(&chunk, &mut data);
        let taken = data.iter().try_for_each(|data| self.answer.take(data, &mut events));
        for event in events {
            match &event {
                LlmEvent::Text(_) => {
                    self.begun = true;
                    self.deadline = now() + self.model.limits.next_token;
                }
                LlmEvent::Finished(_) => self.deadline = now() + END_LIMIT,
                LlmEvent::Usage(usage) => {
                    metrics::counter!("tandem_llm_tokens_total", "dir" => "prompt").increment(usage.prompt_tokens);
                    metrics::counter!("tandem_llm_tokens_total", "dir" => "completion")
                        .increment(usage.completion_tokens);
                }
                LlmEvent::ToolCall(_) | LlmEvent::Restarted => {}
            }
            self.ready.push_back(event);
        }
        taken?;
        let vendor = self.model.vendor.name;
        whole.map_err(|error| LlmError::Failed { vendor, detail: error.to_string() })
    }
}
