//! E-mail addresses as they are dictated: "rahul dot sharma at gmail dot com", "r a h u l underscore nine nine at the rate yahoo dot co dot in".
//!
//! Read from the raw text, not from words: an address lives by its punctuation. What stands before the address ("my email is") is cut at the
//! last word of that kind. Addresses are lower case; whether the mailbox exists is nobody's guess.

use super::numeral::digit;
use super::spell::{self, Scales};
use super::tongue::Tongue;

/// Longest local part, and longest address (RFC 5321 4.5.3.1).
const LONGEST_LOCAL: usize = 64;
const LONGEST: usize = 254;

/// Domains that callers name without their ending, and as recognisers split them.
const DOMAINS: [(&str, &str); 14] = [
    ("gmail", "gmail.com"),
    ("googlemail", "googlemail.com"),
    ("jimail", "gmail.com"),
    ("yahoo", "yahoo.com"),
    ("outlook", "outlook.com"),
    ("hotmail", "hotmail.com"),
    ("rediffmail", "rediffmail.com"),
    ("rediff", "rediffmail.com"),
    ("icloud", "icloud.com"),
    ("live", "live.com"),
    ("protonmail", "protonmail.com"),
    ("proton", "proton.me"),
    ("zoho", "zoho.com"),
    ("जीमेल", "gmail.com"),
];

/// Words that lead to an address and are no part of it.
const LEADS: [&str; 24] = [
    "email",
    "mail",
    "id",
    "is",
    "address",
    "its",
    "it's",
    "my",
    "the",
    "at",
    "hai",
    "mera",
    "meri",
    "yes",
    "no",
    "sorry",
    "actually",
    "so",
    "okay",
    "ईमेल",
    "मेल",
    "आईडी",
    "है",
    "मेरा",
];

/// The address in `text`, if there is one.
pub(crate) fn read(text: &str) -> Option<String> {
    let tokens = tokens(text);
    // The last "@" counts: people start again.
    let at = tokens.iter().rposition(|token| token == "@").filter(|at| *at > 0)?;
    let local_start = tokens[..at].iter().rposition(|token| LEADS.contains(&token.as_str())).map_or(0, |lead| lead + 1);
    let local: String = tokens[local_start..at].concat();
    let domain = domain(&tokens[at + 1..])?;
    let address = format!("{local}@{domain}");
    is_sound(&local, &domain).then_some(address)
}

/// What is left of `tokens` behind the last word that leads to an address.
pub(crate) fn after_leads(tokens: &[String]) -> &[String] {
    let from = tokens.iter().rposition(|token| LEADS.contains(&token.as_str())).map_or(0, |lead| lead + 1);
    &tokens[from..]
}

/// Spoken signs become signs, spelled letters and digits stand alone.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let lower = text.to_lowercase();
    let spaced = lower.replace('@', " @ ");
    let words: Vec<&str> = spaced.split_whitespace().map(|word| word.trim_matches([',', ';', '"', '\''])).collect();
    let mut i = 0;
    while i < words.len() {
        // A sentence ends in a full stop, an address does not.
        let word = if i + 1 == words.len() { words[i].trim_end_matches(['.', '?', '!', '।']) } else { words[i] };
        let next = |n: usize| words.get(i + n).copied().unwrap_or_default();
        let (token, length) = match (word, next(1), next(2)) {
            ("at", "the", "rate") => ("@".to_owned(), 3),
            ("at", "rate", _) | ("at-the-rate", ..) => ("@".to_owned(), if word == "at" { 2 } else { 1 }),
            ("at" | "@" | "एट", ..) => ("@".to_owned(), 1),
            ("dot" | "point" | "period" | "डॉट", ..) => (".".to_owned(), 1),
            ("under", "score", _) => ("_".to_owned(), 2),
            ("underscore", ..) => ("_".to_owned(), 1),
            ("dash" | "hyphen" | "minus", ..) => ("-".to_owned(), 1),
            ("plus", ..) => ("+".to_owned(), 1),
            ("g", "mail", _) => ("gmail".to_owned(), 2),
            ("hot", "mail", _) => ("hotmail".to_owned(), 2),
            ("rediff", "mail", _) => ("rediffmail".to_owned(), 2),
            ("double", digit_or_letter, _) if !digit_or_letter.is_empty() => (one(digit_or_letter).repeat(2), 2),
            ("triple", digit_or_letter, _) if !digit_or_letter.is_empty() => (one(digit_or_letter).repeat(3), 2),
            ("", ..) => (String::new(), 1),
            _ => (one(word), 1),
        };
        if !token.is_empty() {
            tokens.push(token);
        }
        i += length;
    }
    without_false_at(tokens)
}

/// A digit word as its digit, else the word.
fn one(word: &str) -> String {
    match digit(word) {
        Some(digit) => digit.to_string(),
        None => match word {
            "ten" => "10".to_owned(),
            _ => word.to_owned(),
        },
    }
}

/// "Mail me at rahul at gmail": only an "at" with something like a domain behind it is one.
fn without_false_at(tokens: Vec<String>) -> Vec<String> {
    let last = tokens.iter().rposition(|token| token == "@");
    tokens
        .into_iter()
        .enumerate()
        .map(|(i, token)| if token == "@" && Some(i) != last { "at".to_owned() } else { token })
        .collect()
}

/// The domain out of what follows the "@". It ends where words stop being joined by dots.
fn domain(tokens: &[String]) -> Option<String> {
    let mut domain = String::new();
    let mut joined = true;
    for token in tokens {
        match token.as_str() {
            "." | "-" => {
                domain.push_str(token);
                joined = true;
            }
            word if joined || word.starts_with('.') => {
                domain.push_str(word);
                // Spelled letters belong together.
                joined = word.len() == 1;
            }
            "com" | "in" | "co" | "org" | "net" if !domain.is_empty() => {
                domain.push('.');
                domain.push_str(token);
            }
            _ => break,
        }
    }
    let domain = domain.trim_matches(['.', '-']).to_owned();
    let known = DOMAINS.iter().find(|(name, _)| *name == domain).map(|(_, full)| (*full).to_owned());
    known.or_else(|| domain.contains('.').then_some(domain))
}

/// A modest shape: dot-atoms of RFC 5321, and labels with a top level of letters.
fn is_sound(local: &str, domain: &str) -> bool {
    let local_sound = !local.is_empty()
        && local.len() <= LONGEST_LOCAL
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b));
    let labels: Vec<&str> = domain.split('.').collect();
    let domain_sound = labels.len() >= 2
        && labels.iter().all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
        && labels.last().is_some_and(|top| top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic()));
    local_sound && domain_sound && local.len() + domain.len() < LONGEST
}

/// As it is read back: words as words, what no voice can say letter by letter.
pub(crate) fn spoken(address: &str, tongue: Tongue) -> String {
    let (at, dot, underscore, dash, plus) = match tongue {
        Tongue::English => ("at", "dot", "underscore", "dash", "plus"),
        Tongue::Hindi => ("एट", "डॉट", "अंडरस्कोर", "डैश", "प्लस"),
    };
    let mut parts: Vec<String> = Vec::new();
    let mut word = String::new();
    for c in address.chars() {
        let same = word.chars().next().is_none_or(|first| first.is_ascii_digit() == c.is_ascii_digit());
        if c.is_ascii_alphanumeric() && same {
            word.push(c);
            continue;
        }
        parts.extend(said(&std::mem::take(&mut word), tongue));
        match c {
            '@' => parts.push(at.to_owned()),
            '.' => parts.push(dot.to_owned()),
            '_' => parts.push(underscore.to_owned()),
            '-' => parts.push(dash.to_owned()),
            '+' => parts.push(plus.to_owned()),
            other => word.push(other),
        }
    }
    parts.extend(said(&word, tongue));
    parts.join(" ")
}

fn said(part: &str, tongue: Tongue) -> Option<String> {
    if part.is_empty() {
        return None;
    }
    if part.bytes().all(|b| b.is_ascii_digit()) {
        return Some(spell::digits(part, Scales::of(tongue)));
    }
    let vowels = part.chars().filter(|c| "aeiouy".contains(*c)).count();
    let sayable = part.len() >= 3 && vowels > 0 || ["co", "in", "me", "io"].contains(&part);
    let spelled = || part.chars().map(|c| c.to_uppercase().to_string()).collect::<Vec<_>>().join(" ");
    Some(if sayable { part.to_owned() } else { spelled() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictated_addresses() {
        for (text, expected) in [
            ("rahul.sharma@gmail.com", "rahul.sharma@gmail.com"),
            ("Rahul.Sharma@Gmail.com.", "rahul.sharma@gmail.com"),
            ("rahul dot sharma at gmail dot com", "rahul.sharma@gmail.com"),
            ("my email is rahul dot sharma at gmail dot com", "rahul.sharma@gmail.com"),
            ("it's rahul at the rate gmail dot com", "rahul@gmail.com"),
            ("rahul at gmail", "rahul@gmail.com"),
            ("rahul at g mail dot com", "rahul@gmail.com"),
            ("r a h u l underscore nine nine at the rate yahoo dot co dot in", "rahul_99@yahoo.co.in"),
            ("priya underscore k double two at outlook dot com", "priya_k22@outlook.com"),
            ("info at acme dash homes dot in", "info@acme-homes.in"),
            ("mail me at sales at acme dot org please", "sales@acme.org"),
            ("mera email hai rahul at rediff mail dot com", "rahul@rediffmail.com"),
            ("rahul 1990 at gmail dot com", "rahul1990@gmail.com"),
            ("no, rohit at gmail dot com", "rohit@gmail.com"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            "at",
            "@",
            "I live at Delhi",
            "call me at five",
            "rahul at",
            "at gmail dot com",
            "a..b@gmail.com",
            "नमस्ते एट",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn read_back_in_words_and_letters() {
        assert_eq!(spoken("rahul.sharma@gmail.com", Tongue::English), "rahul dot sharma at gmail dot com");
        assert_eq!(spoken("rks_99@yahoo.co.in", Tongue::English), "R K S underscore nine nine at yahoo dot co dot in");
        assert_eq!(spoken("ab1@gmail.com", Tongue::Hindi), "A B एक एट gmail डॉट com");
    }
}
