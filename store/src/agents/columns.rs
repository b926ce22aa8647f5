//! An agent's settings as columns: one for each setting of the catalogue, under its name. `NULL` is a setting that nobody chose.
//!
//! The texts of queries are made from the catalogue, so a setting cannot be forgotten in one of them; that each has its column, and that the
//! view `agent_config` shows the catalogue's defaults, is a case of the conformance tests. Rows are read as any document is
//! ([`AgentSettings::from_stored`]): what somebody wrote into the database by hand is checked like what comes over HTTP.

use std::sync::LazyLock;

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{ColumnIndex, Decode, Row, Type};
use tandem_domain::agent_settings::{AgentSettings, Kind, Setting, SettingValue, catalogue};

use crate::error::Failure;

/// The columns, with commas.
pub(crate) static LIST: LazyLock<String> = LazyLock::new(|| {
    let names: Vec<&str> = catalogue::all().map(|setting| setting.name).collect();
    names.join(", ")
});

/// A value as its column takes it.
pub(crate) enum Cell {
    Flag(Option<bool>),
    Whole(Option<i64>),
    Fraction(Option<f64>),
    Text(Option<String>),
    Json(Option<Json<Value>>),
}

/// How a column holds a kind.
enum Held {
    Flag,
    Whole,
    Fraction,
    Text,
    Json,
}

fn held(kind: &Kind) -> Held {
    match kind {
        Kind::Flag => Held::Flag,
        Kind::Whole(_) => Held::Whole,
        Kind::Fraction(_) => Held::Fraction,
        Kind::Switches(_) | Kind::Languages { .. } | Kind::Object { .. } => Held::Json,
        Kind::Name
        | Kind::Line { .. }
        | Kind::Prose { .. }
        | Kind::Choice(_)
        | Kind::Eagerness(_) // a word, or a number as text
        | Kind::Language
        | Kind::Telephone
        | Kind::Url
        | Kind::Terms { .. } => Held::Text,
    }
}

impl Cell {
    /// What was set, or `NULL` of the column's type.
    pub(crate) fn of(setting: &Setting, value: Option<&SettingValue>) -> Self {
        let kept = value.map(SettingValue::kept);
        match held(&setting.kind) {
            Held::Flag => Self::Flag(kept.and_then(|kept| kept.as_bool())),
            Held::Whole => Self::Whole(kept.and_then(|kept| kept.as_i64())),
            Held::Fraction => Self::Fraction(kept.and_then(|kept| kept.as_f64())),
            Held::Text => Self::Text(kept.map(|kept| kept.as_str().map_or_else(|| kept.to_string(), str::to_owned))),
            Held::Json => Self::Json(kept.map(Json)),
        }
    }
}

/// Binds cells to a query, in their order.
macro_rules! bind {
    ($query:expr, $cells:expr) => {{
        let mut query = $query;
        for cell in $cells {
            query = match cell {
                Cell::Flag(value) => query.bind(value),
                Cell::Whole(value) => query.bind(value),
                Cell::Fraction(value) => query.bind(value),
                Cell::Text(value) => query.bind(value),
                Cell::Json(value) => query.bind(value),
            };
        }
        query
    }};
}
pub(crate) use bind;

/// The settings of a row that has all of [`LIST`], as a document.
pub(crate) fn document<'r, R>(row: &'r R) -> Result<Map<String, Value>, sqlx::Error>
where
    R: Row,
    &'static str: ColumnIndex<R>,
    Option<bool>: Decode<'r, R::Database> + Type<R::Database>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    Option<f64>: Decode<'r, R::Database> + Type<R::Database>,
    Option<String>: Decode<'r, R::Database> + Type<R::Database>,
    Option<Json<Value>>: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut document = Map::new();
    for setting in catalogue::all() {
        let name = setting.name;
        let value = match held(&setting.kind) {
            Held::Flag => row.try_get::<Option<bool>, _>(name)?.map(Value::from),
            Held::Whole => row.try_get::<Option<i64>, _>(name)?.map(Value::from),
            Held::Fraction => row.try_get::<Option<f64>, _>(name)?.map(Value::from),
            Held::Text => row.try_get::<Option<String>, _>(name)?.map(Value::from),
            Held::Json => row.try_get::<Option<Json<Value>>, _>(name)?.map(|Json(value)| value),
        };
        document.extend(value.map(|value| (name.to_owned(), value)));
    }
    Ok(document)
}

/// The settings of a document that was read from a row.
pub(crate) fn settings(document: &Map<String, Value>) -> Result<AgentSettings, Failure> {
    let (settings, faults) = AgentSettings::from_stored(document);
    match faults.told.first() {
        None => Ok(settings),
        Some(fault) => Err(Failure::unreadable(fault.pointer.trim_start_matches('/'))),
    }
}
