//! `tandem talk`: speak to an agent from the terminal, and see the conversation as it happens.
//!
//! The same call as `simulate` makes, by the same driver over a real socket in real time; what differs is that lines may be typed while it
//! runs, that the switch's transcript is shown as it grows, and that the caller hangs up when it has nothing more to say.

mod follow;
mod keyboard;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tandem_peers::caller::{Line, Manners, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::browser::Wishes;
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::simulate::{self, SimulateConfig};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::place::{Place, ask};
use super::simulate::{ScriptError, recording, summary, told, verdict};
use super::{CliError, Output};
use crate::config::{Config, LogLevel, Source};
use crate::shutdown::StopSignals;
use crate::telemetry;
use crate::wiring::{self, Speech, Vendors};

/// A person at a keyboard expects to be spoken for after this much dead air, whether or not the agent has said something.
const PATIENCE: Duration = Duration::from_secs(4);

const EXAMPLES: &str = "\
Examples:
  tandem talk                                              type a line, read the answer; Ctrl-D hangs up
  tandem talk --say \"I want an apartment in Delhi\" --say \"sixty lakh rupees\"
  tandem talk --agent front-desk --wav question.wav --record talk.wav

A line is spoken when the agent has finished; one that begins with ! interrupts it. After the last one the agent answers, then we hang up.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Agent to ask for [default: the switch's]
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// A running switch [default: the one that listens on HOST and PORT, else one started for this talk on the same DATA_DIR]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Key to show to a switch that asks who we are [default: SWITCH_API_KEY, which other users of this machine do not see]
    #[arg(long, value_name = "KEY")]
    pub(super) api_key: Option<String>,
    /// A line to say; may be repeated
    #[arg(long, value_name = "TEXT", conflicts_with = "wav")]
    say: Vec<String>,
    /// A recording to play; may be repeated
    #[arg(long, value_name = "FILE")]
    wav: Vec<PathBuf>,
    /// Write the talk to a WAV file, the caller left, the agent right
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Voice that speaks our lines, by the engine's own name
    #[arg(long, default_value = "", hide_default_value = true)]
    voice: String,
    /// Seconds after which we give up
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    limit: u64,
}

impl Args {
    /// What to say, where it was given beforehand; empty means the keyboard.
    fn steps(&self) -> Result<Vec<Step<Line>>, ScriptError> {
        let said = self.say.iter().map(|text| Ok(Step::Say(Line::Text(text.clone()))));
        let mut steps: Vec<_> = said.chain(self.wav.iter().map(|path| recording(path))).collect::<Result<_, _>>()?;
        if !steps.is_empty() {
            steps.extend([Step::Wait, Step::HangUp]);
        }
        Ok(steps)
    }
}

pub(super) async fn run(args: Args, config: Config, output: Output) -> Result<(), CliError> {
    let asked = ["LOG_LEVEL", "DEBUG"].iter().any(|name| config.settings.setting(name).source != Source::Default);
    telemetry::start_log(if asked { config.log_level } else { LogLevel::Warn });
    let script = args.steps()?;
    let Speech { stt, tts } = wiring::speech(&config, Vendors::default()).await?;
    let mut place = Place::find(args.url, config, Vendors { stt: Some(stt.clone()), tts: Some(tts.clone()) }).await?;
    output.say(format_args!("calling {place}"));

    // A key opens no carrier's socket, and the page's has the same agents behind it.
    let (carrier, custom_parameters) = if place.has_a_key_alone() {
        place.talk();
        (Carrier::Browser(Wishes { agent: args.agent, token: place.token(), ..Wishes::default() }), BTreeMap::new())
    } else {
        let parameters = args.agent.into_iter().map(|name| ("agent".to_owned(), name));
        (Carrier::Twilio(TwilioIds::numbered(Uuid::new_v4().as_u128())), parameters.collect())
    };
    let live = if script.is_empty() { keyboard::steps(output) } else { mpsc::channel(1).1 };
    let manners =
        if script.is_empty() { Manners { patience: PATIENCE, ..Manners::default() } } else { Manners::default() };
    let (begun, hears) = oneshot::channel();
    let follower = follow::Follower::of(&place, hears, output);
    let call = SimulateConfig {
        url: place.url.clone(),
        unix_socket: place.socket.clone(),
        carrier,
        custom_parameters,
        script,
        manners,
        renderer: tts,
        voice: args.voice,
        language: "en".to_owned(),
        // What was heard is recognised for those who will read the object; the others have read the transcript.
        recogniser: output.is_json().then_some(stt),
        record_to: args.record,
        limit: Duration::from_secs(args.limit),
    };
    let mut signals = StopSignals::listen()?;
    let outcome = tokio::select! {
        biased;
        outcome = follower.beside(simulate::run_told(call, live, begun)) => outcome,
        // The socket is dropped with the call, which to the switch is a caller who hung up.
        _ = signals.next() => {
            place.leave().await;
            return Err(CliError::BrokenOff);
        }
    };
    let report = match outcome {
        Ok((peer, shown)) => {
            let (conversation, transcript) = ask(&place, &peer.call_sid, output).await;
            let report = simulate::merge(&peer, &conversation, &transcript);
            Ok((peer, report, shown.rest(&transcript)))
        }
        Err(error) => Err(error),
    };
    place.leave().await;
    let (peer, report, shown) = report?;
    output.result(&report, |report| if shown { summary(report, &peer) } else { told(report, &peer) })?;
    verdict(&peer, &report)
}
