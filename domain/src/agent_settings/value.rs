//! The value of one setting, checked and in its one spelling.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::setting::{Form, Kind, Setting};

/// A checked value. Texts have no space around them where they are one line; words are in the catalogue's spelling.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingValue {
    /// True or false.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A number, finite.
    Fraction(f64),
    /// A text or a word, never empty.
    Text(String),
    /// Words that were turned on or off; others are as they were.
    Switches(BTreeMap<&'static str, bool>),
    /// Voices of further languages, by language, each once.
    Languages(Vec<LanguageVoice>),
    /// A JSON object without `null`.
    Object(Map<String, Value>),
}

/// The voice of one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LanguageVoice {
    /// BCP 47 tag.
    pub language_code: String,
    /// Voice by its vendor's name; the agent's own where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_id: Option<String>,
    /// Vendors in order; the agent's own where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tts_provider: Option<String>,
}

impl SettingValue {
    /// The same, where it says all: switches that it does not name are as the catalogue has them.
    pub(super) fn completed(mut self, setting: &Setting) -> Self {
        if let Self::Switches(turned) = &mut self {
            for word in setting.kind.words() {
                turned.entry(word.name).or_insert(word.on);
            }
        }
        self
    }

    /// As it is shown to clients: switches all, in their setting's form.
    pub fn shown(&self, setting: &Setting) -> Value {
        match (self, &setting.kind) {
            (Self::Switches(turned), Kind::Switches(switches)) if switches.form == Form::List => switches
                .words
                .iter()
                .filter(|word| turned.get(word.name) == Some(&true))
                .map(|word| word.name)
                .collect(),
            _ => self.kept(),
        }
    }

    /// As it is kept and written to files: switches by name, only those that were turned.
    pub fn kept(&self) -> Value {
        match self {
            Self::Flag(on) => json!(on),
            Self::Whole(number) => json!(number),
            Self::Fraction(number) => json!(number),
            Self::Text(text) => json!(text),
            Self::Switches(turned) => turned.iter().map(|(name, on)| ((*name).to_owned(), json!(on))).collect(),
            Self::Languages(rows) => json!(rows),
            Self::Object(object) => Value::Object(object.clone()),
        }
    }
}
