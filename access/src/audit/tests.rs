use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::json;

use super::*;

fn record(before: Option<&Value>, after: Option<&Value>) -> Record {
    Record {
        at: DateTime::from_timestamp(1_800_000_000, 0).expect("a time"),
        business: BusinessId(7),
        who: Who::User { id: UserId(17) },
        from: Origin::new(Some("192.0.2.1".parse().expect("an address")), Some("curl/8.5.0"), None),
        action: Action::Updated,
        resource: Resource { kind: "agent".into(), id: "12".into() },
        changes: changes(before, after),
    }
}

fn places(changes: &Changes) -> Vec<&str> {
    changes.list.iter().map(|change| change.at.as_str()).collect()
}

#[test]
fn a_record_is_as_documented_and_reads_back() {
    let before = json!({"name": "Asha", "max_minutes": 20, "carrier": {"auth_token": "one", "sid": "AC1"}});
    let after = json!({"name": "Asha", "max_minutes": 30, "carrier": {"auth_token": "two", "sid": "AC1"}});
    let record = record(Some(&before), Some(&after));
    let text = record.canonical();
    let documented = concat!(
        r#"{"action":"updated","at":"2027-01-15T08:00:00Z","business":7,"#,
        r#""changes":[{"after":"***","at":"/carrier/auth_token","before":"***"},{"after":30,"at":"/max_minutes","before":20}],"#,
        r#""from":{"address":"192.0.2.1","agent":"curl/8.5.0"},"resource":{"id":"12","kind":"agent"},"who":{"id":17,"kind":"user"}}"#,
    );
    assert_eq!(text, documented);
    assert_eq!(Record::parse(&text).expect("our own text"), record);
}

#[test]
fn everyone_who_can_change_something_has_a_name() {
    let key = "0123456789abcdef".parse().expect("an id");
    let names = [
        (Who::User { id: UserId(1) }, json!({"kind": "user", "id": 1})),
        (Who::Key { id: key }, json!({"kind": "key", "id": "0123456789abcdef"})),
        (Who::SetupLink, json!({"kind": "setup_link"})),
        (Who::Cli { account: Some("root".into()) }, json!({"kind": "cli", "account": "root"})),
        (Who::Local, json!({"kind": "local"})),
        (Who::System { part: "retention".into() }, json!({"kind": "system", "part": "retention"})),
        (Who::Unknown, json!({"kind": "unknown"})),
    ];
    for (who, expected) in names {
        assert_eq!(serde_json::to_value(&who).expect("JSON"), expected);
        assert_eq!(serde_json::from_value::<Who>(expected).expect("a name"), who);
    }
}

#[test]
fn a_new_row_and_a_deleted_one_are_shown_field_by_field() {
    let row =
        json!({"name": "Asha", "voice": {"id": "v1", "speed": 1.1}, "tags": ["a", "b"], "notes": null, "extra": {}});
    let made = changes(None, Some(&row));
    assert_eq!(places(&made), ["/extra", "/name", "/notes", "/tags", "/voice/id", "/voice/speed"]);
    assert!(made.list.iter().all(|change| change.before.is_none() && change.after.is_some()));
    let gone = changes(Some(&row), None);
    assert_eq!(places(&gone), places(&made));
    assert!(gone.list.iter().all(|change| change.before.is_some() && change.after.is_none()));
    assert_eq!(changes(Some(&row), Some(&row)), Changes::default());
}

#[test]
fn a_null_is_not_an_absence() {
    let set = changes(Some(&json!({"zone": null})), Some(&json!({"zone": "Asia/Kolkata"})));
    assert_eq!(set.list[0].before, Some(Value::Null));
    let added = changes(Some(&json!({})), Some(&json!({"zone": null})));
    assert_eq!((added.list[0].before.clone(), added.list[0].after.clone()), (None, Some(Value::Null)));
    let text = serde_json::to_string(&set).expect("JSON");
    assert_eq!(serde_json::from_str::<Changes>(&text).expect("changes"), set);
}

#[test]
fn no_secret_is_in_a_record() {
    let key = crate::api_key::mint(&mut ChaCha20Rng::seed_from_u64(1));
    let canary = "canary-7f3a";
    let row = |n: u32| {
        json!({
            "password": format!("{canary}{n}"), "sip_password": format!("{canary}{n}"), "authToken": format!("{canary}{n}"),
            "WEBHOOK-SECRET": format!("{canary}{n}"), "api_key": {"id": n, "value": canary}, "key": format!("{canary}{n}"),
            "credentials": [canary, n], "headers": [{"name": "x", "authorization": format!("{canary}{n}")}],
            "note": format!("Bearer {canary}{n}"), "proxy": format!("http://user:{canary}{n}@proxy.example.test/"),
            "jwt": format!("eyJ{canary}.{n}.c"), "pasted": [key.text.expose(), n], "openai": format!("sk-{canary}{n}"),
            "hint": format!("call it with token={} please, or with sk_{canary}{n}", key.text.expose()),
        })
    };
    for (before, after) in [(None, Some(row(1))), (Some(row(1)), Some(row(2))), (Some(row(2)), None)] {
        let record = record(before.as_ref(), after.as_ref());
        let text = record.canonical();
        assert!(!text.contains(canary) && !text.contains(key.text.expose()), "{text}");
        assert_eq!(record.changes.list.len(), 14, "each is seen to have changed: {text}");
    }
}

#[test]
fn what_only_sounds_like_a_secret_is_shown() {
    let row = json!({"max_tokens": 200, "keyboard": "none", "secretary": "Rao", "email": "a@example.test", "url": "https://example.test/a:b@c"});
    let text = record(None, Some(&row)).canonical();
    assert!(!text.contains("***"), "{text}");
}

#[test]
fn a_secret_that_was_set_for_the_first_time_is_seen_to_be() {
    let set = changes(Some(&json!({"auth_token": null})), Some(&json!({"auth_token": "x"})));
    assert_eq!((set.list[0].before.clone(), set.list[0].after.clone()), (Some(Value::Null), Some("***".into())));
}

#[test]
fn a_record_has_an_end() {
    let row = |n: usize| Value::Object((0..5000).map(|at| (format!("field{at}"), n.into())).collect());
    let many = changes(Some(&row(1)), Some(&row(2)));
    assert_eq!((many.list.len(), many.left_off), (MAX_CHANGES, 5000 - MAX_CHANGES));

    let long = changes(Some(&json!({"prompt": "a".repeat(10_000_000)})), Some(&json!({"prompt": "b".repeat(3000)})));
    let after = long.list[0].after.as_ref().and_then(Value::as_str).expect("a text");
    assert!(after.starts_with("(3002 bytes, sha256 ") && after.len() < 60, "{after}");
    assert_ne!(long.list[0].before, long.list[0].after);

    let deep = |end: u32| (0..100).fold(json!(end), |inner, _| json!({"a": inner}));
    let deep = changes(Some(&deep(1)), Some(&deep(2)));
    assert_eq!(places(&deep), ["/a".repeat(16)]);

    let origin = Origin::new(None, Some(&"x\u{1b}[31m".repeat(1000)), Some("id\r\n1"));
    assert_eq!(
        origin.agent.map(|agent| (agent.chars().count(), agent.contains('\u{1b}'))),
        Some((MAX_CLIENT_CHARS, false))
    );
    assert_eq!(origin.request.as_deref(), Some("id1"));
}

#[test]
fn places_are_pointers() {
    let before = json!({"a/b": {"c~d": 1}, "": 2});
    let changed = changes(Some(&before), Some(&json!({"a/b": {"c~d": 3}, "": 4})));
    assert_eq!(places(&changed), ["/", "/a~1b/c~0d"]);
    for change in &changed.list {
        assert_eq!(before.pointer(&change.at), change.before.as_ref());
    }
}

#[test]
fn the_canonical_form_is_rfc_8785_s() {
    // The example of its section 3.2.3 for the order of names, and of 3.2.2 for escapes.
    let value = json!({
        "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh", "1": "One",
        "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "\u{f6}": "Latin Small Letter O With Diaeresis",
    });
    let text = canonical(&value);
    let order: Vec<usize> = ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"]
        .iter()
        .map(|word| text.find(word).expect("each is there"))
        .collect();
    assert!(order.is_sorted(), "{text}");
    assert_eq!(canonical(&json!("\u{20ac}$\u{f}\nA'B\"\\\"/")), "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\"/\"");
    assert_eq!(canonical(&json!([1, true, null, {"b": [], "a": {}}])), r#"[1,true,null,{"a":{},"b":[]}]"#);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z~/\"\\\\\u{e9}]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-z~/]{0,3}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_canonical_form_reads_back(value in any_json()) {
        prop_assert_eq!(serde_json::from_str::<Value>(&canonical(&value)).expect("JSON"), value);
    }

    /// Each change says what stands at its place on either side, and two rows without changes are equal.
    #[test]
    fn the_changes_are_all_and_true(before in any_json(), after in any_json()) {
        let found = changes(Some(&before), Some(&after));
        prop_assert_eq!(found.list.is_empty(), before == after);
        for change in &found.list {
            prop_assert_eq!(before.pointer(&change.at), change.before.as_ref());
            prop_assert_eq!(after.pointer(&change.at), change.after.as_ref());
        }
    }
}
