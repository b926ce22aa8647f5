//! A telephone line without a socket: a carrier's side (Twilio's, unless said) and its caller on one end, the switch on the other, under tokio's paused clock.
//!
//! Whole calls run in milliseconds and repeat exactly; what the caller hears is decoded word by word from the audio that arrived.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, stream};
use tandem_actors::call::CallMsg;
use tandem_actors::{Arrival, MediaSocket, Ports, SocketError, Switch, SwitchConfig, clock};
use tandem_domain::agent::Timing;
use tandem_domain::call_core::Part;
use tandem_domain::playbook::Playbook;
use tandem_domain::port::brain::Brains;
use tandem_domain::port::dialect::{Dialect, WireMessage};
use tandem_domain::port::store::{NoNumbers, Unlimited};
use tandem_peers::caller::{Action, Caller, Manners, Rendered, Step};
use tandem_peers::carrier::MediaPeer;
use tandem_peers::carrier::twilio::{TwilioIds, TwilioPeer};
use tandem_peers::vendor::{FakeStt, FakeTts};
use tandem_peers::voice::{Heard, Listener, Talker, transcript};
use tandem_providers::carrier::twilio::TwilioDialect;
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

use super::memory::{CallRecords, Log, OneAgent, Runs};

const FRAME: Duration = Duration::from_millis(20);

/// A switch with fake vendors and a store in memory.
pub struct Exchange {
    pub switch: Switch,
    pub log: Log,
}

#[derive(Default)]
pub struct Vendors {
    pub stt: FakeStt,
    pub tts: FakeTts,
}

impl Exchange {
    pub async fn new() -> Self {
        Self::with(Vendors::default(), Timing::default(), SwitchConfig { max_calls: 1_000, ..SwitchConfig::default() })
            .await
    }

    /// Its agent runs this playbook.
    pub async fn running(playbook: Playbook) -> Self {
        let config = SwitchConfig { max_calls: 1_000, ..SwitchConfig::default() };
        Self::start(Vendors::default(), Timing::default(), config, Arc::new(Runs(Arc::new(playbook)))).await
    }

    pub async fn with(vendors: Vendors, timing: Timing, config: SwitchConfig) -> Self {
        Self::start(vendors, timing, config, Arc::new(OneAgent(timing))).await
    }

    /// As [`Exchange::new`], with another outside world.
    pub async fn changed(config: SwitchConfig, change: impl FnOnce(&mut Ports)) -> Self {
        let timing = Timing::default();
        Self::start_with(Vendors::default(), timing, config, Arc::new(OneAgent(timing)), change).await
    }

    async fn start(vendors: Vendors, timing: Timing, config: SwitchConfig, brains: Arc<dyn Brains>) -> Self {
        Self::start_with(vendors, timing, config, brains, |_| {}).await
    }

    async fn start_with(
        vendors: Vendors,
        timing: Timing,
        config: SwitchConfig,
        brains: Arc<dyn Brains>,
        change: impl FnOnce(&mut Ports),
    ) -> Self {
        let log = Log::default();
        let mut ports = Ports {
            agents: Arc::new(OneAgent(timing)),
            numbers: Arc::new(NoNumbers),
            limits: Arc::new(Unlimited),
            log: Arc::new(log.clone()),
            stt: Arc::new(vendors.stt),
            tts: Arc::new(vendors.tts),
            brains,
        };
        change(&mut ports);
        Self { switch: Switch::start(config, ports).await.unwrap(), log }
    }

    /// Records reach the log by the scribe's task; they are there once the switch has stopped.
    pub async fn records<P: MediaPeer>(self, line: &Line<P>) -> CallRecords {
        self.switch.stop().await;
        self.log.call(line.peer.call_sid())
    }

    /// Kills a part of the line's call.
    pub async fn kill<P: MediaPeer>(&self, line: &Line<P>, part: Part) {
        let session = self.session(line).await;
        let calls = self.switch.calls().await;
        let (_, call) = calls.iter().find(|(id, _)| *id == session.call_id).expect("the call is live");
        call.cast(CallMsg::Kill(part)).unwrap();
    }

    pub async fn session<P: MediaPeer>(&self, line: &Line<P>) -> tandem_actors::call::SessionView {
        let sid = line.peer.call_sid();
        let sessions = self.switch.sessions().await;
        sessions.into_iter().find(|session| session.call_sid == sid).expect("the call is live")
    }
}

/// One call.
pub struct Line<P = TwilioPeer> {
    pub peer: P,
    pub caller: Caller,
    ear: Listener,
    /// Words that reached the caller's ear.
    pub heard: Vec<Heard>,
    /// Length of the present silence in the ear.
    pub quiet: Duration,
    /// Agent audio that reached the ear.
    pub agent_audio: Duration,
    to_switch: Option<mpsc::Sender<Result<WireMessage, SocketError>>>,
    from_switch: mpsc::Receiver<WireMessage>,
    next: Instant,
    frame: [i16; 160],
    pub closed: bool,
    /// What the caller said and what came to the ear since the call began, sample by sample.
    pub mouth_tape: Vec<i16>,
    pub ear_tape: Vec<i16>,
    /// While the line stalls, what the switch will get when it does no longer.
    stalled: Option<Vec<String>>,
}

/// A line of a script in the voice of caller `number`.
pub fn say(number: u64, text: &str) -> Step<Rendered> {
    Step::Say(rendered(number, text))
}

pub fn rendered(number: u64, text: &str) -> Rendered {
    Rendered { text: text.into(), samples: Talker::numbered(number).speak(text).samples.into() }
}

impl Line {
    /// Calls the exchange over Twilio; the call is served in a task of its own.
    pub async fn dial(exchange: &Exchange, number: u64, script: Vec<Step<Rendered>>) -> Self {
        let peer = TwilioPeer::new(TwilioIds::numbered(u128::from(number)), BTreeMap::new());
        Self::dial_as(exchange, vec![Arc::new(TwilioDialect::new(0))], peer, Arrival::default(), number, script).await
    }
}

impl<P: MediaPeer> Line<P> {
    /// As [`Line::dial`], over any carrier, to a door of any dialects.
    pub async fn dial_as(
        exchange: &Exchange,
        dialects: Vec<Arc<dyn Dialect>>,
        mut peer: P,
        arrival: Arrival,
        number: u64,
        script: Vec<Step<Rendered>>,
    ) -> Self {
        let (to_switch, incoming) = mpsc::channel::<Result<WireMessage, SocketError>>(1_024);
        let (outgoing, from_switch) = mpsc::channel(1_024);
        let socket = MediaSocket {
            last_words: Default::default(),
            incoming: Box::pin(stream::unfold(incoming, |mut queue| async move {
                queue.recv().await.map(|message| (message, queue))
            })),
            outgoing: Box::pin(PollSender::new(outgoing).sink_map_err(|_| SocketError::Closed)),
        };
        let switch = exchange.switch.clone();
        tokio::spawn(async move { switch.serve_any(&dialects, socket, arrival).await });
        let now = clock::now();
        for text in peer.open(now) {
            to_switch.send(Ok(WireMessage::Text(text))).await.unwrap();
        }
        Self {
            peer,
            caller: Caller::new(script, Manners { seed: number, ..Manners::default() }, now),
            ear: Listener::new(),
            heard: Vec::new(),
            quiet: Duration::ZERO,
            agent_audio: Duration::ZERO,
            to_switch: Some(to_switch),
            from_switch,
            next: now,
            frame: [0; 160],
            closed: false,
            mouth_tape: Vec::new(),
            ear_tape: Vec::new(),
            stalled: None,
        }
    }

    /// What has come from the switch by now, and the peer's answers to it.
    fn receive(&mut self, now: Instant) -> Vec<String> {
        let mut answers = self.peer.handle_timeout(now);
        loop {
            match self.from_switch.try_recv() {
                Ok(WireMessage::Text(text)) => {
                    answers.extend(
                        self.peer
                            .receive(now, &text)
                            .unwrap_or_else(|violation| panic!("the switch broke the protocol: {violation}")),
                    );
                }
                Ok(WireMessage::Binary(_)) => panic!("the switch sent a binary frame"),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.closed = true;
                    break;
                }
            }
        }
        answers
    }

    /// Looks a little after a frame what the switch made of it, for those who want to know when something came to less than a frame.
    #[allow(dead_code)] // not every test asks so closely
    pub async fn look(&mut self, after: Duration) {
        let now = self.next + after;
        tokio::time::sleep_until(now.into()).await;
        let answers = self.receive(now);
        self.send(answers).await;
    }

    /// 20 ms of the call; `false` when the switch has closed the line.
    pub async fn tick(&mut self) -> bool {
        self.next += FRAME;
        tokio::time::sleep_until(self.next.into()).await;
        let now = self.next;
        let mut answers = self.receive(now);
        for frame in self.peer.played(now) {
            self.heard.extend(self.ear.push(&frame.samples));
            self.quiet = if frame.agent_samples > 0 { Duration::ZERO } else { self.quiet + FRAME };
            self.agent_audio += if frame.agent_samples > 0 { FRAME } else { Duration::ZERO };
            self.frame = frame.samples;
            self.ear_tape.extend(frame.samples);
        }
        let tick = self.caller.tick(now, &self.frame);
        match tick.action {
            Some(Action::Press(digit)) => answers.push(self.peer.dtmf(digit)),
            Some(Action::HangUp) => {
                answers.push(self.peer.stop(now));
                self.send(answers).await;
                self.to_switch = None;
                return !self.closed;
            }
            None => {
                self.mouth_tape.extend(tick.frame);
                answers.extend(self.peer.caller_audio(&tick.frame));
            }
        }
        self.send(answers).await;
        !self.closed
    }

    /// From now on nothing reaches the switch.
    pub fn stall(&mut self) {
        self.stalled = Some(Vec::new());
    }

    /// All that was sent reaches the switch at once.
    pub async fn burst(&mut self) {
        let texts = self.stalled.take().unwrap_or_default();
        self.send(texts).await;
    }

    async fn send(&mut self, texts: Vec<String>) {
        if let Some(stalled) = &mut self.stalled {
            return stalled.extend(texts);
        }
        if let Some(to_switch) = &self.to_switch {
            for text in texts {
                let _ = to_switch.send(Ok(WireMessage::Text(text))).await; // the switch has closed: seen at the next tick
            }
        }
    }

    /// Sends a raw message.
    pub async fn send_raw(&mut self, message: Result<WireMessage, SocketError>) {
        if let Some(to_switch) = &self.to_switch {
            let _ = to_switch.send(message).await;
        }
    }

    /// Ticks until `done` says so.
    pub async fn until(&mut self, what: &str, limit: Duration, mut done: impl FnMut(&Self) -> bool) {
        let end = self.next + limit;
        while !done(self) {
            assert!(self.next < end, "{what}: not within {limit:?}; heard {:?}", transcript(&self.heard));
            assert!(
                self.tick().await || done(self),
                "{what}: the line was closed; heard {:?}",
                transcript(&self.heard)
            );
        }
    }

    /// Ticks until the switch closes the line.
    pub async fn run_out(&mut self, limit: Duration) {
        let end = self.next + limit;
        while self.tick().await {
            assert!(self.next < end, "the call did not end within {limit:?}; heard {:?}", transcript(&self.heard));
        }
        let ear = std::mem::take(&mut self.ear);
        self.heard.extend(ear.finish());
    }

    pub fn transcript(&self) -> String {
        transcript(&self.heard)
    }
}
