//! Log-ins of before, read back from the record of changes: there they stand anyway, so the lock-out needs no rows of its own.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tandem_access::account::Email;
use tandem_access::audit::{Action, Record, Who};
use tandem_access::port::PastLogIn;
use uuid::Uuid;

use crate::Store;
use crate::error::Failure;
use crate::sql::on;
use crate::value;

impl Store {
    pub(super) async fn past_log_ins(&self, since: DateTime<Utc>, limit: u32) -> Result<Vec<PastLogIn>, Failure> {
        const SQL: &str = "SELECT record FROM audit_log WHERE action IN ('logged_in', 'log_in_refused') AND at >= $1 \
            ORDER BY id DESC LIMIT $2";
        let (since, limit) = (value::instant(since), i64::from(limit));
        let rows: Vec<String> = on!(self.reader(), db => {
            sqlx::query_scalar(SQL).bind(since).bind(limit).fetch_all(db).await
        })?;
        let mut known: BTreeMap<(Option<i64>, Option<Uuid>), Option<Email>> = BTreeMap::new();
        let mut found = Vec::new();
        for record in rows.iter().rev().filter_map(|row| Record::parse(row).ok()) {
            let right = record.action == Action::LoggedIn;
            // Who logged in is in the record; whose password was tried is what it was done to.
            let user = match &record.who {
                Who::User { id } if right => (Some(id.0), None),
                _ => (None, record.resource.id.parse().ok()),
            };
            if let std::collections::btree_map::Entry::Vacant(unknown) = known.entry(user) {
                unknown.insert(self.email_of(user).await?);
            }
            if let (Some(Some(email)), Some(address)) = (known.get(&user), record.from.address) {
                let unrecorded = if right { 0 } else { record.changes.unrecorded() };
                found.push(PastLogIn { email: email.clone(), address, right, unrecorded, at: record.at });
            }
        }
        Ok(found)
    }

    /// The address of a user, by number or UUID; `None` where they are gone.
    async fn email_of(&self, (number, uuid): (Option<i64>, Option<Uuid>)) -> Result<Option<Email>, Failure> {
        const SQL: &str = "SELECT identifier FROM users WHERE id = $1 OR uuid = $2";
        let found: Option<String> = on!(self.reader(), db => {
            sqlx::query_scalar(SQL).bind(number).bind(uuid).fetch_optional(db).await
        })?;
        Ok(found.and_then(|email| email.parse().ok()))
    }
}
