//! Drives the voice: sentence by sentence into the speech lane.
//!
//! Place:   switchboard > call > **tts**
//! Hears:   `call`: `Speak` for each sentence, `Stop` when the caller interrupts.    Tells: nobody; the lane knows what is queued.
//! Failure: a sentence that fails is our death; the call starts us again, the core says again what is not complete, and what the lane holds
//!          already is skipped, so nothing is said twice.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tandem_domain::ids::{CallId, UtteranceId};
use tandem_domain::port::tts::{Tts as Voice, TtsError, TtsSpec};
use tokio::time::timeout;
use tracing::warn;

use crate::guard::Guard;
use crate::lane::SpeechLane;
use crate::metrics::PROVIDER_REQUESTS;
use crate::steps;

/// A voice that gives no audio for this long has failed. Long enough for a local voice that has a hundred sentences to speak at once: giving
/// such a one up would only make it say them again.
const CHUNK_LIMIT: Duration = Duration::from_secs(3);
/// Speech in one sentence beyond which a voice runs away and is cut (promises.md P7).
const LONGEST_SENTENCE: Duration = Duration::from_secs(30);

/// A sentence to speak.
#[derive(Debug)]
pub struct Sentence {
    /// The utterance.
    pub utterance: UtteranceId,
    /// Its place.
    pub index: u32,
    /// The words.
    pub text: String,
}

/// What the driver hears.
#[derive(Debug)]
pub enum TtsMsg {
    /// Speak after what was asked before.
    Speak(Sentence),
    /// Drop everything.
    Stop,
    /// The sentence in hand is queued (from our own task; the number tells stale ones).
    Done(u64),
    /// The sentence in hand failed (from our own task).
    Failed(u64, TtsError),
}

/// The actor.
pub struct Tts;

/// What it needs.
pub struct Args {
    /// The call, for the log.
    pub call: CallId,
    /// The voice.
    pub voice: Arc<dyn Voice>,
    /// Voice name, language and rate.
    pub spec: TtsSpec,
    /// Where the speech goes.
    pub lane: SpeechLane,
}

/// Sentences that wait, and the one in hand.
pub struct State {
    args: Args,
    waiting: VecDeque<Sentence>,
    speaking: Option<Guard>,
    number: u64,
}

impl Actor for Tts {
    type Msg = TtsMsg;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, _: ActorRef<TtsMsg>, args: Args) -> Result<State, ActorProcessingErr> {
        Ok(State { args, waiting: VecDeque::new(), speaking: None, number: 0 })
    }

    async fn handle(&self, me: ActorRef<TtsMsg>, msg: TtsMsg, state: &mut State) -> Result<(), ActorProcessingErr> {
        let provider = state.args.voice.name();
        match msg {
            TtsMsg::Speak(sentence) => state.waiting.push_back(sentence),
            TtsMsg::Stop => {
                state.waiting.clear();
                state.speaking = None;
            }
            TtsMsg::Done(number) if number == state.number => {
                metrics::counter!(PROVIDER_REQUESTS, "stage" => "tts", "provider" => provider, "outcome" => "ok")
                    .increment(1);
                state.speaking = None;
            }
            TtsMsg::Failed(number, error) if number == state.number => {
                metrics::counter!(PROVIDER_REQUESTS, "stage" => "tts", "provider" => provider, "outcome" => "error")
                    .increment(1);
                return Err(error.into());
            }
            TtsMsg::Done(_) | TtsMsg::Failed(..) => {}
        }
        #[cfg(feature = "sabotage")]
        if tandem_domain::sabotage::is_off(tandem_domain::sabotage::Mechanism::OneSentenceAtATime) {
            std::mem::forget(state.speaking.take()); // it goes on beside the next one
        }
        if state.speaking.is_none()
            && let Some(sentence) = state.waiting.pop_front()
        {
            state.number += 1;
            let (number, voice, lane) = (state.number, Arc::clone(&state.args.voice), state.args.lane.clone());
            let call = state.args.call;
            let spec = TtsSpec { text: sentence.text.clone(), ..state.args.spec.clone() };
            let panicked = {
                let me = me.clone();
                let error = TtsError::Failed { vendor: provider, detail: "panicked".into() };
                move || drop(me.cast(TtsMsg::Failed(number, error)))
            };
            let speaking = async move {
                let done = match speak(call, voice.as_ref(), spec, &sentence, &lane).await {
                    Ok(()) => TtsMsg::Done(number),
                    Err(error) => TtsMsg::Failed(number, error),
                };
                let _ = me.cast(done); // we are gone: so is the task
            };
            state.speaking = Some(Guard::spawn(speaking, panicked));
        }
        Ok(())
    }
}

async fn speak(
    call: CallId,
    voice: &dyn Voice,
    spec: TtsSpec,
    sentence: &Sentence,
    lane: &SpeechLane,
) -> Result<(), TtsError> {
    let (vendor, rate_hz) = (voice.name(), u64::from(spec.rate_hz));
    let failed = |detail: &str| TtsError::Failed { vendor, detail: detail.to_owned() };
    let limit = LONGEST_SENTENCE.as_millis() as u64 * u64::from(spec.rate_hz) / 1_000;
    let mut offset = 0;
    let mut chunks = voice.speak(spec);
    while let Some(chunk) = timeout(CHUNK_LIMIT, chunks.next()).await.map_err(|_| failed("no audio in time"))? {
        let chunk = chunk?;
        if !lane.playout().push(sentence.utterance, sentence.index, offset, &chunk.samples, &chunk.words) {
            return Ok(()); // cut meanwhile
        }
        offset += chunk.samples.len() as u64;
        lane.wake();
        if offset > limit {
            warn!(vendor, "a sentence of more than 30 s was cut");
            break;
        }
        lane.room().await;
    }
    lane.playout().complete(sentence.utterance, sentence.index);
    lane.wake();
    let audio = Duration::from_micros(offset * 1_000_000 / rate_hz.max(1));
    steps::synthesized(call, vendor, sentence.text.chars().count(), audio);
    Ok(())
}
