//! The line of one call: a carrier's side with its caller on one end, the switch on the other, and the way between them.
//!
//! ```text
//!  caller ─20 ms─► air ─► carrier's model ─► way up, in order, late by its delay ─► switch
//!  caller ◄─20 ms─ ear ◄─ carrier's model ◄─ way down, in order, late by its delay ◄─ switch
//! ```
//!
//! Place: driven by [`crate::run`] under a paused clock. No socket; a socket's order is kept, since carriers speak over TCP. What the ear
//! got is taped sample by sample.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, stream};
use tandem_actors::{MediaSocket, SocketError, clock};
use tandem_domain::port::dialect::WireMessage;
use tandem_peers::caller::{Action, Caller};
use tandem_peers::carrier::{FRAME_SAMPLES, MediaPeer};
use tokio::sync::mpsc;
use tokio::time::sleep_until;
use tokio_util::sync::PollSender;

use crate::air::Air;
use crate::case::Way;
use crate::tape::Tape;

/// Messages that may wait on either side of the switch: seconds of a call. A full queue stalls its writer, as a socket does.
const SOCKET_MESSAGES: usize = 1_024;

/// Messages under way in one direction: each comes after its delay and never before the one ahead of it.
struct Transit {
    way: Way,
    messages: VecDeque<(Instant, Instant, WireMessage)>,
    /// The longest that any was under way.
    longest: Duration,
}

impl Transit {
    fn new(way: Way) -> Self {
        Self { way, messages: VecDeque::new(), longest: Duration::ZERO }
    }

    fn send(&mut self, now: Instant, message: WireMessage) {
        let due = now + self.way.delay();
        let due = self.messages.back().map_or(due, |(ahead, ..)| due.max(*ahead));
        self.messages.push_back((due, now, message));
    }

    fn due(&self) -> Option<Instant> {
        self.messages.front().map(|(due, ..)| *due)
    }

    fn arrived(&mut self, now: Instant) -> Option<WireMessage> {
        let (_, sent, message) = self.messages.pop_front_if(|(due, ..)| *due <= now)?;
        self.longest = self.longest.max(now.saturating_duration_since(sent));
        Some(message)
    }
}

/// Why a line is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    /// The caller hung up, and then the switch closed.
    CallerHungUp,
    /// The switch closed.
    SwitchClosed,
    /// The switch did what the carrier forbids.
    Violation(String),
    /// Nobody ended it within the limit.
    Endless,
}

/// One end of a media socket without a socket.
pub(crate) struct Wire {
    to_switch: mpsc::Sender<Result<WireMessage, SocketError>>,
    from_switch: mpsc::Receiver<WireMessage>,
}

/// A pair of a wire's ends: ours and the switch's.
pub(crate) fn wire() -> (Wire, MediaSocket) {
    let (to_switch, incoming) = mpsc::channel::<Result<WireMessage, SocketError>>(SOCKET_MESSAGES);
    let (outgoing, from_switch) = mpsc::channel(SOCKET_MESSAGES);
    let socket = MediaSocket {
        last_words: Default::default(),
        incoming: Box::pin(stream::unfold(incoming, |mut queue| async move {
            queue.recv().await.map(|message| (message, queue))
        })),
        outgoing: Box::pin(PollSender::new(outgoing).sink_map_err(|_| SocketError::Closed)),
    };
    (Wire { to_switch, from_switch }, socket)
}

/// A call under way.
pub(crate) struct Line {
    pub(crate) peer: Box<dyn MediaPeer>,
    pub(crate) caller: Caller,
    pub(crate) tape: Tape,
    air: Air,
    up: Transit,
    down: Transit,
    to_switch: Option<mpsc::Sender<Result<WireMessage, SocketError>>>,
    from_switch: mpsc::Receiver<WireMessage>,
    began: Instant,
    next_frame: Instant,
    /// Of the caller's clock, which may run fast or slow.
    frame_length: Duration,
    last_heard: [i16; FRAME_SAMPLES],
    hung_up: bool,
}

impl Line {
    pub(crate) fn new(
        mut peer: Box<dyn MediaPeer>,
        caller: Caller,
        air: Air,
        (up, down): (Way, Way),
        drift_ppm: i32,
        Wire { to_switch, from_switch }: Wire,
        now: Instant,
    ) -> Self {
        let mut up = Transit::new(up);
        for text in peer.open(now) {
            up.send(now, WireMessage::Text(text));
        }
        let frame_length = Duration::from_nanos((20_000_000 + 20 * i64::from(drift_ppm)).unsigned_abs());
        Self {
            peer,
            caller,
            tape: Tape::default(),
            air,
            up,
            down: Transit::new(down),
            to_switch: Some(to_switch),
            from_switch,
            began: now,
            next_frame: now + frame_length,
            frame_length,
            last_heard: [0; FRAME_SAMPLES],
            hung_up: false,
        }
    }

    /// When the stream began: the origin of the tape.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// The longest that any message was under way, up and down.
    pub(crate) fn longest_ways(&self) -> (Duration, Duration) {
        (self.up.longest, self.down.longest)
    }

    /// Runs until the line is closed, or for `limit`.
    pub(crate) async fn run(&mut self, limit: Duration) -> Over {
        let end = self.began + limit;
        loop {
            let caller = (!self.hung_up).then_some(self.next_frame);
            let carrier = self.peer.poll_timeout();
            let next = [caller, carrier, self.up.due(), self.down.due()].into_iter().flatten().min();
            let next = next.unwrap_or(end).min(end);
            let mut closed = false;
            tokio::select! {
                biased;
                message = self.from_switch.recv() => match message {
                    Some(message) => self.down.send(clock::now(), message),
                    None => closed = true,
                },
                () = sleep_until(next.into()) => {}
            }
            let now = clock::now();
            if let Err(over) = self.step(now).await {
                return over;
            }
            if closed && self.hung_up {
                return Over::CallerHungUp;
            }
            if closed {
                return self.drain().await;
            }
            if now >= end {
                return Over::Endless;
            }
        }
    }

    /// The switch has closed: what is still under way to the caller arrives, and is heard to its end.
    async fn drain(&mut self) -> Over {
        self.to_switch = None;
        while let Some(due) = self.down.due() {
            sleep_until(due.into()).await;
            if let Err(over) = self.step(clock::now()).await {
                return over;
            }
        }
        Over::SwitchClosed
    }

    async fn step(&mut self, now: Instant) -> Result<(), Over> {
        let mut answers = Vec::new();
        while let Some(message) = self.down.arrived(now) {
            let taken = match message {
                WireMessage::Text(text) => {
                    if drops_what_waits(&text) {
                        self.tape.clears.push(self.tape.agent_samples.len());
                    }
                    self.peer.receive(now, &text).map_err(|violation| Over::Violation(format!("{violation} in {text}")))
                }
                WireMessage::Binary(bytes) => {
                    Err(Over::Violation(self.peer.receive_binary(bytes.len()).to_string()))
                }
            };
            answers.extend(self.air.marks(taken?));
        }
        let marks = self.peer.handle_timeout(now);
        answers.extend(self.air.marks(marks));
        if !self.hung_up && now >= self.next_frame {
            self.next_frame += self.frame_length;
            self.frame(now, &mut answers);
        }
        for text in answers {
            self.up.send(now, WireMessage::Text(text));
        }
        while let Some(message) = self.up.arrived(now) {
            if let Some(to_switch) = &self.to_switch {
                let _ = to_switch.send(Ok(message)).await; // the switch has closed: seen at the next look
            }
        }
        if self.hung_up && self.up.due().is_none() {
            self.to_switch = None;
        }
        Ok(())
    }

    /// 20 ms of the caller's life.
    fn frame(&mut self, now: Instant, answers: &mut Vec<String>) {
        for frame in self.peer.played(now) {
            self.tape.ear.extend_from_slice(&frame.samples);
            self.tape.agent_samples.push(frame.agent_samples as u16);
            self.last_heard = frame.samples;
        }
        let tick = self.caller.tick(now, &self.last_heard);
        match tick.action {
            Some(Action::Press(digit)) => answers.push(self.peer.dtmf(digit)),
            Some(Action::HangUp) => {
                answers.push(self.peer.stop(now));
                self.hung_up = true;
                return;
            }
            None => {}
        }
        for frame in self.air.frames(&tick.frame, &self.last_heard) {
            self.tape.mouth.extend_from_slice(&frame);
            answers.extend(self.peer.caller_audio(&frame));
        }
    }
}

/// Whether a message tells a carrier, or a page, to forget the audio that it has not played.
fn drops_what_waits(text: &str) -> bool {
    text.len() < 200 && (text.contains("\"clear\"") || text.contains("\"interruption\""))
}
