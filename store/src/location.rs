//! Where the database is: the meaning of `DATABASE_URL`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// Name of the SQLite file in the data folder.
const FILE_NAME: &str = "tandem.db";

/// A database that a [`crate::Store`] can open. Prints without user and password.
///
/// | text                                            | means                                             |
/// |-------------------------------------------------|---------------------------------------------------|
/// | a path, `sqlite:path`, `sqlite://path`          | that file, relative to the working directory      |
/// | `sqlite:///path`                                | that file, from the root                          |
/// | `postgres://…`, `postgresql://…`                | that server                                       |
/// | any of these with `+driver` before the colon    | the same: other programs name their driver there  |
#[derive(Clone)]
pub enum Location {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server and database.
    Postgres(Box<PgConnectOptions>),
}

/// Why a text names no database. Never repeats the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Another kind of database, or a typing error.
    #[error("database address has unknown scheme {0:?}: use sqlite or postgres")]
    Scheme(String),
    /// SQLite in memory: every connection would see a database of its own.
    #[error("a SQLite database must be a file")]
    NoFile,
    /// A PostgreSQL address that cannot be read.
    #[error("PostgreSQL address is not readable: write postgres://user:password@host:port/database")]
    Postgres,
}

impl Location {
    /// The setting if there is one (an empty one counts as none), else `tandem.db` in the data folder.
    pub fn from_settings(database_url: Option<&str>, data_dir: &Path) -> Result<Self, LocationError> {
        match database_url.map(str::trim) {
            None | Some("") => Ok(Self::Sqlite(data_dir.join(FILE_NAME))),
            Some(url) => url.parse(),
        }
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let Some((scheme, rest)) = scheme(text) else { return file(text) };
        match scheme.split_once('+').map_or(scheme, |(name, _driver)| name).to_ascii_lowercase().as_str() {
            "sqlite" => file(rest.strip_prefix("//").unwrap_or(rest)),
            "postgres" | "postgresql" => format!("postgres:{rest}")
                .parse()
                .map(|server| Self::Postgres(Box::new(server)))
                .map_err(|_| LocationError::Postgres), // the cause may quote the address
            _ => Err(LocationError::Scheme(scheme.to_owned())),
        }
    }
}

/// Splits at the scheme's colon. A text without one is a path, and so is `C:\…`: no scheme has one letter.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (is_scheme).then_some((scheme, rest))
}

fn file(path: &str) -> Result<Location, LocationError> {
    let path = path.split('?').next().unwrap_or_default(); // other programs' options
    match path {
        "" | "/" | ":memory:" => Err(LocationError::NoFile),
        path => Ok(Location::Sqlite(path.into())),
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "sqlite:{}", file.display()),
            Self::Postgres(server) => {
                write!(
                    f,
                    "postgres://{}:{}/{}",
                    server.get_host(),
                    server.get_port(),
                    server.get_database().unwrap_or("")
                )
            }
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<Location>().unwrap().to_string()
    }

    #[test]
    fn unset_or_empty_is_a_file_in_the_data_folder() {
        for setting in [None, Some(""), Some("  ")] {
            let location = Location::from_settings(setting, Path::new("/data")).unwrap();
            assert_eq!(location.to_string(), "sqlite:/data/tandem.db");
        }
    }

    #[test]
    fn reads_every_documented_form() {
        assert_eq!(shown("calls.db"), "sqlite:calls.db");
        assert_eq!(shown("/var/lib/calls.db"), "sqlite:/var/lib/calls.db");
        assert_eq!(shown("sqlite:calls.db"), "sqlite:calls.db");
        assert_eq!(shown("sqlite://calls.db?mode=rwc"), "sqlite:calls.db");
        assert_eq!(shown("sqlite+aiosqlite:///var/calls.db"), "sqlite:/var/calls.db");
        assert_eq!(shown("postgres://host/voiceai"), "postgres://host:5432/voiceai");
        assert_eq!(shown("PostgreSQL+asyncpg://user:pass@host:6543/voiceai"), "postgres://host:6543/voiceai");
    }

    #[test]
    fn refuses_the_rest_without_repeating_a_password() {
        let refused = |text: &str| text.parse::<Location>().unwrap_err();
        assert_eq!(refused("mysql://u:secret@h/d"), LocationError::Scheme("mysql".into()));
        assert_eq!(refused("sqlite::memory:"), LocationError::NoFile);
        assert_eq!(refused("sqlite://"), LocationError::NoFile);
        assert_eq!(refused("postgres://u:secret@h:port/d"), LocationError::Postgres);
    }

    #[test]
    fn prints_no_credentials() {
        let location: Location = "postgres://someone:secret@host/db".parse().unwrap();
        for text in [format!("{location}"), format!("{location:?}")] {
            assert!(!text.contains("secret") && !text.contains("someone"), "{text}");
        }
    }
}
