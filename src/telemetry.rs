//! What the program tells about itself: a log on stderr, in a file where `LOG_DIR` is set, and metrics for Prometheus.
//!
//! The log is for people where stderr is a terminal (colours unless `NO_COLOR` is set) and one JSON object a line otherwise, with the
//! keys `ts`, `level`, `msg`, `target`, the facts of the event, and those of the spans around it (`call_id`, `leg_id`).
//! Neither log nor metrics hold what identifies a caller above debug level.

use std::io::IsTerminal;
use std::path::Path;

use tracing_appender::non_blocking::NonBlocking;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogLevel;

mod file;
mod json;
mod recorder;

pub use file::{LogError, LogFile};
pub use recorder::{Metrics, metrics};

/// Starts the log of this process on stderr. A second call changes nothing: many programs may run in one test process.
pub fn start_log(level: LogLevel) {
    install(level, None);
}

/// As [`start_log`], and with a file in `folder` if one is given; the file is written for as long as the result lives.
pub fn start_log_with_file(level: LogLevel, folder: Option<&Path>) -> Result<Option<LogFile>, LogError> {
    let Some(folder) = folder else {
        start_log(level);
        return Ok(None);
    };
    let (writer, file) = file::open(folder)?;
    install(level, Some(writer));
    Ok(Some(file))
}

fn install(level: LogLevel, file: Option<NonBlocking>) {
    let file = file.map(|writer| {
        let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
        layer.fmt_fields(JsonFields::new()).event_format(json::OneLine)
    });
    let registry = tracing_subscriber::registry().with(filter(level)).with(file);
    let started = if std::io::stderr().is_terminal() {
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        registry.with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours)).try_init()
    } else {
        let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        registry.with(layer.fmt_fields(JsonFields::new()).event_format(json::OneLine)).try_init()
    };
    if started.is_err() {
        tracing::debug!("the log runs already");
    }
}

/// Our own crates at `level`, everybody else's at most at warn: a library's debug lines would drown ours and may hold what ours may not.
fn filter(level: LogLevel) -> EnvFilter {
    let others = match level {
        LogLevel::Error => LogLevel::Error,
        _ => LogLevel::Warn,
    };
    // A directive covers all targets that begin with it: `tandem` stands for every crate of the workspace.
    EnvFilter::new(format!("{},tandem={}", others.as_str(), level.as_str()))
}
