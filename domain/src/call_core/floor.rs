//! Who has the floor: the caller speaks over our voice, and the arbiter's rulings are carried out.
//!
//! ```text
//! speech over our voice ─► Hold ─► Held(what was heard) ─► words, length ─┬─► Cut: the caller's turn
//!                                                                         └─► Resume: the turn is dropped
//! ```

use std::time::Instant;

use super::{CallCore, Effect};
use crate::barge_in::{Ground, Overlap, Ruling};
use crate::ids::TurnId;
use crate::ledger::Heard;
use crate::port::stt::Covers;

/// So much of a question, in percent of its characters, is enough to answer it.
const ENOUGH_OF_A_QUESTION: usize = 60;

impl CallCore {
    /// The caller's speech over our voice has lasted as long as an interruption must.
    pub(super) fn overlapped(&mut self, now: Instant) {
        if self.reads {
            return self.interrupt(); // what was shown cannot be held back
        }
        let began = self.turns.speaking_since().unwrap_or(now);
        if let Some(ruling) = self.barge_in.sustained(began, Overlap::default()) {
            self.ruled(ruling);
        }
    }

    /// Our voice stands still; so much of it was heard.
    pub(super) fn held(&mut self, heard: &Heard) {
        let Some(speech) = self.speech.as_ref().filter(|_| self.barge_in.is_holding()) else { return };
        let text = self.heard_of(speech, heard);
        let all = speech.sentences.join(" ");
        if text.len() == all.len() && self.thinking.is_none() {
            return self.ruled_against(Ground::Finished); // there is nothing left to go on with
        }
        self.barge_in.asked(asked(&speech.sentences, text.len()));
    }

    /// The words of the speech under which our voice is held; `true` if they are no turn.
    pub(super) fn weigh(
        &mut self,
        now: Instant,
        turn: TurnId,
        text: &str,
        confidence: Option<f32>,
        covers: Covers,
    ) -> bool {
        if !self.barge_in.is_holding() || self.turns.open_turn() != Some(turn) {
            return false;
        }
        let own = self.own_words();
        if self.turns.caller_speaking() {
            // The caller goes on: what was said before a pause is not all.
            if let Some(ruling) = self.barge_in.partial(text, &own) {
                self.ruled(ruling);
            }
            return false;
        }
        let text = match covers {
            Covers::WholeTurn => text.to_owned(),
            Covers::SinceLastFinal => format!("{} {text}", self.turns.words()),
        };
        let Some(ruling) = self.barge_in.settled(now, &text, confidence, &own) else { return false };
        self.ruled(ruling);
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
                self.ruled(ruling);
            }
        }
    }

    /// Carries out what the arbiter says.
    pub(super) fn ruled(&mut self, ruling: Ruling) {
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
                self.note_event("resumed", ground.name().to_owned());
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

    fn own_words(&self) -> String {
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
