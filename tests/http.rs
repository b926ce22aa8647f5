//! The HTTP interface of the whole program on loopback: routes, spellings, errors, and who is let in.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

#[path = "support/stored.rs"]
mod stored;
mod support;

use stored::{assert_problem, store_call};
use support::{answer, boot_with_fakes, boot_with_settings};

#[tokio::test]
async fn health_is_told_to_everybody_and_ready_until_it_drains() {
    let program = boot_with_fakes().await;
    let health = program.get("/health").await;
    assert_eq!(health.status, 200);
    let body = health.json();
    assert_eq!(body["status"], "ok");
    assert_eq!(body["components"]["database"]["status"], "ok");
    assert_eq!(body["components"]["database"]["engine"], "sqlite");
    assert_eq!(program.get("/healthz").await.status, 200);
    assert_eq!(program.get("/readyz").await.status, 200);

    program.running.drain(Duration::ZERO).await;
    let ready = program.get("/readyz/").await;
    assert_problem(&ready, 503, "unavailable");
    assert!(!ready.header("retry-after").is_empty());
    assert_eq!(program.get("/healthz").await.status, 200, "alive all the same");
    assert_eq!(program.get("/health").await.json()["components"]["switch"]["status"], "draining");
    program.running.shutdown().await;
}

#[tokio::test]
async fn a_lost_database_is_degraded_and_not_ready() {
    let program = boot_with_fakes().await;
    program.running.store.close().await;
    let health = program.get("/health").await;
    assert_eq!((health.status, &health.json()["status"]), (200, &json!("degraded")));
    assert_problem(&program.get("/readyz").await, 503, "unavailable");
    assert_problem(&program.get("/api/conversations").await, 503, "unavailable");
    assert_eq!(program.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn every_path_answers_with_and_without_its_slash() {
    let program = boot_with_fakes().await;
    let (call, _) = store_call(&program, 1).await;
    let paths = [
        "/health",
        "/healthz",
        "/readyz",
        "/talk",
        "/metrics",
        "/debug/sessions",
        "/api/conversations",
        &format!("/api/conversations/{call}"),
        &format!("/api/conversations/{call}/transcript"),
        &format!("/exports/calls/{call}"),
        &format!("/api/exports/calls/{call}"),
        "/openapi.json",
        "/api/calls",
        &format!("/api/calls/{call}"),
        &format!("/api/conversations/{call}/turns"),
        &format!("/api/conversations/{call}/turns/1"),
    ];
    for path in paths {
        for spelling in [path.to_owned(), format!("{path}/")] {
            assert_eq!(program.get(&spelling).await.status, 200, "{spelling}");
        }
    }
}

#[tokio::test]
async fn the_talk_page_comes_whole_with_its_policy_and_is_open_to_everybody() {
    let program = boot_with_fakes().await;
    let page = program.request("GET", "/talk?agent=front-desk").header("host", "192.168.1.7:8000");
    let page = answer(page).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    let files: Vec<&str> = page.body.split("\"/talk/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(files.contains(&"talk.js") && files.contains(&"talk.css"), "{files:?}");
    for file in files {
        let file = program.get(&format!("/talk/{file}")).await;
        assert_eq!((file.status, file.header("x-content-type-options")), (200, "nosniff"));
    }
    let known = program.request("GET", "/talk").header("if-none-match", page.header("etag"));
    let known = answer(known).await;
    assert_eq!((known.status, known.body.as_str()), (304, ""));
    assert_problem(&program.get("/talk/none.js").await, 404, "not-found");
}

#[tokio::test]
async fn a_conversation_is_found_by_each_of_its_names() {
    let program = boot_with_fakes().await;
    let (call, call_sid) = store_call(&program, 1).await;
    let by_call = program.get(&format!("/api/conversations/{call}")).await.json();
    assert_eq!(by_call["extracted_data"], json!({"location": "Delhi", "budget": 6_000_000}));
    assert_eq!(by_call["ended_reason"], "caller_hangup");
    assert_eq!(by_call["call"]["call_sid"], call_sid.as_str());
    assert_eq!(by_call["call"]["status"], "completed");
    assert_eq!(by_call["turns"].as_array().unwrap().len(), 2);
    let (number, uuid) = (&by_call["id"], by_call["uuid"].as_str().unwrap());
    for name in [number.to_string(), uuid.to_owned(), call_sid] {
        assert_eq!(program.get(&format!("/api/conversations/{name}")).await.json(), by_call, "{name}");
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_does_not_fit_is_a_problem() {
    let program = boot_with_fakes().await;
    for path in [
        "/nothing",
        "/api/nothing/",
        "/api/conversations/1",
        "/api/conversations/CA0/transcript",
        "/exports/calls/x",
        "/api/calls/x",
        "/api/conversations/1/turns",
        "/api/conversations/1/turns/1",
        "/ws/acme/call/1",
    ] {
        assert_problem(&program.get(path).await, 404, "not-found");
    }
    for query in [
        "limit=0",
        "limit=1000000",
        "limit=many",
        "cursor=-1",
        "cursor=x",
        "limit=1&limit=2",
        "status=lost",
        "from=soon",
        "to=2026-02-30",
        "colour=red",
    ] {
        for list in ["/api/conversations", "/api/calls"] {
            let refused = program.get(&format!("{list}?{query}")).await;
            assert_problem(&refused, 400, "invalid-request");
            assert!(refused.json()["errors"][0]["detail"].is_string());
        }
    }
    assert_eq!(program.get("/api/conversations?limit=0").await.json()["errors"][0]["parameter"], "limit");
    assert_problem(&program.get("/api/conversations/%ff").await, 400, "invalid-request");

    let wrong = answer(program.request("DELETE", "/api/conversations")).await;
    assert_problem(&wrong, 405, "method-not-allowed");
    let socket = answer(program.request("POST", "/media")).await;
    assert_problem(&socket, 405, "method-not-allowed");
    assert_eq!(socket.header("allow"), "GET");
    assert!(wrong.header("allow").contains("GET"));
    let large = answer(program.request("POST", "/api/conversations").body(vec![b'x'; 2 * 1024 * 1024])).await;
    assert_problem(&large, 413, "body-too-large");
}

#[tokio::test]
async fn sessions_and_metrics_are_shown() {
    let program = boot_with_fakes().await;
    assert_eq!(program.get("/debug/sessions").await.json(), json!({"items": [], "next_cursor": null}));
    program.get("/api/conversations/4711/").await;
    let metrics = program.get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    assert!(metrics.body.contains("tandem_build_info{"));
    let counted = r#"http_request_duration_seconds_count{method="GET",route="/api/conversations/{id}/",status="404"}"#;
    assert!(metrics.body.contains(counted), "{}", metrics.body);
    assert!(!metrics.body.contains("4711"), "an id became a label");
}

#[tokio::test]
async fn beyond_loopback_only_health_is_open() {
    let program = boot_with_settings(&[("HOST", "0.0.0.0")]).await.unwrap();
    for path in ["/health", "/healthz", "/readyz"] {
        assert_eq!(program.get(path).await.status, 200, "{path}");
    }
    for path in [
        "/",
        "/metrics",
        "/debug/sessions",
        "/api/conversations",
        "/api/conversations/1",
        "/exports/calls/1",
        "/api/calls",
        "/api/conversations/1/turns",
        "/openapi.json",
        "/nothing",
    ] {
        let closed = program.get(path).await;
        assert_problem(&closed, 403, "closed");
        assert!(closed.json()["detail"].as_str().unwrap().contains("HOST=127.0.0.1"), "names the remedy");
    }
    match tokio_tungstenite::connect_async(program.socket_url("/media")).await {
        Err(SocketError::Http(response)) => assert_eq!(response.status(), 403),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_web_page_and_a_tunnel_are_not_this_machine() {
    let program = boot_with_fakes().await;
    let rebound = program.request("GET", "/api/conversations").header("host", "evil.example.test");
    assert_problem(&answer(rebound).await, 403, "closed");
    let tunnelled = program.request("GET", "/debug/sessions").header("x-forwarded-for", "203.0.113.9");
    assert_problem(&answer(tunnelled).await, 403, "closed");
    let health = program.request("GET", "/health").header("host", "voice.example.test");
    assert_eq!(answer(health).await.status, 200);
}

#[tokio::test]
async fn media_sockets_take_any_spelling_and_query() {
    let program = boot_with_fakes().await;
    for path in [
        "/media",
        "/media/",
        "/media?x=1",
        "/ws/twilio/call/CA1",
        "/ws/twilio/call/CA1/",
        "/ws/twilio/call/CA1/?token=x",
        "/ws/exotel/call/1",
        "/ws/exotel/call/1/?sample-rate=16000",
    ] {
        let (mut socket, response) = tokio_tungstenite::connect_async(program.socket_url(path)).await.unwrap();
        assert_eq!(response.status(), 101, "{path}");
        socket.close(None).await.unwrap();
    }
    let plain = program.get("/media").await;
    assert_problem(&plain, 426, "upgrade-required");
    assert_eq!(plain.header("upgrade"), "websocket");
}

#[tokio::test]
async fn a_closed_socket_is_closed_in_an_orderly_way() {
    let program = boot_with_fakes().await;
    let (mut socket, _) = tokio_tungstenite::connect_async(program.socket_url("/media")).await.unwrap();
    // No JSON: the call ends with a named reason, and we are told so by a close, not by a reset.
    socket.send(Message::text("no json")).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(_))) | None => break Ok(()),
                Some(Ok(_)) => {}
                Some(Err(error)) => break Err(error),
            }
        }
    });
    assert!(ended.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_draining_server_takes_no_new_socket() {
    let program = boot_with_fakes().await;
    program.running.drain(Duration::ZERO).await;
    match tokio_tungstenite::connect_async(program.socket_url("/media")).await {
        Err(SocketError::Http(response)) => {
            assert_eq!(response.status(), 503);
            assert!(response.headers().contains_key("retry-after"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_the_remedy() {
    let program = boot_with_fakes().await;
    let port = program.running.addr.port().to_string();
    let Err(error) = boot_with_settings(&[("PORT", &port)]).await else { panic!("two programs on one port") };
    assert!(error.to_string().contains("taken by another program") && error.to_string().contains("--port"), "{error}");
}

#[tokio::test]
async fn a_playbook_file_answers_as_an_agent_of_its_name() {
    let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/domain/playbooks/front-desk.toml");
    let text = std::fs::read_to_string(built_in).unwrap().replacen("name = \"front-desk\"", "name = \"night-desk\"", 1);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("night.toml"), text).unwrap();
    let settings = [("PLAYBOOKS_DIR", folder.path().to_str().unwrap()), ("DEFAULT_AGENT", "night-desk")];
    let program = boot_with_settings(&settings).await.unwrap();
    assert_eq!(program.get("/readyz").await.status, 200);

    std::fs::write(folder.path().join("night.toml"), "name = 3").unwrap();
    let Err(error) = boot_with_settings(&settings).await else { panic!("started with a broken playbook") };
    assert!(error.to_string().contains("night.toml"), "{error}");
}

#[tokio::test]
async fn a_list_of_words_that_cannot_be_heard_by_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("LEXICONS_DIR", folder.path().to_str().unwrap())];
    let file = folder.path().join("mr.toml");
    std::fs::write(&file, "language = \"mr\"\ncommands = [\"thamba\"]\n").unwrap();
    assert_eq!(boot_with_settings(&settings).await.unwrap().get("/readyz").await.status, 200);

    std::fs::write(&file, "language = \"mr\"\ncommand = [\"thamba\"]\n").unwrap();
    let Err(error) = boot_with_settings(&settings).await else { panic!("started with a broken list of words") };
    assert!(error.to_string().contains("mr.toml, line 2: unknown field `command`"), "{error}");
}

#[tokio::test]
async fn an_agent_that_does_not_exist_is_refused_at_the_start() {
    let Err(error) = boot_with_settings(&[("DEFAULT_AGENT", "nobody")]).await else {
        panic!("started without an agent")
    };
    assert!(error.to_string().contains("DEFAULT_AGENT"), "{error}");
}
