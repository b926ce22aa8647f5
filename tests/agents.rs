//! Agents over HTTP: made, read, changed by two editors at once, met by the next call, deleted, and nobody else's.
#![allow(clippy::unwrap_used, missing_docs)]

use futures_util::future::join_all;
use serde_json::{Value, json};
use tandem_access::audit::Action;
use tandem_access::port::AccessStore;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{AgentStore, RowKey};

#[allow(dead_code)]
#[path = "support/stored.rs"]
mod stored;
mod support;
#[path = "support/tenant.rs"]
mod tenant;

use stored::assert_problem;
use support::{Answer, Program, answer, boot_with_fakes, boot_with_settings};

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

/// Places of a refused body that are told.
fn places(refused: &Answer) -> Vec<String> {
    let told = refused.json();
    let errors = told["errors"].as_array().unwrap().iter();
    errors.map(|error| error["parameter"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_group_is_replaced_as_a_whole_by_whoever_has_seen_it() {
    let program = boot_with_fakes().await;
    send(&program, "POST", "/api/agents", of_the_guide()).await;
    for (group, one, other, bad, place) in [
        ("guardrails", json!({"no_pii": true}), json!(["no_politics"]), json!({"no_fun": true}), "/no_fun"),
        ("system-tools", json!({"skip_turn": true}), json!(["end_call"]), json!({"skip_turn": 1}), "/skip_turn"),
        ("client-overrides", json!(["voice"]), json!({"language": false}), json!(["business_id"]), "/0"),
        ("client-events", json!(["audio", "ping"]), json!({"audio": false}), json!({"role": true}), "/role"),
        ("voice-config", json!({"speed": 1.2}), json!({"stability": 0.7}), json!({"version": 7}), "/version"),
    ] {
        let path = format!("/api/agents/Asha/{group}");
        let put = async |tag: &str, body: &Value| {
            answer(program.request("PUT", &path).header("if-match", tag).json(body)).await
        };
        let seen = program.get(&path).await;
        assert_eq!(seen.status, 200, "{group}: {}", seen.body);
        assert_problem(&send(&program, "PUT", &path, one.clone()).await, 428, "precondition");
        let replaced = put(seen.header("etag"), &one).await;
        assert_eq!(replaced.status, 200, "{group}: {}", replaced.body);
        assert_ne!(replaced.json(), seen.json(), "{group}");
        assert_problem(&put(seen.header("etag"), &other).await, 412, "precondition");
        let read = program.get(&path).await;
        assert_eq!((read.json(), read.header("etag")), (replaced.json(), replaced.header("etag")), "{group}");
        let agent = program.get("/api/agents/Asha").await;
        assert_eq!(put(agent.header("etag"), &other).await.status, 200, "{group}: the agent's own tag will do");
        let refused = put("*", &bad).await;
        assert_problem(&refused, 400, "invalid-request");
        assert_eq!(places(&refused), [place], "{group}");
        assert_eq!(put("*", &seen.json()).await.json(), seen.json(), "{group}: what is shown can be sent back");
    }
    assert_eq!(program.get("/api/agents/Asha").await.json()["call_timeout"], 30, "other groups stay");
}

#[tokio::test]
async fn a_language_has_a_voice_of_its_own() {
    let program = boot_with_fakes().await;
    send(&program, "POST", "/api/agents", of_the_guide()).await;
    let path = "/api/agents/Asha/languages/hi-IN";
    assert_problem(&program.get(path).await, 404, "not-found");
    let made = send(&program, "PUT", path, json!({"voice_id": "asha"})).await;
    assert_eq!((made.status, made.json()), (201, json!({"language_code": "hi-IN", "voice_id": "asha"})));
    assert_eq!(program.get("/api/agents/Asha/languages/HI-in").await.json(), made.json());
    assert_problem(&send(&program, "PUT", path, json!({})).await, 428, "precondition");
    let other =
        program.request("PUT", path).header("if-match", made.header("etag")).json(&json!({"tts_provider": "flite"}));
    assert_eq!(answer(other).await.status, 200);
    assert_eq!(send(&program, "PUT", "/api/agents/Asha/languages/ta", json!({})).await.status, 201);
    let rows = program.get("/api/agents/Asha").await.json()["languages"].clone();
    assert_eq!(rows, json!([{"language_code": "hi-IN", "tts_provider": "flite"}, {"language_code": "ta"}]));
    let refused = send(&program, "PUT", "/api/agents/Asha/languages/te", json!({"voice": "x", "voice_id": 1})).await;
    assert_problem(&refused, 400, "invalid-request");
    assert_eq!(places(&refused), ["/voice", "/voice_id"]);
    assert_eq!(answer(program.request("DELETE", path)).await.status, 204);
    assert_problem(&answer(program.request("DELETE", path)).await, 404, "not-found");
    assert_eq!(program.get("/api/agents/Asha").await.json()["languages"], json!([{"language_code": "ta"}]));
}

#[tokio::test]
async fn an_agent_is_deleted_unless_the_server_needs_it() {
    let settings = [("DEFAULT_AGENT", "logistics"), ("NUMBER_AGENTS", "+918047112233=assistant")];
    let program = boot_with_settings(&settings).await.unwrap();
    let made = send(&program, "POST", "/api/agents", of_the_guide()).await;
    let delete = async |name: &str, tag: &str| {
        answer(program.request("DELETE", &format!("/api/agents/{name}")).header("if-match", tag)).await
    };
    for (name, why) in [("logistics", "DEFAULT_AGENT"), ("assistant", "NUMBER_AGENTS"), ("front-desk", "playbook")] {
        let refused = delete(name, "*").await;
        assert_problem(&refused, 409, "conflict");
        assert!(refused.json()["detail"].as_str().unwrap().contains(why), "{}", refused.body);
        let renamed = send(&program, "PATCH", &format!("/api/agents/{name}"), json!({"name": "Other"})).await;
        assert_problem(&renamed, 409, "conflict");
    }
    assert_problem(&delete("Asha", "\"before\"").await, 412, "precondition");
    assert_eq!(delete("Asha", made.header("etag")).await.status, 204);
    for (method, path) in [("GET", ""), ("DELETE", ""), ("GET", "/draft"), ("GET", "/versions"), ("GET", "/prompt")] {
        let gone = answer(program.request(method, &format!("/api/agents/Asha{path}"))).await;
        assert_problem(&gone, 404, "not-found");
    }
    assert_eq!(program.running.store.agent(BusinessId::FIRST, RowKey::parse("Asha")).await.unwrap(), None);
    let recorded = &program.running.store.records(BusinessId::FIRST, None, 1).await.unwrap()[0].1;
    assert_eq!(
        (recorded.action, recorded.resource.id.as_str()),
        (Action::Deleted, made.json()["uuid"].as_str().unwrap())
    );
    assert_eq!(send(&program, "POST", "/api/agents", of_the_guide()).await.status, 201, "its name is free");
}

#[tokio::test]
async fn what_is_anothers_is_not_there_whatever_is_asked_of_it() {
    let program = boot_with_fakes().await;
    let made = send(&program, "POST", "/api/agents", of_the_guide()).await.json();
    send(&program, "PATCH", "/api/agents/Asha/draft", json!({"call_timeout": 40})).await;
    let before = program.get("/api/agents/Asha").await.json();
    let other = tenant::add_business(&program).await;
    let key = tenant::key(&program, other).await;
    let described = program.get("/openapi.json").await.json();
    let paths = described["paths"].as_object().unwrap();
    let mut asked = 0;
    for (path, item) in paths.iter().filter(|(path, _)| path.starts_with("/api/agents/") && path.contains('{')) {
        for method in item.as_object().unwrap().keys() {
            for agent in [made["id"].to_string().as_str(), made["uuid"].as_str().unwrap(), "Asha"] {
                let address = path.replace("{id}", agent).replace("{agent_id}", agent);
                let address = address.replace("{version}", "1").replace("{code}", "hi").replace("{file}", "x.wav");
                let request = program.request(&method.to_uppercase(), &address).json(&json!({"call_timeout": 50}));
                let request = request.header("authorization", format!("Bearer {key}")).header("if-match", "*");
                assert_problem(&answer(request).await, 404, "not-found");
                asked += 1;
            }
        }
    }
    assert!(asked >= 90, "{asked}");
    assert_eq!(program.get("/api/agents/Asha").await.json(), before);
    let own = program.request("POST", "/api/agents").header("authorization", format!("Bearer {key}"));
    let own = answer(own.json(&of_the_guide())).await;
    assert_eq!((own.status, &own.json()["business_id"]), (201, &json!(other.0)), "names are a business's own");
}

#[tokio::test]
async fn of_editors_at_once_one_is_first_and_other_fields_are_nobodys_loss() {
    let program = boot_with_fakes().await;
    let made = send(&program, "POST", "/api/agents", of_the_guide()).await;
    let patch = |body: Value| program.request("PATCH", "/api/agents/Asha").json(&body);
    let same = (0..8).map(|n| answer(patch(json!({"call_timeout": 40 + n})).header("if-match", made.header("etag"))));
    let mut answered: Vec<u16> = join_all(same).await.iter().map(|answer| answer.status).collect();
    answered.sort_unstable();
    assert_eq!(answered, [[200_u16].as_slice(), &[412; 7]].concat());
    let fields = [("call_timeout", 60), ("retention_days", 7), ("daily_call_limit", 5)];
    let others = fields.map(|(name, value)| answer(patch(json!({ name: value }))));
    assert!(join_all(others).await.iter().all(|answer| answer.status == 200));
    let agent = program.get("/api/agents/Asha").await.json();
    assert!(fields.iter().all(|(name, value)| agent[*name] == *value), "{agent}");
    assert_eq!(agent["version"], 5);
}
