//! What can be asked "what if" about: the settings of an agent that its core acts on, by the names that users know.

use std::time::Duration;

use super::Setup;
use crate::agent::{Eagerness, SpellingPatience};

/// `ENDPOINT_SILENCE_MS` where the server sets none: what an eagerness is a share of.
const ENDPOINT_SILENCE: Duration = Duration::from_millis(500);

const NAMES: &str = "eagerness, endpoint_silence_ms, spelling_patience, preemptive_generation, interrupt_on_dtmf, turn_after_silence_seconds, end_after_silence_seconds, \
    max_conversation_duration_seconds, soft_timeout_seconds, llm_cascade_timeout_seconds, speech_uncertainty_clarity_enabled, \
    low_confidence_threshold";

/// A change that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// No such name.
    #[error("{0:?} is nothing that the core decides by: choose of {NAMES}")]
    Unknown(String),
    /// No such value.
    #[error("{value:?} does not fit {name}: write {fits}")]
    Value {
        /// Of what.
        name: String,
        /// What was given.
        value: String,
        /// What can be given.
        fits: &'static str,
    },
}

impl Setup {
    /// Changes one setting.
    pub fn change(&mut self, name: &str, value: &str) -> Result<(), ChangeError> {
        let misfit = |fits| ChangeError::Value { name: name.to_owned(), value: value.to_owned(), fits };
        let millis = |fits| within(value, 100.0, 5_000.0).map(|ms| ms / 1_000.0).ok_or(misfit(fits));
        let seconds = |from, fits| within(value, from, 14_400.0).map(Duration::from_secs_f64).ok_or(misfit(fits));
        let timing = &mut self.timing;
        match name {
            "eagerness" => {
                timing.eagerness =
                    Eagerness::parse(value).ok_or(misfit("low, normal, high or a number from 0 to 1"))?;
                timing.endpoint_silence = timing.eagerness.of(ENDPOINT_SILENCE);
            }
            "endpoint_silence_ms" => {
                timing.endpoint_silence = Duration::from_secs_f64(millis("100 to 5000 milliseconds")?);
            }
            "spelling_patience" => {
                timing.spelling_patience = SpellingPatience::parse(value).ok_or(misfit("auto, on or off"))?;
            }
            "preemptive_generation" => {
                let on = ["off", "on"].iter().position(|known| *known == value).ok_or(misfit("on or off"))?;
                timing.preemptive_generation = on == 1;
            }
            "interrupt_on_dtmf" => {
                let on = ["off", "on"].iter().position(|known| *known == value).ok_or(misfit("on or off"))?;
                timing.interrupt_on_dtmf = on == 1;
            }
            "turn_after_silence_seconds" => timing.turn_after_silence = seconds(0.1, "0.1 to 14400 seconds")?,
            "end_after_silence_seconds" if value == "-1" => timing.end_after_silence = None,
            "end_after_silence_seconds" => {
                timing.end_after_silence = Some(seconds(0.1, "0.1 to 14400 seconds, or -1 for after three reprompts")?);
            }
            "max_conversation_duration_seconds" => timing.max_duration = seconds(1.0, "1 to 14400 seconds")?,
            "soft_timeout_seconds" if value == "-1" => timing.soft_timeout = None,
            "soft_timeout_seconds" => {
                timing.soft_timeout = Some(seconds(0.1, "0.1 to 14400 seconds, or -1 for no filler")?)
            }
            "llm_cascade_timeout_seconds" => timing.answer_limit = seconds(0.1, "0.1 to 14400 seconds")?,
            "speech_uncertainty_clarity_enabled" => {
                self.uncertainty.enabled = value.parse().map_err(|_| misfit("true or false"))?;
            }
            "low_confidence_threshold" => {
                self.uncertainty.threshold = within(value, 0.0, 1.0).ok_or(misfit("a number from 0 to 1"))? as f32;
            }
            _ => return Err(ChangeError::Unknown(name.to_owned())),
        }
        Ok(())
    }
}

fn within(text: &str, least: f64, most: f64) -> Option<f64> {
    text.parse().ok().filter(|number| (least..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Timing;

    fn setup() -> Setup {
        Setup::default()
    }

    #[test]
    fn a_change_is_what_the_name_says() {
        let mut changed = setup();
        for (name, value) in [
            ("eagerness", "low"),
            ("interrupt_on_dtmf", "off"),
            ("turn_after_silence_seconds", "2.5"),
            ("end_after_silence_seconds", "30"),
            ("max_conversation_duration_seconds", "60"),
        ] {
            changed.change(name, value).expect("a good change");
        }
        let expected = Timing {
            endpoint_silence: Duration::from_millis(900),
            eagerness: Eagerness::LOW,
            interrupt_on_dtmf: false,
            turn_after_silence: Duration::from_millis(2_500),
            end_after_silence: Some(Duration::from_secs(30)),
            max_duration: Duration::from_secs(60),
            ..Timing::default()
        };
        assert_eq!(changed.timing, expected);
        changed.change("speech_uncertainty_clarity_enabled", "true").expect("a good change");
        changed.change("low_confidence_threshold", "0.75").expect("a good change");
        assert_eq!((changed.uncertainty.enabled, changed.uncertainty.threshold), (true, 0.75));
        changed.change("endpoint_silence_ms", "350").expect("a good change");
        changed.change("end_after_silence_seconds", "-1").expect("a good change");
        assert_eq!(changed.timing.endpoint_silence, Duration::from_millis(350));
        assert_eq!(changed.timing.end_after_silence, None);
    }

    #[test]
    fn a_bad_change_is_told_what_is_good() {
        let told = |name, value| setup().change(name, value).expect_err("a bad change").to_string();
        assert!(told("voice", "amy").contains("eagerness"));
        assert_eq!(
            told("eagerness", "great"),
            "\"great\" does not fit eagerness: write low, normal, high or a number from 0 to 1"
        );
        assert!(told("low_confidence_threshold", "2").contains("0 to 1"));
        assert!(told("speech_uncertainty_clarity_enabled", "maybe").contains("true or false"));
        for value in ["", "soon", "NaN", "inf", "-3", "99", "5001"] {
            assert!(told("endpoint_silence_ms", value).contains("100 to 5000"), "{value}");
        }
    }
}
