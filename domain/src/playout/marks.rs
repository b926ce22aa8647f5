//! The names of marks: `<epoch>-<utterance>-<position>`, unique in a call, and all that is needed to read one back.

use crate::ids::UtteranceId;

pub(super) fn name(epoch: u32, utterance: UtteranceId, position: u64) -> String {
    format!("{epoch}-{}-{position}", utterance.0)
}

/// What a name says; `None` if it is none of ours.
pub(super) fn parse(name: &str) -> Option<(u32, UtteranceId, u64)> {
    let mut parts = name.splitn(3, '-');
    let epoch = parts.next()?.parse().ok()?;
    let utterance = UtteranceId(parts.next()?.parse().ok()?);
    Some((epoch, utterance, parts.next()?.parse().ok()?))
}
