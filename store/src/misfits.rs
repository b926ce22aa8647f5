//! Stored values that this release does not take, written by hand or by a release with other bounds: told, once each, and read all the same.
//!
//! A call reads its agent, so telling at every read would fill the log at the pace of the calls. What is stored is not changed by reading it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tandem_domain::agent_settings::{AgentSettings, Fault, Kind, SettingValue, catalogue};
use tracing::warn;

/// Misfits that are remembered; with one more, all are forgotten, and told again.
const MOST: usize = 1_000;

/// What was told by this process. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Misfits(Arc<Mutex<BTreeSet<String>>>);

impl Misfits {
    /// Whether nobody was told of this.
    pub(crate) fn is_new(&self, what: String) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST && !told.contains(&what) {
            told.clear();
        }
        told.insert(what)
    }

    /// Tells of a setting of an agent, and what holds instead.
    pub(crate) fn of_agent(&self, agent: i64, fault: &Fault, read: &AgentSettings) {
        if self.is_new(format!("agent {agent} {fault}")) {
            let (column, wrong, holds) = sentence(fault, read);
            warn!(agent, column, wrong, holds, "a stored setting does not fit; set it anew to be rid of this warning");
        }
    }
}

/// Which column, what is wrong with it and what would be right, and what holds. No telephone number and no long text gets into the log.
fn sentence<'a>(fault: &'a Fault, read: &AgentSettings) -> (&'a str, String, String) {
    let place = fault.pointer.trim_start_matches('/');
    let column = place.split_once('/').map_or(place, |(column, _)| column);
    let Some(setting) = catalogue::find(column) else {
        return (place, fault.wrong.to_string(), "nothing".to_owned());
    };
    let wrong = match setting.kind {
        Kind::Telephone => "is no telephone number with its country code".to_owned(),
        _ => fault.wrong.to_string(),
    };
    let holds = match (read.value(setting), read.set(setting)) {
        (Some(SettingValue::Whole(number)), _) => number.to_string(),
        (Some(SettingValue::Fraction(number)), _) => number.to_string(),
        (_, Some(_)) => "what fits of it".to_owned(),
        (_, None) => "its default".to_owned(),
    };
    (place, wrong, holds)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_warning_names_the_column_the_value_the_range_and_what_holds() {
        for (stored, column, wrong, holds) in [
            (json!({"call_timeout": 4}), "call_timeout", "4 is out of range: 5 to 600 seconds", "5"),
            (
                json!({"turn_after_silence_seconds": 0}),
                "turn_after_silence_seconds",
                "0 is out of range: 1 to 300 seconds, or -1 (never)",
                "-1",
            ),
            (
                json!({"caller_id_number": "98100"}),
                "caller_id_number",
                "is no telephone number with its country code",
                "its default",
            ),
            (
                json!({"business_info": {"greeting": 7, "a": 1}}),
                "business_info/greeting",
                "must be a text, not a number",
                "what fits of it",
            ),
            (json!({"of_tomorrow": 1}), "of_tomorrow", "there is no such setting", "nothing"),
        ] {
            let (read, faults) = AgentSettings::from_stored(stored.as_object().unwrap());
            let told = sentence(&faults.told[0], &read);
            assert_eq!(told, (column, wrong.to_owned(), holds.to_owned()));
        }
    }

    #[test]
    fn a_misfit_is_told_once_and_another_value_again() {
        let misfits = Misfits::default();
        assert!(misfits.is_new("agent 1 /call_timeout: 4".to_owned()));
        assert!(!misfits.clone().is_new("agent 1 /call_timeout: 4".to_owned()));
        assert!(misfits.is_new("agent 1 /call_timeout: 3".to_owned()));
    }

    #[test]
    fn what_was_told_is_bounded() {
        let misfits = Misfits::default();
        for agent in 0..3 * MOST {
            assert!(misfits.is_new(agent.to_string()));
        }
        assert!(misfits.0.lock().unwrap().len() <= MOST);
    }
}
