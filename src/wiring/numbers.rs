//! Whose our numbers are, as calls find it: by the database, and while that does not answer as it last was. A caller of one number must not meet
//! the agent of another because of an outage.

use moka::sync::Cache;
use tandem_domain::ids::BusinessId;
use tandem_domain::number::Number;
use tandem_domain::port::store::{NumberRoutes, Route, StoreError, StoreFuture};
use tandem_store::Store;
use tokio::time::timeout;
use tracing::warn;

use super::agents::PATIENCE;

/// Numbers that are kept as they last were.
const KEPT: u64 = 10_000;

/// The store's numbers.
pub(super) struct Numbers {
    store: Store,
    last: Cache<(BusinessId, Number), Route>,
}

impl Numbers {
    pub(super) fn new(store: Store) -> Self {
        Self { store, last: Cache::new(KEPT) }
    }
}

impl NumberRoutes for Numbers {
    fn route(&self, business: BusinessId, number: Number) -> StoreFuture<'_, Option<Route>> {
        Box::pin(async move {
            let asked = (business, number);
            let last = self.last.get(&asked);
            let found = timeout(PATIENCE / 2, self.store.route(business, asked.1.clone())).await;
            match (found, last) {
                (Ok(Ok(Some(route))), _) => {
                    self.last.insert(asked, route);
                    Ok(Some(route))
                }
                (Ok(Ok(None)), _) => {
                    self.last.invalidate(&asked);
                    Ok(None)
                }
                (Err(_) | Ok(Err(StoreError::Unavailable(_))), Some(route)) => {
                    warn!("the database does not answer: a number is answered as it last was");
                    Ok(Some(route))
                }
                (Ok(Err(error)), _) => Err(error),
                (Err(_), None) => Err(StoreError::Unavailable("no answer in time".to_owned())),
            }
        })
    }
}
