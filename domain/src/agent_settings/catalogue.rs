//! The catalogue: every setting of an agent, by group, each a `static` of its own so that code names a setting and cannot misspell it.
//!
//! Source: api-inventory section 8, section 9 for tools, guardrails, client events and overrides; design.md section 12 items 4, 5 and 9 for the
//! defaults of time. Beside those columns stand `playbook` and `disclosure_message`, which this product adds. A row here is all that reading, showing, keeping, files and
//! the page of settings need to know of a setting.
//! Who gives a setting its effect turns its row from `stored` to `in_force`, in the same commit.

use super::setting::{Effect, Setting};

/// Declares settings, and lists them in the order in which they stand.
macro_rules! settings {
    ($($name:ident = $setting:expr;)+) => {
        $(
            #[doc = concat!("The setting `", stringify!($name), "`, in capitals.")]
            pub static $name: Setting = $setting;
        )+
        pub(super) static ALL: &[&Setting] = &[$(&$name),+];
    };
}

mod access;
mod behaviour;
mod calling;
mod identity;
mod voice;

pub use access::*;
pub use behaviour::*;
pub use calling::*;
pub use identity::*;
pub use voice::*;

/// Every setting, group by group.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    [identity::ALL, voice::ALL, calling::ALL, behaviour::ALL, access::ALL].into_iter().flatten().copied()
}

/// The setting of a name, a twin's or a synonym.
pub fn find(name: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.name == name || setting.twins.contains(&name) || setting.synonyms.contains(&name))
}

/// How many settings have their effect, and how many there are.
pub fn in_force() -> (usize, usize) {
    (all().filter(|setting| setting.effect == Effect::InForce).count(), all().count())
}

/// What a document may carry and may not set, with the reason. A client that sends back what it was shown learns which fields to leave out.
pub const READ_ONLY: &[(&str, &str)] = &[
    ("id", "the agent's number is given by the server"),
    ("uuid", "the agent's id is given by the server"),
    ("agent_id", "the agent is named by the address"),
    ("bot_id", "the agent is named by the address"),
    ("agent_config_id", "the agent is named by the address"),
    ("agent_type", "every agent here is of the kind ai"),
    ("business_id", "an agent stays with the business that made it"),
    ("tenant_id", "an agent stays with the business that made it"),
    ("user_id", "who makes a change is known by the token"),
    ("created_by", "who makes a change is known by the token"),
    ("updated_by", "who makes a change is known by the token"),
    ("role", "roles belong to users, not to agents"),
    ("scopes", "scopes belong to keys, not to agents"),
    ("is_admin", "roles belong to users, not to agents"),
    ("name_key", "it follows from the name"),
    ("version", "versions are numbered by the server; to go back, use rollback"),
    ("versions", "versions are numbered by the server; to go back, use rollback"),
    ("published_version", "versions are numbered by the server; to go back, use rollback"),
    ("draft", "a draft is edited at its own address"),
    ("published", "a draft is published at its own address"),
    ("published_at", "times are taken by the server"),
    ("etag", "it follows from the content; send it as If-Match"),
    ("created_at", "times are taken by the server"),
    ("updated_at", "times are taken by the server"),
    ("deleted_at", "an agent is deleted by DELETE"),
    (
        "pronunciation_dictionaries",
        "dictionaries come with the voices; pronunciation_dictionary_url names one that lies elsewhere",
    ),
    (
        "pronunciation_dictionary_file_path",
        "dictionaries come with the voices; pronunciation_dictionary_url names one that lies elsewhere",
    ),
    ("phone_numbers", "numbers are given to agents at /api/phone-numbers"),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::super::setting::{Group, Kind, Preset};
    use super::*;

    #[test]
    fn every_name_means_one_thing() {
        let mut seen = BTreeSet::new();
        let read_only = READ_ONLY.iter().map(|(name, _)| *name);
        let names = all().flat_map(|setting| {
            [setting.name].into_iter().chain(setting.twins.iter().chain(setting.synonyms).copied())
        });
        for name in names.chain(read_only) {
            assert!(seen.insert(name), "{name} stands twice");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{name}");
        }
    }

    #[test]
    fn groups_are_whole_and_none_is_empty() {
        for group in Group::ALL {
            let places: Vec<usize> =
                all().enumerate().filter(|(_, setting)| setting.group == group).map(|(at, _)| at).collect();
            assert!(!places.is_empty(), "{group:?}");
            assert_eq!(places.last().unwrap() - places[0] + 1, places.len(), "{group:?} is torn apart");
        }
    }

    #[test]
    fn sentences_are_sentences() {
        for setting in all() {
            let about = setting.about;
            assert!(about.len() > 10 && !about.ends_with('.') && !about.contains('|'), "{}: {about}", setting.name);
        }
    }

    #[test]
    fn words_are_read_in_their_own_spelling() {
        for setting in all() {
            let mut seen = BTreeSet::new();
            for word in setting.kind.words() {
                for spelling in std::iter::once(&word.name).chain(word.synonyms) {
                    assert_eq!(&super::super::fault::fold(spelling), spelling, "{}", setting.name);
                    assert!(seen.insert(*spelling), "{}: {spelling} stands twice", setting.name);
                }
            }
            if let (Kind::Choice(words) | Kind::Eagerness(words), Preset::Text(preset)) = (setting.kind, setting.preset)
            {
                assert!(words.iter().any(|word| word.name == preset), "{}", setting.name);
            }
        }
    }

    #[test]
    fn the_inventory_is_all_here() {
        let columns = "name system_prompt default_language stt_provider tts_provider llm_provider llm_model knowledge_base_id \
            sales_script_text business_info knowledge_files hume_config_id \
            voice_model personality_type conversation_style response_speed language call_objective \
            auto_answer_inbound enable_call_recording call_timeout max_call_duration enable_voicemail caller_id_number \
            machine_detection call_screening call_forwarding conference_calls call_queuing \
            voice_id tts_model_family similarity speed stability output_format streaming_latency_optimization \
            text_normalisation_type pronunciation_dictionary_url languages first_message_inbound first_message_outbound disclosure_message guardrails \
            client_override_keys conversation_initiation_webhook_url conversation_initiation_webhook_auth_method \
            post_call_webhook_url post_call_webhook_auth_method daily_call_limit concurrent_call_limit \
            allow_concurrency_overflow user_input_audio_format asr_keywords eagerness spelling_patience \
            turn_after_silence_seconds end_after_silence_seconds max_conversation_duration_seconds soft_timeout_seconds \
            llm_cascade_timeout_seconds client_events no_logging retention_days ambience_type ambience_volume \
            speech_uncertainty_clarity_enabled low_confidence_threshold low_confidence_message system_tools tools";
        for column in columns.split_whitespace() {
            let setting = find(column).unwrap_or_else(|| panic!("{column} is missing"));
            assert!(setting.name == column || setting.twins.contains(&column), "{column} must be shown, not only read");
        }
    }

    #[test]
    fn the_four_lists_of_section_9() {
        let words = |name: &str| find(name).unwrap().kind.words().len();
        assert_eq!((words("guardrails"), words("system_tools")), (15, 7));
        for synonym in ["end_call", "language_detection", "play_keypad_touch_tone"] {
            assert!(find("system_tools").unwrap().kind.words().iter().any(|word| word.synonyms.contains(&synonym)));
        }
    }
}
