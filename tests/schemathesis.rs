//! Requests made up from the description of the interface: whatever they hold, no answer is a fault of ours, and each is one that is described.
//!
//! schemathesis asks every operation at least [`EXAMPLES`] times, as an administrator, with bodies and parameters that fit the description and with
//! such that do not; then follows from answers to further requests. It comes by `scripts/peers.sh`, which `make test` and `make peers` call.
//! So that requests get further than "there is no such row", the program has rows of every kind, and a share of the ids are theirs. Nothing is left
//! out: where an order would end the run, such as a log-out, it is asked as somebody else or about somebody else.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tandem_actors::clock;
use tandem_peers::caller::{Line, Manners, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::simulate::{SimulateConfig, run};
use tandem_peers::vendor::{FakeStt, FakeTts};

#[path = "support/foreign.rs"]
mod foreign;
#[path = "../store/tests/conformance/server.rs"]
mod server;
#[allow(dead_code)]
#[path = "support/stored.rs"]
mod stored;
mod support;

use server::Server;
use support::{Program, answer, boot_with_settings};

/// Made-up requests of each operation, besides those that try every boundary of its parameters.
const EXAMPLES: u32 = 100;
/// Where chance begins; another one by `SCHEMATHESIS_SEED`.
const SEED: &str = "1";
/// Longest run on one engine.
const LIMIT: Duration = Duration::from_secs(900);
/// Operations, of about ninety, that did what was asked at least once. The others are media sockets, which are asked without an upgrade, the set-up,
/// which is over, and what needs a carrier or a call in progress.
const REACHED: usize = 75;
const OWNER: &str = "asha@example.test";
const LEAVER: &str = "bela@example.test";
const PASSWORD: &str = "violet tractor under seven moons";
const MEDIA_SECRET: &str = "0123456789abcdef";
const CALL_LIMIT: Duration = Duration::from_secs(60);

/// What is checked of an answer. Not that whatever fits the description is accepted: that a name is free or a cursor ours, no description says.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
    response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,allow_header_conformance,\
    use_after_free,ensure_resource_availability,ignored_auth";

/// A program with rows of every kind, and the ids of some.
struct Office {
    program: Program,
    token: String,
    ids: BTreeMap<&'static str, Vec<String>>,
}

impl Office {
    async fn open(settings: &[(&str, &str)]) -> Self {
        // Three agents that cannot be deleted, since the server needs them; calls that are recorded and journalled.
        let own = [
            ("DEFAULT_AGENT", "logistics"),
            ("NUMBER_AGENTS", "+918047119999=assistant"),
            ("DEFAULT_REGION", "IN"),
            ("RECORD_CALLS", "wav"),
            ("JOURNAL_CALLS", "100"),
            ("MEDIA_SECRET", MEDIA_SECRET), // without it the carrier's socket is closed from the first administrator on
        ];
        let program = boot_with_settings(&[&own, settings].concat()).await.unwrap();
        let link = program.running.setup_link().await.unwrap();
        let (_, token) = link.expose().split_once("/setup#").unwrap();
        let body = json!({"token": token, "email": OWNER, "password": PASSWORD, "name": "Asha"});
        assert_eq!(answer(program.request("POST", "/api/setup").json(&body)).await.status, 201);
        let mut office = Self { program, token: String::new(), ids: BTreeMap::new() };
        office.token = office.log_in(OWNER).await.0;
        office.fill().await;
        office
    }

    /// Access and refresh token.
    async fn log_in(&self, email: &str) -> (String, String) {
        let body = json!({"email": email, "password": PASSWORD});
        let told = answer(self.program.request("POST", "/api/auth/login/").json(&body)).await;
        assert_eq!(told.status, 200, "{}", told.body);
        let text = |name: &str| told.json()["tokens"][name].as_str().unwrap().to_owned();
        (text("access"), text("refresh"))
    }

    /// Makes something; its field `id`, as text.
    async fn make(&mut self, path: &str, kind: &'static str, id: &str, body: Value) {
        let made = answer(self.program.request("POST", path).bearer_auth(&self.token).json(&body)).await;
        assert_eq!(made.status, 201, "{path}: {}", made.body);
        let id = &made.json()[id];
        self.ids.entry(kind).or_default().push(id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    }

    async fn fill(&mut self) {
        for number in 0..20 {
            let spare = ["spare agents", "spare numbers", "spare users", "spare keys"];
            let kept = ["spare agents", "numbers", "users", "keys"];
            let kinds = if number < 15 { spare } else { kept };
            let email = format!("person{number}@example.test");
            self.make("/api/agents", kinds[0], "id", json!({"name": format!("Agent {number}")})).await;
            self.make("/api/phone-numbers", kinds[1], "number", json!({"number": format!("+9180471122{number:02}")}))
                .await;
            self.make(
                "/api/users",
                kinds[2],
                "number",
                json!({"email": email, "password": PASSWORD, "role": "viewer"}),
            )
            .await;
            self.make("/api/keys", kinds[3], "id", json!({"name": "CRM", "scopes": ["calls:read"]})).await;
        }
        self.make("/api/users", "users", "id", json!({"email": LEAVER, "password": PASSWORD, "role": "admin"})).await;
        for number in 0..3 {
            let (call, sid) = stored::store_call(&self.program, number).await;
            self.ids.entry("calls").or_default().extend([sid, call.0.to_string(), (number + 1).to_string()]);
        }
        for agent in ["front-desk", "assistant", "logistics"] {
            let draft = self.program.request("PATCH", &format!("/api/agents/{agent}/draft")).bearer_auth(&self.token);
            assert_eq!(answer(draft.json(&json!({"call_timeout": 40}))).await.status, 200);
        }
        let test = self.program.request("POST", "/api/agents/management/1/voice/test").bearer_auth(&self.token);
        let tested = answer(test.json(&json!({"test_message": "Hello"}))).await.json();
        let mut sound = tested["voice_url"].as_str().unwrap().rsplit('/').map(str::to_owned);
        self.ids.insert("sounds", sound.by_ref().take(1).collect());
        self.ids.insert("sounding agents", sound.skip(2).take(1).collect());
        self.ids.insert("agents", ["front-desk", "assistant", "logistics", "1", "2", "3"].map(str::to_owned).to_vec());
        let sid = self.call().await;
        self.ids.entry("calls").or_default().extend(vec![sid; 5]);
    }

    /// A call over the carrier's socket, which leaves a journal and a recording.
    async fn call(&self) -> String {
        let say = |text: &str| Step::Say(Line::Text(text.to_owned()));
        let config = SimulateConfig {
            url: self.program.socket_url(&format!("/media/{MEDIA_SECRET}")),
            unix_socket: None,
            carrier: Carrier::Twilio(TwilioIds::numbered(77)),
            custom_parameters: BTreeMap::from([("from".to_owned(), "+919876500001".to_owned())]),
            script: vec![say("I want an apartment in Delhi"), Step::Wait, Step::HangUp],
            manners: Manners::default(),
            renderer: Arc::new(FakeTts::default()),
            voice: String::new(),
            language: "en".to_owned(),
            recogniser: Some(Arc::new(FakeStt::default())),
            record_to: None,
            limit: CALL_LIMIT,
        };
        run(config).await.unwrap().call_sid
    }

    /// What schemathesis is told about this program.
    async fn settings(&self) -> String {
        let (leaving, other) = (self.log_in(LEAVER).await.0, self.log_in(LEAVER).await.0);
        let (_, refresh) = self.log_in(LEAVER).await;
        let mut dictionaries = serde_json::Map::new();
        for (kind, ids) in &self.ids {
            dictionaries.insert(kind.replace(' ', "-"), json!({ "values": ids }));
        }
        let named = [
            ("tags", vec!["*"]),
            ("codes", vec!["hi", "ta", "en-IN"]),
            ("turns", vec!["1", "2", "3", "4"]),
            ("versions", vec!["1", "2"]),
            ("points", vec!["1", "2", "live", "draft"]),
            ("carriers", vec!["twilio", "exotel"]),
            ("emails", vec![LEAVER, "new@example.test", "newer@example.test", "newest@example.test"]),
            ("passwords", vec![PASSWORD, "slow granite orchestra under rain"]),
            ("refresh-tokens", vec![refresh.as_str()]),
            ("files", vec!["talk.css", "setup.js"]),
            ("new-numbers", vec!["+918047113301", "+918047113302", "+918047113303", "+918047110001"]),
            ("scopes", vec!["calls:read", "talks:start"]),
            ("roles", vec!["viewer", "operator", "admin"]),
        ];
        for (kind, values) in named {
            dictionaries.insert(kind.to_owned(), json!({ "values": values }));
        }
        let from = |kind: &str, probability: f64| json!({"dictionary": kind, "probability": probability});
        let about = |path: &str, parameters: Value| json!({"include-path-regex": path, "parameters": parameters});
        let operation = |id: &str, parameters: Value| json!({"include-operation-id": id, "parameters": parameters});
        let as_leaver = |token: &str| json!({"Authorization": format!("Bearer {token}")});
        // Whoever is out is told so before they are told of methods.
        let no_405 = json!({"unsupported_method": {"enabled": false}});
        let operations = json!([
            operation(
                "get_agent_voice_test",
                json!({"path.agent_id": from("sounding-agents", 0.8), "path.file": from("sounds", 0.8)})
            ),
            operation(
                "delete_agent",
                json!({"path.id": from("spare-agents", 0.8), "header.if-match": from("tags", 0.5)})
            ),
            about(
                "^/api/agents/\\{id\\}",
                json!({
                    "path.id": from("agents", 0.8), "path.code": from("codes", 0.8), "path.version": from("versions", 0.8),
                    "header.if-match": from("tags", 0.6), "query.from": from("points", 0.8), "query.to": from("points", 0.8),
                })
            ),
            about(
                "^/api/agents/management/",
                json!({"path.agent_id": from("agents", 0.8), "header.if-match": from("tags", 0.6), "body.test_number": from("new-numbers", 0.5)})
            ),
            about("/calls/\\{id\\}", json!({"path.id": from("calls", 0.8)})),
            about(
                "^/api/conversations/\\{id\\}",
                json!({"path.id": from("calls", 0.8), "path.turn_id": from("turns", 0.8)})
            ),
            operation(
                "delete_phone_number",
                json!({"path.id": from("spare-numbers", 0.8), "header.if-match": from("tags", 0.5)})
            ),
            about(
                "^/api/phone-numbers",
                json!({"path.id": from("numbers", 0.8), "header.if-match": from("tags", 0.6), "body.number": from("new-numbers", 0.7)})
            ),
            about("^/api/limits", json!({"header.if-match": from("tags", 0.6)})),
            operation("revoke_key", json!({"path.id": from("spare-keys", 0.8)})),
            about("^/api/keys", json!({"path.id": from("keys", 0.8), "body.scopes[*]": from("scopes", 0.8)})),
            // Never the asker: with another password or disabled, they would be logged out.
            operation("delete_user", json!({"path.id": from("spare-users", 1.0)})),
            operation(
                "change_user",
                json!({"path.id": from("spare-users", 1.0), "body.password": from("passwords", 0.5)})
            ),
            about(
                "^/api/users",
                json!({"path.id": from("users", 0.8), "body.email": from("emails", 0.7), "body.password": from("passwords", 0.9), "body.role": from("roles", 0.9)})
            ),
            operation("log_in", json!({"body.email": from("emails", 0.5), "body.password": from("passwords", 0.5)})),
            operation("refresh_tokens", json!({"body.refresh": from("refresh-tokens", 0.3)})),
            // Both end the log-ins of whoever asks.
            json!({"include-operation-id": "log_out", "headers": as_leaver(&other), "checks": no_405}),
            json!({
                "include-operation-id": "change_my_password", "headers": as_leaver(&leaving), "checks": no_405,
                "parameters": {"body.current_password": from("passwords", 0.3), "body.new_password": from("passwords", 0.5)},
            }),
            about("^/ws/", json!({"path.carrier": from("carriers", 0.8)})),
            about("\\{file\\}", json!({"path.file": from("files", 0.5)})),
        ]);
        // 428 is what RFC 6585 3 has for a change without `If-Match`.
        let checks = json!({"missing_required_header": {"expected-statuses": [400, 401, 403, 428]}});
        toml::to_string(&json!({"checks": checks, "dictionaries": dictionaries, "operations": operations})).unwrap()
    }
}

async fn every_answer_is_described(engine: &str, settings: &[(&str, &str)]) {
    let office = Office::open(settings).await;
    let folder = office.program.folder.path();
    let (config, description, report) =
        (folder.join("schemathesis.toml"), folder.join("openapi.json"), folder.join("report.json"));
    std::fs::write(&config, office.settings().await).unwrap();
    let described = answer(office.program.request("GET", "/openapi.json").bearer_auth(&office.token)).await;
    std::fs::write(&description, &described.body).unwrap();
    let operations: usize =
        described.json()["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len()).sum();

    let seed = std::env::var("SCHEMATHESIS_SEED").unwrap_or_else(|_| SEED.to_owned());
    let began: Instant = clock::now();
    let run = tokio::process::Command::new(foreign::program("schemathesis"))
        .arg("--config-file")
        .arg(&config)
        .arg("run")
        .arg(&description)
        .args(["--url", &office.program.base(), "--header", &format!("Authorization: Bearer {}", office.token)])
        .args(["--max-examples", &EXAMPLES.to_string(), "--seed", &seed, "--workers", "1"])
        .args(["--phases", "examples,coverage,fuzzing,stateful", "--checks", CHECKS])
        .args(["--continue-on-failure", "--no-shrink", "--generation-database", "none", "--request-timeout", "30"])
        .args(["--report", "json", "--report-json-path"])
        .arg(&report)
        .arg("--no-color")
        .current_dir(folder)
        .env("NO_PROXY", "127.0.0.1")
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LIMIT, run).await.expect("the run ends in time").unwrap();
    let (said, talk) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    keep_report(engine, &said, &report);
    assert!(output.status.success(), "{engine}, seed {seed}: {said}{talk}");
    let tested = format!("Selected: {operations}/{operations}");
    assert!(said.contains(&tested) && said.contains(&format!("Tested: {operations}")), "{tested} in {said}");
    // Each asked in vain would prove little: of what fits, most operations have answered some with what was asked for.
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let accepted = |phases: &Value| phases.as_object().unwrap().values().any(|phase| phase["accepted"] != json!(0));
    let reached = report["valid_rates"].as_object().unwrap().values().filter(|phases| accepted(phases)).count();
    assert!(reached >= REACHED, "{reached} of {operations} operations did what they were asked: {said}");
    let requests = &report["test_cases"]["generated"];
    let took = began.elapsed();
    println!(
        "schemathesis on {engine}: {operations} operations, {reached} of them did what was asked; {requests} requests in {took:.0?}"
    );
    office.program.running.shutdown().await;
}

/// Where `SCHEMATHESIS_REPORT` names a folder, what was said stays there, for whoever looks into a failure.
fn keep_report(engine: &str, said: &str, report: &Path) {
    if let Some(folder) = std::env::var_os("SCHEMATHESIS_REPORT").map(PathBuf::from) {
        std::fs::write(folder.join(format!("{engine}.txt")), said).unwrap();
        std::fs::copy(report, folder.join(format!("{engine}.json"))).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_described_on_sqlite() {
    every_answer_is_described("SQLite", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_described_on_postgresql() {
    let server = Server::shared();
    every_answer_is_described("PostgreSQL", &[("DATABASE_URL", &server.url("postgres"))]).await;
}
