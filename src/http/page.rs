//! Pages of a list: `limit` and `cursor` in, `items` and `next_cursor` out.
//!
//! The cursor is the row number of the last item that was shown, so a page never repeats or skips a row while new ones arrive at the
//! other end. To clients it is opaque.

use serde::Serialize;

use super::problem::Problem;

/// Items without `limit` in the query.
const DEFAULT_LIMIT: u32 = 20;
/// Most items that one request may ask for.
const MAX_LIMIT: u32 = 100;

/// One page.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Page<T> {
    items: Vec<T>,
    /// `null` on the last page.
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of `rows`, which hold one more than `limit` where there is another page.
    pub(super) fn cut(mut rows: Vec<T>, limit: u32, id: impl Fn(&T) -> i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|last| id(last).to_string());
        Self { items: rows, next_cursor }
    }

    /// A list that is always whole.
    pub(super) fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }
}

/// Reads `limit`.
pub(super) fn limit(text: Option<&str>) -> Result<u32, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(DEFAULT_LIMIT) };
    let number = text.parse().ok().filter(|number| (1..=MAX_LIMIT).contains(number));
    number.ok_or_else(|| Problem::invalid("limit", format!("must be a whole number from 1 to {MAX_LIMIT}")))
}

/// Reads `cursor`.
pub(super) fn cursor(text: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let number = text.parse().ok().filter(|number: &i64| *number > 0);
    number.map(Some).ok_or_else(|| Problem::invalid("cursor", "must be the next_cursor of an earlier page"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_too_many_becomes_the_cursor_of_the_last_one_shown() {
        let page = |rows: &[i64]| Page::cut(rows.to_vec(), 2, |row| *row);
        assert_eq!(page(&[9, 7, 4]), Page { items: vec![9, 7], next_cursor: Some("7".to_owned()) });
        assert_eq!(page(&[9, 7]), Page { items: vec![9, 7], next_cursor: None });
        assert_eq!(page(&[]), Page { items: vec![], next_cursor: None });
    }

    #[test]
    fn limits() {
        assert_eq!(limit(None), Ok(20));
        assert_eq!(limit(Some("100")), Ok(100));
        for text in ["0", "101", "1e6", "-1", "99999999999999999999"] {
            assert!(limit(Some(text)).is_err(), "{text}");
        }
        assert!(cursor(Some("0")).is_err() && cursor(Some("x")).is_err());
    }
}
