//! WebSockets to vendors: a base URL, a handshake with its limits, and small buffers.
//!
//! Place: under every vendor that streams by socket. One [`WsClient`] serves all connections to a vendor, so that certificates are read once
//! and a further connection resumes the TLS session of an earlier one, which spares it a round trip.
//! Not here: when to connect again, and what a refusal means; both are the vendor's.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderMap, Uri};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Error};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

/// A socket to a vendor.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The libraries' defaults are 128 KiB each way: a call has one such socket and half a megabyte in all.
const BUFFER_BYTES: usize = 4 * 1024;
/// What may wait for a vendor that does not read.
const MAX_UNSENT_BYTES: usize = 256 * 1024;
/// The longest message of a vendor; answers about speech have a few kilobytes.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;
/// Of a refusal's body, for the log.
const MAX_BODY_BYTES: usize = 1_024;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The vendor answered with something else than an upgrade.
    #[error("the handshake was refused with status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Headers of the answer.
        headers: Box<HeaderMap>,
        /// Beginning of the body.
        body: String,
    },
    /// There was no answer in time.
    #[error("no connection within {} ms", .0.as_millis())]
    Late(Duration),
    /// The vendor cannot be reached.
    #[error("no connection")]
    Unreachable(#[source] io::Error),
    /// The vendor speaks something else than TLS and WebSocket.
    #[error("the handshake failed")]
    Handshake(#[source] Box<Error>),
}

/// Why a text is not the base of a vendor's URLs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a base URL; write https:// and a host, such as https://api.example.com")]
pub struct BaseError(String);

/// Scheme, host and path before a vendor's own paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    secure: bool,
    authority: String,
    path: String,
}

impl Base {
    /// Reads `https://host[:port][/path]`, or `http://`, `wss://`, `ws://`; plain HTTP means plain sockets.
    ///
    /// # Errors
    /// It is something else, or holds a user, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, BaseError> {
        let refused = || BaseError(without_user(text));
        let uri: Uri = text.trim().parse().map_err(|_| refused())?;
        let secure = match uri.scheme_str() {
            Some("https" | "wss") => true,
            Some("http" | "ws") => false,
            Some(_) | None => return Err(refused()),
        };
        let authority = uri.authority().ok_or_else(refused)?;
        if uri.query().is_some() || authority.as_str().contains('@') || text.contains('#') {
            return Err(refused());
        }
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { secure, authority: authority.to_string(), path })
    }

    /// The URL of a socket: `path` begins with `/`.
    pub fn socket(&self, path: &str, query: &str) -> String {
        let scheme = if self.secure { "wss" } else { "ws" };
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{scheme}://{}{}{path}{mark}{query}", self.authority, self.path)
    }
}

/// A base URL may have been written with a password, which has no place in an error.
fn without_user(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => text.to_owned(),
    }
}

/// Makes sockets; clones share certificates and TLS sessions.
#[derive(Clone)]
pub struct WsClient {
    tls: Arc<ClientConfig>,
    limit: Duration,
}

impl WsClient {
    /// A client whose handshakes may take as long as `limit`, from the look-up of the name to the upgrade.
    pub fn new(limit: Duration) -> Self {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has suites for TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { tls: Arc::new(tls), limit }
    }

    /// A socket by `request`. Dropping the future gives up.
    ///
    /// # Errors
    /// The vendor is out of reach, late, refuses, or speaks something else.
    pub async fn connect(&self, request: Request) -> Result<(Socket, HeaderMap), ConnectError> {
        timeout(self.limit, self.handshake(request))
            .map(|done| done.unwrap_or(Err(ConnectError::Late(self.limit))))
            .await
    }

    async fn handshake(&self, request: Request) -> Result<(Socket, HeaderMap), ConnectError> {
        let invalid = || ConnectError::Unreachable(io::Error::from(io::ErrorKind::InvalidInput));
        let secure = request.uri().scheme_str() == Some("wss");
        let host = request.uri().host().ok_or_else(invalid)?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = request.uri().port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await.map_err(ConnectError::Unreachable)?;
        // Audio goes out in small messages, and none may wait for the acknowledgement of the one before.
        stream.set_nodelay(true).map_err(ConnectError::Unreachable)?;
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_UNSENT_BYTES)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let connector = if secure { Connector::Rustls(Arc::clone(&self.tls)) } else { Connector::Plain };
        match client_async_tls_with_config(request, stream, Some(config), Some(connector)).await {
            Ok((socket, response)) => Ok((socket, response.into_parts().0.headers)),
            Err(Error::Http(response)) => Err(refused(*response)),
            Err(Error::Io(error)) => Err(ConnectError::Unreachable(error)),
            Err(error) => Err(ConnectError::Handshake(Box::new(error))),
        }
    }
}

fn refused(response: tungstenite::http::Response<Option<Vec<u8>>>) -> ConnectError {
    let (parts, body) = response.into_parts();
    let body = body.unwrap_or_default();
    let body = String::from_utf8_lossy(&body[..body.len().min(MAX_BODY_BYTES)]).into_owned();
    ConnectError::Refused { status: parts.status.as_u16(), headers: Box::new(parts.headers), body }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_base_gives_the_urls_of_sockets() {
        for (base, url) in [
            ("https://api.example.com", "wss://api.example.com/v1/listen?a=b"),
            ("https://api.example.com/", "wss://api.example.com/v1/listen?a=b"),
            ("http://127.0.0.1:9000", "ws://127.0.0.1:9000/v1/listen?a=b"),
            ("wss://proxy.example.com:8443/deepgram/", "wss://proxy.example.com:8443/deepgram/v1/listen?a=b"),
            ("ws://[::1]:9000", "ws://[::1]:9000/v1/listen?a=b"),
        ] {
            assert_eq!(Base::parse(base).unwrap().socket("/v1/listen", "a=b"), url, "{base}");
        }
        assert_eq!(Base::parse("https://api.example.com").unwrap().socket("/x", ""), "wss://api.example.com/x");
    }

    #[test]
    fn what_is_no_base_is_refused_without_its_password() {
        for wrong in ["", "api.example.com", "ftp://api.example.com", "https://", "https://a.example/?key=1"] {
            assert!(Base::parse(wrong).is_err(), "{wrong}");
        }
        let error = Base::parse("https://user:secret@api.example.com").unwrap_err().to_string();
        assert!(!error.contains("secret") && error.contains("api.example.com"), "{error}");
    }
}
