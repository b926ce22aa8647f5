//! Two rows of words beside each other: which of the one are in the other, in order.

/// For each word of `row`, its place in `other`: a longest common subsequence, places growing. `None` where it has none.
pub(super) fn places<A: AsRef<str>, B: AsRef<str>>(row: &[A], other: &[B]) -> Vec<Option<usize>> {
    let (rows, columns) = (row.len(), other.len());
    // length[i][j]: of the longest common subsequence of row[i..] and other[j..]
    let mut length = vec![vec![0_u32; columns + 1]; rows + 1];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            length[i][j] = if row[i].as_ref() == other[j].as_ref() {
                length[i + 1][j + 1] + 1
            } else {
                length[i + 1][j].max(length[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, vec![None; rows]);
    while i < rows && j < columns {
        if row[i].as_ref() == other[j].as_ref() && length[i][j] == length[i + 1][j + 1] + 1 {
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
        assert_eq!(places(&words("c b"), &words("a b c d")).iter().flatten().count(), 1, "the other way round is no order");
        assert_eq!(places(&words("a x b a"), &words("a b a")), [Some(0), None, Some(1), Some(2)]);
        assert_eq!(places::<String, String>(&[], &words("a")), []);
    }
}
