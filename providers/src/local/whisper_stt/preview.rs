//! When the open turn is to be previewed. Pure: runs by the caller's audio, not by a clock.

use std::time::Duration;

use tandem_codecs::SampleRate;

/// New speech between two previews, and before the first.
const EVERY: Duration = Duration::from_secs(1);

/// The previews of one call.
#[derive(Debug)]
pub(super) struct Previews {
    wanted: bool,
    every: u64,
    /// Where the open turn began; `None` while nobody speaks.
    from: Option<u64>,
    /// Up to where the turn was previewed, or the beginning of its speech.
    shown_to: u64,
}

impl Previews {
    /// `wanted`: somebody looks at them.
    pub(super) fn new(rate: SampleRate, wanted: bool) -> Self {
        Self { wanted, every: rate.samples_in(EVERY) as u64, from: None, shown_to: 0 }
    }

    /// The caller speaks, in a turn that began at `from`.
    pub(super) fn speaking(&mut self, from: u64) {
        self.from = Some(from);
        self.shown_to = self.shown_to.max(from);
    }

    /// The caller paused.
    pub(super) fn paused(&mut self) {
        self.from = None;
    }

    /// Where the turn began, if it is to be previewed up to `position`.
    pub(super) fn due(&mut self, position: u64) -> Option<u64> {
        let from = self.from.filter(|_| self.wanted && position >= self.shown_to + self.every)?;
        self.shown_to = position;
        Some(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_second_while_the_caller_speaks() {
        let mut previews = Previews::new(SampleRate::HZ_8000, true);
        assert_eq!(previews.due(80_000), None, "nobody speaks");
        previews.speaking(10_000);
        assert_eq!(previews.due(17_999), None);
        assert_eq!(previews.due(18_000), Some(10_000));
        assert_eq!(previews.due(18_160), None, "shown already");
        previews.paused();
        assert_eq!(previews.due(30_000), None);
        previews.speaking(10_000);
        assert_eq!(previews.due(30_000), Some(10_000), "the same turn, from its beginning");
    }

    #[test]
    fn never_where_nobody_looks() {
        let mut previews = Previews::new(SampleRate::HZ_8000, false);
        previews.speaking(0);
        assert_eq!(previews.due(80_000), None);
    }
}
