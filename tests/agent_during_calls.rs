//! An agent is changed while it talks: the call in progress keeps its words to the end, the next one greets with the new ones, and nobody was
//! restarted. Over the carrier's real socket, with a model that shows what it was told.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tandem_peers::caller::{Line, Manners, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::mock::{Mock, MockConfig, Sent};
use tandem_peers::simulate::{PeerReport, SimulateConfig, run};
use tandem_peers::vendor::{FakeStt, FakeTts};
use tokio::time::timeout;

mod support;

use support::{Program, answer};

const LIMIT: Duration = Duration::from_secs(60);

fn say(text: &str) -> Step<Line> {
    Step::Say(Line::Text(text.to_owned()))
}

fn caller(program: &Program, number: u128, from: &str, script: Vec<Step<Line>>) -> SimulateConfig {
    SimulateConfig {
        url: program.socket_url("/media"),
        unix_socket: None,
        carrier: Carrier::Twilio(TwilioIds::numbered(number)),
        custom_parameters: BTreeMap::from([("from".to_owned(), from.to_owned())]),
        script,
        manners: Manners::default(),
        renderer: Arc::new(FakeTts::default()),
        voice: String::new(),
        language: "en".to_owned(),
        recogniser: Some(Arc::new(FakeStt::default())),
        record_to: None,
        limit: LIMIT,
    }
}

async fn change(program: &Program, settings: Value) -> Value {
    let changed = answer(program.request("PATCH", "/api/agents/assistant").json(&settings)).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    changed.json()
}

/// The system prompt of each question to the model so far.
fn prompts(mock: &Mock) -> Vec<String> {
    let exchanges = mock.log().exchanges();
    let asked = exchanges.iter().flat_map(|exchange| &exchange.sent);
    let prompt = |sent: &Sent| match sent {
        Sent::Json(body) => Some(body["messages"][0]["content"].as_str()?.to_owned()),
        _ => None,
    };
    asked.filter_map(prompt).collect()
}

/// What the agent meant to say first, and the version that stands on the call's row.
async fn greeting_and_version(program: &Program, report: &PeerReport) -> (String, Value) {
    let lines = support::transcript(program, &report.call_sid).await;
    let first = lines.as_array().unwrap().iter().find(|line| line["role"] == "agent").unwrap();
    let said = first.get("intended_text").unwrap_or(&first["text"]).as_str().unwrap().to_owned();
    let call = program.get(&format!("/api/calls/{}", report.call_sid)).await.json();
    let conversation = program.get(&format!("/api/conversations/{}", report.call_sid)).await.json();
    assert_eq!(call["agent_version"], conversation["agent_version"]);
    (said, call["agent_version"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_progress_keeps_its_words_and_the_next_has_the_new_ones() {
    let mock = Mock::start(MockConfig::default()).await.unwrap();
    let base = mock.base_url();
    let settings = [
        ("DEFAULT_AGENT", "assistant"),
        ("OPENAI_API_KEY", "sk-test"),
        ("OPENAI_BASE_URL", base.as_str()),
        ("PREEMPTIVE_GENERATION", "off"),
    ];
    let program = support::boot_with_settings(&settings).await.unwrap();
    let words = json!({"sales_script_text": "Namaste from Acme!\nSell flats.", "first_message_inbound": null});
    let first = change(&program, words).await;
    assert_eq!(first["version"], 2);

    let script = vec![say("where is my order"), say("and when does it come"), Step::Wait, Step::HangUp];
    let talking = tokio::spawn(run(caller(&program, 1, "+919876500001", script)));
    let asked = async {
        while prompts(&mock).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, asked).await.expect("the caller's first question reaches the model");
    let live = program.get("/api/calls").await.json();
    assert_eq!((&live["items"][0]["status"], &live["items"][0]["agent_version"]), (&json!("in_progress"), &json!(2)));
    let second = change(&program, json!({"sales_script_text": "Good day from Zenith!\nSell villas."})).await;
    assert_eq!(second["version"], 3);
    let report = talking.await.unwrap().unwrap();

    let told = prompts(&mock);
    assert!(told.len() >= 2, "it was asked after the change as well: {told:#?}");
    assert!(told.iter().all(|prompt| prompt.contains("Sell flats.") && !prompt.contains("villas")), "{told:#?}");
    assert_eq!(greeting_and_version(&program, &report).await, ("Namaste from Acme!".to_owned(), json!(2)));

    let script = vec![say("where is my order"), Step::Wait, Step::HangUp];
    let next = run(caller(&program, 2, "+919876500002", script)).await.unwrap();
    assert!(next.turns[0].heard.to_lowercase().contains("good day from zenith"), "and it was in the ear: {next:#?}");
    assert_eq!(greeting_and_version(&program, &next).await, ("Good day from Zenith!".to_owned(), json!(3)));
    let told = prompts(&mock);
    assert!(told.last().unwrap().contains("Sell villas."), "{told:#?}");
    program.running.shutdown().await;
}
