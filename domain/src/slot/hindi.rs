//! Hindi numbers from 0 to 99, each of which is a word of its own, in Devanagari and as recognisers write them in Latin letters.
//!
//! Place: read by [`super::numeral`], said by [`super::spell`]. The first spelling of each line is the one we say.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::words::split;

/// All spellings of each number, between spaces.
const NUMBERS: [&str; 100] = [
    "शून्य shunya sunya shoonya",
    "एक ek",
    "दो do",
    "तीन teen tin",
    "चार chaar char",
    "पाँच paanch panch पाच",
    "छह छः छे छ chhah chhe che chah chha chhai",
    "सात saat sat",
    "आठ aath ath",
    "नौ nau",
    "दस das dus",
    "ग्यारह gyarah gyaarah gyara",
    "बारह barah baarah bara",
    "तेरह terah tera",
    "चौदह chaudah chauda",
    "पंद्रह पन्द्रह pandrah pandra",
    "सोलह solah",
    "सत्रह satrah",
    "अठारह अट्ठारह atharah athara",
    "उन्नीस unnis unnees",
    "बीस bees bis",
    "इक्कीस ikkis ikkees",
    "बाईस बाइस bais baais",
    "तेईस तेइस teis tais",
    "चौबीस chaubis chaubees",
    "पच्चीस pachchis pachees pachis",
    "छब्बीस chhabbis chabbis",
    "सत्ताईस सत्ताइस sattais",
    "अट्ठाईस अट्ठाइस अठाईस athais atthais",
    "उनतीस उन्तीस untis untees",
    "तीस tees",
    "इकतीस इकत्तीस iktis ikattis",
    "बत्तीस battis battees",
    "तैंतीस taintis tetis",
    "चौंतीस chauntis chautis",
    "पैंतीस paintis paintees",
    "छत्तीस chhattis chattis",
    "सैंतीस saintis",
    "अड़तीस adtis artis",
    "उनतालीस उन्तालीस untalis",
    "चालीस chalis chaalis chalees",
    "इकतालीस iktalis",
    "बयालीस bayalis",
    "तैंतालीस taintalis",
    "चवालीस चौवालीस chavalis chauvalis",
    "पैंतालीस paintalis paintalees",
    "छियालीस chhiyalis",
    "सैंतालीस saintalis",
    "अड़तालीस adtalis",
    "उनचास उन्चास unchas",
    "पचास pachas pachaas",
    "इक्यावन ikyavan",
    "बावन bavan baavan",
    "तिरपन तिरेपन tirpan",
    "चौवन chauvan",
    "पचपन pachpan",
    "छप्पन chhappan chappan",
    "सत्तावन sattavan",
    "अट्ठावन अठावन atthavan",
    "उनसठ unsath",
    "साठ saath",
    "इकसठ iksath",
    "बासठ basath",
    "तिरसठ तिरेसठ tirsath",
    "चौंसठ चौसठ chaunsath",
    "पैंसठ painsath",
    "छियासठ chhiyasath",
    "सड़सठ sadsath",
    "अड़सठ adsath",
    "उनहत्तर unhattar",
    "सत्तर sattar",
    "इकहत्तर ikhattar",
    "बहत्तर bahattar",
    "तिहत्तर tihattar",
    "चौहत्तर chauhattar",
    "पचहत्तर pachhattar pachattar",
    "छिहत्तर chhihattar",
    "सतहत्तर satahattar",
    "अठहत्तर athahattar",
    "उन्यासी उनासी unyasi",
    "अस्सी assi",
    "इक्यासी ikyasi",
    "बयासी bayasi",
    "तिरासी tirasi",
    "चौरासी chaurasi",
    "पचासी pachasi",
    "छियासी chhiyasi",
    "सत्तासी सतासी sattasi",
    "अट्ठासी अठासी atthasi",
    "नवासी navasi",
    "नब्बे nabbe",
    "इक्यानवे इक्यानबे ikyanve",
    "बानवे बानबे banve",
    "तिरानवे तिरानबे tiranve",
    "चौरानवे चौरानबे chauranve",
    "पचानवे पंचानवे पचानबे pachanve",
    "छियानवे छियानबे chhiyanve",
    "सत्तानवे सत्तानबे sattanve",
    "अट्ठानवे अट्ठानबे atthanve",
    "निन्यानवे निन्यानबे ninyanve",
];

static VALUES: LazyLock<BTreeMap<String, u8>> = LazyLock::new(|| {
    let mut values = BTreeMap::new();
    for (value, spellings) in (0_u8..).zip(NUMBERS) {
        for spelling in spellings.split(' ') {
            values.insert(split(spelling).concat(), value);
        }
    }
    values
});

/// The number that `word` is, whatever stands around it.
pub(super) fn value(word: &str) -> Option<u8> {
    VALUES.get(word).copied()
}

/// The number at `at`. Spellings that are words of English too ("do", "sat", "bees") count only before a word that numbers stand before.
pub(super) fn number(words: &[String], at: usize) -> Option<u8> {
    let word = words.get(at)?;
    let value = value(word)?;
    let english = matches!(
        word.as_str(),
        "do" | "sat" | "bees" | "bis" | "tees" | "das" | "tin" | "teen" | "char" | "bara" | "tera" | "saath" | "che"
    );
    (!english || words.get(at + 1).is_some_and(|next| is_counted(next))).then_some(value)
}

/// What follows a number in Hindi talk.
fn is_counted(word: &str) -> bool {
    super::numeral::scale_word(word).is_some()
        || super::money::currency_word(word).is_some()
        || value(word).is_some()
        || matches!(
            word,
            "sau"
                | "baje"
                | "bajkar"
                | "se"
                | "ke"
                | "din"
                | "ghante"
                | "ghanta"
                | "minute"
                | "tarikh"
                | "to"
                | "aur"
                | "tak"
        )
}

/// The word for a number below a hundred.
pub(super) fn word(value: u8) -> &'static str {
    let spellings = NUMBERS[usize::from(value.min(99))];
    spellings.split(' ').next().unwrap_or(spellings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_read_as_it_is_said() {
        for number in 0..100 {
            assert_eq!(value(&split(word(number)).concat()), Some(number), "{}", word(number));
        }
    }

    #[test]
    fn no_spelling_stands_for_two_numbers() {
        let spellings = NUMBERS.iter().flat_map(|spellings| spellings.split(' ')).count();
        let twice = spellings - VALUES.len();
        assert_eq!(twice, 0, "{twice} spellings are written twice");
    }

    #[test]
    fn english_words_are_no_numbers() {
        assert_eq!(number(&split("what do you do"), 1), None);
        assert_eq!(number(&split("do lakh"), 0), Some(2));
        assert_eq!(number(&split("teen baje"), 0), Some(3));
    }
}
