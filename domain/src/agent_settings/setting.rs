//! What one setting is: its name, its kind, what holds where it is not set, and whether this version acts on it.

use std::fmt;

use super::value::SettingValue;

/// One setting of an agent. Two are the same setting when their names are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Name of the column and of the JSON key.
    pub name: &'static str,
    /// Further names that are read.
    pub synonyms: &'static [&'static str],
    /// Further names that are read and shown, because documents print them as fields of their own.
    pub twins: &'static [&'static str],
    /// Where it stands.
    pub group: Group,
    /// What it may be.
    pub kind: Kind,
    /// What holds where it is not set.
    pub preset: Preset,
    /// Whether it does anything yet.
    pub effect: Effect,
    /// What it is for: one sentence, lower case, no full stop.
    pub about: &'static str,
}

/// Settings that belong together. One heading of the page, one table of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Who it is, and who does its work.
    Identity,
    /// Its words and what it knows.
    Script,
    /// First words.
    FirstMessage,
    /// How it sounds and speaks.
    Voice,
    /// The voice that says it, in detail.
    VoiceConfig,
    /// Voices of further languages.
    Languages,
    /// What it does with a telephone.
    Calling,
    /// How much it may do.
    Limits,
    /// How it waits and takes turns.
    Behaviour,
    /// What it does about words that were hardly understood.
    Uncertainty,
    /// What is heard under its voice.
    Ambience,
    /// What it must not do.
    Guardrails,
    /// What it may do itself.
    Tools,
    /// What a page may change for its own talk.
    Overrides,
    /// What a page is told.
    ClientEvents,
    /// Whom it tells and asks.
    Webhooks,
    /// What is kept.
    Privacy,
}

impl Group {
    /// All, in their order.
    pub const ALL: [Self; 17] = [
        Self::Identity,
        Self::Script,
        Self::FirstMessage,
        Self::Voice,
        Self::VoiceConfig,
        Self::Languages,
        Self::Calling,
        Self::Limits,
        Self::Behaviour,
        Self::Uncertainty,
        Self::Ambience,
        Self::Guardrails,
        Self::Tools,
        Self::Overrides,
        Self::ClientEvents,
        Self::Webhooks,
        Self::Privacy,
    ];

    /// Name of its table in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Script => "script",
            Self::FirstMessage => "first_message",
            Self::Voice => "voice",
            Self::VoiceConfig => "voice_config",
            Self::Languages => "languages",
            Self::Calling => "calling",
            Self::Behaviour => "behaviour",
            Self::Uncertainty => "uncertainty",
            Self::Ambience => "ambience",
            Self::Limits => "limits",
            Self::Guardrails => "guardrails",
            Self::Tools => "tools",
            Self::Overrides => "overrides",
            Self::ClientEvents => "client_events",
            Self::Webhooks => "webhooks",
            Self::Privacy => "privacy",
        }
    }

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Identity => "Identity",
            Self::Script => "Script",
            Self::FirstMessage => "First message",
            Self::Voice => "Voice",
            Self::VoiceConfig => "Voice configuration",
            Self::Languages => "Languages",
            Self::Calling => "Calling",
            Self::Behaviour => "Behaviour",
            Self::Uncertainty => "Uncertainty",
            Self::Ambience => "Ambience",
            Self::Limits => "Limits",
            Self::Guardrails => "Guardrails",
            Self::Tools => "Tools",
            Self::Overrides => "Overrides",
            Self::ClientEvents => "Client events",
            Self::Webhooks => "Webhooks",
            Self::Privacy => "Privacy",
        }
    }
}

/// Whether this version acts on a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It does.
    InForce,
    /// Read, checked, kept and shown; its effect is to come.
    Stored,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Days.
    Days,
    /// Calls.
    Calls,
    /// A level or a ratio.
    None,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seconds => " seconds",
            Self::Days => " days",
            Self::Calls => " calls",
            Self::None => "",
        })
    }
}

/// What a number may be: from `from` to `to`, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds<N> {
    /// Least.
    pub from: N,
    /// Most.
    pub to: N,
    /// What it counts.
    pub unit: Unit,
    /// What -1 means, where it may be that too.
    pub off: Option<&'static str>,
}

impl<N: fmt::Display> fmt::Display for Bounds<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}{}", self.from, self.to, self.unit)?;
        self.off.map_or(Ok(()), |off| write!(f, ", or -1 ({off})"))
    }
}

/// A word that a setting may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// As it is stored and shown.
    pub name: &'static str,
    /// Other spellings that are read. Case, spaces and hyphens never count.
    pub synonyms: &'static [&'static str],
    /// On unless it is turned off; for words that are switches.
    pub on: bool,
    /// What it means.
    pub about: &'static str,
}

/// How a list of switches is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `{"no_pii": true, …}`, all of them.
    Object,
    /// `["audio", …]`, those that are on.
    List,
}

/// Words that are each on or off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Switches {
    /// The words.
    pub words: &'static [Word],
    /// What a row calls its word, such as `guardrail_key`.
    pub row_key: &'static str,
    /// What a row calls its state, such as `enabled`.
    pub row_state: &'static str,
    /// How they are shown.
    pub form: Form,
}

/// What a setting may be. Lengths are characters, sizes bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// An agent's name: also a segment of a path, so neither a number nor a UUID nor a word that a route has (R2).
    Name,
    /// One line of text.
    Line {
        /// Longest.
        most: usize,
    },
    /// Text of several lines.
    Prose {
        /// Longest.
        most: usize,
    },
    /// True or false.
    Flag,
    /// A whole number.
    Whole(Bounds<i64>),
    /// A number with a fraction.
    Fraction(Bounds<f64>),
    /// One of some words.
    Choice(&'static [Word]),
    /// One of some words, or a number from 0 to 1.
    Eagerness(&'static [Word]),
    /// A BCP 47 tag.
    Language,
    /// A telephone number.
    Telephone,
    /// An address that we call: http or https, without a user and a password.
    Url,
    /// Names and terms, separated by commas.
    Terms {
        /// How many.
        most: usize,
    },
    /// Words that are each on or off.
    Switches(Switches),
    /// Rows of `language_code`, `voice_id`, `tts_provider`.
    Languages {
        /// How many.
        most: usize,
    },
    /// A JSON object.
    Object {
        /// Largest, in bytes of its keys and values.
        most_bytes: usize,
        /// Members that must be texts where they are there.
        texts: &'static [&'static str],
    },
}

impl Kind {
    /// The words that it knows.
    pub fn words(&self) -> &'static [Word] {
        match self {
            Self::Choice(words) | Self::Eagerness(words) => words,
            Self::Switches(switches) => switches.words,
            _ => &[],
        }
    }
}

/// What holds where nothing was set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Preset {
    /// No value of its own; the sentence says what holds then. Empty where nothing does.
    Unset(&'static str),
    /// On or off.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A number.
    Fraction(f64),
    /// A text or a word.
    Text(&'static str),
    /// As each word says.
    Words,
    /// Nothing in it.
    Empty,
}

impl Preset {
    /// As a value, if it is one.
    pub(super) fn value(&self, kind: &Kind) -> Option<SettingValue> {
        match (self, kind) {
            (Self::Unset(_), _) => None,
            (Self::Flag(on), _) => Some(SettingValue::Flag(*on)),
            (Self::Whole(number), _) => Some(SettingValue::Whole(*number)),
            (Self::Fraction(number), _) => Some(SettingValue::Fraction(*number)),
            (Self::Text(text), _) => Some(SettingValue::Text((*text).to_owned())),
            (Self::Words, kind) => {
                Some(SettingValue::Switches(kind.words().iter().map(|word| (word.name, word.on)).collect()))
            }
            (Self::Empty, Kind::Languages { .. }) => Some(SettingValue::Languages(Vec::new())),
            (Self::Empty, Kind::Object { .. }) => Some(SettingValue::Object(serde_json::Map::new())),
            (Self::Empty, _) => Some(SettingValue::Text(String::new())),
        }
    }
}

impl Setting {
    /// A setting that this version acts on.
    pub(super) const fn in_force(
        group: Group,
        name: &'static str,
        kind: Kind,
        preset: Preset,
        about: &'static str,
    ) -> Self {
        Self { name, synonyms: &[], twins: &[], group, kind, preset, effect: Effect::InForce, about }
    }

    /// A setting whose effect is to come.
    pub(super) const fn stored(
        group: Group,
        name: &'static str,
        kind: Kind,
        preset: Preset,
        about: &'static str,
    ) -> Self {
        Self { effect: Effect::Stored, ..Self::in_force(group, name, kind, preset, about) }
    }

    /// The same, read by further names.
    pub(super) const fn or(self, synonyms: &'static [&'static str]) -> Self {
        Self { synonyms, ..self }
    }

    /// The same, read and shown by further names.
    pub(super) const fn twin(self, twins: &'static [&'static str]) -> Self {
        Self { twins, ..self }
    }
}
