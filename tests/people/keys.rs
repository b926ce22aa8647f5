//! Keys for programs, and keys that tokens are signed with.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::office::{ASHA, KEY, Office};
use crate::stored::assert_problem;

#[tokio::test]
async fn a_key_is_shown_once_does_what_it_was_made_for_and_dies_at_once() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    let body = json!({ "name": "CRM", "scopes": ["calls:read", "metrics:read"], "expires_at": "2099-01-01T00:00:00Z" });
    let made = office.send("POST", "/api/keys", &owner, body).await;
    assert_eq!((made.status, made.header("cache-control")), (201, "no-store"), "{}", made.body);
    let key = made.json()["key"].as_str().unwrap().to_owned();
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(&key[4..20], id);

    let listed = office.get("/api/keys", &owner).await;
    assert!(!listed.body.contains(&key[21..]), "never again");
    let item = &listed.json()["items"][0];
    assert_eq!((&item["name"], &item["scopes"]), (&json!("CRM"), &json!(["calls:read", "metrics:read"])));
    let me = office.get("/api/users/me", &owner).await.json();
    assert_eq!((&item["created_by"], &item["revoked_at"]), (&me["id"], &Value::Null));

    for path in ["/api/calls", "/metrics"] {
        assert_eq!(office.get(path, &key).await.status, 200, "{path}");
    }
    for path in ["/api/agents", "/debug/sessions", "/api/users", "/api/keys", "/api/audit", "/api/users/me"] {
        assert_problem(&office.get(path, &key).await, 403, "forbidden");
    }
    let second = office.send("POST", "/api/keys", &key, json!({ "name": "x", "scopes": ["calls:read"] })).await;
    assert_problem(&second, 403, "forbidden");
    let used = office.get(&format!("/api/keys/{id}"), &owner).await.json();
    assert!(used["last_used_at"].is_string(), "{used}");

    assert_eq!(office.send("DELETE", &format!("/api/keys/{id}"), &owner, json!({})).await.status, 204);
    assert_problem(&office.get("/api/calls", &key).await, 401, "unauthorized");
    assert!(office.get(&format!("/api/keys/{id}"), &owner).await.json()["revoked_at"].is_string());
}

#[tokio::test]
async fn a_key_is_good_until_it_expires() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    let body = json!({ "name": "CRM", "scopes": ["calls:read"], "expires_at": "2099-01-01T00:00:00Z" });
    let made = office.send("POST", "/api/keys", &owner, body).await.json();
    let key = made["key"].as_str().unwrap();
    assert_eq!(office.get("/api/calls", key).await.status, 200);
    // Its last instant is brought forward: no key is made that is over already.
    let mut database = office.database().await;
    let ended = "UPDATE api_keys SET expires_at = '2026-01-01T00:00:00+00:00' WHERE expires_at IS NOT NULL";
    assert_eq!(sqlx::query(ended).execute(&mut database).await.unwrap().rows_affected(), 1);
    assert_problem(&office.get("/api/calls", key).await, 401, "unauthorized");
    let id = made["id"].as_str().unwrap();
    let listed = office.get(&format!("/api/keys/{id}"), &owner).await.json();
    assert_eq!(listed["revoked_at"], Value::Null, "it ended by itself");
}

#[tokio::test]
async fn nobody_gives_a_key_what_they_do_not_have() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    for (field, body) in [
        ("/scopes", json!({ "name": "x", "scopes": [] })),
        ("/scopes", json!({ "name": "x", "scopes": ["users:write"] })),
        ("/scopes", json!({ "name": "x", "scopes": ["keys:write"] })),
        ("/scopes", json!({ "name": "x", "scopes": ["spending:write"] })),
        ("/scopes/1", json!({ "name": "x", "scopes": ["calls:read", "calls:*"] })),
        ("/scopes", json!({ "name": "x", "scopes": vec!["calls:read"; 65] })),
        ("/expires_at", json!({ "name": "x", "scopes": ["calls:read"], "expires_at": "2020-01-01T00:00:00Z" })),
        ("/name", json!({ "name": " ", "scopes": ["calls:read"] })),
        ("/business_id", json!({ "name": "x", "scopes": ["calls:read"], "business_id": 2 })),
        ("/scopes", json!({ "name": "x", "scopes": "calls:read" })),
    ] {
        let refused = office.send("POST", "/api/keys", &owner, body).await;
        assert_problem(&refused, 400, "invalid-request");
        assert_eq!(refused.json()["errors"][0]["parameter"], field, "{}", refused.body);
    }
    assert_eq!(office.get("/api/keys", &owner).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_change_of_the_signing_key_logs_nobody_out_while_the_old_one_is_named() {
    const NEXT: &str = "zyxwvutsrqponmlkjihgfedcba987654";
    let office = Office::open().await;
    let (access, refresh) = office.tokens(ASHA, crate::office::PASSWORD).await;
    let office = office.restarted(&[("SECRET_KEY", NEXT), ("SECRET_KEY_PREVIOUS", KEY)]).await;
    assert_eq!(office.get("/api/calls", &access).await.status, 200);
    let refreshed = office.post("/api/auth/refresh", json!({ "refresh": refresh })).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    let next = refreshed.json()["tokens"]["access"].as_str().unwrap().to_owned();

    let office = office.restarted(&[("SECRET_KEY", NEXT)]).await;
    assert_problem(&office.get("/api/calls", &access).await, 401, "unauthorized");
    assert_eq!(office.get("/api/calls", &next).await.status, 200, "signed with the new key");
}

#[tokio::test]
async fn a_browser_brings_its_token_as_a_subprotocol() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    office.add(&owner, "v@example.test", "viewer").await;
    let viewer = office.log_in("v@example.test").await;
    let talks = office.make_key(&owner, &["talks:start"]).await;
    let open = async |protocols: &str, authorization: Option<&str>| {
        let mut request = office.program.socket_url("/v1/convai/conversation").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
        if let Some(value) = authorization {
            request.headers_mut().insert("authorization", value.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((_, response)) => Ok(response.headers()["sec-websocket-protocol"].to_str().unwrap().to_owned()),
            Err(Error::Http(refused)) => Err(refused.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    };
    for good in [&owner, &talks] {
        assert_eq!(
            open(&format!("convai, tandem.bearer.{good}"), None).await.as_deref(),
            Ok("convai"),
            "not sent back"
        );
    }
    assert_eq!(open("convai", Some(&format!("Bearer {talks}"))).await.as_deref(), Ok("convai"));
    assert_eq!(open("convai", None).await, Err(401));
    assert_eq!(open("convai, tandem.bearer.eyJ.a.b", None).await, Err(401));
    assert_eq!(open(&format!("convai, tandem.bearer.{viewer}"), None).await, Err(403), "a talk costs money");
    let both = format!("Bearer {owner}");
    assert_eq!(open(&format!("convai, tandem.bearer.{owner}"), Some(&both)).await, Err(401), "one of them was meant");
    // No other request is let in by it.
    let plain = office.program.request("GET", "/api/calls");
    let plain = plain.header("sec-websocket-protocol", format!("tandem.bearer.{owner}"));
    assert_problem(&crate::support::answer(plain).await, 401, "unauthorized");
}
