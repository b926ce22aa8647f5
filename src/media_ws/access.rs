//! Who may open a media socket (design.md section 12 item 1), decided before the upgrade.
//!
//! | what comes                                        | lets in                                                     |
//! |---------------------------------------------------|-------------------------------------------------------------|
//! | `MEDIA_SECRET` in the path                        | trusted                                                     |
//! | `MEDIA_USER` and `MEDIA_PASSWORD` by HTTP Basic   | trusted                                                     |
//! | an invitation's token in the path                 | a guest: the token is used up by `start`                    |
//! | nothing, while invitations are out                | a guest: `start` has to bring a token as its parameter      |
//! | nothing, while the interface is open and neither credential is set | a program of this machine: trusted; through a tunnel: a stranger |
//!
//! Everything else is refused: 401 where a password is missing or wrong, 403 else. What the standing allows: `tandem_domain::reception`.
//! Open is the interface on loopback without an administrator ([`Posture::Open`](tandem_access::setup::Posture)); with one, a socket needs
//! credentials on loopback too. Tokens and keys of the interface open no carrier's socket (R9): a URL at a carrier is seen by too many.
//! Comparisons take the same time wherever the texts differ.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;
use tandem_actors::Switch;
use tandem_domain::reception::Standing;

use crate::config::MediaCredentials;
use crate::http::gate;
use crate::http::problem::Problem;

/// Told to the operator as well as to whoever was refused.
const REMEDY: &str = "media sockets need credentials beyond this machine, and on it once there is an administrator: set MEDIA_SECRET and \
    give the carrier wss://HOST/media/SECRET, or MEDIA_USER and MEDIA_PASSWORD and give it wss://USER:PASSWORD@HOST/media";

/// The rule of this server.
#[derive(Debug)]
pub(crate) struct Access {
    credentials: MediaCredentials,
    told: AtomicBool,
}

/// What a socket that is let in may do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pass {
    pub(super) standing: Standing,
    /// An invitation's token from the path.
    pub(super) token: Option<String>,
    /// Whether it counts against its address until it speaks: it has shown no credentials.
    pub(super) counted: bool,
}

/// Why a socket is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No password, or a wrong one.
    Unauthorized,
    /// The key in the path opens nothing.
    BadKey,
    /// Nobody can be let in: no credentials are set up.
    Closed,
}

/// The invitations of a switch.
pub(super) trait Guests {
    fn expects(&self, token: &str) -> bool;
    fn expects_any(&self) -> bool;
}

impl Guests for Switch {
    fn expects(&self, token: &str) -> bool {
        self.expects(token).is_ok()
    }

    fn expects_any(&self) -> bool {
        self.expects_any()
    }
}

impl Access {
    pub(crate) fn new(credentials: MediaCredentials) -> Self {
        Self { credentials, told: AtomicBool::new(false) }
    }

    /// Whether the verdict hangs on the interface being open. Who has been given credentials does not wait for the database to say.
    pub(super) fn asks_whether_open(&self, key: Option<&str>) -> bool {
        key.is_none() && !self.credentials.are_set()
    }

    /// `key`: what stands in the path where a secret or a token may; `open`: whether the interface is open to this machine.
    pub(super) fn verdict(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        key: Option<&str>,
        open: bool,
        guests: &impl Guests,
    ) -> Result<Pass, Refusal> {
        let trusted = Pass { standing: Standing::Trusted, token: None, counted: false };
        let guest =
            |token: Option<&str>| Pass { standing: Standing::Guest, token: token.map(str::to_owned), counted: true };
        let MediaCredentials { basic, secret } = &self.credentials;
        if let Some(key) = key {
            return match secret {
                Some(secret) if equal(secret, key) => Ok(trusted),
                _ if guests.expects(key) => Ok(guest(Some(key))),
                _ => Err(Refusal::BadKey),
            };
        }
        if let (Some((user, password)), Some(shown)) = (basic, headers.get(header::AUTHORIZATION)) {
            let right =
                basic_of(shown).is_some_and(|shown| equal(&STANDARD.encode(format!("{user}:{password}")), shown));
            return if right { Ok(trusted) } else { Err(Refusal::Unauthorized) };
        }
        if !self.credentials.are_set() && open {
            // A browser opens sockets to any host, for any page.
            let ours = gate::is_of_this_machine(uri, headers) && !gate::is_of_another_page(headers);
            let standing = if ours { Standing::Trusted } else { Standing::Stranger };
            return Ok(Pass { standing, token: None, counted: true });
        }
        match basic {
            _ if guests.expects_any() => Ok(guest(None)),
            Some(_) => Err(Refusal::Unauthorized),
            None if secret.is_some() => Err(Refusal::BadKey),
            None => Err(Refusal::Closed),
        }
    }

    /// The answer to a socket that is refused. The first time, the log says what to do about it.
    pub(super) fn refuse(&self, refusal: Refusal) -> Problem {
        if refusal == Refusal::Closed && !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(remedy = REMEDY, "media socket refused");
        }
        match refusal {
            Refusal::Unauthorized => Problem::unauthorized("this media socket asks for its user and password"),
            Refusal::BadKey => Problem::closed("the path of this media socket has no valid secret or invitation"),
            Refusal::Closed => Problem::closed(REMEDY),
        }
    }
}

/// The encoded half of `Basic …`; the scheme's case does not matter (RFC 7617 2).
fn basic_of(authorization: &HeaderValue) -> Option<&str> {
    let (scheme, encoded) = authorization.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(encoded.trim())
}

fn equal(secret: &str, shown: &str) -> bool {
    bool::from(secret.as_bytes().ct_eq(shown.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    /// Whether any socket is waited for; the only token is `invited`.
    struct Invited(bool);

    impl Guests for Invited {
        fn expects(&self, token: &str) -> bool {
            self.0 && token == "invited"
        }

        fn expects_any(&self) -> bool {
            self.0
        }
    }

    fn access(basic: bool, secret: bool) -> Access {
        Access::new(MediaCredentials {
            basic: basic.then(|| ("acme".to_owned(), "password".to_owned())),
            secret: secret.then(|| SECRET.to_owned()),
        })
    }

    /// The standing of a socket that comes with this `Authorization` and key to a door that is `open`, while invitations are `out`.
    fn standing(
        (access, open): (&Access, bool),
        basic: Option<&str>,
        key: Option<&str>,
        out: bool,
    ) -> Result<Standing, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert("host", "127.0.0.1:8000".parse().unwrap());
        if let Some(basic) = basic {
            headers.insert("authorization", format!("Basic {}", STANDARD.encode(basic)).parse().unwrap());
        }
        let pass = access.verdict(&Uri::from_static("/media"), &headers, key, open, &Invited(out))?;
        assert_eq!(pass.token.is_some(), pass.standing == Standing::Guest && key.is_some());
        Ok(pass.standing)
    }

    #[test]
    fn an_open_interface_without_credentials_is_open() {
        let open = (&access(false, false), true);
        assert!(open.0.asks_whether_open(None) && !open.0.asks_whether_open(Some("guess")));
        assert_eq!(standing(open, None, None, false), Ok(Standing::Trusted));
        assert_eq!(standing(open, Some("any:thing"), None, false), Ok(Standing::Trusted), "nobody asked");
        assert_eq!(standing(open, None, Some("guess"), false), Err(Refusal::BadKey));
        assert_eq!(standing(open, None, Some("invited"), true), Ok(Standing::Guest));
    }

    #[test]
    fn who_comes_through_a_tunnel_or_from_a_web_page_is_a_stranger() {
        let open = access(false, false);
        for (name, value) in [
            ("host", "abc.tunnel.example.test"),
            ("x-forwarded-for", "203.0.113.9"),
            ("origin", "https://evil.example.test"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("host", "localhost:8000".parse().unwrap());
            headers.insert(name, value.parse().unwrap());
            let pass = open.verdict(&Uri::from_static("/media"), &headers, None, true, &Invited(false)).unwrap();
            assert_eq!(pass.standing, Standing::Stranger, "{name}");
            assert!(pass.counted);
        }
    }

    #[test]
    fn beyond_loopback_and_with_an_administrator_nothing_is_open() {
        let closed = (&access(false, false), false);
        assert_eq!(standing(closed, None, None, false), Err(Refusal::Closed));
        assert_eq!(standing(closed, Some("acme:password"), None, false), Err(Refusal::Closed));
        assert_eq!(standing(closed, None, Some(""), false), Err(Refusal::BadKey));
        assert_eq!(standing(closed, None, None, true), Ok(Standing::Guest), "start must bring a token");
    }

    #[test]
    fn a_password_opens_and_a_wrong_one_does_not_whether_open_or_not() {
        let access = access(true, false);
        assert!(!access.asks_whether_open(None));
        for open in [false, true] {
            let guarded = (&access, open);
            assert_eq!(standing(guarded, Some("acme:password"), None, false), Ok(Standing::Trusted));
            for wrong in [Some("acme:passwore"), Some("acme"), Some(""), None] {
                assert_eq!(standing(guarded, wrong, None, false), Err(Refusal::Unauthorized), "{wrong:?}");
            }
            assert_eq!(standing(guarded, Some("acme:wrong"), None, true), Err(Refusal::Unauthorized), "not a guest");
        }
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        let value = |text: &'static str| HeaderValue::from_static(text);
        assert_eq!(basic_of(&value("basic YQ==")), Some("YQ=="));
        assert_eq!(basic_of(&value("Bearer YQ==")), None);
        assert_eq!(basic_of(&value("Basic")), None);
    }

    #[test]
    fn a_secret_in_the_path_opens_and_a_part_of_it_does_not() {
        let access = access(false, true);
        for open in [false, true] {
            let guarded = (&access, open);
            assert_eq!(standing(guarded, None, Some(SECRET), false), Ok(Standing::Trusted));
            for wrong in [Some("0123456789abcde"), Some("0123456789abcdeF"), Some(""), None] {
                assert_eq!(standing(guarded, None, wrong, false), Err(Refusal::BadKey), "{wrong:?}");
            }
        }
    }

    #[test]
    fn either_credential_will_do_where_both_are_set() {
        let guarded = (&access(true, true), false);
        assert_eq!(standing(guarded, Some("acme:password"), None, false), Ok(Standing::Trusted));
        assert_eq!(standing(guarded, None, Some(SECRET), false), Ok(Standing::Trusted));
        assert_eq!(standing(guarded, None, None, false), Err(Refusal::Unauthorized));
    }

    #[test]
    fn a_closed_server_names_the_remedy() {
        let refused = format!("{:?}", access(false, false).refuse(Refusal::Closed));
        assert!(refused.contains("MEDIA_SECRET") && refused.contains("MEDIA_USER"), "{refused}");
    }
}
