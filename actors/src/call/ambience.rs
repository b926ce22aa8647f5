//! The place that an agent sounds like: put under its voice when the call begins.
//!
//! Place:   the `call` actor's hands, once; then the speech lane's own.
//! The sounds are made once a process and shared by its calls (`tandem_codecs::ambience`). The first call that wants one has it a moment later:
//! no thread that carries audio works on it. Not for far ends that show or read: a page makes its own surroundings, and would take a voice that
//! never rests for one that speaks.

use tandem_codecs::ambience::Scene;
use tandem_codecs::mix::Bed;
use tandem_domain::agent::{Ambience, AmbienceKind};
use tandem_domain::ids::CallId;

use super::RATE;
use crate::lane::SpeechLane;

/// Puts `ambience` under what `speech` plays.
pub(super) fn begin(ambience: Ambience, call: CallId, speech: &SpeechLane) {
    let Some(scene) = scene(ambience.kind).filter(|_| ambience.volume > 0.0 && speech.screen().is_none()) else {
        return;
    };
    let speech = speech.clone();
    let seed = call.0.as_u64_pair().1; // each call comes in at another place of the round
    let put = move |round| {
        speech.playout().set_bed(Some(Bed::new(RATE, round, ambience.volume, seed)));
        speech.wake();
    };
    match scene.made() {
        Some(round) => put(round),
        None => drop(tokio::task::spawn_blocking(move || put(scene.round()))),
    }
}

fn scene(kind: AmbienceKind) -> Option<Scene> {
    match kind {
        AmbienceKind::None => None,
        AmbienceKind::Office => Some(Scene::Office),
        AmbienceKind::CallCenter => Some(Scene::CallCenter),
        AmbienceKind::Restaurant => Some(Scene::Restaurant),
        AmbienceKind::Salsa => Some(Scene::Salsa),
        AmbienceKind::Concert => Some(Scene::Concert),
    }
}
