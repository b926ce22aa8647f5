//! How the agent waits, and what it does about words that were hardly understood.

use super::super::setting::Kind::{Choice, Eagerness, Flag, Fraction, Line, Whole};
use super::super::setting::Preset::{self, Text, Unset};
use super::super::setting::{Bounds, Group, Kind, Setting, Unit};
use super::super::words;
use crate::agent::LONGEST_CALL;

const fn behaviour(name: &'static str, kind: Kind, preset: Preset, about: &'static str) -> Setting {
    Setting::in_force(Group::Behaviour, name, kind, preset, about)
}

const fn uncertainty(name: &'static str, kind: Kind, preset: Preset, about: &'static str) -> Setting {
    Setting::in_force(Group::Uncertainty, name, kind, preset, about)
}

const fn seconds(to: i64, off: &'static str) -> Kind {
    Whole(Bounds { from: 1, to, unit: Unit::Seconds, off: Some(off) })
}

const fn level() -> Kind {
    Fraction(Bounds { from: 0.0, to: 1.0, unit: Unit::None, off: None })
}

settings! {
    EAGERNESS = behaviour("eagerness", Eagerness(words::EAGERNESS), Text("normal"),
        "how readily a pause of the caller is taken for the end of the turn");

    SPELLING_PATIENCE = behaviour("spelling_patience", Choice(words::SPELLING_PATIENCE), Text("auto"),
        "whether a turn waits for the whole of a number, a date or an address that is dictated");

    TURN_AFTER_SILENCE_SECONDS = behaviour("turn_after_silence_seconds", seconds(300, "never"), Preset::Whole(7),
        "silence after which it speaks again");

    END_AFTER_SILENCE_SECONDS = behaviour("end_after_silence_seconds", seconds(3_600, "after three unanswered prompts"), Preset::Whole(-1),
        "silence after which the call ends");

    // R8. The ceiling is everybody's, so -1 cannot lift it.
    MAX_CONVERSATION_DURATION_SECONDS = behaviour("max_conversation_duration_seconds", seconds(LONGEST_CALL.as_secs() as i64, "the ceiling of 14400 seconds"),
        Unset("the server's `MAX_CALL_DURATION_MINUTES`, 10 unless set"), "longest call").twin(&["max_call_duration"]);

    SOFT_TIMEOUT_SECONDS = behaviour("soft_timeout_seconds",
        Fraction(Bounds { from: 0.1, to: 60.0, unit: Unit::Seconds, off: Some("never") }), Preset::Fraction(1.2),
        "how long a caller waits for an answer before a filler is said");

    LLM_CASCADE_TIMEOUT_SECONDS = behaviour("llm_cascade_timeout_seconds", seconds(120, "as long as the call lasts"), Preset::Whole(8),
        "longest time for a whole answer, over all models in the order");

    SPEECH_UNCERTAINTY_CLARITY_ENABLED = uncertainty("speech_uncertainty_clarity_enabled", Flag, Preset::Flag(false),
        "asks again where words were hardly understood");

    LOW_CONFIDENCE_THRESHOLD = uncertainty("low_confidence_threshold", level(), Preset::Fraction(0.5),
        "the recogniser's confidence below which it asks again");

    LOW_CONFIDENCE_MESSAGE = uncertainty("low_confidence_message", Line { most: 500 }, Text("Sorry, I didn't catch that."),
        "what it says then; where it is not set, in the agent's language");

    AMBIENCE_TYPE = Setting::in_force(Group::Ambience, "ambience_type", Choice(words::AMBIENCE), Text("none"),
        "which place is heard under its voice");

    AMBIENCE_VOLUME = Setting::in_force(Group::Ambience, "ambience_volume", level(), Preset::Fraction(0.2), "how loud that place is");
}
