//! Whole calls with the assistant, whom a language model answers for: over the carrier's real socket, with the real adapter against the vendor's
//! side of its wire. Recogniser and voice are the fakes, so that every word can be followed.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use support::Program;
use tandem_peers::caller::{Line, Manners, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::mock::{Behaviour, Mock, MockConfig, Sent};
use tandem_peers::simulate::{PeerReport, SimulateConfig, run};
use tandem_peers::vendor::{FakeStt, FakeTts, Fault, FaultPlan};

const GREETING: &str = "Hello! How can I help you?";

async fn mock(llm: Behaviour) -> Mock {
    Mock::start(MockConfig { llm, ..MockConfig::default() }).await.unwrap()
}

/// Asks its model when the turn is over, so that each phase of an answer is seen for itself.
async fn assistant(base: &str) -> Program {
    assistant_with(base, "off").await
}

async fn assistant_with(base: &str, preemptive: &str) -> Program {
    assistant_that_may(base, preemptive, "skip_turn").await
}

async fn assistant_that_may(base: &str, preemptive: &str, system_tools: &str) -> Program {
    let settings = [
        ("SYSTEM_TOOLS", system_tools),
        ("DEFAULT_AGENT", "assistant"),
        ("OPENAI_API_KEY", "sk-test"),
        ("OPENAI_BASE_URL", base),
        ("PREEMPTIVE_GENERATION", preemptive),
    ];
    support::boot_with_settings(&settings).await.unwrap()
}

fn say(text: &str) -> Step<Line> {
    Step::Say(Line::Text(text.to_owned()))
}

async fn call(program: &Program, number: u128, script: Vec<Step<Line>>) -> PeerReport {
    let config = SimulateConfig {
        url: program.socket_url("/media"),
        unix_socket: None,
        carrier: Carrier::Twilio(TwilioIds::numbered(number)),
        custom_parameters: BTreeMap::new(),
        script,
        manners: Manners::default(),
        renderer: Arc::new(FakeTts::default()),
        voice: String::new(),
        language: "en".to_owned(),
        recogniser: Some(Arc::new(FakeStt::default())),
        record_to: None,
        limit: Duration::from_secs(90),
    };
    run(config).await.unwrap()
}

async fn lines(program: &Program, report: &PeerReport) -> Vec<Value> {
    support::transcript(program, &report.call_sid).await.as_array().unwrap().clone()
}

/// What the caller heard of each of the agent's utterances, as the carrier's marks tell.
fn heard(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter(|line| line["role"] == "agent").map(|line| line["text"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_talks_with_the_assistant_and_each_turn_s_stages_add_up() {
    let mock = mock(Behaviour::steady(Duration::from_millis(200))).await;
    let program = assistant(&format!("{}/v1", mock.base_url())).await;
    let report = call(&program, 1, vec![say("where is my order"), say("thank you"), Step::Wait, Step::HangUp]).await;
    let lines = lines(&program, &report).await;
    let agent: Vec<&Value> = lines.iter().filter(|line| line["role"] == "agent").collect();
    let [greeting, answer, last, ..] = heard(&lines)[..] else { panic!("{lines:#?}") };
    assert_eq!(greeting, GREETING);
    assert!(answer.contains("Your order is on its way") && last.contains("You are welcome."), "{lines:#?}");
    assert!(report.turns[1].heard.contains("order"), "and it was in the ear: {report:#?}");
    for line in &agent[1..=2] {
        let stages = line["stages"].as_object().unwrap();
        let (sum, latency) =
            (stages.values().map(|ms| ms.as_f64().unwrap()).sum::<f64>(), line["latency_ms"].as_f64().unwrap());
        assert!((sum - latency).abs() <= 5.0, "{line:#}");
        let token = stages["llm_first_token"].as_f64().unwrap();
        assert!(
            token >= 200.0 && stages.contains_key("llm_first_sentence") && stages.contains_key("tts_first_audio"),
            "{line:#}"
        );
    }

    // The model was told the conversation as the caller heard it, by the one connection's later requests too.
    let asked: Vec<Value> = mock
        .log()
        .exchanges()
        .iter()
        .filter_map(|exchange| {
            exchange.sent.iter().find_map(|sent| if let Sent::Json(body) = sent { Some(body.clone()) } else { None })
        })
        .collect();
    let messages = asked[1]["messages"].as_array().unwrap();
    let roles: Vec<&str> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "assistant", "user", "assistant", "user"]);
    assert_eq!(messages[1]["content"], GREETING);
    assert_eq!(messages[3]["content"], agent[1]["text"], "what was heard");
    assert_eq!((&asked[1]["model"], &asked[1]["stream"]), (&Value::from("gpt-4o-mini"), &Value::from(true)));
    program.running.shutdown().await;
}

/// The model's 200 ms pass while the silence that ends the turn runs.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_begun_in_the_silence_is_there_at_its_end() {
    let mock = mock(Behaviour::steady(Duration::from_millis(200))).await;
    let program = assistant_with(&format!("{}/v1", mock.base_url()), "on").await;
    let report = call(&program, 9, vec![say("where is my order"), Step::Wait, Step::HangUp]).await;
    let lines = lines(&program, &report).await;
    assert!(heard(&lines)[1].contains("Your order is on its way"), "{lines:#?}");
    let answer = lines.iter().filter(|line| line["role"] == "agent").nth(1).unwrap();
    let stages = answer["stages"].as_object().unwrap();
    let (sum, latency) =
        (stages.values().map(|ms| ms.as_f64().unwrap()).sum::<f64>(), answer["latency_ms"].as_f64().unwrap());
    assert!((sum - latency).abs() <= 5.0, "{answer:#}");
    assert!(stages.get("llm_first_token").is_none_or(|token| token.as_f64().unwrap() < 200.0), "{answer:#}");
    program.running.shutdown().await;
}

/// The first answer never ends, so whatever is heard of it is spoken while the model streams; and it ends when the caller speaks, for the next
/// question finds it closed.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_sentence_is_heard_while_the_model_streams_and_an_interruption_stops_the_model() {
    let faults = FaultPlan::times(Fault::Endless, 0, 1);
    let mock = mock(Behaviour { faults, ..Behaviour::default() }).await;
    let program = assistant(&mock.base_url()).await;
    let log = mock.log().clone();
    let order = tokio::spawn(async move {
        loop {
            let questions: Vec<_> = log.exchanges().into_iter().filter(|exchange| exchange.method == "POST").collect();
            if let [first, _, ..] = questions.as_slice() {
                return first.sent.contains(&Sent::Closed);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let interrupt =
        Step::Interrupt { after: Duration::from_millis(3_500), say: Line::Text("no, thank you".to_owned()) };
    let report = call(&program, 2, vec![say("where is my order"), interrupt, Step::Wait, Step::HangUp]).await;
    let closed = tokio::time::timeout(Duration::from_secs(10), order).await.expect("a second question").unwrap();
    assert!(closed, "before the next question");
    let lines = lines(&program, &report).await;
    let cut = lines.iter().find(|line| line["interrupted"] == true).expect("the answer was cut");
    assert!(cut["text"].as_str().unwrap().starts_with("Sure, you said: where is my order."), "{cut:#}");
    assert!(heard(&lines).last().unwrap().contains("You are welcome."), "{lines:#?}");
    program.running.shutdown().await;
}

/// One question to a vendor that dies in some phase, then one to a vendor that is well again: not "thank you" alone, which wants nothing where it is
/// said over a filler.
async fn survives(number: u128, behaviour: Behaviour) -> Vec<Value> {
    let mock = mock(behaviour).await;
    let program = assistant(&mock.base_url()).await;
    let report =
        call(&program, number, vec![say("where is my order"), say("no, thank you"), Step::Wait, Step::HangUp]).await;
    let lines = lines(&program, &report).await;
    program.running.shutdown().await;
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_dies_in_any_phase_costs_an_apology_and_not_the_call() {
    let faults = [Fault::Error, Fault::Silent, Fault::Drop, Fault::DropMidway, Fault::Garbage];
    let calls = faults.into_iter().zip(10..).map(|(fault, number)| {
        // Where it fails before a sentence was said, and at once, it is asked once more: then it fails both times.
        let times = if matches!(fault, Fault::Error | Fault::Garbage) { 2 } else { 1 };
        let behaviour = Behaviour { faults: FaultPlan::times(fault, 0, times), ..Behaviour::default() };
        async move { (fault, survives(number, behaviour).await) }
    });
    for (fault, lines) in futures_util::future::join_all(calls).await {
        let heard = heard(&lines);
        assert!(heard.last().unwrap().contains("You are welcome."), "{fault:?}: {heard:?}");
        let expected = match fault {
            Fault::Silent => "One moment, please.",
            Fault::Drop | Fault::DropMidway => "Sure, you said: where is my order.",
            _ => "Sorry, I did not get that. Could you say it again?",
        };
        assert!(heard[1].starts_with(expected), "{fault:?}: {heard:?}");
    }
}

/// Nothing listens where the vendor should be.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_vendor_the_assistant_apologises_and_without_a_key_it_says_why() {
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let unreachable = assistant(&format!("http://{nobody}")).await;
    let report = call(&unreachable, 20, vec![say("where is my order"), Step::Wait, Step::HangUp]).await;
    assert_eq!(heard(&lines(&unreachable, &report).await)[1], "Sorry, I did not get that. Could you say it again?");
    unreachable.running.shutdown().await;

    let keyless = support::boot_with_settings(&[("DEFAULT_AGENT", "assistant")]).await.unwrap();
    let report = call(&keyless, 21, vec![say("where is my order"), Step::Wait, Step::HangUp]).await;
    assert!(heard(&lines(&keyless, &report).await)[1].contains("no language model is set up for me"), "{report:#?}");
    keyless.running.shutdown().await;
}

/// What the timeline has of a kind.
async fn noted(program: &Program, report: &PeerReport, kind: &str) -> Vec<Value> {
    let call = program.get(&format!("/exports/calls/{}", report.call_sid)).await.json();
    let events = call["events"].as_array().unwrap_or_else(|| panic!("{call:#}"));
    events.iter().filter(|event| event["kind"] == kind).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_presses_keys_and_leaves_the_turn_to_a_caller_who_looks_for_something() {
    let mock = mock(Behaviour::default()).await;
    let program = assistant_that_may(&mock.base_url(), "off", "skip_turn,play_keypad_tone").await;
    let script = vec![
        say("please press twelve"),
        say("I am looking for my papers"),
        Step::Silence(Duration::from_secs(2)),
        say("thank you"),
        Step::Wait,
        Step::HangUp,
    ];
    let report = call(&program, 21, script).await;
    let lines = lines(&program, &report).await;
    let [_, pressing, thanked] = heard(&lines)[..] else { panic!("nothing was said to who looks: {lines:#?}") };
    assert!(pressing == "I am pressing them." && thanked.contains("You are welcome."), "{lines:#?}");
    assert_eq!(noted(&program, &report, "keys_pressed").await.len(), 1);
    assert_eq!(noted(&program, &report, "skip_turn").await.len(), 1);
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_may_not_press_keys_is_not_offered_to() {
    let mock = mock(Behaviour::default()).await;
    let program = assistant_that_may(&mock.base_url(), "off", "none").await;
    let report = call(&program, 22, vec![say("please press twelve"), Step::Wait, Step::HangUp]).await;
    assert!(heard(&lines(&program, &report).await)[1].starts_with("Sure, you said: please press twelve"));
    assert!(noted(&program, &report, "tool_call").await.is_empty());
    program.running.shutdown().await;
}
