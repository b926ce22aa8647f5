//! One row of each kind in the first business, under all names that lead to it; and all of its rows as they stand.

use serde_json::{Value, json};
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use crate::office::{ASHA, Office};
use crate::stored::store_call;

/// Tables with rows of a business, by the column that says whose they are.
const OWNED: [(&str, &str); 11] = [
    ("agent_saves", "business_id"),
    ("agent_versions", "business_id"),
    ("agents", "business_id"),
    ("api_keys", "business_id"),
    ("audit_log", "business_id"),
    ("businesses", "id"),
    ("call_sessions", "business_id"),
    ("conversations", "business_id"),
    ("phone_numbers", "business_id"),
    ("user_turns", "business_id"),
    ("users", "business_id"),
];

/// Rows of the first business, by the paths that lead to them: each with all names that it is known by.
pub struct Rows(pub Vec<(&'static str, Vec<String>)>);

impl Rows {
    /// A path with its braces filled in, `spelling` after spelling; a kind with fewer begins anew.
    pub fn concrete(&self, path: &str, spelling: usize) -> String {
        let rows = self.0.iter().filter(|(prefix, _)| path.starts_with(prefix));
        let (_, names) = rows.max_by_key(|(prefix, _)| prefix.len()).unwrap_or_else(|| {
            panic!("{path} takes an id that this test does not know: add a row of the first business that it leads to")
        });
        let part = |part: &str| match part {
            "{id}" | "{agent_id}" => names[spelling % names.len()].clone(),
            "{turn_id}" | "{version}" => "1".to_owned(),
            "{code}" => "hi".to_owned(),
            part if part.starts_with('{') => panic!("{path}: say what stands in {part}, of a row that is there"),
            part => part.to_owned(),
        };
        path.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    pub fn spellings(&self) -> usize {
        self.0.iter().map(|(_, names)| names.len()).max().unwrap_or_default()
    }

    /// Makes one row of each kind.
    pub async fn make(office: &Office, owner: &str) -> Self {
        let made = async |method: &str, path: &str, body: Value| {
            let answer = office.send(method, path, owner, body).await;
            assert!(answer.status < 300, "{method} {path}: {}", answer.body);
            answer.json()
        };
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let (call, sid) = store_call(&office.program, 1).await;
        let stored = office.get(&format!("/api/calls/{call}"), owner).await.json();
        let talk = office.get(&format!("/api/conversations/{sid}"), owner).await.json();
        let me = office.get("/api/users/me", owner).await.json();
        let key = office.make_key(owner, &["calls:read"]).await[4..20].to_owned();
        let agent = made("POST", "/api/agents", json!({ "name": "Sales", "call_timeout": 20 })).await;
        made("PATCH", "/api/agents/Sales", json!({ "call_timeout": 30 })).await;
        made("PATCH", "/api/agents/Sales/draft", json!({ "call_timeout": 40 })).await;
        made("PUT", "/api/agents/Sales/languages/hi", json!({ "voice_id": "asha" })).await;
        let number =
            made("POST", "/api/phone-numbers", json!({ "number": "+918047112233", "agent_id": "Sales" })).await;
        let agents = vec![text(&agent["uuid"]), text(&agent["id"]), "Sales".to_owned()];
        let calls = vec![call.to_string(), text(&stored["id"]), sid];
        let talks = vec![text(&talk["uuid"]), text(&talk["id"]), calls[2].clone()];
        Self(vec![
            ("/api/agents/", agents),
            ("/api/calls/", calls.clone()),
            ("/api/conversations/", talks),
            ("/api/exports/calls/", calls.clone()),
            ("/api/keys/", vec![key]),
            ("/api/phone-numbers/", vec![text(&number["uuid"]), text(&number["id"]), text(&number["number"])]),
            ("/api/users/", vec![text(&me["id"]), text(&me["number"]), ASHA.to_owned()]),
            ("/exports/calls/", calls),
        ])
    }
}

/// All rows of what the first business owns, as text.
pub async fn all_of_the_first(database: &mut SqliteConnection) -> String {
    let mut told = String::new();
    for (table, owner) in OWNED {
        let columns =
            sqlx::query("SELECT name FROM pragma_table_info(?)").bind(table).fetch_all(&mut *database).await.unwrap();
        // When a key was last used is not a change of it.
        let names = columns.iter().map(|row| row.get::<String, _>(0)).filter(|name| name != "last_used_at");
        let quoted: Vec<String> = names.map(|name| format!("quote(\"{name}\")")).collect();
        let sql = format!("SELECT {} FROM {table} WHERE {owner} = 1 ORDER BY 1", quoted.join(" || ' ' || "));
        let all = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut *database).await.unwrap();
        told.extend(all.iter().map(|row| row.get::<String, _>(0) + "\n"));
    }
    told
}
