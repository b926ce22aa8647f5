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

use crate::account::{SessionId, UserId};
use crate::token::RefreshClaims;

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

/// Why a refresh token, though genuine, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefreshRefusal {
    /// The token is another session's, or another user's.
    #[error("the refresh token does not belong to this session; log in again")]
    Foreign,
    /// It was ended.
    #[error("the session was ended; log in again")]
    Revoked,
    /// It was too long ago.
    #[error("the session is too old; log in again")]
    Expired,
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

    /// Whether an access token of it may still be used. Asked at every request, so that an ended session is dead at once and not
    /// only when its access token runs out.
    pub fn is_alive(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && now < self.expires_at()
    }

    /// What to do with a genuine refresh token.
    ///
    /// # Errors
    ///
    /// If the session is over, or the token is not its newest; [`RefreshRefusal::revokes`] says whether to end the session for it.
    pub fn refresh(&self, presented: &RefreshClaims, now: DateTime<Utc>) -> Result<Rotation, RefreshRefusal> {
        if presented.session != self.id || presented.user != self.user {
            return Err(RefreshRefusal::Foreign);
        }
        if self.revoked_at.is_some() {
            return Err(RefreshRefusal::Revoked);
        }
        // Before its age: a copy that comes late is a copy all the same.
        if presented.generation < self.generation {
            return Err(RefreshRefusal::Reused);
        }
        if now >= self.expires_at() {
            return Err(RefreshRefusal::Expired);
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn origin() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
    }

    fn session() -> Session {
        Session::begin(SessionId(Uuid::from_u128(7)), UserId(1), origin())
    }

    fn token(generation: u32) -> RefreshClaims {
        RefreshClaims { user: UserId(1), session: SessionId(Uuid::from_u128(7)), generation }
    }

    #[test]
    fn a_refresh_token_that_comes_twice_ends_the_session() {
        let (mut session, now) = (session(), origin());
        let rotation = session.refresh(&token(0), now).expect("the newest token");
        session = session.rotated(rotation, now);
        assert_eq!(session.generation, 1);

        let refusal = session.refresh(&token(0), now).expect_err("a copy");
        assert_eq!(refusal, RefreshRefusal::Reused);
        assert!(refusal.revokes());

        session.revoked_at = Some(now);
        assert_eq!(
            session.refresh(&token(1), now),
            Err(RefreshRefusal::Revoked),
            "the thief's newer token dies with it"
        );
        assert!(!session.is_alive(now));
    }

    #[test]
    fn a_copy_is_seen_even_when_the_session_has_run_out() {
        let late = origin() + WHOLE_LIFE;
        let session = session().rotated(Rotation { generation: 1 }, origin());
        assert_eq!(session.refresh(&token(0), late), Err(RefreshRefusal::Reused));
        assert_eq!(session.refresh(&token(1), late), Err(RefreshRefusal::Expired));
    }

    #[test]
    fn a_session_lives_while_it_is_used_and_thirty_days_at_most() {
        let (mut session, mut now) = (session(), origin());
        let moment = TimeDelta::seconds(1);
        assert!(session.is_alive(now + IDLE_LIFE - moment));
        assert!(!session.is_alive(now + IDLE_LIFE));

        while now + TimeDelta::days(6) < origin() + WHOLE_LIFE {
            now += TimeDelta::days(6);
            let rotation = session.refresh(&token(session.generation), now).expect("in use");
            session = session.rotated(rotation, now);
        }
        assert_eq!(session.generation, 4);
        assert!(session.is_alive(origin() + WHOLE_LIFE - moment));
        assert!(!session.is_alive(origin() + WHOLE_LIFE));
    }

    #[test]
    fn a_token_of_another_session_or_user_or_of_the_future_is_refused() {
        let session = session();
        let of_other = RefreshClaims { session: SessionId(Uuid::from_u128(8)), ..token(0) };
        let of_user = RefreshClaims { user: UserId(2), ..token(0) };
        assert_eq!(session.refresh(&of_other, origin()), Err(RefreshRefusal::Foreign));
        assert_eq!(session.refresh(&of_user, origin()), Err(RefreshRefusal::Foreign));
        assert_eq!(session.refresh(&token(1), origin()), Err(RefreshRefusal::Ahead));
        let worn = Session { generation: u32::MAX, ..session };
        assert_eq!(worn.refresh(&token(u32::MAX), origin()), Err(RefreshRefusal::Ahead));
    }

    proptest! {
        /// Whoever presents what, in any order: no generation is rotated twice, and after a copy nothing is.
        #[test]
        fn no_refresh_token_works_twice(presented in prop::collection::vec(0u32..6, 1..40)) {
            let (mut session, now) = (session(), origin());
            let mut used = std::collections::BTreeSet::new();
            for generation in presented {
                match session.refresh(&token(generation), now) {
                    Ok(rotation) => {
                        prop_assert!(session.revoked_at.is_none());
                        prop_assert!(used.insert(generation));
                        session = session.rotated(rotation, now);
                    }
                    Err(refusal) if refusal.revokes() => {
                        prop_assert!(used.contains(&generation));
                        session.revoked_at = Some(now);
                    }
                    Err(_) => {}
                }
            }
        }
    }
}
