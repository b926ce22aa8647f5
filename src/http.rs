//! The HTTP interface: health, metrics, calls, conversations, exports, the talk page, and the media sockets' upgrades.
//!
//! Place:   `boot` builds a `Surface` and serves it; handlers see the switch and the read side of the store, nothing else.
//! Every path is served with and without a trailing slash and never redirected (R1). Every error is a problem ([`problem`]).
//! Every route stands in the description that `openapi` serves, because both are made from one list.
//! Who asks is looked up before any route of the interface is reached (`guard`), and each route says what it needs (`needs`).
//! Not here: carriers' webhooks and campaigns, which are still to come.
//!
//! ```text
//! request ─► listener ─► measure ─► problem bodies ─► catch panics ─► body limit ─┬─► health, set-up, media sockets
//!                                                                                 ├─► set up first ─► log-in, the talk page
//!                                                                                 └─► guard ─► everything else
//! ```

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, any};
use axum::{Extension, Router};
use tandem_access::role::Capability;
use tandem_actors::Switch;
use tandem_domain::ids::BusinessId;
use tandem_domain::needed_agents::NeededAgents;
use tandem_domain::number::Region;
use tandem_domain::port::dialect::Dialect;
use tandem_domain::port::store::{AgentBook, BusinessBook, ConversationStore, LimitBook, NumberBook};
use tandem_domain::reception::NumberAgents;
use tandem_providers::carrier::exotel::ExotelDialect;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use utoipa::openapi::{OpenApi, Paths};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use crate::media_ws::{self, Access, convai};
use crate::telemetry::Metrics;

pub(crate) mod agents;
mod asking;
mod audit;
mod auth;
mod body;
mod business;
mod calls;
mod conversations;
mod cursor;
mod exports;
mod front;
pub(crate) mod gate;
mod guard;
mod health;
mod journals;
mod keys;
mod limits;
mod listener;
mod listing;
mod log_ins;
mod me;
mod openapi;
mod page;
mod phone_numbers;
pub mod problem;
mod range;
mod read_rate;
mod recordings;
mod schema;
mod sessions;
mod setup;
mod tag;
mod talk;
mod timing;
mod transcript;
mod turns;
mod users;

pub(crate) use agents::VoiceTests;
pub(crate) use guard::Guard;
pub(crate) use listener::Door;
pub(crate) use log_ins::LogIns;

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
    /// Whose rows are shown: of whoever asks ([`guard::Tenant`]).
    pub(crate) business: BusinessId,
    /// Agents, for who edits them.
    pub(crate) agents: Arc<dyn AgentBook>,
    /// Those that the server cannot do without.
    pub(crate) needed: NeededAgents,
    /// Voices, for who tries them out.
    pub(crate) voice_tests: VoiceTests,
    /// The longest call of agents that set none.
    pub(crate) longest_call: Duration,
    /// Agents of numbers that nobody added, as the configuration has them.
    pub(crate) number_agents: NumberAgents,
    /// Telephone numbers, for who edits them.
    pub(crate) numbers: Arc<dyn NumberBook>,
    /// Businesses, each for who edits their own.
    pub(crate) businesses: Arc<dyn BusinessBook>,
    /// Limits of calls, for who edits them.
    pub(crate) limits: Arc<dyn LimitBook>,
    /// Whose telephone numbers come without a country code.
    pub(crate) region: Option<Region>,
    /// Who may ask.
    pub(crate) guard: Guard,
    /// What log-ins share.
    pub(crate) log_ins: LogIns,
    /// Folder of the calls' recordings.
    pub(crate) recordings: Arc<Path>,
    pub(crate) engines: EngineNames,
    pub(crate) metrics: Metrics,
    /// Twilio's media protocol.
    pub(crate) twilio: Arc<dyn Dialect>,
    /// Exotel's, for a socket whose URL says nothing.
    pub(crate) exotel: ExotelDialect,
    /// Who may open a media socket.
    pub(crate) access: Arc<Access>,
    /// Talks in the browser.
    pub(crate) talks: convai::Talks,
    /// Whether `/echo` is open: in conformance tests alone.
    pub(crate) echo: bool,
}

/// Serves the interface behind `door` until `stop`.
pub(crate) async fn serve(door: Door, surface: Surface, stop: CancellationToken) {
    listener::serve(door, router(surface), stop).await;
}

fn router(surface: Surface) -> Router {
    let echo = if surface.echo { Router::new().route("/echo", any(media_ws::echo)) } else { Router::new() };
    let (router, _) = routes(Some(surface.guard.clone()));
    router
        .layer(from_fn(read_rate::brake_sockets))
        .merge(echo)
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT_BYTES))
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(from_fn(problem::give_body))
        .layer(from_fn(timing::measure))
        .with_state(surface)
}

/// Every route, and the description of all of them. Without a guard, which a test of the description needs none of, nothing is let through.
fn routes(guard: Option<Guard>) -> (Router<Surface>, OpenApi) {
    let always = [
        routes!(health::health),
        routes!(health::alive),
        routes!(health::ready),
        routes!(setup::set_up),
        routes!(setup::page),
        routes!(setup::file),
        whatever_method(routes!(media_ws::anonymous), any(media_ws::anonymous)),
        whatever_method(routes!(media_ws::keyed), any(media_ws::keyed)),
        whatever_method(routes!(media_ws::named), any(media_ws::named)),
        whatever_method(routes!(media_ws::named_and_keyed), any(media_ws::named_and_keyed)),
    ];
    let once_set_up = [
        routes!(auth::log_in),
        routes!(auth::refresh),
        routes!(talk::page),
        routes!(talk::file),
        // Its name is its key: a player in a page sends no token.
        routes!(agents::voice_test::sound),
    ];
    let guarded = [
        routes!(front::page),
        routes!(openapi::document),
        routes!(auth::log_out),
        needs(Capability::ReadMetrics, routes!(health::metrics)),
        needs(Capability::Debug, routes!(sessions::list)),
        routes!(me::detail),
        routes!(me::edit),
        routes!(me::change_password),
        needs(Capability::ManageUsers, routes!(users::list)),
        needs(Capability::ManageUsers, routes!(users::create)),
        needs(Capability::ManageUsers, routes!(users::detail)),
        needs(Capability::ManageUsers, routes!(users::edit)),
        needs(Capability::ManageUsers, routes!(users::remove)),
        needs(Capability::ManageKeys, routes!(keys::list)),
        needs(Capability::ManageKeys, routes!(keys::create)),
        needs(Capability::ManageKeys, routes!(keys::detail)),
        needs(Capability::ManageKeys, routes!(keys::revoke)),
        needs(Capability::ReadAudit, routes!(audit::list)),
        needs(Capability::ReadSettings, routes!(agents::list)),
        needs(Capability::PublishAgents, routes!(agents::create)),
        at("/api/agents/create", "create_agent_as_before", needs(Capability::PublishAgents, routes!(agents::create))),
        needs(Capability::ReadSettings, routes!(agents::detail)),
        needs(Capability::PublishAgents, routes!(agents::edit)),
        needs(Capability::PublishAgents, routes!(agents::delete)),
        needs(Capability::ReadSettings, routes!(agents::config)),
        needs(Capability::ReadSettings, routes!(agents::groups::guardrails)),
        needs(Capability::PublishAgents, routes!(agents::groups::replace_guardrails)),
        needs(Capability::ReadSettings, routes!(agents::groups::system_tools)),
        needs(Capability::PublishAgents, routes!(agents::groups::replace_system_tools)),
        needs(Capability::ReadSettings, routes!(agents::groups::client_overrides)),
        needs(Capability::PublishAgents, routes!(agents::groups::replace_client_overrides)),
        needs(Capability::ReadSettings, routes!(agents::groups::client_events)),
        needs(Capability::PublishAgents, routes!(agents::groups::replace_client_events)),
        needs(Capability::ReadSettings, routes!(agents::groups::voice_config)),
        needs(Capability::PublishAgents, routes!(agents::groups::replace_voice_config)),
        needs(Capability::ReadSettings, routes!(agents::languages::detail)),
        needs(Capability::PublishAgents, routes!(agents::languages::put)),
        needs(Capability::PublishAgents, routes!(agents::languages::delete)),
        needs(Capability::ReadSettings, routes!(agents::versions::list)),
        needs(Capability::ReadSettings, routes!(agents::versions::detail)),
        needs(Capability::ReadSettings, routes!(agents::versions::compare)),
        needs(Capability::PublishAgents, routes!(agents::versions::roll_back)),
        needs(Capability::ReadSettings, routes!(agents::draft::detail)),
        needs(Capability::EditAgents, routes!(agents::draft::edit)),
        needs(Capability::EditAgents, routes!(agents::draft::delete)),
        needs(Capability::EditAgents, routes!(agents::draft::rebase)),
        needs(Capability::PublishAgents, routes!(agents::draft::publish)),
        needs(Capability::ReadSettings, routes!(agents::prompt::preview)),
        needs(Capability::ReadSettings, routes!(agents::guide::voice)),
        needs(Capability::PublishAgents, routes!(agents::guide::change_voice)),
        needs(Capability::EditAgents, routes!(agents::voice_test::test)),
        needs(Capability::ReadSettings, routes!(agents::guide::calling)),
        needs(Capability::PublishAgents, routes!(agents::guide::change_calling)),
        needs(Capability::Dial, routes!(agents::guide::test_calling)),
        needs(Capability::ReadSettings, routes!(phone_numbers::list)),
        needs(Capability::ManageNumbers, routes!(phone_numbers::create)),
        needs(Capability::ReadSettings, routes!(phone_numbers::detail)),
        needs(Capability::ManageNumbers, routes!(phone_numbers::edit)),
        needs(Capability::ManageNumbers, routes!(phone_numbers::remove)),
        needs(Capability::ReadSettings, routes!(business::detail)),
        needs(Capability::EditBusiness, routes!(business::edit)),
        needs(Capability::ReadSettings, routes!(limits::detail)),
        needs(Capability::SetLimits, routes!(limits::edit)),
        needs(Capability::ReadCalls, routes!(calls::list)),
        needs(Capability::ReadCalls, routes!(calls::detail)),
        needs(Capability::Debug, routes!(journals::journal)),
        needs(Capability::Listen, routes!(recordings::file)),
        needs(Capability::Listen, routes!(recordings::outline)),
        needs(Capability::Intervene, routes!(recordings::pause)),
        needs(Capability::Intervene, routes!(recordings::resume)),
        needs(Capability::ReadCalls, routes!(conversations::list)),
        needs(Capability::ReadCalls, routes!(conversations::detail)),
        needs(Capability::ReadCalls, routes!(conversations::transcript)),
        needs(Capability::ReadCalls, routes!(turns::list)),
        needs(Capability::ReadCalls, routes!(turns::detail)),
        needs(Capability::ReadCalls, routes!(exports::call)),
        // R1: the groups of the root answer under `/api` too.
        at("/api/exports/calls/{id}", "export_call_under_api", needs(Capability::ReadCalls, routes!(exports::call))),
        // A page is not a carrier: it comes with a browser, which the guard was made for.
        needs(Capability::Talk, whatever_method(routes!(convai::conversation), any(convai::conversation))),
        needs(Capability::Talk, whatever_method(routes!(convai::talk), any(convai::talk))),
    ];
    let (always, once_set_up, guarded) = (both_spellings(always), both_spellings(once_set_up), both_spellings(guarded));
    let (behind_guard, after_set_up) = (guarded.get_openapi().paths.clone(), once_set_up.get_openapi().paths.clone());
    // The fallback is behind the guard too: a closed server does not tell strangers which addresses exist.
    let guarded = guarded.fallback(front::nothing_here);
    let (once_set_up, guarded) = match guard {
        Some(guard) => (
            once_set_up.layer(from_fn_with_state(guard.clone(), guard::set_up_first)),
            guarded.layer(from_fn_with_state(guard, guard::guard)),
        ),
        None => (once_set_up, guarded),
    };
    let all = OpenApiRouter::with_openapi(openapi::head()).merge(always).merge(once_set_up).merge(guarded);
    let (router, mut api) = all.split_for_parts();
    openapi::complete(
        &mut api,
        |path| behind_guard.paths.contains_key(path),
        |path| after_set_up.paths.contains_key(path),
    );
    (router.layer(Extension(openapi::Document::new(&api))), api)
}

/// A route with its description.
type Described = UtoipaMethodRouter<Surface>;

/// A route for whoever holds a capability: asked before the route looks anything up.
fn needs(capability: Capability, (schemas, paths, methods): Described) -> Described {
    let ask = from_fn(move |request, next| guard::allow(capability, request, next));
    (schemas, paths, methods.layer(ask))
}

/// Each path as it is and with a trailing slash; one of them is described.
fn both_spellings<const N: usize>(routes: [Described; N]) -> OpenApiRouter<Surface> {
    routes.into_iter().fold(OpenApiRouter::new(), |router, (schemas, paths, methods)| {
        let slashed: Vec<String> =
            paths.paths.keys().filter(|path| *path != "/").map(|path| format!("{path}/")).collect();
        let router = router.routes((schemas, paths, methods.clone()));
        slashed.iter().fold(router, |router, path| router.route(path, methods.clone()))
    })
}

/// A socket: described as GET, and served for any method, because an upgrade with a wrong one is answered by the socket's own rules.
fn whatever_method((schemas, paths, _): Described, methods: MethodRouter<Surface>) -> Described {
    (schemas, paths, methods)
}

/// The same route at another address as well, described there under a name of its own. A part of the path that the handler's own
/// description does not know is added to it.
fn at(address: &str, name: &str, (schemas, paths, methods): Described) -> Described {
    let mut moved = Paths::new();
    for mut item in paths.paths.into_values() {
        for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
            operation.operation_id = Some(name.to_owned());
            openapi::know_parts(operation, address);
        }
        moved.paths.insert(address.to_owned(), item);
    }
    (schemas, moved, methods)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The paths that a router serves. It tells them in its debug form alone: `RouteId(3): "/health"`.
    fn served(router: &Router<Surface>) -> BTreeSet<String> {
        let debug = format!("{router:?}");
        let quoted = debug.split('"').skip(1).step_by(2);
        quoted.filter(|path| path.starts_with('/')).map(|path| path.to_owned()).collect()
    }

    #[test]
    fn what_is_served_is_described_and_what_is_described_is_served() {
        let (router, api) = routes(None);
        let described: BTreeSet<String> = api.paths.paths.keys().cloned().collect();
        let slashed = described.iter().filter(|path| *path != "/").map(|path| format!("{path}/"));
        // The fallback is kept as two paths of its own.
        let fallback = ["/", "/{*__private__axum_fallback}"].map(str::to_owned);
        let expected: BTreeSet<String> = described.iter().cloned().chain(slashed).chain(fallback).collect();
        assert_eq!(served(&router), expected);
        assert!(described.len() >= 18, "{described:?}");
    }

    #[test]
    fn a_route_at_a_second_address_knows_the_parts_of_its_path() {
        let (_, paths, _) = at("/{key}/exports/{id}", "second", routes!(exports::call));
        let operation = paths.paths["/{key}/exports/{id}"].get.as_ref().expect("it moved");
        let described = serde_json::to_value(&operation.parameters).expect("text");
        let names = described.as_array().into_iter().flatten().map(|parameter| parameter["name"].clone());
        assert_eq!(names.collect::<Vec<_>>(), ["id", "format", "exact", "key"]);
        assert_eq!(operation.operation_id.as_deref(), Some("second"));
    }

    #[test]
    fn operations_have_names_of_their_own_and_say_how_they_fail() {
        let (_, api) = routes(None);
        let mut names = BTreeSet::new();
        for (path, item) in &api.paths.paths {
            let operations = [&item.get, &item.post, &item.put, &item.patch, &item.delete];
            for operation in operations.into_iter().flatten() {
                let name = operation.operation_id.as_deref().expect("a name");
                assert!(names.insert(name), "{name} is there twice");
                assert!(operation.summary.as_ref().is_some_and(|summary| !summary.is_empty()), "{path}");
                assert!(operation.tags.as_ref().is_some_and(|tags| tags.len() == 1), "{path}");
                assert!(operation.responses.responses.contains_key("500"), "{path}");
            }
        }
    }
}
