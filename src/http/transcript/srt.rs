//! SubRip: numbered cues, times with a comma, the speaker before the words.
//!
//! The format has no escapes, and players read `<…>` and `{…}` as styling: brackets are written as their full-width likes, which also keeps
//! an arrow in the text from being one.

use super::cue::{clock, cues};
use super::{Transcript, speaker};

pub(super) fn write(transcript: &Transcript) -> String {
    let mut text = String::new();
    for (index, cue) in cues(transcript).iter().enumerate() {
        let (from, to) = (clock(cue.from, ','), clock(cue.to, ','));
        let words: String = cue.text.chars().map(plain).collect();
        let gap = if index == 0 { "" } else { "\n" };
        text.push_str(&format!("{gap}{}\n{from} --> {to}\n{}: {words}\n", index + 1, speaker(cue.line.role)));
    }
    text
}

fn plain(c: char) -> char {
    match c {
        '<' => '＜',
        '>' => '＞',
        '{' => '｛',
        '}' => '｝',
        c => c,
    }
}
