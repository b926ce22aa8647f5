//! Removes from a transcript what nobody said: `[BLANK_AUDIO]`, `(wind blowing)`, `*beep*`, `♪`, and a sentence that starts over.

/// Words that a repeated passage has at least. Shorter repeats are people: "no no no", "five five five".
const LEAST_LOOP_WORDS: usize = 4;

/// The words alone, single spaces between them. Text without words becomes empty.
pub(super) fn tidy(text: &str) -> String {
    let text = without_noises(text);
    let words: Vec<&str> = text.split_whitespace().filter(|w| w.chars().any(char::is_alphanumeric)).collect();
    words[..without_loop(&words)].join(" ")
}

fn without_noises(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let closing = match c {
            '[' => Some(']'),
            '(' => Some(')'),
            '*' => Some('*'),
            '♪' | '♫' => Some('♪'),
            _ => None,
        };
        rest = &rest[c.len_utf8()..];
        match closing {
            None => kept.push(c),
            // Left open by the token limit: a lone bracket is dropped and the words behind it stay.
            Some(closing) => rest = rest.split_once(closing).map_or(rest, |(_, after)| after),
        }
    }
    kept
}

/// How many of `words` to keep so that a passage said over and over up to the end is there once.
///
/// With a shortened audio context Whisper may start again after the last word, until its limit of tokens cuts it in mid-sentence:
/// "a b c d e a b c d e a b". A caller who really says a sentence twice loses the second copy, which changes no meaning.
fn without_loop(words: &[&str]) -> usize {
    let bare: Vec<String> =
        words.iter().map(|w| w.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()).collect();
    let repeats = |start: usize, period: usize| {
        let tail = &bare[start..];
        let last = tail.len() - period - 1; // it may be cut in mid-word
        let same = |(n, (again, once)): (usize, (&String, &String))| {
            again == once || (n == last && period >= LEAST_LOOP_WORDS && once.starts_with(again.as_str()))
        };
        tail[period..].iter().zip(tail).enumerate().all(same)
    };
    for start in 0..bare.len() {
        // What repeats every one to three words is speech, though it also repeats every six.
        match (1..=(bare.len() - start) / 2).find(|period| repeats(start, *period)) {
            Some(period) if period >= LEAST_LOOP_WORDS => return start + period,
            Some(_) => return bare.len(),
            None => {}
        }
    }
    bare.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noises_go_and_words_stay() {
        let cases = [
            (" Sixty lakh rupees.", "Sixty lakh rupees."),
            ("[BLANK_AUDIO]", ""),
            (" (wind blowing) Hello, *beep* this is ♪ la la ♪ me.", "Hello, this is me."),
            ("[Music", "Music"),
            (" ... - ", ""),
            ("♪", ""),
        ];
        for (said, words) in cases {
            assert_eq!(tidy(said), words, "{said:?}");
        }
    }

    #[test]
    fn a_sentence_that_starts_over_is_there_once() {
        let cases = [
            ("Call me back tomorrow. Call me back tomorrow. Call", "Call me back tomorrow."),
            ("Call me back tomorrow. Call me back tomorrow. Call me ba", "Call me back tomorrow."),
            ("Well, call me back tomorrow. Call me back tomorrow", "Well, call me back tomorrow."),
            ("no no no no no no no no", "no no no no no no no no"),
            ("nine eight nine eight nine eight nine eight", "nine eight nine eight nine eight nine eight"),
            ("I said fifty, I said fifty", "I said fifty, I said fifty"),
        ];
        for (said, words) in cases {
            assert_eq!(tidy(said), words, "{said:?}");
        }
    }
}
