//! The switchboard: admits, spawns, finds and ends calls; one per process.
//!
//! Place:   **switchboard** > call
//! Hears:   [`Switch`](crate::switch::Switch), for arrivals, sessions and draining; its calls, when they end.    Tells: its calls.
//! Failure: a call that dies costs only itself: its record is written here, from what was known when it was admitted.

use std::collections::HashMap;
use std::time::Instant;

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tandem_domain::call_core::Input;
use tandem_domain::ids::{BusinessId, CallId};
use tandem_domain::record::{CallEnded, EndReason, Record};
use tokio::sync::oneshot;
use tracing::error;

use crate::call::{self, Call, CallMsg};
use crate::limits::Permit;
use crate::metrics::sounding::Sounding;
use crate::scribe::Scribe;
use crate::{clock, metrics as meter};

/// What the switchboard hears.
pub enum SwitchboardMsg {
    /// A stream has started, and its business and agent have room for it: admit it and spawn its call.
    Admit(Box<call::Args>, Permit, RpcReplyPort<Result<Admitted, Box<Refused>>>),
    /// All live calls.
    Calls(RpcReplyPort<Vec<(CallId, ActorRef<CallMsg>)>>),
    /// Admit nobody any more. Answered when the last call has ended.
    Drain(RpcReplyPort<()>),
    /// Say goodbye in all calls.
    DismissAll(EndReason),
    /// End all calls without a word.
    EndAll(EndReason),
    /// Its own note about its mailbox came back.
    Sounded(u64),
}

/// A call that runs.
#[derive(Debug)]
pub struct Admitted {
    /// Resolves when the call is over: why, or nothing if it crashed.
    pub over: oneshot::Receiver<Option<EndReason>>,
}

/// A call that was not admitted, with what came with it so that its end can be recorded.
pub struct Refused {
    /// Why.
    pub reason: EndReason,
    /// The arguments that were to be its own.
    pub args: Option<call::Args>,
}

/// The actor.
pub struct Switchboard;

/// What it needs.
pub struct Args {
    /// Calls at once, at most.
    pub max_calls: usize,
    /// For the records of calls that crashed.
    pub scribe: Scribe,
}

/// What the switchboard must know of a call to write its record without it.
struct Line {
    call: CallId,
    business: BusinessId,
    carrier: &'static str,
    actor: ActorRef<CallMsg>,
    started: Instant,
    /// Its place among the calls of its business and agent, which others may have when the line is gone.
    permit: Permit,
    over: oneshot::Sender<Option<EndReason>>,
}

/// Its calls.
pub struct State {
    max_calls: usize,
    mailbox: Sounding,
    scribe: Scribe,
    lines: HashMap<ActorId, Line>,
    draining: Vec<RpcReplyPort<()>>,
    closed: bool,
}

impl Actor for Switchboard {
    type Msg = SwitchboardMsg;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, _: ActorRef<SwitchboardMsg>, args: Args) -> Result<State, ActorProcessingErr> {
        metrics::gauge!(meter::CALLS_LIMIT, "scope" => "server").set(args.max_calls as f64);
        Ok(State {
            max_calls: args.max_calls,
            mailbox: Sounding::new("switchboard"),
            scribe: args.scribe,
            lines: HashMap::new(),
            draining: Vec::new(),
            closed: false,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<SwitchboardMsg>,
        msg: SwitchboardMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(number) = state.mailbox.handled(clock::now()) {
            me.cast(SwitchboardMsg::Sounded(number))?;
        }
        match msg {
            SwitchboardMsg::Admit(args, permit, reply) => {
                let answer = state.admit(&me, *args, permit).await;
                let _ = reply.send(answer); // asker gone: its socket too, the call will notice
            }
            SwitchboardMsg::Calls(reply) => {
                let mut calls: Vec<_> = state.lines.values().map(|line| (line.call, line.actor.clone())).collect();
                calls.sort_by_key(|(call, _)| *call);
                let _ = reply.send(calls);
            }
            SwitchboardMsg::Drain(reply) => {
                state.closed = true;
                state.draining.push(reply);
                state.drained();
            }
            SwitchboardMsg::DismissAll(reason) => state.tell_all(&Input::Dismiss(reason)),
            SwitchboardMsg::EndAll(reason) => state.tell_all(&Input::Ended(reason)),
            SwitchboardMsg::Sounded(number) => state.mailbox.sounded(number),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<SwitchboardMsg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(cell, last, reason) => {
                // A call that ended in order has written its own record; one that was killed has not.
                let last = last.and_then(|mut last| last.take::<call::State>().ok());
                let ended = last.and_then(|last| last.ended().cloned());
                state.ended(cell.get_id(), ended.ok_or_else(|| reason.unwrap_or_default()));
            }
            SupervisionEvent::ActorFailed(cell, error) => state.ended(cell.get_id(), Err(error.to_string())),
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}

impl State {
    /// A permit that comes to nothing is withdrawn when it is dropped.
    async fn admit(
        &mut self,
        me: &ActorRef<SwitchboardMsg>,
        args: call::Args,
        permit: Permit,
    ) -> Result<Admitted, Box<Refused>> {
        if self.closed || self.lines.len() >= self.max_calls {
            return Err(Box::new(Refused { reason: EndReason::Refused, args: Some(args) }));
        }
        let (call, business, carrier) = (args.call, args.agent.business, args.dialect.capabilities().carrier);
        let actor = match Actor::spawn_linked(None, Call, args, me.get_cell()).await {
            Ok((actor, _)) => actor,
            Err(error) => {
                error!(call_id = %call, %error, "call could not be started");
                return Err(Box::new(Refused { reason: EndReason::CallCrashed, args: None }));
            }
        };
        let (sender, receiver) = oneshot::channel();
        metrics::gauge!(meter::CALLS_ACTIVE, "direction" => "inbound", "carrier" => carrier).increment(1.0);
        if let Some(usage) = permit.begin() {
            self.scribe.write(Record::Admitted(usage));
        }
        let line = Line { call, business, carrier, actor, started: clock::now(), permit, over: sender };
        self.lines.insert(line.actor.get_id(), line);
        Ok(Admitted { over: receiver })
    }

    /// A call is gone: why, or how it crashed.
    fn ended(&mut self, id: ActorId, outcome: Result<EndReason, String>) {
        let Some(Line { call, business, carrier, started, permit, over, actor: _ }) = self.lines.remove(&id) else {
            return;
        };
        drop(permit); // before anybody hears that the call is over
        metrics::gauge!(meter::CALLS_ACTIVE, "direction" => "inbound", "carrier" => carrier).decrement(1.0);
        #[cfg(feature = "sabotage")]
        let outcome = match outcome {
            Ok(_) if tandem_domain::sabotage::is_off(tandem_domain::sabotage::Mechanism::OneEnd) => Err(String::new()),
            outcome => outcome,
        };
        if let Err(detail) = outcome.clone() {
            error!(call_id = %call, %detail, "call crashed");
            let duration = clock::now().saturating_duration_since(started);
            meter::call_ended(carrier, &EndReason::CallCrashed, duration);
            self.scribe.write(Record::Ended(CallEnded {
                call,
                business,
                reason: EndReason::CallCrashed,
                detail,
                duration,
                outcome: None,
                at: clock::utc(),
            }));
        }
        let _ = over.send(outcome.ok()); // nobody waits: fine
        self.drained();
    }

    fn tell_all(&self, input: &Input) {
        for line in self.lines.values() {
            let _ = line.actor.cast(CallMsg::Input(input.clone())); // ending anyway
        }
    }

    fn drained(&mut self) {
        if self.closed && self.lines.is_empty() {
            for reply in self.draining.drain(..) {
                let _ = reply.send(()); // asker gone: not our problem
            }
        }
    }
}
