//! The playbook engine: asks for typed answers, reads them back, takes corrections, and knows when it is done.
//!
//! A [`Playbook`] is data from a TOML file; the engine is a pure function from state and utterance to [`Reply`]. It keeps nothing: the call core
//! holds the [`PlaybookState`] and hands it back, so a restarted part repeats no question and loses no slot. It runs with rules alone; a model
//! may propose answers later, but what is filled and when all is done is decided here.
//!
//! ```text
//! start ─► Answer(slot) ─► … ─► Confirmation(all) ─► Nothing(completed)
//!            │   ▲  ▲               │    ▲
//!            │   │  └──── Change ◄──┘    │ "no, fifty lakh" is applied and read back again
//!            └───┴───────────────────────┘
//! ```
//!
//! Stages are a playbook's own; the usual ones are `language_selection` (a slot of this stage sets the language of all that follows), `welcome`
//! (its lines are said once the language is known), `collecting` and `completed`. Texts in further languages stand under `[languages.<tag>]`
//! with the keys of the file itself, slots by their names; callers are understood in all of them at once. An `offer` is a last question that
//! "no" and silence decline: all is read back before it. `[[client_tools]]` tell the far end of answers and of the end.
//!
//! Confirmation is by `policy`: `each` answer with a question, all at the `end`, by `confidence`, or `none`. Corrections are heard at any time,
//! and a person takes over when asked for, when a slot gives up in favour of one, or after `handover_after` failures in a row.
//!
//! What has to be heard (a consent, a legal text) is `protected`: a slot's question by `protected = true`, a line of `greeting`, `returning`, `welcome` or
//! `closing` by being written `{ say = "…", protected = true }`. Nobody's speech and no key stops it. Protected lines of `greeting` are said whatever
//! an agent says in the greeting's place.
//!
//! Nothing loops: reprompts a slot, read-backs, delays and silences are counted, and `max_turns` closes every call.
//! Not here: time (the silence ladder calls [`Playbook::respond_silence`]), audio, models, and any wording that belongs to a file.

mod check;
mod delay;
mod engine;
mod hearing;
mod languages;
mod line;
mod phrases;
mod plan;
mod speech;
mod state;
mod tools;
mod understand;

pub use check::PlaybookError;
pub use plan::{Exhausted, SlotSpec, Unknown};
pub use state::{
    Awaiting, Context, Decision, Ending, Expected, Filled, Half, HalfHeard, Heard, PlaybookState, Reply, SkipReason,
    Skipped, stage,
};
pub use tools::ToolCall;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::endpointing::{Expects, Spelled};
use crate::slot::choice::Choices;
use crate::slot::place::Gazetteer;
use crate::slot::words::Phrase;
use crate::slot::{SlotType, Term, Tongue};
use phrases::Phrases;
use plan::Plan;

/// A checked playbook, ready to answer calls. Share it by reference; it never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Playbook {
    plan: Plan,
    /// The same in other languages.
    others: BTreeMap<String, Plan>,
    ready: Ready,
}

/// What the plan's texts become for searching.
#[derive(Debug, Clone, PartialEq)]
struct Ready {
    phrases: ReadyPhrases,
    slots: Vec<ReadySlot>,
}

#[derive(Debug, Clone, PartialEq)]
struct ReadyPhrases {
    handover: Vec<Phrase>,
    repeat: Vec<Phrase>,
    help: Vec<Phrase>,
    wait: Vec<Phrase>,
    unknown: Vec<Phrase>,
    refuse: Vec<Phrase>,
    goodbye: Vec<Phrase>,
    correction: Vec<Phrase>,
}

/// Search structures of one slot; empty where its type needs none.
#[derive(Debug, Clone, PartialEq)]
struct ReadySlot {
    choices: Choices,
    gazetteer: Gazetteer,
    cues: Vec<Phrase>,
}

impl Playbook {
    /// Reads a playbook file. Errors name the line.
    pub fn from_toml(text: &str) -> Result<Self, PlaybookError> {
        let check::Plans { base: plan, others } = check::read(text)?;
        let ready = Ready::new(&plan, &others);
        Ok(Self { plan, others, ready })
    }

    /// The default agent: a front desk for real estate that asks for property, location and budget.
    pub fn front_desk() -> Self {
        Self::from_toml(include_str!("../playbooks/front-desk.toml"))
            .expect("the embedded playbook is sound: a test reads it")
    }

    /// A delivery desk that speaks English and Hindi: asks for the language, the charge and the time.
    pub fn logistics() -> Self {
        Self::from_toml(include_str!("../playbooks/logistics.toml"))
            .expect("the embedded playbook is sound: a test reads it")
    }

    /// Unique name, such as `front-desk`.
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// Name for people.
    pub fn title(&self) -> &str {
        &self.plan.title
    }

    /// BCP 47 tag.
    pub fn language(&self) -> &str {
        &self.plan.language
    }

    /// Whether it has words of its own for a caller whom we know by name.
    pub fn greets_returning(&self) -> bool {
        !self.plan.returning.is_empty()
    }

    /// Whether it opens with a greeting of its own.
    pub fn greets(&self) -> bool {
        !self.plan.greeting.is_empty()
    }

    /// The plan in a language: that of the whole tag, else of its first part, else the playbook's own.
    fn plan_in<'p>(&'p self, language: &str) -> &'p Plan {
        let primary = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        if language == self.plan.language {
            return &self.plan;
        }
        let alike = |tag: &str| primary(tag) == primary(language);
        self.others
            .get(language)
            .or_else(|| {
                (!alike(&self.plan.language))
                    .then(|| self.others.iter().find(|(tag, _)| alike(tag)))?
                    .map(|(_, plan)| plan)
            })
            .unwrap_or(&self.plan)
    }

    /// What is asked, in order.
    pub fn slots(&self) -> &[SlotSpec] {
        &self.plan.slots
    }

    /// Its own variables, as they are without a call.
    pub fn variables(&self) -> &std::collections::BTreeMap<String, String> {
        &self.plan.variables
    }

    /// What is said to the beginning of a telephone number, with `{heard}` for the digits that we have.
    pub fn asks_for_more(&self) -> &str {
        &self.plan.lines.more
    }

    /// The answers so far as `extracted_data`: typed JSON values by slot name (see [`crate::slot::SlotValue::extract`]).
    pub fn extracted_data(&self, state: &PlaybookState) -> Map<String, Value> {
        let mut data = Map::new();
        for spec in self.slots() {
            if let Some(filled) = state.slots.get(&spec.name) {
                filled.value.extract(&spec.name, &mut data);
            } else if let Some(value) = state.skipped.get(&spec.name).and_then(|skipped| skipped.value.as_deref()) {
                data.insert(spec.name.clone(), Value::from(value));
            }
        }
        data
    }

    /// All required slots have answers.
    pub fn is_qualified(&self, state: &PlaybookState) -> bool {
        self.slots().iter().filter(|spec| spec.required).all(|spec| state.slots.contains_key(&spec.name))
    }

    /// What the next utterance probably is: hints for the recogniser and, by type, for endpointing.
    pub fn expected(&self, state: &PlaybookState) -> Expected {
        let asked = match &state.awaiting {
            Awaiting::Answer { slot } => self.slot_index(slot),
            Awaiting::Confirmation { .. } | Awaiting::Change { .. } => None,
            Awaiting::Nothing { .. } => return Expected::default(),
        };
        let mut expected = Expected::default();
        if asked.is_none() {
            expected.slot_types.push(SlotType::YesNo);
            let words = match Tongue::of(&self.plan_in(&state.language).language) {
                Tongue::English => ["yes", "no"],
                Tongue::Hindi => ["हाँ", "नहीं"],
            };
            expected.vocabulary.extend(words.map(str::to_owned));
        }
        // An offer that was not made yet is seldom taken up, and its words would make others misheard.
        let offered = |i: usize| !self.slots()[i].offer || state.slots.contains_key(&self.slots()[i].name);
        let open = |i: usize| match asked {
            Some(_) => offered(i) && !state.slots.contains_key(&self.slots()[i].name),
            None => offered(i),
        };
        let rest = (0..self.slots().len()).filter(|i| Some(*i) != asked && open(*i));
        let slots = &self.plan_in(&state.language).slots;
        for spec in asked.into_iter().chain(rest).map(|i| &slots[i]) {
            if !expected.slot_types.contains(&spec.kind) {
                expected.slot_types.push(spec.kind);
            }
            for word in speech::vocabulary(spec) {
                if expected.vocabulary.len() < MOST_HINTS && !expected.vocabulary.contains(&word) {
                    expected.vocabulary.push(word);
                }
            }
        }
        expected
    }

    /// What the caller's next words answer, for endpointing.
    fn expects(&self, state: &PlaybookState, context: &Context) -> Option<Expects> {
        let slot = match &state.awaiting {
            Awaiting::Answer { slot } => &self.slots()[self.slot_index(slot)?],
            Awaiting::Confirmation { .. } => return Some(Expects::YesNo),
            Awaiting::Change { .. } | Awaiting::Nothing { .. } => return None,
        };
        let spelled = slot.dictated.or(match slot.kind {
            SlotType::Phone => Some(Spelled::Phone),
            SlotType::Email => Some(Spelled::Email),
            SlotType::Money => Some(Spelled::Money),
            SlotType::Date => Some(Spelled::Date),
            SlotType::YesNo => return Some(Expects::YesNo),
            // A window may be any of a day, an hour and a part of the day: no reader knows when it is whole.
            SlotType::TimeWindow | SlotType::Time => None,
            SlotType::Choice | SlotType::Place | SlotType::Number | SlotType::Name | SlotType::Text => None,
        })?;
        let begun = state.half_heard.as_ref().filter(|half| half.slot == slot.name).map(|half| half.part.clone());
        Some(Expects::Value { spelled, region: context.region.clone(), begun })
    }

    fn slot_index(&self, name: &str) -> Option<usize> {
        self.slots().iter().position(|spec| spec.name == name)
    }
}

/// A recogniser's prompt is short; what comes last would push out what comes first.
const MOST_HINTS: usize = 60;

impl Ready {
    /// Callers mix their languages, so all of a playbook's are searched at once.
    fn new(plan: &Plan, others: &BTreeMap<String, Plan>) -> Self {
        let plans = || std::iter::once(plan).chain(others.values());
        let compile = |of: fn(&Phrases) -> &Vec<String>| {
            let mut notations: Vec<&String> = Vec::new();
            for notation in plans().flat_map(|plan| of(&plan.phrases)) {
                if !notations.contains(&notation) {
                    notations.push(notation);
                }
            }
            notations.into_iter().map(|notation| Phrase::new(notation)).collect()
        };
        Self {
            phrases: ReadyPhrases {
                handover: compile(|phrases| &phrases.handover),
                repeat: compile(|phrases| &phrases.repeat),
                help: compile(|phrases| &phrases.help),
                wait: compile(|phrases| &phrases.wait),
                unknown: compile(|phrases| &phrases.unknown),
                refuse: compile(|phrases| &phrases.refuse),
                goodbye: compile(|phrases| &phrases.goodbye),
                correction: compile(|phrases| &phrases.correction),
            },
            slots: (0..plan.slots.len())
                .map(|i| ReadySlot::new(&plans().map(|plan| &plan.slots[i]).collect::<Vec<_>>()))
                .collect(),
        }
    }
}

impl ReadySlot {
    /// From one slot in all its languages, the playbook's own first.
    fn new(specs: &[&SlotSpec]) -> Self {
        let terms: Vec<Term> = specs.iter().flat_map(|spec| spec.vocabulary.clone()).collect();
        let kind = specs.first().map(|spec| spec.kind);
        let own_names = specs.iter().take(1).map(|spec| spec.name.replace(['_', '-'], " "));
        let mut cues: Vec<String> = own_names.collect();
        for cue in specs.iter().flat_map(|spec| &spec.cues) {
            if !cues.contains(cue) {
                cues.push(cue.clone());
            }
        }
        Self {
            choices: if kind == Some(SlotType::Choice) { Choices::new(&terms) } else { Choices::default() },
            gazetteer: if kind == Some(SlotType::Place) { Gazetteer::with(&terms) } else { Gazetteer::default() },
            cues: cues.iter().map(|cue| Phrase::new(cue)).collect(),
        }
    }
}
