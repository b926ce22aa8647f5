//! What the agent does with a telephone, and how much of it.

use super::super::setting::Kind::{Choice, Flag, Telephone, Whole};
use super::super::setting::Preset::{self, Text, Unset};
use super::super::setting::{Bounds, Group, Kind, Setting, Unit};
use super::super::words;

const fn calling(name: &'static str, kind: Kind, preset: Preset, about: &'static str) -> Setting {
    Setting::stored(Group::Calling, name, kind, preset, about)
}

const fn limit(name: &'static str, kind: Kind, preset: Preset, about: &'static str) -> Setting {
    Setting::in_force(Group::Limits, name, kind, preset, about)
}

const fn calls(to: i64, off: &'static str) -> Kind {
    Whole(Bounds { from: 0, to, unit: Unit::Calls, off: Some(off) })
}

settings! {
    AUTO_ANSWER_INBOUND = Setting::in_force(Group::Calling, "auto_answer_inbound", Flag, Preset::Flag(true),
        "answers the calls that come in by telephone; a talk in the browser is answered all the same");

    ENABLE_CALL_RECORDING = Setting::in_force(Group::Calling, "enable_call_recording", Flag, Preset::Flag(true),
        "its calls are recorded where the server records at all (`RECORD_CALLS`)");

    CALL_TIMEOUT = calling("call_timeout", Whole(Bounds { from: 5, to: 600, unit: Unit::Seconds, off: None }), Preset::Whole(30),
        "how long a call that it places may ring");

    ENABLE_VOICEMAIL = calling("enable_voicemail", Flag, Preset::Flag(true), "leaves a message where a machine answers");
    CALLER_ID_NUMBER = calling("caller_id_number", Telephone, Unset("the trunk's own number"), "number that it calls from");
    MACHINE_DETECTION = calling("machine_detection", Flag, Preset::Flag(false), "asks the carrier whether a person has answered");
    CALL_SCREENING = calling("call_screening", Flag, Preset::Flag(false), "asks who is calling before it takes the call");
    CALL_FORWARDING = calling("call_forwarding", Flag, Preset::Flag(false), "passes calls on that it does not take");
    CONFERENCE_CALLS = calling("conference_calls", Flag, Preset::Flag(false), "may bring further people into a call");
    CALL_QUEUING = calling("call_queuing", Flag, Preset::Flag(false), "keeps callers waiting while all its lines are busy");

    DAILY_CALL_LIMIT = limit("daily_call_limit", calls(10_000_000, "no limit of its own"), Preset::Whole(100_000),
        "calls of one day, in the business's time zone");
    CONCURRENT_CALL_LIMIT = limit("concurrent_call_limit", calls(100_000, "as many as its business may"), Preset::Whole(-1),
        "calls at once");
    ALLOW_CONCURRENCY_OVERFLOW = limit("allow_concurrency_overflow", Flag, Preset::Flag(false),
        "may take up to three times its business's calls at once");
    USER_INPUT_AUDIO_FORMAT = Setting::stored(Group::Limits, "user_input_audio_format", Choice(words::INPUT_FORMAT), Text("pcm_8000"),
        "audio that pages and programs send");

    ASR_KEYWORDS = Setting::in_force(Group::Limits, "asr_keywords", Kind::Terms { most: 200 }, Preset::Empty,
        "names and terms that the recogniser listens for, with commas");
}
