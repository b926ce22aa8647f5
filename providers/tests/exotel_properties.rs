//! Exotel's dialect on what nobody thought of: no input panics, the order holds, no output is misread by a reader of its own.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_codecs::SampleRate;
use tandem_domain::port::dialect::{Decoder as _, Dialect as _, Encoder as _, LegEvent, WireMessage};
use tandem_providers::carrier::exotel::{ExotelDecoder, ExotelDialect, ExotelEncoder};

/// Members that the protocol knows, so that made-up messages get past the first check.
fn member() -> impl Strategy<Value = String> {
    let snake = [
        "event",
        "stream_sid",
        "start",
        "media",
        "dtmf",
        "mark",
        "stop",
        "payload",
        "timestamp",
        "digit",
        "name",
        "reason",
    ];
    let start =
        ["account_sid", "call_sid", "media_format", "encoding", "sample_rate", "custom_parameters", "from", "to"];
    let camel = ["streamSid", "callSid", "mediaFormat", "sampleRate", "customParameters"];
    prop_oneof![
        4 => prop::sample::select([snake.as_slice(), &start, &camel].concat()).prop_map(str::to_owned),
        1 => ".{0,8}",
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    let words =
        ["connected", "start", "media", "dtmf", "mark", "stop", "s1", "8000", "16000", "stopped", "AAABAP7/AgA="];
    prop_oneof![
        4 => prop::sample::select(words.to_vec()).prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => ".{0,20}".prop_map(Value::from),
    ]
}

/// JSON that looks like the protocol from afar.
fn message() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 40, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((member(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Messages that are right by themselves, in any order.
fn well_formed() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"event": "connected"})),
        Just(start()),
        (1_usize..400).prop_map(|samples| {
            json!({"event": "media", "stream_sid": "s1", "media": {"payload": STANDARD.encode(vec![1; samples * 2])}})
        }),
        Just(json!({"event": "dtmf", "stream_sid": "s1", "dtmf": {"digit": 5}})),
        Just(json!({"event": "mark", "stream_sid": "s1", "mark": {"name": "m"}})),
        Just(json!({"event": "stop", "stream_sid": "s1", "stop": {"reason": "callended"}})),
        Just(json!({"event": "news"})),
    ]
}

fn start() -> Value {
    json!({"event": "start", "stream_sid": "s1", "start": {"stream_sid": "s1", "call_sid": "c1"}})
}

fn fresh() -> ExotelDecoder {
    ExotelDecoder::new(SampleRate::HZ_8000)
}

/// A decoder whose stream `s1` runs.
fn running() -> ExotelDecoder {
    let mut decoder = fresh();
    decoder.decode(&WireMessage::Text(start().to_string()), &mut Vec::new()).unwrap();
    decoder
}

fn text(message: WireMessage) -> String {
    match message {
        WireMessage::Text(text) => text,
        WireMessage::Binary(_) => panic!("Exotel takes text frames alone"),
    }
}

fn rate() -> impl Strategy<Value = SampleRate> {
    prop::sample::select(vec![SampleRate::HZ_8000, SampleRate::HZ_16000, SampleRate::HZ_24000])
}

proptest! {
    #[test]
    fn any_text_is_an_event_or_a_breach(texts in prop::collection::vec("\\PC{0,200}", 0..4), query in ".{0,40}") {
        for mut decoder in [fresh(), running()] {
            for text in &texts {
                let message = WireMessage::Text(text.clone());
                let _ = decoder.decode(&message, &mut Vec::new());
                let _ = ExotelDialect::default().opened_with(&query).recognises(&message);
            }
        }
    }

    #[test]
    fn any_json_is_an_event_or_a_breach(messages in prop::collection::vec(message(), 1..6)) {
        for mut decoder in [fresh(), running()] {
            let mut pcm = Vec::new();
            for message in &messages {
                let (before, message) = (pcm.len(), WireMessage::Text(message.to_string()));
                let event = decoder.decode(&message, &mut pcm);
                let told = if let Ok(LegEvent::Audio { samples, .. }) = event { samples } else { 0 };
                prop_assert_eq!(pcm.len() - before, told);
                let _ = ExotelDialect::default().recognises(&message);
            }
        }
    }

    #[test]
    fn nothing_is_heard_before_start_or_after_stop(messages in prop::collection::vec(well_formed(), 1..30)) {
        let (mut decoder, mut started, mut stopped) = (fresh(), false, false);
        for message in messages {
            let event = decoder.decode(&WireMessage::Text(message.to_string()), &mut Vec::new());
            match event {
                Ok(LegEvent::Started(_)) => {
                    prop_assert!(!started && !stopped);
                    started = true;
                }
                Ok(LegEvent::Stopped) => {
                    prop_assert!(started && !stopped);
                    stopped = true;
                }
                Ok(LegEvent::Audio { .. } | LegEvent::Dtmf(_) | LegEvent::Mark(_)) => prop_assert!(started && !stopped),
                Ok(LegEvent::Connected) => prop_assert!(!started),
                Ok(LegEvent::Ignored(_)) => {}
                Ok(
                    LegEvent::MovedOn
                    | LegEvent::Typed(_)
                    | LegEvent::Context(_)
                    | LegEvent::Activity
                    | LegEvent::ToolResult { .. }
                    | LegEvent::Pong(_),
                ) => prop_assert!(false, "nobody said so"),
                Err(_) => {}
            }
        }
    }

    #[test]
    fn caller_audio_arrives_as_it_was_sent(samples in prop::collection::vec(any::<i16>(), 1..5_000)) {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let message = json!({"event": "media", "stream_sid": "s1", "media": {"payload": STANDARD.encode(&bytes)}});
        let mut pcm = Vec::new();
        let event = running().decode(&WireMessage::Text(message.to_string()), &mut pcm);
        prop_assert_eq!(event, Ok(LegEvent::Audio { samples: samples.len(), timestamp: None }));
        prop_assert_eq!(pcm, samples);
    }

    #[test]
    fn agent_audio_reads_back_padded_to_what_exotel_plays(
        sid in ".{0,40}", rate in rate(), camel in any::<bool>(), chunks in prop::collection::vec(0_usize..6_000, 1..5),
    ) {
        let mut encoder = ExotelEncoder::new(&sid, rate, camel);
        let mut sent = 0;
        for (index, samples) in chunks.into_iter().enumerate() {
            let pcm: Vec<i16> = (0..samples).map(|n| (n as i16).wrapping_mul(31)).collect();
            let read: Value = serde_json::from_str(&text(encoder.audio(&pcm))).unwrap();
            let payload = STANDARD.decode(read["media"]["payload"].as_str().unwrap()).unwrap();
            prop_assert!(payload.len() >= 3_200 && payload.len().is_multiple_of(320));
            let back: Vec<i16> = payload.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
            prop_assert_eq!(&back[..samples], pcm.as_slice());
            prop_assert!(back[samples..].iter().all(|&sample| sample == 0));
            prop_assert_eq!(&read["stream_sid"], &json!(sid));
            prop_assert_eq!(read.get("streamSid").is_some(), camel);
            prop_assert_eq!(&read["sequence_number"], &json!((index + 1).to_string()));
            prop_assert_eq!(&read["media"]["chunk"], &json!((index + 1).to_string()));
            let ms = u64::try_from(sent).unwrap() * 1_000 / u64::from(rate.hz());
            prop_assert_eq!(&read["media"]["timestamp"], &json!(ms.to_string()));
            sent += back.len();
        }
    }

    #[test]
    fn marks_and_clear_read_back(sid in ".{0,40}", name in "\\PC{0,60}") {
        let mut encoder = ExotelEncoder::new(&sid, SampleRate::HZ_8000, false);
        let mark: Value = serde_json::from_str(&text(encoder.mark(&name).unwrap())).unwrap();
        prop_assert_eq!(mark, json!({"event": "mark", "stream_sid": sid, "sequence_number": "1", "mark": {"name": name}}));
        let clear: Value = serde_json::from_str(&text(encoder.clear().unwrap())).unwrap();
        prop_assert_eq!(clear, json!({"event": "clear", "stream_sid": sid, "sequence_number": "2"}));
    }
}
