//! Agents, as calls need them.

use serde_json::{Map, Value};
use sqlx::FromRow;
use sqlx::types::Json;
use tandem_domain::agent::{Agent, Ambience, AmbienceKind, Eagerness, Script, SpellingPatience, Timing, Uncertainty};
use tandem_domain::ids::{AgentId, BusinessId};
use tandem_domain::port::store::{AgentStore, RowKey, StoreFuture};
use uuid::Uuid;

use crate::Store;
use crate::error::Failure;
use crate::sql::on;
use crate::timing::Patience;
use crate::value;

macro_rules! agent_where {
    ($condition:literal) => {
        concat!(
            "SELECT id, uuid, business_id, name, playbook, default_language, voice_id, asr_keywords, first_message_inbound, ",
            "first_message_outbound, disclosure_message, system_prompt, sales_script_text, business_info, knowledge_files, ",
            "eagerness, turn_after_silence_seconds, end_after_silence_seconds, max_conversation_duration_seconds, ",
            "soft_timeout_seconds, llm_cascade_timeout_seconds, spelling_patience, speech_uncertainty_clarity_enabled, ",
            "low_confidence_threshold, low_confidence_message, ambience_type, ambience_volume, enable_call_recording ",
            "FROM agents WHERE business_id = $1 AND ",
            $condition
        )
    };
}

#[derive(FromRow)]
struct AgentRow {
    id: i64,
    uuid: Uuid,
    business_id: i64,
    name: String,
    playbook: String,
    default_language: String,
    voice_id: Option<String>,
    asr_keywords: String,
    first_message_inbound: Option<String>,
    first_message_outbound: Option<String>,
    disclosure_message: Option<String>,
    system_prompt: String,
    sales_script_text: String,
    business_info: Json<Value>,
    knowledge_files: Json<Value>,
    eagerness: String,
    turn_after_silence_seconds: i64,
    end_after_silence_seconds: i64,
    max_conversation_duration_seconds: Option<i64>,
    soft_timeout_seconds: f64,
    llm_cascade_timeout_seconds: i64,
    spelling_patience: String,
    speech_uncertainty_clarity_enabled: bool,
    low_confidence_threshold: f64,
    low_confidence_message: Option<String>,
    ambience_type: String,
    ambience_volume: f64,
    enable_call_recording: bool,
}

impl AgentRow {
    fn agent(self, server: &Timing) -> Result<Agent, Failure> {
        let patience = Patience {
            eagerness: Eagerness::parse(&self.eagerness).ok_or_else(|| Failure::unreadable("eagerness"))?,
            spelling: SpellingPatience::parse(&self.spelling_patience)
                .ok_or_else(|| Failure::unreadable("spelling_patience"))?,
            turn_after_silence_seconds: self.turn_after_silence_seconds,
            end_after_silence_seconds: self.end_after_silence_seconds,
            max_conversation_duration_seconds: self.max_conversation_duration_seconds,
            soft_timeout_seconds: self.soft_timeout_seconds,
            llm_cascade_timeout_seconds: self.llm_cascade_timeout_seconds,
        };
        Ok(Agent {
            id: AgentId(self.id),
            uuid: self.uuid,
            business: BusinessId(self.business_id),
            name: self.name,
            playbook: self.playbook,
            language: self.default_language,
            voice: self.voice_id.unwrap_or_default(),
            asr_keywords: keywords(&self.asr_keywords),
            first_message_inbound: message(self.first_message_inbound),
            timing: patience.timing(server),
            uncertainty: Uncertainty {
                enabled: self.speech_uncertainty_clarity_enabled,
                threshold: self.low_confidence_threshold as f32,
                message: message(self.low_confidence_message),
            },
            ambience: Ambience {
                kind: AmbienceKind::parse(&self.ambience_type).ok_or_else(|| Failure::unreadable("ambience_type"))?,
                volume: self.ambience_volume as f32,
            },
            recorded: self.enable_call_recording,
            script: Script {
                system_prompt: self.system_prompt,
                sales_script: self.sales_script_text,
                business_info: object(self.business_info, "business_info")?,
                knowledge_files: object(self.knowledge_files, "knowledge_files")?,
                first_message_outbound: message(self.first_message_outbound),
                disclosure: message(self.disclosure_message),
                system_tools: None, // no column of today's
            },
        })
    }
}

/// An empty message is none.
fn message(column: Option<String>) -> Option<String> {
    column.filter(|message| !message.trim().is_empty())
}

/// A column that holds a JSON object.
fn object(Json(column): Json<Value>, name: &'static str) -> Result<Map<String, Value>, Failure> {
    match column {
        Value::Object(object) => Ok(object),
        _ => Err(Failure::unreadable(name)),
    }
}

/// Splits the comma-separated column.
fn keywords(column: &str) -> Vec<String> {
    column.split(',').map(str::trim).filter(|keyword| !keyword.is_empty()).map(str::to_owned).collect()
}

impl Store {
    /// The row number of an agent by any of its keys.
    pub(crate) async fn agent_number(&self, business: BusinessId, key: &RowKey) -> Result<Option<i64>, Failure> {
        const BY_ID: &str = "SELECT id FROM agents WHERE business_id = $1 AND id = $2";
        const BY_UUID: &str = "SELECT id FROM agents WHERE business_id = $1 AND uuid = $2";
        const BY_NAME: &str = "SELECT id FROM agents WHERE business_id = $1 AND name_key = $2";
        Ok(on!(self.reader(), db => match key {
            RowKey::Number(id) => sqlx::query_scalar(BY_ID).bind(business.0).bind(id).fetch_optional(db).await,
            RowKey::Uuid(uuid) => sqlx::query_scalar(BY_UUID).bind(business.0).bind(uuid).fetch_optional(db).await,
            RowKey::Name(name) => {
                let name = value::text(name).to_lowercase();
                sqlx::query_scalar(BY_NAME).bind(business.0).bind(name).fetch_optional(db).await
            }
        })?)
    }
}

impl AgentStore for Store {
    fn agent(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<Agent>> {
        self.answer(async move {
            const BY_ID: &str = agent_where!("id = $2");
            const BY_UUID: &str = agent_where!("uuid = $2");
            const BY_NAME: &str = agent_where!("name_key = $2");
            let row: Option<AgentRow> = on!(self.reader(), db => match key {
                RowKey::Number(id) => sqlx::query_as(BY_ID).bind(business.0).bind(id).fetch_optional(db).await,
                RowKey::Uuid(uuid) => sqlx::query_as(BY_UUID).bind(business.0).bind(uuid).fetch_optional(db).await,
                RowKey::Name(name) => {
                    let name = value::text(&name).to_lowercase();
                    sqlx::query_as(BY_NAME).bind(business.0).bind(name).fetch_optional(db).await
                }
            })?;
            row.map(|row| row.agent(&self.timing)).transpose()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_split_at_commas() {
        assert_eq!(keywords(" Gurugram, sector 56 ,,lakh,"), ["Gurugram", "sector 56", "lakh"]);
        assert!(keywords(" ").is_empty());
    }
}
