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
    /// What was heard took as long as it was made, from each sentence's first word to its last: nothing sped up, nothing drawn out.
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
    /// The switch's own recorder leaves one file, as [`Self::RecordingIsTheCall`] asks, and the record tells of it once, with its digest.
    RecordingIsSaved,
    /// So many calls more, up to fifty at once on one switch: each has a recording, and it is as [`Self::RecordingIsTheCall`] asks.
    EachIsRecorded {
        /// How many.
        calls: u32,
    },
    /// Every word of the caller is in a turn, once, in order.
    EveryWordOnce,
    /// Every key that is pressed arrives, once, in order.
    KeysArrive,
    /// Nobody listens to nothing for longer.
    SilenceAtMost(Duration),
    /// Nothing outlives the call: no task, timer, lane or child, as the invariant of leaks holds every run to. Nor do so many calls more like it
    /// leave anything, up to fifty at once on one switch, and all of them end. Memory is not looked at.
    NothingOutlives {
        /// How many.
        calls: u32,
    },
    /// The figure of a row of the fault table.
    Passes(Pass),
}

impl Holds {
    /// Whether it takes a recorder to tell.
    pub fn is_about_a_recording(&self) -> bool {
        matches!(
            self,
            Self::RecordingIsTheCall
                | Self::EachIsRecorded { .. }
                | Self::Passes(Pass::AudioLost { .. } | Pass::CallerClicks(_))
        )
    }
}

/// All of them, by what carries them: with that mechanism off (`make sim SABOTAGE=<name>`), each call of its row goes red.
pub fn by_mechanism() -> Vec<(&'static str, Vec<PublicBug>)> {
    vec![
        ("barge_in", giving_way()),
        ("resume", going_on()),
        ("energy", echoing()),
        ("glitch", kept_ahead()),
        ("deadlines", on_time()),
        ("framing", joined()),
        ("wake", woken()),
        ("rate", converted()),
        ("protocol", paced()),
        ("leaks", leaking()),
        ("ear", cut_short()),
        ("spelling", dictated()),
        ("recording", recorded()),
        ("readers", recorded_beside()),
        ("saved", told_of()),
    ]
}

/// All of them.
pub fn all() -> Vec<PublicBug> {
    by_mechanism().into_iter().flat_map(|(_, bugs)| bugs).collect()
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

    /// What is cited in the list of pains that these calls come from, by its numbers there: turn-taking, sound, leaks, recordings, what was heard,
    /// and what is read out.
    const CITED: [(&str, &[&str]); 6] = [
        (
            "P1",
            &[
                "bolna-ai/bolna#223",
                "bolna-ai/bolna#476",
                "bolna-ai/bolna#245",
                "bolna-ai/bolna#295",
                "pipecat-ai/pipecat#366",
                "pipecat-ai/pipecat#950",
                "pipecat-ai/pipecat#3191",
                "livekit/agents#4039",
                "livekit/agents#4243",
                "livekit/agents#4615",
                "livekit/agents#5001",
                "livekit/agents#3261",
                "livekit/agents#6750",
                "hkjarral/AVA-AI-Voice-Agent-for-Asterisk#467",
                "openai/openai-agents-js#1173",
                "rapidaai/voice-ai#280",
                "aws-samples/sample-amazon-nova-sonic-twilio-integration#2",
            ],
        ),
        (
            "P4",
            &[
                "pipecat-ai/pipecat#2551",
                "pipecat-ai/pipecat#2941",
                "livekit/sip#348",
                "openclaw/openclaw#52111",
                "hkjarral/AVA-AI-Voice-Agent-for-Asterisk#13",
                "hkjarral/AVA-AI-Voice-Agent-for-Asterisk#183",
                "CyCoreSystems/audiosocket#26",
                "ZeframLou/call-me#12",
                "openai/openai-agents-python#1906",
            ],
        ),
        (
            "P7",
            &[
                "livekit/agents#2166",
                "livekit/agents#1186",
                "livekit/livekit#3614",
                "pipecat-ai/pipecat#3116",
                "pipecat-ai/pipecat#2955",
                "pipecat-ai/pipecat#1003",
            ],
        ),
        (
            "P11",
            &[
                "pipecat-ai/pipecat#1172",
                "pipecat-ai/pipecat#2448",
                "pipecat-ai/pipecat#2851",
                "pipecat-ai/pipecat#1256",
                "pipecat-ai/pipecat#5071",
                "livekit/egress#1160",
                "jambonz/jambonz-feature-server#607",
                "jambonz/jambonz-feature-server#989",
            ],
        ),
        (
            "P12",
            &[
                "pipecat-ai/pipecat#5303",
                "livekit/agents#3760",
                "livekit/agents#2095",
                "livekit/agents#2843",
                "videosdk-live/agents#285",
                "bolna-ai/bolna#842",
            ],
        ),
        (
            "P15",
            &[
                "livekit/agents#3701",
                "livekit/agents#382",
                "kyutai-labs/unmute#130",
                "livekit/agents#6990",
                "dograh-hq/dograh#739",
                "CALLE-AI/awesome-phone-call-agents#271",
                "bolna-ai/bolna#771",
            ],
        ),
    ];

    #[test]
    fn no_report_of_the_pains_is_forgotten() {
        let here: BTreeSet<&str> = all().iter().map(|bug| bug.reported).collect();
        for (pain, reports) in CITED {
            let missing: Vec<&&str> = reports.iter().filter(|report| !here.contains(**report)).collect();
            assert!(missing.is_empty(), "no call shows {missing:?} of {pain}");
        }
        let cited: BTreeSet<&str> = CITED.iter().flat_map(|(_, reports)| reports.iter().copied()).collect();
        assert_eq!(here.difference(&cited).collect::<Vec<_>>(), Vec::<&&str>::new(), "reported where?");
    }

    #[test]
    fn each_can_be_written_down() {
        for bug in all() {
            assert_eq!(Scenario::from_json(&bug.call.to_json()).unwrap(), bug.call);
        }
    }
}
