//! What one run is made of.

use std::time::Duration;

use tandem_domain::agent::Timing;
use tandem_peers::caller::{Manners, Rendered, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::browser::Wishes;
use tandem_peers::carrier::exotel::{ExotelIds, Habits};
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::dice::Dice;
use tandem_peers::vendor::{FakeBrainConfig, FakeSttConfig, FakeTtsConfig, Fault, FaultPlan, Latency, Spell};
use tandem_peers::voice::Talker;

use crate::air::Air;

#[derive(Debug, Clone, Copy)]
pub struct Way {
    pub base: Duration,
}
impl Way {
    pub(crate) fn delay(&mut self) -> Duration {
        self.base
    }
}

/// One call to be run.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its seed.
    pub seed: u64,
    pub carrier: Carrier,
    pub script: Vec<Step<Rendered>>,
    pub manners: Manners,
    pub drift_ppm: i32,
    pub timing: Timing,
    pub stt_spells: Vec<Spell>,
    pub tts_spells: Vec<Spell>,
    pub llm_spells: Vec<Spell>,
}

pub(crate) struct Vendors {
    pub(crate) stt: FakeSttConfig,
    pub(crate) tts: FakeTtsConfig,
    pub(crate) brain: FakeBrainConfig,
}

fn rendered(number: u64, text: &str) -> Rendered {
    Rendered { text: text.into(), samples: Talker::numbered(number).speak(text).samples.into() }
}

impl Case {
    /// A call in which nothing goes wrong.
    pub fn plain(seed: u64) -> Self {
        Self {
            seed,
            carrier: Carrier::Twilio(TwilioIds::numbered(u128::from(seed))),
            script: Vec::new(),
            manners: Manners { seed, ..Manners::default() },
            drift_ppm: 0,
            timing: Timing::default(),
            stt_spells: Vec::new(),
            tts_spells: Vec::new(),
            llm_spells: Vec::new(),
        }
    }

    pub fn of_seed(seed: u64) -> Self {
        let mut dice = Dice::stream(seed, "case");
        let carrier = match seed % 3 {
            0 => Carrier::Twilio(TwilioIds::numbered(u128::from(seed))),
            1 => Carrier::Exotel(ExotelIds::numbered(u128::from(seed)), Habits::default()),
            _ => Carrier::Browser(Wishes::default()),
        };
        let lines = ["I want an apartment in Delhi", "sixty lakh rupees", "no", "yes please", "a villa in Pune", "goodbye", "what was that"];
        let mut script = Vec::new();
        for _ in 0..dice.within(1..6) {
            let line = rendered(seed, dice.pick(&lines).unwrap());
            script.push(match dice.within(0..8) {
                0 => Step::Wait,
                1 => Step::Dtmf("12".into()),
                2 => Step::Silence(dice.millis(1_000..12_000)),
                3 | 4 => Step::Interrupt { after: dice.millis(200..4_000), say: line },
                _ => Step::Say(line),
            });
        }
        if dice.chance(0.3) {
            script.push(Step::HangUp);
        }
        let spell = |dice: &mut Dice, faults: &[Fault]| -> Vec<Spell> {
            if dice.chance(0.85) {
                return Vec::new();
            }
            vec![Spell { fault: *dice.pick(faults).unwrap(), after: dice.within(0..4) as u32, times: 1 + dice.within(0..2) as u32 }]
        };
        let all = [
            Fault::Slow(Duration::from_millis(1_500)), Fault::Silent, Fault::Error, Fault::Drop, Fault::DropMidway, Fault::Garbage, Fault::Endless];
        Self {
            carrier,
            script,
            stt_spells: spell(&mut dice, &all),
            tts_spells: spell(&mut dice, &all),
            llm_spells: spell(&mut dice, &all),
            ..Self::plain(seed)
        }
    }

    pub(crate) fn vendors(&self) -> Vendors {
        let seed = self.seed;
        Vendors {
            stt: FakeSttConfig { latency: Latency::percentiles_ms(150, 400), seed, faults: FaultPlan::spells(self.stt_spells.clone()), ..FakeSttConfig::default() },
            tts: FakeTtsConfig { first_chunk: Latency::percentiles_ms(120, 300), chunk_interval: Duration::from_millis(30), seed, faults: self.tts_faults(), ..FakeTtsConfig::default() },
            brain: FakeBrainConfig { first_sentence: Latency::percentiles_ms(300, 700), interval: Duration::from_millis(200), faults: FaultPlan::spells(self.llm_spells.clone()), seed },
        }
    }

    pub(crate) fn tts_faults(&self) -> FaultPlan {
        FaultPlan::spells(self.tts_spells.clone())
    }

    /// Whether the record of what was heard is exact to the word: the voice tells its words' times and the carrier returns marks.
    pub fn tells_exactly(&self) -> bool {
        match self.carrier {
            Carrier::Twilio(_) | Carrier::Exotel(..) => true,
            Carrier::Browser(_) => false,
        }
    }

    /// What the carrier takes at once.
    pub fn chunk(&self) -> Duration {
        match self.carrier {
            Carrier::Twilio(_) | Carrier::Browser(_) => Duration::from_millis(20),
            Carrier::Exotel(..) => Duration::from_millis(200),
        }
    }

    /// Sounds of the caller that are no words.
    pub fn noises(&self) -> impl Iterator<Item = (Duration, Duration)> {
        std::iter::empty()
    }

    pub(crate) fn air(&self) -> Air {
        Air
    }
    pub(crate) fn ways(&self) -> (Way, Way) {
        let way = Way { base: Duration::from_millis(self.seed % 40) };
        (way, way)
    }
}
