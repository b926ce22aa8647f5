//! Another business, and keys of programs, for tests of who sees what.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

use rand_core::{OsRng, TryRngCore as _};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use tandem_access::api_key::{self, ApiKey};
use tandem_access::audit::{Action, Changes, Origin, Record, Resource, Who};
use tandem_access::port::{AccessStore, NewKey};
use tandem_access::role::Capability;
use tandem_actors::clock;
use tandem_domain::ids::BusinessId;
use uuid::Uuid;

use crate::support::Program;

/// A business beside the first.
pub async fn add_business(program: &Program) -> BusinessId {
    let file = program.folder.path().join("data").join("tandem.db");
    let mut db = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    const SQL: &str = "INSERT INTO businesses (uuid, name) VALUES ($1, 'Another') RETURNING id";
    BusinessId(sqlx::query_scalar(SQL).bind(Uuid::now_v7()).fetch_one(&mut db).await.unwrap())
}

/// A key of a business with every scope that a key may have.
pub async fn key(program: &Program, business: BusinessId) -> String {
    let all: Vec<Capability> = Capability::ALL.iter().copied().filter(|capability| capability.is_for_keys()).collect();
    key_of(program, business, &all).await
}

/// A key of a business with these scopes.
pub async fn key_of(program: &Program, business: BusinessId, scopes: &[Capability]) -> String {
    let minted = api_key::mint(&mut OsRng.unwrap_err());
    let key = ApiKey {
        id: minted.id,
        business,
        hash: minted.hash,
        scopes: scopes.iter().copied().collect(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    let record = Record {
        at: clock::utc(),
        business,
        who: Who::Cli { account: None },
        from: Origin::default(),
        action: Action::Created,
        resource: Resource { kind: "api_key".to_owned(), id: minted.id.to_string() },
        changes: Changes::default(),
    };
    let new = NewKey { key, name: "test".to_owned(), created_by: None, at: clock::utc() };
    program.running.store.keep_key(new, record).await.unwrap();
    minted.text.expose().to_owned()
}
