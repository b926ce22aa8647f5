//! `/media` serves two carriers: their first messages tell them apart.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tandem_domain::port::dialect::{Dialect as _, Recognition, WireMessage};
use tandem_providers::carrier::exotel::ExotelDialect;
use tandem_providers::carrier::twilio::TwilioDialect;

/// What Twilio's dialect says, and what Exotel's.
fn judged(message: &WireMessage) -> (Recognition, Recognition) {
    (TwilioDialect::default().recognises(message), ExotelDialect::default().recognises(message))
}

fn of(message: Value) -> (Recognition, Recognition) {
    judged(&WireMessage::Text(message.to_string()))
}

const TWILIO: (Recognition, Recognition) = (Recognition::Mine, Recognition::NotMine);
const EXOTEL: (Recognition, Recognition) = (Recognition::NotMine, Recognition::Mine);
const EITHER: (Recognition, Recognition) = (Recognition::Unsure, Recognition::Unsure);
const NOBODY: (Recognition, Recognition) = (Recognition::NotMine, Recognition::NotMine);

#[test]
fn each_carrier_is_known_by_its_own_recordings() {
    for (carrier, expected) in [("twilio", TWILIO), ("exotel", EXOTEL)] {
        let path = format!("{}/../tests/fixtures/{carrier}/one_turn.jsonl", env!("CARGO_MANIFEST_DIR"));
        let recorded = std::fs::read_to_string(path).unwrap();
        let start = recorded.lines().nth(1).unwrap().to_owned();
        assert_eq!(judged(&WireMessage::Text(start)), expected, "{carrier}");
    }
}

#[test]
fn a_greeting_with_a_protocol_is_twilios_and_a_bare_one_says_nothing() {
    assert_eq!(of(json!({"event": "connected", "protocol": "Call", "version": "1.0.0"})), TWILIO);
    assert_eq!(of(json!({"event": "connected"})), EITHER);
}

#[test]
fn camel_case_alone_does_not_make_a_start_twilios() {
    let start = |encoding: &str| {
        of(json!({"event": "start", "streamSid": "s", "start": {"streamSid": "s", "callSid": "c", "accountSid": "a",
            "mediaFormat": {"encoding": encoding, "sampleRate": 8000, "channels": 1}}}))
    };
    assert_eq!(start("audio/x-mulaw"), TWILIO);
    assert_eq!(start("raw"), EXOTEL);
    assert_eq!(start("audio/opus"), NOBODY);
}

#[test]
fn what_fits_nobody_is_nobodys() {
    assert_eq!(judged(&WireMessage::Binary(vec![0; 320].into())), NOBODY);
    for text in ["", "{", "null", "[]", "\0"] {
        assert_eq!(judged(&WireMessage::Text(text.to_owned())), NOBODY, "{text:?}");
    }
    assert_eq!(of(json!({"event": "hello"})), NOBODY);
    assert_eq!(of(json!({"event": "media", "streamSid": "s", "media": {"payload": "AAAA"}})), NOBODY);
}

#[test]
fn a_bent_start_in_snake_case_is_exotels_to_refuse() {
    assert_eq!(of(json!({"event": "start", "stream_sid": "s", "start": 7})), EXOTEL);
    assert_eq!(of(json!({"event": "media", "stream_sid": "s"})), EXOTEL);
}
