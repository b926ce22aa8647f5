//! The handshake's query: what it asks for, and which values and combinations are refused.

use std::time::Duration;

/// Families of models that stream.
const MODELS: [&str; 4] = ["nova-3", "nova-2", "enhanced", "base"];
/// Parameters whose value is `true` or `false`.
const SWITCHES: [&str; 9] = [
    "interim_results",
    "vad_events",
    "punctuate",
    "smart_format",
    "numerals",
    "dictation",
    "profanity_filter",
    "filler_words",
    "no_delay",
];

/// How bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Linear16,
    Mulaw,
    Alaw,
    /// Known, and not heard.
    Compressed,
    /// The stream's first bytes tell.
    Container,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listen {
    pub(super) model: String,
    pub(super) encoding: Encoding,
    pub(super) sample_rate: u32,
    pub(super) channels: usize,
    pub(super) interim_results: bool,
    /// `None` where it is switched off.
    pub(super) endpointing: Option<Duration>,
    pub(super) utterance_end: Option<Duration>,
    pub(super) vad_events: bool,
    pub(super) punctuated: bool,
    pub(super) multilingual: bool,
    pub(super) keyterms: Vec<String>,
}

impl Listen {
    /// Reads the query, or says why it is refused.
    pub(super) fn read(pairs: &[(String, String)]) -> Result<Self, String> {
        let one = |name: &str| pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
        let many = |name: &str| -> Vec<String> {
            pairs.iter().filter(|(given, _)| given == name).map(|(_, value)| value.clone()).collect()
        };
        for name in SWITCHES {
            if one(name).is_some_and(|value| !["true", "false"].contains(&value)) {
                return Err(format!("Invalid query string: {name} is true or false."));
            }
        }
        let switched_on = |name: &str| one(name) == Some("true");
        let model = one("model").unwrap_or("base").to_owned();
        if !MODELS
            .iter()
            .any(|family| model == *family || model.strip_prefix(family).is_some_and(|rest| rest.starts_with('-')))
        {
            return Err("No such model/language/tier combination found.".to_owned());
        }
        let number = |name: &str| match one(name).map(str::parse::<u32>) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => Err(format!("Invalid query string: {name} is a whole number.")),
        };
        let encoding = match one("encoding") {
            None => Encoding::Container,
            Some("linear16") => Encoding::Linear16,
            Some("mulaw") => Encoding::Mulaw,
            Some("alaw") => Encoding::Alaw,
            Some("linear32" | "flac" | "amr-nb" | "amr-wb" | "opus" | "ogg-opus" | "speex" | "g729") => {
                Encoding::Compressed
            }
            Some(other) => return Err(format!("Invalid query string: unsupported encoding {other}.")),
        };
        let raw = matches!(encoding, Encoding::Linear16 | Encoding::Mulaw | Encoding::Alaw);
        let sample_rate = match number("sample_rate")? {
            Some(0) => return Err("Invalid query string: sample_rate is above 0.".to_owned()),
            Some(rate) => rate,
            None if raw => return Err("Invalid query string: sample_rate is mandatory with a raw encoding.".to_owned()),
            None => 8_000,
        };
        let utterance_end = number("utterance_end_ms")?;
        if utterance_end.is_some() && !switched_on("interim_results") {
            return Err("utterance_end_ms needs interim_results=true.".to_owned());
        }
        if utterance_end.is_some_and(|ms| ms < 1_000) {
            return Err("utterance_end_ms is 1000 or more.".to_owned());
        }
        let endpointing = match one("endpointing") {
            Some("false") => None,
            Some("true") | None => Some(10),
            Some(ms) => Some(ms.parse().map_err(|_| "Invalid query string: endpointing is ms or false.".to_owned())?),
        };
        let keyterms = many("keyterm");
        if !keyterms.is_empty() && !model.starts_with("nova-3") {
            return Err("Keyterm prompting is only available for Nova-3.".to_owned());
        }
        if one("keywords").is_some() && model.starts_with("nova-3") {
            return Err("Keywords are not supported for Nova-3: use keyterm.".to_owned());
        }
        if one("diarize_model") == Some("v2") {
            return Err("diarize_model=v2 is not supported on streaming.".to_owned());
        }
        Ok(Self {
            model,
            encoding,
            sample_rate,
            channels: number("channels")?.unwrap_or(1).clamp(1, 20) as usize,
            interim_results: switched_on("interim_results"),
            endpointing: endpointing.map(|ms: u64| Duration::from_millis(ms)),
            utterance_end: utterance_end.map(|ms| Duration::from_millis(ms.into())),
            vad_events: switched_on("vad_events"),
            punctuated: switched_on("punctuate") || switched_on("smart_format"),
            multilingual: one("language") == Some("multi"),
            keyterms,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(in super::super) fn read(query: &str) -> Result<Listen, String> {
        Listen::read(&serde_urlencoded::from_str::<Vec<(String, String)>>(query).unwrap())
    }

    #[test]
    fn a_telephones_query_is_understood() {
        let listen =
            read("model=nova-3&encoding=mulaw&sample_rate=8000&keyterm=cash+back&keyterm=EMI&smart_format=true")
                .unwrap();
        assert_eq!((listen.encoding, listen.sample_rate), (Encoding::Mulaw, 8_000));
        assert_eq!(listen.keyterms, ["cash back", "EMI"]);
        assert_eq!(listen.endpointing, Some(Duration::from_millis(10)), "their default");
        assert!(listen.punctuated && !listen.interim_results);
        assert_eq!(read("model=nova-3&endpointing=false").unwrap().endpointing, None);
    }

    #[test]
    fn wrong_values_and_combinations_are_refused() {
        for wrong in [
            "model=nova-9",
            "model=whisper-large",
            "model=nova-3&encoding=mulaw",
            "model=nova-3&encoding=mp7&sample_rate=8000",
            "model=nova-3&sample_rate=eight",
            "model=nova-3&interim_results=yes",
            "model=nova-3&utterance_end_ms=1000",
            "model=nova-3&interim_results=true&utterance_end_ms=500",
            "model=nova-2&keyterm=EMI",
            "model=nova-3&keywords=EMI:2",
            "model=nova-3&diarize_model=v2",
            "model=nova-3&endpointing=soon",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
