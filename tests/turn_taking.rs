//! Who speaks when, in whole calls under a paused clock: first words, both at once, a moment that is asked for, and silence.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use line::{Exchange, Line, rendered, say};
use memory::CallRecords;
use tandem_actors::{Arrival, DIRECTION_PARAMETER};
use tandem_domain::playbook::Playbook;
use tandem_domain::reception::Standing;
use tandem_peers::caller::{Rendered, Step};
use tandem_peers::carrier::twilio::{TwilioIds, TwilioPeer};
use tandem_providers::carrier::twilio::TwilioDialect;

const LIMIT: Duration = Duration::from_secs(240);
const GREETING: &str = "Hello, this is Tandem's front desk.";

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Somebody whom we call, and who does this; how long after the answer our first word came to their ear.
async fn call_out(number: u64, script: Vec<Step<Rendered>>) -> (Duration, Line, CallRecords) {
    let exchange = Exchange::new().await;
    let parameters = BTreeMap::from([(DIRECTION_PARAMETER.to_owned(), "outbound-api".to_owned())]);
    let peer = TwilioPeer::new(TwilioIds::numbered(u128::from(number)), parameters);
    let arrival = Arrival { standing: Standing::Trusted, ..Arrival::default() };
    let answered = tandem_actors::clock::now();
    let dialects: Vec<Arc<dyn tandem_domain::port::dialect::Dialect>> = vec![Arc::new(TwilioDialect::new(0))];
    let mut line = Line::dial_as(&exchange, dialects, peer, arrival, number, script).await;
    line.until("our first word", LIMIT, |line| line.agent_audio > Duration::ZERO).await;
    let first = tandem_actors::clock::now() - answered;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    (first, line, records)
}

#[tokio::test(start_paused = true)]
async fn a_callee_who_says_nothing_hears_us_within_two_seconds() {
    let (first, line, records) = call_out(301, vec![]).await;
    assert!((ms(1_500)..=ms(2_000)).contains(&first), "{first:?}");
    assert_eq!(line.transcript().matches(GREETING).count(), 1);
    assert_eq!(line.peer.statistics().clears, 0);
    assert_eq!(records.heard(), line.transcript());
}

#[tokio::test(start_paused = true)]
async fn a_callee_who_says_hello_is_greeted_when_they_have() {
    let script = vec![Step::Silence(ms(300)), say(302, "Hello?"), say(302, "goodbye")];
    let (first, line, records) = call_out(302, script).await;
    let hello = &line.caller.turns()[0];
    assert!(hello.answered.is_some_and(|at| at - hello.ended.unwrap() <= ms(450)), "{hello:?}");
    assert!(first <= ms(2_000), "{first:?}");
    assert_eq!(line.transcript().matches(GREETING).count(), 1, "{}", line.transcript());
    assert!(!records.responses[0].interrupted);
    assert_eq!(records.said(), "goodbye", "a bare hello is no turn");
}

#[tokio::test(start_paused = true)]
async fn what_a_callee_answers_with_is_kept_and_the_greeting_is_said_once() {
    let script = vec![Step::Silence(ms(200)), say(303, "Rahul speaking who is this"), say(303, "goodbye")];
    let (_, line, records) = call_out(303, script).await;
    assert_eq!(line.transcript().matches(GREETING).count(), 1, "{}", line.transcript());
    assert!(!records.responses[0].interrupted, "{:?}", records.responses[0]);
    assert_eq!(records.said(), "Rahul speaking who is this / goodbye");
}

#[tokio::test(start_paused = true)]
async fn both_say_hello_at_once_and_the_greeting_is_neither_lost_nor_said_twice() {
    for after in [0, 300, 900, 1_500] {
        let exchange = Exchange::new().await;
        let hello = rendered(304, "hello hello");
        let script = vec![Step::Interrupt { after: ms(after), say: hello }, say(304, "goodbye")];
        let mut line = Line::dial(&exchange, 304, script).await;
        line.run_out(LIMIT).await;
        let records = exchange.records(&line).await;
        let greeting = &records.responses[0];
        assert!(!greeting.interrupted && greeting.heard == greeting.text, "after {after} ms: {greeting:?}");
        assert!(line.transcript().matches("front desk").count() <= 2, "after {after} ms: {}", line.transcript());
        assert_eq!(records.responses.len(), 2, "the greeting, and the goodbye: {:?}", records.responses);
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_asks_for_a_moment_is_left_alone_for_it() {
    let exchange = Exchange::new().await;
    let script = vec![
        say(305, "ek minute let me check"),
        Step::Wait,
        Step::Silence(Duration::from_secs(15)),
        say(305, "an apartment in Delhi"),
        say(305, "goodbye"),
    ];
    let mut line = Line::dial(&exchange, 305, script).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    assert!(records.events.contains(&"skip_turn") && !records.events.contains(&"silence"), "{:?}", records.events);
    assert_eq!(records.extracted["location"], "Delhi");
    assert!(line.transcript().contains("Take your time."), "{}", line.transcript());
}

#[tokio::test(start_paused = true)]
async fn a_silent_caller_hears_three_different_questions_and_a_goodbye() {
    let exchange = Exchange::new().await;
    let mut line = Line::dial(&exchange, 306, vec![]).await;
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    assert_eq!(records.reason(), "silence");
    let mut said: Vec<_> = records.responses.iter().map(|response| response.text.as_str()).collect();
    assert_eq!(said.len(), 5, "greeting, three reprompts, goodbye: {said:?}");
    said.sort_unstable();
    said.dedup();
    assert_eq!(said.len(), 5, "no line twice: {said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_playbooks_consent_is_heard_whole_and_what_is_said_over_it_is_answered_behind_it() {
    let desk = "name = 'x'\ntitle = 'X'\ngreeting = ['Hello.']\nconfirmation = { policy = 'none' }\n\
        [[slots]]\nname = 'age'\ntype = 'number'\nprompt = 'How old are you?'\n\
        [[slots]]\nname = 'consent'\ntype = 'yes_no'\nprotected = true\n\
        prompt = 'We keep your telephone number and all that you tell us for one year. Do you agree?'";
    for (protected, clears) in [(desk.to_owned(), 0), (desk.replace("protected = true", "protected = false"), 1)] {
        let exchange = Exchange::running(Playbook::from_toml(&protected).unwrap()).await;
        let over = Step::Interrupt { after: ms(900), say: rendered(307, "no I do not") };
        let mut line = Line::dial(&exchange, 307, vec![say(307, "forty"), over]).await;
        line.run_out(LIMIT).await;
        let cleared = line.peer.statistics().clears;
        let records = exchange.records(&line).await;
        let question = &records.responses[1];
        assert_eq!(cleared, clears, "{question:?}");
        assert_eq!(question.heard == question.text, clears == 0, "{question:?}");
        assert_eq!(records.events.contains(&"postponed"), clears == 0, "{:?}", records.events);
        assert_eq!(records.extracted["consent"], false, "kept, and answered");
    }
}
