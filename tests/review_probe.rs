//! Probes of the review: each one that fails shows a bug.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt, stream};
use line::{Exchange, Line, Vendors, say};
use tandem_actors::{Ports, Switch, SwitchConfig};
use tandem_domain::agent::{Agent, Timing};
use tandem_domain::brain::RulesBrain;
use tandem_domain::call_core::{CallCore, Effect, Input, Lines, Note, Part, Response};
use tandem_domain::ids::{AgentId, BusinessId, TurnId, UtteranceId};
use tandem_domain::ledger::Heard;
use tandem_domain::playbook::Playbook;
use tandem_domain::playout::{Playout, PlayoutAction};
use tandem_domain::port::EventStream;
use tandem_domain::port::brain::{Ask, Brain};
use tandem_domain::port::dialect::Dialect;
use tandem_domain::port::stt::{Covers, Stt, SttError, SttEvent, SttInput, SttInputStream, SttSpec};
use tandem_domain::port::tts::{Tts, TtsChunk, TtsError, TtsSpec};
use tandem_domain::record::EndReason;
use tandem_peers::vendor::{FakeStt, FakeSttConfig, FakeTts, FakeTtsConfig};
use tandem_providers::carrier::twilio::TwilioDialect;

const LIMIT: Duration = Duration::from_secs(240);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

async fn exchange(stt: Arc<dyn Stt>, tts: Arc<dyn Tts>) -> Exchange {
    let log = memory::Log::default();
    let ports = Ports {
        agents: Arc::new(memory::OneAgent(Timing::default())),
        log: Arc::new(log.clone()),
        stt,
        tts,
        brains: Arc::new(memory::OneAgent(Timing::default())),
    };
    Exchange { switch: Switch::start(SwitchConfig::default(), ports).await.unwrap(), log }
}

// --- the core alone ---------------------------------------------------------------------------------------------------------------

struct World {
    now: Instant,
    core: CallCore,
    brain: RulesBrain,
    asks: VecDeque<(u32, Ask)>,
    hold_brain: bool,
    transcribe: Vec<(TurnId, u64, u64)>,
    heard: u64,
    cuts: usize,
    notes: Vec<Note>,
    ended: Vec<EndReason>,
}

impl World {
    fn new() -> Self {
        let timing = Timing::default();
        let agent = Agent {
            id: AgentId(1),
            uuid: uuid::Uuid::nil(),
            business: BusinessId::FIRST,
            name: "front-desk".into(),
            playbook: "front-desk".into(),
            language: "en".into(),
            voice: String::new(),
            asr_keywords: Vec::new(),
            first_message_inbound: None,
            timing,
        };
        #[allow(clippy::disallowed_methods)]
        let now = Instant::now();
        let mut world = Self {
            now,
            core: CallCore::new(&timing, Lines::default()),
            brain: RulesBrain::new(Arc::new(Playbook::front_desk()), &agent, ""),
            asks: VecDeque::new(),
            hold_brain: false,
            transcribe: Vec::new(),
            heard: 0,
            cuts: 0,
            notes: Vec::new(),
            ended: Vec::new(),
        };
        world.input(Input::Started);
        world
    }

    fn input(&mut self, input: Input) {
        self.core.handle(self.now, input);
        while let Some(effect) = self.core.poll_effect() {
            match effect {
                Effect::Think { number, ask } => {
                    self.asks.push_back((number, ask));
                    if !self.hold_brain {
                        self.answer();
                    }
                }
                Effect::Cut => {
                    self.cuts += 1;
                    self.core.handle(self.now, Input::Cut(Heard { samples: self.heard, sentences: Vec::new() }));
                }
                Effect::Transcribe { turn, from, to } => self.transcribe.push((turn, from, to)),
                Effect::Note(note) => self.notes.push(note),
                Effect::End(reason) => self.ended.push(reason),
                Effect::StopThinking => self.asks.clear(),
                Effect::Speak { .. } | Effect::Seal { .. } => {}
            }
        }
    }

    fn answer(&mut self) {
        let Some((number, ask)) = self.asks.pop_front() else { return };
        let events: Vec<_> = self.brain.respond(ask).collect().now_or_never().unwrap();
        for event in events {
            self.core.handle(self.now, Input::Brain { ask: number, event: event.unwrap() });
        }
        self.core.handle(self.now, Input::BrainDone { ask: number });
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some((due, _)) = self.core.poll_timeout().filter(|(due, _)| *due <= until) {
            self.now = self.now.max(due);
            self.input(Input::Tick);
        }
        self.now = until;
    }

    fn play(&mut self) -> UtteranceId {
        let utterance = self.core.utterance().expect("the agent has something to say");
        self.input(Input::FirstAudio(utterance));
        utterance
    }

    fn play_all(&mut self) {
        let utterance = self.play();
        self.pass(ms(2_000));
        self.input(Input::Spoken(utterance));
    }

    fn begin(&mut self) {
        self.input(Input::SpeechStarted { at: 0, began: self.now });
        self.pass(ms(200));
        self.input(Input::SpeechSustained);
    }

    fn end(&mut self, to: u64) {
        let ended = self.now;
        self.pass(ms(200));
        self.input(Input::SpeechEnded { to, ended });
    }

    fn words(&mut self, text: &str) {
        let (turn, ..) = *self.transcribe.last().unwrap();
        self.input(Input::Transcript { turn, text: text.into(), confidence: Some(0.9), covers: Covers::WholeTurn });
    }

    fn say(&mut self, text: &str) {
        self.begin();
        self.pass(ms(800));
        self.end(8_000);
        self.words(text);
        self.pass(ms(300));
    }

    fn turns(&self) -> Vec<(u32, String)> {
        let turn = |note: &Note| match note {
            Note::UserTurn(turn) => Some((turn.turn.0, turn.text.clone())),
            _ => None,
        };
        self.notes.iter().filter_map(turn).collect()
    }

    fn responses(&self) -> Vec<&Response> {
        self.notes
            .iter()
            .filter_map(|note| if let Note::AgentResponse(response) = note { Some(response) } else { None })
            .collect()
    }
}

/// A voice that finds nothing to say in a sentence (flite: "none if the text has no words"): `Spoken` comes without `FirstAudio`.
#[test]
fn core_a_reply_without_audio_leaves_the_caller_a_call_that_goes_on() {
    let mut world = World::new();
    world.play_all();
    world.say("I want an apartment in Delhi");
    let reply = world.core.utterance().unwrap();
    world.input(Input::Spoken(reply));
    assert_eq!(world.core.poll_timeout().map(|(_, why)| why), Some("silence"), "nobody speaks, and nothing will happen");
}

/// And nothing of it may be on record as heard.
#[test]
fn core_a_reply_without_audio_was_not_heard() {
    let mut world = World::new();
    world.play_all();
    world.say("I want an apartment in Delhi");
    let reply = world.core.utterance().unwrap();
    world.input(Input::Spoken(reply));
    assert_eq!(world.responses().last().unwrap().heard, "");
}

/// A new outgoing pump says `FirstAudio` again (`catch_up`).
#[test]
fn core_a_second_first_audio_does_not_change_the_latency() {
    let mut world = World::new();
    world.play_all();
    world.say("I want an apartment in Delhi");
    let utterance = world.play();
    world.pass(ms(3_000));
    world.input(Input::FirstAudio(utterance));
    world.input(Input::Restarted(Part::Egress));
    world.input(Input::Spoken(utterance));
    assert_eq!(world.responses()[1].latency, Some(ms(500)));
}

/// The caller says "hello" before the greeting's first sample: who speaks for longer than the barge-in's 200 ms is not talked over.
#[test]
fn core_the_agent_does_not_begin_over_a_speaking_caller() {
    let mut world = World::new();
    world.pass(ms(100));
    world.begin();
    world.pass(ms(200));
    world.play(); // the voice was slow
    world.pass(ms(3_000));
    assert!(world.cuts > 0 || !world.core.agent_speaking(), "3 s of talking over the caller");
}

/// A turn committed under our own voice is flushed by the cut, and once more when the caller goes on.
#[test]
fn core_a_turn_is_on_record_once_and_whole() {
    let mut world = World::new();
    world.pass(ms(100));
    world.begin();
    world.pass(ms(100));
    world.end(4_000);
    world.play(); // the greeting begins after the caller's "I want"
    world.heard = 1_600;
    world.words("I want");
    world.pass(ms(400)); // committed: the greeting is cut, the reply is being prepared
    world.begin(); // the caller goes on: the same turn
    world.pass(ms(500));
    world.end(16_000);
    world.words("I want an apartment in Delhi");
    world.pass(ms(400));
    world.play_all();
    assert_eq!(world.turns(), [(1, "I want an apartment in Delhi".to_owned())]);
}

/// The words were settled and the turn committed; the caller goes on and hangs up.
#[test]
fn core_words_of_a_reopened_turn_are_on_record_after_a_hang_up() {
    let mut world = World::new();
    world.play_all();
    world.say("I want an apartment in Delhi");
    world.begin();
    world.input(Input::Ended(EndReason::CallerHangup));
    assert_eq!(world.turns(), [(1, "I want an apartment in Delhi".to_owned())]);
}

/// The words were settled, the silence not full.
#[test]
fn core_words_that_are_settled_are_on_record_after_a_hang_up() {
    let mut world = World::new();
    world.play_all();
    world.begin();
    world.pass(ms(800));
    world.end(8_000);
    world.words("sixty lakh rupees");
    world.input(Input::Ended(EndReason::CallerHangup));
    assert_eq!(world.turns(), [(1, "sixty lakh rupees".to_owned())]);
}

/// The answer to the first of two questions about a turn comes after the second was asked.
#[test]
fn core_the_answer_to_a_superseded_question_does_not_settle_the_turn() {
    let mut world = World::new();
    world.play_all();
    world.begin();
    world.pass(ms(300));
    world.end(4_000);
    world.pass(ms(100));
    world.begin();
    world.pass(ms(300));
    world.end(12_000);
    world.words("sixty"); // late: about ..4000
    world.pass(ms(400));
    world.words("sixty lakh rupees");
    world.pass(ms(400));
    world.play_all();
    assert_eq!(world.turns(), [(1, "sixty lakh rupees".to_owned())]);
}

/// A streaming engine that died in the turn reads it again from its beginning.
#[test]
fn core_a_restarted_streaming_recogniser_does_not_double_words() {
    let mut world = World::new();
    world.play_all();
    world.begin();
    world.pass(ms(300));
    world.end(4_000);
    let final_of = |text: &str| Input::Transcript {
        turn: TurnId(1),
        text: text.into(),
        confidence: None,
        covers: Covers::SinceLastFinal,
    };
    world.input(final_of("sixty"));
    world.begin();
    world.input(Input::Restarted(Part::Stt));
    world.pass(ms(300));
    world.end(12_000);
    world.input(final_of("sixty lakh rupees"));
    world.pass(ms(400));
    world.play_all();
    assert_eq!(world.turns(), [(1, "sixty lakh rupees".to_owned())]);
}

/// A brain that answers nothing at all: the caller hears something within 2 s.
#[test]
fn core_a_brain_that_says_nothing_is_no_dead_air() {
    let mut world = World::new();
    world.play_all();
    world.hold_brain = true;
    world.say("I want an apartment in Delhi");
    let (number, _) = world.asks.pop_front().unwrap();
    world.input(Input::BrainDone { ask: number });
    world.pass(ms(2_000));
    assert!(world.core.utterance().is_some(), "next: {:?}", world.core.poll_timeout().map(|(at, why)| (at - world.now, why)));
}

/// Noise that never ends: a turn has a longest length.
#[test]
fn core_speech_that_never_ends_does_not_hold_the_call() {
    let mut world = World::new();
    world.play_all();
    world.begin();
    world.pass(Duration::from_secs(120));
    assert!(!world.transcribe.is_empty() || world.cuts > 0 || world.core.utterance().is_some(), "two minutes of nothing");
}

/// What was taken back is taken back on record too.
#[test]
fn core_a_reply_that_was_taken_back_leaves_no_progress_on_record() {
    let mut world = World::new();
    world.play_all();
    let progress = |world: &World| {
        let state = |note: &Note| if let Note::Progress(state) = note { Some(world.brain.extracted(state)) } else { None };
        world.notes.iter().filter_map(state).last().unwrap()
    };
    let before = progress(&world);
    world.say("I want an apartment in Delhi");
    world.begin();
    world.input(Input::Ended(EndReason::CallerHangup));
    let (after, turns) = (progress(&world), world.turns());
    assert!(after == before || !turns.is_empty(), "slots {after:?} of words that are not on record");
}

// --- the lane ---------------------------------------------------------------------------------------------------------------------

/// The voice's driver dies after the last sample was played and before the core heard `Spoken`: the core says all again.
#[test]
fn playout_an_utterance_that_was_spoken_is_not_opened_again() {
    let mut playout = Playout::new(&TwilioDialect::new(0).capabilities(), 8_000);
    #[allow(clippy::disallowed_methods)]
    let t0 = Instant::now();
    let utterance = UtteranceId(1);
    playout.open(utterance);
    playout.push(utterance, 0, &[1; 160], &[]);
    playout.complete(utterance, 0);
    playout.seal(utterance, 1);
    let mut out = Vec::new();
    for at in 0..2_000 {
        playout.poll(t0 + ms(at), &mut out);
    }
    assert!(out.contains(&PlayoutAction::Spoken(utterance)));
    playout.open(utterance); // Effect::Speak, said again
    assert!(!playout.push(utterance, 0, &[1; 160], &[]), "said twice");
}

// --- whole calls ------------------------------------------------------------------------------------------------------------------

/// A voice that panics on its second sentence.
struct PanickingTts(FakeTts, AtomicU32);

impl Tts for PanickingTts {
    fn name(&self) -> &'static str {
        "panicking"
    }
    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        if self.1.fetch_add(1, Ordering::SeqCst) == 1 {
            return Box::pin(stream::once(async { panic!("planned") }));
        }
        self.0.speak(spec)
    }
}

#[tokio::test(start_paused = true)]
async fn call_a_voice_that_panics_once_costs_no_more_than_a_restart() {
    let tts = PanickingTts(FakeTts::default(), AtomicU32::new(0));
    let exchange = exchange(Arc::new(FakeStt::default()), Arc::new(tts)).await;
    let script = vec![say(1, "I want an apartment in Delhi"), say(1, "sixty lakh rupees")];
    let mut line = Line::dial(&exchange, 1, script).await;
    line.run_out(LIMIT).await;
    assert_eq!(exchange.records(&line).await.reason(), "completed");
}

/// A voice that has no sound for the reply to the first turn (and is well before and after).
struct MuteTts(FakeTts, AtomicU32, u32);

impl Tts for MuteTts {
    fn name(&self) -> &'static str {
        "mute"
    }
    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        if self.1.fetch_add(1, Ordering::SeqCst) >= self.2 {
            return Box::pin(stream::empty());
        }
        self.0.speak(spec)
    }
}

#[tokio::test(start_paused = true)]
async fn call_a_voice_without_sound_does_not_hold_the_call_to_its_longest() {
    let tts = MuteTts(FakeTts::default(), AtomicU32::new(0), 3);
    let exchange = exchange(Arc::new(FakeStt::default()), Arc::new(tts)).await;
    let mut line = Line::dial(&exchange, 1, vec![say(1, "I want an apartment in Delhi")]).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    assert!(records.heard().len() <= line.transcript().len() + 8, "heard {:?} ear {:?}", records.heard(), line.transcript());
}

/// A recogniser that is busy for the first `0` turns.
struct BusyStt(Arc<AtomicU32>, u32);

impl Stt for BusyStt {
    fn name(&self) -> &'static str {
        "busy"
    }
    fn transcribe(&self, _: SttSpec, audio: SttInputStream) -> EventStream<SttEvent, SttError> {
        let (count, busy) = (Arc::clone(&self.0), self.1);
        Box::pin(stream::unfold(Some(audio), move |audio| {
            let count = Arc::clone(&count);
            async move {
                let mut audio = audio?;
                loop {
                    if let SttInput::Finalize { turn, .. } = audio.next().await? {
                        if count.fetch_add(1, Ordering::SeqCst) < busy {
                            return Some((Err(SttError::Busy { vendor: "busy" }), None));
                        }
                        let text = "goodbye".to_owned();
                        let event = SttEvent::Final { turn, text, confidence: None, covers: Covers::WholeTurn };
                        return Some((Ok(event), Some(audio)));
                    }
                }
            }
        }))
    }
}

#[tokio::test(start_paused = true)]
async fn call_a_busy_recogniser_costs_a_question_and_not_the_call() {
    let count = Arc::new(AtomicU32::new(0));
    let exchange = exchange(Arc::new(BusyStt(Arc::clone(&count), 4)), Arc::new(FakeTts::default())).await;
    let script = vec![say(1, "I want an apartment"), say(1, "I want an apartment"), say(1, "goodbye"), say(1, "goodbye")];
    let mut line = Line::dial(&exchange, 1, script).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    assert_ne!(records.reason(), "part_failed", "finals asked: {}, events {:?}", count.load(Ordering::SeqCst), records.events);
}

/// A recogniser that takes 900 ms, and a caller who pauses for 400 ms in his answer.
#[tokio::test(start_paused = true)]
async fn call_a_pause_in_the_answer_loses_no_words_with_a_slow_recogniser() {
    for gap in [300_u64, 350, 400, 450] {
        let stt = FakeStt::new(FakeSttConfig { latency: ms(900), ..FakeSttConfig::default() });
        let exchange = exchange(Arc::new(stt), Arc::new(FakeTts::default())).await;
        let (first, second) = (line::rendered(1, "I want an apartment"), line::rendered(1, "in Delhi"));
        let samples = [&first.samples[..], &vec![0; gap as usize * 8], &second.samples[..]].concat();
        let step = tandem_peers::caller::Step::Say(tandem_peers::caller::Rendered {
            text: "I want an apartment in Delhi".into(),
            samples: samples.into(),
        });
        let mut line = Line::dial(&exchange, 1, vec![step, tandem_peers::caller::Step::Wait, tandem_peers::caller::Step::HangUp]).await;
        let end = tandem_actors::clock::now() + LIMIT;
        while line.tick().await && !line.caller.is_done() && tandem_actors::clock::now() < end {}
        let records = exchange.records(&line).await;
        assert_eq!(records.said(), "I want an apartment in Delhi", "gap {gap}");
    }
}

/// The caller's "hello" before a slow greeting: how long do both speak?
#[tokio::test(start_paused = true)]
async fn call_kills_at_any_moment_say_nothing_twice() {
    let parts = [Part::Tts, Part::Egress, Part::Dialogue, Part::Stt, Part::Vad, Part::Silence];
    let meant = swept(None).await.0;
    let mut bad = Vec::new();
    for part in parts {
        for tick in (3..1_000).step_by(7) {
            let (ear, reason, quiet, ticks) = swept(Some((part, tick))).await;
            let extra = ear.len() as isize - meant.len() as isize;
            let lost = meant.iter().filter(|word| !ear.contains(word)).count();
            if extra > 0 || lost > 1 || reason != "completed" || quiet > ms(9_500) {
                bad.push(format!("{part:?} at tick {tick}: {reason} extra {extra} lost {lost} quiet {quiet:?} {}", ear.join(" ")));
            }
            if tick > ticks {
                break;
            }
        }
    }
    assert!(bad.is_empty(), "{} of them:\n{}", bad.len(), bad.join("\n"));
}

async fn swept(kill: Option<(Part, usize)>) -> (Vec<String>, String, Duration, usize) {
    let vendors = Vendors {
        stt: FakeStt::new(FakeSttConfig { latency: ms(150), ..FakeSttConfig::default() }),
        tts: FakeTts::new(FakeTtsConfig { first_chunk: ms(120), chunk_interval: ms(60), ..FakeTtsConfig::default() }),
    };
    let exchange = Exchange::with(vendors, Timing::default(), SwitchConfig::default()).await;
    let script = vec![say(7, "I want an apartment in Delhi"), say(7, "sixty lakh rupees")];
    let mut line = Line::dial(&exchange, 7, script).await;
    let (mut quiet, mut ticks) = (Duration::ZERO, 0);
    loop {
        if let Some((part, tick)) = kill
            && tick == ticks
            && !exchange.switch.calls().await.is_empty()
        {
            exchange.kill(&line, part).await;
        }
        ticks += 1;
        assert!(ticks < 10_000);
        let go_on = line.tick().await;
        quiet = quiet.max(line.quiet);
        if !go_on {
            break;
        }
    }
    line.run_out(ms(100)).await;
    let records = exchange.records(&line).await;
    let reason = records.ended.iter().map(|ended| ended.reason.as_str()).collect::<Vec<_>>().join(",");
    (line.transcript().split_whitespace().map(str::to_owned).collect(), reason, quiet, ticks)
}
