//! `tandem simulate`: one call, from the carrier's side. The demo, the smoke test and the test harness at once.
//!
//! Without `--url` it calls the switch that listens where the settings say, or else starts one in this process, on a free port and on the
//! same data folder, so that the call can be looked at afterwards. Either way the call runs over a real socket in real time, and what the
//! switch knows of it is asked over HTTP.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use tandem_codecs::SampleRate;
use tandem_peers::caller::{Line, Manners, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::browser::Wishes;
use tandem_peers::carrier::exotel::{ExotelIds, Habits};
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::simulate::{self, EndedBy, PeerReport, SimulateConfig, SimulationReport};
use uuid::Uuid;

use super::place::{Place, ask};
use super::{CliError, Output};
use crate::config::{Config, LogLevel, Source};
use crate::telemetry;
use crate::wiring::{self, Speech, Vendors};

mod picture;
mod script;

pub(super) use picture::PictureError;
pub(super) use script::{ScriptError, recording};

const EXAMPLES: &str = "\
Examples:
  tandem simulate --say \"I want an apartment in Delhi\" --say \"sixty lakh rupees\" --say \"yes\"
  tandem simulate --url ws://localhost:8000/media --agent front-desk --wav question.wav --record call.wav
  tandem simulate --carrier exotel --sample-rate 16000 --say \"sixty lakh rupees\"
  tandem simulate --carrier browser --say \"sixty lakh rupees\"
  tandem simulate --script caller.toml --record call.wav --plot call.svg
  tandem simulate --script caller.toml --json

A line is said when the agent has finished. A script file holds [[step]] tables, each with one of say, wav, interrupt (with after_ms),
keys, silence_ms, wait, hang_up. The exit code is 0 if the call ended as calls should: completed, handed over, or hung up by the caller.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CarrierName {
    Twilio,
    Exotel,
    /// A page in a browser
    Browser,
}

/// The sample rates of Exotel's streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rate {
    #[value(name = "8000")]
    Hz8000,
    #[value(name = "16000")]
    Hz16000,
    #[value(name = "24000")]
    Hz24000,
}

impl From<Rate> for SampleRate {
    fn from(rate: Rate) -> Self {
        match rate {
            Rate::Hz8000 => Self::HZ_8000,
            Rate::Hz16000 => Self::HZ_16000,
            Rate::Hz24000 => Self::HZ_24000,
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Whose protocol to speak
    #[arg(long, value_enum, default_value = "twilio")]
    carrier: CarrierName,
    /// Samples a second of Exotel's stream [default: 8000]; Twilio has 8000 alone, a browser 16000
    #[arg(long, value_name = "HZ", value_enum)]
    sample_rate: Option<Rate>,
    /// Agent to ask for [default: the switch's]
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Media socket of a running switch [default: the one that listens on HOST and PORT, else one started for this call on the same DATA_DIR]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Key to show to a switch that asks who we are [default: SWITCH_API_KEY, which other users of this machine do not see]
    #[arg(long, value_name = "KEY")]
    pub(super) api_key: Option<String>,
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
    /// Draw the recording into an SVG file
    #[arg(long, value_name = "FILE", requires = "record")]
    plot: Option<PathBuf>,
    /// Voice of the caller, by the engine's own name
    #[arg(long, default_value = "", hide_default_value = true)]
    voice: String,
    /// Seconds after which the caller gives up
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    limit: u64,
}

impl Args {
    /// Whose protocol the call speaks, under names that no other call has; and what is attached to its stream.
    fn carrier(&self) -> Result<(Carrier, BTreeMap<String, String>), CliError> {
        let (number, rate) = (Uuid::new_v4().as_u128(), self.sample_rate);
        let carrier = match self.carrier {
            CarrierName::Twilio if matches!(rate, None | Some(Rate::Hz8000)) => {
                Carrier::Twilio(TwilioIds::numbered(number))
            }
            CarrierName::Exotel => {
                let habits = Habits::at(rate.unwrap_or(Rate::Hz8000).into());
                Carrier::Exotel(ExotelIds::numbered(number), habits)
            }
            CarrierName::Browser if matches!(rate, None | Some(Rate::Hz16000)) => {
                let wishes = Wishes { agent: self.agent.clone(), ..Wishes::default() };
                return Ok((Carrier::Browser(wishes), BTreeMap::new())); // its URL names the agent
            }
            CarrierName::Twilio | CarrierName::Browser => return Err(CliError::SampleRate),
        };
        let parameters = self.agent.iter().map(|name| ("agent".to_owned(), name.clone()));
        Ok((carrier, parameters.collect()))
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
    let (script, (carrier, custom_parameters)) = (args.steps()?, args.carrier()?);
    let talks = args.carrier == CarrierName::Browser;
    let Speech { stt, tts } = wiring::speech(&config, Vendors::default()).await?;
    let asked_for = args.url.is_some();
    let mut place = Place::find(args.url, config, Vendors { stt: Some(stt.clone()), tts: Some(tts.clone()) }).await?;
    if talks && !asked_for {
        place.talk();
    }
    let carrier = match carrier {
        Carrier::Browser(wishes) => Carrier::Browser(Wishes { token: place.token(), ..wishes }),
        carrier => carrier,
    };
    output.say(format_args!("calling {place}"));

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
    place.leave().await;
    let (peer, report) = report?;
    if let (Some(recording), Some(path)) = (&report.recording, &args.plot) {
        picture::draw(recording, &peer, path)?;
    }
    output.result(&report, |report| told(report, &peer))?;
    verdict(&peer, &report)
}

/// Whether the call went as calls should.
pub(super) fn verdict(peer: &PeerReport, report: &SimulationReport) -> Result<(), CliError> {
    let call = peer.call_sid.clone();
    match (&peer.ended_by, report.ended_reason.as_deref()) {
        (EndedBy::Lost(how), _) => Err(CliError::Call { call, how: format!("the connection broke: {how}") }),
        (EndedBy::Limit, _) => Err(CliError::Call { call, how: "it did not end within --limit".to_owned() }),
        // Not on record: the read-back was not possible, or there was no call to be recorded.
        (EndedBy::Switch, None) if peer.playback.received.is_zero() => {
            let how =
                "the switch closed the socket before it said a word: check --agent and the path of --url".to_owned();
            Err(CliError::Call { call, how })
        }
        (_, Some("completed" | "handover" | "caller_hangup") | None) => Ok(()),
        (_, Some(reason)) => {
            let remedy = remedy(reason).map_or(String::new(), |remedy| format!(": {remedy}"));
            Err(CliError::Call { call, how: format!("it ended by {reason}{remedy}") })
        }
    }
}

/// What a caller can do about an end that the switch gave as `reason`.
fn remedy(reason: &str) -> Option<&'static str> {
    match reason {
        "no_agent" => Some("no agent or playbook has that name, so check --agent, or leave it out for DEFAULT_AGENT"),
        "refused" => Some("the switch is full or draining, so try again later, or raise MAX_CONCURRENT_CALLS"),
        "concurrency_limit" => Some("as many calls run as may, so try again later, or raise concurrent_call_limit"),
        "daily_limit" => {
            Some("there were as many calls today as may be, so try again tomorrow, or raise daily_call_limit")
        }
        "auto_answer_off" => Some("the agent does not answer by itself, so set its auto_answer_inbound"),
        "part_failed" | "call_crashed" => {
            Some("the switch's log says what failed; `tandem doctor` looks for the usual causes")
        }
        _ => None,
    }
}

/// The report for people.
pub(super) fn told(report: &SimulationReport, peer: &PeerReport) -> String {
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
    text + &summary(report, peer)
}

/// How the call went as a whole.
pub(super) fn summary(report: &SimulationReport, peer: &PeerReport) -> String {
    let reason = report.ended_reason.as_deref().unwrap_or("not recorded");
    let audio = &report.audio;
    let mut text = format!(
        "call {} ended after {:.1} s: {reason}; {:.1} s of agent audio, {} underruns, {} late frames",
        report.call_id,
        peer.duration.as_secs_f64(),
        audio.seconds_received,
        audio.underruns,
        audio.late_frames,
    );
    if let Some(path) = &report.recording {
        text.push_str(&format!("\nrecorded in {}", path.display()));
    }
    text
}
