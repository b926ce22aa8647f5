//! Why an agent is not shown, written or applied.

use std::io;
use std::path::PathBuf;

use tandem_domain::agent_file::FileError;
use tandem_domain::needed_agents::StillNeeded;
use tandem_domain::port::store::StoreError;

/// Why an agent is not shown, written or applied. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// There is none such.
    #[error("there is no agent {0:?}: `tandem agent list` shows those there are")]
    NoAgent(String),
    /// A file cannot be read.
    #[error("cannot read {file}: give a file that `tandem agent export` has made, or - and the agent on stdin")]
    Read {
        /// The file.
        file: String,
        /// Why not.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: choose another place with --to", file.display())]
    Write {
        /// The file, or the folder.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is not TOML, or no agent is as large.
    #[error("{file} is not the file of an agent, and nothing was applied")]
    File {
        /// The file.
        file: String,
        /// What is wrong, and where.
        source: FileError,
    },
    /// A file has settings that cannot be.
    #[error("{file} does not describe an agent, and nothing was applied:\n{told}")]
    Settings {
        /// The file.
        file: String,
        /// All that is wrong, a line each with its place.
        told: String,
    },
    /// Two files are about one agent.
    #[error("{one} and {other} both describe agent {name:?}, and nothing was applied: give one of them")]
    Twice {
        /// The agent.
        name: String,
        /// A file.
        one: String,
        /// Another.
        other: String,
    },
    /// One agent cannot become what several files say.
    #[error("--agent names one agent, so it takes one file: {0} were given")]
    OneFile(usize),
    /// Its new name is another's.
    #[error("another agent is called {0:?}, whatever the case: choose another name in the file")]
    NameTaken(String),
    /// The server would not start without it.
    #[error("{0}; nothing was applied. Change that setting first, or keep the name in the file")]
    StillNeeded(#[from] StillNeeded),
    /// Somebody was faster.
    #[error(
        "agent {0:?} was changed by somebody else just now and is as they left it: run this again to see the difference from that"
    )]
    Raced(String),
    /// The database does not do it.
    #[error("the database cannot be used: check DATABASE_URL and DATA_DIR")]
    Store(#[from] StoreError),
}
