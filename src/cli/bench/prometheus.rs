//! Percentiles of the switch's own histograms, from its Prometheus text.
//!
//! A histogram that the switch does not have is no error: an older one counts less.

/// Cumulative counts of a histogram by upper edge, over all its labels.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Buckets(Vec<(f64, f64)>);

/// The histogram `name` in `text`; empty if it is not there.
pub(super) fn read(text: &str, name: &str) -> Buckets {
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for (edge, count) in text.lines().filter_map(|line| bucket(line, name)) {
        match buckets.iter_mut().find(|(known, _)| *known == edge) {
            Some((_, sum)) => *sum += count,
            None => buckets.push((edge, count)),
        }
    }
    buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
    Buckets(buckets)
}

/// Edge and count of a line like `name_bucket{label="x",le="0.5"} 7`.
fn bucket(line: &str, name: &str) -> Option<(f64, f64)> {
    let (labels, count) = line.strip_prefix(name)?.strip_prefix("_bucket{")?.rsplit_once("} ")?;
    let edge = labels.split_once("le=\"")?.1.split('"').next()?;
    Some((edge.parse().ok()?, count.trim().parse().ok()?)) // "+Inf" is a number to Rust too
}

impl Buckets {
    /// What was counted since `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let before = |edge: f64| earlier.0.iter().find(|(known, _)| *known == edge).map_or(0.0, |(_, count)| *count);
        Self(self.0.iter().map(|(edge, count)| (*edge, count - before(*edge))).collect())
    }

    /// A percentile in the histogram's unit, straight between the edges of its bucket; the last finite edge for what lies above it.
    pub(super) fn percentile(&self, percent: f64) -> Option<f64> {
        let (_, all) = *self.0.last()?;
        if all <= 0.0 {
            return None;
        }
        let rank = percent / 100.0 * all;
        let (mut lower, mut below) = (0.0, 0.0);
        for (edge, count) in &self.0 {
            if *count >= rank {
                let share = if *count > below { (rank - below) / (count - below) } else { 1.0 };
                return Some(if edge.is_finite() { lower + (edge - lower) * share } else { lower });
            }
            (lower, below) = (*edge, *count);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TEXT: &str = "\
# TYPE lag_seconds histogram
lag_seconds_bucket{kind=\"a\",le=\"0.001\"} 50
lag_seconds_bucket{kind=\"a\",le=\"0.005\"} 90
lag_seconds_bucket{kind=\"a\",le=\"+Inf\"} 90
lag_seconds_sum{kind=\"a\"} 0.2
lag_seconds_bucket{kind=\"b\",le=\"0.001\"} 0
lag_seconds_bucket{kind=\"b\",le=\"0.005\"} 5
lag_seconds_bucket{kind=\"b\",le=\"+Inf\"} 10
lag_seconds_long_bucket{le=\"+Inf\"} 999
";

    #[test]
    fn labels_are_added_up_and_percentiles_lie_between_edges() {
        let lag = read(TEXT, "lag_seconds");
        assert_eq!(lag.percentile(50.0), Some(0.001));
        let p90 = lag.percentile(72.5).unwrap();
        assert!((p90 - 0.003).abs() < 1e-9, "{p90}");
        assert_eq!(lag.percentile(99.0), Some(0.005), "above the last edge nothing is known");
    }

    #[test]
    fn a_window_is_a_difference() {
        let early = read(TEXT, "lag_seconds");
        let late = read(&TEXT.replace(" 10\n", " 30\n"), "lag_seconds");
        assert_eq!(late.since(&early).percentile(50.0), Some(0.005));
        assert_eq!(early.since(&early).percentile(50.0), None);
        assert_eq!(late.since(&Buckets::default()), late);
    }

    #[test]
    fn what_is_not_there_has_no_percentile() {
        assert_eq!(read(TEXT, "other_seconds").percentile(99.0), None);
    }
}
