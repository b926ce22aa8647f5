//! What one run is made of.

use std::time::Duration;

use tandem_domain::agent::Timing;
use tandem_peers::caller::{Manners, Rendered, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::browser::Wishes;
use tandem_peers::carrier::exotel::{ExotelIds, Habits};
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::vendor::{FakeSttConfig, FakeTtsConfig};
use tandem_peers::voice::Talker;

use crate::air::Air;
use crate::exchange::{Thinks, thinking};

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
    pub stt: FakeSttConfig,
    pub tts: FakeTtsConfig,
    pub llm: Duration,
}

fn rendered(number: u64, text: &str) -> Rendered {
    Rendered { text: text.into(), samples: Talker::numbered(number).speak(text).samples.into() }
}

impl Case {
    pub fn of_seed(seed: u64) -> Self {
        let ms = Duration::from_millis;
        let carrier = match seed % 3 {
            0 => Carrier::Twilio(TwilioIds::numbered(u128::from(seed))),
            1 => Carrier::Exotel(ExotelIds::numbered(u128::from(seed)), Habits::default()),
            _ => Carrier::Browser(Wishes::default()),
        };
        let script = vec![
            Step::Interrupt { after: ms(500 + (seed * 37) % 3_000), say: rendered(seed, "I want an apartment in Delhi") },
            Step::Say(rendered(seed, "sixty lakh rupees")),
        ];
        Self {
            seed,
            carrier,
            script,
            manners: Manners { seed, ..Manners::default() },
            drift_ppm: 0,
            timing: Timing::default(),
            stt: FakeSttConfig { latency: ms(100 + (seed * 7) % 200), ..FakeSttConfig::default() },
            tts: FakeTtsConfig { first_chunk: ms(100), chunk_interval: ms(30), ..FakeTtsConfig::default() },
            llm: ms(200 + (seed * 13) % 300),
        }
    }
    pub(crate) fn thinks(&self) -> Thinks {
        let llm = self.llm;
        thinking(move |_| llm)
    }
    pub(crate) fn air(&self) -> Air {
        Air
    }
    pub(crate) fn ways(&self) -> (Way, Way) {
        let way = Way { base: Duration::from_millis(self.seed % 40) };
        (way, way)
    }
}
