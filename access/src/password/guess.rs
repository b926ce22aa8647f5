//! Whether a password is made of what everybody tries first.
//!
//! What an attacker puts together are parts: common words, the victim's names, rows of keys, repeated characters. So the parts are
//! taken out, and what is left must be long enough by itself. A list of whole passwords would be long and still miss `Acme!Acme!2026`.

/// How many characters must be left.
const LEAST_LEFT: usize = 8;
/// A run of this many characters, each the next of a row or the same again, counts as one character.
const RUN: usize = 3;

/// Beginnings of nearly every list of leaked passwords, and what this program is called.
const COMMON: [&str; 34] = [
    "administrator",
    "password",
    "passwort",
    "passw0rd",
    "football",
    "baseball",
    "iloveyou",
    "princess",
    "sunshine",
    "superman",
    "whatever",
    "changeme",
    "computer",
    "internet",
    "letmein",
    "welcome",
    "default",
    "trustno1",
    "michael",
    "charlie",
    "shadow",
    "dragon",
    "monkey",
    "master",
    "secret",
    "tandem",
    "qwerty",
    "admin",
    "hello",
    "login",
    "guest",
    "pass",
    "user",
    "test",
];

/// Rows of characters that a finger or a child knows; walked in both directions.
const ROWS: [&str; 9] = [
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "!@#$%^&*()",
];

/// `text` is normalised; `about` are names of the person, as they come.
pub(super) fn is_guessable(text: &str, about: &[&str]) -> bool {
    let mut left = text.to_lowercase();
    // Names before words and long before short, so that no word breaks a longer one that holds it.
    let mut words: Vec<String> = about.iter().flat_map(|name| parts(name)).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    for word in words.iter().map(String::as_str).chain(COMMON) {
        left = left.replace(word, "\n");
    }
    without_runs(&left).count() < LEAST_LEFT || text_is_one_part_repeated(text)
}

/// A name, and the words in it: `asha.rao@example.test` is also `asha`, `rao`, `example`, `test`. Below four letters too much would match.
fn parts(name: &str) -> impl Iterator<Item = String> {
    let name = name.to_lowercase();
    let words: Vec<String> = name.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
    std::iter::once(name).chain(words).filter(|word| word.chars().count() >= 4)
}

/// What is left, with each run as its first character, and without the marks where words were.
fn without_runs(text: &str) -> impl Iterator<Item = char> {
    let chars: Vec<char> = text.chars().collect();
    let mut kept = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let steps = [Step::Same, Step::Next, Step::Previous];
        let run = steps.map(|step| run_length(&chars[at..], step)).into_iter().max().unwrap_or(1);
        kept.push(chars[at]);
        at += if run >= RUN { run } else { 1 };
    }
    kept.into_iter().filter(|c| !c.is_whitespace() && *c != '\n')
}

#[derive(Clone, Copy)]
enum Step {
    Same,
    Next,
    Previous,
}

/// How many characters from the first on go on by `step`.
fn run_length(chars: &[char], step: Step) -> usize {
    1 + chars.windows(2).take_while(|pair| is_step(pair[0], pair[1], step)).count()
}

fn is_step(from: char, to: char, step: Step) -> bool {
    let follows =
        |a: char, b: char| ROWS.iter().any(|row| row.chars().zip(row.chars().skip(1)).any(|pair| pair == (a, b)));
    match step {
        Step::Same => from == to,
        Step::Next => follows(from, to),
        Step::Previous => follows(to, from),
    }
}

/// `xk3xk3xk3xk3xk3`: short parts, many times.
fn text_is_one_part_repeated(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..LEAST_LEFT).any(|length| length < chars.len() && chars.iter().zip(&chars[length..]).all(|(a, b)| a == b))
}
