//! Recordings that were longer than their call, or whose sides did not belong together.
//!
//! Not here, because nothing of it is a call: livekit/egress#1160 (what a recorder costs: `tandem bench` measures it), jambonz-feature-server#607
//! (a second listener switched the recording off: `actors::tap` gives each reader lanes of its own) and #989 (no word when a recording is saved: the
//! `recording_saved` event, `tests/recording.rs`).

use super::{Holds, PublicBug, call, ms, over, whole_conversation};
use crate::caller::Step;
use crate::universe::channel::Stalls;
use crate::universe::scenario::Scenario;

/// All of them.
pub fn recorded() -> Vec<PublicBug> {
    vec![
        pipecat_1172_sides_drift_apart(),
        pipecat_2448_offset_by_the_overlap(),
        pipecat_2851_silence_counted_twice(),
        pipecat_1256_a_caller_who_says_nothing(),
        pipecat_5071_stall_and_burst(),
    ]
}

fn aligned(reported: &'static str, call: Scenario) -> PublicBug {
    PublicBug { reported, call, holds: vec![Holds::RecordingIsTheCall] }
}

/// The caller's frames come all the time and the bot's in bursts; after a while the two sides of a recording no longer line up.
///
/// The voice here comes in spurts of 250 ms.
pub fn pipecat_1172_sides_drift_apart() -> PublicBug {
    let mut call = call("pipecat_1172_sides_drift_apart", whole_conversation());
    (call.vendors.tts.chunk, call.vendors.tts.chunk_interval) = (ms(250), ms(180));
    aligned("pipecat-ai/pipecat#1172", call)
}

/// Where a caller's speech crosses from one chunk of the recording to the next, the bot's side is shifted by as much.
///
/// Callers here speak over the agent.
pub fn pipecat_2448_offset_by_the_overlap() -> PublicBug {
    let mut script = whole_conversation();
    script.insert(0, over(ms(1_200), "wait wait"));
    aligned("pipecat-ai/pipecat#2448", call("pipecat_2448_offset_by_the_overlap", script))
}

/// The silence between two frames is taken from the beginning of one to the beginning of the next, so each frame's own length is counted twice.
///
/// Long silences of both sides here.
pub fn pipecat_2851_silence_counted_twice() -> PublicBug {
    let mut script = whole_conversation();
    script.insert(1, Step::Silence(ms(4_000)));
    aligned("pipecat-ai/pipecat#2851", call("pipecat_2851_silence_counted_twice", script))
}

/// With two channels, both are cut to the shorter one, which is nothing while the caller is silent.
pub fn pipecat_1256_a_caller_who_says_nothing() -> PublicBug {
    let script = vec![Step::Silence(ms(12_000)), Step::HangUp];
    aligned("pipecat-ai/pipecat#1256", call("pipecat_1256_a_caller_who_says_nothing", script))
}

/// Frames that stood still and then come all at once are written behind the silence that was put in for them: 863 s became 950 s.
///
/// The way up stands still for up to 400 ms every two seconds here.
pub fn pipecat_5071_stall_and_burst() -> PublicBug {
    let mut call = call("pipecat_5071_stall_and_burst", whole_conversation());
    call.line.up = call.line.up.stalling(Stalls { every: ms(2_000), least: ms(200), most: ms(400) });
    aligned("pipecat-ai/pipecat#5071", call)
}
