//! A database that hangs and a disk that is full: callers notice nothing, records wait, and all of them arrive.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tandem_actors::{Ports, Switch, SwitchConfig};
use tandem_domain::agent::Timing;
use tandem_domain::port::store::{CallLog, NoNumbers, StoreError, StoreFuture, Unlimited};
use tandem_domain::record::Record;
use tandem_peers::simulate::{EndedBy, PeerReport};
use tandem_peers::vendor::{FakeStt, FakeTts};
use tandem_peers::voice::Heard;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

#[path = "support/killable.rs"]
mod killable;
#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;
#[path = "../store/tests/conformance/server.rs"]
mod server;
mod support;
#[path = "support/witness.rs"]
mod witness;

use killable::Killable;
use line::{Line, say};
use memory::{CallRecords, Log, OneAgent};
use server::Server;
use witness::{call, compare, on_record};

const LIMIT: Duration = Duration::from_secs(240);
/// Longest wait for the spool to drain: the writer asks a database that was away every 5 s, and its last question may hang for 10 s.
const DRAINED: Duration = Duration::from_secs(40);

/// A store in memory that answers as it is told to.
#[derive(Clone)]
struct Patient {
    log: Log,
    mood: watch::Receiver<Mood>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Well,
    /// Never answers.
    Hangs,
    /// Answers that it cannot.
    Refuses,
}

impl CallLog for Patient {
    fn write(&self, records: Vec<Record>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let mut mood = self.mood.clone();
            if *mood.borrow() == Mood::Refuses {
                return Err(StoreError::Unavailable("disk is full".into()));
            }
            mood.wait_for(|mood| *mood != Mood::Hangs).await.unwrap();
            self.log.write(records).await
        })
    }
}

/// One call under a paused clock, its caller interrupting once, with a store in this mood until the call is over.
async fn talk(mood: Mood) -> (Vec<Heard>, tandem_peers::carrier::twilio::PlaybackStatistics, CallRecords) {
    let (told, heard) = watch::channel(mood);
    let log = Patient { log: Log::default(), mood: heard };
    let ports = Ports {
        agents: Arc::new(OneAgent(Timing::default())),
        numbers: Arc::new(NoNumbers),
        limits: Arc::new(Unlimited),
        log: Arc::new(log.clone()),
        stt: Arc::new(FakeStt::default()),
        tts: Arc::new(FakeTts::default()),
        brains: Arc::new(OneAgent(Timing::default())),
    };
    let exchange =
        line::Exchange { switch: Switch::start(SwitchConfig::default(), ports).await.unwrap(), log: log.log.clone() };
    let interruption = tandem_peers::caller::Step::Interrupt {
        after: Duration::from_millis(1_500),
        say: line::rendered(3, "I want an apartment in Delhi"),
    };
    let mut line = Line::dial(&exchange, 3, vec![interruption, say(3, "sixty lakh rupees")]).await;
    line.run_out(LIMIT).await;
    if mood != Mood::Well {
        assert!(exchange.switch.spool().waiting > 0, "{:?}", exchange.switch.spool());
        assert_eq!(log.log.call(&line.peer.ids().call_sid).ended.len(), 0, "nothing is stored yet");
    }
    told.send(Mood::Well).unwrap();
    let statistics = line.peer.statistics();
    let heard = line.heard.clone();
    (heard, statistics, exchange.records(&line).await)
}

#[tokio::test(start_paused = true)]
async fn a_call_is_the_same_to_the_sample_whatever_its_store_does() {
    let (heard, statistics, records) = talk(Mood::Well).await;
    assert!(heard.len() > 20, "{heard:?}");
    for mood in [Mood::Hangs, Mood::Refuses] {
        let (heard_now, statistics_now, records_now) = talk(mood).await;
        assert_eq!(heard_now, heard, "{mood:?}: every word at its sample");
        assert_eq!(statistics_now, statistics, "{mood:?}: every frame at its time");
        assert_eq!(records_now.said(), records.said(), "{mood:?}");
        assert_eq!(records_now.heard(), records.heard(), "{mood:?}");
        assert_eq!(records_now.extracted, records.extracted, "{mood:?}");
        assert_eq!(records_now.events, records.events, "{mood:?}: in order");
        assert_eq!(records_now.reason(), "completed", "{mood:?}");
    }
}

const CALLS: u32 = 6;

/// Calls at once, whole, while `disturb` may do what it wants once they are all up.
async fn calls(switch: &Killable, first: u32, disturb: impl Future<Output = ()>) -> Vec<PeerReport> {
    let mut calls = JoinSet::new();
    for number in first..first + CALLS {
        calls.spawn(call(switch.media_url(), number));
    }
    let up = async {
        while switch.json("/debug/sessions").await.unwrap()["items"].as_array().unwrap().len() < CALLS as usize {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DRAINED, up).await.expect("all calls are up");
    disturb.await;
    calls.join_all().await.into_iter().map(|report| report.expect("the switch takes all calls")).collect()
}

/// 99th percentile of the lateness of the switch's frames at the carrier, in ms: the median over the calls.
fn lateness_ms(reports: &[PeerReport]) -> f64 {
    let mut all: Vec<f64> = reports.iter().map(|report| report.playback.lateness_p99.as_secs_f64() * 1_000.0).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// An outage must not be heard: less than 10 ms more than without one, on a machine of its own. Here, where anything may run beside us, the same
/// calls to an undisturbed switch at the same time tell what the machine does, and the bound is one that only a voice that waits for its database
/// would break.
fn unharmed(what: &str, undisturbed: &[PeerReport], during: &[PeerReport]) {
    let (undisturbed_ms, during_ms) = (lateness_ms(undisturbed), lateness_ms(during));
    eprintln!("{what}: frames late by p99 {during_ms:.1} ms, without it {undisturbed_ms:.1} ms");
    assert!(during_ms < 2.0 * undisturbed_ms + 50.0, "{what}: {during_ms} ms, without it {undisturbed_ms} ms");
    for report in during {
        assert_eq!(report.ended_by, EndedBy::Switch, "{what}: {report:?}");
        assert_eq!(report.turns.len(), undisturbed[0].turns.len(), "{what}: {report:?}");
    }
}

async fn degraded(switch: &Killable) -> String {
    let told = async {
        loop {
            if let (503, why) = switch.get("/readyz").await {
                return why;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(DRAINED, told).await.expect("readiness tells of the outage")
}

async fn drained(switch: &Killable) {
    let done = async {
        while switch.get("/readyz").await.0 != 200 || switch.metric("tandem_records_waiting").await > 0.0 {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(DRAINED, done).await.expect("the spool drains");
}

/// Everything that the callers know of is on record, and every call has ended for that reason.
async fn arrived(switch: &Killable, reports: &[PeerReport], reason: &str) {
    for report in reports {
        let (conversation, lines) = on_record(switch, &report.call_sid).await.expect("every call is on record");
        assert!(compare(report, &lines) >= 2, "{report:?}");
        assert_eq!(conversation["ended_reason"], reason, "{conversation}");
    }
}

/// Processes that stand still until this is dropped.
struct Stopped(Vec<Pid>);

impl Stopped {
    fn all_of(server: &Server) -> Self {
        let ids = server.processes().into_iter().map(|id| Pid::from_raw(id.try_into().unwrap()).unwrap());
        let stopped = Self(ids.collect());
        stopped.signal(Signal::STOP);
        stopped
    }

    fn signal(&self, signal: Signal) {
        for pid in &self.0 {
            let _ = kill_process(*pid, signal); // an idle worker of the server has ended meanwhile
        }
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_not_heard_and_gets_everything_later_even_after_a_kill() {
    let server = Server::shared();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let database = format!("DATABASE_URL={}", server.url("postgres"));
    let settings = [database.as_str(), "ENDPOINT_SILENCE_MS=200"];

    let (switch, undisturbed) =
        (Killable::start(&data, &settings).await, Killable::start(&folder.path().join("other"), &settings[1..]).await);
    let (mut stopped, mut late) = (None, None);
    let outage = async {
        stopped = Some(Stopped::all_of(&server));
        late = call(switch.media_url(), 150).await;
    };
    let (during, beside) = tokio::join!(calls(&switch, 100, outage), calls(&undisturbed, 200, async {}));
    let late = [late.expect("a call that comes now is taken too")];
    unharmed("PostgreSQL stopped", &beside, &during);
    assert_eq!(late[0].ended_by, EndedBy::Switch, "{late:?}");
    undisturbed.end().await;
    let why = degraded(&switch).await;
    assert!(switch.metric("tandem_records_waiting").await > 0.0);
    assert_eq!(switch.metric("tandem_records_unjournalled").await, 0.0);
    drop(stopped);
    drained(&switch).await;
    arrived(&switch, &during, "completed").await;
    arrived(&switch, &late, "completed").await;
    assert!(why.contains("database"), "{why}");

    let mut stopped = None;
    let killed = calls(&switch, 300, async { stopped = Some(Stopped::all_of(&server)) }).await;
    switch.kill().await;
    drop(stopped);
    let switch = Killable::start(&data, &settings).await;
    arrived(&switch, &killed, "completed").await;

    // A process that dies and one that starts, in the same folder and on the same database, are no business of a third one's calls.
    let third = Killable::start(&data, &settings).await;
    let mut again = None;
    let beside = calls(&third, 400, async {
        switch.kill().await;
        again = Some(Killable::start(&data, &settings).await);
    })
    .await;
    arrived(&third, &beside, "completed").await;
    third.end().await;
    again.expect("started").end().await;
}

#[tokio::test]
async fn a_full_disk_is_not_heard_and_everything_is_written_when_it_has_room() {
    let folder = tempfile::tempdir().unwrap();
    let settings = ["ENDPOINT_SILENCE_MS=200"];
    let (switch, undisturbed) = (
        Killable::start(&folder.path().join("data"), &settings).await,
        Killable::start(&folder.path().join("other"), &settings).await,
    );
    let pid = Pid::from_raw(switch.process.id().unwrap().try_into().unwrap()).unwrap();
    // To the process, files that may not grow: neither the database's nor the journal's.
    let room = |bytes| {
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(pid), Resource::Fsize, limit).unwrap();
    };

    let (during, beside) =
        tokio::join!(calls(&switch, 400, async { room(Some(0)) }), calls(&undisturbed, 500, async {}));
    unharmed("disk full", &beside, &during);
    undisturbed.end().await;
    let why = degraded(&switch).await;
    assert!(why.contains("degraded") && why.contains("disk"), "{why}");
    assert!(switch.metric("tandem_records_unjournalled").await > 0.0, "the journal is on the same disk");
    room(None);
    drained(&switch).await;
    assert_eq!(switch.metric("tandem_records_unjournalled").await, 0.0);
    arrived(&switch, &during, "completed").await;
    switch.end().await;
}
