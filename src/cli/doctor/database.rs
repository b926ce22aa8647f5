//! The database and who answers from it. A SQLite file that is not there yet is not made, and no schema is touched.

use tandem_store::{Location, Options, SchemaState, Store};

use super::Finding;
use crate::config::Config;
use crate::wiring::{self, DefaultAgent};

const DATABASE: &str = "database";
const AGENT: &str = "default agent";

pub(super) async fn all(config: &Config) -> [Finding; 2] {
    [database(config).await, default_agent(config).await]
}

async fn database(config: &Config) -> Finding {
    if let Location::Sqlite(file) = &config.database
        && !file.exists()
    {
        return Finding::ok(DATABASE, format!("{} will be made at the first start", file.display()));
    }
    let store = match Store::open(&config.database, Options::default()).await {
        Ok(store) => store,
        Err(error) => {
            let remedy = "check DATABASE_URL, that the server runs, and that it lets this user in";
            return Finding::fail(DATABASE, super::in_one_line(&error), remedy);
        }
    };
    let schema = store.schema().await;
    store.close().await;
    let place = &config.database;
    match schema {
        Ok(SchemaState { pending: 0, .. }) => {
            Finding::ok(DATABASE, format!("{place} answers, its schema is up to date"))
        }
        Ok(SchemaState { applied: 0, .. }) => {
            Finding::ok(DATABASE, format!("{place} answers; its schema is made at the first start"))
        }
        Ok(SchemaState { pending, .. }) => Finding::warn(
            DATABASE,
            format!("{place} answers; its schema lacks {pending} steps"),
            "back it up and run `tandem migrate`, or let the next start do it",
        ),
        Err(error) => Finding::fail(
            DATABASE,
            super::in_one_line(&error),
            "use the version of tandem that last used this database, or a newer one",
        ),
    }
}

async fn default_agent(config: &Config) -> Finding {
    let name = &config.default_agent;
    match wiring::default_agent(config).await {
        Ok(DefaultAgent::Found) => Finding::ok(AGENT, format!("{name} answers calls that name none")),
        Ok(DefaultAgent::Unknown(why)) => Finding::warn(
            AGENT,
            format!("{name:?} could not be looked up: {why}"),
            "mend the database first, then look again",
        ),
        Err(error) => {
            Finding::fail(AGENT, super::in_one_line(&error), "`tandem config print` says where DEFAULT_AGENT came from")
        }
    }
}
