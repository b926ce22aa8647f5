//! What a caller hears: the carrier's queue, 20 ms by 20 ms, by loudness alone.
//!
//! The rules of `tandem_peers`' playback, for less: a *run* is agent audio until the queue stood empty for 200 ms or was cleared; a gap inside
//! it is an *underrun*, and right behind a mark a *marked gap*, for the switch may have said so that it had no more for now. How late messages
//! come by their run's own pace: [`pace`](super::pace).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::FRAME_SAMPLES;
use super::pace::{Judged, Pace};

/// Empty ticks that end a run.
const RUN_GAP_TICKS: u32 = 10;
/// Mu-law magnitudes from here on are sound: 200 of 32,768, over the steps of the law near zero.
const AUDIBLE: u16 = 200;
/// The same where something lies under the voice: places at their usual volume reach a third of it, vowels five times as much.
const AUDIBLE_OVER_A_BED: u16 = 1_500;
/// Share of a chunk's samples that have to be sound for the chunk to be: a click is none.
const LEAST_SOUND: usize = 8;

/// One arrival.
#[derive(Debug)]
struct Chunk {
    /// Samples not yet heard, of so many.
    left: usize,
    length: usize,
    /// First and last sound, from the chunk's beginning.
    sound: Option<(usize, usize)>,
}

/// 20 ms of what the caller hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Heard {
    /// First and last agent sound in it, from its beginning.
    pub(super) sound: Option<(Duration, Duration)>,
}

/// What is to be counted of a playback since it was asked last.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Ticks with agent audio.
    pub(super) spoken: u64,
    /// Gaps inside runs, and the empty ticks they took.
    pub(super) underruns: u32,
    pub(super) missing: u64,
    /// Gaps right behind a mark.
    pub(super) marked_gaps: u32,
    /// The pace of the runs that ended.
    pub(super) paces: Vec<Judged>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    None,
    Speaking,
    Dry { ticks: u32, marked: bool },
}

#[derive(Debug)]
pub(super) struct Playback {
    queue: VecDeque<Chunk>,
    /// Samples that arrived, that ticks took, and that were played to their end.
    accepted: u64,
    taken: u64,
    played: u64,
    marks: VecDeque<(u64, String)>,
    last_mark: Option<u64>,
    run: Run,
    pace: Pace,
    audible: u16,
    counts: Counts,
}

impl Default for Playback {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            accepted: 0,
            taken: 0,
            played: 0,
            marks: VecDeque::new(),
            last_mark: None,
            run: Run::None,
            pace: Pace::default(),
            audible: AUDIBLE,
            counts: Counts::default(),
        }
    }
}

impl Playback {
    /// Of an agent whose voice is not all that is heard.
    pub(super) fn over_a_bed() -> Self {
        Self { audible: AUDIBLE_OVER_A_BED, ..Self::default() }
    }

    /// Queues mu-law audio that arrived at `now`.
    pub(super) fn queue(&mut self, now: Instant, ulaw: &[u8]) {
        self.pace.came(now, ulaw.len());
        self.accepted += ulaw.len() as u64;
        if !ulaw.is_empty() {
            self.queue.push_back(Chunk { left: ulaw.len(), length: ulaw.len(), sound: sound(ulaw, self.audible) });
        }
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
        self.end_run();
        self.marks.drain(..).map(|(_, name)| name).collect()
    }

    /// Plays the next 20 ms; the marks that fell due go to `due`.
    pub(super) fn tick(&mut self, due: &mut Vec<String>) -> Heard {
        self.played = self.taken; // the frame before is over now
        while self.marks.front().is_some_and(|(position, _)| *position <= self.played) {
            due.extend(self.marks.pop_front().map(|(_, name)| name));
        }
        let (mut filled, mut heard) = (0, Heard::default());
        while filled < FRAME_SAMPLES
            && let Some(chunk) = self.queue.front_mut()
        {
            let take = chunk.left.min(FRAME_SAMPLES - filled);
            let from = chunk.length - chunk.left;
            if let Some((first, last)) = chunk.sound
                && first < from + take
                && last >= from
            {
                let at = |sample: usize| samples(filled + sample.clamp(from, from + take) - from);
                let began = heard.sound.map_or_else(|| at(first), |(began, _)| began);
                heard.sound = Some((began, at(last + 1)));
            }
            chunk.left -= take;
            filled += take;
            if chunk.left == 0 {
                self.queue.pop_front();
            }
        }
        self.taken += filled as u64;
        self.follow_run(filled);
        heard
    }

    /// Ends the run under way, as the end of the call does, and hands out what was counted.
    pub(super) fn end(&mut self) -> Counts {
        self.end_run();
        self.counts()
    }

    /// What was counted since the last call.
    pub(super) fn counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    fn follow_run(&mut self, filled: usize) {
        self.counts.spoken += u64::from(filled > 0);
        self.run = match (self.run, filled) {
            (Run::None, 0) => Run::None,
            (Run::Speaking, 0) => Run::Dry { ticks: 1, marked: self.last_mark == Some(self.taken) },
            (Run::Dry { ticks, .. }, 0) if ticks + 1 >= RUN_GAP_TICKS => {
                self.end_run();
                Run::None
            }
            (Run::Dry { ticks, marked }, 0) => Run::Dry { ticks: ticks + 1, marked },
            (Run::Dry { marked: true, .. }, _) => {
                self.counts.marked_gaps += 1;
                Run::Speaking
            }
            (Run::Dry { ticks, marked: false }, _) => {
                self.counts.underruns += 1;
                self.counts.missing += u64::from(ticks);
                Run::Speaking
            }
            (Run::None | Run::Speaking, _) => Run::Speaking,
        };
    }

    fn end_run(&mut self) {
        self.run = Run::None;
        self.counts.paces.extend(self.pace.end());
    }
}

/// First and last sound of mu-law audio, of magnitude `least` and more.
fn sound(ulaw: &[u8], least: u16) -> Option<(usize, usize)> {
    let audible = |code: &u8| MAGNITUDE[usize::from(*code)] >= least;
    let first = ulaw.iter().position(audible)?;
    let last = ulaw.iter().rposition(audible)?;
    let loud = ulaw[first..=last].iter().filter(|code| audible(code)).count();
    (loud >= LEAST_SOUND).then_some((first, last))
}

/// How loud each code of mu-law is (ITU-T G.711 table 2a): bits 4 to 6, inverted, are the segment, the low four the step in it.
const MAGNITUDE: [u16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        let plain = !(code as u8);
        let (segment, step) = ((plain >> 4) & 0x7, (plain & 0xf) as u16);
        table[code] = (((step << 3) + 0x84) << segment) - 0x84;
        code += 1;
    }
    table
};

fn samples(count: usize) -> Duration {
    Duration::from_micros(count as u64 * 125)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOUD: [u8; FRAME_SAMPLES] = [0x10; FRAME_SAMPLES];

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn ticks(playback: &mut Playback, count: u32) -> (Vec<Heard>, Vec<String>) {
        let mut marks = Vec::new();
        let heard = (0..count).map(|_| playback.tick(&mut marks)).collect();
        (heard, marks)
    }

    #[test]
    fn magnitudes_are_those_of_the_law() {
        let mut linear = Vec::new();
        tandem_codecs::g711::decode_ulaw(&(0..=255).collect::<Vec<u8>>(), &mut linear);
        let expected: Vec<u16> = linear.iter().map(|sample| sample.unsigned_abs()).collect();
        assert_eq!(MAGNITUDE.to_vec(), expected);
    }

    #[test]
    fn sound_is_found_to_the_sample_and_silence_is_none() {
        let (mut playback, now) = (Playback::default(), super::super::now());
        let mut chunk = [0xff; FRAME_SAMPLES];
        chunk[40..120].fill(0x10);
        playback.queue(now, &chunk);
        playback.queue(now, &[0xff; FRAME_SAMPLES]);
        let (heard, _) = ticks(&mut playback, 3);
        assert_eq!(heard[0].sound, Some((ms(5), ms(15))));
        assert_eq!((heard[1].sound, heard[2].sound), (None, None));
        assert_eq!(playback.end().spoken, 2);
    }

    #[test]
    fn a_chunk_of_another_length_is_heard_over_several_ticks() {
        let (mut playback, now) = (Playback::default(), super::super::now());
        playback.queue(now, &[0x10; 240]);
        let (heard, _) = ticks(&mut playback, 3);
        assert_eq!(heard[0].sound, Some((ms(0), ms(20))));
        assert_eq!(heard[1].sound, Some((ms(0), ms(10))));
        assert_eq!(heard[2].sound, None);
    }

    #[test]
    fn a_gap_is_an_underrun_and_behind_a_mark_a_marked_gap() {
        let (mut playback, now) = (Playback::default(), super::super::now());
        playback.queue(now, &LOUD);
        ticks(&mut playback, 3);
        playback.queue(now, &LOUD);
        assert_eq!(playback.mark("a".to_owned()), None);
        let (_, marks) = ticks(&mut playback, 3);
        assert_eq!(marks, ["a"]);
        playback.queue(now, &LOUD);
        ticks(&mut playback, 30);
        playback.queue(now, &LOUD); // a new run
        ticks(&mut playback, 1);
        let counts = playback.end();
        assert_eq!((counts.underruns, counts.missing, counts.marked_gaps, counts.spoken), (1, 2, 1, 4));
    }

    #[test]
    fn a_clear_returns_the_marks_and_ends_the_run() {
        let (mut playback, now) = (Playback::default(), super::super::now());
        playback.queue(now, &LOUD);
        assert_eq!(playback.mark("a".to_owned()), None);
        assert_eq!(playback.clear(), ["a"]);
        assert_eq!(playback.mark("b".to_owned()), Some("b".to_owned()));
        assert_eq!(ticks(&mut playback, 2).0, [Heard::default(); 2]);
        assert_eq!(playback.end().underruns, 0);
    }

    #[test]
    fn what_lies_under_a_voice_is_not_heard_as_one() {
        let quiet: Vec<u8> = {
            let mut ulaw = Vec::new();
            tandem_codecs::g711::encode_ulaw(&[700; FRAME_SAMPLES], &mut ulaw);
            ulaw
        };
        let now = super::super::now();
        for (mut playback, heard) in [(Playback::default(), true), (Playback::over_a_bed(), false)] {
            playback.queue(now, &quiet);
            assert_eq!(playback.tick(&mut Vec::new()).sound.is_some(), heard);
            playback.queue(now, &LOUD);
            assert!(playback.tick(&mut Vec::new()).sound.is_some(), "a voice is heard over it");
        }
    }

    #[test]
    fn a_run_that_ends_tells_its_pace() {
        let (mut playback, now) = (Playback::default(), super::super::now());
        // three at once, then one each 20 ms, the fifth 6 ms late
        for at in [0, 0, 0, 20, 46, 60] {
            playback.queue(now + ms(at), &LOUD);
        }
        assert_eq!(playback.end().paces[0].late, [ms(0), ms(0), ms(6), ms(0)]);
    }
}
