//! Alarm clock of one call: wakes it at the core's next deadline (silence ladder, end of turn, longest call).
//!
//! Place:   switchboard > call > **silence**
//! Hears:   `call`, after every input.    Tells: `call`, `CallMsg::Input(Input::Tick)`.
//! Failure: restarted and set again by the call; a late prompt is better than a dropped call.

use std::time::Instant;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tandem_domain::call_core::Input;

use super::CallMsg;
use crate::alarm::Alarm;

/// What the alarm hears.
#[derive(Debug)]
pub enum SilenceMsg {
    /// Wake the call at that instant; `None` for never.
    Arm(Option<Instant>),
}

/// The actor.
pub struct Silence;

impl Actor for Silence {
    type Msg = SilenceMsg;
    type State = (ActorRef<CallMsg>, Alarm);
    type Arguments = ActorRef<CallMsg>;

    async fn pre_start(
        &self,
        _: ActorRef<SilenceMsg>,
        call: ActorRef<CallMsg>,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok((call, Alarm::default()))
    }

    async fn handle(
        &self,
        _: ActorRef<SilenceMsg>,
        msg: SilenceMsg,
        (call, alarm): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let SilenceMsg::Arm(at) = msg;
        alarm.set(call, at, || CallMsg::Input(Input::Tick));
        Ok(())
    }
}
