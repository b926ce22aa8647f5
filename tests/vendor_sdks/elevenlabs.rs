//! ElevenLabs' own Python package, and LiveKit's plugin for it, against the mock; and what they send beside what we send.
//!
//! A difference between the wires is either in a list here, with its reason, or a failure.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use serde_json::{Map, Value};
use tandem_codecs::{SampleRate, g711, l16, resample_all};
use tandem_domain::port::tts::{Tts, TtsSpec};
use tandem_peers::mock::{Exchange, Mock, MockConfig, Sent};
use tandem_peers::voice::{Listener, transcript};
use tandem_providers::tts::elevenlabs::{ElevenLabs, ElevenLabsConfig, Key, Transport};
use tokio::process::Command;
use tokio::time::timeout;

const TEXT: &str = "Your order ships from Delhi today.";
const LIMIT: Duration = Duration::from_secs(60);

/// The interpreter in whose environment `scripts/peers.sh` installs the packages.
fn python() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
    let program = cache.join("tandem/peers/bin/python");
    assert!(program.exists(), "the SDKs are not installed: run scripts/peers.sh, as make peers does");
    program
}

async fn mock() -> Mock {
    Mock::start(MockConfig::default()).await.unwrap()
}

/// Lets the package speak; the words that an ear hears, and all it printed.
async fn sdk(mock: &Mock, way: &str) -> (String, Value) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/elevenlabs_sdk.py");
    let run = Command::new(python())
        .arg(script)
        .args([&mock.base_url(), way, TEXT])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(LIMIT, run).await.expect("the package ends").unwrap();
    assert!(output.status.success(), "{way}: {}", String::from_utf8_lossy(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    let bytes = STANDARD.decode(made["audio"].as_str().unwrap()).unwrap();
    let mut samples = Vec::new();
    match made["encoding"].as_str().unwrap() {
        "ulaw" => g711::decode_ulaw(&bytes, &mut samples),
        _ => l16::decode_le(&bytes, &mut samples).unwrap(),
    }
    let rate = SampleRate::new(made["rate"].as_u64().unwrap() as u32).unwrap();
    let samples = if rate == SampleRate::HZ_8000 { samples } else { resample_all(&samples, rate, SampleRate::HZ_8000) };
    let mut ear = Listener::new();
    let words = ear.push(&samples);
    (transcript(&[words, ear.finish()].concat()), made)
}

/// Speaks the same with our adapter.
async fn ours(mock: &Mock, transport: Transport, rate_hz: u32) {
    let _ = rustls::crypto::ring::default_provider().install_default(); // another test was first: as well
    let config =
        ElevenLabsConfig { base_url: mock.base_url(), transport, ..ElevenLabsConfig::new(Key::new("our-key")) };
    let voice = ElevenLabs::start(config).unwrap();
    let spec = TtsSpec { text: TEXT.to_owned(), rate_hz, language: "en".to_owned(), ..TtsSpec::default() };
    let chunks = voice.speak(spec).collect::<Vec<_>>();
    let chunks = timeout(LIMIT, chunks).await.expect("a sentence in time");
    assert!(!chunks.is_empty() && chunks.iter().all(Result::is_ok), "{chunks:?}");
}

/// The exchange on `path` in which something was sent.
fn exchange(mock: &Mock, path: &str) -> Exchange {
    let spoke = |exchange: &Exchange| {
        exchange.path.ends_with(path) && exchange.sent.iter().any(|sent| matches!(sent, Sent::Json(_)))
    };
    mock.log().exchanges().into_iter().find(spoke).unwrap_or_else(|| panic!("nobody asked for {path}"))
}

fn messages(exchange: &Exchange) -> Vec<Map<String, Value>> {
    let json = exchange.sent.iter().filter_map(|sent| if let Sent::Json(json) = sent { Some(json) } else { None });
    json.map(|message| message.as_object().unwrap().clone()).collect()
}

/// Messages without what differs from one conversation to the next, and without what is allowed to.
fn comparable(exchange: &Exchange, but: &[&str]) -> Vec<Map<String, Value>> {
    let mut messages = messages(exchange);
    for message in &mut messages {
        if let Some(context) = message.get_mut("context_id") {
            *context = "the context".into();
        }
        message.retain(|field, _| !but.contains(&field.as_str()));
    }
    messages
}

#[tokio::test(flavor = "multi_thread")]
async fn the_package_and_we_ask_for_a_stream_in_the_same_words() {
    let (theirs, mine) = (mock().await, mock().await);
    assert_eq!(sdk(&theirs, "http").await.0, TEXT);
    ours(&mine, Transport::Http, 8_000).await;
    let (theirs, mine) = (exchange(&theirs, "/stream"), exchange(&mine, "/stream"));
    assert_eq!((&mine.method, &mine.path, &mine.query), (&theirs.method, &theirs.path, &theirs.query));
    assert_eq!(messages(&mine), messages(&theirs));
    for header in ["xi-api-key", "content-type"] {
        assert_eq!(mine.headers.get(header), theirs.headers.get(header), "{header}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_package_streams_a_text_through_one_socket() {
    let mock = mock().await;
    assert_eq!(sdk(&mock, "realtime").await.0, TEXT);
    let first = &messages(&exchange(&mock, "/stream-input"))[0];
    assert_eq!(first["text"], " ");
}

#[tokio::test(flavor = "multi_thread")]
async fn livekits_plugin_and_we_speak_through_contexts_in_the_same_words() {
    let (theirs, mine) = (mock().await, mock().await);
    let (heard, made) = sdk(&theirs, "livekit").await;
    assert_eq!(heard, TEXT);
    let words: Vec<&str> =
        made["words"].as_array().unwrap().iter().map(|word| word[0].as_str().unwrap().trim()).collect();
    assert_eq!(words.join(" "), TEXT, "the mock's times are understood");
    ours(&mine, Transport::Socket, 16_000).await;
    let (theirs, mine) = (exchange(&theirs, "/multi-stream-input"), exchange(&mine, "/multi-stream-input"));
    assert_eq!((&mine.method, &mine.path), (&theirs.method, &theirs.path));
    assert_eq!(mine.headers.get("xi-api-key"), theirs.headers.get("xi-api-key"));

    // The plugin asks for 300 s, of which the vendor allows 180; that is what we ask for.
    let except = |query: &[(String, String)]| -> Vec<(String, String)> {
        query.iter().filter(|(name, _)| name != "inactivity_timeout").cloned().collect()
    };
    let (asked, said) = (except(&theirs.query), except(&mine.query));
    assert!(said.iter().all(|field| asked.contains(field)), "ours {said:?}, theirs {asked:?}");
    // What the plugin says besides is the vendor's default.
    let besides: Vec<_> =
        asked.iter().filter(|field| !said.contains(field)).map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(besides, ["enable_ssml_parsing=false", "enable_logging=true", "apply_text_normalization=auto"]);

    // The plugin names voice settings even where there are none, and flushes a second time before it closes.
    let mut theirs = comparable(&theirs, &["voice_settings"]);
    theirs.retain(|message| message.get("text").is_none_or(|text| text != ""));
    assert_eq!(comparable(&mine, &[]), theirs);
}
