//! May this principal do this to that business's rows?
//!
//! Another business's row is **not found**, whatever the capability: a 403 would say that it exists. So the business is asked first,
//! and the store asks it again in its `WHERE` (every query takes a `BusinessId`); this is the second lock on the door, not the only one.

use std::collections::BTreeSet;

use tandem_domain::ids::BusinessId;

use crate::account::{SessionId, UserId};
use crate::api_key::KeyId;
use crate::role::{Capability, Role};

/// Who asks, once known. Made by the interface from a session or a key looked up for this request, never kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person who logged in.
    User {
        /// Who.
        user: UserId,
        /// Of which business.
        business: BusinessId,
        /// As what, now.
        role: Role,
        /// By which log-in.
        session: SessionId,
    },
    /// A program with a key.
    Key {
        /// Which.
        key: KeyId,
        /// Of which business.
        business: BusinessId,
        /// What it was made for.
        scopes: BTreeSet<Capability>,
    },
    /// A program of this machine, while there is no administrator (R9): all of the first business.
    Local,
    /// The command line on the machine itself: whoever can read the database needs no leave.
    Cli {
        /// The business that the command names.
        business: BusinessId,
    },
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 404: it is another business's, or is not at all; the sender cannot tell.
    #[error("not found")]
    NotFound,
    /// 403: theirs, but not for them.
    #[error("this needs {capability}, which {} and higher have; ask an admin of your business", capability.least())]
    Role {
        /// What is missing.
        capability: Capability,
    },
    /// 403: the key was not made for it.
    #[error("this needs a key with the scope {capability}")]
    Scope {
        /// What is missing.
        capability: Capability,
    },
    /// 403: no key can.
    #[error("{capability} is for people who log in; no key has it")]
    NotForKeys {
        /// What was asked for.
        capability: Capability,
    },
}

impl Principal {
    /// Whose rows it sees. The store's queries take this, so that there is no row of others to begin with.
    pub fn business(&self) -> BusinessId {
        match self {
            Self::User { business, .. } | Self::Key { business, .. } | Self::Cli { business } => *business,
            Self::Local => BusinessId::FIRST,
        }
    }

    fn lacks(&self, capability: Capability) -> Option<Refusal> {
        match self {
            Self::User { role, .. } => (!role.holds(capability)).then_some(Refusal::Role { capability }),
            Self::Key { .. } if !capability.is_for_keys() => Some(Refusal::NotForKeys { capability }),
            Self::Key { scopes, .. } => (!scopes.contains(&capability)).then_some(Refusal::Scope { capability }),
            Self::Local | Self::Cli { .. } => None,
        }
    }
}

/// Whether `principal` may do it to a resource of `owner`.
///
/// # Errors
///
/// [`Refusal::NotFound`] for another business's, before anything else; else the capability that is missing.
pub fn may(principal: &Principal, capability: Capability, owner: BusinessId) -> Result<(), Refusal> {
    if principal.business() != owner {
        return Err(Refusal::NotFound);
    }
    principal.lacks(capability).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests;
