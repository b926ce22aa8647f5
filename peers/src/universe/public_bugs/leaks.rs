//! Calls that were over and left something behind: memory, tasks, a spinning loop.
//!
//! Held to here is what holds memory: tasks, timers, streams and seats, after one call and after many on one switch. Bytes are not counted.

use super::{Holds, PublicBug, call, interrupted, ms, say, whole_conversation};
use crate::caller::Step;
use crate::universe::scenario::Manner;
use crate::vendor::{Fault, Latency, Spell};

const ALWAYS: u32 = u32::MAX;

/// All of them.
pub fn leaking() -> Vec<PublicBug> {
    vec![
        livekit_agents_2166_stream_left_open(),
        livekit_agents_1186_many_short_calls(),
        livekit_3614_a_line_left_open(),
        pipecat_3116_audio_without_end(),
        pipecat_2955_spins_after_the_goodbye(),
        pipecat_1003_hung_up_on_while_thinking(),
    ]
}

/// Memory rises with each connection: the audio stream was not closed when the job ended.
///
/// The caller hangs up in the middle of a word here, with the recogniser listening.
pub fn livekit_agents_2166_stream_left_open() -> PublicBug {
    let script = vec![say("I want an apartment in Delhi"), Step::Silence(ms(60)), Step::HangUp];
    let mut call = call("livekit_agents_2166_stream_left_open", script);
    call.caller.manner = Manner::HangsUp;
    PublicBug { reported: "livekit/agents#2166", call, holds: vec![Holds::NothingOutlives { calls: 20 }] }
}

/// A worker of a thousand rooms does not give back memory when they close.
///
/// Very short calls here, many at once.
pub fn livekit_agents_1186_many_short_calls() -> PublicBug {
    let mut call = call("livekit_agents_1186_many_short_calls", vec![Step::Silence(ms(400)), Step::HangUp]);
    call.caller.manner = Manner::HangsUp;
    PublicBug { reported: "livekit/agents#1186", call, holds: vec![Holds::NothingOutlives { calls: 100 }] }
}

/// Memory fills slowly while rooms stay open.
///
/// A caller here who says nothing and does not hang up: the call must end by itself, and must not grow meanwhile.
pub fn livekit_3614_a_line_left_open() -> PublicBug {
    let mut call = call("livekit_3614_a_line_left_open", Vec::new());
    call.caller.manner = Manner::Silent;
    PublicBug { reported: "livekit/livekit#3614", call, holds: vec![Holds::NothingOutlives { calls: 10 }] }
}

/// The process grows by gigabytes a minute.
///
/// A voice here that never ends its sentence: what is kept of it must be bounded, and end with the call.
pub fn pipecat_3116_audio_without_end() -> PublicBug {
    let mut call = call("pipecat_3116_audio_without_end", whole_conversation());
    call.vendors.tts.faults = vec![Spell { fault: Fault::Endless, after: 1, times: 1 }];
    PublicBug { reported: "pipecat-ai/pipecat#3116", call, holds: vec![Holds::NothingOutlives { calls: 10 }] }
}

/// The agent ends the call, and from then on a loop that has nothing left to play takes a whole core.
pub fn pipecat_2955_spins_after_the_goodbye() -> PublicBug {
    let script = vec![say("I want an apartment in Delhi for sixty lakh"), say("thank you, goodbye")];
    let call = call("pipecat_2955_spins_after_the_goodbye", script);
    PublicBug { reported: "pipecat-ai/pipecat#2955", call, holds: vec![Holds::NothingOutlives { calls: 10 }] }
}

/// Of the class "leaks for each call".
///
/// The caller hangs up here while every vendor is at work and none has answered.
pub fn pipecat_1003_hung_up_on_while_thinking() -> PublicBug {
    let script = vec![say("I want an apartment in Delhi"), Step::Silence(ms(900)), Step::HangUp];
    let mut call = interrupted("pipecat_1003_hung_up_on_while_thinking", script);
    call.caller.manner = Manner::HangsUp;
    call.vendors.stt.latency = Latency::Fixed(ms(600));
    call.vendors.brain.faults = vec![Spell { fault: Fault::Silent, after: 1, times: ALWAYS }];
    PublicBug { reported: "pipecat-ai/pipecat#1003", call, holds: vec![Holds::NothingOutlives { calls: 20 }] }
}
