//! Whole calls under a paused clock: the real switch, the strict carrier model, a scripted caller, fake vendors.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;

use std::time::Duration;

use line::{Exchange, Line, Vendors, rendered, say};
use tandem_actors::SwitchConfig;
use tandem_domain::agent::Timing;
use tandem_peers::caller::Step;

const LIMIT: Duration = Duration::from_secs(240);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[tokio::test(start_paused = true)]
async fn a_caller_is_understood_read_back_and_thanked() {
    let exchange = Exchange::new().await;
    let script = vec![say(1, "I want an apartment in Delhi"), say(1, "sixty lakh rupees")];
    let mut line = Line::dial(&exchange, 1, script).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    assert_eq!(records.reason(), "completed");
    assert_eq!(records.said(), "I want an apartment in Delhi / sixty lakh rupees");
    assert_eq!(records.extracted["property_type"], "apartment");
    assert_eq!(records.extracted["location"], "Delhi");
    assert_eq!(records.extracted["budget"], 6_000_000);
    assert_eq!(records.heard(), line.transcript(), "the transcript is what the ear got");
    for reply in records.responses.iter().filter(|reply| reply.latency.is_some()) {
        let latency = reply.latency.unwrap();
        assert!(latency <= ms(620), "500 ms of silence, and hardly more: {latency:?}");
        assert_eq!(reply.stages.iter().map(|(_, time)| *time).sum::<Duration>(), latency);
    }
    assert_eq!(line.peer.statistics().underruns, 0);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_clears_at_once_and_the_transcript_holds_only_what_was_heard() {
    let exchange = Exchange::new().await;
    let script =
        vec![Step::Interrupt { after: ms(1_500), say: rendered(2, "I want a villa in Pune") }, say(2, "one crore")];
    let mut line = Line::dial(&exchange, 2, script).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    let greeting = &records.responses[0];
    assert!(greeting.interrupted && greeting.heard.len() < greeting.text.len(), "{greeting:?}");
    assert!(line.transcript().starts_with(&greeting.heard), "heard {:?}, ear {:?}", greeting.heard, line.transcript());
    assert_eq!(line.peer.statistics().clears, 1);
    assert_eq!(records.extracted["location"], "Pune");
    assert_eq!(records.reason(), "completed");
}

#[tokio::test(start_paused = true)]
async fn a_silent_caller_is_asked_again_and_then_let_go() {
    let exchange = Exchange::new().await;
    let mut line = Line::dial(&exchange, 3, vec![]).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    assert_eq!(records.reason(), "silence");
    assert!(records.events.iter().filter(|kind| **kind == "silence").count() >= 2, "{:?}", records.events);
    assert!(line.transcript().ends_with("Goodbye."), "{}", line.transcript());
}

#[tokio::test(start_paused = true)]
async fn the_longest_call_ends_with_a_goodbye() {
    let timing = Timing { max_duration: Duration::from_secs(20), ..Timing::default() };
    let config = SwitchConfig { max_calls: 10, ..SwitchConfig::default() };
    let exchange = Exchange::with(Vendors::default(), timing, config).await;
    let script = vec![say(4, "I want an apartment"), say(4, "wait a moment please"), say(4, "hold on")];
    let mut line = Line::dial(&exchange, 4, script).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    assert_eq!(records.reason(), "max_duration");
    assert!(line.transcript().ends_with("Goodbye."), "{}", line.transcript());
}

#[tokio::test(start_paused = true)]
async fn hanging_up_in_the_middle_is_recorded_with_what_was_heard() {
    let exchange = Exchange::new().await;
    let mut line = Line::dial(&exchange, 5, vec![Step::Wait, say(5, "never said")]).await;
    line.until("three words", LIMIT, |line| line.heard.len() == 3).await;
    let text = line.peer.stop(tandem_actors::clock::now());
    line.send_raw(Ok(tandem_domain::port::dialect::WireMessage::Text(text))).await;
    while !exchange.switch.sessions().await.is_empty() {
        tokio::time::sleep(ms(10)).await;
    }
    let records = exchange.records(&line).await;
    assert_eq!(records.reason(), "caller_hangup");
    assert!(records.heard().split(' ').count().abs_diff(3) <= 1, "{}", records.heard());
}

#[tokio::test(start_paused = true)]
async fn keys_are_kept_as_events() {
    let exchange = Exchange::new().await;
    let mut line = Line::dial(&exchange, 6, vec![Step::Dtmf("12#".into()), say(6, "goodbye")]).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    assert_eq!(records.events.iter().filter(|kind| **kind == "dtmf").count(), 3);
}

/// A hundred callers at once, each with a word of his own: nobody hears, and nobody's record holds, another one's word.
#[tokio::test(start_paused = true)]
async fn a_hundred_calls_do_not_mix() {
    let exchange = Exchange::new().await;
    let word = |number: u64| format!("zz{number}q");
    let calls = (100..200).map(|number| {
        let exchange = &exchange;
        async move {
            let script = vec![say(number, &format!("my name is {}", word(number))), Step::Wait, Step::HangUp];
            let mut line = Line::dial(exchange, number, script).await;
            let end = tandem_actors::clock::now() + LIMIT;
            while line.tick().await && !line.caller.is_done() && tandem_actors::clock::now() < end {}
            (number, line)
        }
    });
    let lines = futures_util::future::join_all(calls).await;
    let log = exchange.log.clone();
    exchange.switch.stop().await;
    for (number, line) in &lines {
        let records = log.call(&line.peer.ids().call_sid);
        assert_eq!(records.reason(), "caller_hangup");
        let all = format!("{} {} {:?} {}", records.said(), records.heard(), records.extracted, line.transcript());
        assert!(records.said().contains(&word(*number)), "call {number}: {all}");
        for other in (100..200).filter(|other| other != number) {
            assert!(!all.contains(&word(other)), "a word of call {other} in call {number}: {all}");
        }
    }
}

/// A connection on which nothing comes any more counts as dead after 20 s, whoever was speaking.
#[tokio::test(start_paused = true)]
async fn a_half_open_connection_ends_with_its_reason() {
    let exchange = Exchange::new().await;
    let mut line = Line::dial(&exchange, 11, vec![say(11, "I want an apartment in Delhi")]).await;
    line.until("the caller speaks", LIMIT, |line| !line.caller.turns().is_empty()).await;
    for _ in 0..25 {
        line.tick().await;
    }
    let silent_since = tandem_actors::clock::now();
    while !exchange.switch.sessions().await.is_empty() {
        tokio::time::sleep(ms(100)).await;
    }
    let waited = tandem_actors::clock::now() - silent_since;
    assert!((Duration::from_secs(19)..Duration::from_secs(22)).contains(&waited), "{waited:?}");
    let records = exchange.records(&line).await;
    assert_eq!(records.reason(), "media_timeout");
}

/// Nobody is admitted beyond the limit, and the refusal is on record.
#[tokio::test(start_paused = true)]
async fn the_limit_of_calls_refuses_the_next_and_leaves_the_others_alone() {
    let config = SwitchConfig { max_calls: 1, ..SwitchConfig::default() };
    let exchange = Exchange::with(Vendors::default(), Timing::default(), config).await;
    let mut first =
        Line::dial(&exchange, 12, vec![say(12, "I want an apartment in Delhi"), say(12, "one crore")]).await;
    first.until("a word", LIMIT, |line| !line.heard.is_empty()).await;
    let mut second = Line::dial(&exchange, 13, vec![]).await;
    second.run_out(Duration::from_secs(2)).await;
    first.run_out(LIMIT).await;
    let log = exchange.log.clone();
    exchange.switch.stop().await;
    assert_eq!(log.call(&second.peer.ids().call_sid).reason(), "refused");
    assert_eq!(log.call(&first.peer.ids().call_sid).reason(), "completed");
}

/// Draining takes no new call, lets the running one finish, and says goodbye at the limit.
#[tokio::test(start_paused = true)]
async fn draining_lets_calls_finish_and_says_goodbye_at_the_limit() {
    let exchange = Exchange::new().await;
    let mut quick = Line::dial(&exchange, 14, vec![say(14, "goodbye")]).await;
    let mut endless = Line::dial(&exchange, 15, vec![]).await;
    quick.until("a word", LIMIT, |line| !line.heard.is_empty()).await;
    let switch = exchange.switch.clone();
    let drained = tokio::spawn(async move { switch.drain(Duration::from_secs(20)).await });
    tokio::join!(quick.run_out(LIMIT), endless.run_out(LIMIT));
    drained.await.unwrap();
    let log = exchange.log.clone();
    exchange.switch.stop().await;
    assert_eq!(log.call(&quick.peer.ids().call_sid).reason(), "completed");
    assert_eq!(log.call(&endless.peer.ids().call_sid).reason(), "drained");
    assert!(endless.transcript().ends_with("Goodbye."), "{}", endless.transcript());
}

/// 200 ms of speech over the agent empties the carrier's buffer; less does not.
#[tokio::test(start_paused = true)]
async fn an_interruption_takes_effect_after_200_ms_of_speech() {
    let exchange = Exchange::new().await;
    let script = vec![Step::Interrupt { after: ms(1_000), say: rendered(16, "I want a villa in Pune") }, Step::HangUp];
    let mut line = Line::dial(&exchange, 16, script).await;
    line.until("the caller speaks", LIMIT, |line| !line.caller.turns().is_empty()).await;
    let began = line.caller.turns()[0].began;
    line.until("the clear", LIMIT, |line| line.peer.statistics().clears == 1).await;
    let after = tandem_actors::clock::now() - began;
    assert!((ms(200)..=ms(280)).contains(&after), "200 ms, the detector's lag and two frames: {after:?}");
}
