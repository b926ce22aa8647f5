//! An agent's settings as columns: one for each setting of the catalogue, under its name. `NULL` is a setting that nobody chose.
//!
//! The texts of queries are made from the catalogue, so a setting cannot be forgotten in one of them; that each has its column, and that the
//! view `agent_config` shows the catalogue's defaults, is a case of the conformance tests.
//!
//! A row is read whatever it holds, for callers wait for its agent: where a value does not fit, what holds is the nearest that does, or the
//! default ([`AgentSettings::from_stored`]), and the log tells it ([`crate::misfits`]).

use std::sync::LazyLock;

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{ColumnIndex, Decode, Row, Type};
use tandem_domain::agent_settings::{AgentSettings, Fault, Kind, Setting, SettingValue, Wrong, catalogue, pointer};

use crate::misfits::Misfits;

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

/// Settings as they stand in a row.
#[derive(Debug, Default)]
pub(crate) struct Document {
    set: Map<String, Value>,
    /// Columns whose value is of another type than theirs, which only SQLite and a changed schema allow.
    strange: Vec<&'static str>,
}

impl From<Map<String, Value>> for Document {
    fn from(set: Map<String, Value>) -> Self {
        Self { set, strange: Vec::new() }
    }
}

/// The settings of a row that has all of [`LIST`].
pub(crate) fn document<'r, R>(row: &'r R) -> Result<Document, sqlx::Error>
where
    R: Row,
    &'static str: ColumnIndex<R>,
    Option<bool>: Decode<'r, R::Database> + Type<R::Database>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    Option<f64>: Decode<'r, R::Database> + Type<R::Database>,
    Option<String>: Decode<'r, R::Database> + Type<R::Database>,
    Option<Json<Value>>: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut document = Document::default();
    for setting in catalogue::all() {
        let name = setting.name;
        let value = match held(&setting.kind) {
            Held::Flag => row.try_get::<Option<bool>, _>(name).map(|flag| flag.map(Value::from)),
            Held::Whole => row.try_get::<Option<i64>, _>(name).map(|number| number.map(Value::from)),
            Held::Fraction => row.try_get::<Option<f64>, _>(name).map(|number| number.map(Value::from)),
            Held::Text => row.try_get::<Option<String>, _>(name).map(|text| text.map(Value::from)),
            Held::Json => row.try_get::<Option<Json<Value>>, _>(name).map(|json| json.map(|Json(value)| value)),
        };
        match value {
            Ok(value) => document.set.extend(value.map(|value| (name.to_owned(), value))),
            Err(sqlx::Error::ColumnDecode { .. }) => document.strange.push(name),
            Err(error) => return Err(error),
        }
    }
    Ok(document)
}

/// The settings of a document that was read from a row of an agent's.
pub(crate) fn settings(misfits: &Misfits, agent: i64, document: &Document) -> AgentSettings {
    let (settings, mut faults) = AgentSettings::from_stored(&document.set);
    faults.told.extend(document.strange.iter().map(|name| Fault {
        pointer: pointer("", name),
        wrong: Wrong::Rule("is not of its column's type".to_owned()),
    }));
    for fault in &faults.told {
        misfits.of_agent(agent, fault, &settings);
    }
    settings
}
