//! The browser's dialect on what nobody thought of: no input panics, no output is misread by a reader of its own.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_domain::ids::{TurnId, UtteranceId};
use tandem_domain::port::dialect::{Decoder as _, Encoder as _, LegEvent, Notice, WireMessage};
use tandem_providers::carrier::browser::{BrowserDecoder, BrowserEncoder};

/// Members that the protocol knows, so that made-up messages get past the first check.
fn member() -> impl Strategy<Value = String> {
    let known = ["type", "user_audio_chunk", "event_id", "text", "tool_call_id", "result", "is_error", "user_id"];
    let start =
        ["conversation_config_override", "agent", "tts", "asr", "conversation", "text_only", "dynamic_variables"];
    prop_oneof![
        4 => prop::sample::select([known.as_slice(), &start].concat()).prop_map(str::to_owned),
        1 => ".{0,8}",
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    let words = [
        "conversation_initiation_client_data",
        "user_message",
        "contextual_update",
        "client_tool_result",
        "user_activity",
        "multimodal_message",
        "pong",
        "feedback",
        "user_audio_chunk",
        "//////////8=",
    ];
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

/// A decoder whose talk runs.
fn running() -> BrowserDecoder {
    let mut decoder = BrowserDecoder::new(None, 0);
    let start = json!({"type": "conversation_initiation_client_data"});
    decoder.decode(&WireMessage::Text(start.to_string()), &mut Vec::new()).unwrap();
    decoder
}

fn read(message: WireMessage) -> Value {
    match message {
        WireMessage::Text(text) => serde_json::from_str(&text).unwrap(),
        WireMessage::Binary(_) => panic!("clients take text frames alone"),
    }
}

proptest! {
    #[test]
    fn any_text_is_an_event_or_a_breach(texts in prop::collection::vec("\\PC{0,200}", 0..4)) {
        for mut decoder in [BrowserDecoder::new(None, 1), running()] {
            for text in &texts {
                let _ = decoder.decode(&WireMessage::Text(text.clone()), &mut Vec::new());
            }
        }
    }

    #[test]
    fn any_json_is_an_event_or_a_breach(messages in prop::collection::vec(message(), 1..6)) {
        for mut decoder in [BrowserDecoder::new(None, 1), running()] {
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
    fn caller_audio_arrives_as_it_was_sent(sent in prop::collection::vec(any::<i16>(), 1..16_000)) {
        let bytes: Vec<u8> = sent.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let message = json!({"user_audio_chunk": STANDARD.encode(bytes)});
        let mut pcm = Vec::new();
        let event = running().decode(&WireMessage::Text(message.to_string()), &mut pcm);
        prop_assert_eq!(event, Ok(LegEvent::Audio { samples: sent.len(), timestamp: None }));
        prop_assert_eq!(pcm, sent);
    }

    #[test]
    fn typed_words_arrive_as_they_were_sent(text in "\\PC{0,200}") {
        let message = json!({"type": "user_message", "text": text});
        let event = running().decode(&WireMessage::Text(message.to_string()), &mut Vec::new());
        let expected = if text.trim().is_empty() { LegEvent::Ignored("empty_message") } else { LegEvent::Typed(text) };
        prop_assert_eq!(event, Ok(expected));
    }

    #[test]
    fn agent_audio_reads_back(utterance in any::<u32>(), pcm in prop::collection::vec(any::<i16>(), 1..800)) {
        let mut encoder = BrowserEncoder::default();
        encoder.speaking(UtteranceId(utterance).into());
        let event = read(encoder.audio(&pcm));
        let bytes = STANDARD.decode(event["audio_event"]["audio_base_64"].as_str().unwrap()).unwrap();
        let back: Vec<i16> = bytes.chunks(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
        prop_assert_eq!(back, pcm);
        prop_assert_eq!(&event["audio_event"]["event_id"], &json!(1_000 * u64::from(utterance)));
    }

    #[test]
    fn words_read_back_whatever_they_hold(turn in any::<u32>(), text in ".{0,80}", heard in ".{0,80}") {
        let mut encoder = BrowserEncoder::default();
        let said = read(encoder.notice(&Notice::UserTranscript { turn: TurnId(turn), text: text.clone() }).unwrap());
        prop_assert_eq!(&said["user_transcription_event"]["user_transcript"], &json!(text));
        let utterance = UtteranceId(turn);
        let corrected = Notice::Correction { utterance, original: text.clone(), heard: heard.clone() };
        let corrected = read(encoder.notice(&corrected).unwrap());
        prop_assert_eq!(&corrected["agent_response_correction_event"]["original_agent_response"], &json!(text));
        prop_assert_eq!(&corrected["agent_response_correction_event"]["corrected_agent_response"], &json!(heard));
    }
}
