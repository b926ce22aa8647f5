//! One text by HTTP: bare audio, or JSON lines with the characters' times.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::speech::{Ending, Piece, speech};
use super::{
    BROKEN, CLOSED, Format, INVALID_KEY, NO_TEXT, NO_VOICE, Refusal, TOO_LONG, VENDOR, account, format_of, key_of,
};
use crate::mock::{Desk, Door};

/// The longest body that is read.
const MOST_BYTES: usize = 1 << 20;
/// The longest text that is taken.
const MOST_CHARS: usize = 40_000;
/// Between two pieces of speech without end: far faster than anybody listens, and yet it takes time.
const ENDLESS_INTERVAL: Duration = Duration::from_millis(1);

pub(super) async fn stream(State(desk): State<Desk>, Path(voice): Path<String>, request: Request) -> Response {
    answer(desk, &voice, request, |piece| piece.audio, None).await
}

pub(super) async fn with_timestamps(State(desk): State<Desk>, Path(voice): Path<String>, request: Request) -> Response {
    answer(desk, &voice, request, |piece| line(&piece), Some("application/json")).await
}

/// A piece as a JSON line: times in seconds.
fn line(piece: &Piece) -> Bytes {
    let seconds = |ms: u64| ms as f64 / 1_000.0;
    let alignment = json!({
        "characters": piece.chars.iter().map(|(text, ..)| text).collect::<Vec<_>>(),
        "character_start_times_seconds": piece.chars.iter().map(|(_, start, _)| seconds(*start)).collect::<Vec<_>>(),
        "character_end_times_seconds": piece.chars.iter().map(|(_, start, length)| seconds(start + length)).collect::<Vec<_>>(),
    });
    let line = json!({
        "audio_base64": STANDARD.encode(&piece.audio),
        "alignment": alignment,
        "normalized_alignment": alignment,
    });
    format!("{line}\n").into()
}

async fn answer(
    desk: Desk,
    voice: &str,
    request: Request,
    shape: impl Fn(Piece) -> Bytes + Send + 'static,
    content_type: Option<&'static str>,
) -> Response {
    let (parts, body) = request.into_parts();
    let exchange = desk.log.begin(VENDOR, &parts);
    let Ok(body) = to_bytes(body, MOST_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    desk.log.text(exchange, &String::from_utf8_lossy(&body));
    match desk.config.tts.door() {
        Door::Open(late) => sleep(late).await,
        Door::Refused => return CLOSED.into_response(),
        Door::Silent => std::future::pending().await,
        Door::Dropped => {
            // A server cannot take back a connection without a word; it comes as near as a body that breaks off before it begins.
            return Body::from_stream(stream::iter([Err::<Bytes, _>(io::Error::other("dropped, as planned"))]))
                .into_response();
        }
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (format, text) = match checked(&desk, voice, &parts, &body) {
        Ok(checked) => checked,
        Err(refusal) => return refusal.into_response(),
    };
    let fate = desk.config.tts.next();
    let (pieces, ending) = speech(&text, format, fate);
    sleep(fate.delay).await;
    let rest = match ending {
        Ending::Well => stream::empty().left_stream(),
        Ending::Broken => stream::iter([Err(io::Error::other("broken off, as planned"))]).right_stream(),
        Ending::Error => return BROKEN.into_response(),
        Ending::Silence => std::future::pending().await,
        Ending::Never => {
            let again = endless(pieces).map(move |piece| Ok::<_, Infallible>(shape(piece)));
            return audio(content_type.unwrap_or(format.content_type()), Body::from_stream(again));
        }
    };
    // Broken off only once the pieces before are on their way: hyper drops what it has not written when a body fails.
    let pieces = stream::iter(pieces).map(move |piece| Ok(shape(piece))).then(async |piece| {
        tokio::task::yield_now().await;
        piece
    });
    audio(content_type.unwrap_or(format.content_type()), Body::from_stream(pieces.chain(rest)))
}

/// The pieces again and again, without end.
fn endless(pieces: Vec<Piece>) -> impl Stream<Item = Piece> + Send {
    stream::iter(pieces.into_iter().cycle()).then(async |piece| {
        sleep(ENDLESS_INTERVAL).await;
        piece
    })
}

/// The answer's head, with what the vendor tells of the account's load.
fn audio(content_type: &'static str, body: Body) -> Response {
    let header = |name: &'static str, value: &'static str| (HeaderName::from_static(name), value);
    let headers = [
        header("request-id", "mock-request"),
        header("current-concurrent-requests", "1"),
        header("maximum-concurrent-requests", "10"),
    ];
    ([(CONTENT_TYPE, content_type)], headers, body).into_response()
}

/// Format and text of a request that may be answered.
fn checked(desk: &Desk, voice: &str, parts: &Parts, body: &Value) -> Result<(Format, String), Refusal> {
    let key = key_of(parts);
    if !desk.accepts(key.as_deref()) {
        return Err(INVALID_KEY);
    }
    if let Some(refusal) = key.as_deref().and_then(account) {
        return Err(refusal);
    }
    if voice.starts_with("missing") {
        return Err(NO_VOICE);
    }
    let text = body["text"].as_str().ok_or(NO_TEXT)?;
    if text.chars().count() > MOST_CHARS {
        return Err(TOO_LONG);
    }
    Ok((format_of(parts)?, text.to_owned()))
}

/// The account's voices: one.
pub(super) async fn voices(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    desk.log.begin(VENDOR, &parts);
    if !desk.accepts(key_of(&parts).as_deref()) {
        return INVALID_KEY.into_response();
    }
    let voice = json!({"voice_id": "JBFqnCBsd6RMkjVDRZzb", "name": "George", "category": "premade", "labels": {}});
    Json(json!({"voices": [voice], "has_more": false, "total_count": 1, "next_page_token": null})).into_response()
}
