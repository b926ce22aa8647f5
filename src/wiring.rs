//! The whole program in one process: [`boot`] opens the store, starts the switch with its vendors and serves HTTP on one port.
//!
//! Place: called by `tandem serve`, by `simulate` and `bench` without `--url`, and by tests. The only place that knows which adapter
//! stands behind which port. Nothing is global but the metrics recorder and the log, so any number of these run side by side.
//!
//! ```text
//! boot: port ─► playbooks, lists of words ─► store, schema ─► vendors ─► dead lives ─► switch ─► HTTP     (an early step that fails has nothing to undo)
//! stop: switch drains ─► switch stops ─► HTTP stops ─► own life ─► store closes           (readiness is answered to the last call)
//! ```

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tandem_access::secret::{Secret, SecretKeyError};
use tandem_actors::agent_saves;
use tandem_actors::{JournalKeeping, Ports, RecordingKeeping, Switch, SwitchConfig, Tap, TurnJudge, VadEngine};
use tandem_domain::agent::{Ambience, Timing};
use tandem_domain::barge_in::Lists;
use tandem_domain::ids::{BusinessId, LifeId};
use tandem_domain::needed_agents::NeededAgents;
use tandem_domain::port::agent_saved::AgentSaved;
use tandem_domain::port::store::{AgentStore, RowKey};
use tandem_domain::port::stt::Stt;
use tandem_domain::port::tts::Tts;
use tandem_providers::carrier::exotel::ExotelDialect;
use tandem_providers::carrier::twilio::TwilioDialect;
use tandem_store::Store;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::Config;
use crate::http::{self, Door, EngineNames, Guard, LogIns, Surface, VoiceTests};
use crate::media_ws::Access;
use crate::media_ws::convai::Talks;
use crate::media_ws::origin::Origins;
use crate::telemetry;

mod agents;
mod brains;
mod engines;
mod folder;
mod lexicons;
mod listening;
mod lives;
mod models;
mod numbers;
mod playbooks;
mod recognisers;
mod secret;
mod sweep;

use agents::Agents;
use brains::CallBrains;
pub use engines::EngineError;
#[cfg(feature = "local-speech")]
pub(crate) use engines::models_dir;
#[cfg(feature = "local-speech")]
pub use engines::recogniser;
pub(crate) use engines::{Speech, speech};
pub use lexicons::LexiconFileError;
use numbers::Numbers;
pub use playbooks::PlaybookError;
use playbooks::Playbooks;

/// How often histograms are folded.
const FOLD_EVERY: Duration = Duration::from_secs(5);

/// Vendors to use in place of the configured ones.
#[derive(Clone, Default)]
pub struct Vendors {
    /// Recogniser.
    pub stt: Option<Arc<dyn Stt>>,
    /// Voice.
    pub tts: Option<Arc<dyn Tts>>,
}

/// Why the program did not start. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The port is not to be had.
    #[error("port {} on {} is taken by another program: stop that one, or choose another port with --port or PORT (0 takes a free one)", .0.port(), .0.ip())]
    PortTaken(SocketAddr),
    /// The address is not to be had.
    #[error("cannot listen on {address}: check HOST and PORT")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// A playbook cannot be used.
    #[error(transparent)]
    Playbook(#[from] PlaybookError),
    /// A list of words cannot be used.
    #[error(transparent)]
    Lexicon(#[from] LexiconFileError),
    /// The database did not open.
    #[error("the database cannot be used: check DATABASE_URL and DATA_DIR")]
    Store(#[from] tandem_store::OpenError),
    /// The database opened, and then did not answer.
    #[error("the database cannot be used: check DATABASE_URL and DATA_DIR")]
    StoreAnswer(#[from] tandem_domain::port::store::StoreError),
    /// The agent for calls that name none does not exist.
    #[error("there is no agent {0:?}: set DEFAULT_AGENT to the name of an agent or of a playbook")]
    NoDefaultAgent(String),
    /// The agent for calls that name none has nothing to say.
    #[error(
        "agent {agent:?} runs the playbook {playbook:?}, which is not loaded: put its file in PLAYBOOKS_DIR, or set DEFAULT_AGENT to another agent"
    )]
    NoPlaybook {
        /// The agent.
        agent: String,
        /// The playbook that it runs.
        playbook: String,
    },
    /// The folder of what waits for the database is not to be had.
    #[error("cannot keep a spool in {folder}: make DATA_DIR a writable folder on a local disk")]
    Spool {
        /// The folder.
        folder: String,
        /// Why not.
        source: io::Error,
    },
    /// The key that tokens are signed with cannot be kept.
    #[error("cannot keep the key of tokens in {file}: make DATA_DIR a writable folder, or set SECRET_KEY")]
    SecretFile {
        /// The file.
        file: String,
        /// Why not.
        source: io::Error,
    },
    /// The key that tokens are signed with is none.
    #[error("{file} does not hold a key: restore it, or remove it to have another one made, which ends all log-ins")]
    SecretKey {
        /// The file.
        file: String,
        /// What is wrong with it.
        source: SecretKeyError,
    },
    /// An agent that is to answer a number does not exist.
    #[error("there is no agent {0:?}, to whom NUMBER_AGENTS gives a number: name an agent or a playbook")]
    NoNumberAgent(String),
    /// A vendor cannot serve.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A language model's settings are none.
    #[error(transparent)]
    Model(#[from] tandem_providers::llm::openai::OpenAiError),
    /// The switch did not start.
    #[error("the switch did not start")]
    Switch(#[from] tandem_actors::StartError),
}

/// The running program. Dropping it does not stop it: see [`Running::shutdown`].
pub struct Running {
    /// Where HTTP and media sockets are served; the real port where 0 was asked for.
    pub addr: SocketAddr,
    /// The switch.
    pub switch: Switch,
    /// The store, for those who look at what calls left behind.
    pub store: Store,
    /// What serves each stage.
    pub engines: EngineNames,
    guard: Guard,
    log_ins: LogIns,
    life: LifeId,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// `http://localhost:8000` and the like: what a person on this machine can open.
    pub fn url(&self) -> String {
        format!("http://{}", self.authority())
    }

    /// Where a carrier's media socket connects.
    pub fn media_url(&self) -> String {
        format!("ws://{}/media", self.authority())
    }

    /// The link by which the first administrator is made; `None` where there is one. It works for an hour, and once. Where we listen on every
    /// address it names the one by which the network reaches this machine: whoever sets up a server sits seldom in front of it.
    pub async fn setup_link(&self) -> Option<Secret> {
        let reached = if self.addr.ip().is_unspecified() { reached_at(self.addr.ip()) } else { None };
        let base = reached.map_or_else(|| self.url(), |ip| format!("http://{}", SocketAddr::new(ip, self.addr.port())));
        self.guard.setup_link(&base).await
    }

    fn authority(&self) -> String {
        let ip = self.addr.ip();
        if ip.is_unspecified() || ip == IpAddr::V4(Ipv4Addr::LOCALHOST) || ip.is_ipv6() && ip.is_loopback() {
            return format!("localhost:{}", self.addr.port());
        }
        self.addr.to_string()
    }

    /// Takes no new calls and waits for the running ones, at most for `limit`; then they end with a goodbye.
    pub async fn drain(&self, limit: Duration) {
        self.switch.drain(limit).await;
    }

    /// Ends everything now: calls, HTTP, store. To let calls finish, [`Self::drain`] first.
    pub async fn shutdown(self) {
        self.switch.stop().await;
        self.stop.cancel();
        for task in self.tasks {
            // Its panic was logged where it happened; there is nothing left to save.
            let _ = task.await;
        }
        self.log_ins.noted().await;
        if self.switch.spool().waiting == 0 {
            lives::end(&self.store, self.life).await;
        }
        self.store.close().await;
    }
}

/// Starts the program with the vendors of its configuration.
pub async fn boot(config: Config) -> Result<Running, BootError> {
    boot_with(config, Vendors::default()).await
}

/// Starts the program with some vendors replaced: fakes in tests and benches.
pub async fn boot_with(config: Config, vendors: Vendors) -> Result<Running, BootError> {
    boot_with_extras(config, vendors, Extras::default()).await
}

/// As [`boot_with`], with what is not for everybody.
pub async fn boot_with_extras(config: Config, vendors: Vendors, extras: Extras) -> Result<Running, BootError> {
    let (listener, addr) = listen(&config).await?;
    start(config, vendors, Door::Tcp(listener), addr, extras).await
}

/// As [`boot_with`], with `/echo` open: a far end for conformance tests of the WebSocket layer under the media sockets.
pub async fn boot_with_echo(config: Config, vendors: Vendors) -> Result<Running, BootError> {
    boot_with_extras(config, vendors, Extras { echo: true, ..Extras::default() }).await
}

/// Starts the program behind a socket file, for a machine without a loopback interface. Its URLs name `localhost` all the same.
pub async fn boot_behind(
    socket: &Path,
    config: Config,
    vendors: Vendors,
    extras: Extras,
) -> Result<Running, BootError> {
    let addr = (config.host, config.port).into();
    let listener = UnixListener::bind(socket).map_err(|source| BootError::Listen { address: addr, source })?;
    start(config, vendors, Door::Unix(listener), addr, extras).await
}

/// What is not for everybody.
#[derive(Default)]
pub struct Extras {
    /// `/echo` is open.
    pub echo: bool,
    /// Who takes both directions of every call's audio.
    pub tap: Tap,
    /// What every agent sounds like, whatever its own setting.
    pub ambience: Option<Ambience>,
    /// Who hears of saved agents besides the vendors.
    pub listeners: Vec<Arc<dyn AgentSaved>>,
    /// What the interface takes from the command that started this program for itself, as it takes a token.
    pub own_key: Option<Secret>,
}

/// Agents that this configuration cannot do without.
pub(crate) fn needed_agents(config: &Config) -> NeededAgents {
    NeededAgents::new(&config.default_agent, &config.numbers, agents::BUILT_IN)
}

async fn start(
    config: Config,
    vendors: Vendors,
    door: Door,
    addr: SocketAddr,
    Extras { echo, tap, ambience, listeners, own_key }: Extras,
) -> Result<Running, BootError> {
    let metrics = telemetry::metrics();
    let playbooks = Arc::new(Playbooks::load(config.playbooks_dir.as_deref())?);
    let lexicons = lexicons::load(config.lexicons_dir.as_deref())?;
    let store = open_store(&config).await?;
    let key = secret::key(config.secret_key.clone(), &config.data_dir)?;
    let previous = config.secret_key_previous.as_ref();
    let guard = Guard::new(config.host, Arc::new(store.clone()), &key, previous, own_key).await?;
    let agents = Agents::new(store.clone(), Arc::clone(&playbooks)).sounding_like(ambience);
    agents.require_default(&config.default_agent).await?;
    for name in config.numbers.agents() {
        if agents.agent(BusinessId::FIRST, RowKey::parse(name)).await?.is_none() {
            return Err(BootError::NoNumberAgent(name.to_owned()));
        }
    }
    let Speech { stt, tts } = speech(&config, vendors).await?;
    let engines = EngineNames { database: store.engine(), stt: stt.name(), tts: tts.name() };

    let (detector, end_of_turn) = (listening::detector(&config).await?, listening::judge(&config).await?);
    let llm = models::models(&config)?;
    models::warm(&llm);
    let brains = Arc::new(CallBrains {
        playbooks,
        llm,
        history: Arc::new(store.clone()),
        zone: config.zone,
        region: config.region.clone(),
        system_tools: config.system_tools.clone(),
    });
    let life = LifeId(Uuid::now_v7());
    let journal = lives::begin(&config.data_dir, &store, life).await?;
    let voice_tests = VoiceTests::new(Arc::clone(&brains) as _, Arc::clone(&tts));
    let own = Arc::new(store.living(life)); // of whose calls the limits know by themselves
    let ports = Ports {
        agents: Arc::new(agents),
        numbers: Arc::new(Numbers::new(store.clone())),
        limits: own.clone(),
        log: own,
        stt,
        tts,
        brains,
    };
    let listening = SwitchConfig { tap, detector, end_of_turn, lexicons, ..switch_config(&config) };
    let switch = Switch::start_journalled(listening, ports, journal).await?;

    let stop = CancellationToken::new();
    let needed = needed_agents(&config);
    let log_ins = LogIns::recalling(&store).await;
    let surface = Surface {
        app_name: config.app_name.into(),
        switch: switch.clone(),
        rows: Arc::new(store.clone()),
        business: BusinessId::FIRST,
        agents: Arc::new(store.clone()),
        needed,
        voice_tests,
        longest_call: config.calls.max_duration,
        number_agents: config.numbers,
        numbers: Arc::new(store.clone()),
        businesses: Arc::new(store.clone()),
        limits: Arc::new(store.clone()),
        region: config.region.parse().ok(),
        guard: guard.clone(),
        log_ins: log_ins.clone(),
        recordings: recordings_in(&config.data_dir).into(),
        engines,
        metrics: metrics.clone(),
        twilio: Arc::new(TwilioDialect::new(config.calls.unknown_events_allowed)),
        talks: Talks {
            origins: Origins { allowed: config.allowed_origins, local: config.host.to_canonical().is_loopback() },
            unknown_events_allowed: config.calls.unknown_events_allowed,
        },
        echo,
        exotel: ExotelDialect::new(config.calls.exotel_camel_case),
        access: Arc::new(Access::new(config.media.clone())),
    };
    let tasks = vec![
        tokio::spawn(http::serve(door, surface, stop.clone())),
        tokio::spawn(fold(metrics, stop.clone())),
        tokio::spawn(lives::beat(store.clone(), life, stop.clone())),
        tokio::spawn(sweep::forgetting(store.clone(), stop.clone())),
        tokio::spawn(tell_saves(store.clone(), listeners, life, stop.clone())),
    ];
    Ok(Running { addr, switch, store, engines, guard, log_ins, life, stop, tasks })
}

/// Reads the playbooks of a configuration, and says what is wrong with them.
pub fn check_playbooks(config: &Config) -> Result<(), PlaybookError> {
    Playbooks::load(config.playbooks_dir.as_deref()).map(drop)
}

/// Reads the lists of words of a configuration, and says what is wrong with them.
pub fn check_lexicons(config: &Config) -> Result<(), LexiconFileError> {
    lexicons::load(config.lexicons_dir.as_deref()).map(drop)
}

/// Whether somebody answers calls that name no agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultAgent {
    /// Yes.
    Found,
    /// It is in the database if anywhere, and the database does not answer: why.
    Unknown(String),
}

/// Looks the default agent up, in the playbooks and in the database if there is one. Makes none, and changes no schema.
pub async fn default_agent(config: &Config) -> Result<DefaultAgent, BootError> {
    let playbooks = Arc::new(Playbooks::load(config.playbooks_dir.as_deref())?);
    let name = &config.default_agent;
    let here = match &config.database {
        tandem_store::Location::Sqlite(file) => file.exists(),
        tandem_store::Location::Postgres(_) => true,
    };
    if !here {
        // Migrations make the agents that a new database has; all but one are called like their playbook.
        let found = playbooks.find(name).is_some() || agents::is_assistant(name);
        return if found { Ok(DefaultAgent::Found) } else { Err(BootError::NoDefaultAgent(name.clone())) };
    }
    let store = match Store::open(&config.database, tandem_store::Options::default()).await {
        Ok(store) => store,
        Err(error) => return Ok(DefaultAgent::Unknown(error.to_string())),
    };
    let agents = Agents::new(store.clone(), playbooks);
    let found = agents.require_default(name).await;
    store.close().await;
    match found {
        Ok(()) => Ok(DefaultAgent::Found),
        // A schema that was never made, or a server that went away.
        Err(BootError::StoreAnswer(_)) if agents.playbooks.find(name).is_some() => Ok(DefaultAgent::Found),
        Err(BootError::StoreAnswer(error)) => Ok(DefaultAgent::Unknown(error.to_string())),
        Err(error) => Err(error),
    }
}

/// Opens the store of a configuration and brings its schema up to date.
pub async fn open_store(config: &Config) -> Result<Store, tandem_store::OpenError> {
    let timing = Timing {
        endpoint_silence: config.calls.endpoint_silence,
        barge_in_min_speech: config.calls.barge_in_min_speech,
        interrupt_on_dtmf: config.calls.interrupt_on_dtmf,
        preemptive_generation: config.calls.preemptive_generation,
        end_of_turn_model: config.engines.end_of_turn.is_some(),
        max_duration: config.calls.max_duration,
        ..Timing::default()
    };
    let options = tandem_store::Options { timing, ..tandem_store::Options::default() };
    let store = Store::open(&config.database, options).await?;
    store.migrate().await?;
    Ok(store)
}

/// The folder of the recordings, whether calls are recorded now or were once.
fn recordings_in(data_dir: &Path) -> PathBuf {
    data_dir.join("recordings")
}

fn switch_config(config: &Config) -> SwitchConfig {
    SwitchConfig {
        max_calls: config.calls.max_concurrent,
        start_timeout: config.calls.start_timeout,
        media_timeout: config.calls.media_timeout,
        hearing: config.hearing,
        business: BusinessId::FIRST,
        default_agent: config.default_agent.clone(),
        numbers: config.numbers.clone(),
        region: config.region.parse().ok(),
        zone: config.zone.into(),
        max_messages_per_second: config.calls.max_messages_per_second,
        max_mute_per_address: config.calls.max_mute_per_address,
        detector: VadEngine::default(), // what takes time to load is put in by who starts it
        end_of_turn: TurnJudge::default(),
        lexicons: Lists::default(),
        tap: Tap::default(),
        journals: JournalKeeping {
            calls: config.journals.calls,
            folder: config.journals.folder.clone(),
            program: crate::build(),
        },
        recordings: RecordingKeeping {
            folder: config.recorded.map(|_| recordings_in(&config.data_dir)),
            format: config.recorded.unwrap_or_default(),
            from: config.record_from,
            ..RecordingKeeping::default()
        },
    }
}

/// Binds what a configuration asks for, and says which port it became.
async fn listen(config: &Config) -> Result<(TcpListener, SocketAddr), BootError> {
    let address = SocketAddr::new(config.host, config.port);
    let refused = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => BootError::PortTaken(address),
        _ => BootError::Listen { address, source },
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

/// This machine's address towards the network: the one that a packet to elsewhere would leave by. None is sent; `None` without a network.
fn reached_at(any: IpAddr) -> Option<IpAddr> {
    // Addresses of documentation (RFC 5737, RFC 3849), which are routed as all that are not ours.
    let elsewhere = [IpAddr::from([192, 0, 2, 1]), IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])];
    let towards = |to: IpAddr| {
        let from = if to.is_ipv4() { IpAddr::from([0; 4]) } else { IpAddr::from([0; 16]) };
        let socket = std::net::UdpSocket::bind((from, 0)).ok()?;
        socket.connect((to, 9)).ok()?;
        Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_unspecified() && !ip.is_loopback())
    };
    // Behind `::` both kinds are served, behind `0.0.0.0` one.
    elsewhere.into_iter().filter(|to| to.is_ipv4() || any.is_ipv6()).find_map(towards)
}

/// Tells who listens of saved agents until `stop`; what is not told by then waits in the database.
async fn tell_saves(store: Store, listeners: Vec<Arc<dyn AgentSaved>>, life: LifeId, stop: CancellationToken) {
    stop.run_until_cancelled(agent_saves::tell(Arc::new(store), listeners, life)).await;
}

/// Folds histograms until `stop`.
async fn fold(metrics: telemetry::Metrics, stop: CancellationToken) {
    let mut tick = tokio::time::interval(FOLD_EVERY);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        metrics.fold();
    }
}
