//! Who the agent is, its words, and its first ones.

use super::super::setting::Kind::{Language, Line, Name, Object, Prose, Whole};
use super::super::setting::Preset::{Empty, Text, Unset};
use super::super::setting::{Bounds, Group, Kind, Preset, Setting, Unit};

const fn of_agent(name: &'static str, kind: Kind, preset: Preset, about: &'static str) -> Setting {
    Setting::in_force(Group::Identity, name, kind, preset, about)
}

const fn engine(name: &'static str, about: &'static str) -> Setting {
    Setting::stored(Group::Identity, name, Line { most: 200 }, Unset("the server's choice"), about)
}

settings! {
    NAME = of_agent("name", Name, Unset(""), "what it is called; unique in its business, whatever the case").or(&["agent_name"]);

    PLAYBOOK = of_agent("playbook", Line { most: 100 }, Unset("a language model leads"),
        "name of the playbook that leads its conversations");

    SYSTEM_PROMPT = of_agent("system_prompt", Prose { most: 100_000 }, Empty,
        "what a model is told first; variables are filled in");

    DEFAULT_LANGUAGE = of_agent("default_language", Language, Text("en"),
        "language that it begins in, as a BCP 47 tag").twin(&["language"]);

    STT_PROVIDER = engine("stt_provider", "recognisers in order, with commas, such as `deepgram, whisper`");
    TTS_PROVIDER = engine("tts_provider", "voices' vendors in order, with commas, such as `elevenlabs, flite`");
    LLM_PROVIDER = engine("llm_provider", "language models' vendors in order, with commas");
    LLM_MODEL = engine("llm_model", "language model by its vendor's name");

    KNOWLEDGE_BASE_ID = Setting::stored(Group::Identity, "knowledge_base_id",
        Whole(Bounds { from: 1, to: i64::MAX, unit: Unit::None, off: None }), Unset("none"),
        "number of the knowledge base that it looks things up in");

    SALES_SCRIPT_TEXT = Setting::in_force(Group::Script, "sales_script_text", Prose { most: 100_000 }, Empty,
        "how it leads the talk; its first line is the greeting, all of it is part of the prompt").or(&["sales_script"]);

    BUSINESS_INFO = Setting::in_force(Group::Script, "business_info",
        Object { most_bytes: 64 * 1_024, texts: &["company_name", "greeting", "disclosure"] }, Empty,
        "whom it speaks for: `company_name`, `greeting` and whatever else is useful to know");

    KNOWLEDGE_FILES = Setting::in_force(Group::Script, "knowledge_files",
        Object { most_bytes: 512 * 1_024, texts: &[] }, Empty, "what it knows: texts by their names");

    HUME_CONFIG_ID = Setting::stored(Group::Script, "hume_config_id", Line { most: 200 }, Unset("made when the agent is saved"),
        "configuration at Hume that speaks for it");

    FIRST_MESSAGE_INBOUND = Setting::in_force(Group::FirstMessage, "first_message_inbound", Prose { most: 2_000 },
        Unset("the first line of the script, else the next in the order of greetings"), "first words when somebody calls");

    FIRST_MESSAGE_OUTBOUND = Setting::in_force(Group::FirstMessage, "first_message_outbound", Prose { most: 2_000 },
        Unset("the first line of the script, else the next in the order of greetings"), "first words when it calls somebody");

    DISCLOSURE_MESSAGE = Setting::in_force(Group::FirstMessage, "disclosure_message", Prose { most: 2_000 },
        Unset("`business_info.disclosure`, where it is there"),
        "what has to be said before any first words, and that nobody interrupts: who calls, that it is a machine, that it records");
}
