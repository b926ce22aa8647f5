//! Recordings that were longer than their call, or whose sides did not belong together.
//!
//! What a recording costs is no matter of a call: `tandem bench` measures it, with the recorder on.

use super::{Holds, PublicBug, call, ms, over, say, whole_conversation};
use crate::caller::Step;
use crate::universe::channel::Stalls;
use crate::universe::scenario::{Manner, Scenario};

/// All of them.
pub fn recorded() -> Vec<PublicBug> {
    vec![
        pipecat_1172_sides_drift_apart(),
        pipecat_2448_offset_by_the_overlap(),
        pipecat_2851_silence_counted_twice(),
        pipecat_1256_a_caller_who_says_nothing(),
        pipecat_5071_stall_and_burst(),
        livekit_egress_1160_fifty_at_once(),
    ]
}

/// Those in which somebody listens beside the recorder.
pub fn recorded_beside() -> Vec<PublicBug> {
    vec![jambonz_607_a_second_listener()]
}

/// Those in which a file has to be told of.
pub fn told_of() -> Vec<PublicBug> {
    vec![jambonz_989_no_word_when_it_is_saved()]
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

/// A hundred calls are recorded at once, and recordings fail or are never begun.
///
/// A hundred short calls here, fifty of them at once on one switch. Holds: each has its recording, whole. What they cost, `tandem bench` shows.
pub fn livekit_egress_1160_fifty_at_once() -> PublicBug {
    let call = call("livekit_egress_1160_fifty_at_once", vec![say("thank you, goodbye")]);
    let holds = vec![Holds::RecordingIsTheCall, Holds::EachIsRecorded { calls: 100 }];
    PublicBug { reported: "livekit/egress#1160", call, holds }
}

/// Where all calls are recorded, whoever else is to listen to one gets nothing.
///
/// The switch records here, and a tap listens. Holds: both have the call.
pub fn jambonz_607_a_second_listener() -> PublicBug {
    let call = call("jambonz_607_a_second_listener", whole_conversation());
    let holds = vec![Holds::RecordingIsTheCall, Holds::RecordingIsSaved];
    PublicBug { reported: "jambonz/jambonz-feature-server#607", call, holds }
}

/// Nothing tells when a recording is saved, so people watch the folder that it is saved in.
///
/// The caller hangs up here. Holds: the record of the call tells of one file, with its digest, and the file is the call.
pub fn jambonz_989_no_word_when_it_is_saved() -> PublicBug {
    let script = vec![say("I want an apartment in Delhi"), Step::Silence(ms(900)), Step::HangUp];
    let mut call = call("jambonz_989_no_word_when_it_is_saved", script);
    call.caller.manner = Manner::HangsUp;
    PublicBug { reported: "jambonz/jambonz-feature-server#989", call, holds: vec![Holds::RecordingIsSaved] }
}
