//! The switch, as the program sees it: sockets in, calls run, records out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::SinkExt;
use ractor::{Actor, ActorRef, rpc::CallResult};
use tandem_domain::agent::Agent;
use tandem_domain::ids::{BusinessId, CallId, ConversationId};
use tandem_domain::port::brain::{Brain, Brains};
use tandem_domain::port::dialect::{Dialect, LegStart};
use tandem_domain::port::store::{AgentStore, CallLog, RowKey};
use tandem_domain::port::stt::Stt;
use tandem_domain::port::tts::Tts;
use tandem_domain::record::{BROWSER, CallEnded, CallStarted, Direction, EndReason, Record};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{info, warn};
use uuid::Uuid;

use crate::call::{self, CallMsg, SessionView};
use crate::flood::MessageBudget;
use crate::leg::media_ws::doorstep;
use crate::overrides;
use crate::scribe::Scribe;
use crate::socket::{MediaSocket, Outgoing};
use crate::switchboard::{self, Admitted, Refused, Switchboard, SwitchboardMsg};
use crate::{clock, metrics as meter};

/// Stream parameters that name the agent, in order of preference (api-inventory R3).
const AGENT_PARAMETERS: [&str; 5] = ["agent", "agent_name", "agent_id", "agent_config_id", "bot_id"];
/// A caller hears nothing while the store is asked for the agent.
const ANSWERER_LIMIT: Duration = Duration::from_secs(3);
/// An actor that does not answer in this time is left out of an answer.
const ASK_LIMIT: Duration = Duration::from_secs(1);
/// Time for goodbyes once the drain limit is reached.
const GOODBYE_LIMIT: Duration = Duration::from_secs(10);
/// Time for the last records to reach the database.
const FLUSH_LIMIT: Duration = Duration::from_secs(10);
/// Time to close a socket that never became a call.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// Limits and defaults of the switch.
#[derive(Debug, Clone, PartialEq)]
pub struct SwitchConfig {
    /// Calls at once, at most (`MAX_CONCURRENT_CALLS`).
    pub max_calls: usize,
    /// A socket on which no stream starts for this long is closed.
    pub start_timeout: Duration,
    /// A connection on which nothing comes for this long is dead.
    pub media_timeout: Duration,
    /// Owner of the calls that come in.
    pub business: BusinessId,
    /// Who answers where nothing else is said (`DEFAULT_AGENT`).
    pub default_agent: String,
    /// Messages that a far end may send in a second; bursts of twice as many.
    pub max_messages_per_second: u32,
}

impl Default for SwitchConfig {
    fn default() -> Self {
        Self {
            max_calls: 10,
            start_timeout: Duration::from_secs(10),
            media_timeout: Duration::from_secs(20),
            business: BusinessId::FIRST,
            default_agent: "front-desk".into(),
            max_messages_per_second: 200,
        }
    }
}

/// The outside world.
#[derive(Clone)]
pub struct Ports {
    /// Agents.
    pub agents: Arc<dyn AgentStore>,
    /// Where records go.
    pub log: Arc<dyn CallLog>,
    /// The recogniser.
    pub stt: Arc<dyn Stt>,
    /// The voice.
    pub tts: Arc<dyn Tts>,
    /// The agents' brains.
    pub brains: Arc<dyn Brains>,
}

/// How a socket came to us.
#[derive(Debug, Clone, Default)]
pub struct Arrival {
    /// The id in the path, where there is one.
    pub path_id: Option<String>,
    /// The peer's address.
    pub peer: Option<SocketAddr>,
}

/// Why the switch could not start.
#[derive(Debug, thiserror::Error)]
#[error("the switchboard could not start: {0}")]
pub struct StartError(String);

/// A running switch. Cheap to clone.
#[derive(Clone)]
pub struct Switch {
    inner: Arc<Inner>,
}

struct Inner {
    config: SwitchConfig,
    ports: Ports,
    board: ActorRef<SwitchboardMsg>,
    scribe: std::sync::Mutex<Option<Scribe>>,
    writer: std::sync::Mutex<Option<JoinHandle<()>>>,
    draining: AtomicBool,
}

impl Switch {
    /// Starts the switchboard and the writer of records.
    pub async fn start(config: SwitchConfig, ports: Ports) -> Result<Self, StartError> {
        let (scribe, writer) = Scribe::start(Arc::clone(&ports.log));
        let args = switchboard::Args { max_calls: config.max_calls, scribe: scribe.clone() };
        let (board, _) = Actor::spawn(None, Switchboard, args).await.map_err(|error| StartError(error.to_string()))?;
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                ports,
                board,
                scribe: std::sync::Mutex::new(Some(scribe)),
                writer: std::sync::Mutex::new(Some(writer)),
                draining: AtomicBool::new(false),
            }),
        })
    }

    /// Serves one accepted media socket to its end.
    pub async fn serve(&self, dialect: Arc<dyn Dialect>, mut socket: MediaSocket, arrival: Arrival) {
        let config = &self.inner.config;
        let carrier = dialect.capabilities().carrier;
        metrics::counter!(meter::CALL_ATTEMPTS, "direction" => "inbound", "carrier" => carrier).increment(1);
        let (mut decoder, mut budget) =
            (dialect.decoder(), MessageBudget::new(clock::now(), config.max_messages_per_second));
        let began = clock::now();
        let mut start = match doorstep(&mut socket.incoming, decoder.as_mut(), &mut budget, config.start_timeout).await
        {
            Ok(start) => start,
            Err(reason) => {
                let elapsed = clock::now().saturating_duration_since(began);
                socket.last_words.say(dialect.parting(&reason));
                self.turned_away(carrier, &LegStart::default(), &arrival, reason, elapsed);
                return close(socket.outgoing).await;
            }
        };
        if let Some(path_id) = &arrival.path_id {
            start.parameters.entry("path_id".to_owned()).or_insert_with(|| path_id.clone());
        }
        let screen = dialect.agreed(&start).notices;
        let answerer = timeout(ANSWERER_LIMIT, self.answerer(&start, screen)).await;
        let Answerer { agent, brain, refused_overrides } =
            match answerer.unwrap_or_else(|_| Err("the store does not answer".to_owned())) {
                Ok(found) => found,
                Err(detail) => {
                    warn!(carrier, %detail, "no agent answers this call");
                    socket.last_words.say(dialect.parting(&EndReason::NoAgent));
                    self.turned_away(carrier, &start, &arrival, EndReason::NoAgent, Duration::ZERO);
                    return close(socket.outgoing).await;
                }
            };
        let Some(scribe) = self.scribe() else { return close(socket.outgoing).await };
        let (call, conversation) = ids(carrier);
        let (parting, last_words) = (dialect.parting(&EndReason::Refused), socket.last_words.clone());
        let args = call::Args {
            call,
            conversation,
            agent,
            brain,
            start: start.clone(),
            dialect,
            decoder,
            socket,
            budget,
            media_timeout: config.media_timeout,
            stt: Arc::clone(&self.inner.ports.stt),
            tts: Arc::clone(&self.inner.ports.tts),
            scribe,
            refused_overrides,
        };
        match self.admit(args).await {
            Ok(admitted) => {
                let _ = admitted.over.await; // an error means that the switchboard is gone, and the call with it
            }
            Err(refused) => {
                last_words.say(parting);
                self.turned_away(carrier, &start, &arrival, refused.reason, Duration::ZERO);
                if let Some(args) = refused.args {
                    close(args.socket.outgoing).await;
                }
            }
        }
    }

    async fn admit(&self, args: call::Args) -> Result<Admitted, Box<Refused>> {
        match self.inner.board.call(|reply| SwitchboardMsg::Admit(Box::new(args), reply), None).await {
            Ok(CallResult::Success(answer)) => answer,
            _ => Err(Box::new(Refused { reason: EndReason::Refused, args: None })),
        }
    }

    /// Who answers: a parameter of the stream, else the default agent; and as what, if the far end may choose.
    async fn answerer(&self, start: &LegStart, may_choose: bool) -> Result<Answerer, String> {
        let Inner { config, ports, .. } = self.inner.as_ref();
        let named =
            AGENT_PARAMETERS.iter().find_map(|name| start.parameters.get(*name)).filter(|name| !name.is_empty());
        let key = named.unwrap_or(&config.default_agent);
        let agent = ports.agents.agent(config.business, RowKey::parse(key)).await.map_err(|error| error.to_string())?;
        let mut agent = agent.ok_or_else(|| format!("no agent is called {key:?}"))?;
        let refused_overrides = if may_choose { overrides::apply(&mut agent, &start.parameters) } else { Vec::new() };
        let brain = ports.brains.brain(&agent).map_err(|error| error.to_string())?;
        Ok(Answerer { agent, brain, refused_overrides })
    }

    /// Leaves the record of a socket that never became a call.
    fn turned_away(
        &self,
        carrier: &'static str,
        start: &LegStart,
        arrival: &Arrival,
        reason: EndReason,
        duration: Duration,
    ) {
        info!(carrier, reason = reason.as_str(), peer = ?arrival.peer, "socket turned away");
        meter::call_ended(carrier, &reason, duration);
        let Some(scribe) = self.scribe() else { return };
        let ((call, conversation), business, at) = (ids(carrier), self.inner.config.business, clock::utc());
        let detail = if let EndReason::Breach(breach) = &reason { breach.to_string() } else { String::new() };
        scribe.write(Record::Started(CallStarted {
            call,
            conversation,
            business,
            agent: None,
            call_sid: if start.carrier_call_id.is_empty() {
                arrival.path_id.clone().unwrap_or_default()
            } else {
                start.carrier_call_id.clone()
            },
            stream_sid: start.stream_id.clone(),
            provider: carrier.to_owned(),
            direction: Direction::Inbound,
            from: start.from.clone(),
            to: start.to.clone(),
            parameters: start.parameters.clone(),
            at,
        }));
        scribe.write(Record::Ended(CallEnded { call, business, reason, detail, duration, outcome: None, at }));
    }

    /// All live calls, oldest first. A call that does not answer in time is left out.
    pub async fn sessions(&self) -> Vec<SessionView> {
        let asked = self.calls().await.into_iter().map(|(_, call)| async move {
            match call.call(CallMsg::Inspect, Some(ASK_LIMIT)).await {
                Ok(CallResult::Success(view)) => Some(view),
                _ => None,
            }
        });
        futures_util::future::join_all(asked).await.into_iter().flatten().collect()
    }

    /// The live calls' actors: for tests of supervision.
    pub async fn calls(&self) -> Vec<(CallId, ActorRef<CallMsg>)> {
        match self.inner.board.call(SwitchboardMsg::Calls, Some(ASK_LIMIT)).await {
            Ok(CallResult::Success(calls)) => calls,
            _ => Vec::new(),
        }
    }

    /// Whether new calls are refused.
    pub fn draining(&self) -> bool {
        self.inner.draining.load(Ordering::Relaxed)
    }

    /// Refuses new calls from now on; see [`Self::drain`].
    pub fn close(&self) {
        self.inner.draining.store(true, Ordering::Relaxed);
    }

    /// Takes no new call and returns when the last one has ended: by itself, or by a polite goodbye at the limit.
    pub async fn drain(&self, limit: Duration) {
        self.close();
        let board = &self.inner.board;
        if timeout(limit, board.call(SwitchboardMsg::Drain, None)).await.is_ok() {
            return;
        }
        warn!("drain limit reached, saying goodbye in the calls that are left");
        let _ = board.cast(SwitchboardMsg::DismissAll(EndReason::Drained)); // gone: nothing to drain
        let _ = timeout(GOODBYE_LIMIT, board.call(SwitchboardMsg::Drain, None)).await;
    }

    /// Ends everything at once, and waits until the records are written.
    pub async fn stop(&self) {
        self.close();
        let board = &self.inner.board;
        let _ = board.cast(SwitchboardMsg::EndAll(EndReason::Drained)); // gone: nothing to end
        let _ = timeout(CLOSE_LIMIT * 2, board.call(SwitchboardMsg::Drain, None)).await; // the rest is cut off
        board.stop(None);
        if board.wait(Some(CLOSE_LIMIT)).await.is_err() {
            board.kill();
        }
        self.take_scribe();
        let writer = lock(&self.inner.writer).take();
        if let Some(writer) = writer
            && timeout(FLUSH_LIMIT, writer).await.is_err()
        {
            warn!("the last records did not reach the database in time");
        }
    }

    fn scribe(&self) -> Option<Scribe> {
        lock(&self.inner.scribe).clone()
    }

    fn take_scribe(&self) {
        lock(&self.inner.scribe).take();
    }
}

/// Who answers a call.
struct Answerer {
    agent: Agent,
    brain: Arc<dyn Brain>,
    /// What the far end wanted to choose of the agent and may not.
    refused_overrides: Vec<String>,
}

/// Fresh ids. A talk in the browser has no call session (R5), so its one row goes by one id.
fn ids(carrier: &str) -> (CallId, ConversationId) {
    let call = Uuid::now_v7();
    (CallId(call), ConversationId(if carrier == BROWSER { call } else { Uuid::now_v7() }))
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Closes a socket that has no leg.
async fn close(mut outgoing: Outgoing) {
    let _ = timeout(CLOSE_LIMIT, outgoing.close()).await; // a peer that is gone needs no goodbye
}
