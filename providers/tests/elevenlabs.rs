//! The hosted voice against its vendor's wire, on real sockets: what is heard, what is sent, and what goes wrong.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tandem_codecs::{SampleRate, g711, resample_all};
use tandem_domain::port::tts::{Tts, TtsChunk, TtsError, TtsSpec, WordStart};
use tandem_peers::mock::{Behaviour, Exchange, Mock, MockConfig, Sent};
use tandem_peers::vendor::{FakeTts, FakeTtsConfig, Fault, FaultPlan};
use tandem_peers::voice::{Listener, Talker, transcript};
use tandem_providers::tts::elevenlabs::{ElevenLabs, ElevenLabsConfig, Key, Transport};
use tandem_providers::tts::order::{Limits, Order};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const TEXT: &str = "Your order ships from Delhi today, in two boxes.";
const BOTH: [Transport; 2] = [Transport::Socket, Transport::Http];
/// Longest wait for something that has to happen.
const LIMIT: Duration = Duration::from_secs(20);

fn install_tls_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

fn voice_at(base_url: String, transport: Transport, key: &str) -> ElevenLabs {
    install_tls_provider();
    let config = ElevenLabsConfig { base_url, transport, ..ElevenLabsConfig::new(Key::new(key)) };
    ElevenLabs::start(config).unwrap()
}

async fn mock_with(faults: FaultPlan) -> Mock {
    let tts = Behaviour { faults, ..Behaviour::default() };
    Mock::start(MockConfig { tts, ..MockConfig::default() }).await.unwrap()
}

fn spec(text: &str) -> TtsSpec {
    TtsSpec { text: text.to_owned(), rate_hz: 8_000, language: "en-IN".to_owned(), ..TtsSpec::default() }
}

#[derive(Debug, Default)]
struct Spoken {
    samples: Vec<i16>,
    words: Vec<WordStart>,
    error: Option<TtsError>,
}

async fn spoken(voice: &dyn Tts, spec: TtsSpec) -> Spoken {
    let mut out = Spoken::default();
    let mut chunks = voice.speak(spec);
    while let Some(chunk) = timeout(LIMIT, chunks.next()).await.expect("a chunk in time") {
        match chunk {
            Ok(TtsChunk { samples, words }) => {
                out.samples.extend_from_slice(&samples);
                out.words.extend(words);
            }
            Err(error) => out.error = Some(error),
        }
    }
    out
}

fn heard(samples: &[i16]) -> String {
    let mut ear = Listener::new();
    let words = ear.push(samples);
    transcript(&[words, ear.finish()].concat())
}

/// What the mock makes of a text, before its codec.
fn meant(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    g711::encode_ulaw(&Talker::default().speak(text).samples, &mut bytes);
    bytes
}

/// Looks until `look` finds something.
async fn found<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let search = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await; // between two looks at a log; the limit is outside
        }
    };
    timeout(LIMIT, search).await.unwrap_or_else(|_| panic!("{what}: not in time"))
}

fn sockets(mock: &Mock) -> Vec<Exchange> {
    mock.log().exchanges().into_iter().filter(|exchange| exchange.path.ends_with("/multi-stream-input")).collect()
}

fn messages(exchange: &Exchange) -> Vec<&serde_json::Value> {
    exchange.sent.iter().filter_map(|sent| if let Sent::Json(json) = sent { Some(json) } else { None }).collect()
}

#[tokio::test]
async fn sentences_ride_a_socket_that_was_open_before_them() {
    let mock = mock_with(FaultPlan::none()).await;
    let voice = voice_at(mock.base_url(), Transport::Socket, "key");
    found("a socket in wait", || (sockets(&mock).len() == 1).then_some(())).await;
    tokio::task::yield_now().await;
    for _ in 0..3 {
        let spoken = spoken(&voice, spec(TEXT)).await;
        assert_eq!((heard(&spoken.samples).as_str(), spoken.error), (TEXT, None));
    }
    let sockets = sockets(&mock);
    assert!(sockets.len() <= 2, "the one that was in wait, and the next in wait: {}", sockets.len());
    let texts: Vec<usize> = sockets.iter().map(|socket| messages(socket).len()).collect();
    assert!(texts.contains(&9), "three messages a sentence, three sentences on one socket: {texts:?}");
    let query = |name: &str| sockets[0].query.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    assert_eq!(query("output_format"), Some("ulaw_8000"));
    assert_eq!((query("model_id"), query("language_code")), (Some("eleven_flash_v2_5"), Some("en")));
    assert_eq!(sockets[0].headers["xi-api-key"], "…");
}

#[tokio::test]
async fn sockets_that_nobody_needs_are_closed_but_for_one() {
    install_tls_provider();
    let mock = mock_with(FaultPlan::none()).await;
    let config = ElevenLabsConfig {
        base_url: mock.base_url(),
        idle: Duration::from_millis(50),
        ..ElevenLabsConfig::new(Key::new("key"))
    };
    let voice = ElevenLabs::start(config).unwrap();
    let at_once = futures_util::future::join_all((0..4).map(|_| spoken(&voice, spec(TEXT)))).await;
    assert!(at_once.iter().all(|spoken| heard(&spoken.samples) == TEXT));
    let open = || sockets(&mock).iter().filter(|socket| !socket.sent.contains(&Sent::Closed)).count();
    assert!(sockets(&mock).len() >= 4, "four callers are spoken to at once");
    found("one left", || (open() == 1).then_some(())).await;
    drop(voice);
    found("none left", || (open() == 0).then_some(())).await;
}

#[tokio::test]
async fn the_bytes_of_a_carrier_are_the_vendors() {
    let mock = mock_with(FaultPlan::none()).await;
    for transport in BOTH {
        let voice = voice_at(mock.base_url(), transport, "key");
        let Spoken { samples, .. } = spoken(&voice, spec(TEXT)).await;
        let mut bytes = Vec::new();
        g711::encode_ulaw(&samples, &mut bytes);
        // Mu-law has two zeros, 0xff and 0x7f; both are silence, and one of them comes back.
        let zero = |byte: u8| if byte == 0x7f { 0xff } else { byte };
        assert_eq!(bytes, meant(TEXT).into_iter().map(zero).collect::<Vec<u8>>(), "{transport:?}");
    }
}

#[tokio::test]
async fn words_begin_where_the_vendor_says_and_digits_are_spelled() {
    let mock = mock_with(FaultPlan::none()).await;
    let voice = voice_at(mock.base_url(), Transport::Socket, "key");
    let written = "Flat 21 costs 5 lakh.";
    let Spoken { samples, words, .. } = spoken(&voice, spec(written)).await;
    let said = "Flat twenty-one costs five lakh.";
    assert_eq!(heard(&samples), said);
    assert_eq!(words.iter().map(|word| word.byte).collect::<Vec<_>>(), [0, 5, 8, 14, 16], "bytes of what was written");
    let truth = Talker::default().speak(said).words;
    for (word, truth) in words.iter().zip(&truth) {
        let off = word.sample.abs_diff(truth.samples.start as u64);
        assert!(off <= 8, "{off} samples off at byte {}: the vendor counts in whole ms", word.byte);
    }
}

#[tokio::test]
async fn another_rate_comes_as_linear_samples() {
    let mock = mock_with(FaultPlan::none()).await;
    for transport in BOTH {
        let voice = voice_at(mock.base_url(), transport, "key");
        let spoken = spoken(&voice, TtsSpec { rate_hz: 16_000, ..spec(TEXT) }).await;
        let line = resample_all(&spoken.samples, SampleRate::HZ_16000, SampleRate::HZ_8000);
        assert_eq!(heard(&line), TEXT, "{transport:?}");
    }
    let voice = voice_at(mock.base_url(), Transport::Socket, "key");
    let odd = spoken(&voice, TtsSpec { rate_hz: 11_025, ..spec(TEXT) }).await.error.unwrap();
    assert!(odd.to_string().contains("ask for 8000"), "{odd}");
}

#[tokio::test]
async fn an_interrupted_sentence_is_silent_at_once_and_its_socket_says_the_next() {
    let mock = mock_with(FaultPlan::none()).await;
    let voice = voice_at(mock.base_url(), Transport::Socket, "key");
    for _ in 0..8 {
        let mut long = voice.speak(spec(&TEXT.repeat(3)));
        long.next().await.unwrap().unwrap();
        drop(long);
        let next = spoken(&voice, spec("Yes, please?")).await;
        assert_eq!((heard(&next.samples).as_str(), next.error), ("Yes, please?", None));
    }
    let sockets = sockets(&mock);
    assert!(sockets.len() <= 3, "{} sockets for sixteen sentences", sockets.len());
    for socket in &sockets {
        let mut open = Vec::new();
        for message in messages(socket) {
            let context = message["context_id"].as_str().unwrap();
            if message["text"] == " " {
                assert_eq!(open, Vec::<&str>::new(), "closed first, then opened");
                open.push(context);
            } else if message["close_context"] == true {
                open.retain(|open| *open != context);
            }
        }
    }
}

#[tokio::test]
async fn an_interrupted_request_is_a_closed_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, mut ended) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let tell = tell.clone();
            tokio::spawn(async move {
                let mut head = vec![0; 4_096];
                let length = stream.read(&mut head).await.unwrap();
                if head[..length].starts_with(b"POST") {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: audio/basic\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n";
                    stream.write_all(answer).await.unwrap();
                    // Until the client has closed, one way or the other.
                    while stream.read(&mut head).await.is_ok_and(|length| length > 0) {}
                    tell.send(()).await.unwrap();
                }
            });
        }
    });
    let voice = voice_at(format!("http://{address}"), Transport::Http, "key");
    let mut sentence = voice.speak(spec(TEXT));
    assert_eq!(sentence.next().await.unwrap().unwrap().samples.len(), 3);
    drop(sentence);
    timeout(Duration::from_millis(200), ended.recv()).await.expect("closed within 200 ms").unwrap();
}

#[tokio::test]
async fn refusals_are_typed() {
    let mock = mock_with(FaultPlan::none()).await;
    let strict = Mock::start(MockConfig { key: Some("right".to_owned()), ..MockConfig::default() }).await.unwrap();
    for transport in BOTH {
        let refused = async |mock: &Mock, key: &str| {
            spoken(&voice_at(mock.base_url(), transport, key), spec(TEXT)).await.error.unwrap()
        };
        let vendor = "elevenlabs";
        assert_eq!(refused(&mock, "exhausted").await, TtsError::Exhausted { vendor }, "{transport:?}");
        assert_eq!(refused(&mock, "crowded").await, TtsError::Busy { vendor }, "{transport:?}");
        assert_eq!(refused(&strict, "wrong").await, TtsError::Unauthorized { vendor }, "{transport:?}");
        assert!(matches!(refused(&mock, "line\nbreak").await, TtsError::Unavailable { .. }));
    }
    let config = ElevenLabsConfig::new(Key::new("s3cret"));
    assert!(!format!("{config:?}").contains("s3cret"));
    let config = ElevenLabsConfig { voice: "../v1/user".to_owned(), ..config };
    assert!(matches!(ElevenLabs::start(config).err(), Some(TtsError::Unavailable { .. })));
}

#[tokio::test]
async fn a_voice_that_the_account_does_not_have_is_the_default() {
    let mock = mock_with(FaultPlan::none()).await;
    for transport in BOTH {
        let voice = voice_at(mock.base_url(), transport, "key");
        for name in ["missing0000000000000", "missing0000000000000", "slt"] {
            let spoken = spoken(&voice, TtsSpec { voice: name.to_owned(), ..spec(TEXT) }).await;
            assert_eq!((heard(&spoken.samples).as_str(), spoken.error), (TEXT, None), "{name}");
        }
    }
    let asked = mock.log().exchanges().into_iter().filter(|exchange| exchange.path.contains("missing")).count();
    assert!(asked <= 3, "once for each of its ways, and once to have a socket in wait: {asked}");
}

/// The vendor's voice with another behind it, which sounds different.
fn in_order(first: ElevenLabs) -> Order {
    let behind = FakeTts::new(FakeTtsConfig { talker: Talker::numbered(5), ..FakeTtsConfig::default() });
    Order::new(Arc::new(first), [Arc::new(behind) as Arc<dyn Tts>], Limits::default())
}

#[tokio::test]
async fn whenever_the_vendor_breaks_the_sentence_is_said_to_its_end_and_nothing_twice() {
    for fault in [Fault::Silent, Fault::Error, Fault::Drop, Fault::DropMidway, Fault::Garbage] {
        for transport in BOTH {
            let mock = mock_with(FaultPlan::always(fault)).await;
            let voice = in_order(voice_at(mock.base_url(), transport, "key"));
            let spoken = spoken(&voice, spec(TEXT)).await;
            assert_eq!(spoken.error, None, "{fault:?} {transport:?}");
            let heard = heard(&spoken.samples);
            match transport {
                Transport::Socket => assert_eq!(heard, TEXT, "{fault:?}"),
                // Without the times of words the place is known to a word.
                Transport::Http => {
                    let mut words: Vec<&str> = heard.split(' ').collect();
                    let said = words.len();
                    words.dedup();
                    assert_eq!(words.join(" "), TEXT, "{fault:?}: {heard}");
                    assert!(said <= words.len() + 1, "{fault:?}: {heard}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_vendor_that_lets_nobody_in_leaves_the_sentence_to_the_next() {
    for fault in [Fault::Silent, Fault::Error, Fault::Drop] {
        for transport in BOTH {
            let tts = Behaviour { doors: FaultPlan::always(fault), ..Behaviour::default() };
            let mock = Mock::start(MockConfig { tts, ..MockConfig::default() }).await.unwrap();
            let voice = in_order(voice_at(mock.base_url(), transport, "key"));
            let spoken = spoken(&voice, spec(TEXT)).await;
            assert_eq!((heard(&spoken.samples).as_str(), spoken.error), (TEXT, None), "{fault:?} {transport:?}");
        }
    }
}

#[tokio::test]
async fn a_vendor_that_is_not_there_costs_the_patience_at_most() {
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap(); // takes connections and never answers
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for address in [deaf.local_addr().unwrap(), closed] {
        for transport in BOTH {
            let voice = in_order(voice_at(format!("http://{address}"), transport, "key"));
            let mut chunks = voice.speak(spec(TEXT));
            let first = timeout(Duration::from_millis(1_900), chunks.next()).await;
            first.expect("no dead air of 2 s").unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn a_vendor_without_end_is_cut_and_its_socket_closed() {
    let mock = mock_with(FaultPlan::always(Fault::Endless)).await;
    let voice = voice_at(mock.base_url(), Transport::Socket, "key");
    let spoken = spoken(&voice, spec(TEXT)).await;
    let seconds = spoken.samples.len() / 8_000;
    assert!((30..31).contains(&seconds) && spoken.error.is_none(), "{seconds} s, {:?}", spoken.error);
    let spoke = |socket: &Exchange| messages(socket).len() > 2;
    let closed = |socket: &Exchange| socket.sent.contains(&Sent::Closed);
    let look = || sockets(&mock).iter().find(|socket| spoke(socket)).is_some_and(closed).then_some(());
    timeout(Duration::from_secs(3), found("its end", look))
        .await
        .expect("closed within 2 s, and a little for the machine");
}

/// A vendor of our own making, by what it does with each connection.
async fn far_end<F: Future<Output = ()> + Send>(
    serve: impl Fn(WebSocketStream<TcpStream>) -> F + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let serve = Arc::clone(&serve);
            tokio::spawn(async move {
                if let Ok(socket) = tokio_tungstenite::accept_async(stream).await {
                    serve(socket).await;
                }
            });
        }
    });
    format!("http://{address}")
}

/// The next text of a client, with its context.
async fn asked(socket: &mut WebSocketStream<TcpStream>) -> Option<(String, String)> {
    while let Some(Ok(message)) = socket.next().await {
        let Ok(text) = message.to_text() else { continue };
        let frame: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        if frame["flush"] == true {
            return Some((frame["context_id"].as_str()?.to_owned(), frame["text"].as_str()?.to_owned()));
        }
    }
    None
}

fn audio(context: &str, bytes: &[u8]) -> Message {
    Message::text(json!({"audio": STANDARD.encode(bytes), "contextId": context}).to_string())
}

#[tokio::test]
async fn ten_megabytes_at_once_are_refused() {
    let base = far_end(async |mut socket| {
        let Some((context, _)) = asked(&mut socket).await else { return };
        let _ = socket.send(audio(&context, &vec![0x20; 10 << 20])).await;
        while socket.next().await.is_some_and(|message| message.is_ok()) {}
    })
    .await;
    let spoken = spoken(&voice_at(base, Transport::Socket, "key"), spec(TEXT)).await;
    assert!(spoken.samples.is_empty());
    assert!(matches!(spoken.error, Some(TtsError::Failed { .. })), "{:?}", spoken.error);
}

#[tokio::test]
async fn a_caller_who_listens_slowly_holds_the_vendor_back() {
    static SENT: AtomicUsize = AtomicUsize::new(0);
    const PIECE: usize = 64 << 10;
    let base = far_end(async |mut socket| {
        let Some((context, _)) = asked(&mut socket).await else { return };
        // 256 MB, far beyond what sockets buffer.
        for _ in 0..4_096 {
            if socket.send(audio(&context, &[0x20; PIECE])).await.is_err() {
                return;
            }
            SENT.fetch_add(PIECE, Ordering::Relaxed);
        }
    })
    .await;
    let voice = voice_at(base, Transport::Socket, "key");
    let mut chunks = voice.speak(spec(TEXT));
    chunks.next().await.unwrap().unwrap();
    // Nobody asks for more: the vendor comes to a halt.
    let mut before = usize::MAX;
    let halted = async {
        while std::mem::replace(&mut before, SENT.load(Ordering::Relaxed)) != SENT.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(300)).await; // a halt is a time without progress
        }
    };
    timeout(LIMIT, halted).await.expect("it stops");
    assert!(before < 32 << 20, "{before} bytes are in flight");
}

#[tokio::test]
async fn a_socket_that_died_in_wait_is_replaced_before_anybody_notices() {
    static TOLD: AtomicUsize = AtomicUsize::new(0);
    let base = far_end(async |mut socket| {
        let Some((context, _)) = asked(&mut socket).await else { return };
        let _ = socket.send(audio(&context, &[0x20; 800])).await;
        let last = json!({"isFinal": true, "context_id": context}).to_string();
        let _ = socket.send(Message::text(last)).await;
        asked(&mut socket).await; // a second sentence, and it is gone: without a word, or with one that is about the silence before
        if TOLD.fetch_add(1, Ordering::Relaxed) % 2 == 0 {
            let error = json!({"error": "input_timeout_exceeded", "message": "silent for too long", "code": 1008});
            let _ = socket.send(Message::text(error.to_string())).await;
        }
    })
    .await;
    let voice = voice_at(base, Transport::Socket, "key");
    for sentence in 0..4 {
        let spoken = spoken(&voice, spec(TEXT)).await;
        assert_eq!((spoken.samples.len(), spoken.error), (800, None), "sentence {sentence}");
    }
}

#[tokio::test]
async fn a_vendor_that_talks_nonsense_is_left_for_another_voice() {
    let frames = ["{", "[]", r#"{"audio":"%%%"}"#, r#"{"audio":7}"#, r#"{"error":"quota_exceeded","message":"m"}"#];
    for frame in frames {
        let base = far_end(move |mut socket| async move {
            if asked(&mut socket).await.is_some() {
                let _ = socket.send(Message::text(frame)).await;
            }
            while socket.next().await.is_some_and(|message| message.is_ok()) {}
        })
        .await;
        let spoken = spoken(&in_order(voice_at(base, Transport::Socket, "key")), spec(TEXT)).await;
        assert_eq!((heard(&spoken.samples).as_str(), spoken.error), (TEXT, None), "{frame}");
    }
}

#[tokio::test]
async fn a_vendor_that_forgets_to_end_is_not_waited_for() {
    let base = far_end(async |mut socket| {
        let Some((context, _)) = asked(&mut socket).await else { return };
        let _ = socket.send(audio(&context, &meant(TEXT))).await;
        while socket.next().await.is_some_and(|message| message.is_ok()) {}
    })
    .await;
    let voice = in_order(voice_at(base, Transport::Socket, "key"));
    let spoken = timeout(Duration::from_secs(4), spoken(&voice, spec(TEXT))).await.expect("an end");
    let heard = heard(&spoken.samples);
    assert!(heard.starts_with(TEXT) && heard.split(' ').count() <= TEXT.split(' ').count() + 1, "{heard}");
}
