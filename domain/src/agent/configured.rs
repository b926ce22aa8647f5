//! From what was set of an agent to the agent that a call runs. Pure.
//!
//! The one way from settings to calls: a setting that is said to be in force has its effect here, and a test below holds every one of them to
//! that. `-1` switches a time off.
//!
//! Source: api-inventory section 8, R8; design.md section 12 items 4, 5 and 9.

use std::time::Duration;

use super::{Agent, Ambience, AmbienceKind, Eagerness, LONGEST_CALL, SpellingPatience, Timing, Uncertainty};
use crate::admission::{Caps, Terms};
use crate::agent_settings::{AgentSettings, Setting, catalogue as settings};
use crate::agent_version::VersionNumber;
use crate::ids::{AgentId, BusinessId};

/// Which agent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Row number.
    pub id: AgentId,
    /// Public id.
    pub uuid: uuid::Uuid,
    /// Owner.
    pub business: BusinessId,
}

impl Agent {
    /// The agent of these settings, as a call needs it. `server` gives what no agent sets, and the longest call of those that set none.
    pub fn configured(identity: Identity, set: &AgentSettings, server: &Timing) -> Self {
        Self {
            id: identity.id,
            uuid: identity.uuid,
            business: identity.business,
            version: VersionNumber::FIRST, // whoever read a row knows better
            name: set.name(),
            playbook: set.text(&settings::PLAYBOOK),
            language: set.text(&settings::DEFAULT_LANGUAGE),
            voice: set.text(&settings::VOICE_ID),
            asr_keywords: keywords(&set.text(&settings::ASR_KEYWORDS)),
            first_message_inbound: Some(set.text(&settings::FIRST_MESSAGE_INBOUND)).filter(|text| !text.is_empty()),
            timing: timing(set, server),
            uncertainty: uncertainty(set),
            ambience: ambience(set),
            recorded: set.flag(&settings::ENABLE_CALL_RECORDING),
            terms: terms(set),
            script: set.script(),
        }
    }
}

/// The terms of a list with commas.
pub fn keywords(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|keyword| !keyword.is_empty()).map(str::to_owned).collect()
}

fn uncertainty(set: &AgentSettings) -> Uncertainty {
    let usual = Uncertainty::default();
    Uncertainty {
        enabled: set.flag(&settings::SPEECH_UNCERTAINTY_CLARITY_ENABLED),
        threshold: set.fraction(&settings::LOW_CONFIDENCE_THRESHOLD).map_or(usual.threshold, |share| share as f32),
        // Not what holds but what was set: where nothing was, the line is that of the agent's language.
        message: set.set(&settings::LOW_CONFIDENCE_MESSAGE).map(|_| set.text(&settings::LOW_CONFIDENCE_MESSAGE)),
    }
}

fn terms(set: &AgentSettings) -> Terms {
    Terms {
        answers: set.flag(&settings::AUTO_ANSWER_INBOUND),
        caps: Caps::of(set.whole(&settings::CONCURRENT_CALL_LIMIT), set.whole(&settings::DAILY_CALL_LIMIT)),
        overflow: set.flag(&settings::ALLOW_CONCURRENCY_OVERFLOW),
    }
}

fn ambience(set: &AgentSettings) -> Ambience {
    let usual = Ambience::default();
    Ambience {
        kind: AmbienceKind::parse(&set.text(&settings::AMBIENCE_TYPE)).unwrap_or(usual.kind),
        volume: set.fraction(&settings::AMBIENCE_VOLUME).map_or(usual.volume, |share| share as f32),
    }
}

fn timing(set: &AgentSettings, server: &Timing) -> Timing {
    let max_duration = match set.whole(&settings::MAX_CONVERSATION_DURATION_SECONDS) {
        None => server.max_duration,
        Some(seconds) => on(seconds).unwrap_or(LONGEST_CALL),
    }
    .min(LONGEST_CALL);
    let of = |setting: &Setting| set.whole(setting).and_then(on);
    let eagerness = Eagerness::parse(&set.text(&settings::EAGERNESS)).unwrap_or(Eagerness::NORMAL);
    Timing {
        endpoint_silence: eagerness.of(server.endpoint_silence),
        eagerness,
        spelling_patience: SpellingPatience::parse(&set.text(&settings::SPELLING_PATIENCE)).unwrap_or_default(),
        end_of_turn_model: server.end_of_turn_model,
        preemptive_generation: server.preemptive_generation,
        barge_in_min_speech: server.barge_in_min_speech,
        interrupt_on_dtmf: server.interrupt_on_dtmf,
        // Off: a rung that the call does not live to see.
        turn_after_silence: of(&settings::TURN_AFTER_SILENCE_SECONDS).unwrap_or(max_duration),
        end_after_silence: of(&settings::END_AFTER_SILENCE_SECONDS),
        max_duration,
        soft_timeout: set.fraction(&settings::SOFT_TIMEOUT_SECONDS).and_then(seconds),
        answer_limit: of(&settings::LLM_CASCADE_TIMEOUT_SECONDS).unwrap_or(max_duration),
    }
}

/// Seconds, unless they switch the thing off.
fn on(seconds: i64) -> Option<Duration> {
    u64::try_from(seconds).ok().filter(|&seconds| seconds > 0).map(Duration::from_secs)
}

/// As [`on`], where a fraction counts; no more than a call lasts.
fn seconds(seconds: f64) -> Option<Duration> {
    (seconds > 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_CALL).min(LONGEST_CALL))
}

#[cfg(test)]
mod tests;
