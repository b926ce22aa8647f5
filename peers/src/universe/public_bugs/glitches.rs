//! Sound that broke: gaps, stutter, noise, haste.

use super::{Holds, PublicBug, call, ms, say, whole_conversation};
use crate::universe::channel::{ChannelPlan, Codec, Stalls};
use crate::universe::scenario::CarrierKind;
use crate::vendor::Latency;

/// The longest silence for want of audio that nobody notices: one frame.
const ONE_FRAME: Holds = Holds::NoStarvedGap(ms(20));

/// Those in which the far end has to be kept ahead of its ear, though line and voice are not.
pub fn kept_ahead() -> Vec<PublicBug> {
    vec![
        pipecat_2551_voice_breaks_up(),
        audiosocket_26_bursts_from_the_network(),
        openai_agents_1906_skip_at_each_word(),
    ]
}

/// Those in which each frame has to be due by itself, not a sleep after the one before.
pub fn on_time() -> Vec<PublicBug> {
    vec![openclaw_52111_gaps_from_pacing()]
}

/// Those in which the pieces that a voice comes in have to be joined before they are cut into frames.
pub fn joined() -> Vec<PublicBug> {
    vec![livekit_sip_348_stutter_at_chunk_ends()]
}

/// Those in which whoever plays has to hear of it when there is more to play.
pub fn woken() -> Vec<PublicBug> {
    vec![pipecat_2941_stops_between_sentences()]
}

/// Those in which the two ends differ in their audio's rate.
pub fn converted() -> Vec<PublicBug> {
    vec![ava_13_garbled_by_another_codec()]
}

/// Those in which a voice comes far faster than it is spoken, and the far end holds little.
pub fn paced() -> Vec<PublicBug> {
    vec![ava_183_long_answer_speeds_up(), call_me_12_one_chunk_for_all()]
}

/// The recording on the server is clear, and on the telephone the voice is choppy: frames leave in the rhythm in which they were made.
///
/// Holds: with a jittery line and a voice that comes in spurts, the ear is fed without a gap.
pub fn pipecat_2551_voice_breaks_up() -> PublicBug {
    let mut call = call("pipecat_2551_voice_breaks_up", whole_conversation());
    call.line.down = ChannelPlan::websocket(ms(30), Latency::percentiles_ms(3, 10));
    call.vendors.tts.chunk = ms(250);
    call.vendors.tts.chunk_interval = ms(180);
    PublicBug { reported: "pipecat-ai/pipecat#2551", call, holds: vec![ONE_FRAME, Holds::Clean] }
}

/// The agent says its first sentence, falls silent for 15 s with more to say, and goes on as soon as the caller says "Hello?".
///
/// The second sentence here comes well after the first was heard. Holds: it is heard although the caller keeps silent.
pub fn pipecat_2941_stops_between_sentences() -> PublicBug {
    let mut call = call("pipecat_2941_stops_between_sentences", vec![say("I want an apartment in Delhi")]);
    call.vendors.brain.interval = ms(3_000);
    PublicBug { reported: "pipecat-ai/pipecat#2941", call, holds: vec![Holds::GoesOnUnprompted] }
}

/// On the telephone alone, the voice has artefacts where one chunk of synthesis ends and the next begins.
///
/// The chunks here end in the middle of frames. Holds: no click, no gap.
pub fn livekit_sip_348_stutter_at_chunk_ends() -> PublicBug {
    let mut call = call("livekit_sip_348_stutter_at_chunk_ends", whole_conversation());
    call.vendors.tts.chunk = ms(37);
    call.vendors.tts.chunk_interval = ms(29);
    PublicBug { reported: "livekit/sip#348", call, holds: vec![ONE_FRAME, Holds::Clean, Holds::KeepsPace] }
}

/// The greeting is cut by gaps of 1 to 3 s: frames were paced by sleeping 20 ms after each, so the pace was never kept.
///
/// The far end's clock here runs fast as well, which eats what lead there is. Holds: no gap in a long call.
pub fn openclaw_52111_gaps_from_pacing() -> PublicBug {
    let mut call = call("openclaw_52111_gaps_from_pacing", whole_conversation());
    call.line.drift_ppm = 200;
    call.vendors.tts.chunk_interval = ms(60);
    PublicBug { reported: "openclaw/openclaw#52111", call, holds: vec![ONE_FRAME, Holds::KeepsPace] }
}

/// All that is heard is noise: one side spoke mu-law and the other linear, at another rate.
///
/// The far end here has 16 kHz both ways, where the switch has 8, and the line codes the caller twice. Holds: every word of both sides can be told.
pub fn ava_13_garbled_by_another_codec() -> PublicBug {
    let mut call = call("ava_13_garbled_by_another_codec", whole_conversation());
    call.line.codec = Codec::AlawUlaw;
    call.carrier = CarrierKind::Browser;
    let holds = vec![Holds::Clean, Holds::EveryWordOnce];
    PublicBug { reported: "hkjarral/AVA-AI-Voice-Agent-for-Asterisk#13", call, holds }
}

/// Long answers are good for 24 s, then run too fast for 3 s, then are good again: a queue overflowed and was caught up with.
///
/// The voice here delivers a whole sentence at once, and the far end holds no more than a second. Holds: as much time is heard as was made.
pub fn ava_183_long_answer_speeds_up() -> PublicBug {
    let script = vec![say("what can I say"), say("I want an apartment in Delhi"), say("goodbye")];
    let mut call = call("ava_183_long_answer_speeds_up", script);
    call.carrier = CarrierKind::Exotel;
    call.vendors.tts.chunk = ms(20_000);
    let holds = vec![Holds::KeepsPace, Holds::Clean];
    PublicBug { reported: "hkjarral/AVA-AI-Voice-Agent-for-Asterisk#183", call, holds }
}

/// Of the class "choppy, sped up".
///
/// The line stands still here for up to 40 ms at a time, which is less than the lead. Holds: that is not heard.
pub fn audiosocket_26_bursts_from_the_network() -> PublicBug {
    let mut call = call("audiosocket_26_bursts_from_the_network", whole_conversation());
    call.line.down = call.line.down.stalling(Stalls { every: ms(1_500), least: ms(20), most: ms(40) });
    PublicBug { reported: "CyCoreSystems/audiosocket#26", call, holds: vec![ONE_FRAME, Holds::KeepsPace] }
}

/// Of the class "choppy, sped up".
///
/// A voice here that gives nothing for a second and then all of its sentence, to a page that holds no more than a second. Holds: it is heard in its
/// own time.
pub fn call_me_12_one_chunk_for_all() -> PublicBug {
    let mut call = call("call_me_12_one_chunk_for_all", whole_conversation());
    call.carrier = CarrierKind::Browser;
    call.vendors.tts.chunk = ms(30_000);
    call.vendors.tts.first_chunk = ms(1_000).into();
    PublicBug { reported: "ZeframLou/call-me#12", call, holds: vec![ONE_FRAME, Holds::KeepsPace] }
}

/// Every word begins with a skip: tiny chunks went out as they came, and the carrier's queue ran dry after each.
///
/// Chunks of 13 ms here, of which each takes 12 ms. Holds: no gap from the first word on.
pub fn openai_agents_1906_skip_at_each_word() -> PublicBug {
    let mut call = call("openai_agents_1906_skip_at_each_word", whole_conversation());
    call.vendors.tts.chunk = ms(13);
    call.vendors.tts.chunk_interval = ms(12);
    PublicBug { reported: "openai/openai-agents-python#1906", call, holds: vec![ONE_FRAME, Holds::Clean] }
}
