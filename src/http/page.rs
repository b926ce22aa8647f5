//! Pages of a list: `limit` and `cursor` in, `items` and `next_cursor` out.
//!
//! A page goes on from the last item that was shown and not from a count of items, so that it never repeats or skips one while new ones
//! arrive at the other end. To clients the cursor is opaque ([`cursor`](super::cursor)).

use serde::Serialize;
use utoipa::ToSchema;

use super::cursor;
use super::problem::Problem;

/// Items without `limit` in the query.
pub(super) const DEFAULT_LIMIT: u32 = 20;
/// Most items that one request may ask for.
pub(super) const MAX_LIMIT: u32 = 100;

/// One page of a list.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// At most `limit` of them.
    items: Vec<T>,
    /// `cursor` of the next page; `null` on the last one.
    next_cursor: Option<String>,
}

/// Which page of which list a request asks for.
#[derive(Debug)]
pub(super) struct Asked {
    /// The list with its filters; what a cursor is good for.
    scope: String,
    /// Most items.
    pub(super) limit: u32,
    /// Position of the last item that was shown.
    pub(super) after: Option<u128>,
}

impl Asked {
    /// Reads `limit` and `cursor` as they stand in the query; an empty value counts as none.
    pub(super) fn read(limit: Option<&str>, cursor: Option<&str>, scope: String) -> Result<Self, Problem> {
        let present = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let limit =
            match present(limit) {
                None => DEFAULT_LIMIT,
                Some(text) => text.parse().ok().filter(|number| (1..=MAX_LIMIT).contains(number)).ok_or_else(|| {
                    Problem::invalid("limit", format!("must be a whole number from 1 to {MAX_LIMIT}"))
                })?,
            };
        let after = match present(cursor) {
            None => None,
            Some(text) => Some(cursor::decode(&scope, &text).ok_or_else(|| {
                let detail = "must be the next_cursor of an earlier page of this list with the same filters; leave it out to begin anew";
                Problem::invalid("cursor", detail)
            })?),
        };
        Ok(Self { scope, limit, after })
    }

    /// Rows to read: one more than asked for tells whether there is another page.
    pub(super) fn rows(&self) -> u32 {
        self.limit + 1
    }

    /// The page that `rows` make; `position` is an item's place in the list.
    pub(super) fn page<T>(&self, mut rows: Vec<T>, position: impl Fn(&T) -> u128) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|last| cursor::encode(&self.scope, position(last)));
        Page { items: rows, next_cursor }
    }
}

/// A row number as a position. They are positive; one that is not would be a page's end that leads nowhere.
pub(super) fn of_row(number: i64) -> u128 {
    u128::try_from(number).unwrap_or_default()
}

/// The row number at a position.
pub(super) fn to_row(position: Option<u128>) -> Option<i64> {
    position.map(|position| i64::try_from(position).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn asked(limit: Option<&str>, cursor: Option<&str>) -> Result<Asked, Problem> {
        Asked::read(limit, cursor, "rows".to_owned())
    }

    #[test]
    fn the_row_too_many_becomes_the_cursor_of_the_last_one_shown() {
        let asked_for_two = asked(Some("2"), None).unwrap();
        let page = |rows: &[i64]| asked_for_two.page(rows.to_vec(), |row| of_row(*row));
        let first = page(&[9, 7, 4]);
        assert_eq!(first.items, [9, 7]);
        let next = asked(None, first.next_cursor.as_deref()).unwrap();
        assert_eq!(to_row(next.after), Some(7));
        assert_eq!(page(&[9, 7]), Page { items: vec![9, 7], next_cursor: None });
        assert_eq!(page(&[]), Page { items: vec![], next_cursor: None });
    }

    #[test]
    fn limits() {
        assert_eq!(asked(None, Some("")).unwrap().limit, 20);
        assert_eq!(asked(Some("100"), None).unwrap().rows(), 101);
        for text in ["0", "101", "1e6", "-1", "99999999999999999999"] {
            assert!(asked(Some(text), None).is_err(), "{text}");
        }
        assert!(asked(None, Some("7")).is_err());
    }
}
