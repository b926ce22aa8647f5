//! Parts of a call die in the middle of an utterance: the call goes on, keeps its slots, and says nothing twice.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;

use std::time::Duration;

use line::{Exchange, Line, Vendors, say};
use tandem_actors::SwitchConfig;
use tandem_domain::agent::Timing;
use tandem_domain::call_core::Part;
use tandem_peers::vendor::{FakeStt, FakeSttConfig, FakeTts, FakeTtsConfig};

const LIMIT: Duration = Duration::from_secs(240);
/// Longest silence that a fault may cause.
const DEAD_AIR: Duration = Duration::from_secs(2);

/// Vendors slow enough that a fault meets them at work: the voice delivers 100 ms of speech every 60 ms.
fn slow() -> Vendors {
    Vendors {
        stt: FakeStt::new(FakeSttConfig { latency: Duration::from_millis(150).into(), ..FakeSttConfig::default() }),
        tts: FakeTts::new(FakeTtsConfig {
            first_chunk: Duration::from_millis(120).into(),
            chunk_interval: Duration::from_millis(60),
            ..FakeTtsConfig::default()
        }),
    }
}

async fn exchange() -> Exchange {
    Exchange::with(slow(), Timing::default(), SwitchConfig::default()).await
}

/// When the part dies.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So many words into the agent's second utterance.
    AgentSpeaks(usize),
    /// So long into the caller's first turn.
    CallerSpeaks(Duration),
}

async fn survives(part: Part, moment: Moment) {
    let exchange = exchange().await;
    let script = vec![say(7, "I want an apartment in Delhi"), say(7, "sixty lakh rupees")];
    let mut line = Line::dial(&exchange, 7, script).await;
    match moment {
        Moment::AgentSpeaks(words) => {
            line.until("the caller's first turn", LIMIT, |line| {
                line.caller.turns().first().is_some_and(|turn| turn.ended.is_some())
            })
            .await;
            let before = line.heard.len();
            line.until("the agent's answer", LIMIT, |line| line.heard.len() >= before + words).await;
        }
        Moment::CallerSpeaks(time) => {
            line.until("the caller's first turn", LIMIT, |line| !line.caller.turns().is_empty()).await;
            for _ in 0..time.as_millis() / 20 {
                line.tick().await;
            }
        }
    }
    exchange.kill(&line, part).await;
    if let Moment::AgentSpeaks(_) = moment {
        // The agent was in the middle of its answer: it must go on.
        let heard = line.heard.len();
        let mut quiet = Duration::ZERO;
        while line.heard.len() < heard + 3 {
            assert!(line.tick().await, "the call ended");
            quiet = quiet.max(line.quiet);
            assert!(quiet < DEAD_AIR, "{part:?} at {moment:?}: dead air of {quiet:?}");
        }
        let session = exchange.session(&line).await;
        assert_eq!(session.restarts.values().sum::<u32>(), 1, "{part:?} at {moment:?}: the part did die");
    }
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    let context = format!("{part:?} at {moment:?}: ear {:?}, records {:?}", line.transcript(), records.heard());
    assert_eq!(records.reason(), "completed", "{context}");
    assert_eq!(records.said(), "I want an apartment in Delhi / sixty lakh rupees", "{context}");
    assert_eq!(records.extracted["property_type"], "apartment", "{context}");
    assert_eq!(records.extracted["location"], "Delhi", "{context}");
    assert_eq!(records.extracted["budget"], 6_000_000, "{context}");
    assert!(records.events.contains(&"restart"), "{context}");
    // Every sentence of the undisturbed call once, in order: nothing twice, nothing lost but for a word where the audio was cut.
    let (ear, meant): (Vec<String>, Vec<String>) = (words(&line.transcript()), words(&undisturbed().await));
    let lost = meant.len() as isize - common(&ear, &meant) as isize;
    assert_eq!(common(&ear, &meant), ear.len(), "said something twice, or something else: {context}");
    assert!(lost <= 1, "lost {lost} words: {context}");
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Length of the longest common subsequence.
fn common(a: &[String], b: &[String]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for x in a {
        let mut diagonal = 0;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if x == y { diagonal + 1 } else { above.max(row[j]) };
            diagonal = above;
        }
    }
    row[b.len()]
}

/// What the same caller hears when nothing dies.
async fn undisturbed() -> String {
    let exchange = exchange().await;
    let script = vec![say(7, "I want an apartment in Delhi"), say(7, "sixty lakh rupees")];
    let mut line = Line::dial(&exchange, 7, script).await;
    line.run_out(LIMIT).await;
    exchange.switch.stop().await;
    line.transcript()
}

macro_rules! kills {
    ($($name:ident: $part:ident at $moment:expr;)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            survives(Part::$part, $moment).await;
        }
    )*};
}

kills! {
    the_voice_dies_at_the_first_word: Tts at Moment::AgentSpeaks(1);
    the_voice_dies_in_mid_sentence: Tts at Moment::AgentSpeaks(3);
    the_brain_dies_while_the_agent_speaks: Dialogue at Moment::AgentSpeaks(2);
    the_pump_dies_at_the_first_word: Egress at Moment::AgentSpeaks(1);
    the_pump_dies_in_mid_sentence: Egress at Moment::AgentSpeaks(4);
    the_recogniser_dies_while_the_agent_speaks: Stt at Moment::AgentSpeaks(2);
    the_alarm_dies_while_the_agent_speaks: Silence at Moment::AgentSpeaks(2);
    the_detector_dies_while_the_agent_speaks: Vad at Moment::AgentSpeaks(2);
    the_recogniser_dies_early_in_the_callers_turn: Stt at Moment::CallerSpeaks(Duration::from_millis(300));
    the_recogniser_dies_late_in_the_callers_turn: Stt at Moment::CallerSpeaks(Duration::from_millis(1_200));
    the_brain_dies_in_the_callers_turn: Dialogue at Moment::CallerSpeaks(Duration::from_millis(500));
    the_detector_dies_in_the_callers_turn: Vad at Moment::CallerSpeaks(Duration::from_millis(500));
    the_alarm_dies_in_the_callers_turn: Silence at Moment::CallerSpeaks(Duration::from_millis(500));
}

/// The fourth death within a minute is one too many: the call ends and says which part it was.
#[tokio::test(start_paused = true)]
async fn a_part_that_keeps_dying_ends_its_call_with_the_reason() {
    let exchange = exchange().await;
    let mut line = Line::dial(&exchange, 8, vec![]).await;
    line.until("a word", LIMIT, |line| !line.heard.is_empty()).await;
    for _ in 0..4 {
        exchange.kill(&line, Part::Tts).await;
        for _ in 0..50 {
            line.tick().await;
        }
    }
    line.run_out(LIMIT).await;
    let records = exchange.records(&line).await;
    assert_eq!(records.reason(), "part_failed");
    assert!(records.ended[0].detail.contains("tts"), "{:?}", records.ended);
}

/// Killing a call ends that call alone; the switchboard writes its record.
#[tokio::test(start_paused = true)]
async fn a_dead_call_costs_only_itself_and_has_its_record() {
    let exchange = exchange().await;
    let script = || vec![say(9, "I want an apartment in Delhi"), say(9, "sixty lakh rupees")];
    let mut victim = Line::dial(&exchange, 9, script()).await;
    let mut neighbour = Line::dial(&exchange, 10, script()).await;
    victim.until("a word", LIMIT, |line| !line.heard.is_empty()).await;
    neighbour.until("a word", LIMIT, |line| !line.heard.is_empty()).await;
    let session = exchange.session(&victim).await;
    let calls = exchange.switch.calls().await;
    calls.iter().find(|(id, _)| *id == session.call_id).unwrap().1.kill();
    victim.run_out(Duration::from_secs(2)).await;
    neighbour.run_out(LIMIT).await;
    assert!(exchange.switch.sessions().await.is_empty());
    let log = exchange.log.clone();
    exchange.switch.stop().await;
    assert_eq!(log.call(&victim.peer.ids().call_sid).reason(), "call_crashed");
    assert_eq!(log.call(&neighbour.peer.ids().call_sid).reason(), "completed");
}
