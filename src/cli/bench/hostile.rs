//! What callers notice of far ends that attack the same switch: `tandem bench --hostile`.
//!
//! The same number of calls again and again on one switch: alone, then beside each attack, then alone once more, so that the difference stands beside
//! the spread of the machine. The attackers run in this process, at bounded rates, and share its processors with the callers' ears: what is
//! printed is an upper bound.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use tandem_peers::simulate::{EndedBy, PeerReport};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::switch::MeasuredSwitch;
use super::{Args, BenchError, CliError, ENDPOINT, Output, percentile};

mod fleet;

use fleet::{call, fleet};

/// Messages or fragments that an attack sends in a second.
const PER_SECOND: u32 = 10_000;
/// They are sent this often, in equal parts.
const BEAT: Duration = Duration::from_millis(10);
/// Pause between two messages of 10 MB.
const HUGE_EVERY: Duration = Duration::from_millis(200);
/// Sockets that never speak.
const MUTE_SOCKETS: usize = 5_000;
/// Most that a caller may notice (promises.md W2).
const MAY_NOTICE_MS: f64 = 5.0;

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attack {
    None,
    Messages,
    Pings,
    Fragments,
    Huge,
    Mute,
}

/// In the order they are measured.
const PHASES: [(Attack, &str); 7] = [
    (Attack::None, "nobody attacks"),
    (Attack::Messages, "10,000 messages a second"),
    (Attack::Pings, "10,000 pings a second"),
    (Attack::Fragments, "10,000 fragments a second"),
    (Attack::Huge, "a message of 10 MB, 5 a second"),
    (Attack::Mute, "5,000 sockets that never speak"),
    (Attack::None, "nobody attacks, again"),
];

/// What the callers noticed in one phase.
#[derive(Debug, Serialize)]
struct Phase {
    attack: &'static str,
    completed: u32,
    /// End of the caller's speech to the first sound of the answer, less the endpoint's silence.
    heard_latency_p95_ms: f64,
    pacing_lateness_p99_ms: f64,
    underruns: u32,
    /// Sockets that the attackers opened.
    attacking_sockets: u64,
    rss_peak_mb: f64,
}

/// The figures.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    calls: u32,
    phases: Vec<Phase>,
}

pub(super) async fn measure(args: &Args, output: &Output) -> Result<Report, CliError> {
    let calls = args.calls.unwrap_or(100);
    let folder = tempfile::tempdir().map_err(BenchError::Folder)?;
    let mut switch = MeasuredSwitch::start(args, folder.path(), None, None).await?;
    output.say(format_args!("{} times {calls} calls of about half a minute", PHASES.len()));
    call(switch.media_url(), 0).await.map_err(|error| BenchError::FirstCall(error.to_string()))?;
    let mut phases = Vec::new();
    for (round, (attack, name)) in (1_u32..).zip(PHASES) {
        output.say(format_args!("{name}"));
        let (url, (sockets, opened)) = (switch.media_url(), tokio::sync::watch::channel(0_u64));
        let attacker = tokio::spawn(async move { attack.run(&url, &sockets).await });
        let numbers = round * 10_000..=round * 10_000 + calls - 1;
        let (reports, failures, peak) = fleet(&mut switch, numbers).await?;
        attacker.abort();
        for failure in failures {
            output.say(format_args!("failed: {failure}"));
        }
        phases.push(Phase::of(name, &reports, *opened.borrow(), peak));
    }
    switch.stop().await;
    Ok(Report { calls, phases })
}

impl Attack {
    /// Attacks until it is aborted. A socket that the switch closed is opened anew.
    async fn run(self, url: &str, sockets: &tokio::sync::watch::Sender<u64>) {
        match self {
            Self::None => std::future::pending().await,
            Self::Mute => stay_mute(url, sockets).await,
            Self::Messages | Self::Pings | Self::Fragments | Self::Huge => self.strike_on(url, sockets).await,
        }
    }

    async fn strike_on(self, url: &str, sockets: &tokio::sync::watch::Sender<u64>) {
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            beat.tick().await;
            let Some(mut socket) = open(url, sockets).await else { continue };
            let first = Frame::message("{", OpCode::Data(Data::Text), false);
            if matches!(self, Self::Fragments | Self::Huge) && socket.send(Message::Frame(first)).await.is_err() {
                continue;
            }
            while self.strike(&mut socket).await.is_ok() {
                beat.tick().await;
            }
        }
    }

    /// The part of one beat.
    async fn strike(self, socket: &mut Client) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        let count = PER_SECOND / (1_000 / BEAT.as_millis() as u32);
        match self {
            Self::Huge => {
                sleep(HUGE_EVERY).await;
                // Piece by piece: making it at once would hold up the callers of this process.
                for _ in 0..10 << 20 >> 16 {
                    socket.send(Message::Frame(piece())).await?;
                }
                return Ok(());
            }
            Self::None | Self::Mute => {}
            Self::Messages | Self::Pings | Self::Fragments => {
                for _ in 0..count {
                    let message = match self {
                        Self::Messages => Message::text(r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#),
                        Self::Pings => Message::Ping("are you there".into()),
                        _ => Message::Frame(Frame::message("", OpCode::Data(Data::Continue), false)),
                    };
                    socket.feed(message).await?;
                }
            }
        }
        socket.flush().await
    }
}

/// Holds sockets on which nothing is said, and replaces those that the switch closes.
async fn stay_mute(url: &str, sockets: &tokio::sync::watch::Sender<u64>) {
    let mut mute = VecDeque::with_capacity(MUTE_SOCKETS);
    loop {
        match open(url, sockets).await {
            Some(socket) => mute.push_back(socket),
            None => sleep(BEAT).await,
        }
        if mute.len() >= MUTE_SOCKETS
            && let Some(mut oldest) = mute.pop_front()
        {
            while let Some(Ok(_)) = oldest.next().await {}
        }
    }
}

/// 64 KB in the middle of a message.
fn piece() -> Frame {
    Frame::message(vec![b' '; 1 << 16], OpCode::Data(Data::Continue), false)
}

async fn open(url: &str, sockets: &tokio::sync::watch::Sender<u64>) -> Option<Client> {
    let (client, _) = tokio_tungstenite::connect_async(url).await.ok()?;
    sockets.send_modify(|count| *count += 1);
    Some(client)
}

impl Phase {
    fn of(attack: &'static str, reports: &[PeerReport], attacking_sockets: u64, peak: u64) -> Self {
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        let turns = reports.iter().flat_map(|report| &report.turns).filter(|turn| !turn.said.is_empty());
        let heard = turns.filter_map(|turn| turn.latency).map(|latency| ms(latency) - ms(ENDPOINT)).collect();
        let lateness = reports.iter().map(|report| ms(report.playback.lateness_p99)).collect();
        Self {
            attack,
            completed: reports.iter().filter(|report| report.ended_by == EndedBy::Switch).count() as u32,
            heard_latency_p95_ms: percentile::of(heard, 95.0),
            pacing_lateness_p99_ms: percentile::of(lateness, 50.0),
            underruns: reports.iter().map(|report| report.playback.underruns).sum(),
            attacking_sockets,
            rss_peak_mb: peak as f64 / f64::from(1 << 20),
        }
    }
}

impl Report {
    pub(super) fn table(&self) -> String {
        let quiet = self.phases.first().map_or(0.0, |phase| phase.heard_latency_p95_ms);
        let mut table = format!(
            "{:<34}{:>9}{:>14}{:>10}{:>14}{:>11}{:>10}{:>10}\n",
            "", "calls", "heard p95", "more", "pacing p99", "underruns", "sockets", "memory"
        );
        for phase in &self.phases {
            table.push_str(&format!(
                "{:<34}{:>9}{:>11.0} ms{:>+7.0} ms{:>11.1} ms{:>11}{:>10}{:>7.0} MB\n",
                phase.attack,
                format!("{}/{}", phase.completed, self.calls),
                phase.heard_latency_p95_ms,
                phase.heard_latency_p95_ms - quiet,
                phase.pacing_lateness_p99_ms,
                phase.underruns,
                phase.attacking_sockets,
                phase.rss_peak_mb,
            ));
        }
        table.push_str(&format!(
            "\"heard\" counts from 500 ms of silence after the caller's words; an attack may add {MAY_NOTICE_MS:.0} ms\n"
        ));
        table
    }
}
