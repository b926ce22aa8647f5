//! Telephone numbers as they are dictated: in groups, with "double five" and "triple nine", "oh" for zero, with or without a country code, and
//! a few digits at a time. The result is E.164.
//!
//! Digits come a few at a time, so the question here is when a number is whole, which [`crate::number`] cannot answer: libphonenumber calls
//! eight to thirteen digits of India possible, and its patterns of what exists are older than the newest numbers. The table below has the
//! lengths that people of a region dictate; everything else with a plus is taken by E.164's own limits.

use serde::{Deserialize, Serialize};

use super::candidate::Candidate;
use super::numeral::{digit, two_digits};
use super::spell::{self, Scales};
use super::tongue::Tongue;

/// A number, in the parts that are read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneNumber {
    /// Country code, without plus.
    pub country: String,
    /// The rest, digits only.
    pub national: String,
    /// It belongs to the business's own region and is read back without the country code.
    pub home: bool,
}

impl PhoneNumber {
    /// `+919876543210`.
    pub fn e164(&self) -> String {
        format!("+{}{}", self.country, self.national)
    }

    /// Digit by digit in groups: "nine eight seven six five, four three two one zero".
    pub fn spoken(&self, tongue: Tongue) -> String {
        let scales = Scales::of(tongue);
        let national = grouped(&self.national, scales);
        let plus = match tongue {
            Tongue::English => "plus",
            Tongue::Hindi => "प्लस",
        };
        if self.home { national } else { format!("{plus} {}, {national}", spell::digits(&self.country, scales)) }
    }
}

/// Digits in groups that an ear can hold: ten as five and five, else by threes with the rest at the end.
pub(crate) fn grouped(digits: &str, scales: Scales) -> String {
    let size = if digits.len() == 10 { 5 } else { 3 };
    let mut groups: Vec<&str> = Vec::new();
    let mut rest = digits;
    while rest.len() > size + 1 {
        let (group, after) = rest.split_at(size);
        groups.push(group);
        rest = after;
    }
    groups.push(rest);
    groups.iter().map(|group| spell::digits(group, scales)).collect::<Vec<_>>().join(", ")
}

/// A region's numbering plan: name, country code, trunk prefix, lengths of the national number, first digits it cannot have.
struct Plan(&'static str, &'static str, &'static str, &'static [usize], &'static str);

const PLANS: [Plan; 16] = [
    Plan("IN", "91", "0", &[10], "0"),
    Plan("US", "1", "1", &[10], "01"),
    Plan("CA", "1", "1", &[10], "01"),
    Plan("GB", "44", "0", &[9, 10], "0"),
    Plan("AE", "971", "0", &[8, 9], "0"),
    Plan("SA", "966", "0", &[8, 9], "0"),
    Plan("QA", "974", "", &[8], "0"),
    Plan("SG", "65", "", &[8], "0"),
    Plan("MY", "60", "0", &[8, 9, 10], "0"),
    Plan("AU", "61", "0", &[9], "0"),
    Plan("NP", "977", "0", &[8, 9, 10], "0"),
    Plan("BD", "880", "0", &[8, 9, 10], "0"),
    Plan("LK", "94", "0", &[9], "0"),
    Plan("PK", "92", "0", &[9, 10], "0"),
    Plan("DE", "49", "0", &[7, 8, 9, 10, 11], "0"),
    Plan("FR", "33", "0", &[9], "0"),
];

/// E.164: country code and national number together.
const SHORTEST: usize = 8;
const LONGEST: usize = 15;

/// What a run of digits is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judged {
    /// A whole number.
    Whole(PhoneNumber),
    /// The beginning of one.
    TooShort,
    /// No number of this region.
    Impossible,
}

/// Digits as they were dictated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Dictated {
    pub(crate) digits: String,
    /// They began with a plus.
    pub(crate) plus: bool,
}

/// The longest run of digits among the words that are free, and where it stands.
pub(crate) fn find(words: &[String], free: &[bool]) -> Option<Candidate<Dictated>> {
    let mut best: Option<Candidate<Dictated>> = None;
    let mut at = 0;
    while at < words.len() {
        let Some(run) = run(words, free, at) else {
            at += 1;
            continue;
        };
        at = run.end;
        if best.as_ref().is_none_or(|best| run.value.digits.len() >= best.value.digits.len()) {
            best = Some(run); // of two alike the later one: people correct themselves by saying it again
        }
    }
    best
}

/// Words that stand between groups of digits.
const BETWEEN: [&str; 11] = ["and", "then", "uh", "um", "dash", "space", "comma", "aur", "phir", "और", "फिर"];

fn run(words: &[String], free: &[bool], at: usize) -> Option<Candidate<Dictated>> {
    let plus = matches!(words.get(at).map(String::as_str), Some("plus" | "प्लस"));
    let mut dictated = Dictated { digits: String::new(), plus };
    let mut end = at + usize::from(plus);
    loop {
        let filled = !dictated.digits.is_empty();
        let between =
            words.iter().skip(end).take(2).take_while(|word| filled && BETWEEN.contains(&word.as_str())).count();
        let from = end + between;
        let Some((digits, after)) = group(words, from).filter(|(_, after)| free[from..*after].iter().all(|free| *free))
        else {
            break;
        };
        dictated.digits.push_str(&digits);
        end = after;
    }
    (!dictated.digits.is_empty()).then_some(Candidate { start: at, end, value: dictated, confidence: 1.0 })
}

/// The digits that one or two words from `at` on are, and the word behind them: "98765", "double five", "ninety eight", "oh".
pub(crate) fn group(words: &[String], at: usize) -> Option<(String, usize)> {
    let word = words.get(at)?.as_str();
    if word.bytes().all(|b| b.is_ascii_digit()) {
        return Some((word.to_owned(), at + 1));
    }
    let times = match word {
        "double" | "डबल" => 2,
        "triple" | "treble" | "ट्रिपल" => 3,
        _ => 1,
    };
    if times > 1 {
        let repeated = words.get(at + 1).and_then(|word| single(word))?;
        return Some((repeated.to_string().repeat(times), at + 2));
    }
    if let Some(one) = single(word) {
        return Some((one.to_string(), at + 1));
    }
    two_digits(words, at).map(|(value, end)| (value.to_string(), end))
}

fn single(word: &str) -> Option<u8> {
    match word {
        "o" | "naught" | "nought" | "null" => Some(0),
        "for" => None,
        _ => digit(word),
    }
}

/// Judges digits by the plan of `region` (two letters).
pub(crate) fn judge(dictated: &Dictated, region: &str) -> Judged {
    let home = PLANS.iter().find(|plan| plan.0.eq_ignore_ascii_case(region));
    let digits = dictated.digits.as_str();
    if dictated.plus || digits.starts_with("00") {
        return abroad(digits.trim_start_matches('0'), home);
    }
    let Some(plan) = home else { return abroad(digits, None) };
    let Plan(_, country, trunk, lengths, _) = plan;
    let longest = lengths.iter().copied().max().unwrap_or(LONGEST);
    let after_trunk = digits.strip_prefix(trunk).filter(|_| !trunk.is_empty());
    let after_country = digits.strip_prefix(country);
    let after_both = after_trunk.and_then(|rest| rest.strip_prefix(country)); // "zero nine one …"
    let stripped = [Some(digits), after_trunk, after_country, after_both];
    let whole = stripped.into_iter().flatten().find(|national| plan.fits(national));
    match whole {
        Some(national) => {
            Judged::Whole(PhoneNumber { country: (*country).to_owned(), national: national.to_owned(), home: true })
        }
        None if digits.len() < longest || digits.starts_with(country) && digits.len() < longest + country.len() => {
            Judged::TooShort
        }
        None => Judged::Impossible,
    }
}

/// Whether digits that are a whole number may be the beginning of another: "91…" may be the country code.
pub(crate) fn may_grow(dictated: &Dictated, region: &str) -> bool {
    (1..=3).any(|more| {
        let digits = format!("{}{}", dictated.digits, "5".repeat(more));
        matches!(judge(&Dictated { digits, plus: dictated.plus }, region), Judged::Whole(_))
    })
}

/// Whether a word may stand between groups of digits.
pub(crate) fn is_between(word: &str) -> bool {
    BETWEEN.contains(&word)
}

/// A number with its country code in front.
fn abroad(digits: &str, home: Option<&Plan>) -> Judged {
    let Some(plan) = PLANS.iter().find(|plan| digits.starts_with(plan.1)) else {
        return match digits.len() {
            0..SHORTEST => Judged::TooShort,
            SHORTEST..=LONGEST => {
                // Codes have one to three digits; where we do not know which, the read-back needs no exact border.
                let (country, national) = digits.split_at(2);
                Judged::Whole(PhoneNumber { country: country.to_owned(), national: national.to_owned(), home: false })
            }
            _ => Judged::Impossible,
        };
    };
    let national = &digits[plan.1.len()..];
    let longest = plan.3.iter().copied().max().unwrap_or(LONGEST);
    if plan.fits(national) {
        let home = home.is_some_and(|home| home.1 == plan.1);
        Judged::Whole(PhoneNumber { country: plan.1.to_owned(), national: national.to_owned(), home })
    } else if national.len() < longest {
        Judged::TooShort
    } else {
        Judged::Impossible
    }
}

impl Plan {
    fn fits(&self, national: &str) -> bool {
        self.3.contains(&national.len()) && !national.starts_with(|first| self.4.contains(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::words::split;

    fn heard(text: &str, region: &str) -> Judged {
        let words = split(text);
        find(&words, &vec![true; words.len()]).map_or(Judged::TooShort, |found| judge(&found.value, region))
    }

    fn e164(text: &str) -> String {
        match heard(text, "IN") {
            Judged::Whole(number) => number.e164(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn ten_digits_however_they_are_dictated() {
        for text in [
            "9876543210",
            "98765 43210",
            "+91 98765 43210",
            "plus nine one nine eight seven six five four three two one zero",
            "091 98765-43210",
            "09876543210",
            "919876543210",
            "00919876543210",
            "nine eight seven six five four three two one zero",
            "nine eight seven, six five four, three two one oh",
            "ninety eight seventy six fifty four thirty two ten",
            "my number is 98765 and then 43210",
            "nau aath saat chhe paanch chaar teen do ek shunya",
            "नौ आठ सात छह पाँच चार तीन दो एक शून्य",
            "९८७६५ ४३२१०",
        ] {
            assert_eq!(e164(text), "+919876543210", "{text}");
        }
        assert_eq!(e164("nine eight double five triple nine one two three"), "+919855999123");
        assert_eq!(e164("98 double seven 6 triple five 4 3"), "+919877655543");
    }

    #[test]
    fn what_is_no_number_is_told_apart() {
        assert_eq!(heard("nine eight seven six five", "IN"), Judged::TooShort);
        assert_eq!(heard("98765432101234", "IN"), Judged::Impossible);
        assert_eq!(heard("plus one four one five", "IN"), Judged::TooShort);
        assert_eq!(heard("hello there", "IN"), Judged::TooShort);
    }

    #[test]
    fn other_regions() {
        let number = |text, region| match heard(text, region) {
            Judged::Whole(number) => (number.e164(), number.home),
            other => (format!("{other:?}"), false),
        };
        assert_eq!(number("+1 415 555 2671", "IN"), ("+14155552671".into(), false));
        assert_eq!(number("415 555 2671", "US"), ("+14155552671".into(), true));
        assert_eq!(number("020 7946 0958", "GB"), ("+442079460958".into(), true));
        assert_eq!(number("+91 98765 43210", "US"), ("+919876543210".into(), false));
        assert_eq!(number("+41 44 668 18 00", "IN"), ("+41446681800".into(), false));
    }

    #[test]
    fn read_back_in_groups() {
        let Judged::Whole(number) = heard("9876543210", "IN") else { panic!("a whole number") };
        assert_eq!(number.spoken(Tongue::English), "nine eight seven six five, four three two one zero");
        assert_eq!(number.spoken(Tongue::Hindi), "नौ आठ सात छह पाँच, चार तीन दो एक शून्य");
        let Judged::Whole(number) = heard("+65 6123 4567", "IN") else { panic!("a whole number") };
        assert_eq!(number.spoken(Tongue::English), "plus six five, six one two, three four five, six seven");
    }
}
