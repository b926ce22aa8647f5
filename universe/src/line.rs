//! The line of one call: a carrier's side with its caller on one end, the switch on the other, and the way between them.
//!
//! ```text
//!  caller ─20 ms─► room, codec ─► carrier's model ─► channel up ─► switch
//!  caller ◄─20 ms─ tape ◄──────── carrier's model ◄─ channel down ◄─ switch
//! ```
//!
//! Place: driven by [`crate::run()`] under a paused clock. No socket; a socket's order is kept, since carriers speak over TCP. What the ear
//! got is taped sample by sample.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::{Sink, SinkExt, stream};
use tandem_actors::{MediaSocket, SocketError, clock};
use tandem_domain::port::dialect::WireMessage;
use tandem_peers::caller::{Action, Caller};
use tandem_peers::carrier::{FRAME_SAMPLES, MediaPeer};
use tandem_peers::dice::Dice;
use tandem_peers::universe::channel::{Channel, Codec, Disordering, FarClock, Losing};
use tandem_peers::universe::scenario::Scenario;
use tandem_peers::universe::surroundings::Room;
use tokio::sync::mpsc;
use tokio::time::sleep_until;
use tokio_util::sync::PollSender;

use crate::tape::Tape;

/// Length of a frame.
const FRAME: Duration = Duration::from_millis(20);

/// Messages that may wait on either side of the switch: seconds of a call. A full queue stalls its writer, as a socket does.
const SOCKET_MESSAGES: usize = 1_024;

/// A message under way, and since when.
#[derive(Clone)]
struct Sent {
    at: Instant,
    message: WireMessage,
}

impl Sent {
    /// The same mark under a name that nobody gave.
    fn renamed(self) -> Self {
        let WireMessage::Text(text) = &self.message else { return self };
        let Ok(mut json) = serde_json::from_str::<serde_json::Value>(text) else { return self };
        if let Some(name) = json.pointer_mut("/mark/name") {
            *name = "nobody-gave-this-name".into();
        }
        Self { message: WireMessage::Text(json.to_string()), ..self }
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
        outgoing: Box::pin(ToFarEnd(PollSender::new(outgoing))),
    };
    (Wire { to_switch, from_switch }, socket)
}

/// The switch's way to us. Closed when we are gone, however often it is asked.
struct ToFarEnd(PollSender<WireMessage>);

impl Sink<WireMessage> for ToFarEnd {
    type Error = SocketError;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SocketError>> {
        self.0.poll_ready_unpin(context).map_err(|_| SocketError::Closed)
    }

    fn start_send(mut self: Pin<&mut Self>, message: WireMessage) -> Result<(), SocketError> {
        self.0.start_send_unpin(message).map_err(|_| SocketError::Closed)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SocketError>> {
        self.0.poll_flush_unpin(context).map_err(|_| SocketError::Closed)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SocketError>> {
        self.0.poll_close_unpin(context).map_err(|_| SocketError::Closed)
    }
}

/// A call under way.
///
/// The carrier and its caller live by a clock of their own, which may run fast or slow; the tape is theirs.
pub(crate) struct Line {
    pub(crate) peer: Box<dyn MediaPeer>,
    pub(crate) caller: Caller,
    pub(crate) tape: Tape,
    room: Room,
    codec: Codec,
    losing: Losing,
    disordering: Disordering<Sent>,
    up: Channel<Sent>,
    down: Channel<Sent>,
    longest: (Duration, Duration),
    to_switch: Option<mpsc::Sender<Result<WireMessage, SocketError>>>,
    from_switch: mpsc::Receiver<WireMessage>,
    far: FarClock,
    /// What the peer answers are marks, which a carrier may have trouble with; a page answers pings.
    marks: bool,
    began: Instant,
    /// By the far clock.
    next_frame: Instant,
    last_heard: [i16; FRAME_SAMPLES],
    hung_up: bool,
}

impl Line {
    pub(crate) fn new(
        mut peer: Box<dyn MediaPeer>,
        caller: Caller,
        room: Room,
        scenario: &Scenario,
        marks: bool,
        Wire { to_switch, from_switch }: Wire,
        now: Instant,
    ) -> Self {
        let mut up = scenario.up();
        for text in peer.open(now) {
            up.send(now, Sent { at: now, message: WireMessage::Text(text) });
        }
        Self {
            peer,
            caller,
            tape: Tape::default(),
            room,
            codec: scenario.line.codec,
            losing: Losing::new(scenario.line.lost, Dice::stream(scenario.seed, "lost voice")),
            disordering: Disordering::new(scenario.line.disorder, Dice::stream(scenario.seed, "carrier's disorder")),
            up,
            down: scenario.down(),
            longest: (Duration::ZERO, Duration::ZERO),
            to_switch: Some(to_switch),
            from_switch,
            far: FarClock::new(now, scenario.line.drift_ppm),
            marks,
            began: now,
            next_frame: now + FRAME,
            last_heard: [0; FRAME_SAMPLES],
            hung_up: false,
        }
    }

    /// The clock of the tape.
    pub(crate) fn far_clock(&self) -> FarClock {
        self.far
    }

    /// The longest that any message was under way, up and down.
    pub(crate) fn longest_ways(&self) -> (Duration, Duration) {
        self.longest
    }

    /// Runs until the line is closed, or for `limit`.
    pub(crate) async fn run(&mut self, limit: Duration) -> Over {
        let end = self.began + limit;
        loop {
            let caller = (!self.hung_up).then_some(self.next_frame);
            let far = [caller, self.peer.poll_timeout()].into_iter().flatten().min().map(|far| self.far.real(far));
            let next = [far, self.up.poll_timeout(), self.down.poll_timeout()].into_iter().flatten().min();
            let next = next.unwrap_or(end).min(end);
            let mut closed = false;
            tokio::select! {
                biased;
                message = self.from_switch.recv() => match message {
                    Some(message) => self.down.send(clock::now(), Sent { at: clock::now(), message }),
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

    /// The switch has closed: what is still under way to the caller arrives, and no more.
    async fn drain(&mut self) -> Over {
        self.to_switch = None;
        while let Some(due) = self.down.poll_timeout() {
            sleep_until(due.into()).await;
            if let Err(over) = self.step(clock::now()).await {
                return over;
            }
        }
        Over::SwitchClosed
    }

    async fn step(&mut self, now: Instant) -> Result<(), Over> {
        let far = self.far.far(now);
        let mut answers = Vec::new();
        for Sent { at, message } in self.down.poll(now) {
            self.longest.1 = self.longest.1.max(now.saturating_duration_since(at));
            let taken = match message {
                WireMessage::Text(text) => {
                    if drops_what_waits(&text) {
                        self.tape.clears.push(self.tape.agent_samples.len());
                    }
                    self.peer
                        .receive(far, &text)
                        .map_err(|violation| Over::Violation(format!("{violation} in {}", head(&text))))
                }
                WireMessage::Binary(bytes) => Err(Over::Violation(self.peer.receive_binary(bytes.len()).to_string())),
            };
            answers.extend(taken?);
        }
        answers.extend(self.peer.handle_timeout(far));
        for text in answers {
            let sent = Sent { at: now, message: WireMessage::Text(text) };
            match self.marks {
                true => self.up.send_mark(now, sent, Sent::renamed),
                false => self.up.send(now, sent),
            }
        }
        if !self.hung_up && far >= self.next_frame {
            self.next_frame += FRAME;
            for text in self.frame(far) {
                for sent in self.written(Sent { at: now, message: WireMessage::Text(text) }) {
                    self.up.send(now, sent);
                }
            }
        }
        for Sent { at, message } in self.up.poll(now) {
            self.longest.0 = self.longest.0.max(now.saturating_duration_since(at));
            if let Some(to_switch) = &self.to_switch {
                let _ = to_switch.send(Ok(message)).await; // the switch has closed: seen at the next look
            }
        }
        if self.hung_up && self.up.poll_timeout().is_none() {
            self.to_switch = None;
        }
        Ok(())
    }

    /// What the carrier's media server writes when it has this message; the last one comes last.
    fn written(&mut self, sent: Sent) -> Vec<Sent> {
        if self.hung_up {
            return self.disordering.finish().into_iter().chain([sent]).collect();
        }
        let is_audio = matches!(&sent.message, WireMessage::Text(text) if text.contains("\"media\""));
        self.disordering.write(sent, is_audio)
    }

    /// 20 ms of the caller's life; what the carrier sends of it.
    fn frame(&mut self, far: Instant) -> Vec<String> {
        for frame in self.peer.played(far) {
            self.tape.ear.extend_from_slice(&frame.samples);
            self.tape.agent_samples.push(frame.agent_samples as u16);
            self.last_heard = frame.samples;
        }
        let tick = self.caller.tick(far, &self.last_heard);
        let mut messages = Vec::new();
        match tick.action {
            Some(Action::Press(digit)) => messages.push(self.peer.dtmf(digit)),
            Some(Action::HangUp) => {
                self.hung_up = true;
                return vec![self.peer.stop(far)];
            }
            None => {}
        }
        let mut frame = tick.frame;
        self.room.add(&mut frame, &self.last_heard);
        self.codec.pass(&mut frame);
        if self.losing.loses() {
            self.tape.lost.push((self.tape.mouth.len() / FRAME_SAMPLES, frame.to_vec()));
            frame.fill(0);
        }
        self.tape.mouth.extend_from_slice(&frame);
        messages.extend(self.peer.caller_audio(&frame));
        messages
    }
}

/// How much of a message a violation quotes: its names and numbers, and not the sound that follows them.
const QUOTED: usize = 200;

/// The beginning of a message.
fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(QUOTED)]
}

/// Whether a message tells a carrier, or a page, to forget the audio that it has not played.
fn drops_what_waits(text: &str) -> bool {
    text.len() < 200 && (text.contains("\"clear\"") || text.contains("\"interruption\""))
}
