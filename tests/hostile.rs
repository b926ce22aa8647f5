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
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::simulate::{self, EndedBy, SimulateConfig, hostile};
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

#[tokio::test(flavor = "multi_thread")]
async fn every_offender_ends_its_own_call_with_its_reason() {
    let program = boot_with_fakes().await;
    let good = tokio::spawn(neighbour(program.socket_url("/media")));

    let names: Vec<&str> = hostile(&TwilioIds::numbered(0)).iter().map(|session| session.name).collect();
    assert!(names.len() >= 40);
    let mut wrong = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let ids = TwilioIds::numbered(5_000 + number as u128);
        let session = hostile(&ids).swap_remove(number);
        let path_id = format!("bent-{number}");
        offend(&program, &format!("/ws/twilio/call/{path_id}/"), session.messages).await;
        // A session that never started is known by its path alone.
        let call = record(&program, &[&ids.call_sid, &path_id]).await;
        let reason = call.ended_reason.unwrap_or_default();
        if !session.reasons.contains(&reason.as_str()) {
            wrong.push(format!("{name}: ended by {reason:?}, not {:?}", session.reasons));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    let metrics = program.get("/metrics").await.body;
    let reasons = hostile(&TwilioIds::numbered(0)).into_iter().flat_map(|session| session.reasons.iter());
    for reason in reasons.filter(|reason| !["caller_hangup", "oversized_message"].contains(reason)) {
        let sample = format!("tandem_media_breaches_total{{carrier=\"twilio\",reason=\"{reason}\"}}");
        assert!(metrics.contains(&sample), "no metric {sample} in\n{metrics}");
    }

    let good = good.await.unwrap();
    assert_eq!(good.ended_by, EndedBy::Caller);
    assert_eq!(good.playback.underruns, 0);
    assert!(program.running.switch.sessions().await.is_empty(), "every offender's call is gone");
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
