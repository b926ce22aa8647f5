//! From judgements of frames to stretches of speech, by hysteresis.
//!
//! One frame is not speech (a click, a chair) and one gap is not silence (the closure of a "p" takes
//! 100 ms). So speech starts when enough of a short window was judged speech, and ends when nothing
//! was for a while. All positions are on the sample clock of the caller's stream at 8 kHz; a jump in
//! it, as after lost packets, counts as the silence it was.

use std::collections::VecDeque;
use std::time::Duration;

use super::{FRAME_RATE, FRAME_SAMPLES};

const FRAME: u64 = FRAME_SAMPLES as u64;

/// Settings of the [`SpeechGate`]. Durations are rounded up to whole frames of 20 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpeechGateConfig {
    /// Speech needed to start. Default 60 ms: longer than a click, shorter than "no".
    pub start_speech: Duration,
    /// The window it must be found in; never taken shorter than `start_speech`. Default 100 ms.
    pub start_window: Duration,
    /// Time without speech that ends it. Default 200 ms: longer than the silence inside a word.
    pub hangover: Duration,
}

impl Default for SpeechGateConfig {
    fn default() -> Self {
        Self {
            start_speech: Duration::from_millis(60),
            start_window: Duration::from_millis(100),
            hangover: Duration::from_millis(200),
        }
    }
}

/// The borders of a stretch of speech, as positions on the sample clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VadEvent {
    /// Somebody speaks.
    SpeechStarted {
        /// First sample of the first frame of speech, which lies before the frame just judged.
        at_sample: u64,
    },
    /// Nobody speaks any more.
    SpeechEnded {
        /// The sample after the last frame of speech, a hangover before the frame just judged.
        at_sample: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Silent,
    Speaking { since: u64, last_end: u64 },
}

/// Turns one judgement a frame into [`VadEvent`]s, which alternate and begin with a start.
#[derive(Clone, Debug)]
pub struct SpeechGate {
    start_frames: usize,
    window_samples: u64,
    hangover_samples: u64,
    state: State,
    /// First samples of the frames of speech within the window; only while silent.
    recent: VecDeque<u64>,
}

impl SpeechGate {
    /// A gate that waits for speech.
    pub fn new(config: SpeechGateConfig) -> Self {
        let frames = |d: Duration| FRAME_RATE.samples_in(d).div_ceil(FRAME_SAMPLES).max(1);
        let start_frames = frames(config.start_speech);
        Self {
            start_frames,
            window_samples: frames(config.start_window).max(start_frames) as u64 * FRAME,
            hangover_samples: frames(config.hangover) as u64 * FRAME,
            state: State::Silent,
            recent: VecDeque::with_capacity(start_frames),
        }
    }

    /// Takes the detector's judgement of the 20 ms frame whose first sample is `frame_start`.
    ///
    /// Frames come in order; `frame_start` never falls.
    pub fn push(&mut self, speech: bool, frame_start: u64) -> Option<VadEvent> {
        let frame_end = frame_start.saturating_add(FRAME);
        match (self.state, speech) {
            (State::Silent, false) => None,
            (State::Silent, true) => self.maybe_start(frame_start, frame_end),
            (State::Speaking { since, last_end }, speech) => {
                // Before this frame is looked at: the clock may have jumped over the whole hangover.
                let gap_end = if speech { frame_start } else { frame_end };
                if gap_end.saturating_sub(last_end) >= self.hangover_samples {
                    self.state = State::Silent;
                    if speech {
                        // One event a call: the start this may belong to is told with a later frame.
                        self.recent.push_back(frame_start);
                    }
                    return Some(VadEvent::SpeechEnded { at_sample: last_end });
                }
                if speech {
                    self.state = State::Speaking { since, last_end: frame_end };
                }
                None
            }
        }
    }

    fn maybe_start(&mut self, frame_start: u64, frame_end: u64) -> Option<VadEvent> {
        let window_start = frame_end.saturating_sub(self.window_samples);
        self.recent.push_back(frame_start);
        while self.recent.front().is_some_and(|&start| start < window_start) {
            self.recent.pop_front();
        }
        if self.recent.len() < self.start_frames {
            return None;
        }
        let since = self.recent.front().copied().unwrap_or(frame_start);
        self.recent.clear();
        self.state = State::Speaking { since, last_end: frame_end };
        Some(VadEvent::SpeechStarted { at_sample: since })
    }

    /// Ends the stream: speech that was going on is over. The gate then waits for speech again.
    pub fn finish(&mut self) -> Option<VadEvent> {
        let state = std::mem::replace(&mut self.state, State::Silent);
        self.recent.clear();
        match state {
            State::Silent => None,
            State::Speaking { last_end, .. } => Some(VadEvent::SpeechEnded { at_sample: last_end }),
        }
    }

    /// Whether a start was told and its end was not.
    pub fn is_speaking(&self) -> bool {
        matches!(self.state, State::Speaking { .. })
    }

    /// Length of the speech going on, in ms: from its first frame to the end of its latest, gaps
    /// within included, silence since not. 0 while nobody speaks.
    ///
    /// What barge-in asks for: with 200 ms required it is reached by the tenth frame of speech.
    pub fn speech_ms(&self) -> u64 {
        match self.state {
            State::Silent => 0,
            State::Speaking { since, last_end } => last_end.saturating_sub(since) * 1_000 / u64::from(FRAME_RATE.hz()),
        }
    }
}

impl Default for SpeechGate {
    fn default() -> Self {
        Self::new(SpeechGateConfig::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use VadEvent::{SpeechEnded, SpeechStarted};
    use proptest::prelude::*;

    /// Judges `frames` ('x' is speech) from `first` on; events with the frame they were told at.
    fn run(gate: &mut SpeechGate, first: u64, frames: &str) -> Vec<(u64, VadEvent)> {
        let judge = |(i, c)| (first + i as u64, c == 'x');
        let mut events = Vec::new();
        for (frame, speech) in frames.chars().enumerate().map(judge) {
            events.extend(gate.push(speech, frame * FRAME).map(|event| (frame, event)));
        }
        events
    }

    const fn started(frame: u64) -> VadEvent {
        SpeechStarted { at_sample: frame * FRAME }
    }

    const fn ended(frame: u64) -> VadEvent {
        SpeechEnded { at_sample: frame * FRAME }
    }

    #[test]
    fn three_frames_start_and_ten_silent_ones_end() {
        let events = run(&mut SpeechGate::default(), 0, "..xxxxx.............");
        assert_eq!(events, [(4, started(2)), (16, ended(7))]);
    }

    #[test]
    fn a_gap_within_the_window_still_starts() {
        assert_eq!(run(&mut SpeechGate::default(), 0, "x.x.x"), [(4, started(0))]);
    }

    #[test]
    fn clicks_never_start() {
        let events = run(&mut SpeechGate::default(), 0, "x....xx....x...x...xx......x");
        assert_eq!(events, []);
    }

    #[test]
    fn a_pause_inside_a_word_does_not_end() {
        let events = run(&mut SpeechGate::default(), 0, "xxx.........x.........x");
        assert_eq!(events, [(2, started(0))]);
    }

    #[test]
    fn speech_length_grows_with_speech_and_not_with_silence() {
        let mut gate = SpeechGate::default();
        run(&mut gate, 0, ".xx");
        assert_eq!((gate.is_speaking(), gate.speech_ms()), (false, 0));
        run(&mut gate, 3, "x");
        assert_eq!((gate.is_speaking(), gate.speech_ms()), (true, 60));
        run(&mut gate, 4, "xxxxxxx");
        assert_eq!(gate.speech_ms(), 200);
        run(&mut gate, 11, ".....");
        assert_eq!(gate.speech_ms(), 200);
        run(&mut gate, 16, ".....");
        assert_eq!((gate.is_speaking(), gate.speech_ms()), (false, 0));
    }

    #[test]
    fn a_jump_of_the_clock_is_silence() {
        let mut gate = SpeechGate::default();
        assert_eq!(run(&mut gate, 0, "xxx"), [(2, started(0))]);
        assert_eq!(run(&mut gate, 100, "xxx"), [(100, ended(3)), (102, started(100))]);
        // Frames from before a jump do not help to start after it.
        let mut gate = SpeechGate::default();
        run(&mut gate, 0, "xx");
        assert_eq!(run(&mut gate, 100, "xx"), []);
    }

    #[test]
    fn the_end_of_the_stream_ends_speech() {
        let mut gate = SpeechGate::default();
        run(&mut gate, 0, "xxxx..");
        assert_eq!(gate.finish(), Some(ended(4)));
        assert_eq!(gate.finish(), None);
    }

    #[test]
    fn settings_that_could_never_start_are_mended() {
        let config = SpeechGateConfig {
            start_speech: Duration::from_millis(100),
            start_window: Duration::ZERO,
            hangover: Duration::ZERO,
        };
        let events = run(&mut SpeechGate::new(config), 0, "xxxxx.");
        assert_eq!(events, [(4, started(0)), (5, ended(5))]);
    }

    proptest! {
        #[test]
        fn events_alternate_and_never_go_back(judgements in proptest::collection::vec(any::<bool>(), 0..300)) {
            let mut gate = SpeechGate::default();
            let (mut speaking, mut last) = (false, 0);
            for (frame, &speech) in judgements.iter().enumerate() {
                let start = frame as u64 * FRAME;
                let at_sample = match gate.push(speech, start) {
                    None => continue,
                    Some(SpeechStarted { at_sample }) => {
                        prop_assert!(!speaking && at_sample < start + FRAME);
                        at_sample
                    }
                    Some(SpeechEnded { at_sample }) => {
                        prop_assert!(speaking && at_sample <= start);
                        at_sample
                    }
                };
                prop_assert!(at_sample >= last);
                (speaking, last) = (!speaking, at_sample);
                prop_assert_eq!(gate.is_speaking(), speaking);
            }
        }
    }
}
