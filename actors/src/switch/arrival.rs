//! How a socket came to us, and what that allows: by whose invitation, and to speak with whom.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tandem_domain::ids::{BusinessId, CallId};
use tandem_domain::invitation::{Admission, Invitations, Uninvited};
use tandem_domain::port::dialect::LegStart;
use tandem_domain::reception::{self, Standing};
use tandem_domain::record::{Direction, EndReason};

use crate::clock;
use crate::leg::mute::Place;

/// Stream parameter that carries an invitation's token, where the path cannot.
pub const TOKEN_PARAMETER: &str = "tandem_token";

/// Stream parameter by which our own answer document says that we placed the call: `outbound`, or a carrier's word that begins so
/// (`outbound-api`).
pub const DIRECTION_PARAMETER: &str = "direction";

/// How a socket came to us.
#[derive(Debug, Default)]
pub struct Arrival {
    /// The id in the path, where there is one.
    pub path_id: Option<String>,
    /// The peer's address.
    pub peer: Option<SocketAddr>,
    /// How far the peer is trusted.
    pub standing: Standing,
    /// An invitation's token from the path.
    pub token: Option<String>,
    /// The place among the sockets that have not spoken; given back when the stream starts.
    pub place: Option<Place>,
    /// Whose agents may answer, where whoever opened the socket has shown who they are; else the switch's own business.
    pub business: Option<BusinessId>,
}

/// All invitations of a switch.
pub(super) type Guests = Arc<Mutex<Invitations>>;

/// An invited call while its socket is open. Dropped, it says that the socket is gone.
#[derive(Debug)]
pub(super) struct Seat {
    guests: Guests,
    pub(super) admission: Admission,
    /// Until told otherwise: whoever drops us in the middle did not close the socket.
    abnormally: bool,
}

impl Seat {
    /// The call's socket is gone for this reason; `None` if the call crashed.
    pub(super) fn leave(mut self, reason: Option<&EndReason>) {
        self.abnormally = matches!(reason, None | Some(EndReason::LegLost | EndReason::MediaTimeout));
    }

    fn call(&self) -> CallId {
        self.admission.call
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let call = self.call();
        lock(&self.guests).ended(clock::now(), call, self.abnormally);
    }
}

/// Uses up the invitation that came with a stream. One that is shown must be good; a guest must show one.
pub(super) fn seat(guests: &Guests, arrival: &Arrival, start: &mut LegStart) -> Result<Option<Seat>, Uninvited> {
    // Out of the record: whoever reads that was not invited.
    let by_parameter = start.parameters.remove(TOKEN_PARAMETER);
    let Some(token) = arrival.token.as_ref().or(by_parameter.as_ref()) else {
        return match arrival.standing {
            Standing::Guest => Err(Uninvited::NoToken),
            Standing::Trusted | Standing::Stranger => Ok(None),
        };
    };
    let admission = lock(guests).present(clock::now(), token)?;
    Ok(Some(Seat { guests: Arc::clone(guests), admission, abnormally: true }))
}

/// Which side began the call. A stranger's word is not taken for it: who is dialled by us hears other first words.
pub(super) fn direction(seat: Option<&Seat>, standing: Standing, start: &LegStart) -> Direction {
    let believed = seat.is_some() || standing == Standing::Trusted;
    let outbound = start.parameters.get(DIRECTION_PARAMETER).is_some_and(|word| word.starts_with("outbound"));
    if believed && outbound { Direction::Outbound } else { Direction::Inbound }
}

/// Name, number or UUID of the agent that the invitation or the stream names, as far as it may; see [`reception`].
pub(super) fn named<'a>(seat: Option<&'a Seat>, standing: Standing, start: &'a LegStart) -> Option<&'a str> {
    let invited = seat.and_then(|seat| seat.admission.agent.as_deref());
    let named = reception::named(&start.parameters);
    if named.is_some() && standing != Standing::Trusted && invited.is_none() {
        tracing::info!(
            "a stream's agent parameter is not followed: its socket showed no credentials (MEDIA_SECRET or MEDIA_USER)"
        );
    }
    invited.or(named.filter(|_| standing == Standing::Trusted))
}

pub(super) fn lock(guests: &Guests) -> std::sync::MutexGuard<'_, Invitations> {
    guests.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_began_the_call_is_believed_of_those_we_trust() {
        let said = |standing, word: &str| {
            let parameters = [(DIRECTION_PARAMETER.to_owned(), word.to_owned())].into();
            direction(None, standing, &LegStart { parameters, ..LegStart::default() })
        };
        for word in ["outbound", "outbound-api", "outbound-dial"] {
            assert_eq!(said(Standing::Trusted, word), Direction::Outbound, "{word}");
            assert_eq!(said(Standing::Stranger, word), Direction::Inbound, "{word}");
        }
        assert_eq!(said(Standing::Trusted, "inbound"), Direction::Inbound);
        assert_eq!(direction(None, Standing::Trusted, &LegStart::default()), Direction::Inbound);
    }
}
