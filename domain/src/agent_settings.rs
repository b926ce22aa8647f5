//! Everything a user may say about an agent: one catalogue of settings, what they may be, and what becomes of what was said.
//!
//! ```text
//! JSON or TOML ──read──► AgentChange ──with──► AgentSettings ──► answers of the interface, files, the page docs/settings.md
//!                └──► Faults, each with a pointer to its place
//! ```
//!
//! [`catalogue`] is the one table of names, kinds, ranges and defaults (api-inventory sections 8 and 9); whatever reads, shows, stores or explains
//! a setting asks it. [`AgentSettings`] keeps what was set and nothing else, so that a default can change under agents that never chose.
//! Two names of the documents may stand for one value (R8: `max_call_duration` and `max_conversation_duration_seconds`): then one is the
//! setting, the other its twin, accepted and shown beside it.
//!
//! Not here: columns and SQL, HTTP, versions ([`crate::agent_version`]), and [`crate::agent::Agent`], which is what a call needs of all this.

pub mod catalogue;
mod change;
mod fault;
mod fitting;
mod object;
mod page;
mod read;
mod schema;
mod setting;
mod value;
mod words;

pub use change::{AgentChange, Scope};
pub(crate) use fault::nearest;
pub use fault::{Fault, Faults, MOST_FAULTS, Wrong, pointer};
pub(crate) use object::{read_fields, type_name};
pub use page::page;
pub use schema::{change_schema, shown_schema};
pub use setting::{Bounds, Effect, Form, Group, Kind, Preset, Setting, Switches, Unit, Word};
pub use value::{LanguageVoice, SettingValue};

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::agent::{Script, SystemTool};
use catalogue as settings;

/// What was set of one agent. Everything else is as the catalogue says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AgentSettings {
    set: BTreeMap<&'static str, SettingValue>,
}

impl AgentSettings {
    /// These settings after a change. Where a setting is a list of switches, a change turns those that it names.
    pub fn with(&self, change: &AgentChange) -> Self {
        let mut set = self.set.clone();
        for (setting, value) in change.iter() {
            let kept = match (set.remove(setting.name), value) {
                (before, Some(SettingValue::Switches(turned))) => {
                    let before =
                        if let Some(SettingValue::Switches(before)) = before { before } else { BTreeMap::new() };
                    turn(setting, before, turned)
                }
                (_, value) => value.cloned(),
            };
            if let Some(kept) = kept {
                set.insert(setting.name, kept);
            }
        }
        Self { set }
    }

    /// Reads what [`Self::stored`] wrote, this release or another, or somebody by hand. It never refuses an agent, whose callers wait: a value
    /// that does not fit is told, and what holds is the nearest that does, or the default. A setting that this release does not know is told
    /// and left out.
    pub fn from_stored(stored: &Map<String, Value>) -> (Self, Faults) {
        let (change, faults) = AgentChange::read_what_fits(stored);
        (Self::default().with(&change), faults)
    }

    /// What was set, by name, to be kept.
    pub fn stored(&self) -> Map<String, Value> {
        let json = |(setting, value): (&'static Setting, &SettingValue)| (setting.name.to_owned(), value.kept());
        self.iter().map(json).collect()
    }

    /// All settings by name, with defaults where nothing was set; twins beside their settings. What has neither is `null`.
    pub fn shown(&self) -> Map<String, Value> {
        self.shown_of(catalogue::all())
    }

    /// As [`Self::shown`], for the settings of one group.
    pub fn shown_group(&self, group: Group) -> Map<String, Value> {
        self.shown_of(catalogue::all().filter(|setting| setting.group == group))
    }

    fn shown_of(&self, settings: impl Iterator<Item = &'static Setting>) -> Map<String, Value> {
        let mut shown = Map::new();
        for setting in settings {
            let json = self.value(setting).map_or(Value::Null, |value| value.shown(setting));
            for name in std::iter::once(&setting.name).chain(setting.twins) {
                shown.insert((*name).to_owned(), json.clone());
            }
        }
        shown
    }

    /// What was set, in the catalogue's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Setting, &SettingValue)> {
        catalogue::all().filter_map(|setting| Some((setting, self.set.get(setting.name)?)))
    }

    /// What was set, if it was.
    pub fn set(&self, setting: &Setting) -> Option<&SettingValue> {
        self.set.get(setting.name)
    }

    /// What holds: what was set, else the default; `None` where something else decides ([`Preset::Unset`]).
    pub fn value(&self, setting: &Setting) -> Option<SettingValue> {
        let preset = setting.preset.value(&setting.kind);
        match (self.set.get(setting.name), preset) {
            (Some(SettingValue::Switches(turned)), Some(SettingValue::Switches(mut all))) => {
                all.extend(turned);
                Some(SettingValue::Switches(all))
            }
            (Some(value), _) => Some(value.clone()),
            (None, preset) => preset,
        }
    }

    /// The text that holds; empty where there is none.
    pub fn text(&self, setting: &Setting) -> String {
        match self.value(setting) {
            Some(SettingValue::Text(text)) => text,
            Some(SettingValue::Fraction(number)) => number.to_string(), // an eagerness between the words
            _ => String::new(),
        }
    }

    /// The whole number that holds.
    pub fn whole(&self, setting: &Setting) -> Option<i64> {
        match self.value(setting) {
            Some(SettingValue::Whole(number)) => Some(number),
            _ => None,
        }
    }

    /// The number that holds.
    pub fn fraction(&self, setting: &Setting) -> Option<f64> {
        match self.value(setting) {
            Some(SettingValue::Fraction(number)) => Some(number),
            Some(SettingValue::Whole(number)) => Some(number as f64),
            _ => None,
        }
    }

    /// Whether it is on.
    pub fn flag(&self, setting: &Setting) -> bool {
        matches!(self.value(setting), Some(SettingValue::Flag(true)))
    }

    /// The words of a list of switches that are on, in the catalogue's order.
    pub fn on(&self, setting: &Setting) -> Vec<&'static str> {
        match self.value(setting) {
            Some(SettingValue::Switches(turned)) => setting
                .kind
                .words()
                .iter()
                .map(|word| word.name)
                .filter(|name| turned.get(name) == Some(&true))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The terms of a text with commas.
    pub fn terms(&self, setting: &Setting) -> Vec<String> {
        let text = self.text(setting);
        text.split(',').map(str::trim).filter(|term| !term.is_empty()).map(str::to_owned).collect()
    }

    /// The object that holds; empty where there is none.
    pub fn object(&self, setting: &Setting) -> Map<String, Value> {
        match self.value(setting) {
            Some(SettingValue::Object(object)) => object,
            _ => Map::new(),
        }
    }

    /// The voices of further languages.
    pub fn languages(&self) -> Vec<LanguageVoice> {
        match self.value(&settings::LANGUAGES) {
            Some(SettingValue::Languages(rows)) => rows,
            _ => Vec::new(),
        }
    }

    /// The agent's name; empty before it has one.
    pub fn name(&self) -> String {
        self.text(&settings::NAME)
    }

    /// The agent's own words, as a call and a preview need them.
    pub fn script(&self) -> Script {
        let message = |setting| Some(self.text(setting)).filter(|text| !text.is_empty());
        Script {
            system_prompt: self.text(&settings::SYSTEM_PROMPT),
            sales_script: self.text(&settings::SALES_SCRIPT_TEXT),
            business_info: self.object(&settings::BUSINESS_INFO),
            knowledge_files: self.object(&settings::KNOWLEDGE_FILES),
            first_message_outbound: message(&settings::FIRST_MESSAGE_OUTBOUND),
            disclosure: message(&settings::DISCLOSURE_MESSAGE),
            // Not what holds but what was set: where nothing was, the server says.
            system_tools: self.set(&settings::SYSTEM_TOOLS).map(|_| self.system_tools()),
        }
    }

    fn system_tools(&self) -> Vec<SystemTool> {
        self.on(&settings::SYSTEM_TOOLS).into_iter().filter_map(SystemTool::parse).collect()
    }
}

/// Switches after some were turned: those are kept that are not as the catalogue has them.
fn turn(
    setting: &Setting,
    mut kept: BTreeMap<&'static str, bool>,
    turned: &BTreeMap<&'static str, bool>,
) -> Option<SettingValue> {
    kept.extend(turned);
    for word in setting.kind.words() {
        if kept.get(word.name) == Some(&word.on) {
            kept.remove(word.name);
        }
    }
    (!kept.is_empty()).then_some(SettingValue::Switches(kept))
}

#[cfg(test)]
pub(crate) mod tests;
