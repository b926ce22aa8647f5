//! The same call many times over on one switch: what a single call does not leave behind, or get wrong, and many do.
//!
//! ```text
//! wave 1  ├── call ──┤
//!         ├── call ──┤              at once: half of the calls, 50 at most
//! wave 2              ├── call ──┤
//!                     ├── call ──┤  in a row
//!                                 ├ 2 s ┤ what is alive?
//! ```
//!
//! Place: behind [`crate::run()`], for calls that promise something of many: [`Holds::NothingOutlives`], [`Holds::EachIsRecorded`]. Callers and
//! lines are those of the one call, seed and all; the vendors are the switch's, so what is to go wrong once in a call goes wrong as often as there
//! are calls in the first wave. Not looked at: memory, and what is said.

use futures_util::future::join_all;
use tandem_actors::clock;
use tandem_domain::record::Record;
use tandem_peers::caller::{Rendered, Step};
use tandem_peers::universe::public_bugs::Holds;
use tandem_peers::universe::surroundings::Room;
use tandem_peers::vendor::Spell;
use tokio::time::sleep;

use crate::Case;
use crate::line::{Line, Over};
use crate::recorder::Recording;
use crate::run::{Alive, GRACE, RunError, limit};
use crate::stage::Stage;

/// Calls that run at once, at most: one runtime has them all.
const AT_ONCE: usize = 50;

/// What became of many calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Many {
    /// How many there were.
    pub calls: usize,
    /// Before the first.
    pub before: Alive,
    /// Two seconds after the last.
    pub after: Alive,
    /// Calls that were not answered, that the carrier broke off, or that nobody ended.
    pub astray: usize,
    /// What was recorded, of calls that are about recordings.
    pub recordings: Vec<Recording>,
}

/// How often the case wants its call to be run besides; zero for most.
pub(crate) fn calls(case: &Case) -> usize {
    let calls = case.holds.iter().map(|holds| match holds {
        Holds::NothingOutlives { calls } | Holds::EachIsRecorded { calls } => *calls as usize,
        _ => 1,
    });
    calls.max().filter(|calls| *calls > 1).unwrap_or(0)
}

/// One call for each room, in waves.
pub(crate) async fn played(mut case: Case, script: &[Step<Rendered>], rooms: Vec<Room>) -> Result<Many, RunError> {
    let calls = rooms.len();
    let wave = calls.div_ceil(2).clamp(1, AT_ONCE);
    let vendors = &mut case.scenario.vendors;
    for faults in [&mut vendors.stt.faults, &mut vendors.brain.faults, &mut vendors.tts.faults] {
        faults.iter_mut().for_each(|spell| *spell = for_each_of(*spell, wave));
    }
    let stage = Stage::set(&case, wave).await?;
    let before = stage.alive().await;
    let (mut rooms, mut astray, mut recordings) = (rooms.into_iter(), 0, Vec::new());
    loop {
        let now = clock::now();
        let at_once = rooms.by_ref().take(wave);
        let mut lines: Vec<Line> = at_once.map(|room| stage.call(&case, script.to_vec(), room, now)).collect();
        if lines.is_empty() {
            break;
        }
        let overs = join_all(lines.iter_mut().map(|line| line.run(limit(&case)))).await;
        astray += overs.iter().filter(|over| matches!(over, Over::Violation(_) | Over::Endless)).count();
        recordings.extend(stage.recordings());
    }
    sleep(GRACE).await;
    let after = stage.alive().await;
    stage.switch.stop().await;
    let answered = stage.log.records().iter().filter(|record| matches!(record, Record::Started(_))).count();
    astray += calls.saturating_sub(answered);
    Ok(Many { calls, before, after, astray, recordings })
}

/// The spell of a vendor that so many calls share.
fn for_each_of(spell: Spell, calls: usize) -> Spell {
    let calls = u32::try_from(calls).unwrap_or(u32::MAX);
    Spell { after: spell.after.saturating_mul(calls), times: spell.times.saturating_mul(calls), ..spell }
}
