//! Keys for programs: `tdm_<id>_<secret><check>`.
//!
//! ```text
//! tdm_ 3kTMd9xvRrYw7QpL _ hJ2…43 characters…9f 1bZx0Q
//!      id, 95 bits        secret, 256 bits     CRC-32 of all before it
//! ```
//!
//! All letters and digits, so that a double click selects it. The id finds the row and may be shown and logged. The check tells a
//! mistyped key from a wrong one without asking the database, and lets scanners of public code know ours from noise
//! (`tdm_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}`).
//!
//! Of the secret only its SHA-256 is stored. Not Argon2: slowness is for passwords, which are few enough to be tried; 256 random bits
//! are not, and a key is checked at every request, where tens of milliseconds and 19 MiB each would be an attack on ourselves.
//!
//! Not here: the row. Whether a key is revoked is in it, so it is read at each request, or kept for seconds.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tandem_domain::ids::BusinessId;
use zeroize::Zeroizing;

use crate::policy::Principal;
use crate::role::Capability;
use crate::secret::Secret;

const PREFIX: &str = "tdm_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_CHARS: usize = 16;
/// 43 characters of 62 are 256 bits.
const SECRET_CHARS: usize = 43;
/// 62^6 is more than 2^32.
const CHECK_CHARS: usize = 6;
/// The length of a key, in bytes and characters.
pub const KEY_CHARS: usize = PREFIX.len() + ID_CHARS + 1 + SECRET_CHARS + CHECK_CHARS;

/// The public name of a key: 16 letters and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId([u8; ID_CHARS]);

impl KeyId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an id is made of letters and digits alone")
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyId {
    type Err = KeyFormatError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes: [u8; ID_CHARS] = text.as_bytes().try_into().map_err(|_| KeyFormatError::Form)?;
        if bytes.iter().all(|byte| ALPHABET.contains(byte)) { Ok(Self(bytes)) } else { Err(KeyFormatError::Form) }
    }
}

impl TryFrom<String> for KeyId {
    type Error = KeyFormatError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.as_str().to_owned()
    }
}

/// SHA-256 of a key's secret: what is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyHash(pub [u8; 32]);

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Why a text is no key at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFormatError {
    /// Another prefix, length or alphabet.
    #[error("an API key has the form tdm_… and {KEY_CHARS} characters")]
    Form,
    /// The form of a key, and not one that we made.
    #[error("the API key was changed on its way; copy it again")]
    Check,
}

/// A key as it was sent: its form is right, whether it is good is not known yet.
#[derive(Debug, Clone)]
pub struct Presented {
    /// Which row to look up.
    pub id: KeyId,
    hash: KeyHash,
}

impl Presented {
    /// Reads a key. What was sent is not kept, only its hash.
    ///
    /// # Errors
    ///
    /// If it cannot be a key of ours. No database is asked for that.
    pub fn parse(text: &str) -> Result<Self, KeyFormatError> {
        if text.len() != KEY_CHARS || !text.is_ascii() {
            return Err(KeyFormatError::Form);
        }
        let (body, check) = text.split_at(KEY_CHARS - CHECK_CHARS);
        let rest = body.strip_prefix(PREFIX).ok_or(KeyFormatError::Form)?;
        let (id, secret) = rest.split_once('_').ok_or(KeyFormatError::Form)?;
        let id = id.parse()?;
        if secret.bytes().chain(check.bytes()).any(|byte| !ALPHABET.contains(&byte)) {
            return Err(KeyFormatError::Form);
        }
        if check.as_bytes() != checksum(body) {
            return Err(KeyFormatError::Check);
        }
        Ok(Self { id, hash: KeyHash(Sha256::digest(secret).into()) })
    }
}

/// A key that was just made.
#[derive(Debug)]
pub struct Minted {
    /// Its public name.
    pub id: KeyId,
    /// What to store.
    pub hash: KeyHash,
    /// What to show, this once.
    pub text: Secret,
}

/// Makes a key.
pub fn mint(rng: &mut dyn CryptoRng) -> Minted {
    let mut id = [0; ID_CHARS];
    let mut secret = Zeroizing::new([0; SECRET_CHARS]);
    fill(&mut id, rng);
    fill(secret.as_mut(), rng);
    let id = KeyId(id);
    let secret = std::str::from_utf8(secret.as_ref()).expect("the alphabet is ASCII");
    // With room for all of it, so that no half of it stays behind in a buffer that was outgrown.
    let mut text = String::with_capacity(KEY_CHARS);
    text.push_str(PREFIX);
    text.push_str(id.as_str());
    text.push('_');
    text.push_str(secret);
    let check = checksum(&text);
    text.push_str(std::str::from_utf8(&check).expect("the alphabet is ASCII"));
    Minted { id, hash: KeyHash(Sha256::digest(secret).into()), text: Secret::new(text) }
}

/// Random characters, each as likely as the other: bytes from 248 on are drawn again, since 256 is no multiple of 62.
fn fill(chars: &mut [u8], rng: &mut dyn CryptoRng) {
    for char in chars {
        *char = loop {
            let mut byte = [0];
            rng.fill_bytes(&mut byte);
            if byte[0] < 248 {
                break ALPHABET[usize::from(byte[0] % 62)];
            }
        };
    }
}

fn checksum(text: &str) -> [u8; CHECK_CHARS] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut chars = [0; CHECK_CHARS];
    for char in chars.iter_mut().rev() {
        *char = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    chars
}

/// A key as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its public name.
    pub id: KeyId,
    /// Whose rows it sees.
    pub business: BusinessId,
    /// Of its secret.
    pub hash: KeyHash,
    /// What it may do.
    pub scopes: BTreeSet<Capability>,
    /// From when on it is refused; `None`: never by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// Since when it is refused.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was last good, to [`USE_STEP`].
    pub last_used_at: Option<DateTime<Utc>>,
}

/// `last_used_at` is written once in this time at most: a key that is used a hundred times a second is no hundred writes.
pub const USE_STEP: TimeDelta = TimeDelta::minutes(1);

/// Why a key, though well formed, is refused. All are 401 with one public sentence; the difference is for our log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// No row has this id, or the secret is not its own: which of the two is nobody's business.
    #[error("the API key is unknown; make one in the settings")]
    Unknown,
    /// It was revoked.
    #[error("the API key was revoked; make another one")]
    Revoked,
    /// It is over.
    #[error("the API key has expired; make another one")]
    Expired,
}

/// A key that was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// Who asks.
    pub principal: Principal,
    /// Whether to write `last_used_at` now.
    pub note_use: bool,
}

/// Whether a key is good, given the row of its id.
///
/// # Errors
///
/// If there is no row, the secret is another one, or the key is over. An unknown id costs as much time as a wrong secret.
pub fn authenticate(
    row: Option<&ApiKey>,
    presented: &Presented,
    now: DateTime<Utc>,
) -> Result<Authenticated, KeyRefusal> {
    let hash = row.map_or([0; 32], |key| key.hash.0);
    let same: bool = hash.ct_eq(&presented.hash.0).into();
    let key = row.filter(|key| same && key.id == presented.id).ok_or(KeyRefusal::Unknown)?;
    if key.revoked_at.is_some() {
        return Err(KeyRefusal::Revoked);
    }
    if key.expires_at.is_some_and(|at| at <= now) {
        return Err(KeyRefusal::Expired);
    }
    Ok(Authenticated {
        principal: Principal::Key { key: key.id, business: key.business, scopes: key.scopes.clone() },
        note_use: key.last_used_at.is_none_or(|at| now - at >= USE_STEP),
    })
}

/// Why a key cannot be made as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// A key for nothing is a mistake.
    #[error("a key needs at least one scope, for instance calls:read")]
    NoScope,
    /// People do these themselves.
    #[error("{0} cannot be given to a key")]
    NotForKeys(Capability),
    /// Nobody gives what they do not have.
    #[error("{0} is not yours to give")]
    NotYours(Capability),
    /// It would be dead on arrival.
    #[error("the key would already have expired; name a time to come")]
    Past,
}

/// Whether somebody with `held` may make a key with these scopes.
///
/// # Errors
///
/// Names the first scope that cannot be given.
pub fn may_grant(
    held: &BTreeSet<Capability>,
    scopes: &BTreeSet<Capability>,
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), GrantError> {
    if scopes.is_empty() {
        return Err(GrantError::NoScope);
    }
    if let Some(scope) = scopes.iter().find(|scope| !scope.is_for_keys()) {
        return Err(GrantError::NotForKeys(*scope));
    }
    if let Some(scope) = scopes.difference(held).next() {
        return Err(GrantError::NotYours(*scope));
    }
    if expires_at.is_some_and(|at| at <= now) {
        return Err(GrantError::Past);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
