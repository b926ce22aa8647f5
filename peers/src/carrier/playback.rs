//! A carrier's playback queue: what the caller hears, frame by frame, and how well it was fed.
//!
//! An absolute 20 ms clock from the start of the stream takes 160 samples from the queue at each tick. A mark comes back when
//! the frame that holds the last sample before it is over. How much may wait is the carrier's to say.
//!
//! ```text
//!  tick      0     1     2     3     4     5          queue runs dry at 3, audio comes back at 5:
//!  heard     aaaaa aaaaa aaa.. ..... ..... bbbbb      one underrun, since 5 - 3 ticks are under 200 ms
//!                          ^ a mark here would make it the end of an utterance, and no underrun
//! ```
//!
//! What counts as what:
//! - *run*: agent speech from one tick with audio until the queue stood empty for 200 ms, or until a `clear`.
//! - *underrun*: a gap inside a run. A gap right after a mark at the very end of the queue is a *marked gap* instead: the
//!   switch said that it had no more for now. One that marks in the middle of its speech can hide an underrun so; look at both.
//! - *lateness* of a message: how far it came behind the run's own pace of real time, once the run's lead was built up.
//!   For message k of a run, `d = arrival - audio before it`; lateness is `d - min d`, from the first message within
//!   half a frame of the minimum on. What came before only builds up the lead.
//! - *late frame*: a message with a lateness above one frame.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tandem_codecs::SampleRate;

use super::{FRAME, FRAME_SAMPLES};

/// A run ends when nothing was heard for this many frames.
const RUN_GAP_FRAMES: u32 = 10;

/// 20 ms of what the caller hears.
#[derive(Debug, Clone, PartialEq)]
pub struct HeardFrame {
    /// When it begins, since the stream's start; a whole number of frames.
    pub at: Duration,
    /// Linear PCM at 8 kHz.
    pub samples: [i16; FRAME_SAMPLES],
    /// Samples of it that came from the switch; the rest is the empty queue's silence.
    pub agent_samples: usize,
}

/// How well the queue was fed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PlaybackStatistics {
    /// Gaps inside continuous agent speech.
    pub underruns: u32,
    /// Gaps as short, but right after a mark.
    pub marked_gaps: u32,
    /// Messages more than 20 ms behind their run's pace.
    pub late_frames: u32,
    /// Median lateness.
    pub lateness_p50: Duration,
    /// 99th percentile of lateness.
    pub lateness_p99: Duration,
    /// Agent audio that arrived.
    pub received: Duration,
    /// Agent audio that was played; the rest was cleared, or is queued.
    pub heard: Duration,
    /// The most audio that ever waited.
    pub greatest_lead: Duration,
    /// How often the switch sent `clear`.
    pub clears: u32,
}

/// What the ticks of the run so far have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    /// No speech.
    None,
    /// The last tick had agent audio.
    Speaking,
    /// The queue is empty since so many ticks.
    Dry { frames: u32, marked: bool },
}

#[derive(Debug)]
pub(super) struct Playback {
    start: Option<Instant>,
    /// Ticks so far.
    ticks: u32,
    queue: VecDeque<i16>,
    /// Samples accepted, taken by a tick, and played to their end. `clear` moves the latter two.
    accepted: u64,
    taken: u64,
    played: u64,
    /// Marks with the position they wait for.
    marks: VecDeque<(u64, String)>,
    /// Position of the last mark set.
    last_mark: Option<u64>,
    due: Vec<String>,
    frames: Vec<HeardFrame>,
    run: Run,
    pace: Pace,
    counted: PlaybackStatistics,
    heard_samples: u64,
}

impl Default for Playback {
    fn default() -> Self {
        Self {
            start: None,
            ticks: 0,
            queue: VecDeque::new(),
            accepted: 0,
            taken: 0,
            played: 0,
            marks: VecDeque::new(),
            last_mark: None,
            due: Vec::new(),
            frames: Vec::new(),
            run: Run::None,
            pace: Pace::default(),
            counted: PlaybackStatistics::default(),
            heard_samples: 0,
        }
    }
}

impl Playback {
    pub(super) fn start(&mut self, now: Instant) {
        self.start = Some(now);
    }

    /// Plays what is due and stops the clock.
    pub(super) fn stop(&mut self, now: Instant) {
        self.tick_until(now);
        self.pace.end_run();
        self.start = None;
    }

    pub(super) fn next_frame(&self) -> Option<Instant> {
        Some(self.start? + FRAME * self.ticks)
    }

    /// Plays up to `now` and hands out the marks that fell due.
    pub(super) fn advance(&mut self, now: Instant) -> Vec<String> {
        self.tick_until(now);
        std::mem::take(&mut self.due)
    }

    pub(super) fn take_frames(&mut self, now: Instant) -> Vec<HeardFrame> {
        self.tick_until(now);
        std::mem::take(&mut self.frames)
    }

    /// Audio that waits.
    pub(super) fn waiting(&self) -> Duration {
        length(self.queue.len() as u64)
    }

    /// Queues audio; the clock must have been brought to `now` before.
    pub(super) fn queue(&mut self, now: Instant, audio: &[i16]) {
        self.pace.arrived(now, audio.len() as u64);
        self.accepted += audio.len() as u64;
        self.queue.extend(audio);
        self.counted.greatest_lead = self.counted.greatest_lead.max(self.waiting());
    }

    /// Sets a mark; returns it if there is nothing to wait for.
    pub(super) fn mark(&mut self, name: String) -> Option<String> {
        self.last_mark = Some(self.accepted);
        if let Run::Dry { marked, .. } = &mut self.run
            && self.queue.is_empty()
        {
            *marked = true;
        }
        if self.played == self.accepted {
            return Some(name);
        }
        self.marks.push_back((self.accepted, name));
        None
    }

    /// Drops the queue; returns all outstanding marks.
    pub(super) fn clear(&mut self) -> Vec<String> {
        self.queue.clear();
        (self.taken, self.played) = (self.accepted, self.accepted);
        self.run = Run::None;
        self.pace.end_run();
        self.counted.clears += 1;
        self.marks.drain(..).map(|(_, name)| name).collect()
    }

    pub(super) fn statistics(&self) -> PlaybackStatistics {
        let mut lateness = self.pace.all();
        lateness.sort_unstable();
        let percentile = |share: f64| {
            let index = (lateness.len() as f64 * share).ceil() as usize;
            lateness.get(index.saturating_sub(1)).copied().unwrap_or_default()
        };
        PlaybackStatistics {
            late_frames: lateness.iter().filter(|&&late| late > FRAME).count() as u32,
            lateness_p50: percentile(0.5),
            lateness_p99: percentile(0.99),
            received: length(self.accepted),
            heard: length(self.heard_samples),
            ..self.counted
        }
    }

    fn tick_until(&mut self, now: Instant) {
        while self.next_frame().is_some_and(|next| next <= now) {
            self.tick();
        }
    }

    fn tick(&mut self) {
        // the frame before is over now
        self.played = self.taken;
        while self.marks.front().is_some_and(|(position, _)| *position <= self.played) {
            self.due.extend(self.marks.pop_front().map(|(_, name)| name));
        }

        let agent_samples = self.queue.len().min(FRAME_SAMPLES);
        let mut samples = [0; FRAME_SAMPLES];
        for (sample, queued) in samples.iter_mut().zip(self.queue.drain(..agent_samples)) {
            *sample = queued;
        }
        self.taken += agent_samples as u64;
        self.heard_samples += agent_samples as u64;
        self.frames.push(HeardFrame { at: FRAME * self.ticks, samples, agent_samples });
        self.ticks += 1;
        self.follow_run(agent_samples);
    }

    fn follow_run(&mut self, agent_samples: usize) {
        self.run = match (self.run, agent_samples) {
            (Run::None, 0) => Run::None,
            (Run::Speaking, 0) => Run::Dry { frames: 1, marked: self.last_mark == Some(self.taken) },
            (Run::Dry { frames, .. }, 0) if frames + 1 >= RUN_GAP_FRAMES => {
                self.pace.end_run();
                Run::None
            }
            (Run::Dry { frames, marked }, 0) => Run::Dry { frames: frames + 1, marked },
            (Run::None | Run::Speaking, _) => Run::Speaking,
            (Run::Dry { marked, .. }, _) => {
                match marked {
                    true => self.counted.marked_gaps += 1,
                    false => self.counted.underruns += 1,
                }
                Run::Speaking
            }
        };
    }
}

/// Arrival times of one run against real time, and the lateness found in the runs before.
#[derive(Debug, Default)]
struct Pace {
    /// First arrival of the run, and the audio that came since.
    run: Option<(Instant, u64)>,
    /// Arrival less media time for each message of the run, in µs.
    deviations: Vec<i64>,
    lateness: Vec<Duration>,
}

impl Pace {
    fn arrived(&mut self, now: Instant, samples: u64) {
        let (first, before) = self.run.get_or_insert((now, 0));
        let arrival = now.saturating_duration_since(*first).as_micros() as i64;
        self.deviations.push(arrival - length(*before).as_micros() as i64);
        *before += samples;
    }

    fn end_run(&mut self) {
        let ended = self.of_run();
        self.lateness.extend(ended);
        self.deviations.clear();
        self.run = None;
    }

    /// Lateness of the run's messages from where its lead was built up.
    fn of_run(&self) -> Vec<Duration> {
        let Some(&ahead) = self.deviations.iter().min() else { return Vec::new() };
        let close = ahead + FRAME.as_micros() as i64 / 2;
        let led = self.deviations.iter().position(|&deviation| deviation <= close).unwrap_or(0);
        self.deviations[led..].iter().map(|deviation| Duration::from_micros((deviation - ahead) as u64)).collect()
    }

    fn all(&self) -> Vec<Duration> {
        self.lateness.iter().copied().chain(self.of_run()).collect()
    }
}

/// Playing time of so many samples.
fn length(samples: u64) -> Duration {
    SampleRate::HZ_8000.duration_of(samples)
}
