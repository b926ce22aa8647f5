//! CSV by RFC 4180, in UTF-8, one row a line of the conversation.
//!
//! Two forms, because one cannot serve both readers:
//!
//! | | for spreadsheets (default) | exact |
//! |---|---|---|
//! | byte order mark | yes: without one Excel reads UTF-8 as the machine's code page | no |
//! | a text that a spreadsheet would take for a formula | begins with an apostrophe, which our own import takes off again | as it is |
//!
//! A formula begins with `=`, `+`, `-`, `@`, a full-width form of these, a tab or a line break (OWASP, CSV injection). A cell that is a plain
//! number with its sign is none and stays as it is: a guard would break every telephone number.

use chrono::SecondsFormat;
use tandem_domain::port::store::TranscriptLine;
use tandem_domain::transcript::Role;

use super::Transcript;
use super::cue::cues;

const BYTE_ORDER_MARK: &str = "\u{FEFF}";
const COLUMNS: [&str; 10] = [
    "line",
    "role",
    "start_ms",
    "end_ms",
    "text",
    "intended_text",
    "interrupted",
    "language",
    "latency_ms",
    "created_at",
];

pub(super) fn write(transcript: &Transcript, exact: bool) -> String {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    let cues = cues(transcript);
    let mut cues = cues.iter().peekable();
    writer.write_record(COLUMNS).expect("memory takes every row");
    for (index, line) in transcript.lines.iter().enumerate() {
        // Lines of which nothing was heard have no time, and stand here all the same.
        let cue = cues.next_if(|cue| std::ptr::eq(cue.line, line));
        let ms = |at: Option<std::time::Duration>| at.map_or(String::new(), |at| at.as_millis().to_string());
        let [text, intended, language] = texts(line).map(|text| if exact { text.to_owned() } else { guarded(text) });
        let row = [
            (index + 1).to_string(),
            role(line.role).to_owned(),
            ms(cue.map(|cue| cue.from)),
            ms(cue.map(|cue| cue.to)),
            text,
            intended,
            line.interrupted.to_string(),
            language,
            line.latency_ms.map_or(String::new(), |ms| ms.to_string()),
            line.created_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        ];
        writer.write_record(row).expect("memory takes every row, and all have as many cells as the first");
    }
    let bytes = writer.into_inner().expect("memory has nothing to flush");
    let rows = String::from_utf8(bytes).expect("made of text alone");
    if exact { rows } else { format!("{BYTE_ORDER_MARK}{rows}") }
}

/// The cells that hold what others wrote.
fn texts(line: &TranscriptLine) -> [&str; 3] {
    [&line.text, line.intended_text.as_deref().unwrap_or_default(), line.language.as_deref().unwrap_or_default()]
}

fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Agent => "agent",
        Role::System => "system",
    }
}

/// A cell that no spreadsheet takes for a formula.
fn guarded(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n']);
    let digits = cell.strip_prefix(['+', '-']).unwrap_or_default();
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if formula && !number { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_guarded_and_numbers_are_not() {
        for cell in [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "＝1",
            "＠x",
            "+",
            "-",
            "+1,2",
            "+91 98",
            "=",
            "+１",
        ] {
            assert_eq!(guarded(cell), format!("'{cell}"));
        }
        for cell in ["+919876543210", "-7", "", "hello", "1+1", "a=b", " =1", "'=1"] {
            assert_eq!(guarded(cell), cell);
        }
    }
}
