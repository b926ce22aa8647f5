//! Playbooks by name: the built-in ones and those of `PLAYBOOKS_DIR`, read and checked once at the start, so that a slip in a file is
//! told to the operator and not to a caller. A file whose playbook has a built-in name takes its place.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tandem_domain::agent::Agent;
use tandem_domain::brain::RulesBrain;
use tandem_domain::playbook::{self, Playbook};
use tandem_domain::port::brain::{Brain, BrainError, Brains};

use super::folder::toml_files;

/// Why the playbooks cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaybookError {
    /// The folder or a file cannot be read.
    #[error("cannot read {}: check PLAYBOOKS_DIR", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no playbook.
    #[error("{} is not a playbook that can run", path.display())]
    Unsound {
        /// Which.
        path: PathBuf,
        /// Where in it, and why.
        source: playbook::PlaybookError,
    },
    /// Two files hold playbooks of one name.
    #[error("{} and another file hold playbooks named {name:?}: give one of them another `name`", path.display())]
    Twice {
        /// The later one.
        path: PathBuf,
        /// The name.
        name: String,
    },
}

/// All playbooks of this process, by their names, which are in lower case.
#[derive(Debug)]
pub(super) struct Playbooks(BTreeMap<String, Arc<Playbook>>);

impl Playbooks {
    /// The built-in playbooks and those of `folder`.
    pub(super) fn load(folder: Option<&Path>) -> Result<Self, PlaybookError> {
        let mut found = BTreeMap::new();
        let files = |folder: &Path| {
            toml_files(folder).map_err(|source| PlaybookError::Read { path: folder.to_owned(), source })
        };
        for path in folder.map(files).transpose()?.unwrap_or_default() {
            let text =
                fs::read_to_string(&path).map_err(|source| PlaybookError::Read { path: path.clone(), source })?;
            let playbook =
                Playbook::from_toml(&text).map_err(|source| PlaybookError::Unsound { path: path.clone(), source })?;
            let name = playbook.name().to_owned();
            if found.contains_key(&name) {
                return Err(PlaybookError::Twice { path, name });
            }
            found.insert(name, Arc::new(playbook));
        }
        for built_in in [Playbook::front_desk(), Playbook::logistics()] {
            found.entry(built_in.name().to_owned()).or_insert_with(|| Arc::new(built_in));
        }
        Ok(Self(found))
    }

    /// The playbook that an agent runs.
    pub(super) fn of(&self, agent: &Agent) -> Result<&Arc<Playbook>, BrainError> {
        self.find(&agent.playbook).ok_or_else(|| {
            BrainError::Playbook(format!("agent {:?} runs {:?}, which is not loaded", agent.name, agent.playbook))
        })
    }

    /// The playbook of that name, any case.
    pub(super) fn find(&self, name: &str) -> Option<&Arc<Playbook>> {
        self.0.get(&name.to_lowercase())
    }
}

impl Brains for Playbooks {
    fn brain(&self, agent: &Agent) -> Result<Arc<dyn Brain>, BrainError> {
        let playbook = self.of(agent)?;
        Ok(Arc::new(RulesBrain::new(Arc::clone(playbook), agent, "")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The built-in playbook's text, under another name.
    fn renamed(name: &str) -> String {
        let built_in = include_str!("../../domain/playbooks/front-desk.toml");
        built_in.replacen("name = \"front-desk\"", &format!("name = \"{name}\""), 1)
    }

    #[test]
    fn files_join_the_built_in_playbook() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x.toml"), renamed("night-desk")).unwrap();
        fs::write(folder.path().join("notes.txt"), "not a playbook").unwrap();
        let playbooks = Playbooks::load(Some(folder.path())).unwrap();
        assert!(playbooks.find("Night-Desk").is_some() && playbooks.find("front-desk").is_some());
        assert!(playbooks.find("LOGISTICS").is_some(), "any case");
        assert!(Playbooks::load(None).unwrap().find("night-desk").is_none());
    }

    #[test]
    fn what_cannot_run_is_refused_with_the_files_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("broken.toml"), "name = 3").unwrap();
        let error = Playbooks::load(Some(folder.path())).unwrap_err();
        assert!(error.to_string().contains("broken.toml"), "{error}");
        fs::write(folder.path().join("broken.toml"), renamed("a")).unwrap();
        fs::write(folder.path().join("copy.toml"), renamed("a")).unwrap();
        assert!(matches!(Playbooks::load(Some(folder.path())), Err(PlaybookError::Twice { .. })));
        assert!(matches!(Playbooks::load(Some(Path::new("/absent"))), Err(PlaybookError::Read { .. })));
    }
}
