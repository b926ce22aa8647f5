//! A spoken text without the names that stand for nothing.
//!
//! An agent's words come from an interface at any time, and a call is no place to refuse them: a name that nobody knows goes with the words that
//! only led to it, so that what is left is a sentence.
//!
//! | said                                | without a value                  |
//! |-------------------------------------|----------------------------------|
//! | `This is Asha from {compny}.`       | This is Asha.                    |
//! | `Hello {name}, this is Asha.`       | Hello, this is Asha.             |
//! | `Calls to the {nme} are recorded.`  | Calls are recorded.              |

/// Words that lead to a name, and mean nothing without it.
const LEADING: &[&str] = &["a", "an", "at", "by", "for", "from", "in", "of", "on", "our", "the", "to", "with", "your"];
/// What closes up to the word before it.
const CLOSING: &[char] = &['.', ',', '!', '?', ';', ':', '।'];

/// A name is missing between `words` and `after`: the words that lead to it go, and no space or comma is left over.
pub(super) fn leave_out(words: &mut String, after: &str) {
    let mut kept = words.trim_end();
    while let Some(last) = kept.rsplit(char::is_whitespace).next().filter(|last| is_leading(last)) {
        kept = kept[..kept.len() - last.len()].trim_end();
    }
    let next = after.trim_start().chars().next();
    let closes = next.is_none_or(|next| CLOSING.contains(&next));
    let kept = if closes { kept.trim_end_matches([',', ';', ':']) } else { kept };
    words.truncate(kept.len());
    if !closes && !after.starts_with(char::is_whitespace) && !words.is_empty() {
        words.push(' ');
    }
}

/// The whole text once more: no two spaces, none before a comma or a full stop, none at the ends, and a capital where the beginning is lost.
pub(super) fn closed_up(text: &str) -> String {
    let mut closed = String::with_capacity(text.len());
    for letter in text.trim().chars() {
        let gap = closed.ends_with(' ');
        match letter {
            ' ' if gap || closed.is_empty() => continue,
            letter if gap && CLOSING.contains(&letter) => {
                closed.pop();
            }
            _ => {}
        }
        closed.push(letter);
    }
    let mut letters = closed.trim_start_matches([',', ' ']).trim_end().chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn is_leading(word: &str) -> bool {
    LEADING.iter().any(|leading| word.eq_ignore_ascii_case(leading))
}

#[cfg(test)]
mod tests {
    use super::super::Variables;

    #[test]
    fn what_is_left_is_a_sentence() {
        let mut variables = Variables::default();
        variables.insert("agent", "Asha");
        for (said, left, unknown) in [
            ("This is {agent} from {compny}.", "This is Asha.", 1),
            ("Hello {caller}, this is {agent}.", "Hello, this is Asha.", 1),
            ("Welcome back, {{caller}}!", "Welcome back!", 1),
            ("{caller}, this is {agent}.", "This is Asha.", 1),
            ("Calls to the {nme} are recorded by {whom}. I am a machine.", "Calls are recorded. I am a machine.", 2),
            ("{x}", "", 1),
        ] {
            let filled = variables.fill_spoken(said);
            assert_eq!((filled.text.as_str(), filled.unknown.len()), (left, unknown), "{said}");
        }
    }
}
