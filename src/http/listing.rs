//! The query of a list of calls or conversations: which page, and which of them.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde::Deserialize;
use tandem_domain::port::store::{Listing, RowKey};
use utoipa::IntoParams;

use super::page::{self, Asked};
use super::problem::Problem;

/// As it stands in the query. Values are read here and not by the extractor, so that an error names its parameter and what would fit.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Items of one page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// `next_cursor` of the page before; belongs to this list with these filters.
    cursor: Option<String>,
    /// Those of one agent: its number, UUID or name.
    agent: Option<String>,
    /// Those in one state. Of a conversation: `active` or `ended`. Of a call: `queued`, `initiated`, `ringing`, `in_progress`, `completed`,
    /// `busy`, `no_answer`, `failed` or `canceled`.
    status: Option<String>,
    /// Those that began then or later: RFC 3339, or a day in UTC.
    #[param(example = "2026-11-21T09:30:00Z")]
    from: Option<String>,
    /// Those that began before: RFC 3339, or the last day in UTC.
    #[param(example = "2026-11-21")]
    to: Option<String>,
}

impl ListQuery {
    /// Reads the query of the list `name` whose items are in one of `states`.
    pub(super) fn read(&self, name: &str, states: &[&str]) -> Result<(Asked, Listing), Problem> {
        let present = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let listing = Listing {
            before: None,
            limit: 0,
            agent: present(&self.agent).map(|text| RowKey::parse(&text)),
            status: present(&self.status).map(|text| state(&text, states)).transpose()?,
            from: present(&self.from).map(|text| instant("from", &text, Days::new(0))).transpose()?,
            until: present(&self.to).map(|text| instant("to", &text, Days::new(1))).transpose()?,
        };
        let asked = Asked::read(self.limit.as_deref(), self.cursor.as_deref(), format!("{name} {listing:?}"))?;
        let listing = Listing { limit: asked.rows(), ..listing }.after_row(page::to_row(asked.after));
        Ok((asked, listing))
    }
}

/// A state in the stored spelling; hyphens and any case are accepted (R6).
fn state(text: &str, states: &[&str]) -> Result<String, Problem> {
    let word = text.to_ascii_lowercase().replace('-', "_");
    if states.contains(&word.as_str()) {
        return Ok(word);
    }
    Err(Problem::invalid("status", format!("must be one of {}", states.join(", "))))
}

/// An instant, or a day, which stands for its midnight and `of_day` more: a list to a day holds that day.
pub(super) fn instant(parameter: &str, text: &str, of_day: Days) -> Result<DateTime<Utc>, Problem> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.to_utc());
    }
    let day = text.parse::<NaiveDate>().ok().and_then(|day| day.checked_add_days(of_day));
    day.map(|day| day.and_time(NaiveTime::MIN).and_utc()).ok_or_else(|| {
        let detail = "must be an instant such as 2026-11-21T09:30:00Z, or a day such as 2026-11-21 (write + as %2B)";
        Problem::invalid(parameter, detail)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const STATES: &[&str] = &["in_progress", "failed"];

    fn query(from: &str, to: &str, status: &str) -> ListQuery {
        let some = |text: &str| Some(text.to_owned());
        ListQuery { from: some(from), to: some(to), status: some(status), ..ListQuery::default() }
    }

    #[test]
    fn days_and_instants() {
        let (_, listing) = query("2026-11-21", "2026-11-21", "In-Progress").read("x", STATES).unwrap();
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(listing.from, at("2026-11-21T00:00:00Z"));
        assert_eq!(listing.until, at("2026-11-22T00:00:00Z"), "a list to a day holds that day");
        assert_eq!(listing.status.as_deref(), Some("in_progress"));
        let (_, listing) = query("2026-11-21T05:30:00+05:30", "", "").read("x", STATES).unwrap();
        assert_eq!((listing.from, listing.until, listing.status), (at("2026-11-21T00:00:00Z"), None, None));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (from, to, status) in
            [("yesterday", "", ""), ("", "2026-02-30", ""), ("", "+262142-12-31", ""), ("", "", "ringing")]
        {
            assert!(query(from, to, status).read("x", STATES).is_err(), "{from} {to} {status}");
        }
    }

    #[test]
    fn a_cursor_is_good_for_its_filters_alone() {
        let (asked, _) = query("", "", "failed").read("x", STATES).unwrap();
        let page = asked.page(vec![3; 21], |row| page::of_row(*row));
        let json = serde_json::to_value(&page).unwrap();
        let cursor = Some(json["next_cursor"].as_str().unwrap().to_owned());
        let with = |status: &str| ListQuery { cursor: cursor.clone(), ..query("", "", status) };
        assert_eq!(with("failed").read("x", STATES).unwrap().1.before, Some(3));
        assert!(with("").read("x", STATES).is_err());
        assert!(with("failed").read("y", STATES).is_err());
    }
}
