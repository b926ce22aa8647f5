//! What is printed: a result, how it was measured, and whether it counts.

use serde::Serialize;

use super::figures::Figures;
use super::floor::Floor;
use super::ramp::climb;
use super::vendors::Choice;
use super::{churn, soak};

/// A measurement, with what it was measured by.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether the callers kept their own time; figures of others are those of the load.
    pub(super) valid: bool,
    vendors: &'static str,
    /// The switch's own core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_to_core: Option<usize>,
    cores: usize,
    pub(super) floor: Option<Floor>,
    #[serde(flatten)]
    pub(super) result: Result,
}

/// The result of a mode.
#[derive(Debug, Serialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub(super) enum Result {
    Calls(Box<Figures>),
    Ramp(climb::Report),
    Soak(Box<soak::Report>),
    Churn(Box<churn::Report>),
}

impl Result {
    /// The figures that a cost is quoted from.
    pub(super) fn figures(&self) -> Option<&Figures> {
        match self {
            Self::Calls(figures) => Some(figures),
            Self::Ramp(ramp) => ramp.best(),
            Self::Soak(soak) => Some(&soak.figures),
            Self::Churn(churn) => Some(&churn.together),
        }
    }

    /// How late the callers' own ticks were in what counts, p99; ms. A ramp leaves out its late steps itself, and ends at one that stays late.
    pub(super) fn lateness_ms(&self) -> f64 {
        let late = |figures: &Figures| figures.load.tick_lateness_p99_ms;
        match self {
            Self::Calls(figures) => late(figures),
            Self::Soak(soak) => late(&soak.figures),
            Self::Churn(churn) => late(&churn.alone).max(late(&churn.together)),
            Self::Ramp(ramp) => match ramp.ended {
                super::ramp::End::Callers { .. } => ramp.steps.last().map_or(0.0, |step| late(&step.figures)),
                super::ramp::End::ServiceLevel { .. } | super::ramp::End::Top => 0.0,
            },
        }
    }

    /// Calls that failed where each had to complete.
    pub(super) fn incomplete(&self) -> u64 {
        match self {
            Self::Calls(figures) => u64::from(figures.calls).saturating_sub(figures.completed),
            Self::Ramp(_) | Self::Soak(_) | Self::Churn(_) => 0,
        }
    }
}

impl Report {
    pub(super) fn of(result: Result, valid: bool, floor: Option<Floor>, vendors: Choice, core: Option<usize>) -> Self {
        let vendors = match vendors {
            Choice::Fake => "fake",
            Choice::Mock => "mock",
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from) + usize::from(core.is_some());
        Self { valid, vendors, pinned_to_core: core, cores, floor, result }
    }

    pub(super) fn table(&self) -> String {
        let floor = self.floor.as_ref();
        let table = match &self.result {
            Result::Calls(figures) => figures.table(floor),
            Result::Ramp(ramp) => ramp.table(floor),
            Result::Soak(soak) => soak.table(floor),
            Result::Churn(churn) => churn.table(floor),
        };
        match self.valid {
            true => table,
            false => format!("INVALID: the callers' own ticks were late, so these are figures of the load\n\n{table}"),
        }
    }
}
