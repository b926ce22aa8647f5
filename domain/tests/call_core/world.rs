//! The drivers of a call, as the core sees them: obedient and instant, but for what a test holds back. Time is made up.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_domain::agent::{Agent, Timing};
use tandem_domain::barge_in::Ground;
use tandem_domain::brain::RulesBrain;
use tandem_domain::call_core::{Effect, Input, Note, Response};
use tandem_domain::ids::{AgentId, BusinessId, CallId, TurnId, UtteranceId};
use tandem_domain::journal::{self, Closing, Header, Journal, Journalled, Recorder, Setup, Tape};
use tandem_domain::ledger::{Heard, SentenceAudio};
use tandem_domain::playbook::Playbook;
use tandem_domain::port::brain::Brain;
use tandem_domain::port::dialect::Notice;
use tandem_domain::port::stt::Covers;
use tandem_domain::record::EndReason;

/// Samples of each sentence in this world: two seconds.
pub(crate) const SENTENCE: u64 = 16_000;

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The drivers of a call, as the core sees them: obedient and instant, but for what a test holds back.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) core: Journalled,
    /// What the core was told and did; run again at the end of every test.
    tape: Tape,
    pub(crate) brain: RulesBrain,
    /// Asks that the brain has not answered, when it is held back.
    pub(crate) asks: VecDeque<(u32, tandem_domain::port::brain::Ask)>,
    pub(crate) hold_brain: bool,
    pub(crate) spoken: Vec<(UtteranceId, u32, String)>,
    pub(crate) transcribe: Vec<(TurnId, u64, u64)>,
    /// Samples heard of the current utterance, when it is cut.
    pub(crate) heard: u64,
    pub(crate) cuts: usize,
    pub(crate) holds: usize,
    pub(crate) resumed: Vec<Ground>,
    pub(crate) notes: Vec<Note>,
    pub(crate) ended: Vec<EndReason>,
    /// Keys that we pressed.
    pub(crate) pressed: Vec<String>,
    /// What a far end with a screen was shown.
    pub(crate) shown: Vec<Notice>,
    /// Sentences that the voice was to prepare; `None` where it was to forget them.
    pub(crate) prepared: Vec<Option<String>>,
}

/// The rules of the front desk, for an agent of this language.
fn front_desk(language: &str) -> RulesBrain {
    rules(Playbook::front_desk(), language)
}

fn rules(playbook: Playbook, language: &str) -> RulesBrain {
    let agent = Agent {
        id: AgentId(1),
        uuid: uuid::Uuid::nil(),
        business: BusinessId::FIRST,
        version: tandem_domain::agent_version::VersionNumber::FIRST,
        name: "front-desk".into(),
        playbook: "front-desk".into(),
        language: language.into(),
        voice: String::new(),
        asr_keywords: Vec::new(),
        first_message_inbound: None,
        timing: Timing::default(),
        uncertainty: Default::default(),
        ambience: Default::default(),
        recorded: true,
        terms: Default::default(),
        script: tandem_domain::agent::Script::default(),
    };
    RulesBrain::new(Arc::new(playbook), &agent, "")
}

impl World {
    pub(crate) fn new(timing: Timing) -> Self {
        Self::with_screen(timing, false)
    }

    /// A call whose greeting has been heard to its end.
    pub(crate) fn greeted(timing: Timing) -> Self {
        let mut world = Self::new(timing);
        world.play_all();
        world
    }

    /// A call whose far end may have a screen.
    pub(crate) fn with_screen(timing: Timing, screen: bool) -> Self {
        let mut world = Self::before(Setup { timing, screen, ..Setup::default() });
        world.input(Input::Started);
        world
    }

    /// A call whose leg is not up yet.
    pub(crate) fn before(setup: Setup) -> Self {
        #[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
        let now = Instant::now();
        let brain = front_desk("en");
        let header = Header {
            call: CallId(uuid::Uuid::nil()),
            agent: "front-desk".into(),
            program: "test".into(),
            setup: setup.clone(),
        };
        let tape = Tape::new(Recorder::new(&header, now, 1 << 20));
        Self {
            now,
            core: Journalled::new(&setup, Some(tape.clone())),
            tape,
            brain,
            asks: VecDeque::new(),
            hold_brain: false,
            spoken: Vec::new(),
            transcribe: Vec::new(),
            heard: 0,
            cuts: 0,
            holds: 0,
            resumed: Vec::new(),
            notes: Vec::new(),
            ended: Vec::new(),
            shown: Vec::new(),
            prepared: Vec::new(),
            pressed: Vec::new(),
        }
    }

    /// The details of all events of this kind.
    pub(crate) fn events(&self, wanted: &str) -> Vec<&str> {
        self.notes
            .iter()
            .filter_map(|note| match note {
                Note::Event { kind, detail } if *kind == wanted => Some(detail.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The agent speaks this language.
    pub(crate) fn brain_in(&mut self, language: &str) {
        self.brain = front_desk(language);
    }

    /// The agent runs this playbook.
    pub(crate) fn runs(&mut self, playbook: Playbook) {
        self.brain = rules(playbook, "en");
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.core.handle(self.now, input);
        self.run();
    }

    pub(crate) fn run(&mut self) {
        while let Some(effect) = self.core.poll_effect() {
            match effect {
                Effect::Think { number, ask } => {
                    self.asks.push_back((number, ask));
                    if !self.hold_brain {
                        self.answer();
                    }
                }
                Effect::Cut | Effect::Hold => {
                    let count = self
                        .spoken
                        .iter()
                        .filter(|(id, ..)| Some(*id) == self.spoken.last().map(|last| last.0))
                        .count();
                    let audio = SentenceAudio { samples: SENTENCE, complete: true, words: Vec::new() };
                    let heard = Heard { samples: self.heard, sentences: vec![audio; count] };
                    if effect == Effect::Cut {
                        self.cuts += 1;
                        self.core.handle(self.now, Input::Cut(heard));
                    } else {
                        self.holds += usize::from(heard.protected_rest(self.core.protected_sentences()).is_none());
                        self.core.handle(self.now, Input::Held(heard));
                    }
                }
                Effect::Speak { utterance, sentence, text } => self.spoken.push((utterance, sentence, text)),
                Effect::Transcribe { turn, from, to } => self.transcribe.push((turn, from, to)),
                Effect::Note(note) => self.notes.push(note),
                Effect::Show(notice) => self.shown.push(notice),
                Effect::End(reason) => self.ended.push(reason),
                Effect::StopThinking => self.asks.clear(),
                Effect::Resume(ground) => self.resumed.push(ground),
                Effect::Prepare(text) => self.prepared.push(Some(text)),
                Effect::Discard => self.prepared.push(None),
                Effect::Seal { .. } | Effect::JudgeTurn { .. } => {}
                Effect::Press(keys) => self.pressed.push(keys),
            }
        }
    }

    /// Lets the brain answer what it was asked last.
    pub(crate) fn answer(&mut self) {
        use futures_util::{FutureExt, StreamExt};
        let Some((number, ask)) = self.asks.pop_front() else { return };
        let events: Vec<_> = self.brain.respond(ask).collect().now_or_never().unwrap();
        for event in events {
            self.core.handle(self.now, Input::Brain { ask: number, event: event.unwrap() });
        }
        self.input(Input::BrainDone { ask: number });
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some((due, _)) = self.core.poll_timeout().filter(|(due, _)| *due <= until) {
            self.now = self.now.max(due);
            self.input(Input::Tick);
        }
        self.now = until;
    }

    /// All of an utterance was heard.
    pub(crate) fn all_heard(&self, utterance: UtteranceId) -> Input {
        let count = self.spoken.iter().filter(|(id, ..)| *id == utterance).count();
        let audio = SentenceAudio { samples: SENTENCE, complete: true, words: Vec::new() };
        Input::Spoken(utterance, Heard { samples: SENTENCE * count as u64, sentences: vec![audio; count] })
    }

    /// The current utterance begins to play.
    pub(crate) fn play(&mut self) -> UtteranceId {
        let utterance = self.core.utterance().expect("the agent has something to say");
        self.input(Input::FirstAudio(utterance));
        utterance
    }

    /// The current utterance is played to its end.
    pub(crate) fn play_all(&mut self) {
        let utterance = self.play();
        self.pass(ms(2_000));
        let heard = self.all_heard(utterance);
        self.input(heard);
    }

    /// The caller speaks for a second, pauses, and is understood; time stops when the turn is committed.
    pub(crate) fn say(&mut self, text: &str) {
        self.speak(1_000);
        self.understand(text);
    }

    pub(crate) fn speak(&mut self, length: u64) {
        self.input(Input::SpeechStarted { at: 0, began: self.now });
        if length >= 200 {
            self.pass(ms(200));
            self.input(Input::SpeechSustained);
            self.pass(ms(length - 200));
        } else {
            self.pass(ms(length));
        }
        let ended = self.now;
        self.pass(ms(200));
        self.input(Input::SpeechEnded { to: 8_000, ended });
    }

    pub(crate) fn understand(&mut self, text: &str) {
        let (turn, _, to) = *self.transcribe.last().expect("the core asked for the words");
        let (covers, confidence) = (Covers::WholeTurn, Some(0.9));
        self.input(Input::Transcript { turn, to, text: text.into(), confidence, covers });
        self.pass(ms(300));
        // What was said may need a longer silence than most.
        while let Some((due, "endpoint")) = self.core.poll_timeout() {
            self.pass(due - self.now);
        }
    }

    pub(crate) fn responses(&self) -> Vec<&Response> {
        self.notes
            .iter()
            .filter_map(|note| if let Note::AgentResponse(response) = note { Some(response) } else { None })
            .collect()
    }

    pub(crate) fn last_text(&self) -> String {
        let id = self.spoken.last().unwrap().0;
        self.spoken
            .iter()
            .filter(|(utterance, ..)| *utterance == id)
            .map(|(.., text)| text.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }

    pub(crate) fn slots(&self) -> serde_json::Map<String, serde_json::Value> {
        self.brain.extracted(self.core.state().unwrap())
    }

    /// The caller begins to speak, and has spoken for 200 ms.
    pub(crate) fn begin(&mut self) {
        self.input(Input::SpeechStarted { at: 0, began: self.now });
        self.pass(ms(200));
        self.input(Input::SpeechSustained);
    }

    /// The caller's speech ends; the detector says so 200 ms later.
    pub(crate) fn end(&mut self, to: u64) {
        let ended = self.now;
        self.pass(ms(200));
        self.input(Input::SpeechEnded { to, ended });
    }

    /// The recogniser answers what it was asked last.
    pub(crate) fn words(&mut self, text: &str) {
        let (turn, _, to) = *self.transcribe.last().expect("the core asked for the words");
        self.answered(turn, to, text, Covers::WholeTurn);
    }

    /// The recogniser answers.
    pub(crate) fn answered(&mut self, turn: TurnId, to: u64, text: &str, covers: Covers) {
        self.input(Input::Transcript { turn, to, text: text.into(), confidence: Some(0.9), covers });
    }

    /// The caller's turns on record.
    pub(crate) fn turns(&self) -> Vec<(u32, String)> {
        let turn = |note: &Note| match note {
            Note::UserTurn(turn) => Some((turn.turn.0, turn.text.clone())),
            _ => None,
        };
        self.notes.iter().filter_map(turn).collect()
    }
}

/// Whatever a test was about: its call can be run again from its journal.
impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let journal = Journal::read(&self.tape.journal(false)).expect("it was written just now");
        let run = journal::replay(&journal, self.now + Duration::from_secs(86_400));
        assert_eq!(run.divergence, None);
        assert!(run.inputs > 0);
        assert_eq!(journal.closing() == Closing::Ended, !self.ended.is_empty());
    }
}
