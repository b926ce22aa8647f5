//! The HTTP interface of the whole program on loopback: routes, spellings, errors, pages, and who is let in.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tandem_domain::ids::{BusinessId, CallId, ConversationId, TurnId, UtteranceId};
use tandem_domain::port::store::CallLog;
use tandem_domain::record::{
    AgentResponse, CallEnded, CallStarted, Direction, EndReason, Progress, Record, TimelineEvent, UserTurn,
};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use uuid::Uuid;

mod support;

use support::{Answer, Program, answer, boot_with_fakes, boot_with_settings};

/// Asserts the shape that every error has.
fn assert_problem(answer: &Answer, status: u16, kind: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let body = answer.json();
    assert_eq!(body["type"], format!("urn:tandem:problem:{kind}"));
    assert_eq!(body["status"], status);
    assert!(body["title"].as_str().is_some_and(|text| !text.is_empty()));
    assert!(body["detail"].as_str().is_some_and(|text| !text.is_empty()));
    assert!(body["errors"].is_array());
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_770_000_000 + second, 0).unwrap()
}

/// A call that was answered, asked for a flat in Delhi and ended; as the switch would have written it.
async fn store_call(program: &Program, number: i64) -> (CallId, String) {
    let (call, conversation) = (CallId(Uuid::now_v7()), ConversationId(Uuid::now_v7()));
    let business = BusinessId::FIRST;
    let call_sid = format!("CA{number:032}");
    let extracted = [("location", json!("Delhi")), ("budget", json!(6_000_000))];
    let records = vec![
        Record::Started(CallStarted {
            call,
            conversation,
            business,
            agent: None,
            call_sid: call_sid.clone(),
            stream_sid: format!("MZ{number:032}"),
            provider: "twilio".to_owned(),
            direction: Direction::Inbound,
            from: Some("+911234567890".to_owned()),
            to: None,
            parameters: Default::default(),
            at: at(0),
        }),
        Record::AgentResponse(AgentResponse {
            conversation,
            business,
            utterance: UtteranceId(1),
            turn: None,
            text: "Hello, how can I help you?".to_owned(),
            heard: "Hello, how can".to_owned(),
            interrupted: true,
            llm_provider: "rules".to_owned(),
            tts_provider: "fake".to_owned(),
            voice: String::new(),
            language: "en".to_owned(),
            latency: None,
            stages: Vec::new(),
            at: at(1),
        }),
        Record::UserTurn(UserTurn {
            conversation,
            business,
            turn: TurnId(1),
            text: "a flat in Delhi".to_owned(),
            language: Some("en".to_owned()),
            stt_provider: "fake".to_owned(),
            confidence: Some(0.5),
            at: at(2),
        }),
        Record::Progress(Progress {
            conversation,
            business,
            stage: "collecting".to_owned(),
            extracted: extracted.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }),
        Record::Event(TimelineEvent {
            call,
            business,
            since_start: Duration::from_millis(1500),
            kind: "interruption",
            data: json!({}),
        }),
        Record::Ended(CallEnded {
            call,
            business,
            reason: EndReason::CallerHangup,
            detail: String::new(),
            duration: Duration::from_secs(9),
            outcome: None,
            at: at(9),
        }),
    ];
    program.running.store.write(records).await.unwrap();
    (call, call_sid)
}

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
async fn a_transcript_holds_what_was_heard_in_order() {
    let program = boot_with_fakes().await;
    let (call, _) = store_call(&program, 1).await;
    let lines = program.get(&format!("/api/conversations/{call}/transcript")).await.json();
    assert_eq!(lines[0]["role"], "agent");
    assert_eq!(lines[0]["text"], "Hello, how can");
    assert_eq!(lines[0]["interrupted"], true);
    assert_eq!(
        lines[1],
        json!({"role": "user", "text": "a flat in Delhi", "language": "en", "confidence": 0.5, "created_at": lines[1]["created_at"]})
    );
    assert!(lines[1]["created_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap() == at(2));
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let program = boot_with_fakes().await;
    for number in 1..=5 {
        store_call(&program, number).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/api/conversations?limit=2".to_owned());
    loop {
        let page = program.get(&path).await.json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|item| item["id"].as_i64().unwrap()));
        match &page["next_cursor"] {
            Value::Null => break,
            cursor => path = format!("/api/conversations?limit=2&cursor={}", cursor.as_str().unwrap()),
        }
        store_call(&program, 5 + i64::try_from(seen.len()).unwrap()).await; // a newer one belongs on no later page
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first: {seen:?}");
}

#[tokio::test]
async fn an_export_is_a_file_with_everything_about_the_call() {
    let program = boot_with_fakes().await;
    let (call, call_sid) = store_call(&program, 1).await;
    let export = program.get(&format!("/exports/calls/{call_sid}")).await;
    assert_eq!(export.header("content-type"), "application/json");
    assert_eq!(export.header("content-disposition"), format!("attachment; filename=\"tandem-call-{call}.json\""));
    let body = export.json();
    assert_eq!(body["call"]["uuid"], call.to_string());
    assert_eq!(body["conversation"]["extracted_data"]["location"], "Delhi");
    assert_eq!(body["transcript"].as_array().unwrap().len(), 2);
    assert!(
        body["events"].as_array().unwrap().iter().any(|event| event["kind"] == "interruption" && event["t_ms"] == 1500)
    );
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
        "/ws/acme/call/1",
    ] {
        assert_problem(&program.get(path).await, 404, "not-found");
    }
    for query in ["limit=0", "limit=1000000", "limit=many", "cursor=-1", "cursor=x", "limit=1&limit=2"] {
        let refused = program.get(&format!("/api/conversations?{query}")).await;
        assert_problem(&refused, 400, "invalid-request");
        assert!(refused.json()["errors"][0]["detail"].is_string());
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
async fn beyond_loopback_only_health_and_media_are_open() {
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
        "/nothing",
    ] {
        let closed = program.get(path).await;
        assert_problem(&closed, 403, "closed");
        assert!(closed.json()["detail"].as_str().unwrap().contains("HOST=127.0.0.1"), "names the remedy");
    }
    assert!(tokio_tungstenite::connect_async(program.socket_url("/media")).await.is_ok());
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
async fn media_sockets_take_any_spelling_and_ignore_the_query() {
    let program = boot_with_fakes().await;
    for path in [
        "/media",
        "/media/",
        "/media?x=1",
        "/ws/twilio/call/CA1",
        "/ws/twilio/call/CA1/",
        "/ws/twilio/call/CA1/?token=x",
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
async fn an_agent_that_does_not_exist_is_refused_at_the_start() {
    let Err(error) = boot_with_settings(&[("DEFAULT_AGENT", "nobody")]).await else {
        panic!("started without an agent")
    };
    assert!(error.to_string().contains("DEFAULT_AGENT"), "{error}");
}
