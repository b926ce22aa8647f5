//! One-time keys to a media socket: each is bound to one call and opens one socket.
//!
//! Whoever places a call issues an invitation and puts its token into the URL (or the stream parameter) that the carrier connects to. A URL
//! that is seen later, in a log for instance, opens nothing: the token was used up when the stream started.
//!
//! ```text
//!            issue                     present                    ended, orderly
//!  (nothing) ─────► waiting ──────────────────────► live ─────────────────────────► (nothing)
//!                      │ ring timeout + 30 s          │ ended, abnormally      ▲
//!                      ▼                              ▼                        │ 10 s
//!                  (nothing)              present ◄── armed again ─────────────┘
//! ```
//!
//! Pure: told the time; tokens come in by argument. Not here: how a token travels, and static URLs, which are guarded by credentials.

use std::time::{Duration, Instant};

use subtle::ConstantTimeEq;

use crate::ids::CallId;

/// What a carrier may need between the end of ringing and its socket.
const CONNECT_SLACK: Duration = Duration::from_secs(30);
/// How long a call whose socket broke may come back.
const RETURN_WINDOW: Duration = Duration::from_secs(10);
/// Invitations at once. Far more than calls that ring at once; each takes some 200 bytes.
const MAX_INVITATIONS: usize = 4_096;

/// What an invitation is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The call that it admits.
    pub call: CallId,
    /// Who answers: a name, number or UUID of an agent. `None` leaves it to the number dialled.
    pub agent: Option<String>,
    /// How long the callee's telephone may ring.
    pub ring_timeout: Duration,
}

/// What a token has opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// The invited call.
    pub call: CallId,
    /// Who answers.
    pub agent: Option<String>,
    /// Whether this socket takes over from one that broke.
    pub returning: bool,
}

/// Why a socket is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum Uninvited {
    /// No token came with the stream.
    #[error("no token")]
    NoToken,
    /// Nobody issued it, it has expired, or its call is over.
    #[error("token is unknown, expired or used")]
    UnknownToken,
    /// The call has its socket.
    #[error("the call of this token has a socket already")]
    InUse,
}

/// No more invitations can be issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_INVITATIONS} calls are invited already: wait until some have connected or expired")]
pub struct TooMany;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Until then its first socket may come.
    Waiting { until: Instant },
    /// Its socket is open.
    Live,
    /// Its socket broke; until then another may come.
    ArmedAgain { until: Instant },
}

impl Stage {
    fn is_over(self, now: Instant) -> bool {
        match self {
            Self::Waiting { until } | Self::ArmedAgain { until } => now >= until,
            Self::Live => false,
        }
    }
}

#[derive(Debug)]
struct Issued {
    token: String,
    invitation: Invitation,
    stage: Stage,
}

/// All invitations that are out.
#[derive(Debug, Default)]
pub struct Invitations {
    issued: Vec<Issued>,
}

impl Invitations {
    /// Issues `token`, which nobody can guess, to a call. A call that is invited again loses its earlier token, unless its socket is open.
    pub fn issue(&mut self, now: Instant, token: String, invitation: Invitation) -> Result<(), TooMany> {
        self.issued.retain(|one| !one.stage.is_over(now));
        self.issued.retain(|one| one.invitation.call != invitation.call || one.stage == Stage::Live);
        if self.issued.len() >= MAX_INVITATIONS {
            return Err(TooMany);
        }
        let until = now + invitation.ring_timeout + CONNECT_SLACK;
        self.issued.push(Issued { token, invitation, stage: Stage::Waiting { until } });
        Ok(())
    }

    /// Whether any socket is waited for.
    pub fn any_waiting(&self, now: Instant) -> bool {
        self.issued.iter().any(|one| one.stage != Stage::Live && !one.stage.is_over(now))
    }

    /// Whether `token` would be taken: asked before a socket is accepted, and changes nothing.
    pub fn check(&self, now: Instant, token: &str) -> Result<(), Uninvited> {
        self.find(now, token).map(drop)
    }

    /// A stream has started with `token`: uses it up.
    pub fn present(&mut self, now: Instant, token: &str) -> Result<Admission, Uninvited> {
        let index = self.find(now, token)?;
        let one = &mut self.issued[index];
        let returning = matches!(one.stage, Stage::ArmedAgain { .. });
        one.stage = Stage::Live;
        let Invitation { call, agent, .. } = &one.invitation;
        Ok(Admission { call: *call, agent: agent.clone(), returning })
    }

    /// The socket of an admitted call is gone. `abnormally`: the connection broke, and the carrier may come back.
    pub fn ended(&mut self, now: Instant, call: CallId, abnormally: bool) {
        for one in self.issued.iter_mut().filter(|one| one.invitation.call == call && one.stage == Stage::Live) {
            one.stage = Stage::ArmedAgain { until: if abnormally { now + RETURN_WINDOW } else { now } };
        }
        self.issued.retain(|one| !one.stage.is_over(now));
    }

    /// Compares with every token to its end, so that the time taken tells a guesser nothing.
    fn find(&self, now: Instant, token: &str) -> Result<usize, Uninvited> {
        let mut found = None;
        for (index, one) in self.issued.iter().enumerate() {
            if bool::from(one.token.as_bytes().ct_eq(token.as_bytes())) {
                found = Some(index);
            }
        }
        match found.map(|index| (index, self.issued[index].stage)) {
            Some((_, Stage::Live)) => Err(Uninvited::InUse),
            Some((index, stage)) if !stage.is_over(now) => Ok(index),
            Some(_) | None => Err(Uninvited::UnknownToken),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use uuid::Uuid;

    use super::*;

    #[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
    fn origin() -> Instant {
        Instant::now()
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn call(number: u128) -> CallId {
        CallId(Uuid::from_u128(number))
    }

    fn to(number: u128) -> Invitation {
        Invitation { call: call(number), agent: Some("sales".into()), ring_timeout: secs(45) }
    }

    #[test]
    fn a_token_opens_one_socket_of_its_call() {
        let (t0, mut out) = (origin(), Invitations::default());
        out.issue(t0, "one".into(), to(1)).unwrap();
        out.issue(t0, "two".into(), to(2)).unwrap();
        assert_eq!(out.check(t0, "one"), Ok(()));
        let admitted = out.present(t0 + secs(5), "one").unwrap();
        assert_eq!(admitted, Admission { call: call(1), agent: Some("sales".into()), returning: false });
        assert_eq!(out.present(t0 + secs(6), "one"), Err(Uninvited::InUse), "while the first socket lives");
        assert_eq!(out.check(t0 + secs(6), "one"), Err(Uninvited::InUse));
        out.ended(t0 + secs(60), call(1), false);
        assert_eq!(out.present(t0 + secs(60), "one"), Err(Uninvited::UnknownToken), "and afterwards");
        assert_eq!(out.present(t0 + secs(60), "two").map(|admitted| admitted.call), Ok(call(2)));
    }

    #[test]
    fn a_token_lives_for_the_ringing_and_half_a_minute() {
        let (t0, mut out) = (origin(), Invitations::default());
        out.issue(t0, "one".into(), to(1)).unwrap();
        assert!(out.any_waiting(t0 + secs(74)));
        assert_eq!(out.check(t0 + secs(74), "one"), Ok(()));
        assert_eq!(out.present(t0 + secs(75), "one"), Err(Uninvited::UnknownToken));
        assert!(!out.any_waiting(t0 + secs(75)));
    }

    #[test]
    fn a_call_whose_socket_broke_may_come_back_for_ten_seconds() {
        let (t0, mut out) = (origin(), Invitations::default());
        out.issue(t0, "one".into(), to(1)).unwrap();
        out.present(t0, "one").unwrap();
        out.ended(t0 + secs(300), call(1), true);
        assert!(out.present(t0 + secs(309), "one").unwrap().returning, "though the ringing is long over");
        out.ended(t0 + secs(310), call(1), true);
        assert_eq!(out.present(t0 + secs(320), "one"), Err(Uninvited::UnknownToken));
    }

    #[test]
    fn a_new_invitation_takes_the_place_of_the_calls_earlier_one() {
        let (t0, mut out) = (origin(), Invitations::default());
        out.issue(t0, "old".into(), to(1)).unwrap();
        out.issue(t0, "new".into(), to(1)).unwrap();
        assert_eq!(out.check(t0, "old"), Err(Uninvited::UnknownToken));
        out.present(t0, "new").unwrap();
        out.issue(t0, "newer".into(), to(1)).unwrap();
        assert_eq!(out.check(t0, "new"), Err(Uninvited::InUse), "an open socket keeps its token from being used again");
    }

    #[test]
    fn invitations_are_bounded_and_expired_ones_make_room() {
        let (t0, mut out) = (origin(), Invitations::default());
        for number in 0..MAX_INVITATIONS {
            out.issue(t0, number.to_string(), to(number as u128)).unwrap();
        }
        assert_eq!(out.issue(t0, "more".into(), to(u128::MAX)), Err(TooMany));
        assert_eq!(out.issue(t0 + secs(75), "more".into(), to(u128::MAX)), Ok(()));
        assert_eq!(out.issued.len(), 1);
    }

    #[test]
    fn nothing_and_a_part_of_a_token_open_nothing() {
        let (t0, mut out) = (origin(), Invitations::default());
        out.issue(t0, "0123456789".into(), to(1)).unwrap();
        for token in ["", "0", "012345678", "01234567890", "0123456788"] {
            assert_eq!(out.present(t0, token), Err(Uninvited::UnknownToken), "{token:?}");
        }
    }
}
