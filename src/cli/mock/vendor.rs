//! Latencies and faults as they are written on the command line.

use std::time::Duration;

use tandem_peers::mock::Behaviour;
use tandem_peers::vendor::{Fault, FaultPlan, Latency, Spell};

/// One `--…-fault`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FaultFlag {
    spell: Spell,
    /// Of connections, not of requests.
    at_door: bool,
}

/// `100`, or `200/450`: a fixed latency, or median and 95th percentile, in ms.
pub(super) fn latency(text: &str) -> Result<Latency, String> {
    let ms = |text: &str| {
        text.trim().parse::<u64>().map_err(|_| format!("{text:?} is not a number of ms; write 100, or 200/450"))
    };
    match text.split_once('/') {
        None => Ok(Latency::Fixed(Duration::from_millis(ms(text)?))),
        Some((p50, p95)) => match (ms(p50)?, ms(p95)?) {
            (p50, p95) if p95 < p50 => Err(format!("the 95th percentile {p95} is below the median {p50}")),
            (p50, p95) => Ok(Latency::percentiles_ms(p50, p95)),
        },
    }
}

/// `silent:after=3,times=1` and the like.
pub(super) fn fault(text: &str) -> Result<FaultFlag, String> {
    let (what, when) = text.split_once(':').unwrap_or((text, ""));
    let number = |text: &str| text.parse::<u32>().map_err(|_| format!("{text:?} is not a number"));
    let fault = match what.split_once('=') {
        Some(("slow", ms)) => Fault::Slow(Duration::from_millis(number(ms)?.into())),
        Some(_) => return Err(format!("{what:?} is not known; slow=MS alone has a number")),
        None => match what {
            "silent" => Fault::Silent,
            "error" => Fault::Error,
            "drop" => Fault::Drop,
            "midway" => Fault::DropMidway,
            "garbage" => Fault::Garbage,
            "endless" => Fault::Endless,
            _ => {
                return Err(format!(
                    "{what:?} is not known; choose slow=MS, silent, error, drop, midway, garbage or endless"
                ));
            }
        },
    };
    let mut flag = FaultFlag { spell: Spell { fault, after: 0, times: u32::MAX }, at_door: false };
    for word in when.split(',').filter(|word| !word.is_empty()) {
        match word.split_once('=') {
            Some(("after", count)) => flag.spell.after = number(count)?,
            Some(("times", count)) => flag.spell.times = number(count)?,
            Some(("at", "door")) => flag.at_door = true,
            Some(_) | None => return Err(format!("{word:?} is not known; choose after=N, times=N or at=door")),
        }
    }
    Ok(flag)
}

/// A vendor that behaves so.
pub(super) fn behaviour(latency: Latency, faults: &[FaultFlag], seed: u64) -> Behaviour {
    let plan =
        |at_door: bool| FaultPlan::spells(faults.iter().filter(|flag| flag.at_door == at_door).map(|flag| flag.spell));
    Behaviour { latency, faults: plan(false), doors: plan(true), seed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(fault: Fault, after: u32, times: u32) -> Result<FaultFlag, String> {
        Ok(FaultFlag { spell: Spell { fault, after, times }, at_door: false })
    }

    #[test]
    fn latencies_and_faults_are_read() {
        assert_eq!(latency("100"), Ok(Latency::Fixed(Duration::from_millis(100))));
        assert_eq!(latency("200/450"), Ok(Latency::percentiles_ms(200, 450)));
        assert_eq!(fault("silent"), spell(Fault::Silent, 0, u32::MAX));
        assert_eq!(fault("silent:after=3,times=1"), spell(Fault::Silent, 3, 1));
        assert_eq!(fault("slow=6000:times=2"), spell(Fault::Slow(Duration::from_secs(6)), 0, 2));
        assert!(fault("error:at=door").is_ok_and(|flag| flag.at_door));
    }

    #[test]
    fn what_is_not_understood_is_told_with_what_would_be() {
        for wrong in ["", "quiet", "slow", "slow=x", "silent=3", "silent:later=1", "silent:after", "error:at=home"] {
            assert!(fault(wrong).is_err(), "{wrong}");
        }
        assert!(fault("quiet").is_err_and(|error| error.contains("silent")));
        for wrong in ["", "fast", "100/", "200/100", "-1"] {
            assert!(latency(wrong).is_err(), "{wrong}");
        }
    }
}
