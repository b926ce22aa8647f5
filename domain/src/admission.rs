//! Whether there is room for one more call: by business and by agent, at once and in a day (api-inventory R13, R18).
//!
//! ```text
//!                 at once                                            in a day of the business's time zone
//! business        concurrent_call_limit, -1 as many as the server    daily_call_limit, -1 as many as come
//!                 may; an agent with allow_concurrency_overflow
//!                 may lift it to three times as many
//! agent           concurrent_call_limit, -1 as its business          daily_call_limit, -1 as its business
//! ```
//!
//! A call is admitted only if every level has room. [`admit`] is the decision on counts that somebody holds; [`Places`] holds them. The limit of
//! the whole server (`MAX_CONCURRENT_CALLS`) is the switchboard's own, which counts its calls anyway.
//!
//! Pure: days and instants come in by argument. Not here: trunks and campaigns, which have no limits yet, and what a refused caller hears.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::ids::{AgentId, BusinessId, CallId};
use crate::record::Direction;

mod places;

pub use places::{Places, Tally};

/// By how much overflow lifts a business's calls at once.
pub const OVERFLOW: u32 = 3;

/// How many calls there may be; `None` leaves it to the level above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Caps {
    /// At once.
    pub at_once: Option<u32>,
    /// In a day.
    pub a_day: Option<u32>,
}

impl Caps {
    /// From settings, in which -1 (or any other negative number) leaves it to the level above.
    pub fn of(at_once: Option<i64>, a_day: Option<i64>) -> Self {
        let cap = |calls: Option<i64>| {
            calls.filter(|calls| *calls >= 0).map(|calls| u32::try_from(calls).unwrap_or(u32::MAX))
        };
        Self { at_once: cap(at_once), a_day: cap(a_day) }
    }
}

/// On which terms an agent takes calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// It answers the calls that come in by telephone (`auto_answer_inbound`).
    pub answers: bool,
    /// How many it takes.
    pub caps: Caps,
    /// It may take more calls at once than its business has (`allow_concurrency_overflow`).
    pub overflow: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self { answers: true, caps: Caps::default(), overflow: false }
    }
}

/// What kind of call asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody dialled a number of ours.
    Inbound,
    /// We are about to dial.
    Dial,
    /// Somebody whom we dialled has answered.
    Dialled,
    /// A page in a browser talks with an agent: no telephone rings.
    Talk,
}

/// A call that wants in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Which.
    pub call: CallId,
    /// Whose.
    pub business: BusinessId,
    /// Who would take it.
    pub agent: AgentId,
    /// What kind of call it is.
    pub kind: Kind,
    /// Its line broke and it has come back: its day counted it already.
    pub again: bool,
    /// What the business may have; `None` where that was never known.
    pub business_caps: Option<Caps>,
    /// What the agent may have.
    pub terms: Terms,
    /// Which day it is where the business is.
    pub day: NaiveDate,
}

/// Calls of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// That run now.
    pub live: u32,
    /// That were admitted today.
    pub today: u32,
}

/// Calls of all levels, as they are when a call asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Of the business.
    pub business: Count,
    /// Of the agent.
    pub agent: Count,
    /// Whether `today` holds what other processes, and this one before its restart, have admitted.
    pub day_known: bool,
}

/// A call that is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted {
    /// Beyond the business's calls at once, by its agent's leave.
    pub overflow: bool,
}

/// A level that has limits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// All agents of a business together.
    Business,
    /// One agent.
    Agent,
}

impl Level {
    /// Its name in records and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Business => "business",
            Self::Agent => "agent",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a call is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Denied {
    /// Too many calls at once.
    #[error("the {level} has {used} calls and may have {most} at once (concurrent_call_limit)")]
    AtOnce {
        /// Whose limit.
        level: Level,
        /// Calls that run.
        used: u32,
        /// Calls that may.
        most: u32,
    },
    /// Too many calls in a day.
    #[error("the {level} has had {used} calls today and may have {most} (daily_call_limit)")]
    Today {
        /// Whose limit.
        level: Level,
        /// Calls that were admitted.
        used: u32,
        /// Calls that may be.
        most: u32,
    },
    /// The agent leaves calls that come in unanswered.
    #[error("the agent does not answer calls by itself (auto_answer_inbound)")]
    Unanswered,
    /// A dial that could be one too many.
    #[error("how many calls there were today, or how many there may be, is not known: the database does not answer")]
    DayUnknown,
}

impl Denied {
    /// Stable name, stored as `ended_reason` and used as metric label.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::AtOnce { .. } => "concurrency_limit",
            Self::Today { .. } => "daily_limit",
            Self::Unanswered => "auto_answer_off",
            Self::DayUnknown => "daily_count_unknown",
        }
    }

    /// Which level had no room.
    pub fn level(&self) -> Level {
        match self {
            Self::AtOnce { level, .. } | Self::Today { level, .. } => *level,
            Self::Unanswered => Level::Agent,
            Self::DayUnknown => Level::Business,
        }
    }
}

/// Whether one more call has room.
///
/// While the day's count or the business's limits are not known (the database is away since the start), whoever calls us is let in and a dial of our own is not: a caller
/// should not suffer for a limit that is most likely far away, and what we do not dial now can be dialled later (promises.md, D5).
pub fn admit(ask: &Ask, counts: &Counts) -> Result<Admitted, Denied> {
    let Ask { terms, kind, .. } = ask;
    if *kind == Kind::Inbound && !terms.answers {
        return Err(Denied::Unanswered);
    }
    // A dial that could be one too many waits; nobody who calls us does.
    let Caps { at_once: most, a_day } = match ask.business_caps {
        None if *kind == Kind::Dial => return Err(Denied::DayUnknown),
        caps => caps.unwrap_or_default(),
    };
    at_once(Level::Agent, counts.agent.live, terms.caps.at_once)?;
    let overflow = match at_once(Level::Business, counts.business.live, most) {
        Ok(()) => false,
        Err(denied) if !terms.overflow => return Err(denied),
        Err(_) => {
            let lifted = most.map(|most| most.saturating_mul(OVERFLOW));
            at_once(Level::Business, counts.business.live, lifted)?;
            true
        }
    };
    if !ask.again {
        let limited = terms.caps.a_day.is_some() || a_day.is_some();
        if limited && !counts.day_known && *kind == Kind::Dial {
            return Err(Denied::DayUnknown);
        }
        today(Level::Agent, counts.agent.today, terms.caps.a_day)?;
        today(Level::Business, counts.business.today, a_day)?;
    }
    Ok(Admitted { overflow })
}

fn at_once(level: Level, used: u32, most: Option<u32>) -> Result<(), Denied> {
    match most {
        Some(most) if used >= most => Err(Denied::AtOnce { level, used, most }),
        _ => Ok(()),
    }
}

fn today(level: Level, used: u32, most: Option<u32>) -> Result<(), Denied> {
    match most {
        Some(most) if used >= most => Err(Denied::Today { level, used, most }),
        _ => Ok(()),
    }
}

impl From<Kind> for Direction {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Inbound | Kind::Talk => Self::Inbound,
            Kind::Dial | Kind::Dialled => Self::Outbound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(house: Caps, terms: Terms) -> Ask {
        Ask {
            call: CallId(uuid::Uuid::nil()),
            business: BusinessId::FIRST,
            agent: AgentId(1),
            kind: Kind::Inbound,
            again: false,
            business_caps: Some(house),
            terms,
            day: NaiveDate::default(),
        }
    }

    fn counts(business: (u32, u32), agent: (u32, u32)) -> Counts {
        let count = |(live, today)| Count { live, today };
        Counts { business: count(business), agent: count(agent), day_known: true }
    }

    const AT_ONCE_2: Caps = Caps { at_once: Some(2), a_day: None };
    const A_DAY_9: Caps = Caps { at_once: None, a_day: Some(9) };

    #[test]
    fn every_level_must_have_room() {
        let of = |caps| Terms { caps, ..Terms::default() };
        let free = Caps::default();
        for (house, terms, counted, expected) in [
            (free, of(free), counts((999, 999), (999, 999)), None),
            (AT_ONCE_2, of(free), counts((1, 0), (1, 0)), None),
            (AT_ONCE_2, of(free), counts((2, 0), (0, 0)), Some(("concurrency_limit", Level::Business))),
            (free, of(AT_ONCE_2), counts((7, 0), (2, 0)), Some(("concurrency_limit", Level::Agent))),
            (A_DAY_9, of(free), counts((0, 9), (0, 0)), Some(("daily_limit", Level::Business))),
            (A_DAY_9, of(free), counts((0, 8), (0, 8)), None),
            (free, of(A_DAY_9), counts((0, 90), (0, 9)), Some(("daily_limit", Level::Agent))),
            (Caps::of(Some(0), None), of(free), counts((0, 0), (0, 0)), Some(("concurrency_limit", Level::Business))),
        ] {
            let denied = admit(&ask(house, terms), &counted).err().map(|denied| (denied.as_str(), denied.level()));
            assert_eq!(denied, expected, "{house:?} {terms:?} {counted:?}");
        }
    }

    #[test]
    fn overflow_lifts_the_business_to_three_times_and_no_agent() {
        let lifted = Terms { overflow: true, ..Terms::default() };
        let admitted = |live| admit(&ask(AT_ONCE_2, lifted), &counts((live, 0), (live, 0)));
        assert_eq!(admitted(1), Ok(Admitted { overflow: false }));
        assert_eq!(admitted(2), Ok(Admitted { overflow: true }));
        assert_eq!(admitted(5), Ok(Admitted { overflow: true }));
        assert_eq!(admitted(6), Err(Denied::AtOnce { level: Level::Business, used: 6, most: 6 }));
        let bound = Terms { caps: AT_ONCE_2, ..lifted };
        assert_eq!(
            admit(&ask(AT_ONCE_2, bound), &counts((2, 0), (2, 0))).map_err(|denied| denied.level()),
            Err(Level::Agent)
        );
    }

    #[test]
    fn who_does_not_answer_is_not_asked_on_the_telephone_alone() {
        let silent = ask(Caps::default(), Terms { answers: false, ..Terms::default() });
        assert_eq!(admit(&silent, &Counts::default()), Err(Denied::Unanswered));
        for kind in [Kind::Dial, Kind::Dialled, Kind::Talk] {
            assert!(admit(&Ask { kind, ..silent }, &Counts::default()).is_ok(), "{kind:?}");
        }
    }

    #[test]
    fn a_day_that_is_not_known_stops_our_dials_and_no_caller() {
        let unknown = Counts::default();
        let limited = ask(A_DAY_9, Terms::default());
        for kind in [Kind::Inbound, Kind::Dialled, Kind::Talk] {
            assert!(admit(&Ask { kind, ..limited }, &unknown).is_ok(), "{kind:?}");
        }
        assert_eq!(admit(&Ask { kind: Kind::Dial, ..limited }, &unknown), Err(Denied::DayUnknown));
        let free = ask(Caps::default(), Terms::default());
        assert!(
            admit(&Ask { kind: Kind::Dial, ..free }, &unknown).is_ok(),
            "where no day is limited none need be known"
        );
        let unheard_of = Ask { business_caps: None, ..free };
        assert_eq!(admit(&Ask { kind: Kind::Dial, ..unheard_of }, &counts((0, 0), (0, 0))), Err(Denied::DayUnknown));
        assert!(admit(&unheard_of, &counts((0, 0), (0, 0))).is_ok());
    }

    #[test]
    fn a_call_that_comes_back_is_not_a_call_more() {
        let full = counts((0, 9), (0, 9));
        let back = Ask { again: true, ..ask(A_DAY_9, Terms::default()) };
        assert!(admit(&back, &full).is_ok());
        assert!(admit(&Ask { again: false, ..back }, &full).is_err());
    }

    #[test]
    fn minus_one_leaves_it_to_the_level_above() {
        assert_eq!(Caps::of(Some(-1), None), Caps::default());
        assert_eq!(Caps::of(Some(3), Some(i64::MAX)), Caps { at_once: Some(3), a_day: Some(u32::MAX) });
    }
}
