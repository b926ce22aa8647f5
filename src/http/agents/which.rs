//! Which of an agent's settings are meant: those that callers meet, those of its draft, or those of an earlier version.

use tandem_domain::agent_settings::AgentSettings;
use tandem_domain::agent_version::{Version, VersionNumber};
use tandem_domain::port::store::{AgentRecord, KeptVersion, MOST_VERSIONS};

use super::super::Surface;
use super::super::problem::Problem;
use super::draft::no_draft;
use super::editor::live;

/// As a query names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// `live`.
    Live,
    /// `draft`.
    Draft,
    /// A number.
    Version(VersionNumber),
}

impl Which {
    /// Reads the query's parameter `name`; `default` where it is not there.
    pub(super) fn read(name: &str, text: Option<&str>, default: Self) -> Result<Self, Problem> {
        match text.map(str::trim).filter(|text| !text.is_empty()) {
            None => Ok(default),
            Some("live") => Ok(Self::Live),
            Some("draft") => Ok(Self::Draft),
            Some(text) => number(text)
                .map(Self::Version)
                .ok_or_else(|| Problem::invalid(name, "must be the number of a version, `live` or `draft`")),
        }
    }

    /// The settings, and the number of their version; a draft has none.
    pub(super) async fn of(
        self,
        surface: &Surface,
        record: &AgentRecord,
    ) -> Result<(Option<VersionNumber>, AgentSettings), Problem> {
        match self {
            Self::Live => Ok((Some(record.live), record.settings.clone())),
            Self::Draft => Ok((None, record.draft.as_ref().ok_or_else(no_draft)?.settings.clone())),
            Self::Version(number) => {
                let Version { number, settings, .. } = kept(surface, record, number).await?.version;
                Ok((Some(number), settings))
            }
        }
    }
}

/// The number of a version, as it stands in a path.
pub(super) fn number(text: &str) -> Option<VersionNumber> {
    text.parse().ok().filter(|number| *number > 0).map(VersionNumber)
}

/// One version as the history has it. Of the live one the settings that callers meet: they may have been changed by hand in the database.
pub(super) async fn kept(
    surface: &Surface,
    record: &AgentRecord,
    number: VersionNumber,
) -> Result<KeptVersion, Problem> {
    let mut kept = surface.agents.version(record.identity, number).await?.ok_or_else(no_such_version)?;
    if number == record.live {
        kept.version.settings = live(record).settings;
    }
    Ok(kept)
}

/// There is none of that number.
pub(super) fn no_such_version() -> Problem {
    Problem::not_found(format!("this agent has no such version; of more than {MOST_VERSIONS} the oldest are not kept"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers() {
        let read = |text| Which::read("from", text, Which::Live);
        assert_eq!(read(None), Ok(Which::Live));
        assert_eq!(read(Some(" ")), Ok(Which::Live));
        assert_eq!(read(Some("draft")), Ok(Which::Draft));
        assert_eq!(read(Some("17")), Ok(Which::Version(VersionNumber(17))));
        for text in ["0", "-1", "1.5", "99999999999", "Draft", "v1"] {
            assert!(read(Some(text)).is_err(), "{text}");
        }
    }
}
