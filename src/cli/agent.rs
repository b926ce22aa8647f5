//! `tandem agent`: agents as files, in the database that the settings name. A switch that runs on it needs no word of it: its next call meets the
//! change, and providers hear of it as of any other.
//!
//! A file is a whole agent ([`tandem_domain::agent_file`]): the same agent gives the same bytes, and what a file leaves out is not set. Whoever can
//! read the database needs no leave; what is changed stands in the audit log as the command line's.
//! Not here: drafts, versions and the way back, which are the interface's.

use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;
use tandem_domain::agent_file;
use tandem_domain::ids::{AgentId, BusinessId};
use tandem_domain::port::store::{AgentBook, AgentRecord, RowKey};
use tandem_store::Store;

use super::access::Of;
use super::{CliError, Output};
use crate::config::Config;
use crate::http::agents::shown;
use crate::wiring;

mod apply;
mod difference;
mod error;

pub(super) use error::AgentError;

/// Agents that are read at once.
const PAGE: u32 = 100;

const EXPORT_EXAMPLES: &str = "\
Examples:
  tandem agent export front-desk                     to stdout
  tandem agent export front-desk --to front-desk.toml
  tandem agent export --all --to agents/             a file for each agent, named after it
  tandem agent export desk --business Acme           one of another business";

const SHOW_EXAMPLES: &str = "\
Examples:
  tandem agent show front-desk                       what was set of it; everything else has its default
  tandem agent show 3 --json                         all settings with their defaults, as GET /api/agents/3 answers";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show which agents there are.
    List,
    /// Show an agent: what was set of it, and its version.
    #[command(after_help = SHOW_EXAMPLES)]
    Show {
        /// Name, number or UUID
        agent: String,
    },
    /// Write an agent as a file (TOML); the same agent always gives the same bytes.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export {
        /// Name, number or UUID
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        agent: Option<String>,
        /// All agents; --to is a folder then
        #[arg(long, requires = "to")]
        all: bool,
        /// The file to write; without it the agent goes to stdout
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Make or change agents as files say; each difference is shown before it is applied.
    Apply(apply::Args),
}

pub(super) async fn run(asked: Of<Command>, config: Config, output: Output) -> Result<(), CliError> {
    let store = wiring::open_store(&config).await?;
    let done = answer(&store, asked, &config, output).await;
    store.close().await;
    done
}

async fn answer(store: &Store, asked: Of<Command>, config: &Config, output: Output) -> Result<(), CliError> {
    let business = asked.whose.find(store).await?;
    match asked.command {
        Command::List => list(store, business, output).await,
        Command::Show { agent } => show(store, business, &agent, output).await,
        Command::Export { agent: Some(agent), to, .. } => export(store, business, &agent, to, output).await,
        Command::Export { agent: None, to, .. } => export_all(store, business, to.unwrap_or_default(), output).await,
        Command::Apply(args) => {
            let (needed, region) = (wiring::needed_agents(config), config.region.parse().ok());
            apply::run(store, business, &args, &needed, region, output).await
        }
    }
}

#[derive(Debug, Serialize)]
struct Listed {
    id: AgentId,
    uuid: uuid::Uuid,
    name: String,
    version: u32,
    has_draft: bool,
    updated_at: chrono::DateTime<chrono::Utc>,
}

async fn list(store: &Store, business: BusinessId, output: Output) -> Result<(), CliError> {
    let listed = |record: AgentRecord| Listed {
        id: record.identity.id,
        uuid: record.identity.uuid,
        name: record.settings.name(),
        version: record.live.0,
        has_draft: record.draft.is_some(),
        updated_at: record.updated_at,
    };
    let agents: Vec<Listed> = all(store, business).await?.into_iter().map(listed).collect();
    output.result(&agents, |agents| {
        let width = agents.iter().map(|agent| agent.name.chars().count()).max().unwrap_or_default().max(4);
        let line = |agent: &Listed| {
            let (id, name, draft) = (agent.id.0, &agent.name, if agent.has_draft { "  and a draft" } else { "" });
            let changed = agent.updated_at.format("%Y-%m-%d %H:%M:%S UTC");
            format!("{id:>4}  {name:width$}  {:>7}  {changed}{draft}\n", agent.version)
        };
        format!("{:>4}  {:width$}  {:>7}  changed\n", "id", "name", "version")
            + &agents.iter().map(line).collect::<String>()
    })?;
    Ok(())
}

async fn show(store: &Store, business: BusinessId, agent: &str, output: Output) -> Result<(), CliError> {
    let record = find(store, business, agent).await?;
    output.result(&shown(&record), |_| {
        let (identity, changed) = (record.identity, record.updated_at.format("%Y-%m-%d %H:%M:%S UTC"));
        let draft = record.draft.as_ref().map(|draft| format!("; a draft was begun on version {}", draft.based_on));
        format!(
            "# agent {}, {}\n# version {}, changed {changed}{}\n{}",
            identity.id.0,
            identity.uuid,
            record.live,
            draft.unwrap_or_default(),
            agent_file::export(&record.settings)
        )
    })?;
    Ok(())
}

#[derive(Debug, Serialize)]
struct Exported {
    name: String,
    version: u32,
    /// The file, where one was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    /// The agent, where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    toml: Option<String>,
}

impl Exported {
    fn to_file(record: &AgentRecord, file: PathBuf) -> Result<Self, AgentError> {
        let written = std::fs::write(&file, agent_file::export(&record.settings));
        written.map_err(|source| AgentError::Write { file: file.clone(), source })?;
        Ok(Self { name: record.settings.name(), version: record.live.0, file: Some(file), toml: None })
    }

    fn told(&self) -> String {
        match (&self.file, &self.toml) {
            (Some(file), _) => format!("{} version {} is in {}\n", self.name, self.version, file.display()),
            (None, toml) => toml.clone().unwrap_or_default(),
        }
    }
}

async fn export(
    store: &Store,
    business: BusinessId,
    agent: &str,
    to: Option<PathBuf>,
    output: Output,
) -> Result<(), CliError> {
    let record = find(store, business, agent).await?;
    let exported = match to {
        Some(file) => Exported::to_file(&record, file)?,
        None => Exported {
            name: record.settings.name(),
            version: record.live.0,
            file: None,
            toml: Some(agent_file::export(&record.settings)),
        },
    };
    Ok(output.result(&exported, Exported::told)?)
}

async fn export_all(store: &Store, business: BusinessId, folder: PathBuf, output: Output) -> Result<(), CliError> {
    let made = std::fs::create_dir_all(&folder);
    made.map_err(|source| AgentError::Write { file: folder.clone(), source })?;
    let mut exported = Vec::new();
    for record in all(store, business).await? {
        let file = folder.join(format!("{}.toml", record.settings.name()));
        exported.push(Exported::to_file(&record, file)?);
    }
    Ok(output.result(&exported, |exported| exported.iter().map(Exported::told).collect())?)
}

/// Every agent, oldest first.
async fn all(store: &Store, business: BusinessId) -> Result<Vec<AgentRecord>, AgentError> {
    let mut agents: Vec<AgentRecord> = Vec::new();
    loop {
        let page = store.agents(business, agents.last().map(|last| last.identity.id), PAGE).await?;
        let whole = page.len() < PAGE as usize;
        agents.extend(page);
        if whole {
            return Ok(agents);
        }
    }
}

async fn find(store: &Store, business: BusinessId, agent: &str) -> Result<AgentRecord, AgentError> {
    let found = store.agent_record(business, RowKey::parse(agent)).await?;
    found.ok_or_else(|| AgentError::NoAgent(agent.to_owned()))
}
