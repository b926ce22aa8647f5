//! Records under a paused clock, against stores that fail as planned and disks that are full.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use chrono::DateTime;
use serde_json::json;
use tandem_domain::agent_version::VersionNumber;
use tandem_domain::ids::{AgentId, BusinessId, CallId, ConversationId, LifeId, TurnId, UtteranceId};
use tandem_domain::playbook::Decision;
use tandem_domain::port::dialect::Breach;
use tandem_domain::port::store::StoreFuture;
use tandem_domain::record::{
    AgentResponse, CallEnded, CallStarted, Direction, EndReason, Progress, TimelineEvent, UserTurn,
};
use uuid::Uuid;

use super::*;

/// Fails as planned, then stores; refuses events of the kind `bad` always; hangs for as long as it is told to.
#[derive(Default)]
struct Moody {
    outages: Mutex<u32>,
    hangs: tokio::sync::Mutex<()>,
    stored: Mutex<Vec<Record>>,
}

impl Moody {
    fn stored(&self) -> MutexGuard<'_, Vec<Record>> {
        self.stored.lock().unwrap()
    }

    fn places(&self) -> Vec<u64> {
        self.stored().iter().map(place).collect()
    }
}

impl CallLog for Moody {
    fn write(&self, records: Vec<Record>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            drop(self.hangs.lock().await);
            let mut outages = self.outages.lock().unwrap();
            if *outages > 0 {
                *outages -= 1;
                return Err(StoreError::Unavailable("planned".into()));
            }
            if records.iter().any(|record| matches!(record, Record::Event(event) if event.kind == "bad")) {
                return Err(StoreError::Refused("planned".into()));
            }
            self.stored().extend(records);
            Ok(())
        })
    }
}

fn event(kind: &'static str, ms: u64) -> Record {
    Record::Event(TimelineEvent {
        call: CallId(Uuid::nil()),
        business: BusinessId::FIRST,
        index: ms as u32,
        since_start: Duration::from_millis(ms),
        kind,
        data: serde_json::Value::Null,
    })
}

fn place(record: &Record) -> u64 {
    let Record::Event(event) = record else { panic!("only events here") };
    event.since_start.as_millis() as u64
}

/// A record of every kind, with everything in it that may be hard to write as JSON.
pub(super) fn one_of_each() -> Vec<Record> {
    let (call, conversation, business) = (CallId(Uuid::now_v7()), ConversationId(Uuid::now_v7()), BusinessId(7));
    let at = DateTime::from_timestamp_micros(1_750_000_000_123_456).unwrap();
    let ended = |reason| {
        let (detail, duration, outcome) = ("why\n".to_owned(), Duration::from_nanos(1_234_567_891), None);
        Record::Ended(CallEnded { call, business, reason, detail, duration, outcome, at })
    };
    vec![
        Record::Started(CallStarted {
            call,
            conversation,
            business,
            agent: Some(AgentId(3)),
            agent_version: Some(VersionNumber(7)),
            call_sid: "CA\u{0}1".into(),
            stream_sid: String::new(),
            provider: "twilio".into(),
            direction: Direction::Inbound,
            from: Some("+911140000001".into()),
            to: None,
            parameters: BTreeMap::from([("line\nfeed".into(), "\"quoted\"".into())]),
            at,
        }),
        Record::UserTurn(UserTurn {
            conversation,
            business,
            turn: TurnId(1),
            text: "दिल्ली में घर".into(),
            language: Some("hi".into()),
            stt_provider: "whisper".into(),
            confidence: Some(0.1),
            at,
        }),
        Record::AgentResponse(AgentResponse {
            conversation,
            business,
            utterance: UtteranceId(2),
            turn: None,
            text: "Hello, how can I help?".into(),
            heard: "Hello,".into(),
            interrupted: true,
            llm_provider: "rules".into(),
            tts_provider: "flite".into(),
            voice: "rms".into(),
            language: "en".into(),
            latency: Some(Duration::from_micros(1_500_001)),
            stages: vec![("endpointing", Duration::from_millis(500)), ("stt", Duration::from_nanos(1))],
            at,
        }),
        Record::Progress(Progress {
            conversation,
            business,
            revision: 3,
            stage: "collecting".into(),
            extracted: json!({ "budget": 6_000_000 }).as_object().unwrap().clone(),
        }),
        event("interruption", 4),
        ended(EndReason::PartFailed("tts")),
        ended(EndReason::Breach(Breach::UnknownEvent("dance".into()))),
        ended(EndReason::Breach(Breach::BadPayloadLength(7))),
        Record::Ended(CallEnded {
            call,
            business,
            reason: EndReason::Completed,
            detail: String::new(),
            duration: Duration::ZERO,
            outcome: Some(Decision::ThankYouResponse),
            at,
        }),
    ]
}

fn life() -> LifeId {
    LifeId(Uuid::now_v7())
}

/// What a life has left in the folder.
fn left(spool: &Path) -> Vec<u64> {
    let (own, abandoned) = begin(spool, life()).unwrap();
    own.close();
    abandoned.iter().flat_map(|left| left.records().unwrap().0).map(|record| place(&record)).collect()
}

#[test]
fn what_is_no_lifes_folder_is_left_alone_and_what_cannot_be_read_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(Uuid::now_v7().to_string()), "a file").unwrap();
    let dead = folder.path().join(Uuid::now_v7().to_string());
    std::fs::create_dir(&dead).unwrap();
    let (own, mut abandoned) = begin(folder.path(), life()).unwrap();
    assert_eq!(abandoned.len(), 1, "the folder, not the file");
    let aside = abandoned.remove(0).set_aside().unwrap();
    assert!(aside.is_dir() && !dead.exists());
    own.close();
    assert!(begin(folder.path(), life()).unwrap().1.is_empty(), "what was set aside is no life any more");
}

/// Waits for something that comes without the clock's help: a thread at its file.
async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if done() {
            return;
        }
        spawn_blocking(std::thread::yield_now).await.unwrap();
    }
    panic!("{what}: does not come");
}

#[tokio::test(start_paused = true)]
async fn an_outage_delays_records_and_a_bad_one_costs_only_itself() {
    let log = Arc::new(Moody { outages: Mutex::new(12), ..Default::default() });
    let (scribe, writer) = Scribe::start(log.clone(), None);
    for ms in 0..600 {
        scribe.write(event(if ms == 300 { "bad" } else { "dtmf" }, ms));
    }
    drop(scribe);
    writer.await.unwrap();
    assert_eq!(log.places(), (0..600).filter(|ms| *ms != 300).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_full_spool_keeps_the_oldest_and_takes_records_again_when_there_is_room() {
    let log = Arc::new(Moody::default());
    let hang = log.hangs.lock().await;
    let (scribe, writer) = Scribe::start(log.clone(), None);
    for ms in 0..MOST_RECORDS as u64 + 500 {
        scribe.write(event("dtmf", ms));
    }
    sleep(Duration::from_secs(3)).await;
    let view = scribe.watch().view();
    assert_eq!(view.waiting, MOST_RECORDS);
    let (why, since) = view.stuck.expect("a database that hangs is noticed");
    assert!(since >= Duration::from_secs(2), "{since:?}");
    assert_eq!(why, "the database does not answer");

    drop(hang);
    while scribe.watch().view().waiting > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(scribe.watch().view(), SpoolView { waiting: 0, bytes: 0, unjournalled: 0, stuck: None });
    scribe.write(event("dtmf", 77_777));
    drop(scribe);
    writer.await.unwrap();
    assert_eq!(log.places(), (0..MOST_RECORDS as u64).chain([77_777]).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn large_records_fill_the_spool_before_many_do() {
    let log = Arc::new(Moody::default());
    let _hang = log.hangs.lock().await;
    let (scribe, _writer) = Scribe::start(log.clone(), None);
    for ms in 0..70 {
        let Record::Event(event) = event("dtmf", ms) else { unreachable!() };
        scribe.write(Record::Event(TimelineEvent { data: "x".repeat(1024 * 1024).into(), ..event }));
    }
    let view = scribe.watch().view();
    assert_eq!(view.waiting, 63, "{view:?}");
    assert!(view.bytes <= MOST_BYTES);
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_process_had_not_written_is_found_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(Moody::default());
    let (journal, _) = begin(folder.path(), life()).unwrap();
    let (scribe, writer) = Scribe::start(log.clone(), Some(journal));
    for ms in 0..300 {
        scribe.write(event("dtmf", ms));
    }
    until("the first records", || log.stored().len() == 300).await;
    let files = || {
        let folders = std::fs::read_dir(folder.path()).unwrap().flatten().filter(|entry| entry.path().is_dir());
        folders.flat_map(|life| std::fs::read_dir(life.path()).unwrap().flatten()).map(|file| file.path())
    };
    let lines = || -> usize {
        files().map(|file| std::fs::read(file).unwrap().iter().filter(|byte| **byte == b'\n').count()).sum()
    };
    until("the journal forgets them", || lines() == 0).await;
    let hang = log.hangs.lock().await;
    for ms in 300..3_000 {
        scribe.write(event("dtmf", ms));
    }
    until("the journal", || lines() == 2_700).await;
    assert_eq!(left(folder.path()), Vec::<u64>::new(), "a living process is left alone");

    // Killed: its tasks end where they are, and the system lets go of its lock.
    let copy = tempfile::tempdir().unwrap();
    let dead = copy.path().join(life().to_string());
    std::fs::create_dir(&dead).unwrap();
    for file in files() {
        std::fs::copy(&file, dead.join(file.file_name().unwrap())).unwrap();
    }
    assert_eq!(left(copy.path()), (300..3_000).collect::<Vec<_>>());

    drop((hang, scribe));
    writer.await.unwrap();
    assert_eq!(log.places(), (0..3_000).collect::<Vec<_>>());
    assert_eq!(files().count(), 0, "an orderly end leaves nothing");
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_cannot_be_written_keeps_nothing_from_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(Moody::default());
    let (journal, _) = begin(folder.path(), life()).unwrap();
    std::fs::remove_dir_all(folder.path()).unwrap(); // the disk takes no file any more
    let hang = log.hangs.lock().await;
    let (scribe, writer) = Scribe::start(log.clone(), Some(journal));
    for ms in 0..300 {
        scribe.write(event("dtmf", ms));
    }
    until("the failure", || scribe.watch().view().unjournalled == 300).await;
    drop((hang, scribe));
    writer.await.unwrap();
    assert_eq!(log.places(), (0..300).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_left_record_that_is_refused_costs_only_itself_and_an_outage_stops_the_replay() {
    let records: Vec<Record> = (0..600).map(|ms| event(if ms == 300 { "bad" } else { "dtmf" }, ms)).collect();
    let log = Moody { outages: Mutex::new(1), ..Default::default() };
    assert!(matches!(replay(&log, &records).await, Err(StoreError::Unavailable(_))));
    assert_eq!(log.places(), Vec::<u64>::new());
    replay(&log, &records).await.unwrap();
    assert_eq!(log.places(), (0..600).filter(|ms| *ms != 300).collect::<Vec<_>>());
}

mod disk {
    //! The journal alone, on a disk that is full.

    use super::super::journal::Line;
    use super::*;

    fn append(journal: &Journal, places: std::ops::Range<u64>) {
        for place in places {
            journal.append(Line { place, text: line::encode(&event("dtmf", place)) });
        }
    }

    #[test]
    fn a_full_disk_is_written_in_order_when_it_has_room_again() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, _) = begin(folder.path(), life()).unwrap();
        append(&journal, 1..10);
        let own = folder.path().join(journal.life().to_string());
        let spare = folder.path().join("spare");
        std::fs::rename(&own, &spare).unwrap();
        append(&journal, 10..20_000); // the open file takes a part, the next one cannot be made
        assert!(journal.pending() > 0);
        std::fs::rename(&spare, &own).unwrap();
        append(&journal, 20_000..20_010);
        assert!(journal.pending() > 10, "a disk that failed rests");
        journal.tidy(0);
        assert_eq!(journal.pending(), 0);
        drop(journal);
        assert_eq!(left(folder.path()), (1..20_010).collect::<Vec<_>>());
    }

    #[test]
    fn what_the_database_has_is_forgotten_file_by_file() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, _) = begin(folder.path(), life()).unwrap();
        append(&journal, 1..20_000);
        journal.tidy(0);
        let size = |folder: &Path| -> u64 {
            std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum()
        };
        let own = folder.path().join(journal.life().to_string());
        let whole = size(&own);
        journal.tidy(15_000);
        assert!(size(&own) < whole / 2 && size(&own) > whole / 5, "{} of {whole}", size(&own));
        journal.tidy(19_999);
        assert_eq!(size(&own), 0);
        append(&journal, 20_000..20_002);
        journal.tidy(19_999);
        drop(journal);
        assert_eq!(left(folder.path()), [20_000, 20_001]);
    }
}
