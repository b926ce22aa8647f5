//! Makes a sentence fit to be read aloud by a plain engine: no markup, no control characters, not without end.
//!
//! Place: in front of engines that would read `**` or `<b>` aloud. Pure.
//! Not here: numbers, money and dates. Whoever writes "6000000" knows whether it is a price or a telephone number; we do not.

/// The longest text spoken at once, in characters: about a minute.
pub const MAX_CHARS: usize = 1_000;

/// The words to be spoken, separated by single spaces; empty if there are none.
///
/// Goes: tags (`<emphasis>`), emphasis marks of Markdown (`*`, `_`, `` ` ``, `#`, `~`), the targets of its links, control characters,
/// pictographs. Stays: everything that has a sound. Cut at the last whole word within [`MAX_CHARS`].
pub fn speakable(text: &str) -> String {
    let plain: String = without_tags(&without_links(text)).chars().filter_map(audible).collect();
    let mut spoken = String::with_capacity(plain.len());
    let mut length = 0;
    for word in plain.split_whitespace() {
        let room = MAX_CHARS - length;
        let word: String = word.chars().take(if length == 0 { room } else { room.saturating_sub(1) }).collect();
        let cut = length > 0 && length + 1 + word.chars().count() >= MAX_CHARS;
        if word.is_empty() || cut {
            break;
        }
        if length > 0 {
            spoken.push(' ');
            length += 1;
        }
        length += word.chars().count();
        spoken.push_str(&word);
    }
    if spoken.chars().any(char::is_alphanumeric) { spoken } else { String::new() }
}

/// A character as it is spoken: itself, a space, or `None` for what has no sound.
fn audible(c: char) -> Option<char> {
    match c {
        '*' | '`' | '#' | '~' => None,
        // The joiner and the marks of direction would make one word two for some engines.
        '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{FE00}'..='\u{FE0F}' => None,
        '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}' => Some(' '),
        '_' | '<' | '>' | '|' | '\\' => Some(' '),
        c if c.is_control() => Some(' '),
        '\u{2018}' | '\u{2019}' => Some('\''),
        '\u{201C}' | '\u{201D}' => Some('"'),
        '\u{2013}' | '\u{2014}' => Some(','),
        c => Some(c),
    }
}

/// `[the words](https://…)` becomes `the words`.
fn without_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let Some((words_from, end)) = before.rfind('[').zip(after.find(')')) else { break };
        out.push_str(&before[..words_from]);
        out.push_str(&before[words_from + 1..]);
        rest = &after[end + 1..];
    }
    out + rest
}

/// Removes what looks like a tag: `<`, a letter or `/`, and everything up to `>`. "2 < 3" has none.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        let opens = tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        out.push_str(before);
        match tag.find('>').filter(|_| opens) {
            Some(end) => {
                rest = &tag[end + 1..];
                // A tag may stand between two words, but no space belongs before a full stop.
                if rest.starts_with(char::is_alphanumeric) {
                    out.push(' ');
                }
            }
            None => {
                out.push('<');
                rest = &tag[1..];
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_goes_and_words_stay() {
        let cases = [
            ("**Sixty** lakh _rupees_", "Sixty lakh rupees"),
            ("<speak>Hello <break time=\"1s\"/> there</speak>", "Hello there"),
            ("one<br>two <i>three</i>.", "one two three."),
            ("2 < 3 and 4 > 1", "2 3 and 4 1"),
            ("See [our site](https://example.com/a_b) now", "See our site now"),
            ("line one\nline\ttwo\u{7}", "line one line two"),
            ("It\u{2019}s 6000000 \u{1F600}", "It's 6000000"),
            (" -- ", ""),
            ("", ""),
        ];
        for (written, spoken) in cases {
            assert_eq!(speakable(written), spoken, "{written:?}");
        }
    }

    #[test]
    fn long_text_ends_at_a_word() {
        let spoken = speakable(&"seven ".repeat(500));
        assert!(spoken.chars().count() <= MAX_CHARS && spoken.chars().count() > MAX_CHARS - 10);
        assert!(spoken.ends_with("seven"));
        assert_eq!(speakable(&"x".repeat(3_000)).chars().count(), MAX_CHARS);
    }

    proptest! {
        #[test]
        fn always_short_clean_and_stable(text in "\\PC{0,1500}") {
            let spoken = speakable(&text);
            prop_assert!(spoken.chars().count() <= MAX_CHARS);
            prop_assert!(!spoken.contains(['*', '<', '>', '\n']) && !spoken.contains("  "));
        }
    }
}
