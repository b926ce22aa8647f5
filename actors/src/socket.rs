//! A media socket as the switch sees it: messages in, messages out. Who accepted it, and with which library, is not our concern.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{Sink, Stream};
use tandem_domain::port::dialect::{Parting, WireMessage};

/// Messages from the far end.
pub type Incoming = Pin<Box<dyn Stream<Item = Result<WireMessage, SocketError>> + Send>>;
/// Messages to the far end. Closing it closes the socket.
pub type Outgoing = Pin<Box<dyn Sink<WireMessage, Error = SocketError> + Send>>;

/// What the close frame of a socket will say; set before the socket is closed, read by whoever closes it.
#[derive(Debug, Clone, Default)]
pub struct LastWords(Arc<Mutex<Option<Parting>>>);

impl LastWords {
    /// Closes with this. The first one stays.
    pub fn say(&self, parting: Parting) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.get_or_insert(parting);
    }

    /// What was to be said; once.
    pub fn take(&self) -> Option<Parting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Both directions of an accepted socket.
pub struct MediaSocket {
    /// What its close frame will say.
    pub last_words: LastWords,
    /// Messages from the far end; ends when the far end closed in an orderly way.
    pub incoming: Incoming,
    /// Messages to the far end.
    pub outgoing: Outgoing,
}

/// Why a socket cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    /// A message above the limit.
    #[error("message too large")]
    TooLarge,
    /// More control frames than any far end sends.
    #[error("too many control frames")]
    Flood,
    /// The socket is closed.
    #[error("socket is closed")]
    Closed,
    /// The far end broke the WebSocket protocol.
    #[error("websocket protocol: {0}")]
    Protocol(String),
    /// The connection broke.
    #[error("connection: {0}")]
    Io(String),
}
