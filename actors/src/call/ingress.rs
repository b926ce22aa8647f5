//! The incoming pump: socket → dialect → its order → the switch's rate → 20 ms frames → keys, sound → detector → ear lane.
//!
//! Place:   switchboard > call > **ingress**
//! Hears:   nothing; reads the socket.    Tells: `call`, speech events, keys and the leg's end; the speech lane, marks that came back.
//! Failure: the reading half of the connection dies with it, so the call ends (`leg_lost`).
//!
//! Everything a far end can do wrong is found here and ends this call alone, with its reason: broken messages (the dialect says which), floods, and
//! connections on which nothing comes any more.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tandem_codecs::framer::Framer;
use tandem_codecs::in_order::Place;
use tandem_codecs::vad::{FRAME_SAMPLES, SpeechGate, SpeechGateConfig, VadEvent};
use tandem_domain::call_core::Input;
use tandem_domain::echo::Meter;
use tandem_domain::ids::CallId;
use tandem_domain::playout::PlayoutAction;
use tandem_domain::port::dialect::{Breach, Decoder, LegEvent, Notice, WireMessage};
use tandem_domain::record::EndReason;
use tokio::time::sleep_until;

use super::leg_rate::FromLeg;
use super::vad::Slot;
use super::{CallMsg, RATE};
use crate::clock;
use crate::flood::MessageBudget;
use crate::guard::Guard;
use crate::lane::{EarLane, SpeechLane};
use crate::metrics::{DTMF, IGNORED};
use crate::socket::{Incoming, SocketError};
use crate::steps;
use crate::tap::Inlet;

mod intake;
mod keys;
mod sound;

use intake::{Due, Intake};
pub use keys::InbandDtmf;
use keys::Keys;
pub use sound::Hearing;
use sound::Sound;

/// Length of a frame.
const FRAME: Duration = Duration::from_millis(20);
/// Frames of one score: a fifth of a second.
const SCORE_FRAMES: u8 = 10;
/// A stall of the carrier's audio in the middle of speech is filled after this, so that the turn can end.
const STALL: Duration = Duration::from_millis(200);

/// The actor.
pub struct Ingress;

/// What it needs.
pub struct Args {
    /// The call.
    pub call: ActorRef<CallMsg>,
    /// Its id, for the log.
    pub id: CallId,
    /// The reading half of the leg.
    pub incoming: Incoming,
    /// The dialect's reader, past `start`.
    pub decoder: Box<dyn Decoder>,
    /// How many messages may come.
    pub budget: MessageBudget,
    /// Nothing for so long means that the connection is dead.
    pub media_timeout: Duration,
    /// Speech that counts as an interruption.
    pub barge_in_min_speech: Duration,
    /// What is done to the audio, and whether keys are listened for.
    pub hearing: Hearing,
    /// Whether the far end tells keys by messages of its own.
    pub tells_keys: bool,
    /// The running detector.
    pub detector: Slot,
    /// Where the audio goes.
    pub ear: EarLane,
    /// Where a copy of the audio goes.
    pub(crate) tap: Option<Inlet>,
    /// Where the marks go.
    pub speech: SpeechLane,
    /// Carrier, for metrics.
    pub carrier: &'static str,
}

impl Actor for Ingress {
    type Msg = ();
    type State = Guard;
    type Arguments = Args;

    async fn pre_start(&self, me: ActorRef<()>, args: Args) -> Result<Guard, ActorProcessingErr> {
        let pump = async move {
            let (call, ear) = (args.call.clone(), args.ear.clone());
            let reason = Pump::new(args).run().await;
            ear.close();
            let _ = call.cast(CallMsg::Input(Input::Ended(reason))); // a call that is gone needs no news
        };
        Ok(Guard::spawn(pump, move || me.kill())) // as any death of ours: the call judges it
    }
}

struct Pump {
    args: Args,
    gate: SpeechGate,
    intake: Intake,
    from_leg: FromLeg,
    framer: Framer<i16>,
    keys: Keys,
    /// Keys that went down in a frame; empty between frames.
    pressed: Vec<char>,
    sound: Sound,
    /// Position of the next frame on the ingress clock.
    position: u64,
    sustained: bool,
    /// How loud the line is: of each frame, so that the playout that we share with the outgoing pump is not asked for each.
    meter: Meter,
    /// What was told last of the loudness of the speech under way: an echo's, a caller's, faded.
    loudness: Option<(bool, bool, bool)>,
    heard_at: Instant,
    /// Frames judged since the last score was shown, and how many of them were speech.
    scored: u8,
    speech: u8,
}

impl Pump {
    fn new(args: Args) -> Self {
        Self {
            gate: SpeechGate::new(SpeechGateConfig::default()),
            intake: Intake::new(clock::now(), args.decoder.format().rate),
            from_leg: FromLeg::new(args.decoder.format().rate),
            framer: Framer::new(FRAME_SAMPLES),
            keys: Keys::new(args.hearing.inband_dtmf, args.tells_keys),
            pressed: Vec::new(),
            sound: Sound::new(clock::now(), args.hearing),
            position: args.ear.position(),
            sustained: false,
            meter: Meter::default(),
            loudness: None,
            heard_at: clock::now(),
            scored: 0,
            speech: 0,
            args,
        }
    }

    async fn run(mut self) -> EndReason {
        let mut pcm = Vec::with_capacity(FRAME_SAMPLES);
        let mut alarm = pin!(sleep_until((self.heard_at + self.args.media_timeout).into()));
        loop {
            let wake =
                if self.gate.is_speaking() { self.heard_at + STALL } else { self.heard_at + self.args.media_timeout };
            let overdue = self.intake.poll_timeout();
            let wake = overdue.map_or(wake, |overdue| overdue.min(wake));
            // One that rings too early is set again then: setting it anew with every frame costs more than the few times that it rings.
            if alarm.deadline() > wake.into() || alarm.is_elapsed() {
                alarm.as_mut().reset(wake.into());
            }
            tokio::select! {
                biased;
                message = self.args.incoming.next() => {
                    let now = clock::now();
                    let message = match message {
                        Some(Ok(message)) => message,
                        Some(Err(SocketError::TooLarge)) => return EndReason::Breach(Breach::OversizedMessage),
                        Some(Err(SocketError::Flood)) => return EndReason::Breach(Breach::Flood),
                        Some(Err(SocketError::Closed)) | None => return EndReason::CallerHangup,
                        Some(Err(SocketError::Protocol(_) | SocketError::Io(_))) => return EndReason::LegLost,
                    };
                    self.heard_at = now;
                    if !self.args.budget.spend(now) {
                        return EndReason::Breach(Breach::Flood);
                    }
                    pcm.clear();
                    if let Err(reason) = self.message(now, &message, &mut pcm) {
                        return reason;
                    }
                }
                () = &mut alarm => {
                    let now = clock::now();
                    if now < wake {
                        continue;
                    }
                    if overdue.is_some_and(|overdue| now >= overdue) {
                        self.in_order(now);
                        continue;
                    }
                    if now >= self.heard_at + self.args.media_timeout {
                        return EndReason::MediaTimeout;
                    }
                    if let Err(reason) = self.stalled(now).await {
                        return reason;
                    }
                }
            }
        }
    }

    fn message(&mut self, now: Instant, message: &WireMessage, pcm: &mut Vec<i16>) -> Result<(), EndReason> {
        let event = self.args.decoder.decode(message, pcm).map_err(EndReason::Breach)?;
        steps::received(self.args.id, self.args.carrier, &event);
        match event {
            LegEvent::Audio { timestamp, .. } => {
                #[cfg(feature = "sabotage")]
                let timestamp =
                    timestamp.filter(|_| !tandem_domain::sabotage::is_off(tandem_domain::sabotage::Mechanism::Order));
                match self.intake.came(now, timestamp, pcm).map_err(EndReason::Breach)? {
                    Place::Next => self.audio(now, pcm),
                    Place::Held => {}
                    Place::Past => self.ignored("past_audio"),
                }
                self.in_order(now);
            }
            LegEvent::Mark(name) => {
                let spoken = self.args.speech.playout().mark_returned(now, &name);
                if let Some(PlayoutAction::Spoken(utterance, heard)) = spoken {
                    self.args.speech.wake(); // keys may have waited for it
                    self.tell(Input::Spoken(utterance, heard));
                }
            }
            LegEvent::Dtmf(digit) => {
                if self.keys.told(now, digit) {
                    self.pressed(digit);
                }
            }
            LegEvent::Ignored(reason) => self.ignored(reason),
            LegEvent::Typed(text) => self.tell(Input::Typed(text)),
            LegEvent::Context(text) => self.tell(Input::Context(text)),
            LegEvent::Activity => self.tell(Input::Activity),
            LegEvent::ToolResult { id, result, is_error } => self.tell(Input::ToolResult { id, result, is_error }),
            LegEvent::Pong(id) => {
                if let Some(measured) = self.args.speech.screen().and_then(|screen| screen.answered(now, id)) {
                    self.args.speech.playout().round_trip(measured);
                }
            }
            LegEvent::Stopped => return Err(EndReason::CallerHangup),
            LegEvent::MovedOn => return Err(EndReason::MovedOn),
            LegEvent::Connected | LegEvent::Started(_) => {}
        }
        Ok(())
    }

    /// The carrier sends nothing although the caller was speaking: the voice is carried on into the room's noise, and nobody takes that for
    /// speech. What is filled is taken back from silence if the audio comes after all.
    async fn stalled(&mut self, now: Instant) -> Result<(), EndReason> {
        let frames = now.saturating_duration_since(self.heard_at).as_millis() / FRAME.as_millis();
        for _ in 0..frames.max(1) {
            self.intake.filled();
            self.fill(now);
        }
        if let Some(VadEvent::SpeechEnded { at_sample }) = self.gate.finish() {
            self.sustained = false;
            self.tell(Input::SpeechEnded { to: at_sample, ended: self.instant(now, at_sample) });
        }
        Ok(())
    }

    /// What had waited for audio that it had overtaken, and what stands in for audio that never came.
    fn in_order(&mut self, now: Instant) {
        while let Some(due) = self.intake.due(now) {
            match due {
                Due::Audio(pcm) => self.audio(now, &pcm),
                Due::Fill(frames) => {
                    self.ignored("missing_audio");
                    for _ in 0..frames {
                        self.fill(now);
                    }
                }
            }
        }
    }

    fn ignored(&self, reason: &'static str) {
        metrics::counter!(IGNORED, "carrier" => self.args.carrier, "reason" => reason).increment(1);
    }

    fn fill(&mut self, now: Instant) {
        let mut frame = [0; FRAME_SAMPLES];
        self.sound.fill(now, &mut frame);
        self.judged(now, &frame, false);
    }

    fn audio(&mut self, now: Instant, pcm: &[i16]) {
        self.framer.push(self.from_leg.convert(pcm));
        self.frames(now);
    }

    fn frames(&mut self, now: Instant) {
        while let Some(frame) = self.framer.next_frame() {
            let mut frame: [i16; FRAME_SAMPLES] = match frame.try_into() {
                Ok(frame) => frame,
                Err(_) => return, // the framer gives whole frames only
            };
            if let Some(tap) = &self.args.tap {
                tap.came_in(now, &frame); // what came, not what fills a stall: it may still come
            }
            self.keys.hear(now, &frame, &mut self.pressed);
            for key in std::mem::take(&mut self.pressed) {
                self.pressed(key);
            }
            self.sound.came(now, &mut frame);
            self.frame(now, &frame);
        }
    }

    fn pressed(&self, key: char) {
        metrics::counter!(DTMF, "carrier" => self.args.carrier).increment(1);
        self.tell(Input::Dtmf(key));
    }

    fn frame(&mut self, now: Instant, frame: &[i16; FRAME_SAMPLES]) {
        let speech = match self.args.detector.detect(frame) {
            Ok(speech) => speech,
            Err(super::vad::Panicked) => {
                let _ = self.args.call.cast(CallMsg::DetectorPanicked); // a call that is gone ends us through the guard
                false
            }
        };
        self.score(speech);
        if !speech && !self.gate.is_speaking() && self.sound.takes_back(now, frame) {
            return;
        }
        self.judged(now, frame, speech);
    }

    /// A frame of which is known whether it is speech.
    fn judged(&mut self, now: Instant, frame: &[i16; FRAME_SAMPLES], speech: bool) {
        let start = self.position;
        self.position += FRAME_SAMPLES as u64;
        self.args.ear.push(frame);
        let event = self.gate.push(speech, start);
        let in_speech = self.gate.is_speaking() || event.is_some(); // its end is of it
        let measured = self.meter.came(frame, in_speech);
        let measured = measured.is_some_and(|measured| self.args.speech.playout().echo().came(now, measured));
        match event {
            Some(VadEvent::SpeechStarted { at_sample }) => {
                self.loudness = None;
                self.tell(Input::SpeechStarted { at: at_sample, began: self.instant(now, at_sample) });
            }
            Some(VadEvent::SpeechEnded { at_sample }) => {
                self.sustained = false;
                self.loudness();
                self.tell(Input::SpeechEnded { to: at_sample, ended: self.instant(now, at_sample) });
            }
            None if measured && self.sustained => self.loudness(),
            None => {}
        }
        if !self.sustained
            && self.gate.is_speaking()
            && u128::from(self.gate.speech_ms()) >= self.args.barge_in_min_speech.as_millis()
        {
            self.sustained = true;
            self.loudness();
            self.tell(Input::SpeechSustained);
        }
    }

    /// Tells how loud the speech is against our own voice, if we play and it says something else than it did.
    fn loudness(&mut self) {
        let Some(loudness) = self.args.speech.playout().echo().loudness() else { return };
        let says = (loudness.is_echo(), loudness.is_callers(), loudness.has_faded());
        if self.loudness.replace(says) != Some(says) {
            self.tell(Input::Loudness(loudness));
        }
    }

    /// Shows how much of the last fifth of a second was speech, five times a second.
    fn score(&mut self, speech: bool) {
        if self.args.speech.screen().is_none() {
            return;
        }
        self.scored += 1;
        self.speech += u8::from(speech);
        if self.scored == SCORE_FRAMES {
            self.args.speech.show(Notice::VadScore(f32::from(self.speech) / f32::from(SCORE_FRAMES)));
            (self.scored, self.speech) = (0, 0);
        }
    }

    /// When the sample at `position` came in, if the last one that we have came at `now`: a message may hold several frames.
    fn instant(&self, now: Instant, position: u64) -> Instant {
        let end = self.position + self.framer.remainder().len() as u64;
        let behind = RATE.duration_of(end.saturating_sub(position));
        now.checked_sub(behind).unwrap_or(now)
    }

    fn tell(&self, input: Input) {
        let _ = self.args.call.cast(CallMsg::Input(input)); // a call that is gone ends us through the guard
    }
}
