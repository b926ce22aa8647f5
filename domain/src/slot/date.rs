//! Dates: "tomorrow", "on Monday", "the twenty third of November", "23/11/2026", "parso", "अगले सोमवार".
//!
//! A date is always in the future, for callers make appointments: "Monday" is the next one, "the third" the next third. Whether "next Monday"
//! skips a week divides even neighbours; it does not here, and the read-back says the day of the month.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::numeral::two_digits;
use super::spell;
use super::tongue::Tongue;

/// Reads a date that begins exactly at `at`, with the first word after it. A bare number or ordinal is a day only where one was `asked` for.
pub(super) fn read(words: &[String], at: usize, today: NaiveDate, asked: bool) -> Option<(NaiveDate, usize)> {
    relative(words, at, today)
        .or_else(|| weekday(words, at, today))
        .or_else(|| written(words, at))
        .or_else(|| in_month(words, at, today))
        .or_else(|| day_alone(words, at, today, asked))
}

/// "Monday, the twenty third of November".
pub(super) fn spoken(date: NaiveDate, tongue: Tongue) -> String {
    let (weekday, month) = (date.weekday().num_days_from_monday() as usize, date.month0() as usize);
    match tongue {
        Tongue::English => {
            let (weekday, month) = (first(WEEKDAYS[weekday]), first(MONTHS[month]));
            format!("{}, the {} of {}", capital(weekday), spell::ordinal(date.day()), capital(month))
        }
        Tongue::Hindi => {
            format!("{}, {} {}", HINDI_WEEKDAYS[weekday], super::hindi::word(date.day() as u8), HINDI_MONTHS[month])
        }
    }
}

const WEEKDAYS: [&str; 7] = [
    "monday mondays somvar somwar सोमवार",
    "tuesday tuesdays tues mangalvar mangalwar मंगलवार मंगल",
    "wednesday wednesdays budhvar budhwar बुधवार बुध",
    "thursday thursdays thurs guruvar guruwar brihaspativar गुरुवार बृहस्पतिवार वीरवार",
    "friday fridays shukravar shukrawar शुक्रवार",
    "saturday saturdays shanivar shaniwar शनिवार",
    "sunday sundays ravivar raviwar itvaar itwar रविवार इतवार",
];
const HINDI_WEEKDAYS: [&str; 7] = ["सोमवार", "मंगलवार", "बुधवार", "गुरुवार", "शुक्रवार", "शनिवार", "रविवार"];

const MONTHS: [&str; 12] = [
    "january jan janvari जनवरी",
    "february feb farvari फरवरी",
    "march मार्च",
    "april apr अप्रैल",
    "may मई",
    "june jun जून",
    "july jul जुलाई",
    "august aug अगस्त",
    "september sept sep सितंबर सितम्बर",
    "october oct अक्टूबर अक्तूबर",
    "november nov नवंबर नवम्बर",
    "december dec दिसंबर दिसम्बर",
];
const HINDI_MONTHS: [&str; 12] =
    ["जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर"];

fn first(spellings: &str) -> &str {
    spellings.split(' ').next().unwrap_or(spellings)
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn index_of(lists: &[&str], word: &str) -> Option<usize> {
    lists.iter().position(|spellings| spellings.split(' ').any(|spelling| spelling == word))
}

/// Whether the word names a month.
pub(crate) fn is_month(word: &str) -> bool {
    index_of(&MONTHS, word).is_some()
}

/// Whether an ordinal that counts a day begins at `at`: "the first of", not "one second" nor "the first floor".
pub(crate) fn is_ordinal(words: &[String], at: usize) -> bool {
    let before = at.checked_sub(1).map_or("", |before| words[before].as_str());
    ordinal(words, at).is_some_and(|(_, end)| !is_moment(words, at, before) && !is_counted(words, end))
}

/// "Just a second".
fn is_moment(words: &[String], at: usize, before: &str) -> bool {
    words[at] == "second" && matches!(before, "a" | "one" | "just" | "ek")
}

/// "The first floor", "the second one".
fn is_counted(words: &[String], end: usize) -> bool {
    super::money::is_measure(words.get(end))
        || words.get(end).is_some_and(|word| matches!(word.as_str(), "half" | "floor" | "time" | "one" | "quarter"))
}

fn relative(words: &[String], at: usize, today: NaiveDate) -> Option<(NaiveDate, usize)> {
    let word = |n: usize| words.get(at + n).map_or("", String::as_str);
    let (days, length) = match (word(0), word(1), word(2)) {
        ("day", "after", "tomorrow") => (2, 3),
        ("today" | "tonight" | "aaj" | "आज", ..) => (0, 1),
        ("tomorrow" | "tomorrows" | "tmrw" | "kal" | "कल", ..) => (1, 1),
        ("parson" | "parso" | "parsoon" | "परसों" | "परसो", ..) => (2, 1),
        ("next" | "agle" | "अगले", "week" | "hafte" | "हफ्ते" | "सप्ताह", _) => (7, 2),
        _ => return in_days(words, at, today),
    };
    Some((today.checked_add_days(Days::new(days))?, at + length))
}

/// "in three days", "after two days", "teen din baad".
fn in_days(words: &[String], at: usize, today: NaiveDate) -> Option<(NaiveDate, usize)> {
    let led = words.get(at).is_some_and(|word| matches!(word.as_str(), "in" | "after"));
    let (count, after) = two_digits(words, at + usize::from(led)).filter(|(count, _)| *count > 0)?;
    words.get(after).filter(|word| matches!(word.as_str(), "day" | "days" | "din" | "दिन"))?;
    let after = after + 1 + usize::from(words.get(after + 1).is_some_and(|word| matches!(word.as_str(), "ke" | "के")));
    let followed =
        words.get(after).is_some_and(|word| matches!(word.as_str(), "baad" | "mein" | "me" | "later" | "बाद" | "में"));
    (led || followed).then_some(())?;
    Some((today.checked_add_days(Days::new(count.into()))?, after + usize::from(followed)))
}

fn weekday(words: &[String], at: usize, today: NaiveDate) -> Option<(NaiveDate, usize)> {
    let led = words.get(at).is_some_and(|word| {
        matches!(word.as_str(), "next" | "this" | "coming" | "on" | "agle" | "is" | "aane" | "अगले" | "इस")
    });
    let at = at + usize::from(led);
    let day = index_of(&WEEKDAYS, words.get(at)?)?;
    let day = Weekday::try_from(day as u8).ok()?;
    let ahead = (7 + day.num_days_from_monday() - today.weekday().num_days_from_monday()) % 7;
    let ahead = if ahead == 0 { 7 } else { ahead };
    Some((today.checked_add_days(Days::new(ahead.into()))?, at + 1))
}

/// `23 11 2026` and `2026 11 23`, as punctuation leaves them. India writes the day first.
fn written(words: &[String], at: usize) -> Option<(NaiveDate, usize)> {
    let number = |n: usize| {
        words
            .get(at + n)
            .filter(|word| word.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|word| word.parse::<u32>().ok())
    };
    let (a, b, c) = (number(0)?, number(1)?, number(2)?);
    let is_year = |year: u32| (2000..2200).contains(&year);
    let (year, month, day) = match (a, c) {
        (day, year) if is_year(year) => (year, b, day),
        (year, day) if is_year(year) => (year, b, day),
        _ => return None,
    };
    NaiveDate::from_ymd_opt(year as i32, month, day).map(|date| (date, at + 3))
}

/// "the twenty third of November", "November 23", "23 नवंबर", each with or without its year.
fn in_month(words: &[String], at: usize, today: NaiveDate) -> Option<(NaiveDate, usize)> {
    let (day, month, end) = match words.get(at).and_then(|word| index_of(&MONTHS, word)) {
        Some(month) => {
            let the = usize::from(words.get(at + 1).is_some_and(|word| word == "the"));
            let (day, _, end) = day_of_month(words, at + 1 + the)?;
            (day, month, end)
        }
        None => {
            let the = usize::from(words.get(at).is_some_and(|word| word == "the"));
            let (day, _, end) = day_of_month(words, at + the)?;
            let of = usize::from(words.get(end).is_some_and(|word| word == "of"));
            (day, index_of(&MONTHS, words.get(end + of)?)?, end + of + 1)
        }
    };
    let month = month as u32 + 1;
    if let Some(year) = words.get(end).and_then(|word| word.parse().ok()).filter(|year| (2000..2200).contains(year)) {
        return NaiveDate::from_ymd_opt(year, month, day).map(|date| (date, end + 1));
    }
    // A 29th of February may be four years away.
    (0..=8)
        .filter_map(|years| NaiveDate::from_ymd_opt(today.year() + years, month, day))
        .find(|date| *date >= today)
        .map(|date| (date, end))
}

/// "the twenty third", "23 tarikh", and "23" to the question which day.
fn day_alone(words: &[String], at: usize, today: NaiveDate, asked: bool) -> Option<(NaiveDate, usize)> {
    let the = usize::from(words.get(at).is_some_and(|word| word == "the"));
    let before = at.checked_sub(1).map_or("", |before| words[before].as_str());
    if is_moment(words, at, before) {
        return None; // a pause, not a day
    }
    let (day, ordinal, mut end) = day_of_month(words, at + the)?;
    let named = words.get(end).is_some_and(|word| matches!(word.as_str(), "tarikh" | "taarikh" | "तारीख"));
    end += usize::from(named);
    if !(named || asked && (ordinal || the == 1)) || is_counted(words, end) {
        return None;
    }
    let mut date = today;
    for _ in 0..62 {
        if date.day() == day {
            return Some((date, end));
        }
        date = date.succ_opt()?;
    }
    None
}

/// 1 to 31, whether as an ordinal, and the first word after it.
fn day_of_month(words: &[String], at: usize) -> Option<(u32, bool, usize)> {
    if let Some(day) = ordinal(words, at) {
        return Some((day.0, true, day.1));
    }
    let (day, end) = two_digits(words, at).filter(|(day, _)| (1..=31).contains(day))?;
    let suffixed = words.get(end).is_some_and(|word| matches!(word.as_str(), "st" | "nd" | "rd" | "th"));
    Some((day.into(), suffixed, end + usize::from(suffixed)))
}

fn ordinal(words: &[String], at: usize) -> Option<(u32, usize)> {
    let two = words.get(at..at + 2).map(|words| words.join(" "));
    let one = words.get(at)?;
    (1..=31).find_map(|day| {
        let said = spell::ordinal(day);
        if two.as_ref() == Some(&said) {
            Some((day, at + 2))
        } else if *one == said {
            Some((day, at + 1))
        } else {
            None
        }
    })
}
