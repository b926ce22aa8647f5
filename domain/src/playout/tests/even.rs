//! How even the chunks of a voice are, as a carrier sees them, and when a chunk is late.

use tandem_codecs::mix::Bed;

use super::*;

/// A carrier that returns each mark so long after its audio was heard by our clock.
fn speak(playout: &mut Playout, t0: Instant, from: u64, to: u64, lag: impl Fn(u64) -> u64) -> Vec<(u64, Duration)> {
    let (mut sent, mut marks) = (Vec::new(), Vec::new());
    let mut heard_until = from;
    for t in from..to {
        for (_, name) in marks.extract_if(.., |(due, _): &mut (u64, String)| *due <= t) {
            playout.mark_returned(t0 + ms(t), &name);
        }
        let mut out = Vec::new();
        playout.poll(t0 + ms(t), &mut out);
        for action in out {
            match action {
                PlayoutAction::Audio { late, .. } | PlayoutAction::Filling { late, .. } => {
                    heard_until = heard_until.max(t) + 20;
                    sent.push((t, late));
                }
                PlayoutAction::Mark(name) => marks.push((heard_until + lag(heard_until), name)),
                _ => {}
            }
        }
    }
    sent
}

fn utterance(playout: &mut Playout, id: u32, samples: usize) {
    let id = UtteranceId(id);
    playout.open(id);
    playout.push(id, 0, 0, &vec![100; samples], &[]);
    playout.complete(id, 0);
    playout.seal(id, 1);
}

/// Chunks that went out together with the first.
fn burst(sent: &[(u64, Duration)]) -> usize {
    sent.iter().take_while(|(at, _)| *at == sent[0].0).count()
}

#[test]
fn a_lead_that_falls_waits_for_the_next_voice() {
    let (t0, mut playout) = (origin(), playout());
    utterance(&mut playout, 1, 80_000);
    let first = speak(&mut playout, t0, 0, 12_000, |_| 45);
    assert_eq!(burst(&first), 5, "80 ms ahead");
    let gaps = first[4..].windows(2).map(|pair| pair[1].0 - pair[0].0);
    assert!(gaps.clone().all(|gap| gap == 20), "every one 20 ms behind the one before: {:?}", gaps.max());
    utterance(&mut playout, 2, 8_000);
    let second = speak(&mut playout, t0, 12_000, 14_000, |_| 45);
    assert_eq!(burst(&second), 4, "and 60 ms where the line was found to be calm");
}

#[test]
fn a_lead_that_grows_does_so_at_once() {
    let (t0, mut playout) = (origin(), playout());
    utterance(&mut playout, 1, 80_000);
    let sent = speak(&mut playout, t0, 0, 10_000, |heard| 30 + 40 * (heard / 100 % 2));
    assert_eq!(playout.lead(), ms(100));
    assert!(sent.windows(2).all(|pair| pair[1].0 - pair[0].0 <= 20), "none is held back for it");
    assert_eq!(sent[499].0, 20 * 500 - 20 - 100, "one chunk more is on its way");
}

#[test]
fn what_builds_up_the_lead_is_not_late() {
    for with_bed in [false, true] {
        let (t0, mut playout) = (origin(), playout());
        playout.set_bed(with_bed.then(|| Bed::new(tandem_codecs::SampleRate::HZ_8000, vec![50; 8_000].into(), 1.0, 1)));
        let mut sent = speak(&mut playout, t0, 0, 505, |_| 45);
        utterance(&mut playout, 1, 8_000);
        sent.extend(speak(&mut playout, t0, 505, 3_000, |_| 45));
        assert!(sent.len() >= 50);
        assert!(sent.iter().all(|(_, late)| late.is_zero()), "bed: {with_bed}, {sent:?}");
    }
}

#[test]
fn the_first_voice_of_a_call_goes_before_the_bed() {
    for (greets_at, heard_at) in [(0, 0), (60, 60), (99, 99), (150, 200)] {
        let (t0, mut playout) = (origin(), playout());
        playout.set_bed(Some(Bed::new(tandem_codecs::SampleRate::HZ_8000, vec![50; 8_000].into(), 1.0, 1)));
        let before = run(&mut playout, t0, 0, greets_at);
        say(&mut playout, 1_600);
        let log = [before, run(&mut playout, t0, greets_at, 300)].concat();
        let first = log.iter().position(|(_, action)| matches!(action, PlayoutAction::Audio { .. })).unwrap();
        let (began, bed) = (log[0].0, first as u64 * 20);
        assert_eq!(began + bed, heard_at, "greeted {greets_at} ms into the call, behind {bed} ms of bed");
    }
}

#[test]
fn a_pump_that_wakes_late_is_late_with_every_chunk_that_waited() {
    let (t0, mut playout) = (origin(), playout());
    utterance(&mut playout, 1, 8_000);
    run(&mut playout, t0, 0, 1);
    let late: Vec<Duration> = run(&mut playout, t0, 55, 56)
        .into_iter()
        .filter_map(|(_, action)| if let PlayoutAction::Audio { late, .. } = action { Some(late) } else { None })
        .collect();
    assert_eq!(late, [ms(35), ms(15)]);
}

/// Chunks that went out at `now`, by how late each was.
fn late_at(playout: &mut Playout, t0: Instant, now: u64) -> Vec<Duration> {
    let late = |(_, action)| match action {
        PlayoutAction::Audio { late, .. } | PlayoutAction::Filling { late, .. } => Some(late),
        _ => None,
    };
    run(playout, t0, now, now + 1).into_iter().filter_map(late).collect()
}

#[test]
fn a_pump_that_comes_late_to_a_new_voice_is_late_since_it_was_there() {
    let (t0, mut playout) = (origin(), playout());
    playout.poll(t0, &mut Vec::new());
    utterance(&mut playout, 1, 800);
    playout.came(t0 + ms(10));
    assert_eq!(
        late_at(&mut playout, t0, 70),
        [ms(60), ms(0), ms(0), ms(0), ms(0)],
        "the first; the rest builds up the lead"
    );
    assert_eq!(playout.lead(), ms(100), "more than half of it: the pump needs more");
    run(&mut playout, t0, 71, 1_500);
    utterance(&mut playout, 2, 800);
    playout.came(t0 + ms(1_500));
    assert_eq!(late_at(&mut playout, t0, 1_530)[0], ms(30), "behind a silence too");
}

#[test]
fn more_of_a_voice_that_waits_already_makes_nobody_less_late() {
    let (t0, mut playout) = (origin(), playout());
    playout.open(U1);
    playout.push(U1, 0, 0, &[100; 1_600], &[]);
    playout.came(t0);
    run(&mut playout, t0, 0, 1);
    playout.push(U1, 0, 1_600, &[100; 1_600], &[]);
    playout.came(t0 + ms(50));
    assert_eq!(late_at(&mut playout, t0, 55), [ms(35), ms(15)]);
}
