//! The far end's connection: owns the writing half and closes it.
//!
//! Place:   switchboard > call > **leg**
//! Hears:   `call`: `Close` when the call is over.    Tells: nobody; the reading half belongs to `ingress`.
//! Failure: without the leg there is no call (`leg_lost`).

use std::time::Duration;

use futures_util::SinkExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tandem_domain::port::dialect::WireMessage;
use tokio::time::timeout;
use tracing::debug;

use crate::call::egress::Writer;

pub mod media_ws;

/// A peer that does not take our goodbye is not waited for.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// What the leg hears.
#[derive(Debug)]
pub enum LegMsg {
    /// Say what the dialect still has to say, and close.
    Close(Vec<WireMessage>),
}

/// The actor.
pub struct Leg;

impl Actor for Leg {
    type Msg = LegMsg;
    type State = Writer;
    type Arguments = Writer;

    async fn pre_start(&self, _: ActorRef<LegMsg>, writer: Writer) -> Result<Writer, ActorProcessingErr> {
        Ok(writer)
    }

    async fn handle(&self, me: ActorRef<LegMsg>, msg: LegMsg, writer: &mut Writer) -> Result<(), ActorProcessingErr> {
        let LegMsg::Close(goodbye) = msg;
        let closing = async {
            let mut writer = writer.lock().await;
            for message in goodbye {
                writer.feed(message).await?;
            }
            writer.close().await
        };
        match timeout(CLOSE_LIMIT, closing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "closing the socket"),
            Err(_) => debug!("the peer did not take our goodbye"),
        }
        me.stop(None);
        Ok(())
    }
}
