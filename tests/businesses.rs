//! A second business beside the first: made by the command line, used over HTTP by its owner, and unseen from the first.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

mod support;
#[path = "support/typed.rs"]
mod typed;

use support::{Answer, Program, answer, boot_in, fakes};
use typed::{json_of, refused, tandem};

const PASSWORD: &str = "violet tractor under seven moons\n";
const ASHA: &str = "asha@example.test";
const BELA: &str = "bela@example.test";

fn assert_problem(answer: &Answer, status: u16, kind: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.json()["type"], format!("urn:tandem:problem:{kind}"));
}

fn add(folder: &Path, name: &str, owner: &str, zone: &str) -> Output {
    tandem(folder, &["business", "add", name, "--owner", owner, "--time-zone", zone, "--json"], PASSWORD)
}

async fn send(program: &Program, method: &str, path: &str, bearer: &str, body: Value) -> Answer {
    answer(program.request(method, path).bearer_auth(bearer).json(&body)).await
}

async fn get(program: &Program, path: &str, bearer: &str) -> Answer {
    answer(program.request("GET", path).bearer_auth(bearer)).await
}

async fn log_in(program: &Program, email: &str) -> String {
    let body = json!({ "email": email, "password": PASSWORD.trim() });
    let answer = answer(program.request("POST", "/api/auth/login/").json(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["tokens"]["access"].as_str().unwrap().to_owned()
}

/// A program with Asha in the first business and Bela in Acme; their tokens.
async fn two() -> (Program, String, String) {
    let folder = tempfile::tempdir().unwrap();
    json_of(&tandem(folder.path(), &["user", "add", ASHA, "--role", "owner", "--json"], PASSWORD));
    json_of(&add(folder.path(), "Acme", BELA, "Asia/Kolkata"));
    let program = boot_in(folder, &[], fakes()).await.unwrap();
    let (asha, bela) = (log_in(&program, ASHA).await, log_in(&program, BELA).await);
    (program, asha, bela)
}

#[test]
fn the_command_line_makes_lists_and_renames_businesses() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    refused(&add(at, "Acme", BELA, "Asia/Kolkata"), "tandem user add EMAIL --role owner");
    json_of(&tandem(at, &["user", "add", ASHA, "--role", "owner", "--json"], PASSWORD));

    let made = json_of(&add(at, "Acme", BELA, "Asia/Kolkata"));
    assert_eq!((&made["id"], &made["name"], &made["time_zone"]), (&json!(2), &json!("Acme"), &json!("Asia/Kolkata")));
    refused(&add(at, "aCME", "c@example.test", "Asia/Kolkata"), "choose another name");
    refused(&add(at, "Third", BELA, "Asia/Kolkata"), "has an account already");
    refused(&add(at, "Third", "nobody", "Asia/Kolkata"), "name@example.com");
    refused(&add(at, "Third", "c@example.test", "IST"), "such as Asia/Kolkata");
    refused(&add(at, "42", "c@example.test", "Asia/Kolkata"), "no number");
    refused(&tandem(at, &["business", "add", "Third", "--owner", "c@example.test"], "short\n"), "15 characters");
    assert_eq!(json_of(&tandem(at, &["business", "list", "--json"], "")).as_array().unwrap().len(), 2, "and no third");

    let renamed = json_of(&tandem(at, &["business", "rename", "acme", "Acme Homes", "--json"], ""));
    assert_eq!((&renamed["id"], &renamed["uuid"], &renamed["name"]), (&json!(2), &made["uuid"], &json!("Acme Homes")));
    refused(&tandem(at, &["business", "rename", "2", "default"], ""), "choose another name");
    refused(&tandem(at, &["business", "rename", "Acme", "Third"], ""), "tandem business list");
    let shown = String::from_utf8(tandem(at, &["business", "list"], "").stdout).unwrap();
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("NUMBER") && lines[1].ends_with("Default"), "{shown}");
    assert!(lines[2].starts_with('2') && lines[2].contains("Asia/Kolkata") && lines[2].ends_with("Acme Homes"));
    let help = tandem(at, &["business", "--help"], "");
    assert!(String::from_utf8_lossy(&help.stdout).contains("Examples:"));
}

#[test]
fn people_keys_and_agents_are_managed_in_the_business_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    json_of(&tandem(at, &["user", "add", ASHA, "--role", "owner", "--json"], PASSWORD));
    json_of(&add(at, "Acme", BELA, "Asia/Kolkata"));
    // Before the command or after it; by name or by number.
    let add_user = ["user", "--business", "Acme", "add", "cara@example.test", "--role", "viewer", "--json"];
    json_of(&tandem(at, &add_user, PASSWORD));
    json_of(&tandem(at, &["key", "make", "CRM", "--scope", "calls:read", "--business", "2", "--json"], ""));
    std::fs::write(at.join("asha.toml"), tandem(at, &["agent", "export", "front-desk"], "").stdout).unwrap();
    let applied = json_of(&tandem(at, &["agent", "apply", "asha.toml", "--business", "acme", "--json"], ""));
    assert_eq!(applied[0]["outcome"], "created", "that of the first business is another");

    let names = |arguments: &[&str], field: &str| -> Vec<String> {
        let listed = json_of(&tandem(at, arguments, ""));
        listed.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap().to_owned()).collect()
    };
    for (kind, field, theirs) in [
        ("user", "email", &[BELA, "cara@example.test"][..]),
        ("key", "name", &["CRM"]),
        ("agent", "name", &["front-desk"]),
    ] {
        assert_eq!(names(&[kind, "list", "--business", "Acme", "--json"], field), theirs, "{kind}");
        refused(&tandem(at, &[kind, "list", "--business", "Nobody"], ""), "tandem business list");
    }
    assert_eq!(names(&["user", "list", "--json"], "email"), [ASHA]);
    assert!(names(&["key", "list", "--json"], "name").is_empty());
    refused(&tandem(at, &["user", "password", BELA], PASSWORD), "there is no user");
}

#[tokio::test]
async fn an_owner_edits_their_own_business_and_sees_no_other() {
    let (program, asha, bela) = two().await;
    let users = get(&program, "/api/users", &bela).await.json();
    let emails: Vec<&Value> = users["items"].as_array().unwrap().iter().map(|user| &user["email"]).collect();
    assert_eq!(emails, [&json!(BELA)]);
    assert_eq!(get(&program, "/api/agents", &bela).await.json()["items"], json!([]));
    assert_eq!(send(&program, "POST", "/api/agents", &bela, json!({ "name": "Sales" })).await.status, 201);
    for bela_s in ["/api/agents/Sales", "/api/users/bela@example.test"] {
        assert_eq!(get(&program, bela_s, &bela).await.status, 200);
        assert_problem(&get(&program, bela_s, &asha).await, 404, "not-found");
    }
    assert_problem(&get(&program, "/api/agents/front-desk", &bela).await, 404, "not-found");

    let first = get(&program, "/api/business", &asha).await;
    let (ours, theirs) = (first.json(), get(&program, "/api/business", &bela).await);
    assert_eq!((&ours["id"], &ours["name"], &ours["time_zone"]), (&json!(1), &json!("Default"), &Value::Null));
    let seen = theirs.header("etag").to_owned();
    assert_eq!((&theirs.json()["id"], &theirs.json()["name"]), (&json!(2), &json!("Acme")));
    let held = program.request("GET", "/api/business").bearer_auth(&bela).header("if-none-match", &seen);
    assert_eq!(answer(held).await.status, 304);

    let patch = |tag: &str, body: Value| {
        answer(program.request("PATCH", "/api/business").bearer_auth(&bela).header("if-match", tag).json(&body))
    };
    let renamed = patch(&seen, json!({ "name": "Acme Homes" })).await;
    assert_eq!((renamed.status, &renamed.json()["name"]), (200, &json!("Acme Homes")), "{}", renamed.body);
    // Who read it before that is told, and undoes nothing.
    assert_problem(&patch(&seen, json!({ "name": "Acme Flats" })).await, 412, "precondition");
    assert_eq!(get(&program, "/api/business", &bela).await.json(), renamed.json());
    assert_problem(&patch("*", json!({ "name": "dEFAULT" })).await, 409, "conflict");
    let again = patch(renamed.header("etag"), json!({ "name": "Acme Homes" })).await;
    assert_eq!(again.header("etag"), renamed.header("etag"), "nothing is different");
    for (place, body) in [
        ("/id", json!({ "id": 1 })),
        ("/uuid", json!({ "uuid": ours["uuid"] })),
        ("/business_id", json!({ "business_id": 1, "name": "Mine" })),
        ("/nmae", json!({ "nmae": "Mine" })),
        ("/name", json!({ "name": "12" })),
        ("/name", json!({ "name": null })),
        ("/time_zone", json!({ "time_zone": "IST" })),
        ("", json!([])),
    ] {
        let refused = patch("*", body).await;
        assert_problem(&refused, 400, "invalid-request");
        assert_eq!(refused.json()["errors"][0]["parameter"], place, "{}", refused.body);
    }
    assert_eq!(get(&program, "/api/business", &bela).await.json(), renamed.json());

    // Recorded once, where she sees it and Asha does not.
    let changes = async |bearer: &str| {
        let records = get(&program, "/api/audit?kind=business&action=updated", bearer).await.json();
        records["items"].as_array().unwrap().iter().map(|record| record["changes"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(changes(&bela).await, [json!([{ "at": "/name", "before": "Acme", "after": "Acme Homes" }])]);
    assert!(changes(&asha).await.is_empty());
    assert_eq!(get(&program, "/api/business", &asha).await.json(), ours);
}

#[tokio::test]
async fn the_zone_is_one_wherever_it_is_shown() {
    let (program, _, bela) = two().await;
    let zone = async |path: &str| get(&program, path, &bela).await.json()["time_zone"].clone();
    assert_eq!(zone("/api/limits").await, "Asia/Kolkata", "as the command line gave it");
    for (path, given, other) in [
        ("/api/business", json!("Europe/London"), "/api/limits"),
        ("/api/limits", json!("Asia/Dubai"), "/api/business"),
        ("/api/business", Value::Null, "/api/limits"),
    ] {
        let seen = get(&program, other, &bela).await.header("etag").to_owned();
        let changed = send(&program, "PATCH", path, &bela, json!({ "time_zone": given })).await;
        assert_eq!((changed.status, zone(other).await), (200, given), "{}", changed.body);
        let late = program.request("PATCH", other).bearer_auth(&bela).header("if-match", seen);
        assert_problem(&answer(late.json(&json!({ "time_zone": "UTC" }))).await, 412, "precondition");
    }
}

#[tokio::test]
async fn only_admins_change_a_business_and_no_key_does() {
    let (program, asha, _) = two().await;
    let operator = json!({ "email": "op@example.test", "password": PASSWORD.trim(), "role": "operator" });
    assert_eq!(send(&program, "POST", "/api/users", &asha, operator).await.status, 201);
    let made = send(&program, "POST", "/api/keys", &asha, json!({ "name": "CRM", "scopes": ["settings:read"] })).await;
    let (key, operator) = (made.json()["key"].as_str().unwrap().to_owned(), log_in(&program, "op@example.test").await);
    for bearer in [&operator, &key] {
        assert_eq!(get(&program, "/api/business", bearer).await.json()["name"], "Default");
        let refused = send(&program, "PATCH", "/api/business", bearer, json!({ "name": "Mine" })).await;
        assert_problem(&refused, 403, "forbidden");
    }
    let wide = json!({ "name": "x", "scopes": ["business:write"] });
    assert_problem(&send(&program, "POST", "/api/keys", &asha, wide).await, 400, "invalid-request");
    assert_eq!(answer(program.request("GET", "/api/business")).await.status, 401);
}
