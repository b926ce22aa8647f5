//! Times of day: "four thirty", "half past five", "5 pm", "16:00", "sham char baje", "साढ़े पाँच बजे".
//!
//! A clock face has two halves and callers seldom say which: a part of the day decides, and where there is none, the hours at which people
//! telephone: one to seven are after noon, eight to eleven before it. Ranges are [`super::window`]'s, which also knows what stands around.

use chrono::{NaiveTime, Timelike};

use super::hindi;
use super::money::{currency_word, is_measure};
use super::numeral::{quarters, scale_word, two_digits};
use super::spell::{self, Scales};
use super::tongue::Tongue;

const HOUR: u16 = 60;
const NOON: u16 = 12 * HOUR;
const DAY: u16 = 24 * HOUR;

/// A part of the day, as people divide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Daypart {
    Morning,
    Afternoon,
    Evening,
    Night,
}

impl Daypart {
    /// The part that the word at `at` names; "good evening" names none.
    pub(super) fn read(words: &[String], at: usize) -> Option<Self> {
        if at > 0 && matches!(words[at - 1].as_str(), "good" | "shubh" | "शुभ") {
            return None;
        }
        Some(match words.get(at)?.as_str() {
            "morning" | "mornings" | "subah" | "subha" | "savere" | "सुबह" | "सवेरे" => Self::Morning,
            "afternoon" | "afternoons" | "noontime" | "dopahar" | "dopeher" | "दोपहर" => Self::Afternoon,
            "evening" | "evenings" | "sham" | "shaam" | "sanjh" | "शाम" => Self::Evening,
            "night" | "nights" | "tonight" | "raat" | "रात" => Self::Night,
            _ => return None,
        })
    }

    /// Its hours, in which somebody can be called.
    pub(super) fn hours(self) -> (NaiveTime, NaiveTime) {
        let (from, to) = match self {
            Self::Morning => (9, 12),
            Self::Afternoon => (12, 16),
            Self::Evening => (16, 20),
            Self::Night => (20, 22),
        };
        (time(from * HOUR), time(to * HOUR))
    }

    /// The half of the clock face on which `hour` (1 to 12) lies, in minutes since midnight.
    fn place(self, hour: u16) -> u16 {
        let early = hour % 12;
        match self {
            Self::Morning => early,
            Self::Afternoon if hour >= 10 => hour,
            Self::Night if hour == 12 || hour <= 4 => early,
            Self::Afternoon | Self::Evening | Self::Night => early + 12,
        }
    }

    fn spoken(self, tongue: Tongue) -> &'static str {
        match (tongue, self) {
            (Tongue::English, Self::Morning) => "in the morning",
            (Tongue::English, Self::Afternoon) => "in the afternoon",
            (Tongue::English, Self::Evening) => "in the evening",
            (Tongue::English, Self::Night) => "at night",
            (Tongue::Hindi, Self::Morning) => "सुबह",
            (Tongue::Hindi, Self::Afternoon) => "दोपहर",
            (Tongue::Hindi, Self::Evening) => "शाम",
            (Tongue::Hindi, Self::Night) => "रात",
        }
    }

    /// The part of the day in which we call a time; the two languages draw the line elsewhere.
    fn of(at: NaiveTime, tongue: Tongue) -> Self {
        let evening = match tongue {
            Tongue::English => 17,
            Tongue::Hindi => 16,
        };
        match at.hour() {
            4..=11 => Self::Morning,
            12..=16 if at.hour() < evening => Self::Afternoon,
            12..=20 => Self::Evening,
            _ => Self::Night,
        }
    }
}

/// A time as it was said, before its half of the day is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    /// First word after it.
    pub(super) end: usize,
    hour: u16,
    minute: u16,
    /// "am" is false, "pm" is true.
    half: Option<bool>,
    /// On the face of twenty-four hours.
    exact: bool,
    /// Nothing but a time is said like this.
    pub(super) marked: bool,
}

impl Clock {
    /// Reads a time that begins exactly at `at`.
    pub(super) fn read(words: &[String], at: usize) -> Option<Self> {
        let face = |end, hour, minute| Self { end, hour, minute, half: None, exact: false, marked: false };
        let word = words.get(at)?.as_str();
        if let "noon" | "midday" = word {
            return Some(Self { exact: true, marked: true, ..face(at + 1, 12, 0) });
        }
        if word == "midnight" {
            return Some(Self { exact: true, marked: true, ..face(at + 1, 0, 0) });
        }
        let before = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", String::as_str);
        if matches!(
            before,
            "sector" | "phase" | "block" | "tower" | "gate" | "flat" | "plot" | "number" | "floor" | "point"
        ) {
            return None;
        }
        let mut clock = None
            .or_else(|| Self::past(words, at))
            .or_else(|| Self::in_quarters(words, at))
            .or_else(|| Self::written(words, at))
            .or_else(|| Self::hour_and_minutes(words, at))?;
        clock.suffixes(words);
        if clock.hour > 24 || clock.minute > 59 || (clock.hour == 24 && clock.minute > 0) {
            return None;
        }
        let next = words.get(clock.end);
        let counted = next.is_some_and(|word| {
            scale_word(word).is_some()
                || currency_word(word).is_some()
                || matches!(word.as_str(), "hundred" | "sau" | "सौ" | "lack" | "st" | "nd" | "rd" | "th" | "percent")
        });
        if counted || is_measure(next) {
            return None;
        }
        clock.exact |= clock.hour > 12 || clock.hour == 0;
        Some(clock)
    }

    /// "half past four", "quarter to five".
    fn past(words: &[String], at: usize) -> Option<Self> {
        let from = at + usize::from(words[at] == "a");
        let minutes: i32 = match words.get(from)?.as_str() {
            "half" => 30,
            "quarter" => 15,
            _ => return None,
        };
        let sign = match words.get(from + 1)?.as_str() {
            "past" | "after" => 1,
            "to" | "before" if minutes == 15 => -1,
            _ => return None,
        };
        let (hour, end) = two_digits(words, from + 2).filter(|(hour, _)| (1..=12).contains(hour))?;
        Self::of_minutes(i32::from(hour) * 60 + sign * minutes, end)
    }

    /// "sadhe panch", "पौने छह".
    fn in_quarters(words: &[String], at: usize) -> Option<Self> {
        let (millionths, end) = quarters(words, at)?;
        let minutes = i32::try_from(millionths.checked_mul(60)? / 1_000_000).ok()?;
        Self::of_minutes(minutes, end)
    }

    fn of_minutes(minutes: i32, end: usize) -> Option<Self> {
        let minutes = u16::try_from(minutes).ok().filter(|minutes| (HOUR / 2..13 * HOUR).contains(minutes))?;
        let hour = if minutes < HOUR { 12 } else { minutes / HOUR }; // quarter to one
        Some(Self { end, hour, minute: minutes % HOUR, half: None, exact: false, marked: true })
    }

    /// `4:30`, `4.30`, and `430` or `1630` where "pm" or "baje" follows.
    fn written(words: &[String], at: usize) -> Option<Self> {
        let word = words[at].as_str();
        let made = |hour: &str, minute: &str, marked| {
            let exact = hour.len() == 2 && hour.starts_with('0');
            let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
            Some(Self { end: at + 1, hour, minute, half: None, exact, marked })
        };
        if let Some((hour, minute)) = word.split_once(':').filter(|(_, minute)| minute.len() == 2) {
            return made(hour, minute, true);
        }
        if let Some((hour, minute)) = word.split_once('.').filter(|(_, minute)| minute.len() == 2) {
            return made(hour, minute, false);
        }
        let digits = word.bytes().all(|b| b.is_ascii_digit()) && (3..=4).contains(&word.len());
        let marked =
            words.get(at + 1).is_some_and(|next| matches!(next.as_str(), "am" | "pm" | "baje" | "बजे" | "hours"));
        (digits && marked).then(|| made(&word[..word.len() - 2], &word[word.len() - 2..], true)).flatten()
    }

    /// "four", "four thirty", "four oh five".
    fn hour_and_minutes(words: &[String], at: usize) -> Option<Self> {
        let (hour, end) = two_digits(words, at).filter(|(hour, _)| *hour <= 24)?;
        let mut clock = Self { end, hour: hour.into(), minute: 0, half: None, exact: false, marked: false };
        let leading_zero = words.get(end).is_some_and(|word| matches!(word.as_str(), "oh" | "o" | "zero"));
        if leading_zero {
            if let Some((minute, end)) = two_digits(words, end + 1).filter(|(minute, _)| (1..10).contains(minute)) {
                (clock.minute, clock.end, clock.marked) = (minute.into(), end, true);
            }
        } else if let Some((minute, end)) = two_digits(words, end).filter(|(minute, _)| *minute == 10 || *minute > 12) {
            // "ten eleven" are two hours; "four fifteen" is one time.
            let one_more = hour + 1 == minute;
            if minute < 60 && !one_more {
                (clock.minute, clock.end) = (minute.into(), end);
            }
        }
        Some(clock)
    }

    /// "o'clock", "baje", "am" and "pm" after the number, in any order.
    fn suffixes(&mut self, words: &[String]) {
        loop {
            let next = |n: usize| words.get(self.end + n).map_or("", String::as_str);
            let half = match (next(0), next(1)) {
                ("am", _) => Some((false, 1)),
                ("pm", _) => Some((true, 1)),
                ("a", "m") => Some((false, 2)),
                ("p", "m") => Some((true, 2)),
                _ => None,
            };
            let length = match (half, next(0), next(1)) {
                (Some((late, length)), ..) if self.half.is_none() => {
                    self.half = Some(late);
                    length
                }
                (_, "o", "clock") => 2,
                (_, "oclock" | "clock" | "baje" | "बजे" | "hours", _) => 1,
                _ => return,
            };
            (self.end, self.marked) = (self.end + length, true);
        }
    }

    /// Whether it still needs a part of the day.
    pub(super) fn is_open(&self) -> bool {
        !self.exact && self.half.is_none()
    }

    /// The time, with the part of the day that was named beside it.
    pub(super) fn resolve(&self, part: Option<Daypart>) -> NaiveTime {
        let hour = match (self.exact, self.half, part) {
            (true, ..) => self.hour % 24,
            (false, Some(late), _) => self.hour % 12 + if late { 12 } else { 0 },
            (false, None, Some(part)) => part.place(self.hour),
            (false, None, None) if (1..=7).contains(&self.hour) => self.hour + 12,
            (false, None, None) => self.hour,
        };
        time(hour * HOUR + self.minute)
    }

    /// The nearest time after `from` that was said like this, or the nearest one before `to`.
    pub(super) fn beside(&self, other: NaiveTime, after: bool) -> NaiveTime {
        let own = self.hour % 12 * HOUR + self.minute;
        let other = minutes(other);
        let fits = |at: &u16| if after { *at > other } else { *at < other };
        let mut times = [own, own + NOON].into_iter().filter(fits);
        let found = if after { times.next() } else { times.next_back() };
        found.map_or_else(|| self.resolve(None), time)
    }
}

/// A time by its minutes since midnight; midnight again at the end of the day.
fn time(minutes: u16) -> NaiveTime {
    let minutes = u32::from(minutes % DAY);
    NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0).unwrap_or_default()
}

fn minutes(at: NaiveTime) -> u16 {
    (at.hour() * 60 + at.minute()) as u16
}

/// "four in the afternoon", "शाम चार बजे".
pub(super) fn spoken(at: NaiveTime, tongue: Tongue) -> String {
    match tongue {
        Tongue::English => match (at.hour(), at.minute()) {
            (0, 0) => "midnight".to_owned(),
            (12, 0) => "twelve noon".to_owned(),
            _ => format!("{} {}", face(at, tongue), Daypart::of(at, tongue).spoken(tongue)),
        },
        Tongue::Hindi => format!("{} {}", Daypart::of(at, tongue).spoken(tongue), face(at, tongue)),
    }
}

/// Both ends, with the part of the day once where both share it.
pub(super) fn spoken_range(from: NaiveTime, to: NaiveTime, tongue: Tongue) -> String {
    if let Some(part) = [Daypart::Morning, Daypart::Afternoon, Daypart::Evening, Daypart::Night]
        .into_iter()
        .find(|part| part.hours() == (from, to))
    {
        return part.spoken(tongue).to_owned();
    }
    let shared = Daypart::of(from, tongue) == Daypart::of(to, tongue) && from != noon() && to != noon();
    match (tongue, shared) {
        (Tongue::English, true) => format!("between {} and {}", face(from, tongue), spoken(to, tongue)),
        (Tongue::English, false) => format!("between {} and {}", spoken(from, tongue), spoken(to, tongue)),
        (Tongue::Hindi, true) => format!("{} से {} के बीच", spoken(from, tongue), face(to, tongue)),
        (Tongue::Hindi, false) => format!("{} से {} के बीच", spoken(from, tongue), spoken(to, tongue)),
    }
}

fn noon() -> NaiveTime {
    time(NOON)
}

/// The clock face alone: "four thirty", "साढ़े चार बजे".
fn face(at: NaiveTime, tongue: Tongue) -> String {
    let hour = |hour: u32| (if hour.is_multiple_of(12) { 12 } else { hour % 12 }) as u8;
    let (now, next, minute) = (hour(at.hour()), hour(at.hour() + 1), at.minute());
    match tongue {
        Tongue::English => {
            let hour = spell::whole(now.into(), Scales::Indian);
            match minute {
                0 => hour,
                1..10 => format!("{hour} oh {}", spell::whole(minute.into(), Scales::Indian)),
                _ => format!("{hour} {}", spell::whole(minute.into(), Scales::Indian)),
            }
        }
        Tongue::Hindi => match (now, minute) {
            (_, 0) => format!("{} बजे", hindi::word(now)),
            (1, 30) => "डेढ़ बजे".to_owned(),
            (2, 30) => "ढाई बजे".to_owned(),
            (_, 30) => format!("साढ़े {} बजे", hindi::word(now)),
            (_, 15) => format!("सवा {} बजे", hindi::word(now)),
            (_, 45) => format!("पौने {} बजे", hindi::word(next)),
            _ => format!("{} बजकर {} मिनट", hindi::word(now), hindi::word(minute as u8)),
        },
    }
}
