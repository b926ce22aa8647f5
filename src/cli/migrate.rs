//! `tandem migrate`: bring the database's schema up to date. `serve` does it by itself; this is for those who do it apart.

use serde::Serialize;

use super::{CliError, Output};
use crate::config::Config;
use crate::wiring;

#[derive(Debug, Serialize)]
struct Migrated {
    database: String,
    engine: &'static str,
}

pub(super) async fn run(config: Config, output: Output) -> Result<(), CliError> {
    let store = wiring::open_store(&config).await?;
    let migrated = Migrated { database: config.database.to_string(), engine: store.engine() };
    store.close().await;
    output.result(&migrated, |migrated| format!("the schema of {} is up to date", migrated.database))?;
    Ok(())
}
