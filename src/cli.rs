//! The command line: what may be asked, and who answers.
//!
//! Results go to stdout (as JSON with `--json`), talk goes to stderr, the exit code is 0 for success alone: 1 for a failure, 2 for a
//! request that cannot be understood. An error names the remedy.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigError, Origins};

mod access;
mod agent;
mod bench;
mod business;
mod config;
mod doctor;
mod error;
mod key;
mod migrate;
mod mock;
mod models;
mod output;
mod place;
mod replay;
mod serve;
mod simulate;
mod stt_worker;
mod talk;
mod user;

pub use access::AccessError;
pub use error::CliError;
use output::Output;

const EXAMPLES: &str = "\
Examples:
  tandem                                             serve on http://localhost:8000
  tandem --port 9000 --data-dir /var/lib/tandem      serve elsewhere
  tandem models install                              fetch the speech model, once
  tandem models install --voice natural              and a voice that sounds natural; speak with --set TTS_PROVIDER=piper
  tandem talk                                        type to an agent, and read what it says
  tandem simulate --say \"I want an apartment in Delhi\" --say \"sixty lakh rupees\"
  tandem replay call.journal                         run a call again, and see where it would go otherwise
  tandem agent apply asha.toml                       make or change an agent as a file says; the next call meets it
  tandem doctor                                      what would keep this machine from answering calls
  tandem user add asha@example.com --role owner      make the first administrator; asks for the password
  tandem business add Acme --owner bela@example.com  a business beside the first, and its owner
  tandem key make CRM --scope calls:read             a key for a program, shown this once
  tandem mock --stt-latency 100                      the vendors' wires on one port, to try hosted engines without keys
  tandem config print                                every setting, its value and where it came from

Every setting may stand on the command line (--set NAME=VALUE), in the environment, in a .env file or in tandem.toml; the first wins.";

/// A telephone switch whose callers talk to agents.
#[derive(Debug, Parser)]
#[command(name = "tandem", version, about, after_help = EXAMPLES, max_term_width = 120)]
struct Cli {
    #[command(flatten)]
    settings: SettingFlags,
    /// Print the result as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer calls until told to stop (what `tandem` alone does).
    Serve,
    /// Speak to an agent from the terminal.
    Talk(talk::Args),
    /// Call an agent as a carrier does, and report what was said and heard.
    Simulate(simulate::Args),
    /// Run a call again from its journal, and say where the core would now decide otherwise.
    Replay(replay::Args),
    /// List, show, export and apply agents, as files that can be kept under version control.
    Agent(access::Of<agent::Command>),
    /// Manage the speech models on this machine.
    #[command(subcommand)]
    Models(models::Command),
    /// Look for what would keep this machine from answering calls; nothing is started or changed.
    Doctor,
    /// Bring the database's schema up to date.
    Migrate,
    /// Businesses that share this server and see nothing of each other: add one, list them, rename one.
    #[command(subcommand)]
    Business(business::Command),
    /// The people who may log in: add one, list them, give one another password.
    User(access::Of<user::Command>),
    /// Keys for programs: make one, list them, revoke one.
    Key(access::Of<key::Command>),
    /// Check or show the settings.
    #[command(subcommand)]
    Config(config::Command),
    /// Measure what a call costs on this machine.
    Bench(bench::Args),
    /// Serve the vendors' wires, with latency and faults on request. --host and --port are its own; it reads no settings.
    Mock(mock::Args),
    /// Recognise speech for a parent process, over stdin and stdout.
    #[command(hide = true)]
    SttWorker(stt_worker::Args),
}

/// Settings on the command line. Their values are checked where all settings are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings")]
struct SettingFlags {
    /// TOML file with settings [default: ./tandem.toml if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on
    #[arg(long, global = true, value_name = "ADDRESS")]
    host: Option<String>,
    /// Port to listen on
    #[arg(long, global = true, value_name = "PORT")]
    port: Option<String>,
    /// Folder of everything that is kept
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// Folder of further playbooks
    #[arg(long, global = true, value_name = "FOLDER")]
    playbooks_dir: Option<String>,
    /// trace, debug, info, warn or error
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
    /// Any setting by its name; may be repeated
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = name_and_value)]
    set: Vec<(String, String)>,
}

impl SettingFlags {
    /// With a setting that a command has a flag of its own for.
    fn and(mut self, name: &str, value: Option<String>) -> Self {
        self.set.extend(value.map(|value| (name.to_owned(), value)));
        self
    }

    fn load(self) -> Result<Config, ConfigError> {
        let own = [
            ("HOST", self.host),
            ("PORT", self.port),
            ("DATA_DIR", self.data_dir),
            ("PLAYBOOKS_DIR", self.playbooks_dir),
            ("LOG_LEVEL", self.log_level),
        ];
        let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Config::load(&Origins::of_process(self.set.into_iter().chain(own).collect(), self.config))
    }
}

impl SettingFlags {
    /// `--host` and `--port` of a command that serves beside the switch, and so must not take the switch's: a free port unless it was given one.
    fn own_address(&self) -> Result<(Option<std::net::IpAddr>, u16), CliError> {
        let address = |text: &str| text.parse().map_err(|_| CliError::Address(text.to_owned()));
        let host = self.host.as_deref().map(address).transpose()?;
        let port = self.port.as_deref().map(|text| text.parse().map_err(|_| CliError::Address(text.to_owned())));
        Ok((host, port.transpose()?.unwrap_or(0)))
    }
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// Does what the arguments ask for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results, everything else is talk; clap knows which.
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            return if error.print().is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE };
        }
    };
    let output = Output::new(cli.json);
    match answer(cli, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
            ExitCode::FAILURE
        }
    }
}

fn answer(cli: Cli, output: Output) -> Result<(), CliError> {
    let settings = cli.settings;
    match cli.command.unwrap_or(Command::Serve) {
        // Before any runtime: the worker is one thread that reads, computes and writes.
        Command::SttWorker(args) => stt_worker::run(&args),
        Command::Mock(args) => {
            let (host, port) = settings.own_address()?;
            block_on(mock::run(args, host, port, output))
        }
        Command::Config(command) => block_on(config::run(&command, settings.load(), output)),
        Command::Doctor => block_on(doctor::run(settings.load(), output)),
        Command::Serve => block_on(serve::run(settings.load()?, output)),
        Command::Talk(args) => {
            let config = settings.and("SWITCH_API_KEY", args.api_key.clone()).load()?;
            block_on(talk::run(args, config, output))
        }
        Command::Simulate(args) => {
            let config = settings.and("SWITCH_API_KEY", args.api_key.clone()).load()?;
            block_on(simulate::run(args, config, output))
        }
        Command::Agent(asked) => block_on(agent::run(asked, settings.load()?, output)),
        Command::Models(command) => models::run(&command, &settings.load()?, output),
        Command::Bench(args) => block_on(bench::run(args, settings.load()?, &output)),
        Command::Replay(args) => replay::run(&args, &settings.set, output),
        Command::Migrate => block_on(migrate::run(settings.load()?, output)),
        Command::Business(command) => block_on(business::run(command, settings.load()?, output)),
        Command::User(asked) => block_on(user::run(asked, settings.load()?, output)),
        Command::Key(asked) => block_on(key::run(asked, settings.load()?, output)),
    }
}

fn block_on(work: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Runtime)?.block_on(work)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn settings_stand_before_or_after_the_command() {
        for line in [["tandem", "--port", "1", "serve"], ["tandem", "serve", "--port", "1"]] {
            assert_eq!(Cli::try_parse_from(line).unwrap().settings.port.as_deref(), Some("1"));
        }
        assert!(Cli::try_parse_from(["tandem"]).unwrap().command.is_none());
        assert!(Cli::try_parse_from(["tandem", "--set", "PORT"]).is_err());
    }
}
