//! Plain text, to read: a head, then one line a line, with the time since the conversation began.

use chrono::SecondsFormat;

use super::cue::{clock, cues};
use super::{Transcript, one_line, speaker};

pub(super) fn write(transcript: &Transcript) -> String {
    let mut head = match transcript.call_sid.as_str() {
        "" => "Conversation".to_owned(),
        call_sid => format!("Call {}", one_line(call_sid)),
    };
    if let Some(agent) = &transcript.agent {
        head.push_str(&format!(" with {}", one_line(agent)));
    }
    let mut text = format!("{head}\nBegan {}\n", at(transcript.started_at));
    if let Some(ended_at) = transcript.ended_at {
        let reason = transcript.ended_reason.as_deref().map_or(String::new(), |reason| format!(", {reason}"));
        text.push_str(&format!("Ended {}{reason}\n", at(ended_at)));
    }
    text.push('\n');
    for cue in cues(transcript) {
        let clock = clock(cue.from, '.');
        // Thousandths are for machines.
        let clock = clock.split('.').next().unwrap_or_default();
        text.push_str(&format!("[{clock}] {}: {}\n", speaker(cue.line.role), cue.text));
    }
    text
}

fn at(instant: chrono::DateTime<chrono::Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}
