//! Whatever Twilio would not send, by the name that stands in the call's record; and how far a breach reaches.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use serde_json::{Value, json};
use tandem_domain::port::dialect::{Breach, Decoder as _, LegEvent, WireMessage};
use tandem_providers::carrier::twilio::TwilioDecoder;

const STREAM: &str = "MZ0123456789abcdef0123456789abcdef";

fn connected() -> Value {
    json!({"event": "connected", "protocol": "Call", "version": "1.0.0"})
}

fn start() -> Value {
    json!({"event": "start", "sequenceNumber": "1", "streamSid": STREAM, "start": {
        "streamSid": STREAM, "accountSid": "AC01", "callSid": "CA01", "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}, "customParameters": {}}})
}

fn media(payload: &str) -> Value {
    json!({"event": "media", "streamSid": STREAM, "media": {"track": "inbound", "timestamp": "0", "payload": payload}})
}

/// µ-law silence in base64.
fn silence(bytes: usize) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(vec![0xff; bytes])
}

fn stop() -> Value {
    json!({"event": "stop", "streamSid": STREAM, "stop": {"accountSid": "AC01", "callSid": "CA01"}})
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

fn feed(decoder: &mut TwilioDecoder, message: &Value) -> Result<LegEvent, Breach> {
    decoder.decode(&WireMessage::Text(message.to_string()), &mut Vec::new())
}

/// A decoder whose stream runs.
fn running() -> TwilioDecoder {
    let mut decoder = TwilioDecoder::new(0);
    feed(&mut decoder, &connected()).unwrap();
    feed(&mut decoder, &start()).unwrap();
    decoder
}

/// What one message does to a stream that runs.
fn breach(message: Value) -> Breach {
    feed(&mut running(), &message).unwrap_err()
}

/// What a `start` does to a stream that waits for it.
fn start_breach(message: Value) -> Breach {
    feed(&mut TwilioDecoder::new(0), &message).unwrap_err()
}

#[test]
fn broken_json_is_malformed() {
    for text in [
        "",
        "{",
        "null",
        "[]",
        "\"media\"",
        "{\"event\":5}",
        "{}",
        "{\"event\":\"media\"",
        "\u{0}",
        "{\"event\":\"connected\"} x",
    ] {
        let refused = TwilioDecoder::new(0).decode(&WireMessage::Text(text.to_owned()), &mut Vec::new());
        assert!(matches!(refused, Err(Breach::MalformedMessage(_))), "{text:?} gave {refused:?}");
    }
}

#[test]
fn a_section_that_is_missing_or_of_another_type_is_malformed() {
    for message in [
        with(media(&silence(160)), "/media", None),
        with(media(&silence(160)), "/media/payload", None),
        with(media(&silence(160)), "/media/payload", Some(json!(7))),
        with(media(&silence(160)), "/media/track", Some(json!("both_tracks"))),
        with(media(&silence(160)), "/media/timestamp", Some(json!("soon"))),
        with(media(&silence(160)), "/media/timestamp", Some(json!("+8"))),
        with(media(&silence(160)), "/media/timestamp", Some(json!(-1))),
        with(media(&silence(160)), "/streamSid", None),
        json!({"event": "dtmf", "streamSid": STREAM, "dtmf": {"digit": "55"}}),
        json!({"event": "dtmf", "streamSid": STREAM, "dtmf": {"digit": ""}}),
        json!({"event": "dtmf", "streamSid": STREAM, "dtmf": {"digit": "e"}}),
        json!({"event": "mark", "streamSid": STREAM, "mark": {}}),
        connected(),
    ] {
        let found = breach(message.clone());
        assert!(matches!(found, Breach::MalformedMessage(_)), "{message} gave {found:?}");
    }
}

#[test]
fn a_member_that_comes_twice_is_malformed() {
    let text = r#"{"event":"connected","event":"media"}"#.to_owned();
    let refused = TwilioDecoder::new(0).decode(&WireMessage::Text(text), &mut Vec::new());
    assert!(matches!(refused, Err(Breach::MalformedMessage(_))));
}

#[test]
fn json_nested_without_end_is_malformed_and_no_stack_overflow() {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    for text in [
        format!(r#"{{"event":"start","streamSid":"{STREAM}","start":{{"customParameters":{{"a":{deep}}}}}}}"#),
        format!(r#"{{"event":"media","streamSid":"{STREAM}","extra":{deep},"media":{{"payload":5}}}}"#),
    ] {
        let refused = running().decode(&WireMessage::Text(text.clone()), &mut Vec::new());
        let fresh = TwilioDecoder::new(0).decode(&WireMessage::Text(text), &mut Vec::new());
        assert!(refused.is_err() && fresh.is_err());
    }
}

#[test]
fn a_binary_frame_is_refused() {
    let frame = WireMessage::Binary(Bytes::from_static(&[0xff; 160]));
    assert_eq!(running().decode(&frame, &mut Vec::new()), Err(Breach::BinaryFrame));
}

#[test]
fn a_message_above_the_limit_is_refused_unread() {
    let text = " ".repeat(65_537);
    assert_eq!(running().decode(&WireMessage::Text(text), &mut Vec::new()), Err(Breach::OversizedMessage));
}

#[test]
fn a_payload_that_is_not_base64_is_refused() {
    for payload in ["!", "////=", "/w", "/w=", "//8", "a b=", "__8=", "//9="] {
        assert_eq!(breach(media(payload)), Breach::BadBase64, "{payload}");
    }
}

#[test]
fn a_payload_is_a_whole_number_of_milliseconds_up_to_a_second() {
    for bytes in [0, 1, 7, 11, 159, 161, 8_001, 8_008, 16_000] {
        assert_eq!(breach(media(&silence(bytes))), Breach::BadPayloadLength(bytes));
    }
    for bytes in [8, 80, 160, 320, 8_000] {
        let heard = feed(&mut running(), &media(&silence(bytes))).unwrap();
        assert!(matches!(heard, LegEvent::Audio { samples, .. } if samples == bytes));
    }
}

#[test]
fn what_comes_before_start_is_named() {
    let before = [("media", media(&silence(160))), ("stop", stop())];
    let before = before.into_iter().chain([
        ("mark", json!({"event": "mark", "streamSid": STREAM, "mark": {"name": "m"}})),
        ("dtmf", json!({"event": "dtmf", "streamSid": STREAM, "dtmf": {"digit": "5"}})),
    ]);
    for (event, message) in before {
        let mut decoder = TwilioDecoder::new(0);
        feed(&mut decoder, &connected()).unwrap();
        assert_eq!(feed(&mut decoder, &message), Err(Breach::BeforeStart(event.to_owned())));
    }
}

#[test]
fn the_order_is_kept_to_the_end() {
    assert_eq!(breach(start()), Breach::DuplicateStart);

    let mut greeted = TwilioDecoder::new(0);
    feed(&mut greeted, &connected()).unwrap();
    assert!(matches!(feed(&mut greeted, &connected()), Err(Breach::MalformedMessage(_))));

    for late in [start(), media(&silence(160)), stop(), connected()] {
        let mut stopped = running();
        assert_eq!(feed(&mut stopped, &stop()), Ok(LegEvent::Stopped));
        assert!(matches!(feed(&mut stopped, &late), Err(Breach::MalformedMessage(_))), "{late}");
    }
}

#[test]
fn a_stream_whose_greeting_was_lost_still_starts() {
    assert!(matches!(feed(&mut TwilioDecoder::new(0), &start()), Ok(LegEvent::Started(_))));
}

#[test]
fn another_stream_is_refused_everywhere() {
    let other = Some(json!("MZother"));
    assert_eq!(breach(with(media(&silence(160)), "/streamSid", other.clone())), Breach::WrongStream);
    assert_eq!(breach(with(stop(), "/streamSid", other.clone())), Breach::WrongStream);
    assert_eq!(start_breach(with(start(), "/streamSid", other.clone())), Breach::WrongStream);
    assert_eq!(start_breach(with(start(), "/start/streamSid", other)), Breach::WrongStream);
    assert_eq!(start_breach(with(start(), "/streamSid", None)), Breach::WrongStream);
}

#[test]
fn a_format_that_we_did_not_agree_to_is_named() {
    for (pointer, value) in [
        ("/start/mediaFormat/encoding", json!("audio/x-l16")),
        ("/start/mediaFormat/sampleRate", json!(16_000)),
        ("/start/mediaFormat/channels", json!("2")),
    ] {
        assert!(matches!(start_breach(with(start(), pointer, Some(value))), Breach::UnsupportedFormat(_)), "{pointer}");
    }
    let l16 = with(start(), "/start/mediaFormat/encoding", Some(json!("audio/x-l16")));
    assert_eq!(start_breach(l16), Breach::UnsupportedFormat("audio/x-l16 8000 Hz, 1 channel(s)".to_owned()));
}

#[test]
fn ids_are_there_and_short() {
    for pointer in ["/start/callSid", "/start/accountSid"] {
        for value in [Some(json!("")), Some(json!("C".repeat(129))), None] {
            assert!(matches!(start_breach(with(start(), pointer, value)), Breach::MalformedMessage(_)), "{pointer}");
        }
    }
}

#[test]
fn unknown_events_end_the_call_unless_some_are_allowed() {
    let news = json!({"event": "transcription", "streamSid": 7, "media": "of another shape"});
    let news = with(news, "/streamSid", None);
    assert_eq!(breach(news.clone()), Breach::UnknownEvent("transcription".to_owned()));

    let mut tolerant = TwilioDecoder::new(2);
    feed(&mut tolerant, &start()).unwrap();
    for seen in 1..=2 {
        assert!(feed(&mut tolerant, &news).is_ok());
        assert_eq!(tolerant.unknown_events(), seen);
    }
    assert_eq!(feed(&mut tolerant, &news), Err(Breach::UnknownEvent("transcription".to_owned())));
    assert_eq!(tolerant.unknown_events(), 2, "the one that ends the call was not tolerated");
}

#[test]
fn what_a_breach_quotes_is_short() {
    let long = "x".repeat(10_000);
    let Breach::UnknownEvent(event) = breach(json!({"event": long})) else { panic!("not an unknown event") };
    assert_eq!(event.len(), 120);
    let Breach::MalformedMessage(why) = breach(with(media("/w=="), "/media/timestamp", Some(json!(long)))) else {
        panic!("not malformed")
    };
    assert!(why.len() <= 120);
}

#[test]
fn a_breach_adds_no_audio_and_the_stream_could_go_on() {
    let (mut decoder, mut pcm) = (running(), vec![7]);
    let odd = WireMessage::Text(media(&silence(161)).to_string());
    assert!(decoder.decode(&odd, &mut pcm).is_err());
    assert_eq!(pcm, [7]);
    let good = WireMessage::Text(media(&silence(160)).to_string());
    assert!(matches!(decoder.decode(&good, &mut pcm), Ok(LegEvent::Audio { samples: 160, .. })));
    assert_eq!(pcm.len(), 161, "audio is appended");
}

#[test]
fn parameters_beyond_the_limits_are_dropped_whole() {
    let mut many = serde_json::Map::new();
    for n in 0..99 {
        many.insert(format!("p{n:02}"), json!("v"));
    }
    let started = |parameters: Value| match feed(
        &mut TwilioDecoder::new(0),
        &with(start(), "/start/customParameters", Some(parameters)),
    ) {
        Ok(LegEvent::Started(start)) => start.parameters,
        other => panic!("{other:?}"),
    };
    assert_eq!(started(Value::Object(many)).len(), 64);
    let kept = started(json!({"fits": "é".repeat(500), "long": "é".repeat(501), "n".repeat(501): "v"}));
    assert_eq!(kept.into_keys().collect::<Vec<_>>(), ["fits"]);
    assert!(started(Value::Null).is_empty());
}
