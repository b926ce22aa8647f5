//! What the core wants done, done: its effects become messages to the drivers, its notes records.
//!
//! Place: the `call` actor's hands. Nothing is decided here.

use std::time::Instant;

use ractor::ActorRef;
use tandem_domain::barge_in::Ground;
use tandem_domain::call_core::{Effect, Input, Note};
use tandem_domain::record::EndReason;
use tracing::info;

use super::dialogue::DialogueMsg;
use super::stt::SttMsg;
use super::tts::{Sentence, TtsMsg};
use super::{CallMsg, State};
use crate::leg::LegMsg;
use crate::metrics as meter;

impl State {
    /// A cast to a part that just died is lost on purpose: its successor is told by the core.
    pub(super) fn perform(&mut self, me: &ActorRef<CallMsg>, now: Instant, effect: Effect) {
        let plan = &self.plan;
        match effect {
            Effect::Transcribe { turn, from, to } => {
                let hints = plan.brain.hints(self.core.state()).into();
                let _ = self.children.stt.cast(SttMsg::Finalize { turn, from, to, hints });
            }
            Effect::JudgeTurn { turn, from, to } => {
                let me = me.clone();
                self.questions.ask(&plan.ear, from, to, move |probability| {
                    let _ = me.cast(CallMsg::Input(Input::EndOfTurn { turn, to, probability })); // a call that is gone needs no answer
                });
            }
            Effect::Think { number, ask } => {
                let _ = self.children.dialogue.cast(DialogueMsg::Think { number, ask: Box::new(ask) });
            }
            Effect::Prepare(text) => {
                let _ = self.children.tts.cast(TtsMsg::Prepare(text));
            }
            Effect::Discard => {
                let _ = self.children.tts.cast(TtsMsg::Discard);
            }
            Effect::StopThinking => {
                let _ = self.children.dialogue.cast(DialogueMsg::Stop);
            }
            Effect::Speak { utterance, sentence, text } => {
                let complete = {
                    let mut playout = plan.speech.playout();
                    playout.open(utterance);
                    playout.is_complete(utterance, sentence)
                };
                if !complete {
                    let _ = self.children.tts.cast(TtsMsg::Speak(Sentence { utterance, index: sentence, text }));
                }
            }
            Effect::Seal { utterance, sentences } => {
                plan.speech.playout().seal(utterance, sentences);
                plan.speech.wake();
            }
            Effect::Cut => {
                let _ = self.children.tts.cast(TtsMsg::Stop);
                let (held, heard) = {
                    let mut playout = plan.speech.playout();
                    (playout.is_held(), playout.cut(now))
                };
                plan.speech.wake();
                let stopped_now = !held && self.core.caller_speaking() && heard.samples > 0;
                // Held, and not a sample heard: a greeting that waited, and is said with the answer to whoever spoke first.
                if (held && heard.samples > 0) || stopped_now {
                    metrics::counter!(meter::INTERRUPTIONS, "kind" => "barge_in").increment(1);
                }
                if stopped_now {
                    self.stopped(now);
                }
                self.core.handle(now, Input::Cut(heard));
            }
            Effect::Hold => {
                let (held, heard) = {
                    let mut playout = plan.speech.playout();
                    let heard = playout.heard(now);
                    let held = heard.protected_rest(self.core.protected_sentences()).is_none();
                    if held {
                        playout.hold(now);
                    }
                    (held, heard)
                };
                plan.speech.wake();
                if held && heard.samples > 0 {
                    self.stopped(now);
                }
                self.core.handle(now, Input::Held(heard));
            }
            Effect::Resume(ground) => {
                {
                    let mut playout = plan.speech.playout();
                    playout.resume();
                    if ground == Ground::Echo {
                        playout.echo().was_echo();
                    }
                }
                plan.speech.wake();
                let kind = match ground {
                    Ground::Opening => return, // a greeting that waited for the other side's first word
                    Ground::Backchannel => "backchannel",
                    _ => "false_barge_in",
                };
                metrics::counter!(meter::INTERRUPTIONS, "kind" => kind).increment(1);
            }
            Effect::Press(keys) => {
                let pressed = plan.speech.playout().press(&keys);
                plan.speech.wake();
                let noticed = match pressed {
                    Ok(()) => {
                        Input::Noticed { kind: "keys_pressed", detail: format!("{} of them", keys.chars().count()) }
                    }
                    Err(error) => Input::Noticed { kind: "keys_refused", detail: error.to_string() },
                };
                self.core.handle(now, noticed);
            }
            Effect::Note(note) => {
                match &note {
                    Note::AgentResponse(response) => {
                        let providers = [plan.stt.name(), plan.brain.name(), plan.tts.name()];
                        meter::response(&plan.agent.name, providers, response);
                    }
                    Note::Event { kind: "preemptive_used", .. } => meter::preemptive("used"),
                    Note::Event { kind: "preemptive_wasted", .. } => meter::preemptive("wasted"),
                    Note::Event { .. } | Note::UserTurn(_) | Note::Progress(_) => {}
                }
                self.notes += 1;
                plan.scribe.write(plan.note(self.notes, note));
            }
            Effect::Show(notice) => plan.speech.show(notice),
            Effect::End(reason) => self.end(me, now, reason),
        }
    }

    /// Our voice has stopped for the caller's.
    fn stopped(&self, now: Instant) {
        let after = now.saturating_duration_since(self.turn_began);
        metrics::histogram!(meter::BARGE_IN_STOP).record(after.as_secs_f64());
    }

    fn end(&mut self, me: &ActorRef<CallMsg>, now: Instant, reason: EndReason) {
        let plan = &self.plan;
        let duration = now.saturating_duration_since(plan.started);
        let carrier = plan.dialect.capabilities().carrier;
        if reason == EndReason::Silence {
            metrics::counter!(meter::SILENCE_EVENTS, "kind" => "hangup").increment(1);
        }
        meter::call_ended(carrier, &reason, duration);
        info!(call_id = %plan.call, reason = reason.as_str(), seconds = duration.as_secs(), "call ended");
        plan.scribe.write(plan.ended(now, reason.clone(), self.core.decision()));
        self.ended = Some(reason.clone());
        if let Some(recording) = &mut self.recording {
            recording.over(now);
        }
        plan.ear.close();
        plan.last_words.say(plan.dialect.parting(&reason));
        let goodbye = plan.goodbye(now, reason);
        let closing = self.children.leg.cast(LegMsg::Close(goodbye)).is_ok();
        if !closing {
            me.stop(None);
        }
    }
}
