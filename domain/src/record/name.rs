//! Names that are literals of this program, and are literals again when a record is read back.
//!
//! A record names its stages, parts and events by `&'static str`. A journal that is read holds them as text, so each distinct text is kept for
//! good, once. What was written were literals of this program or of an earlier version, so there are few; a journal that was tampered with cannot
//! make them many: past [`MOST`] a name is read as `other`.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// A literal.
pub(crate) type Name = &'static str;

/// Distinct names kept.
const MOST: usize = 256;

static KNOWN: Names = Names(Mutex::new(BTreeSet::new()));

struct Names(Mutex<BTreeSet<Name>>);

impl Names {
    fn name(&self, text: String) -> Name {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = names.get(text.as_str()) {
            return name;
        }
        if names.len() == MOST {
            return "other";
        }
        let name = Box::leak(text.into_boxed_str());
        names.insert(name);
        name
    }
}

/// Reads one name.
pub(crate) fn one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
    String::deserialize(deserializer).map(|text| KNOWN.name(text))
}

/// Reads the parts of a latency.
pub(super) fn stages<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(Name, Duration)>, D::Error> {
    let stages = Vec::<(String, Duration)>::deserialize(deserializer)?;
    Ok(stages.into_iter().map(|(name, spent)| (KNOWN.name(name), spent)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once_and_a_flood_of_names_is_not_kept() {
        let names = Names(Mutex::default());
        let name = |text: &str| names.name(text.to_owned());
        assert!(std::ptr::eq(name("dtmf"), name("dtmf")));
        for number in 0..2 * MOST {
            name(&format!("invented {number}"));
        }
        assert_eq!(name("one more"), "other");
        assert_eq!(name("dtmf"), "dtmf");
    }
}
