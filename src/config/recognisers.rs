//! Which recognisers hear callers, in which order, and how they are reached.

use tandem_providers::stt::deepgram::DeepgramConfig;
use tandem_providers::ws::Base;

use super::error::Problem;
use super::read::{self, Reader};

/// The local one: it needs no key.
pub(crate) const WHISPER: &str = "whisper";
/// The hosted one.
pub(crate) const DEEPGRAM: &str = "deepgram";
/// Words of `STT_PROVIDER`.
const NAMES: [&str; 2] = [WHISPER, DEEPGRAM];

/// The order, and Deepgram's account where it is part of it.
///
/// Where nobody said otherwise the configured keys decide, and the local one stands last. An order that was written is obeyed to the letter:
/// who leaves the local one out wants no memory spent on it.
pub(super) fn read(reader: &mut Reader<'_>) -> (Vec<&'static str>, Option<DeepgramConfig>) {
    let account = account(reader);
    match reader.value("STT_PROVIDER", |text| read::order_of(text, &NAMES)) {
        None if account.is_some() => (vec![DEEPGRAM, WHISPER], account),
        None => (vec![WHISPER], None),
        Some(order) if !order.contains(&DEEPGRAM) => (order, None),
        Some(order) => {
            if account.is_none() {
                let detail = "names deepgram, whose key is not set: set DEEPGRAM_API_KEY".to_owned();
                let (subject, source) = ("STT_PROVIDER".to_owned(), reader.source("STT_PROVIDER"));
                reader.problems.push(Problem { subject, source, detail });
            }
            (order, account)
        }
    }
}

/// How Deepgram is reached, if its key is set.
fn account(reader: &mut Reader<'_>) -> Option<DeepgramConfig> {
    let key = reader.text("DEEPGRAM_API_KEY").filter(|key| !key.trim().is_empty())?;
    let base_url = reader
        .value("DEEPGRAM_BASE_URL", |text| {
            Base::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
        })
        .unwrap_or_default();
    let model = reader.text("DEEPGRAM_MODEL").unwrap_or_default();
    Some(DeepgramConfig { key, base_url, model })
}
