//! Limits of calls: who is let in, who is not, what either leaves behind, and what a restart remembers.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDate, Timelike as _};
use line::{Exchange, Line, rendered, say};
use memory::OneAgent;
use serde_json::json;
use tandem_actors::{SwitchConfig, clock};
use tandem_domain::admission::{Caps, Terms};
use tandem_domain::agent::{Agent, Timing};
use tandem_domain::ids::{AgentId, BusinessId};
use tandem_domain::port::store::{
    AgentStore, BusinessLimits, LimitStore, NumberRoutes, Route, RowKey, StoreError, StoreFuture,
};
use tandem_domain::{number::Number, reception::NumberAgents};
use tandem_peers::caller::{Line as Said, Manners, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::twilio::{TwilioIds, TwilioPeer};
use tandem_peers::simulate::{self, SimulateConfig};
use tandem_peers::vendor::{FakeStt, FakeTts};
use tandem_providers::carrier::twilio::TwilioDialect;

const LIMIT: Duration = Duration::from_secs(240);

/// The one agent, by name and by number, on other terms.
struct OnTerms(Terms);

impl AgentStore for OnTerms {
    fn agent(&self, business: BusinessId, key: RowKey) -> StoreFuture<'_, Option<Agent>> {
        let key = if key == RowKey::Number(1) { RowKey::Name("front-desk".into()) } else { key };
        Box::pin(async move {
            let found = OneAgent(Timing::default()).agent(business, key).await?;
            Ok(found.map(|agent| Agent { terms: self.0, ..agent }))
        })
    }
}

/// What a business may have, and what other processes have let in.
#[derive(Default)]
struct House {
    limits: BusinessLimits,
    elsewhere: u32,
    /// The database does not answer.
    away: bool,
}

impl LimitStore for House {
    fn business_limits(&self, _: BusinessId) -> StoreFuture<'_, BusinessLimits> {
        Box::pin(async {
            if self.away {
                std::future::pending::<()>().await;
            }
            Ok(self.limits)
        })
    }

    fn admitted_elsewhere(&self, _: BusinessId, _: NaiveDate) -> StoreFuture<'_, Vec<(AgentId, u32)>> {
        Box::pin(async {
            if self.away {
                return Err(StoreError::Unavailable("gone".into()));
            }
            Ok(vec![(AgentId(1), self.elsewhere)])
        })
    }
}

async fn exchange(house: House, terms: Terms) -> Exchange {
    let config = SwitchConfig { max_calls: 1_000, ..SwitchConfig::default() };
    Exchange::changed(config, |ports| {
        ports.agents = Arc::new(OnTerms(terms));
        ports.limits = Arc::new(house);
    })
    .await
}

fn at_once(calls: u32) -> House {
    let caps = Caps { at_once: Some(calls), a_day: None };
    House { limits: BusinessLimits { caps, zone: None }, ..House::default() }
}

fn a_day(calls: u32, elsewhere: u32) -> House {
    let caps = Caps { at_once: None, a_day: Some(calls) };
    House { limits: BusinessLimits { caps, zone: None }, elsewhere, away: false }
}

/// A call that is answered, and goes on.
async fn answered(exchange: &Exchange, number: u64) -> Line {
    let mut line = Line::dial(exchange, number, vec![]).await;
    line.until("a word", LIMIT, |line| !line.heard.is_empty()).await;
    line
}

/// A call that is not: why, once that is on record.
async fn refused(exchange: &Exchange, number: u64) -> String {
    let mut line = Line::dial(exchange, number, vec![]).await;
    line.run_out(Duration::from_secs(2)).await;
    assert!(line.closed && line.heard.is_empty(), "nobody spoke, and the socket was closed");
    reason(exchange, number).await
}

async fn reason(exchange: &Exchange, number: u64) -> String {
    let call_sid = TwilioIds::numbered(u128::from(number)).call_sid;
    loop {
        let records = exchange.log.call(&call_sid);
        if !records.ended.is_empty() {
            return records.reason().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until nobody holds a place.
async fn freed(exchange: &Exchange) {
    let look = async {
        while exchange.switch.limits().taken() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), look).await.expect("the place is free");
}

#[tokio::test(start_paused = true)]
async fn a_call_too_many_is_refused_and_the_others_go_on() {
    let exchange = exchange(at_once(2), Terms::default()).await;
    let mut first = answered(&exchange, 1).await;
    let _second = answered(&exchange, 2).await;
    assert_eq!(refused(&exchange, 3).await, "concurrency_limit");
    let records = exchange.log.call(&TwilioIds::numbered(3).call_sid);
    assert_eq!(records.ended[0].reason.status().as_str(), "busy");
    assert!(records.ended[0].detail.contains("business has 2 calls"), "{:?}", records.ended[0]);
    assert_eq!(records.events, ["refused"]);
    let told = json!({"reason": "concurrency_limit", "level": "business", "used": 2, "most": 2});
    assert_eq!(records.timeline[0].data, told);
    first.look(Duration::from_millis(20)).await;
    assert_eq!(exchange.switch.limits().taken(), 2, "nobody was harmed");
    assert_eq!(exchange.switch.sessions().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_place_is_free_again_when_its_call_ends_and_when_it_dies() {
    let exchange = exchange(at_once(1), Terms::default()).await;
    let mut orderly = Line::dial(&exchange, 1, vec![say(1, "goodbye")]).await;
    orderly.run_out(LIMIT).await;
    assert_eq!(reason(&exchange, 1).await, "completed");
    freed(&exchange).await;
    let _dies = answered(&exchange, 2).await;
    assert_eq!(refused(&exchange, 3).await, "concurrency_limit");
    let calls = exchange.switch.calls().await;
    calls[0].1.kill();
    assert_eq!(reason(&exchange, 2).await, "call_crashed");
    freed(&exchange).await;
    answered(&exchange, 4).await;
    let days: Vec<_> = exchange.log.admitted().into_iter().map(|usage| usage.overflow).collect();
    assert_eq!(days, [false; 3], "a row for each call that was let in, and none for the one that was not");
}

#[tokio::test(start_paused = true)]
async fn overflow_lets_three_times_as_many_in_and_is_on_record() {
    let exchange = exchange(at_once(1), Terms { overflow: true, ..Terms::default() }).await;
    let mut lines = Vec::new();
    for number in 1..=3 {
        lines.push(answered(&exchange, number).await);
    }
    assert_eq!(refused(&exchange, 4).await, "concurrency_limit");
    let overflowed: Vec<_> = exchange.log.admitted().into_iter().map(|usage| usage.overflow).collect();
    assert_eq!(overflowed, [false, true, true]);
}

#[tokio::test(start_paused = true)]
async fn a_day_is_full_with_what_other_processes_let_in() {
    let exchange = exchange(a_day(10, 9), Terms::default()).await;
    let mut last = Line::dial(&exchange, 1, vec![say(1, "goodbye")]).await;
    last.run_out(LIMIT).await;
    assert_eq!(reason(&exchange, 1).await, "completed");
    assert_eq!(refused(&exchange, 2).await, "daily_limit", "a call that is over has been a call");
    assert_eq!(exchange.log.admitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_calls_in_one_moment_get_the_places_that_there_are() {
    let exchange = exchange(at_once(7), Terms::default()).await;
    let mut lines = Vec::new();
    for number in 1..=40 {
        lines.push(Line::dial(&exchange, number, vec![]).await);
    }
    for line in &mut lines {
        line.until("a word or the end", LIMIT, |line| line.closed || !line.heard.is_empty()).await;
    }
    assert_eq!(lines.iter().filter(|line| !line.closed).count(), 7);
    assert_eq!(exchange.switch.limits().taken(), 7);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_does_not_answer_leaves_the_telephone_ringing() {
    let exchange = exchange(House::default(), Terms { answers: false, ..Terms::default() }).await;
    assert_eq!(refused(&exchange, 1).await, "auto_answer_off");
    let records = exchange.log.call(&TwilioIds::numbered(1).call_sid);
    assert_eq!(records.ended[0].reason.status().as_str(), "no_answer");
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_away_keeps_no_caller_waiting() {
    let own = Caps { at_once: Some(1), a_day: Some(5) };
    let exchange = exchange(House { away: true, ..House::default() }, Terms { caps: own, ..Terms::default() }).await;
    let before = clock::now();
    let _line = answered(&exchange, 1).await;
    let waited = clock::now() - before;
    assert!(waited < Duration::from_secs(3), "{waited:?}");
    assert_eq!(refused(&exchange, 2).await, "concurrency_limit", "what the agent itself says still holds");
}

/// Numbers that the store knows.
struct Numbers(BTreeMap<&'static str, Route>);

impl NumberRoutes for Numbers {
    fn route(&self, _: BusinessId, number: Number) -> StoreFuture<'_, Option<Route>> {
        let route = self.0.get(number.as_str()).copied();
        Box::pin(std::future::ready(Ok(route)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_leads_to_its_agent_by_the_store_and_then_by_the_settings() {
    let routes = BTreeMap::from([
        ("+918047112233", Route { active: true, agent: Some(AgentId(1)) }),
        ("+918047112234", Route { active: false, agent: Some(AgentId(1)) }),
        ("+918047112235", Route { active: true, agent: None }),
    ]);
    let region = Some("IN".parse().unwrap());
    // The settings lead to nobody but where the store says nothing.
    let settings = "+918047112233=nobody,+918047112234=front-desk,+918047112235=front-desk,+918047112236=front-desk";
    let numbers = NumberAgents::read(settings, region).unwrap();
    let config = SwitchConfig { numbers, region, default_agent: "nobody".into(), ..SwitchConfig::default() };
    let exchange = Exchange::changed(config, |ports| {
        ports.agents = Arc::new(OnTerms(Terms::default()));
        ports.numbers = Arc::new(Numbers(routes));
    })
    .await;
    for (call, dialled, expected) in [
        (1, "08047112233", "completed"),
        (2, "+918047112234", "no_agent"),
        (3, "+918047112235", "completed"),
        (4, "+918047112236", "completed"),
        (5, "+918047112237", "no_agent"),
    ] {
        let parameters = BTreeMap::from([("To".to_owned(), dialled.to_owned())]);
        let peer = TwilioPeer::new(TwilioIds::numbered(u128::from(call)), parameters);
        let dialects: Vec<Arc<dyn tandem_domain::port::dialect::Dialect>> = vec![Arc::new(TwilioDialect::new(0))];
        let script = vec![say(call, "goodbye")];
        let mut line = Line::dial_as(&exchange, dialects, peer, Default::default(), call, script).await;
        line.run_out(LIMIT).await;
        assert_eq!(reason(&exchange, call).await, expected, "{dialled}");
    }
}

/// A zone in which it is about noon: no day ends while a test runs.
fn noon() -> String {
    let east = 12 - i64::from(clock::utc().hour());
    // The tz database counts the other way round.
    if east >= 0 { format!("Etc/GMT-{east}") } else { format!("Etc/GMT+{}", -east) }
}

async fn call(program: &support::Program, number: u64) -> String {
    let config = SimulateConfig {
        url: program.socket_url("/media"),
        unix_socket: None,
        carrier: Carrier::Twilio(TwilioIds::numbered(u128::from(number))),
        custom_parameters: BTreeMap::new(),
        script: vec![Step::Say(Said::Audio(rendered(number, "goodbye")))],
        manners: Manners { seed: number, quiet: Duration::from_millis(300), ..Manners::default() },
        renderer: Arc::new(FakeTts::default()),
        voice: String::new(),
        language: "en".to_owned(),
        recogniser: Some(Arc::new(FakeStt::default())),
        record_to: None,
        limit: Duration::from_secs(60),
    };
    // A call that is refused ends at once, which is no report.
    let _ = simulate::run(config).await;
    let sid = TwilioIds::numbered(u128::from(number)).call_sid;
    let look = async {
        loop {
            let call = program.get(&format!("/api/calls/{sid}")).await;
            if call.status == 200 && !call.json()["ended_at"].is_null() {
                return call.json()["ended_reason"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), look).await.expect("the end of the call is on record")
}

#[tokio::test]
async fn a_restart_remembers_what_the_day_has_had() {
    let program = support::boot_with_fakes().await;
    let wanted = json!({"daily_call_limit": 1, "time_zone": noon()});
    let set = support::answer(program.request("PATCH", "/api/limits").json(&wanted)).await;
    assert_eq!(set.status, 200, "{}", set.body);
    assert_ne!(call(&program, 1).await, "daily_limit");
    assert_eq!(call(&program, 2).await, "daily_limit");
    let support::Program { running, folder, .. } = program;
    running.shutdown().await;
    let again = support::boot_in(folder, &[], support::fakes()).await.unwrap();
    assert_eq!(call(&again, 3).await, "daily_limit");
    let lifted = support::answer(again.request("PATCH", "/api/limits").json(&json!({"daily_call_limit": null}))).await;
    assert_eq!(lifted.status, 200, "{}", lifted.body);
    assert_ne!(call(&again, 4).await, "daily_limit", "the next call meets the change");
}
