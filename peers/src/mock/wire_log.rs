//! What clients sent, exchange by exchange.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::request::Parts;
use serde::Serialize;
use serde_json::Value;

/// Exchanges that are kept; later ones are served and forgotten.
const MOST: usize = 10_000;

/// One request, and all that came on its socket if it became one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exchange {
    /// `deepgram`, `openai`, `elevenlabs`.
    pub vendor: &'static str,
    /// Such as `GET`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The query in order; a name may repeat.
    pub query: Vec<(String, String)>,
    /// Headers by lower-case name; keys in them are cut to their first characters.
    pub headers: BTreeMap<String, String>,
    /// The body and the messages, in order.
    pub sent: Vec<Sent>,
}

/// One body or message of a client.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// JSON text.
    Json(Value),
    /// Text that is no JSON.
    Text(String),
    /// So many bytes; runs of binary messages are one entry.
    Binary {
        /// How many messages.
        messages: u64,
        /// Their bytes together.
        bytes: u64,
    },
    /// The client closed.
    Closed,
}

/// The exchanges so far; clones are the same log.
#[derive(Debug, Clone, Default)]
pub struct WireLog {
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl WireLog {
    /// Begins an exchange; what follows is added by its number.
    pub fn begin(&self, vendor: &'static str, request: &Parts) -> usize {
        let query = request.uri.query().unwrap_or_default();
        let query = serde_urlencoded::from_str(query).unwrap_or_default();
        let headers = request.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), if secret(name.as_str()) { shortened(&value) } else { value })
        });
        let exchange = Exchange {
            vendor,
            method: request.method.to_string(),
            path: request.uri.path().to_owned(),
            query,
            headers: headers.collect(),
            sent: Vec::new(),
        };
        let mut exchanges = self.lock();
        if exchanges.len() < MOST {
            exchanges.push(exchange);
            exchanges.len() - 1
        } else {
            usize::MAX
        }
    }

    /// Adds a body or a text message.
    pub fn text(&self, exchange: usize, text: &str) {
        let sent = serde_json::from_str(text).map_or_else(|_| Sent::Text(text.to_owned()), Sent::Json);
        self.add(exchange, sent);
    }

    /// Adds a binary message.
    pub fn binary(&self, exchange: usize, len: usize) {
        if let Some(Exchange { sent, .. }) = self.lock().get_mut(exchange) {
            if let Some(Sent::Binary { messages, bytes }) = sent.last_mut() {
                *messages += 1;
                *bytes += len as u64;
            } else {
                sent.push(Sent::Binary { messages: 1, bytes: len as u64 });
            }
        }
    }

    /// The client closed, or was gone.
    pub fn closed(&self, exchange: usize) {
        self.add(exchange, Sent::Closed);
    }

    /// All exchanges so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.lock().clone()
    }

    fn add(&self, exchange: usize, item: Sent) {
        if let Some(exchange) = self.lock().get_mut(exchange) {
            exchange.sent.push(item);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Exchange>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn secret(header: &str) -> bool {
    ["authorization", "xi-api-key"].contains(&header)
}

/// The scheme stays, the key does not.
fn shortened(value: &str) -> String {
    match value.split_once(' ') {
        Some((scheme, _)) => format!("{scheme} …"),
        None => "…".to_owned(),
    }
}
