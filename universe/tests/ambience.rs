//! Calls whose agent sounds like a place: through the whole switch, the sound is there from beginning to end, and the call is as good as without.

#![allow(missing_docs, clippy::unwrap_used)]

use tandem_codecs::Level;
use tandem_codecs::ambience::Scene;
use tandem_domain::agent::{Ambience, AmbienceKind};
use tandem_peers::carrier::{Carrier, FRAME_SAMPLES};
use tandem_peers::universe::cast::Cast;
use tandem_universe::check::Invariant;
use tandem_universe::{Case, Run, check, run};

/// Calls on a telephone line of each place; on others the seeds go to a page.
const CALLS: usize = 4;

fn calls(kind: AmbienceKind) -> impl Iterator<Item = Run> {
    let telephone = |case: &Case| !matches!(case.carrier, Carrier::Browser(_));
    let cases = (1..).map(Case::of_seed).filter(telephone).take(CALLS);
    cases.map(move |case| run(&Case { ambience: Ambience { kind, volume: 1.0 }, ..case }, &Cast::in_cache()).unwrap())
}

/// What needs a silence to be measured against, or every bit of a word's mark, cannot be asked of an ear that hears more than the voice.
const BY_SILENCE: [Invariant; 4] = [Invariant::OneVoice, Invariant::DeadAir, Invariant::BargeIn, Invariant::Ear];

/// Frames in which something of the agent is heard, of so many.
fn heard(run: &Run) -> (usize, usize) {
    let frames = &run.tape.agent_samples;
    (frames.iter().filter(|samples| usize::from(**samples) == FRAME_SAMPLES).count(), frames.len())
}

#[test]
fn each_place_is_heard_from_beginning_to_end() {
    for (kind, scene) in [
        (AmbienceKind::Office, Scene::Office),
        (AmbienceKind::CallCenter, Scene::CallCenter),
        (AmbienceKind::Restaurant, Scene::Restaurant),
        (AmbienceKind::Salsa, Scene::Salsa),
        (AmbienceKind::Concert, Scene::Concert),
    ] {
        scene.round(); // made before the clock stands still
        for run in calls(kind) {
            let (seed, (heard, frames)) = (run.case.scenario.seed, heard(&run));
            let breaches: Vec<_> =
                check::all(&run).into_iter().filter(|breach| !BY_SILENCE.contains(&breach.invariant)).collect();
            assert_eq!(breaches, [], "{kind:?}, seed {seed}");
            // What is missing is the line's: its beginning and end, and where it stood still.
            assert!(heard * 100 >= frames * 80, "{kind:?}, seed {seed}: {heard} of {frames} frames");
            assert!(Level::of(&run.tape.ear).rms_dbfs > -40.0, "{kind:?}, seed {seed}");
        }
    }
}

#[test]
fn no_place_is_silence_between_the_words() {
    for run in calls(AmbienceKind::None) {
        let (seed, (heard, frames)) = (run.case.scenario.seed, heard(&run));
        assert_eq!(check::all(&run), [], "seed {seed}");
        assert!(heard * 100 < frames * 80, "seed {seed}: {heard} of {frames} frames");
    }
}
