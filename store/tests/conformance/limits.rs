use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;
use tandem_domain::admission::Caps;
use tandem_domain::business_limits::LimitsChange;
use tandem_domain::ids::{AgentId, BusinessId, CallId, LifeId};
use tandem_domain::port::store::{
    AuditEntry, BusinessLimits, CallLog, Change, KeptLimits, LimitBook, LimitStore, StoreError, StoredLimits,
};
use tandem_domain::record::{Direction, Record, Usage};
use uuid::Uuid;

use crate::database::Database;

const OURS: BusinessId = BusinessId::FIRST;
const DESK: AgentId = AgentId(1);

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 123_456_789).unwrap()
}

pub fn day(number: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, 1, number).unwrap()
}

fn by(business: BusinessId) -> Change {
    let audit = AuditEntry {
        at: at(),
        business,
        action: "updated".to_owned(),
        resource_kind: "limits".to_owned(),
        resource_id: business.0.to_string(),
        record: "{}".to_owned(),
    };
    Change { by: "user:17".to_owned(), at: at(), audit }
}

pub fn usage(business: BusinessId, agent: AgentId, day: NaiveDate) -> Usage {
    let call = CallId(Uuid::now_v7());
    Usage { call, business, agent, direction: Direction::Inbound, day, overflow: false, at: at() }
}

async fn set(db: &Database, seen: StoredLimits, document: serde_json::Value) -> KeptLimits {
    let wanted = LimitsChange::read(&document).unwrap().on(seen);
    db.store.set_limits(OURS, wanted, by(OURS)).await.unwrap()
}

pub async fn a_business_has_no_limits_until_it_is_given_some(db: Database) {
    assert_eq!(db.store.business_limits(OURS).await.unwrap(), BusinessLimits::default());
    let first = db.store.limits(OURS).await.unwrap().unwrap();
    assert_eq!((first.concurrent_call_limit, first.daily_call_limit, first.time_zone.as_deref()), (-1, -1, None));
    let document = json!({"concurrent_call_limit": 5, "daily_call_limit": 100, "time_zone": "Asia/Kolkata"});
    let KeptLimits::Done(kept) = set(&db, first.clone(), document).await else { panic!("somebody else was there") };
    assert_eq!((kept.revision, kept.time_zone.as_deref()), (1, Some("Asia/Kolkata")));
    let limits = db.store.business_limits(OURS).await.unwrap();
    assert_eq!(limits.caps, Caps { at_once: Some(5), a_day: Some(100) });
    assert_eq!(limits.zone.map(|zone| zone.name()), Some("Asia/Kolkata"));
    assert_eq!(set(&db, first, json!({"daily_call_limit": 7})).await, KeptLimits::Raced);
    assert_eq!(db.store.limits(OURS).await.unwrap(), Some(kept));
    assert_eq!(db.number("SELECT count(*) FROM audit_log").await, 1, "what is not kept is not recorded");
    let theirs = db.add_business().await;
    assert_eq!(db.store.business_limits(theirs).await.unwrap(), BusinessLimits::default());
    assert_eq!(db.store.limits(BusinessId(4711)).await.unwrap(), None);
}

pub async fn limits_that_were_written_by_hand_hold_as_far_as_they_fit(db: Database) {
    for wrong in ["concurrent_call_limit = -2", "daily_call_limit = 10000001", "time_zone = ''"] {
        assert!(db.execute(&format!("UPDATE businesses SET {wrong}")).await.is_err(), "{wrong}");
    }
    db.execute("UPDATE businesses SET time_zone = 'IST', concurrent_call_limit = 5").await.unwrap();
    let limits = db.store.business_limits(OURS).await.unwrap();
    assert_eq!((limits.caps.at_once, limits.zone), (Some(5), None), "a zone that is none lifts no limit");
}

pub async fn a_day_has_had_what_other_lives_let_in(db: Database) {
    let (dead, alive) = (LifeId(Uuid::now_v7()), LifeId(Uuid::now_v7()));
    let theirs = db.add_business().await;
    let (concierge, _) = db.add_agent(theirs, "concierge").await.unwrap();
    let once = usage(OURS, DESK, day(15));
    let records: Vec<_> = [
        once.clone(),
        once.clone(),
        usage(OURS, DESK, day(15)),
        usage(OURS, AgentId(2), day(15)),
        usage(OURS, DESK, day(16)),
        usage(theirs, AgentId(concierge), day(15)),
    ]
    .into_iter()
    .map(Record::Admitted)
    .collect();
    db.store.living(dead).write(records).await.unwrap();
    db.store.living(alive).write(vec![Record::Admitted(usage(OURS, DESK, day(15)))]).await.unwrap();

    let of = async |life, business, day| db.store.living(life).admitted_elsewhere(business, day).await.unwrap();
    assert_eq!(of(alive, OURS, day(15)).await, [(DESK, 2), (AgentId(2), 1)], "what it wrote itself it knows");
    assert_eq!(of(dead, OURS, day(15)).await, [(DESK, 1)]);
    assert_eq!(of(alive, OURS, day(16)).await, [(DESK, 1)]);
    assert_eq!(of(alive, theirs, day(15)).await, [(AgentId(concierge), 1)]);
    assert_eq!(of(alive, OURS, day(17)).await, []);
}

pub async fn days_that_are_long_over_are_forgotten(db: Database) {
    let of = |number| (0..3).map(move |_| Record::Admitted(usage(OURS, DESK, day(number))));
    db.store.write(of(1).chain(of(2)).chain(of(20)).collect()).await.unwrap();
    assert_eq!(db.store.forget_usage(day(2), 2).await.unwrap(), 2, "no more at once than asked for");
    assert_eq!(db.store.forget_usage(day(2), 100).await.unwrap(), 1);
    assert_eq!(db.store.forget_usage(day(20), 100).await.unwrap(), 3);
    assert_eq!(db.number("SELECT count(*) FROM call_usage").await, 3);
}

pub async fn a_call_is_counted_once_and_for_its_own_business(db: Database) {
    let theirs = db.add_business().await;
    let overflow = Usage { overflow: true, direction: Direction::Outbound, ..usage(OURS, DESK, day(15)) };
    let again = Usage { overflow: false, day: day(16), ..overflow.clone() };
    db.store.write(vec![Record::Admitted(overflow), Record::Admitted(again)]).await.unwrap();
    assert_eq!(db.number("SELECT count(*) FROM call_usage WHERE overflow").await, 1, "the first stays");
    assert_eq!(db.number("SELECT count(*) FROM call_usage WHERE direction = 'outbound'").await, 1);
    let foreign = db.store.write(vec![Record::Admitted(usage(theirs, DESK, day(15)))]).await;
    assert!(matches!(foreign, Err(StoreError::Refused(_))), "{foreign:?}");
}
