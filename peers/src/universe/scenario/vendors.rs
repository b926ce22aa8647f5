//! What the vendors of a call are like.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_domain::port::brain::Brains;

use crate::vendor::{
    FakeBrainConfig, FakeBrains, FakeStt, FakeSttConfig, FakeTts, FakeTtsConfig, FaultPlan, Latency, RecognitionErrors,
    Spell,
};
use crate::voice::Talker;

/// All three.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VendorPlans {
    /// The recogniser.
    pub stt: SttPlan,
    /// What answers.
    pub brain: BrainPlan,
    /// The voice.
    pub tts: TtsPlan,
}

impl VendorPlans {
    /// Whether any of them goes wrong at any time.
    pub fn any_fault(&self) -> bool {
        !(self.stt.faults.is_empty() && self.brain.faults.is_empty() && self.tts.faults.is_empty())
    }
}

/// The recogniser.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SttPlan {
    /// From the end of a turn to its final.
    pub latency: Latency,
    /// From a word to its partial.
    pub partial_latency: Latency,
    /// How often it mishears.
    pub errors: RecognitionErrors,
    /// When it goes wrong; requests are the turns.
    pub faults: Vec<Spell>,
}

impl SttPlan {
    /// The recogniser as a vendor behind its port. It tells partials where it is asked for them.
    pub fn fake(&self, seed: u64) -> FakeStt {
        FakeStt::new(FakeSttConfig {
            latency: self.latency,
            partials: false,
            partial_latency: self.partial_latency,
            errors: self.errors,
            faults: FaultPlan::spells(self.faults.iter().copied()),
            seed,
        })
    }
}

/// What answers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrainPlan {
    /// From the question to the first sentence.
    pub first_sentence: Latency,
    /// From one sentence to the next.
    #[serde(with = "crate::millis")]
    pub interval: Duration,
    /// When it goes wrong; requests are the questions, the greeting among them.
    pub faults: Vec<Spell>,
}

impl BrainPlan {
    /// A model that answers what `think_with` would.
    pub fn fake(&self, think_with: Arc<dyn Brains>, seed: u64) -> FakeBrains {
        let config = FakeBrainConfig {
            first_sentence: self.first_sentence,
            interval: self.interval,
            faults: FaultPlan::spells(self.faults.iter().copied()),
            seed,
        };
        FakeBrains::new(think_with, config)
    }
}

/// The voice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TtsPlan {
    /// From a sentence to its first audio.
    pub first_chunk: Latency,
    /// From one chunk to the next.
    #[serde(with = "crate::millis")]
    pub chunk_interval: Duration,
    /// Audio in a chunk.
    #[serde(with = "crate::millis")]
    pub chunk: Duration,
    /// When it goes wrong; requests are the sentences.
    pub faults: Vec<Spell>,
    /// Its audio has this rate, and is said to have another.
    #[serde(default)]
    pub made_at_hz: Option<u32>,
    /// It gives so many bytes at once, whatever the sentence.
    #[serde(default)]
    pub flood_bytes: Option<usize>,
}

impl Default for TtsPlan {
    fn default() -> Self {
        Self {
            first_chunk: Latency::ZERO,
            chunk_interval: Duration::ZERO,
            chunk: Duration::from_millis(100),
            faults: Vec::new(),
            made_at_hz: None,
            flood_bytes: None,
        }
    }
}

impl TtsPlan {
    /// The voice as a vendor behind its port.
    pub fn fake(&self, seed: u64) -> FakeTts {
        FakeTts::new(FakeTtsConfig {
            talker: Talker::default(),
            first_chunk: self.first_chunk,
            chunk_interval: self.chunk_interval,
            chunk: self.chunk,
            faults: FaultPlan::spells(self.faults.iter().copied()),
            made_at_hz: self.made_at_hz,
            flood_bytes: self.flood_bytes,
            seed,
        })
    }
}
