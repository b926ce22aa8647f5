//! `tandem user` and `tandem key`: on the machine itself, before the first start and beside a running server.
#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::json;

mod support;
#[path = "support/typed.rs"]
mod typed;

use support::{answer, boot_in, fakes};
use typed::{json_of, refused, tandem};

const PASSWORD: &str = "violet tractor under seven moons\n";

#[tokio::test]
async fn the_first_owner_is_made_before_the_first_start_and_nobody_gets_in_without() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let add = |email: &str, role: &str, typed: &str| {
        tandem(at, &["user", "add", email, "--role", role, "--name", "Asha", "--json"], typed)
    };
    refused(&add("asha@example.test", "viewer", PASSWORD), "the first user of a business is its owner");
    refused(&add("asha@example.test", "owner", "short\n"), "15 characters");
    refused(&add("asha@example.test", "owner", ""), "first line of stdin");
    refused(&add("nobody", "owner", PASSWORD), "name@example.com");
    refused(&add("asha@example.test", "root", PASSWORD), "viewer, operator, admin and owner");
    let made = json_of(&add("asha@example.test", "owner", PASSWORD));
    assert_eq!(
        (&made["email"], &made["role"], &made["number"]),
        (&json!("asha@example.test"), &json!("owner"), &json!(1))
    );
    refused(&add("asha@example.test", "owner", PASSWORD), "tandem user password");

    let key = tandem(at, &["key", "make", "CRM", "--scope", "calls:read", "--expires", "90d", "--json"], "");
    assert!(String::from_utf8_lossy(&key.stderr).contains("only time"));
    let key = json_of(&key);
    let (text, id) = (key["key"].as_str().unwrap(), key["id"].as_str().unwrap());
    refused(&tandem(at, &["key", "make", "x", "--scope", "users:write"], ""), "cannot be given to a key");
    refused(&tandem(at, &["key", "make", "x", "--scope", "calls:*"], ""), "no such scope");
    refused(&tandem(at, &["key", "make", "x", "--scope", "calls:read", "--expires", "soon"], ""), "90d");
    let listed = json_of(&tandem(at, &["key", "list", "--json"], ""));
    assert_eq!(
        (&listed[0]["id"], &listed[0]["name"], listed.as_array().unwrap().len()),
        (&json!(id), &json!("CRM"), 1)
    );
    assert!(!listed.to_string().contains(&text[21..]));
    let scopes = json_of(&tandem(at, &["key", "scopes", "--json"], ""));
    assert!(scopes.as_array().unwrap().contains(&json!("talks:start")) && !scopes.to_string().contains("users:write"));

    // The server that starts on it is closed from the first request on.
    let program = boot_in(folder, &[], fakes()).await.unwrap();
    let at = program.folder.path().to_owned();
    assert!(program.running.setup_link().await.is_none());
    assert_eq!(program.get("/api/calls").await.status, 401);
    let with_key = || answer(program.request("GET", "/api/calls").bearer_auth(text));
    assert_eq!(with_key().await.status, 200);
    let log_in = async |password: &str| {
        let body = json!({ "email": "asha@example.test", "password": password.trim() });
        answer(program.request("POST", "/api/auth/login/").json(&body)).await
    };
    let token = log_in(PASSWORD).await.json()["tokens"]["access"].as_str().unwrap().to_owned();

    // Beside it: what is revoked here is refused there at once.
    json_of(&tandem(&at, &["key", "revoke", id, "--json"], ""));
    assert_eq!(with_key().await.status, 401);
    refused(&tandem(&at, &["key", "revoke", id], ""), "tandem key list");
    refused(&tandem(&at, &["key", "revoke", "tdm_short"], ""), "16 characters");
    let next = "slow granite orchestra under rain\n";
    json_of(&tandem(&at, &["user", "password", "asha@example.test", "--json"], next));
    let mine = || answer(program.request("GET", "/api/users/me").bearer_auth(&token));
    assert_eq!(mine().await.status, 401, "logged out everywhere");
    assert_eq!(log_in(PASSWORD).await.status, 401);
    let token = log_in(next).await.json()["tokens"]["access"].as_str().unwrap().to_owned();
    refused(&tandem(&at, &["user", "password", "nobody@example.test"], next), "tandem user list");

    let records = answer(program.request("GET", "/api/audit").bearer_auth(&token)).await.json();
    let by_cli = records["items"].as_array().unwrap().iter().filter(|item| item["who"]["kind"] == "cli");
    let told: Vec<&str> = by_cli
        .inspect(|item| assert_eq!(item["who"]["account"], "ops"))
        .map(|item| item["action"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["updated", "revoked", "created", "created"]);
}

#[test]
fn people_and_keys_are_shown_in_columns() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (email, role) in [("asha@example.test", "owner"), ("b@example.test", "viewer")] {
        json_of(&tandem(at, &["user", "add", email, "--role", role, "--json"], PASSWORD));
    }
    let shown = tandem(at, &["user", "list"], "");
    let text = String::from_utf8(shown.stdout).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NUMBER", "EMAIL", "ROLE", "STATE", "NAME"]);
    assert_eq!(lines[1], ["1", "asha@example.test", "owner", "active"]);
    assert_eq!(lines[2], ["2", "b@example.test", "viewer", "active"]);
    for command in ["user", "key"] {
        let help = tandem(at, &[command, "--help"], "");
        assert!(String::from_utf8_lossy(&help.stdout).contains("Examples:"), "{command}");
    }
}
