//! Limits hold whatever the order in which calls ask, begin, end and die, and whatever the store tells of other processes.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use proptest::prelude::*;
use tandem_domain::admission::{Ask, Caps, Denied, Kind, OVERFLOW, Places, Tally, Terms};
use tandem_domain::ids::{AgentId, BusinessId, CallId};
use uuid::Uuid;

const OURS: BusinessId = BusinessId::FIRST;

#[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
fn origin() -> Instant {
    Instant::now()
}

fn day(number: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, number).unwrap()
}

fn ask(call: u128, agent: i64, house: Caps, terms: Terms) -> Ask {
    Ask {
        call: CallId(Uuid::from_u128(call)),
        business: OURS,
        agent: AgentId(agent),
        kind: Kind::Inbound,
        again: false,
        business_caps: Some(house),
        terms,
        day: day(22),
    }
}

/// One step of one of many calls that run at once.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The call asks, on behalf of an agent that may overflow or not.
    Ask { call: u128, agent: i64, overflow: bool },
    /// It begins.
    Begin { call: u128 },
    /// One who holds its place leaves: it is over, it died, or it never began.
    Leave { call: u128 },
    /// The count of other processes is read: they have admitted some more.
    Read { more: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..40_u128, 1..4_i64, any::<bool>()).prop_map(|(call, agent, overflow)| Step::Ask { call, agent, overflow }),
        2 => (0..40_u128).prop_map(|call| Step::Begin { call }),
        3 => (0..40_u128).prop_map(|call| Step::Leave { call }),
        1 => (0..3_u32).prop_map(|more| Step::Read { more }),
    ]
}

proptest! {
    #[test]
    fn no_interleaving_of_calls_exceeds_a_limit(
        steps in prop::collection::vec(step(), 1..400),
        house in (0..6_u32, 0..40_u32),
        agent_caps in (0..5_u32, 0..20_u32),
    ) {
        let house = Caps { at_once: Some(house.0), a_day: Some(house.1) };
        let caps = Caps { at_once: Some(agent_caps.0), a_day: Some(agent_caps.1) };
        let (now, mut places) = (origin(), Places::default());
        // The model: which calls hold a place (of which agent, how often, whether begun), and how many the day has had.
        let mut running: BTreeMap<u128, (i64, u32, bool)> = BTreeMap::new();
        let mut had: BTreeMap<i64, u32> = BTreeMap::new();
        let mut others = 0;
        places.learn(OURS, day(22), Tally::default(), now);
        for step in steps {
            match step {
                Step::Ask { call, agent, overflow } => {
                    let before = running.len();
                    let taken = places.take(&ask(call, agent, house, Terms { answers: true, caps, overflow }));
                    if let Some((_, holders, _)) = running.get_mut(&call) {
                        prop_assert!(taken.is_ok(), "a call that has its place keeps it");
                        *holders += 1;
                    } else if let Ok(admitted) = taken {
                        running.insert(call, (agent, 1, false));
                        *had.entry(agent).or_default() += 1;
                        let most = house.at_once.unwrap() as usize;
                        prop_assert_eq!(admitted.overflow, before >= most);
                        prop_assert!(!admitted.overflow || overflow);
                        let lifted = if overflow { most * OVERFLOW as usize } else { most };
                        prop_assert!(running.len() <= lifted);
                        let own = running.values().filter(|(other, ..)| *other == agent).count();
                        prop_assert!(own <= caps.at_once.unwrap() as usize);
                        prop_assert!(had[&agent] + others <= caps.a_day.unwrap(), "each agent has had so many elsewhere");
                        prop_assert!(had.values().sum::<u32>() + 3 * others <= house.a_day.unwrap());
                    }
                }
                Step::Begin { call } => {
                    if let Some((.., begun)) = running.get_mut(&call) {
                        *begun = true;
                    }
                    places.begin(CallId(Uuid::from_u128(call)));
                }
                Step::Leave { call } => {
                    if let Some((agent, holders, begun)) = running.get_mut(&call) {
                        *holders -= 1;
                        if *holders == 0 {
                            if !*begun {
                                *had.get_mut(agent).unwrap() -= 1;
                            }
                            running.remove(&call);
                        }
                    }
                    places.leave(CallId(Uuid::from_u128(call)));
                }
                Step::Read { more } => {
                    others += more;
                    places.learn(OURS, day(22), (1..4).map(|agent| (AgentId(agent), others)).collect(), now);
                }
            }
            prop_assert_eq!(places.taken(), running.len());
        }
        for (call, (_, holders, _)) in &running {
            for _ in 0..*holders {
                places.leave(CallId(Uuid::from_u128(*call)));
            }
        }
        prop_assert_eq!(places.counts(OURS, AgentId(1), day(22)).business.live, 0, "every place comes back");
    }
}

#[test]
fn threads_that_ask_at_once_get_no_more_than_there_are() {
    let places = std::sync::Mutex::new(Places::default());
    let house = Caps { at_once: Some(7), a_day: Some(50) };
    let admitted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8_u128)
            .map(|thread| {
                let places = &places;
                scope.spawn(move || {
                    let mut admitted = 0;
                    for number in 0..100 {
                        let ask = ask(thread * 1_000 + number, 1, house, Terms::default());
                        let taken = places.lock().unwrap().take(&ask);
                        if taken.is_ok() {
                            admitted += 1;
                            std::thread::yield_now();
                            let counts = places.lock().unwrap().counts(OURS, ask.agent, ask.day);
                            assert!(counts.business.live <= 7, "{counts:?}");
                            places.lock().unwrap().begin(ask.call);
                            places.lock().unwrap().leave(ask.call);
                        }
                    }
                    admitted
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, 50, "the day is full, to the call");
}

#[test]
fn a_restart_goes_on_from_what_the_store_has_and_counts_nothing_twice() {
    let (now, house) = (origin(), Caps { at_once: None, a_day: Some(10) });
    let mut places = Places::default();
    let take = |places: &mut Places, call| places.take(&ask(call, 1, house, Terms::default()));
    assert!(places.should_read(OURS, day(22), now));
    // The database was away when the first call came; then it tells of eight before the restart.
    take(&mut places, 1).unwrap();
    places.learn(OURS, day(22), Tally::from_iter([(AgentId(1), 5), (AgentId(2), 3)]), now);
    assert!(!places.should_read(OURS, day(22), now));
    take(&mut places, 2).unwrap();
    assert_eq!(take(&mut places, 3).map_err(|denied| denied.as_str()), Err("daily_limit"));
    // Read again, when ours have reached it too: the store leaves out what is ours.
    let later = now + Duration::from_secs(10);
    assert!(places.should_read(OURS, day(22), later));
    places.learn(OURS, day(22), Tally::from_iter([(AgentId(1), 5), (AgentId(2), 2)]), later);
    assert!(take(&mut places, 3).is_ok());
    assert_eq!(take(&mut places, 4).map_err(|denied| denied.level().as_str()), Err("business"));
}

#[test]
fn the_next_day_begins_with_nothing_and_a_clock_that_is_set_back_finds_its_day() {
    let house = Caps { at_once: None, a_day: Some(1) };
    let mut places = Places::default();
    let on = |call, number| Ask { day: day(number), ..ask(call, 1, house, Terms::default()) };
    places.take(&on(1, 22)).unwrap();
    assert!(places.take(&on(2, 22)).is_err());
    places.take(&on(2, 23)).unwrap();
    assert!(places.take(&on(3, 22)).is_err(), "the day before is still counted");
    places.take(&on(4, 24)).unwrap();
    assert!(places.take(&on(5, 23)).is_err());
}

#[test]
fn a_dial_that_rings_and_its_socket_are_one_call() {
    let house = Caps { at_once: Some(1), a_day: Some(1) };
    let mut places = Places::default();
    let dial = Ask { kind: Kind::Dial, ..ask(1, 1, house, Terms::default()) };
    assert_eq!(places.take(&dial), Err(Denied::DayUnknown));
    places.learn(OURS, day(22), Tally::default(), origin());
    places.take(&dial).unwrap();
    places.take(&dial).unwrap();
    assert_eq!((places.taken(), places.counts(OURS, AgentId(1), day(22)).business.today), (1, 1));
    let other = Ask { call: CallId(Uuid::from_u128(2)), ..dial };
    places.leave(dial.call);
    assert!(places.take(&other).is_err(), "one of the two still holds it");
    places.leave(dial.call);
    places.leave(dial.call);
    places.take(&other).unwrap();
    places.begin(other.call);
    places.leave(other.call);
    assert_eq!(places.take(&dial).map_err(|denied| denied.as_str()), Err("daily_limit"), "what began was a call");
}

#[test]
fn a_business_has_nothing_to_do_with_another() {
    let house = Caps { at_once: Some(1), a_day: Some(1) };
    let mut places = Places::default();
    places.take(&ask(1, 1, house, Terms::default())).unwrap();
    let theirs = Ask { business: BusinessId(2), ..ask(2, 1, house, Terms::default()) };
    places.take(&theirs).unwrap();
}
