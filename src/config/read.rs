//! From the text of a setting to its value. A text that does not fit is a problem with its source and the form that would fit; the
//! default stands in meanwhile, so that one run tells all problems.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

use tandem_domain::agent::SystemTool;
use tandem_domain::number::Region;
use tandem_store::Location;

use super::error::Problem;
use super::sources::Settings;

/// Reads settings one by one and collects what is wrong with them.
pub(super) struct Reader<'a> {
    settings: &'a Settings,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(settings: &'a Settings, problems: Vec<Problem>) -> Self {
        Self { settings, problems }
    }

    /// The text; `None` where it is unset and has no default.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.settings.setting(name).text.clone()
    }

    /// Whether somebody set it.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.settings.setting(name).source != super::Source::Default
    }

    /// Where it was set.
    pub(super) fn source(&self, name: &str) -> super::Source {
        self.settings.setting(name).source.clone()
    }

    /// What `read` makes of the text; `None` where it is unset and has no default, or wrong.
    pub(super) fn value<T>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let setting = self.settings.setting(name);
        match read(setting.text.as_deref()?.trim()) {
            Ok(value) => Some(value),
            Err(detail) => {
                self.problems.push(Problem { subject: name.to_owned(), source: setting.source.clone(), detail });
                read(setting.key.default).ok()
            }
        }
    }

    /// A whole number within `range`. The setting has a default.
    pub(super) fn number<T>(&mut self, name: &str, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + Display + Copy,
    {
        let lowest = *range.start();
        self.value(name, |text| whole_number(text, &range)).unwrap_or(lowest)
    }

    /// As [`Self::number`], where empty has a meaning of its own.
    pub(super) fn optional_number<T>(&mut self, name: &str, range: RangeInclusive<T>) -> Option<T>
    where
        T: FromStr + PartialOrd + Display + Copy,
    {
        self.value(name, |text| whole_number(text, &range))
    }
}

fn whole_number<T: FromStr + PartialOrd + Display>(text: &str, range: &RangeInclusive<T>) -> Result<T, String> {
    text.parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("{text:?} is not a whole number from {} to {}", range.start(), range.end()))
}

/// `true`, `yes`, `on`, `1` and their opposites, any case.
pub(super) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(format!("{text:?} is neither yes nor no")),
    }
}

/// An address to listen on, or the word `localhost`.
pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse()
        .map_err(|_| format!("{text:?} is not an address to listen on; write 127.0.0.1, 0.0.0.0 or another IP address"))
}

/// Tools of the switch's own, with commas; `none` is none of them.
pub(super) fn system_tools(text: &str) -> Result<Vec<SystemTool>, String> {
    if text.trim().eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    let names = text.split(',').map(|name| name.trim().to_ascii_lowercase());
    let tools = names.map(|name| {
        let known = SystemTool::ALL.map(SystemTool::name).join(", ");
        SystemTool::parse(&name)
            .ok_or_else(|| format!("{name:?} is not a tool that a model may use; choose {known} or none"))
    });
    tools.collect()
}

/// One of `words`, any case; returned in the spelling of the list.
pub(super) fn one_of(text: &str, words: &[&'static str]) -> Result<&'static str, String> {
    words
        .iter()
        .find(|word| word.eq_ignore_ascii_case(text))
        .copied()
        .ok_or_else(|| format!("{text:?} is not known; choose {}", words.join(" or ")))
}

/// Some of `words` in an order of its own, with commas between, any case, each once.
pub(super) fn order_of(text: &str, words: &[&'static str]) -> Result<Vec<&'static str>, String> {
    let mut order = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let word = one_of(name, words)?;
        if order.contains(&word) {
            return Err(format!("{word} is named twice"));
        }
        order.push(word);
    }
    if order.is_empty() { Err(format!("{text:?} names nobody; choose {}", words.join(" or "))) } else { Ok(order) }
}

/// A vendor's base URL, without a slash or the `/v1` that belongs to its paths at the end.
pub(super) fn vendor_base(text: &str) -> Result<String, String> {
    let base = text.trim_end_matches('/').trim_end_matches("/v1").trim_end_matches('/');
    let host = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty() || host.contains(['?', '#', ' ']) {
        return Err(format!("{text:?} is not a base URL; write scheme and host, such as http://127.0.0.1:8080"));
    }
    Ok(base.to_owned())
}

/// Origins as browsers write them, with commas between: `https://www.example.com, http://localhost:3000`.
pub(super) fn origins(text: &str) -> Result<Vec<String>, String> {
    text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(origin).collect()
}

fn origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '*', '@', ' ']) => Ok(text.to_ascii_lowercase()),
        _ => Err(format!(
            "{text:?} is not an origin; write scheme, host and port alone, such as https://www.example.com"
        )),
    }
}

/// The two letters of a country, in capitals.
pub(super) fn region(text: &str) -> Result<String, String> {
    text.parse::<Region>().map(|_| text.to_ascii_uppercase()).map_err(|error| error.to_string())
}

/// A time zone by its name in the tz database.
pub(super) fn zone(text: &str) -> Result<chrono_tz::Tz, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is not a time zone; write its name, such as Asia/Kolkata or Europe/London"))
}

/// A database by its URL; `data_dir` is where it lies if the text is empty.
pub(super) fn location(text: &str, data_dir: &Path) -> Result<Location, String> {
    let remedy = "; leave it empty for a file under DATA_DIR";
    Location::from_settings(Some(text), data_dir).map_err(|error| format!("{error}{remedy}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_scheme_and_host() {
        let two = origins("https://WWW.example.test, http://localhost:3000");
        assert_eq!(
            two.as_deref(),
            Ok(["https://www.example.test".to_owned(), "http://localhost:3000".to_owned()].as_slice())
        );
        assert_eq!(origins(""), Ok(Vec::new()));
        for wrong in ["*", "example.test", "https://example.test/", "https://*.example.test", "https://"] {
            assert!(origins(wrong).is_err_and(|error| error.contains("such as https://")), "{wrong}");
        }
    }

    #[test]
    fn addresses() {
        assert_eq!(address("LOCALHOST"), Ok(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(address("[::1]"), "::1".parse().map_err(|_| String::new()));
        assert!(address("example.test").is_err());
    }

    #[test]
    fn countries_and_zones() {
        assert_eq!(region("gb"), Ok("GB".to_owned()));
        assert!(region("IND").is_err() && region("4 ").is_err());
        assert_eq!(zone("Asia/Kolkata"), Ok(chrono_tz::Asia::Kolkata));
        assert!(zone("IST+5:30").is_err());
    }
}
