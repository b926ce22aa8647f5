//! The browser's socket, message by message: what a client sends becomes events or ends its talk, what we send is pinned to the letter.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tandem_domain::admission::{Denied, Level};
use tandem_domain::ids::{ConversationId, TurnId, UtteranceId};
use tandem_domain::playout::Voice;
use tandem_domain::port::brain::ToolCall;
use tandem_domain::port::dialect::notice::AnswerPart;
use tandem_domain::port::dialect::{
    Breach, Decoder as _, Dialect as _, Encoder as _, LegEvent, Notice, Parting, WireMessage,
};
use tandem_domain::record::EndReason;
use tandem_providers::carrier::browser::{BrowserDecoder, BrowserDialect, BrowserEncoder};
use uuid::Uuid;

fn decode(decoder: &mut BrowserDecoder, message: &Value) -> Result<LegEvent, Breach> {
    decoder.decode(&WireMessage::Text(message.to_string()), &mut Vec::new())
}

/// The first messages of the public client, as it writes them: what its user left out is `null` or missing.
fn client_data() -> Value {
    json!({
        "type": "conversation_initiation_client_data",
        "conversation_config_override": {
            "agent": {"first_message": "Good evening.", "language": "hi", "prompt": {"prompt": null}},
            "tts": {"voice_id": "stranger"},
            "conversation": {"text_only": false},
        },
        "custom_llm_extra_body": {"temperature": 2},
        "dynamic_variables": {"name": "Asha", "budget": 60, "vip": true, "none": null},
        "user_id": "u1",
        "source_info": {"source": "js_sdk", "version": "1.25.0"},
    })
}

/// A decoder whose talk runs.
fn running() -> BrowserDecoder {
    let mut decoder = BrowserDecoder::new(Some("front-desk".into()), 0);
    let started = decode(&mut decoder, &json!({"type": "conversation_initiation_client_data"}));
    assert!(matches!(started, Ok(LegEvent::Started(_))), "{started:?}");
    decoder
}

fn chunk(bytes: usize) -> Value {
    json!({"user_audio_chunk": STANDARD.encode(vec![1; bytes])})
}

#[test]
fn what_a_client_wishes_for_is_passed_on() {
    let mut decoder = BrowserDecoder::new(Some("front-desk".into()), 0);
    let Ok(LegEvent::Started(start)) = decode(&mut decoder, &client_data()) else { panic!("no start") };
    let parameters: Vec<(&str, &str)> =
        start.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        parameters,
        [
            ("agent", "front-desk"),
            ("override.first_message", "Good evening."),
            ("override.language", "hi"),
            ("override.voice_id", "stranger"),
            ("user_id", "u1"),
            ("variable.budget", "60"),
            ("variable.name", "Asha"),
            ("variable.vip", "true"),
        ]
    );
    assert_eq!(decode(&mut decoder, &client_data()), Err(Breach::DuplicateStart));
}

#[test]
fn a_client_that_only_speaks_starts_with_its_first_chunk() {
    let mut decoder = BrowserDecoder::new(None, 0);
    assert!(matches!(decode(&mut decoder, &chunk(640)), Ok(LegEvent::Started(_))));
    let audio = LegEvent::Audio { samples: 320, timestamp: None };
    assert_eq!(decode(&mut decoder, &chunk(640)), Ok(audio));
    let late = json!({"type": "conversation_initiation_client_data"});
    assert_eq!(decode(&mut decoder, &late), Ok(LegEvent::Ignored("late_client_data")));
    assert_eq!(decode(&mut decoder, &late), Err(Breach::DuplicateStart));
}

#[test]
fn audio_is_16_bit_little_endian() {
    let payload = STANDARD.encode([0x34, 0x12, 0x00, 0x80]);
    for message in
        [json!({"user_audio_chunk": payload}), json!({"type": "user_audio_chunk", "user_audio_chunk": payload})]
    {
        let mut pcm = Vec::new();
        let event = running().decode(&WireMessage::Text(message.to_string()), &mut pcm);
        assert_eq!((event, pcm), (Ok(LegEvent::Audio { samples: 2, timestamp: None }), vec![0x1234, i16::MIN]));
    }
}

#[test]
fn everything_that_the_public_client_sends_is_understood() {
    let cases = [
        (json!({"type": "user_message", "text": "in Delhi"}), LegEvent::Typed("in Delhi".into())),
        (json!({"type": "user_message", "rich_content_id": "r1"}), LegEvent::Ignored("empty_message")),
        (
            json!({"type": "multimodal_message", "text": {"type": "user_message", "text": "see"}, "file": {"type": "file_input", "file_id": "f"}}),
            LegEvent::Typed("see".into()),
        ),
        (json!({"type": "multimodal_message"}), LegEvent::Ignored("empty_message")),
        (
            json!({"type": "contextual_update", "text": "on page 2", "context_id": "c"}),
            LegEvent::Context("on page 2".into()),
        ),
        (json!({"type": "user_activity"}), LegEvent::Activity),
        (json!({"type": "pong", "event_id": 7}), LegEvent::Pong(7)),
        (
            json!({"type": "client_tool_result", "tool_call_id": "tool_1", "result": "done", "is_error": false}),
            LegEvent::ToolResult { id: "tool_1".into(), result: "done".into(), is_error: false },
        ),
        (
            json!({"type": "client_tool_result", "tool_call_id": "tool_1", "result": {"a": [1]}, "is_error": true}),
            LegEvent::ToolResult { id: "tool_1".into(), result: r#"{"a":[1]}"#.into(), is_error: true },
        ),
        (json!({"type": "feedback", "score": null, "event_id": 2}), LegEvent::Ignored("feedback")),
        (
            json!({"type": "mcp_tool_approval_result", "tool_call_id": "m", "is_approved": true}),
            LegEvent::Ignored("mcp_tool_approval_result"),
        ),
    ];
    let mut decoder = running();
    for (message, event) in cases {
        assert_eq!(decode(&mut decoder, &message), Ok(event), "{message}");
    }
}

#[test]
fn each_breach_has_its_reason() {
    let before = [
        (json!({"type": "user_message", "text": "hello"}), "media_before_start"),
        (json!({"type": "pong", "event_id": 1}), "media_before_start"),
        (json!({"type": "conversation_initiation_client_data", "dynamic_variables": [1]}), "malformed_message"),
        (json!({"type": "conversation_initiation_client_data", "user_id": "u".repeat(2_001)}), "malformed_message"),
    ];
    for (message, reason) in before {
        let breach = decode(&mut BrowserDecoder::new(None, 0), &message).unwrap_err();
        assert_eq!(breach.reason(), reason, "{message}");
    }
    let many: Map<String, Value> = (0..100).map(|n| (format!("v{n}"), json!(n))).collect();
    let many = json!({"type": "conversation_initiation_client_data", "dynamic_variables": many});
    assert!(matches!(decode(&mut BrowserDecoder::new(None, 0), &many), Err(Breach::MalformedMessage(_))));

    let after = [
        (json!({"type": "nonsense"}), "unknown_event"),
        (json!({"type": 7}), "malformed_message"),
        (json!({}), "malformed_message"),
        (json!([1]), "malformed_message"),
        (chunk(0), "bad_payload_length"),
        (chunk(641), "bad_payload_length"),
        (chunk(32_002), "bad_payload_length"),
        (json!({"user_audio_chunk": "!!!!"}), "bad_base64"),
        (json!({"user_audio_chunk": 1e308}), "malformed_message"),
        (json!({"type": "user_message", "text": "x".repeat(4_001)}), "malformed_message"),
        (json!({"type": "user_message", "text": 5}), "malformed_message"),
        (json!({"type": "pong", "event_id": 1e308}), "malformed_message"),
        (json!({"type": "pong"}), "malformed_message"),
        (json!({"type": "client_tool_result"}), "malformed_message"),
        (json!({"type": "client_tool_result", "tool_call_id": "t".repeat(129)}), "malformed_message"),
        (json!({"type": "user_message", "text": "x".repeat(70_000)}), "oversized_message"),
    ];
    for (message, reason) in after {
        let breach = decode(&mut running(), &message).unwrap_err();
        assert_eq!(breach.reason(), reason, "{breach}");
    }
    let binary = running().decode(&WireMessage::Binary(vec![0; 4].into()), &mut Vec::new());
    assert_eq!(binary, Err(Breach::BinaryFrame));
    let deep = format!(
        r#"{{"type":"client_tool_result","tool_call_id":"t","result":{}{}}}"#,
        "[".repeat(9_000),
        "]".repeat(9_000)
    );
    assert!(matches!(running().decode(&WireMessage::Text(deep), &mut Vec::new()), Err(Breach::MalformedMessage(_))));
}

#[test]
fn a_page_that_types_without_end_is_a_flood_and_pongs_are_not() {
    let mut decoder = running();
    for _ in 0..2_000 {
        assert_eq!(decode(&mut decoder, &json!({"type": "user_activity"})), Ok(LegEvent::Activity));
    }
    assert_eq!(decode(&mut decoder, &json!({"type": "pong", "event_id": 1})), Ok(LegEvent::Pong(1)));
    assert_eq!(decode(&mut decoder, &json!({"type": "user_activity"})), Err(Breach::Flood));
}

#[test]
fn unknown_events_are_tolerated_as_far_as_operations_say() {
    let mut decoder = BrowserDecoder::new(None, 1);
    decode(&mut decoder, &json!({"type": "conversation_initiation_client_data"})).unwrap();
    assert_eq!(decode(&mut decoder, &json!({"type": "new"})), Ok(LegEvent::Ignored("unknown_event")));
    assert_eq!(decode(&mut decoder, &json!({"type": "new"})), Err(Breach::UnknownEvent("new".into())));
}

fn text(message: WireMessage) -> String {
    match message {
        WireMessage::Text(text) => text,
        WireMessage::Binary(_) => panic!("clients take text frames alone"),
    }
}

#[test]
fn what_we_send_is_the_clients_text() {
    let ms = Duration::from_millis;
    let (turn, utterance) = (TurnId(3), UtteranceId(2));
    let stages = vec![
        ("endpointing", ms(500)),
        ("stt_final", ms(40)),
        ("llm_first_sentence", ms(1)),
        ("tts_first_audio", ms(9)),
    ];
    let call = ToolCall { name: "show_map".into(), parameters: Map::from_iter([("city".into(), json!("Delhi"))]) };
    let notices = [
        Notice::Started { conversation: ConversationId(Uuid::from_u128(7)) },
        Notice::UserTranscript { turn, text: "in \"Delhi\"".into() },
        Notice::TentativeTranscript { turn, text: "in".into() },
        Notice::AgentPart { utterance, part: AnswerPart::Start },
        Notice::AgentPart { utterance, part: AnswerPart::Delta("Which city?".into()) },
        Notice::AgentPart { utterance, part: AnswerPart::Stop },
        Notice::AgentResponse { utterance, text: "Which city?".into() },
        Notice::Correction { utterance, original: "Which city?".into(), heard: "Which".into() },
        Notice::VadScore(0.7),
        Notice::Latency { utterance, total: ms(550), stages },
        Notice::ToolCall { id: "tool_1".into(), call },
        Notice::ToolDone { id: "tool_1".into(), name: "show_map".into(), is_error: false, answered: true },
        Notice::Ping { id: 1, round_trip: None },
        Notice::Ping { id: 2, round_trip: Some(ms(38)) },
        Notice::Ended { reason: EndReason::Completed },
    ];
    let mut encoder = BrowserEncoder::default();
    encoder.speaking(utterance.into());
    let mut sent: Vec<String> = notices.iter().map(|notice| text(encoder.notice(notice).unwrap())).collect();
    sent.push(text(encoder.audio(&[0x1234, i16::MIN])));
    sent.push(text(encoder.clear().unwrap()));
    insta::assert_snapshot!(sent.join("\n"));
    assert_eq!((encoder.mark("m"), encoder.end(), encoder.dtmf('1')), (None, None, None));
}

#[test]
fn clients_drop_what_was_interrupted_and_nothing_else() {
    let id = |message: WireMessage| {
        let event: Value = serde_json::from_str(&text(message)).unwrap();
        let kind = format!("{}_event", event["type"].as_str().unwrap());
        event[kind]["event_id"].as_u64().unwrap()
    };
    for utterance in 1..50 {
        // A new encoder each time, as after the death of a pump.
        let of = |utterance, resumed| {
            let mut encoder = BrowserEncoder::default();
            encoder.speaking(Voice { utterance: UtteranceId(utterance), resumed });
            encoder
        };
        let interrupted = |utterance, resumed| {
            [id(of(utterance, resumed).audio(&[0; 640])), id(of(utterance, resumed).clear().unwrap())]
        };
        // Held and going on twice, then cut; then the next utterance.
        let ids = [interrupted(utterance, 0), interrupted(utterance, 1), interrupted(utterance, 2)].concat();
        let next = id(of(utterance + 1, 0).audio(&[0; 640]));
        assert!(
            ids.is_sorted_by(|one, other| one < other) && ids[5] < next,
            "both by 'less than' and by 'not greater'"
        );
        assert!(interrupted(utterance, u32::MAX)[1] < next, "however often it was held");
    }
}

#[test]
fn a_close_frame_says_what_a_page_can_show() {
    let dialect = BrowserDialect::default();
    let parting = |reason| dialect.parting(&reason);
    assert_eq!(parting(EndReason::Completed).code, 1000);
    let unknown = parting(EndReason::NoAgent);
    assert_eq!((unknown.code, unknown.reason.contains("agent_id")), (1008, true));
    let breach = parting(EndReason::Breach(Breach::MalformedMessage("é".repeat(200))));
    assert_eq!(breach.code, 1008);
    assert!(breach.reason.starts_with("malformed_message: ") && breach.reason.len() <= 123, "{}", breach.reason);
    assert_eq!(parting(EndReason::Refused).code, 1013);
    let level = Level::Agent;
    let busy = parting(EndReason::Denied(Denied::AtOnce { level, used: 3, most: 3 }));
    assert_eq!((busy.code, busy.reason.contains("minute")), (1013, true), "{}", busy.reason);
    let full = parting(EndReason::Denied(Denied::Today { level, used: 3, most: 3 }));
    assert_eq!((full.code, full.reason.contains("tomorrow")), (1013, true), "{}", full.reason);
    assert_eq!(Parting::of(&EndReason::Denied(Denied::Unanswered)).code, 1008, "what a carrier is told");
    assert_eq!(parting(EndReason::CallCrashed).code, 1011);
}
