//! A media socket as the switch sees it: messages in, messages out. Who accepted it, and with which library, is not our concern.

use std::pin::Pin;

use futures_util::{Sink, Stream};
use tandem_domain::port::dialect::WireMessage;

/// Messages from the far end.
pub type Incoming = Pin<Box<dyn Stream<Item = Result<WireMessage, SocketError>> + Send>>;
/// Messages to the far end. Closing it closes the socket.
pub type Outgoing = Pin<Box<dyn Sink<WireMessage, Error = SocketError> + Send>>;

/// Both directions of an accepted socket.
pub struct MediaSocket {
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
