//! Whole calls over Exotel's socket: the same conversation as over Twilio's, at every rate and in every spelling.
//!
//! Under a paused clock with the strict model of Exotel's side, which breaks the call on what its protocol forbids; and once over real
//! sockets, as `tandem simulate --carrier exotel` calls.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use line::{Exchange, Line, rendered, say};
use memory::CallRecords;
use tandem_actors::{Arrival, clock};
use tandem_codecs::SampleRate;
use tandem_domain::port::dialect::{Dialect, WireMessage};
use tandem_peers::caller::{Line as Said, Manners, Rendered, Step};
use tandem_peers::carrier::exotel::{Counts, ExotelIds, ExotelPeer, Habits, Keys, MarksOnClear};
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::carrier::{Carrier, MediaPeer};
use tandem_peers::simulate::{self, EndedBy, SimulateConfig};
use tandem_peers::vendor::{FakeStt, FakeTts};
use tandem_providers::carrier::exotel::ExotelDialect;
use tandem_providers::carrier::twilio::TwilioDialect;

const LIMIT: Duration = Duration::from_secs(240);
const RATES: [SampleRate; 3] = [SampleRate::HZ_8000, SampleRate::HZ_16000, SampleRate::HZ_24000];

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What a socket of this URL may speak.
fn media(query: &str) -> Vec<Arc<dyn Dialect>> {
    vec![Arc::new(TwilioDialect::new(0)), Arc::new(ExotelDialect::default().opened_with(query))]
}

/// Calls `/media` as Exotel does.
async fn dial(exchange: &Exchange, habits: Habits, script: Vec<Step<Rendered>>) -> Line<ExotelPeer> {
    let peer = ExotelPeer::new(ExotelIds::numbered(1), habits, BTreeMap::new());
    let dialects = media(&peer.query().unwrap_or_default());
    Line::dial_as(exchange, dialects, peer, Arrival::default(), 1, script).await
}

fn flat() -> Vec<Step<Rendered>> {
    vec![say(1, "I want an apartment in Delhi"), say(1, "sixty lakh rupees")]
}

/// The call to its end, what the caller's ear got, and the records.
async fn called(habits: Habits, script: Vec<Step<Rendered>>) -> (Line<ExotelPeer>, CallRecords) {
    let exchange = Exchange::new().await;
    let mut line = dial(&exchange, habits, script).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    (line, records)
}

#[tokio::test(start_paused = true)]
async fn the_conversation_is_twilios_word_for_word_at_every_rate_and_in_every_spelling() {
    let exchange = Exchange::new().await;
    let mut twilio = Line::dial(&exchange, 1, flat()).await;
    twilio.run_out(LIMIT).await;
    let expected = exchange.records(&twilio).await;
    assert_eq!(expected.reason(), "completed");

    let all = [
        Habits::at(SampleRate::HZ_8000),
        Habits::at(SampleRate::HZ_16000),
        Habits::at(SampleRate::HZ_24000),
        Habits { counts: Counts::Numbers, ..Habits::at(SampleRate::HZ_8000) },
        Habits { keys: Keys::Camel, ..Habits::at(SampleRate::HZ_16000) },
        Habits { start_names_rate: false, ..Habits::at(SampleRate::HZ_24000) },
    ];
    for habits in all {
        let (line, records) = called(habits, flat()).await;
        assert_eq!(records.reason(), "completed", "{habits:?}");
        assert_eq!(records.said(), expected.said(), "{habits:?}");
        assert_eq!(records.heard(), expected.heard(), "{habits:?}");
        assert_eq!(records.extracted, expected.extracted, "{habits:?}");
        assert_eq!(line.transcript(), twilio.transcript(), "{habits:?}");
        for reply in records.responses.iter().filter_map(|reply| reply.latency) {
            assert!(reply <= ms(720), "500 ms of silence, and a message of the caller's: {reply:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn audio_comes_without_a_gap_and_hardly_ahead_of_time() {
    for rate in RATES {
        let (line, _) = called(Habits::at(rate), flat()).await;
        let played = line.peer.statistics();
        assert_eq!((played.underruns, played.late_frames), (0, 0), "{rate}");
        assert!(played.greatest_lead <= ms(320), "{rate}: {:?} at the carrier", played.greatest_lead);
    }
}

/// Exotel does not say what becomes of marks that a `clear` overtakes: either way the record holds what was heard.
#[tokio::test(start_paused = true)]
async fn an_interruption_clears_in_time_whatever_becomes_of_the_marks() {
    for marks_on_clear in [MarksOnClear::Returned, MarksOnClear::Dropped] {
        for rate in RATES {
            let exchange = Exchange::new().await;
            let script = vec![
                Step::Interrupt { after: ms(1_500), say: rendered(1, "I want a villa in Pune") },
                say(1, "one crore"),
            ];
            let mut line = dial(&exchange, Habits { marks_on_clear, ..Habits::at(rate) }, script).await;
            line.until("the caller speaks", LIMIT, |line| !line.caller.turns().is_empty()).await;
            let began = line.caller.turns()[0].began;
            line.until("the clear", LIMIT, |line| line.peer.statistics().clears == 1).await;
            let after = clock::now() - began;
            assert!(after <= ms(405), "the budget of barge-in on this carrier: {after:?}");
            line.run_out(LIMIT).await;
            let records = exchange.records(&line).await;
            let greeting = &records.responses[0];
            assert!(greeting.interrupted && greeting.heard.len() < greeting.text.len(), "{greeting:?}");
            let ear = line.transcript();
            assert!(ear.starts_with(&greeting.heard), "heard {:?}, ear {ear:?}", greeting.heard);
            assert_eq!((line.peer.statistics().clears, records.reason()), (1, "completed"));
            assert_eq!(records.extracted["location"], "Pune");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn keys_are_kept_as_events() {
    let (_, records) = called(Habits::default(), vec![Step::Dtmf("12#".into()), say(1, "goodbye")]).await;
    assert_eq!(records.events.iter().filter(|kind| **kind == "dtmf").count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_hangs_up_and_a_flow_that_moves_on_are_told_apart() {
    for (reason, expected) in [("callended", "caller_hangup"), ("stopped", "moved_on")] {
        let exchange = Exchange::new().await;
        let mut line = dial(&exchange, Habits::default(), vec![Step::Wait, say(1, "never said")]).await;
        line.until("three words", LIMIT, |line| line.heard.len() == 3).await;
        let stop = line.peer.stop(clock::now()).replace("callended", reason);
        line.send_raw(Ok(WireMessage::Text(stop))).await;
        while !exchange.switch.sessions().await.is_empty() {
            tokio::time::sleep(ms(10)).await;
        }
        assert_eq!(exchange.records(&line).await.reason(), expected);
    }
}

/// One caller over a real socket; what was said, heard and answered, as `tandem simulate` prints it.
async fn simulated(program: &support::Program, carrier: Carrier, path: &str) -> Vec<[String; 4]> {
    let line = |text: &str| Step::Say(Said::Text(text.to_owned()));
    let peer = simulate::run(SimulateConfig {
        url: program.socket_url(path),
        unix_socket: None,
        carrier,
        custom_parameters: BTreeMap::from([("agent".to_owned(), "front-desk".to_owned())]),
        script: vec![line("I want an apartment in Delhi"), line("sixty lakh rupees")],
        manners: Manners::default(),
        renderer: Arc::new(FakeTts::default()),
        voice: String::new(),
        language: "en".to_owned(),
        recogniser: Some(Arc::new(FakeStt::default())),
        record_to: None,
        limit: Duration::from_secs(90),
    })
    .await
    .unwrap();
    assert_eq!(peer.ended_by, EndedBy::Switch, "{path}");
    let transcript = support::transcript(program, &peer.call_sid).await;
    let conversation = program.get(&format!("/api/conversations/{}", peer.call_sid)).await.json();
    let report = simulate::merge(&peer, &conversation, &transcript);
    assert_eq!(report.ended_reason.as_deref(), Some("completed"), "{report:#?}");
    let words = report.turns.into_iter();
    words.map(|turn| [turn.caller_said, turn.heard_as, turn.agent_text, turn.agent_heard_text]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn simulate_gives_the_same_transcript_over_both_carriers() {
    let program = support::boot_with_fakes().await;
    let exotel = |number, habits| Carrier::Exotel(ExotelIds::numbered(number), habits);
    let (twilio, narrow, wide, camel) = tokio::join!(
        simulated(&program, Carrier::Twilio(TwilioIds::numbered(1)), "/media"),
        simulated(&program, exotel(2, Habits::default()), "/media"),
        simulated(&program, exotel(3, Habits::at(SampleRate::HZ_16000)), "/ws/exotel/call/abc/"),
        simulated(
            &program,
            exotel(4, Habits { keys: Keys::Camel, start_names_rate: false, ..Habits::at(SampleRate::HZ_24000) }),
            "/media/",
        ),
    );
    assert_eq!(twilio.len(), 3, "{twilio:#?}");
    assert_eq!(twilio[1][0], twilio[1][1], "understood");
    assert_eq!(narrow, twilio);
    assert_eq!(wide, twilio);
    assert_eq!(camel, twilio);
    program.running.shutdown().await;
}
