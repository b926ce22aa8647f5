//! Twilio's dialect on what nobody thought of: no input panics, no output is misread by a reader of its own.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_domain::port::dialect::{Decoder as _, Encoder as _, LegEvent, WireMessage};
use tandem_providers::carrier::twilio::{TwilioDecoder, TwilioEncoder};

/// Members that the protocol knows, so that made-up messages get past the first check.
fn member() -> impl Strategy<Value = String> {
    let known =
        ["event", "streamSid", "start", "media", "dtmf", "mark", "payload", "track", "timestamp", "digit", "name"];
    let start = ["accountSid", "callSid", "mediaFormat", "encoding", "sampleRate", "channels", "customParameters"];
    prop_oneof![
        4 => prop::sample::select([known.as_slice(), &start].concat()).prop_map(str::to_owned),
        1 => ".{0,8}",
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    let words =
        ["connected", "start", "media", "dtmf", "mark", "stop", "MZ1", "inbound", "outbound_track", "//////////8="];
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

/// A decoder whose stream `MZ1` runs.
fn running() -> TwilioDecoder {
    let mut decoder = TwilioDecoder::new(0);
    let start = json!({"event": "start", "streamSid": "MZ1", "start": {"streamSid": "MZ1", "accountSid": "AC1", "callSid": "CA1",
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}});
    decoder.decode(&WireMessage::Text(start.to_string()), &mut Vec::new()).unwrap();
    decoder
}

fn text(message: WireMessage) -> String {
    match message {
        WireMessage::Text(text) => text,
        WireMessage::Binary(_) => panic!("Twilio takes text frames alone"),
    }
}

/// A second opinion on G.711: the code whose value lies nearest, by the formula of the recommendation.
fn expand_ulaw(code: u8) -> i32 {
    let code = i32::from(!code);
    let magnitude = ((((code & 0x0f) << 3) + 0x84) << (code >> 4 & 0x07)) - 0x84;
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

proptest! {
    #[test]
    fn any_text_is_an_event_or_a_breach(texts in prop::collection::vec("\\PC{0,200}", 0..4)) {
        for mut decoder in [TwilioDecoder::new(1), running()] {
            for text in &texts {
                let _ = decoder.decode(&WireMessage::Text(text.clone()), &mut Vec::new());
            }
        }
    }

    #[test]
    fn any_json_is_an_event_or_a_breach(messages in prop::collection::vec(message(), 1..6)) {
        for mut decoder in [TwilioDecoder::new(1), running()] {
            let mut pcm = Vec::new();
            for message in &messages {
                let before = pcm.len();
                let event = decoder.decode(&WireMessage::Text(message.to_string()), &mut pcm);
                let told = if let Ok(LegEvent::Audio { samples, .. }) = event { samples } else { 0 };
                prop_assert_eq!(pcm.len() - before, told);
            }
        }
    }

    #[test]
    fn caller_audio_arrives_as_it_was_sent(ms in 1_usize..=1_000, seed in any::<u8>()) {
        let ulaw: Vec<u8> = (0..ms * 8).map(|i| (i as u8).wrapping_mul(31).wrapping_add(seed)).collect();
        let message = json!({"event": "media", "streamSid": "MZ1", "media": {"payload": STANDARD.encode(&ulaw)}});
        let mut pcm = Vec::new();
        let event = running().decode(&WireMessage::Text(message.to_string()), &mut pcm);
        prop_assert_eq!(event, Ok(LegEvent::Audio { samples: ms * 8, timestamp: None }));
        let expected: Vec<i32> = ulaw.iter().map(|&code| expand_ulaw(code)).collect();
        prop_assert_eq!(pcm.into_iter().map(i32::from).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn agent_audio_reads_back_whatever_the_stream_is_called(sid in ".{0,40}", pcm in prop::collection::vec(any::<i16>(), 1..200)) {
        let read: Value = serde_json::from_str(&text(TwilioEncoder::new(&sid).audio(&pcm))).unwrap();
        let payload = STANDARD.decode(read["media"]["payload"].as_str().unwrap()).unwrap();
        prop_assert_eq!(&read, &json!({"event": "media", "streamSid": sid, "media": {"payload": read["media"]["payload"]}}));
        prop_assert_eq!(payload.len(), pcm.len());
        for (code, sample) in payload.into_iter().zip(pcm) {
            let sample = i32::from(sample).clamp(-32_635, 32_635);
            // Half a step of the segment, and the two bits that 16-bit samples have above the law's 14.
            let tolerance = (sample.abs() + 0x84) / 32 + 4;
            prop_assert!((expand_ulaw(code) - sample).abs() <= tolerance, "{} became {}", sample, expand_ulaw(code));
        }
    }

    #[test]
    fn marks_and_clear_read_back(sid in ".{0,40}", name in "\\PC{0,60}") {
        let mut encoder = TwilioEncoder::new(&sid);
        let mark: Value = serde_json::from_str(&text(encoder.mark(&name).unwrap())).unwrap();
        prop_assert_eq!(mark, json!({"event": "mark", "streamSid": sid, "mark": {"name": name}}));
        let clear: Value = serde_json::from_str(&text(encoder.clear().unwrap())).unwrap();
        prop_assert_eq!(clear, json!({"event": "clear", "streamSid": sid}));
    }
}
