//! The description of the interface: pinned, and true.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;

use serde_json::Value;

mod support;

use support::{Answer, Program, answer, boot_with_fakes};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/openapi.json");

async fn description(program: &Program) -> Value {
    let described = program.get("/openapi.json").await;
    assert_eq!((described.status, described.header("content-type")), (200, "application/json"));
    described.json()
}

/// Whether an answer comes from a route, whatever it says.
fn routed(answer: &Answer) -> bool {
    answer.status != 404 || !answer.body.contains("there is nothing at this address")
}

#[tokio::test]
async fn the_description_changes_only_on_purpose() {
    let program = boot_with_fakes().await;
    let described = format!("{}\n", serde_json::to_string_pretty(&description(&program).await).unwrap());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(Path::new(GOLDEN).parent().unwrap()).unwrap();
        std::fs::write(GOLDEN, &described).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    let differs = described.lines().zip(golden.lines()).position(|(now, pinned)| now != pinned);
    let line = differs.unwrap_or_else(|| described.lines().count().min(golden.lines().count())) + 1;
    assert!(
        described == golden,
        "the interface is no longer the one of tests/golden/openapi.json, first at line {line}: if that is meant, run \
         `UPDATE_GOLDEN=1 cargo test --test openapi`, read the difference, and say in the commit what clients will notice"
    );
}

#[tokio::test]
async fn every_described_route_answers_in_both_spellings_and_no_other_method() {
    let program = boot_with_fakes().await;
    let description = description(&program).await;
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() >= 18);
    for (path, item) in paths {
        let of_access = path.starts_with("/api/auth/") || path == "/api/setup";
        let acts = of_access || path.ends_with("/recording/pause") || path.ends_with("/recording/resume");
        let acts = acts || path.ends_with("/rollback") || path.ends_with("/rebase") || path.ends_with("/publish");
        let methods: &[&str] = match path.as_str() {
            "/api/agents" => &["get", "post"],
            "/api/agents/{id}" => &["delete", "get", "patch"],
            "/api/agents/{id}/draft" => &["delete", "get", "patch"],
            "/api/agents/{id}/languages/{code}" => &["delete", "get", "put"],
            _ if is_group(path) => &["get", "put"],
            "/api/agents/create" => &["post"],
            _ if path.starts_with("/api/agents/management/") && path.ends_with("/test") => &["post"],
            "/api/agents/management/{agent_id}/voice" | "/api/agents/management/{agent_id}/calling" => &["get", "post"],
            "/api/users" | "/api/keys" => &["get", "post"],
            "/api/users/me" => &["get", "patch"],
            "/api/users/me/password" => &["post"],
            "/api/users/{id}" => &["delete", "get", "patch"],
            "/api/keys/{id}" => &["delete", "get"],
            "/api/phone-numbers" => &["get", "post"],
            "/api/phone-numbers/{id}" => &["delete", "get", "patch"],
            "/api/business" | "/api/limits" => &["get", "patch"],
            _ if acts => &["post"],
            _ => &["get"],
        };
        assert_eq!(item.as_object().unwrap().keys().collect::<Vec<_>>(), methods, "{path}");
        let concrete = concrete(path);
        for spelling in [concrete.clone(), format!("{}/", concrete.trim_end_matches('/'))] {
            assert!(routed(&program.get(&spelling).await), "{spelling}");
        }
        let unknown = ["DELETE", "PUT", "PATCH", "POST"].into_iter().find(|verb| item[verb.to_lowercase()].is_null());
        let wrong = answer(program.request(unknown.unwrap(), &concrete)).await;
        assert_eq!(wrong.status, 405, "{path}");
    }
    assert!(!routed(&program.get("/api/openapi.json").await));
}

#[tokio::test]
async fn statuses_and_media_types_are_those_described() {
    let program = boot_with_fakes().await;
    let description = description(&program).await;
    for (path, item) in description["paths"].as_object().unwrap() {
        let concrete = concrete(path);
        for request in [concrete.clone(), format!("{concrete}?limit=0&format=pdf")] {
            let (method, verb) = if item["get"].is_object() { ("get", "GET") } else { ("post", "POST") };
            let answered = answer(program.request(verb, &request)).await;
            let described = &item[method]["responses"][answered.status.to_string()];
            assert!(described.is_object(), "{request} answers {}, which is not described", answered.status);
            if answered.status == 204 {
                continue; // there is nothing in it
            }
            let media_type = answered.header("content-type").split(';').next().unwrap();
            assert!(described["content"][media_type].is_object(), "{request} answers {media_type}, not described");
        }
    }
}

#[tokio::test]
async fn who_may_ask_is_described_as_it_is() {
    let program = boot_with_fakes().await;
    let description = description(&program).await;
    let schemes = description["components"]["securitySchemes"].as_object().unwrap();
    assert_eq!((&schemes["bearer"]["scheme"], &schemes["media"]["scheme"]), (&"bearer".into(), &"basic".into()));
    let made = program.running.setup_link().await.unwrap();
    let token = made.expose().split_once('#').unwrap().1;
    let owner = serde_json::json!({ "token": token, "email": "asha@example.test", "password": "violet tractor under seven moons" });
    assert_eq!(answer(program.request("POST", "/api/setup").json(&owner)).await.status, 201);
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let named = |name: &str| {
                let security = operation["security"].as_array().unwrap();
                security.iter().any(|requirement| requirement.get(name).is_some())
            };
            let asked = answer(program.request(&method.to_uppercase(), &concrete(path))).await;
            let challenged = asked.status == 401 && asked.header("www-authenticate").starts_with("Bearer");
            // Log-ins and refreshes are not asked for a token: they have what they show in the body.
            assert_eq!(challenged, named("bearer"), "{method} {path}: {}", asked.body);
            assert_eq!(named("media"), operation["tags"][0] == "media", "{path}");
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let program = boot_with_fakes().await;
    let description = description(&program).await;
    assert_eq!(description["openapi"], "3.1.0");
    let mut waiting = vec![&description];
    let mut references = 0;
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    references += 1;
                    assert!(description.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
                }
                waiting.extend(fields.values());
            }
            Value::Array(items) => waiting.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    assert!(references > 20);
}

/// A path with values in place of its parameters: of rows that are not there, and of a carrier that is.
fn concrete(path: &str) -> String {
    let path = path.replace("{id}", "4711").replace("{agent_id}", "4711").replace("{turn_id}", "1");
    let path = path.replace("{version}", "1").replace("{code}", "hi");
    path.replace("{carrier}", "twilio").replace("{file}", "talk.css")
}

/// A group of an agent's settings.
fn is_group(path: &str) -> bool {
    let group = path.strip_prefix("/api/agents/{id}/");
    ["guardrails", "system-tools", "client-overrides", "client-events", "voice-config"].map(Some).contains(&group)
}
