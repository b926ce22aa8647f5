//! Lists and files of the HTTP interface: pages, filters, turns, transcripts and exports in every format.
#![allow(clippy::unwrap_used, missing_docs)]

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

#[path = "support/stored.rs"]
mod stored;
mod support;

use stored::{assert_problem, at, store_call};
use support::{answer, boot_with_fakes};

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let program = boot_with_fakes().await;
    for number in 1..=5 {
        store_call(&program, number).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/api/conversations?limit=2".to_owned());
    loop {
        let page = program.get(&path).await.json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|item| item["id"].as_i64().unwrap()));
        match &page["next_cursor"] {
            Value::Null => break,
            cursor => path = format!("/api/conversations?limit=2&cursor={}", cursor.as_str().unwrap()),
        }
        store_call(&program, 5 + i64::try_from(seen.len()).unwrap()).await; // a newer one belongs on no later page
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first: {seen:?}");
}

#[tokio::test]
async fn calls_and_turns_are_lists_too_and_a_cursor_belongs_to_its_own() {
    let program = boot_with_fakes().await;
    for number in 1..=3 {
        store_call(&program, number).await;
    }
    let first = program.get("/api/calls?limit=2&status=completed").await.json();
    let sids = |page: &Value| {
        page["items"].as_array().unwrap().iter().map(|call| call["call_sid"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(sids(&first), [format!("CA{:032}", 3), format!("CA{:032}", 2)]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = program.get(&format!("/api/calls?limit=2&status=completed&cursor={cursor}")).await.json();
    assert_eq!((sids(&second), &second["next_cursor"]), (vec![json!(format!("CA{:032}", 1))], &Value::Null));
    for elsewhere in
        ["/api/calls?", "/api/calls?status=failed&", "/api/conversations?status=ended&", "/debug/sessions?"]
    {
        let refused = program.get(&format!("{elsewhere}cursor={cursor}")).await;
        assert_problem(&refused, 400, "invalid-request");
        assert!(refused.body.contains("leave it out to begin anew"), "{}", refused.body);
    }
    assert_eq!(sids(&program.get("/api/calls?agent=nobody").await.json()), Vec::<Value>::new());
    assert_eq!(sids(&program.get("/api/calls?from=2026-02-02&to=2026-02-02").await.json()).len(), 3);
    assert_eq!(sids(&program.get("/api/calls?to=2026-02-01").await.json()).len(), 0);

    let call = program.get(&format!("/api/calls/CA{:032}", 1)).await.json();
    assert_eq!((&call["status"], &call["duration_seconds"]), (&json!("completed"), &json!(9)));
    let turns = program.get(&format!("/api/conversations/{}/turns", call["uuid"].as_str().unwrap())).await.json();
    let turn = &turns["items"][0];
    assert_eq!((&turn["transcript"], &turn["stt_provider"]), (&json!("a flat in Delhi"), &json!("fake")));
    assert_eq!((&turn["agent_responses"], &turns["next_cursor"]), (&json!([]), &Value::Null));
    for id in [turn["id"].to_string(), turn["uuid"].as_str().unwrap().to_owned()] {
        let path = format!("/api/conversations/{}/turns/{id}", call["call_sid"].as_str().unwrap());
        assert_eq!(&program.get(&path).await.json(), turn);
    }
}

#[tokio::test]
async fn a_transcript_holds_what_was_heard_in_order() {
    let program = boot_with_fakes().await;
    let (call, _) = store_call(&program, 1).await;
    let lines = program.get(&format!("/api/conversations/{call}/transcript")).await.json();
    assert_eq!(lines[0]["role"], "agent");
    assert_eq!(lines[0]["text"], "Hello, how can");
    assert_eq!(lines[0]["interrupted"], true);
    assert_eq!(
        lines[1],
        json!({"role": "user", "text": "a flat in Delhi", "language": "en", "confidence": 0.5, "created_at": lines[1]["created_at"]})
    );
    assert!(lines[1]["created_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap() == at(2));
}

#[tokio::test]
async fn a_transcript_and_an_export_come_in_every_format() {
    let program = boot_with_fakes().await;
    let (call, call_sid) = store_call(&program, 1).await;
    let conversation =
        program.get(&format!("/api/conversations/{call}")).await.json()["uuid"].as_str().unwrap().to_owned();
    let cues = ["-->", "Hello, how can —", "a flat in Delhi"];
    for (format, media_type, expected) in [
        (
            "csv",
            "text/csv; charset=utf-8; header=present",
            &["line,role,start_ms,", "agent,1000,", "a flat in Delhi"][..],
        ),
        (
            "txt",
            "text/plain; charset=utf-8",
            &["[00:00:01] Agent: Hello, how can —", "[00:00:02] Caller: a flat in Delhi"],
        ),
        ("vtt", "text/vtt; charset=utf-8", &["WEBVTT\n", "00:00:01.000 --> 00:00:02.000", "<v Caller>a flat"]),
        ("srt", "application/x-subrip; charset=utf-8", &["00:00:01,000 --> 00:00:02,000", cues[1], "Caller: a flat"]),
    ] {
        for (path, name) in [
            (
                format!("/api/conversations/{call_sid}/transcript"),
                format!("tandem-conversation-{conversation}.{format}"),
            ),
            (format!("/exports/calls/{call_sid}"), format!("tandem-call-{call}.{format}")),
            (format!("/api/exports/calls/{call}"), format!("tandem-call-{call}.{format}")),
        ] {
            let asked = program.get(&format!("{path}?format={format}")).await;
            assert_eq!((asked.status, asked.header("content-type")), (200, media_type), "{path}");
            assert_eq!(asked.header("content-disposition"), format!("attachment; filename=\"{name}\""));
            assert_eq!((asked.header("vary"), asked.header("x-content-type-options")), ("accept", "nosniff"));
            for words in expected {
                assert!(asked.body.contains(words), "{words:?} in {}", asked.body);
            }
            let media_type = media_type.split(';').next().unwrap();
            let accepted = answer(program.request("GET", &path).header("accept", media_type)).await;
            assert_eq!(accepted.body, asked.body, "{path} by Accept");
            let both = program.request("GET", &format!("{path}?format=json")).header("accept", media_type);
            assert_eq!(answer(both).await.header("content-type"), "application/json", "the query wins");
        }
    }
    for path in
        ["transcript?format=pdf", "transcript?format=csv&exact=maybe", "transcript?exact=true", "transcript?fromat=csv"]
    {
        let refused = program.get(&format!("/api/conversations/{call}/{path}")).await;
        assert_problem(&refused, 400, "invalid-request");
    }
    let refused = program.get(&format!("/exports/calls/{call}?format=pdf")).await;
    assert!(refused.body.contains("json, csv, txt, vtt, srt"), "{}", refused.body);
    let exact = program.get(&format!("/exports/calls/{call}?format=csv&exact=true")).await;
    assert!(exact.body.starts_with("line,"), "no byte order mark for programs");
}

#[tokio::test]
async fn an_export_is_a_file_with_everything_about_the_call() {
    let program = boot_with_fakes().await;
    let (call, call_sid) = store_call(&program, 1).await;
    let export = program.get(&format!("/exports/calls/{call_sid}")).await;
    assert_eq!(export.header("content-type"), "application/json");
    assert_eq!(export.header("content-disposition"), format!("attachment; filename=\"tandem-call-{call}.json\""));
    let body = export.json();
    assert_eq!(body["call"]["uuid"], call.to_string());
    assert_eq!(body["conversation"]["extracted_data"]["location"], "Delhi");
    assert_eq!(body["transcript"].as_array().unwrap().len(), 2);
    assert!(
        body["events"].as_array().unwrap().iter().any(|event| event["kind"] == "interruption" && event["t_ms"] == 1500)
    );
}
