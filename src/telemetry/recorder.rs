//! Metrics of this process, rendered for Prometheus. Names and labels: the crates that count; buckets: here, for all of them.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Reads the metrics of this process.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// The text form, version 0.0.4.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Folds what histograms have gathered into their buckets. To be called every few seconds: without it memory grows between scrapes.
    pub fn fold(&self) {
        self.0.run_upkeep();
    }
}

/// Edges at 0.5, 0.8 and 1.2 s: what callers notice, call robotic, and give up at.
const TURN: &[f64] = &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0];
const STAGE: &[f64] = &[0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0];
const SETUP: &[f64] = &[0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 11.0, 15.0, 20.0, 30.0];
const TALK: &[f64] = &[1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0];
/// Jitter, lag and lateness on the media path.
const JITTER: &[f64] = &[0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1];
/// Requests and queries, from a millisecond.
const SERVICE: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Buckets by metric, in seconds.
const BUCKETS: &[(&str, &[f64])] = &[
    ("tandem_turn_latency_seconds", TURN),
    ("tandem_stage_latency_seconds", STAGE),
    ("tandem_barge_in_stop_seconds", STAGE),
    ("tandem_call_setup_seconds", SETUP),
    ("tandem_call_answer_seconds", SETUP),
    ("tandem_call_duration_seconds", TALK),
    ("tandem_rtp_jitter_seconds", JITTER),
    ("tandem_playout_lag_seconds", JITTER),
    ("tandem_timer_lag_seconds", JITTER),
    ("tandem_actor_handle_seconds", JITTER),
];

/// The metrics of this process; the first call installs the recorder that everything counts on.
pub fn metrics() -> Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS
        .get_or_init(|| {
            let recorder = builder().build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                // Only a host program that counts by other means can have been first; then we show what we have: nothing.
                tracing::warn!("metrics are recorded elsewhere");
            }
            describe();
            Metrics(handle)
        })
        .clone()
}

fn builder() -> PrometheusBuilder {
    // Without buckets a histogram would be rendered as a summary, which cannot be added up over servers.
    let builder = PrometheusBuilder::new().set_buckets(SERVICE).expect("the list is not empty");
    BUCKETS.iter().fold(builder, |builder, (name, buckets)| {
        builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), buckets).expect("no list is empty")
    })
}

fn describe() {
    tandem_actors::metrics::describe();
    metrics::describe_gauge!("tandem_build_info", "always 1; the labels tell which build runs");
    metrics::describe_histogram!(
        "http_request_duration_seconds",
        metrics::Unit::Seconds,
        "time to answer an HTTP request"
    );
    metrics::describe_counter!(
        "tandem_provider_fallbacks_total",
        metrics::Unit::Count,
        "vendors that another one stood in for"
    );
    metrics::describe_gauge!(
        "tandem_inference_queue_depth",
        metrics::Unit::Count,
        "pieces of work that wait for a recogniser's process"
    );
    metrics::describe_histogram!("tandem_inference_seconds", metrics::Unit::Seconds, "time of one local recognition");
    metrics::describe_counter!(
        "tandem_inference_restarts_total",
        metrics::Unit::Count,
        "recogniser's processes that were replaced"
    );
    metrics::describe_counter!(
        "tandem_log_ins_total",
        metrics::Unit::Count,
        "passwords that were tried, by outcome: ok, wrong, or waits for those that were not looked at"
    );
    let commit = option_env!("BUILD_COMMIT").unwrap_or("unknown");
    metrics::gauge!("tandem_build_info", "version" => env!("CARGO_PKG_VERSION"), "commit" => commit).set(1.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_grow() {
        for (name, buckets) in BUCKETS {
            assert!(buckets.windows(2).all(|pair| pair[0] < pair[1]), "{name}");
        }
    }

    #[test]
    fn build_and_histograms_are_rendered() {
        let metrics = metrics();
        metrics::histogram!("tandem_turn_latency_seconds", "agent" => "test").record(0.75);
        let text = metrics.render();
        assert!(text.contains("tandem_build_info{version="), "{text}");
        assert!(text.contains("tandem_turn_latency_seconds_bucket{agent=\"test\",le=\"0.8\"} 1"), "{text}");
    }
}
