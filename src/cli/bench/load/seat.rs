//! A place for callers: one after another, each on a socket of its own, in real time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tokio_util::sync::CancellationToken;

use super::caller::{Caller, Frame, LOST, Step, Turn};
use super::playback::Playback;
use super::wire::{self, FromSwitch, Stream};
use super::workers::{Group, Shared, lock};
use super::{FRAME, Lines, now};

/// Longest wait for the socket to open or close.
const SOCKET_LIMIT: Duration = Duration::from_secs(10);
/// A call that takes longer has failed.
const CALL_LIMIT: Duration = Duration::from_secs(180);
/// Pause before the next attempt when one has failed.
const PAUSE: Duration = Duration::from_secs(1);
/// Every so many callers interrupt their second question.
const INTERRUPTS_EVERY: u128 = 3;
/// Read buffer; a frame of either direction has 300 bytes.
const BUFFER_BYTES: usize = 4 * 1024;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How callers behave.
#[derive(Debug, Clone)]
pub(in crate::cli::bench) struct Manner {
    /// The switch's media socket.
    pub(in crate::cli::bench) url: String,
    /// What they can say.
    pub(in crate::cli::bench) lines: Arc<Lines>,
    /// How many of the lines they say.
    pub(in crate::cli::bench) says: usize,
    /// Whether they hang up when all is said; otherwise the agent does.
    pub(in crate::cli::bench) hang_up: bool,
    /// Whether some of them interrupt.
    pub(in crate::cli::bench) interrupt: bool,
    /// Whether something is heard under the agent, which is not its voice.
    pub(in crate::cli::bench) ambience: bool,
    /// Whether another caller follows when a call is over.
    pub(in crate::cli::bench) again: bool,
    /// Ends all calls.
    pub(in crate::cli::bench) leave: CancellationToken,
}

impl Manner {
    /// Seats a caller who calls after `wait`. `number` is the first call's; the seat's others follow in steps of 2^32.
    pub(in crate::cli::bench) fn seat(&self, group: &mut Group<'_>, number: u32, wait: Duration) {
        let manner = self.clone();
        group.spawn(move |tally| manner.sit(number, wait, tally));
    }

    async fn sit(self, number: u32, wait: Duration, tally: Shared) {
        let leave = self.leave.clone();
        let calls = async {
            sleep(wait + phase(number)).await;
            for round in 0_u64.. {
                let call = u128::from(number) | u128::from(round) << 32;
                let ended = self.call(call, &tally).await;
                if let Err(why) = &ended {
                    lock(&tally).failed(format!("call {number}: {why}"));
                }
                if !self.again {
                    return;
                }
                if ended.is_err() {
                    sleep(PAUSE).await;
                }
            }
        };
        leave.run_until_cancelled(calls).await;
    }

    async fn call(&self, number: u128, tally: &Shared) -> Result<(), String> {
        let socket = open(&self.url).await?;
        let began = now();
        let mut call = Call {
            socket,
            stream: Stream::numbered(number),
            caller: Caller::new(self.script(number), began),
            playback: if self.ambience { Playback::over_a_bed() } else { Playback::default() },
            lines: Arc::clone(&self.lines),
            tally: Arc::clone(tally),
            barging: None,
            audio: Vec::new(),
        };
        let ended = call.talk(began).await;
        call.sum_up(&ended);
        ended
    }

    fn script(&self, number: u128) -> Vec<Step> {
        // by seat and by round: every seat interrupts now and then
        let interrupts = self.interrupt && ((number >> 32) + (number & 0xffff_ffff)).is_multiple_of(INTERRUPTS_EVERY);
        let said = self.lines.of(number).iter().take(self.says).enumerate().map(|(place, line)| match place {
            1 if interrupts => Step::Interrupt(Arc::clone(line)),
            _ => Step::Say(Arc::clone(line)),
        });
        said.chain(self.hang_up.then_some(Step::HangUp)).collect()
    }
}

/// Spreads the ticks of callers over the 20 ms, as carriers' are.
pub(super) fn phase(number: u32) -> Duration {
    FRAME * (number.wrapping_mul(0x9e37_79b9) >> 16) / 0x1_0000 // the golden section: neighbours are far apart
}

/// Opens a media socket with small buffers.
pub(super) async fn open(url: &str) -> Result<Socket, String> {
    let config = WebSocketConfig::default().read_buffer_size(BUFFER_BYTES).write_buffer_size(BUFFER_BYTES);
    match timeout(SOCKET_LIMIT, connect_async_with_config(url, Some(config), true)).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(error)) => Err(format!("no socket: {error}")),
        Err(_) => Err(format!("no socket within {} s", SOCKET_LIMIT.as_secs())),
    }
}

struct Call {
    socket: Socket,
    stream: Stream,
    caller: Caller,
    playback: Playback,
    lines: Arc<Lines>,
    tally: Shared,
    /// When our voice began over the agent's, until it is cleared.
    barging: Option<Instant>,
    /// The last payload, decoded; kept for its memory.
    audio: Vec<u8>,
}

impl Call {
    /// Talks until somebody ends the call; the error says what went wrong.
    async fn talk(&mut self, began: Instant) -> Result<(), String> {
        for text in self.stream.open() {
            self.socket.feed(Message::text(text)).await.map_err(lost)?;
        }
        self.socket.flush().await.map_err(lost)?;
        let mut alarm = std::pin::pin!(sleep_until(began.into()));
        for tick in 0_u64.. {
            let due = began + FRAME * tick as u32;
            alarm.as_mut().reset(due.into());
            loop {
                let message = tokio::select! {
                    biased;
                    () = &mut alarm => break,
                    message = self.socket.next() => message,
                };
                match message {
                    Some(Ok(Message::Text(text))) => self.receive(text.as_str()).await?,
                    Some(Ok(Message::Close(_))) => return self.see_off().await,
                    None => return Ok(()),
                    Some(Ok(Message::Binary(_))) => return Err("the switch sent a binary frame".to_owned()),
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                    Some(Err(error)) => return Err(lost(error)),
                }
            }
            if due.saturating_duration_since(began) > CALL_LIMIT {
                return Err(format!("not over after {} s", CALL_LIMIT.as_secs()));
            }
            if self.live(tick, due).await? {
                return self.hang_up().await;
            }
        }
        Ok(())
    }

    /// One tick; whether the caller hangs up with it.
    async fn live(&mut self, tick: u64, due: Instant) -> Result<bool, String> {
        let mut marks = Vec::new();
        let heard = self.playback.tick(&mut marks);
        // the tick's own time, not ours: a driver that wakes late must not make the caller late
        let done = self.caller.tick(due, heard);
        let sent = now();
        let counts = self.playback.counts();
        {
            let mut tally = lock(&self.tally);
            tally.tick(sent.saturating_duration_since(due));
            tally.playback(&counts);
            match done.turn {
                Some(Turn::Answered(after)) => tally.answered(after),
                Some(Turn::Lost) => tally.lost_turns += 1,
                Some(Turn::Greeted(after)) => tally.greeted(after),
                None => {}
            }
        }
        if done.interrupts {
            self.barging = Some(sent);
        }
        let media = match &done.frame {
            Frame::Room => self.stream.media(self.lines.room(tick)),
            Frame::Line(line, at) => self.stream.media(&line.payloads[*at]),
        };
        for name in marks {
            self.socket.feed(Message::text(self.stream.mark(&name))).await.map_err(lost)?;
        }
        match timeout(LOST, self.socket.send(Message::text(media))).await {
            Ok(sent) => sent.map_err(lost)?,
            Err(_) => return Err("the switch has stopped reading".to_owned()),
        }
        Ok(done.hangs_up)
    }

    async fn receive(&mut self, text: &str) -> Result<(), String> {
        let arrived = now();
        let marks = match FromSwitch::read(text).ok_or_else(|| format!("unreadable message: {text:.80}"))? {
            FromSwitch::Media(payload) => {
                wire::decode(&payload, &mut self.audio).ok_or("a payload that is not base64")?;
                self.playback.queue(arrived, &self.audio);
                return Ok(());
            }
            FromSwitch::Mark(name) => self.playback.mark(name.into_owned()).into_iter().collect(),
            FromSwitch::Clear => {
                if let Some(since) = self.barging.take() {
                    lock(&self.tally).cleared(arrived.saturating_duration_since(since));
                }
                self.playback.clear()
            }
        };
        for name in marks {
            self.socket.send(Message::text(self.stream.mark(&name))).await.map_err(lost)?;
        }
        Ok(())
    }

    async fn hang_up(&mut self) -> Result<(), String> {
        self.socket.send(Message::text(self.stream.stop())).await.map_err(lost)?;
        let _ = self.socket.close(None).await; // an error says that it is closed already
        self.see_off().await
    }

    /// Reads until the socket is closed in both directions.
    async fn see_off(&mut self) -> Result<(), String> {
        let closing = async { while let Some(Ok(_)) = self.socket.next().await {} };
        // late: the switch does not answer our close; dropping the socket ends it
        let _ = timeout(SOCKET_LIMIT, closing).await;
        Ok(())
    }

    fn sum_up(&mut self, ended: &Result<(), String>) {
        let counts = self.playback.end();
        let mut tally = lock(&self.tally);
        tally.playback(&counts);
        tally.unheard_barge_ins += u64::from(self.barging.is_some());
        tally.completed += u64::from(ended.is_ok());
    }
}

fn lost(error: tokio_tungstenite::tungstenite::Error) -> String {
    format!("the connection broke: {error}")
}
