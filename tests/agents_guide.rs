//! The voice and calling settings of an agent as clients of the earlier service send and read them, over HTTP.
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::Cursor;
use std::sync::Arc;

use serde_json::{Value, json};
use tandem::Vendors;
use tandem_peers::vendor::{FakeTts, FakeTtsConfig, Fault, FaultPlan};

#[allow(dead_code)]
#[path = "support/stored.rs"]
mod stored;
mod support;

use stored::assert_problem;
use support::{Answer, Program, answer, boot_in, boot_with_fakes, boot_with_settings, fakes};

const AGENT: &str = "/api/agents/management/front-desk";

async fn post(program: &Program, path: &str, body: Value) -> Answer {
    answer(program.request("POST", &format!("{AGENT}/{path}")).json(&body)).await
}

async fn get(program: &Program, path: &str) -> Answer {
    program.get(&format!("{AGENT}/{path}")).await
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_voice_is_read_and_changed() {
    let program = boot_with_fakes().await;
    let uuid = program.get("/api/agents/front-desk").await.json()["uuid"].clone();
    let seen = get(&program, "voice/").await;
    let voice = seen.json();
    let printed =
        ["agent_id", "agent_name", "available_voices", "current_settings", "homeai_status", "personality_options"];
    assert_eq!((seen.status, keys(&voice)), (200, printed.to_vec()));
    assert_eq!((&voice["agent_id"], &voice["agent_name"]), (&uuid, &json!("front-desk")));
    assert_eq!(voice["available_voices"], json!([{"id": "fake", "name": "Fake", "accent": "of no place"}]));
    assert_eq!(voice["homeai_status"], "connected");

    let body = json!({"voice_model": "fake", "personality_type": "professional", "conversation_style": "consultative"});
    let changed = post(&program, "voice/", body).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let told = changed.json();
    assert_eq!(keys(&told), ["homeai_persona_id", "message", "personality_type", "voice_model"]);
    assert_eq!((&told["homeai_persona_id"], &told["voice_model"]), (&uuid, &json!("fake")));
    let now = get(&program, "voice").await;
    assert_eq!(now.header("etag"), changed.header("etag"), "the tag of a change is that of what is read next");
    assert_eq!(now.json()["current_settings"]["personality_type"], "professional");
    let agent = program.get("/api/agents/front-desk").await.json();
    assert_eq!((&agent["voice_id"], &agent["version"]), (&json!("fake"), &json!(2)), "one agent, whatever the shape");

    let late = program.request("POST", &format!("{AGENT}/voice")).header("if-match", seen.header("etag"));
    assert_problem(&answer(late.json(&json!({"language": "hi-IN"}))).await, 412, "precondition");
    let refused =
        post(&program, "voice", json!({"personality_type": "rude", "business_id": 2, "call_timeout": 9})).await;
    assert_problem(&refused, 400, "invalid-request");
    let refused = refused.json();
    let places: Vec<&Value> = refused["errors"].as_array().unwrap().iter().map(|error| &error["parameter"]).collect();
    assert_eq!(places, ["/business_id", "/call_timeout", "/personality_type"]);
    assert_eq!(get(&program, "voice").await.json(), now.json());
}

#[tokio::test]
async fn calling_is_read_and_changed() {
    let settings =
        [("NUMBER_AGENTS", "08047112233=Front-Desk"), ("DEFAULT_REGION", "IN"), ("MAX_CALL_DURATION_MINUTES", "5")];
    let program = boot_with_settings(&settings).await.unwrap();
    let seen = get(&program, "calling/").await;
    let calling = seen.json();
    let printed =
        ["agent_id", "agent_name", "agent_type", "call_settings", "phone_numbers", "twilio_features", "twilio_status"];
    assert_eq!((seen.status, keys(&calling)), (200, printed.to_vec()));
    assert_eq!((&calling["agent_type"], &calling["twilio_status"]), (&json!("ai"), &json!("not_configured")));
    assert_eq!(calling["phone_numbers"], json!([{"number": "+918047112233", "type": "main", "active": true}]));
    assert_eq!(calling["call_settings"]["max_call_duration"], 300, "the server's, where the agent has none");
    for body in [
        json!({"number": "+918047110000", "agent": "front-desk", "type": "sales"}),
        json!({"number": "+918047112233", "active": false}),
    ] {
        let added = answer(program.request("POST", "/api/phone-numbers").json(&body)).await;
        assert_eq!(added.status, 201, "{}", added.body);
    }
    let expected = json!([
        {"number": "+918047110000", "type": "sales", "active": true},
        {"number": "+918047112233", "type": "main", "active": false},
    ]);
    let seen = get(&program, "calling").await;
    assert_eq!(seen.json()["phone_numbers"], expected, "given to it, and left to the configuration");
    let given_away = program.request("PATCH", "/api/phone-numbers/+918047112233").json(&json!({"agent": "assistant"}));
    assert_eq!(answer(given_away).await.status, 200);
    let seen = get(&program, "calling").await;
    assert_eq!(seen.json()["phone_numbers"].as_array().unwrap().len(), 1, "{}", seen.body);

    let wanted = json!({"auto_answer_inbound": false, "enable_call_recording": false, "call_timeout": 45, "max_call_duration": 1200});
    let changed = post(&program, "calling/", json!({"call_settings": wanted})).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let now = get(&program, "calling").await;
    assert_eq!((now.json(), now.header("etag")), (changed.json(), changed.header("etag")));
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(&now.json()["call_settings"][name], value, "{name}");
    }
    let agent = program.get("/api/agents/front-desk").await;
    assert_eq!(agent.json()["max_conversation_duration_seconds"], 1200);
    let by_agent = program.request("POST", &format!("{AGENT}/calling")).header("if-match", agent.header("etag"));
    let body = json!({"twilio_features": {"machine_detection": true}});
    assert_eq!(answer(by_agent.json(&body)).await.status, 200, "the agent's own tag will do");
    let late = program.request("POST", &format!("{AGENT}/calling")).header("if-match", seen.header("etag"));
    assert_problem(&answer(late.json(&body)).await, 412, "precondition");
    let refused = post(&program, "calling", json!({"call_settings": {"call_timeout": 1}, "role": "owner"})).await;
    assert_problem(&refused, 400, "invalid-request");
    assert_eq!(refused.json()["errors"][0]["parameter"], "/call_settings/call_timeout");
    assert_eq!(refused.json()["errors"][1]["parameter"], "/role");
}

#[tokio::test]
async fn a_test_of_the_voice_can_be_heard() {
    let program = boot_with_fakes().await;
    let tested = post(&program, "voice/test/", json!({"test_message": "a flat in Delhi"})).await;
    assert_eq!(tested.status, 200, "{}", tested.body);
    let told = tested.json();
    let printed = ["agent_response", "personality_detected", "response_time_ms", "test_successful", "voice_url"];
    assert_eq!(keys(&told), printed);
    assert_eq!(keys(&told["personality_detected"]), ["confidence", "detected_tone", "emotion"]);
    assert_eq!((&told["test_successful"], &told["personality_detected"]["confidence"]), (&json!(true), &json!(0)));
    let said = told["agent_response"].as_str().unwrap();
    assert!(said.starts_with("Hello, this is Tandem's front desk."), "{said}");

    let url = told["voice_url"].as_str().unwrap();
    assert!(url.starts_with(&program.base()) && url.ends_with(".wav"), "{url}");
    let sound = program.client.get(url).send().await.unwrap();
    assert_eq!((sound.status().as_u16(), sound.headers()["content-type"].to_str().unwrap()), (200, "audio/wav"));
    let bytes = sound.bytes().await.unwrap();
    let pcm = tandem_codecs::wav::read(Cursor::new(&bytes)).unwrap();
    assert_eq!(pcm.rate.hz(), 16_000);
    assert!(pcm.samples.len() > 16_000 && pcm.samples.iter().any(|sample| sample.unsigned_abs() > 1_000));

    let part = program.client.get(url).header("range", "bytes=0-3").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.bytes().await.unwrap().as_ref()), (206, b"RIFF".as_slice()));
    let outside = answer(program.client.get(url).header("range", format!("bytes={}-", bytes.len()))).await;
    assert_problem(&outside, 416, "invalid-request");
    let path = url.strip_prefix(&program.base()).unwrap();
    let uuid = program.get("/api/agents/assistant").await.json()["uuid"].as_str().unwrap().to_owned();
    let agent = path.split('/').nth(4).unwrap();
    for wrong in [path.replace(".wav", ".mp3"), path.replace(agent, &uuid), path.replace(agent, "front-desk")] {
        assert_problem(&program.get(&wrong).await, 404, "not-found");
    }
    for body in [json!({}), json!({"test_message": " "}), json!({"test_message": "x", "business_id": 2}), json!([])] {
        assert_problem(&post(&program, "voice/test", body).await, 400, "invalid-request");
    }
}

#[tokio::test]
async fn a_voice_that_fails_is_told_with_the_reason() {
    let broken = FakeTtsConfig { faults: FaultPlan::always(Fault::Error), ..FakeTtsConfig::default() };
    let vendors = Vendors { tts: Some(Arc::new(FakeTts::new(broken))), ..fakes() };
    let program = boot_in(tempfile::tempdir().unwrap(), &[], vendors).await.unwrap();
    let told = post(&program, "voice/test", json!({"test_message": "Hello"})).await.json();
    assert_eq!((&told["test_successful"], &told["voice_url"]), (&json!(false), &json!("")));
    assert!(told["detail"].as_str().unwrap().contains("failed as planned"), "{told}");
}

#[tokio::test]
async fn nobody_is_called_where_nothing_can_dial_and_the_answer_says_so() {
    let program = boot_with_settings(&[("DEFAULT_REGION", "IN")]).await.unwrap();
    let refused = post(&program, "calling/test/", json!({"test_number": "098765 43210"})).await;
    assert_problem(&refused, 409, "no-trunk");
    let told = refused.json();
    assert_eq!((&told["test_call_initiated"], &told["test_number"]), (&json!(false), &json!("+919876543210")));
    for body in [json!({"test_number": "nobody"}), json!({}), json!({"test_number": "098765 43210", "agent_id": 7})] {
        assert_problem(&post(&program, "calling/test", body).await, 400, "invalid-request");
    }
    let nobody =
        program.request("POST", "/api/agents/management/nobody/calling/test").json(&json!({"test_number": "x"}));
    assert_problem(&answer(nobody).await, 404, "not-found");
}
