//! Sentences of a text that comes in pieces: where they end, how early that is known, and what never ends one.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use tandem_domain::sentences::{FIRST, LONGEST, Sentences};

/// The sentences of a text that comes in these pieces.
fn cut<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let (mut sentences, mut found) = (Sentences::new(), Vec::new());
    for piece in pieces {
        sentences.push(piece);
        while let Some(sentence) = sentences.next_whole() {
            found.push(sentence);
        }
    }
    found.extend(sentences.finish());
    found
}

fn characters(text: &str) -> Vec<&str> {
    text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]).collect()
}

#[test]
fn sentences_end_where_a_reader_ends_them() {
    for (text, expected) in [
        ("Sure. I can help!  What for?", &["Sure.", "I can help!", "What for?"][..]),
        ("It costs Rs. 60 a piece. Take two.", &["It costs Rs. 60 a piece.", "Take two."]),
        ("That is 3.5 km, or 1,000.50 rupees. Fine?", &["That is 3.5 km, or 1,000.50 rupees.", "Fine?"]),
        (
            "Dr. Mehta and Mrs. J. Rao vs. Acme Pvt. Ltd. agreed. Good.",
            &["Dr. Mehta and Mrs. J. Rao vs. Acme Pvt. Ltd. agreed.", "Good."],
        ),
        (
            "We open at 10 a.m. on weekdays. We close at 6 p.m. Come early.",
            &["We open at 10 a.m. on weekdays.", "We close at 6 p.m.", "Come early."],
        ),
        ("No. I cannot. But No. 5 can.", &["No.", "I cannot.", "But No. 5 can."]),
        ("Well... let me see. Hm… Yes.", &["Well... let me see.", "Hm…", "Yes."]),
        ("Really?! Yes!!! \"Of course.\" Done.", &["Really?!", "Yes!!!", "\"Of course.\"", "Done."]),
        ("आपका ऑर्डर आ गया है। डॉ. मेहता कल आएँगे। ठीक है?", &["आपका ऑर्डर आ गया है।", "डॉ. मेहता कल आएँगे।", "ठीक है?"]),
        ("1. Cash\n2. Card\n- **Both**\n# End", &["1. Cash", "2. Card", "Both", "End"]),
        (
            "Visit www.example.com or write to a.b@example.com. Bye.",
            &["Visit www.example.com or write to a.b@example.com.", "Bye."],
        ),
        ("...\n\n***\n", &[]),
        ("", &[]),
    ] {
        assert_eq!(cut([text]), expected, "at once: {text}");
        assert_eq!(cut(characters(text)), expected, "character by character: {text}");
    }
}

#[test]
fn a_sentence_is_given_with_the_first_character_of_the_next_token() {
    let mut sentences = Sentences::new();
    for piece in ["Sure", ", I", " can", "."] {
        sentences.push(piece);
        assert_eq!(sentences.next_whole(), None, "{piece}");
    }
    sentences.push(" Your");
    assert_eq!(sentences.next_whole().as_deref(), Some("Sure, I can."));
    sentences.push(" order।");
    assert_eq!(sentences.next_whole().as_deref(), Some("Your order।"), "a danda needs no witness");
}

#[test]
fn a_long_beginning_is_given_up_to_its_clause_and_what_follows_is_not_hurried() {
    let text = "Thank you for calling us about the apartment in Delhi, which I have found in our lists and which is \
                still free, so that you could see it tomorrow.";
    let found = cut(characters(text));
    assert_eq!(found[0], "Thank you for calling us about the apartment in Delhi,");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].chars().count() <= FIRST);
}

#[test]
fn what_was_not_given_can_be_forgotten() {
    let mut sentences = Sentences::new();
    sentences.push("Your balance is");
    sentences.clear();
    sentences.push("Hello. ");
    assert_eq!(sentences.next_whole().as_deref(), Some("Hello."));
}

proptest! {
    /// Words, signs and digits in any order and any pieces: nothing is lost, doubled or too long, and no number is torn.
    #[test]
    fn every_word_is_in_exactly_one_sentence(
        words in prop::collection::vec("[a-z]{1,9}[.!?,]{0,2}|[0-9]{1,4}(,[0-9]{3})?(\\.[0-9]{1,2})?|…|Rs\\.|है।", 0..120),
        step in 1_usize..9,
    ) {
        let text = words.join(" ");
        let letters = characters(&text);
        let pieces: Vec<String> = letters.chunks(step).map(|chunk| chunk.concat()).collect();
        let found = cut(pieces.iter().map(String::as_str));
        for sentence in &found {
            prop_assert!(sentence.chars().count() <= LONGEST, "{sentence}");
        }
        let words_of = |text: &str| -> Vec<String> {
            text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).map(str::to_owned).collect()
        };
        prop_assert_eq!(words_of(&found.join(" ")), words_of(&text));
        prop_assert_eq!(found, cut([text.as_str()]), "the same in one piece");
    }

    /// A word without an end is cut, never within its digits for less than the bound.
    #[test]
    fn nothing_grows_without_bound(letter in "[a-zक-ह]", times in 500_usize..2_000) {
        for sentence in cut([letter.repeat(times).as_str()]) {
            prop_assert!(sentence.chars().count() <= LONGEST);
        }
    }
}
