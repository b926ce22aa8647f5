//! One whole call, drawn from a seed: who calls, what is said, in what noise, over what line, and what becomes of the vendors.
//!
//! A scenario is data. It can be printed, sent and read back, so that a breach comes with the call that showed it; the audio is made from
//! it by [`Scenario::script`] and [`Scenario::room`]. Everything a runner needs is here but the switch's own settings.
//!
//! | drawn | weights, in percent |
//! |-------|---------------------|
//! | carrier | Twilio 60, Exotel 25, a page in a browser 15 |
//! | manner | patient 22, interrupter 16, backchanneller 16, dictates 10, cougher 10, double talker 8, presser 6, hangs up 7, silent 5 |
//! | agent | the contact desk for those who dictate, the front desk for all others |
//! | voice | flite's three 25 each, a formant talker 25 |
//! | background | none 40, street 20, babble 15, white 15, hum 10; 10 to 30 dB under speech |
//! | second speaker 10, echo 15, breaths 15, typing 8 | each by itself; an echo is what a carrier's canceller leaves, 30 to 50 dB |
//! | line | good 55, jittery 20, stalling 10, far away 15; each with drift: none 60, ±200 ppm 30, ±2,000 ppm 10 |
//! | marks | sound 85, else some late or lost |
//! | Twilio's messages | as they were made 90, else up to 5 % overtaken and up to 5 % doubled |
//! | recogniser | clean 30, else a word error rate of 2 to 15 |
//! | faults | none 75, else one spell at one vendor 20, at two 5 |

mod draw;
mod meaning;
mod vendors;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cast::{Cast, CastError, Voice};
use super::channel::{Channel, LinePlan};
use super::dictation::Dictation;
use super::surroundings::{Room, Surroundings};
use crate::caller::{Manners, Rendered, Step};
use crate::carrier::Carrier;
use crate::carrier::browser::Wishes;
use crate::carrier::exotel::{ExotelIds, Habits};
use crate::carrier::twilio::TwilioIds;

pub use meaning::Meaning;
pub use vendors::{BrainPlan, SttPlan, TtsPlan, VendorPlans};

/// What sets the two directions' seeds apart.
const UP: u64 = 1 << 32;
const DOWN: u64 = 2 << 32;

/// One whole call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// `seed 17`, or the name of a public bug.
    pub name: String,
    /// Seed of everything that is drawn while the call runs.
    pub seed: u64,
    /// Whose protocol is spoken.
    pub carrier: CarrierKind,
    /// Who answers.
    #[serde(default)]
    pub desk: Desk,
    /// Who calls.
    pub caller: CallerPlan,
    /// What else goes into the telephone.
    pub surroundings: Surroundings,
    /// The line.
    pub line: LinePlan,
    /// The vendors.
    pub vendors: VendorPlans,
    /// The call has ended by then, or something is wrong.
    #[serde(with = "crate::millis")]
    pub limit: Duration,
}

/// Whose media socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CarrierKind {
    /// Twilio Media Streams: 20 ms frames, marks, clear.
    Twilio,
    /// Exotel AgentStream: chunks of 200 ms.
    Exotel,
    /// A page in a browser: 16 kHz, no marks.
    Browser,
}

/// The agent that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Desk {
    /// The playbook that the program comes with: property, place, budget, time to call back.
    #[default]
    FrontDesk,
    /// One that asks for what people dictate: telephone number, PIN, e-mail address, amount, date.
    ContactDesk,
}

/// How the caller behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// Waits until the agent has finished.
    Patient,
    /// Speaks over the agent and means it.
    Interrupter,
    /// Says "mm-hmm" while the agent speaks, and means "go on".
    Backchanneller,
    /// Coughs while the agent speaks, and between.
    Cougher,
    /// Goes on talking although the agent has begun to answer.
    DoubleTalker,
    /// Answers with keys, or presses some by mistake.
    Presser,
    /// Hangs up in the middle of something.
    HangsUp,
    /// Says nothing, or nothing more.
    Silent,
    /// Reads out numbers and addresses, with pauses.
    Dictates,
}

impl Manner {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Patient,
        Self::Interrupter,
        Self::Backchanneller,
        Self::Cougher,
        Self::DoubleTalker,
        Self::Presser,
        Self::HangsUp,
        Self::Silent,
        Self::Dictates,
    ];
}

/// Who calls, and what they do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerPlan {
    /// How they behave; the script follows from it.
    pub manner: Manner,
    /// Whose voice.
    pub voice: Voice,
    /// Silence after which they think that the agent has finished.
    #[serde(with = "crate::millis")]
    pub quiet: Duration,
    /// Dead air after which they speak unasked.
    #[serde(with = "crate::millis")]
    pub patience: Duration,
    /// What they do, in order.
    pub script: Vec<Step<Cue>>,
}

/// A line of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cue {
    /// Words in the caller's voice: an answer.
    Words(String),
    /// Words that mean something else; what they mean is for the figures, the switch is not told.
    Meant(Meaning, String),
    /// Something read out in groups.
    Dictated(Dictation),
    /// A cough, by its seed.
    Cough(u64),
    /// Keys as tones in the audio, which the carrier does not report.
    Keys(String),
}

impl Cue {
    /// Words.
    pub fn words(text: &str) -> Self {
        Self::Words(text.to_owned())
    }

    /// Words that are meant so.
    pub fn meant(meaning: Meaning, text: &str) -> Self {
        Self::Meant(meaning, text.to_owned())
    }

    /// What the caller means by it; keys are pressed for something else than the agent's ear.
    pub fn meaning(&self) -> Option<Meaning> {
        match self {
            Self::Words(_) | Self::Dictated(_) => Some(Meaning::Answer),
            Self::Meant(meaning, _) => Some(*meaning),
            Self::Cough(_) => Some(Meaning::Cough),
            Self::Keys(_) => None,
        }
    }
}

impl Scenario {
    /// The call of this seed.
    pub fn from_seed(seed: u64) -> Self {
        draw::scenario(seed)
    }

    /// The script with its sound, for [`crate::caller::Caller::new`].
    pub fn script(&self, cast: &Cast) -> Result<Vec<Step<Rendered>>, CastError> {
        let rendered = |cue: &Cue| match cue {
            Cue::Words(text) | Cue::Meant(_, text) => cast.say(self.caller.voice, text),
            Cue::Dictated(dictation) => dictation.render(cast, self.caller.voice),
            Cue::Cough(seed) => Ok(cast.cough(*seed)),
            Cue::Keys(keys) => Ok(cast.keys(keys)),
        };
        let with_sound = |step: &Step<Cue>| {
            Ok(match step {
                Step::Say(cue) => Step::Say(rendered(cue)?),
                Step::Interrupt { after, say } => Step::Interrupt { after: *after, say: rendered(say)? },
                Step::Wait => Step::Wait,
                Step::Dtmf(keys) => Step::Dtmf(keys.clone()),
                Step::Silence(length) => Step::Silence(*length),
                Step::HangUp => Step::HangUp,
            })
        };
        self.caller.script.iter().map(with_sound).collect()
    }

    /// The caller's manners.
    pub fn manners(&self) -> Manners {
        Manners { quiet: self.caller.quiet, patience: self.caller.patience, seed: self.seed }
    }

    /// The room around the caller.
    pub fn room(&self, cast: &Cast) -> Result<Room, CastError> {
        self.surroundings.room(cast, self.seed)
    }

    /// The carrier's side, ready to be driven; the seed numbers the call.
    pub fn far_end(&self) -> Carrier {
        let number = u128::from(self.seed);
        match self.carrier {
            CarrierKind::Twilio => Carrier::Twilio(TwilioIds::numbered(number)),
            CarrierKind::Exotel => Carrier::Exotel(ExotelIds::numbered(number), Habits::default()),
            CarrierKind::Browser => Carrier::Browser(Wishes::default()),
        }
    }

    /// The line towards the switch.
    pub fn up<T: Clone>(&self) -> Channel<T> {
        Channel::new(self.line.up, self.seed ^ UP)
    }

    /// The line towards the carrier.
    pub fn down<T: Clone>(&self) -> Channel<T> {
        Channel::new(self.line.down, self.seed ^ DOWN)
    }

    /// All words that the caller means to say, a line each; coughs and keys are none.
    pub fn said(&self) -> impl Iterator<Item = String> {
        self.caller.script.iter().filter_map(|step| match step.line()? {
            Cue::Words(text) | Cue::Meant(_, text) => Some(text.clone()),
            Cue::Dictated(dictation) => Some(dictation.text()),
            Cue::Cough(_) | Cue::Keys(_) => None,
        })
    }

    /// The lines of the script in the order in which they become goes of the caller: of each go its line, or `None` where keys are pressed.
    pub fn goes(&self) -> impl Iterator<Item = Option<&Cue>> {
        self.caller.script.iter().filter_map(|step| match step {
            Step::Say(cue) | Step::Interrupt { say: cue, .. } => Some(Some(cue)),
            Step::Dtmf(_) => Some(None),
            Step::Wait | Step::Silence(_) | Step::HangUp => None,
        })
    }

    /// One line of JSON, from which [`Self::from_json`] makes the same call.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a scenario is plain data with text for keys")
    }

    /// Reads what [`Self::to_json`] wrote.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }
}

#[cfg(test)]
mod tests;
