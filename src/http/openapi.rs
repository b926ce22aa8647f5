//! The description of this interface, OpenAPI 3.1, made from the routes that are served: a route cannot be served without standing in it.
//!
//! Handlers say what they take and what they answer when all is well. What can go wrong follows from the shape of a route and is added
//! here ([`complete`]), so that no handler forgets it. Pinned in `tests/golden/openapi.json`.
//! One path is described for each route; with a slash at its end it is the same route (R1).

use std::sync::Arc;

use axum::Extension;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    Required, ResponseBuilder, tag::TagBuilder,
};

use super::problem::{self, PROBLEM_JSON};

/// Groups of routes.
const TAGS: [(&str, &str); 10] = [
    ("calls", "calls as the carrier knows them"),
    ("access", "who may ask, and who changed what"),
    ("agents", "who speaks, and how"),
    ("numbers", "by which we are called, and how many calls there may be"),
    ("conversations", "what was said"),
    ("exports", "files to keep or to hand over"),
    ("media", "sockets over which carriers bring calls; not for browsers"),
    ("talks", "sockets over which pages in a browser talk; for browsers"),
    ("operations", "health, metrics, live calls"),
    ("interface", "the way around"),
];

/// The text of the description, as it is sent.
#[derive(Clone)]
pub(super) struct Document(Arc<str>);

impl Document {
    pub(super) fn new(api: &OpenApi) -> Self {
        Self(api.to_json().expect("a description is made of text and numbers").into())
    }
}

/// The description of this interface.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "get_openapi", tag = "interface",
    responses((status = OK, body = serde_json::Value, content_type = "application/json", description = "this document")),
)]
pub(super) async fn document(Extension(Document(text)): Extension<Document>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.to_string()).into_response()
}

/// The description before any route.
pub(super) fn head() -> OpenApi {
    let about = "Calls, what was said in them, and how they went. Every path is served with and without a slash at its end. \
        Errors are application/problem+json (RFC 9457) with a `detail` for people.";
    let info = InfoBuilder::new()
        .title("Tandem")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(about))
        .license(Some(LicenseBuilder::new().name(env!("CARGO_PKG_LICENSE")).build()))
        .build();
    let tags = TAGS.map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build());
    OpenApiBuilder::new().info(info).tags(Some(tags)).build()
}

/// Adds to each route of `api` who may ask and how it fails. `guarded` tells whether the guard stands before a path, `once_set_up` whether it is
/// open to everybody, but not before there is an administrator.
pub(super) fn complete(api: &mut OpenApi, guarded: impl Fn(&str) -> bool, once_set_up: impl Fn(&str) -> bool) {
    for (path, item) in &mut api.paths.paths {
        if let Some(put) = item.put.as_mut().filter(|put| has_parameter(put, "if-match")) {
            fail(put, "428", "it would undo what it has not shown to have seen: send `If-Match`");
        }
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            complete_parameters(operation);
            let of_carriers = operation.responses.responses.contains_key("101") && !guarded(path);
            operation.security = Some(who_may(guarded(path), of_carriers));
            let takes_parameters = operation.parameters.as_ref().is_some_and(|parameters| !parameters.is_empty());
            let has_body = operation.request_body.is_some();
            let is_socket = operation.responses.responses.contains_key("101");
            let is_judged = has_parameter(operation, "if-match");
            let rules = [
                ("400", "a parameter does not fit; `errors` names it", takes_parameters),
                ("401", "the media socket asks for its user and password", is_socket && !guarded(path)),
                ("400", "the body does not fit; `errors` says where", has_body),
                ("413", "the body is larger than a mebibyte", has_body),
                ("400", "`If-Match` holds no entity tags", is_judged),
                ("412", "somebody has changed it since it was read", is_judged),
                ("403", "there is no administrator yet", once_set_up(path)),
                ("401", "no token or key, or one that is not good", guarded(path)),
                ("403", "whoever asks may not do this, or there is no administrator yet", guarded(path)),
                ("403", "no valid secret or invitation in the path, or none is set up", is_socket && !guarded(path)),
                ("404", "there is no such row", path.contains('{') && !is_socket),
                ("404", "no media sockets of that carrier", is_socket && path.contains("{carrier}")),
                ("426", "the request is no WebSocket handshake", is_socket),
                ("500", "our fault; the log says more", true),
                (
                    "503",
                    "draining, or the database does not answer; `Retry-After`",
                    path != "/healthz" && path != "/health",
                ),
            ];
            name_successes(operation);
            for (status, about, applies) in rules {
                if applies {
                    fail(operation, status, about);
                }
            }
        }
    }
    let mut schemas = Vec::new();
    problem::Body::schemas(&mut schemas);
    let components = api.components.get_or_insert_with(Components::new);
    for (name, scheme) in schemes() {
        components.add_security_scheme(name, scheme);
    }
    components.schemas.insert(problem::Body::name().into_owned(), <problem::Body as utoipa::PartialSchema>::schema());
    components.schemas.extend(schemas);
}

/// Adds `If-None-Match` where it has a meaning, and says that an empty parameter in a query counts as none.
fn complete_parameters(operation: &mut Operation) {
    let parameters = operation.parameters.get_or_insert_default();
    if operation.responses.responses.contains_key("304") {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let parameter = ParameterBuilder::new()
            .name("if-none-match")
            .parameter_in(ParameterIn::Header)
            .description(Some("the `ETag` of what the client has: 304 if that still holds"))
            .schema(Some(text))
            .build();
        parameters.push(parameter.into());
    }
    for parameter in parameters.iter_mut() {
        let RefOr::T(parameter) = parameter else { continue };
        if parameter.parameter_in == ParameterIn::Query {
            parameter.extensions.get_or_insert_default().insert("allowEmptyValue".to_owned(), true.into());
        }
    }
}

/// A token of a log-in, or an API key: `Authorization: Bearer …`.
const BEARER: &str = "bearer";
/// What a carrier's socket takes, where the server has it.
const MEDIA: &str = "media";

/// How callers show who they are. Nothing is asked of this machine while there is no administrator, which no scheme can say.
fn schemes() -> [(&'static str, SecurityScheme); 2] {
    let bearer = "the access token of POST /api/auth/login, or an API key. While there is no administrator, programs of this machine need none.";
    let media = "MEDIA_USER and MEDIA_PASSWORD, where they are set; in their place MEDIA_SECRET, or the token of an invitation, may stand in the path";
    let scheme = |scheme, about: &str| HttpBuilder::new().scheme(scheme).description(Some(about)).build();
    [
        (BEARER, SecurityScheme::Http(scheme(HttpAuthScheme::Bearer, bearer))),
        (MEDIA, SecurityScheme::Http(scheme(HttpAuthScheme::Basic, media))),
    ]
}

/// What an operation asks for: one of these will do, and an empty list is for everybody.
fn who_may(guarded: bool, of_carriers: bool) -> Vec<SecurityRequirement> {
    let none: [&str; 0] = [];
    match (guarded, of_carriers) {
        (true, _) => vec![SecurityRequirement::new(BEARER, none)],
        (false, true) => vec![SecurityRequirement::new(MEDIA, none), SecurityRequirement::default()],
        (false, false) => Vec::new(),
    }
}

fn has_parameter(operation: &Operation, name: &str) -> bool {
    let named = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.name == name);
    operation.parameters.as_ref().is_some_and(|parameters| parameters.iter().any(named))
}

/// Describes the parts of a path in braces that `operation` says nothing of.
pub(super) fn know_parts(operation: &mut Operation, path: &str) {
    let parts = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters = operation.parameters.get_or_insert_default();
    for part in parts {
        let known = |known: &RefOr<Parameter>| matches!(known, RefOr::T(known) if known.name == part);
        if !parameters.iter().any(known) {
            let text = ObjectBuilder::new().schema_type(Type::String);
            let parameter = ParameterBuilder::new()
                .name(part)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(text))
                .build();
            parameters.push(parameter.into());
        }
    }
}

/// A response has to have a description (OpenAPI 3.1, section 4.8.17); where a handler gives none, what the route does says enough.
fn name_successes(operation: &mut Operation) {
    let summary = operation.summary.clone().unwrap_or_default();
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description = summary.trim_end_matches('.').to_owned();
        }
    }
}

/// Adds a problem unless the handler has said something of its own about that status.
fn fail(operation: &mut Operation, status: &str, about: &str) {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name(problem::Body::name()))).build();
    let response = ResponseBuilder::new().description(about).content(PROBLEM_JSON, body).build();
    operation.responses.responses.entry(status.to_owned()).or_insert_with(|| response.into());
}
