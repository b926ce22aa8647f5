//! Appointments: a stretch of time on a day, as loosely as callers name it. "Between four and six", "after five", "tomorrow evening", "at four
//! on Monday", "in two hours", "शाम चार से छह बजे के बीच".
//!
//! Dates, clock times, parts of the day and the words between them are collected into clusters, and each cluster is read as one window; a
//! date slot and a time slot take their part of it. Without today's date nothing relative is understood, and nothing is guessed.

use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use serde::{Deserialize, Serialize};

use super::candidate::{Candidate, changes_mind};
use super::date;
use super::numeral;
use super::time::{Clock, Daypart, spoken as spoken_time, spoken_range};
use super::tongue::Tongue;

/// A stretch of time, on a day where one was named. A point in time has both ends alike; an end that is open is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TimeWindow {
    /// The day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<NaiveDate>,
    /// Its beginning.
    pub from: Option<NaiveTime>,
    /// Its end.
    pub to: Option<NaiveTime>,
}

impl TimeWindow {
    /// The time, where it is a point.
    pub(crate) fn point(self) -> Option<NaiveTime> {
        self.from.filter(|from| Some(*from) == self.to)
    }

    /// As it is read back: "on Monday, the twenty third of November, between four and six in the evening".
    pub fn spoken(self, tongue: Tongue) -> String {
        let hours = match (tongue, self.from, self.to) {
            (_, None, None) => None,
            (Tongue::English, Some(from), Some(to)) if from == to => Some(format!("at {}", spoken_time(from, tongue))),
            (Tongue::Hindi, Some(from), Some(to)) if from == to => Some(spoken_time(from, tongue)),
            (_, Some(from), Some(to)) => Some(spoken_range(from, to, tongue)),
            (Tongue::English, Some(from), None) => Some(format!("after {}", spoken_time(from, tongue))),
            (Tongue::English, None, Some(to)) => Some(format!("before {}", spoken_time(to, tongue))),
            (Tongue::Hindi, Some(from), None) => Some(format!("{} के बाद", spoken_time(from, tongue))),
            (Tongue::Hindi, None, Some(to)) => Some(format!("{} से पहले", spoken_time(to, tongue))),
        };
        let day = self.date.map(|date| match tongue {
            Tongue::English => format!("on {}", date::spoken(date, tongue)),
            Tongue::Hindi => format!("{} को", date::spoken(date, tongue)),
        });
        match (day, hours) {
            (Some(day), Some(hours)) => format!("{day}, {hours}"),
            (day, hours) => day.or(hours).unwrap_or_default(),
        }
    }
}

/// How the windows of an utterance are looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looking {
    /// The caller's local date and time.
    pub(crate) now: Option<NaiveDateTime>,
    /// The caller answers a question about a time, so that bare numbers are hours.
    pub(crate) asked: bool,
}

/// All windows in `words`, in order. `free` is false for words that something else has taken.
pub(crate) fn find(words: &[String], free: &[bool], looking: Looking) -> Vec<Candidate<TimeWindow>> {
    let mut found = Vec::new();
    let mut cluster: Vec<Piece> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let gap = cluster.last().is_some_and(|last| {
            at - last.end > GAP || changes_mind(words, last.end, at + 1) || is_denied(words, cluster[0].start)
        });
        if gap {
            found.extend(read(&std::mem::take(&mut cluster), looking));
        }
        let piece = Piece::read(words, at, looking).filter(|piece| free[at..piece.end].iter().all(|free| *free));
        // A number that is no time is left as a whole: the five of "twenty five" is no hour.
        let refused = || numeral::two_digits(words, at).map_or(at + 1, |(_, end)| end);
        at = piece.as_ref().map_or_else(refused, |piece| piece.end);
        cluster.extend(piece);
    }
    found.extend(read(&cluster, looking));
    found
}

/// "Not three, four": what was denied stands alone.
fn is_denied(words: &[String], start: usize) -> bool {
    start > 0 && matches!(words[start - 1].as_str(), "not" | "isnt")
}

/// Words that may stand between two pieces of one window.
const GAP: usize = 2;
/// "Any time" is the hours in which calls are placed at all (api-inventory section 10 item 1).
const ANY_TIME: (u32, u32) = (10, 19);
/// A clock time without more is less sure than "four o'clock".
const UNMARKED: f32 = 0.8;
/// Longest delay that is read as one: a week, in minutes.
const LONGEST_DELAY: i64 = 7 * 24 * 60;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Said {
    Date(NaiveDate),
    Clock(Clock),
    Part(Daypart),
    Moment(NaiveDateTime),
    AnyTime,
    /// "to", "and", "se".
    Join,
    /// "after", "ke baad".
    After,
    /// "before", "tak".
    Before,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    start: usize,
    end: usize,
    said: Said,
}

impl Piece {
    fn read(words: &[String], at: usize, looking: Looking) -> Option<Self> {
        let made = |end, said| Some(Self { start: at, end, said });
        if let Some(now) = looking.now {
            if let Some((moment, end)) = moment(words, at, now) {
                return made(end, Said::Moment(moment));
            }
            if words[at] != "tonight"
                && let Some((date, end)) = date::read(words, at, now.date(), looking.asked)
            {
                return made(end, Said::Date(date));
            }
        }
        if looking.now.is_none() && delay(words, at).is_some() {
            return None; // "in two hours" is no two o'clock
        }
        if let Some(clock) = Clock::read(words, at) {
            return made(clock.end, Said::Clock(clock));
        }
        if let Some(part) = Daypart::read(words, at) {
            return made(at + 1, Said::Part(part));
        }
        let next = words.get(at + 1).map_or("", String::as_str);
        let (length, said) = match (words[at].as_str(), next) {
            ("se" | "से", "pehle" | "pahle" | "पहले") => (2, Said::Before),
            ("any" | "kabhi" | "कभी", "time" | "bhi" | "भी") => (2, Said::AnyTime),
            ("anytime" | "whenever", _) => (1, Said::AnyTime),
            ("to" | "and" | "or" | "se" | "से" | "ya" | "या" | "till" | "until" | "through", _) => {
                (1, Said::Join)
            }
            ("after" | "baad" | "बाद" | "onwards" | "onward" | "from", _) => (1, Said::After),
            ("before" | "by" | "latest" | "pehle" | "pahle" | "tak" | "पहले" | "तक", _) => {
                (1, Said::Before)
            }
            _ => return None,
        };
        made(at + length, said)
    }
}

/// "in two hours", "after half an hour", "do ghante baad", "now".
fn moment(words: &[String], at: usize, now: NaiveDateTime) -> Option<(NaiveDateTime, usize)> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let whole = now.with_second(0).and_then(|now| now.with_nanosecond(0)).unwrap_or(now);
    match (word(at), word(at + 1)) {
        ("right", "now") => return Some((whole, at + 2)),
        ("now" | "immediately" | "abhi" | "turant" | "अभी" | "तुरंत", _) => {
            return Some((whole, at + 1));
        }
        _ => {}
    }
    let led = matches!(word(at), "in" | "after" | "within");
    let from = at + usize::from(led);
    let (minutes, end) = delay(words, from)?;
    let end = end + usize::from(matches!(word(end), "ke" | "के"));
    let followed = matches!(word(end), "baad" | "mein" | "me" | "later" | "बाद" | "में");
    (led || followed).then_some(())?;
    let then = whole.checked_add_signed(Duration::minutes(minutes))?;
    Some((then, end + usize::from(followed)))
}

/// A number of minutes: "an hour", "half an hour", "45 minutes", "dedh ghante".
fn delay(words: &[String], at: usize) -> Option<(i64, usize)> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let (millionths, at) = match (word(at), word(at + 1)) {
        ("half", "an" | "a") => (500_000, at + 2),
        ("half" | "aadhe" | "aadha" | "आधे" | "आधा", _) => (500_000, at + 1),
        ("a" | "an", _) => (1_000_000, at + 1),
        _ => numeral::read(words, at).map(|number| (number.quantity.millionths(), number.end))?,
    };
    let unit = match word(at) {
        "hour" | "hours" | "hr" | "hrs" | "ghante" | "ghanta" | "घंटे" | "घंटा" => 60,
        "minute" | "minutes" | "min" | "mins" | "minat" | "मिनट" => 1,
        _ => return None,
    };
    let minutes = millionths.checked_mul(unit)? / 1_000_000;
    (0..=LONGEST_DELAY).contains(&minutes).then_some((minutes, at + 1))
}

/// One window out of a cluster.
fn read(pieces: &[Piece], looking: Looking) -> Option<Candidate<TimeWindow>> {
    let is_content = |piece: &&Piece| !matches!(piece.said, Said::Join | Said::After | Said::Before);
    let (first, last) = (pieces.iter().find(is_content)?, pieces.iter().rfind(is_content)?);
    let date = pieces.iter().rev().find_map(|piece| match piece.said {
        Said::Date(date) => Some(date),
        _ => None,
    });
    let marked = pieces.iter().any(|piece| match piece.said {
        Said::Clock(clock) => clock.marked || !clock.is_open(),
        Said::Date(_) | Said::Part(_) | Said::Moment(_) | Said::AnyTime => true,
        Said::Join | Said::After | Said::Before => false,
    });
    if !marked && !looking.asked {
        return None;
    }
    let window = hours(pieces, TimeWindow { date, ..TimeWindow::default() });
    let confidence = if marked { 1.0 } else { UNMARKED };
    Some(Candidate { start: first.start, end: last.end, value: window, confidence })
}

fn hours(pieces: &[Piece], day: TimeWindow) -> TimeWindow {
    let window = |from, to| TimeWindow { from, to, ..day };
    if let Some(moment) = pieces.iter().find_map(|piece| match piece.said {
        Said::Moment(moment) => Some(moment),
        _ => None,
    }) {
        let time = Some(moment.time());
        return TimeWindow { date: day.date.or(Some(moment.date())), from: time, to: time };
    }
    let clocks: Vec<(usize, Clock)> = pieces
        .iter()
        .enumerate()
        .filter_map(|(i, piece)| match piece.said {
            Said::Clock(clock) => Some((i, clock)),
            _ => None,
        })
        .collect();
    match clocks.as_slice() {
        [] => parts_alone(pieces, day),
        [(i, only)] => {
            let time = Some(only.resolve(part_of(pieces, *i)));
            let ends = |piece: &Piece| piece.said == Said::Before;
            // "Four se" is from four on; "till six" is up to six.
            let joined_before = pieces[..*i].iter().any(|piece| piece.said == Said::Join);
            let joined_after = pieces[i + 1..].iter().any(|piece| piece.said == Said::Join);
            if pieces.iter().any(ends) || joined_before && !joined_after && !starts_at_part(pieces, *i) {
                window(None, time)
            } else if joined_after || pieces.iter().any(|piece| piece.said == Said::After) {
                window(time, None)
            } else {
                window(time, time)
            }
        }
        [(i, first), (j, second), ..] => {
            let (from, to) = range((first, part_of(pieces, *i)), (second, part_of(pieces, *j)));
            window(Some(from), Some(to))
        }
    }
}

/// "and in the evening at five" joins no hours: the join stands before the date or the part that leads the clock.
fn starts_at_part(pieces: &[Piece], clock: usize) -> bool {
    clock > 0 && matches!(pieces[clock - 1].said, Said::Part(_) | Said::Date(_))
}

/// The part of the day that belongs to the clock at `i`: the one just before it, else the one just after it, else the only one there is.
fn part_of(pieces: &[Piece], i: usize) -> Option<Daypart> {
    let part = |piece: &Piece| match piece.said {
        Said::Part(part) => Some(part),
        _ => None,
    };
    let before = i.checked_sub(1).and_then(|before| part(&pieces[before])).filter(|_| {
        // "ten in the morning to five": the part after the first clock is the first clock's.
        i < 2 || !matches!(pieces[i - 2].said, Said::Clock(_))
    });
    let after = || pieces.get(i + 1).and_then(part);
    let mut all = pieces.iter().filter_map(part);
    let only = all.next().filter(|_| all.next().is_none());
    let clocks = pieces.iter().filter(|piece| matches!(piece.said, Said::Clock(_))).count();
    before.or_else(after).or(only.filter(|_| clocks == 1))
}

/// Two ends, of which one may tell the other's half of the day: "four to six pm", "evening five to seven", "eleven to one".
fn range(
    (first, first_part): (&Clock, Option<Daypart>),
    (second, second_part): (&Clock, Option<Daypart>),
) -> (NaiveTime, NaiveTime) {
    let sure = |clock: &Clock, part: Option<Daypart>| !clock.is_open() || part.is_some();
    match (sure(first, first_part), sure(second, second_part)) {
        (true, true) => (first.resolve(first_part), second.resolve(second_part)),
        (false, true) => {
            let to = second.resolve(second_part);
            (first.beside(to, false), to)
        }
        (_, false) => {
            let from = first.resolve(first_part);
            (from, second.beside(from, true))
        }
    }
}

fn parts_alone(pieces: &[Piece], day: TimeWindow) -> TimeWindow {
    let mut parts = pieces.iter().filter_map(|piece| match piece.said {
        Said::Part(part) => Some(part),
        _ => None,
    });
    let joined = pieces.iter().any(|piece| piece.said == Said::Join);
    if let Some(first) = parts.next() {
        let (from, to) = first.hours();
        let to = parts.next_back().filter(|_| joined).map_or(to, |last| last.hours().1.max(to));
        return TimeWindow { from: Some(from), to: Some(to), ..day };
    }
    if pieces.iter().any(|piece| piece.said == Said::AnyTime) {
        let hour = |hour| NaiveTime::from_hms_opt(hour, 0, 0);
        return TimeWindow { from: hour(ANY_TIME.0), to: hour(ANY_TIME.1), ..day };
    }
    day
}
