//! What is sent as it sounds, and what it does to the ledger: gaps, edges, the bed, keys; and the clock over an hour. A far end with another: `clocks`.

use tandem_codecs::SampleRate;
use tandem_codecs::click::clicks;
use tandem_codecs::dtmf::{DtmfDetector, DtmfEvent};
use tandem_codecs::mix::Bed;

use super::*;

const RATE: SampleRate = SampleRate::HZ_8000;

/// A voice: 140 Hz and its harmonics, loud, from its first sample to its last.
pub(super) fn voice(samples: usize) -> Vec<i16> {
    let at = |n: usize, hz: f64| (n as f64 * hz * std::f64::consts::TAU / 8_000.0).cos();
    (0..samples).map(|n| (4_000.0 * at(n, 140.0) + 2_000.0 * at(n, 280.0) + 1_000.0 * at(n, 700.0)) as i16).collect()
}

/// The greatest step in [`voice`] itself.
fn own_step() -> u16 {
    greatest_step(&voice(8_000)[..])
}

fn greatest_step(samples: &[i16]) -> u16 {
    samples.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().unwrap_or(0)
}

pub(super) fn bed() -> Bed {
    let round: Vec<i16> =
        (0..8_000).map(|n| ((n as f64 * std::f64::consts::TAU / 125.0).sin() * 600.0) as i16).collect();
    Bed::new(RATE, round.into(), 1.0, 11)
}

/// What the far end plays of a log: audio in its place on the clock, silence where there was none, nothing of what was cleared.
#[derive(Default)]
struct FarEnd {
    /// Heard from the origin on.
    heard: Vec<i16>,
    marks: Vec<(u64, String)>,
    /// Places at which the carrier cut, which nobody can shape.
    cuts: Vec<usize>,
}

impl FarEnd {
    fn play(&mut self, log: &[(u64, PlayoutAction)]) {
        for (at, action) in log {
            let now = *at as usize * 8;
            match action {
                PlayoutAction::Audio { samples, .. } | PlayoutAction::Filling { samples, .. } => {
                    self.heard.resize(self.heard.len().max(now), 0);
                    self.heard.extend(samples);
                }
                PlayoutAction::Clear(_) if now < self.heard.len() => {
                    self.heard.truncate(now);
                    self.cuts.push(now);
                }
                PlayoutAction::Mark(name) => self.marks.push(((self.heard.len() / 8) as u64, name.clone())),
                _ => {}
            }
        }
    }

    /// Clicks by their measure, and steps well beyond the voice's own, other than at the carrier's cuts: there nothing can be shaped.
    fn clicks(&self) -> Vec<usize> {
        let most = own_step() + 2 * NO_STEP;
        let played = [&[0; 200], self.heard.as_slice(), &[0; 200]].concat(); // what begins and ends does so in silence
        let steps = played.windows(2).enumerate().filter(|(_, pair)| pair[0].abs_diff(pair[1]) > most);
        let mut found: Vec<usize> = steps.map(|(n, _)| n + 1 - 200).collect();
        found.extend(clicks(&played, RATE).into_iter().map(|at| at.saturating_sub(200)));
        found.retain(|at| !self.cuts.iter().any(|cut| cut.abs_diff(*at) <= 2));
        found
    }
}

/// Runs a far end that returns marks when it has played what was before them.
fn together(playout: &mut Playout, far: &mut FarEnd, t0: Instant, from: u64, to: u64) -> Vec<(u64, PlayoutAction)> {
    let mut all = Vec::new();
    for t in from..to {
        for (_, name) in far.marks.extract_if(.., |(due, _)| *due <= t) {
            all.extend(playout.mark_returned(t0 + ms(t), &name).map(|action| (t, action)));
        }
        let log = run(playout, t0, t, t + 1);
        far.play(&log);
        all.extend(log);
    }
    all
}

#[test]
fn over_an_hour_the_clock_does_not_drift_and_no_frame_is_written_twice() {
    let (t0, mut playout) = (origin(), playout());
    playout.open(U1);
    let (mut now, mut wobble, mut times) = (t0, 7u64, Vec::new());
    let hour = 3_600 * 50;
    while times.len() < hour {
        while playout.backlog() < ms(1_000) {
            playout.push(U1, 0, playout.queued(U1, 0), &[5; 1_600], &[]);
        }
        let mut out = Vec::new();
        playout.poll(now, &mut out);
        times.extend(out.iter().filter(|action| matches!(action, PlayoutAction::Audio { .. })).map(|_| now - t0));
        // A pump wakes late by up to 7 ms, never early.
        wobble = wobble.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        now = playout.poll_timeout(now).unwrap().max(now) + Duration::from_micros((wobble >> 33) % 7_000);
    }
    assert_eq!(playout.take_underruns(), 0);
    for (n, at) in times.iter().enumerate().skip(4) {
        let due = ms(20 * (n as u64 - 4));
        let late = at.checked_sub(due).unwrap_or_else(|| panic!("chunk {n} before its time"));
        assert!(late <= ms(7), "chunk {n} late by {late:?}");
    }
    assert!(times[4..].windows(2).all(|pair| pair[0] < pair[1]), "one chunk a wake-up");
    assert_eq!(playout.lead(), ms(80), "and 7 ms ask for no more lead");
}

#[test]
fn writes_that_come_late_get_more_lead() {
    let (t0, mut playout) = (origin(), playout());
    playout.open(U1);
    playout.push(U1, 0, 0, &voice(80_000), &[]);
    for t in (0..4_000).step_by(70) {
        playout.poll(t0 + ms(t), &mut Vec::new());
    }
    assert_eq!(playout.lead(), ms(120), "50 ms late: 20 ms more until that is less than half");
    assert_eq!(playout.take_underruns(), 0);
}

#[test]
fn a_gap_in_a_word_is_filled_without_a_click_and_counts_for_no_word() {
    let (t0, mut playout) = (origin(), playout());
    let (mut far, speech) = (FarEnd::default(), voice(4_000));
    playout.open(U1);
    playout.push(U1, 0, 0, &speech[..1_000], &[]);
    together(&mut playout, &mut far, t0, 0, 190);
    assert_eq!(playout.heard(t0 + ms(189)).samples, 1_000, "all that there was, and not what stood in for the rest");
    playout.push(U1, 0, 1_000, &speech[1_000..], &[]);
    playout.complete(U1, 0);
    playout.seal(U1, 1);
    together(&mut playout, &mut far, t0, 190, 240);
    // 125 ms of voice, filled up to the end of the last chunk that was sent before it went on: 200 ms.
    assert_eq!(playout.heard(t0 + ms(210)).samples, 1_000 + 80);
    let log = together(&mut playout, &mut far, t0, 240, 1_000);
    assert!(log.iter().any(|(_, action)| matches!(action, PlayoutAction::Spoken(_, heard) if heard.samples == 4_000)));
    assert_eq!(far.clicks(), Vec::<usize>::new());
    assert!(far.heard[1_000..1_200].iter().any(|sample| sample.unsigned_abs() > 2_000), "the voice carried on");
    assert_eq!(playout.take_underruns(), 1);
}

#[test]
fn a_mark_behind_what_was_filled_in_is_no_later_a_mark() {
    let (t0, mut playout) = (origin(), playout());
    let (mut far, speech) = (FarEnd::default(), voice(8_000));
    playout.open(U1);
    for (n, part) in speech.chunks(1_000).enumerate() {
        playout.push(U1, 0, 1_000 * n as u64, part, &[]);
        together(&mut playout, &mut far, t0, 250 * n as u64, 250 * (n as u64 + 1));
        assert_eq!(playout.heard(t0 + ms(250 * (n as u64 + 1) - 1)).samples, 1_000 * (n as u64 + 1));
    }
    assert_eq!(playout.lead(), ms(80), "a far end that plays in time does not waver");
}

#[test]
fn nothing_that_we_do_makes_a_click() {
    for (with_bed, offset) in (0..40).map(|n| (n % 2 == 0, n * 3)) {
        let (t0, mut playout) = (origin(), playout());
        let mut far = FarEnd::default();
        playout.set_bed(with_bed.then(bed));
        let speech = &voice(60_000)[offset as usize..];
        let mut t = 50;
        together(&mut playout, &mut far, t0, 0, t);
        for utterance in 1..=3 {
            let id = UtteranceId(utterance);
            let mut go = |playout: &mut Playout, far: &mut FarEnd, time: u64| {
                together(playout, far, t0, t, t + time);
                t += time;
                t0 + ms(t)
            };
            // two sentences that meet in full swing, the second with a gap in it; begun, held, gone on with, ducked, and cut
            playout.open(id);
            playout.push(id, 0, 0, &speech[..1_937], &[]);
            playout.complete(id, 0);
            playout.push(id, 1, 0, &speech[500..1_100], &[]);
            go(&mut playout, &mut far, 480 + offset);
            playout.push(id, 1, 600, &speech[1_100..9_000], &[]);
            let now = go(&mut playout, &mut far, 200 + offset);
            playout.hold(now);
            playout.caller_speaks(true);
            go(&mut playout, &mut far, 300);
            playout.resume();
            playout.caller_speaks(false);
            let now = go(&mut playout, &mut far, 250 + offset);
            match utterance {
                1 => drop(playout.cut(now)),
                2 => playout.complete(id, 1), // to its end, in the middle of a wave
                _ => playout.set_bed(None),
            }
            playout.seal(id, 2);
            go(&mut playout, &mut far, 1_700);
        }
        assert!(far.heard.len() > 30_000 && far.cuts.len() == 4, "{} samples, cut at {:?}", far.heard.len(), far.cuts);
        assert_eq!(far.clicks(), Vec::<usize>::new(), "bed: {with_bed}, offset {offset}");
    }
}

#[test]
fn a_bed_goes_on_between_utterances_and_a_clear_begins_it_anew() {
    let (t0, mut playout) = (origin(), playout());
    let mut far = FarEnd::default();
    playout.set_bed(Some(bed()));
    let log = together(&mut playout, &mut far, t0, 0, 200);
    let times: Vec<u64> = log.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [100, 100, 100, 120, 140, 160, 180], "40 ms ahead, one chunk every 20 ms");
    say(&mut playout, 1_600);
    let log = together(&mut playout, &mut far, t0, 200, 1_000);
    let begun = log.iter().find(|(_, action)| matches!(action, PlayoutAction::FirstAudio(_))).unwrap().0;
    assert_eq!(begun, 200, "at once, behind 40 ms of bed");
    assert_eq!(playout.finished(U1).unwrap().samples, 1_600);
    let gaps = log.iter().map(|(at, _)| *at).collect::<Vec<_>>().windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(gaps <= Some(60), "less lead when the voice is over, and never none: {gaps:?}");
    assert_eq!(far.heard.len() / 160, (1_000 + 40) / 20, "no gap behind the first, no more than its lead");
    let second = UtteranceId(2);
    playout.open(second);
    playout.push(second, 0, 0, &voice(8_000), &[]);
    together(&mut playout, &mut far, t0, 1_000, 1_300);
    assert_eq!(playout.cut(t0 + ms(1_300)).samples, 260 * 8);
    let log = together(&mut playout, &mut far, t0, 1_300, 1_301);
    assert!(matches!(log[0].1, PlayoutAction::Clear(_)), "{log:?}");
    assert!(matches!(&log[1].1, PlayoutAction::Filling { samples, .. } if samples[0].unsigned_abs() < 5), "it rises");
}

#[test]
fn a_bed_is_not_for_a_far_end_that_reads() {
    let (t0, mut playout) = (origin(), unmarked(Duration::MAX));
    playout.set_bed(Some(bed()));
    assert_eq!(playout.poll_timeout(t0), None);
}

#[test]
fn keys_are_heard_after_what_is_said_and_before_what_comes_next() {
    let (t0, mut playout) = (origin(), playout());
    let mut far = FarEnd::default();
    say(&mut playout, 1_600);
    playout.press("19w#d").unwrap();
    let spoken = together(&mut playout, &mut far, t0, 0, 350);
    assert!(spoken.iter().any(|(_, action)| matches!(action, PlayoutAction::Spoken(..))));
    let second = UtteranceId(2);
    playout.open(second);
    playout.push(second, 0, 0, &voice(1_600), &[]);
    together(&mut playout, &mut far, t0, 350, 2_500);
    let (mut detector, mut events) = (DtmfDetector::new(RATE), Vec::new());
    detector.push(&far.heard, &mut events);
    let pressed: Vec<(char, u64)> = events
        .iter()
        .filter_map(|event| match event {
            DtmfEvent::Pressed { key, at } => Some((key.as_char(), at / 80)),
            DtmfEvent::Released { .. } => None,
        })
        .collect();
    let keys: String = pressed.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, "19#D");
    assert!((19..=22).contains(&pressed[0].1), "behind 200 ms of voice: {pressed:?}");
    assert!((69..=72).contains(&(pressed[2].1 - pressed[1].1)), "half a second of waiting: {pressed:?}");
    assert_eq!(playout.heard(t0 + ms(2_500)).samples, 1_600, "keys are no words");
    assert_eq!(clicks(&far.heard, RATE), Vec::<usize>::new());
}

#[test]
fn keys_go_as_messages_where_the_carrier_has_them_and_not_all_at_once() {
    let capabilities = Capabilities { dtmf_out: true, ..telephone() };
    let (t0, mut playout) = (origin(), Playout::new(&capabilities, 8_000));
    assert_eq!(playout.press("1x"), Err(KeysError::NoKey('x')));
    assert_eq!(playout.press(&"1".repeat(65)), Err(KeysError::TooMany));
    playout.press("1a").unwrap();
    assert_eq!(run(&mut playout, t0, 0, 50), [(0, PlayoutAction::Key('1')), (0, PlayoutAction::Key('A'))]);
    assert_eq!(unmarked(Duration::MAX).press("1"), Err(KeysError::Silent));
}

#[test]
fn keys_that_go_as_messages_wait_as_they_were_told_to_and_for_what_is_said() {
    let capabilities = Capabilities { dtmf_out: true, ..telephone() };
    let (t0, mut playout) = (origin(), Playout::new(&capabilities, 8_000));
    let mut far = FarEnd::default();
    say(&mut playout, 1_600);
    playout.press("w1W2").unwrap();
    playout.press("3").unwrap();
    let log = together(&mut playout, &mut far, t0, 0, 1_000);
    let spoken = log.iter().find(|(_, action)| matches!(action, PlayoutAction::Spoken(..))).map(|(at, _)| *at);
    assert_eq!(spoken, Some(200), "heard to its end");
    assert_eq!(playout.poll_timeout(t0 + ms(1_000)), Some(t0 + ms(1_700)), "the pump sleeps until the wait is over");
    let log = [log, together(&mut playout, &mut far, t0, 1_000, 3_000)].concat();
    let keys: Vec<(u64, char)> = log
        .iter()
        .filter_map(|(at, action)| if let PlayoutAction::Key(key) = action { Some((*at, *key)) } else { None })
        .collect();
    assert_eq!(keys, [(700, '1'), (1_700, '2'), (1_700, '3')]);
    assert_eq!(playout.poll_timeout(t0 + ms(3_000)), None);
}
