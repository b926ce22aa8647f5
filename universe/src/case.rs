//! What one run is made of: a scenario of `tandem_peers`, the door that it comes in by, and what of the switch is switched off.
//!
//! Place: the only input of [`crate::run()`]. A case of a seed is the scenario of that seed.

use std::time::Duration;

use tandem_domain::agent::Timing;
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::exotel::MarksOnClear;
use tandem_peers::dice::Dice;
use tandem_peers::universe::fault_rows;
use tandem_peers::universe::public_bugs::{Holds, PublicBug, all};
use tandem_peers::universe::scenario::Scenario;
use tandem_peers::vendor::{Fault, FaultPlan};

use crate::sabotage::Sabotage;

/// One call to be run.
#[derive(Debug, Clone)]
pub struct Case {
    /// Who calls, over what line, and what the vendors do.
    pub scenario: Scenario,
    /// Whose protocol is spoken.
    pub carrier: Carrier,
    /// What must hold besides the invariants; empty for a seed's call.
    pub holds: Vec<Holds>,
    /// The agent's patience.
    pub timing: Timing,
    /// What is switched off; nothing, but to see a check fail.
    pub sabotage: Option<Sabotage>,
}

/// There is no such call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no call is named {0:?}: `make sim ARGS=--list` lists them")]
pub struct UnknownName(String);

impl Case {
    /// The call of this seed.
    pub fn of_seed(seed: u64) -> Self {
        let scenario = Scenario::from_seed(seed);
        let mut carrier = scenario.far_end();
        if let Carrier::Exotel(_, habits) = &mut carrier {
            let returned = Dice::stream(seed, "door").chance(0.5);
            habits.marks_on_clear = if returned { MarksOnClear::Returned } else { MarksOnClear::Dropped };
        }
        Self { scenario, carrier, holds: Vec::new(), timing: Timing::default(), sabotage: None }
    }

    /// All calls with names: those of public bugs, and the rows of the table of faults.
    pub fn all_named() -> impl Iterator<Item = Self> {
        all().into_iter().chain(fault_rows::all()).map(Self::of_bug)
    }

    /// The call of this name: a public bug's, or a row's.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn named(name: &str) -> Result<Self, UnknownName> {
        Self::all_named().find(|case| case.scenario.name == name).ok_or_else(|| UnknownName(name.to_owned()))
    }

    /// The call that shows a public bug.
    pub fn of_bug(bug: PublicBug) -> Self {
        let carrier = bug.call.far_end();
        Self { scenario: bug.call, carrier, holds: bug.holds, timing: Timing::default(), sabotage: None }
    }

    /// The same call with one mechanism switched off.
    #[must_use]
    pub fn sabotaged(mut self, sabotage: Option<Sabotage>) -> Self {
        self.sabotage = sabotage;
        if let Some(sabotage) = sabotage {
            sabotage.bend(&mut self);
        }
        self
    }

    /// The carrier's name.
    pub fn door(&self) -> &'static str {
        match self.carrier {
            Carrier::Twilio(_) => "twilio",
            Carrier::Exotel(..) => "exotel",
            Carrier::Browser(_) => "browser",
        }
    }

    /// Another reading of what the voice's vendor will do to each request.
    pub(crate) fn voice_faults(&self) -> FaultPlan {
        let tts = &self.scenario.vendors.tts;
        if tts.made_at_hz.is_some() || tts.flood_bytes.is_some() {
            return FaultPlan::always(Fault::Garbage); // nobody can tell what is heard of it
        }
        FaultPlan::spells(tts.faults.iter().copied())
    }

    /// Whether the record of what was heard can be exact to the word: the voice tells its words' times, as this one always does, and the
    /// carrier returns marks, all of them and in time.
    pub fn tells_exactly(&self) -> bool {
        let trouble = self.scenario.line.up.marks;
        match self.carrier {
            Carrier::Twilio(_) | Carrier::Exotel(..) => trouble.lost + trouble.late + trouble.unknown == 0.0,
            Carrier::Browser(_) => false,
        }
    }

    /// What the carrier takes at once.
    pub fn chunk(&self) -> Duration {
        match self.carrier {
            Carrier::Twilio(_) | Carrier::Browser(_) => Duration::from_millis(20),
            Carrier::Exotel(..) => Duration::from_millis(200),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_door_is_used() {
        let mut doors = BTreeMap::new();
        for seed in 0..200 {
            *doors.entry(Case::of_seed(seed).door()).or_insert(0) += 1;
        }
        assert!(doors.len() == 3 && doors.values().all(|&calls| calls >= 20), "{doors:?}");
    }

    #[test]
    fn a_public_bug_is_found_by_its_name_alone() {
        assert_eq!(Case::named("pipecat_366_clear_on_bargein").map(|case| case.holds.len()), Ok(2));
        assert_eq!(Case::named("seed 1").err(), Some(UnknownName("seed 1".into())));
    }
}
