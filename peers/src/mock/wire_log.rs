//! What clients sent, exchange by exchange: kept, and written as JSON lines to whoever wants them.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::request::Parts;
use serde::Serialize;
use serde_json::{Value, json};

/// Exchanges that are kept; later ones are served and forgotten.
const MOST: usize = 10_000;
/// Messages of one exchange that are kept; later ones are answered and forgotten.
const MOST_SENT: usize = 1_000;

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
    pages: Arc<Mutex<Pages>>,
}

#[derive(Default)]
struct Pages {
    exchanges: Vec<Exchange>,
    /// Where lines go too.
    lines: Option<Box<dyn Write + Send>>,
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("exchanges", &self.exchanges).finish_non_exhaustive()
    }
}

impl Pages {
    /// Writes a line. A log that cannot be written is told once, and is then no log any more: the vendors go on.
    fn line(&mut self, line: &Value) {
        if let Some(lines) = &mut self.lines
            && let Err(error) = writeln!(lines, "{line}").and_then(|()| lines.flush())
        {
            eprintln!("the wire log cannot be written any more: {error}");
            self.lines = None;
        }
    }

    fn add(&mut self, number: usize, item: Sent) {
        let Some(exchange) = self.exchanges.get_mut(number) else { return };
        let run = match exchange.sent.last() {
            Some(run @ Sent::Binary { .. }) => Some(json!({ "exchange": number, "sent": run })),
            Some(Sent::Json(_) | Sent::Text(_) | Sent::Closed) | None => None,
        };
        let line = json!({ "exchange": number, "sent": item });
        let is_run = matches!(item, Sent::Binary { .. });
        if exchange.sent.len() < MOST_SENT || item == Sent::Closed {
            exchange.sent.push(item);
        }
        if let Some(run) = run {
            self.line(&run); // it is over
        }
        if !is_run {
            self.line(&line);
        }
    }
}

impl WireLog {
    /// Also writes each exchange's beginning and each of its messages as a line of JSON, as they come; a run of binary messages when it is over:
    ///
    /// ```json
    /// {"exchange":0,"opened":{"vendor":"deepgram","method":"GET","path":"/v1/listen","query":[["model","nova-3"]],"headers":{}}}
    /// {"exchange":0,"sent":{"binary":{"messages":12,"bytes":5760}}}
    /// {"exchange":0,"sent":"closed"}
    /// ```
    pub fn write_lines(&self, lines: impl Write + Send + 'static) {
        self.lock().lines = Some(Box::new(lines));
    }

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
        let mut pages = self.lock();
        if pages.exchanges.len() == MOST {
            return usize::MAX;
        }
        let number = pages.exchanges.len();
        let Exchange { method, path, query, headers, .. } = &exchange;
        let opened = json!({ "vendor": vendor, "method": method, "path": path, "query": query, "headers": headers });
        pages.line(&json!({ "exchange": number, "opened": opened }));
        pages.exchanges.push(exchange);
        number
    }

    /// Adds a body or a text message.
    pub fn text(&self, exchange: usize, text: &str) {
        let sent = serde_json::from_str(text).map_or_else(|_| Sent::Text(text.to_owned()), Sent::Json);
        self.lock().add(exchange, sent);
    }

    /// Adds a binary message.
    pub fn binary(&self, exchange: usize, len: usize) {
        let mut pages = self.lock();
        if let Some(Exchange { sent, .. }) = pages.exchanges.get_mut(exchange)
            && let Some(Sent::Binary { messages, bytes }) = sent.last_mut()
        {
            *messages += 1;
            *bytes += len as u64;
        } else {
            pages.add(exchange, Sent::Binary { messages: 1, bytes: len as u64 });
        }
    }

    /// The client closed, or was gone.
    pub fn closed(&self, exchange: usize) {
        self.lock().add(exchange, Sent::Closed);
    }

    /// All exchanges so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.lock().exchanges.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn secret(header: &str) -> bool {
    ["authorization", "xi-api-key", "sec-websocket-protocol"].contains(&header)
}

/// The scheme stays, the key does not.
fn shortened(value: &str) -> String {
    match value.split_once([' ', ',']) {
        Some((scheme, _)) => format!("{scheme} …"),
        None => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io;

    use super::*;

    /// A file that can be read while it is written.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_exchange_is_kept_and_written_without_its_key() {
        let (log, file) = (WireLog::default(), Shared::default());
        log.write_lines(file.clone());
        let request = axum::http::Request::get("/v1/listen?keyterm=cash+back&keyterm=EMI")
            .header("authorization", "Token secret-key")
            .header("sec-websocket-protocol", "token, secret-key")
            .header("xi-api-key", "secret-key");
        let number = log.begin("deepgram", &request.body(()).unwrap().into_parts().0);
        log.binary(number, 160);
        log.binary(number, 160);
        log.text(number, r#"{"type":"Finalize"}"#);
        log.binary(number, 160);
        log.closed(number);
        let exchange = &log.exchanges()[0];
        assert_eq!(exchange.query[1], ("keyterm".to_owned(), "EMI".to_owned()));
        assert_eq!(exchange.headers["authorization"], "Token …");
        let binary = |messages, bytes| Sent::Binary { messages, bytes };
        let finalize = Sent::Json(json!({ "type": "Finalize" }));
        assert_eq!(exchange.sent, [binary(2, 320), finalize, binary(1, 160), Sent::Closed]);

        let text = String::from_utf8(file.0.lock().unwrap().clone()).unwrap();
        assert!(!text.contains("secret-key"), "{text}");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[1]["sent"]["binary"]["bytes"], 320);
        assert_eq!(lines[4]["sent"], "closed");
    }
}
