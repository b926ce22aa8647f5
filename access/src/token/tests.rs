//! Forged tokens. Unless the row is about the signature, the forger has our key, so that each check is shown to hold alone.

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Map, Value, json};

use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
}

fn key(seed: u64) -> SecretKey {
    SecretKey::generate(&mut ChaCha20Rng::seed_from_u64(seed))
}

fn tokens() -> Tokens {
    Tokens::new(Uuid::from_u128(1), &key(1), None)
}

fn session() -> Session {
    Session::begin(SessionId(Uuid::from_u128(7)), UserId(17), now())
}

/// The claims of a good access token, with some replaced; `null` takes one away.
fn claims(changes: Value) -> String {
    let mut claims = json!({
        "iss": "tandem:00000000-0000-0000-0000-000000000001", "aud": "tandem-api", "use": "access",
        "iat": now().timestamp(), "nbf": now().timestamp(), "exp": (now() + ACCESS_LIFE).timestamp(),
        "sub": "17", "sid": "00000000-0000-0000-0000-000000000007",
    });
    let changes: Map<String, Value> = serde_json::from_value(changes).expect("an object");
    let all = claims.as_object_mut().expect("an object");
    for (name, value) in changes {
        match value {
            Value::Null => all.remove(&name),
            value => all.insert(name, value),
        };
    }
    claims.to_string()
}

/// A header like ours with one text replaced.
fn header(from: &str, to: &str) -> String {
    let ours = tokens().keys.header();
    let header = ours.replace(from, to);
    assert_ne!(header, ours, "{from:?} is in our header");
    header
}

/// The forger's desk: a good header and good claims are taken when none is given.
fn forged(header: Option<&str>, changes: Value) -> String {
    let keys = tokens().keys;
    keys.forge(header.unwrap_or(&keys.header()), &claims(changes))
}

fn parts(token: &str) -> [String; 3] {
    let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    parts.try_into().expect("three parts")
}

#[test]
fn the_forger_s_desk_makes_good_tokens_when_nothing_is_changed() {
    let good = forged(None, json!({}));
    let claims = tokens().access(&good, now()).expect("a token like ours");
    assert_eq!(claims, AccessClaims { user: UserId(17), session: SessionId(Uuid::from_u128(7)) });
    assert_eq!(parts(&good)[0], parts(tokens().issue(&session(), now()).access.expose())[0]);
}

#[test]
fn no_forged_token_is_accepted() {
    let good = tokens().issue(&session(), now()).access.expose().to_owned();
    let [good_header, good_claims, good_signature] = parts(&good);
    let others = Tokens::new(Uuid::from_u128(1), &key(2), None).issue(&session(), now()).access.expose().to_owned();
    let extra = |parameter: &str| header(r#""typ":"JWT""#, &format!(r#"{parameter},"typ":"JWT""#));
    let with_header = |header: String| forged(Some(&header), json!({}));
    let seconds = |at: DateTime<Utc>| at.timestamp();
    let kid = |name: &str| {
        let ours: Value = serde_json::from_str(&tokens().keys.header()).expect("our header");
        header(ours["kid"].as_str().expect("a name"), name)
    };
    let twice = claims(json!({})).replacen('{', r#"{"sub":"1","#, 1);

    use TokenRefusal as R;
    let rows: Vec<(&str, String, TokenRefusal)> = vec![
        // The header: signed with the right key, and refused all the same.
        ("alg none", with_header(header("HS256", "none")), R::Header),
        ("alg None", with_header(header("HS256", "None")), R::Header),
        ("alg NONE", with_header(header("HS256", "NONE")), R::Header),
        ("alg none, no signature", format!("{}..", parts(&with_header(header("HS256", "none")))[0]), R::Header),
        ("no alg", with_header(header(r#""alg":"HS256","#, "")), R::Header),
        ("HS and RS confused", with_header(header("HS256", "RS256")), R::Header),
        ("HS384", with_header(header("HS256", "HS384")), R::Header),
        ("kid is a path", with_header(kid("../../../../dev/null")), R::Header),
        ("kid is SQL", with_header(kid("x' UNION SELECT 'secret' --")), R::Header),
        ("kid of nobody", with_header(kid("0000000000000000")), R::Header),
        ("jku", with_header(extra(r#""jku":"https://evil.example.test/keys""#)), R::Header),
        ("x5u", with_header(extra(r#""x5u":"https://evil.example.test/cert""#)), R::Header),
        ("jwk in the header", with_header(extra(r#""jwk":{"kty":"oct","k":"AAAA"}"#)), R::Header),
        ("crit", with_header(extra(r#""crit":["exp"]"#)), R::Header),
        ("the same header in other words", with_header(header(",", ", ")), R::Header),
        ("of another installation", others.clone(), R::Header),
        // The signature.
        (
            "another installation's claims",
            format!("{good_header}.{}.{}", parts(&others)[1], parts(&others)[2]),
            R::Signature,
        ),
        ("signature cut", good[..good.len() - 3].to_owned(), R::Signature),
        ("signature empty", format!("{good_header}.{good_claims}."), R::Signature),
        ("signature of zeros", format!("{good_header}.{good_claims}.{}", "A".repeat(43)), R::Signature),
        ("signature padded", format!("{good}="), R::Signature),
        (
            "claims swapped",
            format!("{good_header}.{}.{good_signature}", parts(&forged(None, json!({"sub": "1"})))[1]),
            R::Signature,
        ),
        // The claims: signed with the right key.
        ("a claim twice", tokens().keys.forge(&tokens().keys.header(), &twice), R::Claims),
        ("a claim of somebody else", forged(None, json!({"role": "owner"})), R::Claims),
        ("no exp", forged(None, json!({"exp": null})), R::Claims),
        ("exp a text", forged(None, json!({"exp": "never"})), R::Claims),
        ("exp without end", forged(None, json!({"exp": 1e300})), R::Claims),
        ("no user", forged(None, json!({"sub": null})), R::Claims),
        ("user a text", forged(None, json!({"sub": "17 OR 1=1"})), R::Claims),
        (
            "claims followed by more",
            tokens().keys.forge(&tokens().keys.header(), &(claims(json!({})) + "{}")),
            R::Claims,
        ),
        ("claims no JSON", tokens().keys.forge(&tokens().keys.header(), "\u{0}"), R::Claims),
        ("another issuer", forged(None, json!({"iss": "https://evil.example.test"})), R::Issuer),
        ("another audience", forged(None, json!({"aud": "livekit"})), R::Audience),
        ("several audiences", forged(None, json!({"aud": ["tandem-api", "livekit"]})), R::Claims),
        ("refresh as access", tokens().issue(&session(), now()).refresh.expose().to_owned(), R::Use),
        ("set-up as access", tokens().issue_setup(now()).expose().to_owned(), R::Use),
        ("expired", forged(None, json!({"exp": seconds(now() - LEEWAY)})), R::Expired),
        ("nbf ahead", forged(None, json!({"nbf": seconds(now() + LEEWAY) + 1})), R::NotYet),
        ("iat far ahead", forged(None, json!({"iat": i64::MAX, "exp": i64::MAX})), R::NotYet),
        ("a life of ten years", forged(None, json!({"exp": seconds(now() + TimeDelta::days(3650))})), R::TooLongLived),
        ("a life longer than time", forged(None, json!({"iat": i64::MIN, "exp": i64::MAX})), R::TooLongLived),
        // The form.
        ("huge", format!("{good_header}.{}.{good_signature}", "A".repeat(10_000_000)), R::TooLong),
        ("empty", String::new(), R::Malformed),
        ("two parts", format!("{good_header}.{good_claims}"), R::Malformed),
        ("five parts, as if encrypted", format!("{good}.AAAA.AAAA"), R::Malformed),
        ("a word before it", format!("Bearer {good}"), R::Header),
    ];
    let accepted = rows.iter().filter(|(_, token, _)| tokens().access(token, now()).is_ok()).count();
    assert_eq!(accepted, 0, "of {}", rows.len());
    for (name, token, refusal) in &rows {
        assert_eq!(tokens().access(token, now()).expect_err(name), *refusal, "{name}");
    }
}

#[test]
fn each_kind_is_read_as_itself_alone() {
    let (tokens, session) = (tokens(), session().rotated(session::Rotation { generation: 3 }, now()));
    let pair = tokens.issue(&session, now());
    let setup = tokens.issue_setup(now());
    let (access, refresh, setup) = (pair.access.expose(), pair.refresh.expose(), setup.expose());

    assert_eq!(tokens.access(access, now()), Ok(AccessClaims { user: UserId(17), session: session.id }));
    let expected = RefreshClaims { user: UserId(17), session: session.id, generation: 3 };
    assert_eq!(tokens.refresh(refresh, now()), Ok(expected));
    assert_eq!(tokens.setup(setup, now()), Ok(()));

    for other in [refresh, setup] {
        assert_eq!(tokens.access(other, now()), Err(TokenRefusal::Use));
    }
    for other in [access, setup] {
        assert_eq!(tokens.refresh(other, now()), Err(TokenRefusal::Use));
    }
    for other in [access, refresh] {
        assert_eq!(tokens.setup(other, now()), Err(TokenRefusal::Use));
    }
    assert!([access, refresh, setup].iter().all(|token| token.len() < MAX_BYTES / 2), "room to grow");
}

#[test]
fn a_token_lives_its_time_and_the_leeway() {
    let tokens = tokens();
    let access = tokens.issue(&session(), now()).access;
    let end = now() + ACCESS_LIFE + LEEWAY;
    assert!(tokens.access(access.expose(), now() - LEEWAY).is_ok(), "a machine whose clock is behind");
    assert_eq!(tokens.access(access.expose(), now() - LEEWAY - TimeDelta::seconds(1)), Err(TokenRefusal::NotYet));
    assert!(tokens.access(access.expose(), end - TimeDelta::seconds(1)).is_ok());
    assert_eq!(tokens.access(access.expose(), end), Err(TokenRefusal::Expired));
}

#[test]
fn no_token_outlives_its_session() {
    let (tokens, began) = (tokens(), now());
    let late = began + session::WHOLE_LIFE - TimeDelta::minutes(1);
    let session = Session { refreshed_at: late, ..session() };
    let pair = tokens.issue(&session, late);
    let end = began + session::WHOLE_LIFE + LEEWAY;
    assert_eq!(tokens.access(pair.access.expose(), end), Err(TokenRefusal::Expired));
    assert_eq!(tokens.refresh(pair.refresh.expose(), end), Err(TokenRefusal::Expired));
}

#[test]
fn after_a_change_of_key_old_tokens_are_read_and_new_ones_signed_with_the_new_key() {
    let installation = Uuid::from_u128(1);
    let before = Tokens::new(installation, &key(1), None);
    let after = Tokens::new(installation, &key(2), Some(&key(1)));
    let later = Tokens::new(installation, &key(3), Some(&key(2)));
    let (old, new) = (before.issue(&session(), now()).access, after.issue(&session(), now()).access);

    assert!(after.access(old.expose(), now()).is_ok());
    assert!(after.access(new.expose(), now()).is_ok());
    assert_eq!(before.access(new.expose(), now()), Err(TokenRefusal::Header));
    assert_eq!(later.access(old.expose(), now()), Err(TokenRefusal::Header), "two changes later it is over");
}

#[test]
fn two_installations_with_one_key_do_not_read_each_other_s_tokens() {
    let copy = Tokens::new(Uuid::from_u128(2), &key(1), None);
    let token = tokens().issue(&session(), now()).access;
    assert_eq!(copy.access(token.expose(), now()), Err(TokenRefusal::Issuer));
}

#[test]
fn our_tokens_are_those_of_the_standard() {
    let key = SecretKey::parse("0123456789abcdefghijklmnopqrstuv").expect("a key");
    let tokens = Tokens::new(Uuid::from_u128(1), &key, None);
    // Made by others of the same key and claims: the key by HKDF from Python's hmac, the token by PyJWT 2.15.1.
    assert_eq!(
        hex(key.derive(crate::secret::Purpose::Tokens).expose()),
        "65fe9f8d1c2fbfd88829206b752cc07aa9b1c057cf936c9be5aa7e89808ea01a"
    );
    let expected = [
        "eyJhbGciOiJIUzI1NiIsImtpZCI6IjE1OTk4NTcwMmY4ZDk3YTQiLCJ0eXAiOiJKV1QifQ",
        "eyJpc3MiOiJ0YW5kZW06MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAxIiwiYXVkIjoidGFuZGVtLWFwaSIsImlhdCI6MTgwMDAwMDAwMCwibmJmIjoxODAwMDAwMDAwLCJleHAiOjE4MDAwMDA5MDAsInVzZSI6ImFjY2VzcyIsInN1YiI6IjE3Iiwic2lkIjoiMDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDA3In0",
        "9ZIO0bQ-Nn0EUo-xoMc_bzvrrkuBUSzkcVdb0JGNN48",
    ];
    assert_eq!(parts(tokens.issue(&session(), now()).access.expose()), expected);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

proptest! {
    #[test]
    fn a_token_with_one_character_changed_is_refused(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.=-]") {
        let mut token = tokens().issue(&session(), now()).access.expose().to_owned();
        let at = at.index(token.len());
        prop_assume!(token[at..=at] != to);
        token.replace_range(at..=at, &to);
        prop_assert!(tokens().access(&token, now()).is_err());
    }

    #[test]
    fn any_text_is_refused_without_a_panic(text in ".{0,200}") {
        prop_assert!(tokens().access(&text, now()).is_err());
    }

    #[test]
    fn any_signed_claims_are_read_or_refused_without_a_panic(iat in any::<i64>(), nbf in any::<i64>(), exp in any::<i64>()) {
        let read = tokens().access(&forged(None, json!({"iat": iat, "nbf": nbf, "exp": exp})), now());
        let leeway = LEEWAY.num_seconds();
        let good = iat.max(nbf) <= now().timestamp() + leeway
            && exp > now().timestamp() - leeway
            && exp.saturating_sub(iat) <= ACCESS_LIFE.num_seconds();
        prop_assert_eq!(read.is_ok(), good);
    }
}
