//! A bed to a far end with a clock of its own, over a line whose ways become longer: what waits there.

use std::collections::VecDeque;

use super::sounding::{bed, voice};
use super::*;

/// How exactly the far end and the pump are looked at.
const STEP_US: i64 = 1_000;
const MINUTE: i64 = 60_000;

/// What is on its way to the far end.
enum Sent {
    Audio(i64),
    Mark(String),
    Clear,
}

/// A far end, and the line to it. All in µs.
struct Far {
    ppm: i64,
    /// One way, there and back, by the time in ms.
    ways: fn(i64) -> (i64, i64),
    coming: VecDeque<(i64, Sent)>,
    /// By what was played before each.
    marks: VecDeque<(i64, String)>,
    returning: VecDeque<(i64, String)>,
    arrived: i64,
    /// In millionths, so that a clock's error is not rounded away.
    played: i64,
    starved: i64,
}

impl Far {
    fn new(ppm: i64, ways: fn(i64) -> (i64, i64)) -> Self {
        let (coming, marks, returning) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Self { ppm, ways, coming, marks, returning, arrived: 0, played: 0, starved: 0 }
    }

    fn takes(&mut self, now: i64, sent: Sent) {
        let (there, _) = (self.ways)(now / 1_000);
        let at = self.coming.back().map_or(0, |(at, _)| *at).max(now + there * 1_000); // none overtakes another
        self.coming.push_back((at, sent));
    }

    /// Plays for a step; the marks that are back by then.
    fn plays(&mut self, now: i64) -> Vec<String> {
        if self.arrived > 0 {
            self.played += STEP_US * (1_000_000 + self.ppm);
            self.starved += (self.played - self.arrived * 1_000_000).max(0);
            self.played = self.played.min(self.arrived * 1_000_000);
        }
        while self.coming.front().is_some_and(|(at, _)| *at <= now) {
            match self.coming.pop_front().unwrap().1 {
                Sent::Audio(us) => self.arrived += us,
                Sent::Mark(name) => self.marks.push_back((self.arrived, name)),
                Sent::Clear => {
                    self.played = self.arrived * 1_000_000;
                    self.marks.clear();
                }
            }
        }
        let (_, back) = (self.ways)(now / 1_000);
        while self.marks.front().is_some_and(|(place, _)| place * 1_000_000 <= self.played) {
            self.returning.push_back((now + back * 1_000, self.marks.pop_front().unwrap().1));
        }
        let back = self.returning.iter().take_while(|(at, _)| *at <= now).count();
        self.returning.drain(..back).map(|(_, name)| name).collect()
    }

    fn waiting(&self) -> i64 {
        self.arrived - self.played / 1_000_000
    }
}

/// What waited at the far end, in ms, and for how many ms nothing did though it played.
#[derive(Debug)]
struct Waited {
    least: i64,
    most: i64,
    starved: i64,
}

/// Says something of `length` at each of `says`, and cuts it at each of `cuts`; looks from `from` until `to`, all in ms. What plays is over when the next
/// begins.
fn waits(mut far: Far, says: &[(i64, i64)], cuts: &[i64], (from, to): (i64, i64)) -> Waited {
    let (t0, mut playout) = (origin(), playout());
    playout.set_bed(Some(bed()));
    let mut waited = Waited { least: i64::MAX, most: 0, starved: 0 };
    for us in (0..to * 1_000).step_by(STEP_US as usize) {
        let now = t0 + Duration::from_micros(us as u64);
        if let Some(place) = says.iter().position(|(at, _)| at * 1_000 == us) {
            let id = UtteranceId(place as u32 + 1);
            playout.open(id);
            playout.push(id, 0, 0, &voice(says[place].1 as usize * 8), &[]);
            playout.complete(id, 0);
            playout.seal(id, 1);
            playout.came(now);
        }
        if cuts.contains(&(us / 1_000)) && us % 1_000 == 0 {
            playout.cut(now);
        }
        for name in far.plays(us) {
            playout.mark_returned(now, &name);
        }
        let mut out = Vec::new();
        playout.poll(now, &mut out);
        for action in out {
            match action {
                PlayoutAction::Audio { samples, .. } | PlayoutAction::Filling { samples, .. } => {
                    far.takes(us, Sent::Audio(samples.len() as i64 * 125));
                }
                PlayoutAction::Mark(name) => far.takes(us, Sent::Mark(name)),
                PlayoutAction::Clear(_) => far.takes(us, Sent::Clear),
                _ => {}
            }
        }
        if us / 1_000 >= from && far.arrived > 0 {
            let waiting = far.waiting() / 1_000;
            (waited.least, waited.most) = (waited.least.min(waiting), waited.most.max(waiting));
        }
    }
    waited.starved = far.starved / 1_000_000_000;
    waited
}

/// Three seconds every twelve.
fn now_and_then(to: i64) -> Vec<(i64, i64)> {
    (2_000..to).step_by(12_000).map(|at| (at, 3_000)).collect()
}

#[test]
fn a_bed_neither_starves_a_far_end_with_another_clock_nor_piles_up_there() {
    for ppm in [0, 200, -200] {
        // slower: it plays less of a second than a second
        let waited = waits(Far::new(-ppm, |_| (0, 0)), &now_and_then(30 * MINUTE), &[], (0, 30 * MINUTE));
        println!("{ppm} ppm: {waited:?}");
        assert_eq!(waited.starved, 0, "{ppm} ppm");
        assert!(waited.most <= 160, "{ppm} ppm: {waited:?}");
    }
}

/// What had run off within a long answer is gone with what is cleared, and nothing is put for it.
#[test]
fn after_a_barge_in_nothing_is_put_for_what_ran_off_before() {
    let cut = 3 * MINUTE + 5_000;
    let waited = waits(Far::new(-200, |_| (10, 10)), &[(2_000, 4 * MINUTE)], &[cut], (cut + 500, cut + MINUTE));
    println!("{waited:?}");
    assert!(waited.least >= 30, "half of the lead, less what the line and the far clock take: {waited:?}");
}

/// One window's lag says as much of a way as of a clock.
#[test]
fn a_way_that_becomes_longer_starves_nobody() {
    let once: fn(i64) -> (i64, i64) = |ms| if ms < 3 * MINUTE { (20, 20) } else { (32, 20) };
    let twice: fn(i64) -> (i64, i64) = |ms| (20 + 12 * ((ms / (2 * MINUTE)).min(2)), 20);
    let back: fn(i64) -> (i64, i64) = |ms| (20, 20 + 12 * ((ms / (2 * MINUTE)).min(2)));
    // a longer way there takes of what waits what it takes to come; a longer way back takes nothing
    for (name, ways, least) in [("once", once, 18), ("twice", twice, 6), ("twice, the way back", back, 30)] {
        let waited = waits(Far::new(0, ways), &now_and_then(8 * MINUTE), &[], (6 * MINUTE, 8 * MINUTE));
        println!("{name}: {waited:?}");
        assert_eq!(waited.starved, 0, "{name}");
        assert!(waited.least >= least, "{name}: {waited:?}");
    }
}
