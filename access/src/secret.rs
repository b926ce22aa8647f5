//! Text that must not be shown, and the one key that the others come from.
//!
//! [`Secret`] is the type of every password, token and vendor key in memory: it prints as `***`, cannot be serialised, and is
//! overwritten when dropped. [`SecretKey`] is the setting `SECRET_KEY`; each use derives a key of its own from it (HKDF-SHA-256,
//! RFC 5869), so that a token's signature says nothing about the key that encrypts credentials.
//!
//! Not here: reading and writing the file that holds a generated key (mode 0600, in the data folder).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use rand_core::CryptoRng;
use serde::{Deserialize, Deserializer};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Text that is never shown: no `Display`, no `Serialize`, and `***` for `Debug`.
///
/// Overwritten on drop. What was copied before it came here (a request's body, an environment variable) is not ours to overwrite.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; the same buffer is overwritten later.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. The name is long enough to be seen in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is this text, in a time that depends on the lengths alone.
    pub fn matches(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// What a derived key is for. The label goes into the derivation: changing one makes everything made with it unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Signs access, refresh and set-up tokens.
    Tokens,
    /// The public name of a key of [`Purpose::Tokens`]: a token's `kid`.
    TokenKeyName,
    /// Encrypts the credentials of carriers and vendors in the database.
    Credentials,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Tokens => b"tandem/tokens/v1",
            Self::TokenKeyName => b"tandem/token-key-name/v1",
            Self::Credentials => b"tandem/credentials/v1",
        }
    }
}

/// A key for one purpose: 256 bits, shown as `***`, overwritten on drop.
#[derive(Clone)]
pub struct DerivedKey([u8; 32]);

impl DerivedKey {
    /// The bits themselves.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Drop for DerivedKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The setting `SECRET_KEY`, checked.
#[derive(Debug, Clone)]
pub struct SecretKey(Secret);

/// Why a `SECRET_KEY` is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretKeyError {
    /// Set, and empty: more likely a mistake in a deployment than a wish.
    #[error("SECRET_KEY is empty; remove it to have one generated, or set 32 or more random characters")]
    Empty,
    /// Too short to be random enough.
    #[error(
        "SECRET_KEY has {bytes} bytes, fewer than {}; `openssl rand -base64 32` makes a good one",
        SecretKey::MIN_BYTES
    )]
    TooShort {
        /// Its length.
        bytes: usize,
    },
    /// Long enough, but made of few characters, so somebody typed it.
    #[error(
        "SECRET_KEY is made of {distinct} different characters and can be guessed; `openssl rand -base64 32` makes a good one"
    )]
    TooPlain {
        /// How many different bytes it has.
        distinct: usize,
    },
}

impl SecretKey {
    /// 256 bits as Base64 have 43 characters; hexadecimal of 128 bits has 32.
    pub const MIN_BYTES: usize = 32;
    /// 32 random hexadecimal digits have fewer than 8 different ones in less than one of ten million keys.
    const MIN_DISTINCT: usize = 8;

    /// Checks a key that somebody set. White space around it is dropped: files end in a line break.
    ///
    /// # Errors
    ///
    /// If it is empty, short, or plainly not random. A long sentence passes: entropy cannot be measured from outside.
    pub fn parse(text: &str) -> Result<Self, SecretKeyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SecretKeyError::Empty);
        }
        if text.len() < Self::MIN_BYTES {
            return Err(SecretKeyError::TooShort { bytes: text.len() });
        }
        let mut seen = [false; 256];
        text.bytes().for_each(|byte| seen[usize::from(byte)] = true);
        let distinct = seen.iter().filter(|seen| **seen).count();
        if distinct < Self::MIN_DISTINCT {
            return Err(SecretKeyError::TooPlain { distinct });
        }
        Ok(Self(text.into()))
    }

    /// Makes a key of 256 bits, as 43 characters of Base64 for URLs.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut bits = Zeroizing::new([0; 32]);
        rng.fill_bytes(bits.as_mut());
        Self(URL_SAFE_NO_PAD.encode(bits.as_ref()).into())
    }

    /// The text to keep in the data folder.
    pub fn text(&self) -> &Secret {
        &self.0
    }

    /// The key for one purpose; the same one for the same text, always.
    pub fn derive(&self, purpose: Purpose) -> DerivedKey {
        let mut key = DerivedKey([0; 32]);
        Hkdf::<Sha256>::new(Some(b"tandem/secret-key/v1"), self.0.expose().as_bytes())
            .expand(purpose.label(), &mut key.0)
            .expect("32 bytes are fewer than the 8160 that HKDF-SHA-256 can give");
        key
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn key() -> SecretKey {
        SecretKey::generate(&mut ChaCha20Rng::seed_from_u64(1))
    }

    #[test]
    fn a_secret_is_not_shown_by_anything_that_holds_it() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only its Debug form is looked at")]
        struct LogIn {
            email: String,
            password: Secret,
        }
        let log_in: LogIn =
            serde_json::from_str(r#"{"email": "a@example.test", "password": "hunter2 hunter2"}"#).expect("a log-in");
        let shown = format!("{log_in:?} {log_in:#?}");
        assert!(shown.contains("***") && !shown.contains("hunter"), "{shown}");

        let key = key();
        let derived = key.derive(Purpose::Tokens);
        let shown = format!("{key:?} {derived:?}");
        assert!(!shown.contains(key.text().expose()) && shown == "SecretKey(***) ***", "{shown}");
    }

    #[test]
    fn a_secret_matches_itself_alone() {
        let secret = Secret::from("correct horse");
        assert!(secret.matches("correct horse"));
        for other in ["", "correct hors", "correct horsf", "correct horse "] {
            assert!(!secret.matches(other), "{other:?}");
        }
    }

    #[test]
    fn a_key_that_can_be_guessed_does_not_start_the_program() {
        let error = |text: &str| SecretKey::parse(text).expect_err("refused");
        assert_eq!(error(""), SecretKeyError::Empty);
        assert_eq!(error(" \n"), SecretKeyError::Empty);
        assert_eq!(error("change-me"), SecretKeyError::TooShort { bytes: 9 });
        assert_eq!(error(&"x".repeat(64)), SecretKeyError::TooPlain { distinct: 1 });
        assert_eq!(error(&"secret".repeat(8)), SecretKeyError::TooPlain { distinct: 5 });
        for error in [error(""), error("change-me"), error(&"x".repeat(64))] {
            assert!(error.to_string().contains("SECRET_KEY"), "{error}");
        }
    }

    #[test]
    fn a_generated_key_is_read_back_from_its_file() {
        let key = key();
        let read = SecretKey::parse(&format!("{}\n", key.text().expose())).expect("our own key");
        assert_eq!(read.derive(Purpose::Credentials).expose(), key.derive(Purpose::Credentials).expose());
        assert_eq!(key.text().expose().len(), 43);
    }

    #[test]
    fn each_purpose_and_each_key_has_bits_of_its_own() {
        let (one, other) = (key(), SecretKey::generate(&mut ChaCha20Rng::seed_from_u64(2)));
        let keys: Vec<_> = [&one, &other]
            .into_iter()
            .flat_map(|key| [Purpose::Tokens, Purpose::TokenKeyName, Purpose::Credentials].map(|use_| key.derive(use_)))
            .collect();
        for (at, key) in keys.iter().enumerate() {
            assert!(keys[at + 1..].iter().all(|other| other.expose() != key.expose()));
        }
    }
}
