//! `deepgram-sdk` and our adapter: one stream each, with the same settings and the same audio.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tandem_domain::ids::TurnId;
use tandem_domain::port::stt::{Stt, SttEvent, SttInput, SttSpec};
use tandem_peers::voice::speak;
use tandem_providers::stt::deepgram::{Deepgram, DeepgramConfig};
use tokio::sync::mpsc;

use super::program::{KEY, LIMIT, Mock, headers_agree, query, sdk};

const SAID: &str = "I want an apartment in Delhi.";

/// What we hear of the same audio, by the same wire.
async fn ours(mock: &Mock, ulaw: &[u8]) -> String {
    let config = DeepgramConfig { base_url: mock.url("deepgram_base_url").to_owned(), ..DeepgramConfig::new(KEY) };
    let keywords = vec!["cash back".to_owned(), "EMI".to_owned()];
    let spec = SttSpec { language: "en".to_owned(), rate_hz: 8_000, keywords, partials: false };
    let (feed, inputs) = mpsc::channel(1_000);
    let inputs = stream::unfold(inputs, |mut inputs| async move { Some((inputs.recv().await?, inputs)) });
    let mut events = Deepgram::new(&config).unwrap().transcribe(spec, Box::pin(inputs));
    let mut linear = Vec::new();
    tandem_codecs::g711::decode_ulaw(ulaw, &mut linear);
    for (index, chunk) in linear.chunks(160).enumerate() {
        feed.send(SttInput::Audio { start: index as u64 * 160, samples: chunk.into() }).await.unwrap();
    }
    let to = linear.len() as u64;
    feed.send(SttInput::Finalize { turn: TurnId(1), from: 0, to, hints: Arc::from([]) }).await.unwrap();
    let answer = tokio::time::timeout(LIMIT, events.next()).await.unwrap();
    let Some(Ok(SttEvent::Final { text, .. })) = answer else { panic!("{answer:?}") };
    // muted for a while: the keep-alive comes by itself
    let alive = json!({ "json": { "type": "KeepAlive" } });
    tokio::select! {
        () = mock.shows(|exchanges| exchanges.last().is_some_and(|own| own["sent"].as_array().unwrap().contains(&alive))) => {}
        event = events.next() => panic!("{event:?}"),
    }
    drop(feed);
    assert_eq!(tokio::time::timeout(LIMIT, events.next()).await.unwrap(), None);
    text
}

fn messages(exchange: &Value) -> Vec<Value> {
    let bytes = |sent: &Value| match sent.get("binary") {
        Some(binary) => json!({ "bytes": binary["bytes"] }),
        None => sent.clone(),
    };
    exchange["sent"].as_array().unwrap().iter().map(bytes).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn deepgrams_package_and_our_adapter_send_the_same() {
    let mock = Mock::start(&[]);
    let mut ulaw = Vec::new();
    tandem_codecs::g711::encode_ulaw(&speak(SAID), &mut ulaw);
    let audio = mock.folder.path().join("audio.ulaw");
    std::fs::write(&audio, &ulaw).unwrap();

    let heard = sdk("deepgram_sdk.py", &[mock.url("deepgram_base_url"), KEY, audio.to_str().unwrap()]).await;
    let events = heard["events"].as_array().unwrap();
    let answer = events.iter().find(|event| event["from_finalize"] == true).expect("the package has its answer");
    assert_eq!((answer["transcript"].as_str(), answer["class"].as_str()), (Some(SAID), Some("ListenV1Results")));
    assert_eq!(answer["words"].as_array().unwrap().len(), SAID.split_whitespace().count());
    assert!(events.iter().any(|event| event["is_final"] == false), "interims too: {events:?}");
    assert_eq!(events.last().unwrap()["class"], "ListenV1Metadata");
    assert_eq!(heard["closed"], true);

    mock.shows(|exchanges| exchanges.len() == 1 && exchanges[0]["sent"].as_array().unwrap().contains(&json!("closed")))
        .await;
    assert_eq!(ours(&mock, &ulaw).await, SAID);
    mock.shows(|exchanges| exchanges.len() == 2 && exchanges[1]["sent"].as_array().unwrap().contains(&json!("closed")))
        .await;

    let exchanges = mock.exchanges();
    let (theirs, ours) = (&exchanges[0], &exchanges[1]);
    for field in ["vendor", "method", "path"] {
        assert_eq!(ours[field], theirs[field]);
    }
    assert_eq!(query(ours), query(theirs));
    headers_agree(ours, theirs);
    assert_eq!(messages(ours), messages(theirs));
    let controls: Vec<&str> = messages(ours)
        .iter()
        .filter_map(|sent| match sent["json"]["type"].as_str() {
            Some("Finalize") => Some("Finalize"),
            Some("KeepAlive") => Some("KeepAlive"),
            Some("CloseStream") => Some("CloseStream"),
            _ => None,
        })
        .collect();
    assert_eq!(controls, ["Finalize", "KeepAlive", "CloseStream"]);
}
