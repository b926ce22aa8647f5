//! What another business sees: nothing. Every route of the description is asked by an owner of another business: with the ids of rows that are
//! there, in every spelling, where it takes an id; and for its list, where it takes none. A route that this file does not know fails the test,
//! so that none is forgotten.

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::office::{ASHA, KEY, Office};
use crate::rows::{Rows, all_of_the_first};
use crate::stored::assert_problem;
use crate::support::{Answer, answer};

const BELA: &str = "bela@example.test";
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Routes that look no row up, and why: what they begin with if it ends in a slash, else all of it.
const WITHOUT_ROWS: [(&str, &str); 13] = [
    ("/", "the way around"),
    ("/openapi.json", "the same for everybody"),
    ("/health", "of the process"),
    ("/healthz", "of the process"),
    ("/readyz", "of the process"),
    ("/setup", "a page"),
    ("/setup/", "its files"),
    ("/talk", "a page"),
    ("/talk/", "its files"),
    ("/api/agents/management/{agent_id}/voice/test/{file}", "its name, which nobody can guess, is its key"),
    ("/media", "of carriers, by credentials of their own (tests/doors.rs)"),
    ("/media/", "the same"),
    ("/ws/", "the same; and talks, which are tried below"),
];

/// Routes whose whole subject is whoever asks, and why they are not asked as another.
const OF_ONESELF: [(&str, &str); 8] = [
    ("/api/auth/login", "credentials are in the body"),
    ("/api/auth/refresh", "credentials are in the body"),
    ("/api/auth/logout", "ends the session that asks"),
    ("/api/setup", "works once, before there is anybody"),
    ("/api/users/me", "the account that asks"),
    ("/api/users/me/password", "the account that asks"),
    ("/v1/convai/conversation", "a talk, which is tried below"),
    ("/metrics", "of the process: asked below"),
];

/// Lists, and what stands in them for an owner who has just come.
const LISTS: [(&str, usize); 9] = [
    ("/api/agents", 0),
    ("/api/audit", 2), // her account, and her log-in
    ("/api/calls", 0),
    ("/api/conversations", 0),
    ("/api/keys", 0),
    ("/api/phone-numbers", 0),
    ("/api/users", 1), // herself
    ("/debug/sessions", 0),
    ("/api/agents/create", 0), // nothing is read at this address
];

/// What each business has one of: that of whoever asks, as the tests below and `tests/businesses.rs` show.
const OF_ONES_OWN: [&str; 2] = ["/api/business", "/api/limits"];

/// Files that no call of this test has: their owner is not shown any either.
const WITHOUT_FILES: [&str; 3] =
    ["/api/calls/{id}/journal", "/api/calls/{id}/recording", "/api/calls/{id}/recording/peaks"];

fn is_among(table: &[(&str, &str)], path: &str) -> bool {
    table.iter().any(
        |(known, _)| {
            if *known != "/" && known.ends_with('/') { path.starts_with(known) } else { path == *known }
        },
    )
}

/// An order of `bearer` that nothing but whose the row is can stand in the way of.
async fn order(office: &Office, method: &str, path: &str, bearer: &str) -> Answer {
    let request = office.program.request(&method.to_uppercase(), path).bearer_auth(bearer);
    let request = if method == "get" { request } else { request.header("if-match", "*").json(&json!({})) };
    answer(request).await
}

#[tokio::test]
async fn every_route_answers_another_business_with_404_or_with_what_is_its_own() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    let ours = Rows::make(&office, &owner).await;
    office.another_business(BELA).await;
    let bela = office.log_in(BELA).await;
    let description = office.get("/openapi.json", &owner).await.json();

    let mut database = office.database().await;
    let before = all_of_the_first(&mut database).await;
    let (mut with_id, mut without) = (0, 0);
    for (path, item) in description["paths"].as_object().unwrap() {
        if is_among(&WITHOUT_ROWS, path) || is_among(&OF_ONESELF, path) {
            continue;
        }
        if !path.contains('{') {
            let is_known = LISTS.iter().any(|(known, _)| known == path) || OF_ONES_OWN.contains(&path.as_str());
            assert!(is_known, "{path} takes no id: say in this test what another business sees of it");
            without += 1;
            continue;
        }
        for spelling in 0..ours.spellings() {
            let concrete = ours.concrete(path, spelling);
            // Its own business is led to a row, or the refusals below would say nothing.
            if item["get"].is_object() && !WITHOUT_FILES.contains(&path.as_str()) {
                let shown = office.get(&concrete, &owner).await;
                assert_eq!(shown.status, 200, "{concrete}: {}", shown.body);
            }
            for method in METHODS.into_iter().filter(|method| item[*method].is_object()) {
                let refused = order(&office, method, &concrete, &bela).await;
                assert_eq!(refused.status, 404, "{method} {concrete}: {}", refused.body);
                with_id += 1;
            }
        }
    }
    assert!(with_id >= 100 && without >= 9, "{with_id} orders with an id, {without} lists");
    assert_eq!(all_of_the_first(&mut database).await, before);

    for (path, count) in LISTS.into_iter().filter(|(path, _)| description["paths"][path]["get"].is_object()) {
        let listed = office.get(path, &bela).await;
        assert_eq!(listed.json()["items"].as_array().map(Vec::len), Some(count), "{path}: {}", listed.body);
    }
    assert_eq!(office.get("/api/users", &bela).await.json()["items"][0]["email"], BELA);
    assert_problem(&office.get("/metrics", &bela).await, 404, "not-found");
}

#[tokio::test]
async fn what_another_business_makes_is_its_own_and_leads_to_nothing_of_ours() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    let ours = Rows::make(&office, &owner).await;
    office.another_business(BELA).await;
    let bela = office.log_in(BELA).await;
    let limits = office.get("/api/limits", &owner).await.json();
    let mut database = office.database().await;
    let before = all_of_the_first(&mut database).await;

    // A number is answered by no agent of ours, however it is called.
    let (_, agents) = ours.0.iter().find(|(prefix, _)| *prefix == "/api/agents/").unwrap();
    for agent in agents {
        let wanted = json!({ "number": "+918047112244", "agent_id": agent });
        let refused = office.send("POST", "/api/phone-numbers", &bela, wanted).await;
        assert_problem(&refused, 400, "invalid-request");
        assert_eq!(refused.json()["errors"][0]["parameter"], "/agent_id");
    }
    // Names and numbers that are taken with us are free with her.
    for (path, body) in [
        ("/api/agents", json!({ "name": "Sales" })),
        ("/api/phone-numbers", json!({ "number": "+918047112233" })),
        ("/api/keys", json!({ "name": "CRM", "scopes": ["calls:read"] })),
    ] {
        let made = office.send("POST", path, &bela, body).await;
        assert_eq!(made.status, 201, "{path}: {}", made.body);
    }
    let changed = office.send("PATCH", "/api/limits", &bela, json!({ "daily_call_limit": 3 })).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(office.get("/api/limits", &owner).await.json(), limits);
    let renamed = office.send("PATCH", "/api/business", &bela, json!({ "name": "Acme", "time_zone": "UTC" })).await;
    assert_eq!((renamed.status, &renamed.json()["name"]), (200, &json!("Acme")), "{}", renamed.body);
    assert_problem(&office.send("PATCH", "/api/business", &bela, json!({ "name": "default" })).await, 409, "conflict");
    // One person has one account, whichever business it is in.
    assert_problem(&office.add(&bela, ASHA, "viewer").await, 409, "conflict");
    assert_eq!(all_of_the_first(&mut database).await, before);
}

#[tokio::test]
async fn another_business_talks_to_no_agent_of_ours_and_sees_no_talk() {
    let office = Office::with(&[("SECRET_KEY", KEY), ("JOURNAL_CALLS", "2"), ("RECORD_CALLS", "wav")]).await;
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
    let talk = first["conversation_initiation_metadata_event"]["conversation_id"].as_str().unwrap();
    assert_eq!(office.get("/debug/sessions", &owner).await.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(office.get("/debug/sessions", &bela).await.json()["items"], json!([]));
    // A running talk is known to the switch before the database: whose it is, the switch knows too.
    let journal = format!("/api/calls/{talk}/journal");
    assert_eq!(office.get(&journal, &owner).await.status, 200);
    assert_problem(&office.get(&journal, &bela).await, 404, "not-found");
    let pause = format!("/api/calls/{talk}/recording/pause");
    assert_problem(&office.send("POST", &pause, &bela, json!({})).await, 404, "not-found");
    assert_eq!(office.send("POST", &pause, &owner, json!({})).await.json()["recording"], "paused");

    let (mut refused, mut message) = open(&bela).await;
    // The reason stands in the close frame, whether an error event comes before it or not.
    while !message.is_close() {
        message = refused.next().await.unwrap().unwrap();
    }
    let Message::Close(Some(frame)) = message else { panic!("a close frame says why") };
    assert_eq!(u16::from(frame.code), 1008, "{frame:?}");
}
