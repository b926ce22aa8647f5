//! What a call is made of, and how each part is started: the first time and again after it died.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use ractor::{Actor, ActorRef, SpawnErr};
use tandem_codecs::SampleRate;
use tandem_domain::agent::Agent;
use tandem_domain::ids::{CallId, ConversationId};
use tandem_domain::port::brain::Brain;
use tandem_domain::port::dialect::{Dialect, LegStart, Notice, WireMessage};
use tandem_domain::port::stt::{Stt as SttPort, SttSpec};
use tandem_domain::port::tts::{Tts as TtsPort, TtsSpec};
use tandem_domain::record::{Direction, EndReason};

use super::dialogue::{Dialogue, DialogueMsg};
use super::egress::{self, Egress, Writer};
use super::recorder::{self, Recorder};
use super::silence::{Silence, SilenceMsg};
use super::stt::{self, Stt, SttMsg};
use super::tts::{self, Tts, TtsMsg};
use super::vad::{Slot, Vad, VadMsg};
use super::{CallMsg, RATE};
use crate::lane::{EarLane, SpeechLane};
use crate::recordings::Recording;
use crate::scribe::Scribe;
use crate::socket::LastWords;
use crate::tap::Inlets;

/// What every part of the call may need again when it is restarted.
pub(super) struct Plan {
    pub(super) call: CallId,
    pub(super) conversation: ConversationId,
    pub(super) agent: Agent,
    pub(super) brain: Arc<dyn Brain>,
    pub(super) start: LegStart,
    pub(super) direction: Direction,
    /// Sample rate of the leg's audio, both ways.
    pub(super) leg_rate: SampleRate,
    pub(super) dialect: Arc<dyn Dialect>,
    pub(super) stt: Arc<dyn SttPort>,
    pub(super) tts: Arc<dyn TtsPort>,
    pub(super) scribe: Scribe,
    pub(super) writer: Writer,
    pub(super) last_words: LastWords,
    pub(super) ear: EarLane,
    pub(super) speech: SpeechLane,
    pub(super) tap: Option<Inlets>,
    pub(super) detector: Slot,
    pub(super) started: Instant,
    pub(super) started_at: DateTime<Utc>,
}

impl Plan {
    pub(super) async fn spawn_vad(&self, me: &ActorRef<CallMsg>) -> Result<ActorRef<VadMsg>, SpawnErr> {
        Ok(Actor::spawn_linked(None, Vad, self.detector.clone(), me.get_cell()).await?.0)
    }

    pub(super) async fn spawn_stt(&self, me: &ActorRef<CallMsg>, from: u64) -> Result<ActorRef<SttMsg>, SpawnErr> {
        let spec = SttSpec {
            language: self.agent.language.clone(),
            rate_hz: RATE.hz(),
            keywords: self.agent.asr_keywords.clone(),
            partials: self.speech.screen().is_some(),
        };
        let args = stt::Args { call: me.clone(), engine: Arc::clone(&self.stt), spec, lane: self.ear.clone(), from };
        Ok(Actor::spawn_linked(None, Stt, args, me.get_cell()).await?.0)
    }

    pub(super) async fn spawn_dialogue(&self, me: &ActorRef<CallMsg>) -> Result<ActorRef<DialogueMsg>, SpawnErr> {
        Ok(Actor::spawn_linked(None, Dialogue, (me.clone(), Arc::clone(&self.brain)), me.get_cell()).await?.0)
    }

    pub(super) async fn spawn_tts(&self, me: &ActorRef<CallMsg>) -> Result<ActorRef<TtsMsg>, SpawnErr> {
        let spec = TtsSpec {
            text: String::new(),
            voice: self.agent.voice.clone(),
            language: self.agent.language.clone(),
            rate_hz: RATE.hz(),
        };
        let args = tts::Args { call: self.call, voice: Arc::clone(&self.tts), spec, lane: self.speech.clone() };
        Ok(Actor::spawn_linked(None, Tts, args, me.get_cell()).await?.0)
    }

    pub(super) async fn spawn_egress(&self, me: &ActorRef<CallMsg>) -> Result<ActorRef<()>, SpawnErr> {
        let args = egress::Args {
            call: me.clone(),
            lane: self.speech.clone(),
            encoder: self.dialect.encoder(&self.start),
            leg_rate: self.leg_rate,
            writer: Arc::clone(&self.writer),
            tap: self.tap.as_ref().map(|tap| tap.agent.clone()),
        };
        Ok(Actor::spawn_linked(None, Egress, args, me.get_cell()).await?.0)
    }

    /// The last messages of the call: what was not shown yet, its end, and the dialect's own goodbye.
    pub(super) fn goodbye(&self, now: Instant, reason: EndReason) -> Vec<WireMessage> {
        let mut encoder = self.dialect.encoder(&self.start);
        let mut notices = Vec::new();
        if let Some(screen) = self.speech.screen() {
            screen.take(now, &mut notices);
            notices.push(Notice::Ended { reason });
        }
        let shown: Vec<_> = notices.iter().filter_map(|notice| encoder.notice(notice)).collect();
        shown.into_iter().chain(encoder.end()).collect()
    }

    pub(super) async fn spawn_recorder(
        &self,
        me: &ActorRef<CallMsg>,
        recording: &Recording,
    ) -> Result<ActorRef<()>, SpawnErr> {
        let (reel, threads) = recording.reel();
        let args = recorder::Args { call: me.clone(), reel, threads };
        Ok(Actor::spawn_linked(None, Recorder, args, me.get_cell()).await?.0)
    }

    pub(super) async fn spawn_silence(&self, me: &ActorRef<CallMsg>) -> Result<ActorRef<SilenceMsg>, SpawnErr> {
        Ok(Actor::spawn_linked(None, Silence, me.clone(), me.get_cell()).await?.0)
    }
}
