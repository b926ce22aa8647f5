//! What is changed is on record. Every order of the description that changes something is given once, and leaves one record in `/api/audit`, no
//! more and no less. An order that this file does not know fails the test, so that none is forgotten.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::NEXT_PASSWORD;
use crate::office::{ASHA, KEY, Office, PASSWORD};
use crate::support::{Answer, answer};

/// Orders that change no row that anybody made, and why.
const CHANGE_NOTHING: [(&str, &str); 3] = [
    ("/api/auth/refresh", "goes on with a session, whose beginning is on record"),
    ("/api/agents/management/{agent_id}/voice/test", "a sound that is heard and forgotten"),
    ("/api/agents/management/{agent_id}/calling/test", "rings nowhere: no carrier can dial yet"),
];

/// A record: its number, and `kind action`.
type Told = (i64, String);

/// Somebody with a log-in, and all orders that were given.
struct Walk {
    office: Office,
    token: String,
    last: i64,
    given: BTreeSet<(String, String)>,
}

impl Walk {
    async fn newest(&self) -> [Told; 2] {
        let records = self.office.get("/api/audit?limit=2", &self.token).await.json();
        let told = |place: usize| {
            let record = &records["items"][place];
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let what = format!("{} {}", text(&record["resource"]["kind"]), text(&record["action"]));
            (record["id"].as_i64().unwrap(), what)
        };
        [told(0), told(1)]
    }

    /// Whether one record came since the last look, and says this.
    async fn recorded(&mut self, expected: &str, order: &str) {
        let [(id, what), (before, _)] = self.newest().await;
        assert_eq!((what.as_str(), before), (expected, self.last), "{order}");
        self.last = id;
    }

    /// Gives an order at a path as it is described, with these parts in its braces, and looks for its record.
    async fn order(&mut self, method: &str, path: &str, parts: &[&str], body: Value, expected: &str) -> Answer {
        self.given.insert((method.to_lowercase(), path.to_owned()));
        let (mut parts, mut concrete) = (parts.iter(), Vec::new());
        for part in path.split('/') {
            concrete.push(if part.starts_with('{') { parts.next().unwrap() } else { part });
        }
        let request = self.office.program.request(method, &concrete.join("/")).bearer_auth(&self.token);
        // What stands in the place of something has to have seen it.
        let replaces = method == "PUT" && !path.ends_with("{code}");
        let request = if replaces { request.header("if-match", "*") } else { request };
        let answer = answer(if body.is_null() { request } else { request.json(&body) }).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.body);
        if let Some(next) = answer.body.contains("\"tokens\"").then(|| answer.json()) {
            self.token = next["tokens"]["access"].as_str().unwrap().to_owned();
        }
        self.recorded(expected, &format!("{method} {path}")).await;
        answer
    }

    async fn agents(&mut self) {
        const AGENT: &str = "/api/agents/{id}";
        let updated = "agent updated";
        self.order("POST", "/api/agents", &[], json!({ "name": "Sales", "call_timeout": 20 }), "agent created").await;
        self.order("POST", "/api/agents/create", &[], json!({ "name": "Desk" }), "agent created").await;
        self.order("PATCH", AGENT, &["Sales"], json!({ "call_timeout": 30 }), updated).await;
        for (group, body) in [
            ("guardrails", json!(["no_politics"])),
            ("system-tools", json!({ "skip_turn": true })),
            ("client-overrides", json!(["voice"])),
            ("client-events", json!(["audio", "ping"])),
            ("voice-config", json!({ "speed": 1.2 })),
        ] {
            self.order("PUT", &format!("{AGENT}/{group}"), &["Sales"], body, updated).await;
        }
        let language = format!("{AGENT}/languages/{{code}}");
        self.order("PUT", &language, &["Sales", "hi"], json!({ "voice_id": "asha" }), updated).await;
        self.order("DELETE", &language, &["Sales", "hi"], Value::Null, updated).await;
        for (part, body) in [
            ("voice", json!({ "conversation_style": "consultative" })),
            ("calling", json!({ "call_settings": { "call_timeout": 45 } })),
        ] {
            self.order("POST", &format!("/api/agents/management/{{agent_id}}/{part}"), &["Sales"], body, updated).await;
        }
        let draft = format!("{AGENT}/draft");
        self.order("PATCH", &draft, &["Sales"], json!({ "call_timeout": 40 }), "agent_draft created").await;
        self.order("PATCH", AGENT, &["Sales"], json!({ "guardrails": ["no_pii"] }), updated).await;
        let rebase = format!("{draft}/rebase");
        self.order("POST", &rebase, &["Sales"], Value::Null, "agent_draft updated").await;
        self.order("POST", &format!("{draft}/publish"), &["Sales"], Value::Null, "agent published").await;
        self.order("PATCH", &draft, &["Sales"], json!({ "call_timeout": 50 }), "agent_draft created").await;
        self.order("DELETE", &draft, &["Sales"], Value::Null, "agent_draft deleted").await;
        let back = format!("{AGENT}/versions/{{version}}/rollback");
        self.order("POST", &back, &["Sales", "1"], Value::Null, "agent rolled_back").await;
        self.order("DELETE", AGENT, &["Desk"], Value::Null, "agent deleted").await;
    }

    async fn what_the_business_has(&mut self) {
        const NUMBER: &str = "+918047112233";
        let (all, one) = ("/api/phone-numbers", "/api/phone-numbers/{id}");
        self.order("POST", all, &[], json!({ "number": NUMBER, "agent_id": "Sales" }), "phone_number created").await;
        self.order("PATCH", one, &[NUMBER], json!({ "type": "sales" }), "phone_number updated").await;
        self.order("DELETE", one, &[NUMBER], Value::Null, "phone_number deleted").await;
        self.order("PATCH", "/api/limits", &[], json!({ "daily_call_limit": 3 }), "limits updated").await;
        self.order("PATCH", "/api/business", &[], json!({ "name": "Acme" }), "business updated").await;
    }

    async fn people_and_keys(&mut self) {
        const BELA: &str = "bela@example.test";
        let body = json!({ "email": BELA, "password": PASSWORD, "role": "viewer" });
        self.order("POST", "/api/users", &[], body, "user created").await;
        self.order("PATCH", "/api/users/{id}", &[BELA], json!({ "role": "admin" }), "user updated").await;
        self.order("DELETE", "/api/users/{id}", &[BELA], Value::Null, "user deleted").await;
        self.order("PATCH", "/api/users/me", &[], json!({ "name": "Asha Rao" }), "user updated").await;
        let body = json!({ "name": "CRM", "scopes": ["calls:read"] });
        let made = self.order("POST", "/api/keys", &[], body, "api_key created").await.json();
        self.order("DELETE", "/api/keys/{id}", &[made["id"].as_str().unwrap()], Value::Null, "api_key revoked").await;
    }

    async fn a_recording(&mut self) {
        let mut request = self.office.program.socket_url("/ws/talk/front-desk").into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let hello = json!({ "type": "conversation_initiation_client_data" }).to_string();
        socket.send(Message::text(hello)).await.unwrap();
        let first: Value = serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
        let talk = first["conversation_initiation_metadata_event"]["conversation_id"].as_str().unwrap();
        // The switch knows of it at once, the database a little later.
        let on_record = async {
            while self.office.get(&format!("/api/conversations/{talk}"), &self.token).await.status != 200 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), on_record).await.expect("the talk is on record");
        for turn in ["pause", "resume"] {
            let path = format!("/api/calls/{{id}}/recording/{turn}");
            self.order("POST", &path, &[talk], Value::Null, "recording updated").await;
        }
    }

    async fn log_ins(&mut self) {
        let body = json!({ "current_password": PASSWORD, "new_password": NEXT_PASSWORD });
        self.order("POST", "/api/users/me/password", &[], body, "user updated").await;
        let body = json!({ "email": ASHA, "password": NEXT_PASSWORD });
        self.order("POST", "/api/auth/login", &[], body.clone(), "session logged_in").await;
        // Whoever is out sees no record: the next log-in shows it, below its own.
        let out = "/api/auth/logout";
        assert_eq!(self.office.send("POST", out, &self.token, json!({})).await.status, 204);
        self.given.insert(("post".to_owned(), out.to_owned()));
        self.token = self.office.tokens(ASHA, NEXT_PASSWORD).await.0;
        let [(_, newest), (id, below)] = self.newest().await;
        assert_eq!((newest.as_str(), below.as_str()), ("session logged_in", "session logged_out"));
        assert_eq!(id, self.last + 1, "nothing in between");
    }
}

#[tokio::test]
async fn every_order_that_changes_something_leaves_one_record() {
    let office = Office::with(&[("SECRET_KEY", KEY), ("RECORD_CALLS", "wav")]).await;
    let token = office.log_in(ASHA).await;
    let mut walk = Walk { office, token, last: 0, given: BTreeSet::new() };
    let [(id, newest), (_, first)] = walk.newest().await;
    assert_eq!((newest.as_str(), first.as_str()), ("session logged_in", "user set_up"));
    walk.given.insert(("post".to_owned(), "/api/setup".to_owned()));
    walk.last = id;

    walk.agents().await;
    walk.what_the_business_has().await;
    walk.people_and_keys().await;
    walk.a_recording().await;
    walk.log_ins().await;

    let description = walk.office.get("/openapi.json", &walk.token).await.json();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|method| *method != "get") {
            let is_known = walk.given.contains(&(method.clone(), path.clone()))
                || CHANGE_NOTHING.iter().any(|(known, _)| known == path);
            assert!(
                is_known,
                "{method} {path} changes something: give that order in this test, and look for its record"
            );
        }
    }
}
