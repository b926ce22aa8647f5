//! Percentiles of a handful of figures.

/// The value below which `percent` of the figures lie (nearest rank); 0 for none.
pub(super) fn of(mut figures: Vec<f64>, percent: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * figures.len() as f64).ceil() as usize;
    figures.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn nearest_rank() {
        let figures = vec![4.0, 1.0, 3.0, 2.0];
        assert_eq!(of(figures.clone(), 50.0), 2.0);
        assert_eq!(of(figures.clone(), 95.0), 4.0);
        assert_eq!(of(figures, 0.0), 1.0);
        assert_eq!(of(Vec::new(), 50.0), 0.0);
    }
}
