use proptest::prelude::*;

use super::*;

fn email(name: &str) -> Email {
    format!("{name}@example.test").parse().expect("an address")
}

fn v4(number: u32) -> IpAddr {
    IpAddr::V4((0x0A00_0000 + number).into())
}

/// Any instant: all that follow are this one and a duration.
#[expect(clippy::disallowed_methods, reason = "an origin for made-up time; nothing is measured")]
fn origin() -> Instant {
    Instant::now()
}

const SECOND: Duration = Duration::from_secs(1);

/// How many passwords one can try at `account` when all of `addresses` try one each second, for `seconds`.
fn tried(lockout: &mut Lockout, account: &Email, addresses: &[IpAddr], seconds: u32, from: Instant) -> usize {
    let asked = (0..seconds).flat_map(|second| addresses.iter().map(move |address| (*address, from + SECOND * second)));
    asked.filter(|(address, now)| lockout.ask(account, *address, *now) == Leave::Try).count()
}

#[test]
fn a_thousand_bad_log_ins_are_slowed_and_the_owner_still_gets_in() {
    let (mut lockout, t0, owner) = (Lockout::default(), origin(), email("owner"));
    lockout.succeeded(&owner, v4(1), t0);
    let tried = tried(&mut lockout, &owner, &[v4(2)], 1000, t0);
    assert_eq!(tried, 14, "passwords in 1000 s");

    let after = t0 + SECOND * 1000;
    assert_eq!(lockout.ask(&owner, v4(1), after), Leave::Try, "the owner where they always are");
    assert_eq!(lockout.ask(&owner, v4(3), after), Leave::Try, "and elsewhere");
    assert!(matches!(lockout.ask(&owner, v4(2), after), Leave::Wait { .. }), "but not the attacker");
}

#[test]
fn an_account_is_under_attack_after_a_restart_though_not_every_try_has_a_record() {
    let (t0, owner) = (origin(), email("owner"));
    let mut lockout = Lockout::default();
    lockout.recall(&owner, v4(1), true, Some(t0), t0);
    lockout.recall_unrecorded(&owner, ATTACK, Some(t0));
    lockout.recall_unrecorded(&email("other"), ATTACK, None);
    assert!(lockout.is_under_attack(&owner, t0) && !lockout.is_under_attack(&email("other"), t0));
    assert_eq!(lockout.ask(&owner, v4(1), t0), Leave::Try, "the owner does not wait for others");
}

#[test]
fn what_was_counted_is_taken_up_after_a_restart() {
    let (t0, owner) = (origin(), email("owner"));
    let now = t0 + SECOND * 10;
    let after = |past: &[(bool, u32)]| {
        let mut lockout = Lockout::default();
        for (right, second) in past {
            lockout.recall(&owner, v4(1), *right, Some(t0 + SECOND * *second), now);
        }
        lockout
    };
    assert_eq!(after(&[(false, 10); 4]).ask(&owner, v4(1), now), Leave::Try);
    assert_eq!(after(&[(false, 10); 5]).ask(&owner, v4(1), now), Leave::Wait { retry_after: SECOND });
    assert_eq!(after(&[(false, 10); 5]).ask(&owner, v4(2), now), Leave::Try, "another address");
    let forgiven = [[(false, 1); 5].as_slice(), &[(true, 2)]].concat();
    assert_eq!(after(&forgiven).ask(&owner, v4(1), now), Leave::Try);
    // Known again: what others do from there does not keep its owner waiting for long.
    let known = [[(true, 1)].as_slice(), &[(false, 10); 30]].concat();
    assert_eq!(after(&known).ask(&owner, v4(1), now), Leave::Wait { retry_after: LONGEST_KNOWN });
    let mut lockout = Lockout::default();
    (0..200).for_each(|_| lockout.recall(&owner, v4(1), false, None, now));
    assert_eq!(
        (lockout.ask(&owner, v4(1), now), lockout.is_under_attack(&owner, now)),
        (Leave::Try, false),
        "before this machine was up"
    );
}

#[test]
fn a_thousand_at_once_are_five() {
    let (mut lockout, now, owner) = (Lockout::default(), origin(), email("owner"));
    let tried = (0..1000).filter(|_| lockout.ask(&owner, v4(2), now) == Leave::Try).count();
    assert_eq!(tried, 5, "no password has been checked yet");
}

#[test]
fn a_net_of_a_hundred_machines_is_slowed_and_the_owner_still_gets_in() {
    let (mut lockout, t0, owner) = (Lockout::default(), origin(), email("owner"));
    lockout.succeeded(&owner, v4(1), t0);
    let net: Vec<IpAddr> = (100..200).map(v4).collect();
    let tried = tried(&mut lockout, &owner, &net, 1000, t0);
    assert!(tried <= 100 * 5, "{tried} of 100,000");

    let after = t0 + SECOND * 1000;
    assert_eq!(lockout.ask(&owner, v4(1), after), Leave::Try, "where they logged in before");
    assert_eq!(lockout.ask(&owner, v4(2), after), Leave::Try, "and elsewhere");
    assert_eq!(lockout.ask(&owner, v4(2), after), Leave::Wait { retry_after: SECOND * 64 }, "once");
}

#[test]
fn an_attack_ends_and_is_forgotten() {
    let (mut lockout, t0, owner) = (Lockout::default(), origin(), email("owner"));
    for other in 100..100 + ATTACK {
        lockout.ask(&owner, v4(other), t0);
    }
    let tries =
        |lockout: &mut Lockout, from, now| (0..20).filter(|_| lockout.ask(&owner, from, now) == Leave::Try).count();
    assert_eq!(tries(&mut lockout, v4(2), t0), 1);
    assert_eq!(tries(&mut lockout, v4(3), t0 + LONGEST * 20), 5);
}

#[test]
fn one_machine_does_not_walk_through_all_accounts() {
    let (mut lockout, t0, own) = (Lockout::default(), origin(), email("attacker"));
    let mut tried = 0;
    for at in 0..1000 {
        let now = t0 + SECOND * at;
        // An account of their own, used between the tries, gains nothing.
        if lockout.ask(&own, v4(2), now) == Leave::Try {
            lockout.succeeded(&own, v4(2), now);
        }
        tried += u32::from(lockout.ask(&email(&format!("user{at}")), v4(2), now) == Leave::Try);
    }
    assert_eq!(tried, FREE_OF_ADDRESS + 9);
}

#[test]
fn an_office_behind_one_address_logs_in_all_morning() {
    let (mut lockout, now) = (Lockout::default(), origin());
    for at in 0..500 {
        let person = email(&format!("user{at}"));
        assert_eq!(lockout.ask(&person, v4(1), now), Leave::Try, "{at}");
        lockout.succeeded(&person, v4(1), now);
    }
}

#[test]
fn waits_double_and_end() {
    let (mut lockout, mut now, account) = (Lockout::default(), origin(), email("a"));
    let mut waits = Vec::new();
    for _ in 0..18 {
        assert_eq!(lockout.ask(&account, v4(1), now), Leave::Try, "the wait is what was said");
        let wait = match lockout.clone().ask(&account, v4(1), now) {
            Leave::Try => Duration::ZERO,
            Leave::Wait { retry_after } => retry_after,
        };
        waits.push(wait.as_secs());
        if !wait.is_zero() {
            let almost = now + wait - Duration::from_millis(1);
            assert!(matches!(lockout.ask(&account, v4(1), almost), Leave::Wait { .. }));
        }
        now += wait;
    }
    // 512 twice: a quarter of an hour has passed, and one failure is forgotten.
    assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 900, 900, 900]);
}

#[test]
fn an_owner_who_mistypes_at_home_waits_a_minute_at_most() {
    let (mut lockout, mut now, owner) = (Lockout::default(), origin(), email("owner"));
    lockout.succeeded(&owner, v4(1), now);
    for _ in 0..50 {
        if let Leave::Wait { retry_after } = lockout.ask(&owner, v4(1), now) {
            assert!(retry_after <= LONGEST_KNOWN, "{retry_after:?}");
            now += retry_after;
        }
    }
    now += LONGEST_KNOWN;
    assert_eq!(lockout.ask(&owner, v4(1), now), Leave::Try);
    lockout.succeeded(&owner, v4(1), now);
    for _ in 0..FREE_OF_PAIR {
        assert_eq!(lockout.ask(&owner, v4(1), now), Leave::Try, "the failures are cleared");
    }
}

#[test]
fn one_failure_is_forgotten_each_quarter_of_an_hour_however_busy_the_address() {
    let (mut lockout, t0) = (Lockout::default(), origin());
    for minute in 0..10_000 {
        let now = t0 + SECOND * 60 * minute;
        let person = email(&format!("user{minute}"));
        assert_eq!(lockout.ask(&person, v4(1), now), Leave::Try, "minute {minute}");
        // One person in twenty mistypes.
        if minute % 20 != 0 {
            lockout.succeeded(&person, v4(1), now);
        }
    }
}

#[test]
fn what_could_not_be_checked_is_not_counted() {
    let (mut lockout, now, account) = (Lockout::default(), origin(), email("a"));
    for _ in 0..200 {
        assert_eq!(lockout.ask(&account, v4(1), now), Leave::Try);
        lockout.withdrawn(&account, v4(1), now);
    }
}

#[test]
fn one_subscriber_is_one_address() {
    let (mut lockout, now, account) = (Lockout::default(), origin(), email("a"));
    let address = |text: &str| text.parse::<IpAddr>().expect("an address");
    for host in 0..FREE_OF_PAIR {
        lockout.ask(&account, address(&format!("2001:db8:1:2::{host}")), now);
    }
    assert!(matches!(lockout.ask(&account, address("2001:db8:1:2:ffff::1"), now), Leave::Wait { .. }));
    assert_eq!(lockout.ask(&account, address("2001:db8:1:3::1"), now), Leave::Try);

    for _ in 0..FREE_OF_PAIR {
        lockout.ask(&account, address("::ffff:192.0.2.1"), now);
    }
    assert!(matches!(lockout.ask(&account, address("192.0.2.1"), now), Leave::Wait { .. }));
}

#[test]
fn memory_has_an_end_and_a_flood_does_not_wash_the_known_away() {
    let (mut lockout, now, owner) = (Lockout::default(), origin(), email("owner"));
    lockout.succeeded(&owner, v4(1), now);
    for at in 0..50_000 {
        lockout.ask(&email(&format!("user{at}")), v4(10 + at), now);
    }
    assert_eq!(lockout.entries(), 3 * CAPACITY + 1);
    assert_eq!(lockout.pairs.by_change.len(), CAPACITY);
    assert!(lockout.is_known(&(Account::of(&owner), v4(1)), now + KNOWN - SECOND));
    assert!(!lockout.is_known(&(Account::of(&owner), v4(1)), now + KNOWN));
}

proptest! {
    /// Whatever others do, a known pair whose own last try was right may try at once.
    #[test]
    fn nobody_locks_an_owner_out(others in prop::collection::vec((0u32..4, 2u32..6), 0..300)) {
        let (mut lockout, now) = (Lockout::default(), origin());
        let owner = email("user0");
        lockout.succeeded(&owner, v4(1), now);
        for (account, address) in others {
            lockout.ask(&email(&format!("user{account}")), v4(address), now);
        }
        prop_assert_eq!(lockout.ask(&owner, v4(1), now), Leave::Try);
    }

    /// The two indexes never drift apart, and the one longest untouched goes first.
    #[test]
    fn the_oldest_goes_first(keys in prop::collection::vec(0u8..20, 0..200)) {
        let mut values = Recent::new(5);
        let now = origin();
        let mut recent: Vec<u8> = Vec::new();
        for key in keys {
            values.set(key, now, ());
            recent.retain(|other| *other != key);
            recent.push(key);
            let gone = recent.len().saturating_sub(5);
            recent.drain(..gone);
            prop_assert_eq!(values.by_change.values().copied().collect::<Vec<_>>(), recent.clone());
            prop_assert_eq!(values.len(), values.by_change.len());
        }
    }
}
