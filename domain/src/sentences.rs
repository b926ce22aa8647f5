//! Cuts a text that comes in pieces into sentences, as early as it can be known that one is over.
//!
//! ```text
//! "Your or" "der costs Rs" ". 60" ".5 in all" ". It comes" …  ─►  "Your order costs Rs. 60.5 in all."  "It comes…"
//! ```
//!
//! | what                                                | becomes                                                           |
//! |-----------------------------------------------------|-------------------------------------------------------------------|
//! | `.` `!` `?` and then a space                        | an end, but for abbreviations, initials, list numbers, `e.g.`     |
//! | `।` `॥` `。` `！` `？`, and a new line              | an end at once                                                    |
//! | `...` or `…`, and then a small letter               | no end                                                            |
//! | no end within [`LONGEST`] characters ([`FIRST`] at the beginning) | a cut after the last clause, else at the last space, else there |
//!
//! A point is waited with until the next character has come, which is the next token's: `3.` may become `3.5`. No number is torn, unless it
//! alone is too long. Marks of markup (`*`, `` ` ``, `#` and bullets at the beginning of a line) are dropped: nobody should hear an asterisk.
//! Not here: how numbers and signs are pronounced; that is the voice's.

/// Characters of a sentence at most.
pub const LONGEST: usize = 240;
/// Characters of the first piece at most, where a clause ends within them: the caller waits for it.
pub const FIRST: usize = 80;
/// A first piece that is shorter sounds torn off.
const SHORTEST_FIRST: usize = 20;

/// Words before a point that never end a sentence.
const NEVER: &[&str] = &[
    "mr",
    "mrs",
    "ms",
    "dr",
    "prof",
    "smt",
    "shri",
    "sri",
    "hon",
    "capt",
    "col",
    "gen",
    "lt",
    "rev",
    "vs",
    "e.g",
    "i.e",
    "approx",
    "dept",
    "ext",
    "fig",
    "pvt",
    "mt",
    "डॉ",
    "श्री",
    "कु",
    "प्रो",
    "सुश्री",
];
/// Words before a point that end none where a number follows.
const BEFORE_NUMBERS: &[&str] = &["rs", "re", "no", "nos", "st", "apt", "vol", "pg", "p", "ch", "रु", "नं", "क्र"];
/// Words before a point that end one only where a capital letter follows.
const BEFORE_CAPITALS: &[&str] =
    &["a.m", "p.m", "etc", "inc", "ltd", "co", "jr", "sr", "st", "ave", "rd", "u.s", "u.k"];

/// The sentences of one text.
#[derive(Debug, Clone, Default)]
pub struct Sentences {
    /// What is not cut off yet.
    rest: String,
    /// A sentence was given.
    begun: bool,
}

impl Sentences {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next piece of the text.
    pub fn push(&mut self, piece: &str) {
        self.rest.push_str(piece);
    }

    /// The next sentence that is known to be whole; call until `None` after each piece.
    pub fn next_whole(&mut self) -> Option<String> {
        while let Some(at) = self.end() {
            let tail = self.rest.split_off(at);
            let sentence = std::mem::replace(&mut self.rest, tail);
            if let Some(sentence) = self.spoken(&sentence) {
                return Some(sentence);
            }
        }
        None
    }

    /// The text is over: its last sentence.
    pub fn finish(&mut self) -> Option<String> {
        let last = std::mem::take(&mut self.rest);
        self.spoken(&last)
    }

    /// Forgets what was not given yet.
    pub fn clear(&mut self) {
        self.rest.clear();
    }

    /// Where the first sentence of the rest ends, in bytes.
    fn end(&self) -> Option<usize> {
        let text = &self.rest;
        for (count, (at, character)) in text.char_indices().enumerate() {
            let after = at + character.len_utf8();
            let ends = match character {
                '\n' => true,
                '।' | '॥' | '。' | '！' | '？' => true,
                '.' | '!' | '?' | '…' => match stop(&text[..at], character, &text[after..]) {
                    Stop::End(closing) => return Some(after + closing),
                    Stop::Unknown if count < LONGEST => return None, // the next piece tells
                    Stop::Unknown | Stop::No => false,
                },
                _ => false,
            };
            if ends {
                return Some(after);
            }
            if !self.begun
                && count + 1 >= FIRST
                && let Some(cut) = clause(&text[..after], SHORTEST_FIRST)
            {
                return Some(cut);
            }
            if count + 1 >= LONGEST {
                return Some(self.cut(after));
            }
        }
        None
    }

    /// Where a sentence that is too long is cut: one word without an end is torn.
    fn cut(&self, limit: usize) -> usize {
        let long = &self.rest[..limit];
        let space = || long.rfind(char::is_whitespace).filter(|at| *at > 0);
        clause(long, 1).or_else(space).unwrap_or(limit)
    }

    /// A sentence as it is said; `None` if there is no word in it.
    fn spoken(&mut self, sentence: &str) -> Option<String> {
        let line = sentence.trim_start().trim_start_matches('#');
        let line = ["- ", "* ", "• "].iter().find_map(|bullet| line.trim_start().strip_prefix(bullet)).unwrap_or(line);
        let plain: String = line.chars().filter(|c| !matches!(c, '*' | '`' | '\u{fffd}') && !c.is_control()).collect();
        let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        if !plain.chars().any(char::is_alphanumeric) {
            return None;
        }
        self.begun = true;
        Some(plain)
    }
}

/// What a point, or its like, is.
enum Stop {
    /// An end; so many bytes of closing quotes and brackets belong to it.
    End(usize),
    /// Not an end.
    No,
    /// What comes next will tell.
    Unknown,
}

fn stop(before: &str, mark: char, after: &str) -> Stop {
    let closing: usize = after
        .chars()
        .take_while(|c| matches!(c, '"' | '\'' | '”' | '’' | ')' | ']' | '»' | '*'))
        .map(char::len_utf8)
        .sum();
    let rest = &after[closing..];
    match rest.chars().next() {
        None => return Stop::Unknown,
        Some(next) if !next.is_whitespace() => return Stop::No, // a decimal, an address, or `?!`, whose last mark is asked itself
        Some(_) => {}
    }
    if rest.starts_with('\n') {
        return Stop::No; // the line ends the sentence, and takes the mark along
    }
    let next = rest.chars().find(|c| !c.is_whitespace());
    let ellipsis = mark == '…' || mark == '.' && before.ends_with('.');
    if ellipsis {
        return match next {
            None => Stop::Unknown,
            Some(next) if next.is_lowercase() => Stop::No,
            Some(_) => Stop::End(closing),
        };
    }
    if mark != '.' {
        return Stop::End(closing);
    }
    let word = before.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '"' | ',')).next().unwrap_or_default();
    let word = word.to_lowercase();
    let word = word.as_str();
    let initial = word.chars().count() == 1 && word.chars().all(char::is_alphabetic) && word != "i";
    let list_number = !word.is_empty() && word.len() == before.trim_start().len() && word.chars().all(char::is_numeric);
    if initial || list_number || NEVER.contains(&word) {
        return Stop::No;
    }
    let numbers = BEFORE_NUMBERS.contains(&word);
    let capitals = BEFORE_CAPITALS.contains(&word);
    if !numbers && !capitals {
        return Stop::End(closing);
    }
    match next {
        None => Stop::Unknown,
        Some(next) if numbers && next.is_numeric() => Stop::No,
        Some(next) if capitals && !numbers && !next.is_uppercase() => Stop::No,
        Some(_) => Stop::End(closing),
    }
}

/// Where the last clause of a text ends that has at least so many characters.
fn clause(text: &str, shortest: usize) -> Option<usize> {
    let mut found = None;
    let mut characters = text.char_indices().enumerate().peekable();
    while let Some((count, (at, character))) = characters.next() {
        let spaced = characters.peek().is_some_and(|(_, (_, next))| next.is_whitespace());
        if count + 1 >= shortest && spaced && matches!(character, ',' | ';' | ':' | '—' | '–') {
            found = Some(at + character.len_utf8());
        }
    }
    found
}
