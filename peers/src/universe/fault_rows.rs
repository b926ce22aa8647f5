//! Faults of lines and vendors, one named call for each, with what must hold in it.
//!
//! | rows | what goes wrong | what must hold |
//! |---|---|---|
//! | n1 | loss of 1, 5, 10, 20 % of the caller's packets | the call survives; 20 of 20 keys arrive |
//! | n2 | jitter of 10, 30, 60 ms both ways | every word once; 20 of 20 keys; no click |
//! | n3 | far clocks 200 and 2,000 ppm off | no click; what was made is heard |
//! | marks | never returned, or returned under a name that nobody gave | the agent goes on to its end |
//! | p4, p5 | the recogniser's socket drops, or says nothing | every word once, although the first vendor is gone |
//! | p6 | the model is late, stalls, talks nonsense, or without end | no dead air (the invariant), no silence above a rung of the ladder |
//! | p7 | the voice is silent, of another rate, or gives 10 MB at once | no silence above 3.5 s; nothing outlives the call |
//! | p8 | the caller hangs up meanwhile | no vendor's stream is open 2 s later |
//!
//! The switch hears carriers by their media sockets here, on which nothing is lost, overtaken or doubled. So a lost packet is what a carrier's own
//! network did before its media server, which sends silence in its place; reordering, duplicates, SSRC changes and packets of 30 ms do not pass one.
//! Those rows are properties of the jitter buffer (`tandem_codecs`). Nor can the word error rate under loss be told here: a word of the
//! model's speech is told whole or not at all, which says nothing about recognisers; the row's "+3 points" needs one that is real.

use std::time::Duration;

use super::channel::{ChannelPlan, Loss, MarkTrouble};
use super::public_bugs::{Holds, PublicBug, call, ms, say, whole_conversation};
use super::scenario::{Manner, Scenario};
use crate::caller::Step;
use crate::vendor::{Fault, Latency, Spell};

/// For the rest of its life.
const ALWAYS: u32 = u32::MAX;
/// A filler at 1.2 s, a slow voice of 1.5 s, and the silence that ends a turn (design: dead air is 2 s for failing vendors, less what a turn needs).
const LONGEST_SILENCE: Duration = ms(3_500);
/// A model that loses a turn leaves a caller with nothing to say: a rung of the silence ladder and its prompt. What an answer may take is
/// held by the invariant of dead air in each of these calls.
const CALLER_SILENT: Duration = ms(9_000);
/// Of row P5: a silence is noticed in 3 s, and then another recogniser hears the turn again.
const HALF_OPEN: Duration = ms(5_000);
/// Pressed while the line is bad.
const KEYS: &str = "01234567890123456789";

/// All rows.
pub fn all() -> Vec<PublicBug> {
    let loss = [1, 5, 10, 20].map(row_n1_loss);
    let jitter = [10, 30, 60].map(row_n2_jitter);
    let drift =
        [("plus_200", 200), ("minus_200", -200), ("plus_2000", 2_000)].map(|(name, ppm)| row_n3_drift(name, ppm));
    let marks = [
        row_marks("row_marks_never", MarkTrouble { lost: 1.0, ..MarkTrouble::default() }),
        row_marks("row_marks_unknown", MarkTrouble { unknown: 1.0, ..MarkTrouble::default() }),
    ];
    let stt = [("row_p4_stt_drops", Fault::DropMidway, 1), ("row_p5_stt_half_open", Fault::Silent, ALWAYS)];
    let stt = stt.map(|(name, fault, times)| row_stt(name, fault, times));
    let llm = [
        ("row_p6_llm_late", Fault::Slow(ms(4_000))),
        ("row_p6_llm_stalls", Fault::Silent),
        ("row_p6_llm_garbage", Fault::Garbage),
        ("row_p6_llm_endless", Fault::Endless),
    ];
    let llm = llm.map(|(name, fault)| row_llm(name, fault));
    let bill = [("stt", 0), ("llm", 1), ("tts", 2)].map(|(vendor, which)| row_p8_bill(vendor, which));
    let tts = [row_p7_tts_silent(), row_p7_tts_44100_hz_as_8000(), row_p7_tts_10_mb_at_once()];
    [&loss[..], &jitter, &drift, &marks, &stt, &llm, &tts, &bill].concat()
}

fn row(call: Scenario, holds: Vec<Holds>) -> PublicBug {
    PublicBug { reported: "a fault of a line or of a vendor", call, holds }
}

/// N1.
fn row_n1_loss(percent: u32) -> PublicBug {
    let script = vec![say("I want an apartment in Delhi"), Step::Dtmf(KEYS.to_owned()), say("no thank you")];
    let mut call = call(&format!("row_n1_loss_{percent}"), script);
    call.line.lost = Loss::Independent(f64::from(percent) / 100.0);
    row(call, vec![Holds::KeysArrive, Holds::Clean])
}

/// N2.
fn row_n2_jitter(jitter_ms: u64) -> PublicBug {
    let script = [&whole_conversation()[..2], &[Step::Dtmf(KEYS.to_owned())]].concat();
    let mut call = call(&format!("row_n2_jitter_{jitter_ms}_ms"), script);
    let jittery = ChannelPlan::websocket(ms(10), Latency::percentiles_ms(jitter_ms / 2, jitter_ms));
    (call.line.up, call.line.down) = (jittery, jittery);
    row(call, vec![Holds::EveryWordOnce, Holds::KeysArrive, Holds::Clean])
}

/// N3.
fn row_n3_drift(name: &str, ppm: i32) -> PublicBug {
    let mut call = call(&format!("row_n3_drift_{name}_ppm"), whole_conversation());
    call.line.drift_ppm = ppm;
    row(call, vec![Holds::Clean, Holds::KeepsPace, Holds::EveryWordOnce])
}

fn row_marks(name: &str, marks: MarkTrouble) -> PublicBug {
    let mut call = call(name, whole_conversation());
    call.line.up = call.line.up.with_marks(marks);
    row(call, vec![Holds::EveryWordOnce, Holds::GoesOnUnprompted])
}

/// P4, P5.
fn row_stt(name: &str, fault: Fault, times: u32) -> PublicBug {
    let mut call = call(name, whole_conversation());
    call.vendors.stt.faults = vec![Spell { fault, after: 1, times }];
    row(call, vec![Holds::EveryWordOnce, Holds::SilenceAtMost(HALF_OPEN)])
}

/// P6.
fn row_llm(name: &str, fault: Fault) -> PublicBug {
    let mut call = call(name, whole_conversation());
    call.vendors.brain.faults = vec![Spell { fault, after: 1, times: 1 }];
    row(call, vec![Holds::SilenceAtMost(CALLER_SILENT), Holds::NothingOutlives { calls: 1 }])
}

fn row_p7(name: &str, bend: impl FnOnce(&mut Scenario)) -> PublicBug {
    let mut call = call(name, whole_conversation());
    bend(&mut call);
    row(call, vec![Holds::SilenceAtMost(LONGEST_SILENCE), Holds::NothingOutlives { calls: 1 }])
}

fn row_p7_tts_silent() -> PublicBug {
    row_p7("row_p7_tts_silent", |call| {
        call.vendors.tts.faults = vec![Spell { fault: Fault::Silent, after: 1, times: ALWAYS }];
    })
}

fn row_p7_tts_44100_hz_as_8000() -> PublicBug {
    row_p7("row_p7_tts_44100_hz_as_8000", |call| call.vendors.tts.made_at_hz = Some(44_100))
}

fn row_p7_tts_10_mb_at_once() -> PublicBug {
    row_p7("row_p7_tts_10_mb_at_once", |call| call.vendors.tts.flood_bytes = Some(10 << 20))
}

/// P8, in the middle of a fault of that vendor.
fn row_p8_bill(vendor: &str, which: usize) -> PublicBug {
    let script = vec![say("I want an apartment in Delhi"), Step::Silence(ms(1_500)), Step::HangUp];
    let mut call = call(&format!("row_p8_bill_{vendor}"), script);
    call.caller.manner = Manner::HangsUp;
    let silent = Spell { fault: Fault::Silent, after: 0, times: ALWAYS };
    let vendors = &mut call.vendors;
    let faults = [&mut vendors.stt.faults, &mut vendors.brain.faults, &mut vendors.tts.faults];
    if let Some(faults) = faults.into_iter().nth(which) {
        faults.push(silent);
    }
    row(call, vec![Holds::NothingOutlives { calls: 1 }])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own_and_can_be_written_down() {
        let rows = all();
        let names: BTreeSet<&str> = rows.iter().map(|row| row.call.name.as_str()).collect();
        assert_eq!(names.len(), rows.len());
        for row in &rows {
            assert!(row.call.name.starts_with("row_") && !row.holds.is_empty());
            assert_eq!(Scenario::from_json(&row.call.to_json()).unwrap(), row.call);
        }
    }
}
