//! The names of those who ask: users by number and e-mail, sessions by a random UUID.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use tandem_domain::ids::BusinessId;
use uuid::Uuid;

use crate::role::Role;

/// Row number of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

/// One log-in on one device, from the password to the log-out: all its access and refresh tokens carry it, so that it ends them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

impl SessionId {
    /// A new one: 122 random bits (UUIDv4).
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut bits = [0; 16];
        rng.fill_bytes(&mut bits);
        Self(uuid::Builder::from_random_bytes(bits).into_uuid())
    }
}

/// A user as far as a request depends on them; looked up with the session, never taken from a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// Whose rows they see.
    pub business: BusinessId,
    /// What they are, now.
    pub role: Role,
    /// Since when they may not log in.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When they last changed their password: sessions from before are over.
    pub password_changed_at: DateTime<Utc>,
}

/// An e-mail address as a log-in name: without white space around it and in lower case, so that one person has one account.
///
/// The part before the `@` may in theory tell cases apart (RFC 5321 2.4); no provider of note does, and two accounts that differ
/// in nothing else would be a trap.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// Why a text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Longer than a path in SMTP can be.
    #[error("an e-mail address has {} characters at most", Email::MAX_BYTES)]
    TooLong,
    /// Not of the form `name@domain`.
    #[error("an e-mail address has the form name@example.com")]
    Malformed,
}

impl Email {
    /// RFC 5321 4.5.3.1.3: a path has 256 octets, two of them its angle brackets.
    pub const MAX_BYTES: usize = 254;

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`: a word that its owner's password must not be made of.
    pub fn name(&self) -> &str {
        self.0.split_once('@').map_or(&self.0, |(name, _)| name)
    }
}

impl FromStr for Email {
    type Err = EmailError;

    /// Only refuses what cannot be one; whether it exists, a message to it must tell.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.len() > Self::MAX_BYTES {
            return Err(EmailError::TooLong);
        }
        let (name, domain) = text.split_once('@').ok_or(EmailError::Malformed)?;
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';');
        if name.is_empty() || domain.is_empty() || domain.contains('@') || text.chars().any(odd) {
            return Err(EmailError::Malformed);
        }
        Ok(Self(text.to_lowercase()))
    }
}

impl TryFrom<String> for Email {
    type Error = EmailError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_has_one_address() {
        let email: Email = " Asha.Rao@Example.TEST\n".parse().expect("an address");
        assert_eq!(email.as_str(), "asha.rao@example.test");
        assert_eq!(email.name(), "asha.rao");
        assert_eq!(serde_json::from_str::<Email>(r#""ASHA.RAO@example.test""#).expect("an address"), email);
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        for text in ["", "asha", "@example.test", "asha@", "a b@example.test", "a@b@example.test", "a@b\r\nBcc: c@d"] {
            assert_eq!(text.parse::<Email>(), Err(EmailError::Malformed), "{text:?}");
        }
        let long = format!("{}@example.test", "a".repeat(250));
        assert_eq!(long.parse::<Email>(), Err(EmailError::TooLong));
    }
}
