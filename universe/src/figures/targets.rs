//! What a figure has to be, and how it is shown beside that.

use super::Share;

/// Of fewer calls a share says nothing about its target: one backchannel in thirty is 3 %.
pub const ENOUGH_CALLS: usize = 1_000;

/// What a share has to be, in percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// That, or more.
    AtLeast(f64),
    /// That, or less.
    AtMost(f64),
}

impl Target {
    /// Whether the share is as it has to be. Out of none it is not: what was never tried was not shown.
    pub fn is_met(self, share: Share) -> bool {
        share.percent().is_some_and(|percent| match self {
            Self::AtLeast(least) => percent >= least,
            Self::AtMost(most) => percent <= most,
        })
    }
}

pub(super) fn line(name: &str, share: Share, target: Option<Target>) -> String {
    let percent = share.percent().map_or_else(|| "none".to_owned(), |percent| format!("{percent:.2} %"));
    let met = |target: Target| if target.is_met(share) { "" } else { ": MISSED" };
    let target = target.map_or_else(String::new, |target| match target {
        Target::AtLeast(least) => format!("; at least {least} %{}", met(target)),
        Target::AtMost(most) => format!("; at most {most} %{}", met(target)),
    });
    format!("{name:34} {percent}, {} of {}{target}", share.count, share.of)
}

pub(super) fn json(share: Share, target: Option<Target>) -> serde_json::Value {
    let (least, most) = match target {
        None => (None, None),
        Some(Target::AtLeast(least)) => (Some(least), None),
        Some(Target::AtMost(most)) => (None, Some(most)),
    };
    serde_json::json!({
        "count": share.count,
        "of": share.of,
        "percent": share.percent(),
        "at_least": least,
        "at_most": most,
        "met": target.map(|target| target.is_met(share)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_nothing_meets_no_target() {
        assert!(!Target::AtMost(3.0).is_met(Share::default()) && !Target::AtLeast(0.0).is_met(Share::default()));
        assert!(Target::AtMost(3.0).is_met(Share { count: 3, of: 100 }));
        assert!(!Target::AtMost(3.0).is_met(Share { count: 4, of: 100 }));
        assert!(!Target::AtLeast(99.0).is_met(Share { count: 98, of: 100 }));
    }

    #[test]
    fn a_line_says_what_it_is_out_of() {
        let missed = line("interruptions honoured", Share { count: 9, of: 10 }, Some(Target::AtLeast(99.0)));
        assert!(missed.ends_with("90.00 %, 9 of 10; at least 99 %: MISSED"), "{missed}");
    }
}
