//! OpenAI's own Python package against the mock, and what it sends beside what we send.
//!
//! A difference between the wires is named here with its reason, or it is a failure.

use futures_util::StreamExt;
use serde_json::Value;
use tandem_domain::port::llm::{Author, Finish, Llm, LlmError, LlmEvent, LlmSpec, Message};
use tandem_peers::mock::openai::reply;
use tandem_peers::mock::{Exchange, Mock, MockConfig, Sent};
use tandem_providers::llm::openai::{Limits, OpenAi, OpenAiConfig, Vendor};
use tokio::time::timeout;

use super::program::{self, LIMIT};

const KEY: &str = "sk-right";
const SYSTEM: &str = "Be brief.";
pub(crate) const QUESTION: &str = "Where is my order?";
pub(crate) const MODEL: &str = "gpt-4o-mini";

async fn mock() -> Mock {
    Mock::start(MockConfig { key: Some(KEY.to_owned()), ..MockConfig::default() }).await.unwrap()
}

fn base(mock: &Mock) -> String {
    format!("{}/v1", mock.base_url())
}

/// What the package makes of the mock, in this way.
pub(crate) async fn sdk(base: &str, way: &str, key: &str, model: &str) -> Value {
    program::sdk("openai_sdk.py", &[base, way, key, model, SYSTEM, QUESTION]).await
}

/// What our adapter makes of it.
async fn ours(mock: &Mock, key: &str, model: &str) -> Vec<Result<LlmEvent, LlmError>> {
    let config = OpenAiConfig {
        vendor: Vendor::OPENAI,
        base: base(mock),
        key: key.to_owned(),
        model: model.to_owned(),
        limits: Limits::default(),
    };
    let said = |author, text: &str| Message { author, text: text.to_owned() };
    let messages = vec![said(Author::System, SYSTEM), said(Author::User, QUESTION)];
    let answer = OpenAi::new(config).unwrap().complete(LlmSpec { messages, max_tokens: 1_000, ..LlmSpec::default() });
    timeout(LIMIT, answer.collect()).await.expect("an answer in time")
}

fn exchange(mock: &Mock) -> Exchange {
    let exchanges = mock.log().exchanges();
    assert_eq!(exchanges.len(), 1, "one request: {exchanges:?}");
    exchanges.into_iter().next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_package_and_we_ask_for_a_stream_in_the_same_words_and_understand_the_same() {
    let (theirs, mine) = (mock().await, mock().await);
    let made = sdk(&base(&theirs), "stream", KEY, MODEL).await;
    let events = ours(&mine, KEY, MODEL).await;

    let text: String = events
        .iter()
        .filter_map(|event| if let Ok(LlmEvent::Text(text)) = event { Some(text.as_str()) } else { None })
        .collect();
    assert_eq!((made["text"].as_str().unwrap(), text.as_str()), (reply(QUESTION).as_str(), reply(QUESTION).as_str()));
    assert_eq!(made["finish_reason"], "stop");
    let [.., Ok(LlmEvent::Finished(Finish::Stop)), Ok(LlmEvent::Usage(usage))] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(made["usage"]["prompt_tokens"], usage.prompt_tokens);
    assert_eq!(made["usage"]["completion_tokens"], usage.completion_tokens);
    let tokens = events.iter().filter(|event| matches!(event, Ok(LlmEvent::Text(_)))).count();
    assert_eq!(made["chunks_with_text"], tokens, "cut at the same places");
    assert!(made["request_id"].as_str().is_some_and(|id| id.starts_with("req_")), "{made}");

    let (theirs, mine) = (exchange(&theirs), exchange(&mine));
    assert_eq!((&mine.method, &mine.path, &mine.query), (&theirs.method, &theirs.path, &theirs.query));
    let body = |exchange: &Exchange| {
        exchange.sent.iter().find_map(|sent| if let Sent::Json(body) = sent { Some(body.clone()) } else { None })
    };
    assert_eq!(body(&mine).unwrap(), body(&theirs).unwrap(), "every field of the body");
    for header in ["authorization", "content-type"] {
        assert_eq!(mine.headers[header], theirs.headers[header], "{header}");
    }
    // Who asks, and on which machine, is the package's own; it takes compressed bodies, which a stream of words has no use for.
    let own = |name: &&String| {
        !name.starts_with("x-stainless")
            && !["user-agent", "host", "content-length", "accept-encoding", "connection"].contains(&name.as_str())
    };
    let names = |exchange: &Exchange| -> Vec<String> { exchange.headers.keys().filter(own).cloned().collect() };
    assert_eq!(names(&mine), names(&theirs));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_package_reads_a_whole_answer_and_the_models() {
    let mock = mock().await;
    let made = sdk(&base(&mock), "whole", KEY, MODEL).await;
    assert_eq!(made["text"], reply(QUESTION));
    assert_eq!(made["finish_reason"], "stop");
    assert!(made["usage"]["total_tokens"].as_u64().is_some_and(|tokens| tokens > 0), "{made}");
    let made = sdk(&base(&mock), "models", KEY, MODEL).await;
    assert!(made["models"].as_array().unwrap().contains(&MODEL.into()), "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_package_and_we_understand_the_same_refusals() {
    for (key, model, class, status, code) in [
        ("sk-wrong", MODEL, "AuthenticationError", 401, "invalid_api_key"),
        (KEY, "gpt-9", "NotFoundError", 404, "model_not_found"),
    ] {
        let mock = mock().await;
        let made = sdk(&base(&mock), "stream", key, model).await;
        assert_eq!(
            (&made["error"], &made["status"], &made["code"]),
            (&class.into(), &status.into(), &code.into()),
            "{made}"
        );
        let events = ours(&mock, key, model).await;
        let understood = match &events[..] {
            [Err(LlmError::Unauthorized { .. })] => 401,
            [Err(LlmError::NoModel { .. })] => 404,
            other => panic!("{other:?}"),
        };
        assert_eq!(understood, status);
    }
}
