//! Drives the voice: sentence by sentence into the speech lane.
//!
//! Place:   switchboard > call > **tts**
//! Hears:   `call`: `Speak` for each sentence, `Stop` when the caller interrupts; `Prepare` for one that may be wanted soon, `Discard` if not.
//!          Tells: nobody; the lane knows what is queued, and nothing that is only prepared is in it.
//! Failure: a sentence that fails is our death; the call starts us again, the core says again what is not complete, and what the lane holds
//!          already is skipped, so nothing is said twice.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tandem_domain::ids::{CallId, UtteranceId};
use tandem_domain::port::tts::{Tts as Voice, TtsError, TtsSpec};
use tokio::sync::oneshot;
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

/// Of a chunk, so much is queued before there has to be room for more: a voice may give a whole sentence at once, whose length tells how much of
/// it was heard, or ten megabytes.
const PIECE: Duration = Duration::from_secs(10);

/// Of a sentence that is only prepared, so much is made before somebody wants it.
const PREPARED: Duration = Duration::from_secs(4);

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
    /// Make the sound of this sentence, and keep it: it may be the next to be spoken.
    Prepare(String),
    /// The sentence that was prepared is not wanted.
    Discard,
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
    prepared: Option<Prepared>,
    number: u64,
}

/// A sentence whose sound is made before it is known to be spoken.
struct Prepared {
    text: String,
    number: u64,
    task: Guard,
    /// Tells the task its place in the lane.
    wanted: oneshot::Sender<Sentence>,
}

/// Where the sound of a sentence goes.
enum Place {
    Known(Sentence),
    /// Nowhere, until it is told.
    Later(oneshot::Receiver<Sentence>),
}

impl Actor for Tts {
    type Msg = TtsMsg;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, _: ActorRef<TtsMsg>, args: Args) -> Result<State, ActorProcessingErr> {
        Ok(State { args, waiting: VecDeque::new(), speaking: None, prepared: None, number: 0 })
    }

    async fn handle(&self, me: ActorRef<TtsMsg>, msg: TtsMsg, state: &mut State) -> Result<(), ActorProcessingErr> {
        let provider = state.args.voice.name();
        match msg {
            TtsMsg::Speak(sentence) => state.speak(sentence),
            TtsMsg::Prepare(text) => {
                if state.speaking.is_none() && state.waiting.is_empty() {
                    let (wanted, place) = oneshot::channel();
                    let (number, task) = state.make(&me, text.clone(), Place::Later(place));
                    state.prepared = Some(Prepared { text, number, task, wanted });
                }
            }
            TtsMsg::Discard => state.prepared = None,
            TtsMsg::Stop => {
                state.waiting.clear();
                (state.speaking, state.prepared) = (None, None);
            }
            // Nobody has asked for it yet: if somebody does, it is tried again.
            TtsMsg::Failed(number, error) if state.prepared.as_ref().is_some_and(|made| made.number == number) => {
                warn!(%error, "a sentence was not prepared");
                metrics::counter!(PROVIDER_REQUESTS, "stage" => "tts", "provider" => provider, "outcome" => "error")
                    .increment(1);
                state.prepared = None;
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
            let text = sentence.text.clone();
            let (_, task) = state.make(&me, text, Place::Known(sentence));
            state.speaking = Some(task);
        }
        Ok(())
    }
}

impl State {
    /// A sentence is to be spoken: the prepared one, if these are its words.
    fn speak(&mut self, sentence: Sentence) {
        let fits = |made: &Prepared| made.text == sentence.text && self.speaking.is_none() && self.waiting.is_empty();
        let Some(Prepared { task, wanted, .. }) = self.prepared.take().filter(fits) else {
            return self.waiting.push_back(sentence);
        };
        match wanted.send(sentence) {
            Ok(()) => self.speaking = Some(task),
            Err(sentence) => self.waiting.push_back(sentence), // it has failed meanwhile
        }
    }

    /// A task that makes the sound of `text`, and its number.
    fn make(&mut self, me: &ActorRef<TtsMsg>, text: String, place: Place) -> (u64, Guard) {
        self.number += 1;
        let (number, voice, lane) = (self.number, Arc::clone(&self.args.voice), self.args.lane.clone());
        let (call, provider) = (self.args.call, voice.name());
        let spec = TtsSpec { text, ..self.args.spec.clone() };
        let panicked = {
            let me = me.clone();
            let error = TtsError::Failed { vendor: provider, detail: "panicked".into() };
            move || drop(me.cast(TtsMsg::Failed(number, error)))
        };
        let me = me.clone();
        let speaking = async move {
            let done = match speak(call, voice.as_ref(), spec, place, &lane).await {
                Ok(()) => TtsMsg::Done(number),
                Err(error) => TtsMsg::Failed(number, error),
            };
            let _ = me.cast(done); // we are gone: so is the task
        };
        (number, Guard::spawn(speaking, panicked))
    }
}

async fn speak(
    call: CallId,
    voice: &dyn Voice,
    spec: TtsSpec,
    place: Place,
    lane: &SpeechLane,
) -> Result<(), TtsError> {
    let (vendor, rate_hz) = (voice.name(), u64::from(spec.rate_hz));
    let failed = |detail: &str| TtsError::Failed { vendor, detail: detail.to_owned() };
    let limit = LONGEST_SENTENCE.as_millis() as u64 * u64::from(spec.rate_hz) / 1_000;
    let most = PREPARED.as_millis() as u64 * u64::from(spec.rate_hz) / 1_000;
    let piece = PIECE.as_millis() as usize * spec.rate_hz as usize / 1_000;
    let mut chunks = voice.speak(spec).fuse();
    let (mut made, mut length) = (VecDeque::new(), 0);
    let sentence = match place {
        Place::Known(sentence) => sentence,
        Place::Later(mut wanted) => loop {
            tokio::select! {
                biased;
                sentence = &mut wanted => match sentence {
                    Ok(sentence) => break sentence,
                    Err(_) => return Ok(()), // nobody will want it
                },
                chunk = timeout(CHUNK_LIMIT, chunks.next()), if length < most && !chunks.is_done() => {
                    let Some(chunk) = chunk.map_err(|_| failed("no audio in time"))? else { continue };
                    let chunk = chunk?;
                    length += chunk.samples.len() as u64;
                    made.push_back(chunk);
                }
            }
        },
    };
    let wake = || {
        #[cfg(feature = "sabotage")]
        if sentence.index > 0 && tandem_domain::sabotage::is_off(tandem_domain::sabotage::Mechanism::Wake) {
            return; // a pump that has nothing left to play sleeps through what comes later
        }
        lane.wake();
    };
    let mut offset = 0;
    loop {
        let chunk = match made.pop_front() {
            Some(chunk) => chunk,
            None => match timeout(CHUNK_LIMIT, chunks.next()).await.map_err(|_| failed("no audio in time"))? {
                Some(chunk) => chunk?,
                None => break,
            },
        };
        let within = usize::try_from(limit - offset).unwrap_or(usize::MAX).min(chunk.samples.len());
        let (mut rest, mut words) = (&chunk.samples[..within], &chunk.words[..]);
        loop {
            let (now, later) = rest.split_at(rest.len().min(piece));
            if !lane.playout().push(sentence.utterance, sentence.index, offset, now, words) {
                return Ok(()); // cut meanwhile
            }
            offset += now.len() as u64;
            wake();
            lane.room().await;
            if later.is_empty() {
                break;
            }
            (rest, words) = (later, &[]);
        }
        if within < chunk.samples.len() {
            warn!(vendor, "a sentence of more than 30 s was cut");
            break;
        }
    }
    lane.playout().complete(sentence.utterance, sentence.index);
    wake();
    let audio = Duration::from_micros(offset * 1_000_000 / rate_hz.max(1));
    steps::synthesized(call, vendor, sentence.text.chars().count(), audio);
    Ok(())
}

#[cfg(test)]
mod tests;
