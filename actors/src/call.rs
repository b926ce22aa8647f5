//! One call: owns the core, lends the lanes, supervises the drivers, writes the record.
//!
//! Place:   switchboard > **call** > leg, ingress, vad, stt, dialogue, tts, egress, silence, recorder
//! Hears:   the drivers: inputs for the core.    Tells: the drivers, what the core wants done; the switchboard, by its own end.
//! Failure: the switchboard writes the record (`call_crashed`) and goes on; the children die with it.
//!
//! All decisions are the core's. This file serialises its inputs and supervises; `effects` carries out what it says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tandem_codecs::SampleRate;
use tandem_domain::agent::{Agent, Timing};
use tandem_domain::barge_in::List;
use tandem_domain::call_core::{Input, Lines, Part};
use tandem_domain::caller::CallFacts;
use tandem_domain::greeting::FirstWords;
use tandem_domain::ids::{CallId, ConversationId};
use tandem_domain::journal::{Journalled, Setup};
use tandem_domain::playout::Playout;
use tandem_domain::port::brain::Brain;
use tandem_domain::port::dialect::{Decoder, Dialect, LegStart, Notice};
use tandem_domain::port::stt::Stt as SttPort;
use tandem_domain::port::tts::Tts as TtsPort;
use tandem_domain::record::{Direction, EndReason};
use tokio::sync::Mutex;
use tracing::{debug, info, warn};

use crate::flood::MessageBudget;
use crate::journals::{Journalling, Journals};
use crate::lane::{EarLane, SpeechLane};
use crate::leg::{Leg, LegMsg};
use crate::metrics::sounding::Sounding;
use crate::recordings::{Recording, Recordings};
use crate::screen::Screen;
use crate::scribe::Scribe;
use crate::socket::MediaSocket;
use crate::supervise::{History, Verdict, verdict};
use crate::tap::Tap;
use crate::{clock, metrics as meter, steps};

mod ambience;
pub mod dialogue;
mod effects;
pub mod egress;
pub mod end_of_turn;
pub mod ingress;
mod leg_rate;
mod plan;
pub mod recorder;
mod recording;
mod records;
pub mod silence;
pub mod stt;
pub mod tts;
pub mod vad;
mod view;

use dialogue::DialogueMsg;
use end_of_turn::{Questions, TurnJudge};
use ingress::Ingress;
use plan::Plan;
use silence::SilenceMsg;
use stt::SttMsg;
use tts::TtsMsg;
use vad::{Slot, VadEngine, VadMsg};
pub use view::{SessionLine, SessionView};

/// Sample rate inside the switch: telephone audio.
const RATE: SampleRate = SampleRate::HZ_8000;
/// A new recogniser reads half a second more than the turn: the detector is late by a consonant.
const LEAD_IN_SAMPLES: u64 = 4_000;

/// What a call hears.
#[derive(Debug)]
pub enum CallMsg {
    /// Something for the core.
    Input(Input),
    /// The detector's engine panicked and was swapped for the simplest one.
    DetectorPanicked,
    /// A write to the far end failed.
    LegLost(String),
    /// A part that died is due to stand again.
    Respawn(Part),
    /// Make the recording silent from now on, or let it go on. Answers with whether the call is recorded at all.
    PauseRecording(bool, RpcReplyPort<bool>),
    /// The disk takes no more of the recording.
    RecordingFailing {
        /// Closed set, for metrics.
        reason: &'static str,
        /// For people.
        detail: String,
    },
    /// The disk takes it again.
    RecordingHealed,
    /// The call's own note about its mailbox came back.
    Sounded(u64),
    /// Kill a part, as a fault would: for tests of supervision. Nothing on the network leads here.
    Kill(Part),
    /// How is the call?
    Inspect(RpcReplyPort<SessionView>),
}

/// All that a call needs to run.
pub struct Args {
    /// Its id.
    pub call: CallId,
    /// Its conversation's id.
    pub conversation: ConversationId,
    /// Who answers.
    pub agent: Agent,
    /// How it answers.
    pub brain: Arc<dyn Brain>,
    /// What the carrier said at the start.
    pub start: LegStart,
    /// Which side began the call.
    pub direction: Direction,
    /// The carrier's protocol.
    pub dialect: Arc<dyn Dialect>,
    /// Its reader, past `start`.
    pub decoder: Box<dyn Decoder>,
    /// The connection.
    pub socket: MediaSocket,
    /// How many messages may come.
    pub budget: MessageBudget,
    /// Nothing for so long means that the connection is dead.
    pub media_timeout: Duration,
    /// How the caller is heard.
    pub hearing: ingress::Hearing,
    /// The recogniser.
    pub stt: Arc<dyn SttPort>,
    /// The voice.
    pub tts: Arc<dyn TtsPort>,
    /// What decides what is speech.
    pub detector: VadEngine,
    /// What is asked whether a turn is complete.
    pub end_of_turn: TurnJudge,
    /// Lists of words that it hears by, beside the built-in ones.
    pub lexicons: Vec<List>,
    /// Who takes both directions of its audio, if anybody does.
    pub tap: Tap,
    /// Where its recording goes, if calls are recorded.
    pub recordings: Recordings,
    /// The record.
    pub scribe: Scribe,
    /// The journals of what cores are told and do.
    pub journals: Journals,
    /// What the far end wanted to choose of the agent and may not.
    pub refused_overrides: Vec<String>,
}

struct Children {
    leg: ActorRef<LegMsg>,
    ingress: ActorRef<()>,
    vad: ActorRef<VadMsg>,
    stt: ActorRef<SttMsg>,
    dialogue: ActorRef<DialogueMsg>,
    tts: ActorRef<TtsMsg>,
    egress: ActorRef<()>,
    silence: ActorRef<SilenceMsg>,
    recorder: Option<ActorRef<()>>,
}

impl Children {
    fn cells(&self) -> impl Iterator<Item = (Part, ActorCell)> {
        let recorder = self.recorder.as_ref().map(|recorder| (Part::Recorder, recorder.get_cell()));
        let always = [
            (Part::Leg, self.leg.get_cell()),
            (Part::Ingress, self.ingress.get_cell()),
            (Part::Vad, self.vad.get_cell()),
            (Part::Stt, self.stt.get_cell()),
            (Part::Dialogue, self.dialogue.get_cell()),
            (Part::Tts, self.tts.get_cell()),
            (Part::Egress, self.egress.get_cell()),
            (Part::Silence, self.silence.get_cell()),
        ];
        always.into_iter().chain(recorder)
    }
}

/// A running call.
pub struct State {
    plan: Plan,
    mailbox: Sounding,
    core: Journalled,
    /// Ends the journal when this goes.
    _journalling: Option<Journalling>,
    /// Finishes the file when this goes.
    recording: Option<Recording>,
    children: Children,
    /// About turns, to a model that judges them.
    questions: Questions,
    histories: BTreeMap<Part, History>,
    restarts: BTreeMap<&'static str, u32>,
    /// Where the caller's open turn began: a new recogniser reads from there.
    turn_from: u64,
    turn_began: Instant,
    armed: Option<Instant>,
    /// How many notes the core has made.
    notes: u32,
    touched: DateTime<Utc>,
    /// Why, once the end is on record.
    ended: Option<EndReason>,
}

/// The actor.
pub struct Call;

impl Actor for Call {
    type Msg = CallMsg;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, me: ActorRef<CallMsg>, args: Args) -> Result<State, ActorProcessingErr> {
        let capabilities = args.dialect.agreed(&args.start);
        let (started, started_at) = (clock::now(), clock::utc());
        let MediaSocket { incoming, outgoing, last_words } = args.socket;
        let screen = capabilities.notices.then(Screen::default);
        let recorded = args.recordings.are_on() && args.agent.recorded;
        let (tap, tapped) = args.tap.open(args.call, RATE, started, recorded);
        let plan = Plan {
            call: args.call,
            conversation: args.conversation,
            brain: args.brain,
            dialect: args.dialect,
            stt: args.stt,
            tts: args.tts,
            scribe: args.scribe,
            writer: Arc::new(Mutex::new(outgoing)),
            ear: EarLane::default(),
            last_words,
            speech: SpeechLane::new(Playout::new(&capabilities, RATE.hz()), screen),
            tap,
            detector: Slot::new(args.detector),
            agent: args.agent,
            start: args.start,
            direction: args.direction,
            leg_rate: args.decoder.format().rate,
            started,
            started_at,
        };
        plan.speech.show(Notice::Started { conversation: plan.conversation }); // before there is anybody to say anything else
        ambience::begin(plan.agent.ambience, plan.call, &plan.speech);
        let vad = plan.spawn_vad(&me).await?;
        let ingress = ingress::Args {
            call: me.clone(),
            id: plan.call,
            incoming,
            decoder: args.decoder,
            budget: args.budget,
            media_timeout: args.media_timeout,
            barge_in_min_speech: plan.agent.timing.barge_in_min_speech,
            hearing: args.hearing,
            tells_keys: capabilities.dtmf_in,
            detector: plan.detector.clone(),
            ear: plan.ear.clone(),
            tap: plan.tap.as_ref().map(|tap| tap.caller.clone()),
            speech: plan.speech.clone(),
            carrier: capabilities.carrier,
        };
        let mut children = Children {
            leg: Actor::spawn_linked(None, Leg, Arc::clone(&plan.writer), me.get_cell()).await?.0,
            stt: plan.spawn_stt(&me, 0).await?,
            dialogue: plan.spawn_dialogue(&me).await?,
            tts: plan.spawn_tts(&me).await?,
            egress: plan.spawn_egress(&me).await?,
            silence: plan.spawn_silence(&me).await?,
            recorder: None,
            ingress: Actor::spawn_linked(None, Ingress, ingress, me.get_cell()).await?.0,
            vad,
        };
        plan.scribe.write(plan.started()); // last: a call that could not start is the switch's to record
        let recording = args.recordings.begin(tapped, plan.agent.business, &plan.scribe); // its file is told of after its call
        if let Some(recording) = &recording {
            children.recorder = plan.spawn_recorder(&me, recording).await.ok(); // without one, a call is a call
        }
        for name in args.refused_overrides {
            let detail = format!("{name} is not for the caller to choose");
            me.cast(CallMsg::Input(Input::Noticed { kind: "override_refused", detail }))?;
        }
        for unknown in plan.brain.unknown_names() {
            let agent = &plan.agent.name;
            warn!(call_id = %plan.call, agent, unknown, "a name in the agent's first words stands for nothing: left out");
            me.cast(CallMsg::Input(Input::Noticed { kind: "unknown_variable", detail: unknown.clone() }))?;
        }
        me.cast(CallMsg::Input(Input::Started))?;
        let judged = plan.agent.timing.end_of_turn_model && args.end_of_turn.name().is_some();
        let setup = Setup {
            timing: Timing { end_of_turn_model: judged, ..plan.agent.timing },
            lines: Lines::of(&plan.agent.language),
            screen: capabilities.notices,
            reads: capabilities.notices && capabilities.reads(),
            direction: plan.direction,
            uncertainty: plan.agent.uncertainty.clone(),
            lexicons: args.lexicons,
            first_words: plan.brain.first_words().cloned().unwrap_or_else(|| {
                FirstWords::of(&plan.agent, &CallFacts { direction: plan.direction, ..CallFacts::default() })
            }),
        };
        let journalling = args.journals.begin((plan.call, plan.agent.business), &plan.agent.name, &setup, started);
        info!(call_id = %plan.call, agent = plan.agent.name, carrier = capabilities.carrier, "call started");
        Ok(State {
            core: Journalled::new(&setup, journalling.as_ref().map(Journalling::tape)),
            _journalling: journalling,
            recording,
            plan,
            mailbox: Sounding::new("call"),
            children,
            questions: Questions::new(args.end_of_turn),
            histories: BTreeMap::new(),
            restarts: BTreeMap::new(),
            turn_from: 0,
            turn_began: started,
            armed: None,
            notes: 0,
            touched: started_at,
            ended: None,
        })
    }

    async fn handle(&self, me: ActorRef<CallMsg>, msg: CallMsg, state: &mut State) -> Result<(), ActorProcessingErr> {
        if let Some(number) = state.mailbox.handled(clock::now()) {
            me.cast(CallMsg::Sounded(number))?;
        }
        match msg {
            CallMsg::Input(input) => state.input(&me, input),
            CallMsg::DetectorPanicked => {
                let _ = state.children.vad.cast(VadMsg::EnginePanicked); // dead: its successor begins with what is in the slot
            }
            CallMsg::LegLost(detail) => {
                debug!(call_id = %state.plan.call, %detail, "leg lost");
                state.input(&me, Input::Ended(EndReason::LegLost));
            }
            CallMsg::Respawn(part) => state.respawn(&me, part).await?,
            CallMsg::PauseRecording(paused, reply) => {
                let _ = reply.send(state.pause_recording(&me, paused)); // asker gone: it is paused all the same
            }
            CallMsg::RecordingFailing { reason, detail } => state.recording_failing(&me, reason, detail),
            CallMsg::RecordingHealed => state.recording_healed(&me),
            CallMsg::Sounded(number) => state.mailbox.sounded(number),
            CallMsg::Kill(part) => {
                for (_, cell) in state.children.cells().filter(|(candidate, _)| *candidate == part) {
                    cell.kill();
                }
            }
            CallMsg::Inspect(reply) => {
                let _ = reply.send(state.view()); // asker gone: not our problem
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<CallMsg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (cell, reason) = match event {
            SupervisionEvent::ActorFailed(cell, error) => {
                warn!(call_id = %state.plan.call, %error, "part failed");
                (cell, "failed")
            }
            SupervisionEvent::ActorTerminated(cell, _, _) => (cell, "killed"),
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => return Ok(()),
        };
        let dead = state.children.cells().find(|(_, child)| child.get_id() == cell.get_id());
        if let Some((part, _)) = dead {
            state.died(&me, part, reason).await?;
        }
        Ok(())
    }
}

impl State {
    /// Why the call ended, if it did so in order, its record written.
    pub fn ended(&self) -> Option<&EndReason> {
        self.ended.as_ref()
    }

    fn input(&mut self, me: &ActorRef<CallMsg>, input: Input) {
        let now = clock::now();
        match &input {
            Input::SpeechStarted { at, began } => {
                if !self.core.turn_is_open() {
                    self.turn_from = *at;
                }
                self.turn_began = *began;
                self.plan.speech.playout().caller_speaks(true);
                let _ = self.children.stt.cast(SttMsg::Speaking { from: self.turn_from }); // dead: its successor tells less
            }
            Input::Tick | Input::Cut(_) => {}
            Input::SpeechEnded { .. } => {
                self.touched = clock::utc();
                self.plan.speech.playout().caller_speaks(false);
            }
            Input::Spoken(utterance, _) => {
                self.touched = clock::utc();
                self.announced(now, *utterance);
            }
            _ => self.touched = clock::utc(),
        }
        steps::answered(self.plan.call, self.plan.stt.name(), self.plan.brain.name(), &input);
        self.core.handle(now, input);
        while let Some(effect) = self.core.poll_effect() {
            self.perform(me, now, effect);
        }
        let due = self.core.poll_timeout().map(|(at, _)| at);
        if due != self.armed {
            self.armed = due;
            let _ = self.children.silence.cast(SilenceMsg::Arm(due)); // dead: armed again when it stands
        }
    }

    async fn died(
        &mut self,
        me: &ActorRef<CallMsg>,
        part: Part,
        reason: &'static str,
    ) -> Result<(), ActorProcessingErr> {
        if self.ended.is_some() {
            // The leg has said goodbye, or a part went before it: nothing is left to do once the leg is gone.
            if part == Part::Leg {
                me.stop(None);
            }
            return Ok(());
        }
        meter::part_died(part, reason);
        *self.restarts.entry(part.name()).or_default() += 1;
        let now = clock::now();
        match verdict(part, self.histories.entry(part).or_default(), now) {
            Verdict::Restart { after } if after.is_zero() => self.respawn(me, part).await?,
            Verdict::Restart { after } => {
                let me = me.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    let _ = me.cast(CallMsg::Respawn(part)); // the call ended meanwhile
                });
            }
            Verdict::Degrade if part == Part::Recorder => self.give_up_recording(me),
            Verdict::Degrade => {
                self.respawn(me, part).await?;
                self.children.vad.cast(VadMsg::Degrade)?;
            }
            Verdict::EndCall(reason) => {
                self.input(me, Input::Ended(reason));
                if part == Part::Leg {
                    me.stop(None);
                }
            }
        }
        Ok(())
    }

    async fn respawn(&mut self, me: &ActorRef<CallMsg>, part: Part) -> Result<(), ActorProcessingErr> {
        if self.ended.is_some() {
            return Ok(());
        }
        match part {
            Part::Vad => self.children.vad = self.plan.spawn_vad(me).await?,
            Part::Stt => {
                let from = if self.core.turn_is_open() { self.turn_from } else { self.plan.ear.position() };
                self.children.stt = self.plan.spawn_stt(me, from.saturating_sub(LEAD_IN_SAMPLES)).await?;
            }
            Part::Dialogue => self.children.dialogue = self.plan.spawn_dialogue(me).await?,
            Part::Tts => self.children.tts = self.plan.spawn_tts(me).await?,
            Part::Egress => self.children.egress = self.plan.spawn_egress(me).await?,
            Part::Silence => {
                self.children.silence = self.plan.spawn_silence(me).await?;
                self.armed = None;
            }
            Part::Recorder => {
                let Some(recording) = &self.recording else { return Ok(()) };
                self.children.recorder = Some(self.plan.spawn_recorder(me, recording).await?);
            }
            Part::Leg | Part::Ingress => return Ok(()),
        }
        self.input(me, Input::Restarted(part));
        if part == Part::Egress {
            self.catch_up(me);
        }
        Ok(())
    }

    /// A pump may die between its last write and the news about it: the lane knows.
    fn catch_up(&mut self, me: &ActorRef<CallMsg>) {
        let Some(utterance) = self.core.utterance() else { return };
        let (sent, finished) = {
            let playout = self.plan.speech.playout();
            (playout.sent(utterance), playout.finished(utterance))
        };
        if sent.is_some_and(|sent| sent > 0) || finished.is_some() {
            self.input(me, Input::FirstAudio(utterance));
        }
        if let Some(heard) = finished {
            self.input(me, Input::Spoken(utterance, heard));
        }
    }
}
