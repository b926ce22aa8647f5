//! Callers who notice everything: the strict carriers of `tandem_peers`, few enough to be afforded here.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tandem_peers::caller::{Line, Manners, Rendered, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::simulate::{self, PeerReport, SimulateConfig};
use tandem_peers::vendor::FakeTts;
use tandem_peers::voice::Talker;

use super::super::CliError;
use super::super::switch::MeasuredSwitch;
use crate::cli::output::bar_style;

/// Calls begin over this time, as they would.
const OPENING: Duration = Duration::from_secs(5);
/// A call that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(120);
/// Time between two looks at the switch.
const SAMPLE: Duration = Duration::from_millis(500);

/// Runs calls of these numbers: their reports, what failed, and the most memory that the switch ever held.
pub(super) async fn fleet(
    switch: &mut MeasuredSwitch,
    numbers: RangeInclusive<u32>,
) -> Result<(Vec<PeerReport>, Vec<String>, u64), CliError> {
    let calls = numbers.clone().count() as u32;
    let mut running = tokio::task::JoinSet::new();
    for (place, number) in numbers.enumerate() {
        let url = switch.media_url();
        running.spawn(async move {
            tokio::time::sleep(OPENING * place as u32 / calls).await;
            call(url, number).await
        });
    }
    let bar = indicatif::ProgressBar::new(u64::from(calls)).with_style(bar_style());
    let (mut reports, mut failures, mut peak) = (Vec::new(), Vec::new(), 0);
    let mut look = tokio::time::interval(SAMPLE);
    while !running.is_empty() {
        tokio::select! {
            Some(done) = running.join_next() => {
                bar.inc(1);
                match done {
                    Ok(Ok(report)) => reports.push(report),
                    Ok(Err(error)) => failures.push(error.to_string()),
                    Err(panic) => failures.push(panic.to_string()),
                }
            }
            _ = look.tick() => peak = peak.max(switch.usage().await?.rss_bytes),
        }
    }
    bar.finish_and_clear();
    Ok((reports, failures, peak))
}

/// One call: two answers, then silence until the agent has thanked.
pub(super) async fn call(url: String, number: u32) -> Result<PeerReport, simulate::SimulateError> {
    let talker = Talker::numbered(u64::from(number));
    let say = |text: &str| {
        Step::Say(Line::Audio(Rendered { text: text.to_owned(), samples: talker.speak(text).samples.into() }))
    };
    simulate::run(SimulateConfig {
        url,
        unix_socket: None,
        carrier: Carrier::Twilio(TwilioIds::numbered(u128::from(number))),
        custom_parameters: BTreeMap::new(),
        script: super::super::TEXTS.map(say).to_vec(),
        manners: Manners { seed: u64::from(number), ..Manners::default() },
        renderer: Arc::new(FakeTts::default()),
        voice: String::new(),
        language: "en".to_owned(),
        recogniser: None,
        record_to: None,
        limit: LIMIT,
    })
    .await
}
