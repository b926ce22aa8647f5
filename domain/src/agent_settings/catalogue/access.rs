//! What the agent may and may not do, what pages may ask of it, whom it tells, and what is kept.

use super::super::setting::Kind::{self, Choice, Flag, Terms, Url, Whole};
use super::super::setting::Preset::{self, Empty, Text, Unset, Words};
use super::super::setting::{Bounds, Group, Setting, Unit};
use super::super::words;

const fn webhook(name: &'static str, kind: Kind, preset: Preset, about: &'static str) -> Setting {
    Setting::stored(Group::Webhooks, name, kind, preset, about)
}

settings! {
    GUARDRAILS = Setting::stored(Group::Guardrails, "guardrails", Kind::Switches(words::GUARDRAILS), Words,
        "what it must not do, each on or off");

    SYSTEM_TOOLS = Setting::in_force(Group::Tools, "system_tools", Kind::Switches(words::SYSTEM_TOOLS), Words,
        "what it may do itself, each on or off; `skip_turn` and `play_keypad_tone` act today, the others are kept");

    TOOLS = Setting::stored(Group::Tools, "tools", Terms { most: 100 }, Empty,
        "integration tools that it may use, by their keys, such as `salesforce_create_lead`, with commas");

    CLIENT_OVERRIDE_KEYS = Setting::stored(Group::Overrides, "client_override_keys", Kind::Switches(words::CLIENT_OVERRIDES), Words,
        "what a page may change for its own talk").or(&["client_overrides"]);

    CLIENT_EVENTS = Setting::stored(Group::ClientEvents, "client_events", Kind::Switches(words::CLIENT_EVENTS), Words,
        "what a page is told during a talk");

    CONVERSATION_INITIATION_WEBHOOK_URL = webhook("conversation_initiation_webhook_url", Url, Unset("nobody is asked"),
        "asked for a caller's data before the first message");

    CONVERSATION_INITIATION_WEBHOOK_AUTH_METHOD = webhook("conversation_initiation_webhook_auth_method", Choice(words::WEBHOOK_AUTH),
        Text("hmac"), "how that request proves that it is ours");

    POST_CALL_WEBHOOK_URL = webhook("post_call_webhook_url", Url, Unset("nobody is told"),
        "told of each conversation when it is over, with transcript and summary");

    POST_CALL_WEBHOOK_AUTH_METHOD = webhook("post_call_webhook_auth_method", Choice(words::WEBHOOK_AUTH), Text("hmac"),
        "how that request proves that it is ours");

    NO_LOGGING = Setting::stored(Group::Privacy, "no_logging", Flag, Preset::Flag(false),
        "keeps nothing of its conversations but what the webhook sends");

    RETENTION_DAYS = Setting::stored(Group::Privacy, "retention_days",
        Whole(Bounds { from: 0, to: 36_500, unit: Unit::Days, off: Some("for good") }), Preset::Whole(-1),
        "how long its conversations are kept");
}
