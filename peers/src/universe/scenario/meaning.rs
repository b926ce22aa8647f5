//! What a caller means by a line that may fall into the agent's speech: the label by which an overlap is judged afterwards.

use serde::{Deserialize, Serialize};

/// What is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// It answers.
    Answer,
    /// "Go on": the caller listens.
    Backchannel,
    /// "Go on" in the middle of a statement; an answer behind a question.
    Assent,
    /// A sound that means nothing.
    Cough,
    /// The floor, please.
    Command,
    /// The agent has understood something wrong.
    Correction,
    /// Something for the agent to answer.
    Question,
}

impl Meaning {
    /// Whether an agent that is spoken over so has to stop; for [`Self::Assent`] it depends on whether a question was heard.
    pub fn wants_the_floor(self, behind_a_question: bool) -> bool {
        match self {
            Self::Answer | Self::Command | Self::Correction | Self::Question => true,
            Self::Assent => behind_a_question,
            Self::Backchannel | Self::Cough => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_is_an_answer_behind_a_question_alone() {
        assert!(Meaning::Assent.wants_the_floor(true) && !Meaning::Assent.wants_the_floor(false));
        assert!(!Meaning::Backchannel.wants_the_floor(true) && Meaning::Command.wants_the_floor(false));
    }
}
