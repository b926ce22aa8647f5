//! Versions of an agent: what callers meet, what is being written, and the way back.
//!
//! ```text
//!            edit                       publish
//!  live v7 ───────► live v8    draft ────────────► live v9      rollback to v7 ──► live v10, whose settings are v7's
//!     └──── draft ────┴── edit ──┘
//! ```
//!
//! A version never changes: calls that began with it end with it, and the next call takes the live one. Numbers only rise, and a rollback is a
//! new version, so the list of versions is the agent's history. A change that changes nothing makes no version.
//! A draft remembers on which version it was begun. If others have changed the agent since, it is not published over them: it is brought up to
//! date first, field by field, and what both have changed is told.
//!
//! Pure: numbers come from the version before, times and people are the store's. Not here: rows, and entity tags ([`crate::etag`]).

mod diff;

pub use diff::{DiffLine, Difference, LineDiff, MOST_LINES, diff};

use serde::{Deserialize, Serialize};

use crate::agent_settings::{AgentChange, AgentSettings, Setting};

/// Number of a version, from 1 within its agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionNumber(pub u32);

impl VersionNumber {
    /// The first of every agent.
    pub const FIRST: Self = Self(1);

    /// The one after. Nobody lives to see the last.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl std::fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// How a version came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "origin", rename_all = "snake_case")]
pub enum Origin {
    /// With the agent.
    Created,
    /// By a change of the live one.
    Edited,
    /// From a draft.
    Published,
    /// From an earlier one.
    RolledBack {
        /// Which.
        to: VersionNumber,
    },
}

/// One version. It never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its number.
    pub number: VersionNumber,
    /// How it came to be.
    pub origin: Origin,
    /// What was set.
    pub settings: AgentSettings,
}

/// Settings that are being written, and that no caller meets.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The live version when it was begun, or last brought up to date.
    pub based_on: VersionNumber,
    /// What is set so far.
    pub settings: AgentSettings,
}

/// Why no version is made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Nothing would change.
    #[error("nothing would change: version {0} already has these settings")]
    Unchanged(VersionNumber),
    /// The agent was changed since the draft was begun.
    #[error("the draft was begun on version {based_on}, and version {live} is live by now: bring it up to date first")]
    Outdated {
        /// Where the draft began.
        based_on: VersionNumber,
        /// What is live.
        live: VersionNumber,
    },
    /// The draft and others have changed the same settings, each in its own way.
    #[error("the draft and version {live} have both changed {}: send these settings along, as they shall be", .settings.join(", "))]
    Conflict {
        /// What is live.
        live: VersionNumber,
        /// Names of the settings.
        settings: Vec<&'static str>,
    },
}

impl Version {
    /// The first version of a new agent.
    pub fn first(settings: AgentSettings) -> Self {
        Self { number: VersionNumber::FIRST, origin: Origin::Created, settings }
    }

    /// The version after this, live one, with a change.
    pub fn edited(&self, change: &AgentChange) -> Result<Self, VersionError> {
        self.followed_by(Origin::Edited, self.settings.with(change))
    }

    /// The version after this, live one, whose settings are an older one's.
    pub fn rolled_back(&self, old: &Version) -> Result<Self, VersionError> {
        self.followed_by(Origin::RolledBack { to: old.number }, old.settings.clone())
    }

    /// The version after this, live one, from a draft that was begun on it.
    pub fn published(&self, draft: Draft) -> Result<Self, VersionError> {
        if draft.based_on != self.number {
            return Err(VersionError::Outdated { based_on: draft.based_on, live: self.number });
        }
        self.followed_by(Origin::Published, draft.settings)
    }

    /// A draft that begins as this, live version.
    pub fn draft(&self) -> Draft {
        Draft { based_on: self.number, settings: self.settings.clone() }
    }

    fn followed_by(&self, origin: Origin, settings: AgentSettings) -> Result<Self, VersionError> {
        if settings == self.settings {
            return Err(VersionError::Unchanged(self.number));
        }
        Ok(Self { number: self.number.next(), origin, settings })
    }
}

impl Draft {
    /// The draft with a change.
    pub fn edited(&self, change: &AgentChange) -> Self {
        Self { settings: self.settings.with(change), ..*self }
    }

    /// The draft on the live version, where it was begun on `base`: what it changed, on top of what others have changed since. What both have
    /// changed alike is no conflict, and neither is what `decided` says.
    pub fn brought_up_to_date(
        &self,
        base: &Version,
        live: &Version,
        decided: &AgentChange,
    ) -> Result<Self, VersionError> {
        let ours = AgentChange::between(&base.settings, &self.settings);
        let theirs = AgentChange::between(&base.settings, &live.settings);
        let open = |setting: &&'static Setting| {
            theirs.names(setting) && !decided.names(setting) && self.settings.set(setting) != live.settings.set(setting)
        };
        let both = ours.iter().map(|(setting, _)| setting).filter(open);
        let settings: Vec<&'static str> = both.map(|setting| setting.name).collect();
        if !settings.is_empty() {
            return Err(VersionError::Conflict { live: live.number, settings });
        }
        Ok(Self { based_on: live.number, settings: live.settings.with(&ours).with(decided) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::agent_settings::tests::any_settings;
    use crate::agent_settings::{Scope, catalogue};

    fn change(document: Value) -> AgentChange {
        AgentChange::read(&document, Scope::default()).unwrap()
    }

    fn first() -> Version {
        Version::first(AgentSettings::default().with(&change(json!({"name": "Asha", "call_timeout": 20}))))
    }

    #[test]
    fn every_change_is_a_version_and_no_change_is_none() {
        let one = first();
        let two = one.edited(&change(json!({"call_timeout": 40}))).unwrap();
        assert_eq!((two.number, two.origin), (VersionNumber(2), Origin::Edited));
        assert_eq!(two.edited(&change(json!({"call_timeout": 40}))), Err(VersionError::Unchanged(VersionNumber(2))));
        let three = two.rolled_back(&one).unwrap();
        assert_eq!((three.number, &three.settings), (VersionNumber(3), &one.settings));
        assert_eq!(serde_json::to_value(three.origin).unwrap(), json!({"origin": "rolled_back", "to": 1}));
        assert_eq!(three.rolled_back(&one), Err(VersionError::Unchanged(VersionNumber(3))));
    }

    #[test]
    fn a_draft_is_not_published_over_what_it_has_not_seen() {
        let one = first();
        let draft = one.draft().edited(&change(json!({"eagerness": "high"})));
        assert_eq!(one.published(draft.clone()).unwrap().origin, Origin::Published);
        let two = one.edited(&change(json!({"call_timeout": 40}))).unwrap();
        let outdated = VersionError::Outdated { based_on: VersionNumber(1), live: VersionNumber(2) };
        assert_eq!(two.published(draft.clone()), Err(outdated));
        let current = draft.brought_up_to_date(&one, &two, &AgentChange::default()).unwrap();
        let three = two.published(current).unwrap();
        assert_eq!(three.settings, two.settings.with(&change(json!({"eagerness": "high"}))));
    }

    #[test]
    fn what_both_have_changed_is_told() {
        let one = first();
        let live = one.edited(&change(json!({"eagerness": "low", "call_timeout": 40}))).unwrap();
        let draft = one.draft().edited(&change(json!({"eagerness": "high", "call_timeout": 40})));
        let told = draft.brought_up_to_date(&one, &live, &change(json!({"call_timeout": 60}))).unwrap_err();
        assert_eq!(told, VersionError::Conflict { live: VersionNumber(2), settings: vec!["eagerness"] });
        for (decided, becomes) in [(json!("normal"), "normal"), (Value::Null, "normal"), (json!("low"), "low")] {
            let decided = change(json!({ "eagerness": decided }));
            let current = draft.brought_up_to_date(&one, &live, &decided).unwrap();
            assert_eq!(current.settings.text(&catalogue::EAGERNESS), becomes);
            assert_eq!((current.based_on, current.settings.whole(&catalogue::CALL_TIMEOUT)), (live.number, Some(40)));
        }
    }

    proptest! {
        #[test]
        fn a_rollback_is_the_old_one_under_a_new_number(old in any_settings(), live in any_settings()) {
            let old = Version::first(old);
            let live = Version { number: VersionNumber(7), origin: Origin::Edited, settings: live };
            match live.rolled_back(&old) {
                Ok(new) => prop_assert_eq!((new.number, new.settings), (VersionNumber(8), old.settings)),
                Err(error) => {
                    prop_assert_eq!(error, VersionError::Unchanged(live.number));
                    prop_assert_eq!(live.settings, old.settings);
                }
            }
        }

        #[test]
        fn an_untouched_draft_becomes_the_live_version(base in any_settings(), live in any_settings()) {
            let base = Version::first(base);
            let live = Version { number: VersionNumber(2), origin: Origin::Edited, settings: live };
            prop_assert_eq!(base.draft().brought_up_to_date(&base, &live, &AgentChange::default()), Ok(live.draft()));
        }

        #[test]
        fn no_difference_is_lost(from in any_settings(), to in any_settings()) {
            let differences = diff(&from, &to);
            let change = AgentChange::between(&from, &to);
            let fields: std::collections::BTreeSet<_> = differences.iter().map(|difference| difference.field).collect();
            let changed: std::collections::BTreeSet<_> = change.iter().map(|(setting, _)| setting.name).collect();
            prop_assert_eq!(fields, changed);
            prop_assert!(differences.iter().all(|difference| difference.from != difference.to));
        }
    }
}
