//! How long the agent speaks on under a caller on Exotel's line, over real TCP sockets and in real time: from the first voiced 20 ms of the caller's
//! mouth until the `clear` is there.
//!
//! Exotel sends 100 ms at once, so 200 ms of required speech may be whole up to 100 ms late; its budget is 405 ms.
//! `tests/barge_in_latency.rs` has the switch's own share under a paused clock, `tandem bench` that of Twilio's dialect under load.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tandem_actors::clock;
use tandem_codecs::Level;
use tandem_peers::caller::{Caller, Manners, Rendered, Step};
use tandem_peers::carrier::MediaPeer;
use tandem_peers::carrier::exotel::{ExotelIds, ExotelPeer, Habits};
use tandem_peers::voice::Talker;
use tokio_tungstenite::tungstenite::Message;

const FRAME: Duration = Duration::from_millis(20);
const LIMIT: Duration = Duration::from_secs(20);
const BUDGET: Duration = Duration::from_millis(405);
const INTERRUPTIONS: u64 = 50;
/// Calls at once: few, so that the figure is the way's and not the load's.
const AT_ONCE: u64 = 10;
/// What a voice is louder than from its first frame on, and a line's silence is not.
const VOICED_DBFS: f32 = -40.0;

/// One call that interrupts the greeting.
async fn clear_after(url: String, number: u64) -> Duration {
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let mut peer = ExotelPeer::new(ExotelIds::numbered(u128::from(number)), Habits::default(), BTreeMap::new());
    let text = "no I want a villa in Pune";
    let say = Rendered { text: text.into(), samples: Talker::numbered(number).speak(text).samples.into() };
    let after = Duration::from_millis(700 + 37 * (number % 23));
    let began = clock::now();
    let mut caller =
        Caller::new(vec![Step::Interrupt { after, say }], Manners { seed: number, ..Manners::default() }, began);
    for text in peer.open(began) {
        socket.send(Message::text(text)).await.unwrap();
    }
    let (mut next, mut ear, mut voiced) = (began, [0; 160], None::<Instant>);
    while next < began + LIMIT {
        tokio::select! {
            biased;
            message = socket.next() => {
                let Message::Text(text) = message.unwrap().unwrap() else { continue };
                let now = clock::now();
                for answer in peer.receive(now, &text).unwrap() {
                    socket.send(Message::text(answer)).await.unwrap();
                }
                if let Some(voiced) = voiced.filter(|_| peer.statistics().clears > 0) {
                    return now - voiced;
                }
            }
            () = tokio::time::sleep_until((next + FRAME).into()) => {
                next += FRAME;
                let mut texts = peer.handle_timeout(next);
                ear = peer.played(next).last().map_or(ear, |frame| frame.samples);
                let mouth = caller.tick(next, &ear).frame;
                if Level::of(&mouth).rms_dbfs > VOICED_DBFS {
                    voiced.get_or_insert(clock::now());
                }
                texts.extend(peer.caller_audio(&mouth));
                for text in texts {
                    socket.send(Message::text(text)).await.unwrap();
                }
            }
        }
    }
    panic!("call {number}: no clear within {LIMIT:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn exotel_is_told_to_clear_within_405_ms_over_tcp() {
    let most = AT_ONCE.to_string();
    let program = support::boot_with_settings(&[("MAX_CONCURRENT_CALLS", &most)]).await.unwrap();
    let mut times = Vec::new();
    for first in (1..=INTERRUPTIONS).step_by(AT_ONCE as usize) {
        let calls = (first..first + AT_ONCE).map(|number| clear_after(program.socket_url("/media"), number));
        times.extend(futures_util::future::join_all(calls).await);
        while !program.running.switch.calls().await.is_empty() {
            tokio::time::sleep(FRAME).await;
        }
    }
    times.sort_unstable();
    let at = |percent: usize| times[times.len() * percent / 100];
    println!("{} times: clear after p50 {:?}, p95 {:?}, longest {:?}", times.len(), at(50), at(95), times.last());
    assert_eq!(times.len() as u64, INTERRUPTIONS);
    assert!(at(95) <= BUDGET, "{times:?}");
    program.running.shutdown().await;
}
