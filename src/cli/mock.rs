//! `tandem mock`: the vendors' wires on one port, with the latency and the faults that are asked for. For tests, benches, and days without keys.
//!
//! Its recogniser understands the voice that its synthesiser speaks with, and nobody else's: callers of tests and benches, and of
//! `tandem simulate` where that takes its voice from here too.

mod vendor;

use std::fs::File;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde::Serialize;
use tandem_peers::mock::{Mock, MockConfig};
use tokio::net::TcpListener;

use self::vendor::{FaultFlag, behaviour, fault, latency};
use super::{CliError, Output};
use crate::shutdown::StopSignals;

const EXAMPLES: &str = "\
Examples:
  tandem mock                                        on a free port; prints the settings that lead there
  tandem mock --port 9900 --json                     one line of JSON with the base URLs, then serves
  tandem mock --stt-latency 100 --llm-latency 200/450 --tts-latency 150
                                                     a fixed latency, or a median and a 95th percentile, in ms
  tandem mock --stt-fault silent:after=3,times=1     the fourth utterance is never answered
  tandem mock --llm-fault slow=6000:times=2 --tts-fault error:at=door
                                                     two late answers; every connection refused
  tandem mock --log wire.jsonl                       all that clients send, without their keys

Faults: slow=MS, silent, error, drop, midway (drops within a word), garbage, endless; after=N requests that go well, times=N that do not
(without it all), at=door for connections instead of requests. A flag may be repeated: the first fault that fits a request rules.";

#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Recogniser: from the end of an utterance to its transcript, in ms
    #[arg(long, value_name = "MS[/P95]", default_value = "0", value_parser = latency)]
    stt_latency: tandem_peers::vendor::Latency,
    /// Language model: from the request to the first token, in ms
    #[arg(long, value_name = "MS[/P95]", default_value = "0", value_parser = latency)]
    llm_latency: tandem_peers::vendor::Latency,
    /// Voice: from the text to the first audio, in ms
    #[arg(long, value_name = "MS[/P95]", default_value = "0", value_parser = latency)]
    tts_latency: tandem_peers::vendor::Latency,
    /// How recognition goes wrong
    #[arg(long, value_name = "FAULT", value_parser = fault)]
    stt_fault: Vec<FaultFlag>,
    /// How the model goes wrong
    #[arg(long, value_name = "FAULT", value_parser = fault)]
    llm_fault: Vec<FaultFlag>,
    /// How the voice goes wrong
    #[arg(long, value_name = "FAULT", value_parser = fault)]
    tts_fault: Vec<FaultFlag>,
    /// Recogniser: streams at once; the next is refused, as with a project's limit [default: as many as come]
    #[arg(long, value_name = "N")]
    stt_streams: Option<usize>,
    /// Latencies are drawn by it
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The only key that is accepted; without it any key is
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Write all that clients send to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

/// Settings that lead here.
#[derive(Debug, Serialize)]
struct Serving {
    url: String,
    deepgram_base_url: String,
    openai_base_url: String,
    elevenlabs_base_url: String,
}

/// Serves until it is told to stop.
pub(super) async fn run(args: Args, host: Option<IpAddr>, port: u16, output: Output) -> Result<(), CliError> {
    let mut signals = StopSignals::listen()?;
    let address = (host.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)), port);
    let listener =
        TcpListener::bind(address).await.map_err(|source| CliError::MockPort { address: address.into(), source })?;
    let config = MockConfig {
        stt: behaviour(args.stt_latency, &args.stt_fault, args.seed),
        llm: behaviour(args.llm_latency, &args.llm_fault, args.seed),
        tts: behaviour(args.tts_latency, &args.tts_fault, args.seed),
        stt_streams: args.stt_streams,
        key: args.key.clone(),
    };
    let mock = Mock::serve(listener, config)?;
    if let Some(path) = &args.log {
        let file = File::create(path).map_err(|source| CliError::MockLog { path: path.clone(), source })?;
        mock.log().write_lines(file);
    }
    let url = mock.base_url();
    let serving = Serving {
        deepgram_base_url: url.clone(),
        openai_base_url: format!("{url}/v1"),
        elevenlabs_base_url: url.clone(),
        url,
    };
    let key = args.key.as_deref().unwrap_or("mock");
    output.result(&serving, |serving| exports(serving, key))?;
    tokio::select! {
        _ = signals.next() => Ok(()),
        ended = mock.wait() => ended.map_err(CliError::from),
    }
}

/// Lines for a shell, or for `.env`.
fn exports(serving: &Serving, key: &str) -> String {
    let Serving { deepgram_base_url, openai_base_url, elevenlabs_base_url, .. } = serving;
    format!(
        "DEEPGRAM_BASE_URL={deepgram_base_url}\nDEEPGRAM_API_KEY={key}\nOPENAI_BASE_URL={openai_base_url}\nOPENAI_API_KEY={key}\n\
         ELEVENLABS_BASE_URL={elevenlabs_base_url}\nELEVENLABS_API_KEY={key}"
    )
}
