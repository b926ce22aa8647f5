//! The doorstep of a media socket: reads until the stream has started, or says why it never will.
//!
//! Runs before a call exists, so that a socket which never speaks costs one task and no actor. Where a socket may be of several carriers,
//! its first messages tell whose it is.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tandem_domain::port::dialect::{Breach, Decoder, Dialect, LegEvent, LegStart, Parting, WireMessage};
use tandem_domain::record::EndReason;
use tokio::time::timeout_at;

use crate::clock;
use crate::flood::MessageBudget;
use crate::socket::{Incoming, SocketError};

mod choice;

use choice::{Choice, Choosing};

/// What a socket is called until its carrier is known.
const UNKNOWN: &str = "unknown";

/// A stream that has started.
pub struct Begun {
    /// Whose it is.
    pub dialect: Arc<dyn Dialect>,
    /// Its reader, past `start`.
    pub decoder: Box<dyn Decoder>,
    /// What the carrier said.
    pub start: LegStart,
}

/// A stream that never will.
#[derive(Debug)]
pub struct NotBegun {
    /// Whose it was, as far as anybody knows.
    pub carrier: &'static str,
    /// For the record of a call that never was.
    pub reason: EndReason,
    /// What its close frame says.
    pub parting: Parting,
}

/// Reads up to `start`. `dialects`: all that the socket may speak, at least one.
pub async fn doorstep(
    incoming: &mut Incoming,
    dialects: &[Arc<dyn Dialect>],
    budget: &mut MessageBudget,
    limit: Duration,
) -> Result<Begun, NotBegun> {
    let deadline = clock::now() + limit;
    let mut step = Step::new(dialects);
    loop {
        let message = match timeout_at(deadline.into(), incoming.next()).await {
            Err(_) => return Err(step.fail(EndReason::StartTimeout)),
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(SocketError::TooLarge))) => {
                return Err(step.fail(EndReason::Breach(Breach::OversizedMessage)));
            }
            Ok(Some(Err(SocketError::Flood))) => return Err(step.fail(EndReason::Breach(Breach::Flood))),
            Ok(Some(Err(SocketError::Closed)) | None) => return Err(step.fail(EndReason::CallerHangup)),
            Ok(Some(Err(SocketError::Protocol(_) | SocketError::Io(_)))) => return Err(step.fail(EndReason::LegLost)),
        };
        if !budget.spend(clock::now()) {
            return Err(step.fail(EndReason::Breach(Breach::Flood)));
        }
        match step.message(message) {
            Ok(None) => {}
            Ok(Some(start)) => return step.begun(start),
            Err(reason) => return Err(step.fail(reason)),
        }
    }
}

/// How far a socket has come.
enum Step {
    /// Its carrier is not known.
    Choosing(Choosing),
    /// Its carrier is.
    Reading(Arc<dyn Dialect>, Box<dyn Decoder>),
}

impl Step {
    fn new(dialects: &[Arc<dyn Dialect>]) -> Self {
        match dialects {
            [only] => Self::reading(Arc::clone(only)),
            several => Self::Choosing(Choosing::new(several)),
        }
    }

    fn reading(dialect: Arc<dyn Dialect>) -> Self {
        let decoder = dialect.decoder();
        Self::Reading(dialect, decoder)
    }

    fn message(&mut self, message: WireMessage) -> Result<Option<LegStart>, EndReason> {
        let messages = match self {
            Self::Reading(_, decoder) => return read(decoder.as_mut(), &message),
            Self::Choosing(choosing) => match choosing.offer(message) {
                Choice::Open => return Ok(None),
                Choice::Nobody(breach) => return Err(EndReason::Breach(breach)),
                Choice::Of(dialect, messages) => {
                    *self = Self::reading(dialect);
                    messages
                }
            },
        };
        let Self::Reading(_, decoder) = self else { return Ok(None) };
        let mut started = None;
        for message in &messages {
            started = read(decoder.as_mut(), message)?;
        }
        Ok(started)
    }

    fn begun(self, start: LegStart) -> Result<Begun, NotBegun> {
        match self {
            Self::Reading(dialect, decoder) => Ok(Begun { dialect, decoder, start }),
            Self::Choosing(_) => Err(self.fail(EndReason::Breach(Breach::UnknownProtocol))),
        }
    }

    fn fail(&self, reason: EndReason) -> NotBegun {
        let (carrier, parting) = match self {
            Self::Choosing(_) => (UNKNOWN, Parting::of(&reason)),
            Self::Reading(dialect, _) => (dialect.capabilities().carrier, dialect.parting(&reason)),
        };
        NotBegun { carrier, reason, parting }
    }
}

/// One message before the start; `Some` with the start itself.
fn read(decoder: &mut dyn Decoder, message: &WireMessage) -> Result<Option<LegStart>, EndReason> {
    let early = |event: &str| Err(EndReason::Breach(Breach::BeforeStart(event.to_owned())));
    match decoder.decode(message, &mut Vec::new()).map_err(EndReason::Breach)? {
        LegEvent::Started(start) => Ok(Some(start)),
        LegEvent::Connected | LegEvent::Ignored(_) => Ok(None),
        LegEvent::Stopped => Err(EndReason::CallerHangup),
        LegEvent::MovedOn => Err(EndReason::MovedOn),
        LegEvent::Audio { .. } => early("media"),
        LegEvent::Dtmf(_) => early("dtmf"),
        LegEvent::Mark(_) => early("mark"),
        LegEvent::Typed(_)
        | LegEvent::Context(_)
        | LegEvent::Activity
        | LegEvent::ToolResult { .. }
        | LegEvent::Pong(_) => early("message"),
    }
}
