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
use tandem_domain::port::EventStream;
use tandem_domain::port::stt::{Covers, Stt as Engine, SttError, SttEvent, SttInput, SttInputStream, SttSpec};
use tokio::sync::mpsc;
use tracing::warn;

use super::CallMsg;
use crate::guard::Guard;
use crate::lane::{CHUNK_SAMPLES, EarLane, Tap};
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
    /// The caller speaks: partials are welcome.
    Speaking {
        /// Where the caller's turn began.
        from: u64,
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
    args: Args,
    commands: mpsc::Sender<SttInput>,
    asked: Option<(TurnId, u64)>,
    _stream: Guard,
}

impl State {
    /// Opens a stream that reads the lane from `from`.
    fn open(args: Args, me: &ActorRef<SttMsg>, from: u64) -> Self {
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let engine = args.engine.name();
        let events = args.engine.transcribe(args.spec.clone(), feed(args.lane.tap(from), receiver));
        let panicked = {
            let (me, error) = (me.clone(), SttError::Failed { vendor: engine, detail: "panicked".into() });
            move || drop(me.cast(SttMsg::Failed(error)))
        };
        let ear = Ear { call: args.call.clone(), me: me.clone(), engine, lane: args.lane.clone() };
        let stream = Guard::spawn(ear.listen(events), panicked);
        Self { args, commands, asked: None, _stream: stream }
    }
}

impl Actor for Stt {
    type Msg = SttMsg;
    type State = Option<State>;
    type Arguments = Args;

    async fn pre_start(&self, me: ActorRef<SttMsg>, args: Args) -> Result<Self::State, ActorProcessingErr> {
        let from = args.from;
        Ok(Some(State::open(args, &me, from)))
    }

    async fn handle(
        &self,
        me: ActorRef<SttMsg>,
        msg: SttMsg,
        slot: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let Some(mut state) = slot.take() else { return Err("the stream is gone".into()) };
        match msg {
            SttMsg::Finalize { turn, from, to, hints } => {
                state.asked = Some((turn, to));
                let command = SttInput::Finalize { turn, from, to, hints };
                // Full means that the stream stands still: that is a failure, not a reason to wait.
                let engine = state.args.engine.name();
                state.commands.try_send(command).map_err(|_| format!("{engine} takes no commands"))?;
                *slot = Some(state);
            }
            SttMsg::Speaking { from } => {
                // Full: the stream stands still, and a final will find that out.
                let _ = state.commands.try_send(SttInput::Speaking { from });
                *slot = Some(state);
            }
            SttMsg::Failed(SttError::Busy { vendor }) => {
                // No room is no fault of the stream, so nobody dies of it: the caller is asked to say it again.
                warn!(vendor, "recogniser is busy");
                if let Some((turn, to)) = state.asked {
                    let (text, covers) = (String::new(), Covers::WholeTurn);
                    state.args.call.cast(CallMsg::Input(Input::Transcript {
                        turn,
                        to,
                        text,
                        confidence: None,
                        covers,
                    }))?;
                }
                let from = state.args.lane.position();
                *slot = Some(State::open(state.args, &me, from));
            }
            SttMsg::Failed(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// Audio and commands in one stream: a command follows the audio that it speaks of. Audio comes in pieces of 100 ms, and at once where a
/// command waits for it.
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
            let least = if feed.held.is_some() { 1 } else { CHUNK_SAMPLES };
            tokio::select! {
                biased;
                command = feed.commands.recv() => match command? {
                    SttInput::Speaking { from } => return Some((SttInput::Speaking { from }, feed)),
                    command => feed.held = Some(command), // a newer one supersedes
                },
                chunk = feed.tap.next(least) => {
                    let (start, samples) = chunk?;
                    return Some((SttInput::Audio { start, samples }, feed));
                }
            }
        }
    }))
}

/// Where what the recogniser says goes.
struct Ear {
    call: ActorRef<CallMsg>,
    me: ActorRef<SttMsg>,
    engine: &'static str,
    lane: EarLane,
}

impl Ear {
    async fn listen(self, mut events: EventStream<SttEvent, SttError>) {
        let Self { call, me, engine, lane } = self;
        while let Some(event) = events.next().await {
            let sent = match event {
                Ok(SttEvent::Final { turn, to, text, confidence, covers }) => {
                    metrics::counter!(PROVIDER_REQUESTS, "stage" => "stt", "provider" => engine, "outcome" => "ok")
                        .increment(1);
                    call.cast(CallMsg::Input(Input::Transcript { turn, to, text, confidence, covers })).is_ok()
                }
                Ok(SttEvent::Partial { text }) => call.cast(CallMsg::Input(Input::Partial(text))).is_ok(),
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
        if !lane.is_closed() {
            let _ = me.cast(SttMsg::Failed(SttError::Failed { vendor: engine, detail: "the stream ended".into() }));
        }
    }
}
