//! Telephone numbers and limits over HTTP: added, read, changed by two editors at once, removed, and nobody else's.
#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::{Value, json};
use tandem_access::audit::{Action, Resource};
use tandem_access::port::AccessStore;
use tandem_access::role::Capability;
use tandem_domain::ids::{AgentId, BusinessId};
use tandem_domain::number::Number;
use tandem_domain::port::store::{LimitStore, NumberRoutes};

#[allow(dead_code)]
#[path = "support/stored.rs"]
mod stored;
mod support;
#[allow(dead_code)]
#[path = "support/tenant.rs"]
mod tenant;

use stored::assert_problem;
use support::{Answer, Program, answer, boot_with_fakes, boot_with_settings};

const OURS: BusinessId = BusinessId::FIRST;

async fn send(program: &Program, method: &str, path: &str, body: Value) -> Answer {
    answer(program.request(method, path).json(&body)).await
}

async fn route(program: &Program, number: &str) -> Option<(bool, Option<AgentId>)> {
    let number = Number::read(number, None).unwrap();
    program.running.store.route(OURS, number).await.unwrap().map(|route| (route.active, route.agent))
}

fn places(refused: &Answer) -> Vec<String> {
    assert_problem(refused, 400, "invalid-request");
    let told = refused.json();
    let mut places: Vec<_> = told["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["parameter"].as_str().unwrap().to_owned())
        .collect();
    places.sort_unstable();
    places
}

#[tokio::test]
async fn a_number_is_added_found_changed_and_removed() {
    let program = boot_with_settings(&[("DEFAULT_REGION", "IN")]).await.unwrap();
    let made =
        send(&program, "POST", "/api/phone-numbers/", json!({"number": "080 4711 2233", "agent": "front-desk"})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let number = made.json();
    assert_eq!(
        (&number["number"], &number["type"], &number["active"]),
        (&json!("+918047112233"), &json!("main"), &json!(true))
    );
    assert_eq!((&number["agent_id"], &number["agent_name"]), (&json!(1), &json!("front-desk")));
    assert!(number.get("revision").is_none(), "{number}");
    let uuid = number["uuid"].as_str().unwrap();
    for key in [number["id"].to_string().as_str(), uuid, "+918047112233", "%2B918047112233"] {
        let found = program.get(&format!("/api/phone-numbers/{key}")).await;
        assert_eq!((found.status, found.json()), (200, number.clone()), "{key}");
        assert_eq!(found.header("etag"), made.header("etag"));
    }
    let fresh = program.request("GET", "/api/phone-numbers/1").header("if-none-match", made.header("etag"));
    assert_eq!(answer(fresh).await.status, 304);
    let same = json!({"number": "+918047112233"});
    assert_problem(&send(&program, "POST", "/api/phone-numbers", same).await, 409, "conflict");
    assert_eq!(route(&program, "+918047112233").await, Some((true, Some(AgentId(1)))));

    let changed = send(&program, "PATCH", "/api/phone-numbers/1", json!({"active": false, "agent_id": null})).await;
    assert_eq!((changed.status, &changed.json()["agent_id"]), (200, &Value::Null), "{}", changed.body);
    assert_eq!(route(&program, "+918047112233").await, Some((false, None)), "the next call meets the change");
    let again = send(&program, "PATCH", "/api/phone-numbers/1", json!({"active": false})).await;
    assert_eq!(again.header("etag"), changed.header("etag"), "what changes nothing is no change");

    let listed = program.get("/api/phone-numbers?limit=1").await.json();
    assert_eq!((&listed["items"][0]["uuid"], &listed["next_cursor"]), (&json!(uuid), &Value::Null));
    let removed = answer(program.request("DELETE", "/api/phone-numbers/+918047112233")).await;
    assert_eq!((removed.status, removed.body.as_str()), (204, ""));
    assert_problem(&program.get("/api/phone-numbers/1").await, 404, "not-found");
    assert_problem(&answer(program.request("DELETE", "/api/phone-numbers/1")).await, 404, "not-found");
    assert_eq!(route(&program, "+918047112233").await, None);

    let records = program.running.store.records(OURS, None, 10).await.unwrap();
    let told: Vec<_> = records.iter().map(|(_, record)| (record.action, record.resource.clone())).collect();
    let resource = Resource { kind: "phone_number".to_owned(), id: uuid.to_owned() };
    let expected = [Action::Deleted, Action::Updated, Action::Created].map(|action| (action, resource.clone()));
    assert_eq!(told, expected, "newest first; what was refused or changed nothing is not there");
}

#[tokio::test]
async fn two_editors_of_a_number_lose_nothing() {
    let program = boot_with_fakes().await;
    let made = send(&program, "POST", "/api/phone-numbers", json!({"number": "+918047112233"})).await;
    let edit = async |method: &str, tag: &str, body: Value| {
        answer(program.request(method, "/api/phone-numbers/1").header("if-match", tag).json(&body)).await
    };
    assert_eq!(edit("PATCH", made.header("etag"), json!({"type": "support"})).await.status, 200);
    assert_problem(&edit("PATCH", made.header("etag"), json!({"type": "sales"})).await, 412, "precondition");
    assert_problem(&edit("DELETE", made.header("etag"), json!({})).await, 412, "precondition");
    assert_problem(&edit("PATCH", "7", json!({"type": "sales"})).await, 400, "precondition");
    assert_eq!(program.get("/api/phone-numbers/1").await.json()["type"], "support");
    assert_eq!(edit("DELETE", "*", json!({})).await.status, 204);
}

#[tokio::test]
async fn what_does_not_fit_is_told_with_its_place_and_changes_nothing() {
    let program = boot_with_fakes().await;
    send(&program, "POST", "/api/phone-numbers", json!({"number": "+918047112233"})).await;
    for (body, expected) in [
        (json!({}), vec!["/number"]),
        (json!({"number": "the office"}), vec!["/number"]),
        (json!({"number": "+979123456789012345", "activ": 1}), vec!["/activ", "/number"]),
        (json!({"number": "+918047112234", "business_id": 2, "type": ""}), vec!["/business_id", "/type"]),
        (json!({"number": "+918047112234", "agent_name": "nobody"}), vec!["/agent_name"]),
        (json!([1]), vec![""]),
    ] {
        assert_eq!(places(&send(&program, "POST", "/api/phone-numbers", body).await), expected);
    }
    for (body, expected) in [
        (json!({"number": "+918047112234"}), vec!["/number"]),
        (json!({"id": 7, "active": "no"}), vec!["/active", "/id"]),
        (json!({"agent_id": 4711}), vec!["/agent_id"]),
    ] {
        assert_eq!(places(&send(&program, "PATCH", "/api/phone-numbers/1", body).await), expected);
    }
    let deep = program.request("POST", "/api/phone-numbers").body("[".repeat(10_000));
    assert_problem(&answer(deep).await, 400, "invalid-request");
    assert_eq!(program.get("/api/phone-numbers").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn limits_are_read_and_changed() {
    let program = boot_with_fakes().await;
    let first = program.get("/api/limits").await;
    assert_eq!(first.json(), json!({"concurrent_call_limit": -1, "daily_call_limit": -1, "time_zone": null}));
    let wanted = json!({"concurrent_call_limit": 5, "time_zone": "Asia/Kolkata"});
    let changed = send(&program, "PATCH", "/api/limits/", wanted).await;
    assert_eq!((changed.status, &changed.json()["concurrent_call_limit"]), (200, &json!(5)), "{}", changed.body);
    let limits = program.running.store.business_limits(OURS).await.unwrap();
    assert_eq!((limits.caps.at_once, limits.zone.map(|zone| zone.name())), (Some(5), Some("Asia/Kolkata")));
    let stale = program.request("PATCH", "/api/limits").header("if-match", first.header("etag"));
    assert_problem(&answer(stale.json(&json!({"daily_call_limit": 1}))).await, 412, "precondition");
    let wrong = json!({"concurrent_call_limit": -2, "time_zone": "IST", "spend": 1});
    assert_eq!(
        places(&send(&program, "PATCH", "/api/limits", wrong).await),
        ["/concurrent_call_limit", "/spend", "/time_zone"]
    );
    assert_eq!(program.get("/api/limits").await.json(), changed.json());
}

#[tokio::test]
async fn numbers_and_limits_are_their_businesss_own_and_need_their_scope() {
    let program = boot_with_fakes().await;
    let made = send(&program, "POST", "/api/phone-numbers", json!({"number": "+918047112233", "agent_id": 1})).await;
    let uuid = made.json()["uuid"].as_str().unwrap().to_owned();
    let theirs = tenant::add_business(&program).await;
    let scopes = [Capability::ReadSettings, Capability::ManageNumbers];
    let stranger = tenant::key_of(&program, theirs, &scopes).await;
    let as_stranger = async |method: &str, path: &str, body: Value| {
        let request = program.request(method, path).header("authorization", format!("Bearer {stranger}"));
        answer(request.json(&body)).await
    };
    for id in ["1", uuid.as_str(), "+918047112233"] {
        for method in ["GET", "PATCH", "DELETE"] {
            let foreign = as_stranger(method, &format!("/api/phone-numbers/{id}"), json!({"active": false})).await;
            assert_problem(&foreign, 404, "not-found");
        }
    }
    assert_eq!(as_stranger("GET", "/api/phone-numbers", json!({})).await.json()["items"], json!([]));
    let stolen = json!({"number": "+918047112234", "agent_id": 1});
    assert_eq!(places(&as_stranger("POST", "/api/phone-numbers", stolen).await), ["/agent_id"]);
    assert_problem(&as_stranger("PATCH", "/api/limits", json!({"daily_call_limit": 1})).await, 403, "forbidden");
    assert_eq!(as_stranger("GET", "/api/limits", json!({})).await.status, 200);
    assert_eq!(program.get("/api/phone-numbers/1").await.json(), made.json(), "nothing was changed");

    let reader = tenant::key_of(&program, OURS, &[Capability::ReadSettings]).await;
    let write = program.request("POST", "/api/phone-numbers").header("authorization", format!("Bearer {reader}"));
    assert_problem(&answer(write.json(&json!({"number": "+918047112235"}))).await, 403, "forbidden");
}
