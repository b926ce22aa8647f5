//! Hosted vendors: which are configured, and whether they take our key. One handshake each, which costs less than a second of audio.

use tandem_domain::port::stt::{SttError, SttSpec};
use tandem_providers::stt::deepgram::Deepgram;

use super::Finding;
use crate::config::{Config, WHISPER};

const RECOGNISERS: &str = "recognisers";
const DEEPGRAM: &str = "deepgram";

pub(super) async fn all(config: &Config) -> Vec<Finding> {
    let order = config.engines.stt.join(", then ");
    let mut findings = vec![Finding::ok(RECOGNISERS, format!("callers are heard by {order}"))];
    if let Some(account) = &config.engines.deepgram {
        let local = config.engines.stt.contains(&WHISPER);
        findings.push(match Deepgram::new(account) {
            Ok(deepgram) => {
                told(deepgram.probe(&SttSpec { rate_hz: 8_000, ..SttSpec::default() }).await, &account.model, local)
            }
            Err(error) => {
                Finding::fail(DEEPGRAM, error.to_string(), "correct the setting, or leave deepgram out of STT_PROVIDER")
            }
        });
    }
    findings
}

/// What a handshake came to. With a local recogniser behind it calls are answered all the same.
fn told(probe: Result<(), SttError>, model: &str, local: bool) -> Finding {
    let error = match probe {
        Ok(()) => return Finding::ok(DEEPGRAM, format!("takes our key and the model {model}")),
        Err(error) => error,
    };
    let remedy = match &error {
        SttError::Unauthorized { .. } => "set DEEPGRAM_API_KEY to a key of console.deepgram.com",
        SttError::Refused { .. } => "choose a model in DEEPGRAM_MODEL that streams, such as nova-3",
        SttError::RateLimited { .. } => "raise the project's limit of streams, or lower MAX_CONCURRENT_CALLS",
        SttError::Unavailable { .. } | SttError::Busy { .. } => "see the vendor's console",
        SttError::Failed { .. } => "check DEEPGRAM_BASE_URL and this machine's way out to the network",
    };
    if local {
        Finding::warn(DEEPGRAM, error.to_string(), remedy)
    } else {
        Finding::fail(DEEPGRAM, error.to_string(), remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_vendor_that_fails_is_a_failure_where_nobody_stands_behind_it() {
        let refused = || Err(SttError::Unauthorized { vendor: DEEPGRAM });
        assert_eq!(told(Ok(()), "nova-3", false).verdict, Verdict::Ok);
        assert_eq!(told(refused(), "nova-3", true).verdict, Verdict::Warn);
        let finding = told(refused(), "nova-3", false);
        assert_eq!(finding.verdict, Verdict::Fail);
        assert!(finding.remedy.is_some_and(|remedy| remedy.contains("DEEPGRAM_API_KEY")));
    }
}
