//! What a carrier's media server does to its messages before it writes them to the socket, which keeps the order that it is given.
//!
//! Place: between the carrier's model and the line up. Some carriers document that frames may come out of order; a retry writes one twice, and
//! a media server under load leaves some out. The messages' own numbers and times still tell.

use serde::{Deserialize, Serialize};

use crate::dice::Dice;

/// How messages are written. Probabilities are 0 to 1, for each message.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disorder {
    /// Audio that is left out.
    pub lost: f64,
    /// Written behind the message that follows.
    pub reordered: f64,
    /// Written twice, the second time behind the message that follows.
    pub doubled: f64,
}

/// A carrier's media server at work.
#[derive(Debug)]
pub struct Disordering<T> {
    plan: Disorder,
    dice: Dice,
    /// To be written behind the message that follows.
    behind: Vec<T>,
}

impl<T: Clone> Disordering<T> {
    /// One that behaves by `plan`.
    pub fn new(plan: Disorder, dice: Dice) -> Self {
        Self { plan, dice, behind: Vec::new() }
    }

    /// A message is to be written: what is written, in that order. Only what `may_be_lost` is left out.
    pub fn write(&mut self, message: T, may_be_lost: bool) -> Vec<T> {
        if self.plan == Disorder::default() {
            return vec![message];
        }
        let lost = self.dice.chance(self.plan.lost) && may_be_lost;
        let (reordered, doubled) = (self.dice.chance(self.plan.reordered), self.dice.chance(self.plan.doubled));
        let mut written = Vec::new();
        let before = std::mem::take(&mut self.behind);
        match (lost, reordered) {
            (true, _) => {}
            (false, true) => self.behind.push(message.clone()),
            (false, false) => written.push(message.clone()),
        }
        if doubled && !lost {
            self.behind.push(message);
        }
        written.extend(before);
        written
    }

    /// All that still waits: the stream ends.
    pub fn finish(&mut self) -> Vec<T> {
        std::mem::take(&mut self.behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(plan: Disorder) -> Vec<u32> {
        let mut disordering = Disordering::new(plan, Dice::stream(1, "disorder"));
        let mut written: Vec<u32> = (0..10_000).flat_map(|number| disordering.write(number, true)).collect();
        written.extend(disordering.finish());
        written
    }

    #[test]
    fn a_good_carrier_writes_each_once_and_in_order() {
        assert_eq!(written(Disorder::default()), (0..10_000).collect::<Vec<_>>());
    }

    #[test]
    fn messages_are_left_out_overtaken_and_doubled_as_often_as_planned() {
        let about = |count: usize| (400..600).contains(&count);
        assert!(about(10_000 - written(Disorder { lost: 0.05, ..Disorder::default() }).len()));
        assert!(about(written(Disorder { doubled: 0.05, ..Disorder::default() }).len() - 10_000));
        let reordered = written(Disorder { reordered: 0.05, ..Disorder::default() });
        assert!(about(reordered.windows(2).filter(|pair| pair[0] > pair[1]).count()));
        assert_eq!(reordered.len(), 10_000, "none is lost by it");
    }
}
