//! `tandem config`: what holds, where it came from, and what is wrong with it.

use clap::Subcommand;
use serde::Serialize;

use super::{CliError, Output};
use crate::config::{self, Config, ConfigError, Problem, Shown, Source};
use crate::wiring::{self, BootError};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read all settings and playbooks and tell what is wrong with them; nothing is started.
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

pub(super) fn run(command: &Command, loaded: Result<Config, ConfigError>, output: Output) -> Result<(), CliError> {
    match command {
        Command::Check => check(loaded, output),
        Command::Print => {
            output.result(&config::shown(&loaded?.settings), |settings| table(settings))?;
            Ok(())
        }
    }
}

fn check(loaded: Result<Config, ConfigError>, output: Output) -> Result<(), CliError> {
    match loaded {
        Ok(config) => {
            if let Err(error) = wiring::check_playbooks(&config) {
                if output.is_json() {
                    let source = config.settings.setting("PLAYBOOKS_DIR").source.clone();
                    let subject = "PLAYBOOKS_DIR".to_owned();
                    let problems = vec![CheckedProblem { subject, source, detail: error.to_string() }];
                    output.result(&Checked { ok: false, problems, notices: config.notices }, |_| String::new())?;
                }
                return Err(BootError::from(error).into());
            }
            let checked = Checked { ok: true, problems: Vec::new(), notices: config.notices };
            output.result(&checked, |checked| {
                let notices = checked.notices.iter().map(|notice| format!("note: {notice}\n"));
                notices.chain(["the configuration is usable".to_owned()]).collect()
            })?;
            Ok(())
        }
        Err(error) => {
            if output.is_json() {
                let problems = error
                    .problems
                    .iter()
                    .cloned()
                    .map(|Problem { subject, source, detail }| CheckedProblem { subject, source, detail });
                output.result(&Checked { ok: false, problems: problems.collect(), notices: Vec::new() }, |_| {
                    String::new()
                })?;
            }
            Err(error.into())
        }
    }
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
