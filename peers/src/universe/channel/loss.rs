//! Which packets are lost: each by itself, or in bursts.

use serde::{Deserialize, Serialize};

use crate::dice::Dice;

/// How packets are lost.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// None is.
    #[default]
    None,
    /// Each with this probability, whatever became of the one before.
    Independent(f64),
    /// In bursts: a two-state chain (Gilbert 1960, Elliott 1963), in which each packet may change the state before its fate is drawn.
    GilbertElliott {
        /// Probability that good turns bad.
        to_bad: f64,
        /// Probability that bad turns good.
        to_good: f64,
        /// Loss while good.
        lost_in_good: f64,
        /// Loss while bad.
        lost_in_bad: f64,
    },
}

impl Loss {
    /// Bursts of that mean length in packets, within which all is lost, at that rate over all.
    pub fn bursts(rate: f64, mean_length: f64) -> Self {
        let to_good = 1.0 / mean_length.max(1.0);
        let rate = rate.clamp(0.0, 0.99);
        Self::GilbertElliott { to_bad: rate * to_good / (1.0 - rate), to_good, lost_in_good: 0.0, lost_in_bad: 1.0 }
    }

    /// Share of packets lost in the long run.
    pub fn rate(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Independent(rate) => rate,
            Self::GilbertElliott { to_bad, to_good, lost_in_good, lost_in_bad } => {
                let bad = if to_bad > 0.0 { to_bad / (to_bad + to_good) } else { 0.0 };
                bad * lost_in_bad + (1.0 - bad) * lost_in_good
            }
        }
    }
}

/// A loss process under way.
#[derive(Debug)]
pub struct Losing {
    loss: Loss,
    bad: bool,
    dice: Dice,
}

impl Losing {
    /// At its beginning, nothing is lost.
    pub fn new(loss: Loss, dice: Dice) -> Self {
        Self { loss, bad: false, dice }
    }

    /// Whether the next packet is lost.
    pub fn loses(&mut self) -> bool {
        match self.loss {
            Loss::None => false,
            Loss::Independent(rate) => self.dice.chance(rate),
            Loss::GilbertElliott { to_bad, to_good, lost_in_good, lost_in_bad } => {
                let turns = self.dice.chance(if self.bad { to_good } else { to_bad });
                self.bad ^= turns;
                self.dice.chance(if self.bad { lost_in_bad } else { lost_in_good })
            }
        }
    }
}
