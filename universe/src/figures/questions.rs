//! Which value the caller had been asked for, by the ear.
//!
//! A scripted caller reads out one value after the other. Where a digit was lost the agent asks for the rest of the number, and hears a postal code:
//! what it makes of that says nothing about how values are heard that were asked for.
//!
//! Place: the questions of the desk's playbook, looked for among the words in the ear. A question that was cut before its end asks nothing.

use std::time::Duration;

use tandem_domain::endpointing::Spelled;
use tandem_domain::playbook::SlotSpec;
use tandem_domain::slot::SlotType;
use tandem_peers::universe::dictation::Dictated;

use crate::Run;
use crate::exchange::playbook_of;

/// A question is told by so many of its last words: one before them may have been torn.
const LAST_WORDS: usize = 3;

/// Questions for values, and when the last word of each had been heard.
#[derive(Debug)]
pub(super) struct Questions(Vec<(Duration, Dictated)>);

impl Questions {
    pub(super) fn of(run: &Run) -> Self {
        let playbook = playbook_of(run.case.scenario.desk);
        let mut questions = vec![(last_words(playbook.asks_for_more()), Dictated::Phone)];
        for slot in playbook.slots() {
            let Some(what) = dictated(slot) else { continue };
            questions.push((last_words(&slot.prompt), what));
            questions.extend(slot.reprompts.iter().map(|words| (last_words(words), what)));
        }
        let mut heard: Vec<(Duration, Dictated)> = Vec::new();
        for (words, what) in questions.iter().filter(|(words, _)| !words.is_empty()) {
            for row in run.heard.windows(words.len()) {
                if let Some(last) = row.last()
                    && row.iter().zip(words).all(|(ear, word)| ear.text == *word)
                {
                    heard.push((run.tape.at(last.end), *what));
                }
            }
        }
        heard.sort_unstable();
        Self(heard)
    }

    /// What the last of them by then was for.
    pub(super) fn asked(&self, at: Duration) -> Option<Dictated> {
        self.0.iter().rfind(|(heard, _)| *heard <= at).map(|(_, what)| *what)
    }
}

fn dictated(slot: &SlotSpec) -> Option<Dictated> {
    match (slot.dictated, slot.kind) {
        (Some(Spelled::Pin), _) => Some(Dictated::Pin),
        (_, SlotType::Phone) => Some(Dictated::Phone),
        (_, SlotType::Email) => Some(Dictated::Email),
        (_, SlotType::Money) => Some(Dictated::Amount),
        (_, SlotType::Date) => Some(Dictated::Date),
        _ => None,
    }
}

/// Of the words that are the playbook's own: what stands in for a variable is another in each call.
fn last_words(question: &str) -> Vec<String> {
    let own = question.rsplit('}').next().unwrap_or(question);
    let words: Vec<String> = own.split_whitespace().map(str::to_owned).collect();
    words[words.len().saturating_sub(LAST_WORDS)..].to_vec()
}
