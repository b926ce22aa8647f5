//! A switch is killed while it tells a provider of a saved agent, at every point where that could lose or double something: the provider has each
//! version once, in order, on both engines.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

#[path = "support/killable.rs"]
mod killable;
#[path = "../store/tests/conformance/server.rs"]
mod server;
mod support;

use killable::Killable;
use server::Server;

/// Longest wait for a provider to be told, on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(60);

/// What a provider does when it is told.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    /// Takes it, and says so.
    Takes,
    /// Has the request, does nothing, and never answers.
    HoldsBefore,
    /// Takes it, and never says so.
    HoldsAfter,
    /// Is broken.
    Fails,
}

/// A version as a provider was told it.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    key: String,
    version: u64,
    first_line: Value,
}

/// A provider on a port of its own, which knows by the key what it was told before. It outlives the switch.
#[derive(Clone)]
struct Recorder {
    url: String,
    mood: watch::Sender<Mood>,
    /// Every request.
    asked: watch::Sender<Vec<Told>>,
    /// What it has done, each key once.
    done: watch::Sender<Vec<Told>>,
}

impl Recorder {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let recorder = Self {
            url: format!("http://{}/saved", listener.local_addr().unwrap()),
            mood: watch::Sender::new(Mood::Takes),
            asked: watch::Sender::default(),
            done: watch::Sender::default(),
        };
        let app = Router::new().route("/saved", post(hear)).with_state(Arc::new(recorder.clone()));
        tokio::spawn(async move { axum::serve(listener, app).await });
        recorder
    }

    fn asked(&self) -> Vec<Told> {
        self.asked.borrow().clone()
    }

    /// Versions that were done, in order.
    fn done(&self) -> Vec<u64> {
        self.done.borrow().iter().map(|told| told.version).collect()
    }

    /// Waits until the provider was asked so often.
    async fn until_asked(&self, times: usize) {
        let mut asked = self.asked.subscribe();
        timeout(LIMIT, asked.wait_for(|asked| asked.len() >= times)).await.expect("asked in time").unwrap();
    }

    async fn until_done(&self, versions: &[u64]) {
        let mut done = self.done.subscribe();
        timeout(LIMIT, done.wait_for(|done| done.len() >= versions.len())).await.expect("told in time").unwrap();
        assert_eq!(self.done(), versions);
    }
}

async fn hear(
    State(recorder): State<Arc<Recorder>>,
    headers: HeaderMap,
    axum::Json(body): axum::Json<Value>,
) -> axum::http::StatusCode {
    let told = Told {
        key: headers["idempotency-key"].to_str().unwrap().to_owned(),
        version: body["version"].as_u64().unwrap(),
        first_line: body["first_line"].clone(),
    };
    let mood = *recorder.mood.borrow();
    recorder.asked.send_modify(|asked| asked.push(told.clone()));
    if mood == Mood::Fails {
        return axum::http::StatusCode::SERVICE_UNAVAILABLE;
    }
    if mood == Mood::HoldsBefore {
        std::future::pending::<()>().await;
    }
    recorder.done.send_modify(|done| {
        if done.iter().all(|before| before.key != told.key) {
            done.push(told);
        }
    });
    if mood == Mood::HoldsAfter {
        std::future::pending::<()>().await;
    }
    axum::http::StatusCode::OK
}

async fn save(switch: &Killable, line: &str) {
    let words = json!({"first_message_inbound": null, "sales_script_text": line});
    assert_eq!(switch.send("PATCH", "/api/agents/assistant", &words).await, 200);
}

async fn kills_lose_and_double_nothing(settings: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let recorder = Recorder::start().await;
    let flags = ["--tell-saves-to", recorder.url.as_str()];
    let start = || Killable::start_with(&data, settings, &flags);

    // Between the commit and anything else: the answer to the save is the last that is seen of the switch.
    let switch = start().await;
    save(&switch, "one").await;
    switch.kill().await;
    let switch = start().await;
    recorder.until_done(&[2]).await;

    // Between the commit and the delivery: the request is out, and nothing came of it.
    recorder.mood.send_replace(Mood::HoldsBefore);
    let before = recorder.asked().len();
    save(&switch, "two").await;
    recorder.until_asked(before + 1).await;
    switch.kill().await;
    assert_eq!(recorder.done(), [2]);
    recorder.mood.send_replace(Mood::Takes);
    let switch = start().await;
    recorder.until_done(&[2, 3]).await;

    // Between the delivery and the note of it: the provider has done it, and the switch does not know.
    recorder.mood.send_replace(Mood::HoldsAfter);
    save(&switch, "three").await;
    recorder.until_done(&[2, 3, 4]).await;
    let before = recorder.asked().len();
    switch.kill().await;
    recorder.mood.send_replace(Mood::Takes);
    let switch = start().await;
    recorder.until_asked(before + 1).await;
    let asked = recorder.asked();
    assert_eq!(asked[before], asked[before - 1], "told again, under the same key and with the same words");
    assert_eq!(recorder.done(), [2, 3, 4]);

    // A provider that is away while two versions are saved hears of both, in order, from the process after the next.
    recorder.mood.send_replace(Mood::Fails);
    let before = recorder.asked().len();
    save(&switch, "four").await;
    save(&switch, "five").await;
    recorder.until_asked(before + 1).await;
    switch.kill().await;
    recorder.mood.send_replace(Mood::Takes);
    let switch = start().await;
    recorder.until_done(&[2, 3, 4, 5, 6]).await;
    let lines: Vec<Value> = recorder.done.borrow().iter().map(|told| told.first_line.clone()).collect();
    assert_eq!(lines, ["one", "two", "three", "four", "five"]);

    // What was noted is told to nobody again: of the last version, told after all of them, there is one request.
    switch.end().await;
    let switch = start().await;
    save(&switch, "six").await;
    recorder.until_done(&[2, 3, 4, 5, 6, 7]).await;
    switch.end().await;
    let asked = recorder.asked();
    let times = |version| asked.iter().filter(|told| told.version == version).count();
    assert_eq!((times(7), asked.last().unwrap().version), (1, 7), "{asked:#?}");
    assert!(times(4) == 2, "once before the kill, once after it: {asked:#?}");
}

#[tokio::test]
async fn kills_lose_and_double_nothing_on_sqlite() {
    kills_lose_and_double_nothing(&[]).await;
}

#[tokio::test]
async fn kills_lose_and_double_nothing_on_postgresql() {
    let server = Server::shared();
    let database = format!("DATABASE_URL={}", server.url("postgres"));
    kills_lose_and_double_nothing(&[database.as_str()]).await;
}
