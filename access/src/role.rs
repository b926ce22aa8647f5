//! Roles of users, what each may do, and who may give which role to whom.
//!
//! One table, [`Capability::least`]: each capability has the least role that holds it, and a higher role holds all of a lower one.
//! Scopes of keys are sets of the same capabilities ([`crate::api_key`]), so there is one vocabulary.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a user is in a business. Ordered: each holds all that the one before it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads what was said, changes nothing.
    Viewer,
    /// Runs campaigns and listens.
    Operator,
    /// Sets up agents, numbers, people.
    Admin,
    /// Answers for the money.
    Owner,
}

impl Role {
    /// All, from the lowest.
    pub const ALL: [Role; 4] = [Role::Viewer, Role::Operator, Role::Admin, Role::Owner];

    /// Whether it holds a capability.
    pub fn holds(self, capability: Capability) -> bool {
        self >= capability.least()
    }

    /// The name in JSON and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(UnknownRole)
    }
}

/// A text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such role; there are viewer, operator, admin and owner")]
pub struct UnknownRole;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $least:ident, $keys:literal;)*) => {
        /// One thing that can be allowed. The name is that of the scope: `what:how`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Capability { $($(#[$doc])* $variant,)* }

        impl Capability {
            /// All, in the order of the table.
            pub const ALL: &'static [Capability] = &[$(Capability::$variant),*];

            /// The name, which is also a key's scope.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The least role that holds it.
            pub fn least(self) -> Role {
                match self { $(Self::$variant => Role::$least,)* }
            }

            /// Whether a key may have it as a scope. People are managed by people: a stolen key makes no second key and no user.
            pub fn is_for_keys(self) -> bool {
                match self { $(Self::$variant => $keys,)* }
            }
        }
    };
}

capabilities! {
    /// Conversations: lists, transcripts, outcomes, figures.
    ReadCalls = "calls:read", Viewer, true;
    /// Agents, campaigns and numbers as they are set.
    ReadSettings = "settings:read", Viewer, true;
    /// The process's own figures (`/metrics`), of which no call or person can be told.
    ReadMetrics = "metrics:read", Viewer, true;
    /// Recordings, and calls in progress: what people sound like is more than what they said.
    Listen = "calls:listen", Operator, true;
    /// Talk to an agent in the browser, or from a page: it costs what a call costs, and rings nowhere.
    Talk = "talks:start", Operator, true;
    /// Start calls. They cost money and ring at somebody's house.
    Dial = "calls:dial", Operator, true;
    /// End, transfer or take over a call in progress.
    Intervene = "calls:intervene", Operator, true;
    /// Campaigns and their contacts, the do-not-call list included.
    RunCampaigns = "campaigns:write", Operator, true;
    /// Drafts of agents.
    EditAgents = "agents:write", Operator, true;
    /// Make a draft the version that callers hear, and roll back.
    PublishAgents = "agents:publish", Admin, true;
    /// Phone numbers and trunks.
    ManageNumbers = "numbers:write", Admin, true;
    /// Documents that agents answer from.
    ManageKnowledge = "knowledge:write", Operator, true;
    /// Webhook endpoints and their secrets.
    ManageWebhooks = "webhooks:write", Admin, true;
    /// Take data out in bulk.
    Export = "data:export", Admin, true;
    /// Delete conversations and recordings, by caller or by age.
    Erase = "data:erase", Admin, true;
    /// Accounts at carriers and vendors.
    ManageCredentials = "credentials:write", Admin, false;
    /// Concurrent and daily limits of calls.
    SetLimits = "limits:write", Admin, false;
    /// Users and their roles.
    ManageUsers = "users:write", Admin, false;
    /// API keys.
    ManageKeys = "keys:write", Admin, false;
    /// Who changed what.
    ReadAudit = "audit:read", Admin, true;
    /// Live sessions with personal data (`/debug/sessions`).
    Debug = "debug:read", Admin, false;
    /// The business itself: name, zone, retention.
    EditBusiness = "business:write", Admin, false;
    /// Spending limits and the countries that may be dialled: what a fraud needs first.
    SetSpending = "spending:write", Owner, false;
    /// Delete the business.
    CloseBusiness = "business:close", Owner, false;
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Capability {
    type Err = UnknownCapability;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|capability| capability.name() == text).ok_or(UnknownCapability)
    }
}

/// A text that names no capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such scope; the documentation of keys lists them, for instance calls:read")]
pub struct UnknownCapability;

/// What a role holds.
pub fn held_by(role: Role) -> BTreeSet<Capability> {
    Capability::ALL.iter().copied().filter(|capability| role.holds(*capability)).collect()
}

/// A change of who is what in one business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A new user.
    Add {
        /// As what.
        role: Role,
    },
    /// Another role, or the same.
    Assign {
        /// What they are.
        from: Role,
        /// What they shall be.
        to: Role,
    },
    /// No longer a user; also: locked, password reset by another.
    Remove {
        /// What they are.
        role: Role,
    },
}

/// Why a change of people is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefusal {
    /// Whoever asks does not manage users.
    #[error("only admins and owners manage users")]
    NotAManager,
    /// The role asked for, or the user's, is above the asker's own.
    #[error("nobody gives or takes a role above their own; ask an owner")]
    AboveOwn,
    /// Whoever comes first must be able to make the others what they are to be.
    #[error("the first user of a business is its owner")]
    FirstIsOwner,
    /// A business without owners could never get one again.
    #[error("this is the last owner; make somebody else an owner first")]
    LastOwner,
}

/// Whether `asker` may make a change; `owners` is how many active owners the business has, read in the transaction that makes it.
///
/// # Errors
///
/// Says which rule forbids it.
pub fn may_change(asker: Role, change: Change, owners: u32) -> Result<(), ChangeRefusal> {
    if !asker.holds(Capability::ManageUsers) {
        return Err(ChangeRefusal::NotAManager);
    }
    let (highest, loses_owner) = match change {
        Change::Add { role } => (role, false),
        Change::Assign { from, to } => (from.max(to), from == Role::Owner && to != Role::Owner),
        Change::Remove { role } => (role, role == Role::Owner),
    };
    if highest > asker {
        return Err(ChangeRefusal::AboveOwn);
    }
    if owners == 0 && matches!(change, Change::Add { role } if role != Role::Owner) {
        return Err(ChangeRefusal::FirstIsOwner);
    }
    if loses_owner && owners <= 1 {
        return Err(ChangeRefusal::LastOwner);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).expect("a text"), role.name());
        }
        for capability in Capability::ALL {
            assert_eq!(capability.name().parse(), Ok(*capability));
        }
        assert_eq!("root".parse::<Role>(), Err(UnknownRole));
        assert_eq!("Owner".parse::<Role>(), Err(UnknownRole));
        assert_eq!("calls:*".parse::<Capability>(), Err(UnknownCapability));
    }

    #[test]
    fn a_higher_role_holds_all_of_a_lower_one() {
        for pair in Role::ALL.windows(2) {
            assert!(held_by(pair[1]).is_superset(&held_by(pair[0])) && held_by(pair[1]).len() > held_by(pair[0]).len());
        }
        assert_eq!(held_by(Role::Owner).len(), Capability::ALL.len());
    }

    #[test]
    fn nobody_rises_by_their_own_hand() {
        for asker in Role::ALL {
            for to in Role::ALL {
                let change = Change::Assign { from: asker, to };
                assert_eq!(
                    may_change(asker, change, 2).is_ok(),
                    asker >= Role::Admin && to <= asker,
                    "{asker} to {to}"
                );
                let expected = asker >= Role::Admin && to <= asker;
                assert_eq!(may_change(asker, Change::Add { role: to }, 2).is_ok(), expected, "{asker} adds {to}");
                assert_eq!(may_change(asker, Change::Remove { role: to }, 2).is_ok(), expected, "{asker} removes {to}");
            }
        }
        let demote = Change::Assign { from: Role::Owner, to: Role::Viewer };
        assert_eq!(may_change(Role::Admin, demote, 2), Err(ChangeRefusal::AboveOwn));
        assert_eq!(may_change(Role::Operator, Change::Add { role: Role::Viewer }, 1), Err(ChangeRefusal::NotAManager));
    }

    #[test]
    fn the_first_user_is_an_owner() {
        for role in Role::ALL {
            let expected = if role == Role::Owner { Ok(()) } else { Err(ChangeRefusal::FirstIsOwner) };
            assert_eq!(may_change(Role::Owner, Change::Add { role }, 0), expected, "{role}");
            assert_eq!(may_change(Role::Owner, Change::Add { role }, 1), Ok(()), "{role}");
        }
    }

    #[test]
    fn a_business_keeps_an_owner() {
        for change in [Change::Remove { role: Role::Owner }, Change::Assign { from: Role::Owner, to: Role::Admin }] {
            assert_eq!(may_change(Role::Owner, change, 1), Err(ChangeRefusal::LastOwner));
            assert_eq!(may_change(Role::Owner, change, 2), Ok(()));
        }
        assert_eq!(may_change(Role::Owner, Change::Assign { from: Role::Owner, to: Role::Owner }, 1), Ok(()));
    }
}
