//! ElevenLabs' wire: URLs, frames, errors. No IO.
//!
//! ```text
//! POST /v1/text-to-speech/{voice}/stream?output_format=…      one text in, bare audio out
//! WS   /v1/text-to-speech/{voice}/multi-stream-input?…        many texts, each in a context of its own:
//!
//!   us    {"text":" ","context_id":"s1"}                       opens it
//!         {"text":"Your order ships today. ","context_id":"s1","flush":true}
//!         {"context_id":"s1","close_context":true}             no more text: what was flushed is still made
//!   them  {"audio":"…","contextId":"s1","alignment":{…}} …     some servers write `context_id`
//!         {"isFinal":true,"contextId":"s1"}                    `isFinal` is null, false or absent before that
//! ```
//!
//! A text ends with a space, or its last word is glued to what follows. There is no frame that stops what was flushed: who is interrupted
//! drops the audio of that context. Server frames of a kind that is not known are skipped.
//! Source: the vendor's AsyncAPI file and guides of 2025-08, and what `livekit-plugins-elevenlabs` 1.8.9 sends.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tandem_codecs::SampleRate;
use tandem_codecs::format::{Encoding, MediaFormat};
use tandem_domain::port::tts::TtsError;

/// The vendor's name in settings, logs and metrics.
pub(super) const NAME: &str = "elevenlabs";
/// Header of the key.
pub(super) const KEY_HEADER: &str = "xi-api-key";
/// Contexts that one socket may have open; one more, and the whole socket is closed.
pub(super) const MOST_CONTEXTS: usize = 5;
/// Seconds that a socket may be without text; the most that the vendor allows.
const INACTIVITY_SECONDS: u32 = 180;
/// Longest part of a vendor's message that goes into our log.
const MOST_DETAIL: usize = 200;

/// Audio as the vendor is asked to send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Format {
    /// Its name in `output_format`.
    pub(super) name: &'static str,
    /// What that is.
    pub(super) media: MediaFormat,
}

impl Format {
    /// The format for a sample rate; `None` where the vendor has none. 8 kHz comes as mu-law, as a telephone has it.
    pub(super) fn of_rate(rate_hz: u32) -> Option<Self> {
        let name = match rate_hz {
            8_000 => return Some(Self { name: "ulaw_8000", media: MediaFormat::PCMU_8K }),
            16_000 => "pcm_16000",
            22_050 => "pcm_22050",
            24_000 => "pcm_24000",
            32_000 => "pcm_32000",
            44_100 => "pcm_44100",
            48_000 => "pcm_48000",
            _ => return None,
        };
        let rate = SampleRate::new(rate_hz).ok()?;
        Some(Self { name, media: MediaFormat { encoding: Encoding::L16Le, rate } })
    }
}

/// What a connection is for: sentences of one voice, in one format and language.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Route {
    /// The voice's id.
    pub(super) voice: String,
    /// The model's id.
    pub(super) model: String,
    /// ISO 639-1; `None` where the model takes none.
    pub(super) language: Option<String>,
    /// What comes back.
    pub(super) format: Format,
}

impl Route {
    /// The socket's URL below a base of `http://…` or `https://…`.
    pub(super) fn socket_url(&self, base: &str) -> String {
        let base = base.trim_end_matches('/');
        let base = match base.strip_prefix("http") {
            Some(rest) => format!("ws{rest}"),
            None => base.to_owned(),
        };
        let mut url = format!(
            "{base}/v1/text-to-speech/{}/multi-stream-input?model_id={}&output_format={}",
            self.voice, self.model, self.format.name
        );
        if let Some(language) = &self.language {
            url.push_str(&format!("&language_code={language}"));
        }
        // Whole sentences come one at a time and are flushed: no schedule of chunks has to be waited for.
        url.push_str(&format!("&auto_mode=true&sync_alignment=true&inactivity_timeout={INACTIVITY_SECONDS}"));
        url
    }

    /// Where one text is streamed by HTTP.
    pub(super) fn stream_url(&self, base: &str) -> String {
        let base = base.trim_end_matches('/');
        format!("{base}/v1/text-to-speech/{}/stream?output_format={}", self.voice, self.format.name)
    }

    /// The body that goes there.
    pub(super) fn body<'a>(&'a self, text: &'a str) -> SpeechRequest<'a> {
        SpeechRequest { text, model_id: &self.model, language_code: self.language.as_deref() }
    }
}

/// One text to be spoken, by HTTP. The voice's own settings hold.
#[derive(Debug, Serialize)]
pub(super) struct SpeechRequest<'a> {
    text: &'a str,
    model_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    language_code: Option<&'a str>,
}

/// ISO 639-1 of a BCP 47 tag, for models that take one: the first subtag, where it has two letters.
pub(super) fn language(tag: &str, model: &str) -> Option<String> {
    let first = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let fits = first.len() == 2 && first.bytes().all(|byte| byte.is_ascii_lowercase());
    (fits && !model.contains("multilingual_v2") && !model.contains("monolingual")).then_some(first)
}

/// Whether `text` has the form of a voice's id: 20 letters and digits. Other engines' voices have names.
pub(super) fn is_voice_id(text: &str) -> bool {
    text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[derive(Serialize)]
struct ClientFrame<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    context_id: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    flush: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    close_context: bool,
}

impl ClientFrame<'_> {
    fn json(&self) -> String {
        serde_json::to_string(self).expect("strings and booleans are JSON")
    }
}

/// Opens a context.
pub(super) fn open(context_id: &str) -> String {
    ClientFrame { text: Some(" "), context_id, flush: false, close_context: false }.json()
}

/// A whole text, to be made at once. A space is put behind it.
pub(super) fn text(context_id: &str, text: &str) -> String {
    let text = format!("{} ", text.trim_end());
    ClientFrame { text: Some(&text), context_id, flush: true, close_context: false }.json()
}

/// No more text will come for the context.
pub(super) fn close(context_id: &str) -> String {
    ClientFrame { text: None, context_id, flush: false, close_context: true }.json()
}

/// The socket is no longer needed.
pub(super) const CLOSE_SOCKET: &str = r#"{"close_socket":true}"#;

/// When each character is spoken, from the beginning of the audio that comes with it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alignment {
    /// The characters of the text that was sent.
    #[serde(default)]
    pub(super) chars: Vec<String>,
    /// When each begins, in ms.
    #[serde(default, alias = "charsStartTimesMs")]
    pub(super) char_start_times_ms: Vec<f64>,
    /// How long each lasts, in ms. The vendor's own texts spell it both ways.
    #[serde(default, alias = "charsDurationsMs")]
    pub(super) char_durations_ms: Vec<f64>,
}

/// A server frame.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Heard {
    /// Whose it is; `None` if it names no context.
    pub(super) context: Option<String>,
    /// Audio in the format asked for; may be empty.
    pub(super) audio: Vec<u8>,
    /// Its timing, where it has one.
    pub(super) alignment: Option<Alignment>,
    /// The context's last frame.
    pub(super) last: bool,
    /// What went wrong, if it says so.
    pub(super) error: Option<TtsError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerFrame<'a> {
    #[serde(borrow)]
    audio: Option<Cow<'a, str>>,
    #[serde(alias = "context_id")]
    context_id: Option<String>,
    #[serde(alias = "is_final")]
    is_final: Option<bool>,
    alignment: Option<Alignment>,
    error: Option<String>,
    message: Option<String>,
}

/// Why a frame cannot be used.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum FrameError {
    /// No JSON, or another shape.
    #[error("a frame that is not the vendor's JSON")]
    Json,
    /// The audio is no base64.
    #[error("audio that is not base64")]
    Base64,
}

/// Reads a text frame.
pub(super) fn read(frame: &str) -> Result<Heard, FrameError> {
    let frame: ServerFrame<'_> = serde_json::from_str(frame).map_err(|_| FrameError::Json)?;
    let audio = match frame.audio.as_deref() {
        Some(audio) => STANDARD.decode(audio).map_err(|_| FrameError::Base64)?,
        None => Vec::new(),
    };
    let error = frame.error.map(|code| fault(&code, frame.message.as_deref().unwrap_or_default(), None));
    Ok(Heard {
        context: frame.context_id,
        audio,
        alignment: frame.alignment.filter(|alignment| !alignment.chars.is_empty()),
        last: frame.is_final == Some(true),
        error,
    })
}

/// What a refusal by HTTP means: `{"detail":{"status":"…","message":"…"}}`, `{"detail":"…"}`, or a list of wrong fields with status 422.
pub(super) fn refusal(status: u16, body: &[u8]) -> TtsError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let detail = &body["detail"];
    let code = detail["status"].as_str().unwrap_or_default();
    let message = detail["message"].as_str().or(detail.as_str()).or(detail[0]["msg"].as_str());
    fault(code, message.unwrap_or_default(), Some(status))
}

/// The vendor's error codes, which both of its ways share. Quota is answered with status 401, as a wrong key is.
///
/// | code, or status where there is none | becomes |
/// |---|---|
/// | `quota_exceeded` | `Exhausted` |
/// | `invalid_api_key`, 401 | `Unauthorized` |
/// | `voice_not_found` | `NoSuchVoice` |
/// | `too_many_concurrent_requests`, `system_busy`, `max_active_conversations`, 429 | `Busy` |
/// | `only_for_creator+`, `detected_unusual_activity`, 403 | `Unavailable` |
/// | anything else | `Failed` |
pub(super) fn fault(code: &str, message: &str, status: Option<u16>) -> TtsError {
    let vendor = NAME;
    match (code, status) {
        ("quota_exceeded", _) => TtsError::Exhausted { vendor },
        ("voice_not_found", _) => TtsError::NoSuchVoice { vendor, voice: String::new() },
        ("too_many_concurrent_requests" | "system_busy" | "max_active_conversations", _) | (_, Some(429)) => {
            TtsError::Busy { vendor }
        }
        ("only_for_creator+" | "detected_unusual_activity", _) | (_, Some(403)) => {
            TtsError::Unavailable { vendor, remedy: format!("the plan does not allow it ({})", told(code, message)) }
        }
        ("max_character_limit_exceeded", _) => failed(told(code, message)),
        ("invalid_api_key", _) | (_, Some(401)) => TtsError::Unauthorized { vendor },
        (_, status) => {
            let status = status.map_or(String::new(), |status| format!("status {status}: "));
            failed(format!("{status}{}", told(code, message)))
        }
    }
}

/// The vendor's words, of a length that a log can bear.
fn told(code: &str, message: &str) -> String {
    let words = [code, message].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(": ");
    words.chars().filter(|c| !c.is_control()).take(MOST_DETAIL).collect()
}

/// Something went wrong that the vendor has no code for.
pub(super) fn failed(detail: impl Into<String>) -> TtsError {
    TtsError::Failed { vendor: NAME, detail: detail.into() }
}

#[cfg(test)]
mod tests;
