//! Agents over HTTP: made, read, changed by two editors at once, and met by the next call.
#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::{Value, json};
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{AgentStore, RowKey};

#[allow(dead_code)]
#[path = "support/stored.rs"]
mod stored;
mod support;

use stored::assert_problem;
use support::{Answer, Program, answer, boot_with_fakes};

async fn send(program: &Program, method: &str, path: &str, body: Value) -> Answer {
    answer(program.request(method, path).json(&body)).await
}

fn of_the_guide() -> Value {
    json!({
        "name": "Asha", "sales_script_text": "Namaste from Acme!\nAsk for the budget.",
        "business_info": {"company_name": "Acme"}, "knowledge_files": {"products": "Flats in Gurugram."},
    })
}

#[tokio::test]
async fn an_agent_is_made_and_found_by_number_id_and_name() {
    let program = boot_with_fakes().await;
    let made = send(&program, "POST", "/api/agents/create/", of_the_guide()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let agent = made.json();
    assert_eq!((&agent["name"], &agent["version"], &agent["call_timeout"]), (&json!("Asha"), &json!(1), &json!(30)));
    let uuid = agent["uuid"].as_str().unwrap();
    for key in [agent["id"].to_string().as_str(), uuid, "asha", "ASHA"] {
        for path in [format!("/api/agents/{key}"), format!("/api/agents/{key}/config/")] {
            let found = program.get(&path).await;
            assert_eq!((found.status, found.json()), (200, agent.clone()), "{path}");
            assert_eq!(found.header("etag"), made.header("etag"));
        }
    }
    let fresh = program.request("GET", "/api/agents/asha").header("if-none-match", made.header("etag"));
    assert_eq!(answer(fresh).await.status, 304);
    let listed = program.get("/api/agents?limit=2").await.json();
    assert_eq!((&listed["items"][0]["name"], listed["items"].as_array().unwrap().len()), (&json!("front-desk"), 2));
    let next = program.get(&format!("/api/agents?cursor={}", listed["next_cursor"].as_str().unwrap())).await.json();
    assert_eq!((&next["items"][1]["name"], &next["next_cursor"]), (&json!("Asha"), &Value::Null));
    assert_problem(&send(&program, "POST", "/api/agents", json!({"name": "ASHA"})).await, 409, "conflict");
    assert_problem(&program.get("/api/agents/nobody").await, 404, "not-found");
}

#[tokio::test]
async fn a_change_is_met_by_the_next_call_and_written_down() {
    let program = boot_with_fakes().await;
    send(&program, "POST", "/api/agents", of_the_guide()).await;
    let now = async || program.running.store.agent(BusinessId::FIRST, RowKey::parse("Asha")).await.unwrap().unwrap();
    let before = now().await;
    assert_eq!(before.script.first_line(), Some("Namaste from Acme!"));
    let body = json!({"sales_script_text": "Good day!", "max_call_duration": 120});
    let changed = send(&program, "PATCH", "/api/agents/Asha", body.clone()).await;
    assert_eq!((changed.status, &changed.json()["version"]), (200, &json!(2)), "{}", changed.body);
    assert_eq!(changed.json()["max_conversation_duration_seconds"], 120);
    let after = now().await;
    assert_eq!((after.script.first_line(), after.timing.max_duration.as_secs()), (Some("Good day!"), 120));
    assert_eq!(before.script.first_line(), Some("Namaste from Acme!"), "a call that began keeps what it began with");
    let again = send(&program, "PATCH", "/api/agents/Asha", body).await;
    assert_eq!(again.json(), changed.json(), "what changes nothing makes no version");
}

#[tokio::test]
async fn two_editors_lose_nothing() {
    let program = boot_with_fakes().await;
    let made = send(&program, "POST", "/api/agents", of_the_guide()).await;
    let edit = async |tag: &str, body: Value| {
        answer(program.request("PATCH", "/api/agents/Asha").header("if-match", tag).json(&body)).await
    };
    assert_eq!(edit(made.header("etag"), json!({"call_timeout": 40})).await.status, 200);
    assert_problem(&edit(made.header("etag"), json!({"call_timeout": 50})).await, 412, "precondition");
    assert_problem(&edit("version 1", json!({"call_timeout": 50})).await, 400, "precondition");
    assert_eq!(program.get("/api/agents/Asha").await.json()["call_timeout"], 40);
    assert_eq!(edit("*", json!({"call_timeout": 60})).await.status, 200);
}

#[tokio::test]
async fn what_does_not_fit_is_told_with_its_place_and_changes_nothing() {
    let program = boot_with_fakes().await;
    send(&program, "POST", "/api/agents", of_the_guide()).await;
    let before = program.get("/api/agents/Asha").await.json();
    for (body, places) in [
        (json!({"call_timeout": 4, "eagernes": "low", "retention_days": 1}), vec!["/call_timeout", "/eagernes"]),
        (json!({"business_id": 2}), vec!["/business_id"]),
        (json!({"version": 7, "role": "owner"}), vec!["/role", "/version"]),
        (json!({"business_info": {"company_name": 7}}), vec!["/business_info/company_name"]),
        (json!({"name": null}), vec!["/name"]),
        (json!([1]), vec![""]),
    ] {
        let refused = send(&program, "PATCH", "/api/agents/Asha", body).await;
        assert_problem(&refused, 400, "invalid-request");
        let told = refused.json();
        let mut told: Vec<&str> =
            told["errors"].as_array().unwrap().iter().map(|error| error["parameter"].as_str().unwrap()).collect();
        told.sort_unstable();
        assert_eq!(told, places);
    }
    for name in ["create", "7", "a/b", ""] {
        assert_problem(&send(&program, "POST", "/api/agents", json!({ "name": name })).await, 400, "invalid-request");
    }
    let deep = "[".repeat(10_000);
    let deep = program.request("PATCH", "/api/agents/Asha").body(deep);
    assert_problem(&answer(deep).await, 400, "invalid-request");
    assert_eq!(program.get("/api/agents/Asha").await.json(), before);
}
