//! Whole calls that are heard by Deepgram's wire, whose other end breaks in each phase: the call goes on, and no word of the caller is lost.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tandem::Vendors;
use tandem_domain::port::stt::Stt;
use tandem_peers::caller::{Line, Manners, Rendered, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::mock::{Behaviour, Mock, MockConfig};
use tandem_peers::simulate::{self, SimulateConfig};
use tandem_peers::vendor::{FakeStt, FakeTts, Fault, FaultPlan};
use tandem_peers::voice::Talker;
use tandem_providers::stt::deepgram::{Deepgram, DeepgramConfig};
use tandem_providers::stt::fallback::Order;

mod support;

const SAID: [&str; 2] = ["I want an apartment in Delhi", "sixty lakh rupees"];
/// Silence that ends a turn, and the longest that a caller hears nothing while a silent vendor is found out (promises.md P5).
const DEAD_AIR_MS: u64 = 4_000 + 500;

/// A call through a switch whose recogniser behaves so, a local one behind it: its transcript and its turns, as they are on record.
async fn call(number: u128, stt: Behaviour) -> (Value, Vec<Value>) {
    let mock = Mock::start(MockConfig { stt, ..MockConfig::default() }).await.unwrap();
    let account = DeepgramConfig { base_url: mock.base_url(), ..DeepgramConfig::new("key") };
    let deepgram: Arc<dyn Stt> = Arc::new(Deepgram::new(&account).unwrap());
    let order = Order::new(deepgram, [Arc::new(FakeStt::default()) as Arc<dyn Stt>]);
    let vendors = Vendors { stt: Some(Arc::new(order)), tts: Some(Arc::new(FakeTts::default())) };
    let program = support::boot_in(tempfile::tempdir().unwrap(), &[], vendors).await.unwrap();

    let ids = TwilioIds::numbered(number);
    let call_sid = ids.call_sid.clone();
    let say = |text: &str| {
        let samples = Talker::numbered(3).speak(text).samples.into();
        Step::Say(Line::Audio(Rendered { text: text.to_owned(), samples }))
    };
    let config = SimulateConfig {
        url: program.socket_url("/media"),
        unix_socket: None,
        carrier: Carrier::Twilio(ids),
        custom_parameters: BTreeMap::new(),
        script: vec![say(SAID[0]), say(SAID[1]), Step::Wait, Step::HangUp],
        manners: Manners::default(),
        renderer: Arc::new(FakeTts::default()),
        voice: String::new(),
        language: "en".to_owned(),
        recogniser: None,
        record_to: None,
        limit: Duration::from_secs(90),
    };
    simulate::run(config).await.unwrap();
    let transcript = support::transcript(&program, &call_sid).await;
    let turns = program.get(&format!("/api/conversations/{call_sid}/turns")).await.json();
    program.running.shutdown().await;
    (transcript, turns["items"].as_array().unwrap().clone())
}

/// Of each answer: the latency, and its stages by name.
fn answers(turns: &[Value]) -> Vec<(u64, &Value)> {
    let answers = turns.iter().flat_map(|turn| turn["agent_responses"].as_array().unwrap());
    answers.filter_map(|answer| Some((answer["latency_ms"].as_u64()?, &answer["stages"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_on_whatever_becomes_of_its_recogniser() {
    let requests = |fault| Behaviour { faults: FaultPlan::times(fault, 1, u32::MAX), ..Behaviour::default() };
    let doors = |fault| Behaviour { doors: FaultPlan::always(fault), ..Behaviour::default() };
    let ways = [
        ("well", Behaviour::steady(Duration::from_millis(100))),
        ("refused", doors(Fault::Error)),
        ("never connected", doors(Fault::Silent)),
        ("silent", requests(Fault::Silent)),
        ("dropped in a word", requests(Fault::DropMidway)),
        ("dropped for an answer", requests(Fault::Drop)),
        ("garbage", requests(Fault::Garbage)),
        ("endless", requests(Fault::Endless)),
    ];
    let calls = ways.into_iter().enumerate().map(|(number, (way, stt))| async move {
        let (transcript, turns) = call(number as u128, stt).await;
        (way, transcript, turns)
    });
    for (way, transcript, turns) in join_all(calls).await {
        let text = transcript.to_string();
        for said in SAID {
            assert!(text.contains(said), "{way}: {transcript:#}");
        }
        let answers = answers(&turns);
        assert!(answers.len() >= SAID.len(), "{way}: {turns:#?}");
        for (latency, stages) in &answers {
            assert!(*latency < DEAD_AIR_MS, "{way}: {latency} ms, {stages}");
            let sum: f64 = stages.as_object().unwrap().values().filter_map(Value::as_f64).sum();
            assert!((sum - *latency as f64).abs() < 5.0, "{way}: {latency} ms, {stages}");
        }
        println!("{way}: {answers:?}");
    }
}
