//! A transcript as a file: CSV, plain text, WebVTT, SubRip. Pure but for the HTTP answer around the text.
//!
//! Texts in a transcript are a stranger's words. Each format says how it keeps them from becoming markup, and CSV from becoming a formula.
//! Not here: JSON, which is the rows themselves.

mod csv;
mod cue;
mod format;
mod srt;
mod txt;
mod vtt;

use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use tandem_domain::port::store::{CallSession, Conversation, TranscriptLine};
use tandem_domain::transcript::Role;

use format::File;
pub(super) use format::{Format, FormatQuery};

/// Tells caches that the answer depends on `Accept`.
pub(super) const VARIES: [(HeaderName, &str); 1] = [(header::VARY, "accept")];

/// What was said, and what the head of a file tells about it.
#[derive(Debug)]
pub(super) struct Transcript {
    /// The carrier's id of the call; empty where there was no call, or the carrier never told.
    call_sid: String,
    /// Agent's name.
    agent: Option<String>,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    /// Why it ended.
    ended_reason: Option<String>,
    /// In the order they were spoken.
    lines: Vec<TranscriptLine>,
}

impl Transcript {
    /// A conversation's.
    pub(super) fn of_conversation(conversation: &Conversation, lines: Vec<TranscriptLine>) -> Self {
        Self {
            call_sid: String::new(),
            agent: conversation.agent_name.clone(),
            started_at: conversation.started_at,
            ended_at: conversation.ended_at,
            ended_reason: conversation.ended_reason.clone(),
            lines,
        }
    }

    /// A call's; one that was turned away has no conversation and no lines.
    pub(super) fn of_call(call: &CallSession, conversation: Option<&Conversation>, lines: Vec<TranscriptLine>) -> Self {
        Self {
            call_sid: call.call_sid.clone(),
            agent: conversation.and_then(|conversation| conversation.agent_name.clone()),
            started_at: conversation.map_or(call.created_at, |conversation| conversation.started_at),
            ended_at: call.ended_at,
            ended_reason: call.ended_reason.clone(),
            lines,
        }
    }

    /// The answer that a client saves as `name` with the format's extension. `name` must be plain ASCII: it stands in a header.
    pub(super) fn answer(&self, file: File, name: &str) -> Response {
        let text = match file {
            File::Csv { exact } => csv::write(self, exact),
            File::Txt => txt::write(self),
            File::Vtt => vtt::write(self),
            File::Srt => srt::write(self),
        };
        let disposition = format!("attachment; filename=\"{name}.{}\"", file.extension());
        let headers = [
            (header::CONTENT_TYPE, file.content_type().to_owned()),
            (header::CONTENT_DISPOSITION, disposition),
            // A text of strangers is never a page, whatever a browser thinks it looks like.
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        ];
        (VARIES, headers, text).into_response()
    }
}

/// Who speaks, as people read it.
fn speaker(role: Role) -> &'static str {
    match role {
        Role::User => "Caller",
        Role::Agent => "Agent",
        Role::System => "System",
    }
}

/// Text on one line: blank lines and line breaks have a meaning of their own in every format here.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What was heard, with a dash where it was cut short; empty if nothing was.
fn heard(line: &TranscriptLine) -> String {
    let mut text = one_line(&line.text);
    if line.interrupted && !text.is_empty() {
        text.push_str(" —");
    }
    text
}

#[cfg(test)]
mod tests;
