//! The adapter of OpenAI's chat completions on real sockets, against the vendor's side of the wire: whole answers, kept connections, and the
//! vendor dying in each phase.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use tandem_domain::port::llm::{Author, Finish, Llm, LlmError, LlmEvent, LlmSpec, Message};
use tandem_peers::mock::openai::reply;
use tandem_peers::mock::{Behaviour, Mock, MockConfig, Sent};
use tandem_peers::vendor::{Fault, FaultPlan};
use tandem_providers::llm::openai::{Limits, OpenAi, OpenAiConfig, Vendor};
use tandem_providers::llm::order::Order;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Longer than anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
const SHORT: Limits = Limits { first_token: Duration::from_millis(400), next_token: Duration::from_millis(300) };

async fn mock(llm: Behaviour) -> Mock {
    Mock::start(MockConfig { llm, key: Some("sk-right".to_owned()), ..MockConfig::default() }).await.unwrap()
}

fn faulty(fault: Fault) -> Behaviour {
    Behaviour { faults: FaultPlan::always(fault), ..Behaviour::default() }
}

fn config(base: &str) -> OpenAiConfig {
    OpenAiConfig {
        vendor: Vendor::OPENAI,
        base: base.to_owned(),
        key: "sk-right".to_owned(),
        model: "gpt-4o-mini".to_owned(),
        limits: Limits::default(),
    }
}

fn adapter(base: &str) -> OpenAi {
    OpenAi::new(config(base)).unwrap()
}

fn question(text: &str) -> LlmSpec {
    let messages = vec![
        Message { author: Author::System, text: "Be brief.".to_owned() },
        Message { author: Author::User, text: text.to_owned() },
    ];
    LlmSpec { messages, max_tokens: 1_000, ..LlmSpec::default() }
}

async fn answer(llm: &dyn Llm, text: &str) -> Vec<Result<LlmEvent, LlmError>> {
    timeout(PATIENCE, llm.complete(question(text)).collect()).await.expect("it ends by itself")
}

fn text_of(events: &[Result<LlmEvent, LlmError>]) -> String {
    events
        .iter()
        .filter_map(|event| if let Ok(LlmEvent::Text(text)) = event { Some(text.as_str()) } else { None })
        .collect()
}

/// Connections that come to `to` through the returned address are counted.
async fn counted(to: &str) -> (String, Arc<AtomicUsize>) {
    let to: SocketAddr = to.trim_start_matches("http://").parse().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (base, count) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut far = TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await; // either side may go
            });
        }
    });
    (base, count)
}

#[tokio::test]
async fn an_answer_streams_and_tells_its_cost() {
    let mock = mock(Behaviour::default()).await;
    let llm = adapter(&format!("{}/v1", mock.base_url()));
    let events = answer(&llm, "Where is my order?").await;
    assert_eq!(text_of(&events), reply("Where is my order?"));
    let [.., Ok(LlmEvent::Finished(Finish::Stop)), Ok(LlmEvent::Usage(usage))] = events.as_slice() else {
        panic!("{:?}", events.last())
    };
    assert_eq!(usage.completion_tokens as usize, events.len() - 2, "a token each");
    let log = mock.log().exchanges();
    assert_eq!((log[0].method.as_str(), log[0].path.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(log[0].headers["authorization"], "Bearer …");
}

#[tokio::test]
async fn turns_share_one_connection_that_was_open_before_the_first() {
    let mock = mock(Behaviour::default()).await;
    let (base, connections) = counted(&mock.base_url()).await;
    let llm = adapter(&base);
    llm.warm().await.unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    llm.warm().await.unwrap();
    for turn in 0..5 {
        let events = answer(&llm, &format!("question {turn}")).await;
        assert!(events.iter().all(Result::is_ok), "{events:?}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1, "five turns and the warming");
    let paths: Vec<String> = mock.log().exchanges().into_iter().map(|exchange| exchange.path).collect();
    assert_eq!(paths.iter().filter(|path| *path == "/v1/models").count(), 1, "what is warm is not warmed again");
    assert_eq!(paths.len(), 6);
}

#[tokio::test]
async fn a_dropped_answer_reaches_the_vendor_at_once() {
    let mock = mock(faulty(Fault::Endless)).await;
    let llm = adapter(&mock.base_url());
    let mut events = llm.complete(question("Tell me more"));
    for _ in 0..10 {
        timeout(PATIENCE, events.next()).await.unwrap().unwrap().unwrap();
    }
    drop(events);
    let gone = async {
        while mock.log().exchanges()[0].sent.last() != Some(&Sent::Closed) {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_millis(200), gone).await.expect("the socket is closed within 200 ms (promises.md P6)");
}

#[tokio::test]
async fn a_vendor_that_dies_or_raves_is_an_error_in_time() {
    for (fault, expected, some_text) in [
        (Fault::Error, "openai is overloaded or broken: status 500", false),
        (Fault::Silent, "openai gave no first token within 400 ms", false),
        (Fault::Slow(Duration::from_secs(60)), "openai gave no first token within 400 ms", false),
        (Fault::Drop, "openai failed: the connection broke", true),
        (Fault::DropMidway, "openai failed: the connection broke", true),
        (Fault::Garbage, "openai failed: an event that is no chunk", true),
    ] {
        let mock = mock(faulty(fault)).await;
        let llm = OpenAi::new(OpenAiConfig { limits: SHORT, ..config(&mock.base_url()) }).unwrap();
        let events = answer(&llm, "Where is my order?").await;
        let Some(Err(error)) = events.last() else { panic!("{fault:?}: {events:?}") };
        assert!(error.to_string().starts_with(expected), "{fault:?}: {error}");
        assert_eq!(!text_of(&events).is_empty(), some_text, "{fault:?}: {events:?}");
        assert!(events[..events.len() - 1].iter().all(Result::is_ok), "{fault:?}");
    }
}

#[tokio::test]
async fn a_vendor_that_fails_at_its_door_is_an_error_in_time() {
    for (fault, expected) in [
        (Fault::Error, "openai is overloaded or broken: status 503"),
        (Fault::Silent, "openai gave no first token within 400 ms"),
        (Fault::Drop, "openai failed: the connection broke"),
    ] {
        let mock = mock(Behaviour { doors: FaultPlan::times(fault, 0, 1), ..Behaviour::default() }).await;
        let llm = OpenAi::new(OpenAiConfig { limits: SHORT, ..config(&mock.base_url()) }).unwrap();
        let events = answer(&llm, "Where is my order?").await;
        assert!(
            matches!(&events[..], [Err(error)] if error.to_string().starts_with(expected)),
            "{fault:?}: {events:?}"
        );
        let again = answer(&llm, "Where is my order?").await;
        assert_eq!(text_of(&again), reply("Where is my order?"), "{fault:?}: it is well again");
    }
}

#[tokio::test]
async fn a_vendor_that_is_away_or_does_not_want_us_says_why() {
    let nobody = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let events = answer(&adapter(&format!("http://{nobody}")), "hello").await;
    assert!(
        matches!(&events[..], [Err(LlmError::Failed { detail, .. })] if detail.starts_with("no connection")),
        "{events:?}"
    );

    let mock = mock(Behaviour::default()).await;
    let base = mock.base_url();
    let wrong = OpenAi::new(OpenAiConfig { key: "sk-wrong-secret".to_owned(), ..config(&base) }).unwrap();
    let refused = LlmError::Unauthorized { vendor: "openai", setting: "OPENAI_API_KEY" };
    assert_eq!(answer(&wrong, "hello").await, [Err(refused.clone())]);
    assert_eq!(wrong.warm().await, Err(refused), "found out before the first call");
    let other = OpenAi::new(OpenAiConfig { model: "gpt-9".to_owned(), ..config(&base) }).unwrap();
    let no_model = LlmError::NoModel { vendor: "openai", model: "gpt-9".to_owned(), setting: "OPENAI_MODEL" };
    assert_eq!(answer(&other, "hello").await, [Err(no_model)]);
    let elsewhere = adapter(&format!("{base}/not-the-path"));
    assert!(
        matches!(&answer(&elsewhere, "hello").await[..], [Err(LlmError::Failed { detail, .. })] if detail.contains("OPENAI_BASE_URL"))
    );
}

#[tokio::test]
async fn a_model_that_dies_is_followed_by_the_next() {
    let sound = mock(Behaviour::default()).await;
    for fault in [Fault::Error, Fault::Silent, Fault::Drop, Fault::DropMidway, Fault::Garbage] {
        let broken = mock(faulty(fault)).await;
        let first = OpenAi::new(OpenAiConfig { limits: SHORT, ..config(&broken.base_url()) }).unwrap();
        let second = OpenAi::new(OpenAiConfig { vendor: Vendor::HOMEAI, ..config(&sound.base_url()) }).unwrap();
        let order = Order::new(Arc::new(first), [Arc::new(second) as Arc<dyn Llm>]);
        let events = answer(&order, "thank you").await;
        let void = events.iter().rposition(|event| *event == Ok(LlmEvent::Restarted)).map_or(0, |at| at + 1);
        assert_eq!(text_of(&events[void..]), reply("thank you"), "{fault:?}");
        assert_eq!(void > 0, matches!(fault, Fault::Drop | Fault::DropMidway | Fault::Garbage), "{fault:?}");
    }
}

#[test]
fn a_key_is_nowhere_to_be_seen() {
    let config = OpenAiConfig { key: "sk-secret".to_owned(), ..config("http://127.0.0.1:1") };
    let shown = format!("{config:?} {:?}", OpenAi::new(config.clone()).unwrap());
    assert!(!shown.contains("secret") && shown.contains("gpt-4o-mini"), "{shown}");
    assert!(
        OpenAi::new(OpenAiConfig { key: "sk\nsecret".to_owned(), ..config })
            .is_err_and(|error| !error.to_string().contains("secret"))
    );
}
