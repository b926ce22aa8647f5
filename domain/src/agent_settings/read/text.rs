//! Texts: names, lines, prose, languages, addresses and lists of terms.

use serde_json::Value;
use url::Url;

use super::super::fault::{Wrong, shown};
use super::super::value::SettingValue;
use super::Read;

/// Longest term of a list.
const MOST_TERM: usize = 100;
/// Longest address. Longer ones are cut somewhere on the way.
const MOST_URL: usize = 2_048;
/// Longest name of an agent.
const MOST_NAME: usize = 100;

/// Names that stand in paths where an agent could (R2).
const RESERVED: [&str; 4] = ["create", "management", ".", ".."];

/// An agent's name stands in paths beside numbers, UUIDs and the words of routes, and must not be taken for one.
pub(super) fn name(text: &str) -> Result<String, Wrong> {
    let name = line(text, MOST_NAME)?;
    let turns =
        |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let rule = |why: &str| Err(Wrong::Rule(format!("{name:?} cannot be an agent's name: {why}")));
    match name.as_str() {
        reserved if RESERVED.contains(&reserved.to_lowercase().as_str()) => {
            rule("it is a word of an address; choose another")
        }
        number if number.parse::<i64>().is_ok() => rule("a number alone means the agent of that number; add a letter"),
        uuid if uuid.parse::<uuid::Uuid>().is_ok() => rule("it reads as an id; choose another"),
        hidden if !hidden.contains(char::is_alphanumeric) => rule("it has neither a letter nor a digit"),
        // Marks that turn the direction of writing would let one name look like another.
        turned if turned.contains(turns) => rule("it holds marks that turn the direction of writing"),
        slashed if slashed.contains(['/', '\\', '?', '#', '%']) => {
            rule("it stands in addresses; leave out / \\ ? # and %")
        }
        _ => Ok(name),
    }
}

fn length(text: &str, most: usize) -> Result<(), Wrong> {
    // Bytes are at most four times the characters; the count is taken only of what may fit.
    let found = if text.len() > most.saturating_mul(4) { text.len() } else { text.chars().count() };
    if found > most { Err(Wrong::TooMuch { found, most, of: "characters" }) } else { Ok(()) }
}

/// One line, without the space around it.
pub(super) fn line(text: &str, most: usize) -> Result<String, Wrong> {
    let text = text.trim();
    length(text, most)?;
    if text.contains(char::is_control) {
        return Err(Wrong::Rule("must be one line, without control characters".to_owned()));
    }
    Ok(text.to_owned())
}

/// Lines, each ended by a line feed alone.
pub(super) fn prose(text: &str, most: usize) -> Result<String, Wrong> {
    length(text, most)?;
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if text.contains(|letter: char| letter.is_control() && !matches!(letter, '\n' | '\t')) {
        return Err(Wrong::Rule("holds control characters; only line ends and tabs may be".to_owned()));
    }
    Ok(text)
}

/// A tag in its usual case: `EN_us` is `en-US`. Only its shape is checked; which languages an engine knows is the engine's to say.
pub(super) fn language(text: &str) -> Result<String, Wrong> {
    let wrong = || Wrong::Rule(format!("{:?} is not a language tag; write one such as en, hi or en-IN", shown(text)));
    let tag = text.trim();
    if tag.len() > 35 || !tag.is_ascii() {
        return Err(wrong());
    }
    let mut parts = Vec::new();
    for (place, part) in tag.split(['-', '_']).enumerate() {
        let letters = part.bytes().all(|byte| byte.is_ascii_alphabetic());
        let shaped = part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        parts.push(match (place, part.len()) {
            (0, 2..=3) if letters => part.to_ascii_lowercase(),
            (0, _) => return Err(wrong()),
            (_, 2) if letters => part.to_ascii_uppercase(),
            (_, 4) if letters => part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase(),
            (_, 1..=8) if shaped => part.to_ascii_lowercase(),
            _ => return Err(wrong()),
        });
    }
    Ok(parts.join("-"))
}

/// An address that we may call. Whether its host may be reached is judged when it is called, for names move.
pub(super) fn address(text: &str) -> Result<String, Wrong> {
    let text = line(text, MOST_URL)?;
    let rule = |why: &str| Err(Wrong::Rule(why.to_owned()));
    let Ok(url) = Url::parse(&text) else {
        return rule("is not an address; write one such as https://example.com/path");
    };
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return rule("must begin with https:// or http://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return rule("must not hold a user or a password: addresses are shown and logged");
    }
    Ok(text)
}

/// Terms with commas.
pub(super) fn text_of_terms(text: &str, most: usize) -> Result<Read, Wrong> {
    length(text, most * (MOST_TERM + 2))?;
    terms(text.split(','), most)
}

/// Terms in a list.
pub(super) fn list_of_terms(list: &[Value], most: usize) -> Result<Read, Wrong> {
    if list.len() > most {
        return Err(Wrong::TooMuch { found: list.len(), most, of: "terms" });
    }
    let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
    let texts = texts.ok_or(Wrong::Type { wanted: "a list of texts", found: "a list with other things in it" })?;
    if texts.iter().any(|text| text.contains(',')) {
        return Err(Wrong::Rule("has a comma in a term; commas part terms".to_owned()));
    }
    terms(texts.into_iter(), most)
}

/// Terms in their order, each once, parted by a comma and a space.
fn terms<'a>(given: impl Iterator<Item = &'a str>, most: usize) -> Result<Read, Wrong> {
    let mut kept: Vec<String> = Vec::new();
    for term in given.map(str::trim).filter(|term| !term.is_empty()) {
        let term = line(term, MOST_TERM)?;
        if kept.contains(&term) {
            continue;
        }
        if kept.len() == most {
            return Err(Wrong::Rule(format!("has more than {most} terms")));
        }
        kept.push(term);
    }
    Ok(if kept.is_empty() { Read::Clear } else { Read::Set(SettingValue::Text(kept.join(", "))) })
}
