//! Bad input on real sockets: each offender ends its own call with its reason, in its record and in a metric; a neighbour notices nothing.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{CallSession, ConversationStore, RowKey};
use tandem_peers::caller::{Line, Manners, Rendered, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::exotel::ExotelIds;
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::simulate::{self, EndedBy, Hostile, SimulateConfig, hostile, hostile_to_exotel};
use tandem_peers::vendor::FakeTts;
use tandem_peers::voice::Talker;

mod support;

use support::{Program, boot_with_fakes, boot_with_settings};

const LIMIT: Duration = Duration::from_secs(20);

/// Sends the messages, then waits until the switch closes.
async fn offend(program: &Program, path: &str, messages: Vec<tokio_tungstenite::tungstenite::Message>) {
    let (mut socket, _) = tokio_tungstenite::connect_async(program.socket_url(path)).await.unwrap();
    for message in messages {
        if socket.send(message).await.is_err() {
            break; // closed on us already: that is what we came for
        }
    }
    let closed = async { while let Some(Ok(_)) = socket.next().await {} };
    tokio::time::timeout(LIMIT, closed).await.unwrap_or_else(|_| panic!("the switch did not close {path}"));
}

/// The record of a call that is known by one of `keys`, once its end is written.
async fn record(program: &Program, keys: &[&str]) -> CallSession {
    let look = async {
        loop {
            for key in keys {
                let found = program.running.store.call(BusinessId::FIRST, RowKey::parse(key)).await.unwrap();
                if let Some(call) = found.filter(|call| call.ended_at.is_some()) {
                    return call;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, look).await.unwrap_or_else(|_| panic!("no record of {keys:?}"))
}

/// A caller who minds his own business.
async fn neighbour(url: String) -> simulate::PeerReport {
    let text = "I want an apartment in Delhi";
    let samples = Talker::numbered(3).speak(text).samples.into();
    let say = Step::Say(Line::Audio(Rendered { text: text.into(), samples }));
    simulate::run(SimulateConfig {
        url,
        unix_socket: None,
        carrier: Carrier::Twilio(TwilioIds::numbered(1_000_000)),
        custom_parameters: BTreeMap::new(),
        script: vec![say, Step::Wait, Step::HangUp],
        manners: Manners::default(),
        renderer: Arc::new(FakeTts::default()),
        voice: String::new(),
        language: "en".into(),
        recogniser: None,
        record_to: None,
        limit: Duration::from_secs(60),
    })
    .await
    .unwrap()
}

/// The bent sessions of one carrier, each on ids of its own, with the carrier's id of its call.
fn bent(carrier: &str) -> Vec<(String, Hostile)> {
    match carrier {
        "twilio" => own_ids(|number| {
            let ids = TwilioIds::numbered(5_000 + number);
            (ids.call_sid.clone(), hostile(&ids))
        }),
        _ => own_ids(|number| {
            let ids = ExotelIds::numbered(9_000 + number);
            (ids.call_sid.clone(), hostile_to_exotel(&ids))
        }),
    }
}

/// The n-th session of the list that `of` makes for call n.
fn own_ids(of: impl Fn(u128) -> (String, Vec<Hostile>)) -> Vec<(String, Hostile)> {
    let count = of(0).1.len();
    let session = |number: usize| {
        let (call_sid, mut sessions) = of(number as u128);
        (call_sid, sessions.swap_remove(number))
    };
    (0..count).map(session).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_offender_ends_its_own_call_with_its_reason() {
    let program = boot_with_fakes().await;
    let good = tokio::spawn(neighbour(program.socket_url("/media")));

    let mut wrong = Vec::new();
    for carrier in ["twilio", "exotel"] {
        let sessions = bent(carrier);
        assert!(sessions.len() >= 40);
        let mut reasons: Vec<&str> = Vec::new();
        for (number, (call_sid, session)) in sessions.into_iter().enumerate() {
            let path_id = format!("bent-{carrier}-{number}");
            offend(&program, &format!("/ws/{carrier}/call/{path_id}/"), session.messages).await;
            // A session that never started is known by its path alone.
            let call = record(&program, &[&call_sid, &path_id]).await;
            let reason = call.ended_reason.unwrap_or_default();
            if !session.reasons.contains(&reason.as_str()) {
                wrong.push(format!("{carrier}, {}: ended by {reason:?}, not {:?}", session.name, session.reasons));
            }
            reasons.extend(session.reasons);
        }
        let metrics = program.get("/metrics").await.body;
        for reason in reasons.iter().filter(|reason| !["caller_hangup", "oversized_message"].contains(reason)) {
            let sample = format!("tandem_media_breaches_total{{carrier=\"{carrier}\",reason=\"{reason}\"}}");
            assert!(metrics.contains(&sample), "no metric {sample} in\n{metrics}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let metrics = program.get("/metrics").await.body;
    let ignored = r#"tandem_media_ignored_total{carrier="exotel",reason="unknown_event"}"#;
    assert!(metrics.contains(ignored), "unknown events are counted: {metrics}");

    let good = good.await.unwrap();
    assert_eq!(good.ended_by, EndedBy::Caller);
    assert_eq!(good.playback.underruns, 0);
    assert!(program.running.switch.sessions().await.is_empty(), "every offender's call is gone");
    program.running.shutdown().await;
}

/// On a socket of several carriers whoever speaks like none of them is told what is wrong, and recorded under no carrier's name.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_no_known_carrier_ends_with_its_reason() {
    let program = boot_with_fakes().await;
    let greeting = r#"{"event":"connected"}"#;
    let camel_media = r#"{"event":"media","streamSid":"s","media":{"payload":"AAAA"}}"#;
    for (messages, reason) in [
        (vec!["no json"], "malformed_message"),
        (vec![greeting, camel_media], "media_before_start"),
        (vec![r#"{"event":"hello"}"#], "unknown_event"),
        (vec![greeting, r#"{"event":"start","streamSid":"s","start":{"streamSid":"s"}}"#], "malformed_message"),
        (vec![greeting, greeting, greeting, greeting, greeting], "unknown_protocol"),
    ] {
        let messages = messages.into_iter().map(tokio_tungstenite::tungstenite::Message::text).collect();
        offend(&program, "/media", messages).await;
        let ended = format!(r#"carrier="unknown",outcome="failed_network",reason="{reason}""#);
        let metrics = program.get("/metrics").await.body;
        assert!(metrics.contains(&ended), "{reason}: {metrics}");
    }
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_that_never_speak_are_closed_and_recorded() {
    let program = boot_with_settings(&[("MEDIA_START_TIMEOUT", "1")]).await.unwrap();
    let idle = (0..50).map(|number| {
        let program = &program;
        async move {
            offend(program, &format!("/ws/twilio/call/mute-{number}/"), vec![]).await;
            record(program, &[&format!("mute-{number}")]).await.ended_reason
        }
    });
    let reasons = futures_util::future::join_all(idle).await;
    assert!(reasons.iter().all(|reason| reason.as_deref() == Some("start_timeout")), "{reasons:?}");
    let metrics = program.get("/metrics").await.body;
    assert!(
        metrics.contains("tandem_media_breaches_total{carrier=\"twilio\",reason=\"start_timeout\"} 50"),
        "{metrics}"
    );
    program.running.shutdown().await;
}
