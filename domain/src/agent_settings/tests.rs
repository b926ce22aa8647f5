#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn change(document: Value) -> AgentChange {
    AgentChange::read(&document, Scope::default()).unwrap()
}

fn settings(document: Value) -> AgentSettings {
    AgentSettings::default().with(&change(document))
}

/// The faults of a document, each as a line.
fn faults(document: Value) -> Vec<String> {
    let faults = AgentChange::read(&document, Scope::default()).unwrap_err();
    faults.told.iter().map(ToString::to_string).collect()
}

#[test]
fn what_was_not_set_is_as_the_catalogue_says() {
    let untouched = AgentSettings::default();
    assert_eq!(untouched.whole(&settings::TURN_AFTER_SILENCE_SECONDS), Some(7));
    assert_eq!(untouched.fraction(&settings::SOFT_TIMEOUT_SECONDS), Some(1.2));
    assert_eq!(untouched.text(&settings::DEFAULT_LANGUAGE), "en");
    assert_eq!(untouched.value(&settings::MAX_CONVERSATION_DURATION_SECONDS), None, "the server decides");
    assert_eq!(untouched.on(&settings::SYSTEM_TOOLS), ["end_conversation"]);
    assert_eq!(untouched.stored(), Map::new());
    let shown = untouched.shown();
    assert_eq!((&shown["concurrent_call_limit"], &shown["eagerness"]), (&json!(-1), &json!("normal")));
    assert_eq!(shown["client_override_keys"], json!(["language", "first_message"]));
    assert_eq!(shown["guardrails"].as_object().unwrap().len(), 15);
}

#[test]
fn two_names_of_one_value() {
    let agent = settings(
        json!({"max_call_duration": 1800, "voice_model": "asha", "language": "hi_in", "agent_name": "Front desk"}),
    );
    let shown = agent.shown();
    assert_eq!(shown["max_conversation_duration_seconds"], json!(1800));
    assert_eq!(shown["max_call_duration"], json!(1800));
    assert_eq!((&shown["voice_id"], &shown["voice_model"]), (&json!("asha"), &json!("asha")));
    assert_eq!((&shown["default_language"], &shown["language"]), (&json!("hi-IN"), &json!("hi-IN")));
    assert_eq!(agent.name(), "Front desk");
    assert!(!shown.contains_key("agent_name"), "a synonym is read, not shown");

    let told = faults(json!({"max_call_duration": 1800, "max_conversation_duration_seconds": 600}));
    assert_eq!(
        told,
        ["/max_conversation_duration_seconds: is the same setting as max_call_duration, which has another value here"]
    );
    change(json!({"max_call_duration": 600, "max_conversation_duration_seconds": 600}));
}

#[test]
fn an_agent_is_made_as_e1_prints_it() {
    let document = json!({
        "name": "Sales",
        "sales_script_text": "Good day from Acme!\nAsk for the budget.",
        "business_info": {"company_name": "Acme"},
        "knowledge_files": {"products": "Flats and villas."},
    });
    let script = AgentChange::read_new(&document, Scope::default()).unwrap().script();
    assert_eq!((script.first_line(), script.company()), (Some("Good day from Acme!"), Some("Acme")));
    let prompt = "## SALES SCRIPT\nGood day from Acme!\nAsk for the budget.\n\n## BUSINESS INFORMATION\nCompany: Acme\n\n\
                  ## KNOWLEDGE BASE\n- products: Flats and villas.";
    assert_eq!(crate::prompt::assemble(&script), prompt);
}

#[test]
fn an_eagerness_is_a_word_or_a_number() {
    let read = |value: Value| settings(json!({"eagerness": value})).text(&settings::EAGERNESS);
    for (given, kept) in [
        (json!("low"), "low"),
        (json!("HIGH"), "high"),
        (json!(0), "low"),
        (json!(0.5), "normal"),
        (json!(1.0), "high"),
        (json!(0.35), "0.35"),
        (json!("0.35"), "0.35"),
        (json!(0.0000001), "low"),
    ] {
        assert_eq!(read(given.clone()), kept, "{given}");
    }
    assert_eq!(faults(json!({"eagerness": 1.5})), ["/eagerness: 1.5 is out of range: 0 to 1"]);
    assert_eq!(
        faults(json!({"eagerness": "hihg"})),
        ["/eagerness: \"hihg\" is not one of low, normal, high; did you mean high?"]
    );
}

#[test]
fn every_fault_is_told_with_its_place_and_its_remedy() {
    let told = faults(json!({
        "egerness": "low",
        "firstMessageInbound": "Hi",
        "call_timeout": 4000,
        "turn_after_silence_seconds": 0,
        "ambience_volume": 1.5,
        "no_logging": "yes",
        "call_queuing": 1,
        "business_id": 7,
        "version": 3,
        "business_info": {"company_name": 5},
        "post_call_webhook_url": "https://user:word@example.com",
        "system_tools": {"end_cal": true, "skip_turn": "on"},
        "languages": [{"voice_id": "x"}, {"language_code": "hi", "voic": "x"}],
        "turn_after": null,
    }));
    let expected = [
        "/ambience_volume: 1.5 is out of range: 0 to 1",
        "/business_id: cannot be set: an agent stays with the business that made it",
        "/business_info/company_name: must be a text, not a number",
        "/call_queuing: must be true or false, not a number",
        "/call_timeout: 4000 is out of range: 5 to 600 seconds",
        "/egerness: there is no such setting; did you mean eagerness?",
        "/firstMessageInbound: there is no such setting; did you mean first_message_inbound?",
        "/languages/0/language_code: is missing: which language the row is for",
        "/languages/1/voic: there is no such setting; did you mean voice_id?",
        "/no_logging: must be true or false, not a text",
        "/post_call_webhook_url: must not hold a user or a password: addresses are shown and logged",
        "/system_tools/end_cal: \"end_cal\" is not one of end_conversation, detect_language, skip_turn, transfer_to_agent, \
         transfer_to_number, play_keypad_tone, voicemail_detection; did you mean end_conversation?",
        "/system_tools/skip_turn: must be true or false, not a text",
        "/turn_after: there is no such setting; did you mean turn_after_silence_seconds?",
        "/turn_after_silence_seconds: 0 is out of range: 1 to 300 seconds, or -1 (never)",
        "/version: cannot be set: versions are numbered by the server; to go back, use rollback",
    ];
    assert_eq!(told, expected);
}

#[test]
fn names_that_a_path_would_misread_are_refused() {
    for name in [
        "create",
        "Management",
        "42",
        "-1",
        "01941f29-7c00-7000-8000-000000000004",
        "a/b",
        "..",
        "50%",
        "two\nlines",
        "-",
        "\u{200b}",
        "Asha\u{202e}selas",
    ] {
        assert_eq!(faults(json!({"name": name})).len(), 1, "{name:?}");
    }
    for name in ["front-desk", "LOGISTICS", "Asha (sales)", "वीणा", "42 Ltd"] {
        assert_eq!(settings(json!({"name": name})).name(), name);
    }
    assert_eq!(faults(json!({"name": ""})), ["/name: is missing: an agent needs a name"]);
    let nameless = AgentChange::read_new(&json!({"eagerness": 7}), Scope::default()).unwrap_err();
    assert_eq!(nameless.told.len(), 2, "{nameless}");
    let bad = AgentChange::read_new(&json!({"name": "create"}), Scope::default()).unwrap_err();
    assert_eq!(bad.told.len(), 1, "{bad}");
}

#[test]
fn null_takes_a_setting_back() {
    let agent = settings(
        json!({"call_timeout": 45, "first_message_inbound": "Hi", "business_info": {"a": {"b": null, "c": 1}}}),
    );
    assert_eq!(agent.object(&settings::BUSINESS_INFO), *json!({"a": {"c": 1}}).as_object().unwrap());
    let back = agent.with(&change(json!({"call_timeout": null, "first_message_inbound": " "})));
    assert_eq!(back.whole(&settings::CALL_TIMEOUT), Some(30));
    assert_eq!(back.set(&settings::FIRST_MESSAGE_INBOUND), None);
}

#[test]
fn switches_are_read_in_three_spellings() {
    let rows = settings(
        json!({"guardrails": [{"guardrail_key": "no_pii", "enabled": true}, {"guardrail_key": "no_profanity", "enabled": false}]}),
    );
    assert_eq!(rows.on(&settings::GUARDRAILS), ["no_pii"]);
    let object = rows.with(&change(json!({"guardrails": {"stay_on_topic": true}})));
    assert_eq!(object.on(&settings::GUARDRAILS), ["no_pii", "stay_on_topic"], "an object turns only what it names");
    let list = object.with(&change(json!({"guardrails": ["no_profanity"]})));
    assert_eq!(list.on(&settings::GUARDRAILS), ["no_profanity"], "a list is all of them");
    let tools = settings(json!({"system_tools": {"end_call": false, "language_detection": true}}));
    assert_eq!(tools.on(&settings::SYSTEM_TOOLS), ["detect_language"]);
    assert_eq!(tools.with(&change(json!({"system_tools": null}))), AgentSettings::default());
}

#[test]
fn a_group_or_a_setting_is_replaced_as_a_whole() {
    let agent = settings(
        json!({"name": "Asha", "speed": 1.5, "stability": 0.1, "call_timeout": 40, "guardrails": ["no_pii", "no_politics"]}),
    );
    let group = AgentChange::read_group(Group::VoiceConfig, &json!({"stability": 0.9}), Scope::default()).unwrap();
    let agent = agent.with(&group);
    assert_eq!((agent.fraction(&settings::SPEED), agent.fraction(&settings::STABILITY)), (Some(1.0), Some(0.9)));
    assert_eq!((agent.whole(&settings::CALL_TIMEOUT), agent.name().as_str()), (Some(40), "Asha"));
    let put = |body: Value| AgentChange::read_setting(&settings::GUARDRAILS, &body, Scope::default());
    let agent = agent.with(&put(json!({"stay_on_topic": true})).unwrap());
    assert_eq!(agent.on(&settings::GUARDRAILS), ["stay_on_topic"]);
    assert_eq!(put(json!({"no_fun": true})).unwrap_err().told[0].pointer, "/no_fun");
    assert_eq!(agent.with(&put(json!(null)).unwrap()).set(&settings::GUARDRAILS), None);
    let identity = AgentChange::read_group(Group::Identity, &json!({}), Scope::default()).unwrap();
    assert_eq!(agent.with(&identity).name(), "Asha");
    assert!(AgentChange::read_group(Group::Voice, &json!({"speed": 1}), Scope::default()).is_err());
}

#[test]
fn formats_are_read_as_documents_print_them() {
    for (given, kept) in
        [("PCM 8000 Hz", "pcm_8000"), ("PCM 16000 Hz", "pcm_16000"), ("mp3", "mp3"), ("µ-law", "ulaw_8000")]
    {
        assert_eq!(settings(json!({"output_format": given})).text(&settings::OUTPUT_FORMAT), kept);
    }
}

#[test]
fn terms_are_a_text_or_a_list() {
    for given in [json!(" Gurugram, sector 56 ,,lakh,Gurugram"), json!(["Gurugram", "sector 56", "lakh", ""])] {
        let agent = settings(json!({"asr_keywords": given}));
        assert_eq!(agent.terms(&settings::ASR_KEYWORDS), ["Gurugram", "sector 56", "lakh"]);
        assert_eq!(agent.text(&settings::ASR_KEYWORDS), "Gurugram, sector 56, lakh");
    }
    assert_eq!(faults(json!({"asr_keywords": ["a, b"]})).len(), 1);
    assert_eq!(settings(json!({"asr_keywords": ", ,"})), AgentSettings::default());
}

#[test]
fn a_national_number_needs_its_country() {
    let national = json!({"caller_id_number": "080 4711 2233"});
    assert_eq!(faults(national.clone()).len(), 1);
    let scope = Scope { region: Some("IN".parse().unwrap()), ..Scope::default() };
    let agent = AgentSettings::default().with(&AgentChange::read(&national, scope).unwrap());
    assert_eq!(agent.text(&settings::CALLER_ID_NUMBER), "+918047112233");
}

#[test]
fn a_scope_lets_in_its_groups_alone() {
    let scope = Scope { groups: &[Group::Calling], at: "/call_settings", ..Scope::default() };
    let faults = AgentChange::read(&json!({"call_timeout": 1, "eagerness": "low"}), scope).unwrap_err();
    let told: Vec<String> = faults.told.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "/call_settings/call_timeout: 1 is out of range: 5 to 600 seconds",
            "/call_settings/eagerness: belongs into behaviour"
        ]
    );
}

#[test]
fn nothing_is_unbounded() {
    // serde_json reads no deeper than 127 levels.
    let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(faults(json!({"business_info": {"a": deep}})).len(), 1);
    let long = "x".repeat(2_000_000);
    assert_eq!(
        faults(json!({"sales_script_text": long})),
        ["/sales_script_text: has 2000000 characters; at most 100000 are kept"]
    );
    assert_eq!(faults(json!({"knowledge_files": {"a": long}})), ["/knowledge_files: is larger than 524288 bytes"]);
    assert_eq!(faults(json!({"asr_keywords": "a,".repeat(100_000)})).len(), 1);
    let fields: Map<String, Value> = (0..100_000).map(|n| (format!("f{n}"), json!(n))).collect();
    assert_eq!(faults(Value::Object(fields)), ["the document: has 100000 fields; at most 500 are kept"]);
    let fields: Map<String, Value> = (0..400).map(|n| (format!("{}{n}", "x".repeat(20_000)), json!(n))).collect();
    let told = AgentChange::read(&Value::Object(fields), Scope::default()).unwrap_err();
    assert!((told.told.len(), told.more) == (MOST_FAULTS, 350) && told.to_string().len() < 10_000);
    assert_eq!(faults(json!({"business_info": {"a\u{0}": 1}})).len(), 1);
    assert_eq!(faults(json!({"languages": vec![json!({}); 51]})).len(), 1);
    for document in
        [json!({"guardrails": ""}), json!({"languages": ""}), json!({"no_logging": ""}), json!({"call_timeout": " "})]
    {
        assert_eq!(faults(document).len(), 1, "an empty text is no list and no number");
    }
    for other in [json!(null), json!([]), json!("x"), json!(3)] {
        assert_eq!(faults(other).len(), 1);
    }
}

#[test]
fn a_release_reads_what_another_one_kept() {
    let kept = json!({"eagerness": "low", "of_a_later_release": 1, "call_timeout": 100_000, "output_format": "wav"});
    let (read, faults) = AgentSettings::from_stored(kept.as_object().unwrap());
    assert_eq!(read.stored(), *json!({"eagerness": "low", "call_timeout": 600}).as_object().unwrap());
    let told: Vec<String> = faults.told.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3);
    assert!(told.contains(&"/call_timeout: 100000 is out of range: 5 to 600 seconds".to_owned()), "{told:?}");
}

/// Any JSON, small.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{0,8}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// A value that `setting` takes.
fn fitting(setting: &'static Setting) -> BoxedStrategy<Value> {
    let words = |words: &'static [Word]| prop::sample::select(words.iter().map(|word| word.name).collect::<Vec<_>>());
    match setting.kind {
        Kind::Name => "[A-Za-z][a-z \u{900}-\u{97f}-]{0,20}".prop_map(Value::from).boxed(),
        Kind::Line { .. } => "\\PC{0,40}".prop_map(Value::from).boxed(),
        Kind::Prose { .. } => "(\\PC|\n|\t|\"|\\\\|'|\r\n){0,60}".prop_map(Value::from).boxed(),
        Kind::Flag => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Whole(bounds) => (bounds.from..=bounds.to).prop_map(Value::from).boxed(),
        Kind::Fraction(bounds) => (bounds.from..=bounds.to).prop_map(Value::from).boxed(),
        Kind::Choice(of) => words(of).prop_map(Value::from).boxed(),
        Kind::Eagerness(of) => prop_oneof![words(of).prop_map(Value::from), (0.0..=1.0).prop_map(Value::from)].boxed(),
        Kind::Language => prop::sample::select(vec!["en", "hi-IN", "zh_hant_TW"]).prop_map(Value::from).boxed(),
        Kind::Telephone => Just(json!("+918047112233")).boxed(),
        Kind::Url => "https://[a-z]{1,9}\\.example/[a-z]{0,9}(\\?q=[a-z]{0,3})?".prop_map(Value::from).boxed(),
        Kind::Terms { .. } => "([a-z ]{0,8},){0,6}[a-z]{1,8}".prop_map(Value::from).boxed(),
        Kind::Switches(of) => prop_oneof![
            prop::collection::btree_map(
                words(of.words).prop_map(str::to_owned),
                any::<bool>().prop_map(Value::from),
                0..5
            )
            .prop_map(|map| map.into_iter().collect::<Value>()),
            prop::collection::vec(words(of.words).prop_map(Value::from), 0..5).prop_map(Value::from),
        ]
        .boxed(),
        Kind::Languages { .. } => prop::collection::btree_set(prop::sample::select(vec!["hi", "en", "ta", "mr"]), 0..4)
            .prop_map(|tags| tags.into_iter().map(|tag| json!({"language_code": tag, "voice_id": "v"})).collect())
            .boxed(),
        Kind::Object { .. } => {
            let member = any_json().prop_filter("no list with null, no huge number", fits);
            prop::collection::btree_map("(\\PC|\n){1,8}", member, 0..4)
                .prop_map(|map| map.into_iter().collect())
                .boxed()
        }
    }
}

fn fits(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().all(|value| !value.is_null() && fits(value)),
        Value::Object(object) => object.iter().all(|(key, value)| !key.is_empty() && fits(value)),
        Value::Number(number) => number.is_i64() || number.is_f64(),
        _ => true,
    }
}

/// An agent with some settings set, as its document says them.
pub(crate) fn any_document() -> impl Strategy<Value = Value> {
    let all: Vec<&'static Setting> = catalogue::all().collect();
    let some = prop::sample::subsequence(all, 0..=20);
    let fields = some.prop_flat_map(|settings| {
        let fields: Vec<_> =
            settings.into_iter().map(|setting| (Just(setting.name.to_owned()), fitting(setting))).collect();
        fields
    });
    fields.prop_map(|fields| fields.into_iter().collect())
}

/// Settings of some agent.
pub(crate) fn any_settings() -> impl Strategy<Value = AgentSettings> {
    any_document().prop_map(settings)
}

proptest! {
    #[test]
    fn no_document_breaks_the_reader(document in any_json()) {
        let _ = AgentChange::read(&document, Scope::default());
    }

    #[test]
    fn no_value_breaks_a_setting(place in 0..200_usize, value in any_json()) {
        let setting = catalogue::all().nth(place % catalogue::all().count()).unwrap();
        match AgentChange::read(&json!({setting.name: value}), Scope::default()) {
            Ok(change) => {
                let once = AgentSettings::default().with(&change);
                let again = settings(Value::Object(once.stored()));
                prop_assert_eq!(once, again);
            }
            Err(faults) => {
                let place = format!("/{}", setting.name);
                prop_assert!(faults.told.iter().all(|fault| fault.pointer.starts_with(&place)));
            }
        }
    }

    #[test]
    fn whatever_was_stored_gives_an_agent_and_is_told_where_it_does_not_fit(place in 0..200_usize, value in any_json()) {
        let setting = catalogue::all().nth(place % catalogue::all().count()).unwrap();
        let stored = json!({setting.name: value});
        let (read, faults) = AgentSettings::from_stored(stored.as_object().unwrap());
        prop_assert_eq!(faults.is_empty(), AgentChange::read(&stored, Scope::default()).is_ok());
        let (again, faults) = AgentSettings::from_stored(&read.stored());
        prop_assert_eq!(&again, &read);
        prop_assert!(faults.is_empty() || setting.name == "name", "{faults}");
    }

    #[test]
    fn what_is_kept_and_what_is_shown_read_back(agent in any_settings()) {
        let (kept, faults) = AgentSettings::from_stored(&agent.stored());
        prop_assert!(faults.is_empty(), "{faults}");
        prop_assert_eq!(&kept, &agent);
        let mut shown = agent.shown();
        shown.retain(|_, value| !value.is_null());
        let again = settings(Value::Object(shown.clone()));
        let mut twice = again.shown();
        twice.retain(|_, value| !value.is_null());
        prop_assert_eq!(twice, shown);
    }

    #[test]
    fn a_change_leads_from_any_agent_to_any_other(from in any_settings(), to in any_settings()) {
        let change = AgentChange::between(&from, &to);
        prop_assert_eq!(from.with(&change), to.clone());
        prop_assert_eq!(change.is_empty(), from == to);
    }
}
