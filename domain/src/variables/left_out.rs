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
//! | `Hi, is this {name}? I am Asha.`    | Hi. I am Asha.                   |
//! | `Call {phone} or {email} now.`      | Call now.                        |
//!
//! A clause that was about nothing but the name goes whole: who is asked "is this?" cannot answer.

/// Words that lead to a name, and mean nothing without it.
const LEADING: &[&str] =
    &["a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "our", "the", "to", "with", "your"];
/// What joins two names.
const JOINING: &[&str] = &["and", "or"];
/// A clause that ends in one of these says nothing without the name.
const OPEN: &[&str] = &[
    "am", "are", "be", "called", "i'm", "is", "it's", "named", "speak", "speaking", "talk", "talking", "that's",
    "this", "was", "you're",
];
/// What ends a clause, and what ends a sentence.
const CLAUSE: &[char] = &[',', ';', ':'];
const SENTENCE: &[char] = &['.', '!', '?', '।'];
/// What closes up to the word before it.
const CLOSING: &[char] = &['.', ',', '!', '?', ';', ':', '।'];

/// A name is missing between `words` and `after`: the words that lead to it go, and no space or comma is left over. How many bytes of `after` go too.
pub(super) fn leave_out(words: &mut String, after: &str) -> usize {
    if let Some(joined) = to_the_next_name(after) {
        return joined; // what leads here leads there as well
    }
    let mut kept = words.trim_end();
    while let Some(last) = last_word(kept).filter(|last| is_one_of(LEADING, last)) {
        kept = kept[..kept.len() - last.len()].trim_end();
    }
    let next = after.trim_start().chars().next();
    let closes = next.is_none_or(|next| CLOSING.contains(&next));
    if last_word(kept).is_some_and(|last| is_one_of(OPEN, last))
        && let Some(to) = end_of_clause(after)
    {
        let kept = kept.len();
        words.truncate(kept);
        return leave_out_clause(words, &after[..to]);
    }
    let kept = if closes { kept.trim_end_matches(CLAUSE) } else { kept };
    words.truncate(kept.len());
    if !closes && !after.starts_with(char::is_whitespace) && !words.is_empty() {
        words.push(' ');
    }
    0
}

/// Where the next name begins, if nothing but an "or" lies before it.
fn to_the_next_name(after: &str) -> Option<usize> {
    let (between, _) = after.split_once('{')?;
    is_one_of(JOINING, between.trim()).then_some(between.len())
}

/// Behind the mark that ends the clause, if no more than a word of it is left: "is this … speaking?"
fn end_of_clause(after: &str) -> Option<usize> {
    let Some(place) = after.find([CLAUSE, SENTENCE].concat().as_slice()) else {
        return after.trim().is_empty().then_some(after.len());
    };
    let (left, mark) = after.split_at(place);
    let most = usize::from(mark.starts_with('?'));
    (left.split_whitespace().count() <= most).then(|| place + mark.chars().next().map_or(0, char::len_utf8))
}

/// The clause in which `words` end goes with its `rest`; what went before it closes as the clause did, but asks nothing.
fn leave_out_clause(words: &mut String, rest: &str) -> usize {
    let is_mark = |letter: char| CLAUSE.contains(&letter) || SENTENCE.contains(&letter);
    let begins = words.rmatch_indices(char::is_whitespace).find(|(at, _)| words[..*at].ends_with(is_mark));
    words.truncate(begins.map_or(0, |(at, _)| at));
    if words.ends_with(CLAUSE) {
        words.pop();
        words.push(rest.chars().next_back().filter(|mark| is_mark(*mark) && *mark != '?').unwrap_or('.'));
    }
    rest.len()
}

fn last_word(words: &str) -> Option<&str> {
    words.rsplit(char::is_whitespace).next()
}

fn is_one_of(list: &[&str], word: &str) -> bool {
    list.iter().any(|listed| word.eq_ignore_ascii_case(listed))
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
            ("Hi, is this {caller}?", "Hi.", 1),
            ("Hi, is this {caller}? I am {agent}.", "Hi. I am Asha.", 1),
            ("Hello! Am I speaking with {caller}? I am {agent}.", "Hello! I am Asha.", 1),
            ("Good morning: may I speak to {caller}?", "Good morning.", 1),
            ("Is this {caller} speaking?", "", 1),
            ("Hello, is {caller} there? This is {agent}.", "Hello. This is Asha.", 1),
            ("Hello, my name is {whom}, and I can help.", "Hello, and I can help.", 1),
            ("Welcome! I'm {whom}.", "Welcome!", 1),
            ("Would you like to book with {clinic}?", "Would you like to book?", 1),
            ("Is this {clinic} number still yours?", "Is this number still yours?", 1),
            ("Reach us at {phone} or {email}.", "Reach us.", 2),
            ("Reach us at {phone} or {agent}.", "Reach us at Asha.", 1),
            ("Reach us at {agent} or {email}.", "Reach us at Asha.", 1),
            ("Hello {caller} and welcome.", "Hello and welcome.", 1),
        ] {
            let filled = variables.fill_spoken(said);
            assert_eq!((filled.text.as_str(), filled.unknown.len()), (left, unknown), "{said}");
        }
    }
}
