//! From the columns of an agent to the patience of its calls. Pure.
//!
//! Source: api-inventory section 8 (Behaviour), R8; design.md section 12 items 4, 5 and 9. `-1` means off in every column.

use std::time::Duration;

use tandem_domain::agent::{Eagerness, SpellingPatience, Timing};

/// No call is longer, whatever its agent says (R8).
const CEILING: Duration = Duration::from_secs(14_400);

/// The columns about time.
pub(crate) struct Patience {
    pub(crate) eagerness: Eagerness,
    pub(crate) spelling: SpellingPatience,
    pub(crate) turn_after_silence_seconds: i64,
    pub(crate) end_after_silence_seconds: i64,
    pub(crate) max_conversation_duration_seconds: Option<i64>,
    pub(crate) soft_timeout_seconds: f64,
    pub(crate) llm_cascade_timeout_seconds: i64,
}

impl Patience {
    /// The timing of a call; `server` gives what an agent has no column for, and its longest call where it sets none.
    pub(crate) fn timing(&self, server: &Timing) -> Timing {
        let max_duration = match self.max_conversation_duration_seconds {
            None => server.max_duration,
            Some(seconds) => on(seconds).unwrap_or(CEILING),
        }
        .min(CEILING);
        Timing {
            endpoint_silence: self.eagerness.of(server.endpoint_silence),
            eagerness: self.eagerness,
            spelling_patience: self.spelling,
            end_of_turn_model: server.end_of_turn_model,
            preemptive_generation: server.preemptive_generation,
            barge_in_min_speech: server.barge_in_min_speech,
            interrupt_on_dtmf: server.interrupt_on_dtmf,
            // Off: a rung that the call does not live to see.
            turn_after_silence: on(self.turn_after_silence_seconds).unwrap_or(max_duration),
            end_after_silence: on(self.end_after_silence_seconds),
            max_duration,
            soft_timeout: seconds(self.soft_timeout_seconds),
            answer_limit: on(self.llm_cascade_timeout_seconds).unwrap_or(max_duration),
        }
    }
}

/// Seconds, unless they switch the thing off.
fn on(seconds: i64) -> Option<Duration> {
    u64::try_from(seconds).ok().filter(|&seconds| seconds > 0).map(Duration::from_secs)
}

/// As [`on`], where a fraction counts; no more than a call lasts.
fn seconds(seconds: f64) -> Option<Duration> {
    (seconds > 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(CEILING).min(CEILING))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMN_DEFAULTS: Patience = Patience {
        eagerness: Eagerness::NORMAL,
        spelling: SpellingPatience::Auto,
        turn_after_silence_seconds: 7,
        end_after_silence_seconds: -1,
        max_conversation_duration_seconds: None,
        soft_timeout_seconds: 1.2,
        llm_cascade_timeout_seconds: 8,
    };

    #[test]
    fn an_untouched_agent_has_the_default_timing() {
        assert_eq!(COLUMN_DEFAULTS.timing(&Timing::default()), Timing::default());
    }

    #[test]
    fn eagerness_scales_the_servers_setting() {
        let server = Timing { endpoint_silence: Duration::from_millis(1_000), ..Timing::default() };
        let patient = Patience { eagerness: Eagerness::LOW, ..COLUMN_DEFAULTS }.timing(&server);
        assert_eq!((patient.endpoint_silence.as_millis(), patient.eagerness), (1_800, Eagerness::LOW));
    }

    #[test]
    fn limits_are_switched_off_and_capped() {
        let server = Timing::default();
        let off = Patience {
            turn_after_silence_seconds: -1,
            end_after_silence_seconds: 30,
            max_conversation_duration_seconds: Some(-1),
            soft_timeout_seconds: -1.0,
            llm_cascade_timeout_seconds: -1,
            ..COLUMN_DEFAULTS
        }
        .timing(&server);
        assert_eq!(off.max_duration, CEILING);
        assert_eq!(off.turn_after_silence, CEILING);
        assert_eq!(off.end_after_silence, Some(Duration::from_secs(30)));
        assert_eq!((off.soft_timeout, off.answer_limit), (None, CEILING));
        for (seconds, limit) in
            [(f64::NAN, None), (0.0, None), (0.5, Some(Duration::from_millis(500))), (1e300, Some(CEILING))]
        {
            let soft = Patience { soft_timeout_seconds: seconds, ..COLUMN_DEFAULTS };
            assert_eq!(soft.timing(&server).soft_timeout, limit, "{seconds}");
        }

        let long = Patience { max_conversation_duration_seconds: Some(86_400), ..COLUMN_DEFAULTS };
        assert_eq!(long.timing(&server).max_duration, CEILING);
    }
}
