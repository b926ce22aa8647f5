//! How long silence must last before the caller's turn is over, from what was said and how this caller speaks.
//!
//! Place: inside [`crate::turn::Turns`], which asks when the words of a pause are settled. Bounded in every case by [`LONGEST`]; says nothing while
//! the caller speaks. Reads no clock and hears no audio: words come in, a span comes out.
//!
//! With the default silence of 500 ms, before the caller's own pauses are counted in:
//!
//! | what was said                                            | silence      |
//! |----------------------------------------------------------|--------------|
//! | an answer that is whole: "Yes, please."                  | 300 ms       |
//! | the value that was asked for, whole                      | 300 ms       |
//! | anything else                                            | 500 ms       |
//! | such a value, whole, that may grow: "Two lakh."          | 950 ms       |
//! | words after which more comes: "I want to"                | 1,200 ms     |
//! | a value that may grow, without a full stop: "two lakh"   | 1,400 ms     |
//! | the beginning of such a value: "nine eight seven"        | 2,500 ms     |
//! | of an e-mail address, of a postal address                | 3,500 ms     |
//!
//! Where a value was asked for and another is dictated, that one is waited for too (`unasked`), but as a whole it is a plain sentence. Where
//! none was asked for, digits and nothing else are waited for as a telephone number is.
//!
//! A model that judges by sound (`JudgeTurn`) moves the plain case alone, to the first row or to that of words after which more comes.

use std::sync::Arc;
use std::time::Duration;

use crate::agent::{Eagerness, SpellingPatience, Timing};
use crate::slot::yes_no;

mod ending;
mod expects;
mod pauses;
mod unasked;

pub use ending::{Ending, Endings, EndingsError};
pub use expects::{Expects, Progress, Spelled};
use pauses::Pauses;

/// No silence inside a turn is longer, whatever was said.
pub const LONGEST: Duration = Duration::from_secs(4);
/// Silence after something whole, in percent of the plain one.
const WHOLE_PERCENT: u32 = 60;
/// What words that go on add.
const OPEN: Duration = Duration::from_millis(700);
/// What a value adds that may grow: people pause for so long between its parts, and speech is known for speech a little after it began. Half of
/// it, where the recogniser heard a full stop.
const GROWS: Duration = Duration::from_millis(900);
/// Silence after the beginning of a value.
const BEGUN: Duration = Duration::from_millis(2_500);
/// The same, where people think between the pieces or spell them.
const BEGUN_ADDRESS: Duration = Duration::from_millis(3_500);
/// So much more than their usual pause, in percent, a caller is given.
const MARGIN_PERCENT: u32 = 115;
/// The same between the parts of a value, where a cut costs a whole answer.
const GROUP_MARGIN_PERCENT: u32 = 150;
/// A caller's pauses stretch a silence by no more than this, in percent.
const STRETCH_PERCENT: u32 = 160;
/// A model that is so sure of the end, and of the opposite, is believed.
const SURE_OF_END: f32 = 0.8;
const SURE_OF_MORE: f32 = 0.2;

/// All of a value, which cannot grow.
const WHOLE: Progress = Progress::Whole { may_grow: false };

/// Why a silence is as long as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Nothing speaks for another.
    Plain,
    /// This caller pauses longer.
    Habit,
    /// An answer that is whole by itself.
    Whole,
    /// More words come.
    Open,
    /// The value that was asked for, whole.
    Value,
    /// The same, and it may grow.
    Growing,
    /// The beginning of the value that was asked for.
    Spelling,
    /// The model heard the end.
    Ended,
    /// The model heard that more comes.
    GoesOn,
}

impl Ground {
    /// Name for the timeline.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Habit => "habit",
            Self::Whole => "whole",
            Self::Open => "open",
            Self::Value => "value",
            Self::Growing => "growing",
            Self::Spelling => "spelling",
            Self::Ended => "ended",
            Self::GoesOn => "goes_on",
        }
    }

    /// The turn is more likely over than not.
    pub fn is_likely_end(self) -> bool {
        !matches!(self, Self::Open | Self::Spelling | Self::GoesOn)
    }

    /// The caller is in the middle of a value.
    fn is_spelling(self) -> bool {
        matches!(self, Self::Growing | Self::Spelling)
    }
}

/// A silence that ends a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// From the end of the speech.
    pub silence: Duration,
    /// Why.
    pub ground: Ground,
}

fn is_denial(text: &str) -> bool {
    yes_no::read(text).is_some_and(|assent| !assent.is_yes())
}

/// The endpointing of one call.
#[derive(Debug, Clone)]
pub struct Endpointing {
    base: Duration,
    eagerness: Eagerness,
    spelling: SpellingPatience,
    endings: Arc<Endings>,
    /// By a playbook's state.
    expects: Option<Expects>,
    /// By the words of a question, where no playbook tells.
    asked: Option<Spelled>,
    /// Pauses in plain sentences, and in dictated values.
    pauses: Pauses,
    group_pauses: Pauses,
}

impl Endpointing {
    /// For an agent with this patience, in a call in this language (BCP 47 tag).
    pub fn new(timing: &Timing, language: &str) -> Self {
        Self {
            base: timing.endpoint_silence.min(LONGEST),
            eagerness: timing.eagerness,
            spelling: timing.spelling_patience,
            endings: Endings::of(language),
            expects: None,
            asked: None,
            pauses: Pauses::default(),
            group_pauses: Pauses::default(),
        }
    }

    /// Understands how sentences end in another language (BCP 47 tag) from now on.
    pub fn hear_in(&mut self, language: &str) {
        self.endings = Endings::of(language);
    }

    /// The silence of a plain sentence, and of a turn whose words are not known.
    pub fn plain(&self) -> Wait {
        Wait { silence: self.base, ground: Ground::Plain }
    }

    /// What the caller was asked for, by a playbook that knows it.
    pub fn expect(&mut self, expects: Option<Expects>) {
        self.expects = expects;
    }

    /// A sentence that we say, where no playbook tells what it asks for: a question may name its value.
    pub fn said(&mut self, sentence: &str) {
        if sentence.contains(['?', '？']) {
            self.asked = self.endings.named(sentence);
        }
    }

    /// Our utterance begins: what an earlier one asked is answered, or not.
    pub fn utterance_begins(&mut self) {
        self.asked = None;
    }

    /// The caller went on after a pause that was waited for as `wait` says.
    pub fn went_on(&mut self, pause: Duration, wait: Wait) {
        match wait.ground {
            ground if ground.is_spelling() => self.group_pauses.add(pause),
            // Who hesitates over an "um" tells nothing of how they end a sentence.
            Ground::Open | Ground::GoesOn => {}
            _ => self.pauses.add(pause),
        }
    }

    /// How long the silence after `text`, all settled words of the turn, must last. `end` is how sure a model is that the turn is over, 0 to 1.
    pub fn wait(&self, text: &str, end: Option<f32>) -> Wait {
        let plain = self.plain();
        #[cfg(feature = "sabotage")]
        if crate::sabotage::is_off(crate::sabotage::Mechanism::Spelling) {
            return plain;
        }
        if text.trim().is_empty() {
            return plain;
        }
        let wait = self.value(text).unwrap_or_else(|| match self.endings.read(text) {
            Ending::Open => self.open(Ground::Open),
            // "No", to "is that right?", is mostly followed by what is.
            Ending::Whole if self.expects == Some(Expects::YesNo) && is_denial(text) => self.judged(end),
            Ending::Whole if self.expects == Some(Expects::YesNo) || Endings::is_stopped(text) => {
                self.whole(Ground::Whole)
            }
            Ending::Whole | Ending::Plain => self.judged(end),
        });
        Wait { silence: wait.silence.min(LONGEST), ..wait }
    }

    /// Where a value is dictated, how long is waited for the rest of it.
    fn value(&self, text: &str) -> Option<Wait> {
        let (spelled, region, begun) = match (&self.expects, self.spelling) {
            (_, SpellingPatience::Off) => return None,
            (Some(Expects::Value { spelled, region, begun }), _) => (*spelled, region.as_deref(), begun.as_ref()),
            (None, _) if self.asked.is_some() => (self.asked?, None, None),
            (_, SpellingPatience::On) => {
                let (spelled, progress) = unasked::read(text, None)?;
                return self.of_value(spelled, progress, text);
            }
            // Nothing was asked, or the call does not know what: digits alone are a number all the same.
            (_, SpellingPatience::Auto) => return self.of_value(Spelled::Phone, unasked::digits(text)?, text),
        };
        let progress = expects::progress(spelled, region, begun, text);
        let other = unasked::read(text, Some(spelled));
        match progress {
            Progress::Nothing => {}
            // "The first of May nineteen ninety" has digits, but not of a telephone number.
            Progress::Begun if matches!(other, Some((_, WHOLE))) => return None,
            Progress::Begun | Progress::Whole { .. } => return self.of_value(spelled, progress, text),
        }
        match other {
            // Another value is no answer: whole, it ends like any sentence.
            Some((_, WHOLE | Progress::Nothing)) => None,
            // Nor is it the one over which people think.
            Some((_, Progress::Begun)) => Some(self.begun(Spelled::Phone)),
            Some((other, grows @ Progress::Whole { may_grow: true })) => self.of_value(other, grows, text),
            // "My number is".
            None if self.endings.read(text) == Ending::Open => Some(self.before(spelled)),
            // "Sure, it is": a word or two before the value.
            None => self.endings.is_preamble(text).then(|| self.open(Ground::Open)),
        }
    }

    /// So much of a value is there.
    fn of_value(&self, spelled: Spelled, progress: Progress, text: &str) -> Option<Wait> {
        match progress {
            Progress::Nothing => None,
            Progress::Begun => Some(self.begun(spelled)),
            // "Sixty lakh and": whole so far, but more comes.
            Progress::Whole { .. } if self.endings.hangs(text) => Some(self.before(spelled)),
            WHOLE => Some(self.whole(Ground::Value)),
            Progress::Whole { may_grow: true } => Some(self.growing(spelled, text)),
        }
    }

    /// A value that is whole and may grow: for as long as this caller pauses between the parts of one, where that is known.
    fn growing(&self, spelled: Spelled, text: &str) -> Wait {
        let grows = self.eagerness.of(if Endings::is_stopped(text) { GROWS / 2 } else { GROWS });
        let most = self.base + grows;
        // "At gmail" and "third of August" mostly go on, however short the pauses were before.
        let usual = self.group_pauses.usual().filter(|_| !matches!(spelled, Spelled::Email | Spelled::Date));
        let usual = usual.map(|pause| pause * GROUP_MARGIN_PERCENT / 100);
        let silence = usual.map_or(most, |usual| usual.clamp(self.base + grows / 2, most));
        Wait { silence, ground: Ground::Growing }
    }

    /// Words before a value, or within one, after which it must come.
    fn before(&self, spelled: Spelled) -> Wait {
        Wait { ground: Ground::Open, ..self.begun(spelled) }
    }

    fn begun(&self, spelled: Spelled) -> Wait {
        let silence = match spelled {
            Spelled::Email | Spelled::Address => BEGUN_ADDRESS,
            Spelled::Phone | Spelled::Pin | Spelled::Money | Spelled::Date => BEGUN,
        };
        Wait { silence: self.eagerness.of(silence).clamp(self.base, LONGEST), ground: Ground::Spelling }
    }

    fn open(&self, ground: Ground) -> Wait {
        Wait { silence: self.base + self.eagerness.of(OPEN), ground }
    }

    /// Never shorter than this caller's own pauses, where they are known.
    fn whole(&self, ground: Ground) -> Wait {
        let short = self.base * WHOLE_PERCENT / 100;
        let usual = if ground == Ground::Value { None } else { self.pauses.usual() };
        Wait { silence: usual.map_or(short, |pause| pause.clamp(short, self.base)), ground }
    }

    /// A plain sentence, by a model's judgement and by the caller's own pauses.
    fn judged(&self, end: Option<f32>) -> Wait {
        match end {
            Some(end) if end >= SURE_OF_END => self.whole(Ground::Ended),
            Some(end) if end <= SURE_OF_MORE => self.open(Ground::GoesOn),
            Some(_) | None => {
                let most = self.base * STRETCH_PERCENT / 100;
                match self.pauses.usual().map(|pause| (pause * MARGIN_PERCENT / 100).min(most)) {
                    Some(silence) if silence > self.base => Wait { silence, ground: Ground::Habit },
                    _ => self.plain(),
                }
            }
        }
    }
}
