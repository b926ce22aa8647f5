//! Connections: accepted, limited, ended.
//!
//! A loop of our own around hyper, because a client that connects and says nothing must not keep its place: the head of a request has
//! to arrive within [`HEAD_LIMIT`]. Answers go out undelayed: a 20 ms audio frame cannot wait for company (`TCP_NODELAY`).
//! HTTP/1.1 only; carriers' WebSockets ask for no more.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::read_rate::{Brake, Braked};

/// Longest time for the head of a request, the first and each that follows on the same connection.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// Largest head, and the read buffer of a connection until it is upgraded.
const HEAD_BYTES: usize = 16 * 1024;
/// What open requests get to finish once the server stops.
const STOP_LIMIT: Duration = Duration::from_secs(2);
/// Connections at once. Beyond, new ones wait in the kernel's queue and cost no memory here.
const MAX_CONNECTIONS: usize = 20_000;
/// Pause after the process ran out of descriptors or the like: trying again at once would take a whole core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where connections come from.
#[derive(Debug)]
pub(crate) enum Door {
    /// A port.
    Tcp(TcpListener),
    /// A file: for a machine without a loopback interface, where only this process calls itself.
    Unix(UnixListener),
}

/// A connection, whatever it came through.
trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

impl Door {
    async fn accept(&self) -> io::Result<(Box<dyn Connection>, SocketAddr)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), peer))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Box::new(stream), (Ipv4Addr::LOCALHOST, 0).into()))
            }
        }
    }
}

/// Serves `router` until `stop`, then gives open requests a moment. Upgraded sockets are no longer ours: their calls end by the switch.
pub(super) async fn serve(door: Door, router: Router, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = accept(&door, &places) => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let connection = connection(stream, peer, router.clone(), stop.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            // The client went away before we came to it.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {
            }
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(door);
    connections.close();
    if timeout(STOP_LIMIT, connections.wait()).await.is_err() {
        tracing::debug!(requests = connections.len(), "requests still open");
    }
}

async fn accept(
    door: &Door,
    places: &Arc<Semaphore>,
) -> io::Result<(Box<dyn Connection>, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.expect("the semaphore is never closed");
    let (stream, peer) = door.accept().await?;
    Ok((stream, peer, place))
}

/// One connection, until it ends, is upgraded, or `stop` comes and its current request was answered.
async fn connection(stream: Box<dyn Connection>, peer: SocketAddr, router: Router, stop: CancellationToken) {
    let brake = Brake::default();
    let stream = Braked::new(stream, brake.clone());
    let service = router.map_request(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(brake.clone());
        request.map(Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended");
    }
}
