//! `tandem config`: what holds, where it came from, and what is wrong with it.

use clap::Subcommand;
use serde::Serialize;

use super::{CliError, Output};
use crate::config::{self, Config, ConfigError, Problem, Shown, Source};
use crate::wiring::{self, BootError, DefaultAgent};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read all settings, playbooks and lists of words, look up the default agent, and tell what is wrong; nothing is started.
    Check,
    /// Show every setting with its value and its source; secrets are masked.
    Print,
}

/// Result of `config check`.
#[derive(Debug, Serialize)]
struct Checked {
    ok: bool,
    problems: Vec<CheckedProblem>,
    notices: Vec<String>,
}

#[derive(Debug, Serialize)]
struct CheckedProblem {
    subject: String,
    source: Source,
    detail: String,
}

pub(super) async fn run(
    command: &Command,
    loaded: Result<Config, ConfigError>,
    output: Output,
) -> Result<(), CliError> {
    match command {
        Command::Check => check(loaded, output).await,
        Command::Print => {
            output.result(&config::shown(&loaded?.settings), |settings| table(settings))?;
            Ok(())
        }
    }
}

async fn check(loaded: Result<Config, ConfigError>, output: Output) -> Result<(), CliError> {
    let config = match loaded {
        Ok(config) => config,
        Err(error) => {
            let problems = error.problems.iter().cloned();
            let problems =
                problems.map(|Problem { subject, source, detail }| CheckedProblem { subject, source, detail });
            return refuse(problems.collect(), Vec::new(), error.into(), output);
        }
    };
    let problem = |subject: &str, error: &BootError| {
        let source = config.settings.setting(subject).source.clone();
        vec![CheckedProblem { subject: subject.to_owned(), source, detail: error.to_string() }]
    };
    let mut notices = config.notices.clone();
    if let Err(error) = wiring::check_lexicons(&config) {
        let error = BootError::from(error);
        return refuse(problem("LEXICONS_DIR", &error), notices, error.into(), output);
    }
    match wiring::default_agent(&config).await {
        Ok(DefaultAgent::Found) => {}
        Ok(DefaultAgent::Unknown(why)) => {
            notices.push(format!("DEFAULT_AGENT {:?} was not looked up: {why}", config.default_agent));
        }
        Err(error @ BootError::Playbook(_)) => {
            return refuse(problem("PLAYBOOKS_DIR", &error), notices, error.into(), output);
        }
        Err(error) => return refuse(problem("DEFAULT_AGENT", &error), notices, error.into(), output),
    }
    output.result(&Checked { ok: true, problems: Vec::new(), notices }, |checked| {
        let notices = checked.notices.iter().map(|notice| format!("note: {notice}\n"));
        notices.chain(["the configuration is usable".to_owned()]).collect()
    })?;
    Ok(())
}

/// Tells what is wrong: as JSON on stdout where that was asked for, and in any case as the command's error.
fn refuse(
    problems: Vec<CheckedProblem>,
    notices: Vec<String>,
    error: CliError,
    output: Output,
) -> Result<(), CliError> {
    if output.is_json() {
        output.result(&Checked { ok: false, problems, notices }, |_| String::new())?;
    }
    Err(error)
}

/// Settings that somebody set or that act, in columns; the rest would bury them.
fn table(settings: &[Shown]) -> String {
    let shown = || settings.iter().filter(|setting| setting.effective || setting.source != Source::Default);
    let name_width = shown().map(|setting| setting.name.len()).max().unwrap_or_default();
    let value = |setting: &Shown| setting.value.clone().unwrap_or_else(|| "-".to_owned());
    let value_width = shown().map(|setting| value(setting).chars().count()).max().unwrap_or_default().min(40);
    let mut text = String::new();
    for setting in shown() {
        let later = if setting.effective { "" } else { ", effect to come" };
        let line =
            format!("{:name_width$}  {:value_width$}  {}{later}\n", setting.name, value(setting), setting.source);
        text.push_str(&line);
    }
    let hidden = settings.len() - shown().count();
    text.push_str(&format!("({hidden} more are unset and without effect in this version; --json shows all)"));
    text
}
