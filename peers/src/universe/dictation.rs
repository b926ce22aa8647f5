//! Somebody who reads out a number: groups of digits, letters or words, and between them the pauses of a person who looks at a card.
//!
//! Place: a line of a script ([`super::scenario::Cue::Dictated`]). It is one go of the caller from its first sound to its last, however long a
//! pause in it is: an agent that takes a pause for the end has cut the caller off, which is what this line is for.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_codecs::SampleRate;

use super::cast::{Cast, CastError, Voice};
use super::phrases::dictated;
use crate::caller::Rendered;
use crate::dice::Dice;
use crate::ear;

/// What is read out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dictated {
    /// A telephone number of ten digits.
    Phone,
    /// A postal code or PIN of six.
    Pin,
    /// An e-mail address.
    Email,
    /// A sum of money.
    Amount,
    /// A day.
    Date,
}

impl Dictated {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Phone, Self::Pin, Self::Email, Self::Amount, Self::Date];

    /// In reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone numbers",
            Self::Pin => "PINs",
            Self::Email => "e-mail addresses",
            Self::Amount => "amounts",
            Self::Date => "dates",
        }
    }
}

/// A stretch that is said in one go, and the pause behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its words.
    pub words: String,
    /// Silence before the next one; behind the last it is not waited for.
    #[serde(with = "crate::millis")]
    pub pause: Duration,
}

/// What is read out, in groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dictation {
    /// What it is.
    pub what: Dictated,
    /// In order.
    pub groups: Vec<Group>,
}

impl Dictation {
    /// These groups, with this pause behind each.
    pub fn of(what: Dictated, groups: &[&str], pause: Duration) -> Self {
        let groups = groups.iter().map(|words| Group { words: (*words).to_owned(), pause });
        Self { what, groups: groups.collect() }
    }

    /// One of many, with pauses of 300 to 1,200 ms.
    pub fn draw(what: Dictated, dice: &mut Dice) -> Self {
        let one = |dice: &mut Dice, of: &[&'static str]| dice.pick(of).copied().unwrap_or_default();
        let two = |dice: &mut Dice, of: &[[&'static str; 2]]| dice.pick(of).copied().unwrap_or_default();
        let groups: Vec<&str> = match what {
            Dictated::Phone => match dice.within(0..3) {
                0 => vec![one(dice, &dictated::FIVE_FIRST), one(dice, &dictated::FIVE_LAST)],
                1 => vec![one(dice, &dictated::FOUR_FIRST), one(dice, &dictated::THREE), one(dice, &dictated::THREE)],
                _ => vec![one(dice, &dictated::TWO_FIRST), one(dice, &dictated::FOUR), one(dice, &dictated::FOUR)],
            },
            Dictated::Pin => vec![one(dice, &dictated::THREE), one(dice, &dictated::THREE)],
            Dictated::Email => {
                let mailbox = if dice.chance(0.5) { &dictated::MAILBOXES[..] } else { &dictated::SPELLED[..] };
                [two(dice, mailbox), two(dice, &dictated::HOSTS)].concat()
            }
            Dictated::Amount => two(dice, &dictated::AMOUNTS).to_vec(),
            Dictated::Date => dice.pick(&dictated::DATES).copied().unwrap_or_default().to_vec(),
        };
        let groups = groups.into_iter().map(|words| Group { words: words.to_owned(), pause: dice.millis(300..1_200) });
        Self { what, groups: groups.collect() }
    }

    /// All its words.
    pub fn text(&self) -> String {
        self.groups.iter().map(|group| group.words.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Its sound in that voice, pauses within.
    ///
    /// # Errors
    ///
    /// As [`Cast::say`].
    pub fn render(&self, cast: &Cast, voice: Voice) -> Result<Rendered, CastError> {
        let mut samples: Vec<i16> = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            let line = cast.say(voice, &group.words)?;
            samples.extend_from_slice(&line.samples);
            if index + 1 < self.groups.len() {
                // what the recording has of silence behind its last sound is part of the pause
                let trailing = line.samples.len() - ear::spoken_length(&line.samples).min(line.samples.len());
                let pause = SampleRate::HZ_8000.samples_in(group.pause);
                samples.resize(samples.len() + pause.saturating_sub(trailing), 0);
            }
        }
        Ok(Rendered { text: self.text(), samples: samples.into() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::voice::{Listener, transcript};

    #[test]
    fn pauses_lie_between_the_groups_and_the_words_can_be_told() {
        let pause = Duration::from_millis(800);
        let dictation = Dictation::of(Dictated::Phone, &["nine eight", "one two three four"], pause);
        let cast = Cast::without_flite();
        let line = dictation.render(&cast, Voice::Formant(3)).unwrap();
        let alone: usize =
            dictation.groups.iter().map(|group| cast.say(Voice::Formant(3), &group.words).unwrap().samples.len()).sum();
        assert!((alone + 5_000..=alone + 6_400).contains(&line.samples.len()), "{} of {alone}", line.samples.len());
        let mut listener = Listener::new();
        let words = [listener.push(&line.samples), listener.finish()].concat();
        assert_eq!(transcript(&words), dictation.text());
    }

    #[test]
    fn a_drawn_telephone_number_has_ten_digits() {
        let digits = |text: &str| {
            let mut count = 0;
            let mut times = 1;
            for word in text.split(' ') {
                match word {
                    "double" => times = 2,
                    "triple" => times = 3,
                    _ => (count, times) = (count + times, 1),
                }
            }
            count
        };
        let mut dice = Dice::new(4);
        for _ in 0..200 {
            let phone = Dictation::draw(Dictated::Phone, &mut dice);
            assert_eq!(digits(&phone.text()), 10, "{}", phone.text());
            assert!(phone.groups.iter().all(|group| (300..1_200).contains(&group.pause.as_millis())));
            assert_eq!(digits(&Dictation::draw(Dictated::Pin, &mut dice).text()), 6);
        }
    }
}
