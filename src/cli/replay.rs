//! `tandem replay`: a call run again from its journal, with the core of this program, in this process. No audio, no network, no settings.
//!
//! The journal is read as a whole first; a byte that is not what was written ends the matter there. Then the core is told what it was told, and
//! each effect and deadline is held against the journal's.

use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tandem_actors::clock;
use tandem_domain::journal::{self, ChangeError, Closing, Damage, Difference, Divergence, Journal, Replay, Shift};

use super::{CliError, Output};

/// No journal is larger; what is, is not read into memory.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  tandem replay call.journal                         does this program decide as the one did that took the call?
  tandem replay call.journal --set eagerness=low     where would the call have gone otherwise, had the agent been more patient?
  tandem replay call.journal --print                 what the call's core was told (>), did (<) and waited for (.)
  curl -s localhost:8000/api/calls/17/journal | tandem replay - --json

Journals are kept where JOURNAL_CALLS or JOURNAL_DIR is set. They hold what callers said: handle them as you would a recording.

--set takes eagerness (low, normal, high or 0 to 1), spelling_patience (auto, on, off), endpoint_silence_ms, turn_after_silence_seconds,
end_after_silence_seconds, max_conversation_duration_seconds, soft_timeout_seconds and llm_cascade_timeout_seconds. What the caller would have
done then is unknown, so it stops where the first decision differs.

The exit code is 0 if every effect and deadline was the journal's, or with --set if a run was made at all; 1 if the journal is damaged or
the core decides otherwise.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A journal, or - for one on stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Show the journal line by line as well
    #[arg(long)]
    print: bool,
}

/// Why a journal did not run again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be read.
    #[error("cannot read {file}: give the file of a journal, or - and the journal on stdin")]
    Read {
        /// The file.
        file: String,
        /// Why not.
        source: io::Error,
    },
    /// No journal is that large.
    #[error("{0} is larger than any journal: give a file that JOURNAL_DIR or GET /api/calls/ID/journal has made")]
    TooLarge(String),
    /// It is not what was written.
    #[error("{file} cannot be replayed")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong, and where.
        source: Damage,
    },
    /// A what-if that cannot be asked.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The core is not the one that took the call, or the journal is not what that one wrote.
    #[error(
        "in entry {entry}, at {seconds:.3} s of the call, the core decides otherwise than the journal says (recorded by {program}, replayed \
         by {ours}): the journal was edited, or the two programs differ"
    )]
    Diverged {
        /// Number of the entry.
        entry: usize,
        /// When.
        seconds: f64,
        /// Who wrote it.
        program: String,
        /// Who we are.
        ours: String,
    },
    /// A fault of the core, which the call will have died of too.
    #[error("the core panicked, as above: that is a fault of this program, and the journal shows it; please report it")]
    Panicked,
}

/// The result.
#[derive(Debug, Serialize)]
struct Report {
    call: String,
    agent: String,
    recorded_by: String,
    replayed_by: String,
    closing: Closing,
    /// Time of the last input that the core was told.
    seconds: f64,
    inputs: usize,
    effects: usize,
    /// With `--set`: what was changed.
    changed: Vec<String>,
    /// With `--set`: the first deadline that moved.
    moved: Option<Deviation>,
    /// Where the run left the journal, and ended.
    divergence: Option<Deviation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
}

/// Something that is not as it was, in words.
#[derive(Debug, Serialize)]
struct Deviation {
    entry: usize,
    seconds: f64,
    /// The input that it follows.
    after: String,
    journal: String,
    now: String,
}

pub(super) fn run(args: &Args, changes: &[(String, String)], output: Output) -> Result<(), CliError> {
    let file = name(&args.file);
    let journal = Journal::read(&read(&args.file)?).map_err(|source| ReplayError::Damaged { file, source })?;
    let run = catch_unwind(AssertUnwindSafe(|| match changes {
        [] => Ok(journal::replay(&journal, clock::now())),
        changes => journal::what_if(&journal, changes, clock::now()),
    }));
    let run = run.map_err(|_| ReplayError::Panicked)?.map_err(ReplayError::Change)?;
    let lines = if args.print { journal.lines().collect() } else { Vec::new() };
    let report = Report::new(&journal, run, changes, lines);
    output.result(&report, Report::in_words)?;
    match report.divergence {
        Some(Deviation { entry, seconds, .. }) if changes.is_empty() => {
            let (program, ours) = (report.recorded_by, report.replayed_by);
            Err(ReplayError::Diverged { entry, seconds, program, ours }.into())
        }
        _ => Ok(()),
    }
}

/// What an error calls the file.
fn name(path: &Path) -> String {
    if path.as_os_str() == "-" { "the journal on stdin".to_owned() } else { path.display().to_string() }
}

fn read(path: &Path) -> Result<Vec<u8>, ReplayError> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|open| open.take(MOST_BYTES + 1).read_to_end(&mut bytes))
    };
    match read {
        Err(source) => Err(ReplayError::Read { file: name(path), source }),
        Ok(length) if length as u64 > MOST_BYTES => Err(ReplayError::TooLarge(name(path))),
        Ok(_) => Ok(bytes),
    }
}

impl Report {
    fn new(journal: &Journal, run: Replay, changes: &[(String, String)], lines: Vec<String>) -> Self {
        let header = journal.header();
        Self {
            call: header.call.to_string(),
            agent: header.agent.clone(),
            recorded_by: header.program.clone(),
            replayed_by: crate::build(),
            closing: journal.closing(),
            seconds: run.length.seconds(),
            inputs: run.inputs,
            effects: run.effects,
            changed: changes.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            moved: run.shift.map(Deviation::from),
            divergence: run.divergence.map(Deviation::from),
            lines,
        }
    }

    fn in_words(&self) -> String {
        let Self { call, agent, inputs, effects, seconds, .. } = self;
        let mut words: String = self.lines.iter().flat_map(|line| [line, "\n"]).collect();
        words += &format!("call {call} ({agent}): {inputs} inputs and {effects} effects over {seconds:.3} s");
        words += match (&self.divergence, self.changed.is_empty()) {
            (None, true) => ", all as in the journal",
            (None, false) => ", all as in the journal: the change decides nothing",
            (Some(_), _) => " as in the journal",
        };
        words += match self.closing {
            Closing::Ended => "",
            Closing::Running => "; the call went on when the journal was taken",
            Closing::Died => "; there the call died",
            Closing::Full => "; there the journal was full, and the call went on",
        };
        if let Some(moved) = &self.moved {
            words += &format!("\nwith {} a deadline moves first, {moved}", self.changed.join(", "));
        }
        if let Some(divergence) = &self.divergence {
            let then = if self.moved.is_some() { "then " } else { "" };
            words += &format!("\n{then}it goes otherwise, {divergence}");
        }
        words
    }
}

impl std::fmt::Display for Deviation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { entry, seconds, after, journal, now } = self;
        write!(f, "at {seconds:.3} s (entry {entry}), after {after}:\n  journal: {journal}\n  now:     {now}")
    }
}

impl From<Shift> for Deviation {
    fn from(Shift { entry, at, input, expected, got }: Shift) -> Self {
        Self { entry, seconds: at.seconds(), after: input, journal: expected, now: got }
    }
}

impl From<Divergence> for Deviation {
    fn from(Divergence { entry, at, input, difference, .. }: Divergence) -> Self {
        let nothing = || "nothing".to_owned();
        let (journal, now) = match difference {
            Difference::Effect { expected, got } => (expected.unwrap_or_else(nothing), got.unwrap_or_else(nothing)),
            Difference::Deadline { expected, got } => (expected, got),
            Difference::ByItself { deadline, got } => (nothing(), format!("{got}, at its deadline of {deadline}")),
        };
        Self { entry, seconds: at.seconds(), after: input, journal, now }
    }
}
