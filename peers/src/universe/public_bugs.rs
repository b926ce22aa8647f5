//! Calls that broke other people's voice agents, by where they were reported. Each says what was seen, and what must hold here.
//!
//! Place: beside the seeds, as calls with names. The runner judges them by the same invariants as any call, and by their
//! [`Holds`] besides. A call is the shortest that would show the bug, on a line without faults of its own unless they are the point.
//!
//! Where a doc comment says "of the class", the report is known by its class of complaint only, and the call provokes that.

mod dictated;
mod glitches;
mod leaks;
mod overlaps;
mod recorded;
mod unheard;

use std::time::Duration;

use super::cast::Voice;
use super::channel::{ChannelPlan, LinePlan};
use super::fault_rows::Pass;
use super::scenario::{BrainPlan, CallerPlan, CarrierKind, Cue, Desk, Manner, Scenario, SttPlan, TtsPlan, VendorPlans};
use super::surroundings::Surroundings;
use crate::caller::Step;
use crate::vendor::Latency;

pub use dictated::*;
pub use glitches::*;
pub use leaks::*;
pub use overlaps::*;
pub use recorded::*;
pub use unheard::*;

/// A call that somebody else's agent got wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct PublicBug {
    /// Where it was reported, as `owner/repository#number`.
    pub reported: &'static str,
    /// The call; its name is the function's.
    pub call: Scenario,
    /// What must hold, besides the invariants of every call.
    pub holds: Vec<Holds>,
}

/// What must hold in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Each interruption that is meant silences the ear: that long after its first sound, and the line's way there and back.
    SilentWithin(Duration),
    /// No silence for want of audio is longer than this inside the agent's speech.
    NoStarvedGap(Duration),
    /// No click, and all speech has words that can be told ([`super::ear::EarReport`]).
    Clean,
    /// The ear hears every sentence of every answer although the caller says nothing meanwhile.
    GoesOnUnprompted,
    /// What was heard took as long as it was made: nothing sped up, nothing dropped to catch up.
    KeepsPace,
    /// The agent's lines in the transcript hold what was heard, to the word.
    TranscriptIsTheEar,
    /// Each backchannel and each cough over the agent, of which there is one at least: the utterance is heard to its end.
    AgentGoesOn,
    /// Each interruption that is meant, of which there is one at least: the agent stops, and does not come back to what it was saying.
    CallerIsGivenWay,
    /// What is read out in groups is one turn each, with all its words.
    OneTurnEach,
    /// The recording is as long as the call, to one frame, and each side's words lie in it where they were said and heard.
    RecordingIsTheCall,
    /// Every word of the caller is in a turn, once, in order.
    EveryWordOnce,
    /// Every key that is pressed arrives, once, in order.
    KeysArrive,
    /// Nobody listens to nothing for longer.
    SilenceAtMost(Duration),
    /// Nothing outlives the call: no task, timer, lane or child, as the invariant of leaks holds every run to. One call is run; memory is not
    /// looked at.
    NothingOutlives {
        /// After how many calls the leak was reported.
        calls: u32,
    },
    /// The figure of a row of the fault table.
    Passes(Pass),
}

impl Holds {
    /// Whether it takes a recorder to tell.
    pub fn is_about_a_recording(&self) -> bool {
        matches!(self, Self::RecordingIsTheCall | Self::Passes(Pass::AudioLost { .. }))
    }
}

/// All of them, in the order of the modules.
pub fn all() -> Vec<PublicBug> {
    let mut bugs = vec![
        pipecat_366_clear_on_bargein(),
        pipecat_2551_voice_breaks_up(),
        pipecat_2941_stops_between_sentences(),
        livekit_sip_348_stutter_at_chunk_ends(),
        openclaw_52111_gaps_from_pacing(),
        ava_13_garbled_by_another_codec(),
        ava_183_long_answer_speeds_up(),
        audiosocket_26_bursts_from_the_network(),
        call_me_12_one_chunk_for_all(),
        openai_agents_1906_skip_at_each_word(),
        livekit_agents_2166_stream_left_open(),
        livekit_agents_1186_many_short_calls(),
        livekit_3614_a_line_left_open(),
        pipecat_3116_audio_without_end(),
        pipecat_2955_spins_after_the_goodbye(),
        pipecat_1003_hung_up_on_while_thinking(),
        pipecat_5303_marks_behind_the_barge_in(),
        livekit_agents_3760_second_sentence_cut(),
        livekit_agents_2095_before_the_first_sound(),
        livekit_agents_2843_greeting_cut(),
        videosdk_285_whole_reply_kept(),
        bolna_842_flag_stuck(),
    ];
    bugs.extend(going_on());
    bugs.extend(giving_way());
    bugs.extend(dictated());
    bugs.extend(recorded());
    bugs
}

pub(super) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A patient caller in flite's voice, on a good line, with quick vendors; what the bug is about is set upon it.
pub(super) fn call(name: &str, script: Vec<Step<Cue>>) -> Scenario {
    let good = ChannelPlan::websocket(ms(10), Latency::percentiles_ms(1, 3));
    Scenario {
        name: name.to_owned(),
        // any fixed number; the name is what tells them apart
        seed: name.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte))),
        carrier: CarrierKind::Twilio,
        desk: Desk::FrontDesk,
        caller: CallerPlan { manner: Manner::Patient, voice: Voice::Slt, quiet: ms(700), patience: ms(20_000), script },
        surroundings: Surroundings::default(),
        line: LinePlan { up: good, down: good, ..LinePlan::PERFECT },
        vendors: VendorPlans {
            stt: SttPlan { latency: ms(150).into(), ..SttPlan::default() },
            brain: BrainPlan { first_sentence: ms(200).into(), ..BrainPlan::default() },
            tts: TtsPlan { first_chunk: ms(120).into(), chunk_interval: ms(20), ..TtsPlan::default() },
        },
        limit: Duration::from_secs(180),
    }
}

/// As [`call`], from somebody who speaks over the agent.
fn interrupted(name: &str, script: Vec<Step<Cue>>) -> Scenario {
    let mut call = call(name, script);
    call.caller.manner = Manner::Interrupter;
    call
}

pub(super) fn say(line: &str) -> Step<Cue> {
    Step::Say(Cue::words(line))
}

fn over(after: Duration, line: &str) -> Step<Cue> {
    Step::Interrupt { after, say: Cue::words(line) }
}

/// The shortest whole conversation: all that the front desk wants to know, and no more.
pub(super) fn whole_conversation() -> Vec<Step<Cue>> {
    vec![say("I want an apartment in Delhi"), say("sixty lakh rupees"), say("no thank you")]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_its_own_name_a_report_and_something_that_holds() {
        let bugs = all();
        let names: BTreeSet<&str> = bugs.iter().map(|bug| bug.call.name.as_str()).collect();
        assert_eq!(names.len(), bugs.len());
        for bug in &bugs {
            let (place, number) = bug.reported.split_once('#').unwrap();
            assert!(place.contains('/') && number.parse::<u32>().is_ok(), "{}", bug.reported);
            assert!(bug.call.name.contains(&format!("_{number}_")), "{} is not {}", bug.call.name, bug.reported);
            assert!(!bug.holds.is_empty());
        }
    }

    #[test]
    fn each_can_be_written_down() {
        for bug in all() {
            assert_eq!(Scenario::from_json(&bug.call.to_json()).unwrap(), bug.call);
        }
    }
}
