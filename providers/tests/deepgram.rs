//! The Deepgram adapter on real sockets: against a server that was written from Deepgram's description, and against hostile ones.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/caller.rs"]
mod caller;

use std::time::{Duration, Instant};

use caller::{Caller, LIMIT, logged};
use futures_util::{SinkExt, StreamExt};
use tandem_domain::port::stt::{SttError, SttEvent, SttInput, SttSpec};
use tandem_peers::mock::{Behaviour, Mock, MockConfig, Sent};
use tandem_peers::vendor::{Fault, FaultPlan};
use tandem_peers::voice::speak;
use tandem_providers::stt::deepgram::{Deepgram, DeepgramConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const KEY: &str = "a-key-of-ours";

fn deepgram(base_url: impl Into<String>) -> Deepgram {
    Deepgram::new(&DeepgramConfig { base_url: base_url.into(), ..DeepgramConfig::new(KEY) }).unwrap()
}

async fn mock(stt: Behaviour) -> (Mock, Deepgram) {
    let mock = Mock::start(MockConfig { stt, key: Some(KEY.to_owned()), ..MockConfig::default() }).await.unwrap();
    let deepgram = deepgram(mock.base_url());
    (mock, deepgram)
}

fn faults(fault: Fault, after: u32, times: u32) -> Behaviour {
    Behaviour { faults: FaultPlan::times(fault, after, times), ..Behaviour::default() }
}

/// A reading of the machine's clock: these tests measure real time on real sockets.
#[expect(clippy::disallowed_methods, reason = "a test that measures real time")]
fn clock() -> Instant {
    Instant::now()
}

#[tokio::test]
async fn turns_are_heard_as_they_were_spoken() {
    let (mock, deepgram) = mock(Behaviour::steady(Duration::from_millis(50))).await;
    let mut caller = Caller::new(&deepgram);
    caller.say("I want an apartment in Delhi.");
    assert_eq!(caller.answer().await.unwrap(), "I want an apartment in Delhi.");
    caller.say("Sixty lakh rupees, at most.");
    assert_eq!(caller.answer().await.unwrap(), "Sixty lakh rupees, at most.");
    caller.silence(1_000);
    caller.ask(caller.at - 4_000, 0);
    assert_eq!(caller.answer().await.unwrap(), "", "a cough has no words, and its answer comes all the same");

    let Caller { feed, mut events, .. } = caller;
    drop(feed);
    assert_eq!(timeout(LIMIT, events.next()).await.unwrap(), None);
    logged(&mock, |mock| mock.log().exchanges()[0].sent.last() == Some(&Sent::Closed)).await;
    let exchange = &mock.log().exchanges()[0];
    let controls: Vec<&str> = exchange
        .sent
        .iter()
        .filter_map(|sent| if let Sent::Json(message) = sent { message["type"].as_str() } else { None })
        .collect();
    assert_eq!(controls, ["Finalize", "Finalize", "Finalize", "CloseStream"]);
    assert_eq!(exchange.headers["authorization"], "Token …");
}

#[tokio::test]
async fn a_caller_who_goes_on_is_answered_for_the_whole_turn() {
    let (_mock, deepgram) = mock(Behaviour::default()).await;
    let mut caller = Caller::new(&deepgram);
    caller.say("I want an apartment");
    assert_eq!(caller.answer().await.unwrap(), "I want an apartment");
    let from = 400 * 8;
    caller.hear(&speak("in Delhi"));
    caller.turn -= 1;
    caller.ask(from, 200);
    assert_eq!(caller.answer().await.unwrap(), "I want an apartment in Delhi");
}

#[tokio::test]
async fn partials_grow_while_somebody_looks() {
    let (_mock, deepgram) = mock(Behaviour::default()).await;
    let spec = SttSpec { language: "en".to_owned(), rate_hz: 8_000, partials: true, ..SttSpec::default() };
    let mut caller = Caller::with(&deepgram, spec);
    caller.feed.try_send(SttInput::Speaking { from: 0 }).unwrap();
    caller.hear(&speak("sixty lakh rupees"));
    let partial = |text: &str| Some(Ok(SttEvent::Partial { text: text.to_owned() }));
    for so_far in ["sixty", "sixty lakh", "sixty lakh rupees"] {
        assert_eq!(timeout(LIMIT, caller.events.next()).await.unwrap(), partial(so_far));
    }
    caller.ask(0, 200);
    assert_eq!(caller.answer().await.unwrap(), "sixty lakh rupees");
}

/// promises.md P4.
#[tokio::test]
async fn a_connection_that_is_lost_within_a_word_costs_no_word() {
    let (mock, deepgram) = mock(faults(Fault::DropMidway, 1, 1)).await;
    let mut caller = Caller::new(&deepgram);
    caller.say("I want an apartment");
    assert_eq!(caller.answer().await.unwrap(), "I want an apartment");
    caller.say("for about sixty lakh rupees in Delhi");
    let began = clock();
    assert_eq!(caller.answer().await.unwrap(), "for about sixty lakh rupees in Delhi");
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    assert_eq!(mock.log().exchanges().len(), 2);
    caller.say("thank you");
    assert_eq!(caller.answer().await.unwrap(), "thank you", "and nothing is said twice");
}

#[tokio::test]
async fn a_connection_that_is_lost_instead_of_an_answer_is_asked_again() {
    for fault in [Fault::Drop, Fault::Error] {
        let (_mock, deepgram) = mock(faults(fault, 0, 1)).await;
        let mut caller = Caller::new(&deepgram);
        caller.say("sixty lakh rupees");
        assert_eq!(caller.answer().await.unwrap(), "sixty lakh rupees", "{fault:?}");
    }
}

#[tokio::test]
async fn a_vendor_that_loses_every_connection_fails() {
    let (mock, deepgram) = mock(Behaviour { faults: FaultPlan::always(Fault::Drop), ..Behaviour::default() }).await;
    let mut caller = Caller::new(&deepgram);
    caller.say("sixty lakh rupees");
    assert!(matches!(caller.answer().await, Err(SttError::Failed { .. })));
    assert_eq!(mock.log().exchanges().len(), 4, "three times it was tried again");
    assert_eq!(timeout(LIMIT, caller.events.next()).await.unwrap(), None, "an error is the last item");
}

/// promises.md P5: a stream that stands and says nothing.
#[tokio::test]
async fn a_vendor_that_falls_silent_fails_within_3_s() {
    let (_mock, deepgram) = mock(faults(Fault::Silent, 1, 1)).await;
    let mut caller = Caller::new(&deepgram);
    caller.say("I want an apartment");
    caller.answer().await.unwrap();
    caller.say("sixty lakh rupees");
    let began = clock();
    assert!(matches!(caller.answer().await, Err(SttError::Failed { .. })));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test]
async fn garbage_and_floods_end_the_stream() {
    for fault in [Fault::Garbage, Fault::Endless] {
        let (_mock, deepgram) = mock(faults(fault, 0, 1)).await;
        let mut caller = Caller::new(&deepgram);
        caller.say("sixty lakh rupees");
        assert!(matches!(caller.answer().await, Err(SttError::Failed { .. })), "{fault:?}");
    }
}

#[tokio::test]
async fn refusals_have_their_names() {
    let (mock, deepgram) = mock(Behaviour::default()).await;
    deepgram.probe(&SttSpec { rate_hz: 8_000, ..SttSpec::default() }).await.unwrap();
    let other = Deepgram::new(&DeepgramConfig { base_url: mock.base_url(), ..DeepgramConfig::new("another") }).unwrap();
    assert_eq!(Caller::new(&other).answer().await, Err(SttError::Unauthorized { vendor: "deepgram" }));
    let model = DeepgramConfig { base_url: mock.base_url(), model: "nova-9".to_owned(), ..DeepgramConfig::new(KEY) };
    let refused = Caller::new(&Deepgram::new(&model).unwrap()).answer().await.unwrap_err();
    assert!(matches!(&refused, SttError::Refused { detail, .. } if detail.contains("No such model")), "{refused}");
}

#[tokio::test]
async fn a_stream_beyond_the_projects_limit_is_refused_until_another_ends() {
    let mock = Mock::start(MockConfig { stt_streams: Some(1), ..MockConfig::default() }).await.unwrap();
    let deepgram = deepgram(mock.base_url());
    let mut first = Caller::new(&deepgram);
    first.say("sixty lakh rupees");
    first.answer().await.unwrap();
    let error = Caller::new(&deepgram).answer().await.unwrap_err();
    assert!(matches!(error, SttError::RateLimited { vendor: "deepgram", retry_after: None }), "{error}");
    drop(first);
    logged(&mock, |mock| mock.log().exchanges()[0].sent.last() == Some(&Sent::Closed)).await;
    let mut third = Caller::new(&deepgram);
    third.say("thank you");
    assert_eq!(third.answer().await.unwrap(), "thank you");
}

#[tokio::test]
async fn a_vendor_that_cannot_be_reached_fails_at_once_or_within_its_limit() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = deepgram(format!("http://{free}"));
    assert!(matches!(Caller::new(&nobody).answer().await, Err(SttError::Failed { .. })));
    let plain = Mock::start(MockConfig::default()).await.unwrap();
    let unencrypted = deepgram(plain.base_url().replace("http://", "https://"));
    assert!(matches!(Caller::new(&unencrypted).answer().await, Err(SttError::Failed { .. })), "no TLS there");
    for (door, limit) in [(Fault::Error, 1), (Fault::Drop, 1), (Fault::Silent, 3)] {
        let (_mock, deepgram) = mock(Behaviour { doors: FaultPlan::always(door), ..Behaviour::default() }).await;
        let began = clock();
        assert!(matches!(Caller::new(&deepgram).answer().await, Err(SttError::Failed { .. })), "{door:?}");
        assert!(began.elapsed() < Duration::from_secs(limit), "{door:?}: {:?}", began.elapsed());
    }
}

/// promises.md P8.
#[tokio::test]
async fn who_drops_the_stream_closes_the_socket() {
    let (mock, deepgram) = mock(Behaviour::default()).await;
    let mut caller = Caller::new(&deepgram);
    caller.say("sixty lakh rupees");
    caller.answer().await.unwrap();
    let began = clock();
    drop(caller);
    logged(&mock, |mock| mock.log().exchanges()[0].sent.last() == Some(&Sent::Closed)).await;
    assert!(began.elapsed() < Duration::from_millis(200), "{:?}", began.elapsed());
}

/// A server that does nothing by itself.
async fn bare() -> (TcpListener, Deepgram) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let deepgram = deepgram(format!("http://{}", listener.local_addr().unwrap()));
    (listener, deepgram)
}

async fn accept(listener: &TcpListener) -> WebSocketStream<TcpStream> {
    let (stream, _) = listener.accept().await.unwrap();
    tokio_tungstenite::accept_async(stream).await.unwrap()
}

#[tokio::test]
async fn the_carriers_bytes_are_on_the_wire() {
    let (listener, deepgram) = bare().await;
    // every code there is, and a stretch of speech
    let mut carrier: Vec<u8> = (0..=255).collect();
    tandem_codecs::g711::encode_ulaw(&speak("sixty lakh"), &mut carrier);
    carrier.truncate(carrier.len() / 160 * 160);
    let mut linear = Vec::new();
    tandem_codecs::g711::decode_ulaw(&carrier, &mut linear);
    let mut caller = Caller::new(&deepgram);
    caller.hear(&linear);
    caller.ask(0, 0);
    let receive = async {
        let mut socket = accept(&listener).await;
        let mut bytes = Vec::new();
        loop {
            match socket.next().await.unwrap().unwrap() {
                Message::Binary(audio) => bytes.extend_from_slice(&audio),
                Message::Text(text) => {
                    assert_eq!(text.as_str(), r#"{"type":"Finalize"}"#, "it follows all of its audio");
                    return bytes;
                }
                _ => {}
            }
        }
    };
    let received = tokio::select! {
        received = timeout(LIMIT, receive) => received.unwrap(),
        event = caller.events.next() => panic!("{event:?}"),
    };
    // the law has two zeros that sound alike; linear audio has one
    let expected: Vec<u8> = carrier.iter().map(|&code| if code == 0x7f { 0xff } else { code }).collect();
    assert_eq!(received, expected);
}

#[tokio::test]
async fn a_muted_call_is_kept_alive_and_begins_with_silence() {
    let (listener, deepgram) = bare().await;
    let mut caller = Caller::new(&deepgram);
    let receive = async {
        let mut socket = accept(&listener).await;
        let began = clock();
        let mut messages = Vec::new();
        while messages.len() < 2 {
            match socket.next().await.unwrap().unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => messages.push(message),
            }
        }
        (messages, began.elapsed())
    };
    let (messages, after) = tokio::select! {
        received = timeout(LIMIT, receive) => received.unwrap(),
        event = caller.events.next() => panic!("{event:?}"),
    };
    assert_eq!(messages, [Message::binary(vec![0xff; 160]), Message::text(r#"{"type":"KeepAlive"}"#)]);
    assert!((Duration::from_millis(3_900)..Duration::from_secs(5)).contains(&after), "{after:?}");
}

/// promises.md P5: a connection whose other end is gone without a word.
#[tokio::test]
async fn a_half_open_connection_is_noticed_in_3_s() {
    let (listener, deepgram) = bare().await;
    let mut caller = Caller::new(&deepgram);
    let hole = tokio::spawn(async move {
        let socket = accept(&listener).await;
        std::future::pending::<()>().await;
        drop(socket);
    });
    caller.silence(100);
    let began = clock();
    assert!(matches!(caller.answer().await, Err(SttError::Failed { .. })));
    assert!(began.elapsed() < Duration::from_millis(3_500), "{:?}", began.elapsed());
    hole.abort();
}

#[tokio::test]
async fn arbitrary_messages_of_a_server_are_no_panic() {
    let (listener, deepgram) = bare().await;
    let mut caller = Caller::new(&deepgram);
    caller.say("sixty lakh rupees");
    let torn = r#"{"type":"Results","start":0.5,"duration":1e308,"is_final":true,"channel":{"alternatives":[{"transcript":"é","words":[{"start":-1,"end":1e300}]}]}}"#;
    let babble = tokio::spawn(async move {
        let mut socket = accept(&listener).await;
        for end in (0..torn.len()).step_by(4).chain([torn.len()]).filter(|&end| torn.is_char_boundary(end)) {
            let _ = socket.send(Message::text(&torn[..end])).await;
            let _ = socket.send(Message::text(r#"{"type":"Metadata"}"#)).await; // so that it goes on
        }
        std::future::pending::<()>().await;
    });
    let heard = caller.answer().await;
    assert_eq!(heard.unwrap(), "é", "what can be read is read");
    babble.abort();
}
