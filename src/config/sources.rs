//! Where settings come from, and which of several wins: flag, environment, `.env`, TOML file, default, in this order.
//!
//! Values stay the text that was written until `Config` reads them: a telephone number, an account id or a token that happens to
//! consist of digits must not become a number on its way. An empty value counts as unset, so `PORT=` in the environment lets the
//! `.env` file speak.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::dotenv;
use super::error::Problem;
use super::keys::{self, KEYS, Key, Kind, NOT_SETTINGS, PREFIX};

/// Where a value was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Source {
    /// On the command line.
    Flag,
    /// In the process environment.
    Environment,
    /// In a `.env` file.
    DotEnv {
        /// Which line, counted from 1.
        line: usize,
    },
    /// In a TOML file.
    File {
        /// Which file.
        path: PathBuf,
        /// Which line, counted from 1; 0 for the file as a whole.
        line: usize,
    },
    /// Nowhere.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment => f.write_str("environment"),
            Self::DotEnv { line } => write!(f, ".env line {line}"),
            Self::File { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line } => write!(f, "{} line {line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Everything a run may read its settings from. Tests make one by hand, so no test depends on the machine's environment.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// `NAME`, value pairs of the command line; the last one wins.
    pub flags: Vec<(String, String)>,
    /// The process environment.
    pub environment: Vec<(String, String)>,
    /// Folder in which `.env` and `tandem.toml` are looked for.
    pub folder: PathBuf,
    /// The TOML file named by `--config`; it has to exist. Without it `tandem.toml` is read if there is one.
    pub config_file: Option<PathBuf>,
}

impl Origins {
    /// Those of this process.
    pub fn of_process(flags: Vec<(String, String)>, config_file: Option<PathBuf>) -> Self {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let environment = std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))).collect();
        Self { flags, environment, folder: PathBuf::from("."), config_file }
    }
}

/// One setting as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Which.
    pub key: &'static Key,
    /// Its text; `None` where nobody set it and there is no default.
    pub text: Option<String>,
    /// Who said so.
    pub source: Source,
}

/// All settings, in the order of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings(Vec<Setting>);

impl Settings {
    /// Each setting once.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.0.iter()
    }

    /// The setting of that name.
    ///
    /// # Panics
    /// If the table has no such name: a slip in our own code, met by the first test that loads anything.
    pub fn setting(&self, name: &str) -> &Setting {
        self.0
            .iter()
            .find(|setting| setting.key.name == name)
            .expect("settings are asked for by the names of the table")
    }
}

/// A value and where it stands.
type Found = BTreeMap<&'static str, (String, Source)>;

/// Reads all origins. Problems are collected, not returned at the first.
pub(super) fn gather(origins: &Origins) -> (Settings, Vec<Problem>) {
    let mut problems = Vec::new();
    let dot_env = read_dot_env(&origins.folder.join(".env"), &mut problems);
    let dot_env_pairs = dot_env.iter().map(|e| (e.name.as_str(), e.value.as_str(), Source::DotEnv { line: e.line }));
    let environment_pairs = origins.environment.iter().map(|(n, v)| (n.as_str(), v.as_str(), Source::Environment));

    // Least first: what is inserted later wins.
    let file = read_file(origins, &dot_env, &mut problems);
    let mut found = file;
    found.extend(named(dot_env_pairs, &mut problems));
    found.extend(named(environment_pairs, &mut problems));
    for (name, value) in &origins.flags {
        match keys::find(name) {
            Some(key) if !value.is_empty() => drop(found.insert(key.name, (value.clone(), Source::Flag))),
            Some(_) => {}
            None => problems.push(unknown(name, Source::Flag, str::to_owned)),
        }
    }
    let settings = KEYS.iter().map(|key| match found.remove(key.name) {
        Some((text, source)) => Setting { key, text: Some(text), source },
        None => {
            Setting { key, text: (!key.default.is_empty()).then(|| key.default.to_owned()), source: Source::Default }
        }
    });
    (Settings(settings.collect()), problems)
}

/// Known names of the environment or `.env`. Foreign names are nobody's business, but one of our own prefix is a slip.
fn named<'a>(pairs: impl Iterator<Item = (&'a str, &'a str, Source)>, problems: &mut Vec<Problem>) -> Found {
    let (mut plain, mut prefixed) = (Found::new(), Found::new());
    for (name, value, source) in pairs {
        let (own, bare) = match name.strip_prefix(PREFIX) {
            Some(bare) => (true, bare),
            None => (false, name),
        };
        match KEYS.iter().find(|key| key.name == bare) {
            Some(_) if value.is_empty() => {}
            Some(key) if own => drop(prefixed.insert(key.name, (value.to_owned(), source))),
            Some(key) => drop(plain.insert(key.name, (value.to_owned(), source))),
            None if own && !NOT_SETTINGS.contains(&name) => {
                problems.push(unknown(bare, source, |name| format!("{PREFIX}{name}")));
            }
            None => {}
        }
    }
    plain.extend(prefixed);
    plain
}

fn read_dot_env(path: &Path, problems: &mut Vec<Problem>) -> Vec<dotenv::Entry> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            problems.push(unreadable(path, &error));
            return Vec::new();
        }
    };
    let (entries, bad) = dotenv::parse(&text);
    problems.extend(bad.into_iter().map(|bad| Problem {
        subject: "line".to_owned(),
        source: Source::DotEnv { line: bad.line },
        detail: format!("{}; write NAME=value", bad.reason),
    }));
    entries
}

fn read_file(origins: &Origins, dot_env: &[dotenv::Entry], problems: &mut Vec<Problem>) -> Found {
    let mut found = Found::new();
    let path = origins.config_file.clone().unwrap_or_else(|| origins.folder.join("tandem.toml"));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && origins.config_file.is_none() => return found,
        Err(error) => {
            problems.push(unreadable(&path, &error));
            return found;
        }
    };
    let at = |offset: usize| Source::File { path: path.clone(), line: line_of(&text, offset) };
    let table = match toml::de::DeTable::parse(&text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let source = at(error.span().map_or(0, |span| span.start));
            problems.push(Problem { subject: "file".to_owned(), source, detail: error.message().to_owned() });
            return found;
        }
    };
    for (name, value) in &table {
        let source = at(name.span().start);
        let name = name.get_ref();
        let Some(key) = KEYS.iter().find(|key| key.name.to_ascii_lowercase() == **name) else {
            problems.push(unknown(name, source, str::to_ascii_lowercase));
            continue;
        };
        let text = match value.get_ref() {
            toml::de::DeValue::String(text) => text.to_string(),
            toml::de::DeValue::Integer(number) => number.to_string(),
            toml::de::DeValue::Float(number) => number.to_string(),
            toml::de::DeValue::Boolean(yes) => yes.to_string(),
            _ => {
                let detail = "takes one value: a text, a number, true or false".to_owned();
                problems.push(Problem { subject: name.to_string(), source, detail });
                continue;
            }
        };
        match referenced(key, &text, origins, dot_env) {
            Ok(text) if text.is_empty() => {}
            Ok(text) => drop(found.insert(key.name, (text, source))),
            Err(detail) => problems.push(Problem { subject: name.to_string(), source, detail }),
        }
    }
    found
}

/// The value of a secret that the file names as `env:NAME`, so that the file itself can be shown around.
fn referenced(key: &Key, text: &str, origins: &Origins, dot_env: &[dotenv::Entry]) -> Result<String, String> {
    let Some(name) = text.strip_prefix("env:").filter(|_| key.kind != Kind::Plain) else {
        return Ok(text.to_owned());
    };
    let environment = origins.environment.iter().map(|(n, v)| (n, v));
    let mut all = environment.chain(dot_env.iter().map(|entry| (&entry.name, &entry.value)));
    all.find(|(n, v)| *n == name && !v.is_empty())
        .map(|(_, value)| value.clone())
        .ok_or_else(|| format!("stands for the environment variable {name}, which is not set"))
}

fn unknown(name: &str, source: Source, spell: impl Fn(&str) -> String) -> Problem {
    let detail = match keys::nearest(name) {
        Some(near) => format!("no such setting; did you mean {}?", spell(near)),
        None => "no such setting; `tandem config print` lists all".to_owned(),
    };
    Problem { subject: spell(name), source, detail }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let source = Source::File { path: path.to_owned(), line: 0 };
    Problem { subject: "file".to_owned(), source, detail: format!("cannot be read: {error}") }
}

/// Line of a byte offset, counted from 1.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|b| *b == b'\n').count()
}
