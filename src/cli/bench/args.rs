//! What `tandem bench` may be asked.

use std::num::NonZeroU8;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use tandem_domain::agent::AmbienceKind;

use super::ramp::Ramp;
use super::vendors::{Choice, Waits};

const EXAMPLES: &str = "\
Examples:
  tandem bench                                         100 calls: processor time, memory, latency, barge-in, jitter
  tandem bench --calls 200 --pin --floor --json        the switch on a core of its own, beside a bare echo of the same sockets
  tandem bench --ramp --pin --floor --plot ramp.svg    how many calls are held at the service level, and the curve as a picture
  tandem bench --ramp --from 240 --to 320 --step 10 --hold 60s
  tandem bench --soak 30m --calls 100                  does memory grow, do files pile up, does the tail drift?
  tandem bench --churn --calls 50 --rate 5             what 50 calls notice of 5 arrivals a second
  tandem bench --vendors mock                          with Deepgram, OpenAI and ElevenLabs on their wires
  tandem bench --vendors mock --vendor-latency 100,200,150 --calls 1
  tandem bench --calls 200 --record --ambience office  with a recording of every call, and an office under every voice
  tandem bench --hostile --calls 20                    what callers notice of far ends that attack

The service level: added latency p95 at most 250 ms in the caller's ear, at most 1 % of the agent's speech missing, at most 1 % of turns lost.
Figures are refused (exit code 1) when the callers' own ticks were more than 5 ms late at p99: they would be those of the load. --force prints
them all the same, marked as invalid.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, group = clap::ArgGroup::new("mode").multiple(false))]
pub(in crate::cli) struct Args {
    /// Calls at once [default: 100; with --churn: 50]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=5_000), conflicts_with = "ramp")]
    pub(super) calls: Option<u32>,
    /// Find how many calls are held at the service level: more and more of them until a clause breaks
    #[arg(long, group = "mode")]
    pub(super) ramp: bool,
    /// First step of the ramp
    #[arg(long, value_name = "CALLS", default_value_t = 40, requires = "ramp", value_parser = clap::value_parser!(u32).range(1..=5_000))]
    from: u32,
    /// Last step of the ramp
    #[arg(long, value_name = "CALLS", default_value_t = 600, requires = "ramp", value_parser = clap::value_parser!(u32).range(1..=5_000))]
    to: u32,
    /// Calls more in each step
    #[arg(long, value_name = "CALLS", default_value_t = 40, requires = "ramp", value_parser = clap::value_parser!(u32).range(1..=5_000))]
    step: u32,
    /// How long each step of a ramp, and each half of a churn, is measured
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(super) hold: Duration,
    /// Hold the calls for this long (90s, 30m, 8h), and see whether memory, files, tasks or the tail of latency grow
    #[arg(long, value_name = "DURATION", group = "mode", value_parser = duration)]
    pub(super) soak: Option<Duration>,
    /// What calls that are up notice of short ones that come and go
    #[arg(long, group = "mode")]
    pub(super) churn: bool,
    /// Arrivals a second of a churn
    #[arg(long, value_name = "PER_SECOND", default_value_t = 5.0, requires = "churn", value_parser = rate)]
    pub(super) rate: f64,
    /// Measure what the callers notice of far ends that attack: floods, endless fragments, sockets that never speak
    #[arg(long, group = "mode", conflicts_with_all = ["floor", "pin", "force"])]
    pub(super) hostile: bool,
    /// Give the switch a core of its own, and the callers the others
    #[arg(long)]
    pub(super) pin: bool,
    /// Measure a bare echo of as many sockets too, and say how much more a call costs
    #[arg(long)]
    pub(super) floor: bool,
    /// Vendors of the measured switch
    #[arg(long, value_enum, default_value = "fake")]
    pub(super) vendors: Choice,
    /// How long the mock's recogniser, model and voice take, in ms; the latency that is reported is what comes on top
    #[arg(long, value_name = "STT,LLM,TTS", default_value = "0,0,0")]
    pub(super) vendor_latency: Waits,
    /// Record every call as a WAV file, as RECORD_CALLS=wav does; otherwise a tape takes the audio
    #[arg(long, conflicts_with = "hostile")]
    pub(super) record: bool,
    /// What is heard under every agent, at its usual volume
    #[arg(long, value_name = "PLACE", value_enum, conflicts_with = "hostile")]
    pub(super) ambience: Option<Place>,
    /// Draw the ramp as an SVG picture
    #[arg(long, value_name = "FILE", requires = "ramp")]
    pub(super) plot: Option<PathBuf>,
    /// Threads of the callers [default: the cores, less one]
    #[arg(long, value_name = "COUNT")]
    pub(super) load_threads: Option<NonZeroU8>,
    /// Print figures although the callers were late, marked as invalid
    #[arg(long)]
    pub(super) force: bool,
    /// How late the callers' ticks may be at p99, in ms
    #[arg(long, value_name = "MS", default_value_t = 5.0, hide = true)]
    pub(super) tick_lag_limit: f64,
    /// Be the switch that is measured (the command starts itself with this)
    #[arg(long, hide = true)]
    pub(super) serve: bool,
    /// Post every saved agent there
    #[arg(long, hide = true, value_name = "URL", requires = "serve")]
    pub(super) tell_saves_to: Option<String>,
}

/// What an agent may sound like, in the agents' own spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum Place {
    Office,
    CallCenter,
    Restaurant,
    Salsa,
    Concert,
}

impl Place {
    pub(super) fn kind(self) -> AmbienceKind {
        match self {
            Self::Office => AmbienceKind::Office,
            Self::CallCenter => AmbienceKind::CallCenter,
            Self::Restaurant => AmbienceKind::Restaurant,
            Self::Salsa => AmbienceKind::Salsa,
            Self::Concert => AmbienceKind::Concert,
        }
    }
}

impl Args {
    /// The flags of a switch that is to be measured as these say.
    pub(super) fn of_switch(&self) -> Vec<String> {
        let record = self.record.then_some(["--set", "RECORD_CALLS=wav", "--record"].map(str::to_owned));
        let place = self.ambience.and_then(|place| place.to_possible_value());
        let ambience = place.map(|place| ["--ambience".to_owned(), place.get_name().to_owned()]);
        record.into_iter().flatten().chain(ambience.into_iter().flatten()).collect()
    }

    pub(super) fn ramp(&self) -> Ramp {
        Ramp::new(self.from, self.to, self.step)
    }
}

/// A whole number with `s`, `m` or `h`; without one, seconds. From a second to a week.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let seconds = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err("write a number with s, m or h, like 90s, 30m or 8h".to_owned()),
    };
    let count: u64 = digits.parse().map_err(|_| "write a whole number with s, m or h, like 90s".to_owned())?;
    match count.checked_mul(seconds) {
        Some(seconds @ 1..=604_800) => Ok(Duration::from_secs(seconds)),
        _ => Err("from 1s to 168h".to_owned()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.1..=1_000.0).contains(&rate) => Ok(rate),
        _ => Err("write a number from 0.1 to 1000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Line::try_parse_from(line.split_whitespace()).map(|line| line.args)
    }

    #[test]
    fn durations_have_units() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("30m", 1_800), ("8h", 28_800)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for wrong in ["", "s", "0s", "1d", "1.5h", "-1s", "200h", "99999999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_switch_is_told_what_it_needs_to_know() {
        assert!(parse("x --calls 5").unwrap().of_switch().is_empty());
        let flags = parse("x --record --ambience call_center").unwrap().of_switch();
        assert_eq!(flags, ["--set", "RECORD_CALLS=wav", "--record", "--ambience", "call_center"]);
    }

    #[test]
    fn one_mode_at_a_time_and_options_with_their_mode() {
        for good in [
            "x",
            "x --ramp --from 10 --to 20 --step 5 --plot a.svg",
            "x --churn --rate 0.5 --calls 50",
            "x --soak 10m --pin",
            "x --record --ambience call_center --ramp",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for wrong in [
            "x --ramp --churn",
            "x --soak 1m --hostile",
            "x --from 10",
            "x --plot a.svg",
            "x --rate 5",
            "x --ramp --calls 5",
            "x --ambience none",
            "x --ambience beach",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
