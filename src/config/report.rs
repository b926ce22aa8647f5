//! Settings as people may see them: secrets masked, each with its source.

use serde::Serialize;

use super::Source;
use super::keys::{Effect, Kind};
use super::sources::{Setting, Settings};

/// One line of `config print`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Name in the environment.
    pub name: &'static str,
    /// Value, masked where it is secret; `None` if unset.
    pub value: Option<String>,
    /// Where it came from.
    pub source: Source,
    /// False where the feature is to come.
    pub effective: bool,
    /// Meaning, unit and range.
    pub about: &'static str,
}

/// What stands in place of a secret. Its length says nothing about the secret's.
const MASK: &str = "********";

/// All settings in the order of the table.
pub fn shown(settings: &Settings) -> Vec<Shown> {
    settings.iter().map(show).collect()
}

fn show(setting: &Setting) -> Shown {
    let mask = |text: &String| match setting.key.kind {
        Kind::Plain => text.clone(),
        Kind::Secret => MASK.to_owned(),
        Kind::Url => mask_url(text),
    };
    Shown {
        name: setting.key.name,
        value: setting.text.as_ref().map(mask),
        source: setting.source.clone(),
        effective: setting.key.effect == Effect::Now,
        about: setting.key.about,
    }
}

/// A URL without its password and without the values of its query (`?password=…`). A text that is no URL is masked as a whole.
pub fn mask_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return if url.starts_with("sqlite:") { url.to_owned() } else { MASK.to_owned() };
    };
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, _)| (rest, "?…"));
    // The last `@`: a password may hold one.
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}:{MASK}@{host}{query}")
        }
        None => format!("{scheme}://{rest}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_their_passwords_only() {
        assert_eq!(mask_url("postgresql://u:p@ss@db:5432/x?sslpassword=y"), "postgresql://u:********@db:5432/x?…");
        assert_eq!(mask_url("redis://localhost:6379"), "redis://localhost:6379");
        assert_eq!(mask_url("hunter2"), "********");
    }
}
