//! The barge-in arbiter: what the caller's speech over our own voice means, and what becomes of that voice.
//!
//! ```text
//!              speech for 200 ms                 words, or long speech
//! (we speak) ───────────────────► held ─────────────────────────────────► yielded: the rest is dropped
//!      ▲                            │
//!      └────────────────────────────┘  "mm-hmm", a cough, our own echo: resumed at a word's beginning
//! ```
//!
//! Stopping is cheap and has to be quick; being wrong about it must cost nothing. So the first evidence, speech that lasts, only holds our
//! voice: the far end is cleared, what was not heard is kept. What comes later decides: words as they are recognised, how long the speech
//! goes on, whether a question was just asked. The arbiter is pure: it is told the time, and says what to do; whoever owns the voice does it.
//!
//! Not here: when the caller's turn ends ([`crate::turn`]), what was heard ([`crate::ledger`]), and moving audio ([`crate::playout`]).

mod lexicon;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::echo::{LONGEST_WAY, Loudness};

pub use lexicon::{Flaw, Lexicon, LexiconError, List, Lists, Reading, Wants};

/// Own words that a caller has to repeat in a row to count as our echo. Two are what people repeat to confirm; one, where nothing was asked, is
/// mostly a cough with our last word under it.
const ECHO_WORDS: usize = 3;

/// A sound up to this is a click, a breath, a short cough: nothing is said in it that has to be waited for.
const LONGEST_CLICK: Duration = Duration::from_millis(600);

/// So many stretches without a word over one utterance, each too long for a click, end it: resumed again and again it says nothing any more.
const WORDLESS_STRETCHES: u32 = 3;

/// Nobody says more words in a second than so many, and two; a recogniser that has more has made them up.
const MOST_WORDS_A_SECOND: u32 = 8;

/// How the arbiter weighs evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patience {
    /// Speech that goes on for longer takes the floor without any words; twice as long, as long as all its words want nothing. Waiting costs the
    /// caller nothing, our voice stands still; the room may be silent by then.
    pub longest_backchannel: Duration,
    /// Speech in which the recogniser found no word, and said so, was a sentence that we did not understand if it was longer than this;
    /// shorter, a cough, a breath or the room.
    pub longest_noise: Duration,
    /// The same of speech of which the recogniser said nothing at all.
    pub longest_untold: Duration,
    /// After the end of the speech its words are waited for so long.
    pub words_limit: Duration,
    /// The same of a sound that is too long for a click: it may be anything, and only its words tell.
    pub late_words_limit: Duration,
    /// One word alone has to be recognised with this confidence.
    pub least_confidence: f32,
    /// One word beside words that want nothing has to be recognised with this confidence: it may be one of them, misheard.
    pub least_beside: f32,
    /// Words of a phrase that wants nothing, recognised with less confidence, are that phrase, torn: "see" of "I see".
    pub least_whole: f32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            longest_backchannel: Duration::from_millis(2_500),
            longest_noise: Duration::from_millis(2_000),
            longest_untold: Duration::from_millis(800),
            words_limit: Duration::from_millis(1_200),
            late_words_limit: Duration::from_millis(2_400),
            least_confidence: 0.4,
            least_beside: 0.75,
            least_whole: 0.85,
        }
    }
}

/// What is known of our own voice when the caller speaks over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overlap {
    /// The passage has to be heard (a disclosure, a consent): nobody's speech holds it.
    pub protected: bool,
    /// The caller has heard a question in this utterance, or enough of one to answer.
    pub asked: bool,
}

/// What becomes of our voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// Stop; keep what was not heard.
    Hold,
    /// Drop what was not heard: the caller has the floor.
    Yield(Ground),
    /// Go on where the caller stopped hearing.
    Resume(Ground),
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// The caller asked for the floor.
    Command,
    /// The caller says something.
    Words,
    /// The caller answers what we asked.
    Answer,
    /// A key was pressed.
    Key,
    /// The speech goes on.
    Length,
    /// A sentence was spoken that nobody understood.
    Unheard,
    /// The caller says that he listens.
    Backchannel,
    /// No word was in it: a cough, a door.
    Noise,
    /// Our own words came back.
    Echo,
    /// Nothing was recognised in time, and the speech was short.
    Nothing,
    /// All that we had to say was heard.
    Finished,
    /// The other side has had the first word: the greeting begins.
    Opening,
}

impl Ground {
    /// Name for records and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Words => "words",
            Self::Answer => "answer",
            Self::Key => "key",
            Self::Length => "length",
            Self::Unheard => "unheard",
            Self::Backchannel => "backchannel",
            Self::Noise => "noise",
            Self::Echo => "echo",
            Self::Nothing => "nothing",
            Self::Finished => "finished",
            Self::Opening => "opening",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Held {
    overlap: Overlap,
    /// When the speech began.
    began: Instant,
    /// When it ended, if it has.
    ended: Option<Instant>,
    /// Its words so far want nothing.
    agreeing: bool,
}

impl Held {
    fn speech(&self, now: Instant) -> Duration {
        self.ended.unwrap_or(now).saturating_duration_since(self.began)
    }
}

/// The arbiter of one call.
#[derive(Debug, Clone)]
pub struct BargeIn {
    patience: Patience,
    lexicon: Arc<Lexicon>,
    held: Option<Held>,
    /// The last speech over our voice followed a question.
    asked: bool,
    /// Stretches of speech without a word over the utterance, since the last ruling that had words.
    wordless: u32,
    /// How loud the present stretch of speech is against our voice, where we know.
    loudness: Option<Loudness>,
    /// The present stretch holds nothing because it is no louder than an echo, or no longer.
    doubted: bool,
    /// When the last of our voice was heard to its end.
    heard_out: Option<Instant>,
}

impl BargeIn {
    /// An arbiter that hears by this list.
    pub fn new(patience: Patience, lexicon: Arc<Lexicon>) -> Self {
        Self {
            patience,
            lexicon,
            held: None,
            asked: false,
            wordless: 0,
            loudness: None,
            doubted: false,
            heard_out: None,
        }
    }

    /// Understands words by another lexicon from now on.
    pub fn hear_by(&mut self, lexicon: Arc<Lexicon>) {
        self.lexicon = lexicon;
    }

    /// Whether our voice is held.
    pub fn is_holding(&self) -> bool {
        self.held.is_some()
    }

    /// Speech over our voice, which began at `began`, has lasted as long as an interruption must.
    pub fn sustained(&mut self, began: Instant, overlap: Overlap) -> Option<Ruling> {
        if overlap.protected || self.held.is_some() {
            return None;
        }
        (self.doubted, self.heard_out) = (self.is_as_loud_as_an_echo(), None);
        if self.doubted {
            return None;
        }
        self.asked = overlap.asked;
        self.held = Some(Held { overlap, began, ended: None, agreeing: false });
        Some(Ruling::Hold)
    }

    /// How loud the present speech is against our own voice.
    pub fn loudness(&mut self, loudness: Loudness) {
        self.loudness = Some(loudness);
    }

    /// Whether speech has held nothing because it was no louder than our own voice comes back, and is louder by now: to be asked about again.
    pub fn has_doubted(&self) -> bool {
        self.doubted && !self.is_as_loud_as_an_echo() && !self.has_faded()
    }

    /// The caller has heard a question of ours, or has not.
    pub fn asked(&mut self, asked: bool) {
        if let Some(held) = &mut self.held {
            held.overlap.asked = asked;
            self.asked = asked;
        }
    }

    /// Whether these words, which come after our voice has gone on, say no more than that the caller listens.
    pub fn wants_nothing(&self, text: &str) -> bool {
        let reading = self.lexicon.read(text);
        let answers = self.asked && reading.answers > 0;
        !reading.is_empty() && reading.commands == 0 && reading.words(true) == 0 && !answers
    }

    /// Whether the speech that ended at `ended` is our own voice by its loudness alone: it came over our voice, held nothing, and was over before
    /// its echo was. A faint caller who speaks behind us is heard.
    pub fn is_own_voice(&self, ended: Instant) -> bool {
        let may_come_back = self.heard_out.is_none_or(|at| ended <= at + LONGEST_WAY);
        self.held.is_none() && self.doubted && may_come_back && self.is_as_loud_as_an_echo()
    }

    /// The caller begins to speak, or goes on after a pause.
    pub fn speech_again(&mut self) {
        (self.loudness, self.doubted) = (None, false);
        if let Some(held) = &mut self.held {
            held.ended = None;
        }
    }

    /// The caller's speech ended.
    pub fn speech_ended(&mut self, ended: Instant) {
        if let Some(held) = &mut self.held {
            held.ended = Some(ended);
        }
    }

    /// A key was pressed. Our voice `speaks` in a passage that a key may end.
    pub fn key(&mut self, speaks: bool) -> Option<Ruling> {
        let held = self.held.take().is_some();
        (held || speaks).then_some(Ruling::Yield(Ground::Key))
    }

    /// Words so far; they may change. `own` is what our voice had been saying.
    pub fn partial(&mut self, text: &str, own: &str) -> Option<Ruling> {
        let held = self.held?;
        let reading = self.lexicon.read(&self.without_echo(text, own));
        if let Some(held) = &mut self.held {
            held.agreeing = !reading.is_empty() && reading.words(false) == 0;
        }
        if self.is_echo(text, own) {
            return None; // the final tells
        }
        let ground = if reading.commands > 0 {
            Ground::Command
        } else if reading.words(false) >= 2 {
            Ground::Words // one word alone may become another one
        } else if held.overlap.asked && reading.answers > 0 {
            Ground::Answer
        } else {
            return None;
        };
        self.rule(Ruling::Yield(ground))
    }

    /// The words of the speech, settled; empty if there are none.
    pub fn settled(&mut self, now: Instant, text: &str, confidence: Option<f32>, own: &str) -> Option<Ruling> {
        let held = self.held?;
        let reading = self.lexicon.read(&self.without_echo(text, own));
        let beside = reading.backchannels + reading.answers > 0;
        let least = if beside { self.patience.least_beside } else { self.patience.least_confidence };
        let sure = confidence.is_none_or(|confidence| confidence >= least);
        let words = reading.words(confidence.is_none_or(|confidence| confidence >= self.patience.least_whole));
        let length = held.speech(now);
        let wordless = reading.is_empty() && length > LONGEST_CLICK;
        self.wordless = if wordless {
            self.wordless + 1
        } else if reading.is_empty() {
            self.wordless
        } else {
            0
        };
        let ruling = if self.is_echo(text, own) {
            Ruling::Resume(Ground::Echo)
        } else if reading.commands > 0 {
            Ruling::Yield(Ground::Command)
        } else if held.overlap.asked && reading.answers > 0 {
            Ruling::Yield(Ground::Answer)
        } else if words == 1 && !held.overlap.asked && self.is_own_word(text, own) {
            Ruling::Resume(Ground::Noise) // a sound without words, and one of ours under it
        } else if words >= 2 || (words == 1 && sure) {
            Ruling::Yield(Ground::Words)
        } else if !reading.is_empty() {
            Ruling::Resume(if words == 0 { Ground::Backchannel } else { Ground::Noise })
        } else if self.is_as_loud_as_an_echo() {
            Ruling::Resume(Ground::Noise) // ours, by its loudness; but only words prove an echo
        } else if (length > self.patience.longest_noise && !self.has_faded()) || self.wordless >= WORDLESS_STRETCHES {
            Ruling::Yield(Ground::Unheard)
        } else {
            Ruling::Resume(Ground::Noise)
        };
        self.rule(ruling)
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let held = self.held?;
        Some(match held.ended {
            Some(ended) if held.speech(ended) > LONGEST_CLICK => ended + self.patience.late_words_limit,
            Some(ended) => ended + self.patience.words_limit,
            None => {
                held.began + self.patience.longest_backchannel * if held.agreeing || self.has_faded() { 2 } else { 1 }
            }
        })
    }

    /// Rules without words, when they are overdue.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Ruling> {
        let held = self.held.filter(|_| self.poll_timeout().is_some_and(|due| due <= now))?;
        let ruling = if held.ended.is_none() && self.has_faded() {
            self.doubted = true; // the room goes on, and the caller may again
            Ruling::Resume(Ground::Noise)
        } else if held.ended.is_none() {
            Ruling::Yield(Ground::Length)
        } else {
            self.untold(held.speech(now))
        };
        self.rule(ruling)
    }

    /// The recogniser has made words up ([`Self::is_babble`]): as if it had said nothing.
    pub fn babbled(&mut self, now: Instant) -> Option<Ruling> {
        let held = self.held?;
        self.rule(self.untold(held.speech(now)))
    }

    /// What speech of this length is of which nobody knows the words.
    fn untold(&self, length: Duration) -> Ruling {
        if length > self.patience.longest_untold && !self.is_as_loud_as_an_echo() {
            Ruling::Yield(Ground::Unheard)
        } else {
            Ruling::Resume(Ground::Nothing)
        }
    }

    /// An utterance of ours was heard to its end: what held it is over.
    pub fn heard_out(&mut self, now: Instant) {
        (self.wordless, self.heard_out) = (0, Some(now));
    }

    /// Our voice is gone for another reason: there is nothing to hold.
    pub fn forget(&mut self) {
        self.held = None;
    }

    fn rule(&mut self, ruling: Ruling) -> Option<Ruling> {
        self.held = None;
        if matches!(ruling, Ruling::Yield(_)) {
            self.wordless = 0;
        }
        Some(ruling)
    }

    /// Whether these are more words than anybody says in a sound of this length.
    pub fn is_babble(text: &str, length: Duration) -> bool {
        let most = 2 + (length * MOST_WORDS_A_SECOND).as_secs() as usize;
        lexicon::sounds(text).len() > most
    }

    /// What the caller said of `text`: where our own words are known to come back, without those before and behind it. Nothing but them is left
    /// as it is: whether that is an echo, its loudness says.
    fn without_echo<'t>(&self, text: &'t str, own: &str) -> Cow<'t, str> {
        if !self.loudness.is_some_and(|loudness| loudness.proven) {
            return Cow::Borrowed(text);
        }
        let (words, own) = (lexicon::sounds(text), lexicon::sounds(own));
        let is_own = |part: &[String]| part.is_empty() || own.windows(part.len()).any(|window| window == part);
        let from = (0..=words.len()).rev().find(|&n| is_own(&words[..n])).unwrap_or(0);
        let rest = &words[from..];
        let to = (0..=rest.len()).find(|&n| is_own(&rest[n..])).unwrap_or(rest.len());
        if to == 0 { Cow::Borrowed(text) } else { Cow::Owned(rest[..to].join(" ")) }
    }

    /// Whether `text` is one word, one of ours, and nobody said it at the telephone.
    fn is_own_word(&self, text: &str, own: &str) -> bool {
        let is_callers = self.loudness.is_some_and(|loudness| loudness.is_callers());
        !is_callers && lexicon::sounds(text).len() == 1 && is_stretch_of(text, own)
    }

    fn is_as_loud_as_an_echo(&self) -> bool {
        self.loudness.is_some_and(|loudness| loudness.is_echo())
    }

    fn has_faded(&self) -> bool {
        self.loudness.is_some_and(|loudness| loudness.has_faded())
    }

    /// Whether all of `text` is a stretch of our own words, and came back by itself: a caller who says them is louder, or says fewer.
    pub fn is_echo(&self, text: &str, own: &str) -> bool {
        let least = match self.loudness {
            Some(loudness) if loudness.is_callers() => return false,
            Some(loudness) if loudness.may_be_echo() => 1,
            _ => ECHO_WORDS,
        };
        lexicon::sounds(text).len() >= least && is_stretch_of(text, own)
    }
}

/// Whether the words of `text`, of which there are some, stand in `own` in a row.
fn is_stretch_of(text: &str, own: &str) -> bool {
    let (text, own) = (lexicon::sounds(text), lexicon::sounds(own));
    !text.is_empty() && own.windows(text.len()).any(|window| window == text)
}
