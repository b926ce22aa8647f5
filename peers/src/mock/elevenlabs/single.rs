//! A socket with one text: buffered until its schedule, a flush or its end, then closed with 1000.

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::extract::{Path, Request, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::multi::{Buffer, ENDLESS_INTERVAL, TIMED_OUT, inactivity};
use super::speech::{Ending, Format, Piece, speech};
use super::{Asked, BROKEN, admitted, asked, next_message, query, refuse};
use crate::mock::Desk;

/// A text of at least this many characters is made when the client tries to trigger it.
const TRIGGERED: usize = 50;
/// Closed as it should be (RFC 6455 7.4.1).
const NORMAL: u16 = 1000;

pub(super) async fn serve(State(desk): State<Desk>, Path(voice): Path<String>, request: Request) -> Response {
    match asked(&desk, &voice, request.into_parts().0).await {
        Ok(asked) => {
            let Asked { upgrade, parts, format, key, exchange } = asked;
            let auto = query(&parts, "auto_mode").as_deref() == Some("true");
            let patience = inactivity(&parts);
            upgrade.on_upgrade(async move |mut socket| {
                let mut buffer: Option<Buffer> = None;
                loop {
                    let Ok(message) = timeout(patience, next_message(&mut socket, &desk, exchange)).await else {
                        return refuse(&mut socket, &TIMED_OUT, None).await;
                    };
                    let Some(message) = message else { return };
                    if buffer.is_none()
                        && let Err(refusal) = admitted(&desk, key.as_deref(), &message)
                    {
                        return refuse(&mut socket, &refusal, None).await;
                    }
                    let buffer = buffer.get_or_insert_with(|| Buffer::of(&message));
                    let (text, ends) = asked_for(&message);
                    let triggered = message["try_trigger_generation"] == true && text.len() >= TRIGGERED;
                    let now = ends || message["flush"] == true || triggered || auto && !text.trim().is_empty();
                    if let Some(text) = buffer.push(text, now)
                        && !make(&mut socket, &desk, &text, format).await
                    {
                        return;
                    }
                    if ends {
                        let last = Message::text(json!({"audio": null, "isFinal": true}).to_string());
                        let _ = socket.send(last).await; // gone already: as well
                        let frame = CloseFrame { code: NORMAL, reason: Default::default() };
                        let _ = socket.send(Message::Close(Some(frame))).await;
                        return;
                    }
                }
            })
        }
        Err(refused) => refused,
    }
}

/// The text of a message, and whether it is the end. A single space opens and keeps alive.
fn asked_for(message: &Value) -> (&str, bool) {
    match message["text"].as_str() {
        Some("") => ("", true),
        Some(" ") | None => ("", false),
        Some(text) => (text, false),
    }
}

/// Makes a text; whether the socket goes on.
async fn make(socket: &mut WebSocket, desk: &Desk, text: &str, format: Format) -> bool {
    let fate = desk.config.tts.next();
    let (pieces, ending) = speech(text, format, fate);
    sleep(fate.delay).await;
    for piece in &pieces {
        if socket.send(frame(piece)).await.is_err() {
            return false;
        }
    }
    match ending {
        Ending::Well => return true,
        Ending::Error => refuse(socket, &BROKEN, None).await,
        Ending::Broken => {}
        Ending::Silence => std::future::pending().await,
        Ending::Never => {
            for piece in pieces.iter().cycle() {
                sleep(ENDLESS_INTERVAL).await;
                if socket.send(frame(piece)).await.is_err() {
                    break;
                }
            }
        }
    }
    false
}

fn frame(piece: &Piece) -> Message {
    let frame = json!({
        "audio": STANDARD.encode(&piece.audio),
        "isFinal": null,
        "normalizedAlignment": piece.alignment(),
        "alignment": piece.alignment(),
    });
    Message::text(frame.to_string())
}
