#![allow(clippy::unwrap_used)]
use tandem_domain::port::{Blame, Retry};

use super::*;

fn spec(language: &str, keywords: &[&str]) -> SttSpec {
    let keywords = keywords.iter().map(|&word| word.to_owned()).collect();
    SttSpec { language: language.to_owned(), rate_hz: 8_000, keywords, partials: false }
}

fn encoded(model: &str, spec: &SttSpec) -> String {
    serde_urlencoded::to_string(query(model, spec)).unwrap()
}

#[test]
fn the_query_is_the_telephones() {
    assert_eq!(
        encoded("nova-3", &spec("en", &["cash back", " ", "EMI"])),
        "model=nova-3&encoding=mulaw&sample_rate=8000&language=en&interim_results=true&endpointing=300&smart_format=true&no_delay=true\
         &keyterm=cash+back&keyterm=EMI"
    );
    assert!(encoded("nova-2", &spec("en", &["EMI"])).ends_with("&keywords=EMI"), "older models have no key terms");
    let wide = SttSpec { rate_hz: 16_000, ..spec("en", &[]) };
    assert!(encoded("nova-3", &wide).contains("encoding=linear16&sample_rate=16000"));
}

#[test]
fn a_language_is_one_that_deepgram_knows() {
    for (model, tag, sent) in [
        ("nova-3", "en", "language=en"),
        ("nova-3", "en-in", "language=en-IN"),
        ("nova-3", "de-DE", "language=de"),
        ("nova-3", "hi-IN", "language=multi&language_hint=hi"),
        ("nova-2", "hi-IN", "language=hi"),
        ("nova-3", "multi", "language=multi"),
        ("nova-3", "", "language=multi"),
    ] {
        assert_eq!(serde_urlencoded::to_string(language(model, tag)).unwrap(), sent, "{model} {tag}");
    }
}

#[test]
fn key_terms_stay_within_the_tokens_that_they_may_have() {
    let long = "a".repeat(100);
    let many = vec![long.as_str(); 40];
    let sent = query("nova-3", &spec("en", &many)).into_iter().filter(|(name, _)| *name == "keyterm").count();
    assert_eq!(sent, 15);
}

/// From the sheet; the numbers are theirs.
const FINAL: &str = r#"{"type":"Results","channel_index":[0,1],"duration":1.02,"start":3.4,
 "is_final":true,"speech_final":true,"from_finalize":false,
 "channel":{"alternatives":[{"transcript":"My order is late","confidence":0.97,"languages":["en"],
   "words":[{"word":"my","start":3.44,"end":3.58,"confidence":0.99,"punctuated_word":"My","language":"en","speaker":0}]}]},
 "metadata":{"request_id":"6f0c","model_uuid":"0b1d","model_info":{"name":"general-nova-3","version":"2025-01-01.0","arch":"nova-3"}}}"#;

#[test]
fn messages_are_read() {
    let FromDeepgram::Results(results) = decode(FINAL).unwrap() else { panic!("it is a result") };
    assert!(results.is_final && !results.from_finalize);
    assert_eq!((samples(results.start, 8_000), samples(results.duration, 8_000)), (27_200, 8_160));
    let best = &results.channel.alternatives[0];
    assert_eq!((best.transcript.as_str(), best.confidence), ("My order is late", 0.97));
    assert_eq!(best.words[0].punctuated_word.as_deref(), Some("My"));

    let metadata = r#"{"type":"Metadata","transaction_key":"deprecated","request_id":"6f0c","sha256":"00","created":"2026-01-01T00:00:00Z","duration":3.1,"channels":1}"#;
    assert_eq!(decode(metadata).unwrap(), FromDeepgram::Metadata { request_id: "6f0c".to_owned() });
    let error = r#"{"type":"Error","variant":"SchemaError","description":"Could not deserialize","message":"x"}"#;
    assert!(matches!(decode(error).unwrap(), FromDeepgram::Error { variant, .. } if variant == "SchemaError"));
    for other in [
        r#"{"type":"SpeechStarted","channel":[0],"timestamp":1.2}"#,
        r#"{"type":"UtteranceEnd","channel":[0,1],"last_word_end":-1}"#,
        r#"{"type":"ConfigureSuccess","request_id":"6f0c"}"#,
        r#"{"type":"SomethingNew","channel":7}"#,
    ] {
        assert_eq!(decode(other).unwrap(), FromDeepgram::Other, "{other}");
    }
    for garbage in
        ["", "{", "[]", "null", r#"{"type":"Results"}"#, r#"{"type":"Results","start":"a","duration":1,"channel":{}}"#]
    {
        assert!(decode(garbage).is_err(), "{garbage}");
    }
}

#[test]
fn times_are_never_nonsense() {
    for (seconds, expected) in
        [(-1.0, 0), (f64::NAN, 0), (1e308, 691_200_000), (f64::INFINITY, 691_200_000), (0.5, 4_000)]
    {
        assert_eq!(samples(seconds, 8_000), expected, "{seconds}");
    }
}

#[test]
fn refusals_have_their_blame_and_their_advice() {
    for (status, blame, retry) in [
        (400, Blame::Us, Retry::Never),
        (401, Blame::Us, Retry::Never),
        (402, Blame::Us, Retry::Never),
        (403, Blame::Us, Retry::Never),
        (429, Blame::Us, Retry::NextVendor),
        (500, Blame::Vendor, Retry::Now),
        (503, Blame::Vendor, Retry::Now),
        (200, Blame::Vendor, Retry::Now),
    ] {
        let error = refusal(status, "for a reason", Some("7"));
        assert_eq!((error.blame(), error.retry()), (blame, retry), "{status}: {error}");
    }
    assert_eq!(
        refusal(429, "", Some("7")),
        SttError::RateLimited { vendor: NAME, retry_after: Some(Duration::from_secs(7)) }
    );
    assert!(refusal(400, "no such\nmodel", None).to_string().contains("no such model"));
}

#[test]
fn the_suffix_of_a_reason_says_more_than_the_code() {
    let late =
        "Deepgram did not receive audio data or a text message within the timeout window. See https://dpgr.am/net0001";
    let mute = "Deepgram did not provide a response message within the timeout window. See https://dpgr.am/net0000";
    let data = "The payload cannot be decoded as audio. See https://dpgr.am/data0000.";
    for (code, reason, retry) in [
        (1011, late, Retry::Now),
        (1011, mute, Retry::Now),
        (1008, late, Retry::Now),
        (1008, data, Retry::Never),
        (1011, data, Retry::Never),
        (1008, "", Retry::Never),
        (1000, "", Retry::Now),
        (1006, "", Retry::Now),
    ] {
        assert_eq!(closed(code, reason).retry(), retry, "{code} {reason}");
    }
}

#[test]
fn audio_of_a_carrier_goes_out_as_it_came_in() {
    let carrier: Vec<u8> = (0..=255).collect();
    let mut linear = Vec::new();
    tandem_codecs::g711::decode_ulaw(&carrier, &mut linear);
    let mut sent = Vec::new();
    Encoding::Mulaw.encode(&linear, &mut sent);
    for (came, went) in carrier.iter().zip(&sent) {
        // the law has two zeros, and linear audio has one
        assert_eq!(*went, if *came == 0x7f { 0xff } else { *came });
    }
}

proptest::proptest! {
    #[test]
    fn no_text_of_a_server_is_a_panic(text in ".{0,200}", code: u16, status: u16) {
        let _ = decode(&text);
        let _ = (closed(code, &text), refusal(status, &text, Some(&text)), complaint(&text, &text));
    }
}
