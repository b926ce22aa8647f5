//! Twilio's dialect on recorded sockets: what comes in becomes these events, what we send is this text to the letter.
//!
//! Fixtures are synthetic, by the provider's message reference (2026-11); no personal data.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;

use tandem_codecs::MediaFormat;
use tandem_domain::port::dialect::{ClearMarks, Dialect as _, EndBy, LegEvent, LegStart, WireMessage};
use tandem_providers::carrier::twilio::TwilioDialect;

/// Every message of a fixture through one decoder, one line for each event.
fn events(fixture: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/twilio").join(fixture);
    let mut decoder = TwilioDialect::default().decoder();
    let (mut pcm, mut lines) = (Vec::new(), String::new());
    for line in std::fs::read_to_string(path).unwrap().lines() {
        pcm.clear();
        match decoder.decode(&WireMessage::Text(line.to_owned()), &mut pcm).unwrap() {
            LegEvent::Audio { samples, timestamp } => {
                assert_eq!(samples, pcm.len());
                let peak = pcm.iter().map(|s| s.unsigned_abs()).max();
                writeln!(lines, "Audio of {samples} samples, at {timestamp:?}, peak {peak:?}").unwrap();
            }
            LegEvent::Started(start) => writeln!(lines, "Started {start:#?}").unwrap(),
            other => writeln!(lines, "{other:?}").unwrap(),
        }
    }
    lines
}

#[test]
fn one_turn_becomes_events() {
    insta::assert_snapshot!(events("one_turn.jsonl"));
}

#[test]
fn spellings_that_carry_the_same_meaning_are_taken() {
    insta::assert_snapshot!(events("tolerated.jsonl"));
}

/// Keys that are told when these messages come after `start`: `.` is 20 ms of audio, anything else is a key; each with its number.
fn keys(messages: &[(char, u32)]) -> String {
    let mut decoder = TwilioDialect::default().decoder();
    let start = r#"{"event":"start","sequenceNumber":"1","streamSid":"MZ1","start":{"streamSid":"MZ1","accountSid":"AC1","callSid":"CA1","mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}"#;
    decoder.decode(&WireMessage::Text(start.to_owned()), &mut Vec::new()).unwrap();
    let mut told = |&(what, number): &(char, u32)| {
        let (event, body) = match what {
            '.' => ("media", format!(r#"{{"payload":"{}"}}"#, "/".repeat(32))),
            key => ("dtmf", format!(r#"{{"digit":"{key}"}}"#)),
        };
        let text = format!(r#"{{"event":"{event}","sequenceNumber":"{number}","streamSid":"MZ1","{event}":{body}}}"#);
        match decoder.decode(&WireMessage::Text(text), &mut Vec::new()).unwrap() {
            LegEvent::Dtmf(key) => Some(key),
            _ => None,
        }
    };
    messages.iter().filter_map(&mut told).collect()
}

#[test]
fn a_key_that_comes_twice_is_told_once_and_one_pressed_twice_is_told_twice() {
    assert_eq!(keys(&[('.', 2), ('1', 3), ('.', 4), ('1', 3), ('.', 5)]), "1", "a copy");
    let constant: Vec<(char, u32)> = "..1......1...".chars().map(|what| (what, 9)).collect();
    assert_eq!(keys(&constant), "11", "a sender that does not count");
    let again: Vec<(char, u32)> = "1.......1".chars().zip([7, 8, 9, 2, 3, 4, 5, 6, 7]).collect();
    assert_eq!(keys(&again), "11", "a sender that counts anew");
}

#[test]
fn what_we_send_is_the_documented_text() {
    let start = LegStart { stream_id: "MZ0123456789abcdef0123456789abcdef".to_owned(), ..LegStart::default() };
    let mut encoder = TwilioDialect::default().encoder(&start);
    let ramp: Vec<i16> = (0..160).map(|i| (i - 80) * 400).collect();
    let sent = [
        Some(encoder.audio(&[0; 160])),
        Some(encoder.audio(&ramp)),
        Some(encoder.audio(&ramp[..40])),
        encoder.mark("utt-7-end"),
        encoder.clear(),
    ];
    let lines: Vec<String> = sent
        .into_iter()
        .map(|message| match message {
            Some(WireMessage::Text(text)) => text,
            other => panic!("{other:?} is no text frame"),
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_socket_has_neither_a_hang_up_nor_keys() {
    let mut encoder = TwilioDialect::default().encoder(&LegStart::default());
    assert_eq!(encoder.end(), None);
    assert_eq!(encoder.dtmf('5'), None);
}

#[test]
fn capabilities_are_those_of_the_protocol() {
    let can = TwilioDialect::default().capabilities();
    assert_eq!(MediaFormat::PCMU_8K.bytes_in(can.chunk), 160);
    assert_eq!((can.lead.as_millis(), can.max_message_bytes), (80, 65_536));
    assert_eq!(
        (can.clear, can.end, can.marks, can.dtmf_out),
        (ClearMarks::AllReturned, EndBy::SocketClose, true, false)
    );
}
