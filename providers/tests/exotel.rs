//! Exotel's dialect on recorded sockets: what comes in becomes these events, what we send is this text to the letter.
//!
//! Fixtures are synthetic, by the provider's articles (2026-11); no personal data.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tandem_codecs::SampleRate;
use tandem_domain::port::dialect::{ClearMarks, Dialect as _, EndBy, LegEvent, LegStart, WireMessage};
use tandem_providers::carrier::exotel::ExotelDialect;

const RATES: [SampleRate; 3] = [SampleRate::HZ_8000, SampleRate::HZ_16000, SampleRate::HZ_24000];

/// Every message of a fixture through one decoder, one line for each event.
fn events(fixture: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/exotel").join(fixture);
    let mut decoder = ExotelDialect::default().decoder();
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

fn text(message: WireMessage) -> String {
    match message {
        WireMessage::Text(text) => text,
        WireMessage::Binary(_) => panic!("Exotel takes text frames alone"),
    }
}

fn start(rate: SampleRate) -> LegStart {
    LegStart { stream_id: "6f0c1e7a9b2d".to_owned(), sample_rate: Some(rate), ..LegStart::default() }
}

/// Our messages with their audio left out, whose bytes are checked elsewhere.
fn sent(dialect: ExotelDialect) -> String {
    let mut encoder = dialect.encoder(&start(SampleRate::HZ_8000));
    let sent = [
        Some(encoder.audio(&[0; 1_600])),
        Some(encoder.audio(&[0; 1_600])),
        encoder.mark("utt-7-end"),
        encoder.clear(),
        Some(encoder.audio(&[0; 1_600])),
    ];
    let payload = "A".repeat(4_267) + "="; // 3,200 zero bytes
    let lines: Vec<String> = sent.into_iter().map(|message| text(message.unwrap()).replace(&payload, "…")).collect();
    lines.join("\n")
}

#[test]
fn one_turn_becomes_events() {
    insta::assert_snapshot!(events("one_turn.jsonl"));
}

#[test]
fn spellings_that_carry_the_same_meaning_are_taken() {
    insta::assert_snapshot!(events("tolerated.jsonl"));
}

#[test]
fn a_key_that_comes_twice_is_told_once_and_one_pressed_twice_is_told_twice() {
    // `.` is 100 ms of audio, anything else a key; each with its number
    let keys = |messages: &[(char, u32)]| -> String {
        let mut decoder = ExotelDialect::default().opened_with("").decoder();
        let start = r#"{"event":"start","sequence_number":"1","stream_sid":"s","start":{"call_sid":"c"}}"#;
        decoder.decode(&WireMessage::Text(start.to_owned()), &mut Vec::new()).unwrap();
        let mut told = |&(what, number): &(char, u32)| {
            let (event, body) = match what {
                '.' => ("media", format!(r#"{{"payload":"{}"}}"#, "A".repeat(16))),
                key => ("dtmf", format!(r#"{{"digit":"{key}"}}"#)),
            };
            let text =
                format!(r#"{{"event":"{event}","sequence_number":"{number}","stream_sid":"s","{event}":{body}}}"#);
            match decoder.decode(&WireMessage::Text(text), &mut Vec::new()).unwrap() {
                LegEvent::Dtmf(key) => Some(key),
                _ => None,
            }
        };
        messages.iter().filter_map(&mut told).collect()
    };
    assert_eq!(keys(&[('.', 2), ('1', 3), ('.', 4), ('1', 3), ('.', 5)]), "1", "a copy");
    assert_eq!(keys(&[('.', 9), ('1', 9), ('.', 9), ('.', 9), ('1', 9)]), "11", "a sender that does not count");
    assert_eq!(keys(&[('1', 7), ('.', 8), ('.', 2), ('.', 3), ('1', 7)]), "11", "a sender that counts anew");
}

#[test]
fn what_we_send_is_the_documented_text() {
    insta::assert_snapshot!(sent(ExotelDialect::default()));
}

#[test]
fn keys_are_repeated_in_camel_case_where_asked_for() {
    insta::assert_snapshot!(sent(ExotelDialect::new(true)));
}

#[test]
fn a_chunk_is_of_a_size_that_exotel_plays_at_every_rate() {
    for rate in RATES {
        let dialect = ExotelDialect::default();
        let can = dialect.agreed(&start(rate));
        let mut encoder = dialect.encoder(&start(rate));
        let whole = rate.samples_in(can.chunk);
        for samples in [whole, whole - 1, 1, 0] {
            let message: Value = serde_json::from_str(&text(encoder.audio(&vec![7; samples]))).unwrap();
            let payload = message["media"]["payload"].as_str().unwrap();
            let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, payload).unwrap();
            assert_eq!((bytes.len() >= 3_200, bytes.len() % 320), (true, 0), "{rate}: {samples} samples");
            assert!(bytes[samples * 2..].iter().all(|&byte| byte == 0), "the rest is silence");
        }
        let second: Value = serde_json::from_str(&text(encoder.audio(&[]))).unwrap();
        assert_eq!(second["sequence_number"], "5");
        assert!(can.chunk + can.lead <= Duration::from_millis(300), "far below the second that Exotel allows");
    }
}

#[test]
fn the_rate_is_the_formats_else_the_urls_else_eight() {
    let rate_of = |query: &str, format: &str| {
        let mut decoder = ExotelDialect::default().opened_with(query).decoder();
        let start =
            format!(r#"{{"event":"start","stream_sid":"s","start":{{"call_sid":"c","media_format":{{{format}}}}}}}"#);
        let event = decoder.decode(&WireMessage::Text(start), &mut Vec::new()).unwrap();
        let LegEvent::Started(started) = event else { panic!("{event:?}") };
        assert_eq!(started.sample_rate, Some(decoder.format().rate));
        decoder.format().rate.hz()
    };
    assert_eq!(rate_of("", ""), 8_000);
    assert_eq!(rate_of("sample-rate=16000", ""), 16_000);
    assert_eq!(rate_of("sample-rate=16000", r#""sample_rate":"""#), 16_000);
    assert_eq!(rate_of("sample-rate=16000", r#""sample_rate":"24000""#), 24_000);
    assert_eq!(rate_of("sample-rate=16000", r#""sampleRate":8000"#), 8_000);
}

#[test]
fn the_socket_has_neither_a_hang_up_nor_keys() {
    let mut encoder = ExotelDialect::default().encoder(&LegStart::default());
    assert_eq!(encoder.end(), None);
    assert_eq!(encoder.dtmf('5'), None);
}

#[test]
fn capabilities_are_those_of_the_protocol() {
    let can = ExotelDialect::default().capabilities();
    assert_eq!((can.clear, can.end, can.marks, can.dtmf_out), (ClearMarks::Unsaid, EndBy::SocketClose, true, false));
    assert!(can.max_message_bytes > 100_000_usize.div_ceil(3) * 4);
}
