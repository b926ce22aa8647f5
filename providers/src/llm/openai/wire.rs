//! OpenAI's chat completions: the request, the chunks of its stream, and the meaning of its refusals. No IO.
//!
//! | stream                                  | becomes                                                        |
//! |-----------------------------------------|----------------------------------------------------------------|
//! | `choices[0].delta.content`              | `LlmEvent::Text`                                               |
//! | `delta.tool_calls[]` fragments by index | `LlmEvent::ToolCall` each, when the choice finishes            |
//! | `delta.refusal`, or `content_filter`    | `LlmError::Refused`                                            |
//! | `finish_reason`                         | `LlmEvent::Finished`                                           |
//! | `choices: []` with `usage`              | `LlmEvent::Usage`                                              |
//! | an object with `error`                  | the error that it names                                        |
//! | `[DONE]`                                | the end; services without it may close after `finish_reason`   |
//!
//! `obfuscation` is padding and falls through. Source: the `openai` package 3.54.0; error table of the vendor's guide. A refusal's own sentence is
//! never kept: it may hold a part of our key.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use tandem_domain::port::llm::{AskedTool, Author, Finish, LlmError, LlmEvent, LlmSpec, OfferedTool, Usage};

use super::Vendor;

/// Tools that one answer may ask for.
const MOST_TOOLS: usize = 16;
/// Bytes of the arguments of all of them.
const MOST_ARGUMENTS: usize = 64 * 1_024;
/// The longest pause that a vendor may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// The last event of a stream.
const DONE: &str = "[DONE]";

/// `POST /chat/completions`.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    messages: Vec<Message<'a>>,
    model: &'a str,
    max_completion_tokens: u32,
    stream: bool,
    stream_options: StreamOptions,
    /// Left out where there are none: the vendor refuses an empty list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
}

#[derive(Debug, Serialize)]
struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: Offered<'a>,
}

#[derive(Debug, Serialize)]
struct Offered<'a> {
    name: &'static str,
    description: &'static str,
    parameters: &'a serde_json::Value,
}

#[derive(Debug, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Debug, Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl<'a> Request<'a> {
    /// The request for this answer of that model.
    pub(super) fn new(model: &'a str, spec: &'a LlmSpec) -> Self {
        let message = |message: &'a tandem_domain::port::llm::Message| Message {
            role: match message.author {
                Author::System => "system",
                Author::User => "user",
                Author::Assistant => "assistant",
            },
            content: &message.text,
        };
        Self {
            messages: spec.messages.iter().map(message).collect(),
            model,
            max_completion_tokens: spec.max_tokens,
            stream: true,
            stream_options: StreamOptions { include_usage: true },
            tools: spec
                .tools
                .iter()
                .map(|OfferedTool { name, description, parameters }| Tool {
                    kind: "function",
                    function: Offered { name, description, parameters },
                })
                .collect(),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Counts>,
    error: Option<Trouble>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<Fragment>>,
}

#[derive(Debug, Deserialize)]
struct Fragment {
    #[serde(default)]
    index: u32,
    id: Option<String>,
    function: Option<Function>,
}

#[derive(Debug, Deserialize)]
struct Function {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Counts {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Debug, Deserialize)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: u64,
}

/// What an error says of itself; some services give a number as `code`.
#[derive(Debug, Default, Deserialize)]
struct Trouble {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<serde_json::Value>,
    param: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: Trouble,
}

impl Trouble {
    fn is(&self, word: &str) -> bool {
        self.kind.as_deref() == Some(word) || self.code.as_ref().and_then(serde_json::Value::as_str) == Some(word)
    }

    /// Its words for programs, which hold nothing of the request.
    fn detail(&self) -> String {
        let code = self.code.as_ref().map(|code| code.as_str().map_or_else(|| code.to_string(), str::to_owned));
        let words: Vec<String> = [self.kind.clone(), code, self.param.clone()].into_iter().flatten().collect();
        words.join(" ").chars().filter(|c| !c.is_control()).take(120).collect()
    }
}

/// One answer on its way.
#[derive(Debug)]
pub(super) struct Answer {
    vendor: Vendor,
    tools: BTreeMap<u32, AskedTool>,
    finished: bool,
    done: bool,
}

impl Answer {
    pub(super) fn new(vendor: Vendor) -> Self {
        Self { vendor, tools: BTreeMap::new(), finished: false, done: false }
    }

    /// Whether the vendor said that nothing more comes.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Whether the model has said all; its cost may follow.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Takes the data of one event.
    pub(super) fn take(&mut self, data: &str, out: &mut Vec<LlmEvent>) -> Result<(), LlmError> {
        if self.done {
            return Ok(());
        }
        if data.trim() == DONE {
            self.done = true;
            return if self.finished { Ok(()) } else { Err(self.failed("[DONE] before the answer was finished")) };
        }
        let chunk: Chunk = serde_json::from_str(data).map_err(|_| self.failed("an event that is no chunk"))?;
        if let Some(error) = chunk.error {
            return Err(self.vendor.broken(&error));
        }
        if let Some(choice) = chunk.choices.into_iter().next().filter(|_| !self.finished) {
            self.choice(choice, out)?;
        }
        if let Some(usage) = chunk.usage {
            out.push(LlmEvent::Usage(Usage {
                prompt_tokens: usage.prompt_tokens,
                cached_tokens: usage.prompt_tokens_details.map_or(0, |details| details.cached_tokens),
                completion_tokens: usage.completion_tokens,
            }));
        }
        Ok(())
    }

    fn choice(&mut self, Choice { delta, finish_reason }: Choice, out: &mut Vec<LlmEvent>) -> Result<(), LlmError> {
        if delta.refusal.is_some_and(|refusal| !refusal.is_empty()) {
            return Err(LlmError::Refused { vendor: self.vendor.name });
        }
        out.extend(delta.content.filter(|text| !text.is_empty()).map(LlmEvent::Text));
        for fragment in delta.tool_calls.unwrap_or_default() {
            self.tool(fragment)?;
        }
        let finish = match finish_reason.as_deref() {
            None | Some("") => return Ok(()),
            Some("content_filter") => return Err(LlmError::Refused { vendor: self.vendor.name }),
            Some("length") => Finish::Length,
            Some("tool_calls" | "function_call") => Finish::ToolCalls,
            Some(_) => Finish::Stop, // compatible services have words of their own
        };
        out.extend(std::mem::take(&mut self.tools).into_values().map(LlmEvent::ToolCall));
        out.push(LlmEvent::Finished(finish));
        self.finished = true;
        Ok(())
    }

    /// `id` and `name` come with the first fragment of a tool, its arguments in pieces.
    fn tool(&mut self, fragment: Fragment) -> Result<(), LlmError> {
        if self.tools.len() >= MOST_TOOLS && !self.tools.contains_key(&fragment.index) {
            return Err(self.failed("more tools than anybody needs"));
        }
        let blank = || AskedTool { id: String::new(), name: String::new(), arguments: String::new() };
        let tool = self.tools.entry(fragment.index).or_insert_with(blank);
        if let Some(id) = fragment.id {
            tool.id = id;
        }
        let function = fragment.function.unwrap_or(Function { name: None, arguments: None });
        if let Some(name) = function.name {
            tool.name = name;
        }
        tool.arguments.push_str(&function.arguments.unwrap_or_default());
        let bytes: usize = self.tools.values().map(|tool| tool.arguments.len()).sum();
        if bytes > MOST_ARGUMENTS { Err(self.failed("arguments without an end")) } else { Ok(()) }
    }

    /// The connection is closed.
    pub(super) fn end(&self) -> Result<(), LlmError> {
        if self.finished { Ok(()) } else { Err(self.failed("closed in the middle of an answer")) }
    }

    fn failed(&self, detail: &str) -> LlmError {
        LlmError::Failed { vendor: self.vendor.name, detail: detail.to_owned() }
    }
}

impl Vendor {
    /// What an answer with this status means. `headers` finds a header's text.
    pub(super) fn refusal<'h>(
        &self,
        model: &str,
        status: u16,
        headers: impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
    ) -> LlmError {
        let error = serde_json::from_slice::<Refusal>(body).unwrap_or(Refusal { error: Trouble::default() }).error;
        let vendor = self.name;
        let retry_after = pause(headers);
        match status {
            401 | 403 => LlmError::Unauthorized { vendor, setting: self.key_setting },
            404 if error.is("model_not_found") => {
                LlmError::NoModel { vendor, model: model.to_owned(), setting: self.model_setting }
            }
            404 => LlmError::Failed {
                vendor,
                detail: format!("status 404 {}: check {}", error.detail(), self.base_setting),
            },
            429 if error.is("insufficient_quota") => LlmError::QuotaSpent { vendor },
            429 => LlmError::RateLimited { vendor, retry_after },
            408 | 409 | 500.. => LlmError::Overloaded { vendor, status, retry_after },
            _ => LlmError::Invalid { vendor, detail: format!("status {status} {}", error.detail()) },
        }
    }

    /// What an error in the middle of a stream means.
    fn broken(&self, error: &Trouble) -> LlmError {
        let vendor = self.name;
        if error.is("insufficient_quota") {
            return LlmError::QuotaSpent { vendor };
        }
        if error.is("rate_limit_exceeded") {
            return LlmError::RateLimited { vendor, retry_after: None };
        }
        LlmError::Failed { vendor, detail: format!("an error in the middle of an answer: {}", error.detail()) }
    }
}

/// `retry-after-ms`, or `retry-after` in seconds or as a date, which is compared with the answer's own `date`.
fn pause<'h>(headers: impl Fn(&str) -> Option<&'h str>) -> Option<Duration> {
    let number = |name| headers(name).and_then(|text| text.trim().parse::<f64>().ok()).filter(|number| *number >= 0.0);
    let date = |name| headers(name).and_then(|text| DateTime::parse_from_rfc2822(text.trim()).ok());
    let millis = number("retry-after-ms").map(|ms| ms / 1_000.0);
    let until = || Some((date("retry-after")? - date("date")?).num_seconds().max(0) as f64);
    let seconds = millis.or_else(|| number("retry-after")).or_else(until)?;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests;
