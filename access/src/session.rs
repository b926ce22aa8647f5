//! A log-in's life: refresh tokens that work once, and what happens when one comes twice.
//!
//! ```text
//! log in ─► generation 0 ─ refresh ─► 1 ─ refresh ─► 2 ─► …          each refresh token names its generation
//!                          └──────────── 0 comes again ─► revoked    thief or owner, one of them is late: both log in again
//! ```
//!
//! Source: RFC 9700 4.14.2 (refresh token rotation). There is no grace for an answer that got lost on its way: who did not receive
//! the new token logs in again, and a client with several tabs takes turns. A grace would let a stolen token pass as well.
//!
//! Not here: the row. The store applies [`Rotation`] as one statement, `UPDATE … SET generation = generation + 1 WHERE id = $1 AND
//! generation = $2 AND revoked_at IS NULL`; if that changes no row, two refreshes raced, and the loser is [`RefreshRefusal::Reused`].

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::{SessionId, User, UserId};
use crate::policy::Principal;
use crate::token::{AccessClaims, RefreshClaims};

/// A session ends after this long without a refresh.
pub const IDLE_LIFE: TimeDelta = TimeDelta::days(7);
/// A session ends this long after its log-in, used or not (NIST SP 800-63B, AAL1: log in again within 30 days).
pub const WHOLE_LIFE: TimeDelta = TimeDelta::days(30);

/// A session as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its name in tokens.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// How many times it was refreshed: only the refresh token of this generation is good.
    pub generation: u32,
    /// When the password was given.
    pub began_at: DateTime<Utc>,
    /// When it was last refreshed; at first, when it began.
    pub refreshed_at: DateTime<Utc>,
    /// When it was ended: by a log-out, a change of password, a reused token.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// What a good refresh token leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// The generation to write, and to put into the new refresh token.
    pub generation: u32,
}

/// Why a session may not go on. All are 401 with one public sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionRefusal {
    /// No such session, or another user's.
    #[error("the session is unknown; log in again")]
    Unknown,
    /// It was ended.
    #[error("the session was ended; log in again")]
    Revoked,
    /// It was too long ago, or too long unused.
    #[error("the session is too old; log in again")]
    Expired,
    /// The user may not log in any more.
    #[error("the user was disabled; ask an admin of your business")]
    Disabled,
    /// The password is another one since.
    #[error("the password was changed; log in again")]
    PasswordChanged,
}

/// Why a refresh token, though genuine, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefreshRefusal {
    /// The token is another session's, or another user's.
    #[error("the refresh token does not belong to this session; log in again")]
    Foreign,
    /// The session, or its user, is not what it was.
    #[error(transparent)]
    Session(#[from] SessionRefusal),
    /// The token was used before. The store must revoke the session: somebody has a copy.
    #[error("the refresh token was used before, so the session is ended; log in again")]
    Reused,
    /// The token is newer than the store, which was set back, or rotated 2^32 times.
    #[error("the refresh token is newer than the session; log in again")]
    Ahead,
}

impl RefreshRefusal {
    /// Whether the session must be revoked, with all its tokens.
    pub fn revokes(self) -> bool {
        matches!(self, Self::Reused)
    }
}

impl Session {
    /// A session that begins now, with the password just given.
    pub fn begin(id: SessionId, user: UserId, now: DateTime<Utc>) -> Self {
        Self { id, user, generation: 0, began_at: now, refreshed_at: now, revoked_at: None }
    }

    /// When it ends by itself if nothing more happens.
    pub fn expires_at(&self) -> DateTime<Utc> {
        (self.refreshed_at + IDLE_LIFE).min(self.began_at + WHOLE_LIFE)
    }

    /// Whether it may be used, and refreshed, by its user as they are now. Asked at every request, so that an ended session is dead at
    /// once and not only when its access token runs out.
    ///
    /// # Errors
    ///
    /// If it is over, or its user was disabled or has another password since it began.
    pub fn may_go_on(&self, user: &User, now: DateTime<Utc>) -> Result<(), SessionRefusal> {
        if self.revoked_at.is_some() {
            return Err(SessionRefusal::Revoked);
        }
        if now >= self.expires_at() {
            return Err(SessionRefusal::Expired);
        }
        if user.disabled_at.is_some() {
            return Err(SessionRefusal::Disabled);
        }
        // The session that begins with the change itself stays.
        if self.began_at < user.password_changed_at {
            return Err(SessionRefusal::PasswordChanged);
        }
        Ok(())
    }

    /// What to do with a genuine refresh token.
    ///
    /// # Errors
    ///
    /// If the session is over, or the token is not its newest; [`RefreshRefusal::revokes`] says whether to end the session for it.
    pub fn refresh(
        &self,
        user: &User,
        presented: &RefreshClaims,
        now: DateTime<Utc>,
    ) -> Result<Rotation, RefreshRefusal> {
        if presented.session != self.id || presented.user != self.user || user.id != self.user {
            return Err(RefreshRefusal::Foreign);
        }
        // Before all else but the end of the session: a copy that comes late is a copy all the same.
        if presented.generation < self.generation && self.revoked_at.is_none() {
            return Err(RefreshRefusal::Reused);
        }
        self.may_go_on(user, now)?;
        match self.generation.checked_add(1) {
            Some(generation) if presented.generation == self.generation => Ok(Rotation { generation }),
            _ => Err(RefreshRefusal::Ahead),
        }
    }

    /// The session after a rotation: what the store's row then says.
    #[must_use]
    pub fn rotated(&self, rotation: Rotation, now: DateTime<Utc>) -> Self {
        Self { generation: rotation.generation, refreshed_at: now, ..self.clone() }
    }
}

/// Who asks, given what the store has of the session that an access token names.
///
/// # Errors
///
/// If the session or its user is not what it was when the token was issued.
pub fn principal(
    claims: &AccessClaims,
    row: Option<(&Session, &User)>,
    now: DateTime<Utc>,
) -> Result<Principal, SessionRefusal> {
    let (session, user) = row
        .filter(|(session, user)| session.id == claims.session && session.user == claims.user && user.id == claims.user)
        .ok_or(SessionRefusal::Unknown)?;
    session.may_go_on(user, now)?;
    Ok(Principal::User { user: user.id, business: user.business, role: user.role, session: session.id })
}

#[cfg(test)]
mod tests;
