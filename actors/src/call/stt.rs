//! Drives the recogniser: one vendor stream at a time, fed from the ear lane.
//!
//! Place:   switchboard > call > **stt**
//! Hears:   `call`: `Finalize` when the caller pauses.    Tells: `call`, `Input::Transcript`.
//! Failure: a broken stream is our death; the call starts us again and we read the lane from where the caller's turn began, so no word is lost.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tandem_domain::call_core::Input;
use tandem_domain::ids::TurnId;
use tandem_domain::port::stt::{Covers, Stt as Engine, SttError, SttEvent, SttInput, SttInputStream, SttSpec};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::CallMsg;
use crate::guard::Guard;
use crate::lane::{EarLane, Tap};
use crate::metrics::PROVIDER_REQUESTS;

/// Finalize commands that may wait for their audio; a call has one turn at a time.
const COMMANDS: usize = 16;

/// What the driver hears.
#[derive(Debug)]
pub enum SttMsg {
    /// Settle the words of a stretch of the lane.
    Finalize {
        /// The turn.
        turn: TurnId,
        /// First sample.
        from: u64,
        /// Sample after the last.
        to: u64,
        /// Words that the answer probably contains.
        hints: Arc<[String]>,
    },
    /// The stream failed (from our own task).
    Failed(SttError),
}

/// The actor.
pub struct Stt;

/// What it needs.
pub struct Args {
    /// The call.
    pub call: ActorRef<CallMsg>,
    /// The recogniser.
    pub engine: Arc<dyn Engine>,
    /// Language, rate and keywords.
    pub spec: SttSpec,
    /// The caller's audio.
    pub lane: EarLane,
    /// Where to begin to read.
    pub from: u64,
}

/// The running stream.
pub struct State {
    commands: mpsc::Sender<SttInput>,
    engine: &'static str,
    call: ActorRef<CallMsg>,
    last_turn: Option<TurnId>,
    _stream: Guard,
}

impl Actor for Stt {
    type Msg = SttMsg;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, me: ActorRef<SttMsg>, args: Args) -> Result<State, ActorProcessingErr> {
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let events = args.engine.transcribe(args.spec, feed(args.lane.tap(args.from), receiver));
        let (engine, call) = (args.engine.name(), args.call.clone());
        let stream = Guard::spawn(listen(events, args.call, me, engine));
        Ok(State { commands, engine, call, last_turn: None, _stream: stream })
    }

    async fn handle(&self, _: ActorRef<SttMsg>, msg: SttMsg, state: &mut State) -> Result<(), ActorProcessingErr> {
        match msg {
            SttMsg::Finalize { turn, from, to, hints } => {
                state.last_turn = Some(turn);
                let command = SttInput::Finalize { turn, from, to, hints };
                // Full means that the stream stands still: that is a failure, not a reason to wait.
                state.commands.try_send(command).map_err(|_| format!("{} takes no commands", state.engine))?;
                Ok(())
            }
            SttMsg::Failed(SttError::Busy { vendor }) => {
                // No room is no fault of the stream: the caller is asked to say it again.
                warn!(vendor, "recogniser is busy");
                if let Some(turn) = state.last_turn {
                    let nothing =
                        Input::Transcript { turn, text: String::new(), confidence: None, covers: Covers::WholeTurn };
                    state.call.cast(CallMsg::Input(nothing))?;
                }
                Err(format!("{vendor} is busy").into())
            }
            SttMsg::Failed(error) => Err(error.into()),
        }
    }
}

/// Audio and commands in one stream: a command follows the audio that it speaks of.
fn feed(tap: Tap, commands: mpsc::Receiver<SttInput>) -> SttInputStream {
    struct Feed {
        tap: Tap,
        commands: mpsc::Receiver<SttInput>,
        held: Option<SttInput>,
    }
    Box::pin(stream::unfold(Feed { tap, commands, held: None }, |mut feed| async move {
        loop {
            if let Some(SttInput::Finalize { to, .. }) = &feed.held
                && feed.tap.position() >= *to
            {
                return feed.held.take().map(|command| (command, feed));
            }
            tokio::select! {
                biased;
                command = feed.commands.recv() => feed.held = Some(command?), // a newer one supersedes
                chunk = feed.tap.next() => {
                    let (start, samples) = chunk?;
                    return Some((SttInput::Audio { start, samples }, feed));
                }
            }
        }
    }))
}

async fn listen(
    mut events: tandem_domain::port::EventStream<SttEvent, SttError>,
    call: ActorRef<CallMsg>,
    me: ActorRef<SttMsg>,
    engine: &'static str,
) {
    while let Some(event) = events.next().await {
        let sent = match event {
            Ok(SttEvent::Final { turn, text, confidence, covers }) => {
                metrics::counter!(PROVIDER_REQUESTS, "stage" => "stt", "provider" => engine, "outcome" => "ok")
                    .increment(1);
                call.cast(CallMsg::Input(Input::Transcript { turn, text, confidence, covers })).is_ok()
            }
            Ok(SttEvent::Partial { text }) => {
                debug!(characters = text.len(), "partial transcript");
                true
            }
            Err(error) => {
                metrics::counter!(PROVIDER_REQUESTS, "stage" => "stt", "provider" => engine, "outcome" => "error")
                    .increment(1);
                let _ = me.cast(SttMsg::Failed(error));
                return;
            }
        };
        if !sent {
            return; // the call is gone
        }
    }
}
