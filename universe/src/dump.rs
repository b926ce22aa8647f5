//! A call as files, for people: what was heard as a WAV, what happened as a list, and the scenario to run it again.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tandem_codecs::SampleRate;
use tandem_codecs::wav::{self, WavError};

use crate::Run;
use crate::check::Breach;
use crate::figures;
use crate::run::timeless;

/// Why a call could not be written down.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// A file.
    #[error("cannot write {}: {source}; choose a folder that is writable", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The sound.
    #[error(transparent)]
    Wav(#[from] WavError),
}

/// Writes `<name>.wav` (left the ear, right the mouth), `<name>.txt` and `<name>.json` into `folder`, which is made.
///
/// # Errors
///
/// If a file cannot be written.
pub fn dump(run: &Run, breaches: &[Breach], folder: &Path) -> Result<(), DumpError> {
    let name = run.case.scenario.name.replace(' ', "_");
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| DumpError::File { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let path = folder.join(format!("{name}.wav"));
    let file = File::create(&path).map_err(failed(&path))?;
    wav::write_stereo(io::BufWriter::new(file), SampleRate::HZ_8000, &run.tape.ear, &run.tape.mouth)?;
    for (extension, text) in [("txt", timeline(run, breaches)), ("json", run.case.scenario.to_json())] {
        let path = folder.join(format!("{name}.{extension}"));
        fs::write(&path, text).map_err(failed(&path))?;
    }
    Ok(())
}

/// What happened, a line each, by the tape's clock.
pub fn timeline(run: &Run, breaches: &[Breach]) -> String {
    let mut lines: Vec<(Duration, String)> = Vec::new();
    lines.extend(run.goes.iter().flat_map(|go| {
        [(go.began, format!("caller   begins {:?}", go.said)), (go.ended, "caller   has said it".to_owned())]
    }));
    lines.extend(run.heard.iter().map(|word| (run.tape.at(word.start), format!("ear      {}", word.text))));
    lines.extend(
        run.tape
            .agent_sounds()
            .into_iter()
            .flat_map(|(from, to)| [(from, "agent    is heard".to_owned()), (to, "agent    is silent".to_owned())]),
    );
    lines.extend(run.floor.iter().flat_map(|&(from, to)| {
        [(from, "detector would hear speech".to_owned()), (to, "detector would hear none".to_owned())]
    }));
    lines.extend(run.overheard.iter().map(|(at, what)| (*at, format!("vendors  {what:?}"))));
    lines.extend(figures::notes(run).into_iter().map(|(at, what)| (at, format!("figures  {what}"))));
    lines.extend(breaches.iter().map(|breach| (breach.at, format!("BREACH   {breach}"))));
    lines.push((run.over.0, format!("over     {:?}", run.over.1)));
    lines.sort_by_key(|(at, _)| *at);
    let mut text = format!("{} by {}\n\n", run.case.scenario.name, run.case.door());
    for (at, line) in lines {
        let _ = writeln!(text, "{:8.3} {line}", at.as_secs_f64()); // text takes everything
    }
    text.push_str("\non record:\n");
    for record in &run.records {
        let _ = writeln!(text, "  {}", timeless(record));
    }
    text
}
