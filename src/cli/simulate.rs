//! `tandem simulate`: one call, from the carrier's side. The demo, the smoke test and the test harness at once.
//!
//! Without `--url` it calls the switch that listens where the settings say, or else starts one in this process, on a free port and on the
//! same data folder, so that the call can be looked at afterwards. Either way the call runs over a real socket in real time, and what the
//! switch knows of it is asked over HTTP.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use serde_json::Value;
use tandem_peers::caller::{Line, Manners, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::browser::Wishes;
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::simulate::{self, EndedBy, PeerReport, SimulateConfig, SimulationReport};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use super::{CliError, Output};
use crate::config::{Config, LogLevel, Source};
use crate::telemetry;
use crate::wiring::{self, Running, Speech, Vendors};

mod script;

pub(super) use script::ScriptError;

/// How long the switch may take to write the end of the call.
const RECORD_LIMIT: Duration = Duration::from_secs(10);
/// Pause between two looks at the record.
const RECORD_PAUSE: Duration = Duration::from_millis(100);
/// How long we look for a running switch.
const LOOK_LIMIT: Duration = Duration::from_secs(1);
/// Where carriers connect, and where pages do.
const MEDIA_PATH: &str = "/media";
const TALK_PATH: &str = "/v1/convai/conversation";
/// Stands in the URLs of a switch behind a socket file; nobody connects to it.
const FILE_PORT: u16 = 80;
/// Longest answer of the switch's API.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

const EXAMPLES: &str = "\
Examples:
  tandem simulate --say \"I want an apartment in Delhi\" --say \"sixty lakh rupees\" --say \"yes\"
  tandem simulate --url ws://localhost:8000/media --agent front-desk --wav question.wav --record call.wav
  tandem simulate --carrier browser --say \"sixty lakh rupees\"
  tandem simulate --script caller.toml --json

A line is said when the agent has finished. A script file holds [[step]] tables, each with one of say, wav, interrupt (with after_ms),
keys, silence_ms, wait, hang_up. The exit code is 0 if the call ended as calls should: completed, handed over, or hung up by the caller.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CarrierName {
    Twilio,
    /// A page in a browser
    Browser,
}

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Whose protocol to speak
    #[arg(long, value_enum, default_value = "twilio")]
    carrier: CarrierName,
    /// Agent to ask for [default: the switch's]
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Media socket of a running switch [default: the one that listens on HOST and PORT, else one started for this call on the same DATA_DIR]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// A line the caller says; may be repeated
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["wav", "script"])]
    say: Vec<String>,
    /// A recording the caller plays; may be repeated
    #[arg(long, value_name = "FILE", conflicts_with = "script")]
    wav: Vec<PathBuf>,
    /// TOML file with the caller's steps
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Write the call to a WAV file, the caller left, the agent right
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Voice of the caller, by the engine's own name
    #[arg(long, default_value = "", hide_default_value = true)]
    voice: String,
    /// Seconds after which the caller gives up
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    limit: u64,
}

impl Args {
    /// Whose protocol the call speaks, under names that no other call has; and what is attached to its stream.
    fn carrier(&self) -> (Carrier, BTreeMap<String, String>) {
        let number = Uuid::new_v4().as_u128();
        match self.carrier {
            CarrierName::Twilio => {
                let parameters = self.agent.iter().map(|name| ("agent".to_owned(), name.clone()));
                (Carrier::Twilio(TwilioIds::numbered(number)), parameters.collect())
            }
            CarrierName::Browser => {
                let wishes = Wishes { agent: self.agent.clone(), ..Wishes::default() };
                (Carrier::Browser(wishes), BTreeMap::new())
            }
        }
    }

    fn steps(&self) -> Result<Vec<Step<Line>>, ScriptError> {
        if let Some(path) = &self.script {
            return script::read(path);
        }
        let said = self.say.iter().map(|text| Ok(Step::Say(Line::Text(text.clone()))));
        said.chain(self.wav.iter().map(|path| script::recording(path))).collect()
    }
}

pub(super) async fn run(args: Args, config: Config, output: Output) -> Result<(), CliError> {
    // The call is what is asked for; the switch's own log only where somebody asked for it too, or something is wrong.
    let asked = ["LOG_LEVEL", "DEBUG"].iter().any(|name| config.settings.setting(name).source != Source::Default);
    telemetry::start_log(if asked { config.log_level } else { LogLevel::Warn });
    let (script, (carrier, custom_parameters)) = (args.steps()?, args.carrier());
    let talks = args.carrier == CarrierName::Browser;
    let Speech { stt, tts } = wiring::speech(&config, Vendors::default()).await?;
    let mut place = match &args.url {
        Some(url) => Place { url: url.clone(), socket: None, own: None },
        None => match running_switch(&config).await {
            Some(place) => place,
            None => Place::start(config, Vendors { stt: Some(stt.clone()), tts: Some(tts.clone()) }).await?,
        },
    };
    if talks && args.url.is_none() {
        place.url = place.url.replace(MEDIA_PATH, TALK_PATH);
    }
    output.say(format_args!(
        "calling {}{}",
        place.url,
        if place.own.is_some() { ", a switch of this command's own" } else { "" }
    ));

    let config = SimulateConfig {
        url: place.url.clone(),
        unix_socket: place.socket.clone(),
        carrier,
        custom_parameters,
        script,
        manners: Manners::default(),
        renderer: tts,
        voice: args.voice,
        language: "en".to_owned(),
        recogniser: Some(stt),
        record_to: args.record,
        limit: Duration::from_secs(args.limit),
    };
    let outcome = simulate::run(config).await;
    let report = match outcome {
        Ok(peer) => {
            let (conversation, transcript) = ask(&place, &peer.call_sid, output).await;
            let report = simulate::merge(&peer, &conversation, &transcript);
            Ok((peer, report))
        }
        Err(error) => Err(error),
    };
    if let Some(own) = place.own {
        own.running.shutdown().await;
    }
    let (peer, report) = report?;
    output.result(&report, |report| told(report, &peer))?;
    verdict(&peer, &report)
}

/// Where the switch is.
struct Place {
    url: String,
    /// The file to reach it by, where there is no loopback interface.
    socket: Option<PathBuf>,
    own: Option<Own>,
}

/// A switch for this one call.
struct Own {
    running: Running,
    /// Holds the socket file, if there is one.
    _folder: tempfile::TempDir,
}

impl Place {
    /// Starts a switch on a free port and the configured data folder.
    async fn start(config: Config, vendors: Vendors) -> Result<Self, CliError> {
        let folder = tempfile::Builder::new().prefix("tandem-simulate-").tempdir()?;
        let config = Config { host: Ipv4Addr::LOCALHOST.into(), port: 0, ..config };
        let (running, socket) = if loopback_is_up().await {
            (wiring::boot_with(config, vendors).await?, None)
        } else {
            let path = folder.path().join("switch.sock");
            let config = Config { port: FILE_PORT, ..config };
            (wiring::boot_behind(&path, config, vendors).await?, Some(path))
        };
        Ok(Self { url: running.media_url(), socket, own: Some(Own { running, _folder: folder }) })
    }
}

/// Whether this machine can call itself: a fresh network namespace has a loopback interface that is down.
async fn loopback_is_up() -> bool {
    let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await else { return false };
    match listener.local_addr() {
        Ok(address) => TcpStream::connect(address).await.is_ok(),
        Err(_) => false,
    }
}

/// The switch that listens where the settings say, if one does.
async fn running_switch(config: &Config) -> Option<Place> {
    let host = if config.host.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { config.host };
    let address = std::net::SocketAddr::new(host, config.port);
    let url = format!("http://{address}/health");
    let health = tokio::time::timeout(LOOK_LIMIT, get(&url, None)).await.ok()?.ok()?;
    // Another program may well answer there.
    health["components"]["speech_to_text"].is_object().then(|| Place {
        url: format!("ws://{address}{MEDIA_PATH}"),
        socket: None,
        own: None,
    })
}

/// What the switch knows of the call: the conversation and its transcript, `null` where it does not say.
async fn ask(place: &Place, call_sid: &str, output: Output) -> (Value, Value) {
    let Some(base) = api_base(&place.url) else { return (Value::Null, Value::Null) };
    let socket = place.socket.as_deref();
    let conversation = format!("{base}/api/conversations/{call_sid}");
    // Its end is written after the socket was closed. Late or never: what there is has to do.
    let _ = tokio::time::timeout(RECORD_LIMIT, ended(&conversation, socket)).await;
    match get(&conversation, socket).await {
        Ok(found) => (found, get(&format!("{conversation}/transcript"), socket).await.unwrap_or(Value::Null)),
        Err(status) => {
            let why = status.map_or("no answer".to_owned(), |status| format!("status {status}"));
            output.say(format_args!("note: what the switch understood is not known: {why} from {conversation}"));
            (Value::Null, Value::Null)
        }
    }
}

/// Waits until a conversation is there and has ended, or cannot be asked for.
async fn ended(conversation: &str, socket: Option<&Path>) {
    loop {
        match get(conversation, socket).await {
            Ok(found) if !found["ended_at"].is_null() => return,
            Ok(_) | Err(Some(404)) => tokio::time::sleep(RECORD_PAUSE).await,
            Err(_) => return,
        }
    }
}

/// A JSON answer; the error is the status, or nothing if there was none.
async fn get(url: &str, socket: Option<&Path>) -> Result<Value, Option<u16>> {
    // Made anew each time: there are a handful of requests, and none may wait for a dead connection.
    let mut client = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT);
    if let Some(path) = socket {
        client = client.unix_socket(path);
    }
    let client = client.build().map_err(|_| None)?;
    let response = client.get(url).send().await.map_err(|_| None)?;
    match response.status() {
        status if status.is_success() => response.json().await.map_err(|_| None),
        status => Err(Some(status.as_u16())),
    }
}

/// `http://host:port` of a media socket's URL.
fn api_base(media_url: &str) -> Option<String> {
    let (scheme, rest) = media_url.split_once("://")?;
    let scheme = match scheme {
        "ws" => "http",
        "wss" => "https",
        _ => return None,
    };
    Some(format!("{scheme}://{}", rest.split('/').next()?))
}

/// Whether the call went as calls should.
fn verdict(peer: &PeerReport, report: &SimulationReport) -> Result<(), CliError> {
    let call = peer.call_sid.clone();
    match (&peer.ended_by, report.ended_reason.as_deref()) {
        (EndedBy::Lost(how), _) => Err(CliError::Call { call, how: format!("the connection broke: {how}") }),
        (EndedBy::Limit, _) => Err(CliError::Call { call, how: "it did not end within --limit".to_owned() }),
        (_, Some("completed" | "handover" | "caller_hangup") | None) => Ok(()),
        (_, Some(reason)) => Err(CliError::Call { call, how: format!("it ended by {reason}") }),
    }
}

/// The report for people.
fn told(report: &SimulationReport, peer: &PeerReport) -> String {
    let mut text = String::new();
    let mut line = |who: &str, words: &str, note: String| {
        if !words.is_empty() {
            text.push_str(&format!("{who:>10}  {words}{note}\n"));
        }
    };
    for turn in &report.turns {
        let understood = if turn.heard_as == turn.caller_said || turn.heard_as.is_empty() {
            String::new()
        } else {
            format!("  [heard as: {}]", turn.heard_as)
        };
        line("caller", &turn.caller_said, understood);
        let latency = turn.latency_ms.map_or(String::new(), |ms| format!("  [after {ms} ms]"));
        let cut = if turn.interrupted { "  [interrupted]" } else { "" };
        let words = if turn.agent_text.is_empty() { &turn.agent_heard_text } else { &turn.agent_text };
        line("agent", words, format!("{latency}{cut}"));
    }
    let reason = report.ended_reason.as_deref().unwrap_or("not recorded");
    let audio = &report.audio;
    text.push_str(&format!(
        "call {} ended after {:.1} s: {reason}; {:.1} s of agent audio, {} underruns, {} late frames",
        report.call_id,
        peer.duration.as_secs_f64(),
        audio.seconds_received,
        audio.underruns,
        audio.late_frames,
    ));
    if let Some(path) = &report.recording {
        text.push_str(&format!("\nrecorded in {}", path.display()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_beside_the_socket() {
        assert_eq!(api_base("ws://localhost:8000/media").as_deref(), Some("http://localhost:8000"));
        assert_eq!(
            api_base("wss://voice.example.test/ws/twilio/call/1/").as_deref(),
            Some("https://voice.example.test")
        );
        assert_eq!(api_base("localhost:8000/media"), None);
    }
}
