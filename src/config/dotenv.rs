//! The `.env` file: `NAME=value` lines as the tools that people come from read them.
//!
//! Written here because the crates for it refuse an unquoted value with a space in it (`APP_NAME=Real Estate Voice AI`), which other
//! readers of these files accept. Understood: blank lines, `#` comments on a line of their own or after a space, an `export` in
//! front, single quotes (taken as they are) and double quotes (with `\n`, `\t`, `\"`, `\\`), both over several lines.
//! Not understood, on purpose: substitution of `$NAME`. A `$` in a secret stays a `$`.

/// A line that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadLine {
    /// Counted from 1.
    pub(super) line: usize,
    /// What is wrong with it.
    pub(super) reason: &'static str,
}

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Name as written.
    pub(super) name: String,
    /// Value without its quotes.
    pub(super) value: String,
    /// Where, counted from 1.
    pub(super) line: usize,
}

/// Reads a whole file. Every readable line counts even where others are not.
pub(super) fn parse(text: &str) -> (Vec<Entry>, Vec<BadLine>) {
    let (mut entries, mut bad) = (Vec::new(), Vec::new());
    let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let number = index + 1;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let Some((name, rest)) = line.split_once('=') else {
            bad.push(BadLine { line: number, reason: "no `=` in it" });
            continue;
        };
        let (name, rest) = (name.trim_end(), rest.trim_start());
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            bad.push(BadLine { line: number, reason: "the name may hold letters, digits and underscores only" });
            continue;
        }
        let value = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let mut quoted = rest[1..].to_owned();
                loop {
                    if let Some(value) = unquote(&quoted, quote) {
                        break Some(value);
                    }
                    let Some((_, more)) = lines.next() else { break None };
                    quoted.push('\n');
                    quoted.push_str(more);
                }
            }
            _ => Some(uncomment(rest).to_owned()),
        };
        match value {
            Some(value) => entries.push(Entry { name: name.to_owned(), value, line: number }),
            None => bad.push(BadLine { line: number, reason: "its quotation mark is never closed" }),
        }
    }
    (entries, bad)
}

/// The text up to the closing quote; `None` if there is none. What follows the quote is taken for a comment.
fn unquote(text: &str, quote: char) -> Option<String> {
    let mut value = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c == quote => return Some(value),
            '\\' if quote == '"' => match chars.next()? {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                c @ ('"' | '\\' | '$') => value.push(c),
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
    None
}

/// An unquoted value without the comment behind it. A `#` inside a word belongs to the value.
fn uncomment(text: &str) -> &str {
    if text.starts_with('#') {
        return "";
    }
    [" #", "\t#"].iter().filter_map(|mark| text.find(mark)).min().map_or(text, |at| &text[..at]).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let (entries, bad) = parse(text);
        assert_eq!(bad, []);
        entries.into_iter().map(|e| (e.name, e.value)).collect()
    }

    #[test]
    fn values_with_spaces_comments_and_quotes() {
        let text = "\u{feff}# ours\r\nAPP_NAME=Real Estate Voice AI # shown\r\nexport PORT = 8001\nTOKEN='a#b $c \\n'\nEMPTY=\nLATER= # none\nPASS=a#b\nQ=\"x \\\"y\\\"\" # z\n";
        let expected = [
            ("APP_NAME", "Real Estate Voice AI"),
            ("PORT", "8001"),
            ("TOKEN", "a#b $c \\n"),
            ("EMPTY", ""),
            ("LATER", ""),
            ("PASS", "a#b"),
            ("Q", "x \"y\""),
        ];
        assert_eq!(pairs(text), expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    #[test]
    fn a_key_over_several_lines() {
        let text = "KEY=\"-----BEGIN-----\nabc\\ndef\n-----END-----\"\nNEXT=1";
        assert_eq!(
            pairs(text),
            [("KEY".into(), "-----BEGIN-----\nabc\ndef\n-----END-----".into()), ("NEXT".into(), "1".into())]
        );
    }

    #[test]
    fn bad_lines_are_named_and_the_rest_counts() {
        let (entries, bad) = parse("A=1\nnonsense\nB C=2\nD=\"open\nE=3");
        assert_eq!(entries.len(), 1);
        assert_eq!(bad.iter().map(|b| b.line).collect::<Vec<_>>(), [2, 3, 4]);
    }
}
