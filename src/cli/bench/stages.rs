//! Where the time of a turn goes: its stages, as the switch wrote them down with each answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::percentile;

/// An answered turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answered {
    /// From the end of the caller's speech to our first frame.
    pub(super) latency_ms: f64,
    /// Its parts.
    pub(super) stages_ms: BTreeMap<String, f64>,
}

/// One stage over all turns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Stage {
    pub(super) stage: String,
    pub(super) p50_ms: f64,
    pub(super) p95_ms: f64,
}

/// All stages, the longest first, and by how much the parts of the worst turn miss its whole; `None` without turns.
pub(super) fn of(turns: &[Answered]) -> (Vec<Stage>, Option<f64>) {
    let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (stage, ms) in turns.iter().flat_map(|turn| &turn.stages_ms) {
        times.entry(stage).or_default().push(*ms);
    }
    let mut stages: Vec<Stage> = times
        .into_iter()
        .map(|(stage, times)| Stage {
            stage: stage.to_owned(),
            p50_ms: percentile::of(times.clone(), 50.0),
            p95_ms: percentile::of(times, 95.0),
        })
        .collect();
    stages.sort_by(|a, b| b.p50_ms.total_cmp(&a.p50_ms));
    let misses = turns.iter().map(|turn| (turn.stages_ms.values().sum::<f64>() - turn.latency_ms).abs());
    (stages, misses.reduce(f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_by_their_length_and_the_worst_sum() {
        let turn = |latency_ms, parts: [(&str, f64); 2]| Answered {
            latency_ms,
            stages_ms: parts.map(|(stage, ms)| (stage.to_owned(), ms)).into(),
        };
        let turns = [
            turn(600.0, [("endpointing", 500.0), ("llm_first_token", 100.0)]),
            turn(707.0, [("endpointing", 500.0), ("llm_first_token", 203.0)]),
        ];
        let (stages, miss) = of(&turns);
        assert_eq!(stages[0], Stage { stage: "endpointing".to_owned(), p50_ms: 500.0, p95_ms: 500.0 });
        assert_eq!((stages[1].p50_ms, stages[1].p95_ms), (100.0, 203.0));
        assert_eq!(miss, Some(4.0));
        assert_eq!(of(&[]), (Vec::new(), None));
    }
}
