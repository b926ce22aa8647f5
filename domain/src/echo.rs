//! How loud the caller's line is, against what we play: what tells our own echo from a caller by energy alone.
//!
//! ```text
//! we play      ▂▆█▆▂▁▃▇▆▂               by when it is heard
//! comes in         ▁▂▃▂▁▁▁▃▂▁           the same, later and weaker: line, carrier, the telephone's loudspeaker and microphone
//! can be echo  ▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃          the loudest that we played within the longest way back, less the loss on it
//! ```
//!
//! The loss is learnt while we play, a tenth of a second at a time: the least but for one in twenty that the line was ever under our voice while
//! the detector heard nobody (so it counts the room in), or what was left of our voice when the recogniser found our own words in it, which
//! proves an echo. How loud the caller is, while we are silent, is learnt beside it. Nobody's loss is less than 12 dB: a
//! caller must not become an echo by speaking as loudly as we do.
//!
//! Place: the watch is kept by [`crate::playout::Playout`], which knows when what is heard. The incoming pump measures what comes by a [`Meter`] of its
//! own, tells the watch where that has something to tell (five times less often than frames come: the playout is shared with the outgoing
//! pump), and takes a [`Loudness`] along with the detector's events; [`crate::barge_in`] weighs it. Not here: taking the echo out of the sound.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tandem_codecs::Level;
use tandem_codecs::level::SILENCE_DBFS;

/// From our sending to the coming in of the echo, at the longest: both ways of a far line, what a carrier holds back, a slow telephone.
pub const LONGEST_WAY: Duration = Duration::from_millis(1_000);
/// What we play below this is a pause.
const PLAYS_DBFS: f32 = -45.0;
/// Frames (20 ms) whose loudness is judged as one.
const BLOCK: u32 = 5;
/// Blocks that are "now": shorter pauses are between words.
const NOW: usize = 6;
/// Blocks without a caller that have to be known before a loss is: a second.
const LEAST_BLOCKS: u32 = 10;
/// One block in so many may be nearer to our voice than the loss says: a door, a caller's first consonant.
const OUTLIERS: u32 = 20;
/// In dB. A loudspeaker telephone has 15 to 25, a handset 40 and more.
const LEAST_LOSS: f32 = 12.0;
/// Losses that are told apart, a decibel each.
const LOSSES: usize = 80;
/// So much of the caller's loudness is forgotten in a tenth of a second of their speech, in dB: one loud word is not all of them.
const FORGOTTEN: f32 = 0.1;
/// Magnitude of full scale in 16-bit steps.
const FULL_SCALE: f64 = 32_768.0;
/// Counts are halved beyond this: a line may change in the middle of a call.
const MOST_BLOCKS: u32 = 1_200;

/// How loud a stretch of speech is that the detector hears while we play, in dBFS.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Loudness {
    /// The loudest tenth of a second of it so far.
    pub loudest: f32,
    /// The loudest of its last 600 ms.
    pub now: f32,
    /// The loudest that we played while it may have come back.
    pub played: f32,
    /// What can be echo of that, or the room: as loud as the line ever was under our voice. `None` until that is known.
    pub line: Option<f32>,
    /// The recogniser has found our own words in what came back on this line at such a level.
    pub proven: bool,
    /// How loud the caller is on this line while we are silent, where they have spoken.
    pub caller: Option<f32>,
}

/// Above what can be echo by less than this, in dB, it may be echo all the same.
const DOUBTFUL: f32 = 6.0;
/// Above it by more, it is somebody else.
const CLEAR: f32 = 10.0;
/// A voice that is under its own loudest by more than this, for 600 ms, has stopped: what goes on is the room.
const FADED: f32 = 10.0;

impl Loudness {
    /// Not louder than our own voice is known to come back on this line.
    pub fn is_echo(&self) -> bool {
        self.proven && self.line.is_some_and(|line| self.loudest < line + DOUBTFUL) && !self.is_as_loud_as_the_caller()
    }

    /// As far under our voice as an echo is, and under the caller's.
    pub fn may_be_echo(&self) -> bool {
        self.loudest <= self.played - LEAST_LOSS && !self.is_as_loud_as_the_caller()
    }

    /// A caller on a faint line is heard too.
    fn is_as_loud_as_the_caller(&self) -> bool {
        self.caller.is_some_and(|caller| self.loudest > caller - DOUBTFUL)
    }

    /// Louder than anything that our voice can have made of this line, and near to our voice itself.
    pub fn is_callers(&self) -> bool {
        self.line.is_some_and(|line| self.loudest >= line + CLEAR) && self.loudest > self.played - LEAST_LOSS
    }

    /// Whoever spoke has stopped, though the detector still hears speech.
    pub fn has_faded(&self) -> bool {
        self.now < self.loudest - FADED
    }
}

/// A stretch of speech.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    loudest: f32,
    played: f32,
    /// How far it came up to our voice, in dB under it.
    nearest: f32,
}

/// The tenth of a second under way.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    /// Sum of the frames' mean powers, 1 for full scale.
    power: f64,
    frames: u32,
    /// One of them was in a stretch of speech.
    spoken: bool,
}

/// Measures the caller's line, a tenth of a second at a time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meter {
    block: Block,
    speaking: bool,
}

/// What an [`EchoWatch`] has to know of the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// A stretch of speech began with the last frame.
    begins: bool,
    /// Loudness of a whole tenth of a second in dBFS, and whether there was speech in it.
    block: Option<(f32, bool)>,
}

impl Meter {
    /// A frame of 20 ms came in; the detector is, or is not, in a stretch of speech. `None` where the watch need not be told.
    pub fn came(&mut self, frame: &[i16], speaking: bool) -> Option<Measured> {
        let begins = speaking && !self.speaking;
        self.speaking = speaking;
        let squares: u64 = frame.iter().map(|&sample| u64::from(i32::from(sample).pow(2).unsigned_abs())).sum();
        self.block.power += squares as f64 / (frame.len().max(1) as f64 * FULL_SCALE * FULL_SCALE);
        self.block.frames += 1;
        self.block.spoken |= speaking;
        let block = (self.block.frames == BLOCK).then(|| {
            let Block { power, spoken, .. } = std::mem::take(&mut self.block);
            let level = 10.0 * (power / f64::from(BLOCK)).log10() as f32;
            (level.max(SILENCE_DBFS), spoken)
        });
        (begins || block.is_some()).then_some(Measured { begins, block })
    }
}

/// The ear of one call for its own echo.
#[derive(Debug, Clone)]
pub struct EchoWatch {
    /// What we played, and until when its echo may come: each louder than all behind it.
    played: VecDeque<(Instant, f32)>,
    /// The last blocks, in dBFS.
    blocks: VecDeque<f32>,
    /// The loss of the last block without speech: it may prove to be the beginning of speech.
    fresh: Option<f32>,
    /// Blocks without speech, by their loss in dB.
    losses: [u32; LOSSES],
    learnt: u32,
    /// The loss of what the recogniser found our words in.
    proven: Option<f32>,
    stretch: Option<Stretch>,
    /// The caller's loudest while we were silent, forgotten slowly.
    caller: Option<f32>,
}

impl Default for EchoWatch {
    fn default() -> Self {
        Self {
            played: VecDeque::new(),
            blocks: VecDeque::new(),
            fresh: None,
            losses: [0; LOSSES],
            learnt: 0,
            proven: None,
            stretch: None,
            caller: None,
        }
    }
}

impl EchoWatch {
    /// These samples of ours, of any length up to a carrier's chunk, are heard from `at` on.
    pub fn played(&mut self, at: Instant, length: Duration, samples: &[i16]) {
        let level = Level::of(samples).rms_dbfs;
        while self.played.back().is_some_and(|(_, quieter)| *quieter <= level) {
            self.played.pop_back();
        }
        self.played.push_back((at + length + LONGEST_WAY, level));
    }

    /// This is what came in up to `now`. `true` if the loudness may have changed with it.
    pub fn came(&mut self, now: Instant, measured: Measured) -> bool {
        if measured.begins {
            (self.stretch, self.fresh) = (None, None);
        }
        if let Some((level, spoken)) = measured.block {
            self.judged(now, level, spoken);
        }
        measured.block.is_some()
    }

    fn judged(&mut self, now: Instant, level: f32, spoken: bool) {
        self.blocks.truncate(NOW - 1);
        self.blocks.push_front(level);
        let Some(played) = self.playing(now) else {
            self.fresh = None;
            match &mut self.stretch {
                Some(stretch) if spoken => stretch.loudest = stretch.loudest.max(level),
                None if spoken => self.caller = Some(self.caller.map_or(level, |known| level.max(known - FORGOTTEN))),
                _ => {}
            }
            return;
        };
        let loss = played - level;
        if spoken {
            let stretch = self.stretch.get_or_insert(Stretch { loudest: SILENCE_DBFS, played, nearest: loss });
            stretch.loudest = stretch.loudest.max(level);
            stretch.played = stretch.played.max(played);
            stretch.nearest = stretch.nearest.min(loss);
        } else if let Some(before) = self.fresh.replace(loss) {
            self.learn(before);
        }
    }

    fn learn(&mut self, loss: f32) {
        self.losses[(loss.max(0.0) as usize).min(LOSSES - 1)] += 1;
        self.learnt += 1;
        if self.learnt > MOST_BLOCKS {
            self.losses.iter_mut().for_each(|count| *count /= 2);
            self.learnt = self.losses.iter().sum();
        }
    }

    /// The loudest of ours that can come back now; `None` if we are silent.
    fn playing(&mut self, now: Instant) -> Option<f32> {
        while self.played.front().is_some_and(|(until, _)| *until < now) {
            self.played.pop_front();
        }
        self.played.front().map(|(_, level)| *level).filter(|level| *level >= PLAYS_DBFS)
    }

    /// How far under our voice the line stays, in dB.
    fn loss(&self) -> Option<f32> {
        let mut outliers = self.learnt / OUTLIERS;
        let nearest = self.losses.iter().position(|count| {
            let found = *count > outliers;
            outliers = outliers.saturating_sub(*count);
            found
        });
        let learnt = nearest.filter(|_| self.learnt >= LEAST_BLOCKS).map(|loss| loss as f32);
        let loss = [learnt, self.proven].into_iter().flatten().reduce(f32::min);
        loss.filter(|loss| *loss >= LEAST_LOSS)
    }

    /// The stretch of speech under way, or the last one, if we play.
    pub fn loudness(&self) -> Option<Loudness> {
        #[cfg(feature = "sabotage")]
        if crate::sabotage::is_off(crate::sabotage::Mechanism::Energy) {
            return None;
        }
        let stretch = self.stretch?;
        let now = self.blocks.iter().copied().fold(SILENCE_DBFS, f32::max);
        let line = self.loss().map(|loss| stretch.played - loss);
        let (Stretch { loudest, played, .. }, proven) = (stretch, self.proven.is_some());
        Some(Loudness { loudest, now, played, line, proven, caller: self.caller })
    }

    /// The recogniser has found our own words in the last stretch, and nothing else. The last such stretch holds: a line may change.
    pub fn was_echo(&mut self) {
        if let Some(stretch) = self.stretch.filter(|stretch| stretch.nearest >= LEAST_LOSS) {
            self.proven = Some(stretch.nearest);
        }
    }
}
