//! The HTTP interface: health, metrics, conversations, exports, the talk page, and the media sockets' upgrades.
//!
//! Place:   `boot` builds a `Surface` and serves it; handlers see the switch and the read side of the store, nothing else.
//! Every path is served with and without a trailing slash and never redirected (R1). Every error is a problem ([`problem`]).
//! Not here: carriers' webhooks, agents, campaigns and access control, which are still to come; until then `gate` keeps strangers out.
//!
//! ```text
//! request ─► listener ─► measure ─► problem bodies ─► catch panics ─► body limit ─┬─► health, media sockets, the talk page
//!                                                                                 └─► gate ─► everything else
//! ```

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, any, get};
use tandem_actors::Switch;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::dialect::Dialect;
use tandem_domain::port::store::ConversationStore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;

use crate::media_ws::{self, convai};
use crate::telemetry::Metrics;

mod conversations;
mod exports;
mod front;
mod gate;
mod health;
mod listener;
mod page;
pub mod problem;
mod read_rate;
mod sessions;
mod talk;
mod timing;

pub(crate) use listener::Door;

/// Largest request body.
const BODY_LIMIT_BYTES: usize = 1024 * 1024;

/// Names of the engines behind the parts, for `/health` and the start-up banner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct EngineNames {
    /// Database.
    pub database: &'static str,
    /// Speech recogniser.
    pub stt: &'static str,
    /// Voice.
    pub tts: &'static str,
}

/// What handlers may use. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Surface {
    pub(crate) app_name: Arc<str>,
    pub(crate) switch: Switch,
    pub(crate) rows: Arc<dyn ConversationStore>,
    /// Whose rows are shown, as long as there are no accounts.
    pub(crate) business: BusinessId,
    pub(crate) engines: EngineNames,
    pub(crate) metrics: Metrics,
    /// The media protocol of `/media` and `/ws/twilio/…`.
    pub(crate) twilio: Arc<dyn Dialect>,
    /// Talks in the browser.
    pub(crate) talks: convai::Talks,
    /// Whether `/echo` is open: in conformance tests alone.
    pub(crate) echo: bool,
}

/// Serves the interface behind `door` until `stop`. `host` is the address that was asked for: it decides what is open.
pub(crate) async fn serve(door: Door, host: IpAddr, surface: Surface, stop: CancellationToken) {
    listener::serve(door, router(host, surface), stop).await;
}

fn router(host: IpAddr, surface: Surface) -> Router {
    let open = [
        ("/health", get(health::health)),
        ("/healthz", get(health::alive)),
        ("/readyz", get(health::ready)),
        ("/talk", get(talk::page)),
        ("/talk/{file}", get(talk::file)),
        // `any`: an upgrade with a wrong method is answered by the socket's own rules.
        ("/media", any(media_ws::anonymous)),
        ("/ws/twilio/call/{id}", any(media_ws::named)),
    ];
    let guarded = [
        ("/metrics", get(health::metrics)),
        ("/debug/sessions", get(sessions::list)),
        ("/api/conversations", get(conversations::list)),
        ("/api/conversations/{id}", get(conversations::detail)),
        ("/api/conversations/{id}/transcript", get(conversations::transcript)),
        ("/exports/calls/{id}", get(exports::call)),
        ("/api/exports/calls/{id}", get(exports::call)),
        // A page is not a carrier: it comes with a browser, which the gate was made for.
        ("/v1/convai/conversation", any(convai::conversation)),
        ("/ws/talk/{agent}", any(convai::talk)),
    ];
    let gate = from_fn_with_state(gate::Gate::listening_on(host), gate::guard);
    // The fallback is behind the gate too: a closed server does not tell strangers which addresses exist.
    let guarded = both_spellings(guarded).route("/", get(front::page)).fallback(front::nothing_here).layer(gate);
    let echo = if surface.echo { Router::new().route("/echo", any(media_ws::echo)) } else { Router::new() };
    both_spellings(open)
        .merge(guarded)
        .layer(from_fn(read_rate::brake_sockets))
        .merge(echo)
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT_BYTES))
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(from_fn(problem::give_body))
        .layer(from_fn(timing::measure))
        .with_state(surface)
}

/// Each path as it is and with a trailing slash.
fn both_spellings<const N: usize>(routes: [(&str, MethodRouter<Surface>); N]) -> Router<Surface> {
    routes.into_iter().fold(Router::new(), |router, (path, methods)| {
        router.route(path, methods.clone()).route(&format!("{path}/"), methods)
    })
}
