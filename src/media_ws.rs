//! Media sockets: a carrier's WebSocket becomes a [`MediaSocket`] of the switch.
//!
//! Place:   `http` routes these paths here; the switch decides everything after the upgrade. A trailing slash is optional.
//!
//! | path                                | carrier                     | the call is known by       |
//! |-------------------------------------|-----------------------------|----------------------------|
//! | `/media`, `/media/{key}`            | told by the first messages  | what the stream says       |
//! | `/ws/{carrier}/call/{id}`, `/ws/{carrier}/{key}/call/{id}` | `twilio`, `exotel` | the same, else by `id` |
//!
//! `key` is `MEDIA_SECRET` or an invitation's token; who may open what: [`access`]. Buffers are small: the library's defaults cost 140 KB
//! a connection, and most carriers' messages have 300 bytes. No subprotocol is required; of the query only Exotel's sample rate is read.
//! Pings are answered by the library.

pub(crate) mod convai;
pub(crate) mod origin;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, FromRequestParts, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use serde::Deserialize;
use tandem_access::setup::Posture;
use tandem_actors::{Arrival, LastWords, MediaSocket, SocketError};
use tandem_domain::port::dialect::{Dialect, Parting, WireMessage};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite;

use crate::http::Surface;
use crate::http::problem::Problem;

mod access;

pub(crate) use access::Access;

/// Read and write buffer of a socket.
const BUFFER_BYTES: usize = 4 * 1024;
/// Most that may wait to be written, far beyond what pacing lets come together: a far end that stopped reading.
const MAX_UNWRITTEN_BYTES: usize = 64 * 1024;
/// Control frames between two messages. A far end pings every few seconds and speaks many times a second.
const MAX_CONTROL_FRAMES: u32 = 500;
/// Bytes of a carrier's call id in a path; theirs have 32 to 36.
const MAX_ID_BYTES: usize = 128;
/// How long a closed socket still reads, so that the far end gets our last frames and the close instead of a reset.
const LINGER: Duration = Duration::from_secs(2);

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Media of a call that is known by what the stream says, and the carrier by how it speaks.
#[utoipa::path(
    get, path = "/media", operation_id = "open_media", tag = "media",
    responses((status = SWITCHING_PROTOCOLS, description = "a media socket in the carrier's own protocol")),
)]
pub(crate) async fn anonymous(State(surface): State<Surface>, caller: Caller, upgrade: Upgrade) -> Response {
    accept(surface, caller, upgrade, Names::default()).await
}

/// The same, for who has a key.
#[utoipa::path(
    get, path = "/media/{key}", operation_id = "open_media_with_key", tag = "media",
    params(("key" = String, Path, description = "MEDIA_SECRET, or the token of an invitation")),
    responses((status = SWITCHING_PROTOCOLS, description = "a media socket in the carrier's own protocol")),
)]
pub(crate) async fn keyed(
    State(surface): State<Surface>,
    caller: Caller,
    key: Result<Path<String>, PathRejection>,
    upgrade: Upgrade,
) -> Response {
    match key {
        Ok(Path(key)) => accept(surface, caller, upgrade, Names { key: Some(key), ..Names::default() }).await,
        Err(rejection) => Problem::invalid("key", rejection.body_text()).into_response(),
    }
}

/// Media of the call that the path names, in the protocol of the carrier that it names.
#[utoipa::path(
    get, path = "/ws/{carrier}/call/{id}", operation_id = "open_call_media", tag = "media",
    params(
        ("carrier" = String, Path, description = "twilio or exotel"),
        ("id" = String, Path, description = "the carrier's id of the call"),
    ),
    responses((status = SWITCHING_PROTOCOLS, description = "a media socket in the carrier's own protocol")),
)]
pub(crate) async fn named(
    State(surface): State<Surface>,
    caller: Caller,
    names: Result<Path<Names>, PathRejection>,
    upgrade: Upgrade,
) -> Response {
    match names {
        Ok(Path(Names { id: Some(id), .. })) if id.len() > MAX_ID_BYTES => {
            Problem::invalid("id", format!("longer than {MAX_ID_BYTES} bytes")).into_response()
        }
        Ok(Path(names)) => accept(surface, caller, upgrade, names).await,
        Err(rejection) => Problem::invalid("id", rejection.body_text()).into_response(),
    }
}

/// The same, for who has a key.
#[utoipa::path(
    get, path = "/ws/{carrier}/{key}/call/{id}", operation_id = "open_call_media_with_key", tag = "media",
    params(
        ("carrier" = String, Path, description = "twilio or exotel"),
        ("key" = String, Path, description = "MEDIA_SECRET, or the token of an invitation"),
        ("id" = String, Path, description = "the carrier's id of the call"),
    ),
    responses((status = SWITCHING_PROTOCOLS, description = "a media socket in the carrier's own protocol")),
)]
pub(crate) async fn named_and_keyed(
    surface: State<Surface>,
    caller: Caller,
    names: Result<Path<Names>, PathRejection>,
    upgrade: Upgrade,
) -> Response {
    named(surface, caller, names, upgrade).await
}

/// What stands in the path.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Names {
    carrier: Option<String>,
    key: Option<String>,
    id: Option<String>,
}

/// The request's own words.
#[derive(Debug, FromRequestParts)]
pub(crate) struct Caller {
    peer: ConnectInfo<SocketAddr>,
    uri: Uri,
    headers: HeaderMap,
}

/// The dialects that a socket may speak; none for a carrier that we do not know.
fn dialects(surface: &Surface, carrier: Option<&str>, query: &str) -> Vec<Arc<dyn Dialect>> {
    let twilio = || Arc::clone(&surface.twilio);
    let exotel = || -> Arc<dyn Dialect> { Arc::new(surface.exotel.opened_with(query)) };
    match carrier {
        None => vec![twilio(), exotel()],
        Some("twilio") => vec![twilio()],
        Some("exotel") => vec![exotel()],
        Some(_) => Vec::new(),
    }
}

async fn accept(surface: Surface, caller: Caller, upgrade: Upgrade, names: Names) -> Response {
    let Caller { peer: ConnectInfo(peer), uri, headers } = caller;
    let dialects = dialects(&surface, names.carrier.as_deref(), uri.query().unwrap_or_default());
    let Some(limit) = dialects.iter().map(|dialect| dialect.capabilities().max_message_bytes).max() else {
        return Problem::not_found("there are media sockets for twilio and exotel").into_response();
    };
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return refuse(rejection),
    };
    if surface.switch.draining() {
        return Problem::unavailable("draining: new calls are not taken", 30).into_response();
    }
    let key = names.key.as_deref();
    let open = surface.access.asks_whether_open(key) && surface.guard.known_posture().await == Posture::Open;
    let pass = match surface.access.verdict(&uri, &headers, key, open, &surface.switch) {
        Ok(pass) => pass,
        Err(refusal) => return surface.access.refuse(refusal).into_response(),
    };
    let place = if pass.counted {
        let Some(place) = surface.switch.place(peer.ip()) else {
            tracing::debug!(%peer, "media socket refused: its address holds too many that have not spoken");
            let detail = "too many media sockets of this address have not started their stream";
            return Problem::unavailable(detail, 1).into_response();
        };
        Some(place)
    } else {
        None
    };
    let arrival = Arrival {
        path_id: names.id,
        peer: Some(peer),
        standing: pass.standing,
        token: pass.token,
        place,
        business: None, // a carrier's, whose account is in the settings: the first business's
    };
    serve(upgrade, limit, MAX_UNWRITTEN_BYTES, move |media| async move {
        surface.switch.serve_any(&dialects, media, arrival).await;
    })
}

/// Upgrades and lends the socket to `agent` until that is done with it. `limit` and `unwritten`, in bytes: of one message, and of what may
/// wait to be written.
fn serve<A, F>(upgrade: WebSocketUpgrade, limit: usize, unwritten: usize, agent: A) -> Response
where
    A: FnOnce(MediaSocket) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    upgrade
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(unwritten)
        .max_message_size(limit)
        .max_frame_size(limit)
        .on_failed_upgrade(|error| tracing::debug!(%error, "media socket not upgraded"))
        .on_upgrade(async move |socket| {
            let (media, remains) = lend(socket);
            agent(media).await;
            remains.linger().await;
        })
}

/// A request that is no WebSocket handshake.
fn refuse(rejection: WebSocketUpgradeRejection) -> Response {
    match rejection {
        WebSocketUpgradeRejection::InvalidConnectionHeader(_) | WebSocketUpgradeRejection::InvalidUpgradeHeader(_) => {
            Problem::upgrade_required().into_response()
        }
        WebSocketUpgradeRejection::InvalidWebSocketVersionHeader(_) => {
            // RFC 6455 4.4: the answer names the version that would do.
            ([(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))], Problem::upgrade_required())
                .into_response()
        }
        // A body of its own would be the library's words; without one the problem is ours.
        WebSocketUpgradeRejection::MethodNotGet(_) => {
            (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, HeaderValue::from_static("GET"))]).into_response()
        }
        other => other.into_response(),
    }
}

/// Splits a socket for the switch's two pumps. The halves come home when the pumps drop them.
fn lend(socket: WebSocket) -> (MediaSocket, Remains) {
    let (sink, stream) = socket.split();
    let ((stream, stream_home), (sink, sink_home)) = (Lent::new(stream), Lent::new(sink));
    let last_words = LastWords::default();
    let media = MediaSocket {
        incoming: Box::pin(Incoming { inner: stream, control_frames: 0, over: false }),
        outgoing: Box::pin(Outgoing { inner: sink, last_words: last_words.clone() }),
        last_words,
    };
    (media, Remains { stream: stream_home, sink: sink_home })
}

/// A half of a socket that goes home when it is dropped.
struct Lent<T> {
    /// `Some` until dropped.
    inner: Option<T>,
    home: Option<oneshot::Sender<T>>,
}

impl<T: Unpin> Lent<T> {
    fn new(inner: T) -> (Self, oneshot::Receiver<T>) {
        let (home, receiver) = oneshot::channel();
        (Self { inner: Some(inner), home: Some(home) }, receiver)
    }

    fn pin(&mut self) -> Pin<&mut T> {
        Pin::new(self.inner.as_mut().expect("present until drop"))
    }
}

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        if let (Some(inner), Some(home)) = (self.inner.take(), self.home.take()) {
            // Nobody home: the socket ends here.
            let _ = home.send(inner);
        }
    }
}

/// What is left of a socket when its call is over.
struct Remains {
    stream: oneshot::Receiver<SplitStream<WebSocket>>,
    sink: oneshot::Receiver<SplitSink<WebSocket, Message>>,
}

impl Remains {
    /// Closes the socket in an orderly way. Closing with unread input would make the kernel send a reset, and the far end could lose
    /// what we had said last.
    async fn linger(self) {
        let farewell = async {
            let (Ok(stream), Ok(sink)) = (self.stream.await, self.sink.await) else { return };
            let Ok(mut socket) = stream.reunite(sink) else { return };
            if socket.close().await.is_ok() {
                while let Some(Ok(_)) = socket.recv().await {}
            }
        };
        // Late: the far end does not answer our close; dropping the socket ends it.
        let _ = tokio::time::timeout(LINGER, farewell).await;
    }
}

/// Messages from the far end.
struct Incoming {
    inner: Lent<SplitStream<WebSocket>>,
    /// Since the last message.
    control_frames: u32,
    over: bool,
}

impl Stream for Incoming {
    type Item = Result<WireMessage, SocketError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while !self.over {
            match ready!(self.inner.pin().poll_next(context)) {
                Some(Ok(Message::Text(text))) => {
                    self.control_frames = 0;
                    return Poll::Ready(Some(Ok(WireMessage::Text(text.to_string()))));
                }
                Some(Ok(Message::Binary(bytes))) => {
                    self.control_frames = 0;
                    return Poll::Ready(Some(Ok(WireMessage::Binary(bytes))));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                    self.control_frames += 1;
                    if self.control_frames > MAX_CONTROL_FRAMES {
                        self.over = true;
                        return Poll::Ready(Some(Err(SocketError::Flood)));
                    }
                }
                Some(Ok(Message::Close(_))) | None => self.over = true,
                Some(Err(error)) => {
                    self.over = true; // what follows a broken frame cannot be read
                    return Poll::Ready(Some(Err(socket_error(error))));
                }
            }
        }
        Poll::Ready(None)
    }
}

/// Messages to the far end.
struct Outgoing {
    inner: Lent<SplitSink<WebSocket, Message>>,
    last_words: LastWords,
}

impl Sink<WireMessage> for Outgoing {
    type Error = SocketError;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SocketError>> {
        self.inner.pin().poll_ready(context).map_err(socket_error)
    }

    fn start_send(mut self: Pin<&mut Self>, message: WireMessage) -> Result<(), SocketError> {
        let message = match message {
            WireMessage::Text(text) => Message::Text(text.into()),
            WireMessage::Binary(bytes) => Message::Binary(bytes),
        };
        self.inner.pin().start_send(message).map_err(socket_error)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SocketError>> {
        self.inner.pin().poll_flush(context).map_err(socket_error)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SocketError>> {
        ready!(self.inner.pin().poll_ready(context)).map_err(socket_error)?;
        if let Some(Parting { code, reason }) = self.last_words.take() {
            let frame = CloseFrame { code, reason: reason.into() };
            self.inner.pin().start_send(Message::Close(Some(frame))).map_err(socket_error)?;
        }
        self.inner.pin().poll_close(context).map_err(socket_error)
    }
}

/// What the library's error means to a call.
fn socket_error(error: axum::Error) -> SocketError {
    use tungstenite::error::{CapacityError, Error, ProtocolError};
    match error.into_inner().downcast::<Error>().map(|error| *error) {
        Ok(Error::Capacity(CapacityError::MessageTooLong { .. })) => SocketError::TooLarge,
        Ok(Error::ConnectionClosed | Error::AlreadyClosed) => SocketError::Closed,
        // The connection just ended: a broken line, not a broken rule.
        Ok(Error::Protocol(error @ ProtocolError::ResetWithoutClosingHandshake)) => SocketError::Io(error.to_string()),
        Ok(Error::Protocol(error)) => SocketError::Protocol(error.to_string()),
        Ok(Error::Utf8(_)) => SocketError::Protocol("text frame is not UTF-8".to_owned()),
        Ok(error) => SocketError::Io(error.to_string()),
        Err(error) => SocketError::Io(error.to_string()),
    }
}

mod echo;
#[cfg(test)]
mod tests;

pub(crate) use echo::echo;
