//! Removes from a transcript what nobody said: `[BLANK_AUDIO]`, `(wind blowing)`, `*beep*`, `♪`, and a sentence that starts over.

use std::time::Duration;

/// Nobody speaks faster for long: of a transcript that is faster, the repeats are the model's.
const MOST_WORDS_PER_SECOND: f32 = 4.0;
/// Words that a repeated passage has at least. Shorter repeats are people: "no no no", "five five five".
const LEAST_LOOP_WORDS: usize = 4;

/// The words alone, single spaces between them. Text without words becomes empty. `speech` is how long the caller spoke.
pub(super) fn tidy(text: &str, speech: Duration) -> String {
    let text = without_noises(text);
    let words: Vec<&str> = text.split_whitespace().filter(|w| w.chars().any(char::is_alphanumeric)).collect();
    let mut kept = without_loop(&words, LEAST_LOOP_WORDS);
    while kept as f32 > MOST_WORDS_PER_SECOND * speech.as_secs_f32().max(0.3) {
        let fewer = without_loop(&words[..kept], 1);
        if fewer == kept {
            break; // fast, but without repeats
        }
        kept = fewer;
    }
    words[..kept].join(" ")
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

/// How many of `words` to keep so that a passage of at least `least` words said over and over up to the end is there once.
///
/// With a shortened audio context Whisper may start again after the last word, until its limit of tokens cuts it in mid-sentence:
/// "a b c d e a b c d e a b". A caller who really says a sentence twice loses the second copy, which changes no meaning.
fn without_loop(words: &[&str], least: usize) -> usize {
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
            Some(period) if period >= least => return start + period,
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
            assert_eq!(tidy(said, Duration::from_secs(3)), words, "{said:?}");
        }
    }

    #[test]
    fn what_nobody_can_say_so_fast_was_said_once() {
        let cases = [
            ("sixty lakh rupees, sixty lakh rupees.", 1_200, "sixty lakh rupees,"),
            ("no thank you, no thank you, no, no, no, no, no, no, no, no", 900, "no thank you,"),
            ("No, no, no.", 1_000, "No, no, no."),
            ("double five double five", 1_500, "double five double five"),
            ("yes", 100, "yes"),
            ("I want it now please do it", 1_000, "I want it now please do it"),
        ];
        for (said, ms, words) in cases {
            assert_eq!(tidy(said, Duration::from_millis(ms)), words, "{said:?}");
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
            assert_eq!(tidy(said, Duration::from_secs(6)), words, "{said:?}");
        }
    }
}
