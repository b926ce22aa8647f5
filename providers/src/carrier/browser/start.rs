//! The start of a talk: what the client wants, as the parameters of a [`LegStart`]. Whether it gets it is not decided here.
//!
//! | parameter        | from                                                                            |
//! |------------------|---------------------------------------------------------------------------------|
//! | `agent`          | the socket's URL                                                                |
//! | `override.NAME`  | `conversation_config_override.{agent,tts,asr}.NAME`                             |
//! | `text_only`      | `conversation_config_override.conversation.text_only`, if true                  |
//! | `variable.NAME`  | `dynamic_variables.NAME`                                                        |
//! | `user_id`        | the member of that name                                                         |

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tandem_domain::port::dialect::{Breach, LegStart};

use super::wire::{ClientData, Overrides};

/// Parameters that we keep.
const MAX_PARAMETERS: usize = 64;
/// Characters of a name, and of a value. A first message of more would take minutes to say.
const MAX_NAME_CHARS: usize = 100;
const MAX_VALUE_CHARS: usize = 2_000;
/// The parameter of a talk without sound.
const TEXT_ONLY: &str = "text_only";

/// Whether the client reads and does not listen.
pub(super) fn is_text_only(start: &LegStart) -> bool {
    start.parameters.contains_key(TEXT_ONLY)
}

/// The start of a talk with `agent`.
pub(super) fn leg_start(agent: Option<&str>, data: ClientData) -> Result<LegStart, Breach> {
    let mut wishes = Wishes(BTreeMap::new());
    if let Some(agent) = agent {
        wishes.add("agent", agent.to_owned())?;
    }
    if let Some(user) = data.user_id {
        wishes.add("user_id", user)?;
    }
    let Overrides { agent, tts, asr, conversation } = data.conversation_config_override.unwrap_or_default();
    for members in [agent, tts, asr].into_iter().flatten() {
        wishes.add_all("override.", members)?;
    }
    if conversation.and_then(|conversation| conversation.text_only) == Some(true) {
        wishes.add(TEXT_ONLY, "true".to_owned())?;
    }
    wishes.add_all("variable.", data.dynamic_variables.unwrap_or_default())?;
    Ok(LegStart { parameters: wishes.0, ..LegStart::default() })
}

struct Wishes(BTreeMap<String, String>);

impl Wishes {
    /// Adds members that say something. The public client writes `null`, or an object of `null`s, for what its user left out.
    fn add_all(&mut self, prefix: &str, members: Map<String, Value>) -> Result<(), Breach> {
        for (name, value) in members {
            match value {
                Value::Null => {}
                Value::Object(inner) if inner.values().all(Value::is_null) => {}
                Value::String(text) => self.add(&format!("{prefix}{name}"), text)?,
                other => self.add(&format!("{prefix}{name}"), other.to_string())?,
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, value: String) -> Result<(), Breach> {
        let too_long = |text: &str, limit: usize| text.chars().nth(limit).is_some();
        if self.0.len() >= MAX_PARAMETERS {
            return Err(Breach::MalformedMessage(format!("more than {MAX_PARAMETERS} values at the start")));
        }
        if too_long(name, MAX_NAME_CHARS) || too_long(&value, MAX_VALUE_CHARS) {
            return Err(Breach::MalformedMessage(format!(
                "a value at the start is longer than {MAX_VALUE_CHARS} characters, or its name than {MAX_NAME_CHARS}"
            )));
        }
        self.0.insert(name.to_owned(), value);
        Ok(())
    }
}
