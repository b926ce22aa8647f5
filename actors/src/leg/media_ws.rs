//! The doorstep of a media socket: reads until the stream has started, or says why it never will.
//!
//! Runs before a call exists, so that a socket which never speaks costs one task and no actor.

use std::time::Duration;

use futures_util::StreamExt;
use tandem_domain::port::dialect::{Breach, Decoder, LegEvent, LegStart};
use tandem_domain::record::EndReason;
use tokio::time::timeout_at;

use crate::clock;
use crate::flood::MessageBudget;
use crate::socket::{Incoming, SocketError};

/// Reads up to `start`. The error is the reason for the record of a call that never was.
pub async fn doorstep(
    incoming: &mut Incoming,
    decoder: &mut dyn Decoder,
    budget: &mut MessageBudget,
    limit: Duration,
) -> Result<LegStart, EndReason> {
    let deadline = clock::now() + limit;
    let mut pcm = Vec::new();
    loop {
        let message = match timeout_at(deadline.into(), incoming.next()).await {
            Err(_) => return Err(EndReason::StartTimeout),
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(SocketError::TooLarge))) => return Err(EndReason::Breach(Breach::OversizedMessage)),
            Ok(Some(Err(SocketError::Flood))) => return Err(EndReason::Breach(Breach::Flood)),
            Ok(Some(Err(SocketError::Closed)) | None) => return Err(EndReason::CallerHangup),
            Ok(Some(Err(SocketError::Protocol(_) | SocketError::Io(_)))) => return Err(EndReason::LegLost),
        };
        if !budget.spend(clock::now()) {
            return Err(EndReason::Breach(Breach::Flood));
        }
        match decoder.decode(&message, &mut pcm).map_err(EndReason::Breach)? {
            LegEvent::Started(start) => return Ok(start),
            LegEvent::Connected | LegEvent::Ignored(_) => {}
            LegEvent::Stopped => return Err(EndReason::CallerHangup),
            LegEvent::Audio { .. } => return Err(EndReason::Breach(Breach::BeforeStart("media".into()))),
            LegEvent::Dtmf(_) => return Err(EndReason::Breach(Breach::BeforeStart("dtmf".into()))),
            LegEvent::Mark(_) => return Err(EndReason::Breach(Breach::BeforeStart("mark".into()))),
            LegEvent::Typed(_)
            | LegEvent::Context(_)
            | LegEvent::Activity
            | LegEvent::ToolResult { .. }
            | LegEvent::Pong(_) => return Err(EndReason::Breach(Breach::BeforeStart("message".into()))),
        }
    }
}
