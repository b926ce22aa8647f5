//! When each line was to be heard, from the start of the conversation.
//!
//! A line begins when its first sound did. Its end is not on record, so it is, in this order:
//!
//! 1. of a caller's line that was answered: the answer's first sound, less the latency of the answer, which is counted from there;
//! 2. of any other line: its beginning, and what it takes to say it ([`SPOKEN`] a character, at least [`LEAST`]);
//! 3. in either case no later than the next line's beginning and the end of the call, yet at least [`SHOWN`] after its own beginning:
//!    players drop a cue of no length.
//!
//! Lines of which nothing was heard have no cue.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tandem_domain::port::store::TranscriptLine;
use tandem_domain::transcript::Role;

use super::Transcript;

/// Time to say one character: 15 a second.
const SPOKEN: Duration = Duration::from_millis(66);
/// Shortest guess.
const LEAST: Duration = Duration::from_secs(1);
/// Shortest cue.
const SHOWN: Duration = Duration::from_millis(300);

/// A line and its time.
#[derive(Debug)]
pub(super) struct Cue<'a> {
    pub(super) from: Duration,
    pub(super) to: Duration,
    pub(super) line: &'a TranscriptLine,
    /// What was heard, on one line; never empty.
    pub(super) text: String,
}

/// The cues of a transcript, in the order of their beginnings.
pub(super) fn cues(transcript: &Transcript) -> Vec<Cue<'_>> {
    let since = |at: DateTime<Utc>| (at - transcript.started_at).to_std().unwrap_or_default();
    let mut cues: Vec<Cue<'_>> = Vec::with_capacity(transcript.lines.len());
    for (index, line) in transcript.lines.iter().enumerate() {
        let text = super::heard(line);
        if text.is_empty() {
            continue;
        }
        let following = &transcript.lines[index + 1..];
        // Never before the cue before: clocks may have been set back in the middle of a call.
        let from = since(line.created_at).max(cues.last().map_or(Duration::ZERO, |cue| cue.from));
        let said = answered(line, following)
            .map(since)
            .filter(|end| *end > from)
            .unwrap_or_else(|| from + LEAST.max(SPOKEN * u32::try_from(text.chars().count()).unwrap_or(u32::MAX)));
        let limits =
            following.first().map(|next| since(next.created_at)).into_iter().chain(transcript.ended_at.map(since));
        let to = limits.fold(said, Duration::min).max(from + SHOWN);
        cues.push(Cue { from, to, line, text });
    }
    cues
}

/// When the caller's line ended, if the line after it is an answer that says how long it took.
fn answered(line: &TranscriptLine, following: &[TranscriptLine]) -> Option<DateTime<Utc>> {
    let answer = following.first().filter(|answer| line.role == Role::User && answer.role == Role::Agent)?;
    let latency = chrono::TimeDelta::try_milliseconds(answer.latency_ms?)?;
    answer.created_at.checked_sub_signed(latency)
}

/// `00:01:02.345`, with the given sign before the thousandths; hours have as many digits as they need.
pub(super) fn clock(at: Duration, sign: char) -> String {
    let seconds = at.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{sign}{:03}", at.subsec_millis())
}
