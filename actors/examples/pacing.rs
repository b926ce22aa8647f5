//! What it costs to pace many calls: a timer for each, or one pacer for all.
//!
//! `cargo run --release -p tandem-actors --example pacing -- 200` sends a 20 ms chunk of Twilio's size to each of so many sockets, for five
//! seconds by each way in turn and three times over, on one thread whose processor time is read from the kernel.
//!
//! | way | who wakes | who writes |
//! |---|---|---|
//! | `timers` | each call's own timer, as the egress pump does it | the call's task |
//! | `notify` | one task, every millisecond in which a call is due | the call's task |
//! | `pacer` | one task, every millisecond in which a call is due | the same task, for all calls |

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

const CHUNK: Duration = Duration::from_millis(20);
/// 160 bytes of audio as base64, in a message.
const MESSAGE: [u8; 320] = [b'A'; 320];
const CHUNKS: u32 = 250;

#[derive(Debug, Clone, Copy)]
enum Way {
    Timers,
    Notify,
    Pacer,
}

/// When the call of this number sends its chunk of this number: calls begin at any time, so their phases differ.
fn due(origin: Instant, call: usize, chunk: u32) -> Instant {
    origin + Duration::from_micros(call as u64 * 7_919 % 20_000) + CHUNK * chunk
}

fn cpu() -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(schedstat.split(' ').next().unwrap().parse().unwrap())
}

/// Calls in the order in which they are due within 20 ms.
fn by_phase(calls: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..calls).collect();
    order.sort_by_key(|call| call * 7_919 % 20_000);
    order
}

async fn run(way: Way, sockets: Vec<TcpStream>) -> Vec<TcpStream> {
    let (origin, calls) = (Instant::now() + CHUNK, sockets.len());
    let mut tasks = JoinSet::new();
    match way {
        Way::Timers => {
            for (call, mut socket) in sockets.into_iter().enumerate() {
                tasks.spawn(async move {
                    for chunk in 0..CHUNKS {
                        sleep_until(due(origin, call, chunk)).await;
                        socket.write_all(&MESSAGE).await.unwrap();
                    }
                    vec![socket]
                });
            }
        }
        Way::Notify => {
            let bells: Arc<Vec<Notify>> = Arc::new((0..calls).map(|_| Notify::new()).collect());
            for (call, mut socket) in sockets.into_iter().enumerate() {
                let bells = Arc::clone(&bells);
                tasks.spawn(async move {
                    for _ in 0..CHUNKS {
                        bells[call].notified().await;
                        socket.write_all(&MESSAGE).await.unwrap();
                    }
                    vec![socket]
                });
            }
            tasks.spawn(async move {
                for chunk in 0..CHUNKS {
                    for &call in &by_phase(calls) {
                        sleep_until(due(origin, call, chunk)).await; // of a time that is past: at once
                        bells[call].notify_one();
                    }
                }
                Vec::new()
            });
        }
        Way::Pacer => {
            tasks.spawn(async move {
                let mut sockets = sockets;
                for chunk in 0..CHUNKS {
                    for &call in &by_phase(calls) {
                        sleep_until(due(origin, call, chunk)).await;
                        sockets[call].write_all(&MESSAGE).await.unwrap();
                    }
                }
                sockets
            });
        }
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

/// Reads everything, on a thread of its own.
fn far_ends(listener: std::net::TcpListener) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).unwrap();
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 4_096];
                while socket.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
            });
        }
    });
}

fn main() {
    let calls = std::env::args().nth(1).map_or(200, |calls| calls.parse().expect("a number of calls"));
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(|| far_ends(listener));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut sockets = Vec::new();
        for _ in 0..calls {
            let socket = TcpStream::connect(address).await.unwrap();
            socket.set_nodelay(true).unwrap();
            sockets.push(socket);
        }
        for round in 1..=3 {
            for way in [Way::Timers, Way::Notify, Way::Pacer] {
                let before = cpu();
                sockets = run(way, sockets).await;
                let used = (cpu() - before).as_secs_f64() * 1e6 / f64::from(CHUNKS) / calls as f64;
                println!("round {round}: {way:?} {used:.2} us a chunk");
            }
        }
    });
}
