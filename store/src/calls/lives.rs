//! The lives of processes, and the end of the calls that a dead one left open.
//!
//! A call ends where its life last gave a sign: the newest of the call's own rows and of the life's heartbeats. So its length is right to the
//! interval of those.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::FromRow;
use tandem_domain::agent::LONGEST_CALL;
use tandem_domain::ids::{BusinessId, CallId, LifeId};
use tandem_domain::port::store::{LifeStore, StoreFuture};
use tandem_domain::record::{CallEnded, EndReason};
use uuid::Uuid;

use super::rows::{self, CallRow};
use super::talks::{self, TalkRow};
use crate::Store;
use crate::error::Failure;
use crate::sql::{Engine, Writing, on};

/// Open calls with their signs of life; the condition takes one parameter.
macro_rules! open_where {
    ($condition:literal) => {
        concat!(
            "SELECT s.id, s.uuid, s.business_id, s.created_at, l.seen_at, ",
            "(SELECT max(t.created_at) FROM user_turns t WHERE t.business_id = c.business_id AND t.conversation_id = c.id) AS turn_at, ",
            "(SELECT max(r.created_at) FROM agent_responses r WHERE r.business_id = c.business_id AND r.conversation_id = c.id) AS response_at, ",
            "(SELECT max(e.t_ms) FROM call_events e WHERE e.business_id = s.business_id AND e.call_session_id = s.id) AS event_ms ",
            "FROM call_sessions s LEFT JOIN conversations c ON c.call_session_id = s.id LEFT JOIN lives l ON l.uuid = s.life_uuid ",
            "WHERE s.ended_at IS NULL AND ",
            $condition,
            " ORDER BY s.id"
        )
    };
}

/// Open talks in the browser, in the columns of open calls; the condition takes one parameter.
macro_rules! open_talk_where {
    ($condition:literal) => {
        concat!(
            "SELECT c.id, c.uuid, c.business_id, c.started_at AS created_at, l.seen_at, ",
            "(SELECT max(t.created_at) FROM user_turns t WHERE t.business_id = c.business_id AND t.conversation_id = c.id) AS turn_at, ",
            "(SELECT max(r.created_at) FROM agent_responses r WHERE r.business_id = c.business_id AND r.conversation_id = c.id) AS response_at, ",
            "(SELECT max(e.t_ms) FROM talk_events e WHERE e.business_id = c.business_id AND e.conversation_id = c.id) AS event_ms ",
            "FROM conversations c LEFT JOIN lives l ON l.uuid = c.life_uuid ",
            "WHERE c.ended_at IS NULL AND c.call_session_id IS NULL AND ",
            $condition,
            " ORDER BY c.id"
        )
    };
}

#[derive(FromRow)]
struct OpenCall {
    id: i64,
    uuid: Uuid,
    business_id: i64,
    created_at: DateTime<Utc>,
    seen_at: Option<DateTime<Utc>>,
    turn_at: Option<DateTime<Utc>>,
    response_at: Option<DateTime<Utc>>,
    event_ms: Option<i64>,
}

impl OpenCall {
    fn last_sign(&self) -> DateTime<Utc> {
        let event_at = self.event_ms.and_then(TimeDelta::try_milliseconds).map(|since| self.created_at + since);
        let signs = [self.seen_at, self.turn_at, self.response_at, event_at];
        signs.into_iter().flatten().fold(self.created_at, DateTime::max)
    }

    fn ended(&self, reason: EndReason) -> CallEnded {
        let at = self.last_sign();
        CallEnded {
            call: CallId(self.uuid),
            business: BusinessId(self.business_id),
            reason,
            detail: "the server stopped without ending this call; its end is the last sign of life".into(),
            duration: (at - self.created_at).to_std().unwrap_or_default(),
            outcome: None,
            at,
        }
    }
}

impl LifeStore for Store {
    fn beat(&self, life: LifeId) -> StoreFuture<'_, ()> {
        self.answer(async move {
            let mut tx = self.writing().await?;
            match tx.connection() {
                Engine::Sqlite(db) => {
                    const SQL: &str = "INSERT INTO lives (uuid) VALUES ($1) \
                        ON CONFLICT (uuid) DO UPDATE SET seen_at = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')";
                    sqlx::query(SQL).bind(life.0).execute(db).await.map(drop)?;
                }
                Engine::Postgres(db) => {
                    const SQL: &str =
                        "INSERT INTO lives (uuid) VALUES ($1) ON CONFLICT (uuid) DO UPDATE SET seen_at = now()";
                    sqlx::query(SQL).bind(life.0).execute(db).await.map(drop)?;
                }
            }
            tx.commit().await
        })
    }

    fn bury(&self, life: LifeId) -> StoreFuture<'_, u32> {
        self.answer(async move {
            let mut tx = self.writing().await?;
            let closed = bury(&mut tx, life.0, EndReason::ServerRestarted).await?;
            tx.commit().await?;
            Ok(closed)
        })
    }

    fn bury_silent(&self, silence: Duration) -> StoreFuture<'_, u32> {
        self.answer(async move {
            const LONG_OVER: &str = open_where!("l.uuid IS NULL AND s.created_at < $1");
            const TALKS_LONG_OVER: &str = open_talk_where!("l.uuid IS NULL AND c.started_at < $1");
            let mut tx = self.writing().await?;
            let mut closed = 0;
            for life in silent(&mut tx, silence).await? {
                closed += bury(&mut tx, life, EndReason::ServerLost).await?;
            }
            let cutoff = ago(&mut tx, LONGEST_CALL).await?;
            let open: Vec<OpenCall> =
                on!(tx.connection(), db => sqlx::query_as(LONG_OVER).bind(cutoff).fetch_all(db).await)?;
            closed += close(&mut tx, open, &EndReason::ServerLost).await?;
            let open: Vec<OpenCall> =
                on!(tx.connection(), db => sqlx::query_as(TALKS_LONG_OVER).bind(cutoff).fetch_all(db).await)?;
            closed += close_talks(&mut tx, open, &EndReason::ServerLost).await?;
            tx.commit().await?;
            Ok(closed)
        })
    }
}

async fn bury(tx: &mut Writing, life: Uuid, reason: EndReason) -> Result<u32, Failure> {
    const OPEN: &str = open_where!("s.life_uuid = $1");
    const OPEN_TALKS: &str = open_talk_where!("c.life_uuid = $1");
    const FORGET: &str = "DELETE FROM lives WHERE uuid = $1";
    let open: Vec<OpenCall> = on!(tx.connection(), db => sqlx::query_as(OPEN).bind(life).fetch_all(db).await)?;
    let mut closed = close(tx, open, &reason).await?;
    let open: Vec<OpenCall> = on!(tx.connection(), db => sqlx::query_as(OPEN_TALKS).bind(life).fetch_all(db).await)?;
    closed += close_talks(tx, open, &reason).await?;
    on!(tx.connection(), db => sqlx::query(FORGET).bind(life).execute(db).await.map(drop))?;
    Ok(closed)
}

async fn close(tx: &mut Writing, open: Vec<OpenCall>, reason: &EndReason) -> Result<u32, Failure> {
    let mut closed = 0;
    for call in open {
        let row = CallRow { id: call.id, created_at: call.created_at };
        closed += u32::from(rows::end(tx, row, &call.ended(reason.clone())).await?);
    }
    Ok(closed)
}

async fn close_talks(tx: &mut Writing, open: Vec<OpenCall>, reason: &EndReason) -> Result<u32, Failure> {
    let mut closed = 0;
    for talk in open {
        let row = TalkRow { id: talk.id, started_at: talk.created_at };
        closed += u32::from(talks::end(tx, row, &talk.ended(reason.clone())).await?);
    }
    Ok(closed)
}

/// Lives without a sign for so long. Locked on PostgreSQL: of two processes that look at once, one buries.
async fn silent(tx: &mut Writing, silence: Duration) -> Result<Vec<Uuid>, Failure> {
    let cutoff = ago(tx, silence).await?;
    Ok(match tx.connection() {
        Engine::Sqlite(db) => {
            const SQL: &str = "SELECT uuid FROM lives WHERE seen_at < $1 ORDER BY id";
            sqlx::query_scalar(SQL).bind(cutoff).fetch_all(db).await?
        }
        Engine::Postgres(db) => {
            const SQL: &str = "SELECT uuid FROM lives WHERE seen_at < $1 ORDER BY id FOR UPDATE SKIP LOCKED";
            sqlx::query_scalar(SQL).bind(cutoff).fetch_all(db).await?
        }
    })
}

/// So long before now, by the clock of the database: the lives of several machines are judged by one clock.
async fn ago(tx: &mut Writing, time: Duration) -> Result<DateTime<Utc>, Failure> {
    let now: DateTime<Utc> = match tx.connection() {
        Engine::Sqlite(db) => {
            sqlx::query_scalar("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')").fetch_one(db).await?
        }
        Engine::Postgres(db) => sqlx::query_scalar("SELECT now()").fetch_one(db).await?,
    };
    Ok(TimeDelta::from_std(time).ok().and_then(|time| now.checked_sub_signed(time)).unwrap_or(DateTime::UNIX_EPOCH))
}
