//! Who may ask, over HTTP: from the open machine to the first administrator, log-ins, tokens, keys and tenants.
#![allow(clippy::unwrap_used, missing_docs)]

use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use rand_core::{OsRng, TryRngCore as _};
use serde_json::{Value, json};
use tandem_access::api_key::{self, ApiKey};
use tandem_access::audit::{Action, Changes, Origin, Record, Resource, Who};
use tandem_access::port::{AccessStore, NewKey};
use tandem_access::role::Capability;
use tandem_actors::clock;
use tandem_domain::ids::BusinessId;

#[path = "support/stored.rs"]
mod stored;
mod support;

use stored::{assert_problem, store_call};
use support::{Answer, Program, answer, boot_with_fakes, boot_with_settings};

const EMAIL: &str = "asha@example.test";
const PASSWORD: &str = "violet tractor under seven moons";

async fn post(program: &Program, path: &str, body: Value) -> Answer {
    answer(program.request("POST", path).json(&body)).await
}

async fn get_as(program: &Program, path: &str, bearer: &str) -> Answer {
    answer(program.request("GET", path).header("authorization", format!("Bearer {bearer}"))).await
}

async fn set_up(program: &Program) {
    let link = program.running.setup_link().await.unwrap();
    let (_, token) = link.expose().split_once("/setup#").unwrap();
    let body = json!({"token": token, "email": EMAIL, "password": PASSWORD, "name": "Asha"});
    let made = post(program, "/api/setup", body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!((&made.json()["user"]["role"], &made.json()["user"]["email"]), (&json!("owner"), &json!(EMAIL)));
    assert_problem(&post(program, "/api/setup", body).await, 404, "not-found");
    assert!(program.running.setup_link().await.is_none());
}

/// Access and refresh token.
async fn log_in(program: &Program) -> (String, String) {
    let answer = post(program, "/api/auth/login/", json!({"email": " ASHA@example.test", "password": PASSWORD})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    tokens(&answer)
}

fn tokens(answer: &Answer) -> (String, String) {
    let tokens = &answer.json()["tokens"];
    (tokens["access"].as_str().unwrap().to_owned(), tokens["refresh"].as_str().unwrap().to_owned())
}

/// A key of a business with these scopes.
async fn key(program: &Program, business: BusinessId, scopes: &[Capability]) -> String {
    let minted = api_key::mint(&mut OsRng.unwrap_err());
    let key = ApiKey {
        id: minted.id,
        business,
        hash: minted.hash,
        scopes: scopes.iter().copied().collect(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    let record = Record {
        at: clock::utc(),
        business,
        who: Who::Cli { account: None },
        from: Origin::default(),
        action: Action::Created,
        resource: Resource { kind: "api_key".to_owned(), id: minted.id.to_string() },
        changes: Changes::default(),
    };
    let new = NewKey { key, name: "test".to_owned(), created_by: None, at: clock::utc() };
    program.running.store.keep_key(new, record).await.unwrap();
    minted.text.expose().to_owned()
}

#[tokio::test]
async fn with_the_first_administrator_the_open_machine_is_closed() {
    let program = boot_with_fakes().await;
    assert_eq!(program.get("/api/calls").await.status, 200, "open while there is none");
    set_up(&program).await;
    for path in ["/api/calls", "/debug/sessions", "/metrics", "/openapi.json", "/", "/nothing"] {
        let closed = program.get(path).await;
        assert_problem(&closed, 401, "unauthorized");
        assert!(closed.header("www-authenticate").starts_with("Bearer"));
    }
    assert_eq!(program.get("/health").await.status, 200);
    let (access, _) = log_in(&program).await;
    for path in ["/api/calls", "/debug/sessions", "/metrics", "/openapi.json", "/"] {
        assert_eq!(get_as(&program, path, &access).await.status, 200, "{path}");
    }
    assert_problem(&get_as(&program, "/nothing", &access).await, 404, "not-found");
}

#[tokio::test]
async fn beyond_loopback_nothing_but_the_set_up_is_served_until_it_is_done() {
    let program = boot_with_settings(&[("HOST", "0.0.0.0")]).await.unwrap();
    for path in ["/api/calls", "/", "/openapi.json", "/metrics", "/talk", "/talk/talk.css", "/nothing"] {
        assert_problem(&program.get(path).await, 403, "closed");
    }
    for (path, body) in [
        ("/api/auth/login", json!({"email": EMAIL, "password": PASSWORD})),
        ("/api/auth/refresh/", json!({"refresh": "x"})),
    ] {
        let refused = post(&program, path, body).await;
        assert_problem(&refused, 403, "closed");
        assert!(refused.json()["detail"].as_str().unwrap().contains("set-up link"), "names the remedy");
    }
    for (path, kind) in
        [("/setup", "text/html"), ("/setup/setup.js", "text/javascript"), ("/setup/setup.css", "text/css")]
    {
        let page = program.get(path).await;
        assert_eq!(page.status, 200);
        assert!(
            page.header("content-type").starts_with(kind) && page.header("content-security-policy").contains("'none'")
        );
    }
    let forged = json!({"token": "eyJhbGciOiJub25lIn0.e30.", "email": EMAIL, "password": PASSWORD});
    assert_problem(&post(&program, "/api/setup", forged).await, 401, "unauthorized");
    // The link leads to where a browser can go: a name of this machine, or an address that it has.
    let link = program.running.setup_link().await.unwrap();
    let link: reqwest::Url = link.expose().parse().unwrap();
    let host = link.host_str().unwrap();
    let own = host.parse::<IpAddr>().map(|ip| !ip.is_unspecified() && UdpSocket::bind((ip, 0)).is_ok());
    assert!(own.unwrap_or(host == "localhost"), "{host}");
    assert_eq!((link.port(), link.path()), (Some(program.running.addr.port()), "/setup"));
    set_up(&program).await;
    let (access, _) = log_in(&program).await;
    assert_eq!(get_as(&program, "/api/calls", &access).await.status, 200);
}

#[tokio::test]
async fn a_weak_password_and_what_is_not_asked_for_are_refused() {
    let program = boot_with_fakes().await;
    let link = program.running.setup_link().await.unwrap();
    let (_, token) = link.expose().split_once('#').unwrap();
    for (field, body) in [
        ("/password", json!({"token": token, "email": EMAIL, "password": "short"})),
        ("/email", json!({"token": token, "email": "nobody", "password": PASSWORD})),
        ("/name", json!({"token": token, "email": EMAIL, "password": PASSWORD, "name": "a\nb"})),
        ("/role", json!({"token": token, "email": EMAIL, "password": PASSWORD, "role": "owner"})),
        ("", json!([])),
    ] {
        let refused = post(&program, "/api/setup", body).await;
        assert_problem(&refused, 400, "invalid-request");
        assert_eq!(refused.json()["errors"][0]["parameter"], field);
        assert!(!refused.body.contains(PASSWORD));
    }
    assert!(program.running.setup_link().await.is_some(), "nobody was made");
}

#[tokio::test]
async fn guesses_are_slowed_and_recorded() {
    let program = boot_with_fakes().await;
    set_up(&program).await;
    let guess = async |email: &str| {
        post(&program, "/api/auth/login/", json!({"email": email, "password": "no idea at all"})).await
    };
    let unknown = guess("nobody@example.test").await;
    for _ in 0..5 {
        let wrong = guess(EMAIL).await;
        assert_problem(&wrong, 401, "unauthorized");
        assert_eq!(wrong.body, unknown.body, "who has an account is not told");
    }
    let waits = guess(EMAIL).await;
    assert_problem(&waits, 429, "too-many-requests");
    assert_eq!(waits.header("retry-after"), "1");
    // They are written down after the answer, whose time must not tell that there is somebody.
    let store = &program.running.store;
    let recorded = async || store.records(BusinessId::FIRST, None, 10).await.unwrap();
    let all = async { while recorded().await.len() < 6 {} };
    tokio::time::timeout(Duration::from_secs(10), all).await.expect("each guess is on record");
    let actions: Vec<Action> = recorded().await.into_iter().map(|(_, record)| record.action).collect();
    assert_eq!(actions, [[Action::LogInRefused; 5].as_slice(), &[Action::SetUp]].concat());
}

#[tokio::test]
async fn a_refresh_token_works_once_and_a_copy_ends_the_session() {
    let program = boot_with_fakes().await;
    set_up(&program).await;
    let (first_access, first) = log_in(&program).await;
    let refresh = async |token: &str| post(&program, "/api/auth/refresh/", json!({ "refresh": token })).await;
    let (second_access, second) = tokens(&refresh(&first).await);
    assert_eq!(get_as(&program, "/api/calls", &second_access).await.status, 200);
    assert_problem(&refresh(&second_access).await, 401, "unauthorized");
    assert_problem(&refresh(&first).await, 401, "unauthorized");
    for dead in [&first_access, &second_access, &second] {
        assert_problem(&get_as(&program, "/api/calls", dead).await, 401, "unauthorized");
    }
    assert_problem(&refresh(&second).await, 401, "unauthorized");
    let newest = &program.running.store.records(BusinessId::FIRST, None, 1).await.unwrap()[0].1;
    assert_eq!(newest.action, Action::RefreshReused);
}

#[tokio::test]
async fn a_log_out_ends_all_tokens_of_its_session_and_no_other() {
    let program = boot_with_fakes().await;
    set_up(&program).await;
    let ((access, refresh), (other, _)) = (log_in(&program).await, log_in(&program).await);
    let out = program.request("POST", "/api/auth/logout/").header("authorization", format!("Bearer {access}"));
    assert_eq!(answer(out).await.status, 204);
    assert_problem(&get_as(&program, "/api/calls", &access).await, 401, "unauthorized");
    assert_problem(&post(&program, "/api/auth/refresh", json!({ "refresh": refresh })).await, 401, "unauthorized");
    assert_eq!(get_as(&program, "/api/calls", &other).await.status, 200);
}

#[tokio::test]
async fn a_key_does_what_it_was_made_for_and_sees_its_own_business() {
    let program = boot_with_fakes().await;
    let (call, _) = store_call(&program, 1).await;
    set_up(&program).await;
    let ours = key(&program, BusinessId::FIRST, &[Capability::ReadCalls]).await;
    let path = format!("/api/calls/{call}");
    assert_eq!(get_as(&program, &path, &ours).await.status, 200);
    let refused = get_as(&program, &format!("{path}/recording"), &ours).await;
    assert_problem(&refused, 403, "forbidden");
    assert!(refused.json()["detail"].as_str().unwrap().contains("calls:listen"), "names the scope");
    assert_problem(&get_as(&program, "/debug/sessions", &ours).await, 403, "forbidden");
    let mistyped = ours.replacen("tdm_", "tdm_x", 1);
    for bad in [mistyped.as_str(), "tdm_", "eyJ.e.e", "Basic"] {
        assert_problem(&get_as(&program, "/api/calls", bad).await, 401, "unauthorized");
    }
    let twice = program.request("GET", "/api/calls").header("authorization", format!("Bearer {ours}"));
    let twice = twice.header("authorization", format!("Bearer {ours}"));
    assert_problem(&answer(twice).await, 401, "unauthorized");
}

#[tokio::test]
async fn another_page_cannot_send_orders_to_the_open_machine() {
    let program = boot_with_fakes().await;
    let forged = program.request("POST", "/api/auth/logout").header("origin", "https://evil.example.test");
    assert_problem(&answer(forged).await, 403, "closed");
    assert_eq!(answer(program.request("POST", "/api/auth/logout")).await.status, 204);
}
