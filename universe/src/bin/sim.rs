//! `make sim`: runs calls of the universe, judges them, and says in a few lines what became of them and how turns were taken.
//!
//! Exits with 1 if an invariant did not hold (with `--sabotage`: that invariant), or if, over a thousand seeds or more, a target was missed; with 2
//! if a call could not be run.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use tandem_peers::universe::cast::Cast;
use tandem_peers::universe::scenario::{self, Scenario};
use tandem_peers::universe::{fault_rows, public_bugs};
use tandem_universe::check::Invariant;
use tandem_universe::crowd::{Manner, Outcome, Summary, run_all};
use tandem_universe::figures::{ENOUGH_CALLS, Figures};
use tandem_universe::sabotage::{self, Sabotage};
use tandem_universe::{Case, check, dump, run};

/// Breaches that are printed whole; of the others the number is enough.
const PRINTED: usize = 20;

/// Runs whole calls of the switch under a virtual clock and checks what must hold of each.
#[derive(Debug, Parser)]
#[command(name = "sim")]
struct Args {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: usize,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// Run of these seeds only those whose caller behaves so: patient, interrupter, dictates and others; a wrong name lists them.
    #[arg(long, value_name = "MANNER", value_parser = manner)]
    only: Option<scenario::Manner>,
    /// Print what the figures are made of, of each call, where this is in it: `cut off`, `the agent stopped`.
    #[arg(long, value_name = "TEXT")]
    noted: Option<String>,
    /// Run a call with a name instead: a public bug's, or a row's of the table of faults; `all` runs every one.
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// List the calls with names, the invariants, and the mechanisms that can be switched off besides.
    #[arg(long)]
    list: bool,
    /// Switch off the mechanism behind an invariant, or one that the calls of public bugs show (`--list` names them): must go red.
    #[arg(long, value_name = "NAME")]
    sabotage: Option<String>,
    /// One JSON object on stdout instead of text.
    #[arg(long)]
    json: bool,
    /// Write sound, timeline and scenario of each call with a breach, or of a single call in any case, into this folder.
    #[arg(long, value_name = "DIR")]
    dump: Option<PathBuf>,
    /// Threads; one a core unless said.
    #[arg(long)]
    threads: Option<usize>,
    /// Let missed targets of turn-taking pass; they are printed all the same. Invariants still fail.
    #[arg(long)]
    no_targets: bool,
    /// Run every so many calls twice and compare; 0 for never.
    #[arg(long, default_value_t = 10)]
    replay_every: usize,
}

fn main() -> ExitCode {
    match sim(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("sim: {error}");
            ExitCode::from(2)
        }
    }
}

type Failure = Box<dyn std::error::Error>;

/// Whether everything held.
fn sim(args: &Args) -> Result<bool, Failure> {
    if args.list {
        return list().map(|()| true);
    }
    let sabotage = args.sabotage.as_deref().map(Sabotage::named).transpose()?;
    let breaks = sabotage.map(Sabotage::breaks);
    let bugs = match args.scenario.as_deref() {
        // what the calls of public bugs must sound like is said for them alone
        None if sabotage.is_some_and(Sabotage::is_of_public_bugs) => {
            public_bugs::all().into_iter().map(Case::of_bug).collect()
        }
        None => Vec::new(),
        Some("all") => Case::all_named().collect(),
        Some(name) => vec![Case::named(name)?],
    };
    let seeds = seeds(args);
    let case = |number: usize| {
        let case = bugs.get(number).cloned().unwrap_or_else(|| Case::of_seed(seeds[number]));
        case.sabotaged(sabotage)
    };
    let count = if bugs.is_empty() { seeds.len() } else { bugs.len() };
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    // what replay carries shows in every call that is run twice, and in no other
    let replay_every = if breaks == Some(Invariant::Replay) { 1 } else { args.replay_every };
    let cast = Cast::in_cache();
    let bar = progress(count, args.json);
    let before = cpu_time();
    let manner = Manner { threads, replay_every, notes: args.noted.is_some() };
    let outcomes = run_all(&case, count, manner, &cast, |outcome| {
        for breach in &outcome.breaches {
            bar.suspend(|| eprintln!("{}: {breach}", outcome.name)); // at once: a long run need not be waited for
        }
        for (at, note) in &outcome.notes {
            if args.noted.as_deref().is_some_and(|text| note.contains(text)) {
                bar.suspend(|| eprintln!("{} at {:.3} s: {note}", outcome.name, at.as_secs_f64()));
            }
        }
        bar.inc(1);
    })?;
    let spent = cpu_time().saturating_sub(before);
    bar.finish_and_clear();
    let summary = Summary::of(&outcomes);
    let figures = Figures::sum(outcomes.iter().map(|outcome| &outcome.figures));
    let broken: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.breaches.is_empty()).collect();
    if let Some(folder) = &args.dump {
        let single = outcomes.iter().filter(|_| count == 1);
        for outcome in broken.iter().copied().take(PRINTED).chain(single) {
            dump::dump(&run(&case(outcome.number), &cast)?, &outcome.breaches, folder)?;
        }
    }
    let rate = summary.calls as f64 / (spent.as_secs_f64() / 60.0).max(f64::EPSILON);
    let mut out = io::stdout().lock();
    match args.json {
        true => writeln!(out, "{}", json(&summary, &figures, &broken, args, rate))?,
        false => text(&mut out, &summary, &figures, &broken, args, rate)?,
    }
    let red =
        |invariant| broken.iter().flat_map(|outcome| &outcome.breaches).any(|breach| breach.invariant == invariant);
    Ok(match breaks {
        None => broken.is_empty() && (!is_held_to_targets(args) || figures.missed().is_empty()),
        Some(invariant) => !red(invariant), // another check that goes red does not speak for this one
    })
}

/// Whether missed targets count: over enough calls as they are drawn, not over calls that were picked.
fn is_held_to_targets(args: &Args) -> bool {
    let picked = args.scenario.is_some() || args.only.is_some();
    !args.no_targets && !picked && args.seeds >= ENOUGH_CALLS
}

/// The seeds that are run, in their order.
fn seeds(args: &Args) -> Vec<u64> {
    let all = (args.first_seed..).take(args.seeds);
    all.filter(|seed| args.only.is_none_or(|only| Scenario::from_seed(*seed).caller.manner == only)).collect()
}

/// A manner by the name that scenarios write it with.
fn manner(name: &str) -> Result<scenario::Manner, serde_json::Error> {
    serde_json::from_value(name.into())
}

fn list() -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "invariants: {}", Invariant::ALL.map(Invariant::name).join(", "))?;
    writeln!(out, "mechanisms: {}", sabotage::names().collect::<Vec<_>>().join(", "))?;
    for bug in public_bugs::all().into_iter().chain(fault_rows::all()) {
        writeln!(out, "{:48} {}", bug.call.name, bug.reported)?;
    }
    Ok(())
}

fn progress(count: usize, silent: bool) -> ProgressBar {
    if silent {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} calls, {per_sec}, {eta} left");
    ProgressBar::new(count as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// How to run this call again.
fn again(outcome: &Outcome, args: &Args) -> String {
    let sabotage = args.sabotage.as_deref().map(|name| format!(" SABOTAGE={name}")).unwrap_or_default();
    match outcome.name.strip_prefix("seed ") {
        Some(seed) => format!("make sim FIRST_SEED={seed} SEEDS=1{sabotage}"),
        None => format!("make sim SCENARIO={}{sabotage}", outcome.name),
    }
}

fn text(
    out: &mut impl Write,
    summary: &Summary,
    figures: &Figures,
    broken: &[&Outcome],
    args: &Args,
    rate: f64,
) -> io::Result<()> {
    for outcome in broken.iter().take(PRINTED) {
        for breach in &outcome.breaches {
            writeln!(out, "{}: {breach}", outcome.name)?;
        }
        writeln!(out, "    again: {}", again(outcome, args))?;
    }
    if broken.len() > PRINTED {
        writeln!(out, "and {} calls more", broken.len() - PRINTED)?;
    }
    for invariant in check::Invariant::ALL {
        let count = broken.iter().flat_map(|outcome| &outcome.breaches).filter(|breach| breach.invariant == invariant);
        match count.count() {
            0 => {}
            count => writeln!(out, "{invariant:10} {count} breaches")?,
        }
    }
    for line in figures.lines() {
        writeln!(out, "{line}")?;
    }
    writeln!(
        out,
        "{} calls of {:.1} h, {} checks, {} breaches; {rate:.0} calls a minute and core; \
         longest silence {:.1} s; {} calls ran out of time",
        summary.calls,
        summary.simulated_hours,
        summary.checked,
        summary.breaches,
        summary.longest_silence_s,
        summary.ran_out,
    )
}

fn json(summary: &Summary, figures: &Figures, broken: &[&Outcome], args: &Args, rate: f64) -> serde_json::Value {
    let broken: Vec<serde_json::Value> = broken
        .iter()
        .map(|outcome| {
            serde_json::json!({"call": outcome.name, "breaches": outcome.breaches, "again": again(outcome, args)})
        })
        .collect();
    serde_json::json!({"summary": summary, "turn_taking": figures.to_json(), "calls_per_core_minute": rate, "broken": broken})
}

/// Of all threads: on a busy machine the wall tells nothing.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
