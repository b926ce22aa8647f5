//! Word error rate: how far what was recognised is from what was said.
//!
//! Place: `make wer`, `simulate`, and every test that listens. Pure, standard library only.
//! Not here: phonetic likeness. "Fifty" for "sixty" is one whole error, as it would be to the caller.
//!
//! Both sides are normalised by [`normalise`] and aligned word by word with the fewest edits; see there what counts as the same word.

/// The edits that turn a reference into a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WordErrors {
    /// Words heard as others.
    pub substitutions: usize,
    /// Words heard that nobody said.
    pub insertions: usize,
    /// Words said that were not heard.
    pub deletions: usize,
    /// Words said.
    pub words: usize,
}

impl WordErrors {
    /// All edits.
    pub fn errors(&self) -> usize {
        self.substitutions + self.insertions + self.deletions
    }

    /// Errors per word said: 0.08 is 8 %. Can pass 1. Where nothing was said, 0 if nothing was heard and else 1.
    pub fn rate(&self) -> f64 {
        match (self.words, self.errors()) {
            (0, 0) => 0.0,
            (0, _) => 1.0,
            (words, errors) => errors as f64 / words as f64,
        }
    }
}

impl std::ops::AddAssign for WordErrors {
    /// Sums over sentences weigh long ones more, as the rate of a whole set is defined.
    fn add_assign(&mut self, other: Self) {
        self.substitutions += other.substitutions;
        self.insertions += other.insertions;
        self.deletions += other.deletions;
        self.words += other.words;
    }
}

/// Compares what was said with what was heard.
pub fn word_errors(reference: &str, hypothesis: &str) -> WordErrors {
    let (said, heard) = (normalise(reference), normalise(hypothesis));
    // One row of the edit table at a time; each cell keeps how its cost is made up.
    let start = WordErrors { words: said.len(), ..WordErrors::default() };
    let mut row: Vec<WordErrors> = (0..=heard.len()).map(|n| WordErrors { insertions: n, ..start }).collect();
    for word in &said {
        let mut diagonal = row[0];
        row[0].deletions += 1;
        for column in 1..row.len() {
            let mut kept = diagonal;
            kept.substitutions += usize::from(*word != heard[column - 1]);
            let mut inserted = row[column - 1];
            inserted.insertions += 1;
            diagonal = row[column];
            row[column].deletions += 1;
            let best = [kept, inserted, row[column]].into_iter().min_by_key(WordErrors::errors);
            row[column] = best.unwrap_or(kept);
        }
    }
    row.pop().unwrap_or(start)
}

/// Splits a text into words that compare equal when they sound the same.
///
/// - Lower case; accents stay; apostrophes vanish (`don't` is `dont`), all other punctuation separates words.
/// - Digits become words: `60` is `sixty`, `25,000` is `twenty five thousand`, `1.2` is `one point two`. Commas group as they are written
///   (`12,50,000` as well). Five digits or more without a comma, and what begins with 0, are read digit by digit: telephone numbers, PINs.
///   `10:30` is `ten thirty`, `5th` is `fifth`, `60%` is `sixty percent`, `₹`, `Rs` and `INR` are `rupees`.
/// - An `and` between two words of a number is not counted: `one hundred and five` is `one hundred five`.
/// - `lakhs`, `lac` and `lacs` are `lakh`, `crores` is `crore`, `okay` is `ok`, `Bengaluru` is `bangalore`.
pub fn normalise(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for token in tokens(text) {
        push_words(&token, &mut words);
    }
    let number = |word: Option<&String>| word.is_some_and(|w| NUMBER_WORDS.contains(&w.as_str()));
    let counted = |n: &usize| !(words[*n] == "and" && *n > 0 && number(words.get(n - 1)) && number(words.get(n + 1)));
    (0..words.len()).filter(counted).map(|n| words[n].clone()).collect()
}

const UNITS: [&str; 20] = [
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
/// Words between which an `and` belongs to the number.
const NUMBER_WORDS: [&str; 33] = [
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
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
    "thousand",
    "lakh",
    "crore",
    "million",
    "billion",
];

/// Runs of letters or of digits. A comma, point or colon stays within a number (`1,200`, `1.5`, `10:30`) and separates elsewhere; a point
/// after an initial vanishes (`a.m.` is `am`).
fn tokens(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().filter(|c| !matches!(c, '\'' | '\u{2019}')).collect();
    let mut tokens = Vec::new();
    let mut token = String::new();
    for (at, c) in characters.iter().copied().enumerate() {
        let before = |steps: usize| at.checked_sub(steps).map_or(' ', |n| characters[n]);
        let after = characters.get(at + 1).copied().unwrap_or(' ');
        let inside_number = matches!(c, ',' | '.' | ':') && before(1).is_ascii_digit() && after.is_ascii_digit();
        let after_initial = c == '.' && before(1).is_alphabetic() && !before(2).is_alphanumeric();
        let ends_a_word = !(c.is_alphanumeric() || inside_number || after_initial);
        if ends_a_word || (c.is_ascii_digit() && before(1).is_alphabetic()) {
            tokens.push(std::mem::take(&mut token));
        }
        match c {
            '₹' | '%' => tokens.push(c.to_string()),
            _ if after_initial || ends_a_word => {}
            _ => token.extend(c.to_lowercase()),
        }
    }
    tokens.push(token);
    tokens.retain(|token| !token.is_empty());
    tokens
}

fn push_words(token: &str, words: &mut Vec<String>) {
    if token.starts_with(|c: char| c.is_ascii_digit()) {
        let end = token.find(|c: char| c.is_alphabetic()).unwrap_or(token.len());
        let (number, suffix) = token.split_at(end);
        push_number(number, words);
        match (suffix, words.last_mut()) {
            ("st" | "nd" | "rd" | "th", Some(last)) => *last = ordinal(last),
            ("", _) => {}
            (suffix, _) => push_words(suffix, words),
        }
        return;
    }
    words.push(
        match token {
            "lakhs" | "lac" | "lacs" => "lakh",
            "crores" | "cr" => "crore",
            "₹" | "rs" | "inr" | "rupee" => "rupees",
            "%" => "percent",
            "okay" => "ok",
            "bengaluru" => "bangalore",
            other => other,
        }
        .to_owned(),
    );
}

/// A number as written: `60`, `25,000`, `1.5`, `10:30`, `9876543210`.
fn push_number(written: &str, words: &mut Vec<String>) {
    if let Some((hours, minutes)) = written.split_once(':') {
        push_number(hours, words);
        if minutes != "00" {
            push_number(minutes, words);
        }
        return;
    }
    let (whole, decimals) = written.split_once('.').map_or((written, None), |(w, d)| (w, Some(d)));
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    let grouped = whole.contains(',');
    let value = digits.parse::<u64>().ok().filter(|_| grouped || digits.len() <= 4);
    match value.filter(|_| digits == "0" || !digits.starts_with('0')) {
        Some(value) => push_cardinal(value, words),
        None => push_digits(&digits, words),
    }
    if let Some(decimals) = decimals {
        words.push("point".to_owned());
        push_digits(decimals, words);
    }
}

fn push_digits(digits: &str, words: &mut Vec<String>) {
    words.extend(digits.chars().filter_map(|c| c.to_digit(10)).map(|d| UNITS[d as usize].to_owned()));
}

/// `value` in words, by thousands, lakh and crore.
fn push_cardinal(value: u64, words: &mut Vec<String>) {
    const SCALES: [(u64, &str); 4] = [(10_000_000, "crore"), (100_000, "lakh"), (1_000, "thousand"), (100, "hundred")];
    if let Some((scale, name)) = SCALES.into_iter().find(|(scale, _)| value >= *scale) {
        push_cardinal(value / scale, words);
        words.push(name.to_owned());
        if !value.is_multiple_of(scale) {
            push_cardinal(value % scale, words);
        }
    } else if value < 20 {
        words.push(UNITS[value as usize].to_owned());
    } else {
        words.push(TENS[(value / 10) as usize].to_owned());
        if !value.is_multiple_of(10) {
            words.push(UNITS[(value % 10) as usize].to_owned());
        }
    }
}

fn ordinal(cardinal: &str) -> String {
    match cardinal {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        tens if tens.ends_with('y') => format!("{}ieth", &tens[..tens.len() - 1]),
        other => format!("{other}th"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(left: &str, right: &str) {
        assert_eq!(normalise(left), normalise(right), "{left:?} and {right:?}");
    }

    #[test]
    fn spelling_is_no_error() {
        same("Yes, that is CORRECT.", "yes that is correct");
        same("I don\u{2019}t know - okay?", "i dont know, ok");
        same("60 lakhs", "sixty lakh");
        same("\u{20B9}25,000 a month", "rupees twenty five thousand a month");
        same("12,50,000", "twelve lakh fifty thousand");
        same("one hundred and five", "105");
        same("one crore and twenty lakh", "1 crore 20 lakh");
        same("1.2 crores", "one point two crore");
        same("at 10:30 a.m.", "at ten thirty am");
        same("10am sharp", "ten am sharp");
        same("on the 21st", "on the twenty first");
        same("the 20th", "the twentieth");
        same("call 9876543210", "call nine eight seven six five four three two one zero");
        same("pin 0042", "pin zero zero four two");
        same("2-bedroom flat", "two bedroom flat");
        same("50%", "fifty percent");
    }

    #[test]
    fn an_and_between_other_words_counts() {
        assert_eq!(normalise("salt and pepper"), ["salt", "and", "pepper"]);
        assert_eq!(normalise("and twenty"), ["and", "twenty"]);
    }

    #[test]
    fn each_kind_of_error_is_told_apart() {
        let errors = |said, heard| {
            let e = word_errors(said, heard);
            (e.substitutions, e.insertions, e.deletions, e.words)
        };
        assert_eq!(errors("a b c d", "a b c d"), (0, 0, 0, 4));
        assert_eq!(errors("a b c d", "a x c d"), (1, 0, 0, 4));
        assert_eq!(errors("a b c d", "a c d"), (0, 0, 1, 4));
        assert_eq!(errors("a b c d", "a b b c d"), (0, 1, 0, 4));
        assert_eq!(errors("sixty lakh", ""), (0, 0, 2, 2));
        assert_eq!(errors("", "you"), (0, 1, 0, 0));
    }

    #[test]
    fn rates_add_up_by_words() {
        let mut total = word_errors("my budget is sixty lakh", "my budget is 60 lakhs");
        total += word_errors("no", "now");
        assert_eq!((total.errors(), total.words), (1, 6));
        assert!((total.rate() - 1.0 / 6.0).abs() < 1e-12);
        assert_eq!(WordErrors::default().rate(), 0.0);
        assert!(word_errors("", "you").rate() > 0.99);
    }
}
