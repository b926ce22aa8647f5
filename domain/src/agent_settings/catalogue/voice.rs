//! How the agent sounds.

use super::super::setting::Kind::{Choice, Fraction, Languages, Line, Url, Whole};
use super::super::setting::Preset::{self, Empty, Text, Unset};
use super::super::setting::{Bounds, Group, Kind, Setting, Unit};
use super::super::words;

const fn manner(name: &'static str, kind: Kind, preset: Preset, about: &'static str) -> Setting {
    Setting::stored(Group::Voice, name, kind, preset, about)
}

const fn config(name: &'static str, kind: Kind, preset: Preset, about: &'static str) -> Setting {
    Setting::stored(Group::VoiceConfig, name, kind, preset, about)
}

const fn level(from: f64, to: f64) -> Kind {
    Fraction(Bounds { from, to, unit: Unit::None, off: None })
}

settings! {
    PERSONALITY_TYPE = manner("personality_type", Choice(words::PERSONALITY), Text("friendly"), "how it comes across")
        .or(&["personality"]);
    CONVERSATION_STYLE = manner("conversation_style", Line { most: 200 }, Unset(""), "how it talks, in a word or a sentence");
    RESPONSE_SPEED = manner("response_speed", Choice(words::RESPONSE_SPEED), Text("fast"), "how soon it answers");
    CALL_OBJECTIVE = manner("call_objective", Line { most: 200 }, Text("sales"), "what its calls are for");

    VOICE_ID = Setting::in_force(Group::VoiceConfig, "voice_id", Line { most: 200 }, Unset("the engine's own default"),
        "voice by its vendor's name").twin(&["voice_model"]).or(&["voice"]);

    TTS_MODEL_FAMILY = config("tts_model_family", Line { most: 100 }, Unset("the vendor's default"), "which models of the vendor speak");
    SIMILARITY = config("similarity", level(0.0, 1.0), Preset::Fraction(0.75), "how close the voice keeps to its original")
        .or(&["similarity_boost"]);
    SPEED = config("speed", level(0.5, 2.0), Preset::Fraction(1.0), "how fast it speaks; 1 is as usual");
    STABILITY = config("stability", level(0.0, 1.0), Preset::Fraction(0.5), "how even the voice is; less is livelier");
    OUTPUT_FORMAT = config("output_format", Choice(words::AUDIO_FORMAT), Text("pcm_8000"), "audio that is asked of the voice's vendor");
    STREAMING_LATENCY_OPTIMIZATION = config("streaming_latency_optimization",
        Whole(Bounds { from: 0, to: 4, unit: Unit::None, off: None }), Preset::Whole(0),
        "how much quality the voice gives up to begin sooner").or(&["optimize_streaming_latency"]);
    TEXT_NORMALISATION_TYPE = config("text_normalisation_type", Choice(words::TEXT_NORMALISATION), Text("default"),
        "how numbers and signs become words").or(&["text_normalization_type"]);
    PRONUNCIATION_DICTIONARY_URL = config("pronunciation_dictionary_url", Url, Unset("none"), "where a dictionary of pronunciations (.pls) lies");

    LANGUAGES = Setting::stored(Group::Languages, "languages", Languages { most: 50 }, Empty,
        "voices of further languages: rows of `language_code`, `voice_id`, `tts_provider`");
}
