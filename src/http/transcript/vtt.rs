//! WebVTT (W3C Web Video Text Tracks): one cue a line, its speaker as a voice: `<v Agent>`.
//!
//! Text is escaped as section 4.2.2 wants it (`&`, `<`, `>`), so that no word becomes a tag and no line an arrow.

use super::cue::{clock, cues};
use super::{Transcript, speaker};

pub(super) fn write(transcript: &Transcript) -> String {
    let mut text = "WEBVTT\n".to_owned();
    for (index, cue) in cues(transcript).iter().enumerate() {
        let (from, to) = (clock(cue.from, '.'), clock(cue.to, '.'));
        let words = cue.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text.push_str(&format!("\n{}\n{from} --> {to}\n<v {}>{words}\n", index + 1, speaker(cue.line.role)));
    }
    text
}
