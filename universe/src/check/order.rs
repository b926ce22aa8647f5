//! Two rows of words beside each other: which of the one are in the other, in order.

/// A match outweighs any number of preferences.
const MATCH: u32 = 1 << 12;

/// For each word of `row`, its place in `other`: a longest common subsequence, places growing. `None` where it has none.
pub(super) fn places<A: AsRef<str>, B: AsRef<str>>(row: &[A], other: &[B]) -> Vec<Option<usize>> {
    places_preferring(row, other, |_| false)
}

/// The same; of several that are as long, the one with the most preferred places.
pub(super) fn places_preferring<A: AsRef<str>, B: AsRef<str>>(
    row: &[A],
    other: &[B],
    preferred: impl Fn(usize) -> bool,
) -> Vec<Option<usize>> {
    let (rows, columns) = (row.len(), other.len());
    let worth = |place| MATCH + u32::from(preferred(place));
    // length[i][j]: what the best common subsequence of row[i..] and other[j..] is worth
    let mut length = vec![vec![0_u32; columns + 1]; rows + 1];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            length[i][j] = if row[i].as_ref() == other[j].as_ref() {
                (length[i + 1][j + 1] + worth(j)).max(length[i + 1][j]).max(length[i][j + 1])
            } else {
                length[i + 1][j].max(length[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, vec![None; rows]);
    while i < rows && j < columns {
        if row[i].as_ref() == other[j].as_ref() && length[i][j] == length[i + 1][j + 1] + worth(j) {
            out[i] = Some(j);
            (i, j) = (i + 1, j + 1);
        } else if length[i + 1][j] >= length[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_find_their_places_in_order() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(places(&words("b c"), &words("a b c d")), [Some(1), Some(2)]);
        assert_eq!(
            places(&words("c b"), &words("a b c d")).iter().flatten().count(),
            1,
            "the other way round is no order"
        );
        assert_eq!(places(&words("a x b a"), &words("a b a")), [Some(0), None, Some(1), Some(2)]);
        let later = places_preferring(&words("a b"), &words("a b a b"), |place| place >= 2);
        assert_eq!(later, [Some(2), Some(3)]);
        assert_eq!(places::<String, String>(&[], &words("a")), []);
    }
}
