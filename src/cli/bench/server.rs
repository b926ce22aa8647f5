//! The switch that is measured: boots, says its port, and answers `usage`, `answers` and `metrics` until its input ends.

use std::collections::HashSet;
use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tandem_actors::Tap;
use tandem_actors::tap::tape::Tapes;
use tandem_domain::agent::Ambience;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::agent_saved::AgentSaved;
use tandem_domain::port::store::{ConversationStore, Listing, StoreError, TranscriptLine};
use tandem_peers::vendor::{FakeStt, FakeTts};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::metered::{Meter, Metered};
use super::posts::Posts;
use super::rendered::Rendered;
use super::stages::Answered;
use super::vendors::Choice;
use super::{Args, BenchError, CliError, Usage};
use crate::config::{Config, MediaCredentials};
use crate::telemetry;
use crate::wiring::{Extras, Running, Vendors, boot_with_extras};

/// Calls that are looked at together for their latencies.
const PAGE: u32 = 100;

pub(super) async fn serve(config: Config, args: &Args) -> Result<(), CliError> {
    // The callers are on this machine and know no credentials, whatever the settings say of others.
    let (host, media) = (Ipv4Addr::LOCALHOST.into(), MediaCredentials::default());
    let config = Config { host, media, ..config };
    let meter = Meter::default();
    let vendors = match args.vendors {
        Choice::Fake => Vendors {
            stt: Some(Arc::new(Metered { vendor: FakeStt::default(), meter: meter.clone() })),
            tts: Some(Arc::new(Metered { vendor: Rendered::of(FakeTts::default()), meter: meter.clone() })),
        },
        Choice::Mock => Vendors::default(),
    };
    // The budgets hold with a recorder on. Its tapes have no names: they go with the process, whatever ends it.
    let folder = config.data_dir.clone();
    let tap = match args.record {
        true => Tap::default(), // the switch records by itself
        false => Tap::to(Tapes::start(move |_| Ok(Box::new(tempfile::tempfile_in(&folder)?))).0),
    };
    let ambience = args.ambience.map(|place| Ambience { kind: place.kind(), ..Ambience::default() });
    let posts = args.tell_saves_to.clone().map(|url| Arc::new(Posts::to(url)) as Arc<dyn AgentSaved>);
    let extras = Extras { echo: true, tap, ambience, listeners: posts.into_iter().collect(), own_key: None };
    let running = boot_with_extras(config, vendors, extras).await?;
    println(&running.addr.port())?;
    let mut told = HashSet::new();
    let mut requests = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(request)) = requests.next_line().await {
        match request.as_str() {
            "answers" => println(&answers(&running, &mut told).await.unwrap_or_else(unread))?,
            "metrics" => println(&telemetry::metrics().render())?,
            _ => println(&usage(&meter).map_err(BenchError::Switch)?)?,
        }
    }
    running.shutdown().await;
    Ok(())
}

fn println<T: serde::Serialize>(value: &T) -> Result<(), CliError> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", serde_json::json!(value))?;
    Ok(stdout.flush()?)
}

/// A store that does not answer under this load: its figure is absent, the callers' own stand.
fn unread(error: StoreError) -> Vec<Answered> {
    tracing::warn!(%error, "the latencies of this window cannot be read");
    Vec::new()
}

/// How long each answered caller waited, and for what, as the switch recorded it; of the calls that have ended and were not `told` yet.
///
/// Page by page, from the newest to the first page without news: the memory of the question must not be the memory that a soak finds.
async fn answers(running: &Running, told: &mut HashSet<i64>) -> Result<Vec<Answered>, StoreError> {
    let (mut answers, mut last) = (Vec::new(), None);
    loop {
        let page = running.store.conversations(BusinessId::FIRST, Listing::newest(PAGE).after_row(last)).await?;
        let mut news = false;
        for call in &page {
            if call.ended_at.is_none() {
                news = true; // what lies behind it may be news
            } else if told.insert(call.id) {
                let lines = running.store.transcript(BusinessId::FIRST, call.id).await?;
                answers.extend(lines.into_iter().filter_map(answered));
                news = true;
            }
        }
        last = page.last().map(|call| call.id);
        if !news || page.len() < PAGE as usize {
            return Ok(answers);
        }
    }
}

/// A line of the transcript that answers the caller.
fn answered(line: TranscriptLine) -> Option<Answered> {
    let stages_ms = line.stages.and_then(|stages| serde_json::from_value(stages).ok()).unwrap_or_default();
    Some(Answered { latency_ms: line.latency_ms? as f64, stages_ms })
}

/// What this process has used, by its own account.
fn usage(meter: &Meter) -> std::io::Result<Usage> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let resident: u64 = pages.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    Ok(Usage {
        cpu_seconds: time.tv_sec as f64 + time.tv_nsec as f64 / 1e9,
        vendor_seconds: meter.total().as_secs_f64(),
        rss_bytes: resident * rustix::param::page_size() as u64,
        open_files: std::fs::read_dir("/proc/self/fd")?.count() as u64,
        tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks() as u64,
    })
}
