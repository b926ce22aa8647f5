//! Pacing, marks and clearing under a made-up clock.

use super::*;
use crate::port::dialect::{ClearMarks, EndBy};

const U1: UtteranceId = UtteranceId(1);

#[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
fn origin() -> Instant {
    Instant::now()
}
fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
/// A telephone at a socket that takes 20 ms at once.
fn telephone() -> Capabilities {
    Capabilities {
        carrier: "test",
        chunk: ms(20),
        lead: ms(80),
        clear: ClearMarks::AllReturned,
        marks: true,
        notices: false,
        dtmf_in: true,
        dtmf_out: false,
        end: EndBy::SocketClose,
        max_message_bytes: 65_536,
    }
}
fn playout() -> Playout {
    Playout::new(&telephone(), 8_000)
}
/// Polls every millisecond like a pump that is never late; returns what came out, with its time.
fn run(playout: &mut Playout, t0: Instant, from: u64, to: u64) -> Vec<(u64, PlayoutAction)> {
    let mut log = Vec::new();
    for t in from..to {
        let mut out = Vec::new();
        playout.poll(t0 + ms(t), &mut out);
        log.extend(out.into_iter().map(|action| (t, action)));
    }
    log
}
fn audio_times(log: &[(u64, PlayoutAction)]) -> Vec<u64> {
    log.iter().filter(|(_, action)| matches!(action, PlayoutAction::Audio { .. })).map(|(t, _)| *t).collect()
}
fn say(playout: &mut Playout, samples: usize) {
    playout.open(U1);
    playout.push(U1, 0, 0, &vec![100; samples], &[]);
    playout.complete(U1, 0);
    playout.seal(U1, 1);
}

#[test]
fn a_short_lead_and_then_one_chunk_every_20_ms() {
    let (t0, mut playout) = (origin(), playout());
    say(&mut playout, 1_600);
    let log = run(&mut playout, t0, 0, 300);
    assert_eq!(audio_times(&log), [0, 0, 0, 0, 0, 20, 40, 60, 80, 100], "80 ms ahead of the ear, never more");
    assert_eq!(log[1].1, PlayoutAction::FirstAudio(U1));
}

#[test]
fn the_last_chunk_is_filled_with_silence_and_the_last_mark_ends_the_utterance() {
    let (t0, mut playout) = (origin(), playout());
    say(&mut playout, 200);
    let log = run(&mut playout, t0, 0, 30);
    let PlayoutAction::Audio { samples, .. } = &log[2].1 else { panic!("{log:?}") };
    assert_eq!((samples.len(), samples[39]), (160, 100));
    assert!(samples[40..80].iter().all(|sample| *sample <= 100) && samples[80..] == [0; 80], "5 ms until it is silent");
    let Some((_, PlayoutAction::Mark(name))) = log.last() else { panic!("{log:?}") };
    assert_eq!(playout.heard(t0 + ms(10)).samples, 80);
    assert!(
        matches!(playout.mark_returned(t0 + ms(45), name), Some(PlayoutAction::Spoken(U1, heard)) if heard.samples == 200)
    );
}

#[test]
fn a_mark_that_never_comes_does_not_hold_the_call() {
    let (t0, mut playout) = (origin(), playout());
    say(&mut playout, 160);
    let log = run(&mut playout, t0, 0, 1_100);
    assert!(matches!(log.last(), Some((1_020, PlayoutAction::Spoken(U1, _)))));
}

#[test]
fn heard_never_exceeds_what_was_sent_nor_runs_ahead_of_the_clock() {
    let (t0, mut playout) = (origin(), playout());
    playout.open(U1);
    playout.push(U1, 0, 0, &[1; 800], &[]);
    run(&mut playout, t0, 0, 1);
    assert_eq!(playout.heard(t0).samples, 0);
    assert_eq!(playout.heard(t0 + ms(50)).samples, 400);
    assert_eq!(playout.heard(t0 + ms(5_000)).samples, 800);
}

#[test]
fn a_cut_clears_and_makes_older_marks_meaningless() {
    let (t0, mut playout) = (origin(), playout());
    say(&mut playout, 8_000);
    let log = run(&mut playout, t0, 0, 250);
    let marks: Vec<String> = log
        .iter()
        .filter_map(|(_, action)| if let PlayoutAction::Mark(name) = action { Some(name.clone()) } else { None })
        .collect();
    assert!(marks.len() >= 3, "one about every 100 ms: {marks:?}");
    assert_eq!(playout.mark_returned(t0 + ms(110), &marks[0]), None);
    assert_eq!(playout.heard(t0 + ms(200)).samples, 800 + 90 * 8, "last mark plus the time since");
    assert_eq!(playout.heard(t0 + ms(250)).samples, 1_600, "and nothing behind a mark that is out");
    assert_eq!(playout.heard(t0 + ms(1_400)).samples, 2_720, "but for one that is lost: what was sent is played");
    assert_eq!(playout.cut(t0 + ms(250)).samples, 1_600);
    assert_eq!(run(&mut playout, t0, 250, 251), [(250, PlayoutAction::Clear(U1.into()))]);
    for name in &marks {
        assert_eq!(playout.mark_returned(t0 + ms(252), name), None);
    }
    playout.open(UtteranceId(2));
    playout.push(UtteranceId(2), 0, 0, &[1; 160], &[]);
    assert_eq!(playout.heard(t0 + ms(300)).samples, 0);
}

/// A model may take its time between two sentences; no word is torn by that.
#[test]
fn silence_between_two_sentences_is_no_underrun() {
    let (t0, mut playout) = (origin(), playout());
    playout.open(U1);
    playout.push(U1, 0, 0, &[1; 320], &[]);
    playout.complete(U1, 0);
    run(&mut playout, t0, 0, 200);
    playout.push(U1, 1, 0, &[1; 320], &[]);
    run(&mut playout, t0, 200, 229);
    assert_eq!(playout.take_underruns(), 0);
    run(&mut playout, t0, 229, 400);
    playout.push(U1, 1, 320, &[1; 320], &[]);
    run(&mut playout, t0, 400, 600);
    assert_eq!(playout.take_underruns(), 2, "within the second it is one, as often as it happens");
}

#[test]
fn a_dry_queue_is_filled_for_a_while_and_counts_once() {
    let (t0, mut playout) = (origin(), playout());
    playout.open(U1);
    playout.push(U1, 0, 0, &[1; 320], &[]);
    let filled: Vec<u64> = (1..=15).map(|n| 20 * n + 10).collect();
    assert_eq!(audio_times(&run(&mut playout, t0, 0, 600)), [vec![0, 0], filled].concat(), "300 ms, and no more");
    playout.push(U1, 0, 320, &[1; 960], &[]);
    assert_eq!(audio_times(&run(&mut playout, t0, 600, 660)), [600, 600, 600, 600, 600, 620], "the lead anew");
    assert_eq!((playout.take_underruns(), playout.take_underruns()), (1, 0), "told once");
    assert_eq!(playout.heard(t0 + ms(610)).samples, 320 + 80);
}

#[test]
fn audio_of_an_utterance_that_was_cut_is_refused() {
    let (t0, mut playout) = (origin(), playout());
    say(&mut playout, 160);
    playout.cut(t0);
    assert!(!playout.push(U1, 0, 0, &[1; 160], &[]));
    assert!(run(&mut playout, t0, 0, 5).is_empty(), "nothing was sent, so nothing is cleared");
}

#[test]
fn hostile_mark_names_do_nothing() {
    let (t0, mut playout) = (origin(), playout());
    say(&mut playout, 1_600);
    run(&mut playout, t0, 0, 10);
    for name in ["", "x", "0-1", "0-1-", "0-1-99999999999999999999", "0-1-1600", "7-1-160", "0-9-160", "-1-1-1"] {
        assert_eq!(playout.mark_returned(t0 + ms(10), name), None, "{name}");
    }
    assert_eq!(playout.heard(t0 + ms(10)).samples, 80);
}

#[test]
fn a_sentence_synthesised_again_is_queued_once() {
    let mut playout = playout();
    playout.open(U1);
    assert!(playout.push(U1, 0, 0, &[1; 300], &[WordStart { byte: 0, sample: 0 }]));
    let words = [WordStart { byte: 0, sample: 0 }, WordStart { byte: 4, sample: 350 }];
    assert!(playout.push(U1, 0, 0, &[1; 200], &words[..1]));
    assert!(playout.push(U1, 0, 200, &[1; 200], &words[1..]));
    assert_eq!((playout.queued(U1, 0), playout.backlog()), (400, ms(50)));
}

#[test]
fn an_utterance_that_was_spoken_is_not_opened_again() {
    let (t0, mut playout) = (origin(), playout());
    say(&mut playout, 160);
    run(&mut playout, t0, 0, 1_100);
    assert!(playout.finished(U1).is_some());
    playout.open(U1);
    assert!(!playout.push(U1, 0, 0, &[1; 160], &[]));
}

/// A leg without marks, such as a page, with this lead.
fn unmarked(lead: Duration) -> Playout {
    let capabilities = Capabilities {
        chunk: ms(40),
        lead,
        clear: ClearMarks::NoneReturned,
        marks: false,
        notices: true,
        ..telephone()
    };
    Playout::new(&capabilities, 8_000)
}

#[test]
fn without_marks_heard_runs_by_the_clock_less_the_way_to_the_far_end() {
    let (t0, mut playout) = (origin(), unmarked(ms(240)));
    say(&mut playout, 8_000);
    run(&mut playout, t0, 0, 400);
    assert_eq!(playout.heard(t0 + ms(400)).samples, 400 * 8);
    playout.round_trip(ms(120));
    assert_eq!(playout.heard(t0 + ms(400)).samples, 340 * 8, "what was sent 60 ms ago");
    playout.round_trip(Duration::from_secs(60));
    assert_eq!(playout.heard(t0 + ms(600)).samples, 100 * 8, "a stall is not believed");
    playout.round_trip(ms(120));
    let log = run(&mut playout, t0, 400, 1_200);
    let spoken = log.iter().find(|(_, action)| matches!(action, PlayoutAction::Spoken(..)));
    assert_eq!(spoken.map(|(at, _)| *at), Some(1_060), "the last sample's arrival");
}

#[test]
fn a_far_end_that_reads_has_heard_what_was_made() {
    let (t0, mut playout) = (origin(), unmarked(Duration::MAX));
    say(&mut playout, 8_000);
    let mut out = Vec::new();
    playout.poll(t0, &mut out);
    let [PlayoutAction::FirstAudio(U1), PlayoutAction::Spoken(U1, heard)] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!(heard.samples, 8_000);
    assert_eq!(playout.poll_timeout(t0), None);
}

#[test]
fn what_was_played_to_its_end_was_heard_though_nobody_was_told_yet() {
    let (t0, mut playout) = (origin(), playout());
    say(&mut playout, 800);
    let log = run(&mut playout, t0, 0, 100);
    let last = log.iter().rev().find_map(|(_, action)| match action {
        PlayoutAction::Mark(name) => Some(name.clone()),
        _ => None,
    });
    assert!(matches!(playout.mark_returned(t0 + ms(110), &last.unwrap()), Some(PlayoutAction::Spoken(U1, _))));
    assert_eq!(playout.cut(t0 + ms(112)).samples, 800, "the caller speaks before the call hears of it");
    playout.open(UtteranceId(2));
    assert_eq!(playout.heard(t0 + ms(120)).samples, 0, "another one is another one");
}

#[test]
fn before_the_first_mark_of_an_utterance_the_line_is_as_slow_as_it_was() {
    let (t0, mut playout) = (origin(), playout());
    say(&mut playout, 1_600);
    let log = run(&mut playout, t0, 0, 210);
    for (_, action) in log {
        if let PlayoutAction::Mark(name) = action {
            let position: u64 = name.rsplit('-').next().unwrap().parse().unwrap();
            playout.mark_returned(t0 + ms(position / 8 + 150), &name); // 150 ms there and back
        }
    }
    playout.open(UtteranceId(2));
    playout.push(UtteranceId(2), 0, 0, &[100; 1_600], &[]);
    run(&mut playout, t0, 1_000, 1_090);
    assert_eq!(playout.heard(t0 + ms(1_100)).samples, 0, "on its way");
    assert_eq!(playout.heard(t0 + ms(1_200)).samples, 400);
}

#[test]
fn behind_a_pause_time_counts_from_its_end() {
    let (t0, mut playout) = (origin(), playout());
    playout.open(U1);
    playout.push(U1, 0, 0, &[100; 800], &[]);
    let log = run(&mut playout, t0, 0, 150);
    let PlayoutAction::Mark(name) = &log.iter().find(|(_, action)| matches!(action, PlayoutAction::Mark(_))).unwrap().1
    else {
        panic!("no mark")
    };
    playout.mark_returned(t0 + ms(100), name);
    playout.push(U1, 0, 800, &[100; 800], &[]);
    run(&mut playout, t0, 500, 540);
    assert_eq!(playout.heard(t0 + ms(540)).samples, 800 + 40 * 8, "not from the mark that ended what was before");
}

mod clocks;
mod even;
mod sounding;

mod held {
    use super::*;
    use crate::port::tts::WordStart;

    fn ramp(len: u64) -> Vec<i16> {
        (0..len).map(|n| (n % 20_000) as i16 + 1).collect()
    }

    /// One second of three words at 0, 0.25 and 0.6 s.
    fn speak(playout: &mut Playout) {
        playout.open(U1);
        let words = [(0, 0), (4, 2_000), (8, 4_800)].map(|(byte, sample)| WordStart { byte, sample });
        playout.push(U1, 0, 0, &ramp(8_000), &words);
        playout.complete(U1, 0);
        playout.seal(U1, 1);
    }

    fn audio(log: &[(u64, PlayoutAction)]) -> Vec<i16> {
        log.iter()
            .filter_map(|(_, action)| match action {
                PlayoutAction::Audio { samples, .. } => Some(samples.clone()),
                _ => None,
            })
            .flatten()
            .collect()
    }

    #[test]
    fn what_is_held_is_cleared_and_goes_on_at_its_word() {
        let (t0, mut playout) = (origin(), playout());
        speak(&mut playout);
        run(&mut playout, t0, 0, 400);
        let heard = playout.hold(t0 + ms(400));
        assert_eq!(heard.samples, 3_200, "no mark has come back: the clock tells");
        let log = run(&mut playout, t0, 400, 900);
        assert_eq!(log, [(400, PlayoutAction::Clear(U1.into()))], "cleared once, then nothing");
        assert_eq!(playout.heard(t0 + ms(900)).samples, 3_200, "nothing is heard meanwhile");
        playout.resume();
        let log = run(&mut playout, t0, 900, 2_000);
        let said = audio(&log);
        assert!(said[80..6_000] == ramp(8_000)[2_080..], "from the second word on, after a rise of 10 ms");
        assert!(said[..80].windows(2).all(|pair| pair[0] < pair[1]) && said[0] < 100, "it rises");
        assert_eq!(playout.take_underruns(), 0);
        let end = playout.heard(t0 + ms(2_000));
        assert_eq!(end.samples, 8_000);
    }

    #[test]
    fn marks_of_before_the_hold_say_nothing_and_those_after_it_do() {
        let (t0, mut playout) = (origin(), playout());
        speak(&mut playout);
        let log = run(&mut playout, t0, 0, 300);
        let marks = |log: &[(u64, PlayoutAction)]| -> Vec<String> {
            log.iter()
                .filter_map(
                    |(_, action)| if let PlayoutAction::Mark(name) = action { Some(name.clone()) } else { None },
                )
                .collect()
        };
        playout.mark_returned(t0 + ms(110), &marks(&log)[0]);
        let held = playout.hold(t0 + ms(300));
        for late in marks(&log) {
            playout.mark_returned(t0 + ms(320), &late);
        }
        assert_eq!(playout.heard(t0 + ms(330)), held);
        playout.resume();
        let log = run(&mut playout, t0, 400, 700);
        let first = &marks(&log)[0];
        playout.mark_returned(t0 + ms(510), first);
        let position: u64 = first.rsplit('-').next().unwrap().parse().unwrap();
        assert_eq!(playout.heard(t0 + ms(510)).samples, position.max(held.samples));
    }

    #[test]
    fn a_cut_after_a_hold_clears_nothing_again_and_tells_what_was_heard() {
        let (t0, mut playout) = (origin(), playout());
        speak(&mut playout);
        run(&mut playout, t0, 0, 400);
        let held = playout.hold(t0 + ms(400));
        run(&mut playout, t0, 400, 402);
        assert_eq!(playout.cut(t0 + ms(900)), held);
        assert!(run(&mut playout, t0, 900, 1_000).is_empty());
    }

    #[test]
    fn the_ear_never_loses_what_it_had_and_gets_the_rest_once() {
        for stop in (20..1_000).step_by(37) {
            let (t0, mut playout) = (origin(), playout());
            speak(&mut playout);
            run(&mut playout, t0, 0, stop);
            let before = playout.hold(t0 + ms(stop)).samples;
            run(&mut playout, t0, stop, stop + 300);
            playout.resume();
            let log = run(&mut playout, t0, stop + 300, stop + 3_000);
            let again = audio(&log).iter().rposition(|sample| *sample != 0).map_or(0, |last| last as u64 + 1);
            let from = 8_000 - again;
            assert!(from <= before && before - from <= 3_200, "held at {before}, resumed from {from}");
            assert!(playout.finished(U1).is_some_and(|heard| heard.samples == 8_000), "held at {before}: it ends");
        }
    }

    #[test]
    fn without_word_timings_it_goes_on_in_the_quiet() {
        let (t0, mut playout) = (origin(), playout());
        let mut samples = vec![3_000; 8_000];
        samples[2_400..2_600].fill(0);
        playout.open(U1);
        playout.push(U1, 0, 0, &samples, &[]);
        playout.complete(U1, 0);
        playout.seal(U1, 1);
        run(&mut playout, t0, 0, 480);
        assert_eq!(playout.hold(t0 + ms(480)).samples, 3_840);
        playout.resume();
        let log = run(&mut playout, t0, 500, 2_000);
        let rest = audio(&log).iter().rposition(|sample| *sample != 0).unwrap() as u64 + 1;
        assert!((2_400..=2_600).contains(&(8_000 - rest)), "from {}", 8_000 - rest);
    }

    #[test]
    fn holding_before_the_first_sample_and_twice_is_harmless() {
        let (t0, mut playout) = (origin(), playout());
        assert_eq!(playout.hold(t0), Heard::default());
        speak(&mut playout);
        playout.hold(t0);
        assert!(playout.is_held());
        playout.hold(t0);
        assert!(run(&mut playout, t0, 0, 100).is_empty(), "nothing was sent: nothing to clear");
        playout.resume();
        playout.resume();
        let log = run(&mut playout, t0, 100, 1_300);
        assert_eq!(audio(&log).len(), 8_000);
    }
}
