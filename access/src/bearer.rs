//! What a request brings in `Authorization`: a session's token or a key.
//!
//! Nothing is looked up and nothing verified. A key is told from a token by its beginning, so that both go by the one scheme that every
//! client knows (RFC 6750 2.1). Tokens in the query are not read: they end in logs and in `Referer` (RFC 6750 5.3).

use crate::api_key::{KeyFormatError, Presented};
use crate::token::{self, TokenRefusal};

/// What was brought.
#[derive(Debug)]
pub enum Bearer<'a> {
    /// For [`token::Tokens::access`].
    Token(BearerToken<'a>),
    /// For [`crate::api_key::authenticate`].
    Key(Presented),
}

/// A token as it was sent, shown as `***`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BearerToken<'a>(&'a str);

impl<'a> BearerToken<'a> {
    /// The text.
    pub fn expose(self) -> &'a str {
        self.0
    }
}

impl std::fmt::Debug for BearerToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Why a header cannot be read. 401, all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// `Basic`, `Digest`, or no scheme at all.
    #[error("send the token, or an API key, as `Authorization: Bearer …`")]
    Scheme,
    /// Begins as a key of ours and is none.
    #[error(transparent)]
    Key(#[from] KeyFormatError),
    /// Longer than any token.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
}

impl<'a> Bearer<'a> {
    /// Reads the value of one `Authorization` header. A request with two is refused before: whichever is taken, somebody meant the other.
    ///
    /// # Errors
    ///
    /// If it is of another scheme, or plainly no token and no key.
    pub fn parse(value: &'a str) -> Result<Self, BearerError> {
        let (scheme, rest) = value.trim().split_once(' ').ok_or(BearerError::Scheme)?;
        let text = rest.trim_start();
        // Schemes have no case (RFC 9110 11.1).
        if !scheme.eq_ignore_ascii_case("bearer") || text.is_empty() {
            return Err(BearerError::Scheme);
        }
        if text.starts_with("tdm_") {
            return Ok(Self::Key(Presented::parse(text)?));
        }
        if text.len() > token::MAX_BYTES {
            return Err(TokenRefusal::TooLong.into());
        }
        Ok(Self::Token(BearerToken(text)))
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::api_key::mint;

    #[test]
    fn a_token_and_a_key_go_by_one_scheme() {
        for value in ["Bearer eyJ.a.b", "bearer eyJ.a.b", "BEARER  eyJ.a.b "] {
            let read = Bearer::parse(value).expect(value);
            assert!(matches!(read, Bearer::Token(token) if token.expose() == "eyJ.a.b"), "{value}");
            assert_eq!(format!("{read:?}"), "Token(***)");
        }
        let key = mint(&mut ChaCha20Rng::seed_from_u64(1));
        let value = format!("Bearer {}", key.text.expose());
        assert!(matches!(Bearer::parse(&value), Ok(Bearer::Key(presented)) if presented.id == key.id));
    }

    #[test]
    fn what_is_neither_is_refused() {
        let refused = |value: &str| Bearer::parse(value).expect_err("refused");
        for value in ["", "Bearer", "Bearer ", "Basic YTpi", "eyJ.a.b", "BearereyJ.a.b"] {
            assert_eq!(refused(value), BearerError::Scheme, "{value:?}");
        }
        assert_eq!(refused("Bearer tdm_short"), BearerError::Key(KeyFormatError::Form));
        let huge = format!("Bearer {}", "a".repeat(1_000_000));
        assert_eq!(refused(&huge), BearerError::Token(TokenRefusal::TooLong));
    }
}
