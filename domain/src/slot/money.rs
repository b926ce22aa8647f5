//! Money as callers say it: "sixty lakh rupees", "1.5 crore", "₹60,00,000", "fifty to sixty lakh", "two hundred thousand dollars".
//!
//! Integer minor units with a currency. A range keeps both ends and counts as its **upper** end: a budget is a ceiling, and asking for more than
//! the caller would pay is worse than asking for less. A bare number is money only when money was asked for; areas ("two thousand square
//! feet") and counts ("three bedrooms") never are.

use serde::{Deserialize, Serialize};

use super::candidate::{Candidate, changes_mind};
use super::numeral::{self, Numeral, Quantity};
use super::spell::{self, Scales};
use super::tongue::Tongue;
use super::words::is_listed;

/// The currencies callers name. All have a hundred minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Indian rupee.
    #[default]
    Inr,
    /// United States dollar.
    Usd,
    /// Euro.
    Eur,
    /// Pound sterling.
    Gbp,
    /// Dirham of the Emirates.
    Aed,
}

/// Minor units in a major one, for every currency above.
const MINOR: i64 = 100;

impl Currency {
    /// ISO 4217 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Inr => "INR",
            Self::Usd => "USD",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
            Self::Aed => "AED",
        }
    }

    fn scales(self, tongue: Tongue) -> Scales {
        match (tongue, self) {
            (Tongue::Hindi, _) => Scales::Hindi,
            (Tongue::English, Self::Inr) => Scales::Indian,
            (Tongue::English, Self::Usd | Self::Eur | Self::Gbp | Self::Aed) => Scales::Western,
        }
    }

    /// Spoken names: one and many major units, many minor units.
    fn names(self, tongue: Tongue) -> (&'static str, &'static str, &'static str) {
        match (tongue, self) {
            (Tongue::English, Self::Inr) => ("rupee", "rupees", "paise"),
            (Tongue::English, Self::Usd) => ("dollar", "dollars", "cents"),
            (Tongue::English, Self::Eur) => ("euro", "euros", "cents"),
            (Tongue::English, Self::Gbp) => ("pound", "pounds", "pence"),
            (Tongue::English, Self::Aed) => ("dirham", "dirhams", "fils"),
            (Tongue::Hindi, Self::Inr) => ("रुपया", "रुपये", "पैसे"),
            (Tongue::Hindi, Self::Usd) => ("डॉलर", "डॉलर", "सेंट"),
            (Tongue::Hindi, Self::Eur) => ("यूरो", "यूरो", "सेंट"),
            (Tongue::Hindi, Self::Gbp) => ("पाउंड", "पाउंड", "पेंस"),
            (Tongue::Hindi, Self::Aed) => ("दिरहम", "दिरहम", "फ़िल्स"),
        }
    }
}

/// The currency that a word or sign names, with the spellings recognisers use.
pub(crate) fn currency_word(word: &str) -> Option<Currency> {
    Some(match word {
        "₹" | "rs" | "inr" | "rupee" | "rupees" | "rupes" | "rupies" | "rupie" | "ruppees" | "ruppee" | "roopees"
        | "rupaye" | "rupay" | "rupya" | "rupaya" | "rubies" | "ruby" | "rupiah" | "rupeez" | "रुपये" | "रुपए"
        | "रुपया" | "रूपये" | "रूपए" | "रु" => Currency::Inr,
        "$" | "usd" | "dollar" | "dollars" | "bucks" => Currency::Usd,
        "€" | "eur" | "euro" | "euros" => Currency::Eur,
        "£" | "gbp" | "pound" | "pounds" | "quid" => Currency::Gbp,
        "aed" | "dirham" | "dirhams" => Currency::Aed,
        _ => return None,
    })
}

/// Measures and counted things.
const MEASURES: &str = "bedroom bedrooms bed beds bhk bath baths bathroom bathrooms room rooms square sq sqft feet foot ft yard yards \
    gaj acre acres meter meters metre metres km kms kilometer kilometers kilometre kilometres minute minutes hour \
    hours day days week weeks month months year years floor floors percent people pm am oclock baje bajkar din ghante ghanta \
    mahine बजे बजकर दिन घंटे घंटा महीने मिनट बेडरूम कमरे";

/// Words that make the number before them no money and no address: a measure or a count.
pub(crate) fn is_measure(word: Option<&String>) -> bool {
    word.is_some_and(|word| is_listed(MEASURES, word))
}

/// Words before a number that make it part of an address or a date.
fn names_place(word: Option<&String>) -> bool {
    word.is_some_and(|word| {
        matches!(
            word.as_str(),
            "sector" | "phase" | "block" | "tower" | "gate" | "lane" | "flat" | "plot" | "number" | "floor"
        )
    })
}

/// An amount, or a range whose upper end is the amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// The amount in minor units (paise, cents).
    pub minor: i64,
    /// The lower end of a range, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_minor: Option<i64>,
    /// What it is counted in.
    pub currency: Currency,
}

impl Money {
    /// From an exact number of major units; `None` beyond the range of minor units.
    pub fn of(major: Quantity, currency: Currency) -> Option<Self> {
        Some(Self { minor: major.millionths().checked_div(1_000_000 / MINOR)?, low_minor: None, currency })
    }

    /// The amount in major units, where it is whole: 6,000,000 for sixty lakh rupees.
    pub fn major(self) -> Option<i64> {
        (self.minor % MINOR == 0).then_some(self.minor / MINOR)
    }

    /// As it is read back: "sixty lakh rupees", "fifty to sixty lakh rupees".
    pub fn spoken(self, tongue: Tongue) -> String {
        let (_, plural, _) = self.currency.names(tongue);
        let scales = self.currency.scales(tongue);
        let to = match tongue {
            Tongue::English => "to",
            Tongue::Hindi => "से",
        };
        match self.low_minor {
            None => self.spoken_amount(tongue),
            Some(low) => match self.shared_step(low, scales) {
                Some((step, name)) => {
                    let (low, high) = (low / MINOR / step, self.minor / MINOR / step);
                    format!("{} {to} {} {name} {plural}", spell::whole(low, scales), spell::whole(high, scales))
                }
                None => format!("{} {to} {}", spell::whole(low / MINOR, scales), self.spoken_amount(tongue)),
            },
        }
    }

    fn spoken_amount(self, tongue: Tongue) -> String {
        let (one, many, minor_name) = self.currency.names(tongue);
        let (major, minor) = (self.minor / MINOR, (self.minor % MINOR).abs());
        let scales = self.currency.scales(tongue);
        let name = if major == 1 { one } else { many };
        let spoken = format!("{} {name}", spell::whole(major, scales));
        let and = match tongue {
            Tongue::English => "and",
            Tongue::Hindi => "और",
        };
        if minor == 0 { spoken } else { format!("{spoken} {and} {} {minor_name}", spell::whole(minor, scales)) }
    }

    /// The scale in which both ends are naturally counted, where both are whole in it.
    fn shared_step(self, low: i64, scales: Scales) -> Option<(i64, &'static str)> {
        let natural = |minor: i64| scales.steps().iter().copied().find(|(step, _)| minor >= step * MINOR);
        natural(low)
            .filter(|step| Some(*step) == natural(self.minor))
            .filter(|(step, _)| low % (step * MINOR) == 0 && self.minor % (step * MINOR) == 0)
    }
}

/// How the slot is asked, which decides what a bare number means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking {
    /// The caller answers a question about money.
    pub(crate) asked: bool,
    /// Currency where none is said.
    pub(crate) currency: Currency,
    /// The amount the caller corrects: "no, fifty" after sixty lakh is fifty lakh.
    pub(crate) corrects: Option<Money>,
}

/// One amount as it was heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Amount {
    pub(crate) money: Money,
    /// The number alone, where neither a scale nor a currency was said.
    pub(crate) bare: Option<Quantity>,
}

/// All amounts in `words`, in order. `free` is false for words that something else has taken.
pub(crate) fn find(words: &[String], free: &[bool], asking: Asking) -> Vec<Candidate<Amount>> {
    let mut found: Vec<Candidate<Amount>> = Vec::new();
    let mut scale: Option<i64> = asking.corrects.and_then(|money| natural_scale(money.minor / MINOR));
    let mut at = 0;
    while at < words.len() {
        let inherited = scale.filter(|_| match found.last() {
            Some(last) => changes_mind(words, last.end, at),
            None => asking.corrects.is_some(),
        });
        match read(words, at, asking, inherited) {
            Some((candidate, heard_scale)) if free[candidate.start..candidate.end].iter().all(|free| *free) => {
                at = candidate.end;
                scale = heard_scale.or(scale);
                found.push(candidate);
            }
            _ => at += 1 + skip_of(words, at),
        }
    }
    found
}

/// A refused number is left as a whole, so that "2000 square feet" is not read again from its second word.
fn skip_of(words: &[String], at: usize) -> usize {
    numeral::read(words, at).map_or(0, |number| number.end - at - 1)
}

/// Scale that a corrected amount is counted in.
fn natural_scale(major: i64) -> Option<i64> {
    [10_000_000, 100_000, 1_000].into_iter().find(|scale| major >= *scale)
}

fn read(
    words: &[String],
    at: usize,
    asking: Asking,
    inherited: Option<i64>,
) -> Option<(Candidate<Amount>, Option<i64>)> {
    let before = words.get(at).and_then(|word| currency_word(word));
    let from = at + usize::from(before.is_some());
    let first = numeral::read(words, from)?;
    let (low, number, range_currency) = match upper_end(words, from, &first) {
        Some((low, high, currency)) => (Some(low), high, currency),
        None => (None, first, None),
    };
    let (named, end) = currency_at(words, number.end);
    let currency = before.or(named).or(range_currency);
    let end = if named.is_some() { end } else { number.end };
    let said = currency.is_some() || number.scale.is_some();
    if is_measure(words.get(end)) || (!said && at > 0 && names_place(words.get(at - 1))) {
        return None;
    }
    if !said && !asking.asked && inherited.is_none() && asking.corrects.is_none() {
        return None;
    }
    if number.misheard && !asking.asked && currency.is_none() && !is_plausible(words, at, &number) {
        return None;
    }
    let mut quantity = number.quantity;
    let mut scale = number.scale;
    if let Some(step) = inherited.filter(|_| !said && number.quantity.millionths() < 1_000_000_000) {
        quantity = Quantity::from_millionths(i128::from(quantity.millionths()) * i128::from(step))?;
        scale = Some(step);
    }
    let low = low.and_then(|low| Money::of(low, Currency::Inr)).map(|low| low.minor);
    let money = Money { low_minor: low, ..Money::of(quantity, currency.unwrap_or(asking.currency))? };
    let confidence = match (scale.is_some() || currency.is_some(), number.misheard) {
        (true, false) => 1.0,
        (true, true) => 0.8,
        (false, _) => 0.7,
    };
    let bare = (!said && scale.is_none()).then_some(number.quantity);
    Some((Candidate { start: at, end, value: Amount { money, bare }, confidence }, scale))
}

/// A currency at `at`, past words such as "indian" and "only".
fn currency_at(words: &[String], at: usize) -> (Option<Currency>, usize) {
    let skipped =
        usize::from(words.get(at).is_some_and(|word| matches!(word.as_str(), "indian" | "us" | "american" | "of")));
    match words.get(at + skipped).and_then(|word| currency_word(word)) {
        Some(currency) => (Some(currency), at + skipped + 1),
        None => (None, at),
    }
}

/// Nobody asked for money and only a guess makes it money: the size or the word before must speak for it.
fn is_plausible(words: &[String], at: usize, number: &Numeral) -> bool {
    let few =
        number.scale.is_some_and(|scale| i128::from(number.quantity.millionths()) < i128::from(scale) * 10_000_000);
    let led = at > 0
        && matches!(
            words[at - 1].as_str(),
            "for"
                | "of"
                | "budget"
                | "around"
                | "about"
                | "under"
                | "below"
                | "within"
                | "upto"
                | "to"
                | "is"
                | "spend"
                | "pay"
                | "than"
                | "say"
        );
    !few || led
}

/// The upper end of a range whose lower end is `first`, which takes over the upper end's scale: "fifty to sixty lakh", "50-60 lakh".
fn upper_end(words: &[String], from: usize, first: &Numeral) -> Option<(Quantity, Numeral, Option<Currency>)> {
    let (currency, after) = currency_at(words, first.end);
    let between = from > 0 && words[from - 1] == "between";
    let joined = match words.get(after).map(String::as_str) {
        Some("to" | "or" | "till" | "until" | "se" | "से" | "ya" | "या") => true,
        Some("and") => between,
        _ => false,
    };
    let next = after + usize::from(joined);
    let next = next + usize::from(joined && words.get(next).is_some_and(|word| currency_word(word).is_some()));
    let high = numeral::read(words, next)?;
    if !joined && (first.scale.is_some() || high.scale.is_none() || high.misheard && first.misheard) {
        return None; // two amounts side by side, or an amount said twice
    }
    if is_measure(words.get(high.end)) {
        return None;
    }
    let low = match (first.scale, high.scale) {
        (None, Some(scale)) => lowered(first.quantity, scale, high.quantity)?,
        _ => first.quantity,
    };
    (low < high.quantity).then_some((low, high, currency))
}

/// `low` in the scale of the upper end, or in the next smaller one: "fifty to one crore" starts at fifty lakh.
fn lowered(low: Quantity, scale: i64, high: Quantity) -> Option<Quantity> {
    [scale, scale / 100]
        .into_iter()
        .filter(|scale| *scale >= 1_000)
        .filter_map(|scale| Quantity::from_millionths(i128::from(low.millionths()) * i128::from(scale)))
        .find(|low| *low < high)
}
