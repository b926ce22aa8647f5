//! Whatever Exotel would not send, by the name that stands in the call's record; and how far a breach reaches.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use tandem_codecs::SampleRate;
use tandem_domain::port::dialect::{Breach, Decoder as _, LegEvent, WireMessage};
use tandem_providers::carrier::exotel::ExotelDecoder;

const STREAM: &str = "6f0c1e7a9b2d";

fn start() -> Value {
    json!({"event": "start", "stream_sid": STREAM, "start": {"stream_sid": STREAM, "call_sid": "c0ffee", "account_sid": "acme1",
        "custom_parameters": {}, "media_format": {"encoding": "base64", "sample_rate": "8000", "bit_rate": "128kbps"}}})
}

fn media(payload: &str) -> Value {
    json!({"event": "media", "stream_sid": STREAM, "media": {"chunk": "1", "timestamp": "0", "payload": payload}})
}

fn silence(bytes: usize) -> String {
    STANDARD.encode(vec![0; bytes])
}

fn stop() -> Value {
    json!({"event": "stop", "stream_sid": STREAM, "stop": {"reason": "callended"}})
}

/// `base` with the value at `pointer` replaced, or removed.
fn with(mut base: Value, pointer: &str, value: Option<Value>) -> Value {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    let parent = base.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(member.to_owned(), value),
        None => parent.remove(member),
    };
    base
}

fn fresh() -> ExotelDecoder {
    ExotelDecoder::new(SampleRate::HZ_8000)
}

fn feed(decoder: &mut ExotelDecoder, message: &Value) -> Result<LegEvent, Breach> {
    decoder.decode(&WireMessage::Text(message.to_string()), &mut Vec::new())
}

/// A decoder whose stream runs.
fn running() -> ExotelDecoder {
    let mut decoder = fresh();
    feed(&mut decoder, &json!({"event": "connected"})).unwrap();
    feed(&mut decoder, &start()).unwrap();
    decoder
}

/// What one message does to a stream that runs.
fn breach(message: &Value) -> Breach {
    feed(&mut running(), message).unwrap_err()
}

/// What a `start` does to a stream that waits for it.
fn start_breach(message: &Value) -> Breach {
    feed(&mut fresh(), message).unwrap_err()
}

#[test]
fn broken_json_is_malformed() {
    for text in ["", "{", "null", "[]", "\"media\"", "{\"event\":5}", "{}", "\u{0}", "{\"event\":\"connected\"} x"] {
        let refused = fresh().decode(&WireMessage::Text(text.to_owned()), &mut Vec::new());
        assert!(matches!(refused, Err(Breach::MalformedMessage(_))), "{text:?} gave {refused:?}");
    }
}

#[test]
fn a_section_that_is_missing_or_of_another_type_is_malformed() {
    for message in [
        with(media(&silence(160)), "/media", None),
        with(media(&silence(160)), "/media/payload", None),
        with(media(&silence(160)), "/media/payload", Some(json!(7))),
        with(media(&silence(160)), "/media/timestamp", Some(json!("soon"))),
        with(media(&silence(160)), "/media/timestamp", Some(json!("+8"))),
        with(media(&silence(160)), "/media/timestamp", Some(json!(-1))),
        with(media(&silence(160)), "/media/timestamp", Some(json!(0.5))),
        with(media(&silence(160)), "/media/timestamp", Some(json!(1e308))),
        with(media(&silence(160)), "/stream_sid", Some(json!([]))),
        json!({"event": "dtmf", "stream_sid": STREAM, "dtmf": {"digit": "55"}}),
        json!({"event": "dtmf", "stream_sid": STREAM, "dtmf": {"digit": 55}}),
        json!({"event": "dtmf", "stream_sid": STREAM, "dtmf": {"digit": ""}}),
        json!({"event": "mark", "stream_sid": STREAM, "mark": {}}),
        json!({"event": "stop", "stream_sid": STREAM, "stop": "now"}),
        json!({"event": "connected"}),
    ] {
        let found = breach(&message);
        assert!(matches!(found, Breach::MalformedMessage(_)), "{message} gave {found:?}");
    }
}

#[test]
fn json_nested_without_end_is_malformed_and_no_stack_overflow() {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    for text in [
        format!(
            r#"{{"event":"start","stream_sid":"s","start":{{"call_sid":"c","custom_parameters":{{"a":{deep}}}}}}}"#
        ),
        format!(r#"{{"event":"media","stream_sid":"{STREAM}","extra":{deep},"media":{{"payload":5}}}}"#),
    ] {
        let refused = running().decode(&WireMessage::Text(text.clone()), &mut Vec::new());
        let first = fresh().decode(&WireMessage::Text(text), &mut Vec::new());
        assert!(refused.is_err() && first.is_err());
    }
}

#[test]
fn a_binary_frame_and_a_message_above_the_limit_are_refused_unread() {
    let frame = WireMessage::Binary(Bytes::from_static(&[0; 3_200]));
    assert_eq!(running().decode(&frame, &mut Vec::new()), Err(Breach::BinaryFrame));
    let text = WireMessage::Text(" ".repeat(144 * 1024 + 1));
    assert_eq!(running().decode(&text, &mut Vec::new()), Err(Breach::OversizedMessage));
}

#[test]
fn a_payload_that_is_not_base64_is_refused() {
    for payload in ["!", "////=", "/w", "/w=", "//8", "a b=", "__8=", "//9="] {
        assert_eq!(breach(&media(payload)), Breach::BadBase64, "{payload}");
    }
}

#[test]
fn a_payload_is_whole_samples_up_to_the_greatest_chunk() {
    for bytes in [0, 1, 3, 3_201, 100_001, 100_002] {
        assert_eq!(breach(&media(&silence(bytes))), Breach::BadPayloadLength(bytes));
    }
    for bytes in [2, 8, 1_600, 3_200, 100_000] {
        let heard = feed(&mut running(), &media(&silence(bytes))).unwrap();
        assert!(matches!(heard, LegEvent::Audio { samples, .. } if samples == bytes / 2));
    }
}

#[test]
fn what_comes_before_start_is_named() {
    let mark = json!({"event": "mark", "stream_sid": STREAM, "mark": {"name": "m"}});
    let dtmf = json!({"event": "dtmf", "stream_sid": STREAM, "dtmf": {"digit": "5"}});
    for (event, message) in [("media", media(&silence(160))), ("stop", stop()), ("mark", mark), ("dtmf", dtmf)] {
        assert_eq!(start_breach(&message), Breach::BeforeStart(event.to_owned()));
    }
}

#[test]
fn the_order_is_kept_to_the_end() {
    assert_eq!(breach(&start()), Breach::DuplicateStart);
    for late in [start(), media(&silence(160)), stop(), json!({"event": "connected"})] {
        let mut stopped = running();
        assert_eq!(feed(&mut stopped, &stop()), Ok(LegEvent::Stopped));
        assert!(matches!(feed(&mut stopped, &late), Err(Breach::MalformedMessage(_))), "{late}");
    }
    assert!(matches!(feed(&mut fresh(), &start()), Ok(LegEvent::Started(_))), "a greeting may be lost");
}

#[test]
fn why_a_stream_stopped_is_told_apart() {
    let stopped = |section: Value| {
        feed(&mut running(), &json!({"event": "stop", "stream_sid": STREAM, "stop": section})).unwrap()
    };
    assert_eq!(stopped(json!({"reason": "stopped"})), LegEvent::MovedOn);
    for section in [json!({"reason": "callended"}), json!({"reason": "news"}), json!({}), Value::Null] {
        assert_eq!(stopped(section), LegEvent::Stopped);
    }
}

#[test]
fn another_stream_is_refused_everywhere() {
    for key in ["/stream_sid", "/streamSid"] {
        let elsewhere = |message| with(with(message, "/stream_sid", None), key, Some(json!("other")));
        assert_eq!(breach(&elsewhere(media(&silence(160)))), Breach::WrongStream);
        assert_eq!(breach(&elsewhere(stop())), Breach::WrongStream);
        assert_eq!(start_breach(&elsewhere(start())), Breach::WrongStream);
    }
}

#[test]
fn a_rate_that_no_stream_has_is_named() {
    for rate in [json!(44_100), json!("11025"), json!(0), json!(u64::MAX)] {
        let found = start_breach(&with(start(), "/start/media_format/sample_rate", Some(rate)));
        assert!(matches!(found, Breach::UnsupportedFormat(_)), "{found:?}");
    }
    for rate in [json!(1e308), json!("8 kHz"), json!([8000])] {
        let found = start_breach(&with(start(), "/start/media_format/sample_rate", Some(rate)));
        assert!(matches!(found, Breach::MalformedMessage(_)), "{found:?}");
    }
}

#[test]
fn ids_are_there_and_short() {
    for value in [Some(json!("")), Some(json!("c".repeat(129))), None] {
        let found = start_breach(&with(start(), "/start/call_sid", value));
        assert!(matches!(found, Breach::MalformedMessage(_)), "{found:?}");
    }
    let nameless = with(with(start(), "/start/stream_sid", None), "/stream_sid", None);
    assert!(matches!(start_breach(&nameless), Breach::MalformedMessage(_)));
}

#[test]
fn unknown_events_are_ignored_before_and_within_a_stream() {
    for mut decoder in [fresh(), running()] {
        let news = json!({"event": "silence", "stream_sid": "any", "media": "of another shape"});
        assert_eq!(feed(&mut decoder, &news), Ok(LegEvent::Ignored("unknown_event")));
    }
}

#[test]
fn a_breach_adds_no_audio_and_the_stream_could_go_on() {
    let (mut decoder, mut pcm) = (running(), vec![7]);
    let odd = WireMessage::Text(media(&silence(161)).to_string());
    assert!(decoder.decode(&odd, &mut pcm).is_err());
    assert_eq!(pcm, [7]);
    let good = WireMessage::Text(media(&silence(160)).to_string());
    assert!(matches!(decoder.decode(&good, &mut pcm), Ok(LegEvent::Audio { samples: 80, .. })));
    assert_eq!(pcm.len(), 81, "audio is appended");
}

#[test]
fn parameters_beyond_the_limits_are_dropped_whole() {
    let started =
        |parameters: Value| match feed(&mut fresh(), &with(start(), "/start/custom_parameters", Some(parameters))) {
            Ok(LegEvent::Started(start)) => start.parameters,
            other => panic!("{other:?}"),
        };
    let many: serde_json::Map<String, Value> = (0..99).map(|n| (format!("p{n:02}"), json!("v"))).collect();
    assert_eq!(started(Value::Object(many)).len(), 64);
    assert_eq!(
        started(json!({"fits": "é".repeat(500), "long": "é".repeat(501)})).into_keys().collect::<Vec<_>>(),
        ["fits"]
    );
    assert!(started(Value::Null).is_empty());
}
