//! The switch that is measured: boots with metered fakes, says its port, and answers `usage` until its input ends.

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tandem_actors::Tap;
use tandem_actors::tap::tape::Tapes;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{ConversationStore, Listing};
use tandem_peers::vendor::{FakeStt, FakeTts};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::metered::{Meter, Metered};
use super::{CliError, Usage};
use crate::config::{Config, MediaCredentials};
use crate::wiring::{Running, Vendors, boot_tapped};

/// As many as the command takes.
const MOST_CALLS: u32 = 5_001;

pub(super) async fn serve(config: Config) -> Result<(), CliError> {
    // The callers are on this machine and know no credentials, whatever the settings say of others.
    let (host, media) = (Ipv4Addr::LOCALHOST.into(), MediaCredentials::default());
    let config = Config { host, media, ..config };
    let meter = Meter::default();
    let vendors = Vendors {
        stt: Some(Arc::new(Metered { vendor: FakeStt::default(), meter: meter.clone() })),
        tts: Some(Arc::new(Metered { vendor: FakeTts::default(), meter: meter.clone() })),
    };
    // The budgets hold with a recorder on. Its tapes have no names: they go with the process, whatever ends it.
    let folder = config.data_dir.clone();
    let (tapes, _) = Tapes::start(move |_| Ok(Box::new(tempfile::tempfile_in(&folder)?)));
    let running = boot_tapped(config, vendors, Tap::to(tapes)).await?;
    println(&running.addr.port())?;
    let mut requests = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(request)) = requests.next_line().await {
        match request.as_str() {
            "latencies" => println(&latencies(&running).await?)?,
            _ => println(&usage(&meter)?)?,
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

/// How long each answered caller waited, in ms, as the switch recorded it.
async fn latencies(running: &Running) -> Result<Vec<i64>, CliError> {
    let failed = |error: tandem_domain::port::store::StoreError| CliError::BenchSwitch(std::io::Error::other(error));
    let mut latencies = Vec::new();
    let calls = running.store.conversations(BusinessId::FIRST, Listing::newest(MOST_CALLS)).await.map_err(failed)?;
    for call in calls {
        let lines = running.store.transcript(BusinessId::FIRST, call.id).await.map_err(failed)?;
        latencies.extend(lines.iter().filter_map(|line| line.latency_ms));
    }
    Ok(latencies)
}

/// What this process has used, by its own account.
fn usage(meter: &Meter) -> Result<Usage, CliError> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let pages = std::fs::read_to_string("/proc/self/statm").map_err(CliError::BenchSwitch)?;
    let resident: u64 = pages.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    Ok(Usage {
        cpu_seconds: time.tv_sec as f64 + time.tv_nsec as f64 / 1e9,
        vendor_seconds: meter.total().as_secs_f64(),
        rss_bytes: resident * rustix::param::page_size() as u64,
    })
}
