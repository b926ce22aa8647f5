//! The outgoing pump: speech lane → pacing → the leg's rate → dialect → one write.
//!
//! Place:   switchboard > call > **egress**
//! Hears:   nothing; the lane wakes its pump.    Tells: `call`, `Input::FirstAudio`, `Input::Spoken`; `CallMsg::LegLost` when a write fails.
//! Failure: the queue and the clock live in the lane, so a new pump goes on with the next chunk.

use std::sync::Arc;
use std::time::Duration;

use futures_util::SinkExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tandem_codecs::SampleRate;
use tandem_domain::call_core::Input;
use tandem_domain::playout::PlayoutAction;
use tandem_domain::port::dialect::Encoder;
use tokio::sync::Mutex;
use tokio::time::{sleep_until, timeout};

use super::CallMsg;
use super::leg_rate::ToLeg;
use crate::clock;
use crate::guard::Guard;
use crate::lane::SpeechLane;
use crate::metrics::PLAYOUT_LAG;
use crate::socket::{Outgoing, SocketError};

/// A peer that takes no data for this long is gone.
const WRITE_LIMIT: Duration = Duration::from_secs(5);

/// The writing half of the leg; the leg owns it, the pump borrows it, one write at a time.
pub type Writer = Arc<Mutex<Outgoing>>;

/// The actor.
pub struct Egress;

/// What it needs.
pub struct Args {
    /// The call.
    pub call: ActorRef<CallMsg>,
    /// What to play.
    pub lane: SpeechLane,
    /// How the carrier wants it.
    pub encoder: Box<dyn Encoder>,
    /// Sample rate of the leg's audio.
    pub leg_rate: SampleRate,
    /// Where it goes.
    pub writer: Writer,
}

impl Actor for Egress {
    type Msg = ();
    type State = Guard;
    type Arguments = Args;

    async fn pre_start(&self, me: ActorRef<()>, args: Args) -> Result<Guard, ActorProcessingErr> {
        let pump = async move {
            let call = args.call.clone();
            if let Err(error) = pump(args).await {
                let _ = call.cast(CallMsg::LegLost(error.to_string())); // a call that is gone needs no news
            }
        };
        Ok(Guard::spawn(pump, move || me.kill())) // as any death of ours: the call judges it
    }
}

async fn pump(Args { call, lane, mut encoder, leg_rate, writer }: Args) -> Result<(), SocketError> {
    let mut actions = Vec::new();
    let mut to_leg = ToLeg::new(leg_rate);
    loop {
        let now = clock::now();
        let next = {
            let mut playout = lane.playout();
            playout.poll(now, &mut actions);
            playout.poll_timeout(now)
        };
        if !actions.is_empty() {
            lane.took();
            timeout(WRITE_LIMIT, write(&mut actions, encoder.as_mut(), &mut to_leg, &writer, &call))
                .await
                .map_err(|_| SocketError::Io("the peer takes no data".into()))??;
            continue; // time has passed: look again before sleeping
        }
        match next {
            Some(due) => tokio::select! {
                biased;
                () = lane.woken() => {}
                () = sleep_until(due.into()) => {}
            },
            None => lane.woken().await,
        }
    }
}

/// Writes everything that is due with one flush, then tells the call what began or ended with it.
async fn write(
    actions: &mut Vec<PlayoutAction>,
    encoder: &mut dyn Encoder,
    to_leg: &mut ToLeg,
    writer: &Writer,
    call: &ActorRef<CallMsg>,
) -> Result<(), SocketError> {
    let mut news = Vec::new();
    let mut writer = writer.lock().await;
    for action in actions.drain(..) {
        let message = match action {
            PlayoutAction::Audio { samples, late } => {
                metrics::histogram!(PLAYOUT_LAG).record(late.as_secs_f64());
                Some(encoder.audio(to_leg.convert(&samples)))
            }
            PlayoutAction::Mark(name) => encoder.mark(&name),
            PlayoutAction::Clear => {
                to_leg.reset();
                encoder.clear()
            }
            PlayoutAction::FirstAudio(utterance) => {
                news.push(Input::FirstAudio(utterance));
                None
            }
            PlayoutAction::Spoken(utterance, heard) => {
                news.push(Input::Spoken(utterance, heard));
                None
            }
        };
        if let Some(message) = message {
            writer.feed(message).await?;
        }
    }
    writer.flush().await?;
    drop(writer);
    for input in news {
        let _ = call.cast(CallMsg::Input(input));
    }
    Ok(())
}
