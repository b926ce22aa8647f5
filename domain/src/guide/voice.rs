//! E4, E5 and E6: how an agent sounds.

use serde::Serialize;
use serde_json::Value;

use super::{IntegrationHealth, Whose, one_text, one_text_schema, some_of};
use crate::agent_settings::{AgentChange, Faults, Scope, catalogue as settings};

/// Fields of E5. The first three are those of its examples; the others are what E4 shows, sent back.
const FIELDS: &[&str] =
    &["voice_model", "personality_type", "conversation_style", "response_speed", "language", "call_objective"];
/// What E4 shows as the language of an agent that has not chosen one.
const UNCHOSEN_LANGUAGE: &str = "en-US";
/// Characters of a test's message: half a minute of speech.
const MOST_TEST: usize = 500;

/// Answer of E4.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VoiceView {
    /// The agent's UUID.
    pub agent_id: uuid::Uuid,
    /// Its name.
    pub agent_name: String,
    /// What holds.
    pub current_settings: CurrentVoice,
    /// What `voice_model` may be, of the voices that are there.
    pub available_voices: Vec<VoiceOffer>,
    /// What `personality_type` may be.
    pub personality_options: Vec<PersonalityOption>,
    /// Whether the voice's vendor can be reached.
    pub homeai_status: IntegrationHealth,
}

/// The settings that hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CurrentVoice {
    /// The voice; `null` for the engine's default.
    pub voice_model: Option<String>,
    /// How it comes across.
    pub personality_type: String,
    /// How soon it answers.
    pub response_speed: String,
    /// BCP 47 tag.
    pub language: String,
}

/// A voice that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VoiceOffer {
    /// By its vendor's name.
    pub id: String,
    /// For people.
    pub name: String,
    /// Such as "Indian English"; empty where nobody says.
    pub accent: String,
}

/// A personality that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonalityOption {
    /// The word.
    pub id: &'static str,
    /// For people.
    pub name: String,
    /// What it means.
    pub description: &'static str,
}

impl PersonalityOption {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let words = settings::PERSONALITY_TYPE.kind.words().iter();
        words.map(|word| Self { id: word.name, name: capitalised(word.name), description: word.about }).collect()
    }
}

impl VoiceView {
    /// The answer about one agent.
    pub fn of(agent: Whose<'_>, available_voices: Vec<VoiceOffer>, homeai_status: IntegrationHealth) -> Self {
        let set = agent.settings;
        let chosen = |setting| Some(set.text(setting)).filter(|text| !text.is_empty());
        let language = match set.set(&settings::DEFAULT_LANGUAGE) {
            Some(_) => set.text(&settings::DEFAULT_LANGUAGE),
            None => UNCHOSEN_LANGUAGE.to_owned(),
        };
        Self {
            agent_id: agent.uuid,
            agent_name: set.name(),
            current_settings: CurrentVoice {
                voice_model: chosen(&settings::VOICE_ID),
                personality_type: set.text(&settings::PERSONALITY_TYPE),
                response_speed: set.text(&settings::RESPONSE_SPEED),
                language,
            },
            available_voices,
            personality_options: PersonalityOption::all(),
            homeai_status,
        }
    }
}

/// Reads the body of E5: any subset of its fields.
pub fn read_voice(body: &Value) -> Result<AgentChange, Faults> {
    AgentChange::read(body, Scope { names: FIELDS, ..Scope::default() })
}

/// The body of E5 as JSON Schema.
pub fn voice_schema() -> Value {
    some_of(FIELDS)
}

/// Answer of E5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VoiceChanged {
    /// For people.
    pub message: String,
    /// What the voice's vendor calls this agent: its UUID, for a vendor that keeps no personas.
    pub homeai_persona_id: String,
    /// The voice; `null` for the engine's default.
    pub voice_model: Option<String>,
    /// How it comes across.
    pub personality_type: String,
}

impl VoiceChanged {
    /// The answer about an agent as it is after the change. `persona` is its id at a vendor that keeps personas.
    pub fn of(agent: Whose<'_>, persona: Option<String>) -> Self {
        let VoiceView { current_settings, .. } = VoiceView::of(agent, Vec::new(), IntegrationHealth::NotConfigured);
        Self {
            message: "voice settings saved; the next call has them".to_owned(),
            homeai_persona_id: persona.unwrap_or_else(|| agent.uuid.to_string()),
            voice_model: current_settings.voice_model,
            personality_type: current_settings.personality_type,
        }
    }
}

/// Body of E6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceTest {
    /// What the agent is told.
    pub test_message: String,
}

impl VoiceTest {
    /// Reads the body.
    pub fn read(body: &Value) -> Result<Self, Faults> {
        Ok(Self { test_message: one_text(body, "test_message", MOST_TEST)? })
    }
}

/// The body of E6 as JSON Schema.
pub fn voice_test_schema() -> Value {
    one_text_schema("test_message", MOST_TEST)
}

/// Answer of E6.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VoiceTested {
    /// It spoke.
    pub test_successful: bool,
    /// What it said.
    pub agent_response: String,
    /// Where that can be heard.
    pub voice_url: String,
    /// How it came across.
    pub personality_detected: PersonalityDetected,
    /// From the message to the first sound, in milliseconds; 0 where there was none.
    pub response_time_ms: u64,
    /// Why it did not speak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// How an answer came across.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonalityDetected {
    /// Such as `friendly`.
    pub detected_tone: String,
    /// 0 to 100.
    confidence: u8,
    /// Such as `neutral`.
    pub emotion: String,
}

impl PersonalityDetected {
    /// `confidence` is 0 to 1, as everywhere else (R15).
    pub fn new(detected_tone: String, confidence: f32, emotion: String) -> Self {
        // Saturating: what is no number is no confidence.
        Self { detected_tone, confidence: (confidence.clamp(0.0, 1.0) * 100.0).round() as u8, emotion }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
