//! Who speaks over the agent silences it, within a budget.
//!
//! Counted from the first sound out of the caller's mouth to the last sample of the agent's in the caller's ear:
//!
//! ```text
//!  mouth        @@@@@@@@@@@@@@@@@@@@@@@@
//!               |- way up -|-- 200 ms of speech, and the detector's lag --|- way down -|
//!  ear   ##############################################################################
//!               |<----------------------------- budget ------------------------------>|
//! ```

use std::time::Duration;

use tandem_peers::carrier::Carrier;

use super::{Breach, Invariant};
use crate::Run;
use crate::run::Go;

/// Of carriers that send 20 ms (design.md section 10): 200 ms of speech, and what it takes to act on them.
const SWITCH: Duration = Duration::from_millis(205);
/// Of Exotel, which sends 100 ms and takes 200 ms (design.md section 12 item 3).
const SWITCH_EXOTEL: Duration = Duration::from_millis(405);
/// Speech that interrupts.
const REQUIRED: Duration = Duration::from_millis(200);
/// The mouth's first sound is up to one frame old when the telephone sends it, and the frame that the ear has begun is played to its end.
const FRAMES: Duration = Duration::from_millis(40);
/// The neural detector may take its first frames for something else (`tandem_codecs::vad`: told 80 ms after the first voiced frame, in which
/// the gate counts 60 ms of speech), more so when the mouth opens with a consonant, or in noise.
const DETECTOR: Duration = Duration::from_millis(150);

/// What an interruption may take on the line of this run.
pub fn budget(run: &Run) -> Duration {
    let switch = match run.case.carrier {
        Carrier::Twilio(_) | Carrier::Browser(_) => SWITCH,
        Carrier::Exotel(..) => SWITCH_EXOTEL,
    };
    let (up, down) = run.ways;
    switch + FRAMES + DETECTOR + up + down
}

/// How long the agent went on under this go of the caller; `None` if the go says nothing about it: it was not over the agent, it was
/// shorter than an interruption must be, the detector cannot tell it from the room, or the agent was saying goodbye, which is not interrupted.
pub fn took(run: &Run, go: &Go) -> Option<Duration> {
    if !go.over_agent || !go.spoken || go.ended - go.began < budget(run) || is_goodbye(run, go) || !is_told(run, go) {
        return None;
    }
    let silent = run.tape.agent_silent_from(go.began);
    Some(silent.saturating_sub(go.began))
}

/// Whether the switch's detector can tell the caller's beginning from the room: in loud babble it is deaf, or hears somebody all the time.
pub(crate) fn is_told(run: &Run, go: &Go) -> bool {
    let about = go.began.saturating_sub(DETECTOR)..go.began + DETECTOR;
    run.floor.iter().any(|(from, to)| about.contains(from) && *to - *from >= REQUIRED)
}

/// Whether the agent had begun its last words: those that a decision to end the call goes with.
fn is_goodbye(run: &Run, go: &Go) -> bool {
    run.goodbye_from().is_some_and(|goodbye| go.ended > goodbye)
}

/// Interruptions that came too late.
pub fn check(run: &Run) -> Vec<Breach> {
    let budget = budget(run);
    run.goes
        .iter()
        .filter_map(|go| Some((go, took(run, go)?)))
        .filter(|(_, took)| *took > budget)
        .map(|(go, took)| Breach {
            invariant: Invariant::BargeIn,
            at: go.began,
            what: format!(
                "{:?} was said over the agent, which went on for {} ms; at most {} are allowed on this line",
                go.said,
                took.as_millis(),
                budget.as_millis()
            ),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::made_up::made_up;
    use super::*;

    #[test]
    fn an_agent_that_stops_in_time_is_fine_and_one_that_goes_on_is_not() {
        let within = made_up().says_but("one two three", "one").interrupted_after(Duration::from_millis(300)).run();
        assert_eq!(check(&within), []);
        assert_eq!(took(&within, &within.goes[0]).map(|took| took.as_millis()), Some(300));
        let beyond = made_up().says_but("one two three", "one").interrupted_after(Duration::from_millis(600)).run();
        assert_eq!(check(&beyond).len(), 1);
    }

    #[test]
    fn a_word_that_is_shorter_than_the_budget_says_nothing() {
        let mut run = made_up().says_but("one two three", "one").interrupted_after(Duration::from_millis(600)).run();
        run.goes[0].ended = run.goes[0].began + Duration::from_millis(200);
        assert_eq!(check(&run), []);
    }
}
