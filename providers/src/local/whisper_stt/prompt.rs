//! The words to expect, as a line that Whisper continues from. Pure.

/// Words that fit: more cost time with every inference and blur the hint.
const MAX_WORDS: usize = 24;

/// A prompt naming `hints`, the words of the answer that we just asked for, then `keywords`, the agent's own. Empty if there are none.
pub(super) fn prompt(hints: &[String], keywords: &[String]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in hints.iter().chain(keywords).map(|word| word.trim()).filter(|word| !word.is_empty()) {
        if !words.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            words.push(word);
        }
    }
    words.truncate(MAX_WORDS);
    if words.is_empty() { String::new() } else { format!("{}.", words.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|w| (*w).to_owned()).collect()
    }

    #[test]
    fn hints_come_first_and_nothing_twice() {
        assert_eq!(prompt(&words(&["Delhi", " "]), &words(&["delhi", "lakh"])), "Delhi, lakh.");
        assert_eq!(prompt(&[], &[]), "");
    }

    #[test]
    fn a_long_list_is_cut() {
        let many: Vec<String> = (0..100).map(|n| format!("w{n}")).collect();
        assert_eq!(prompt(&many, &[]).split(", ").count(), MAX_WORDS);
    }
}
