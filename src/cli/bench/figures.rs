//! The figures of a window, and their table.

use serde::Serialize;

use super::ENDPOINT;
use super::floor::Floor;
use super::load::{Tally, percentile_ms};
use super::percentile;
use super::slo::{self, Breach, Service};
use super::stages::{self, Stage};
use super::window::Measured;

/// The figures of so many calls at once. Latencies are without the silence that ends a turn, and without what the vendors were told to take.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Figures {
    pub(super) calls: u32,
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) call_seconds: f64,
    pub(super) cpu_ms_per_call_second: f64,
    vendor_cpu_ms_per_call_second: f64,
    pub(super) memory_kb_per_call: f64,
    /// By the switch's clock: from the end of speech to our first frame.
    added_latency_p50_ms: Option<f64>,
    added_latency_p95_ms: Option<f64>,
    added_latency_p99_ms: Option<f64>,
    /// By the caller's clock: the same in the ear.
    pub(super) heard_latency_p50_ms: Option<f64>,
    pub(super) heard_latency_p95_ms: Option<f64>,
    pub(super) heard_latency_p99_ms: Option<f64>,
    /// Where the switch's time went, by the names of its records.
    stages: Vec<Stage>,
    /// By how much the stages of the worst turn miss its latency.
    stages_miss_ms: Option<f64>,
    /// What the vendors were told to take for a turn.
    vendor_wait_ms: f64,
    /// From the stream's beginning to the agent's first sound, by the caller's clock.
    greeting_p50_ms: Option<f64>,
    greeting_p95_ms: Option<f64>,
    /// From the first voiced frame sent to `clear` received, by the caller's clock.
    barge_ins: u64,
    barge_in_p50_ms: Option<f64>,
    pub(super) barge_in_p95_ms: Option<f64>,
    /// Interruptions that no `clear` answered: the agent had just finished.
    barge_ins_without_clear: u64,
    pacing_jitter_p50_ms: Option<f64>,
    pub(super) pacing_jitter_p99_ms: Option<f64>,
    /// How far the switch moved its lead within a run of speech.
    lead_moved_p99_ms: Option<f64>,
    lead_moved_max_ms: Option<f64>,
    pub(super) underruns: u64,
    /// Frames that were missing inside the agent's speech, of all frames of it.
    pub(super) underrun_share: f64,
    /// Gaps right behind a mark, which may be the switch's own pauses.
    marked_gaps: u64,
    turns: u64,
    pub(super) lost_turns: u64,
    pub(super) lost_turn_share: f64,
    /// By the switch's own clock; absent if it does not tell.
    timer_lag_p99_ms: Option<f64>,
    playout_lag_p99_ms: Option<f64>,
    pub(super) load: Load,
    failures: Vec<String>,
}

/// How the callers' side fared.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Load {
    threads: usize,
    pub(super) tick_lateness_p50_ms: f64,
    pub(super) tick_lateness_p99_ms: f64,
    pub(super) tick_lateness_max_ms: f64,
    cpu_ms_per_call_second: f64,
    /// How many calls one core could drive at that cost.
    calls_per_core: f64,
}

/// The underruns' and lost turns' share of their whole.
pub(super) fn service(tally: &Tally) -> Service {
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    Service {
        added_p95_ms: above_endpoint(percentile_ms(&tally.answers, 95.0)),
        underrun_share: share(tally.missing, tally.spoken + tally.missing),
        lost_turn_share: share(tally.lost_turns, tally.turns()),
    }
}

/// A latency without the silence that ends a turn.
pub(super) fn above_endpoint(latency_ms: Option<f64>) -> Option<f64> {
    latency_ms.map(|ms| ms - ENDPOINT.as_secs_f64() * 1_000.0)
}

impl Figures {
    /// Of a window with `calls` calls; `idle_bytes`: the switch without any.
    pub(super) fn of(calls: u32, measured: &Measured, idle_bytes: u64, threads: usize) -> Self {
        let tally = &measured.tally;
        let (service, call_seconds) = (service(tally), tally.call_seconds());
        let per_call_second = |seconds: f64| if call_seconds > 0.0 { seconds * 1_000.0 / call_seconds } else { 0.0 };
        let heard = |percent| {
            above_endpoint(percentile_ms(&tally.answers, percent).map(|heard| heard - measured.vendor_wait_ms))
        };
        let added = |percent| {
            let latencies: Vec<f64> = measured.answers.iter().map(|answer| answer.latency_ms).collect();
            above_endpoint(
                (!latencies.is_empty()).then(|| percentile::of(latencies, percent) - measured.vendor_wait_ms),
            )
        };
        let (stages, stages_miss_ms) = stages::of(&measured.answers);
        let load_cost = per_call_second(measured.load_seconds);
        let lateness = |percent| percentile_ms(&tally.tick_lateness, percent).unwrap_or_default();
        Self {
            calls,
            completed: tally.completed,
            failed: tally.failed,
            call_seconds,
            cpu_ms_per_call_second: per_call_second(measured.switch_seconds),
            vendor_cpu_ms_per_call_second: per_call_second(measured.vendor_seconds),
            memory_kb_per_call: measured.peak_bytes.saturating_sub(idle_bytes) as f64
                / 1_024.0
                / f64::from(calls.max(1)),
            added_latency_p50_ms: added(50.0),
            added_latency_p95_ms: added(95.0),
            added_latency_p99_ms: added(99.0),
            heard_latency_p50_ms: heard(50.0),
            heard_latency_p95_ms: heard(95.0),
            heard_latency_p99_ms: heard(99.0),
            stages,
            stages_miss_ms,
            vendor_wait_ms: measured.vendor_wait_ms,
            greeting_p50_ms: percentile_ms(&tally.greetings, 50.0),
            greeting_p95_ms: percentile_ms(&tally.greetings, 95.0),
            barge_ins: tally.barge_ins.len(),
            barge_in_p50_ms: percentile_ms(&tally.barge_ins, 50.0),
            barge_in_p95_ms: percentile_ms(&tally.barge_ins, 95.0),
            barge_ins_without_clear: tally.unheard_barge_ins,
            pacing_jitter_p50_ms: percentile_ms(&tally.pacing, 50.0),
            pacing_jitter_p99_ms: percentile_ms(&tally.pacing, 99.0),
            lead_moved_p99_ms: percentile_ms(&tally.lead_moves, 99.0),
            lead_moved_max_ms: percentile_ms(&tally.lead_moves, 100.0),
            underruns: tally.underruns,
            underrun_share: service.underrun_share,
            marked_gaps: tally.marked_gaps,
            turns: tally.turns(),
            lost_turns: tally.lost_turns,
            lost_turn_share: service.lost_turn_share,
            timer_lag_p99_ms: measured.timer_lag_p99_ms,
            playout_lag_p99_ms: measured.playout_lag_p99_ms,
            load: Load {
                threads,
                tick_lateness_p50_ms: lateness(50.0),
                tick_lateness_p99_ms: lateness(99.0),
                tick_lateness_max_ms: lateness(100.0),
                cpu_ms_per_call_second: load_cost,
                calls_per_core: if load_cost > 0.0 { 1_000.0 / load_cost } else { 0.0 },
            },
            failures: tally.failures.clone(),
        }
    }

    /// The clauses of the service level that do not hold.
    pub(super) fn breaches(&self) -> Vec<Breach> {
        slo::judge(&Service {
            added_p95_ms: self.heard_latency_p95_ms,
            underrun_share: self.underrun_share,
            lost_turn_share: self.lost_turn_share,
        })
    }

    pub(super) fn table(&self, floor: Option<&Floor>) -> String {
        let rows = [
            ("calls", format!("{} at once, {} completed, {} failed", self.calls, self.completed, self.failed)),
            ("call-seconds", format!("{:.0}", self.call_seconds)),
            ("CPU per call-second, switch", format!("{:.2} ms (budget 3.0)", self.cpu_ms_per_call_second)),
            (
                "its ratio to the bare echo",
                floor.map_or_else(|| "measure it with --floor".to_owned(), |floor| floor.words()),
            ),
            (
                "CPU per call-second, fake vendors",
                format!("{:.2} ms, not counted above", self.vendor_cpu_ms_per_call_second),
            ),
            ("memory per call", format!("{:.0} KB (budget 512)", self.memory_kb_per_call)),
            (
                match self.vendor_wait_ms {
                    0.0 => "latency added to 500 ms of silence",
                    _ => "latency added to silence and vendors",
                },
                format!(
                    "{} (budget p95 15)",
                    three(self.added_latency_p50_ms, self.added_latency_p95_ms, self.added_latency_p99_ms)
                ),
            ),
            (
                "the same in the caller's ear",
                format!(
                    "{} (service level p95 250)",
                    three(self.heard_latency_p50_ms, self.heard_latency_p95_ms, self.heard_latency_p99_ms)
                ),
            ),
            (
                "answer to the greeting's first sound",
                format!("p50 {}, p95 {} (budget 40)", ms(self.greeting_p50_ms, 0), ms(self.greeting_p95_ms, 0)),
            ),
            (
                "speech over the agent to clear",
                format!(
                    "p50 {}, p95 {} (budget p95 205), {} times, {} without",
                    ms(self.barge_in_p50_ms, 0),
                    ms(self.barge_in_p95_ms, 0),
                    self.barge_ins,
                    self.barge_ins_without_clear
                ),
            ),
            (
                "pacing jitter at the carrier",
                format!(
                    "p50 {}, p99 {} (budget p99 5)",
                    ms(self.pacing_jitter_p50_ms, 1),
                    ms(self.pacing_jitter_p99_ms, 1)
                ),
            ),
            (
                "the lead moved within a run, by",
                format!("p99 {}, most {}", ms(self.lead_moved_p99_ms, 1), ms(self.lead_moved_max_ms, 1)),
            ),
            (
                "underruns",
                format!(
                    "{}, {:.2} % of speech; {} gaps behind a mark",
                    self.underruns,
                    self.underrun_share * 100.0,
                    self.marked_gaps
                ),
            ),
            ("lost turns", format!("{} of {}", self.lost_turns, self.turns)),
            (
                "lag of the switch's own ticks, p99",
                format!("timers {}, playout {}", ms(self.timer_lag_p99_ms, 1), ms(self.playout_lag_p99_ms, 1)),
            ),
            (
                "lag of the callers' own ticks",
                format!(
                    "p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms",
                    self.load.tick_lateness_p50_ms, self.load.tick_lateness_p99_ms, self.load.tick_lateness_max_ms
                ),
            ),
            (
                "the callers' own cost",
                format!(
                    "{:.2} ms per call-second in {} thread(s): {:.0} calls a core",
                    self.load.cpu_ms_per_call_second, self.load.threads, self.load.calls_per_core
                ),
            ),
        ];
        let mut table: String = rows.iter().map(|(name, value)| format!("{name:<38}{value}\n")).collect();
        for Stage { stage, p50_ms, p95_ms } in &self.stages {
            table.push_str(&format!("{:<38}p50 {p50_ms:.0} ms, p95 {p95_ms:.0} ms\n", format!("  stage {stage}")));
        }
        if let Some(miss) = self.stages_miss_ms {
            table.push_str(&format!(
                "{:<38}{miss:.0} ms at worst (budget 5)\n",
                "  stages add up to the latency within"
            ));
        }
        for failure in &self.failures {
            table.push_str(&format!("failed: {failure}\n"));
        }
        table
    }
}

/// A figure in ms, or a dash where there is none.
pub(super) fn ms(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(|| "–".to_owned(), |figure| format!("{figure:.digits$} ms"))
}

fn three(p50: Option<f64>, p95: Option<f64>, p99: Option<f64>) -> String {
    format!("p50 {}, p95 {}, p99 {}", ms(p50, 0), ms(p95, 0), ms(p99, 0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::super::stages::Answered;
    use super::*;

    fn measured(tally: Tally) -> Measured {
        Measured {
            tally,
            switch_seconds: 0.2,
            vendor_seconds: 0.1,
            load_seconds: 0.05,
            peak_bytes: 30 << 20,
            answers: (1..=100).map(answered).collect(),
            vendor_wait_ms: 0.0,
            timer_lag_p99_ms: None,
            playout_lag_p99_ms: Some(1.5),
        }
    }

    fn answered(ms: u32) -> Answered {
        let stages_ms = [("endpointing".to_owned(), 500.0), ("llm_first_token".to_owned(), f64::from(ms))].into();
        Answered { latency_ms: f64::from(500 + ms), stages_ms }
    }

    #[test]
    fn what_vendors_were_told_to_take_is_not_ours() {
        let slow = Measured { vendor_wait_ms: 45.0, ..measured(tally()) };
        let figures = Figures::of(10, &slow, 20 << 20, 1);
        assert_eq!(figures.added_latency_p50_ms, Some(5.0));
        let table = figures.table(None);
        assert!(table.contains("stage llm_first_token") && table.contains("0 ms at worst (budget 5)"), "{table}");
    }

    /// 100 call-seconds, 99 turns answered after 600 ms and one lost, a frame in 200 missing.
    fn tally() -> Tally {
        let mut tally = Tally { frames: 5_000, spoken: 1_990, missing: 10, lost_turns: 1, ..Tally::default() };
        tally.answers.record_n(600_000, 99).unwrap();
        tally
    }

    #[test]
    fn figures_are_per_call_and_second_and_without_the_endpoint() {
        let figures = Figures::of(10, &measured(tally()), 20 << 20, 1);
        assert!((figures.cpu_ms_per_call_second - 2.0).abs() < 1e-9);
        assert!((figures.memory_kb_per_call - 1_024.0).abs() < 1e-9);
        assert_eq!((figures.added_latency_p50_ms, figures.added_latency_p99_ms), (Some(50.0), Some(99.0)));
        assert!((figures.heard_latency_p95_ms.unwrap() - 100.0).abs() < 1.0);
        assert!((figures.underrun_share - 0.005).abs() < 1e-9 && (figures.lost_turn_share - 0.01).abs() < 1e-9);
        assert!((figures.load.calls_per_core - 2_000.0).abs() < 1e-6);
        assert_eq!(figures.breaches(), []);
    }

    #[test]
    fn a_window_without_calls_has_no_figures_and_is_not_held() {
        let figures = Figures::of(0, &Measured { answers: Vec::new(), ..measured(Tally::default()) }, 0, 1);
        assert_eq!((figures.heard_latency_p95_ms, figures.added_latency_p95_ms), (None, None));
        assert_eq!(figures.cpu_ms_per_call_second, 0.0);
        assert_eq!(figures.breaches().len(), 1);
        assert!(figures.table(None).contains("p95 –"));
    }

    #[test]
    fn the_table_has_every_budget_beside_its_figure() {
        let mut tally = tally();
        tally.failed += 1;
        tally.lost_turns += 1;
        tally.failures.push("call 1: refused".to_owned());
        tally.tick_lateness.saturating_record(Duration::from_millis(2).as_micros() as u64);
        let table = Figures::of(10, &measured(tally), 20 << 20, 2).table(None);
        for words in ["2.00 ms (budget 3.0)", "1024 KB", "0.50 % of speech", "2 of 101", "failed: call 1: refused"] {
            assert!(table.contains(words), "{words} in {table}");
        }
    }
}
