//! Runs that never happened, for the checks' own tests: an agent that says words at a word a second, and a caller.

use std::time::Duration;

use tandem_domain::ids::{BusinessId, CallId, ConversationId, UtteranceId};
use tandem_domain::record::{AgentResponse, CallEnded, CallStarted, Direction, EndReason, Record, TimelineEvent};
use tandem_peers::carrier::FRAME_SAMPLES;
use tandem_peers::voice::{Heard, speak};

use crate::exchange::Overheard;
use crate::line::Over;
use crate::run::{Alive, Go, Run};
use crate::{Case, Tape};

const WORD: Duration = Duration::from_millis(1_000);
const WORD_SAMPLES: usize = 8_000;

/// A run under construction.
pub(crate) struct MadeUp {
    tape: Tape,
    heard: Vec<Heard>,
    goes: Vec<Go>,
    overheard: Vec<(Duration, Overheard)>,
    floor: Vec<(Duration, Duration)>,
    responses: Vec<AgentResponse>,
    /// Kinds of events, and when.
    events: Vec<(&'static str, Duration)>,
}

pub(crate) fn made_up() -> MadeUp {
    MadeUp {
        tape: Tape::default(),
        heard: vec![],
        goes: vec![],
        overheard: vec![],
        floor: vec![],
        responses: vec![],
        events: vec![],
    }
}

impl MadeUp {
    fn now(&self) -> Duration {
        self.tape.at(self.tape.ear.len() as u64)
    }

    fn sound(&mut self, length: Duration, agent: bool) {
        let frames = (length.as_millis() / 20) as usize;
        let level = if agent { 3_000 } else { 0 };
        self.tape.ear.resize(self.tape.ear.len() + frames * 160, level);
        self.tape.agent_samples.resize(self.tape.agent_samples.len() + frames, if agent { 160 } else { 0 });
    }

    fn word(&mut self, text: &str) {
        let start = self.tape.ear.len() as u64;
        self.heard.push(Heard { text: text.into(), start, end: start + WORD_SAMPLES as u64 / 2 });
        self.sound(WORD, true);
    }

    pub(crate) fn says(self, text: &str) -> Self {
        self.says_but(text, text)
    }

    /// An utterance of which only the beginning is heard.
    pub(crate) fn says_but(mut self, text: &str, heard: &str) -> Self {
        heard.split(' ').for_each(|word| self.word(word));
        let row = response(self.responses.len() as u32 + 1, text, heard);
        self.responses.push(row);
        if text != heard {
            self.sound(Duration::from_millis(200), false);
        }
        self
    }

    /// An utterance with a silence in its middle.
    pub(crate) fn says_with_stall(mut self, text: &str, stall: Duration) -> Self {
        for (index, word) in text.split(' ').enumerate() {
            if index == 2 {
                self.sound(stall, false);
            }
            self.word(word);
        }
        let row = response(self.responses.len() as u32 + 1, text, text);
        self.responses.push(row);
        self
    }

    /// The voice is cleared right behind its last word; the record says that it went on, or does not.
    pub(crate) fn held(mut self, resumed: bool) -> Self {
        let last = self.heard.last().map_or(0, |word| word.start as usize + speak(&word.text).len());
        let frames = (last / FRAME_SAMPLES).min(self.tape.agent_samples.len());
        self.tape.ear.truncate(frames * FRAME_SAMPLES);
        self.tape.agent_samples.truncate(frames);
        self.tape.clears.push(frames);
        let held = self.pause(Duration::from_millis(400));
        let now = held.now();
        if resumed { held.noted("resumed", now) } else { held }
    }

    /// The timeline has this event.
    pub(crate) fn noted(mut self, kind: &'static str, at: Duration) -> Self {
        self.events.push((kind, at));
        self
    }

    /// The utterance is given up.
    pub(crate) fn cut(self) -> Self {
        let now = self.now();
        self.noted("interruption", now)
    }

    /// The last utterance goes on with these words; so it is on record.
    pub(crate) fn says_on(mut self, words: &str, whole: &str) -> Self {
        words.split(' ').for_each(|word| self.word(word));
        let number = self.responses.len() as u32;
        self.responses.pop();
        self.responses.push(response(number, whole, whole));
        self
    }

    pub(crate) fn pause(mut self, length: Duration) -> Self {
        self.sound(length, false);
        self
    }

    /// The caller speaks, and the recogniser has words or is asked in vain.
    pub(crate) fn caller(mut self, length: Duration, words: bool) -> Self {
        let began = self.now();
        self.sound(length, false);
        let ended = self.now();
        self.goes.push(Go { said: "hello".into(), began, ended, over_agent: false, spoken: true });
        self.overheard.push((ended, Overheard::Finalize { began, ended }));
        if words {
            self.overheard.push((ended, Overheard::Final { words: true }));
        }
        self
    }

    /// The caller began that long before the agent fell silent, and goes on for three seconds.
    pub(crate) fn interrupted_after(mut self, took: Duration) -> Self {
        let silent = self.now() - Duration::from_millis(200);
        let (began, ended) = (silent - took, silent + Duration::from_secs(3));
        self.goes.push(Go { said: "hello".into(), began, ended, over_agent: true, spoken: true });
        self.floor.push((began, ended));
        self.sound(Duration::from_secs(3), false);
        self
    }

    pub(crate) fn run(self) -> Run {
        let over = (self.now(), Over::SwitchClosed);
        let ids = (CallId(uuid::Uuid::nil()), ConversationId(uuid::Uuid::nil()));
        let mut records = vec![started(ids)];
        records.extend(self.events.into_iter().zip(1..).map(event));
        records.extend(self.responses.into_iter().map(Record::AgentResponse));
        records.push(Record::Ended(CallEnded {
            call: ids.0,
            business: BusinessId::FIRST,
            reason: EndReason::Completed,
            detail: String::new(),
            duration: over.0,
            outcome: None,
            at: Default::default(),
        }));
        Run {
            case: Case::named("pipecat_366_clear_on_bargein")
                .map(|case| Case { holds: Vec::new(), ..case })
                .expect("it is there"),
            digest: crate::run::digest(&self.tape, &records),
            tape: self.tape,
            heard: self.heard,
            goes: self.goes,
            overheard: self.overheard,
            recognisers: vec![],
            records,
            over,
            floor: self.floor,
            recording: None,
            saved: None,
            many: None,
            ways: (Duration::ZERO, Duration::ZERO),
            playback: Default::default(),
            before: Alive::default(),
            after: Alive::default(),
        }
    }
}

/// Rewrites what the record claims of an utterance that was cut or not, as it was.
pub(crate) fn claim(run: &mut Run, utterance: usize, heard: &str) {
    let mut responses = run.records.iter_mut().filter_map(|record| match record {
        Record::AgentResponse(response) => Some(response),
        _ => None,
    });
    let Some(response) = responses.nth(utterance) else { panic!("no utterance {utterance}") };
    response.heard = heard.into();
}

fn response(number: u32, text: &str, heard: &str) -> AgentResponse {
    AgentResponse {
        conversation: ConversationId(uuid::Uuid::nil()),
        business: BusinessId::FIRST,
        utterance: UtteranceId(number),
        turn: None,
        text: text.into(),
        heard: heard.into(),
        interrupted: text != heard,
        llm_provider: "rules".into(),
        tts_provider: "fake".into(),
        voice: String::new(),
        language: "en".into(),
        latency: None,
        stages: Vec::new(),
        at: Default::default(),
    }
}

fn event(((kind, since_start), index): ((&'static str, Duration), u32)) -> Record {
    Record::Event(TimelineEvent {
        call: CallId(uuid::Uuid::nil()),
        business: BusinessId::FIRST,
        index,
        since_start,
        kind,
        data: serde_json::json!({ "detail": "" }),
    })
}

fn started((call, conversation): (CallId, ConversationId)) -> Record {
    Record::Started(CallStarted {
        call,
        conversation,
        business: BusinessId::FIRST,
        agent: None,
        agent_version: None,
        call_sid: "CA1".into(),
        stream_sid: "MZ1".into(),
        provider: "twilio".into(),
        direction: Direction::Inbound,
        from: None,
        to: None,
        parameters: Default::default(),
        at: Default::default(),
    })
}
