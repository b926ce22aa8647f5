//! ElevenLabs' text to speech, by HTTP and by socket.
//!
//! | route | what it does here |
//! |---|---|
//! | `POST /v1/text-to-speech/{voice}/stream` | bare audio, as it is made |
//! | `POST …/stream/with-timestamps` | the same as JSON lines with the characters' times |
//! | `GET …/stream-input` | a socket with one text: buffered until its schedule, a flush or its end |
//! | `GET …/multi-stream-input` | a socket with up to five contexts; answers in camelCase |
//! | `GET /v1/voices`, `/v2/voices` | the voices |
//!
//! Audio is [`crate::voice`]'s, so that an ear knows every word of it. One [`Behaviour`](super::Behaviour) is drawn for each request, and on
//! sockets for each stretch of text that is made:
//!
//! | fault | HTTP | socket |
//! |---|---|---|
//! | `Silent` | no answer | no frame for that context |
//! | `Error` | status 500 | an error frame after half of the audio |
//! | `Drop`, `DropMidway` | the body breaks off between words, within one | the connection does |
//! | `Garbage` | a WAV file of 44.1 kHz instead of what was asked for | its bytes, with the times of the right audio |
//! | `Endless` | the text again and again | the same |
//!
//! Faults at the door come before: status 503, no answer, or a connection that is gone as soon as it stands.
//! The key names the account: `exhausted` has no quota left, `crowded` has too many requests at once. Voices that begin with `missing` do not
//! exist. Not here: MP3 and Opus, SSML, pronunciation dictionaries, text to dialogue.

mod http;
mod multi;
mod single;
mod speech;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::time::sleep;

use self::speech::Format;
use super::{Desk, Door};

const VENDOR: &str = "elevenlabs";
/// A policy was violated (RFC 6455 7.4.1): how this vendor closes after an error.
const POLICY: u16 = 1008;
/// The most that the protocol lets a close frame say.
const REASON_BYTES: usize = 123;

/// The routes.
pub fn routes(desk: Desk) -> Router {
    Router::new()
        .route("/v1/text-to-speech/{voice}/stream", post(http::stream))
        .route("/v1/text-to-speech/{voice}/stream/with-timestamps", post(http::with_timestamps))
        .route("/v1/text-to-speech/{voice}/stream-input", get(single::serve))
        .route("/v1/text-to-speech/{voice}/multi-stream-input", get(multi::serve))
        .route("/v1/voices", get(http::voices))
        .route("/v2/voices", get(http::voices))
        .with_state(desk)
}

/// An answer of refusal, as HTTP and sockets tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

const INVALID_KEY: Refusal =
    Refusal { status: StatusCode::UNAUTHORIZED, code: "invalid_api_key", message: "Invalid API key" };
const QUOTA: Refusal = Refusal {
    status: StatusCode::UNAUTHORIZED,
    code: "quota_exceeded",
    message: "This request exceeds your quota. You have 0 credits remaining.",
};
const CROWDED: Refusal = Refusal {
    status: StatusCode::TOO_MANY_REQUESTS,
    code: "too_many_concurrent_requests",
    message: "Too many concurrent requests. Your current subscription allows fewer.",
};
const NO_VOICE: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    code: "voice_not_found",
    message: "A voice with that voice_id was not found.",
};
const TOO_LONG: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    code: "max_character_limit_exceeded",
    message: "The text is longer than the model takes.",
};
/// A field is not there: the one refusal with a shape of its own.
const NO_TEXT: Refusal =
    Refusal { status: StatusCode::UNPROCESSABLE_ENTITY, code: "missing", message: "Field required" };
const CLOSED: Refusal = Refusal {
    status: StatusCode::SERVICE_UNAVAILABLE,
    code: "service_unavailable",
    message: "Nobody is let in, as planned.",
};
const BROKEN: Refusal = Refusal {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    code: "internal_error",
    message: "Something went wrong, as planned.",
};

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = if self == NO_TEXT {
            json!({"detail": [{"loc": ["body", "text"], "msg": self.message, "type": self.code}]})
        } else {
            json!({"detail": {"status": self.code, "message": self.message}})
        };
        (self.status, axum::Json(body)).into_response()
    }
}

impl Refusal {
    /// The error frame; a context that it is about is named.
    fn frame(&self, context: Option<&str>) -> Value {
        let mut frame = json!({"message": self.message, "error": self.code, "code": POLICY});
        if let Some(context) = context {
            frame["contextId"] = context.into();
        }
        frame
    }

    /// The close frame that follows. What is too long for it is cut.
    fn close(&self) -> Message {
        let reason = &self.message[..self.message.floor_char_boundary(REASON_BYTES)];
        Message::Close(Some(CloseFrame { code: POLICY, reason: reason.into() }))
    }
}

/// The key of a request: in its own header, or as a bearer token there or in the query.
fn key_of(parts: &Parts) -> Option<String> {
    let header = |name: &str| parts.headers.get(name)?.to_str().ok();
    let bearer = |text: &str| text.strip_prefix("Bearer ").unwrap_or(text).to_owned();
    header("xi-api-key")
        .map(str::to_owned)
        .or_else(|| header("authorization").map(bearer))
        .or_else(|| query(parts, "authorization").map(|token| bearer(&token)))
}

/// A field of the query.
fn query(parts: &Parts, name: &str) -> Option<String> {
    let fields: Vec<(String, String)> = serde_urlencoded::from_str(parts.uri.query()?).ok()?;
    fields.into_iter().find_map(|(field, value)| (field == name).then_some(value))
}

/// What the account of `key` may not.
fn account(key: &str) -> Option<Refusal> {
    match key {
        "exhausted" => Some(QUOTA),
        "crowded" => Some(CROWDED),
        _ => None,
    }
}

/// The format asked for; the vendor's default is an MP3, which is not made here.
fn format_of(parts: &Parts) -> Result<Format, Refusal> {
    let name = query(parts, "output_format").unwrap_or_else(|| "mp3_44100_128".to_owned());
    Format::of(&name).ok_or(Refusal {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        code: "unsupported_output_format",
        message: "This server makes ulaw_8000, alaw_8000 and pcm_* alone.",
    })
}

/// A request for a socket, past its checks.
struct Asked {
    upgrade: WebSocketUpgrade,
    parts: Parts,
    format: Format,
    /// `None`: it may still come with the first message.
    key: Option<String>,
    exchange: usize,
}

/// Checks a request for a socket, and logs it.
async fn asked(desk: &Desk, voice: &str, mut parts: Parts) -> Result<Asked, Response> {
    let exchange = desk.log.begin(VENDOR, &parts);
    match desk.config.tts.door() {
        Door::Open(late) => sleep(late).await,
        Door::Refused => return Err(CLOSED.into_response()),
        Door::Silent => std::future::pending().await,
        Door::Dropped => {
            return Err(match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
                Ok(upgrade) => upgrade.on_upgrade(async |socket| drop(socket)),
                Err(rejection) => rejection.into_response(),
            });
        }
    }
    let key = key_of(&parts);
    if key.is_some() && !desk.accepts(key.as_deref()) {
        return Err(INVALID_KEY.into_response());
    }
    if voice.starts_with("missing") {
        return Err(NO_VOICE.into_response());
    }
    let format = format_of(&parts).map_err(IntoResponse::into_response)?;
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.map_err(IntoResponse::into_response)?;
    Ok(Asked { upgrade, parts, format, key, exchange })
}

/// The key, from the request or the first message, if it is accepted; else why not.
fn admitted(desk: &Desk, key: Option<&str>, first: &Value) -> Result<(), Refusal> {
    let in_message = || first["xi-api-key"].as_str().or(first["xi_api_key"].as_str());
    let key = key.or_else(in_message);
    if !desk.accepts(key) {
        return Err(INVALID_KEY);
    }
    key.and_then(account).map_or(Ok(()), Err)
}

/// Says why, and closes.
async fn refuse(socket: &mut WebSocket, refusal: &Refusal, context: Option<&str>) {
    let _ = socket.send(Message::text(refusal.frame(context).to_string())).await; // gone already: told enough
    let _ = socket.send(refusal.close()).await;
}

/// The next text message, logged; `None` once the client has closed or is gone.
async fn next_message(socket: &mut WebSocket, desk: &Desk, exchange: usize) -> Option<Value> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => {
                desk.log.text(exchange, &text);
                return Some(serde_json::from_str(&text).unwrap_or_default());
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Binary(bytes))) => desk.log.binary(exchange, bytes.len()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => {
                desk.log.closed(exchange);
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
