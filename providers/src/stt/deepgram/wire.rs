//! Deepgram's streaming recogniser, v1: the handshake's query, the messages, the refusals. No IO.
//!
//! | we send | when |
//! |---------|------|
//! | binary | the caller's audio, as it came from the carrier: µ-law at 8 kHz |
//! | `KeepAlive` | nothing else was sent for 4 s: at 10 s the server gives up |
//! | `Finalize` | the caller paused by our own detector |
//! | `CloseStream` | the call is over |
//!
//! | they send | becomes |
//! |-----------|---------|
//! | `Results` | partials and settled stretches, see [`Hearing`](super::hearing::Hearing) |
//! | `Metadata` | the end, after `CloseStream` |
//! | `Error` | [`SttError::Refused`]: a message of ours could not be read |
//! | `SpeechStarted`, `UtteranceEnd`, `ConfigureSuccess`, `ConfigureFailure`, others | skipped: our own detector finds the turns |
//!
//! Skipped on purpose: `diarize`, `redact`, `callback`, `multichannel` (one channel is one speaker here), `Configure` (the words that a turn
//! probably contains are known when it is over, and a new list would serve the next one).
//! Source: SDK 7.17.0 and the public AsyncAPI description; checked 2026-11. Seconds are counted from the first audio of the connection.

use std::time::Duration;

use serde::Deserialize;
use tandem_domain::port::stt::{SttError, SttSpec};

/// As in `STT_PROVIDER`, and in errors.
pub(super) const NAME: &str = "deepgram";
/// Path under the base.
pub(super) const PATH: &str = "/v1/listen";
/// Sent when nothing else was.
pub(super) const KEEP_ALIVE: &str = r#"{"type":"KeepAlive"}"#;
/// Settle what was heard so far.
pub(super) const FINALIZE: &str = r#"{"type":"Finalize"}"#;
/// No more audio will come.
pub(super) const CLOSE_STREAM: &str = r#"{"type":"CloseStream"}"#;

/// Silence by which their endpointer settles what was said, in ms. Ours asks anyway; theirs bounds what a lost connection has to hear again.
const ENDPOINTING_MS: u32 = 300;
/// Nova-3 takes 500 tokens of key terms in all; a token has about three letters.
const MAX_KEYTERM_CHARS: usize = 1_500;
/// Seconds beyond this are nonsense: a call lasts four hours at most.
const MAX_SECONDS: f64 = 86_400.0;
/// Of a vendor's words in our errors.
const MAX_DETAIL_CHARS: usize = 200;
/// Regional forms that Deepgram tells apart; of other tags the language alone is sent.
const REGIONAL: [&str; 14] = [
    "en-US", "en-AU", "en-GB", "en-IN", "en-NZ", "de-CH", "es-419", "fr-CA", "nl-BE", "pt-BR", "pt-PT", "zh-CN",
    "zh-TW", "zh-HK",
];

/// How samples become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// G.711 µ-law, one byte a sample: what carriers send.
    Mulaw,
    /// Little-endian PCM, two bytes a sample.
    Linear16,
}

impl Encoding {
    /// The telephone's own at its rate; else what loses nothing.
    pub(super) fn of(rate_hz: u32) -> Self {
        if rate_hz == 8_000 { Self::Mulaw } else { Self::Linear16 }
    }

    /// Bytes of a sample.
    pub(super) fn width(self) -> usize {
        match self {
            Self::Mulaw => 1,
            Self::Linear16 => 2,
        }
    }

    /// Appends `samples`. What came as µ-law becomes the very same bytes, but for the second zero: 0x7f and 0xff are both silence, and 0xff is sent.
    pub(super) fn encode(self, samples: &[i16], out: &mut Vec<u8>) {
        match self {
            Self::Mulaw => tandem_codecs::g711::encode_ulaw(samples, out),
            Self::Linear16 => out.extend(samples.iter().flat_map(|sample| sample.to_le_bytes())),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Mulaw => "mulaw",
            Self::Linear16 => "linear16",
        }
    }
}

/// The handshake's query, in order; a list repeats its name.
pub(super) fn query(model: &str, spec: &SttSpec) -> Vec<(&'static str, String)> {
    let mut query = vec![
        ("model", model.to_owned()),
        ("encoding", Encoding::of(spec.rate_hz).name().to_owned()),
        ("sample_rate", spec.rate_hz.to_string()),
    ];
    query.extend(language(model, &spec.language));
    query.push(("interim_results", "true".to_owned()));
    query.push(("endpointing", ENDPOINTING_MS.to_string()));
    query.push(("smart_format", "true".to_owned()));
    query.push(("no_delay", "true".to_owned())); // else formatting holds results back
    let boost = if is_nova_3(model) { "keyterm" } else { "keywords" };
    let mut chars = 0;
    let terms = spec.keywords.iter().map(|term| term.trim()).filter(|term| !term.is_empty());
    let fitting = terms.take_while(|term| {
        chars += term.chars().count();
        chars <= MAX_KEYTERM_CHARS
    });
    query.extend(fitting.map(|term| (boost, term.to_owned())));
    query
}

fn is_nova_3(model: &str) -> bool {
    model.starts_with("nova-3")
}

/// `language`, with a hint where callers mix two: a Hindi speaker's English words are lost to a model that knows Hindi alone.
fn language(model: &str, tag: &str) -> Vec<(&'static str, String)> {
    let of = |value: &str| vec![("language", value.to_owned())];
    let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    match primary.as_str() {
        "" | "multi" => of("multi"),
        "hi" if is_nova_3(model) => vec![("language", "multi".to_owned()), ("language_hint", primary)],
        _ => match REGIONAL.iter().find(|regional| regional.eq_ignore_ascii_case(tag)) {
            Some(regional) => of(regional),
            None => of(&primary),
        },
    }
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type")]
pub(super) enum FromDeepgram {
    /// A hypothesis, or a settled stretch.
    Results(Results),
    /// The stream's summary; the end is near.
    Metadata {
        /// Theirs, for support.
        #[serde(default)]
        request_id: String,
    },
    /// A text message of ours could not be read.
    Error {
        /// Such as `SchemaError`.
        #[serde(default)]
        variant: String,
        /// In words.
        #[serde(default)]
        description: String,
    },
    /// Events appear without notice.
    #[serde(other)]
    Other,
}

/// What was heard in `start..start + duration`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Results {
    /// Seconds.
    pub(super) start: f64,
    /// Seconds.
    pub(super) duration: f64,
    /// The text of this stretch will not change.
    #[serde(default)]
    pub(super) is_final: bool,
    /// The answer to a `Finalize`.
    #[serde(default)]
    pub(super) from_finalize: bool,
    pub(super) channel: Channel,
}

/// One channel's hypotheses.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Channel {
    /// Best first; only one is asked for.
    #[serde(default)]
    pub(super) alternatives: Vec<Alternative>,
}

/// One hypothesis.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub(super) struct Alternative {
    /// The text as it is to be read.
    #[serde(default)]
    pub(super) transcript: String,
    /// 0 to 1.
    #[serde(default)]
    pub(super) confidence: f64,
    /// In order.
    #[serde(default)]
    pub(super) words: Vec<Word>,
}

/// One word.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Word {
    /// Bare.
    #[serde(default)]
    pub(super) word: String,
    /// With its capital and its punctuation.
    pub(super) punctuated_word: Option<String>,
    /// Seconds.
    pub(super) start: f64,
    /// Seconds.
    pub(super) end: f64,
}

/// Reads a text message.
pub(super) fn decode(text: &str) -> Result<FromDeepgram, serde_json::Error> {
    serde_json::from_str(text)
}

/// A time of the connection in samples. Nonsense becomes the nearest sense.
pub(super) fn samples(seconds: f64, rate_hz: u32) -> u64 {
    (seconds.clamp(0.0, MAX_SECONDS) * f64::from(rate_hz)).round() as u64
}

/// A handshake that was answered with something else than an upgrade.
///
/// | status | means | error |
/// |--------|-------|-------|
/// | 400 | a parameter, or their combination | `Refused` |
/// | 401, 403 | the key, or what it may do | `Unauthorized` |
/// | 402 | the account's credit is used up | `Unavailable` |
/// | 429 | as many streams as the project may have | `RateLimited` |
/// | 5xx and others | their side | `Failed` |
///
/// `reason` is the header `dg-error` or the body; `retry_after` the header of that name.
pub(super) fn refusal(status: u16, reason: &str, retry_after: Option<&str>) -> SttError {
    let detail = || format!("status {status}: {}", readable(reason));
    match status {
        400 | 404 | 405 | 414 => SttError::Refused { vendor: NAME, detail: detail() },
        401 | 403 => SttError::Unauthorized { vendor: NAME },
        402 => SttError::Unavailable {
            vendor: NAME,
            remedy: "add credit to the account at console.deepgram.com".to_owned(),
        },
        429 => {
            let seconds = retry_after.and_then(|text| text.trim().parse().ok());
            SttError::RateLimited { vendor: NAME, retry_after: seconds.map(Duration::from_secs) }
        }
        _ => SttError::Failed { vendor: NAME, detail: detail() },
    }
}

/// A socket that was closed before we asked for it. The number tells little (1011 covers several), the reason's last word everything.
///
/// | reason ends in | means | error |
/// |----------------|-------|-------|
/// | `data0000` | what we sent is not the audio that we announced | `Refused` |
/// | `net0000`, `net0001` | their answer was late; nothing came from us for 10 s | `Failed`: connect again |
pub(super) fn closed(code: u16, reason: &str) -> SttError {
    let detail = format!("closed with {code}: {}", readable(reason));
    let id = reason.trim_end_matches(['.', ' ']).rsplit(['/', ' ']).next().unwrap_or_default().to_ascii_lowercase();
    if id.starts_with("data") || (code == 1008 && !id.starts_with("net")) {
        return SttError::Refused { vendor: NAME, detail };
    }
    SttError::Failed { vendor: NAME, detail }
}

/// An `Error` message.
pub(super) fn complaint(variant: &str, description: &str) -> SttError {
    SttError::Refused { vendor: NAME, detail: readable(&format!("{variant}: {description}")) }
}

/// A vendor's words, fit for a log: one line, not too long.
fn readable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MAX_DETAIL_CHARS).collect()
}

#[cfg(test)]
mod tests;
