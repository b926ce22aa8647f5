//! One socket to the vendor, and the task that drives it.
//!
//! Place: lent by the [`pool`](super::pool) to one sentence at a time. Decisions are [`Contexts`]'.
//!
//! Back-pressure: a piece of audio that the sentence has no room for is held, and nothing is read meanwhile; the vendor's own socket fills up.
//! Two pieces at most wait, and no message may hold more than 15 s of audio, so never more than 30 s are in memory.
//! Interruption: the sentence's receiver is dropped, which the task notices before anything else; what still comes for it is thrown away.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::header::HeaderValue;
use tandem_domain::port::tts::TtsError;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::contexts::{Contexts, Meaning, Piece};
use super::wire::{self, CLOSE_SOCKET, KEY_HEADER, Route};
use super::{Key, now};

/// Audio in one message, at most.
const LONGEST_MESSAGE: Duration = Duration::from_secs(15);
/// Room for the timing of a message's characters.
const ALIGNMENT_BYTES: usize = 256 << 10;
/// A vendor that takes no data for so long is gone.
const WRITE_LIMIT: Duration = Duration::from_secs(2);
/// Silence after which a socket is asked whether it is still there, and that it gets to answer.
const PING_AFTER: Duration = Duration::from_secs(15);
/// Read and write buffers: a message of text is small, and there are many sockets.
const BUFFER_BYTES: usize = 8 << 10;

type Wire = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a sentence gets. The channel's end is the sentence's.
pub(super) type Pieces = mpsc::Receiver<Result<Piece, Trouble>>;

/// Why a sentence stopped.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Trouble {
    /// The connection is gone: one that had stood for a while may have been closed by the vendor just then.
    Lost(TtsError),
    /// The vendor said no.
    Refused(TtsError),
}

struct Order {
    text: String,
    pieces: mpsc::Sender<Result<Piece, Trouble>>,
}

/// A socket. Dropping it closes the connection.
#[derive(Debug)]
pub(super) struct Socket {
    orders: mpsc::Sender<Order>,
    /// Contexts open; [`NO_ROOM`] where no more may be.
    open: Arc<AtomicUsize>,
}

const NO_ROOM: usize = usize::MAX;

impl Socket {
    /// Connects. The caller sets the limit.
    ///
    /// # Errors
    /// The vendor is not there, or refuses.
    pub(super) async fn connect(
        base: &str,
        route: &Route,
        key: &Key,
        permit: OwnedSemaphorePermit,
    ) -> Result<Self, TtsError> {
        let mut request =
            route.socket_url(base).into_client_request().map_err(|error| wire::failed(error.to_string()))?;
        request.headers_mut().insert(KEY_HEADER, header(key)?);
        let audio = route.format.media.bytes_in(LONGEST_MESSAGE).div_ceil(3) * 4;
        let config = WebSocketConfig::default()
            .max_message_size(Some(audio + ALIGNMENT_BYTES))
            .max_frame_size(Some(audio + ALIGNMENT_BYTES))
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES);
        let (wire, _) =
            connect_async_with_config(request, Some(config), true).await.map_err(|error| refused(&error))?;
        let (orders, to_do) = mpsc::channel(1);
        let open = Arc::new(AtomicUsize::new(0));
        let mut driver = Driver { wire, contexts: Contexts::default(), open: Arc::clone(&open), sentence: None };
        tokio::spawn(async move {
            driver.run(to_do).await;
            drop(permit);
        });
        Ok(Self { orders, open })
    }

    /// Has a text spoken. `None` if the connection is gone.
    pub(super) async fn speak(&self, text: String) -> Option<Pieces> {
        let (pieces, receiver) = mpsc::channel(1);
        self.orders.send(Order { text, pieces }).await.ok()?;
        Some(receiver)
    }

    /// Whether another sentence may be spoken on it.
    pub(super) fn is_usable(&self) -> bool {
        !self.orders.is_closed() && self.open.load(Ordering::Relaxed) != NO_ROOM
    }
}

pub(super) fn header(key: &Key) -> Result<HeaderValue, TtsError> {
    let remedy = "ELEVENLABS_API_KEY holds characters that no key has";
    let unfit = |_| TtsError::Unavailable { vendor: wire::NAME, remedy: remedy.to_owned() };
    let mut value = HeaderValue::from_str(&key.0).map_err(unfit)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a handshake's failure means.
fn refused(error: &tungstenite::Error) -> TtsError {
    match error {
        tungstenite::Error::Http(answer) => {
            wire::refusal(answer.status().as_u16(), answer.body().as_deref().unwrap_or_default())
        }
        error => wire::failed(format!("cannot connect: {error}")),
    }
}

/// The sentence in hand.
struct Sentence {
    pieces: mpsc::Sender<Result<Piece, Trouble>>,
    /// What waits for room; with `true` the last.
    waiting: Option<(Result<Piece, Trouble>, bool)>,
}

struct Driver {
    wire: Wire,
    contexts: Contexts,
    open: Arc<AtomicUsize>,
    sentence: Option<Sentence>,
}

impl Driver {
    async fn run(&mut self, mut orders: mpsc::Receiver<Order>) {
        let lost = self.drive(&mut orders).await.err();
        self.open.store(NO_ROOM, Ordering::Relaxed);
        // From here on nobody orders; who did so just now learns it by the end of the channel.
        orders.close();
        if let (Some(trouble), Some(sentence)) = (lost, self.sentence.take()) {
            if let Some((piece, _)) = sentence.waiting {
                let _ = sentence.pieces.send(piece).await; // nobody listens: nobody misses it
            }
            let _ = sentence.pieces.send(Err(trouble)).await;
        }
    }

    /// Until the socket is no longer needed (`Ok`) or is lost.
    async fn drive(&mut self, orders: &mut mpsc::Receiver<Order>) -> Result<(), Trouble> {
        let (mut heard_at, mut asked) = (now(), false);
        loop {
            self.contexts.handle_timeout(now());
            let open = if self.contexts.has_room() { self.contexts.open() } else { NO_ROOM };
            self.open.store(open, Ordering::Relaxed);
            if self.contexts.is_spent() {
                return self.close().await;
            }
            let holds_back = self.sentence.as_ref().is_some_and(|sentence| sentence.waiting.is_some());
            // While nothing is read, no answer to a ping is, either.
            let ping = heard_at + if asked { 2 * PING_AFTER } else { PING_AFTER };
            let due = [self.contexts.poll_timeout(), (!holds_back).then_some(ping)].into_iter().flatten().min();
            tokio::select! {
                biased;
                () = gone(self.sentence.as_ref()) => {
                    self.sentence = None;
                    self.contexts.cut(now());
                }
                order = orders.recv() => match order {
                    Some(order) => self.begin(order).await?,
                    None => return self.close().await,
                },
                () = room(self.sentence.as_ref()) => {
                    heard_at = now();
                    self.hand_over();
                }
                message = self.wire.next(), if !holds_back => {
                    (heard_at, asked) = (now(), false);
                    let message = message.ok_or_else(|| lost("closed the connection"))?;
                    self.message(message.map_err(|error| lost(&error.to_string()))?)?;
                }
                () = until(due) => {
                    if !holds_back && now() >= ping {
                        if asked {
                            return Err(lost("the connection is dead"));
                        }
                        asked = true;
                        self.write(Message::Ping(Default::default())).await?;
                    }
                }
            }
        }
    }

    async fn begin(&mut self, Order { text, pieces }: Order) -> Result<(), Trouble> {
        let frames = self.contexts.begin(now(), &text);
        self.sentence = Some(Sentence { pieces, waiting: None });
        let writes = async {
            for frame in frames {
                self.wire.feed(Message::text(frame)).await?;
            }
            self.wire.flush().await
        };
        written(timeout(WRITE_LIMIT, writes).await)
    }

    fn message(&mut self, message: Message) -> Result<(), Trouble> {
        let text = match &message {
            Message::Text(text) => text.as_str(),
            Message::Close(Some(frame)) => return Err(lost(&format!("closed with {}: {}", frame.code, frame.reason))),
            Message::Close(None) => return Err(lost("closed the connection")),
            Message::Binary(_) => return Err(lost("sent a binary message")),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(()),
        };
        let heard = wire::read(text).map_err(|error| lost(&format!("sent {error}")))?;
        let next = match self.contexts.hear(heard) {
            Meaning::Audio(piece, last) => (Ok(piece), last),
            Meaning::Failed(error) => (Err(Trouble::Refused(error)), true),
            Meaning::Over => {
                self.sentence = None;
                return Ok(());
            }
            // A refusal would come again on another socket; anything else may have been about what was before.
            Meaning::Lost(error @ TtsError::Failed { .. }) => return Err(Trouble::Lost(error)),
            Meaning::Lost(error) => return Err(Trouble::Refused(error)),
            Meaning::Nothing => return Ok(()),
        };
        if let Some(sentence) = &mut self.sentence {
            sentence.waiting = Some(next);
        }
        Ok(())
    }

    /// Hands over what waits.
    fn hand_over(&mut self) {
        let Some(sentence) = &mut self.sentence else { return };
        let Some((piece, last)) = sentence.waiting.take() else { return };
        let _ = sentence.pieces.try_send(piece); // a sentence that is gone misses nothing
        if last {
            self.sentence = None;
        }
    }

    async fn write(&mut self, message: Message) -> Result<(), Trouble> {
        written(timeout(WRITE_LIMIT, self.wire.send(message)).await)
    }

    /// Says goodbye; a vendor that does not take it is left without.
    async fn close(&mut self) -> Result<(), Trouble> {
        let goodbye = async {
            self.wire.send(Message::text(CLOSE_SOCKET)).await?;
            self.wire.close(None).await
        };
        let _ = timeout(WRITE_LIMIT, goodbye).await; // gone already: as well
        Ok(())
    }
}

fn written(result: Result<Result<(), tungstenite::Error>, tokio::time::error::Elapsed>) -> Result<(), Trouble> {
    match result {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(lost(&error.to_string())),
        Err(_) => Err(lost("takes no data")),
    }
}

fn lost(detail: &str) -> Trouble {
    Trouble::Lost(wire::failed(detail))
}

/// Resolves when nobody listens to the sentence any more.
async fn gone(sentence: Option<&Sentence>) {
    match sentence {
        Some(sentence) => sentence.pieces.closed().await,
        None => pending().await,
    }
}

/// Resolves when there is room for the piece that waits.
async fn room(sentence: Option<&Sentence>) {
    match sentence.filter(|sentence| sentence.waiting.is_some()) {
        // Given back at once: nobody else can take it.
        Some(sentence) if sentence.pieces.reserve().await.is_ok() => {}
        _ => pending().await, // nothing waits, or `gone` sees it
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}
