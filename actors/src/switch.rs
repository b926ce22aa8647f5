//! The switch, as the program sees it: sockets in, calls run, records out.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::SinkExt;
use ractor::{Actor, ActorRef, rpc::CallResult};
use tandem_domain::admission::Kind;
use tandem_domain::agent::Agent;
use tandem_domain::barge_in::Lists;
use tandem_domain::caller::Arriving;
use tandem_domain::ids::{BusinessId, CallId, ConversationId};
use tandem_domain::invitation::{Invitation, TooMany, Uninvited};
use tandem_domain::number::Region;
use tandem_domain::port::brain::{Brain, Brains};
use tandem_domain::port::dialect::{Dialect, LegStart};
use tandem_domain::port::store::{AgentStore, CallLog, LimitStore, NumberRoutes, RowKey};
use tandem_domain::port::stt::Stt;
use tandem_domain::port::tts::Tts;
use tandem_domain::reception::NumberAgents;
use tandem_domain::record::{BROWSER, Direction, EndReason};
use tandem_domain::zone::Zone;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::warn;
use uuid::Uuid;

use crate::call::end_of_turn::TurnJudge;
use crate::call::ingress::Hearing;
use crate::call::vad::VadEngine;
use crate::call::{self, CallMsg, SessionView};
use crate::flood::MessageBudget;
use crate::journals::{JournalKeeping, Journals};
use crate::leg::media_ws::{Begun, doorstep};
use crate::leg::mute::{MuteSockets, Place};
use crate::limits::{Asking, Limits, Permit};
use crate::overrides::{self, Granted};
use crate::recordings::{RecordingKeeping, Recordings};
use crate::scribe::{Journal, Scribe, SpoolView, SpoolWatch};
use crate::socket::{MediaSocket, Outgoing};
use crate::switchboard::{self, Admitted, Refused, Switchboard, SwitchboardMsg};
use crate::tap::Tap;
use crate::{clock, metrics as meter, steps};

mod arrival;
mod refusal;
mod route;

use arrival::Guests;
pub use arrival::{Arrival, DIRECTION_PARAMETER, TOKEN_PARAMETER};

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
    /// How callers are heard.
    pub hearing: Hearing,
    /// Owner of the calls that come in.
    pub business: BusinessId,
    /// Who answers where nothing else is said (`DEFAULT_AGENT`).
    pub default_agent: String,
    /// Who answers numbers that the store does not know (`NUMBER_AGENTS`).
    pub numbers: NumberAgents,
    /// Whose telephone numbers come without a country code (`DEFAULT_REGION`).
    pub region: Option<Region>,
    /// Where the days of a business begin that says nothing else (`TIMEZONE`).
    pub zone: Zone,
    /// Messages that a far end may send in a second; bursts of twice as many.
    pub max_messages_per_second: u32,
    /// Sockets of one address on which no stream has started.
    pub max_mute_per_address: u32,
    /// What decides what is speech.
    pub detector: VadEngine,
    /// What is asked whether a turn is complete; nothing by default.
    pub end_of_turn: TurnJudge,
    /// Words that callers say over an agent's voice, beside the built-in lists; none by default.
    pub lexicons: Lists,
    /// Who takes both directions of every call's audio; nobody by default.
    pub tap: Tap,
    /// Which calls' journals are kept.
    pub journals: JournalKeeping,
    /// Which calls are recorded.
    pub recordings: RecordingKeeping,
}

impl Default for SwitchConfig {
    fn default() -> Self {
        Self {
            max_calls: 10,
            start_timeout: Duration::from_secs(10),
            media_timeout: Duration::from_secs(20),
            hearing: Hearing::default(),
            business: BusinessId::FIRST,
            default_agent: "front-desk".into(),
            numbers: NumberAgents::default(),
            region: None,
            zone: Zone::default(),
            max_messages_per_second: 200,
            max_mute_per_address: 64,
            detector: VadEngine::default(),
            end_of_turn: TurnJudge::default(),
            lexicons: Lists::default(),
            tap: Tap::default(),
            journals: JournalKeeping::default(),
            recordings: RecordingKeeping::default(),
        }
    }
}

/// The outside world.
#[derive(Clone)]
pub struct Ports {
    /// Agents.
    pub agents: Arc<dyn AgentStore>,
    /// Who answers which of our numbers.
    pub numbers: Arc<dyn NumberRoutes>,
    /// What businesses may have.
    pub limits: Arc<dyn LimitStore>,
    /// Where records go.
    pub log: Arc<dyn CallLog>,
    /// The recogniser.
    pub stt: Arc<dyn Stt>,
    /// The voice.
    pub tts: Arc<dyn Tts>,
    /// The agents' brains.
    pub brains: Arc<dyn Brains>,
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
    limits: Limits,
    scribe: std::sync::Mutex<Option<Scribe>>,
    writer: std::sync::Mutex<Option<JoinHandle<()>>>,
    journals: Journals,
    recordings: Recordings,
    /// Writes the journals' files.
    archivist: std::sync::Mutex<Option<JoinHandle<()>>>,
    spool: SpoolWatch,
    draining: AtomicBool,
    guests: Guests,
    mute: MuteSockets,
}

impl Switch {
    /// Starts the switchboard and the writer of records, which keeps what it has not written in memory alone.
    pub async fn start(config: SwitchConfig, ports: Ports) -> Result<Self, StartError> {
        Self::start_with(config, ports, None).await
    }

    /// As [`Self::start`], with a journal: what the store has not taken yet survives the process.
    pub async fn start_journalled(config: SwitchConfig, ports: Ports, journal: Journal) -> Result<Self, StartError> {
        Self::start_with(config, ports, Some(journal)).await
    }

    async fn start_with(config: SwitchConfig, ports: Ports, journal: Option<Journal>) -> Result<Self, StartError> {
        let (scribe, writer) = Scribe::start(Arc::clone(&ports.log), journal);
        let spool = scribe.watch();
        let (journals, archivist) = Journals::start(config.journals.clone());
        let recordings = Recordings::start(config.recordings.clone(), config.business, &scribe);
        let args = switchboard::Args { max_calls: config.max_calls, scribe: scribe.clone() };
        let (board, _) = Actor::spawn(None, Switchboard, args).await.map_err(|error| StartError(error.to_string()))?;
        Ok(Self {
            inner: Arc::new(Inner {
                mute: MuteSockets::new(config.max_mute_per_address),
                limits: Limits::new(Arc::clone(&ports.limits), config.zone),
                config,
                ports,
                board,
                scribe: std::sync::Mutex::new(Some(scribe)),
                writer: std::sync::Mutex::new(Some(writer)),
                journals,
                recordings,
                archivist: std::sync::Mutex::new(archivist),
                spool,
                draining: AtomicBool::new(false),
                guests: Guests::default(),
            }),
        })
    }

    /// Invites a call's media socket: the token to put into the path of the URL that the carrier connects to, or into the stream parameter
    /// [`TOKEN_PARAMETER`]. It opens one socket, until the ringing and half a minute are over.
    pub fn invite(&self, invitation: Invitation) -> Result<String, TooMany> {
        // 122 random bits from the system's generator.
        let token = Uuid::new_v4().simple().to_string();
        arrival::lock(&self.inner.guests).issue(clock::now(), token.clone(), invitation)?;
        Ok(token)
    }

    /// Whether a socket with this token would be served now.
    pub fn expects(&self, token: &str) -> Result<(), Uninvited> {
        arrival::lock(&self.inner.guests).check(clock::now(), token)
    }

    /// Whether any invited socket is still to come.
    pub fn expects_any(&self) -> bool {
        arrival::lock(&self.inner.guests).any_waiting(clock::now())
    }

    /// A place for a socket that has not spoken yet; `None` if its address holds as many as it may.
    pub fn place(&self, peer: IpAddr) -> Option<Place> {
        self.inner.mute.place(peer)
    }

    /// Serves one accepted media socket to its end.
    pub async fn serve(&self, dialect: Arc<dyn Dialect>, socket: MediaSocket, arrival: Arrival) {
        self.serve_any(&[dialect], socket, arrival).await;
    }

    /// As [`Self::serve`], for a socket that may speak any of `dialects`, at least one.
    pub async fn serve_any(&self, dialects: &[Arc<dyn Dialect>], mut socket: MediaSocket, mut arrival: Arrival) {
        let config = &self.inner.config;
        let (began, mut budget) = (clock::now(), MessageBudget::new(clock::now(), config.max_messages_per_second));
        let begun = doorstep(&mut socket.incoming, dialects, &mut budget, config.start_timeout).await;
        arrival.place = None;
        let carrier = match &begun {
            Ok(begun) => begun.dialect.capabilities().carrier,
            Err(not) => not.carrier,
        };
        metrics::counter!(meter::CALL_ATTEMPTS, "direction" => "inbound", "carrier" => carrier).increment(1);
        steps::connected(carrier, arrival.peer);
        let Begun { dialect, decoder, mut start } = match begun {
            Ok(begun) => begun,
            Err(not) => {
                let elapsed = clock::now().saturating_duration_since(began);
                socket.last_words.say(not.parting);
                self.turned_away(carrier, None, &LegStart::default(), &arrival, not.reason, elapsed);
                return close(socket.outgoing).await;
            }
        };
        steps::stream_started(carrier, &start);
        if let Some(path_id) = &arrival.path_id {
            start.parameters.entry("path_id".to_owned()).or_insert_with(|| path_id.clone());
        }
        let seat = match arrival::seat(&self.inner.guests, &arrival, &mut start) {
            Ok(seat) => seat,
            Err(uninvited) => {
                let reason = EndReason::NotInvited(uninvited);
                socket.last_words.say(dialect.parting(&reason));
                self.turned_away(carrier, None, &start, &arrival, reason, Duration::ZERO);
                return close(socket.outgoing).await;
            }
        };
        // A call that comes back has its first record already: the carrier's id joins the two.
        let invited = seat.as_ref().filter(|seat| !seat.admission.returning).map(|seat| seat.admission.call);
        let direction = arrival::direction(seat.as_ref(), arrival.standing, &start);
        let named = arrival::named(seat.as_ref(), arrival.standing, &start);
        let ours = match direction {
            Direction::Inbound => start.to.as_deref(),
            Direction::Outbound => start.from.as_deref(),
        };
        let screen = dialect.agreed(&start).notices;
        let business = self.business_of(&arrival);
        let answerer = match self.key(business, named, ours).await {
            Ok(key) => self.answerer(business, key, &start, direction, screen).await,
            Err(switched_off) => Err(switched_off),
        };
        let Answerer { agent, brain, refused_overrides } = match answerer {
            Ok(found) => found,
            Err(detail) => {
                warn!(carrier, %detail, "no agent answers this call");
                if let Some(seat) = seat {
                    seat.leave(Some(&EndReason::NoAgent));
                }
                socket.last_words.say(dialect.parting(&EndReason::NoAgent));
                self.turned_away(carrier, invited, &start, &arrival, EndReason::NoAgent, Duration::ZERO);
                return close(socket.outgoing).await;
            }
        };
        let (call, conversation) = ids(carrier);
        let call = invited.unwrap_or(call);
        let again = seat.as_ref().is_some_and(|seat| seat.admission.returning);
        let kind = match direction {
            _ if carrier == BROWSER => Kind::Talk,
            Direction::Inbound => Kind::Inbound,
            Direction::Outbound => Kind::Dialled,
        };
        let permit = match self.inner.limits.admit(Asking { call, agent: &agent, kind, again }).await {
            Ok(permit) => permit,
            Err(denied) => {
                let reason = EndReason::Denied(denied);
                if let Some(seat) = seat {
                    seat.leave(Some(&reason));
                }
                socket.last_words.say(dialect.parting(&reason));
                self.denied(
                    carrier,
                    (call, conversation),
                    ((agent.id, agent.version), direction),
                    &start,
                    &arrival,
                    denied,
                );
                return close(socket.outgoing).await;
            }
        };
        let Some(scribe) = self.scribe() else { return close(socket.outgoing).await };
        let (parting, last_words) = (dialect.parting(&EndReason::Refused), socket.last_words.clone());
        let lexicons = config.lexicons.of_call(&agent.language);
        let args = call::Args {
            call,
            conversation,
            agent,
            brain,
            start: start.clone(),
            direction,
            dialect,
            decoder,
            socket,
            budget,
            media_timeout: config.media_timeout,
            hearing: config.hearing,
            stt: Arc::clone(&self.inner.ports.stt),
            tts: Arc::clone(&self.inner.ports.tts),
            detector: config.detector.clone(),
            end_of_turn: config.end_of_turn.clone(),
            lexicons,
            tap: config.tap.clone(),
            recordings: self.inner.recordings.clone(),
            scribe,
            journals: self.inner.journals.clone(),
            refused_overrides,
        };
        match self.admit(args, permit).await {
            Ok(admitted) => {
                // An error means that the switchboard is gone, and the call with it.
                let reason = admitted.over.await.unwrap_or(Some(EndReason::Drained));
                if let Some(seat) = seat {
                    seat.leave(reason.as_ref());
                }
            }
            Err(refused) => {
                if let Some(seat) = seat {
                    seat.leave(Some(&refused.reason));
                }
                last_words.say(parting);
                self.turned_away(carrier, invited, &start, &arrival, refused.reason, Duration::ZERO);
                if let Some(args) = refused.args {
                    close(args.socket.outgoing).await;
                }
            }
        }
    }

    async fn admit(&self, args: call::Args, permit: Permit) -> Result<Admitted, Box<Refused>> {
        match self.inner.board.call(|reply| SwitchboardMsg::Admit(Box::new(args), permit, reply), None).await {
            Ok(CallResult::Success(answer)) => answer,
            _ => Err(Box::new(Refused { reason: EndReason::Refused, args: None })),
        }
    }

    /// The agent of that key, and its brain; and as what it answers, if the far end may choose.
    async fn answerer(
        &self,
        business: BusinessId,
        key: RowKey,
        start: &LegStart,
        direction: Direction,
        may_choose: bool,
    ) -> Result<Answerer, String> {
        let ports = &self.inner.ports;
        let asked = timeout(ANSWERER_LIMIT, ports.agents.agent(business, key.clone())).await;
        let agent = asked.map_err(|_| "the store does not answer".to_owned())?.map_err(|error| error.to_string())?;
        let mut agent = agent.ok_or_else(|| format!("no agent is called {key:?}"))?;
        let granted = if may_choose { overrides::apply(&mut agent, &start.parameters) } else { Granted::default() };
        let arriving = Arriving {
            direction,
            number: match direction {
                Direction::Inbound => start.from.clone(),
                Direction::Outbound => start.to.clone(),
            },
            at: clock::utc(),
            first_message: granted.first_message,
        };
        let brain = ports.brains.brain_for(&agent, arriving).await.map_err(|error| error.to_string())?;
        Ok(Answerer { agent, brain, refused_overrides: granted.refused })
    }

    /// Whose call it is: of the business that the socket showed a token of, or of the one that this switch serves.
    fn business_of(&self, arrival: &Arrival) -> BusinessId {
        arrival.business.unwrap_or(self.inner.config.business)
    }

    /// The limits of calls: whoever dials asks them too.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
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

    /// The calls' journals.
    pub fn journals(&self) -> &Journals {
        &self.inner.journals
    }

    /// The calls' recordings.
    pub fn recordings(&self) -> &Recordings {
        &self.inner.recordings
    }

    /// Makes the recording of a live call silent from now on, or lets it go on. `None`: there is no such call; `false`: it is not recorded.
    pub async fn pause_recording(&self, call: CallId, paused: bool) -> Option<bool> {
        let (_, actor) = self.calls().await.into_iter().find(|(live, _)| *live == call)?;
        match actor.call(|reply| CallMsg::PauseRecording(paused, reply), Some(ASK_LIMIT)).await {
            Ok(CallResult::Success(recorded)) => Some(recorded),
            _ => None,
        }
    }

    /// The records that wait for the store.
    pub fn spool(&self) -> SpoolView {
        self.inner.spool.view()
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
        self.inner.journals.close();
        let archivist = lock(&self.inner.archivist).take();
        if let Some(mut archivist) = archivist
            && timeout(FLUSH_LIMIT, &mut archivist).await.is_err()
        {
            warn!("the last journals did not reach JOURNAL_DIR in time");
            archivist.abort();
        }
        if timeout(FLUSH_LIMIT, self.inner.recordings.finished()).await.is_err() {
            warn!("the last recordings were not finished in time: the next start finishes them");
        }
        self.take_scribe();
        let writer = lock(&self.inner.writer).take();
        if let Some(mut writer) = writer
            && timeout(FLUSH_LIMIT, &mut writer).await.is_err()
        {
            warn!(
                records = self.spool().waiting,
                "the last records did not reach the database in time: the next start brings them"
            );
            writer.abort();
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
