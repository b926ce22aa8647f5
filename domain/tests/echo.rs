//! How loud the caller's line is against what we play, on made-up sound: our own voice from a loudspeaker, a room, a caller.

use std::time::{Duration, Instant};

use tandem_codecs::noise::Noise;
use tandem_domain::echo::{EchoWatch, Loudness, Meter};

/// Our voice, and a caller's.
const OURS: f32 = -18.0;
const CALLERS: f32 = -22.0;
const FRAME: Duration = Duration::from_millis(20);

/// A call under way: each frame we play at one level, and another one comes in.
struct Line {
    now: Instant,
    meter: Meter,
    watch: EchoWatch,
    frames: u64,
}

impl Line {
    #[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
    fn new() -> Self {
        Self { now: Instant::now(), meter: Meter::default(), watch: EchoWatch::default(), frames: 0 }
    }

    fn frame(&mut self, dbfs: f32) -> Vec<i16> {
        self.frames += 1;
        Noise::new(self.frames, dbfs).take(160).collect()
    }

    /// So long we play at this level (or nothing), and the line brings in that, which the detector takes for speech or not.
    fn pass(&mut self, length: Duration, plays: Option<f32>, comes: f32, speech: bool) -> &mut Self {
        for _ in 0..length.as_millis() / FRAME.as_millis() {
            if let Some(plays) = plays {
                let frame = self.frame(plays);
                self.watch.played(self.now, FRAME, &frame);
            }
            self.now += FRAME;
            let frame = self.frame(comes);
            if let Some(measured) = self.meter.came(&frame, speech) {
                self.watch.came(self.now, measured);
            }
        }
        self
    }

    /// We have played for three seconds into a room that answers so.
    fn known(room: f32) -> Self {
        let mut line = Self::new();
        line.pass(ms(3_000), Some(OURS), room, false);
        line
    }

    fn loudness(&self) -> Loudness {
        self.watch.loudness().expect("somebody speaks while we play")
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn a_caller_is_louder_than_our_voice_makes_the_line() {
    let mut line = Line::known(-60.0);
    line.pass(ms(400), Some(OURS), CALLERS, true);
    let loudness = line.loudness();
    assert!((loudness.loudest - CALLERS).abs() < 2.0 && (loudness.played - OURS).abs() < 2.0, "{loudness:?}");
    assert!(loudness.line.is_some_and(|line| (line + 60.0).abs() < 4.0), "{loudness:?}");
    assert!(loudness.is_callers() && !loudness.is_echo() && !loudness.has_faded(), "{loudness:?}");
}

#[test]
fn until_we_have_played_for_a_while_nothing_is_known_of_the_line() {
    let mut line = Line::new();
    assert_eq!(line.watch.loudness(), None);
    line.pass(ms(400), Some(OURS), -60.0, false).pass(ms(400), Some(OURS), CALLERS, true);
    assert_eq!(line.loudness().line, None);
    assert!(!line.loudness().is_callers() && !line.loudness().is_echo());
    let mut silent = Line::new();
    silent.pass(ms(3_000), None, -60.0, false).pass(ms(400), None, CALLERS, true);
    assert_eq!(silent.watch.loudness(), None, "who does not play has no echo");
}

#[test]
fn an_echo_is_known_once_the_recogniser_has_found_our_words_in_it() {
    let mut line = Line::known(-60.0);
    line.pass(ms(600), Some(OURS), -38.0, true);
    assert!(!line.loudness().is_echo() && !line.loudness().is_callers(), "neither is sure: {:?}", line.loudness());
    line.watch.was_echo();
    line.pass(ms(500), Some(OURS), -60.0, false).pass(ms(600), Some(OURS), -37.0, true);
    assert!(line.loudness().is_echo(), "{:?}", line.loudness());
    line.pass(ms(200), Some(OURS), CALLERS, true);
    assert!(line.loudness().is_callers() && !line.loudness().is_echo(), "a caller in the middle of it");
}

#[test]
fn what_was_as_loud_as_we_are_was_no_echo_whatever_the_words_were() {
    let mut line = Line::known(-60.0);
    line.pass(ms(600), Some(OURS), CALLERS, true);
    line.watch.was_echo();
    line.pass(ms(500), Some(OURS), -60.0, false).pass(ms(600), Some(OURS), CALLERS, true);
    assert!(!line.loudness().proven && !line.loudness().is_echo(), "or nobody could ever interrupt again");
}

#[test]
fn a_room_that_is_nearly_as_loud_as_we_are_tells_nothing() {
    let mut line = Line::known(-26.0);
    line.pass(ms(400), Some(OURS), CALLERS, true);
    assert_eq!(line.loudness().line, None);
}

#[test]
fn an_echo_may_be_late_and_a_voice_that_has_stopped_is_told_from_the_room_behind_it() {
    let mut line = Line::known(-60.0);
    line.pass(ms(400), Some(OURS), CALLERS, true);
    line.pass(ms(500), None, -40.0, true);
    assert!((line.loudness().played - OURS).abs() < 2.0, "half a second ago");
    assert!(!line.loudness().has_faded(), "a pause between words");
    line.pass(ms(300), None, -40.0, true);
    assert!(line.loudness().has_faded());
    line.pass(ms(200), None, CALLERS, true);
    assert!(!line.loudness().has_faded(), "and on it goes");
}

#[test]
fn a_faint_caller_is_no_echo() {
    let mut line = Line::known(-60.0);
    line.pass(ms(1_500), None, -60.0, false).pass(ms(1_000), None, -36.0, true).pass(ms(500), None, -60.0, false);
    line.pass(ms(500), Some(OURS), -60.0, false).pass(ms(600), Some(OURS), -48.0, true);
    assert!(line.loudness().may_be_echo(), "12 dB under the caller: {:?}", line.loudness());
    line.watch.was_echo();
    line.pass(ms(500), Some(OURS), -60.0, false).pass(ms(600), Some(OURS), -48.0, true);
    assert!(line.loudness().is_echo(), "{:?}", line.loudness());
    line.pass(ms(500), Some(OURS), -60.0, false).pass(ms(600), Some(OURS), -37.0, true);
    assert!(!line.loudness().may_be_echo() && !line.loudness().is_echo(), "{:?}", line.loudness());
}

#[test]
fn the_watch_is_told_of_each_tenth_of_a_second_and_of_where_speech_begins() {
    let (mut meter, frame) = (Meter::default(), [1_000; 160]);
    let told: Vec<usize> = (0..20).filter(|n| meter.came(&frame, (7..15).contains(n)).is_some()).collect();
    assert_eq!(told, [4, 7, 9, 14, 19], "every fifth frame, and the eighth");
}
