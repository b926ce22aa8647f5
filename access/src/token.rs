//! Access, refresh and set-up tokens: who asks, for how long. Never what they may do, which is looked up with the session.
//!
//! A token is a JWT (RFC 7519) in compact form, `header.claims.signature`, signed with HMAC-SHA-256. One program signs and verifies,
//! so a shared key is right; a key pair would only help somebody else to verify, and nobody else has to.
//!
//! The header is **compared, never parsed**. There are two keys at most, hence two headers that we ever write, and a token must begin
//! with one of them byte for byte. So `alg` cannot be chosen by the sender, `kid` names one of our keys or nothing, and `jku`,
//! `x5u`, `jwk`, `crit` and whatever comes next cannot be asked for (RFC 8725 3.1, 3.10). The order of the checks:
//!
//! | check                                             | refused as                                            |
//! |---------------------------------------------------|-------------------------------------------------------|
//! | [`MAX_BYTES`] at most                             | [`TokenRefusal::TooLong`]                             |
//! | three parts                                       | [`TokenRefusal::Malformed`]                           |
//! | the header is one of ours                         | [`TokenRefusal::Header`]                              |
//! | the signature, in constant time                   | [`TokenRefusal::Signature`]                           |
//! | claims: ours, all, once each                      | [`TokenRefusal::Claims`]                              |
//! | `iss` this installation, `aud` this interface     | [`TokenRefusal::Issuer`], [`TokenRefusal::Audience`]  |
//! | `use` as the caller expects                       | [`TokenRefusal::Use`]                                 |
//! | `iat`, `nbf` not ahead, `exp` not past, life ours | [`TokenRefusal::NotYet`], `Expired`, `TooLongLived`   |
//!
//! No byte of the claims is looked at before the signature holds.
//!
//! Not here: whether the session still lives ([`crate::session`]), which the interface asks at every request. Encrypted tokens,
//! several signatures, detached payloads (RFC 7516, 7515 7.2) are not understood.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::{SessionId, UserId};
use crate::secret::{Secret, SecretKey};
use crate::session::{self, Session};

mod keys;
use keys::Keys;

/// How long an access token lives. Short, since it is kept in a page's memory; a refresh every quarter of an hour goes unnoticed.
pub const ACCESS_LIFE: TimeDelta = TimeDelta::minutes(15);
/// How long the set-up link works: the time to read the log and open it.
pub const SETUP_LIFE: TimeDelta = TimeDelta::hours(1);
/// How far the clocks of two processes of one installation may be apart.
pub const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// Ours have about 330. The bound is checked before anything is decoded.
pub const MAX_BYTES: usize = 1024;
/// Whom our tokens are for.
const AUDIENCE: &str = "tandem-api";

/// What a token is for. One kind never passes for another, though all are signed with the same key (RFC 8725 3.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// Sent with each request.
    Access,
    /// Exchanged for the next pair.
    Refresh,
    /// Opens the set-up page and nothing else.
    Setup,
}

impl Use {
    fn longest_life(self) -> TimeDelta {
        match self {
            Self::Access => ACCESS_LIFE,
            Self::Refresh => session::IDLE_LIFE,
            Self::Setup => SETUP_LIFE,
        }
    }
}

/// The claims as they travel. Of our own making alone: a claim that we do not write is a reason to refuse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    #[serde(rename = "use")]
    token_use: Use,
    /// The user's number, as text (RFC 7519 4.1.2).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    sub: Option<String>,
    /// The session. OpenID Connect Front-Channel Logout calls it so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    sid: Option<SessionId>,
    /// The generation of a refresh token.
    #[serde(rename = "gen", skip_serializing_if = "Option::is_none", default)]
    generation: Option<u32>,
}

/// What an access token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessClaims {
    /// Who asks.
    pub user: UserId,
    /// By which log-in; look it up, it may have been ended.
    pub session: SessionId,
}

/// What a refresh token says; [`Session::refresh`] decides about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshClaims {
    /// Who asks.
    pub user: UserId,
    /// Which session to go on with.
    pub session: SessionId,
    /// Which of the session's refresh tokens it is, counted from 0.
    pub generation: u32,
}

/// Why a token is refused. The text is for our log; a client is told "log in again", and only [`TokenRefusal::Expired`] apart from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// Longer than any of ours.
    #[error("the token has more than {MAX_BYTES} bytes")]
    TooLong,
    /// Not of the form `header.claims.signature`.
    #[error("the token has not three parts")]
    Malformed,
    /// Another algorithm, another key, or parameters that we do not write.
    #[error("the token's header is none that this installation writes")]
    Header,
    /// Changed, cut, or signed by somebody else.
    #[error("the token's signature does not hold")]
    Signature,
    /// Signed by us, and yet not our claims: another version's, or a claim twice.
    #[error("the token's claims are none that this version writes")]
    Claims,
    /// Of another installation with the same key.
    #[error("the token was issued by another installation")]
    Issuer,
    /// For another service.
    #[error("the token is meant for another service")]
    Audience,
    /// A refresh token sent as an access token, and the like.
    #[error("the token is of another kind")]
    Use,
    /// Issued, or valid, only in the future.
    #[error("the token is not valid yet; check the clocks of the machines")]
    NotYet,
    /// Over.
    #[error("the token has expired")]
    Expired,
    /// It claims a longer life than we give.
    #[error("the token lives longer than its kind may")]
    TooLongLived,
}

/// A pair of tokens as a log-in or a refresh answers it.
#[derive(Debug, Clone)]
pub struct Pair {
    /// For the next [`ACCESS_LIFE`].
    pub access: Secret,
    /// For the pair after this one.
    pub refresh: Secret,
}

/// Issues and reads the tokens of one installation.
#[derive(Debug, Clone)]
pub struct Tokens {
    keys: Keys,
    issuer: String,
}

impl Tokens {
    /// Tokens of one installation. `previous` is the key before the last change of `SECRET_KEY`: what it signed is still read, so
    /// that nobody is logged out by the change; keep it for [`session::IDLE_LIFE`].
    ///
    /// `installation` tells two databases apart that run with the same key, say a copy made for tests.
    pub fn new(installation: Uuid, current: &SecretKey, previous: Option<&SecretKey>) -> Self {
        Self { keys: Keys::new(current, previous), issuer: format!("tandem:{installation}") }
    }

    /// The tokens of a session that has just begun, or has just been rotated.
    pub fn issue(&self, session: &Session, now: DateTime<Utc>) -> Pair {
        let of = |token_use, generation| Claims {
            sub: Some(session.user.0.to_string()),
            sid: Some(session.id),
            generation,
            // Nothing outlives its session.
            exp: session.expires_at().min(now + Use::longest_life(token_use)).timestamp(),
            ..self.claims(token_use, now)
        };
        Pair {
            access: self.keys.sign(&of(Use::Access, None)),
            refresh: self.keys.sign(&of(Use::Refresh, Some(session.generation))),
        }
    }

    /// The token of the set-up link. It works once because what it allows is possible once ([`crate::setup`]).
    pub fn issue_setup(&self, now: DateTime<Utc>) -> Secret {
        self.keys.sign(&self.claims(Use::Setup, now))
    }

    /// Reads an access token.
    ///
    /// # Errors
    ///
    /// See the table of this module.
    pub fn access(&self, token: &str, now: DateTime<Utc>) -> Result<AccessClaims, TokenRefusal> {
        match self.read(token, Use::Access, now)? {
            Claims { sub: Some(sub), sid: Some(session), generation: None, .. } => {
                Ok(AccessClaims { user: user(&sub)?, session })
            }
            _ => Err(TokenRefusal::Claims),
        }
    }

    /// Reads a refresh token.
    ///
    /// # Errors
    ///
    /// See the table of this module.
    pub fn refresh(&self, token: &str, now: DateTime<Utc>) -> Result<RefreshClaims, TokenRefusal> {
        match self.read(token, Use::Refresh, now)? {
            Claims { sub: Some(sub), sid: Some(session), generation: Some(generation), .. } => {
                Ok(RefreshClaims { user: user(&sub)?, session, generation })
            }
            _ => Err(TokenRefusal::Claims),
        }
    }

    /// Reads the token of the set-up link.
    ///
    /// # Errors
    ///
    /// See the table of this module.
    pub fn setup(&self, token: &str, now: DateTime<Utc>) -> Result<(), TokenRefusal> {
        match self.read(token, Use::Setup, now)? {
            Claims { sub: None, sid: None, generation: None, .. } => Ok(()),
            _ => Err(TokenRefusal::Claims),
        }
    }

    fn claims(&self, token_use: Use, now: DateTime<Utc>) -> Claims {
        Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: (now + token_use.longest_life()).timestamp(),
            token_use,
            sub: None,
            sid: None,
            generation: None,
        }
    }

    fn read(&self, token: &str, expected: Use, now: DateTime<Utc>) -> Result<Claims, TokenRefusal> {
        if token.len() > MAX_BYTES {
            return Err(TokenRefusal::TooLong);
        }
        let claims = self.keys.open(token)?;
        // Derived `Deserialize` refuses a claim that comes twice, and serde_json anything after the object.
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| TokenRefusal::Claims)?;
        if claims.iss != self.issuer {
            return Err(TokenRefusal::Issuer);
        }
        if claims.aud != AUDIENCE {
            return Err(TokenRefusal::Audience);
        }
        if claims.token_use != expected {
            return Err(TokenRefusal::Use);
        }
        let (now, leeway) = (now.timestamp(), LEEWAY.num_seconds());
        if claims.iat.max(claims.nbf) > now.saturating_add(leeway) {
            return Err(TokenRefusal::NotYet);
        }
        if claims.exp.saturating_add(leeway) <= now {
            return Err(TokenRefusal::Expired);
        }
        if claims.exp.saturating_sub(claims.iat) > expected.longest_life().num_seconds() {
            return Err(TokenRefusal::TooLongLived);
        }
        Ok(claims)
    }
}

fn user(sub: &str) -> Result<UserId, TokenRefusal> {
    sub.parse().map(UserId).map_err(|_| TokenRefusal::Claims)
}

#[cfg(test)]
mod tests;
