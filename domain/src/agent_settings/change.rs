//! A change to an agent: what a document sets and what it takes back, checked as a whole.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::AgentSettings;
use super::catalogue::{self, READ_ONLY};
use super::fault::{Faults, Wrong, fold, nearest, pointer, shown};
use super::fitting::what_fits;
use super::object::type_name;
use super::read::{Read, read};
use super::setting::{Group, Setting};
use super::value::SettingValue;
use crate::number::Region;

/// Fields of one document that are looked at: several times as many as there are.
const MOST_FIELDS: usize = 500;

/// Which settings a document may carry, and where it stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scope<'a> {
    /// These groups alone; empty for all.
    pub groups: &'a [Group],
    /// These names alone; empty for all.
    pub names: &'a [&'static str],
    /// Pointer to the document within what the client sent, such as `/call_settings`.
    pub at: &'a str,
    /// Whose telephone numbers come without a country code.
    pub region: Option<Region>,
}

/// A checked change. Fields that it does not name stay as they are.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AgentChange {
    /// `None` takes a setting back to its default.
    to: BTreeMap<&'static str, Option<SettingValue>>,
}

impl AgentChange {
    /// Reads a JSON object whose keys are names of settings. `null`, and an empty text, take a setting back to its default.
    ///
    /// Total and bounded: any value gives a change or its faults, [`super::MOST_FAULTS`] of them at most.
    pub fn read(document: &Value, scope: Scope<'_>) -> Result<Self, Faults> {
        let mut reader = Reader::default();
        match document {
            Value::Object(fields) if fields.len() > MOST_FIELDS => {
                reader.faults.push(scope.at, || too_many(fields));
            }
            Value::Object(fields) => {
                for (key, value) in fields {
                    reader.field(scope, key, value);
                }
            }
            other => reader.faults.push(scope.at, || Wrong::Type { wanted: "an object", found: type_name(other) }),
        }
        reader.finish()
    }

    /// As [`Self::read`], where a new agent is made: its name must be there. What is made is what was set.
    pub fn read_new(document: &Value, scope: Scope<'_>) -> Result<AgentSettings, Faults> {
        let named = |change: &Self| change.to.contains_key(catalogue::NAME.name);
        let mut faults = match Self::read(document, scope) {
            Ok(change) if named(&change) => return Ok(AgentSettings::default().with(&change)),
            Ok(_) => Faults::default(),
            Err(faults) if has_name(document) => return Err(faults),
            Err(faults) => faults,
        };
        if document.is_object() {
            faults.push(&pointer(scope.at, catalogue::NAME.name), || Wrong::Missing("an agent needs a name"));
        }
        Err(faults)
    }

    /// Reads the whole of one group: what the document leaves out goes back to its default. An agent cannot go back to having no name.
    pub fn read_group(group: Group, document: &Value, scope: Scope<'_>) -> Result<Self, Faults> {
        let mut change = Self::read(document, Scope { groups: &[group], ..scope })?;
        for setting in catalogue::all().filter(|setting| setting.group == group && setting.name != catalogue::NAME.name)
        {
            let to = change.to.entry(setting.name).or_insert(None);
            *to = to.take().map(|value| value.completed(setting));
        }
        Ok(change)
    }

    /// Reads the whole of one setting, where the document is its value: of switches, those that it leaves out go back to their default.
    pub fn read_setting(setting: &'static Setting, document: &Value, scope: Scope<'_>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let to = match read(setting, document, scope.region, scope.at, &mut faults) {
            Read::Set(value) => Some(value.completed(setting)),
            Read::Clear if setting.name != catalogue::NAME.name => None,
            Read::Clear => {
                faults.push(scope.at, || Wrong::Missing("an agent needs a name"));
                return Err(faults);
            }
            Read::Refused => return Err(faults),
        };
        Ok(Self { to: BTreeMap::from([(setting.name, to)]) })
    }

    /// Reads a document of groups, each an object of its settings: the shape of a file.
    pub(crate) fn read_grouped(document: &Map<String, Value>, region: Option<Region>) -> Result<Self, Faults> {
        let mut reader = Reader::default();
        if document.len() > MOST_FIELDS {
            reader.faults.push("", || too_many(document));
            return reader.finish();
        }
        for (key, value) in document {
            let at = pointer("", key);
            match (Group::ALL.iter().find(|group| group.name() == key), value) {
                (Some(group), Value::Object(fields)) if fields.len() <= MOST_FIELDS => {
                    for (key, value) in fields {
                        reader.field(Scope { groups: &[*group], names: &[], at: &at, region }, key, value);
                    }
                }
                (Some(_), Value::Object(fields)) => {
                    reader.faults.push(&at, || too_many(fields));
                }
                (Some(_), other) => {
                    reader.faults.push(&at, || Wrong::Type { wanted: "a table", found: type_name(other) })
                }
                (None, _) => reader.faults.push(&at, || match catalogue::find(key) {
                    Some(setting) => Wrong::Misplaced(setting.group.name()),
                    None => Wrong::Unknown { nearest: nearest(key, Group::ALL.iter().map(|group| group.name())) },
                }),
            }
        }
        reader.finish()
    }

    /// Everything of a kept document that can still be read, the nearest to what cannot, and what that is.
    pub(super) fn read_what_fits(document: &Map<String, Value>) -> (Self, Faults) {
        let mut reader = Reader::default();
        for (key, value) in document {
            reader.field(Scope::default(), key, value);
            if let Some(setting) = catalogue::find(key)
                && !reader.change.names(setting)
                && let Some(fitting) = what_fits(setting, value)
            {
                reader.change.to.insert(setting.name, Some(fitting));
            }
        }
        (reader.change, reader.faults)
    }

    /// The change that makes `to` of `from`.
    pub fn between(from: &AgentSettings, to: &AgentSettings) -> Self {
        let changed = |setting: &&'static Setting| from.set(setting) != to.set(setting);
        let change = |setting: &'static Setting| {
            let value = match (from.set(setting), to.set(setting), to.value(setting)) {
                // A change turns only the words that it names, so those that go back to their default are named too.
                (
                    Some(SettingValue::Switches(turned)),
                    Some(SettingValue::Switches(_)),
                    Some(SettingValue::Switches(all)),
                ) => {
                    let SettingValue::Switches(mut named) = to.set(setting)?.clone() else { return None };
                    named.extend(turned.keys().filter_map(|word| Some((*word, *all.get(word)?))));
                    Some(SettingValue::Switches(named))
                }
                (_, value, _) => value.cloned(),
            };
            Some((setting.name, value))
        };
        Self { to: catalogue::all().filter(changed).filter_map(change).collect() }
    }

    /// This change and then another; of a setting that both name, the other's value.
    pub fn and(mut self, other: Self) -> Self {
        self.to.extend(other.to);
        self
    }

    /// What it sets, or takes back, in the catalogue's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Setting, Option<&SettingValue>)> {
        catalogue::all().filter_map(|setting| Some((setting, self.to.get(setting.name)?.as_ref())))
    }

    /// It names nothing.
    pub fn is_empty(&self) -> bool {
        self.to.is_empty()
    }

    /// It names this setting.
    pub fn names(&self, setting: &Setting) -> bool {
        self.to.contains_key(setting.name)
    }
}

fn too_many(fields: &Map<String, Value>) -> Wrong {
    Wrong::TooMuch { found: fields.len(), most: MOST_FIELDS, of: "fields" }
}

/// A name was given, though it may not have been a good one.
fn has_name(document: &Value) -> bool {
    let names = std::iter::once(&catalogue::NAME.name).chain(catalogue::NAME.synonyms);
    names.into_iter().any(|name| document.get(name).is_some_and(|value| !value.is_null()))
}

#[derive(Default)]
struct Reader {
    change: AgentChange,
    /// By which name each setting was given.
    given: BTreeMap<&'static str, String>,
    faults: Faults,
}

impl Reader {
    fn field(&mut self, scope: Scope<'_>, key: &str, value: &Value) {
        let at = pointer(scope.at, key);
        let Some(setting) = catalogue::find(key) else {
            let read_only = READ_ONLY.iter().find(|(name, _)| *name == key);
            return self.faults.push(&at, || match read_only {
                Some((_, why)) => Wrong::ReadOnly(why),
                None => Wrong::Unknown { nearest: meant(key, scope) },
            });
        };
        if !scope.holds(setting, key) {
            return self.faults.push(&at, || Wrong::Misplaced(setting.group.name()));
        }
        let value = match read(setting, value, scope.region, &at, &mut self.faults) {
            Read::Set(value) => Some(value),
            Read::Clear if setting.name == catalogue::NAME.name => {
                return self.faults.push(&at, || Wrong::Missing("an agent needs a name"));
            }
            Read::Clear => None,
            Read::Refused => return,
        };
        match (self.given.insert(setting.name, key.to_owned()), self.change.to.get(setting.name)) {
            (Some(other), Some(before)) if *before != value => self.faults.push(&at, || Wrong::Contradicts(other)),
            _ => {
                self.change.to.insert(setting.name, value);
            }
        }
    }

    fn finish(self) -> Result<AgentChange, Faults> {
        if self.faults.is_empty() { Ok(self.change) } else { Err(self.faults) }
    }
}

impl Scope<'_> {
    fn holds(&self, setting: &Setting, name: &str) -> bool {
        (self.groups.is_empty() || self.groups.contains(&setting.group))
            && (self.names.is_empty() || self.names.contains(&name))
    }
}

/// The setting that was probably meant: the same name in another spelling, else the nearest.
fn meant(key: &str, scope: Scope<'_>) -> Option<&'static str> {
    let names = catalogue::all().flat_map(|setting| {
        let names = std::iter::once(&setting.name).chain(setting.twins).chain(setting.synonyms);
        names.copied().filter(move |name| scope.holds(setting, name))
    });
    let names: Vec<&'static str> = names.collect();
    let folded = fold(&shown(key));
    names.iter().find(|name| **name == folded).copied().or_else(|| nearest(key, names.into_iter()))
}
