//! Where words go: results to stdout, talk to stderr. A reader that went away (`tandem config print | head`) is no error of ours.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};

use indicatif::ProgressStyle;
use serde::Serialize;

/// How a bar looks that counts things; it is shown on stderr, and only on a terminal.
pub(super) fn bar_style() -> ProgressStyle {
    ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len}").expect("the template is sound")
}

/// The two streams, and whether results are JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether results are JSON.
    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// A result: one line of JSON, or what `human` writes.
    pub(super) fn result<T: Serialize>(self, value: &T, human: impl FnOnce(&T) -> String) -> io::Result<()> {
        let text = if self.json { serde_json::to_string(value).map_err(io::Error::other)? } else { human(value) };
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{}", text.trim_end()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// Talk: what people may want to know while they wait.
    pub(super) fn say(self, text: impl Display) {
        // Nobody listens: nothing to be done about it.
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// An error with its causes, the outermost first; causes that repeat what was said are left out.
    pub(super) fn error(self, error: &dyn Error) {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let words = error.to_string();
            if !text.contains(&words) {
                text.push_str("\n  because: ");
                text.push_str(&words);
            }
            cause = error.source();
        }
        self.say(format_args!("tandem: {text}"));
    }
}
