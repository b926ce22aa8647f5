//! Deepgram as the call's recogniser: streaming v1 on one socket a call.
//!
//! Place: `port::stt`; `wire` has the messages, `hearing` what they mean for a turn, `session` the socket's life.
//! Limits: 8 kHz goes out as µ-law, byte for byte what the carrier sent; other rates as linear PCM. Models of the Nova family: Flux finds
//! turns by itself and speaks another protocol.
//!
//! **When sockets are opened.** At the start of the call, while the greeting plays, so that the handshake is over long before the caller's first
//! word. There is no pool of sockets that wait: language and key terms stand in the handshake, so a waiting socket would fit one agent alone,
//! and Deepgram bills and counts a socket from its first moment to its last. What is shared between calls is the TLS session.

mod hearing;
mod rewind;
mod session;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt, stream};
use tandem_domain::port::EventStream;
use tandem_domain::port::stt::{Stt, SttError, SttEvent, SttInputStream, SttSpec};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;

use self::session::Session;
use self::wire::NAME;
use crate::ws::{Base, BaseError, ConnectError, Socket, WsClient};

/// Where Deepgram is, unless a setting says otherwise.
pub const BASE_URL: &str = "https://api.deepgram.com";
/// The model, unless a setting says otherwise.
pub const MODEL: &str = "nova-3";
/// From the look-up of the name to the upgrade. A call that has to wait longer is better served by the next vendor.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// What the adapter is told.
#[derive(Clone, PartialEq, Eq)]
pub struct DeepgramConfig {
    /// The key.
    pub key: String,
    /// Base of the URLs, such as [`BASE_URL`]; a plain `http://` means a plain socket.
    pub base_url: String,
    /// Such as [`MODEL`].
    pub model: String,
}

impl DeepgramConfig {
    /// Deepgram itself, with its newest model.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), base_url: BASE_URL.to_owned(), model: MODEL.to_owned() }
    }
}

/// Without the key.
impl fmt::Debug for DeepgramConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeepgramConfig")
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// Why the adapter cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeepgramError {
    /// No URL can be made of it.
    #[error("DEEPGRAM_BASE_URL: {0}")]
    Base(#[from] BaseError),
    /// A header cannot carry it.
    #[error("DEEPGRAM_API_KEY holds a character that no key has: copy it again, without line breaks")]
    Key,
}

/// The recogniser; clones share certificates and TLS sessions.
#[derive(Clone)]
pub struct Deepgram(Arc<Inner>);

struct Inner {
    base: Base,
    model: String,
    authorization: HeaderValue,
    client: WsClient,
}

impl Deepgram {
    /// Reads the certificates; connects to nothing.
    ///
    /// # Errors
    /// Base or key cannot be used.
    pub fn new(config: &DeepgramConfig) -> Result<Self, DeepgramError> {
        let base = Base::parse(&config.base_url)?;
        let key = config.key.trim();
        let mut authorization = HeaderValue::try_from(format!("Token {key}")).map_err(|_| DeepgramError::Key)?;
        authorization.set_sensitive(true);
        let client = WsClient::new(CONNECT_LIMIT);
        Ok(Self(Arc::new(Inner { base, model: config.model.trim().to_owned(), authorization, client })))
    }

    /// Whether a stream of that kind can be had: one handshake with our key, and goodbye. Costs less than a second of audio.
    ///
    /// # Errors
    /// As a call would get them.
    pub async fn probe(&self, spec: &SttSpec) -> Result<(), SttError> {
        let mut socket = self.connect(self.request(spec)?).await?;
        let _ = socket.send(Message::text(wire::CLOSE_STREAM)).await; // it is closed by the drop anyway
        Ok(())
    }

    fn request(&self, spec: &SttSpec) -> Result<Request, SttError> {
        let query = serde_urlencoded::to_string(wire::query(&self.0.model, spec)).map_err(unusable)?;
        let mut request = self.0.base.socket(wire::PATH, &query).into_client_request().map_err(unusable)?;
        request.headers_mut().insert(AUTHORIZATION, self.0.authorization.clone());
        Ok(request)
    }

    async fn connect(&self, request: Request) -> Result<Socket, SttError> {
        let (socket, headers) = self.0.client.connect(request).await.map_err(|error| unconnected(&error))?;
        let request_id = headers.get("dg-request-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
        tracing::debug!(vendor = NAME, request_id, "stream opened");
        Ok(socket)
    }
}

fn unusable(error: impl fmt::Display) -> SttError {
    SttError::Refused { vendor: NAME, detail: error.to_string() }
}

fn unconnected(error: &ConnectError) -> SttError {
    let text = |headers: &tokio_tungstenite::tungstenite::http::HeaderMap, name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    match error {
        ConnectError::Refused { status, headers, body } => {
            let reason = text(headers, "dg-error").unwrap_or_else(|| body.clone());
            wire::refusal(*status, &reason, text(headers, "retry-after").as_deref())
        }
        ConnectError::Late(_) => SttError::Failed { vendor: NAME, detail: error.to_string() },
        ConnectError::Unreachable(source) => SttError::Failed { vendor: NAME, detail: format!("{error}: {source}") },
        ConnectError::Handshake(source) => SttError::Failed { vendor: NAME, detail: format!("{error}: {source}") },
    }
}

impl Stt for Deepgram {
    fn name(&self) -> &'static str {
        NAME
    }

    fn transcribe(&self, spec: SttSpec, audio: SttInputStream) -> EventStream<SttEvent, SttError> {
        let request = match self.request(&spec) {
            Ok(request) => request,
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let deepgram = self.clone();
        let connect = move || {
            let (deepgram, request) = (deepgram.clone(), request.clone());
            async move { deepgram.connect(request).await.map(Box::new) }.boxed()
        };
        let session = Session::new(spec.rate_hz, Box::new(connect), audio);
        stream::unfold(session, |mut session| async move { Some((session.next().await?, session)) }).boxed()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_key_is_nowhere_to_be_read() {
        let config = DeepgramConfig::new("a-secret-key");
        let request = Deepgram::new(&config).unwrap().request(&SttSpec::default()).unwrap();
        assert!(!format!("{config:?} {request:?}").contains("a-secret-key"));
        assert_eq!(request.headers()[AUTHORIZATION], "Token a-secret-key");
    }

    #[test]
    fn what_cannot_be_used_is_told_before_any_call() {
        let with = |key: &str, base_url: &str| {
            Deepgram::new(&DeepgramConfig { base_url: base_url.to_owned(), ..DeepgramConfig::new(key) }).err()
        };
        assert_eq!(with("two\nlines", BASE_URL), Some(DeepgramError::Key));
        assert!(matches!(with("key", "api.deepgram.com"), Some(DeepgramError::Base(_))));
        assert_eq!(with(" key\n", "http://127.0.0.1:1/"), None, "a key from a file ends in a line break");
    }
}
