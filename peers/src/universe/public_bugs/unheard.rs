//! Transcripts and contexts that say what the caller never heard, or leave out what was heard.

use super::{Holds, PublicBug, interrupted, ms, over, say};
use crate::universe::channel::MarkTrouble;
use crate::vendor::Latency;

const EAR: Holds = Holds::TranscriptIsTheEar;

/// All of them.
pub fn cut_short() -> Vec<PublicBug> {
    vec![
        pipecat_5303_marks_behind_the_barge_in(),
        livekit_agents_3760_second_sentence_cut(),
        livekit_agents_2095_before_the_first_sound(),
        livekit_agents_2843_greeting_cut(),
        videosdk_285_whole_reply_kept(),
        bolna_842_flag_stuck(),
    ]
}

/// Of the class "the context says what was never heard".
///
/// The carrier's marks come late here, so that they arrive behind the interruption that they were overtaken by.
pub fn pipecat_5303_marks_behind_the_barge_in() -> PublicBug {
    let script = vec![over(ms(1_200), "no no, listen"), say("I want an apartment in Delhi"), say("goodbye")];
    let mut call = interrupted("pipecat_5303_marks_behind_the_barge_in", script);
    let marks = MarkTrouble { late: 0.5, lateness: Latency::percentiles_ms(200, 500), ..MarkTrouble::default() };
    call.line.up = call.line.up.with_marks(marks);
    PublicBug { reported: "pipecat-ai/pipecat#5303", call, holds: vec![EAR] }
}

/// Of the class "the context says what was never heard".
///
/// The interruption falls into the second sentence of an answer here: the first was heard whole, the second in part.
pub fn livekit_agents_3760_second_sentence_cut() -> PublicBug {
    let script = vec![say("I want an apartment in Delhi"), over(ms(2_600), "Mumbai, not Pune"), say("goodbye")];
    let call = interrupted("livekit_agents_3760_second_sentence_cut", script);
    PublicBug { reported: "livekit/agents#3760", call, holds: vec![EAR] }
}

/// Interrupted before its first sound, an answer was written down whole, or with the words of the one before it.
///
/// The caller goes on talking here while the voice is still being made.
pub fn livekit_agents_2095_before_the_first_sound() -> PublicBug {
    let script = vec![
        say("I want an apartment in Delhi"),
        // while the answer to it is under way, and over its first sound
        crate::caller::Step::Silence(ms(700)),
        say("sorry, the budget is forty lakh"),
        over(ms(0), "wait wait"),
        say("goodbye"),
    ];
    let mut call = interrupted("livekit_agents_2095_before_the_first_sound", script);
    call.vendors.tts.first_chunk = ms(600).into();
    PublicBug { reported: "livekit/agents#2095", call, holds: vec![EAR] }
}

/// What was said without a model (`say`) was written down whole when it was interrupted, what a model said was not.
///
/// The greeting, which no model makes, is interrupted here.
pub fn livekit_agents_2843_greeting_cut() -> PublicBug {
    let script = vec![over(ms(500), "I want an apartment in Delhi"), say("goodbye")];
    let call = interrupted("livekit_agents_2843_greeting_cut", script);
    PublicBug { reported: "livekit/agents#2843", call, holds: vec![EAR] }
}

/// Interrupted replies were kept whole in the conversation, however little of them was played.
///
/// Some marks never come back here, so what was heard must be told from those that do.
pub fn videosdk_285_whole_reply_kept() -> PublicBug {
    let script = vec![say("a villa"), over(ms(900), "Pune"), over(ms(1_500), "one crore"), say("goodbye")];
    let mut call = interrupted("videosdk_285_whole_reply_kept", script);
    call.line.up = call.line.up.with_marks(MarkTrouble { lost: 0.2, ..MarkTrouble::default() });
    PublicBug { reported: "videosdk-live/agents#285", call, holds: vec![EAR] }
}

/// A flag that an interruption sets is not taken back, and what is said after it counts as unheard for the rest of the call.
///
/// Two interruptions in a row here, one of the second's answer, and then an undisturbed conversation.
pub fn bolna_842_flag_stuck() -> PublicBug {
    let script = vec![
        over(ms(400), "wait wait"),
        over(ms(300), "hold on a second please"),
        say("I want an apartment in Delhi"),
        say("sixty lakh rupees"),
        say("no thank you"),
    ];
    let call = interrupted("bolna_842_flag_stuck", script);
    PublicBug { reported: "bolna-ai/bolna#842", call, holds: vec![EAR] }
}
