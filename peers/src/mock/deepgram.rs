//! Deepgram's streaming speech to text, v1: the handshake with its refusals, then one `Stream` on the socket.
//!
//! Faithful to: authorization, the parameters' rules, `Results` interim and final, an endpointer, `Finalize`, `KeepAlive`, `CloseStream`,
//! `Configure`, the three closes (`NET-0000`, `NET-0001`, `DATA-0000`). It hears the watermarked voice of [`crate::voice`], so words, their
//! times and their order are true; nobody else's words.
//! Not here: Flux (v2), batch, diarization, redaction, more than one channel (the first is heard), compressed audio (accepted, not heard).
//! Source: SDK 7.17.0 and the public AsyncAPI description; checked 2026-11.

mod audio;
mod message;
mod query;
mod stream;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, sleep_until};

use self::query::Listen;
use self::stream::{Answer, Stream};
use super::{Desk, Door};
use crate::clock;

/// As in the wire log.
const VENDOR: &str = "deepgram";
/// Answers that are written before a client's message is looked at: an endless vendor still listens.
const AT_ONCE: usize = 64;

/// The routes.
pub fn routes(desk: Desk) -> Router {
    let streams = Arc::new(Semaphore::new(desk.config.stt_streams.unwrap_or(Semaphore::MAX_PERMITS)));
    Router::new().route("/v1/listen", get(listen)).with_state((desk, streams))
}

async fn listen(State((desk, streams)): State<(Desk, Arc<Semaphore>)>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let exchange = desk.log.begin(VENDOR, &parts);
    let request_id = request_id();
    if !desk.accepts(key(&parts)) {
        return refused(StatusCode::UNAUTHORIZED, "INVALID_AUTH", "Invalid credentials.", &request_id);
    }
    match desk.config.stt.door() {
        Door::Open(late) => sleep(late).await,
        Door::Refused => {
            return refused(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "Service unavailable.", &request_id);
        }
        Door::Silent => return std::future::pending().await,
        Door::Dropped => return dropped(&mut parts).await,
    }
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).unwrap_or_default();
    let listen = match Listen::read(&pairs) {
        Ok(listen) => listen,
        Err(reason) => return refused(StatusCode::BAD_REQUEST, "Bad Request", &reason, &request_id),
    };
    let Ok(seat) = streams.try_acquire_owned() else {
        return refused(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", "Too many requests.", &request_id);
    };
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade.protocols(["token", "bearer"]),
        Err(rejection) => return rejection.into_response(),
    };
    let header = HeaderValue::from_str(&request_id);
    let stream = Stream::new(clock::now(), listen, desk.config.stt.clone(), request_id);
    let mut response = upgrade.on_upgrade(move |socket| serve(socket, stream, desk, exchange, seat));
    if let Ok(request_id) = header {
        response.headers_mut().insert("dg-request-id", request_id);
    }
    response
}

/// `Authorization: Token …` or `Bearer …`, or the subprotocols `token, …` of browsers.
fn key(parts: &Parts) -> Option<&str> {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let (scheme, key) = header("authorization")
        .and_then(|value| value.split_once(' '))
        .or_else(|| header("sec-websocket-protocol").and_then(|value| value.split_once(',')))?;
    let known = ["token", "bearer"].iter().any(|known| known.eq_ignore_ascii_case(scheme.trim()));
    known.then_some(key.trim())
}

fn refused(status: StatusCode, code: &str, reason: &str, request_id: &str) -> Response {
    let body = axum::Json(json!({ "err_code": code, "err_msg": reason, "request_id": request_id }));
    let mut response = (status, body).into_response();
    for (name, text) in [("dg-request-id", request_id), ("dg-error", reason)] {
        if let Ok(value) = HeaderValue::from_str(text) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The connection is gone as soon as it stands.
async fn dropped(parts: &mut Parts) -> Response {
    match WebSocketUpgrade::from_request_parts(parts, &()).await {
        Ok(upgrade) => upgrade.on_upgrade(|socket| async move { drop(socket) }),
        Err(rejection) => rejection.into_response(),
    }
}

/// In the form of theirs.
fn request_id() -> String {
    static REQUESTS: AtomicU64 = AtomicU64::new(1);
    format!("00000000-0000-4000-8000-{:012x}", REQUESTS.fetch_add(1, Ordering::Relaxed))
}

/// Until one side ends it; the project's seat is free then.
async fn serve(mut socket: WebSocket, mut stream: Stream, desk: Desk, exchange: usize, _seat: OwnedSemaphorePermit) {
    loop {
        for _ in 0..AT_ONCE {
            let sent = match stream.poll(clock::now()) {
                None => break,
                Some(Answer::Text(text)) => socket.send(Message::text(text)).await,
                Some(Answer::Binary(bytes)) => socket.send(Message::binary(bytes)).await,
                Some(Answer::Close(code, reason)) => {
                    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
                    farewell(&mut socket).await;
                    return desk.log.closed(exchange);
                }
                Some(Answer::Drop) => return desk.log.closed(exchange),
            };
            if sent.is_err() {
                return desk.log.closed(exchange);
            }
        }
        let due = stream.poll_timeout();
        let message = tokio::select! {
            biased;
            message = socket.recv() => message,
            () = sleep_until(due) => {
                stream.handle_timeout(clock::now());
                continue;
            }
        };
        let now = clock::now();
        match message {
            Some(Ok(Message::Binary(bytes))) => {
                desk.log.binary(exchange, bytes.len());
                stream.audio(now, &bytes);
            }
            Some(Ok(Message::Text(text))) => {
                desk.log.text(exchange, &text);
                stream.text(now, &text);
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_)) | Err(_)) | None => return desk.log.closed(exchange),
        }
    }
}

/// Waits for the client's own close, which is owed; not for long.
async fn farewell(socket: &mut WebSocket) {
    let answered = async { while let Some(Ok(_)) = socket.recv().await {} };
    let _ = tokio::time::timeout(Duration::from_secs(1), answered).await;
}
