//! What went wrong, told without SQL text, stored values or passwords: messages of an engine may hold any of them, so only codes and names
//! of columns and constraints pass.

use std::path::PathBuf;

use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;
use tandem_domain::port::store::StoreError;

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder of the SQLite file cannot be made.
    #[error("cannot make the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database did not open.
    #[error("cannot open {location}")]
    Database {
        /// Which, without credentials.
        location: String,
        /// Why.
        source: StoreError,
    },
    /// The schema was made by a newer version of this program, or by another program.
    #[error("the schema has step {0}, which this version does not know: use the version that made it, or a newer one")]
    Newer(i64),
    /// A step of the schema was changed after it had been applied here.
    #[error("step {0} of the schema is not the one that was applied here")]
    Changed(i64),
    /// The schema could not be brought up to date.
    #[error("cannot bring the schema up to date")]
    Schema(#[source] StoreError),
}

impl From<MigrateError> for OpenError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(step) | MigrateError::VersionTooNew(step, _) => Self::Newer(step),
            MigrateError::VersionMismatch(step) => Self::Changed(step),
            MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => {
                Self::Schema(Failure::from(cause).0)
            }
            _ => Self::Schema(StoreError::Refused("the record of applied steps is damaged".into())),
        }
    }
}

/// A [`StoreError`] on its way out of this crate; `?` makes it from an engine's error.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) StoreError);

impl Failure {
    /// A record that does not fit what is stored.
    pub(crate) fn refused(why: String) -> Self {
        Self(StoreError::Refused(why))
    }

    /// A stored value that this version does not understand.
    pub(crate) fn unreadable(column: &str) -> Self {
        Self(StoreError::Unreadable(format!("column {column}")))
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error;
        Self(match error {
            Error::Database(error) => from_engine(&*error),
            Error::PoolTimedOut => StoreError::Unavailable("no connection in time".into()),
            Error::PoolClosed => StoreError::Unavailable("the store is closed".into()),
            Error::Io(error) => StoreError::Unavailable(format!("connection failed: {}", error.kind())),
            Error::Tls(_) => StoreError::Unavailable("no secure connection".into()),
            Error::WorkerCrashed | Error::Protocol(_) | Error::BeginFailed | Error::InvalidSavePointStatement => {
                StoreError::Unavailable("connection failed".into())
            }
            Error::ColumnDecode { index, .. } => return Self::unreadable(index.trim_matches('"')),
            Error::ColumnNotFound(name) => return Self::unreadable(&name),
            Error::Decode(_) | Error::TypeNotFound { .. } | Error::ColumnIndexOutOfBounds { .. } => {
                StoreError::Unreadable("a value of unexpected type".into())
            }
            _ => StoreError::Refused("the statement is not usable".into()),
        })
    }
}

/// A key that no two rows share: a constraint by its name on PostgreSQL, its columns as SQLite says them.
pub(crate) struct UniqueKey {
    pub(crate) postgres: &'static str,
    pub(crate) sqlite: &'static str,
}

impl UniqueKey {
    /// Whether a statement failed because another row has the key. Who looks first and writes then is told so by the engine where somebody
    /// else wrote in between.
    pub(crate) fn is_taken(&self, error: &sqlx::Error) -> bool {
        let Some(error) = error.as_database_error().filter(|error| error.is_unique_violation()) else { return false };
        match error.constraint() {
            Some(constraint) => constraint == self.postgres,
            None => error.message().ends_with(self.sqlite), // after "UNIQUE constraint failed: "
        }
    }
}

/// An engine's own error, by its code.
fn from_engine(error: &dyn DatabaseError) -> StoreError {
    let code = error.code().unwrap_or_default();
    let away = if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        postgres_away(&code)
    } else {
        code.parse().ok().and_then(sqlite_away)
    };
    if let Some(why) = away {
        return StoreError::Unavailable(format!("{why} (code {code})"));
    }
    let what = match error.kind() {
        ErrorKind::UniqueViolation => "such a row exists",
        ErrorKind::ForeignKeyViolation => "a row that it refers to is missing or another business's",
        ErrorKind::NotNullViolation => "a value is missing",
        ErrorKind::CheckViolation => "a value is not allowed",
        _ => "statement failed",
    };
    match error.constraint() {
        Some(constraint) => StoreError::Refused(format!("{what} ({constraint}, code {code})")),
        None => StoreError::Refused(format!("{what} (code {code})")),
    }
}

/// What keeps a server from answering, by the class of its SQLSTATE (PostgreSQL appendix A); `None` where the statement is at fault.
fn postgres_away(sqlstate: &str) -> Option<&'static str> {
    match sqlstate.get(..2)? {
        "08" => Some("connection failed"),
        "28" => Some("user or password refused"),
        "3D" => Some("no such database"),
        "40" => Some("transaction rolled back"), // deadlock: the same batch may pass now
        "53" => Some("server out of resources"),
        "57" => Some("server is stopping or cancelled the query"),
        "58" | "XX" => Some("server is damaged"),
        _ => None,
    }
}

/// What keeps a file from answering, by the primary result code (sqlite.org/rescode.html); `None` where the statement is at fault.
fn sqlite_away(code: i32) -> Option<&'static str> {
    match code & 0xFF {
        5 | 6 => Some("database is locked"),
        7 => Some("out of memory"),
        8 => Some("file is read-only"),
        10 => Some("disk error"),
        11 | 26 => Some("file is damaged or no database"),
        13 => Some("disk is full"),
        14 => Some("file cannot be opened"),
        _ => None,
    }
}
