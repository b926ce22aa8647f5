//! From words to the sounds of the international phonetic alphabet, by espeak-ng.
//!
//! espeak-ng is GPL-3, so it is a program that we run, never a library: one process a text, about 10 ms, of which most is its start.
//!
//! - It prints one line for each clause and drops the marks between them, but the voice speaks by those marks. So each part between two
//!   marks goes in on a line of its own with an empty line after it, which comes out as an empty line, and the marks are put back.
//! - Where it changes language it says so in brackets, `(hi)…(en-us)`; the voice has no sound for those.
//! - The text goes in by stdin, so that it shows in no process list, and is never an argument.

use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::super::clauses::{LONGEST, stops};

/// Most bytes that are read of an answer: far more than any text's sounds.
const MOST_ANSWER: u64 = 1 << 16;

/// The sounds of `text` in espeak-ng's `voice`, with its marks. Dropping the future kills the process.
pub(super) async fn phonemes(program: &Path, voice: &str, text: &str) -> io::Result<String> {
    let parts = parts(text);
    if parts.is_empty() {
        return Ok(String::new());
    }
    let mut process = Command::new(program)
        .args(["-q", "--ipa", "-v", voice])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0) // Ctrl-C is for the switch: it drains, and calls still have to be answered
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = process.stdin.take().expect("stdin is piped");
    let mut stdout = process.stdout.take().expect("stdout is piped").take(MOST_ANSWER);
    let lines: String = parts.iter().map(|part| format!("{}\n\n", part.words)).collect();
    let mut answer = String::new();
    // At once: a full pipe on one side must not stop the other.
    let write = async move { stdin.write_all(lines.as_bytes()).await };
    let (written, read) = tokio::join!(write, stdout.read_to_string(&mut answer));
    let status = process.wait().await?;
    if !status.success() {
        return Err(io::Error::other(format!("{} ended with {status}", program.display())));
    }
    written.and(read)?;
    Ok(joined(&parts, &answer))
}

/// Words without a mark inside, and the mark after them.
#[derive(Debug, PartialEq, Eq)]
struct Part<'t> {
    words: &'t str,
    mark: char,
}

/// The parts of `text` that have a sound. What ends without a mark ends with a full stop, or the voice would not know that it ends.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut out = Vec::new();
    let mut from = 0;
    for stop in stops(text) {
        lines(&text[from..stop.end], stop.mark, &mut out);
        from = stop.end;
    }
    lines(&text[from..], '.', &mut out);
    out
}

/// Adds `words` in lines of at most [`LONGEST`] characters: espeak-ng cuts longer ones wherever its buffer ends.
fn lines<'t>(words: &'t str, mark: char, out: &mut Vec<Part<'t>>) {
    let mut rest = words.trim_matches(|c: char| c.is_whitespace() || ",;:.!?".contains(c));
    while let Some((limit, _)) = rest.char_indices().nth(LONGEST) {
        let at = rest[..limit].rfind(' ').filter(|at| *at > 0).unwrap_or(limit);
        let (head, tail) = rest.split_at(at);
        out.push(Part { words: head, mark: ',' });
        rest = tail.trim_start();
    }
    if rest.contains(char::is_alphanumeric) {
        out.push(Part { words: rest, mark });
    }
}

/// The sounds of all parts, each followed by its mark.
fn joined(parts: &[Part<'_>], answer: &str) -> String {
    let groups: Vec<String> = answer.split("\n\n").map(sounds).filter(|group| !group.is_empty()).collect();
    if groups.len() != parts.len() {
        // A part without a sound: which one is not to be known. Without the marks inside, the words are still all there.
        let last = parts.last().map_or('.', |part| part.mark);
        return if groups.is_empty() { String::new() } else { format!("{}{last}", groups.join(" ")) };
    }
    let marked = parts.iter().zip(&groups).map(|(part, sounds)| format!("{sounds}{}", part.mark));
    marked.collect::<Vec<_>>().join(" ")
}

/// One part's sounds: its lines joined, without the names of languages.
fn sounds(group: &str) -> String {
    let mut out = String::with_capacity(group.len());
    let mut in_brackets = false;
    for c in group.chars() {
        match c {
            '(' => in_brackets = true,
            ')' => in_brackets = false,
            _ if in_brackets => {}
            _ if c.is_whitespace() => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            _ => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_end_at_marks_and_have_a_sound() {
        let part = |words, mark| Part { words, mark };
        assert_eq!(parts("Hello, Sarah!"), [part("Hello", ','), part("Sarah", '!')]);
        assert_eq!(
            parts("Dr. Rao: 1,000 at 3:30 p.m. today"),
            [part("Dr. Rao", ':'), part("1,000 at 3:30 p.m. today", '.')]
        );
        assert_eq!(parts("Really?! ... yes"), [part("Really", '!'), part("yes", '.')]);
        assert_eq!(parts(" - \" "), []);
    }

    #[test]
    fn marks_come_back_between_the_sounds() {
        let parts = parts("Dr. Rao, good bye");
        assert_eq!(joined(&parts, "dˈɑːktɚ\nɹˈaʊ\n\nɡˈʊd bˈaɪ\n\n"), "dˈɑːktɚ ɹˈaʊ, ɡˈʊd bˈaɪ.");
        assert_eq!(joined(&parts, " nˈæ (hi)dˈʊnɪ(en-us) x\n\ny\n"), "nˈæ dˈʊnɪ x, y.");
        assert_eq!(joined(&parts, "one group\n"), "one group.", "no word is lost where the marks cannot be placed");
        assert_eq!(joined(&parts, "\n\n\n"), "");
    }

    proptest! {
        #[test]
        fn lines_are_short_and_hold_every_letter(text in "([a-zA-Z0-9,.;:!? ]{1,300}){0,4}") {
            let parts = parts(&text);
            prop_assert!(parts.iter().all(|part| part.words.chars().count() <= LONGEST && !part.words.contains('\n')));
            let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            prop_assert_eq!(parts.iter().map(|part| letters(part.words)).collect::<String>(), letters(&text));
        }
    }
}
