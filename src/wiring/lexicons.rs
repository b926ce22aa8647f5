//! Lists of words by language, of `LEXICONS_DIR`: read and checked once at the start, so that a slip in a file is told to the operator and costs
//! no caller a turn. A file of a built-in language takes that list's place. Which list a call hears by is the domain's ([`Lists`]).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tandem_domain::barge_in::{LexiconError, List, Lists};

use super::folder::toml_files;

/// Why the lists of words cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LexiconFileError {
    /// The folder or a file cannot be read.
    #[error("cannot read {}: check LEXICONS_DIR", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no list of words.
    #[error("{}, {flaw}", path.display())]
    Unsound {
        /// Which.
        path: PathBuf,
        /// Where in it, and why.
        flaw: LexiconError,
    },
    /// Two files have one language.
    #[error("{} and another file have the language {language:?}: put their phrases into one", path.display())]
    Twice {
        /// The later one.
        path: PathBuf,
        /// The language.
        language: String,
    },
}

/// The lists of `folder`; none without one.
pub(super) fn load(folder: Option<&Path>) -> Result<Lists, LexiconFileError> {
    let mut lists = Lists::default();
    let Some(folder) = folder else { return Ok(lists) };
    let unreadable = |path: &Path, source| LexiconFileError::Read { path: path.to_owned(), source };
    for path in toml_files(folder).map_err(|source| unreadable(folder, source))? {
        let text = fs::read_to_string(&path).map_err(|source| unreadable(&path, source))?;
        let list = List::from_toml(&text).map_err(|flaw| LexiconFileError::Unsound { path: path.clone(), flaw })?;
        lists.add(list).map_err(|list| LexiconFileError::Twice { path, language: list.language().to_owned() })?;
    }
    Ok(lists)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_no_list_is_refused_with_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let told = || load(Some(folder.path())).unwrap_err().to_string();
        fs::write(folder.path().join("mr.toml"), "language = 'mr'\ncommands = [\n  'thamba',\n]\n").unwrap();
        fs::write(folder.path().join("notes.txt"), "not a list").unwrap();
        assert_eq!(load(Some(folder.path())).unwrap().of_call("mr-IN").len(), 1);
        assert_eq!(load(None).unwrap(), Lists::default());

        fs::write(folder.path().join("ta.toml"), "language = 'ta'\ncommands = [\n  '!',\n]\n").unwrap();
        assert!(told().ends_with("ta.toml, line 3: \"!\" has to have one to 5 words"), "{}", told());
        fs::write(folder.path().join("ta.toml"), "language = 'MR'\ncommands = ['nillu']\n").unwrap();
        assert!(told().contains("ta.toml and another file have the language \"MR\""), "{}", told());
        let absent = load(Some(Path::new("/absent"))).unwrap_err().to_string();
        assert_eq!(absent, "cannot read /absent: check LEXICONS_DIR");
    }
}
