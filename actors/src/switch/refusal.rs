//! What a socket leaves behind that never became a call: a row with its end, a count, and why.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_domain::admission::Denied;
use tandem_domain::agent_version::VersionNumber;
use tandem_domain::ids::{AgentId, CallId, ConversationId};
use tandem_domain::port::dialect::LegStart;
use tandem_domain::record::{CallEnded, CallStarted, Direction, EndReason, REFUSED, Record, TimelineEvent};
use tracing::info;

use super::{Arrival, Switch, ids};
use crate::{clock, metrics as meter};

/// What is known of a socket that never became a call.
struct Met {
    ids: (CallId, ConversationId),
    direction: Direction,
    /// Who would have answered, and as which of its versions.
    agent: Option<(AgentId, VersionNumber)>,
    event: Option<TimelineEvent>,
}

impl Switch {
    /// Leaves the record of a call that its business or agent did not take.
    pub(super) fn denied(
        &self,
        carrier: &'static str,
        ids: (CallId, ConversationId),
        (agent, direction): ((AgentId, VersionNumber), Direction),
        start: &LegStart,
        arrival: &Arrival,
        denied: Denied,
    ) {
        let (call, business) = (ids.0, self.business_of(arrival));
        let mut data = serde_json::json!({ "reason": denied.as_str(), "level": denied.level() });
        if let Denied::AtOnce { used, most, .. } | Denied::Today { used, most, .. } = denied {
            (data["used"], data["most"]) = (used.into(), most.into());
        }
        let event = TimelineEvent { call, business, index: 1, since_start: Duration::ZERO, kind: REFUSED, data };
        let met = Met { ids, direction, agent: Some(agent), event: Some(event) };
        self.leave_record(carrier, met, start, arrival, EndReason::Denied(denied), Duration::ZERO);
    }

    /// Leaves the record of a socket that never became a call.
    pub(super) fn turned_away(
        &self,
        carrier: &'static str,
        invited: Option<CallId>,
        start: &LegStart,
        arrival: &Arrival,
        reason: EndReason,
        duration: Duration,
    ) {
        let (call, conversation) = ids(carrier);
        let met = Met {
            ids: (invited.unwrap_or(call), conversation),
            direction: Direction::Inbound,
            agent: None,
            event: None,
        };
        self.leave_record(carrier, met, start, arrival, reason, duration);
    }

    fn leave_record(
        &self,
        carrier: &'static str,
        met: Met,
        start: &LegStart,
        arrival: &Arrival,
        reason: EndReason,
        duration: Duration,
    ) {
        info!(carrier, reason = reason.as_str(), peer = ?arrival.peer, "socket turned away");
        meter::call_ended(carrier, &reason, duration);
        meter::call_refused(&reason);
        let Some(scribe) = self.scribe() else { return };
        let Met { ids: (call, conversation), direction, agent, event } = met;
        let (business, at) = (self.business_of(arrival), clock::utc());
        let detail = match &reason {
            EndReason::Breach(breach) => breach.to_string(),
            EndReason::NotInvited(uninvited) => uninvited.to_string(),
            EndReason::Denied(denied) => denied.to_string(),
            _ => String::new(),
        };
        scribe.write(Record::Started(CallStarted {
            call,
            conversation,
            business,
            agent: agent.map(|(id, _)| id),
            agent_version: agent.map(|(_, version)| version),
            call_sid: if start.carrier_call_id.is_empty() {
                arrival.path_id.clone().unwrap_or_default()
            } else {
                start.carrier_call_id.clone()
            },
            stream_sid: start.stream_id.clone(),
            provider: carrier.to_owned(),
            direction,
            from: start.from.clone(),
            to: start.to.clone(),
            // Not kept: whoever is turned away may come again and again, and shall not fill the spool.
            parameters: BTreeMap::new(),
            at,
        }));
        if let Some(event) = event {
            scribe.write(Record::Event(event));
        }
        scribe.write(Record::Ended(CallEnded { call, business, reason, detail, duration, outcome: None, at }));
    }
}
