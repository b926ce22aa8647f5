//! Floods on real sockets: each offender ends with its reason, memory stays where it was, and a neighbour's call goes on as if alone.
//!
//! How little the neighbours notice, in milliseconds, is measured by `tandem bench --hostile`: here stand the facts that hold on any machine.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{ConversationStore, RowKey};
use tandem_peers::caller::{Line, Manners, Rendered, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::simulate::{self, EndedBy, SimulateConfig};
use tandem_peers::vendor::FakeTts;
use tandem_peers::voice::Talker;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

mod support;

use support::{Program, boot_with_settings};

const LIMIT: Duration = Duration::from_secs(60);
/// Resident memory that an attack may add: buffers of a few sockets, the allocator's slack; far below what the attacks send.
const MAY_GROW_BYTES: u64 = 48 << 20;

/// These tests measure the memory of this process and its counters, so one runs at a time.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

type Client = WebSocketStream<TcpStream>;

async fn client(addr: SocketAddr, path: &str) -> Client {
    let stream = TcpStream::connect(addr).await.unwrap();
    tokio_tungstenite::client_async(format!("ws://{addr}{path}"), stream).await.unwrap().0
}

/// A socket on which Twilio's stream has begun.
async fn started(program: &Program, path_id: &str) -> Client {
    let mut client = client(program.running.addr, &format!("/ws/twilio/call/{path_id}/")).await;
    for message in opening(path_id) {
        client.send(message).await.unwrap();
    }
    client
}

/// `connected` and `start`, with the path's id as the call's.
fn opening(path_id: &str) -> [Message; 2] {
    let stream_sid = format!("MZ{path_id}");
    let start = json!({"event":"start","sequenceNumber":"1","streamSid":stream_sid,
        "start":{"streamSid":stream_sid,"accountSid":"AC1","callSid":path_id,"tracks":["inbound"],
            "mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{}}});
    let connected = json!({"event":"connected","protocol":"Call","version":"1.0.0"});
    [connected, start].map(|message| Message::text(message.to_string()))
}

/// Why the call of this id ended, once that is on record.
async fn reason(program: &Program, path_id: &str) -> String {
    let look = async {
        loop {
            let found = program.running.store.call(BusinessId::FIRST, RowKey::parse(path_id)).await.unwrap();
            if let Some(reason) = found.filter(|call| call.ended_at.is_some()).and_then(|call| call.ended_reason) {
                return reason;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, look).await.unwrap_or_else(|_| panic!("{path_id} does not end"))
}

/// Sends until the switch has had enough.
async fn flood(mut client: Client, message: Message) {
    let sending = async {
        loop {
            for _ in 0..100 {
                if client.feed(message.clone()).await.is_err() {
                    return;
                }
            }
            if client.flush().await.is_err() {
                return;
            }
        }
    };
    tokio::time::timeout(LIMIT, sending).await.expect("the switch closes a flood");
}

/// Resident memory of this process: the switch and its attackers.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = pages.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size() as u64
}

/// A caller who minds his own business, while `attack` runs. He must be served as if alone.
async fn beside_a_neighbour(program: &Program, attack: impl Future<Output = ()>) {
    let text = "I want an apartment in Delhi";
    let samples = Talker::numbered(3).speak(text).samples.into();
    let say = Step::Say(Line::Audio(Rendered { text: text.into(), samples }));
    let ids = TwilioIds::numbered(1_000_000);
    let call_sid = ids.call_sid.clone();
    let neighbour = simulate::run(SimulateConfig {
        url: program.socket_url("/media"),
        unix_socket: None,
        carrier: Carrier::Twilio(ids),
        custom_parameters: BTreeMap::new(),
        script: vec![say, Step::Wait, Step::HangUp],
        manners: Manners::default(),
        renderer: Arc::new(FakeTts::default()),
        voice: String::new(),
        language: "en".into(),
        recogniser: None,
        record_to: None,
        limit: LIMIT,
    });
    let (report, ()) = tokio::join!(neighbour, attack);
    let report = report.unwrap();
    assert_eq!(report.ended_by, EndedBy::Caller);
    println!("the neighbour: {} underruns, lateness p99 {:?}", report.playback.underruns, report.playback.lateness_p99);
    let lines = support::transcript(program, &call_sid).await;
    let heard = lines.as_array().unwrap().iter().find(|line| line["role"] == "user").expect("the neighbour was heard");
    assert_eq!(heard["text"], text);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_ten_megabytes_are_not_kept_and_end_their_calls() {
    let _alone = ALONE.lock().await;
    let program = boot_with_settings(&[]).await.unwrap();
    let before = resident_bytes();
    let attack = async {
        for number in 0..20 {
            let id = format!("huge-{number}");
            let mut client = started(&program, &id).await;
            // Header of one text frame of 10 MB, then its content piece by piece, so that this side does not hold it either.
            let piece = vec![b' '; 64 * 1024];
            let _ = client.feed(Message::Frame(Frame::message(piece.clone(), OpCode::Data(Data::Text), false))).await;
            for _ in 0..160 {
                let next = Frame::message(piece.clone(), OpCode::Data(Data::Continue), false);
                if client.send(Message::Frame(next)).await.is_err() {
                    break; // closed on us: that is what we came for
                }
            }
            assert_eq!(reason(&program, &id).await, "oversized_message");
            let mut whole = started(&program, &format!("{id}-whole")).await;
            let _ = whole.send(Message::text("x".repeat(10 << 20))).await;
            assert_eq!(reason(&program, &format!("{id}-whole")).await, "oversized_message");
        }
    };
    beside_a_neighbour(&program, attack).await;
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < MAY_GROW_BYTES, "400 MB were sent and {} MB stayed", grown >> 20);
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_messages_a_second_end_their_call() {
    let _alone = ALONE.lock().await;
    let program = boot_with_settings(&[]).await.unwrap();
    let mark = json!({"event":"mark","sequenceNumber":"2","streamSid":"MZmarks","mark":{"name":"a"}}).to_string();
    let attack = async {
        flood(started(&program, "marks").await, Message::text(mark)).await;
        assert_eq!(reason(&program, "marks").await, "message_flood");
        flood(started(&program, "pings").await, Message::Ping("are you there".into())).await;
        assert_eq!(reason(&program, "pings").await, "message_flood");
        flood(started(&program, "pongs").await, Message::Pong("I am here".into())).await;
        assert_eq!(reason(&program, "pongs").await, "message_flood");
        let before_start = client(program.running.addr, "/ws/twilio/call/early-pings/").await;
        flood(before_start, Message::Ping("hello".into())).await;
        assert_eq!(reason(&program, "early-pings").await, "message_flood");
    };
    beside_a_neighbour(&program, attack).await;
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_without_an_end_end_by_time_and_by_size() {
    let _alone = ALONE.lock().await;
    let program = boot_with_settings(&[("MEDIA_START_TIMEOUT", "2"), ("MEDIA_TIMEOUT", "3")]).await.unwrap();
    let before = resident_bytes();
    let fragment =
        |content: &'static [u8]| Message::Frame(Frame::message(content, OpCode::Data(Data::Continue), false));
    let first = || Message::Frame(Frame::message("{".as_bytes(), OpCode::Data(Data::Text), false));
    let attack = async {
        let mut empty = started(&program, "empty").await;
        empty.send(first()).await.unwrap();
        let mut early = client(program.running.addr, "/ws/twilio/call/early/").await;
        early.send(first()).await.unwrap();
        let mut long = started(&program, "long").await;
        long.send(first()).await.unwrap();
        tokio::join!(flood(empty, fragment(b"")), flood(early, fragment(b"")), flood(long, fragment(&[b' '; 100])));
        assert_eq!(reason(&program, "empty").await, "media_timeout", "nothing of it ever became a message");
        assert_eq!(reason(&program, "early").await, "start_timeout");
        assert_eq!(reason(&program, "long").await, "oversized_message");
    };
    beside_a_neighbour(&program, attack).await;
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < MAY_GROW_BYTES, "{} MB stayed", grown >> 20);
    program.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_sockets_that_never_speak_leave_room_for_one_that_does() {
    const SOCKETS: usize = 5_000;
    let _alone = ALONE.lock().await;
    raise_the_limit_of_descriptors(2 * SOCKETS as u64 + 2_000);
    let program =
        boot_with_settings(&[("MEDIA_START_TIMEOUT", "20"), ("MEDIA_MAX_MUTE_PER_ADDRESS", "10000")]).await.unwrap();
    let (before, timed_out) = (resident_bytes(), start_timeouts(&program).await);
    let mut mute = Vec::with_capacity(SOCKETS);
    while mute.len() < SOCKETS {
        let batch = (0..100).map(|_| client(program.running.addr, "/media"));
        mute.extend(futures_util::future::join_all(batch).await);
    }
    let each = resident_bytes().saturating_sub(before) / SOCKETS as u64;
    println!("{SOCKETS} mute sockets: {} KB each, both ends", each >> 10);
    assert!(each < 48 << 10, "{} KB a socket, both ends", each >> 10);
    beside_a_neighbour(&program, async {}).await;
    let closed = async {
        for socket in &mut mute {
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    tokio::time::timeout(LIMIT, closed).await.expect("each is closed when its time is over");
    assert_eq!(start_timeouts(&program).await - timed_out, SOCKETS);
    program.running.shutdown().await;
}

/// Sockets that were closed because no stream began on them, in all programs of this process.
async fn start_timeouts(program: &Program) -> usize {
    let metrics = program.get("/metrics").await.body;
    let samples = metrics.lines().filter(|line| line.starts_with("tandem_media_breaches_total"));
    let of_silence = samples.filter(|line| line.contains("reason=\"start_timeout\""));
    of_silence.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
}

fn raise_the_limit_of_descriptors(needed: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return;
    }
    let raised = Rlimit { current: Some(needed), maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).unwrap_or_else(|error| {
        panic!("this test needs {needed} open files ({error}): raise the hard limit, ulimit -Hn")
    });
}
