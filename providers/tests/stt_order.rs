//! An order of recognisers whose first is killed in each phase of a call, on real sockets: no word is lost, and nobody waits for long.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/caller.rs"]
mod caller;

use std::sync::Arc;
use std::time::{Duration, Instant};

use caller::Caller;
use tandem_domain::port::stt::Stt;
use tandem_peers::mock::{Behaviour, Mock, MockConfig};
use tandem_peers::vendor::{FakeStt, Fault, FaultPlan};
use tandem_providers::stt::deepgram::{Deepgram, DeepgramConfig};
use tandem_providers::stt::fallback::Order;

/// The caller hears nothing for no longer than that (promises.md P5).
const DEAD_AIR: Duration = Duration::from_secs(4);

#[expect(clippy::disallowed_methods, reason = "a test that measures real time")]
fn clock() -> Instant {
    Instant::now()
}

/// Deepgram that behaves so, with a local recogniser behind it.
async fn order(stt: Behaviour) -> (Mock, Order) {
    let mock = Mock::start(MockConfig { stt, ..MockConfig::default() }).await.unwrap();
    let deepgram = DeepgramConfig { base_url: mock.base_url(), ..DeepgramConfig::new("key") };
    let first: Arc<dyn Stt> = Arc::new(Deepgram::new(&deepgram).unwrap());
    (mock, Order::new(first, [Arc::new(FakeStt::default()) as Arc<dyn Stt>]))
}

/// Four turns; how long the slowest answer took.
async fn talk(order: &Order, what: &str) -> Duration {
    let mut caller = Caller::new(order);
    let mut slowest = Duration::ZERO;
    for text in ["I want an apartment", "in Delhi, please.", "sixty lakh rupees", "thank you"] {
        caller.say(text);
        let began = clock();
        assert_eq!(caller.answer().await.unwrap(), text, "{what}");
        slowest = slowest.max(began.elapsed());
    }
    slowest
}

#[tokio::test]
async fn a_vendor_that_cannot_be_had_is_not_missed() {
    for door in [Fault::Error, Fault::Drop, Fault::Silent] {
        let (_mock, order) = order(Behaviour { doors: FaultPlan::always(door), ..Behaviour::default() }).await;
        let slowest = talk(&order, &format!("{door:?}")).await;
        assert!(slowest < DEAD_AIR, "{door:?}: {slowest:?}");
    }
}

#[tokio::test]
async fn a_vendor_that_dies_within_the_call_is_not_missed() {
    for fault in [
        Fault::Silent,
        Fault::Error,
        Fault::Drop,
        Fault::DropMidway,
        Fault::Garbage,
        Fault::Endless,
        Fault::Slow(Duration::from_secs(60)),
    ] {
        for after in [0, 2] {
            let faults = FaultPlan::times(fault, after, u32::MAX);
            let (_mock, order) = order(Behaviour { faults, ..Behaviour::default() }).await;
            let slowest = talk(&order, &format!("{fault:?} after {after}")).await;
            assert!(slowest < DEAD_AIR, "{fault:?} after {after}: {slowest:?}");
        }
    }
}

#[tokio::test]
async fn a_vendor_whose_machine_goes_down_is_not_missed() {
    let (mock, order) = order(Behaviour::default()).await;
    let mut caller = Caller::new(&order);
    caller.say("I want an apartment");
    assert_eq!(caller.answer().await.unwrap(), "I want an apartment");
    caller.say("in Delhi");
    drop(mock);
    assert_eq!(caller.answer().await.unwrap(), "in Delhi");
    caller.say("thank you");
    assert_eq!(caller.answer().await.unwrap(), "thank you");
}

#[tokio::test]
async fn the_next_call_does_not_wait_for_a_vendor_that_is_down() {
    let (_mock, order) = order(Behaviour { doors: FaultPlan::always(Fault::Silent), ..Behaviour::default() }).await;
    talk(&order, "the first finds out").await;
    let slowest = talk(&order, "the second knows").await;
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
}
