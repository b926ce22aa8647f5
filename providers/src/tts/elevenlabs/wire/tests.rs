#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;
use serde_json::json;
use tandem_domain::port::{Blame, Retry};

fn route(rate_hz: u32, language: Option<&str>) -> Route {
    Route {
        voice: "JBFqnCBsd6RMkjVDRZzb".to_owned(),
        model: "eleven_flash_v2_5".to_owned(),
        language: language.map(str::to_owned),
        format: Format::of_rate(rate_hz).unwrap(),
    }
}

#[test]
fn urls_name_voice_model_format_and_language() {
    assert_eq!(
        route(8_000, Some("en")).socket_url("http://127.0.0.1:9/"),
        "ws://127.0.0.1:9/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/multi-stream-input?model_id=eleven_flash_v2_5\
         &output_format=ulaw_8000&language_code=en&auto_mode=true&sync_alignment=true&inactivity_timeout=180"
    );
    assert!(route(8_000, None).socket_url("https://api.elevenlabs.io").starts_with("wss://api.elevenlabs.io/v1/"));
    assert_eq!(
        route(16_000, None).stream_url("https://api.elevenlabs.io"),
        "https://api.elevenlabs.io/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/stream?output_format=pcm_16000"
    );
    assert_eq!(
        serde_json::to_value(route(8_000, Some("hi")).body("Hello.")).unwrap(),
        json!({"text": "Hello.", "model_id": "eleven_flash_v2_5", "language_code": "hi"})
    );
}

#[test]
fn a_telephone_gets_mu_law_and_odd_rates_nothing() {
    assert_eq!(Format::of_rate(8_000).unwrap().media, MediaFormat::PCMU_8K);
    assert_eq!(Format::of_rate(24_000).unwrap().name, "pcm_24000");
    assert_eq!(Format::of_rate(11_025), None);
}

#[test]
fn languages_and_voices_are_told_from_what_others_call_them() {
    assert_eq!(language("en-IN", "eleven_flash_v2_5").as_deref(), Some("en"));
    assert_eq!(language("HI", "eleven_turbo_v2_5").as_deref(), Some("hi"));
    assert_eq!(language("en", "eleven_multilingual_v2"), None, "that model refuses the field");
    assert_eq!(language("", "eleven_flash_v2_5"), None);
    assert_eq!(language("e&x=1", "eleven_flash_v2_5"), None);
    assert!(is_voice_id("JBFqnCBsd6RMkjVDRZzb"));
    assert!(!is_voice_id("slt") && !is_voice_id("../../../v1/user/xxxx") && !is_voice_id(""));
}

#[test]
fn client_frames_are_as_documented() {
    let value = |frame: String| serde_json::from_str::<Value>(&frame).unwrap();
    assert_eq!(value(open("s1")), json!({"text": " ", "context_id": "s1"}));
    assert_eq!(
        value(text("s1", "It's \"here\".")),
        json!({"text": "It's \"here\". ", "context_id": "s1", "flush": true})
    );
    assert_eq!(value(text("s1", "Hello.  ")), json!({"text": "Hello. ", "context_id": "s1", "flush": true}));
    assert_eq!(value(close("s1")), json!({"context_id": "s1", "close_context": true}));
}

#[test]
fn server_frames_are_read_in_all_their_spellings() {
    let audio = read(
        r#"{"audio":"/38A","isFinal":null,"contextId":"t1",
            "normalizedAlignment":{"chars":["H","i"],"charStartTimesMs":[0,60],"charDurationsMs":[60,90]},
            "alignment":{"chars":["H","i"],"charStartTimesMs":[0,60],"charsDurationsMs":[60,90]}}"#,
    )
    .unwrap();
    assert_eq!(audio.context.as_deref(), Some("t1"));
    assert_eq!((audio.audio, audio.last, audio.error), (vec![0xff, 0x7f, 0x00], false, None));
    let alignment = audio.alignment.unwrap();
    assert_eq!((alignment.char_start_times_ms, alignment.char_durations_ms), (vec![0.0, 60.0], vec![60.0, 90.0]));

    let last = read(r#"{"is_final":true,"context_id":"t1","audio":null}"#).unwrap();
    assert_eq!((last.context.as_deref(), last.last, last.audio), (Some("t1"), true, vec![]));
    assert_eq!(read("not json"), Err(FrameError::Json));
    assert_eq!(read(r#"{"audio":"***"}"#), Err(FrameError::Base64));
}

#[test]
fn an_error_frame_says_whose_fault_it_is() {
    let frame = r#"{"message":"Have not received a new text input within the timeout of 20.0 seconds.",
                    "error":"input_timeout_exceeded","code":1008}"#;
    let error = read(frame).unwrap().error.unwrap();
    assert_eq!((error.blame(), error.retry()), (Blame::Vendor, Retry::Now));
    assert!(error.to_string().contains("input_timeout_exceeded"));
    let frame = r#"{"message":"…","error":"max_active_conversations","code":1008,"contextId":"t6"}"#;
    assert_eq!(read(frame).unwrap().error, Some(TtsError::Busy { vendor: NAME }));
}

#[test]
fn quota_looks_like_a_wrong_key_and_is_told_apart() {
    let answer = |status, code: &str| {
        refusal(status, json!({"detail": {"status": code, "message": "m"}}).to_string().as_bytes())
    };
    assert_eq!(answer(401, "quota_exceeded"), TtsError::Exhausted { vendor: NAME });
    assert_eq!(answer(401, "invalid_api_key"), TtsError::Unauthorized { vendor: NAME });
    assert!(matches!(answer(400, "voice_not_found"), TtsError::NoSuchVoice { .. }));
    assert!(matches!(answer(404, "voice_not_found"), TtsError::NoSuchVoice { .. }));
    assert_eq!(answer(429, "too_many_concurrent_requests"), TtsError::Busy { vendor: NAME });
    assert_eq!(answer(429, "system_busy").retry(), Retry::NextVendor);
    assert!(matches!(answer(403, "only_for_creator+"), TtsError::Unavailable { .. }));
    assert!(matches!(answer(400, "max_character_limit_exceeded"), TtsError::Failed { .. }));
    assert_eq!(refusal(401, b"<html>"), TtsError::Unauthorized { vendor: NAME });
    assert!(matches!(refusal(502, b""), TtsError::Failed { .. }));
    let fields = json!({"detail": [{"loc": ["body", "text"], "msg": "field required", "type": "missing"}]});
    assert!(refusal(422, fields.to_string().as_bytes()).to_string().contains("field required"));
    assert_eq!(answer(401, "quota_exceeded").blame(), Blame::Us);
}

proptest! {
    #[test]
    fn nothing_that_a_server_sends_panics(frame in ".{0,300}", status in 100u16..600, body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&frame);
        refusal(status, &body);
    }

    #[test]
    fn nothing_that_has_the_right_shape_panics(
        audio in ".{0,40}", context in prop::option::of(".{0,5}"), last in prop::option::of(any::<bool>()),
        chars in prop::collection::vec(".{0,2}", 0..5), starts in prop::collection::vec(any::<f64>(), 0..5), error in prop::option::of(".{0,400}"),
    ) {
        let frame = json!({"audio": audio, "contextId": context, "isFinal": last, "error": error,
            "alignment": {"chars": chars, "charStartTimesMs": starts}});
        if let Ok(heard) = read(&frame.to_string()) {
            prop_assert_eq!(heard.error.is_some(), error.is_some());
        }
    }
}
