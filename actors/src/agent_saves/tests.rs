//! Under a paused clock, against an outbox in memory and listeners that fail as planned.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Instant;

use chrono::{DateTime, Utc};
use tandem_domain::agent::Identity;
use tandem_domain::agent_settings::AgentSettings;
use tandem_domain::agent_version::VersionNumber;
use tandem_domain::ids::{AgentId, BusinessId};
use tandem_domain::port::agent_saved::{Hearing, SavedAgent};
use tandem_domain::port::store::StoreFuture;
use uuid::Uuid;

use super::*;

/// What has become of a save for one listener.
#[derive(Default)]
struct Heard {
    settled: bool,
    failures: u32,
    due: Option<Instant>,
}

/// Saves by row number, and who has heard what. The order of an agent's versions is the order of their rows.
#[derive(Default)]
struct Memory {
    saves: BTreeMap<i64, SavedAgent>,
    heard: Mutex<BTreeMap<(i64, &'static str), Heard>>,
    /// Answers that cannot be written down, one after the other.
    troubles: Mutex<Vec<StoreError>>,
    /// For how many listeners, and how much longer the rest is kept.
    sweeps: Mutex<Vec<(usize, TimeDelta)>>,
}

impl Memory {
    fn with(saves: &[(i64, u32)]) -> Arc<Self> {
        let save = |(row, (agent, version)): (i64, &(i64, u32))| {
            let identity = Identity { id: AgentId(*agent), uuid: Uuid::nil(), business: BusinessId::FIRST };
            let (key, version) = (Uuid::from_u128(row as u128), VersionNumber(*version));
            (row, SavedAgent { key, identity, version, settings: AgentSettings::default(), at: DateTime::UNIX_EPOCH })
        };
        Arc::new(Self { saves: (1..).zip(saves).map(save).collect(), ..Self::default() })
    }

    /// Saves that the listener has not settled.
    fn left(&self, listener: &'static str) -> usize {
        self.saves.keys().filter(|save| !self.is_settled(**save, listener)).count()
    }

    fn is_settled(&self, save: i64, listener: &'static str) -> bool {
        self.heard.lock().unwrap().get(&(save, listener)).is_some_and(|heard| heard.settled)
    }
}

impl AgentOutbox for Memory {
    fn claim(&self, name: &'static str, _: LifeId, _: DateTime<Utc>, limit: u32) -> StoreFuture<'_, Vec<Delivery>> {
        let (mut claimed, mut agents) = (Vec::new(), BTreeSet::new());
        for (save, agent) in &self.saves {
            if self.is_settled(*save, name) || !agents.insert(agent.identity.id) {
                continue;
            }
            let mut heard = self.heard.lock().unwrap();
            let heard = heard.entry((*save, name)).or_default();
            if heard.due.is_none_or(|due| due <= clock::now()) && claimed.len() < limit as usize {
                claimed.push(Delivery { save: *save, agent: agent.clone(), failures: heard.failures });
            }
        }
        Box::pin(async move { Ok(claimed) })
    }

    fn settle(&self, save: i64, listener: &'static str, settled: Settled) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            if let Some(trouble) = self.troubles.lock().unwrap().pop() {
                return Err(trouble);
            }
            let heard = match settled {
                Settled::Taken { .. } | Settled::Refused { .. } => Heard { settled: true, ..Heard::default() },
                Settled::NotYet { due, failures, .. } => {
                    // The wall clock stands still here: what counts is how far ahead it is.
                    let pause = (due - clock::utc()).to_std().unwrap_or_default();
                    Heard { settled: false, failures, due: Some(clock::now() + pause) }
                }
            };
            self.heard.lock().unwrap().insert((save, listener), heard);
            Ok(())
        })
    }

    fn sweep<'a>(
        &'a self,
        listeners: &'a [&'static str],
        done: DateTime<Utc>,
        all: DateTime<Utc>,
    ) -> StoreFuture<'a, ()> {
        self.sweeps.lock().unwrap().push((listeners.len(), done - all));
        Box::pin(async { Ok(()) })
    }
}

/// How a listener takes a version.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Takes,
    Away,
    Refuses,
    Hangs,
    Panics,
}

/// Writes down what it is told, and when.
struct Recorder {
    name: &'static str,
    /// For each version, its moods at one attempt after the other; at the end it takes it.
    moods: Mutex<BTreeMap<(i64, u32), Vec<Mood>>>,
    told: Mutex<Vec<(i64, u32, u64)>>,
    began: Instant,
}

impl Recorder {
    fn new(name: &'static str, moods: &[((i64, u32), &[Mood])]) -> Arc<Self> {
        let moods = moods.iter().map(|(version, moods)| (*version, moods.iter().rev().copied().collect())).collect();
        Arc::new(Self { name, moods: Mutex::new(moods), told: Mutex::default(), began: clock::now() })
    }

    /// Agent, version and whole seconds of every attempt.
    fn told(&self) -> Vec<(i64, u32, u64)> {
        self.told.lock().unwrap().clone()
    }
}

impl AgentSaved for Recorder {
    fn name(&self) -> &'static str {
        self.name
    }

    fn saved<'a>(&'a self, agent: &'a SavedAgent) -> Hearing<'a> {
        let which = (agent.identity.id.0, agent.version.0);
        self.told.lock().unwrap().push((which.0, which.1, (clock::now() - self.began).as_secs()));
        let mood = self.moods.lock().unwrap().get_mut(&which).and_then(Vec::pop).unwrap_or(Mood::Takes);
        Box::pin(async move {
            match mood {
                Mood::Takes => Ok(()),
                Mood::Away => Err(AgentSavedError::Away("busy".to_owned())),
                Mood::Refuses => Err(AgentSavedError::Refused("no such voice".to_owned())),
                Mood::Hangs => std::future::pending().await,
                Mood::Panics => panic!("planned"),
            }
        })
    }
}

/// Tells the listeners for so long.
async fn told(memory: &Arc<Memory>, listeners: &[&Arc<Recorder>], time: Duration) {
    let listeners = listeners.iter().map(|listener| Arc::clone(*listener) as Arc<dyn AgentSaved>).collect();
    let telling = tell(Arc::clone(memory) as Arc<dyn AgentOutbox>, listeners, LifeId(Uuid::nil()));
    assert!(timeout(time, telling).await.is_err(), "it goes on for ever");
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn the_pause_doubles_up_to_its_ceiling() {
    let pauses: Vec<u64> = [1, 2, 3, 9, 10, 40, u32::MAX].map(|failures| pause_after(failures).as_secs()).into();
    assert_eq!(pauses, [1, 2, 4, 256, 300, 300, 300]);
}

#[tokio::test(start_paused = true)]
async fn versions_come_in_order_and_once_and_a_vendor_that_is_away_delays_only_its_agent() {
    let memory = Memory::with(&[(1, 1), (2, 1), (1, 2), (1, 3)]);
    let vendor = Recorder::new("vendor", &[((1, 1), &[Mood::Away, Mood::Away]), ((1, 3), &[Mood::Away])]);
    told(&memory, &[&vendor], MINUTE).await;
    let of = |agent| vendor.told().into_iter().filter(move |told| told.0 == agent).collect::<Vec<_>>();
    assert_eq!(of(2), [(2, 1, 0)]);
    let versions: Vec<u32> = of(1).iter().map(|told| told.1).collect();
    assert_eq!(versions, [1, 1, 1, 2, 3, 3]);
    assert!(of(1)[2].2 >= 3, "a second, then two: {:?}", of(1));
    assert_eq!(memory.left("vendor"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_told_again_and_the_next_version_is() {
    let memory = Memory::with(&[(1, 1), (1, 2)]);
    let vendor = Recorder::new("vendor", &[((1, 1), &[Mood::Refuses])]);
    told(&memory, &[&vendor], MINUTE).await;
    assert_eq!(vendor.told(), [(1, 1, 0), (1, 2, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_hangs_or_panics_is_asked_again_and_delays_no_other() {
    let memory = Memory::with(&[(1, 1), (1, 2)]);
    let bad = Recorder::new("bad", &[((1, 1), &[Mood::Panics, Mood::Hangs])]);
    let good = Recorder::new("good", &[]);
    told(&memory, &[&bad, &good], MINUTE).await;
    assert_eq!(good.told(), [(1, 1, 0), (1, 2, 0)]);
    let versions: Vec<u32> = bad.told().iter().map(|told| told.1).collect();
    assert_eq!(versions, [1, 1, 1, 2]);
    let hung = bad.told()[2].2 - bad.told()[1].2;
    assert!(hung >= ATTEMPT_LIMIT.as_secs() && hung <= ATTEMPT_LIMIT.as_secs() + 4, "{:?}", bad.told());
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_noted_when_the_database_is_back_and_not_made_twice() {
    let memory = Memory::with(&[(1, 1)]);
    *memory.troubles.lock().unwrap() = vec![StoreError::Unavailable("gone".to_owned()); 6];
    let vendor = Recorder::new("vendor", &[]);
    told(&memory, &[&vendor], MINUTE).await;
    assert_eq!((vendor.told(), memory.left("vendor")), (vec![(1, 1, 0)], 0));
}

#[tokio::test(start_paused = true)]
async fn it_is_swept_where_nobody_listens_too() {
    let memory = Memory::with(&[(1, 1)]);
    told(&memory, &[], 2 * SWEEP_EVERY + MINUTE).await;
    assert_eq!(*memory.sweeps.lock().unwrap(), [(0, KEPT_FOR_THE_MISSING - KEPT); 3]);
}
