//! `tandem agent apply`: files become agents. All files are read before the first is applied, so a bad one changes nothing.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};
use tandem_access::audit::{self, Action, Origin, Record, Resource, Who};
use tandem_actors::clock;
use tandem_domain::agent_file::{self, FileError};
use tandem_domain::agent_settings::{AgentChange, AgentSettings, Faults};
use tandem_domain::agent_version::{Difference, Origin as VersionOrigin, Version, VersionError, VersionNumber, diff};
use tandem_domain::ids::BusinessId;
use tandem_domain::needed_agents::NeededAgents;
use tandem_domain::number::Region;
use tandem_domain::port::store::{AgentBook, Change, Kept, RowKey};
use tandem_store::Store;
use uuid::Uuid;

use super::{AgentError, CliError, Output, difference, find};

/// No agent's file is larger; what is, is not read into memory.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  tandem agent apply asha.toml                       make the agent that the file names, or change it; the next call meets it
  tandem agent apply agents/*.toml --dry-run         what would change, and nothing does
  tandem agent apply asha.toml --agent asha-old      change that agent, its name included
  tandem agent apply asha.toml --business Acme       an agent of another business
  tandem agent export asha | sed s/30/45/ | tandem agent apply - --json

A file is a whole agent: what it leaves out goes back to its default. A call in progress keeps the version that it began with.
The exit code is 0 if all files were applied, or could be with --dry-run; a file that is no agent keeps all of them from being applied.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// Files of agents, or - for one on stdin
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// The agent that becomes what the file says, by name, number or UUID, instead of the one of the file's name
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
}

/// A file that was read.
struct Wanted {
    file: String,
    settings: AgentSettings,
}

/// What becomes of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Created,
    Updated,
    Unchanged,
}

#[derive(Debug, Serialize)]
struct Applied {
    agent: String,
    outcome: Outcome,
    /// The version that is live, or would be.
    version: VersionNumber,
    dry_run: bool,
    differences: Vec<Difference>,
}

impl Applied {
    fn told(&self) -> String {
        let (agent, version) = (&self.agent, self.version);
        match (self.outcome, self.dry_run) {
            (Outcome::Created, false) => format!("{agent} was created: version {version} is live\n"),
            (Outcome::Updated, false) => format!("{agent} was changed: version {version} is live\n"),
            (Outcome::Created, true) => format!("{agent} would be created\n{}", difference::text(&self.differences)),
            (Outcome::Updated, true) => {
                format!("{agent} would become version {version}\n{}", difference::text(&self.differences))
            }
            (Outcome::Unchanged, _) => format!("{agent} is as the file says: version {version} stays\n"),
        }
    }
}

pub(super) async fn run(
    store: &Store,
    business: BusinessId,
    args: &Args,
    needed: &NeededAgents,
    region: Option<Region>,
    output: Output,
) -> Result<(), CliError> {
    if args.agent.is_some() && args.files.len() > 1 {
        return Err(AgentError::OneFile(args.files.len()).into());
    }
    let wanted = args.files.iter().map(|file| read(file, region)).collect::<Result<Vec<_>, _>>()?;
    each_once(&wanted)?;
    let (mut applied, mut failed) = (Vec::with_capacity(wanted.len()), None);
    for wanted in wanted {
        match apply(store, business, args, needed, wanted.settings, output).await {
            Ok(one) => applied.push(one),
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    // What was applied before one failed is a result all the same.
    if failed.is_none() || !applied.is_empty() {
        output.result(&applied, |applied| applied.iter().map(Applied::told).collect())?;
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

fn read(path: &Path, region: Option<Region>) -> Result<Wanted, AgentError> {
    let of_stdin = path == Path::new("-");
    let file = if of_stdin { "stdin".to_owned() } else { path.display().to_string() };
    let mut text = String::new();
    let taken = if of_stdin {
        io::stdin().take(MOST_BYTES).read_to_string(&mut text)
    } else {
        File::open(path).and_then(|opened| opened.take(MOST_BYTES).read_to_string(&mut text))
    };
    taken.map_err(|source| AgentError::Read { file: file.clone(), source })?;
    match agent_file::import(&text, region) {
        Ok(settings) => Ok(Wanted { file, settings }),
        Err(FileError::Settings(faults)) => Err(AgentError::Settings { told: placed(&text, &faults), file }),
        Err(source @ (FileError::TooLarge(_) | FileError::Syntax(_))) => Err(AgentError::File { file, source }),
    }
}

/// All faults, each with the line that it is about.
fn placed(file: &str, faults: &Faults) -> String {
    let told = faults.told.iter().map(|fault| match agent_file::line(file, &fault.pointer) {
        Some(line) => format!("  line {line}: {fault}\n"),
        None => format!("  {fault}\n"),
    });
    let more = if faults.more > 0 { format!("  and {} more", faults.more) } else { String::new() };
    (told.collect::<String>() + &more).trim_end().to_owned()
}

fn each_once(wanted: &[Wanted]) -> Result<(), AgentError> {
    for (place, one) in wanted.iter().enumerate() {
        let name = one.settings.name();
        let same = |other: &&Wanted| other.settings.name().to_lowercase() == name.to_lowercase();
        if let Some(other) = wanted[..place].iter().find(same) {
            return Err(AgentError::Twice { name, one: other.file.clone(), other: one.file.clone() });
        }
    }
    Ok(())
}

async fn apply(
    store: &Store,
    business: BusinessId,
    args: &Args,
    needed: &NeededAgents,
    settings: AgentSettings,
    output: Output,
) -> Result<Applied, AgentError> {
    let seen = match &args.agent {
        Some(agent) => Some(find(store, business, agent).await?),
        None => store.agent_record(business, RowKey::Name(settings.name())).await?,
    };
    let nothing = AgentSettings::default();
    let before = seen.as_ref().map_or(&nothing, |seen| &seen.settings);
    let (agent, differences) = (settings.name(), diff(before, &settings));
    let applied = |outcome, version| Applied {
        agent: agent.clone(),
        outcome,
        version,
        dry_run: args.dry_run,
        differences: differences.clone(),
    };
    let next = match &seen {
        None => Version::first(settings),
        Some(seen) => {
            needed.may_become(seen, Some(&settings))?;
            let live = Version { number: seen.live, origin: VersionOrigin::Edited, settings: seen.settings.clone() };
            match live.edited(&AgentChange::between(before, &settings)) {
                Ok(next) => next,
                Err(VersionError::Unchanged(_) | VersionError::Outdated { .. } | VersionError::Conflict { .. }) => {
                    return Ok(applied(Outcome::Unchanged, seen.live));
                }
            }
        }
    };
    let (outcome, version) = (if seen.is_some() { Outcome::Updated } else { Outcome::Created }, next.number);
    if args.dry_run {
        return Ok(applied(outcome, version));
    }
    if !output.is_json() {
        output.say(format_args!("{agent}:\n{}", difference::text(&differences).trim_end()));
    }
    let after = next.settings.stored();
    let kept = match seen {
        None => {
            let uuid = Uuid::now_v7();
            store.create_agent(business, uuid, next, change(business, Action::Created, uuid, None, after)).await?
        }
        Some(seen) => {
            let change = change(business, Action::Updated, seen.identity.uuid, Some(seen.settings.stored()), after);
            store.save_agent(seen, next, change).await?
        }
    };
    match kept {
        Kept::Done(record) => Ok(applied(outcome, record.live)),
        Kept::NameTaken => Err(AgentError::NameTaken(agent)),
        Kept::Raced => Err(AgentError::Raced(agent)),
    }
}

/// The record of a change by whoever sits at this machine.
fn change(
    business: BusinessId,
    action: Action,
    agent: Uuid,
    before: Option<Map<String, Value>>,
    after: Map<String, Value>,
) -> Change {
    let at = clock::utc();
    let record = Record {
        at,
        business,
        who: Who::Cli { account: std::env::var("USER").ok() },
        from: Origin::default(),
        action,
        resource: Resource { kind: "agent".to_owned(), id: agent.to_string() },
        changes: audit::changes(before.map(Value::Object).as_ref(), Some(&Value::Object(after))),
    };
    Change { by: "cli".to_owned(), at, audit: (&record).into() }
}
