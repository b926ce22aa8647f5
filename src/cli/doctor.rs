//! `tandem doctor`: what would keep this machine from answering calls, looked at without starting or changing anything.
//!
//! Every check is one [`Finding`]: what it looked at, how it is, and where it is not well, what to do. The exit code is 1 when one fails;
//! a warning is something that works and may not for long.
//! Vendors are asked no more than a handshake. Not here: what a carrier would say to our keys, which costs money to ask.

mod database;
mod machine;
mod models;
mod settings;
mod speech;
mod vendors;

use std::io::IsTerminal;

use serde::Serialize;

use super::{CliError, Output};
use crate::config::{Config, ConfigError};

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    /// It works, and may not for long or not for everybody.
    Warn,
    /// Calls will not be answered like this.
    Fail,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    /// What was looked at; a closed set, for those who read the JSON.
    check: &'static str,
    verdict: Verdict,
    /// How it is.
    detail: String,
    /// What to do; `null` where all is well.
    remedy: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, detail: detail.into(), remedy: None }
    }

    fn warn(check: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warn, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    fn fail(check: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Fail, detail: detail.into(), remedy: Some(remedy.into()) }
    }
}

/// The result.
#[derive(Debug, Serialize)]
struct Diagnosis {
    /// Whether nothing failed.
    ok: bool,
    checks: Vec<Finding>,
}

pub(super) async fn run(loaded: Result<Config, ConfigError>, output: Output) -> Result<(), CliError> {
    let mut checks = Vec::new();
    match &loaded {
        Ok(config) => {
            checks.extend(settings::all(config));
            checks.push(machine::data_folder(config));
            checks.extend(machine::log_folder(config));
            checks.push(machine::disk_space(config));
            checks.extend(database::all(config).await);
            checks.extend(speech::all(config).await);
            checks.extend(vendors::all(config).await);
            checks.extend(models::all(config).await);
            checks.push(machine::port(config).await);
            checks.push(machine::open_files(config.calls.max_concurrent));
        }
        // The rest would be looked at in places that nobody meant.
        Err(error) => checks.extend(settings::problems(error)),
    }
    checks.push(machine::clock());
    let failed = checks.iter().filter(|finding| finding.verdict == Verdict::Fail).count();
    let diagnosis = Diagnosis { ok: failed == 0, checks };
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    output.result(&diagnosis, |diagnosis| table(&diagnosis.checks, colours))?;
    if failed == 0 { Ok(()) } else { Err(CliError::Doctor { failed, of: diagnosis.checks.len() }) }
}

/// The findings in columns, each with its remedy below it.
fn table(checks: &[Finding], colours: bool) -> String {
    let width = checks.iter().map(|finding| finding.check.len()).max().unwrap_or_default();
    let mut text = String::new();
    for Finding { check, verdict, detail, remedy } in checks {
        let (word, colour) = match verdict {
            Verdict::Ok => ("ok  ", "32"),
            Verdict::Warn => ("warn", "33"),
            Verdict::Fail => ("fail", "31"),
        };
        let word = if colours { format!("\u{1b}[{colour}m{word}\u{1b}[0m") } else { word.to_owned() };
        text.push_str(&format!("{word}  {check:width$}  {detail}\n"));
        if let Some(remedy) = remedy {
            text.push_str(&format!("{:indent$}→ {remedy}\n", "", indent = width + 8));
        }
    }
    text
}

/// An error with its causes in one line.
fn in_one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other_with_and_without_colour() {
        let checks = [Finding::ok("port", "8000 is free"), Finding::fail("data folder", "is a file", "move it")];
        let plain = table(&checks, false);
        assert_eq!(
            plain,
            "ok    port         8000 is free\nfail  data folder  is a file\n                   → move it\n"
        );
        let coloured = table(&checks, true);
        assert!(coloured.contains("\u{1b}[31mfail\u{1b}[0m  data folder  is a file"), "{coloured}");
    }
}
