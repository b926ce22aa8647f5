//! Who has the floor: the caller speaks over our voice, and the arbiter's rulings are carried out.
//!
//! ```text
//! speech over our voice ─► Hold ─► Held(what was heard) ─┬─► words, length ─┬─► Cut: the caller's turn
//!                                                        │                  └─► Resume: the turn is dropped, its words are in the timeline
//!                                                        └─► a protected passage: it was not held; the speech is asked about again at its end
//! ```
//!
//! A turn that ends within a protected passage is answered behind the utterance.

use std::time::{Duration, Instant};

use super::{CallCore, Effect};
use crate::barge_in::{BargeIn, Ground, Lexicon, List, Overlap, Ruling};
use crate::echo::Loudness;
use crate::ids::TurnId;
use crate::ledger::Heard;
use crate::port::stt::Covers;
use crate::turn::Committed;

/// So much of a question, in percent of its characters, is enough to answer it.
const ENOUGH_OF_A_QUESTION: usize = 60;
/// Samples in a millisecond of the switch's audio.
const SAMPLES_PER_MS: u64 = 8;
/// A passage whose end is not known yet is looked at again after this.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What the recogniser says of a turn.
pub(super) struct Words<'t> {
    pub(super) turn: TurnId,
    pub(super) to: u64,
    pub(super) text: &'t str,
    pub(super) confidence: Option<f32>,
    pub(super) covers: Covers,
}

impl CallCore {
    /// What callers say over our voice is understood by these lists too ([`Lexicon::with`]).
    pub fn hearing_by(mut self, lists: &[List]) -> Self {
        self.barge_in.hear_by(Lexicon::with(&self.heard_in, lists));
        self.lists = lists.to_vec();
        self
    }

    /// The caller's speech over our voice has lasted as long as an interruption must.
    pub(super) fn overlapped(&mut self, now: Instant) {
        if self.reads {
            return self.interrupt(); // what was shown cannot be held back
        }
        self.overlapped_since(self.turns.speaking_since().unwrap_or(now));
    }

    fn overlapped_since(&mut self, began: Instant) {
        if let Some(ruling) = self.barge_in.sustained(began, Overlap::default()) {
            self.ruled(ruling, "");
        }
    }

    /// How loud the caller's speech is against our own voice: somebody may speak in the middle of an echo.
    pub(super) fn loudness(&mut self, now: Instant, loudness: Loudness) {
        self.barge_in.loudness(loudness);
        if self.barge_in.has_doubted() && self.turns.is_sustained() && self.agent_speaking() && self.ending.is_none() {
            self.overlapped_since(now); // what was before was not the caller's
        }
    }

    /// Our voice stands still, unless it was in a protected sentence; so much of it was heard.
    pub(super) fn held(&mut self, now: Instant, heard: &Heard) {
        let Some(speech) = self.speech.as_ref().filter(|_| self.barge_in.is_holding()) else { return };
        let text = self.heard_of(speech, heard);
        let asked = asked(&speech.sentences, text.len());
        if let Some(rest) = heard.protected_rest(&speech.protected) {
            self.barge_in.asked(asked); // a "yes" over most of a consent answers it
            self.barge_in.forget();
            self.protected_until =
                Some(now + rest.map_or(LOOK_AGAIN, |left| Duration::from_millis(left / SAMPLES_PER_MS + 1)));
            return;
        }
        let all = speech.sentences.join(" ");
        if text.len() == all.len() && self.thinking.is_none() {
            return self.ruled_against(Ground::Finished); // there is nothing left to go on with
        }
        self.barge_in.asked(asked);
    }

    /// The caller speaks over a passage of which not all is made yet.
    pub(super) fn look_again(&mut self, now: Instant) {
        self.protected_until = Some(now + LOOK_AGAIN);
    }

    /// The passage that nobody's speech stops may be over.
    pub(super) fn protected_passed(&mut self, now: Instant) {
        if self.protected_until.take_if(|until| *until <= now).is_some()
            && self.turns.is_sustained()
            && self.agent_speaking()
        {
            self.overlapped(now);
        }
    }

    /// Whether our voice says, or will say, what has to be heard.
    pub(super) fn is_protected(&self) -> bool {
        self.speech.as_ref().is_some_and(|speech| !speech.protected.is_empty() && speech.first_audio_at.is_some())
    }

    /// What was said over a protected passage is answered behind it.
    pub(super) fn postpone(&mut self, turn: Committed) {
        self.note_event("postponed", turn.text.clone());
        self.turns.drop_turn(); // what the caller says next is another turn, and takes nothing back
        self.postponed = Some(match self.postponed.take() {
            None => turn,
            Some(before) => Committed { text: format!("{} {}", before.text, turn.text), began: before.began, ..turn },
        });
    }

    /// A key was pressed: who presses one has heard enough, where keys interrupt (`INTERRUPT_ON_DTMF`).
    pub(super) fn key(&mut self) {
        if !self.keys_interrupt {
            return;
        }
        let speaks = self.agent_speaking() && !self.reads && self.ending.is_none() && !self.is_protected();
        if let Some(ruling) = self.barge_in.key(speaks) {
            self.ruled(ruling, "");
            self.interrupted &= self.turns.is_open(); // no words are missing
        }
    }

    /// The words of the speech under which our voice is held; `true` if they are no turn.
    pub(super) fn weigh(&mut self, now: Instant, words: Words<'_>) -> bool {
        let Words { turn, to, text, confidence, covers } = words;
        if !self.barge_in.is_holding() || self.turns.open_turn() != Some(turn) {
            return false;
        }
        let own = self.own_words();
        if !self.turns.asked_about(turn, to) {
            // The caller goes on, or has: what was said before a pause is not all.
            if let Some(ruling) = self.barge_in.partial(text, &own) {
                self.ruled(ruling, text);
            }
            return false;
        }
        let text = match covers {
            Covers::WholeTurn => text.to_owned(),
            Covers::SinceLastFinal => format!("{} {text}", self.turns.words()).trim().to_owned(),
        };
        let ruling = match BargeIn::is_babble(&text, self.turns.length_to(to)) {
            true => self.barge_in.babbled(now),
            false => self.barge_in.settled(now, &text, confidence, &own),
        };
        let Some(ruling) = ruling else { return false };
        self.ruled(ruling, &text);
        let resumed = matches!(ruling, Ruling::Resume(_));
        if resumed {
            self.turns.drop_turn();
        }
        resumed
    }

    /// Words that may still change.
    pub(super) fn overheard(&mut self, text: &str) {
        if self.barge_in.is_holding() {
            let own = self.own_words();
            if let Some(ruling) = self.barge_in.partial(text, &own) {
                self.ruled(ruling, text);
            }
        }
    }

    /// Carries out what the arbiter says, by these words.
    pub(super) fn ruled(&mut self, ruling: Ruling, words: &str) {
        #[cfg(feature = "sabotage")]
        let ruling = match ruling {
            Ruling::Resume(ground) if crate::sabotage::is_off(crate::sabotage::Mechanism::Resume) => {
                Ruling::Yield(ground)
            }
            ruling => ruling,
        };
        match ruling {
            Ruling::Hold => self.effects.push_back(Effect::Hold),
            Ruling::Yield(ground) => self.ruled_against(ground),
            Ruling::Resume(ground) => {
                let name = ground.name();
                let detail = if words.is_empty() { name.to_owned() } else { format!("{name}: {words}") };
                self.note_event("resumed", detail);
                self.effects.push_back(Effect::Resume(ground));
            }
        }
    }

    fn ruled_against(&mut self, ground: Ground) {
        self.note_event("barge_in", ground.name().to_owned());
        self.interrupt();
    }

    /// Whether a turn that is over says no more than that the caller listens to our voice.
    pub(super) fn only_listens(&self, text: &str) -> bool {
        self.agent_speaking() && !self.interrupted && self.barge_in.wants_nothing(text)
    }

    pub(super) fn own_words(&self) -> String {
        self.speech.as_ref().map_or_else(String::new, |speech| speech.sentences.join(" "))
    }
}

/// Whether a question is in the first `heard` bytes of these sentences, joined by spaces, or enough of one at their end.
fn asked(sentences: &[String], heard: usize) -> bool {
    let mut left = heard;
    for sentence in sentences {
        let of_it = left.min(sentence.len());
        if sentence.contains(['?', '？']) && of_it * 100 >= sentence.len() * ENOUGH_OF_A_QUESTION {
            return true;
        }
        left = left.saturating_sub(sentence.len() + 1);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::asked;

    #[test]
    fn most_of_a_question_is_a_question() {
        let said =
            ["We have two flats.".to_owned(), "Shall I read you the prices?".to_owned(), "It is quick.".to_owned()];
        assert!(!asked(&said, 18 + 1 + 15));
        assert!(asked(&said, 18 + 1 + 17));
        assert!(asked(&said, 500));
        assert!(!asked(&said[..1], 500) && !asked(&[], 0));
    }
}
