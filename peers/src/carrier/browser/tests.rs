//! The page against messages that the switch should, and should not, send.

#![allow(clippy::unwrap_used)]

use super::super::Violation as AnyViolation;
use super::*;
use crate::clock;

fn metadata() -> Value {
    json!({"type": "conversation_initiation_metadata", "conversation_initiation_metadata_event": {
        "conversation_id": "c1", "agent_output_audio_format": "pcm_16000", "user_input_audio_format": "pcm_16000"}})
}

fn audio(event_id: u64, ms: usize) -> Value {
    json!({"type": "audio", "audio_event": {"audio_base_64": STANDARD.encode(vec![1; ms * 32]), "event_id": event_id}})
}

fn interruption(event_id: u64) -> Value {
    json!({"type": "interruption", "interruption_event": {"event_id": event_id}})
}

fn part(kind: &str, text: &str) -> Value {
    json!({"type": "agent_chat_response_part", "text_response_part": {"text": text, "type": kind, "event_id": 2}})
}

fn response(text: &str) -> Value {
    json!({"type": "agent_response", "agent_response_event": {"agent_response": text, "event_id": 2}})
}

fn correction(original: &str, heard: &str) -> Value {
    json!({"type": "agent_response_correction", "agent_response_correction_event": {
        "original_agent_response": original, "corrected_agent_response": heard, "event_id": 2}})
}

fn tool(id: &str) -> Value {
    json!({"type": "client_tool_call", "client_tool_call": {
        "tool_name": "show_map", "tool_call_id": id, "parameters": {"city": "Delhi"}, "event_id": 2}})
}

fn settled(id: &str) -> Value {
    json!({"type": "agent_tool_response", "agent_tool_response": {
        "tool_name": "show_map", "tool_call_id": id, "tool_type": "client", "is_error": false, "is_called": true, "event_id": 2}})
}

fn latency(total: u64) -> Value {
    json!({"type": "turn_latency", "turn_latency_event": {"event_id": 2, "total_ms": total,
        "stages": {"endpointing": 500, "stt": 40, "brain": 1, "tts": 9}}})
}

/// What a page that was just opened makes of these events: the last answers, or the violation.
fn page(events: &[Value]) -> (BrowserPeer, Result<Vec<String>, AnyViolation>) {
    let now = clock::now().into_std();
    let mut page = BrowserPeer::new(Wishes::default(), BTreeMap::new());
    page.open(now);
    let mut last = Ok(Vec::new());
    for event in events {
        last = page.receive(now, &event.to_string());
        if last.is_err() {
            break;
        }
    }
    (page, last)
}

#[test]
fn a_talk_as_it_should_be() {
    let ended = json!({"type": "conversation_ended", "conversation_ended_event": {"reason": "completed"}});
    let (page, last) = page(&[
        metadata(),
        part("start", ""),
        part("delta", "Welcome."),
        part("delta", " Which city?"),
        part("stop", ""),
        response("Welcome. Which city?"),
        audio(2, 200),
        latency(550),
        interruption(3),
        correction("Welcome. Which city?", "Welcome."),
        audio(4, 40),
        tool("tool_1"),
        settled("tool_1"),
        ended,
    ]);
    assert_eq!(last, Ok(Vec::new()));
    assert_eq!(page.seen().agent[&2], "Welcome.");
    assert_eq!(page.seen().tools["tool_1"], ("show_map".to_owned(), Some(true)));
    assert_eq!(page.statistics().clears, 1);
    assert!(page.playback.waiting() <= Duration::from_millis(40), "what was interrupted is gone");
}

#[test]
fn pings_and_tools_are_answered_at_once() {
    let (_, pong) = page(&[metadata(), json!({"type": "ping", "ping_event": {"event_id": 7, "ping_ms": null}})]);
    assert_eq!(pong.unwrap(), [json!({"type": "pong", "event_id": 7}).to_string()]);
    let (_, result) = page(&[metadata(), tool("tool_1")]);
    assert!(result.unwrap()[0].contains("client_tool_result"));
}

#[test]
fn the_microphone_waits_for_the_metadata() {
    let (mut page, _) = page(&[]);
    assert_eq!(page.caller_audio(&[0; FRAME_SAMPLES]), None);
    page.receive(clock::now().into_std(), &metadata().to_string()).unwrap();
    assert!(page.caller_audio(&[0; FRAME_SAMPLES]).unwrap().starts_with(r#"{"user_audio_chunk":""#));
}

#[test]
fn nonsense_is_named() {
    let whole = [part("start", ""), part("delta", "Yes."), part("stop", ""), response("Yes.")];
    let after = |events: &[Value]| [&[metadata()], events].concat();
    let cases = [
        (vec![audio(2, 40)], "before the metadata"),
        (vec![metadata(), metadata()], "metadata twice"),
        (after(&[json!({"type": "nonsense"})]), "unknown type nonsense"),
        (after(&[json!({"event": "media"})]), "no type"),
        (after(&[json!({"type": "interruption", "interruption_event": {"event_id": 1, "x": 1}})]), "unknown field `x`"),
        (after(&[audio(2, 0)]), "it is empty"),
        (after(&[audio(2, 1_100)]), "1.1 s of audio wait"),
        (after(&[audio(4, 40), audio(2, 40)]), "after a greater id"),
        (after(&[audio(2, 40), interruption(2)]), "interrupts nothing"),
        (after(&[audio(2, 40), interruption(3), audio(3, 40)]), "belongs to what was interrupted"),
        (after(&[response("Yes.")]), "whose parts are another"),
        (after(&[part("delta", "Yes.")]), "has not begun"),
        (after(&[&whole[..], &[response("Yes.")]].concat()), "given twice"),
        (after(&[&whole[..], &[correction("Yes.", "No.")]].concat()), "something else than its beginning"),
        (after(&[correction("Yes.", "")]), "was not given"),
        (after(&[json!({"type": "vad_score", "vad_score_event": {"vad_score": 1.2}})]), "not between 0 and 1"),
        (after(&[latency(900)]), "latency of 900 ms is made of 550 ms"),
        (after(&[tool("a"), tool("a")]), "is there twice"),
        (after(&[settled("a")]), "was never made"),
        (after(&[tool("a"), settled("a"), settled("a")]), "settled twice"),
    ];
    for (events, complaint) in cases {
        let (_, outcome) = page(&events);
        let violation = outcome.expect_err(complaint).to_string();
        assert!(violation.contains(complaint), "{complaint:?} in {violation:?}");
    }
}
