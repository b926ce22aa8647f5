//! A sentence in words alone, for voices whose own reading of digits is off or poor; and the way back from its bytes to the sentence's.
//!
//! Place: in front of hosted voices ([`elevenlabs`](super::elevenlabs)). Pure. The local ones read digits themselves.
//! Not here: digits in other languages than English, which are sent as they are; dates written with digits, whose order nobody can know.
//!
//! | written | said | because |
//! |---|---|---|
//! | `7`, `2026`, `1,250,000` | seven; two thousand twenty-six; one million … | up to four digits, or grouped: a number |
//! | `₹60,00,000`, `$20`, `15%` | sixty lakh rupees; twenty dollars; fifteen percent | groups of two are Indian |
//! | `98765`, `007`, `+91` | nine eight seven six five; … ; plus nine one | longer, or led by a zero or plus: one digit after the other |
//! | `3:30`, `3:05`, `2.5`, `21st` | three thirty; three oh five; two point five; twenty-first | |
//! | `B2B`, `12-14` | B two B; twelve fourteen | what is left: digits apart from letters |
//!
//! Marks of Markdown and characters without a sound go, as a voice would say them or stumble.

/// A sentence as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spelled {
    /// What is said; empty if there is nothing to say.
    pub text: String,
    /// Of each word of the sentence: where it begins in `text`, and where in the sentence. In order.
    starts: Vec<(usize, usize)>,
}

impl Spelled {
    /// Spells `sentence` in the language of that BCP 47 tag.
    pub fn new(sentence: &str, language: &str) -> Self {
        let english = language.is_empty() || language.get(..2).is_some_and(|tag| tag.eq_ignore_ascii_case("en"));
        let mut spelled = Self::default();
        for word in sentence.split_whitespace() {
            let clean: String = word.chars().filter(|c| audible(*c)).collect();
            let said = if english && clean.contains(|c: char| c.is_ascii_digit()) { say(&clean) } else { clean };
            if said.is_empty() {
                continue;
            }
            if !spelled.text.is_empty() {
                spelled.text.push(' ');
            }
            spelled.starts.push((spelled.text.len(), word.as_ptr() as usize - sentence.as_ptr() as usize));
            spelled.text.push_str(&said);
        }
        if spelled.text.contains(char::is_alphanumeric) { spelled } else { Self::default() }
    }

    /// Where the word that begins at `byte` of [`Self::text`] begins in the sentence; `None` if none does.
    pub fn origin(&self, byte: usize) -> Option<usize> {
        let at = self.starts.binary_search_by_key(&byte, |(said, _)| *said).ok()?;
        Some(self.starts[at].1)
    }
}

/// Whether a character has a sound or shapes one.
fn audible(c: char) -> bool {
    !matches!(c, '*' | '`' | '#' | '~' | '_' | '<' | '>' | '|' | '\\')
        && !matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\u{FE00}'..='\u{FE0F}')
        && !matches!(c, '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
        && !c.is_control()
}

const CURRENCIES: [(&str, &str); 5] =
    [("₹", "rupees"), ("Rs.", "rupees"), ("$", "dollars"), ("£", "pounds"), ("€", "euros")];

/// A word with digits, in words. The marks around it stay: they are its melody.
fn say(word: &str) -> String {
    let core = word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '%');
    let (lead, core, tail) = {
        let opened = core.trim_start_matches(['(', '[', '"', '\'']);
        (&core[..core.len() - opened.len()], opened, &word[core.len()..])
    };
    let currency = CURRENCIES.iter().find_map(|(sign, name)| Some((core.strip_prefix(sign)?, *name)));
    let (core, unit) = match (currency, core.strip_suffix('%')) {
        (Some((core, name)), _) => (core, Some(name)),
        (None, Some(core)) => (core, Some("percent")),
        (None, None) => (core, None),
    };
    let mut said = clock(core).or_else(|| ordinal(core)).or_else(|| amount(core)).unwrap_or_else(|| runs(core));
    if let Some(unit) = unit {
        said = format!("{said} {unit}");
    }
    format!("{lead}{said}{tail}")
}

/// `3:30`, `03:05`.
fn clock(core: &str) -> Option<String> {
    let (hours, minutes) = core.split_once(':')?;
    let hour: u64 = hours.parse().ok().filter(|hour| *hour < 24 && hours.len() <= 2)?;
    let minute: u64 = minutes.parse().ok().filter(|minute| *minute < 60 && minutes.len() == 2)?;
    let hour = cardinal(hour, false);
    Some(match minute {
        0 => format!("{hour} o'clock"),
        1..=9 => format!("{hour} oh {}", cardinal(minute, false)),
        _ => format!("{hour} {}", cardinal(minute, false)),
    })
}

/// `1st`, `22nd`, `30th`.
fn ordinal(core: &str) -> Option<String> {
    let number = ["st", "nd", "rd", "th"].iter().find_map(|end| core.strip_suffix(end))?;
    let words = cardinal(number.parse().ok().filter(|number| *number <= 9_999)?, false);
    let (head, last) =
        words.rsplit_once([' ', '-']).map_or(("", words.as_str()), |(head, last)| (&words[..=head.len()], last));
    let last = match last {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        tens if tens.ends_with('y') => format!("{}ieth", &tens[..tens.len() - 1]),
        other => format!("{other}th"),
    };
    Some(format!("{head}{last}"))
}

/// `12`, `1,250`, `60,00,000`, `2.5`.
fn amount(core: &str) -> Option<String> {
    let (whole, fraction) = match core.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (core, None),
    };
    let grouped = whole.contains(',');
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let groups: Vec<&str> = groups.collect();
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let in_threes = groups.iter().all(|group| group.len() == 3);
    let in_twos =
        groups.split_last().is_some_and(|(last, rest)| last.len() == 3 && rest.iter().all(|group| group.len() == 2));
    if !all_digits(first) || !groups.iter().all(|group| all_digits(group)) || grouped && !in_threes && !in_twos {
        return None;
    }
    let digits = whole.replace(',', "");
    if fraction.is_some_and(|fraction| !all_digits(fraction)) || digits.len() > 15 {
        return None;
    }
    let mut said = number(&digits, grouped || fraction.is_some(), in_twos && !in_threes);
    if let Some(fraction) = fraction {
        said = format!("{said} point {}", one_by_one(fraction));
    }
    Some(said)
}

/// Anything else: digits in words, apart from what stands beside them.
fn runs(core: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut rest = core;
    while let Some(first) = rest.chars().next() {
        let kind = |c: char| (c.is_ascii_digit(), c.is_alphanumeric());
        let end = rest.find(|c| kind(c) != kind(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        match (kind(first), run) {
            ((true, _), run) if parts.last().is_some_and(|part| part == "plus") => parts.push(one_by_one(run)),
            ((true, _), run) => parts.push(number(run, false, false)),
            ((false, true), run) => parts.push(run.to_owned()),
            ((false, false), "+") => parts.push("plus".to_owned()),
            ((false, false), "&") => parts.push("and".to_owned()),
            ((false, false), "%") => parts.push("percent".to_owned()),
            ((false, false), ".") if !parts.is_empty() && !after.is_empty() => parts.push("point".to_owned()),
            ((false, false), _) => {}
        }
        rest = after;
    }
    parts.join(" ")
}

/// A row of digits as a number, or one by one where it looks like a name for something.
fn number(digits: &str, surely: bool, indian: bool) -> String {
    let named = digits.len() > 4 || digits.len() > 1 && digits.starts_with('0');
    match digits.parse() {
        Ok(value) if surely || !named => cardinal(value, indian),
        _ => one_by_one(digits),
    }
}

fn one_by_one(digits: &str) -> String {
    let words: Vec<&str> =
        digits.bytes().filter_map(|digit| SMALL.get(usize::from(digit.wrapping_sub(b'0'))).copied()).collect();
    words.join(" ")
}

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const WESTERN: [(u64, &str); 5] = [
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
    (100, "hundred"),
];
const INDIAN: [(u64, &str); 4] = [(10_000_000, "crore"), (100_000, "lakh"), (1_000, "thousand"), (100, "hundred")];

/// A number in words.
fn cardinal(value: u64, indian: bool) -> String {
    if value < 20 {
        return SMALL[value as usize].to_owned();
    }
    if value < 100 {
        let tens = TENS[(value / 10) as usize];
        return if value.is_multiple_of(10) {
            tens.to_owned()
        } else {
            format!("{tens}-{}", SMALL[(value % 10) as usize])
        };
    }
    let scales: &[(u64, &str)] = if indian { &INDIAN } else { &WESTERN };
    let (scale, name) = scales.iter().find(|(scale, _)| value >= *scale).expect("100 is a scale, and more is left");
    let head = format!("{} {name}", cardinal(value / scale, indian));
    match value % scale {
        0 => head,
        rest => format!("{head} {}", cardinal(rest, indian)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_are_spelled_as_they_are_meant() {
        let cases = [
            ("Flat 7, floor 12.", "Flat seven, floor twelve."),
            ("It costs ₹60,00,000.", "It costs sixty lakh rupees."),
            ("It costs $1,250,000!", "It costs one million two hundred fifty thousand dollars!"),
            ("15% of 2.5 is (20)", "fifteen percent of two point five is (twenty)"),
            (
                "Call +919876543210 or 98765",
                "Call plus nine one nine eight seven six five four three two one zero or nine eight seven six five",
            ),
            ("agent 007 in 2026", "agent zero zero seven in two thousand twenty-six"),
            ("at 3:30, 3:05 or 15:00", "at three thirty, three oh five or fifteen o'clock"),
            ("the 1st, 22nd, 30th and 12th", "the first, twenty-second, thirtieth and twelfth"),
            ("B2B in 12-14 days", "B two B in twelve fourteen days"),
            ("**Bold** `x` 😀 done", "Bold x done"),
            ("100 101 1000 1,00,000", "one hundred one hundred one one thousand one lakh"),
            ("no digits here", "no digits here"),
            (" … ", ""),
        ];
        for (written, said) in cases {
            assert_eq!(Spelled::new(written, "en").text, said, "{written:?}");
        }
        assert_eq!(Spelled::new("साठ 60 लाख", "hi").text, "साठ 60 लाख", "the vendor knows Hindi better than we do");
    }

    #[test]
    fn every_word_knows_where_it_came_from() {
        let sentence = "Call  911 now";
        let spelled = Spelled::new(sentence, "en-GB");
        assert_eq!(spelled.text, "Call nine hundred eleven now");
        let at = |word: &str| spelled.text.find(word).unwrap();
        assert_eq!(spelled.origin(at("Call")), Some(0));
        assert_eq!(spelled.origin(at("nine")), sentence.find("911"));
        assert_eq!(spelled.origin(at("eleven")), None, "no word of the sentence begins there");
        assert_eq!(spelled.origin(at("now")), sentence.find("now"));
    }

    proptest! {
        #[test]
        fn english_has_no_digit_left_and_every_word_its_origin(sentence in "[ -~₹€नम]{0,80}") {
            let spelled = Spelled::new(&sentence, "en");
            prop_assert!(!spelled.text.contains(|c: char| c.is_ascii_digit()), "{:?}", spelled.text);
            for (said, origin) in &spelled.starts {
                prop_assert!(spelled.text.is_char_boundary(*said) && sentence.is_char_boundary(*origin));
                prop_assert!(!sentence[*origin..].starts_with(char::is_whitespace));
            }
        }
    }
}
