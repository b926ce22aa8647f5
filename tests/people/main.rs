//! People, keys and the record of changes over HTTP: who may make whom what, who is out at once, and what another business sees of it.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

use serde_json::{Value, json};
use tandem_access::audit::{Action, Changes, Origin, Record, Resource, Who};
use tandem_access::port::AccessStore as _;
use tandem_actors::clock;
use tandem_domain::ids::BusinessId;

mod audited;
mod bodies;
mod forgery;
mod keys;
mod log_ins;
mod office;
mod rows;
mod sockets;
#[path = "../support/stored.rs"]
mod stored;
#[path = "../support/mod.rs"]
mod support;
mod tenants;

use office::{ASHA, Office, PASSWORD};
use stored::assert_problem;
use support::{answer, boot_with_fakes};

const NEXT_PASSWORD: &str = "slow granite orchestra under rain";

#[tokio::test]
async fn admins_manage_people_and_nobody_rises_by_their_own_hand() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    for (email, role) in [("admin@example.test", "admin"), ("op@example.test", "operator")] {
        let made = office.add(&owner, email, role).await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!((&made.json()["role"], &made.json()["disabled"]), (&json!(role), &json!(false)));
        assert!(!made.body.contains("argon2") && !made.body.contains(PASSWORD));
    }
    let admin = office.log_in("admin@example.test").await;
    let operator = office.log_in("op@example.test").await;
    let listed = office.get("/api/users", &admin).await.json();
    let emails: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap()).collect();
    assert_eq!(emails, [ASHA, "admin@example.test", "op@example.test"]);

    // Admins make admins and not owners; what an owner is, an owner changes.
    assert_problem(&office.add(&admin, "x@example.test", "owner").await, 403, "forbidden");
    let rises = office.send("PATCH", "/api/users/admin@example.test", &admin, json!({ "role": "owner" })).await;
    assert_problem(&rises, 403, "forbidden");
    let falls = office.send("PATCH", &format!("/api/users/{ASHA}"), &admin, json!({ "role": "viewer" })).await;
    assert_problem(&falls, 403, "forbidden");
    for (method, path) in
        [("GET", "/api/users"), ("DELETE", "/api/users/2"), ("GET", "/api/keys"), ("GET", "/api/audit")]
    {
        assert_problem(&office.send(method, path, &operator, json!({})).await, 403, "forbidden");
    }

    // A business keeps an owner.
    for (method, body) in
        [("PATCH", json!({ "role": "admin" })), ("PATCH", json!({ "disabled": true })), ("DELETE", json!({}))]
    {
        let refused = office.send(method, &format!("/api/users/{ASHA}"), &owner, body).await;
        assert_problem(&refused, 403, "forbidden");
        assert!(refused.json()["detail"].as_str().unwrap().contains("last owner"), "{}", refused.body);
    }
    let second = office.send("PATCH", "/api/users/admin@example.test", &owner, json!({ "role": "owner" })).await;
    assert_eq!((second.status, &second.json()["role"]), (200, &json!("owner")));
    let gone = office.send("DELETE", &format!("/api/users/{ASHA}"), &admin, json!({})).await;
    assert_eq!(gone.status, 204, "there is another one: {}", gone.body);
    assert_problem(&office.get("/api/users/me", &owner).await, 401, "unauthorized");
    assert_problem(&office.get(&format!("/api/users/{ASHA}"), &admin).await, 404, "not-found");
}

#[tokio::test]
async fn what_is_not_theirs_to_set_is_refused_and_changes_nothing() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    office.add(&owner, "v@example.test", "viewer").await;
    let before = office.get("/api/users/v@example.test", &owner).await.json();
    let new = |extra: Value| {
        let mut body = json!({ "email": "n@example.test", "password": PASSWORD, "role": "viewer" });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };
    for field in ["business_id", "id", "number", "uuid", "password_hash", "disabled_at", "created_at", "under_attack"] {
        let extra = json!({ (field): 2 });
        assert_problem(&office.send("POST", "/api/users", &owner, new(extra.clone())).await, 400, "invalid-request");
        let patched = office.send("PATCH", "/api/users/v@example.test", &owner, extra.clone()).await;
        assert_problem(&patched, 400, "invalid-request");
        assert_problem(&office.send("PATCH", "/api/users/me", &owner, extra).await, 400, "invalid-request");
    }
    assert_problem(
        &office.send("PATCH", "/api/users/me", &owner, json!({ "role": "viewer" })).await,
        400,
        "invalid-request",
    );
    for (field, extra) in [
        ("/role", json!({ "role": "root" })),
        ("/name", json!({ "name": "a\nb" })),
        ("/name", json!({ "name": "n".repeat(201) })),
        ("/email", json!({ "email": "nobody" })),
        ("/password", json!({ "password": "short" })),
        ("/password", json!({ "password": "n@example.test n" })),
    ] {
        let refused = office.send("POST", "/api/users", &owner, new(extra)).await;
        assert_problem(&refused, 400, "invalid-request");
        assert_eq!(refused.json()["errors"][0]["parameter"], field, "{}", refused.body);
    }
    assert_problem(&office.add(&owner, " V@example.test ", "viewer").await, 409, "conflict");
    assert_eq!(office.get("/api/users/v@example.test", &owner).await.json(), before);
    assert_eq!(office.get("/api/users", &owner).await.json()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn another_password_ends_all_other_log_ins_and_this_one_goes_on() {
    let office = Office::open().await;
    let (here, here_refresh) = office.tokens(ASHA, PASSWORD).await;
    let (elsewhere, elsewhere_refresh) = office.tokens(ASHA, PASSWORD).await;
    let change = async |current: &str, new: &str| {
        let body = json!({ "current_password": current, "new_password": new });
        office.send("POST", "/api/users/me/password", &here, body).await
    };
    let wrong = change("not the password at all", NEXT_PASSWORD).await;
    assert_problem(&wrong, 400, "invalid-request");
    assert_eq!(wrong.json()["errors"][0]["parameter"], "/current_password");
    let weak = change(PASSWORD, "short").await;
    assert_eq!((weak.status, &weak.json()["errors"][0]["parameter"]), (400, &json!("/new_password")));
    assert_eq!(office.get("/api/calls", &elsewhere).await.status, 200, "nothing has changed yet");

    let changed = change(PASSWORD, NEXT_PASSWORD).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let next = changed.json()["tokens"]["access"].as_str().unwrap().to_owned();
    for dead in [&here, &elsewhere] {
        assert_problem(&office.get("/api/calls", dead).await, 401, "unauthorized");
    }
    for dead in [here_refresh, elsewhere_refresh] {
        assert_problem(&office.post("/api/auth/refresh", json!({ "refresh": dead })).await, 401, "unauthorized");
    }
    assert_eq!(office.get("/api/users/me", &next).await.json()["email"], ASHA);
    let refresh = changed.json()["tokens"]["refresh"].clone();
    assert_eq!(office.post("/api/auth/refresh", json!({ "refresh": refresh })).await.status, 200);
    assert_problem(&office.try_log_in(ASHA, PASSWORD).await, 401, "unauthorized");
    assert_eq!(office.try_log_in(ASHA, NEXT_PASSWORD).await.status, 200);
}

#[tokio::test]
async fn whoever_holds_a_token_and_not_the_password_guesses_slowly() {
    let office = Office::open().await;
    let token = office.log_in(ASHA).await;
    let guess = || {
        let body = json!({ "current_password": "violet tractor under six moons", "new_password": NEXT_PASSWORD });
        office.send("POST", "/api/users/me/password", &token, body)
    };
    for _ in 0..5 {
        assert_problem(&guess().await, 400, "invalid-request");
    }
    let waits = guess().await;
    assert_problem(&waits, 429, "too-many-requests");
    assert_eq!(waits.header("retry-after"), "1");
}

#[tokio::test]
async fn a_token_alone_is_not_enough_to_keep_its_owner_out() {
    let office = Office::open().await;
    let token = office.log_in(ASHA).await;
    let body = json!({ "password": NEXT_PASSWORD });
    let refused = office.send("PATCH", &format!("/api/users/{ASHA}"), &token, body).await;
    assert_problem(&refused, 400, "invalid-request");
    assert_eq!(refused.json()["errors"][0]["parameter"], "/password");
    assert_eq!(office.try_log_in(ASHA, PASSWORD).await.status, 200, "it is the one that it was");
}

#[tokio::test]
async fn a_restart_forgives_no_guesses() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    let me = office.get("/api/users/me", &owner).await.json();
    assert_eq!(me["under_attack"], false);
    let refused = || Record {
        at: clock::utc(),
        business: BusinessId::FIRST,
        who: Who::Unknown,
        from: Origin::new(Some([127, 0, 0, 1].into()), None, None),
        action: Action::LogInRefused,
        resource: Resource { kind: "user".to_owned(), id: me["id"].as_str().unwrap().to_owned() },
        changes: Changes::default(),
    };
    // As many as would take hours to try: the wait outlives whatever a restart takes.
    for _ in 0..110 {
        office.program.running.store.record(refused()).await.unwrap();
    }
    let office = office.restarted(&[("SECRET_KEY", office::KEY)]).await;
    let waits = office.try_log_in(ASHA, PASSWORD).await;
    assert_problem(&waits, 429, "too-many-requests");
    let seconds: u64 = waits.header("retry-after").parse().unwrap();
    assert!((2..=60).contains(&seconds), "{seconds} s: the address is one that she has logged in from");
    assert_eq!(office.get("/api/calls", &owner).await.status, 200, "and the log-in itself goes on");
}

#[tokio::test]
async fn who_is_disabled_given_a_password_or_another_role_meets_it_at_the_next_request() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    office.add(&owner, "b@example.test", "admin").await;
    let theirs = office.log_in("b@example.test").await;
    let patch = async |body: Value| {
        let patched = office.send("PATCH", "/api/users/b@example.test", &owner, body).await;
        assert_eq!(patched.status, 200, "{}", patched.body);
        patched.json()
    };
    patch(json!({ "role": "viewer" })).await;
    assert_problem(&office.get("/api/users", &theirs).await, 403, "forbidden");
    assert_eq!(office.get("/api/calls", &theirs).await.status, 200);

    let disabled = patch(json!({ "disabled": true })).await;
    assert!(disabled["disabled"] == true && disabled["disabled_at"].is_string());
    assert_problem(&office.get("/api/calls", &theirs).await, 401, "unauthorized");
    assert_problem(&office.try_log_in("b@example.test", PASSWORD).await, 401, "unauthorized");
    patch(json!({ "disabled": false })).await;
    assert_problem(&office.get("/api/calls", &theirs).await, 401, "unauthorized");

    let again = office.log_in("b@example.test").await;
    patch(json!({ "password": NEXT_PASSWORD })).await;
    assert_problem(&office.get("/api/calls", &again).await, 401, "unauthorized");
    assert_eq!(office.try_log_in("b@example.test", NEXT_PASSWORD).await.status, 200);
}

#[tokio::test]
async fn every_change_is_recorded_once_and_found_by_what_it_was() {
    let office = Office::open().await;
    let owner = office.log_in(ASHA).await;
    let id = office.add(&owner, "c@example.test", "viewer").await.json()["id"].as_str().unwrap().to_owned();
    office
        .send("PATCH", "/api/users/c@example.test", &owner, json!({ "role": "admin", "password": NEXT_PASSWORD }))
        .await;
    office.send("PATCH", "/api/users/c@example.test", &owner, json!({ "role": "admin" })).await; // nothing is different
    let key = office.make_key(&owner, &["calls:read"]).await;
    let key_id = &key[4..20];
    for _ in 0..2 {
        assert_eq!(office.send("DELETE", &format!("/api/keys/{key_id}"), &owner, json!({})).await.status, 204);
    }
    office.send("DELETE", "/api/users/c@example.test", &owner, json!({})).await;

    let all = office.get("/api/audit?limit=100", &owner).await;
    assert!(!all.body.contains(PASSWORD) && !all.body.contains(NEXT_PASSWORD) && !all.body.contains(&key));
    let told = |items: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let items = items["items"].as_array().unwrap().iter();
        items.map(|item| (text(&item["resource"]["kind"]), text(&item["action"]))).collect()
    };
    let expected = [
        ("user", "deleted"),
        ("api_key", "revoked"),
        ("api_key", "created"),
        ("user", "updated"),
        ("user", "created"),
        ("session", "logged_in"),
        ("user", "set_up"),
    ];
    assert_eq!(told(&all.json()), expected.map(|(kind, action)| (kind.to_owned(), action.to_owned())));
    let updated = &all.json()["items"][3];
    assert_eq!((&updated["who"]["kind"], &updated["who"]["id"]), (&json!("user"), &json!(1)));
    assert_eq!(updated["from"]["address"], "127.0.0.1");
    let changes = json!([{ "at": "/password", "before": "***", "after": "***" }, { "at": "/role", "before": "viewer", "after": "admin" }]);
    assert_eq!(updated["changes"], changes);

    let of_one = office.get(&format!("/api/audit?kind=user&id={id}&action=Updated"), &owner).await.json();
    assert_eq!(told(&of_one).len(), 1);
    assert!(told(&office.get("/api/audit?to=2026-01-01", &owner).await.json()).is_empty());
    for wrong in ["action=flown", "from=yesterday", "who=me", "limit=0", "cursor=x"] {
        assert_problem(&office.get(&format!("/api/audit?{wrong}"), &owner).await, 400, "invalid-request");
    }
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = office.get(&format!("/api/audit?limit=3&{next}"), &owner).await.json();
        seen.extend(told(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("cursor={cursor}");
    }
    assert_eq!(seen, told(&all.json()));
}

#[tokio::test]
async fn an_open_machine_makes_neither_people_nor_keys() {
    let program = boot_with_fakes().await;
    for (path, body) in [
        ("/api/users", json!({ "email": ASHA, "password": PASSWORD, "role": "owner" })),
        ("/api/keys", json!({ "name": "back door", "scopes": ["calls:read"] })),
    ] {
        let refused = answer(program.request("POST", path).json(&body)).await;
        assert_problem(&refused, 403, "closed");
        assert!(refused.json()["detail"].as_str().unwrap().contains("tandem user add"), "names the remedy");
        assert_eq!(program.get(path).await.json()["items"], json!([]));
    }
    assert_problem(&program.get("/api/users/me").await, 403, "forbidden");
    assert!(program.running.setup_link().await.is_some());
}
