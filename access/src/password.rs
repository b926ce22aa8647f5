//! Passwords: which are taken, and how they are kept.
//!
//! Kept as Argon2id in PHC form (`$argon2id$v=19$m=19456,t=2,p=1$salt$hash`), so that each hash says how it was made and the cost
//! can be raised: a log-in whose hash is cheaper than today's is hashed again ([`Verdict::Right`]).
//!
//! Taken by the rules of NIST SP 800-63B (revision 4, 3.1.1.2): 15 characters at least where the password is all there is, long ones
//! and every script welcome, no rules about digits and signs, none that can be guessed, no change by the calendar.
//!
//! A hash takes tens of milliseconds and 19 MiB. Both are the point, and neither belongs on a thread that serves requests: the
//! interface calls this on a blocking pool with few places, which also bounds what a flood of log-ins can take.
//!
//! Not here: how often somebody may try ([`crate::lockout`]); lists of leaked passwords, which are gigabytes of somebody else's.

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use rand_core::CryptoRng;
use unicode_normalization::UnicodeNormalization as _;

use crate::secret::Secret;

mod guess;

/// The fewest characters of a password.
pub const MIN_CHARS: usize = 15;
/// The most bytes, about 250 characters of any script (NIST asks for 64 characters at least). A bound, so that nobody has us
/// normalise a megabyte.
pub const MAX_BYTES: usize = 1024;

/// What a hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// How many times it is gone through.
    pub passes: u32,
    /// How many threads could share the work. We use one.
    pub lanes: u32,
}

impl Cost {
    /// OWASP Password Storage Cheat Sheet, Argon2id: 19 MiB, two passes, one lane.
    pub const OWASP: Cost = Cost { memory_kib: 19 * 1024, passes: 2, lanes: 1 };

    /// What a stored hash may ask of us. A row that asks for more was not written by us, and would be a way to exhaust our memory.
    const MOST: Cost = Cost { memory_kib: 256 * 1024, passes: 16, lanes: 4 };

    fn argon2(self) -> Result<Argon2<'static>, PasswordError> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, None).map_err(|_| PasswordError::Cost)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    fn of(phc: &Phc) -> Option<Self> {
        let number = |name| phc.params.get_decimal(name);
        Some(Self { memory_kib: number("m")?, passes: number("t")?, lanes: number("p")? })
    }

    fn exceeds(self, other: Self) -> bool {
        self.memory_kib > other.memory_kib || self.passes > other.passes || self.lanes > other.lanes
    }
}

/// A new password that passed the rules. Only such can be hashed.
#[derive(Debug, Clone)]
pub struct Password(Secret);

/// Why a new password is not taken. The text is for the person who chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    /// Fewer than [`MIN_CHARS`].
    #[error(
        "a password has {MIN_CHARS} characters or more; three or four words that do not belong together are easy to keep"
    )]
    TooShort,
    /// More than [`MAX_BYTES`].
    #[error("a password has {MAX_BYTES} bytes at most")]
    TooLong,
    /// A tabulator, a line break: forms and terminals swallow them, and then it is another password.
    #[error("a password has no control characters, such as tabulators and line breaks")]
    Control,
    /// Made of what everybody tries first.
    #[error(
        "the password can be guessed: what is left without common words, your own names and rows of keys is too short"
    )]
    Guessable,
}

impl Password {
    /// Takes a new password. `about` are words that an attacker knows: the person's e-mail and name, the business's name.
    ///
    /// # Errors
    ///
    /// Says which rule it breaks, never a word of it.
    pub fn new(text: &Secret, about: &[&str]) -> Result<Self, PasswordRefusal> {
        if text.expose().len() > MAX_BYTES {
            return Err(PasswordRefusal::TooLong);
        }
        let normal = normalised(text);
        let chars = normal.expose().chars();
        if chars.clone().count() < MIN_CHARS {
            return Err(PasswordRefusal::TooShort);
        }
        if chars.clone().any(char::is_control) {
            return Err(PasswordRefusal::Control);
        }
        if guess::is_guessable(normal.expose(), about) {
            return Err(PasswordRefusal::Guessable);
        }
        Ok(Self(normal))
    }
}

/// One spelling of what looks the same: a phone's keyboard and a laptop's encode "é" differently (NFKC, as NIST asks).
fn normalised(text: &Secret) -> Secret {
    Secret::new(text.expose().nfkc().collect())
}

/// A failure of ours, not of whoever logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// No such cost can be had.
    #[error("the cost of password hashes is out of range")]
    Cost,
    /// The stored text is no hash of ours.
    #[error("a stored password hash cannot be read; reset that user's password")]
    Stored,
}

/// What came of a log-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Wrong password, or no such user: the answer, and its time, are the same.
    Wrong,
    /// The password is right.
    Right {
        /// Its hash is cheaper than today's: hash the password again and store that.
        rehash: bool,
    },
}

/// Makes and checks hashes.
#[derive(Debug)]
pub struct Hasher {
    cost: Cost,
    argon2: Argon2<'static>,
    /// What an unknown user's password is checked against, so that it takes the time of a known one's.
    nobody: String,
}

impl Hasher {
    /// A hasher of one cost. Takes the time of one hash.
    ///
    /// # Errors
    ///
    /// If the cost is more or less than Argon2, or we, can do.
    pub fn new(cost: Cost, rng: &mut dyn CryptoRng) -> Result<Self, PasswordError> {
        if cost.exceeds(Cost::MOST) {
            return Err(PasswordError::Cost);
        }
        let argon2 = cost.argon2()?;
        let mut unknowable = [0; 32];
        rng.fill_bytes(&mut unknowable);
        let nobody = hash(&argon2, &unknowable, rng)?;
        Ok(Self { cost, argon2, nobody })
    }

    /// The hash to store, in PHC form, about 97 characters.
    ///
    /// # Errors
    ///
    /// None that the cost given to [`Hasher::new`] has not already shown.
    pub fn hash(&self, password: &Password, rng: &mut dyn CryptoRng) -> Result<String, PasswordError> {
        hash(&self.argon2, password.0.expose().as_bytes(), rng)
    }

    /// Hashes again what was just found right ([`Verdict::Right`]): an old password may be shorter than today's rules ask for.
    ///
    /// # Errors
    ///
    /// As [`Hasher::hash`].
    pub fn rehash(&self, right: &Secret, rng: &mut dyn CryptoRng) -> Result<String, PasswordError> {
        hash(&self.argon2, normalised(right).expose().as_bytes(), rng)
    }

    /// Checks a log-in. `stored` is `None` when there is no such user, who then costs as much time as one whose hash has today's cost.
    ///
    /// # Errors
    ///
    /// If the stored text is no hash of ours: an operator must hear of it, the person hears "wrong".
    pub fn verify(&self, attempt: &Secret, stored: Option<&str>) -> Result<Verdict, PasswordError> {
        // Nobody has a password that long; whoever sends one is answered as slowly as all others, without its text being read.
        let too_long = attempt.expose().len() > MAX_BYTES;
        let normal = if too_long { Secret::from("") } else { normalised(attempt) };

        let phc = Phc::new(stored.unwrap_or(&self.nobody)).map_err(|_| PasswordError::Stored)?;
        let cost = Cost::of(&phc).filter(|cost| !cost.exceeds(Cost::MOST)).ok_or(PasswordError::Stored)?;
        if phc.algorithm != argon2::ARGON2ID_IDENT || phc.hash.is_none() {
            return Err(PasswordError::Stored);
        }
        let same = self.argon2.verify_password(normal.expose().as_bytes(), &phc).is_ok();
        if !same || too_long || stored.is_none() {
            return Ok(Verdict::Wrong);
        }
        Ok(Verdict::Right { rehash: self.cost.exceeds(cost) })
    }
}

fn hash(argon2: &Argon2<'_>, password: &[u8], rng: &mut dyn CryptoRng) -> Result<String, PasswordError> {
    // 128 bits: RFC 9106 3.1.
    let mut salt = [0; 16];
    rng.fill_bytes(&mut salt);
    let phc: Phc = argon2.hash_password_with_salt(password, &salt).map_err(|_| PasswordError::Cost)?;
    Ok(phc.to_string())
}

#[cfg(test)]
mod tests;
