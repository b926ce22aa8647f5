//! What guards the media sockets: credentials that a carrier carries in the URL it was given.

use super::error::Problem;
use super::read::Reader;

/// A secret in a path is seen in more places than a password: it has to be long.
const MIN_SECRET_CHARS: usize = 16;
const MIN_PASSWORD_CHARS: usize = 8;

/// Credentials of media sockets. Any that is set opens them; if none is, programs of this machine alone may.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MediaCredentials {
    /// User and password (HTTP Basic): `wss://user:password@host/media`.
    pub basic: Option<(String, String)>,
    /// Secret in the path: `wss://host/media/SECRET`.
    pub secret: Option<String>,
}

impl std::fmt::Debug for MediaCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaCredentials")
            .field("basic", &self.basic.is_some())
            .field("secret", &self.secret.is_some())
            .finish()
    }
}

impl MediaCredentials {
    /// Whether any is set.
    pub fn are_set(&self) -> bool {
        self.basic.is_some() || self.secret.is_some()
    }

    /// The URL of `/media` at `authority` that these credentials open.
    pub fn url(&self, authority: &str) -> String {
        match (&self.secret, &self.basic) {
            (Some(secret), _) => format!("ws://{authority}/media/{secret}"),
            (None, Some((user, password))) => format!("ws://{user}:{password}@{authority}/media"),
            (None, None) => format!("ws://{authority}/media"),
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let user = reader.value("MEDIA_USER", |text| fit_for_a_url(text, 1));
        let password = reader.value("MEDIA_PASSWORD", |text| fit_for_a_url(text, MIN_PASSWORD_CHARS));
        let secret = reader.value("MEDIA_SECRET", |text| fit_for_a_url(text, MIN_SECRET_CHARS));
        for (alone, other) in [("MEDIA_USER", "MEDIA_PASSWORD"), ("MEDIA_PASSWORD", "MEDIA_USER")] {
            if reader.is_set(alone) && !reader.is_set(other) {
                let detail = format!("means nothing without {other}: set both or neither");
                reader.problems.push(Problem { subject: alone.to_owned(), source: reader.source(alone), detail });
            }
        }
        Self { basic: user.zip(password), secret }
    }
}

/// Carriers put it into a URL as it is.
fn fit_for_a_url(text: &str, min_chars: usize) -> Result<String, String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    if plain && text.len() >= min_chars {
        return Ok(text.to_owned());
    }
    // Without the text: it is meant to be a secret.
    Err(format!("has to have {min_chars} or more letters, digits and - . _ ~, since it stands in a URL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_stand_in_a_url_is_refused_unshown() {
        assert_eq!(fit_for_a_url("0123456789abcdef", 16), Ok("0123456789abcdef".to_owned()));
        for text in ["0123456789abcde", "0123456789abcde/", "0123456789abcde@", "0123456789 bcdef", "0123456789abcdé"]
        {
            let refused = fit_for_a_url(text, 16).expect_err("not fit");
            assert!(!refused.contains(text), "{refused}");
        }
    }

    #[test]
    fn the_url_carries_what_opens_it() {
        let basic = Some(("acme".to_owned(), "password".to_owned()));
        let both = MediaCredentials { basic: basic.clone(), secret: Some("s3cret".to_owned()) };
        assert_eq!(both.url("host:1"), "ws://host:1/media/s3cret");
        assert_eq!(MediaCredentials { basic, secret: None }.url("host:1"), "ws://acme:password@host:1/media");
        assert_eq!(MediaCredentials::default().url("host:1"), "ws://host:1/media");
        assert!(!format!("{both:?}").contains("s3cret"));
    }
}
