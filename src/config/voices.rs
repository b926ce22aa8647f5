//! Who speaks, in which order, and the accounts of those that are hosted.

use tandem_providers::tts::elevenlabs::{ElevenLabsConfig, Key, Transport};

use super::error::Problem;
use super::read::{self, Reader};

/// Every voice there is, in the order in which they are asked where nobody said otherwise; piper only where it is named.
const VOICES: [&str; 3] = ["elevenlabs", "piper", "flite"];

/// The voices, best first, and the account of `elevenlabs` if it is one of them.
pub(super) fn read(reader: &mut Reader<'_>) -> (Vec<&'static str>, Option<ElevenLabsConfig>) {
    let key = reader.text("ELEVENLABS_API_KEY").filter(|key| !key.trim().is_empty());
    let named = reader.value("TTS_PROVIDER", |text| read::order_of(text, &VOICES));
    let order = named.unwrap_or_else(|| key.iter().map(|_| "elevenlabs").chain(["flite"]).collect());
    if !order.contains(&"elevenlabs") {
        return (order, None);
    }
    let Some(key) = key else {
        let source = reader.source("TTS_PROVIDER");
        let detail = "names elevenlabs, whose key is not set: set ELEVENLABS_API_KEY".to_owned();
        reader.problems.push(Problem { subject: "TTS_PROVIDER".to_owned(), source, detail });
        return (order, None);
    };
    let mut account = ElevenLabsConfig::new(Key::new(key.trim()));
    account.base_url = reader.value("ELEVENLABS_BASE_URL", read::vendor_base).unwrap_or(account.base_url);
    account.voice = reader.value("ELEVENLABS_VOICE_ID", id).unwrap_or(account.voice);
    account.model = reader.value("ELEVENLABS_MODEL", id).unwrap_or(account.model);
    let transport = reader.value("ELEVENLABS_TRANSPORT", |text| read::one_of(text, &["socket", "http"]));
    account.transport = if transport == Some("http") { Transport::Http } else { Transport::Socket };
    (order, Some(account))
}

/// An id as ElevenLabs writes them.
fn id(text: &str) -> Result<String, String> {
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if fits { Ok(text.to_owned()) } else { Err(format!("{text:?} is not an id: letters, digits, - and _ alone")) }
}
