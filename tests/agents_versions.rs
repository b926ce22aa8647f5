//! Versions and drafts of agents over HTTP: the history, what changed, the way back, what nobody meets yet, and the prompt as it is assembled.
#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::{Value, json};
use tandem_access::audit::Action;
use tandem_access::port::AccessStore;
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

async fn post(program: &Program, path: &str) -> Answer {
    answer(program.request("POST", path)).await
}

/// The program with an agent of two versions.
async fn with_asha() -> Program {
    let program = boot_with_fakes().await;
    let one = json!({"name": "Asha", "sales_script_text": "Namaste!\nAsk for the budget.", "call_timeout": 20});
    assert_eq!(send(&program, "POST", "/api/agents", one).await.status, 201);
    let two = json!({"sales_script_text": "Good day!\nAsk for the budget.", "guardrails": ["no_pii"]});
    assert_eq!(send(&program, "PATCH", "/api/agents/Asha", two).await.status, 200);
    program
}

/// What the next call is greeted with.
async fn first_line(program: &Program) -> String {
    let agent = program.running.store.agent(BusinessId::FIRST, RowKey::parse("asha")).await.unwrap().unwrap();
    agent.script.first_line().unwrap().to_owned()
}

#[tokio::test]
async fn the_history_is_told_newest_first_and_gone_back_to() {
    let program = with_asha().await;
    let versions = program.get("/api/agents/Asha/versions?limit=1").await.json();
    let newest = &versions["items"][0];
    assert_eq!((&newest["version"], &newest["origin"], &newest["live"]), (&json!(2), &json!("edited"), &json!(true)));
    assert_eq!(newest["changed_by"], "local");
    let next = format!("/api/agents/Asha/versions?cursor={}", versions["next_cursor"].as_str().unwrap());
    let oldest = program.get(&next).await.json();
    assert_eq!((&oldest["items"][0]["version"], &oldest["items"][0]["live"]), (&json!(1), &json!(false)));
    assert_eq!(oldest["next_cursor"], Value::Null);

    let one = program.get("/api/agents/Asha/versions/1").await;
    assert_eq!((one.status, &one.json()["settings"]["call_timeout"]), (200, &json!(20)));
    let fresh = program.request("GET", "/api/agents/Asha/versions/1").header("if-none-match", one.header("etag"));
    assert_eq!(answer(fresh).await.status, 304);
    for number in ["3", "0", "-1", "one"] {
        let absent = program.get(&format!("/api/agents/Asha/versions/{number}")).await;
        assert_problem(&absent, 404, "not-found");
    }

    let seen = program.get("/api/agents/Asha").await;
    let back = answer(
        program.request("POST", "/api/agents/Asha/versions/1/rollback/").header("if-match", seen.header("etag")),
    );
    let back = back.await;
    assert_eq!((back.status, &back.json()["version"]), (200, &json!(3)), "{}", back.body);
    assert_eq!(first_line(&program).await, "Namaste!", "the next call meets it");
    let again = post(&program, "/api/agents/Asha/versions/1/rollback").await;
    assert_eq!(again.json(), back.json(), "what changes nothing makes no version");
    let late = program.request("POST", "/api/agents/Asha/versions/2/rollback").header("if-match", seen.header("etag"));
    assert_problem(&answer(late).await, 412, "precondition");
    assert_problem(&post(&program, "/api/agents/Asha/versions/9/rollback").await, 404, "not-found");
    let newest = &program.get("/api/agents/Asha/versions").await.json()["items"][0];
    assert_eq!((&newest["origin"], &newest["rolled_back_to"]), (&json!("rolled_back"), &json!(1)));
    let recorded = &program.running.store.records(BusinessId::FIRST, None, 1).await.unwrap()[0].1;
    assert_eq!((recorded.action, recorded.resource.kind.as_str()), (Action::RolledBack, "agent"));
    assert!(recorded.changes.list.iter().any(|change| change.at == "/sales_script_text"));
}

#[tokio::test]
async fn what_changed_is_told_setting_by_setting() {
    let program = with_asha().await;
    let told = program.get("/api/agents/Asha/diff?from=1&to=live").await.json();
    assert_eq!((&told["from"], &told["to"]), (&json!(1), &json!(2)));
    let differences = told["differences"].as_array().unwrap();
    assert_eq!(differences[0]["field"], "sales_script_text");
    assert_eq!((&differences[0]["lines"]["added"], &differences[0]["lines"]["removed"]), (&json!(1), &json!(1)));
    assert_eq!((&differences[1]["field"], &differences[1]["entry"]), (&json!("guardrails"), &json!("no_pii")));
    assert_eq!(differences.len(), 2);
    assert_problem(&program.get("/api/agents/Asha/diff").await, 404, "not-found");
    for query in ["from=v1", "to=0", "form=1"] {
        assert_problem(&program.get(&format!("/api/agents/Asha/diff?{query}")).await, 400, "invalid-request");
    }
}

#[tokio::test]
async fn a_draft_is_written_by_two_and_met_when_it_is_published() {
    let program = with_asha().await;
    for path in ["draft", "prompt?version=draft"] {
        assert_problem(&program.get(&format!("/api/agents/Asha/{path}")).await, 404, "not-found");
    }
    for action in ["publish", "rebase"] {
        assert_problem(&post(&program, &format!("/api/agents/Asha/draft/{action}")).await, 404, "not-found");
    }
    let seen = program.get("/api/agents/Asha").await;
    let begun = send(&program, "PATCH", "/api/agents/Asha/draft", json!({"sales_script_text": "Hello!"})).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let draft = begun.json();
    assert_eq!(
        (&draft["based_on"], &draft["live_version"], &draft["up_to_date"]),
        (&json!(2), &json!(2), &json!(true))
    );
    assert_eq!(
        (&draft["settings"]["sales_script_text"], &draft["settings"]["call_timeout"]),
        (&json!("Hello!"), &json!(20))
    );
    assert_eq!(first_line(&program).await, "Good day!", "nobody meets it");
    let agent = program.get("/api/agents/Asha").await;
    assert_eq!(agent.header("etag"), seen.header("etag"), "and the agent's editors are not told of another agent");
    let read = program.get("/api/agents/Asha/draft").await;
    assert_eq!((read.json(), read.header("etag")), (draft, begun.header("etag")));

    let edit = async |tag: &str, body: Value| {
        answer(program.request("PATCH", "/api/agents/Asha/draft").header("if-match", tag).json(&body)).await
    };
    let second = edit(begun.header("etag"), json!({"call_timeout": 40})).await;
    assert_eq!(second.status, 200);
    for stale in [begun.header("etag"), agent.header("etag")] {
        assert_problem(&edit(stale, json!({"call_timeout": 50})).await, 412, "precondition");
    }
    let refused = edit(second.header("etag"), json!({"call_timeout": 1, "business_id": 2})).await;
    assert_problem(&refused, 400, "invalid-request");
    let refused = refused.json();
    let places: Vec<&Value> = refused["errors"].as_array().unwrap().iter().map(|error| &error["parameter"]).collect();
    assert_eq!(places, ["/business_id", "/call_timeout"]);

    let fields = |told: &Value| -> Vec<String> {
        told["differences"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(fields(&program.get("/api/agents/Asha/diff").await.json()), ["sales_script_text", "call_timeout"]);
    let late = program.request("POST", "/api/agents/Asha/draft/publish").header("if-match", begun.header("etag"));
    assert_problem(&answer(late).await, 412, "precondition");
    let seen = program.request("POST", "/api/agents/Asha/draft/publish").header("if-match", second.header("etag"));
    let live = answer(seen).await;
    assert_eq!((live.status, &live.json()["version"]), (200, &json!(3)), "{}", live.body);
    assert_eq!(first_line(&program).await, "Hello!");
    assert_problem(&program.get("/api/agents/Asha/draft").await, 404, "not-found");
    assert_eq!(program.get("/api/agents/Asha/versions/3").await.json()["origin"], "published");
    let records = program.running.store.records(BusinessId::FIRST, None, 3).await.unwrap();
    let actions: Vec<_> = records.iter().map(|(_, record)| (record.action, record.resource.kind.as_str())).collect();
    let draft = "agent_draft";
    assert_eq!(actions, [(Action::Published, "agent"), (Action::Updated, draft), (Action::Created, draft)]);
}

#[tokio::test]
async fn a_draft_is_not_published_over_what_others_made_live() {
    let program = with_asha().await;
    let draft = json!({"sales_script_text": "Hello!", "call_timeout": 40});
    send(&program, "PATCH", "/api/agents/Asha/draft", draft).await;
    send(&program, "PATCH", "/api/agents/Asha", json!({"sales_script_text": "Welcome!", "eagerness": "high"})).await;
    let stale = program.get("/api/agents/Asha/draft").await.json();
    assert_eq!((&stale["up_to_date"], &stale["live_version"]), (&json!(false), &json!(3)));
    let refused = post(&program, "/api/agents/Asha/draft/publish").await;
    assert_problem(&refused, 409, "conflict");

    let conflict = post(&program, "/api/agents/Asha/draft/rebase").await;
    assert_problem(&conflict, 409, "conflict");
    assert!(conflict.json()["detail"].as_str().unwrap().contains("sales_script_text"), "{}", conflict.body);
    let decided = send(&program, "POST", "/api/agents/Asha/draft/rebase", json!({"sales_script_text": "Hello!"})).await;
    assert_eq!(decided.status, 200, "{}", decided.body);
    let settings = &decided.json()["settings"];
    assert_eq!(
        (&settings["sales_script_text"], &settings["call_timeout"], &settings["eagerness"]),
        (&json!("Hello!"), &json!(40), &json!("high")),
        "what both have changed is kept"
    );
    let live = post(&program, "/api/agents/Asha/draft/publish").await;
    assert_eq!((live.status, &live.json()["eagerness"]), (200, &json!("high")));

    send(&program, "PATCH", "/api/agents/Asha/draft", json!({"call_timeout": 50})).await;
    assert_eq!(answer(program.request("DELETE", "/api/agents/Asha/draft")).await.status, 204);
    assert_problem(&answer(program.request("DELETE", "/api/agents/Asha/draft")).await, 404, "not-found");
    assert_eq!(program.get("/api/agents/Asha").await.json()["call_timeout"], 40);
    send(&program, "PATCH", "/api/agents/Asha/draft", json!({})).await;
    let nothing = post(&program, "/api/agents/Asha/draft/publish").await;
    assert_eq!((nothing.status, nothing.json()["version"].clone()), (200, live.json()["version"].clone()));
    assert_problem(&program.get("/api/agents/Asha/draft").await, 404, "not-found");
}

#[tokio::test]
async fn the_prompt_is_shown_as_it_is_assembled() {
    let program = boot_with_fakes().await;
    let made = json!({
        "name": "Asha", "system_prompt": "You are {agent}.", "sales_script_text": "Greet {{name}}.\nOffer {{plot}}.",
        "business_info": {"company_name": "Acme"}, "knowledge_files": {"products": "Flats."},
    });
    send(&program, "POST", "/api/agents", made).await;
    let shown = program.get("/api/agents/Asha/prompt").await;
    let prompt = shown.json();
    let expected = "You are Asha.\n\n## SALES SCRIPT\nGreet {{name}}.\nOffer {{plot}}.\n\n\
                    ## BUSINESS INFORMATION\nCompany: Acme\n\n## KNOWLEDGE BASE\n- products: Flats.\n\n## THIS CONVERSATION\n";
    assert!(prompt["text"].as_str().unwrap().starts_with(expected), "{}", prompt["text"]);
    assert_eq!((&prompt["call_variables"], &prompt["unknown_variables"]), (&json!(["name"]), &json!(["plot"])));
    assert_eq!((&prompt["version"], &prompt["playbook"]), (&json!(1), &Value::Null));
    let sources: Vec<&Value> = prompt["parts"].as_array().unwrap().iter().map(|part| &part["source"]).collect();
    let all = ["system_prompt", "sales_script", "business_information", "knowledge_base", "this_conversation"];
    assert_eq!(sources, all);
    let fresh = program.request("GET", "/api/agents/Asha/prompt").header("if-none-match", shown.header("etag"));
    assert_eq!(answer(fresh).await.status, 304);

    send(&program, "PATCH", "/api/agents/Asha/draft", json!({"system_prompt": "Be brief.", "name": "Ravi"})).await;
    let draft = program.get("/api/agents/Asha/prompt?version=draft").await.json();
    assert_eq!((&draft["agent_name"], &draft["version"]), (&json!("Ravi"), &Value::Null));
    assert!(draft["text"].as_str().unwrap().starts_with("Be brief.\n\n"));
    assert_eq!(program.get("/api/agents/front-desk/prompt").await.json()["playbook"], "front-desk");
    assert_problem(&program.get("/api/agents/Asha/prompt?version=9").await, 404, "not-found");
    assert_problem(&program.get("/api/agents/Asha/prompt?version=x").await, 400, "invalid-request");
}
