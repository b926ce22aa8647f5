//! `tandem serve`: answer calls until told to stop.

use serde::Serialize;

use super::{CliError, Output};
use crate::config::Config;
use crate::http::EngineNames;
use crate::shutdown::StopSignals;
use crate::telemetry;
use crate::wiring::{self, Running};

/// What the start says.
#[derive(Debug, Serialize)]
struct Started {
    url: String,
    media_url: String,
    data_dir: String,
    database: String,
    engines: EngineNames,
    default_agent: String,
    max_concurrent_calls: usize,
}

pub(super) async fn run(config: Config, output: Output) -> Result<(), CliError> {
    // To the end of this function: what waits for the disk is written when it goes.
    let _log = telemetry::start_log_with_file(config.log_level, config.log_dir.as_deref())?;
    // Before the start: a stop that comes while models load is obeyed, not queued.
    let mut signals = StopSignals::listen()?;
    for notice in &config.notices {
        output.say(format_args!("note: {notice}"));
    }
    let (name, drain) = (config.app_name.clone(), config.calls.drain);
    let started = |running: &Running| Started {
        url: running.url(),
        media_url: running.media_url(),
        data_dir: std::path::absolute(&config.data_dir)
            .unwrap_or_else(|_| config.data_dir.clone())
            .display()
            .to_string(),
        database: config.database.to_string(),
        engines: running.engines,
        default_agent: config.default_agent.clone(),
        max_concurrent_calls: config.calls.max_concurrent,
    };
    let running = tokio::select! {
        biased;
        _ = signals.next() => return Ok(()),
        running = wiring::boot(config.clone()) => running?,
    };
    // With credentials the URL alone opens nothing; `simulate` finds us, and them, by the same settings.
    let url = if config.media.are_set() { String::new() } else { format!(" --url {}", running.media_url()) };
    announce(&name, &started(&running), &url, output)?;
    if let Some(link) = running.setup_link().await {
        output.say(format_args!(
            "nobody has an account yet; to make the first administrator, open within an hour: {}",
            link.expose()
        ));
    }

    let signal = signals.next().await;
    output.say(format_args!(
        "{signal}: no new calls; running ones get {} s to finish (a second signal ends them at once)",
        drain.as_secs()
    ));
    tokio::select! {
        biased;
        signal = signals.next() => output.say(format_args!("{signal}: ending at once")),
        () = running.drain(drain) => {}
    }
    running.shutdown().await;
    output.say("stopped");
    Ok(())
}

fn announce(name: &str, started: &Started, url_flag: &str, output: Output) -> Result<(), CliError> {
    if output.is_json() {
        output.result(started, |_| String::new())?;
        return Ok(());
    }
    let Started { url, media_url, data_dir, database, engines, default_agent, max_concurrent_calls } = started;
    output.say(format_args!(
        "{name} {version} is ready\n\
         \x20 HTTP       {url}\n\
         \x20 talk       {url}/talk\n\
         \x20 media      {media_url}\n\
         \x20 data       {data_dir}\n\
         \x20 database   {database}\n\
         \x20 hears by   {stt}\n\
         \x20 speaks by  {tts}\n\
         \x20 answers    {default_agent}; at most {max_concurrent_calls} calls at once\n\
         Try it: tandem simulate{url_flag} --say \"I want an apartment in Delhi\"",
        version = env!("CARGO_PKG_VERSION"),
        stt = engines.stt,
        tts = engines.tts,
    ));
    Ok(())
}
