//! Tokens that a forger sends, some of them with the signing key in hand so that what refuses is the rule and not the signature. Over a real
//! connection, to the interface and to the refresh: none is accepted. What each is refused as is pinned in the crate `access`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tandem_access::port::AccessStore as _;
use tandem_access::secret::{Purpose, SecretKey};
use tandem_actors::clock;
use uuid::Uuid;

use crate::office::{ASHA, KEY, Office, PASSWORD};
use crate::support::answer;

/// A token with any header and claims, signed with the real key.
fn signed(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key = SecretKey::parse(KEY).unwrap().derive(Purpose::Tokens);
    let mac = Hmac::<Sha256>::new_from_slice(key.expose()).unwrap().chain_update(&message);
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn decoded(part: &str) -> String {
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn no_forged_token_is_accepted() {
    let office = Office::open().await;
    let (access, refresh) = office.tokens(ASHA, PASSWORD).await;
    let parts: Vec<&str> = access.split('.').collect();
    let (header, claims) = (decoded(parts[0]), decoded(parts[1]));
    let ours: Value = serde_json::from_str(&claims).unwrap();
    let with = |changes: Value| {
        let mut claims = ours.clone();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        signed(&header, &claims.to_string())
    };
    // The desk makes good tokens when nothing is changed: else every refusal below would say nothing.
    assert_eq!(office.get("/api/calls", &signed(&header, &claims)).await.status, 200);
    assert_eq!(office.get("/api/calls", &with(json!({}))).await.status, 200);

    let headed = |from: &str, to: &str| {
        let forged = header.replace(from, to);
        assert_ne!(forged, header, "{from}");
        signed(&forged, &claims)
    };
    let kid = serde_json::from_str::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned();
    let now = clock::utc().timestamp();
    let installation = office.program.running.store.installation(Uuid::nil()).await.unwrap().id;
    let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(header.replace("HS256", "none")), parts[1]);
    let extra = |parameter: &str| headed(r#""typ":"JWT""#, &format!(r#"{parameter},"typ":"JWT""#));
    let forged: Vec<(&str, String)> = vec![
        ("alg none", headed("HS256", "none")),
        ("alg none, no signature", unsigned),
        ("alg NoNe", headed("HS256", "NoNe")),
        ("HS and RS confused", headed("HS256", "RS256")),
        ("HS512", headed("HS256", "HS512")),
        ("kid a path", headed(&kid, "../../../../dev/null")),
        ("kid SQL", headed(&kid, "x' UNION SELECT 'k' --")),
        ("jku", extra(r#""jku":"http://127.0.0.1:1/keys""#)),
        ("x5u", extra(r#""x5u":"http://127.0.0.1:1/cert""#)),
        ("jwk", extra(r#""jwk":{"kty":"oct","k":"AAAA"}"#)),
        ("crit", extra(r#""crit":["exp"]"#)),
        ("expired", with(json!({ "iat": now - 2000, "nbf": now - 2000, "exp": now - 1100 }))),
        ("not yet", with(json!({ "nbf": now + 3600 }))),
        ("ten years", with(json!({ "exp": now + 315_360_000 }))),
        ("no end", with(json!({ "exp": 1e300 }))),
        ("another audience", with(json!({ "aud": "livekit" }))),
        ("another issuer", with(json!({ "iss": format!("tandem:{}", Uuid::from_u128(7)) }))),
        ("another user's session", with(json!({ "sub": "2" }))),
        ("a session of nobody", with(json!({ "sid": Uuid::new_v4() }))),
        ("a role claimed", with(json!({ "role": "owner" }))),
        ("another business claimed", with(json!({ "business": 2 }))),
        ("a refresh token", refresh.clone()),
        ("a set-up token", with(json!({ "use": "setup" }))),
        ("a claim twice", signed(&header, &claims.replacen('{', r#"{"sub":"1","#, 1))),
        ("signature cut", access[..access.len() - 2].to_owned()),
        ("signature of zeros", format!("{}.{}.{}", parts[0], parts[1], "A".repeat(43))),
        (
            "claims of one, signature of another",
            format!("{}.{}.{}", parts[0], refresh.split('.').nth(1).unwrap(), parts[2]),
        ),
        ("long", format!("{}.{}.{}", parts[0], "A".repeat(5_000), parts[2])),
    ];
    assert!(ours["iss"].as_str().unwrap().ends_with(&installation.to_string()));
    assert!(forged.len() >= 20);
    let mut accepted = Vec::new();
    for (name, token) in &forged {
        if office.get("/api/calls", token).await.status != 401 {
            accepted.push(format!("{name}, at the interface"));
        }
        // Nor for the next pair, nor in the query, where no token is read at all.
        let body = json!({ "refresh": token });
        if *name != "a refresh token" && office.post("/api/auth/refresh", body).await.status != 401 {
            accepted.push(format!("{name}, for a refresh"));
        }
    }
    let queried = office.program.request("GET", &format!("/api/calls?access_token={access}"));
    assert_eq!(answer(queried).await.status, 401, "no token is read from the query");
    assert_eq!(accepted, Vec::<String>::new(), "of {}", forged.len());
    assert_eq!(office.get("/api/calls", &access).await.status, 200, "and the real one is still good");
}
