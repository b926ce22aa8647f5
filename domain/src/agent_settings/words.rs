//! The words that settings may be, with what each means. Spellings are those of api-inventory sections 4, 7, 8 and 9.

use super::setting::{Form, Switches, Word};

const fn word(name: &'static str, about: &'static str) -> Word {
    Word { name, synonyms: &[], on: false, about }
}

const fn on(name: &'static str, about: &'static str) -> Word {
    Word { on: true, ..word(name, about) }
}

impl Word {
    const fn or(self, synonyms: &'static [&'static str]) -> Self {
        Self { synonyms, ..self }
    }
}

pub(super) const PERSONALITY: &[Word] = &[
    word("friendly", "warm and easy-going"),
    word("professional", "polite and to the point"),
    word("persuasive", "sure of what it offers"),
    word("supportive", "patient and helpful"),
    word("custom", "as its own texts say"),
];

pub(super) const RESPONSE_SPEED: &[Word] = &[
    word("slow", "takes its time"),
    word("normal", "as people do").or(&["medium"]),
    word("fast", "answers as soon as it can"),
];

pub(super) const EAGERNESS: &[Word] = &[
    word("low", "waits longest").or(&["patient"]),
    word("normal", "waits as long as the server says (`ENDPOINT_SILENCE_MS`)").or(&["medium"]),
    word("high", "waits least").or(&["eager"]),
];

pub(super) const SPELLING_PATIENCE: &[Word] = &[
    word("auto", "where such a value was asked for"),
    word("on", "always: also for a number that nobody asked for"),
    word("off", "never"),
];

pub(super) const AMBIENCE: &[Word] = &[
    word("none", "nothing"),
    word("office", "a quiet office"),
    word("call_center", "many agents in one room").or(&["call_centre"]),
    word("restaurant", "plates and voices"),
    word("salsa", "dance music, far away"),
    word("concert", "a hall full of people"),
];

pub(super) const AUDIO_FORMAT: &[Word] = &[
    word("pcm_8000", "16-bit PCM at 8,000 Hz").or(&["pcm_8000_hz", "pcm_8khz", "pcm_8_khz"]),
    word("pcm_16000", "16-bit PCM at 16,000 Hz").or(&["pcm_16000_hz", "pcm_16khz", "pcm_16_khz"]),
    word("pcm_22050", "16-bit PCM at 22,050 Hz").or(&["pcm_22050_hz"]),
    word("pcm_24000", "16-bit PCM at 24,000 Hz").or(&["pcm_24000_hz", "pcm_24khz", "pcm_24_khz"]),
    word("pcm_44100", "16-bit PCM at 44,100 Hz").or(&["pcm_44100_hz"]),
    word("pcm_48000", "16-bit PCM at 48,000 Hz").or(&["pcm_48000_hz", "pcm_48khz", "pcm_48_khz"]),
    word("ulaw_8000", "G.711 µ-law at 8,000 Hz").or(&["ulaw", "mulaw", "mulaw_8000", "μ_law", "µ_law", "ulaw_8000_hz"]),
    word("mp3", "MP3 at 44,100 Hz").or(&["mp3_44100", "mp3_44100_128"]),
];

/// All but the last, MP3: nobody speaks in files.
pub(super) const INPUT_FORMAT: &[Word] = AUDIO_FORMAT.split_at(AUDIO_FORMAT.len() - 1).0;

pub(super) const TEXT_NORMALISATION: &[Word] = &[
    word("default", "as the voice's vendor does it"),
    word("spell_out", "numbers, dates and signs are written out before they are spoken"),
];

pub(super) const WEBHOOK_AUTH: &[Word] = &[
    word("hmac", "signed, by the Standard Webhooks scheme"),
    word("bearer", "with a token in the `Authorization` header"),
];

pub(super) const GUARDRAILS: Switches = Switches {
    row_key: "guardrail_key",
    row_state: "enabled",
    form: Form::Object,
    words: &[
        word("no_profanity", "says nothing rude, and does not repeat it"),
        word("no_pii", "neither asks for personal data that it does not need nor reads any out")
            .or(&["no_personal_data"]),
        word("stay_on_topic", "leads back to what the call is about"),
        word("no_medical_advice", "gives no medical advice"),
        word("no_legal_advice", "gives no legal advice"),
        word("no_financial_advice", "recommends no investment, loan or tax choice"),
        word("no_politics", "takes no side in politics"),
        word("no_religion", "takes no side in religion"),
        word("no_discrimination", "judges nobody by what they are"),
        word("no_harassment", "threatens and presses nobody"),
        word("no_self_harm", "gives no help with hurting oneself, and names where help is"),
        word("no_illegal_acts", "gives no help with breaking the law"),
        word("no_price_promises", "promises no price, discount or date that its texts do not have"),
        word("no_competitors", "does not judge other companies"),
        word("no_prompt_disclosure", "does not read out its own instructions"),
    ],
};

pub(super) const SYSTEM_TOOLS: Switches = Switches {
    row_key: "tool_key",
    row_state: "enabled",
    form: Form::Object,
    words: &[
        on("end_conversation", "ends the call when its work is done").or(&["end_call"]),
        word("detect_language", "goes on in the language that the caller speaks").or(&["language_detection"]),
        word("skip_turn", "says nothing and listens on when asked to wait"),
        word("transfer_to_agent", "hands the call to another agent"),
        word("transfer_to_number", "hands the call to a person at a number of the business's list"),
        word("play_keypad_tone", "presses keys on the line").or(&["play_keypad_touch_tone"]),
        word("voicemail_detection", "notices that a machine has answered"),
    ],
};

pub(super) const CLIENT_OVERRIDES: Switches = Switches {
    row_key: "config_key",
    row_state: "overridable",
    form: Form::List,
    words: &[
        on("language", "the language of the talk"),
        on("first_message", "the first words"),
        word("voice", "the voice").or(&["voice_id"]),
        word("system_prompt", "what the model is told first").or(&["prompt"]),
        word("llm_model", "the language model").or(&["llm"]),
        word("speed", "how fast the voice speaks"),
        word("stability", "how even the voice is"),
        word("similarity", "how close the voice keeps to its original").or(&["similarity_boost"]),
    ],
};

pub(super) const CLIENT_EVENTS: Switches = Switches {
    row_key: "event_key",
    row_state: "enabled",
    form: Form::List,
    words: &[
        on("audio", "the agent's voice"),
        on("agent_response", "what the agent says, as text"),
        on("client_tool_call", "the agent asks the page to do something"),
        on("agent_chat_response_part", "what the agent says, piece by piece"),
        on("interruption", "the agent was interrupted"),
        on("user_transcript", "what the caller said"),
        on("conversation_initiation_metadata", "ids and formats, when the talk begins"),
        on("agent_response_correction", "what was heard of an answer that was cut short"),
        on("ping", "asks the page to answer at once, to measure the way there and back"),
        on("vad_score", "how much the caller's audio sounds like speech"),
        on("agent_tool_response", "what became of a tool that the agent used"),
    ],
};
