//! Interruptions that were not meant and ended the agent's speech, and some that were meant and did not.

use super::{Holds, PublicBug, interrupted, ms, over, say};
use crate::caller::Step;
use crate::universe::channel::ChannelPlan;
use crate::universe::scenario::{CarrierKind, Cue, Meaning, Scenario};
use crate::universe::surroundings::Echo;
use crate::vendor::Latency;

fn listens(after: u64, line: &str) -> Step<Cue> {
    Step::Interrupt { after: ms(after), say: Cue::meant(Meaning::Backchannel, line) }
}

fn coughs(after: u64) -> Step<Cue> {
    Step::Interrupt { after: ms(after), say: Cue::Cough(5) }
}

fn wants(after: u64, line: &str) -> Step<Cue> {
    Step::Interrupt { after: ms(after), say: Cue::meant(Meaning::Command, line) }
}

/// A caller who says no more than that, then answers and goes.
fn listening(name: &str, overlaps: impl IntoIterator<Item = Step<Cue>>) -> Scenario {
    let rest = [say("I want an apartment in Delhi"), say("sixty lakh rupees"), say("no thank you")];
    interrupted(name, overlaps.into_iter().chain(rest).collect())
}

fn goes_on(reported: &'static str, call: Scenario) -> PublicBug {
    PublicBug { reported, call, holds: vec![Holds::AgentGoesOn, Holds::TranscriptIsTheEar] }
}

fn gives_way(reported: &'static str, call: Scenario) -> PublicBug {
    PublicBug { reported, call, holds: vec![Holds::CallerIsGivenWay] }
}

/// Those in which the agent has to go on.
pub fn going_on() -> Vec<PublicBug> {
    vec![
        bolna_223_one_word_ends_it(),
        bolna_476_interrupted_by_agreement(),
        pipecat_950_a_cough_ends_it(),
        livekit_agents_4039_not_resumed(),
        livekit_agents_4243_phantom_interruption(),
        livekit_agents_4615_resumed_late(),
        livekit_agents_5001_backchannel_is_a_turn(),
        livekit_agents_3261_noise_ends_it(),
        livekit_agents_6750_many_in_a_row(),
        ava_467_speech_without_a_word(),
        rapida_280_greeting_ended_by_a_sound(),
    ]
}

/// Those in which it has to give way.
pub fn giving_way() -> Vec<PublicBug> {
    vec![
        bolna_245_stop_is_not_heard(),
        bolna_295_interrupted_again_and_again(),
        pipecat_3191_waits_for_a_second_word(),
        openai_agents_js_1173_all_audio_sent(),
        nova_sonic_twilio_2_buffered_audio_plays_on(),
        pipecat_366_clear_on_bargein(),
    ]
}

/// Those in which it hears itself, and must neither give way to that nor overhear who speaks against it.
pub fn echoing() -> Vec<PublicBug> {
    vec![ava_467_own_voice_from_a_loudspeaker()]
}

/// Of the class "false interruptions".
///
/// One short word of assent into the greeting here. Holds: the greeting is heard to its end.
pub fn bolna_223_one_word_ends_it() -> PublicBug {
    goes_on("bolna-ai/bolna#223", listening("bolna_223_one_word_ends_it", [listens(900, "mm-hmm")]))
}

/// Of the class "backchannels are taken for turns".
///
/// Two of them into one utterance here, a second apart. Holds: both are talked through.
pub fn bolna_476_interrupted_by_agreement() -> PublicBug {
    let call = listening("bolna_476_interrupted_by_agreement", [listens(800, "right"), listens(700, "uh-huh")]);
    goes_on("bolna-ai/bolna#476", call)
}

/// "Wait" and "stop" reach the model as any turn, and the voice that was being played plays on.
///
/// Holds: the agent is silent under each, and does not come back to what it was saying.
pub fn bolna_245_stop_is_not_heard() -> PublicBug {
    let script = vec![wants(700, "wait wait"), wants(700, "hold on a second please"), say("goodbye")];
    gives_way("bolna-ai/bolna#245", interrupted("bolna_245_stop_is_not_heard", script))
}

/// An agent that does not react however often it is spoken over.
///
/// Three attempts in a row here, each over the next answer.
pub fn bolna_295_interrupted_again_and_again() -> PublicBug {
    let again = |after| wants(after, "hold on a second please");
    let script = vec![again(600), again(500), again(700), say("I want an apartment in Delhi"), say("goodbye")];
    gives_way("bolna-ai/bolna#295", interrupted("bolna_295_interrupted_again_and_again", script))
}

/// Of the class "noise interrupts".
///
/// A cough into the greeting here, for which the recogniser has no word.
pub fn pipecat_950_a_cough_ends_it() -> PublicBug {
    goes_on("pipecat-ai/pipecat#950", listening("pipecat_950_a_cough_ends_it", [coughs(1_000)]))
}

/// An interruption needs two recognised words, the recogniser is slow, and the bot keeps on speaking.
///
/// Words come 400 ms after they were said here. Holds: silence is not waited for until they come.
pub fn pipecat_3191_waits_for_a_second_word() -> PublicBug {
    let script = vec![wants(800, "stop, I have a question"), say("I want an apartment in Delhi"), say("goodbye")];
    let mut call = interrupted("pipecat_3191_waits_for_a_second_word", script);
    call.vendors.stt.partial_latency = ms(400).into();
    call.vendors.stt.latency = ms(500).into();
    let holds = vec![Holds::CallerIsGivenWay, Holds::SilentWithin(ms(205))];
    PublicBug { reported: "pipecat-ai/pipecat#3191", call, holds }
}

/// "Mhmm" pauses the agent, and it does not take up its speech again.
pub fn livekit_agents_4039_not_resumed() -> PublicBug {
    goes_on("livekit/agents#4039", listening("livekit_agents_4039_not_resumed", [listens(1_500, "mm-hmm")]))
}

/// The agent is interrupted by a caller who has said nothing since: a late result of the recogniser counts as speech.
///
/// A sound without words here, and a recogniser that settles it late, while the agent speaks again.
pub fn livekit_agents_4243_phantom_interruption() -> PublicBug {
    let mut call = listening("livekit_agents_4243_phantom_interruption", [coughs(700)]);
    call.vendors.stt.latency = ms(800).into();
    goes_on("livekit/agents#4243", call)
}

/// What was falsely interrupted goes on, after seconds.
///
/// Holds besides: no silence above 2.5 s, the recogniser's 600 ms included.
pub fn livekit_agents_4615_resumed_late() -> PublicBug {
    let mut call = listening("livekit_agents_4615_resumed_late", [listens(1_200, "hmm")]);
    call.vendors.stt.latency = ms(600).into();
    let holds = vec![Holds::AgentGoesOn, Holds::SilenceAtMost(ms(2_500))];
    PublicBug { reported: "livekit/agents#4615", call, holds }
}

/// Of the class "backchannels are taken for turns".
///
/// "I see" here: the model must not be asked what to answer to it.
pub fn livekit_agents_5001_backchannel_is_a_turn() -> PublicBug {
    goes_on("livekit/agents#5001", listening("livekit_agents_5001_backchannel_is_a_turn", [listens(1_300, "I see")]))
}

/// Of the class "false interruptions".
///
/// Two coughs into one utterance here, over a line with 60 ms each way.
pub fn livekit_agents_3261_noise_ends_it() -> PublicBug {
    let mut call = listening("livekit_agents_3261_noise_ends_it", [coughs(800), coughs(600)]);
    let far = ChannelPlan::websocket(ms(60), Latency::percentiles_ms(1, 3));
    (call.line.up, call.line.down) = (far, far);
    goes_on("livekit/agents#3261", call)
}

/// Of the class "false interruptions".
///
/// A backchannel into each of the agent's utterances here: what is resumed once must be resumable again.
pub fn livekit_agents_6750_many_in_a_row() -> PublicBug {
    let script = vec![
        listens(900, "uh-huh"),
        say("I want an apartment in Delhi"),
        listens(500, "hmm"),
        say("sixty lakh rupees"),
        listens(900, "oh"),
        say("no thank you"),
    ];
    goes_on("livekit/agents#6750", interrupted("livekit_agents_6750_many_in_a_row", script))
}

/// On a clean installation the agent cuts itself off: the provider reports speech where nobody speaks, and the bridge stops its voice.
///
/// The agent's own voice comes back here, 45 dB down, and the caller hums once.
pub fn ava_467_speech_without_a_word() -> PublicBug {
    let mut call = listening("ava_467_speech_without_a_word", [listens(1_200, "hmm")]);
    call.surroundings.echo = Some(Echo { delay: ms(120), under_db: 45.0 });
    goes_on("hkjarral/AVA-AI-Voice-Agent-for-Asterisk#467", call)
}

/// The same, louder: a telephone on its loudspeaker, 20 dB under what it plays, heard by detector and recogniser alike.
///
/// Holds: once our own words were recognised on this line, what is no louder stops nobody, and the caller, who is, does.
pub fn ava_467_own_voice_from_a_loudspeaker() -> PublicBug {
    let script = vec![
        say("I want an apartment in Delhi"),
        listens(1_200, "uh-huh"),
        say("sixty lakh rupees"),
        wants(900, "wait wait"),
        say("no thank you"),
    ];
    let mut call = interrupted("ava_467_own_voice_from_a_loudspeaker", script);
    call.surroundings.echo = Some(Echo { delay: ms(120), under_db: 20.0 });
    let holds = vec![Holds::CallerIsGivenWay, Holds::GoesOnUnprompted, Holds::SilenceAtMost(ms(2_500))];
    PublicBug { reported: "hkjarral/AVA-AI-Voice-Agent-for-Asterisk#467", call, holds }
}

/// All audio of an answer has been sent, so the bridge thinks that there is nothing to interrupt, and the carrier plays on for ten seconds.
///
/// The voice here gives a whole sentence at once.
pub fn openai_agents_js_1173_all_audio_sent() -> PublicBug {
    let script = vec![wants(900, "no no, listen"), say("I want an apartment in Delhi"), say("goodbye")];
    let mut call = interrupted("openai_agents_js_1173_all_audio_sent", script);
    (call.vendors.tts.chunk, call.vendors.tts.chunk_interval) = (ms(20_000), ms(0));
    let holds = vec![Holds::CallerIsGivenWay, Holds::SilentWithin(ms(205))];
    PublicBug { reported: "openai/openai-agents-js#1173", call, holds }
}

/// Of the class "false interruptions".
///
/// A sound at the very beginning of the greeting here, at Exotel's, where a chunk is 200 ms.
pub fn rapida_280_greeting_ended_by_a_sound() -> PublicBug {
    let mut call = listening("rapida_280_greeting_ended_by_a_sound", [listens(500, "oh")]);
    call.carrier = CarrierKind::Exotel;
    goes_on("rapidaai/voice-ai#280", call)
}

/// The model hears the interruption, and Twilio plays what it had buffered: nobody sends `clear`.
pub fn nova_sonic_twilio_2_buffered_audio_plays_on() -> PublicBug {
    let script = vec![wants(1_000, "can I say something"), say("I want an apartment in Delhi"), say("goodbye")];
    let mut call = interrupted("nova_sonic_twilio_2_buffered_audio_plays_on", script);
    call.vendors.tts.chunk_interval = ms(0);
    let holds = vec![Holds::CallerIsGivenWay, Holds::SilentWithin(ms(205))];
    PublicBug { reported: "aws-samples/sample-amazon-nova-sonic-twilio-integration#2", call, holds }
}

/// The caller speaks, the agent's audio is already in Twilio's queue, and plays on for seconds, because nobody sends `clear`.
///
/// The voice here is made far faster than it is spoken, so the queue could be long. Holds: silence within design.md's 205 ms.
pub fn pipecat_366_clear_on_bargein() -> PublicBug {
    let script = vec![over(ms(800), "stop, I have a question"), say("I want an apartment in Delhi"), say("goodbye")];
    let mut call = interrupted("pipecat_366_clear_on_bargein", script);
    call.vendors.tts.chunk_interval = ms(0);
    let holds = vec![Holds::SilentWithin(ms(205)), Holds::TranscriptIsTheEar];
    PublicBug { reported: "pipecat-ai/pipecat#366", call, holds }
}
