//! How often somebody may try to log in.
//!
//! Three things are counted, since each alone fails: by account alone, anybody locks its owner out; by address alone, a hired net of
//! machines tries one password each; by both together, one machine walks through all accounts.
//!
//! | counted by               | free tries | then waits               | longest | known pairs    |
//! |--------------------------|------------|--------------------------|---------|----------------|
//! | account and address      | 5          | 1 s, 2 s, 4 s, …         | 15 min  | 1 min          |
//! | the same, under attack   | 1          | 1 min, 2 min, 4 min, …   | 15 min  | as if not      |
//! | address                  | 20         | 1 s, 2 s, 4 s, …         | 15 min  | not applied    |
//! | account                  | 100        | it is *under attack*     |         | not applied    |
//!
//! A **known pair** is an account and an address from which it logged in within 30 days. What others do never keeps it waiting, so an
//! owner can log in however hard the account is tried; at an unknown address they have a try at once as well. A net of machines is
//! slowed and not stopped: whatever would stop it would stop the owner, and it meets a password of 15 characters.
//!
//! An address is a whole IPv6 /64, which is what one subscriber has. Counts lose one each quarter of an hour. Accounts that do not
//! exist are counted as those that do. Bounded: [`CAPACITY`] entries each, the one longest untouched goes first; only who has logged
//! in can add a known pair. After a restart the counts are taken up from the
//! record of changes ([`Lockout::recall`]). Not here: other processes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::account::Email;

mod recorded;

pub use recorded::{FREE as RECORDED_EACH, Recorded};

/// How many entries each of the four tables holds: a few megabytes in all.
pub const CAPACITY: usize = 10_000;
/// Log-ins from one address to one account that may fail without a wait.
const FREE_OF_PAIR: u32 = 5;
/// Log-ins from one address, to any accounts.
const FREE_OF_ADDRESS: u32 = 20;
/// Failures, from anywhere, from which on an account counts as under attack.
const ATTACK: u32 = 100;
/// Free tries of an unknown address at an account under attack.
const FREE_UNDER_ATTACK: u32 = 1;
/// How many doublings its waits are ahead: they begin at 64 s.
const AHEAD_UNDER_ATTACK: u32 = 6;
/// The longest wait, and the time in which a count loses one: who waits for as long as can be asked does not get worse.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The longest wait where the account is known.
const LONGEST_KNOWN: Duration = Duration::from_secs(60);
/// How long a pair stays known after its last log-in.
const KNOWN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Whether a log-in may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// Check the password.
    Try,
    /// Answer 429 with this in `Retry-After`, and do not look at the password: a right one would be betrayed.
    Wait {
        /// From now on.
        retry_after: Duration,
    },
}

/// An account as it is counted: half of the hash of its e-mail, so that no list of addresses lies in memory, and each takes 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Account([u8; 16]);

impl Account {
    fn of(email: &Email) -> Self {
        let hash: [u8; 32] = Sha256::digest(email.as_str()).into();
        Self(std::array::from_fn(|at| hash[at]))
    }
}

/// What one subscriber has: an IPv4 address, or an IPv6 network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

/// Failures that are not yet forgotten.
#[derive(Debug, Clone, Copy)]
struct Count {
    failures: u32,
    /// Up to when what can be forgotten has been.
    forgotten_to: Instant,
}

impl Count {
    fn new(now: Instant) -> Self {
        Self { failures: 0, forgotten_to: now }
    }

    /// One failure less for each whole [`LONGEST`]. What is left over of the time counts on, or who fails every minute would never be
    /// forgiven anything.
    fn at(self, now: Instant) -> Self {
        let whole = now.saturating_duration_since(self.forgotten_to).as_secs() / LONGEST.as_secs();
        match u32::try_from(whole) {
            Ok(whole) if whole < self.failures => {
                Self { failures: self.failures - whole, forgotten_to: self.forgotten_to + LONGEST * whole }
            }
            _ if whole > 0 => Self::new(now),
            _ => self,
        }
    }
}

/// From when on the next try is allowed: at once while fewer than `free` failed, then after 1 s, 2 s, 4 s and so on.
fn free_at((count, last): (Count, Instant), free: u32, ahead: u32, longest: Duration) -> Instant {
    match count.failures.checked_sub(free) {
        None => last,
        Some(over) => last + Duration::from_secs(1 << over.saturating_add(ahead).min(16)).min(longest),
    }
}

/// The counts of one process.
#[derive(Debug, Clone)]
pub struct Lockout {
    pairs: Recent<(Account, IpAddr), Count>,
    addresses: Recent<IpAddr, Count>,
    accounts: Recent<Account, Count>,
    known: Recent<(Account, IpAddr), ()>,
}

impl Default for Lockout {
    fn default() -> Self {
        Self {
            pairs: Recent::new(CAPACITY),
            addresses: Recent::new(CAPACITY),
            accounts: Recent::new(CAPACITY),
            known: Recent::new(CAPACITY),
        }
    }
}

impl Lockout {
    /// Asked before each check of a password.
    ///
    /// A try counts as failed from here on until [`Lockout::succeeded`] or [`Lockout::withdrawn`] takes it back: a thousand requests
    /// at once are a thousand tries, though none of their passwords has been checked yet. A try that must wait is not counted.
    pub fn ask(&mut self, email: &Email, address: IpAddr, now: Instant) -> Leave {
        let (account, address) = (Account::of(email), network(address));
        let pair = (account, address);
        let attacked = self.is_under_attack(email, now);
        let of_pair = self.pairs.read(&pair);
        let free_at = if self.is_known(&pair, now) {
            of_pair.map(|count| free_at(count, FREE_OF_PAIR, 0, LONGEST_KNOWN))
        } else {
            let (free, ahead) = if attacked { (FREE_UNDER_ATTACK, AHEAD_UNDER_ATTACK) } else { (FREE_OF_PAIR, 0) };
            let of_address = self.addresses.read(&address).map(|count| free_at(count, FREE_OF_ADDRESS, 0, LONGEST));
            of_pair.map(|count| free_at(count, free, ahead, LONGEST)).max(of_address)
        };
        let retry_after = free_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        if !retry_after.is_zero() {
            return Leave::Wait { retry_after };
        }
        self.count(pair, now, |failures| failures.saturating_add(1));
        Leave::Try
    }

    /// Whether an account is under attack: what people who manage it are shown.
    pub fn is_under_attack(&self, email: &Email, now: Instant) -> bool {
        self.accounts.read(&Account::of(email)).is_some_and(|(count, _)| count.at(now).failures >= ATTACK)
    }

    /// The password was right: makes the pair known, clears its failures, and takes the try back from the other counts. Only this one,
    /// or an attacker would clear an address by logging in to an account of their own between tries at others.
    pub fn succeeded(&mut self, email: &Email, address: IpAddr, now: Instant) {
        let pair = (Account::of(email), network(address));
        self.withdrawn(email, address, now);
        change(&mut self.pairs, pair, now, |_| 0);
        self.known.set(pair, now, ());
    }

    /// Takes up a log-in of an earlier process, `right` or not; the oldest first. `at` is `None` where this machine was not up yet: failures
    /// of so long ago are forgiven, and whoever logged in is known as if it were `now`.
    pub fn recall(&mut self, email: &Email, address: IpAddr, right: bool, at: Option<Instant>, now: Instant) {
        let pair = (Account::of(email), network(address));
        match (right, at) {
            (true, _) => {
                let at = at.unwrap_or(now);
                change(&mut self.pairs, pair, at, |_| 0);
                self.known.set(pair, at, ());
            }
            (false, Some(at)) => self.count(pair, at, |failures| failures.saturating_add(1)),
            (false, None) => {}
        }
    }

    /// Takes up failures of an earlier process that have no record each. From where they came is not known, so they count for the account alone.
    pub fn recall_unrecorded(&mut self, email: &Email, failures: u32, at: Option<Instant>) {
        if let Some(at) = at.filter(|_| failures > 0) {
            change(&mut self.accounts, Account::of(email), at, |count| count.saturating_add(failures));
        }
    }

    /// The password could not be checked (the database is away): nobody's failure.
    pub fn withdrawn(&mut self, email: &Email, address: IpAddr, now: Instant) {
        self.count((Account::of(email), network(address)), now, |failures| failures.saturating_sub(1));
    }

    /// A known pair is counted by itself alone: those who share its address or its account have nothing to do with it.
    fn count(&mut self, pair: (Account, IpAddr), now: Instant, by: fn(u32) -> u32) {
        change(&mut self.pairs, pair, now, by);
        if !self.is_known(&pair, now) {
            change(&mut self.accounts, pair.0, now, by);
            change(&mut self.addresses, pair.1, now, by);
        }
    }

    /// How many entries are held, for a gauge: at most four times [`CAPACITY`].
    pub fn entries(&self) -> usize {
        self.pairs.len() + self.addresses.len() + self.accounts.len() + self.known.len()
    }

    fn is_known(&self, pair: &(Account, IpAddr), now: Instant) -> bool {
        self.known.read(pair).is_some_and(|((), last)| now.saturating_duration_since(last) < KNOWN)
    }
}

fn change<K: Ord + Copy>(counts: &mut Recent<K, Count>, key: K, now: Instant, by: impl FnOnce(u32) -> u32) {
    let count = counts.read(&key).map_or_else(|| Count::new(now), |(count, _)| count.at(now));
    counts.set(key, now, Count { failures: by(count.failures), ..count });
}

/// Values by key, the least recently set one dropped when there are too many.
#[derive(Debug, Clone)]
struct Recent<K, V> {
    capacity: usize,
    changes: u64,
    by_key: BTreeMap<K, (u64, Instant, V)>,
    by_change: BTreeMap<u64, K>,
}

impl<K: Ord + Copy, V: Copy> Recent<K, V> {
    fn new(capacity: usize) -> Self {
        Self { capacity, changes: 0, by_key: BTreeMap::new(), by_change: BTreeMap::new() }
    }

    fn len(&self) -> usize {
        self.by_key.len()
    }

    fn read(&self, key: &K) -> Option<(V, Instant)> {
        self.by_key.get(key).map(|(_, at, value)| (*value, *at))
    }

    fn set(&mut self, key: K, now: Instant, value: V) {
        self.changes += 1;
        if let Some((before, ..)) = self.by_key.insert(key, (self.changes, now, value)) {
            self.by_change.remove(&before);
        }
        self.by_change.insert(self.changes, key);
        if self.by_key.len() > self.capacity
            && let Some((_, oldest)) = self.by_change.pop_first()
        {
            self.by_key.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests;
