//! One task for a process that writes all tapped calls: stereo, mu-law, without a header.
//!
//! It stands for the recorder where one is to be paid for and nobody listens: in a measurement. A tape has a length and then begins anew, so
//! that an hour of measuring fills no disk. Listen to one with `sox -t ul -r 8000 -c 2 FILE -d`.

use std::io::{Seek, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_codecs::{Stereo, g711};
use tandem_domain::ids::CallId;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use super::{AudioTap, TappedCall};

/// Between two looks at the lanes, which hold a second.
const EVERY: Duration = Duration::from_millis(250);
/// The tapes are looked at in so many parts, one after the other: all at once would hold a core for longer than a frame may be late.
const PARTS: usize = 5;
/// Calls that may begin between two looks.
const MOST_NEW: usize = 1_024;
/// Length of a tape: a minute.
const TAPE_BYTES: u64 = 960_000;

/// What a tape is written to.
pub trait Medium: Write + Seek + Send {}
impl<M: Write + Seek + Send> Medium for M {}

/// Writes calls to tapes.
#[derive(Debug)]
pub struct Tapes {
    new: mpsc::Sender<TappedCall>,
}

impl Tapes {
    /// Starts the task; `medium` finds what a call is written to. The task ends when this is dropped and the last call is over.
    pub fn start(
        medium: impl Fn(CallId) -> std::io::Result<Box<dyn Medium>> + Send + 'static,
    ) -> (Arc<Self>, tokio::task::JoinHandle<()>) {
        let (new, calls) = mpsc::channel(MOST_NEW);
        (Arc::new(Self { new }), tokio::spawn(run(calls, Box::new(medium))))
    }
}

impl AudioTap for Tapes {
    fn call(&self, call: TappedCall) {
        if let Err(error) = self.new.try_send(call) {
            warn!(%error, "a call is not recorded: too many begin at once");
        }
    }
}

type Media = Box<dyn Fn(CallId) -> std::io::Result<Box<dyn Medium>> + Send>;

async fn run(mut calls: mpsc::Receiver<TappedCall>, media: Media) {
    let mut tick = interval(EVERY / PARTS as u32);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut desk =
        Desk { parts: Default::default(), begun: 0, turns: 0, media, samples: Vec::new(), bytes: Vec::new() };
    loop {
        tick.tick().await;
        let mut begun = Vec::new();
        let more = loop {
            match calls.try_recv() {
                Ok(call) => begun.push(call),
                Err(mpsc::error::TryRecvError::Empty) => break true,
                Err(mpsc::error::TryRecvError::Disconnected) => break false,
            }
        };
        let now = crate::clock::now();
        // Files may make their writer wait, and the threads here carry audio.
        let turned = tokio::task::spawn_blocking(move || {
            begun.into_iter().for_each(|call| desk.begin(call));
            desk.turn(now);
            desk
        });
        match turned.await {
            Ok(back) => desk = back,
            Err(error) => return warn!(%error, "the recorder is gone"),
        }
        if !more && desk.parts.iter().all(Vec::is_empty) {
            return;
        }
    }
}

/// All tapes that turn.
struct Desk {
    parts: [Vec<Tape>; PARTS],
    /// Tapes that were begun, and turns that were made: which part is next.
    begun: usize,
    turns: usize,
    media: Media,
    samples: Vec<i16>,
    bytes: Vec<u8>,
}

struct Tape {
    call: TappedCall,
    stereo: Stereo,
    medium: Box<dyn Medium>,
    written: u64,
}

impl Desk {
    fn begin(&mut self, call: TappedCall) {
        match (self.media)(call.call) {
            Ok(medium) => {
                self.parts[self.begun % PARTS].push(Tape { stereo: Stereo::new(call.rate), call, medium, written: 0 });
                self.begun += 1;
            }
            Err(error) => warn!(call_id = %call.call, %error, "a call is not recorded"),
        }
    }

    /// Writes what has come to the next part of the tapes since its last turn.
    fn turn(&mut self, now: Instant) {
        let Self { parts, turns, samples, bytes, .. } = self;
        let part = &mut parts[*turns % PARTS];
        *turns += 1;
        part.retain_mut(|tape| {
            samples.clear();
            bytes.clear();
            let over = tape.turn(now, samples);
            g711::encode_ulaw(samples, bytes);
            match tape.write(bytes) {
                Ok(()) => !over,
                Err(error) => {
                    warn!(call_id = %tape.call.call, %error, "a recording broke off");
                    false
                }
            }
        });
    }
}

impl Tape {
    /// Appends what is ready to `samples`; `true` when the call is over.
    fn turn(&mut self, now: Instant, samples: &mut Vec<i16>) -> bool {
        let over = self.call.caller.is_over() && self.call.agent.is_over(); // before reading: what comes after it is read next time
        self.call.lay(&mut self.stereo);
        let now = self.call.position(now);
        while if over { self.stereo.finish(now, samples) } else { self.stereo.take(now, samples) } {}
        over
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.written + bytes.len() as u64 > TAPE_BYTES {
            self.medium.rewind()?;
            self.written = 0;
        }
        self.medium.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::{Cursor, SeekFrom};
    use std::sync::Mutex;

    use tandem_codecs::SampleRate;
    use uuid::Uuid;

    use super::*;
    use crate::tap::Tap;

    /// A tape that can be looked at.
    #[derive(Clone, Default)]
    struct Shelf(Arc<Mutex<Cursor<Vec<u8>>>>);

    impl Write for Shelf {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Shelf {
        fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
            self.0.lock().unwrap().seek(to)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_tape_holds_both_sides_and_no_more_than_its_length() {
        let shelf = Shelf::default();
        let medium = shelf.clone();
        let (tapes, done) = Tapes::start(move |_| Ok(Box::new(medium.clone())));
        let (tap, t0) = (Tap::to(tapes), crate::clock::now());
        let inlets = tap.open(CallId(Uuid::nil()), SampleRate::HZ_8000, t0, false).0.unwrap();
        for frame in 0..4_000 {
            let at = t0 + Duration::from_millis(20) * frame;
            tokio::time::sleep_until(at.into()).await;
            inlets.caller.came_in(at, &[1_000; 160]);
            inlets.agent.sent(at, &[-1_000; 160]);
        }
        drop((inlets, tap));
        done.await.unwrap();
        let (mut pair, written) = (Vec::new(), shelf.0.lock().unwrap());
        g711::encode_ulaw(&[1_000, -1_000], &mut pair);
        let other: Vec<_> = written.get_ref().chunks(2).filter(|sample| *sample != pair).collect();
        let after_the_end = other.len() <= 2_000 && other.iter().all(|sample| **sample == [0xff; 2]);
        assert!(after_the_end, "caller left, agent right, no gap: {} others", other.len());
        let length = written.get_ref().len() as u64;
        assert!((TAPE_BYTES - 8_000..=TAPE_BYTES).contains(&length), "80 s on a tape of 60: {length}");
    }
}
