use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::role::{Role, held_by};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
}

fn minted(seed: u64) -> Minted {
    mint(&mut ChaCha20Rng::seed_from_u64(seed))
}

fn row(minted: &Minted) -> ApiKey {
    ApiKey {
        id: minted.id,
        business: BusinessId(7),
        hash: minted.hash,
        scopes: BTreeSet::from([Capability::ReadCalls]),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    }
}

fn presented(minted: &Minted) -> Presented {
    Presented::parse(minted.text.expose()).expect("our own key")
}

#[test]
fn a_key_looks_as_documented_and_its_row_does_not_hold_it() {
    let minted = minted(1);
    let text = minted.text.expose();
    assert_eq!((text.len(), &text[..4], &text[20..21]), (KEY_CHARS, "tdm_", "_"));
    assert_eq!(&text[4..20], minted.id.as_str());
    assert!(text.bytes().all(|byte| byte == b'_' || ALPHABET.contains(&byte)));

    let shown = format!("{minted:?} {:?} {:?}", row(&minted), presented(&minted));
    assert!(!shown.contains(&text[21..]) && shown.contains("***"), "{shown}");
}

#[test]
fn all_letters_are_equally_likely() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let mut counts = [0u32; 128];
    for _ in 0..1000 {
        let minted = mint(&mut rng);
        let text = minted.text.expose();
        text[4..KEY_CHARS - CHECK_CHARS].bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    }
    // 59,000 over 62; 15 % is almost five standard deviations.
    for letter in ALPHABET {
        let count = counts[usize::from(*letter)];
        assert!((809..=1094).contains(&count), "{count} times {:?}", char::from(*letter));
    }
}

#[test]
fn a_key_opens_what_it_was_made_for() {
    let minted = minted(1);
    let good = authenticate(Some(&row(&minted)), &presented(&minted), now()).expect("a good key");
    let scopes = BTreeSet::from([Capability::ReadCalls]);
    assert_eq!(good.principal, Principal::Key { key: minted.id, business: BusinessId(7), scopes });
}

#[test]
fn an_unknown_key_and_a_wrong_secret_are_refused_alike() {
    let (ours, other) = (minted(1), minted(2));
    let wrong_secret = ApiKey { hash: other.hash, ..row(&ours) };
    let wrong_row = ApiKey { id: other.id, ..row(&ours) };
    for row in [None, Some(&wrong_secret), Some(&wrong_row)] {
        assert_eq!(authenticate(row, &presented(&ours), now()), Err(KeyRefusal::Unknown));
    }
}

#[test]
fn a_key_ends_when_it_is_revoked_or_over() {
    let minted = minted(1);
    let ask = |key: ApiKey| authenticate(Some(&key), &presented(&minted), now()).map(|_| ());
    let moment = TimeDelta::seconds(1);
    assert_eq!(ask(ApiKey { expires_at: Some(now() + moment), ..row(&minted) }), Ok(()));
    assert_eq!(ask(ApiKey { expires_at: Some(now()), ..row(&minted) }), Err(KeyRefusal::Expired));
    assert_eq!(ask(ApiKey { revoked_at: Some(now()), ..row(&minted) }), Err(KeyRefusal::Revoked));
}

#[test]
fn its_use_is_noted_once_a_minute() {
    let minted = minted(1);
    let noted = |last_used_at| {
        let key = ApiKey { last_used_at, ..row(&minted) };
        authenticate(Some(&key), &presented(&minted), now()).expect("a good key").note_use
    };
    assert!(noted(None));
    assert!(!noted(Some(now() - TimeDelta::seconds(59))));
    assert!(noted(Some(now() - USE_STEP)));
}

#[test]
fn nobody_makes_a_key_that_can_do_more_than_they() {
    let admin = held_by(Role::Admin);
    let ask = |held: &BTreeSet<_>, scopes: &[Capability], expires_at| {
        may_grant(held, &scopes.iter().copied().collect(), expires_at, now())
    };
    assert_eq!(ask(&admin, &[Capability::ReadCalls, Capability::Dial], None), Ok(()));
    assert_eq!(ask(&admin, &[], None), Err(GrantError::NoScope));
    assert_eq!(ask(&admin, &[Capability::ManageKeys], None), Err(GrantError::NotForKeys(Capability::ManageKeys)));
    assert_eq!(ask(&held_by(Role::Viewer), &[Capability::Dial], None), Err(GrantError::NotYours(Capability::Dial)));
    assert_eq!(ask(&admin, &[Capability::Dial], Some(now())), Err(GrantError::Past));
}

#[test]
fn what_is_no_key_is_told_from_what_was_mistyped() {
    let text = minted(1).text.expose().to_owned();
    for wrong in
        ["", "tdm_", &text[1..], &format!("{text}0"), &text.replace("tdm_", "tdn_"), &"é".repeat(KEY_CHARS / 2)]
    {
        assert_eq!(Presented::parse(wrong).map(|key| key.id), Err(KeyFormatError::Form), "{wrong:?}");
    }
    let last = if text.ends_with('0') { "1" } else { "0" };
    let mistyped = format!("{}{last}", &text[..KEY_CHARS - 1]);
    assert_eq!(Presented::parse(&mistyped).map(|key| key.id), Err(KeyFormatError::Check));
    assert_eq!("0123456789abcde/".parse::<KeyId>(), Err(KeyFormatError::Form));
}

proptest! {
    #[test]
    fn a_key_is_read_back_and_no_other_character_will_do(seed: u64, at in 0..KEY_CHARS, to in "[0-9A-Za-z_]") {
        let minted = minted(seed);
        let read = presented(&minted);
        prop_assert_eq!((read.id, read.hash), (minted.id, minted.hash));

        let mut changed = minted.text.expose().to_owned();
        prop_assume!(changed[at..=at] != to);
        changed.replace_range(at..=at, &to);
        // CRC-32 finds every change of one byte.
        prop_assert!(Presented::parse(&changed).is_err());
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in ".{0,90}") {
        prop_assert!(Presented::parse(&text).is_err());
    }
}
