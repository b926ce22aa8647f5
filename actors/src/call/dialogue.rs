//! Drives the brain: one ask at a time, its answers told to the call as they come.
//!
//! Place:   switchboard > call > **dialogue**
//! Hears:   `call`: `Think`, `Stop`.    Tells: `call`, `Input::Brain`, `BrainDone`, `BrainFailed`.
//! Failure: started again by the call; the core asks again and skips the sentences it has. Slots live in the core, not here.

use std::sync::Arc;

use futures_util::StreamExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tandem_domain::call_core::Input;
use tandem_domain::port::brain::{Ask, Brain};
use tracing::warn;

use super::CallMsg;
use crate::guard::Guard;
use crate::metrics::PROVIDER_REQUESTS;

/// What the driver hears.
#[derive(Debug)]
pub enum DialogueMsg {
    /// Ask the brain; drops what it does.
    Think {
        /// To be returned with the answers.
        number: u32,
        /// The question.
        ask: Box<Ask>,
    },
    /// Drop what the brain does.
    Stop,
}

/// The actor.
pub struct Dialogue;

/// The brain, and its answer that is under way.
pub struct State {
    call: ActorRef<CallMsg>,
    brain: Arc<dyn Brain>,
    thinking: Option<Guard>,
}

impl Actor for Dialogue {
    type Msg = DialogueMsg;
    type State = State;
    type Arguments = (ActorRef<CallMsg>, Arc<dyn Brain>);

    async fn pre_start(
        &self,
        _: ActorRef<DialogueMsg>,
        (call, brain): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State { call, brain, thinking: None })
    }

    async fn handle(
        &self,
        _: ActorRef<DialogueMsg>,
        msg: DialogueMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.thinking = match msg {
            DialogueMsg::Stop => None,
            DialogueMsg::Think { number, ask } => {
                let (brain, call) = (Arc::clone(&state.brain), state.call.clone());
                let panicked = {
                    let call = call.clone();
                    move || drop(call.cast(CallMsg::Input(Input::BrainFailed { ask: number })))
                };
                Some(Guard::spawn(think(brain, number, *ask, call), panicked))
            }
        };
        Ok(())
    }
}

async fn think(brain: Arc<dyn Brain>, number: u32, ask: Ask, call: ActorRef<CallMsg>) {
    let mut answer = brain.respond(ask);
    let mut outcome = Input::BrainDone { ask: number };
    while let Some(event) = answer.next().await {
        match event {
            Ok(event) => {
                let _ = call.cast(CallMsg::Input(Input::Brain { ask: number, event })); // gone: the guard ends us
            }
            Err(error) => {
                warn!(%error, brain = brain.name(), "brain failed");
                outcome = Input::BrainFailed { ask: number };
                break;
            }
        }
    }
    let label = if matches!(outcome, Input::BrainDone { .. }) { "ok" } else { "error" };
    metrics::counter!(PROVIDER_REQUESTS, "stage" => "llm", "provider" => brain.name(), "outcome" => label).increment(1);
    let _ = call.cast(CallMsg::Input(outcome));
}
