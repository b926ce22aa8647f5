//! Who has called before: what earlier calls with a number left behind.
//!
//! Nothing is kept for this: the name stands in the conversations' `extracted_data`, the outcome beside it, and both go with them. The newest calls
//! alone are looked at, so that the question costs the same for a number that calls every hour.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use tandem_domain::caller::KnownCaller;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{CallerHistory, StoreFuture};

use crate::Store;
use crate::sql::on;
use crate::value;

/// Calls that are looked at, of each direction.
const NEWEST: i64 = 20;
/// Keys under which playbooks and models keep a caller's name, the usual one first.
const NAMES: [&str; 4] = ["name", "caller_name", "customer_name", "full_name"];
/// The key of a language that was chosen.
const LANGUAGE: &str = "language";

#[derive(FromRow)]
struct EarlierCall {
    extracted_data: Json<Value>,
    detected_language: Option<String>,
    final_outcome: Option<String>,
    started_at: DateTime<Utc>,
}

impl CallerHistory for Store {
    fn known_caller(&self, business: BusinessId, number: &str) -> StoreFuture<'_, Option<KnownCaller>> {
        let number = value::text(number).into_owned();
        self.answer(async move {
            // Two halves, each answered from its own index.
            const EARLIER: &str = "SELECT c.extracted_data, c.detected_language, c.final_outcome, c.started_at FROM conversations c \
                WHERE c.business_id = $1 AND c.call_session_id IN ( \
                SELECT id FROM (SELECT id FROM call_sessions WHERE business_id = $1 AND from_number = $2 AND direction = 'inbound' \
                ORDER BY id DESC LIMIT $3) AS received \
                UNION ALL \
                SELECT id FROM (SELECT id FROM call_sessions WHERE business_id = $1 AND to_number = $2 AND direction = 'outbound' \
                ORDER BY id DESC LIMIT $3) AS placed) \
                ORDER BY c.id DESC";
            let calls: Vec<EarlierCall> = on!(self.reader(), db => {
                sqlx::query_as(EARLIER).bind(business.0).bind(number).bind(NEWEST).fetch_all(db).await
            })?;
            Ok(known(&calls))
        })
    }
}

/// Newest first.
fn known(calls: &[EarlierCall]) -> Option<KnownCaller> {
    let text = |call: &EarlierCall, key: &str| {
        let text = call.extracted_data.get(key)?.as_str()?.trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    let name = calls.iter().find_map(|call| NAMES.iter().find_map(|key| text(call, key)));
    let language = calls.iter().find_map(|call| text(call, LANGUAGE).or_else(|| call.detected_language.clone()));
    // The outcome is told with the date, so both are the same call's: one that decided nothing has none, whatever earlier ones decided.
    let last = calls.iter().max_by_key(|call| call.started_at)?;
    Some(KnownCaller { name, last_call_at: last.started_at, language, last_outcome: last.final_outcome.clone() })
}
