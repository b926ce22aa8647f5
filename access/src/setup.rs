//! Who may ask before there is an administrator, and how the first one comes to be (api-inventory R9).
//!
//! | listening on | administrator | posture               | open to                                                       |
//! |--------------|---------------|-----------------------|---------------------------------------------------------------|
//! | loopback     | none          | [`Posture::Open`]     | programs of this machine                                      |
//! | elsewhere    | none          | [`Posture::SetupOnly`]| health checks, carriers, the set-up page with the link's token|
//! | anywhere     | one           | [`Posture::Guarded`]  | who brings a session or a key                                 |
//!
//! The posture is looked at anew when the first administrator is made: from that answer on the interface is guarded.
//!
//! The link is printed at start, `http://host:port/setup#<token>`. The token is behind the `#`, which no browser sends and no proxy
//! logs; the page sends it in the body. It lives for an hour ([`crate::token::SETUP_LIFE`]) and works once, since the only thing it
//! allows can be done once: the store makes the first owner in one transaction, **if there is none**, and the second one is refused.
//!
//! Carriers prove themselves by signature, basic credentials or a secret in the URL, never here. Whether a request is of this machine
//! the interface tells from its headers (a proxy, a re-pointed name); this module is told.

use std::net::IpAddr;

use chrono::{DateTime, Utc};

use crate::policy::Principal;
use crate::secret::Secret;
use crate::token::{TokenRefusal, Tokens};

/// Whom the interface is open to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posture {
    /// Loopback, no administrator: whoever is on this machine.
    Open,
    /// Beyond loopback, no administrator: nobody but whoever has the link.
    SetupOnly,
    /// There is an administrator: whoever can show who they are.
    Guarded,
}

impl Posture {
    /// The posture of a program that listens on `host`; `administrator` is whether any active user is an admin or an owner.
    pub fn of(host: IpAddr, administrator: bool) -> Self {
        match (administrator, host.to_canonical().is_loopback()) {
            (true, _) => Self::Guarded,
            (false, true) => Self::Open,
            (false, false) => Self::SetupOnly,
        }
    }

    /// Whether to print the set-up link at start. On loopback too: an open machine is a beginning, not a state to stay in.
    pub fn wants_link(self) -> bool {
        self != Self::Guarded
    }
}

/// What is asked for, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Health checks and the files of pages: nothing of anybody.
    Health,
    /// What carriers call: webhooks and media sockets.
    Carrier,
    /// The set-up page's one request.
    Setup,
    /// Log-in and refresh: credentials are in the body.
    LogIn,
    /// All else.
    Interface,
}

/// What a request brought in `Authorization`, after it was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing.
    None,
    /// A token or a key that is not good.
    Bad,
    /// A session's or a key's.
    Good(Principal),
}

/// How a request goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Without a principal.
    Public,
    /// To the carrier's own check.
    Carrier,
    /// To [`redeem`].
    Setup,
    /// As somebody.
    As(Principal),
}

/// Why a request is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// 401: nothing was brought.
    #[error("log in at /api/auth/login/ and send the token, or an API key, as `Authorization: Bearer …`")]
    Unauthenticated,
    /// 401: what was brought is not good.
    #[error("the token or API key is not valid; log in again, or make another key")]
    BadCredentials,
    /// 403: open, but not to this one.
    #[error(
        "the request came through a proxy or for another host, and there is no administrator yet; ask http://localhost on the machine \
         itself, or open the set-up link that was printed at start"
    )]
    NotThisMachine,
    /// 403: closed.
    #[error(
        "there is no administrator yet; open the set-up link that was printed at start, or start with HOST=127.0.0.1 to use the \
         interface from this machine"
    )]
    SetupFirst,
    /// 404: it was set up already, and who asks now need not know more.
    #[error("not found")]
    SetupDone,
}

/// Whether a request may pass, and as whom.
///
/// # Errors
///
/// Says why not, and what to do.
pub fn admit(
    posture: Posture,
    route: Route,
    of_this_machine: bool,
    credentials: Credentials,
) -> Result<Admission, Refused> {
    match (posture, route) {
        (_, Route::Health) => Ok(Admission::Public),
        (_, Route::Carrier) => Ok(Admission::Carrier),
        (Posture::Open | Posture::SetupOnly, Route::Setup) => Ok(Admission::Setup),
        (Posture::Guarded, Route::Setup) => Err(Refused::SetupDone),
        (Posture::SetupOnly, Route::LogIn | Route::Interface) => Err(Refused::SetupFirst),
        // A stale token of before is no reason to turn a program of this machine away.
        (Posture::Open, Route::LogIn | Route::Interface) => match credentials {
            Credentials::Good(principal) => Ok(Admission::As(principal)),
            Credentials::None | Credentials::Bad if of_this_machine => Ok(Admission::As(Principal::Local)),
            Credentials::None | Credentials::Bad => Err(Refused::NotThisMachine),
        },
        // Whoever logs in may bring an expired token along: clients do.
        (Posture::Guarded, Route::LogIn) => Ok(Admission::Public),
        (Posture::Guarded, Route::Interface) => match credentials {
            Credentials::Good(principal) => Ok(Admission::As(principal)),
            Credentials::None => Err(Refused::Unauthenticated),
            Credentials::Bad => Err(Refused::BadCredentials),
        },
    }
}

/// The link to print: `base` is what the program can be reached by, without a slash at its end.
pub fn link(base: &str, token: &Secret) -> Secret {
    Secret::new(format!("{}/setup#{}", base.trim_end_matches('/'), token.expose()))
}

/// Why the link does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefusal {
    /// 404: it was used, or another one was.
    #[error("not found")]
    Done,
    /// 401.
    #[error("the set-up link is not valid or too old; start the program again to have a new one printed")]
    Token(#[source] TokenRefusal),
}

/// Whether the first administrator may be made now. `administrator` is read in the transaction that would make them.
///
/// # Errors
///
/// If there is one, or the token is no good; in this order, so that a used link says nothing about its token.
pub fn redeem(tokens: &Tokens, token: &Secret, administrator: bool, now: DateTime<Utc>) -> Result<(), LinkRefusal> {
    if administrator {
        return Err(LinkRefusal::Done);
    }
    tokens.setup(token.expose(), now).map_err(LinkRefusal::Token)
}

#[cfg(test)]
mod tests;
