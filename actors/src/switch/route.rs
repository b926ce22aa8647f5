//! Who answers: by name, by the number of ours that was dialled (or that we dialled from), or the one for everybody. The order stands in
//! [`tandem_domain::reception`].

use std::time::Duration;

use tandem_domain::ids::BusinessId;
use tandem_domain::number::Number;
use tandem_domain::port::store::{Route, RowKey};
use tokio::time::timeout;
use tracing::warn;

use super::{Inner, Switch};

/// A caller hears nothing while the store is asked whose the number is; where that is not to be had, the settings know somebody.
const ROUTE_LIMIT: Duration = Duration::from_millis(500);

impl Switch {
    /// The agent that was named, else the one of our number, by the store before the settings, else the one for everybody; or that the number
    /// is switched off.
    pub(super) async fn key(
        &self,
        business: BusinessId,
        named: Option<&str>,
        ours: Option<&str>,
    ) -> Result<RowKey, String> {
        let Inner { config, .. } = self.inner.as_ref();
        if let Some(named) = named {
            return Ok(RowKey::parse(named));
        }
        match self.route(business, ours).await {
            Some(Route { active: false, .. }) => return Err("its number is switched off".to_owned()),
            Some(Route { agent: Some(agent), .. }) => return Ok(RowKey::Number(agent.0)),
            Some(Route { agent: None, .. }) | None => {}
        }
        let by_settings = ours.and_then(|ours| config.numbers.agent(ours));
        Ok(RowKey::parse(by_settings.unwrap_or(&config.default_agent)))
    }

    /// Who answers our number; `None` where the store does not know it, or does not answer.
    async fn route(&self, business: BusinessId, ours: Option<&str>) -> Option<Route> {
        let Inner { config, ports, .. } = self.inner.as_ref();
        let number = Number::read(ours?, config.region).ok()?;
        match timeout(ROUTE_LIMIT, ports.numbers.route(business, number)).await {
            Ok(Ok(route)) => route,
            Ok(Err(error)) => {
                warn!(%error, "whose number was dialled is not known");
                None
            }
            Err(_) => {
                warn!("whose number was dialled is not known: the store does not answer in time");
                None
            }
        }
    }
}
