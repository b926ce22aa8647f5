//! What another business sees: nothing. Every route of the description that takes an id is asked with the id of a row that is there, by an owner
//! of another business.

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::office::{ASHA, Office};
use crate::stored::{assert_problem, store_call};

const BELA: &str = "bela@example.test";

/// Routes that look nothing up: pages, and the media sockets, which are of carriers.
const WITHOUT_ROWS: [&str; 5] = ["/setup/", "/talk/", "/media/", "/ws/", "/audio/"];

/// The id of a row of the first business that a path asks for.
fn concrete(path: &str, ids: &[(&str, String)]) -> String {
    let (_, id) = ids.iter().rev().find(|(prefix, _)| path.starts_with(prefix)).unwrap_or(&ids[0]);
    let part = |part: &str| match part {
        "{turn_id}" => "1".to_owned(),
        part if part.starts_with('{') => id.clone(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// All rows of what the first business owns, as text.
async fn rows(database: &mut SqliteConnection) -> String {
    let mut told = String::new();
    for table in
        ["agents", "agent_versions", "users", "api_keys", "call_sessions", "conversations", "user_turns", "audit_log"]
    {
        let columns =
            sqlx::query("SELECT name FROM pragma_table_info(?)").bind(table).fetch_all(&mut *database).await.unwrap();
        // When a key was last used is not a change of it.
        let names = columns.iter().map(|row| row.get::<String, _>(0)).filter(|name| name != "last_used_at");
        let quoted: Vec<String> = names.map(|name| format!("quote(\"{name}\")")).collect();
        let sql = format!("SELECT {} FROM {table} WHERE business_id = 1 ORDER BY 1", quoted.join(" || ' ' || "));
        let all = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut *database).await.unwrap();
        told.extend(all.iter().map(|row| row.get::<String, _>(0) + "\n"));
    }
    told
}

#[tokio::test]
async fn every_route_with_an_id_answers_404_to_another_business_and_changes_nothing() {
    let office = Office::open().await;
    let (call, sid) = store_call(&office.program, 1).await;
    let owner = office.log_in(ASHA).await;
    let user = office.get("/api/users/me", &owner).await.json()["id"].as_str().unwrap().to_owned();
    let key = office.make_key(&owner, &["calls:read"]).await[4..20].to_owned();
    let agent = office.get("/api/agents", &owner).await.json()["items"][0]["uuid"].as_str().unwrap().to_owned();
    let ids = [
        ("/", call.to_string()),
        ("/exports/", sid.clone()),
        ("/api/exports/", sid),
        ("/api/agents/", agent),
        ("/api/users/", user),
        ("/api/keys/", key),
    ];
    office.another_business(BELA).await;
    let bela = office.log_in(BELA).await;
    let description = office.get("/openapi.json", &owner).await.json();

    // Asked by its own business, the ids lead to rows.
    for path in [
        "/api/agents/{id}",
        "/api/users/{id}",
        "/api/keys/{id}",
        "/api/calls/{id}",
        "/api/conversations/{id}/transcript",
    ] {
        let path = concrete(path, &ids);
        assert_eq!(office.get(&path, &owner).await.status, 200, "{path}");
    }
    let mut database = office.database().await;
    let before = rows(&mut database).await;
    let mut asked = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        if !path.contains('{') || WITHOUT_ROWS.iter().any(|prefix| path.starts_with(prefix)) {
            continue;
        }
        for method in ["get", "post", "put", "patch", "delete"].into_iter().filter(|method| item[method].is_object()) {
            let answer = office.send(&method.to_uppercase(), &concrete(path, &ids), &bela, json!({})).await;
            assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
            asked += 1;
        }
    }
    assert!(asked >= 20, "{asked}");
    assert_eq!(rows(&mut database).await, before);

    let listed = async |path: &str| office.get(path, &bela).await.json()["items"].as_array().unwrap().len();
    for path in ["/api/calls", "/api/conversations", "/api/agents", "/api/keys", "/debug/sessions"] {
        assert_eq!(listed(path).await, 0, "{path}");
    }
    assert_eq!(office.get("/api/users", &bela).await.json()["items"][0]["email"], BELA);
    assert_eq!(listed("/api/users").await, 1);
    assert_eq!(listed("/api/audit").await, 2, "her account, and her log-in");
    assert_problem(&office.get("/metrics", &bela).await, 404, "not-found");
    // One person has one account, whichever business it is in.
    assert_problem(&office.add(&bela, ASHA, "viewer").await, 409, "conflict");
}

#[tokio::test]
async fn another_business_talks_to_no_agent_of_ours_and_sees_no_talk() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    office.another_business(BELA).await;
    let bela = office.log_in(BELA).await;
    let agent = office.get("/api/agents/front-desk", &owner).await.json()["uuid"].as_str().unwrap().to_owned();
    let open = async |bearer: &str| {
        let path = format!("/ws/talk/{agent}");
        let mut request = office.program.socket_url(&path).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {bearer}").parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let hello = json!({ "type": "conversation_initiation_client_data" }).to_string();
        futures_util::SinkExt::send(&mut socket, Message::text(hello)).await.unwrap();
        let first = socket.next().await.unwrap().unwrap();
        (socket, first)
    };
    let (_talk, first) = open(&owner).await;
    let first: Value = serde_json::from_str(first.to_text().unwrap()).unwrap();
    assert_eq!(first["type"], "conversation_initiation_metadata");
    assert_eq!(office.get("/debug/sessions", &owner).await.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(office.get("/debug/sessions", &bela).await.json()["items"], json!([]));

    let (mut refused, mut message) = open(&bela).await;
    // The reason stands in the close frame, whether an error event comes before it or not.
    while !message.is_close() {
        message = refused.next().await.unwrap().unwrap();
    }
    let Message::Close(Some(frame)) = message else { panic!("a close frame says why") };
    assert_eq!(u16::from(frame.code), 1008, "{frame:?}");
}
