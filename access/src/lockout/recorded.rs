//! Which failed log-ins get a record of their own.
//!
//! Nothing is ever taken out of the record of changes, and whoever tries passwords writes into it. One address is slowed by the lock-out; a
//! net of machines has a try at each account from each of them. So of one account the first [`FREE`] failures are recorded each, and after
//! that one a minute: a day of attack adds 1,460 records, whatever its force. The others are counted, and the next record tells how many.
//!
//! Counted by account and not by address, of which an attacker has as many as they like. Failures after the last record of an attack are in
//! no record; the counter of log-ins (`tandem_log_ins_total`) has them all.

use std::time::{Duration, Instant};

use super::{Account, CAPACITY, Recent};
use crate::account::Email;

/// Failures of one account that are recorded each.
pub const FREE: u32 = 20;
/// Time after which one more is.
const ONE_MORE: Duration = Duration::from_secs(60);

/// What one account has left.
#[derive(Debug, Clone, Copy)]
struct Room {
    records: u32,
    /// Up to when what came back has been counted.
    counted_to: Instant,
    unrecorded: u32,
}

/// The failures of one process. Bounded: [`CAPACITY`] accounts.
#[derive(Debug, Clone)]
pub struct Recorded(Recent<Account, Room>);

impl Default for Recorded {
    fn default() -> Self {
        Self(Recent::new(CAPACITY))
    }
}

impl Recorded {
    /// A log-in to an account that exists has failed. `None`: it is only counted; else it is to be recorded, with how many were not since the
    /// record before.
    pub fn failed(&mut self, email: &Email, now: Instant) -> Option<u32> {
        let account = Account::of(email);
        let full = Room { records: FREE, counted_to: now, unrecorded: 0 };
        let room = self.0.read(&account).map_or(full, |(room, _)| room.at(now));
        let (room, told) = match room.records.checked_sub(1) {
            Some(records) => (Room { records, unrecorded: 0, ..room }, Some(room.unrecorded)),
            None => (Room { unrecorded: room.unrecorded.saturating_add(1), ..room }, None),
        };
        self.0.set(account, now, room);
        told
    }
}

impl Room {
    /// One more for each whole minute. What is left over of the time counts on.
    fn at(self, now: Instant) -> Self {
        let whole = now.saturating_duration_since(self.counted_to).as_secs() / ONE_MORE.as_secs();
        let missing = FREE.saturating_sub(self.records);
        match u32::try_from(whole) {
            Ok(whole) if whole < missing => {
                Self { records: self.records + whole, counted_to: self.counted_to + ONE_MORE * whole, ..self }
            }
            _ => Self { records: FREE, counted_to: now, ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "an origin for made-up time; nothing is measured")]
    fn origin() -> Instant {
        Instant::now()
    }

    fn email(name: &str) -> Email {
        format!("{name}@example.test").parse().expect("an address")
    }

    #[test]
    fn an_attack_is_some_records_and_every_try_but_the_last_is_told() {
        let (mut recorded, t0, owner) = (Recorded::default(), origin(), email("owner"));
        // Ten tries a second: what two places for passwords let through at most.
        let tries = (0..72_000_u32).map(|tenth| t0 + Duration::from_millis(100) * tenth);
        let told: Vec<u32> = tries.filter_map(|now| recorded.failed(&owner, now)).collect();
        assert_eq!(told.len(), 20 + 2 * 60 - 1);
        assert!(told[..20].iter().all(|unrecorded| *unrecorded == 0), "the first ones are records each");
        assert_eq!(told[21], 599, "a minute has 600 tries, and one of them is the record");
        let counted: usize = told.len() + told.iter().map(|unrecorded| *unrecorded as usize).sum::<usize>();
        assert!(counted > 72_000 - 600, "{counted}");
    }

    #[test]
    fn one_account_is_not_silenced_by_the_tries_at_another() {
        let (mut recorded, t0) = (Recorded::default(), origin());
        let told = (0..1_000).filter_map(|_| recorded.failed(&email("owner"), t0)).count();
        assert_eq!(told, FREE as usize);
        assert_eq!(recorded.failed(&email("other"), t0), Some(0));
        assert_eq!(recorded.failed(&email("owner"), t0), None);
    }

    #[test]
    fn after_some_quiet_everything_is_recorded_again() {
        let (mut recorded, t0, owner) = (Recorded::default(), origin(), email("owner"));
        assert_eq!((0..30).filter_map(|_| recorded.failed(&owner, t0)).count(), FREE as usize);
        let later = t0 + ONE_MORE * FREE;
        let told: Vec<_> = (0..=FREE).map(|_| recorded.failed(&owner, later)).collect();
        assert_eq!((told[0], told[1], told[19], told[20]), (Some(10), Some(0), Some(0), None));
    }

    #[test]
    fn accounts_are_bounded() {
        let (mut recorded, t0) = (Recorded::default(), origin());
        for number in 0..CAPACITY + 100 {
            let _ = recorded.failed(&email(&number.to_string()), t0);
        }
        assert_eq!(recorded.0.len(), CAPACITY);
    }
}
