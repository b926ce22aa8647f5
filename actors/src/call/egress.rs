//! The outgoing pump: speech lane → pacing → the leg's rate → dialect → one write. Where the far end has a screen, what it is shown goes along.
//!
//! Place:   switchboard > call > **egress**
//! Hears:   nothing; the lane wakes its pump.    Tells: `call`, `Input::FirstAudio`, `Input::Spoken`, gaps; `CallMsg::LegLost` when a write fails.
//! Failure: the queue and the clock live in the lane, so a new pump goes on with the next chunk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::SinkExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tandem_codecs::SampleRate;
use tandem_domain::call_core::Input;
use tandem_domain::playout::{PlayoutAction, Voice};
use tandem_domain::port::dialect::{Encoder, Notice, WireMessage};
use tokio::sync::Mutex;
use tokio::time::{sleep, sleep_until, timeout};

use super::CallMsg;
use super::leg_rate::ToLeg;
use crate::clock;
use crate::guard::Guard;
use crate::lane::SpeechLane;
use crate::metrics::media::EgressMeter;
use crate::socket::{Outgoing, SocketError};
use crate::tap::Inlet;

/// Between the call's first notice and anything else. A client may be making itself ready with it, and lose what comes in the same piece:
/// npm `@elevenlabs/client` does in Node, whose sockets hand on all messages of a piece at once.
const READY: Duration = Duration::from_millis(20);
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
    /// Where a copy goes.
    pub(crate) tap: Option<Inlet>,
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

async fn pump(Args { call, lane, encoder, leg_rate, writer, tap }: Args) -> Result<(), SocketError> {
    let (mut actions, mut notices) = (Vec::new(), Vec::new());
    let meter = EgressMeter::new();
    let mut leg = Leg { encoder, to_leg: ToLeg::new(leg_rate), speaking: None, tap, meter };
    loop {
        let now = clock::now();
        let ping = lane.screen().map(|screen| {
            screen.take(now, &mut notices);
            screen.poll_timeout(now)
        });
        let greets = matches!(notices.as_slice(), [Notice::Started { .. }]);
        let audio = if greets { None } else { poll(&lane, now, &mut actions, &leg.meter) };
        let next = [audio, ping].into_iter().flatten().min();
        if !actions.is_empty() || ping.is_some() {
            lane.took(); // a far end that reads takes audio out without a write
        }
        if !actions.is_empty() || !notices.is_empty() {
            timeout(WRITE_LIMIT, write(now, &mut actions, &mut notices, &mut leg, &writer, &call))
                .await
                .map_err(|_| SocketError::Io("the peer takes no data".into()))??;
            if greets {
                sleep(READY).await;
            }
            continue; // time has passed: look again before sleeping
        }
        match next {
            Some(due) => tokio::select! {
                biased;
                () = lane.woken() => {}
                () = sleep_until(due.into()) => leg.meter.woken(clock::now().saturating_duration_since(due)),
            },
            None => lane.woken().await,
        }
    }
}

/// Everything that is due to be played, and when to look again.
fn poll(lane: &SpeechLane, now: Instant, actions: &mut Vec<PlayoutAction>, meter: &EgressMeter) -> Option<Instant> {
    let mut playout = lane.playout();
    playout.poll(now, actions);
    meter.underruns(playout.take_underruns());
    playout.poll_timeout(now)
}

/// The way from our samples to the far end's messages.
struct Leg {
    encoder: Box<dyn Encoder>,
    to_leg: ToLeg,
    /// Whose audio the encoder was told of last.
    speaking: Option<Voice>,
    tap: Option<Inlet>,
    meter: EgressMeter,
}

impl Leg {
    /// Makes sure that the encoder knows whose audio follows.
    fn speaking(&mut self, voice: Voice) {
        if self.speaking.replace(voice) != Some(voice) {
            self.encoder.speaking(voice);
        }
    }

    fn audio(&mut self, now: Instant, samples: &[i16], late: Duration) -> WireMessage {
        self.meter.chunk(late);
        if let Some(tap) = &self.tap {
            tap.sent(now, samples);
        }
        self.encoder.audio(self.to_leg.convert(samples))
    }

    fn message(&mut self, now: Instant, action: PlayoutAction, news: &mut Vec<Input>) -> Option<WireMessage> {
        match action {
            PlayoutAction::Audio { voice, samples, late } => {
                self.speaking(voice);
                Some(self.audio(now, &samples, late))
            }
            PlayoutAction::Filling { samples, late } => Some(self.audio(now, &samples, late)),
            PlayoutAction::Gap(utterance) => {
                news.push(Input::Noticed { kind: "gap_filled", detail: format!("in utterance {}", utterance.0) });
                None
            }
            PlayoutAction::Key(key) => self.encoder.dtmf(key),
            PlayoutAction::Mark(name) => self.encoder.mark(&name),
            PlayoutAction::Clear(voice) => {
                self.speaking(voice);
                self.to_leg.reset();
                if let Some(tap) = &self.tap {
                    tap.take_back(now);
                }
                self.encoder.clear()
            }
            PlayoutAction::FirstAudio(utterance) => {
                news.push(Input::FirstAudio(utterance));
                None
            }
            PlayoutAction::Spoken(utterance, heard) => {
                news.push(Input::Spoken(utterance, heard));
                None
            }
        }
    }
}

/// Writes everything that is due with one flush, then tells the call what began or ended with it.
///
/// A `clear` goes first: what is shown besides was made after it. Audio goes last: it is of the answer that is shown.
async fn write(
    now: Instant,
    actions: &mut Vec<PlayoutAction>,
    notices: &mut Vec<Notice>,
    leg: &mut Leg,
    writer: &Writer,
    call: &ActorRef<CallMsg>,
) -> Result<(), SocketError> {
    let mut news = Vec::new();
    let mut writer = writer.lock().await;
    let cleared = usize::from(matches!(actions.first(), Some(PlayoutAction::Clear(_))));
    for clear in actions.drain(..cleared) {
        if let Some(message) = leg.message(now, clear, &mut news) {
            writer.feed(message).await?;
        }
    }
    for notice in notices.drain(..) {
        if let Some(message) = leg.encoder.notice(&notice) {
            writer.feed(message).await?;
        }
    }
    for action in actions.drain(..) {
        if let Some(message) = leg.message(now, action, &mut news) {
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
