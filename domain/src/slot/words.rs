//! The words of an utterance, as every reader of this crate sees them.
//!
//! Lower case, without punctuation; `60lakh` and `two-bedroom` are two words each, `60,00,000` and `1.5` one. Notes that recognisers write in
//! brackets (`[BLANK_AUDIO]`, `(music)`) are not words. Devanagari loses what spellings disagree on: the nukta (`हज़ार` is `हजार`) and the
//! chandrabindu (`हाँ` is `हां`), so lists of words are written without them. `4:30` is one word, and a plus before digits is the word `plus`.
//! No stemming and no dictionary here: that is the business of the slots.

/// More words than this are not read: no answer is longer, and every reader is quadratic at worst.
const LONGEST: usize = 160;

/// Splits what was heard into words.
pub(crate) fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = without_notes(text).flat_map(char::to_lowercase).filter_map(plain).collect();
    for (i, &c) in chars.iter().enumerate() {
        let next_is_digit = chars.get(i + 1).is_some_and(char::is_ascii_digit);
        let in_number = word.chars().next().is_some_and(|first| first.is_ascii_digit());
        match c {
            ',' if in_number && next_is_digit => {}
            '.' if in_number && next_is_digit && !word.contains('.') => word.push('.'),
            ':' if in_number && next_is_digit && !word.contains(':') => word.push(':'),
            '+' if next_is_digit => {
                flush(&mut word, &mut words);
                words.push("plus".to_owned());
            }
            '\'' | '\u{2019}' => {}
            '₹' | '$' | '€' | '£' => {
                flush(&mut word, &mut words);
                words.push(c.to_string());
            }
            c if c.is_alphanumeric() || is_joined_mark(c) => {
                if !word.is_empty() && in_number != c.is_ascii_digit() {
                    flush(&mut word, &mut words);
                }
                word.push(c);
            }
            _ => flush(&mut word, &mut words),
        }
    }
    flush(&mut word, &mut words);
    words.truncate(LONGEST);
    words
}

fn flush(word: &mut String, words: &mut Vec<String>) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

/// The text without what stands in brackets; an unclosed bracket hides the rest, as it does for a reader.
fn without_notes(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut depth = 0_usize;
    text.chars().filter(move |c| match c {
        '[' | '(' => {
            depth += 1;
            false
        }
        ']' | ')' => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => depth == 0,
    })
}

/// Devanagari digits count like ours, and its letters are written the plain way; `None` for marks that say nothing.
fn plain(c: char) -> Option<char> {
    Some(match c {
        '०'..='९' => char::from(b'0' + (u32::from(c) - u32::from('०')) as u8),
        '\u{901}' => '\u{902}',                             // chandrabindu, anusvara
        '\u{93c}' | '\u{200c}' | '\u{200d}' => return None, // nukta, and the invisible joiners
        // Letters that carry their nukta: qa, khha, ghha, za, dddha, rha, fa, yya.
        '\u{958}' => 'क',
        '\u{959}' => 'ख',
        '\u{95a}' => 'ग',
        '\u{95b}' => 'ज',
        '\u{95c}' => 'ड',
        '\u{95d}' => 'ढ',
        '\u{95e}' => 'फ',
        '\u{95f}' => 'य',
        _ => c,
    })
}

/// The virama joins letters of one Devanagari word and is no letter by itself.
fn is_joined_mark(c: char) -> bool {
    c == '\u{94d}'
}

/// True where `list`, words between spaces, holds `word`.
pub(crate) fn is_listed(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

/// A phrase that callers say in many ways: words in order, alternatives by `|`, with up to three other words between.
///
/// `"speak|talk person|human"` is found in "could I speak to a real person".
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Phrase(Vec<Vec<String>>);

/// Words that may stand between two words of a phrase.
const GAP: usize = 3;

impl Phrase {
    /// Reads the notation above. A phrase without words is never found.
    pub(crate) fn new(notation: &str) -> Self {
        Self(
            notation
                .split_whitespace()
                .map(|step| step.split('|').map(|word| split(word).concat()).filter(|word| !word.is_empty()).collect())
                .collect(),
        )
    }

    /// Index of the phrase's last word, at its first occurrence.
    pub(crate) fn find(&self, words: &[String]) -> Option<usize> {
        let (first, rest) = self.0.split_first()?;
        (0..words.len()).filter(|&i| first.contains(&words[i])).find_map(|start| {
            rest.iter().try_fold(start, |at, step| {
                let from = at + 1;
                let to = (from + GAP + 1).min(words.len());
                (from..to).find(|&i| step.contains(&words[i]))
            })
        })
    }
}

/// True where any of `phrases` is found.
pub(crate) fn any(phrases: &[Phrase], words: &[String]) -> bool {
    phrases.iter().any(|phrase| phrase.find(words).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_commas_and_points_and_lose_their_units() {
        assert_eq!(split("₹60,00,000 or 1.5cr."), ["₹", "6000000", "or", "1.5", "cr"]);
        assert_eq!(split("A 3BHK, sixty-lac"), ["a", "3", "bhk", "sixty", "lac"]);
        assert_eq!(split("That's 50-60 lakhs..."), ["thats", "50", "60", "lakhs"]);
    }

    #[test]
    fn notes_of_the_recogniser_are_not_words() {
        assert!(split(" [BLANK_AUDIO] (music) ...").is_empty());
        assert_eq!(split("yes [noise] please"), ["yes", "please"]);
    }

    #[test]
    fn devanagari_words_stay_whole() {
        assert_eq!(split("हाँ, ६० लाख"), ["हां", "60", "लाख"]);
        assert_eq!(split("दिल्ली।"), ["दिल्ली"]);
        assert_eq!(split("पाँच हज़ार"), split("पांच हजार"));
        assert_eq!(split("करो\u{95c}"), split("करोड\u{93c}"));
    }

    #[test]
    fn a_time_is_one_word_and_a_country_code_keeps_its_plus() {
        assert_eq!(split("at 4:30, or 10-11"), ["at", "4:30", "or", "10", "11"]);
        assert_eq!(split("+91 98765"), ["plus", "91", "98765"]);
    }

    #[test]
    fn a_phrase_allows_words_between() {
        let phrase = Phrase::new("speak|talk person|human");
        assert_eq!(phrase.find(&split("Could I talk to a real person?")), Some(6));
        assert_eq!(phrase.find(&split("a person can speak")), None);
        assert_eq!(Phrase::new("").find(&split("anything")), None);
    }
}
