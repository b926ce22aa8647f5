#![allow(clippy::unwrap_used)]

use serde_json::json;
use tandem_domain::agent::SystemTool;
use tandem_domain::port::Retry;
use tandem_domain::port::llm::Message as Said;

use super::*;

const VENDOR: Vendor = Vendor::OPENAI;

fn read(events: &[&str]) -> (Vec<LlmEvent>, Option<LlmError>) {
    let (mut answer, mut found) = (Answer::new(VENDOR), Vec::new());
    for data in events {
        if let Err(error) = answer.take(data, &mut found) {
            return (found, Some(error));
        }
    }
    (found, answer.end().err())
}

fn text(text: &str) -> LlmEvent {
    LlmEvent::Text(text.to_owned())
}

#[test]
fn the_request_is_the_documented_one() {
    let said = |author, text: &str| Said { author, text: text.to_owned() };
    let messages =
        vec![said(Author::System, "Be brief."), said(Author::Assistant, "Hi!"), said(Author::User, "Cancel 7")];
    let spec = LlmSpec { messages, max_tokens: 1_000, ..LlmSpec::default() };
    assert_eq!(
        serde_json::to_value(Request::new("gpt-4o-mini", &spec)).unwrap(),
        json!({
            "model": "gpt-4o-mini", "stream": true, "stream_options": {"include_usage": true}, "max_completion_tokens": 1000,
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "assistant", "content": "Hi!"},
                {"role": "user", "content": "Cancel 7"},
            ],
        })
    );
}

#[test]
fn offered_tools_are_functions() {
    let spec = LlmSpec { tools: vec![SystemTool::SkipTurn.offered()], ..LlmSpec::default() };
    let request = serde_json::to_value(Request::new("gpt-4o-mini", &spec)).unwrap();
    let offered = SystemTool::SkipTurn.offered();
    let function = json!({"name": "skip_turn", "description": offered.description, "parameters": offered.parameters});
    assert_eq!(request["tools"], json!([{"type": "function", "function": function}]));
}

#[test]
fn a_stream_of_the_sheet_becomes_events() {
    let (events, error) = read(&[
        r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1763720000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_x","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"Sure"},"finish_reason":null}],"obfuscation":"k3"}"#,
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":31,"completion_tokens":9,"total_tokens":40,"prompt_tokens_details":{"cached_tokens":7},"completion_tokens_details":{"reasoning_tokens":0}}}"#,
        "[DONE]",
        "not looked at any more",
    ]);
    let usage = Usage { prompt_tokens: 31, cached_tokens: 7, completion_tokens: 9 };
    assert_eq!((events, error), (vec![text("Sure"), LlmEvent::Finished(Finish::Stop), LlmEvent::Usage(usage)], None));
}

#[test]
fn tools_are_put_together_by_their_index() {
    let (events, error) = read(&[
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"look","arguments":""}},{"index":0,"id":"call_a","type":"function","function":{"name":"cancel","arguments":""}}]},"finish_reason":null}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"id\""}}]},"finish_reason":null}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":7}"}}]},"finish_reason":null}]}"#,
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
    ]);
    let tool = |id: &str, name: &str, arguments: &str| {
        LlmEvent::ToolCall(AskedTool { id: id.into(), name: name.into(), arguments: arguments.into() })
    };
    let finished = LlmEvent::Finished(Finish::ToolCalls);
    assert_eq!(
        (events, error),
        (vec![tool("call_a", "cancel", "{\"id\":7}"), tool("call_b", "look", ""), finished], None)
    );
}

#[test]
fn what_is_no_answer_is_an_error() {
    for (events, expected) in [
        (&[][..], "closed in the middle"),
        (&[r#"{"choices":[{"delta":{"content":"Su"}}]}"#], "closed in the middle"),
        (&["[DONE]"], "before the answer was finished"),
        (&["<html>"], "no chunk"),
        (&["{\"choices\":7}"], "no chunk"),
        (
            &[r#"{"error":{"message":"secret","type":"server_error","code":null}}"#],
            "in the middle of an answer: server_error",
        ),
        (&[r#"{"choices":[{"delta":{"refusal":"I cannot"}}]}"#], "refused to answer"),
        (&[r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#], "refused to answer"),
    ] {
        let (_, error) = read(events);
        let error = error.unwrap().to_string();
        assert!(error.contains(expected) && !error.contains("secret"), "{events:?}: {error}");
    }
    let endless = format!(
        r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":0,"function":{{"arguments":"{}"}}}}]}}}}]}}"#,
        "x".repeat(40_000)
    );
    assert!(read(&[&endless, &endless]).1.unwrap().to_string().contains("without an end"));
}

#[test]
fn refusals_are_told_apart() {
    let refusal = |status, code: &str, headers: &[(&str, &'static str)]| {
        let headers: BTreeMap<String, &'static str> = headers.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect();
        let body =
            json!({"error": {"message": "key sk-secret", "type": code, "param": null, "code": code}}).to_string();
        VENDOR.refusal("gpt-9", status, |name| headers.get(name).copied(), body.as_bytes())
    };
    let vendor = "openai";
    assert_eq!(refusal(401, "invalid_api_key", &[]).to_string(), "openai refused our key: check OPENAI_API_KEY");
    let no_model = LlmError::NoModel { vendor, model: "gpt-9".into(), setting: "OPENAI_MODEL" };
    assert_eq!(refusal(404, "model_not_found", &[]), no_model);
    assert!(refusal(404, "", &[]).to_string().contains("OPENAI_BASE_URL"));
    assert_eq!(refusal(429, "insufficient_quota", &[("retry-after", "1")]), LlmError::QuotaSpent { vendor });
    assert_eq!(refusal(429, "insufficient_quota", &[]).retry(), Retry::Never);
    let long = refusal(400, "context_length_exceeded", &[]);
    assert_eq!(
        long.to_string(),
        "openai refused the request: status 400 context_length_exceeded context_length_exceeded"
    );
    for (headers, expected) in [
        (&[][..], None),
        (&[("retry-after-ms", "250"), ("retry-after", "9")], Some(Duration::from_millis(250))),
        (&[("retry-after", "1.5")], Some(Duration::from_millis(1_500))),
        (&[("retry-after", "-3")], None),
        (&[("retry-after", "1e99")], Some(LONGEST_PAUSE)),
        (&[("retry-after", "soon")], None),
        (
            &[("date", "Sat, 21 Nov 2026 19:00:00 GMT"), ("retry-after", "Sat, 21 Nov 2026 19:00:20 GMT")],
            Some(Duration::from_secs(20)),
        ),
    ] {
        assert_eq!(refusal(429, "rate_limit_exceeded", headers).retry_after(), expected, "{headers:?}");
        assert_eq!(refusal(503, "", headers), LlmError::Overloaded { vendor, status: 503, retry_after: expected });
    }
    assert_eq!(VENDOR.refusal("m", 502, |_| None, b"<html>").retry(), Retry::Now);
}
