//! What a caller knows of its call, held against what is on record.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tandem_peers::caller::{Line, Manners, Rendered, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::simulate::{self, PeerReport, SimulateConfig};
use tandem_peers::vendor::{FakeStt, FakeTts};
use tandem_peers::voice::Talker;

use super::killable::Killable;

/// A call in real time; every other caller interrupts the greeting. `None` if it came too late for the switch.
pub async fn call(url: String, number: u32) -> Option<PeerReport> {
    let talker = Talker::numbered(u64::from(number));
    let say = |text: &str| Line::Audio(Rendered { text: text.to_owned(), samples: talker.speak(text).samples.into() });
    let first = say("I want an apartment in Delhi");
    let first = if number.is_multiple_of(2) {
        Step::Say(first)
    } else {
        Step::Interrupt { after: Duration::from_millis(600), say: first }
    };
    let config = SimulateConfig {
        url,
        unix_socket: None,
        carrier: Carrier::Twilio(TwilioIds::numbered(u128::from(number))),
        custom_parameters: BTreeMap::new(),
        script: vec![first, Step::Say(say("sixty lakh rupees")), Step::Say(say("no thank you"))],
        manners: Manners { seed: u64::from(number), quiet: Duration::from_millis(300), ..Manners::default() },
        renderer: Arc::new(FakeTts::default()),
        voice: String::new(),
        language: "en".to_owned(),
        recogniser: Some(Arc::new(FakeStt::default())),
        record_to: None,
        limit: Duration::from_secs(60),
    };
    match simulate::run(config).await {
        Ok(report) => Some(report),
        Err(simulate::SimulateError::Connect { .. } | simulate::SimulateError::ConnectTimeout { .. }) => None,
        Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
    }
}

/// The conversation of a call, and its lines as (role, text); `None` if the switch never heard of the call.
pub async fn on_record(switch: &Killable, call_sid: &str) -> Option<(Value, Vec<(String, String)>)> {
    let conversation = switch.json(&format!("/api/conversations/{call_sid}")).await?;
    let transcript = switch.json(&format!("/api/conversations/{call_sid}/transcript")).await.unwrap();
    let line = |line: &Value| (line["role"].as_str().unwrap().to_owned(), line["text"].as_str().unwrap().to_owned());
    Some((conversation, transcript.as_array().unwrap().iter().map(line).collect()))
}

/// Whether what was spoken is on record: every word in its place, but for one. A machine that stands still in the middle of a word tears it, and
/// the recogniser of these tests knows words by their sound from end to end.
fn is_told(spoken: &str, on_record: &str) -> bool {
    let mut rest = spoken.split_whitespace();
    let in_order = on_record.split_whitespace().all(|word| rest.any(|spoken| spoken == word));
    in_order && spoken.split_whitespace().count() <= on_record.split_whitespace().count() + 1
}

/// Holds what the caller could know against what is on record; returns how many turns that were.
pub fn compare(report: &PeerReport, lines: &[(String, String)]) -> usize {
    // Turns that were answered: the switch has heard them, and everything it had said before was over.
    let answered = report.turns.iter().skip(1).take_while(|turn| turn.latency.is_some()).count();
    let told = format!("{}: the caller knows {:?}, on record {lines:?}", report.call_sid, report.turns);
    let said: Vec<&str> = lines.iter().filter(|(role, _)| role == "user").map(|(_, text)| text.as_str()).collect();
    for (turn, said) in report.turns[1..=answered].iter().zip(said.iter().map(Some).chain(std::iter::repeat(None))) {
        assert!(said.is_some_and(|on_record| is_told(&turn.said, on_record)), "{told}");
    }
    // What was said before the last answered turn is there. On a line that did not stutter, and where nobody spoke over the agent, the caller can
    // tell what it was: every word, in order, but for one at a cut.
    let clean = report.playback.underruns == 0 && report.turns.iter().all(|turn| !turn.over_agent);
    let mut goes = lines.split(|(role, _)| role == "user");
    for turn in &report.turns[..answered] {
        let go = goes.next().expect("counted above");
        assert!(!go.is_empty(), "nothing was said at {turn:?}; {told}");
        let mut words = go.iter().flat_map(|(_, text)| text.split_whitespace());
        let unknown = turn.heard.split_whitespace().filter(|heard| {
            let mut rest = words.clone();
            let known = rest.any(|word| word == *heard);
            if known {
                words = rest;
            }
            !known
        });
        assert!(!clean || unknown.count() <= 1, "heard {:?}; {told}", turn.heard);
    }
    answered
}
