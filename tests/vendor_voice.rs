//! Whole calls over Twilio's socket with the hosted voice on its vendor's wire: chosen by the settings, heard by the ear, interrupted, broken.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use support::{Program, boot_in, fakes, install_tls_provider, transcript};
use tandem::Vendors;
use tandem_actors::clock;
use tandem_codecs::g711;
use tandem_domain::port::tts::Tts;
use tandem_peers::caller::{Line, Manners, Rendered, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::twilio::{TwilioIds, TwilioPeer};
use tandem_peers::mock::{Behaviour, Exchange, Mock, MockConfig, Sent};
use tandem_peers::simulate::{self, PeerReport, SimulateConfig};
use tandem_peers::vendor::{FakeStt, FakeTts, FakeTtsConfig, Fault, FaultPlan};
use tandem_peers::voice::Talker;
use tandem_providers::tts::elevenlabs::{ElevenLabs, ElevenLabsConfig, Key};
use tandem_providers::tts::order::{Limits, Order};
use tokio_tungstenite::tungstenite::Message;

mod support;

const LIMIT: Duration = Duration::from_secs(60);

async fn mock(faults: FaultPlan) -> Mock {
    let tts = Behaviour { latency: Duration::from_millis(150).into(), faults, ..Behaviour::default() };
    Mock::start(MockConfig { tts, ..MockConfig::default() }).await.unwrap()
}

/// The program whose settings name the vendor; only the recogniser is a fake.
async fn boot_at(mock: &Mock, further: &[(&str, &str)]) -> Program {
    let base = mock.base_url();
    let settings = [&[("ELEVENLABS_API_KEY", "key"), ("ELEVENLABS_BASE_URL", base.as_str())], further].concat();
    let vendors = Vendors { tts: None, ..fakes() };
    boot_in(tempfile::tempdir().unwrap(), &settings, vendors).await.unwrap()
}

fn say(text: &str) -> Line {
    let samples = Talker::numbered(3).speak(text).samples.into();
    Line::Audio(Rendered { text: text.to_owned(), samples })
}

async fn call(program: &Program, number: u32, script: Vec<Step<Line>>) -> PeerReport {
    let config = SimulateConfig {
        url: program.socket_url("/media"),
        unix_socket: None,
        carrier: Carrier::Twilio(TwilioIds::numbered(u128::from(number))),
        custom_parameters: BTreeMap::new(),
        script,
        manners: Manners { quiet: Duration::from_millis(700), ..Manners::default() },
        renderer: Arc::new(FakeTts::default()),
        voice: String::new(),
        language: "en".to_owned(),
        recogniser: Some(Arc::new(FakeStt::default())),
        record_to: None,
        limit: LIMIT,
    };
    simulate::run(config).await.unwrap()
}

/// All that the agent said by the record, and all that the ear heard.
async fn said_and_heard(program: &Program, report: &PeerReport) -> (String, String) {
    let lines = transcript(program, &report.call_sid).await;
    let agent = lines.as_array().unwrap().iter().filter(|line| line["role"] == "agent");
    let said: Vec<&str> = agent.map(|line| line["text"].as_str().unwrap()).collect();
    let heard: Vec<&str> =
        report.turns.iter().map(|turn| turn.heard.as_str()).filter(|text| !text.is_empty()).collect();
    (said.join(" "), heard.join(" "))
}

fn sockets(mock: &Mock) -> Vec<Exchange> {
    mock.log().exchanges().into_iter().filter(|exchange| exchange.path.ends_with("/multi-stream-input")).collect()
}

fn messages(exchange: &Exchange) -> impl Iterator<Item = &Value> {
    exchange.sent.iter().filter_map(|sent| if let Sent::Json(json) = sent { Some(json) } else { None })
}

fn whole_talk() -> Vec<Step<Line>> {
    ["I want an apartment in Delhi", "sixty lakh rupees", "no thank you"].map(|text| Step::Say(say(text))).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_enough_and_the_ear_hears_every_word() {
    let mock = mock(FaultPlan::none()).await;
    for (number, transport) in [(1, "socket"), (2, "http")] {
        let program = boot_at(&mock, &[("ELEVENLABS_TRANSPORT", transport)]).await;
        assert_eq!(program.running.engines.tts, "elevenlabs");
        let report = call(&program, number, whole_talk()).await;
        let (said, heard) = said_and_heard(&program, &report).await;
        assert!(said.starts_with("Hello, this is Tandem's front desk.") && said.contains("sixty lakh"), "{said}");
        assert_eq!(heard, said, "{transport}");
        assert_eq!(report.playback.underruns, 0, "{transport}");
        program.running.shutdown().await;
    }
    assert!(sockets(&mock).len() <= 2, "one call needs one socket, and one is in wait");
    let sentences =
        sockets(&mock).iter().flat_map(|socket| messages(socket).cloned().collect::<Vec<_>>()).collect::<Vec<_>>();
    assert!(sentences.iter().filter(|message| message["flush"] == true).count() >= 5, "sentence by sentence");
    for flushed in sentences.iter().filter(|message| message["flush"] == true) {
        assert!(flushed["text"].as_str().unwrap().ends_with(' '), "{flushed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_carrier_gets_is_what_the_vendor_sent() {
    let mock = mock(FaultPlan::none()).await;
    let program = boot_at(&mock, &[]).await;
    let (mut socket, _) = tokio_tungstenite::connect_async(program.socket_url("/media")).await.unwrap();
    for text in TwilioPeer::new(TwilioIds::numbered(7), BTreeMap::new()).open(clock::now()) {
        socket.send(Message::text(text)).await.unwrap();
    }
    let mut vendors = Vec::new();
    g711::encode_ulaw(&Talker::default().speak("Hello, this is Tandem's front desk.").samples, &mut vendors);
    let mut carriers: Vec<u8> = Vec::new();
    let listen = async {
        while carriers.len() < vendors.len() {
            let message = socket.next().await.expect("the call goes on").unwrap();
            let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
            if let Some(payload) = message["media"]["payload"].as_str() {
                carriers.extend(STANDARD.decode(payload).unwrap());
            }
        }
    };
    tokio::time::timeout(LIMIT, listen).await.expect("the greeting");
    // Mu-law has two zeros; both are silence, and 0xff is the one that is sent. A voice rises and falls over 5 ms: 40 bytes.
    let zero = |byte: &u8| if *byte == 0x7f { 0xff } else { *byte };
    let inside = 40..vendors.len() - 40;
    assert_eq!(carriers[inside.clone()], vendors[inside].iter().map(zero).collect::<Vec<u8>>());
    socket.close(None).await.unwrap();
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_interrupted_is_silent_and_its_context_is_closed() {
    let mock = mock(FaultPlan::none()).await;
    let program = boot_at(&mock, &[]).await;
    let interrupt = Step::Interrupt { after: Duration::from_millis(900), say: say("I want an apartment in Delhi") };
    let report =
        call(&program, 11, vec![interrupt, Step::Say(say("sixty lakh rupees")), Step::Say(say("no thank you"))]).await;
    let lines = transcript(&program, &report.call_sid).await;
    let first = &lines[0];
    assert!(
        first["intended_text"].as_str().is_some_and(|all| all.len() > first["text"].as_str().unwrap().len()),
        "{lines:#}"
    );
    assert!(report.turns.iter().skip(1).all(|turn| !turn.heard.contains("front desk")), "{:?}", report.turns);
    let sockets = sockets(&mock);
    let opened: usize = sockets.iter().flat_map(messages).filter(|message| message["text"] == " ").count();
    let closed: usize = sockets.iter().flat_map(messages).filter(|message| message["close_context"] == true).count();
    assert!(opened >= 3 && opened == closed, "{opened} contexts, {closed} closed");
    program.running.shutdown().await;
}

/// The vendor breaks in the middle of the call, in each way: another voice says the rest, and the call goes on to its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_breaks_costs_no_word_and_no_call() {
    install_tls_provider();
    let faults = [Fault::Silent, Fault::Error, Fault::Drop, Fault::DropMidway, Fault::Garbage];
    let calls = (20..).zip(faults).map(async |(number, fault)| {
        let mock = mock(FaultPlan::times(fault, 1, 1)).await;
        let account = ElevenLabsConfig { base_url: mock.base_url(), ..ElevenLabsConfig::new(Key::new("key")) };
        let behind = FakeTts::new(FakeTtsConfig { talker: Talker::numbered(40), ..FakeTtsConfig::default() });
        let first: Arc<dyn Tts> = Arc::new(ElevenLabs::start(account).unwrap());
        let order = Order::new(first, [Arc::new(behind) as Arc<dyn Tts>], Limits::default());
        let vendors = Vendors { tts: Some(Arc::new(order)), ..fakes() };
        let program = boot_in(tempfile::tempdir().unwrap(), &[], vendors).await.unwrap();
        let report = call(&program, number, whole_talk()).await;
        let (said, heard) = said_and_heard(&program, &report).await;
        assert_eq!(heard, said, "{fault:?}");
        let conversation = program.get(&format!("/api/conversations/{}", report.call_sid)).await.json();
        assert_eq!(conversation["ended_reason"], "completed", "{fault:?}: {conversation:#}");
        program.running.shutdown().await;
    });
    futures_util::future::join_all(calls).await;
}
