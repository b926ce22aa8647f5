//! OpenAI's chat completions, streamed and whole, and the list of models.
//!
//! Place: behind [`super::Mock`], from the vendor's own description. What it says is a few sentences about the caller's last words, the same
//! ones each time, so that a test knows them ([`reply`]); they come token by token.
//!
//! | path | answers |
//! |------|---------|
//! | `POST /v1/chat/completions` | `text/event-stream` where `stream` is true, else one object |
//! | `GET /v1/models`, `GET /v1/models/{model}` | the models that it has |
//!
//! Every answer carries `x-request-id`, `openai-processing-ms`, `openai-version` and the `x-ratelimit-…` headers. Faults, by the plan:
//! `Error` is status 500, `Silent` never answers, `Drop` closes between two tokens, `DropMidway` within an event, `Garbage` is an event that is no
//! JSON, `Endless` never stops. At the door: status 503, no answer, or a head without a body. Tools: a caller who says "press" has
//! `play_keypad_tone` asked for, one who says "looking for" `skip_turn`, each where it is offered (`tools`); their arguments come in two
//! pieces. Not here: audio, more than one choice.

mod tools;

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};

use super::{Desk, Door, Fate};
use crate::vendor::Fault;

/// Between two tokens where nothing else is said: about the pace of a small model.
const PACE: Duration = Duration::from_millis(12);
/// The largest body that is read.
const MOST_BODY: usize = 4 * 1_024 * 1_024;
/// What `created` says: the date of the protocol's description.
const CREATED: u64 = 1_763_720_000;
/// Models that it has.
const MODELS: [&str; 3] = ["gpt-4o-mini", "gpt-4o", "gpt-4-voice"];

/// The routes.
pub fn routes(desk: Desk) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(complete))
        .route("/v1/models", get(models))
        .route("/v1/models/{model}", get(model))
        .with_state(desk)
}

/// What is answered to a caller's words.
pub fn reply(asked: &str) -> String {
    let asked = asked.trim().trim_end_matches(['.', '?', '!']);
    let lower = asked.to_lowercase();
    let topic = [
        ("order", "Your order is on its way and will reach you tomorrow."),
        ("price", "It costs Rs. 60 a piece, or 3.5 dollars."),
        ("hour", "We are open from 9 a.m. to 6 p.m. on weekdays."),
        ("thank", "You are welcome."),
    ];
    let known = topic.iter().find(|(word, _)| lower.contains(word)).map(|(_, answer)| *answer);
    let answer = known.unwrap_or("I have made a note of that.");
    format!("Sure, you said: {asked}. {answer} Is there anything else that I can do for you?")
}

/// A text as a model would cut it: words with the space before them, signs of their own.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    for character in text.chars() {
        let opens = character == ' ' || (!character.is_alphanumeric() && character != '\'');
        match tokens.last_mut() {
            Some(last) if !opens && (last == " " || last.ends_with(|c: char| c.is_alphanumeric() || c == '\'')) => {
                last.push(character)
            }
            _ => tokens.push(character.to_string()),
        }
    }
    tokens
}

async fn complete(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let exchange = desk.log.begin("openai", &parts);
    let Ok(body) = axum::body::to_bytes(body, MOST_BODY).await else {
        return failure(
            exchange,
            StatusCode::PAYLOAD_TOO_LARGE,
            "invalid_request_error",
            "body_too_large",
            "too large",
            None,
        );
    };
    desk.log.text(exchange, &String::from_utf8_lossy(&body));
    match desk.config.llm.door() {
        Door::Open(late) => tokio::time::sleep(late).await,
        Door::Refused => {
            let message = "The engine is currently overloaded, please try again later";
            return failure(exchange, StatusCode::SERVICE_UNAVAILABLE, "server_error", "", message, None);
        }
        Door::Silent => return std::future::pending().await,
        Door::Dropped => return Body::from_stream(stream::once(Step::Break.take())).into_response(),
    }
    if let Some(refusal) = unauthorized(&desk, exchange, &parts.headers) {
        return refusal;
    }
    let asked: Value = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(_) => {
            let message = "We could not parse the JSON body of your request.";
            return failure(exchange, StatusCode::BAD_REQUEST, "invalid_request_error", "", message, None);
        }
    };
    let question = match Question::read(&asked) {
        Ok(question) => question,
        Err(Unfit { status, code, message, param }) => {
            return failure(exchange, status, "invalid_request_error", code, &message, Some(param));
        }
    };
    let fate = desk.config.llm.next();
    if fate.fault == Some(Fault::Silent) {
        return std::future::pending().await;
    }
    if fate.fault == Some(Fault::Error) {
        tokio::time::sleep(fate.delay).await;
        let message = "The server had an error while processing your request. Sorry about that!";
        return failure(exchange, StatusCode::INTERNAL_SERVER_ERROR, "server_error", "", message, None);
    }
    let answer = Answer { id: format!("chatcmpl-{exchange:08}"), model: dated(&question.model), question };
    if answer.question.stream {
        let pace = desk.config.llm_pace.unwrap_or(PACE);
        let gone = Gone { desk, exchange };
        let events = answer.events(fate, pace).inspect(move |_| {
            let _ = &gone; // dropped with the body: the client went, or has all
        });
        let mut response = Response::new(Body::from_stream(events));
        response.headers_mut().extend(headers(exchange));
        response.headers_mut().insert("content-type", HeaderValue::from_static("text/event-stream; charset=utf-8"));
        return response;
    }
    tokio::time::sleep(fate.delay).await;
    let body = answer.whole();
    (headers(exchange), axum::Json(body)).into_response()
}

/// What a request asks for.
#[derive(Debug)]
struct Question {
    model: String,
    last: String,
    prompt_tokens: usize,
    limit: usize,
    stream: bool,
    usage: bool,
    /// Names of the tools that are offered.
    tools: Vec<String>,
}

/// Why a request cannot be served.
struct Unfit {
    status: StatusCode,
    code: &'static str,
    message: String,
    param: &'static str,
}

impl Question {
    fn read(asked: &Value) -> Result<Self, Unfit> {
        let bad = |code, message: &str, param| Unfit {
            status: StatusCode::BAD_REQUEST,
            code,
            message: message.to_owned(),
            param,
        };
        let model = asked["model"].as_str().ok_or_else(|| bad("", "you must provide a model parameter", "model"))?;
        if !MODELS.contains(&model) {
            let message = format!("The model `{model}` does not exist or you do not have access to it.");
            return Err(Unfit { status: StatusCode::NOT_FOUND, code: "model_not_found", message, param: "model" });
        }
        let messages = asked["messages"].as_array().filter(|messages| !messages.is_empty());
        let messages = messages
            .ok_or_else(|| bad("missing_required_parameter", "Missing required parameter: 'messages'.", "messages"))?;
        for message in messages {
            let role = message["role"].as_str().unwrap_or_default();
            if !["system", "developer", "user", "assistant", "tool"].contains(&role) {
                return Err(bad("invalid_value", "Invalid value for a message's 'role'.", "messages"));
            }
        }
        let stream = asked["stream"].as_bool().unwrap_or_default();
        if !asked["stream_options"].is_null() && !stream {
            return Err(bad(
                "",
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                "stream_options",
            ));
        }
        let tools = tools::offered(asked)?;
        let text = |message: &Value| match &message["content"] {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
            _ => String::new(),
        };
        let last = messages.iter().rfind(|message| message["role"] == "user").map(text).unwrap_or_default();
        let limit = asked["max_completion_tokens"].as_u64().or_else(|| asked["max_tokens"].as_u64());
        Ok(Self {
            model: model.to_owned(),
            last,
            prompt_tokens: messages.iter().map(|message| tokens(&text(message)).len() + 4).sum(),
            limit: limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            stream,
            usage: asked["stream_options"]["include_usage"].as_bool().unwrap_or_default(),
            tools,
        })
    }
}

/// One answer.
struct Answer {
    id: String,
    model: String,
    question: Question,
}

impl Answer {
    /// Its tokens, and whether they are all there are.
    fn said(&self) -> (Vec<String>, bool) {
        let text = self.tool().map_or_else(|| reply(&self.question.last), |tool| tool.said.to_owned());
        let mut tokens = tokens(&text);
        let whole = tokens.len() <= self.question.limit;
        tokens.truncate(self.question.limit);
        (tokens, whole)
    }

    fn usage(&self, completion: usize) -> Value {
        json!({
            "prompt_tokens": self.question.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.question.prompt_tokens + completion,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details":
                {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
        })
    }

    fn whole(&self) -> Value {
        let (tokens, whole) = self.said();
        json!({
            "id": self.id, "object": "chat.completion", "created": CREATED, "model": self.model,
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": tokens.concat(), "refusal": null, "annotations": []},
                "logprobs": null,
                "finish_reason": if whole { "stop" } else { "length" },
            }],
            "usage": self.usage(tokens.len()),
            "service_tier": "default", "system_fingerprint": "fp_mock",
        })
    }

    /// One `data:` line and the empty one after it.
    fn chunk(&self, choices: Value, usage: Value) -> Vec<u8> {
        let mut chunk = json!({
            "id": self.id, "object": "chat.completion.chunk", "created": CREATED, "model": self.model,
            "service_tier": "default", "system_fingerprint": "fp_mock", "choices": choices,
        });
        if self.question.usage {
            chunk["usage"] = usage; // `null` in all but the last
        }
        if chunk["choices"][0]["delta"]["content"].is_string() {
            chunk["obfuscation"] = json!("k3Xq");
        }
        format!("data: {chunk}\n\n").into_bytes()
    }

    fn delta(&self, delta: Value, finish: Option<&str>) -> Vec<u8> {
        self.chunk(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]), Value::Null)
    }

    /// What goes over the wire and when, as the fate wants it: the first token with the role, each further one `pace` behind the one before it.
    fn events(self, fate: Fate, pace: Duration) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (tokens, whole) = self.said();
        let count = tokens.len();
        let mut events: Vec<Step> = vec![Step::Send(
            fate.delay,
            self.delta(json!({"role": "assistant", "content": "", "refusal": null}), None),
        )];
        let mut saying: Vec<Step> = tokens
            .iter()
            .enumerate()
            .map(|(n, token)| {
                let after = if n == 0 { Duration::ZERO } else { pace };
                Step::Send(after, self.delta(json!({"content": token}), None))
            })
            .collect();
        match fate.fault {
            Some(Fault::Drop) => {
                saying.truncate(count / 2);
                events.extend(saying);
                events.push(Step::Break);
            }
            Some(Fault::DropMidway) => {
                saying.truncate(count / 2 + 1);
                if let Some(Step::Send(_, last)) = saying.last_mut() {
                    last.truncate(last.len() / 2);
                }
                events.extend(saying);
                events.push(Step::Break);
            }
            Some(Fault::Garbage) => {
                events.extend(saying.into_iter().take(2));
                events.push(Step::Send(pace, b"data: <html>502 Bad Gateway</html>\n\n".to_vec()));
                events.push(Step::Send(pace, b"data: [DONE]\n\n".to_vec()));
            }
            Some(Fault::Endless) => {
                let again = self.delta(json!({"content": " And so on."}), None);
                events.extend(saying);
                let endless = stream::repeat_with(move || Step::Send(pace, again.clone()));
                return stream::iter(events).chain(endless).then(Step::take).left_stream();
            }
            Some(Fault::Silent | Fault::Error | Fault::Slow(_)) | None => {
                events.extend(saying);
                let tools = self.tool_deltas();
                let finish = if !tools.is_empty() {
                    "tool_calls"
                } else if whole {
                    "stop"
                } else {
                    "length"
                };
                events.extend(tools.into_iter().map(|delta| Step::Send(pace, delta)));
                events.push(Step::Send(Duration::ZERO, self.delta(json!({}), Some(finish))));
                if self.question.usage {
                    events.push(Step::Send(Duration::ZERO, self.chunk(json!([]), self.usage(count))));
                }
                events.push(Step::Send(Duration::ZERO, b"data: [DONE]\n\n".to_vec()));
            }
        }
        stream::iter(events).then(Step::take).right_stream()
    }
}

/// One thing that happens on the wire.
enum Step {
    /// After so long, these bytes.
    Send(Duration, Vec<u8>),
    /// The connection is closed without an end.
    Break,
}

impl Step {
    async fn take(self) -> io::Result<Bytes> {
        match self {
            Self::Send(after, bytes) => {
                if !after.is_zero() {
                    tokio::time::sleep(after).await;
                }
                Ok(bytes.into())
            }
            Self::Break => Err(io::Error::other("broken off as planned")),
        }
    }
}

/// Writes into the log that the client is gone, or has all.
struct Gone {
    desk: Desk,
    exchange: usize,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.desk.log.closed(self.exchange);
    }
}

async fn models(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let exchange = desk.log.begin("openai", &parts);
    if let Some(refusal) = unauthorized(&desk, exchange, &parts.headers) {
        return refusal;
    }
    let list: Vec<Value> = MODELS.iter().map(|model| described(model)).collect();
    (headers(exchange), axum::Json(json!({"object": "list", "data": list}))).into_response()
}

async fn model(State(desk): State<Desk>, Path(model): Path<String>, request: Request) -> Result<Response, Infallible> {
    let (parts, _) = request.into_parts();
    let exchange = desk.log.begin("openai", &parts);
    if let Some(refusal) = unauthorized(&desk, exchange, &parts.headers) {
        return Ok(refusal);
    }
    Ok(if MODELS.contains(&model.as_str()) {
        (headers(exchange), axum::Json(described(&model))).into_response()
    } else {
        let message = format!("The model '{model}' does not exist");
        failure(exchange, StatusCode::NOT_FOUND, "invalid_request_error", "model_not_found", &message, Some("model"))
    })
}

fn described(model: &str) -> Value {
    json!({"id": model, "object": "model", "created": CREATED, "owned_by": "system"})
}

/// The name under which a model answers.
fn dated(model: &str) -> String {
    if model == "gpt-4o-mini" { "gpt-4o-mini-2024-07-18".to_owned() } else { model.to_owned() }
}

fn unauthorized(desk: &Desk, exchange: usize, headers: &HeaderMap) -> Option<Response> {
    let given = headers.get("authorization").and_then(|value| value.to_str().ok());
    let key = given.and_then(|given| given.strip_prefix("Bearer "));
    if desk.accepts(key) {
        return None;
    }
    let message =
        "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.";
    Some(failure(exchange, StatusCode::UNAUTHORIZED, "invalid_request_error", "invalid_api_key", message, None))
}

fn failure(
    exchange: usize,
    status: StatusCode,
    kind: &str,
    code: &str,
    message: &str,
    param: Option<&str>,
) -> Response {
    let code = if code.is_empty() { Value::Null } else { json!(code) };
    let body = json!({"error": {"message": message, "type": kind, "param": param, "code": code}});
    (status, headers(exchange), axum::Json(body)).into_response()
}

fn headers(exchange: usize) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let own = [
        ("openai-processing-ms", "12"),
        ("openai-version", "2020-10-01"),
        ("openai-organization", "mock"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-limit-tokens", "200000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-remaining-tokens", "199000"),
        ("x-ratelimit-reset-requests", "8.64s"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    ];
    for (name, value) in own {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&format!("req_{exchange:016x}")) {
        headers.insert("x-request-id", id);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_the_text() {
        let text = reply("Where is my order?");
        assert_eq!(
            text,
            "Sure, you said: Where is my order. Your order is on its way and will reach you tomorrow. \
             Is there anything else that I can do for you?"
        );
        let tokens = tokens(&text);
        assert_eq!(tokens.concat(), text);
        assert_eq!(tokens[..4], ["Sure", ",", " you", " said"]);
    }
}
