//! The browser's socket: `/v1/convai/conversation?agent_id=…` in the shape of the agents socket, `/ws/talk/{agent}` for our own page.
//!
//! Place:   behind the gate, since a page is not a carrier; then [`Origins`]; then as any media socket.
//! Talks are of the business of whoever asks, and cost what calls cost: it takes `talks:start`. A browser cannot send headers with a socket:
//! its token comes as a subprotocol ([`TOKEN_PROTOCOL`]), never in the URL, which ends in logs.
//! A name that no agent has is told in the close frame: a refused handshake tells a page nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tandem_access::policy::Principal;
use tandem_actors::Arrival;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::dialect::Dialect;
use tandem_domain::reception::Standing;
use tandem_providers::carrier::browser::BrowserDialect;

use super::origin::Origins;
use super::{MAX_UNWRITTEN_BYTES, Upgrade, refuse, serve};
use crate::http::Surface;
use crate::http::problem::Problem;

/// The name that clients offer; a socket that offers none is served all the same.
const SUBPROTOCOL: &str = "convai";
/// What the subprotocol begins with that carries a token or a key: `new WebSocket(url, ["convai", "tandem.bearer." + token])`. It is read by
/// the guard and never chosen, so that it is not sent back.
pub(crate) const TOKEN_PROTOCOL: &str = "tandem.bearer.";

/// What a talk needs to know of the server.
#[derive(Debug, Clone)]
pub(crate) struct Talks {
    pub(crate) origins: Origins,
    pub(crate) unknown_events_allowed: u32,
}

/// What the URL asks for; what else clients write there (`source`, `version`) is not read.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    agent_id: Option<String>,
    agent: Option<String>,
}

/// Talks with an agent, in the event shape of the agents socket.
///
/// Without `agent_id` the default agent answers. Offer the subprotocol `convai`, or none. A browser, which can send no header with a socket, shows
/// its token by a second one: `tandem.bearer.` and the token.
#[utoipa::path(
    get, path = "/v1/convai/conversation", operation_id = "open_conversation", tag = "talks",
    params(
        ("agent_id" = Option<String>, Query, description = "number, UUID or name of an agent"),
        ("agent" = Option<String>, Query, description = "the same"),
    ),
    responses((status = SWITCHING_PROTOCOLS, description = "a socket of JSON events, audio in base64")),
)]
pub(crate) async fn conversation(
    State(surface): State<Surface>,
    Extension(principal): Extension<Principal>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    (uri, headers): (Uri, HeaderMap),
    asked: Result<Query<Asked>, QueryRejection>,
    upgrade: Upgrade,
) -> Response {
    match asked {
        Ok(Query(asked)) => {
            let whose = principal.business();
            talk_with(surface, whose, asked.agent_id.or(asked.agent), peer, (uri, headers), upgrade)
        }
        Err(rejection) => Problem::invalid("agent_id", rejection.body_text()).into_response(),
    }
}

/// Talks with an agent, in the same event shape, and with the same subprotocols.
#[utoipa::path(
    get, path = "/ws/talk/{agent}", operation_id = "open_talk", tag = "talks",
    params(("agent" = String, Path, description = "number, UUID or name of the agent")),
    responses((status = SWITCHING_PROTOCOLS, description = "a socket of JSON events, audio in base64")),
)]
pub(crate) async fn talk(
    State(surface): State<Surface>,
    Extension(principal): Extension<Principal>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: (Uri, HeaderMap),
    agent: Result<Path<String>, PathRejection>,
    upgrade: Upgrade,
) -> Response {
    match agent {
        Ok(Path(agent)) => talk_with(surface, principal.business(), Some(agent), peer, request, upgrade),
        Err(rejection) => Problem::invalid("agent", rejection.body_text()).into_response(),
    }
}

fn talk_with(
    surface: Surface,
    business: BusinessId,
    agent: Option<String>,
    peer: SocketAddr,
    (uri, headers): (Uri, HeaderMap),
    upgrade: Upgrade,
) -> Response {
    if !surface.talks.origins.admit(&uri, &headers) {
        return Problem::closed("a page of another origin may not talk: name its origin in ALLOWED_ORIGINS")
            .into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.protocols([SUBPROTOCOL]),
        Err(rejection) => return refuse(rejection),
    };
    if surface.switch.draining() {
        return Problem::unavailable("draining: new talks are not taken", 30).into_response();
    }
    let dialect = Arc::new(BrowserDialect::new(agent, surface.talks.unknown_events_allowed));
    let limit = dialect.capabilities().max_message_bytes;
    // Whoever may talk may choose with whom of their business: the guard and the origin have been checked.
    let Some(place) = surface.switch.place(peer.ip()) else {
        return Problem::unavailable("too many sockets of this address have not begun to talk", 1).into_response();
    };
    let arrival = Arrival {
        peer: Some(peer),
        standing: Standing::Trusted,
        place: Some(place),
        business: Some(business),
        ..Arrival::default()
    };
    serve(upgrade, limit, MAX_UNWRITTEN_BYTES, move |media| async move {
        surface.switch.serve(dialect, media, arrival).await;
    })
}
