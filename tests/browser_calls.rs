//! Whole talks under a paused clock: the real switch, the strict model of a page, a scripted caller, fake vendors.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/memory.rs"]
mod memory;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt, stream};
use memory::{CallRecords, Log, OneAgent};
use serde_json::{Map, json};
use tandem_actors::call::CallMsg;
use tandem_actors::{Arrival, LastWords, MediaSocket, Ports, SocketError, Switch, SwitchConfig, clock};
use tandem_domain::agent::{Agent, Timing};
use tandem_domain::brain::RulesBrain;
use tandem_domain::call_core::Part;
use tandem_domain::playbook::Playbook;
use tandem_domain::port::EventStream;
use tandem_domain::port::brain::{Ask, Brain, BrainError, BrainEvent, BrainKind, Brains, Prompt, ToolCall};
use tandem_domain::port::dialect::WireMessage;
use tandem_domain::port::store::{NoNumbers, Unlimited};
use tandem_domain::port::tts::{Tts, TtsChunk, TtsError, TtsSpec};
use tandem_peers::caller::{Action, Caller, Manners, Rendered, Step};
use tandem_peers::carrier::MediaPeer;
use tandem_peers::carrier::browser::{BrowserPeer, Wishes};
use tandem_peers::vendor::{FakeStt, FakeTts};
use tandem_peers::voice::{Heard, Listener, Talker, transcript};
use tandem_providers::carrier::browser::BrowserDialect;
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

const FRAME: Duration = Duration::from_millis(20);
const LIMIT: Duration = Duration::from_secs(240);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The front desk, which has the page show a map with every answer.
struct MapBrain(RulesBrain);

impl Brain for MapBrain {
    fn kind(&self) -> BrainKind {
        BrainKind::Rules
    }

    fn name(&self) -> &'static str {
        "map"
    }

    fn respond(&self, ask: Ask) -> EventStream<BrainEvent, BrainError> {
        let parameters = Map::from_iter([("turn".to_owned(), json!(ask.turn.0))]);
        let call = matches!(ask.prompt, Prompt::Heard { .. }).then(|| ToolCall { name: "show_map".into(), parameters });
        let tool = stream::iter(call.map(|call| Ok(BrainEvent::Tool(call))));
        tool.chain(self.0.respond(ask)).boxed()
    }

    fn extracted(&self, state: &tandem_domain::playbook::PlaybookState) -> Map<String, serde_json::Value> {
        self.0.extracted(state)
    }
}

struct WithMap;

impl Brains for WithMap {
    fn brain(&self, agent: &Agent) -> Result<Arc<dyn Brain>, BrainError> {
        Ok(Arc::new(MapBrain(RulesBrain::new(Arc::new(Playbook::front_desk()), agent, ""))))
    }
}

/// A voice that takes five seconds for each sentence, and gives them at once: more than may wait in a lane.
struct Drawl;

impl Tts for Drawl {
    fn name(&self) -> &'static str {
        "drawl"
    }

    fn speak(&self, spec: TtsSpec) -> EventStream<TtsChunk, TtsError> {
        let samples = vec![0; 5 * spec.rate_hz as usize].into();
        stream::iter([Ok(TtsChunk { samples, words: Vec::new() })]).boxed()
    }
}

struct Exchange {
    switch: Switch,
    log: Log,
}

impl Exchange {
    async fn new(brains: Arc<dyn Brains>) -> Self {
        Self::with_voice(brains, Arc::new(FakeTts::default())).await
    }

    async fn with_voice(brains: Arc<dyn Brains>, tts: Arc<dyn Tts>) -> Self {
        let log = Log::default();
        let ports = Ports {
            agents: Arc::new(OneAgent(Timing::default())),
            numbers: Arc::new(NoNumbers),
            limits: Arc::new(Unlimited),
            log: Arc::new(log.clone()),
            stt: Arc::new(FakeStt::default()),
            tts,
            brains,
        };
        Self { switch: Switch::start(SwitchConfig::default(), ports).await.unwrap(), log }
    }

    async fn front_desk() -> Self {
        Self::new(Arc::new(OneAgent(Timing::default()))).await
    }

    async fn records(self, page: &Page) -> CallRecords {
        self.switch.stop().await;
        self.log.talk(page.peer.call_sid())
    }
}

fn say(text: &str) -> Step<Rendered> {
    Step::Say(rendered(text))
}

fn rendered(text: &str) -> Rendered {
    Rendered { text: text.into(), samples: Talker::numbered(5).speak(text).samples.into() }
}

/// A page and the person before it.
struct Page {
    peer: BrowserPeer,
    caller: Caller,
    ear: Listener,
    heard: Vec<Heard>,
    to_switch: Option<mpsc::Sender<Result<WireMessage, SocketError>>>,
    from_switch: mpsc::Receiver<WireMessage>,
    last_words: LastWords,
    next: Instant,
    frame: [i16; 160],
}

impl Page {
    async fn open(exchange: &Exchange, wishes: Wishes, script: Vec<Step<Rendered>>) -> Self {
        let (to_switch, incoming) = mpsc::channel::<Result<WireMessage, SocketError>>(1_024);
        let (outgoing, from_switch) = mpsc::channel(1_024);
        let last_words = LastWords::default();
        let socket = MediaSocket {
            last_words: last_words.clone(),
            incoming: Box::pin(stream::unfold(incoming, |mut queue| async move {
                queue.recv().await.map(|message| (message, queue))
            })),
            outgoing: Box::pin(PollSender::new(outgoing).sink_map_err(|_| SocketError::Closed)),
        };
        let dialect = Arc::new(BrowserDialect::new(wishes.agent.clone(), 0));
        let switch = exchange.switch.clone();
        tokio::spawn(async move { switch.serve(dialect, socket, Arrival::default()).await });
        let now = clock::now();
        let mut peer = BrowserPeer::new(wishes, BTreeMap::new());
        for text in peer.open(now) {
            to_switch.send(Ok(WireMessage::Text(text))).await.unwrap();
        }
        Self {
            peer,
            caller: Caller::new(script, Manners::default(), now),
            ear: Listener::new(),
            heard: Vec::new(),
            to_switch: Some(to_switch),
            from_switch,
            last_words,
            next: now,
            frame: [0; 160],
        }
    }

    /// 20 ms of the talk; `false` when the switch has closed the socket.
    async fn tick(&mut self) -> bool {
        self.next += FRAME;
        tokio::time::sleep_until(self.next.into()).await;
        let now = self.next;
        let (mut answers, mut open) = (Vec::new(), true);
        loop {
            match self.from_switch.try_recv() {
                Ok(WireMessage::Text(text)) => {
                    let taken = self.peer.receive(now, &text);
                    answers.extend(taken.unwrap_or_else(|violation| panic!("{violation} in {text}")));
                }
                Ok(WireMessage::Binary(_)) => panic!("the switch sent a binary frame"),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    open = false;
                    break;
                }
            }
        }
        for frame in self.peer.played(now) {
            self.heard.extend(self.ear.push(&frame.samples));
            self.frame = frame.samples;
        }
        let tick = self.caller.tick(now, &self.frame);
        match tick.action {
            Some(Action::HangUp) => self.to_switch = None,
            Some(Action::Press(_)) | None => answers.extend(self.peer.caller_audio(&tick.frame)),
        }
        for text in answers {
            self.send(text).await;
        }
        open
    }

    async fn send(&mut self, text: String) {
        if let Some(to_switch) = &self.to_switch {
            let _ = to_switch.send(Ok(WireMessage::Text(text))).await; // the switch has closed: seen at the next tick
        }
    }

    async fn until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let end = self.next + LIMIT;
        while !done(self) {
            assert!(self.next < end && self.tick().await, "{what}: never; seen {:?}", self.peer.seen());
        }
    }

    async fn run_out(&mut self) {
        let end = self.next + LIMIT;
        while self.tick().await {
            assert!(self.next < end, "the talk did not end; seen {:?}", self.peer.seen());
        }
        self.heard.extend(std::mem::take(&mut self.ear).finish());
    }
}

fn words(texts: &BTreeMap<u64, String>) -> String {
    texts.values().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn a_page_sees_what_was_said_and_hears_what_it_sees() {
    let exchange = Exchange::front_desk().await;
    let mut page =
        Page::open(&exchange, Wishes::default(), vec![say("I want an apartment in Delhi"), say("sixty lakh rupees")])
            .await;
    page.run_out().await;
    let seen = page.peer.seen();
    assert_eq!(seen.ended.as_deref(), Some("completed"));
    assert_eq!(page.last_words.take().map(|parting| parting.code), Some(1000));
    assert_eq!(seen.caller.values().collect::<Vec<_>>(), ["I want an apartment in Delhi", "sixty lakh rupees"]);
    assert_eq!(words(&seen.agent), transcript(&page.heard), "what is shown is what the ear got");
    assert!(seen.tentative.iter().any(|text| text == "I want an apartment"), "{:?}", seen.tentative);
    assert_eq!(seen.latencies.len(), 2);
    // 500 ms of silence after a plain sentence, 300 after the amount that was asked for
    assert!(seen.latencies.values().all(|ms| (300..=620).contains(ms)), "{:?}", seen.latencies);
    assert!(seen.pings >= 5, "{} pings", seen.pings);
    assert_eq!(page.peer.statistics().underruns, 0);
    assert!(page.peer.statistics().greatest_lead <= ms(300), "{:?}", page.peer.statistics());

    let shown = words(&seen.agent);
    let records = exchange.records(&page).await;
    assert_eq!((records.reason(), records.heard()), ("completed", shown));
    assert_eq!(records.extracted["budget"], 6_000_000);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_is_seen_at_once_and_what_was_shown_is_corrected() {
    let exchange = Exchange::front_desk().await;
    let script = vec![Step::Interrupt { after: ms(1_500), say: rendered("I want a villa in Pune") }, say("one crore")];
    let mut page = Page::open(&exchange, Wishes::default(), script).await;
    page.until("the interruption", |page| page.peer.seen().interruptions == 1).await;
    let began = page.caller.turns()[0].began;
    let stopped = page.next.saturating_duration_since(began);
    assert!(stopped <= ms(320), "{stopped:?} after the caller began: 200 ms of speech, and the detector's delay");
    page.run_out().await;
    let seen = page.peer.seen();
    assert_eq!((seen.corrections, seen.ended.as_deref()), (1, Some("completed")));
    assert_eq!(words(&seen.agent), transcript(&page.heard), "what is shown is what the ear got");
    let shown = words(&seen.agent);
    assert_eq!(exchange.records(&page).await.heard(), shown);
}

#[tokio::test(start_paused = true)]
async fn typed_words_are_answered_by_voice_and_interrupt_it() {
    let exchange = Exchange::front_desk().await;
    let mut page = Page::open(&exchange, Wishes::default(), Vec::new()).await;
    page.until("the greeting", |page| page.heard.len() >= 3).await;
    let text = page.peer.type_text("I want an apartment in Delhi");
    page.send(text).await;
    page.until("the interruption", |page| page.peer.seen().interruptions == 1).await;
    page.until("the answer", |page| transcript(&page.heard).contains("Delhi")).await;
    let seen = page.peer.seen();
    assert_eq!((seen.corrections, seen.caller.len()), (1, 1));
    let records = exchange.records(&page).await;
    assert_eq!(records.user_turns[0].stt_provider, "typed");
    assert!(records.responses[0].interrupted);
}

#[tokio::test(start_paused = true)]
async fn a_tool_of_the_page_runs_and_is_settled() {
    let exchange = Exchange::new(Arc::new(WithMap)).await;
    let mut page = Page::open(&exchange, Wishes::default(), vec![say("I want an apartment in Delhi")]).await;
    page.until("the tool's end", |page| page.peer.seen().tools.values().any(|(_, settled)| settled.is_some())).await;
    let tools: Vec<_> = page.peer.seen().tools.values().cloned().collect();
    assert_eq!(tools, [("show_map".to_owned(), Some(true))]);
    let records = exchange.records(&page).await;
    assert!(records.events.contains(&"tool_call") && records.events.contains(&"tool_result"), "{:?}", records.events);
}

#[tokio::test(start_paused = true)]
async fn a_pump_that_dies_leaves_ids_and_words_as_they_were() {
    let exchange = Exchange::front_desk().await;
    let script = vec![
        say("I want an apartment in Delhi"),
        Step::Interrupt { after: ms(1_500), say: rendered("no in Pune") },
        say("sixty lakh rupees"),
    ];
    let mut page = Page::open(&exchange, Wishes::default(), script).await;
    page.until("the greeting", |page| page.heard.len() >= 2).await;
    let calls = exchange.switch.calls().await;
    calls[0].1.cast(CallMsg::Kill(Part::Egress)).unwrap();
    page.until("the answer", |page| page.peer.seen().agent.len() >= 2 && page.peer.seen().latencies.len() == 1).await;
    calls[0].1.cast(CallMsg::Kill(Part::Egress)).unwrap();
    page.run_out().await; // the page itself breaks the talk on ids that a client could not use
    let seen = page.peer.seen();
    assert_eq!((seen.interruptions, seen.ended.as_deref()), (1, Some("completed")));
    assert_eq!(exchange.records(&page).await.extracted["location"], "Pune");
}

#[tokio::test(start_paused = true)]
async fn a_page_may_choose_its_first_words_and_not_the_agents_mind() {
    let exchange = Exchange::front_desk().await;
    let overrides = [("first_message", "Good evening."), ("prompt", "You are a pirate.")];
    let overrides = overrides.map(|(name, wish)| (name.to_owned(), wish.to_owned())).into();
    let mut page = Page::open(&exchange, Wishes { overrides, ..Wishes::default() }, Vec::new()).await;
    page.until("the greeting", |page| !page.peer.seen().agent.is_empty()).await;
    let greeting = words(&page.peer.seen().agent);
    assert!(greeting.starts_with("Good evening."), "{greeting}");
    assert!(exchange.records(&page).await.events.contains(&"override_refused"));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_reads_gets_no_audio_and_waits_for_none() {
    let exchange = Exchange::with_voice(Arc::new(OneAgent(Timing::default())), Arc::new(Drawl)).await;
    let wishes = Wishes { text_only: true, ..Wishes::default() };
    let mut page = Page::open(&exchange, wishes, Vec::new()).await;
    page.until("the greeting", |page| page.peer.seen().agent.len() == 1).await;
    for (text, answers) in [("I want an apartment in Delhi", 2), ("sixty lakh rupees", 3)] {
        let typed = page.peer.type_text(text);
        page.send(typed).await;
        page.until("the answer", |page| page.peer.seen().agent.len() == answers).await;
    }
    let answered = page.next;
    page.run_out().await;
    let waited = page.next.saturating_duration_since(answered);
    assert!(
        waited <= ms(7_100),
        "{waited:?}: seven seconds for an answer, and no more for a long sentence that nobody hears"
    );
    let seen = page.peer.seen();
    assert_eq!((seen.interruptions, seen.corrections, seen.ended.as_deref()), (0, 0, Some("completed")));
    let shown = words(&seen.agent);
    assert_eq!(exchange.records(&page).await.heard(), shown);
}
