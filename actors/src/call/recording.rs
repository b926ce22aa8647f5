//! The call's say in its recording: when it may begin, when it is silent, and what the timeline tells of it.

use std::time::Instant;

use ractor::ActorRef;
use tandem_domain::call_core::Input;
use tandem_domain::ids::UtteranceId;
use tracing::warn;

use super::{CallMsg, State};
use crate::clock;
use crate::metrics::RECORDING_FAILURES;

/// The agent's first message: the one that may say that the call is recorded.
const FIRST_MESSAGE: UtteranceId = UtteranceId(1);

impl State {
    /// An utterance was heard to its end.
    pub(super) fn announced(&mut self, now: Instant, utterance: UtteranceId) {
        if let Some(recording) = &mut self.recording
            && utterance == FIRST_MESSAGE
        {
            recording.announced(now);
        }
    }

    /// Whether the call is recorded.
    pub(super) fn pause_recording(&mut self, me: &ActorRef<CallMsg>, paused: bool) -> bool {
        let Some(recording) = self.recording.as_mut().filter(|_| self.ended.is_none()) else { return false };
        if recording.pause(clock::now(), paused) {
            self.note(me, if paused { "recording_paused" } else { "recording_resumed" }, String::new());
        }
        true
    }

    pub(super) fn recording_failing(&mut self, me: &ActorRef<CallMsg>, reason: &'static str, detail: String) {
        let Some(recording) = &self.recording else { return };
        recording.failing(true);
        metrics::counter!(RECORDING_FAILURES, "reason" => reason).increment(1);
        warn!(call_id = %self.plan.call, reason, detail, "the disk takes no more of a recording: make room in DATA_DIR/recordings");
        self.note(me, "recording_interrupted", format!("{reason}: {detail}"));
    }

    pub(super) fn recording_healed(&mut self, me: &ActorRef<CallMsg>) {
        let Some(recording) = &self.recording else { return };
        recording.failing(false);
        self.note(me, "recording_continued", String::new());
    }

    /// The recorder dies of something that a restart does not cure: what there is becomes the recording.
    pub(super) fn give_up_recording(&mut self, me: &ActorRef<CallMsg>) {
        self.children.recorder = None;
        self.recording = None;
        self.note(me, "recording_stopped", "the recorder failed too often".to_owned());
    }

    fn note(&mut self, me: &ActorRef<CallMsg>, kind: &'static str, detail: String) {
        self.input(me, Input::Noticed { kind, detail });
    }
}
