//! Joins the caller's account of a call with the switch's.
//!
//! A line of the transcript belongs to the go during or after which it began: both sides count from the stream's start, so
//! no clock is shared. A line without a readable time goes where the line before it went.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::report::{AudioReport, PeerReport, SimulationReport, TurnReport, append};

/// How much earlier than the caller a switch may think that the caller began: detectors look back, messages take a moment.
const EARLY: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct Line {
    role: String,
    text: String,
    #[serde(default)]
    interrupted: bool,
    #[serde(default)]
    stages: Option<Map<String, Value>>,
    #[serde(default)]
    created_at: Option<DateTime<Utc>>,
}

/// The report of a call.
///
/// In: the caller's account; the answer of `/api/conversations/{call_sid}`; that of `…/transcript`, an array of lines or an
/// object that holds one. Both may be `Value::Null`, and what is not understood in them is left out: what remains is the
/// caller's own account.
pub fn merge(peer: &PeerReport, conversation: &Value, transcript: &Value) -> SimulationReport {
    let mut turns: Vec<TurnReport> = peer
        .turns
        .iter()
        .map(|turn| TurnReport {
            caller_said: turn.said.clone(),
            agent_heard_text: turn.heard.clone(),
            latency_ms: turn.latency.map(|latency| latency.as_millis() as u64),
            ..TurnReport::default()
        })
        .collect();
    let started: Option<DateTime<Utc>> = conversation["started_at"].as_str().and_then(|text| text.parse().ok());
    let mut place = 0;
    for line in lines(transcript) {
        let offset = started.zip(line.created_at).and_then(|(started, at)| (at - started).to_std().ok());
        let from_caller = line.role == "user";
        if let Some(offset) = offset {
            let slack = if from_caller { EARLY } else { Duration::ZERO };
            place = peer.turns.iter().rposition(|turn| turn.began <= offset + slack).unwrap_or(0);
        }
        if from_caller && place == 0 {
            // the opening answers nobody
            place = 1.min(peer.turns.len().saturating_sub(1));
        }
        let Some(turn) = turns.get_mut(place) else { continue };
        if from_caller {
            append(&mut turn.heard_as, &line.text);
        } else {
            append(&mut turn.agent_text, &line.text);
            turn.interrupted |= line.interrupted;
            turn.stages.extend(line.stages.unwrap_or_default());
        }
    }
    if turns.first().is_some_and(|opening| *opening == TurnReport::default()) {
        turns.remove(0);
    }
    SimulationReport {
        call_id: peer.call_sid.clone(),
        ended_reason: conversation["ended_reason"].as_str().map(str::to_owned),
        turns,
        audio: AudioReport {
            underruns: peer.playback.underruns,
            late_frames: peer.playback.late_frames,
            seconds_sent: peer.sent.as_secs_f64(),
            seconds_received: peer.playback.received.as_secs_f64(),
        },
        recording: peer.recording.clone(),
    }
}

fn lines(transcript: &Value) -> Vec<Line> {
    let array = match transcript {
        Value::Array(lines) => Some(lines),
        Value::Object(object) => object.values().find_map(Value::as_array),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    array.into_iter().flatten().filter_map(|line| Line::deserialize(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::super::report::{EndedBy, PeerTurn};
    use super::*;
    use crate::carrier::PlaybackStatistics;

    fn turn(said: &str, began_ms: u64, latency_ms: u64, heard: &str) -> PeerTurn {
        PeerTurn {
            said: said.to_owned(),
            began: Duration::from_millis(began_ms),
            latency: Some(Duration::from_millis(latency_ms)),
            heard: heard.to_owned(),
            ..PeerTurn::default()
        }
    }

    fn account() -> PeerReport {
        PeerReport {
            call_sid: "CA1".to_owned(),
            ended_by: EndedBy::Switch,
            turns: vec![
                PeerTurn { heard: "welcome".to_owned(), ..PeerTurn::default() },
                turn("in Delhi", 3_000, 900, "which budget"),
                turn("sixty lakh", 8_000, 1_100, "thank you"),
            ],
            playback: PlaybackStatistics { received: Duration::from_millis(4_500), ..PlaybackStatistics::default() },
            sent: Duration::from_secs(12),
            duration: Duration::from_secs(12),
            recording: None,
        }
    }

    #[test]
    fn lines_find_their_go_by_time() {
        let conversation = json!({"started_at":"2026-01-02T03:04:00Z","ended_reason":"completed"});
        let transcript = json!({"lines":[
            {"role":"agent","text":"Welcome.","created_at":"2026-01-02T03:04:00.040Z"},
            {"role":"user","text":"in Delhi","created_at":"2026-01-02T03:04:02.900Z"},
            {"role":"agent","text":"Which","interrupted":true,"stages":{"stt":120},"created_at":"2026-01-02T03:04:05Z"},
            {"role":"user","text":"sixty","created_at":"2026-01-02T03:04:08.1Z"},
            {"role":"user","text":"lakh","created_at":"2026-01-02T03:04:09.5Z"},
            {"role":"agent","text":"Thank you.","created_at":"2026-01-02T03:04:11Z"},
            {"role":"agent","text":"Goodbye."}
        ]});
        let report = merge(&account(), &conversation, &transcript);
        let expected = json!({
            "call_id":"CA1","ended_reason":"completed",
            "turns":[
                {"caller_said":"","heard_as":"","agent_text":"Welcome.","agent_heard_text":"welcome",
                 "latency_ms":null,"stages":{},"interrupted":false},
                {"caller_said":"in Delhi","heard_as":"in Delhi","agent_text":"Which","agent_heard_text":"which budget",
                 "latency_ms":900,"stages":{"stt":120},"interrupted":true},
                {"caller_said":"sixty lakh","heard_as":"sixty lakh","agent_text":"Thank you. Goodbye.",
                 "agent_heard_text":"thank you","latency_ms":1100,"stages":{},"interrupted":false}],
            "audio":{"underruns":0,"late_frames":0,"seconds_sent":12.0,"seconds_received":4.5},
            "recording":null
        });
        assert_eq!(serde_json::to_value(report).unwrap(), expected);
    }

    #[test]
    fn a_switch_that_knows_nothing_leaves_the_callers_account() {
        for answer in [Value::Null, json!("no"), json!({"turns":4}), json!([{"role":4}])] {
            let report = merge(&account(), &answer, &answer);
            assert_eq!(report.ended_reason, None);
            assert_eq!(report.turns.len(), 3);
            assert_eq!(report.turns[1].caller_said, "in Delhi");
        }
    }

    #[test]
    fn an_opening_that_was_none_is_left_out() {
        let mut account = account();
        account.turns[0].heard.clear();
        assert_eq!(merge(&account, &Value::Null, &Value::Null).turns.len(), 2);
    }
}
