//! Messages that are overtaken, doubled, lost or counted anew: what is given, in which order, and how long it waited.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use tandem_codecs::SampleRate;
use tandem_codecs::in_order::{InOrder, Piece, Place, WAIT};

const RATE: SampleRate = SampleRate::HZ_8000;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A message of 20 ms: its number, its media time and when it came, both in ms.
type Message = (i16, Option<u64>, u64);

/// Numbers in the order in which they were given, `None` for each 20 ms that are missing.
#[derive(Default)]
struct Given {
    numbers: Vec<Option<i16>>,
    came: BTreeMap<i16, Duration>,
    longest_wait: Duration,
    missing: Duration,
    /// How often something was told as missing.
    holes: u32,
}

impl Given {
    fn of(messages: &[Message]) -> Self {
        let (mut order, mut given) = (InOrder::new(RATE), Self::default());
        for &(number, at, now) in messages {
            while let Some(due) = order.poll_timeout().filter(|due| *due <= ms(now)) {
                given.take(&mut order, due);
            }
            given.came.entry(number).or_insert(ms(now));
            if order.came(ms(now), at.map(ms), &[number; 160]) == Place::Next {
                given.numbers.push(Some(number));
            }
            given.take(&mut order, ms(now));
        }
        while let Some(due) = order.poll_timeout() {
            given.take(&mut order, due);
        }
        given
    }

    fn take(&mut self, order: &mut InOrder, now: Duration) {
        while let Some(piece) = order.ready(now) {
            match piece {
                Piece::Audio(samples) => {
                    assert_eq!(samples.len(), 160);
                    self.longest_wait = self.longest_wait.max(now - self.came[&samples[0]]);
                    self.numbers.push(Some(samples[0]));
                }
                Piece::Missing(length) => {
                    self.numbers.extend(vec![None; (length.as_millis() / 20) as usize]);
                    self.missing += length;
                    self.holes += 1;
                }
            }
        }
    }
}

/// Message `number` of a stream, 20 ms each, when it is made.
fn message(number: i16) -> Message {
    (number, Some(number as u64 * 20), number as u64 * 20)
}

/// So many, of which those named come later, twice, or never.
fn stream(count: i16, bend: impl Fn(i16) -> Vec<u64>) -> Vec<Message> {
    let mut messages: Vec<Message> = (0..count)
        .flat_map(|number| {
            let (number, at, now) = message(number);
            bend(number).into_iter().map(move |late| (number, at, now + late))
        })
        .collect();
    messages.sort_by_key(|(_, _, now)| *now);
    messages
}

fn all(count: i16) -> Vec<Option<i16>> {
    (0..count).map(Some).collect()
}

#[test]
fn what_is_in_order_passes_at_once() {
    let given = Given::of(&stream(100, |_| vec![0]));
    assert_eq!((given.numbers, given.longest_wait), (all(100), Duration::ZERO));
}

#[test]
fn overtaken_and_doubled_messages_are_given_once_and_in_order() {
    let given = Given::of(&stream(100, |number| match number {
        20 => vec![25],      // overtaken by one
        30 => vec![0, 5],    // twice
        40 => vec![25, 30],  // both
        50 => vec![0, 200],  // its copy comes long after
        60 | 61 => vec![45], // two by two
        _ => vec![0],
    }));
    assert_eq!(given.numbers, all(100));
    assert!(given.longest_wait <= WAIT, "{:?}", given.longest_wait);
}

#[test]
fn what_never_comes_is_told_and_waited_for_no_longer() {
    let given = Given::of(&stream(100, |number| if number == 50 { vec![] } else { vec![0] }));
    let mut expected = all(100);
    expected[50] = None;
    assert_eq!((given.numbers, given.longest_wait), (expected, WAIT));
}

#[test]
fn what_comes_after_its_time_was_given_up_is_left_out() {
    let given = Given::of(&stream(100, |number| if number == 50 { vec![90] } else { vec![0] }));
    assert_eq!(given.numbers[49..52], [Some(49), None, Some(51)]);
    assert_eq!(given.numbers.len(), 100);
}

#[test]
fn a_count_that_jumps_or_begins_again_goes_on_at_once() {
    for jump in [100_000_u64, 0] {
        let mut messages = stream(100, |_| vec![0]);
        for (place, (_, at, _)) in messages.iter_mut().enumerate().skip(60) {
            *at = Some(jump + (place as u64 - 60) * 20);
        }
        let given = Given::of(&messages);
        assert_eq!((given.numbers, given.longest_wait), (all(100), Duration::ZERO), "to {jump}");
    }
}

#[test]
fn a_count_that_begins_again_a_little_back_goes_on_within_100_ms() {
    let mut messages = stream(100, |_| vec![0]);
    messages.iter_mut().skip(60).for_each(|(_, at, _)| *at = at.map(|at| at - 300));
    assert_eq!(Given::of(&messages).numbers, all(100));
}

#[test]
fn messages_of_30_ms_follow_one_another() {
    let mut order = InOrder::new(RATE);
    for number in 0..100 {
        assert_eq!(order.came(ms(number * 30), Some(ms(number * 30)), &[0; 240]), Place::Next);
        assert_eq!(order.ready(ms(number * 30)), None);
    }
}

#[test]
fn times_that_say_nothing_are_not_believed() {
    let at_of: [&dyn Fn(u64) -> Option<u64>; 4] = [
        &|_| None,
        &|_| Some(0),
        &|number| Some(number * 20 * 8),         // samples for milliseconds
        &|number| Some(number * 20 / 100 * 100), // rounded to a tenth of a second
    ];
    for (which, at_of) in at_of.iter().enumerate() {
        let mut messages = stream(200, |_| vec![0]);
        messages.iter_mut().for_each(|(number, at, _)| *at = at_of(*number as u64));
        let given = Given::of(&messages);
        assert_eq!((given.numbers, given.longest_wait), (all(200), Duration::ZERO), "{which}");
    }
}

/// Messages lost of 50 good ones and then 450 that are stamped by `at_of`, and the most that was lost if they are all silence.
fn lost_after_trust(at_of: impl Fn(u64) -> u64) -> (usize, usize) {
    let bent = |voice: bool| -> Vec<Message> {
        let bend = |(number, at, now): Message| {
            let late = if number < 50 { at } else { Some(at_of(number as u64)) };
            (if voice { number } else { 0 }, late, now)
        };
        (0..500).map(message).map(bend).collect()
    };
    let given = |messages: Vec<Message>| Given::of(&messages).numbers.into_iter().flatten().collect::<Vec<i16>>();
    let voice = given(bent(true));
    assert!(voice.is_sorted_by(|a, b| a < b), "twice, or out of order");
    (500 - voice.len(), 500 - given(bent(false)).len())
}

#[test]
fn times_that_stop_to_say_anything_after_they_were_believed_cost_three_messages_at_most() {
    let stall = |length: u64| {
        // the sender stands still at 2 s, and stamps what it makes up for as it sends it
        move |number: u64| match number * 20 {
            time if (2_000..2_000 + length).contains(&time) => 2_000 + length + number - 100,
            time => time,
        }
    };
    let ways: [(&str, &dyn Fn(u64) -> u64); 9] = [
        ("frozen", &|_| 1_000),
        ("frozen a little back", &|_| 900),
        ("rounded to a tenth of a second", &|number| number * 20 / 100 * 100),
        ("9 ms for each 20", &|number| 1_000 + (number - 50) * 9),
        ("31 ms for each 20", &|number| 1_000 + (number - 50) * 31),
        ("to and fro", &|number| 1_000 + (number % 2) * 200),
        ("the wall's clock, a stall of 100 ms", &stall(100)),
        ("the wall's clock, a stall of 300 ms", &stall(300)),
        ("the wall's clock, a stall of 900 ms", &stall(900)),
    ];
    for (way, at_of) in ways {
        let (voice, silence) = lost_after_trust(at_of);
        println!("{way}: {voice} of 450 lost, {silence} of silence");
        assert_eq!(voice, 0, "{way}");
        assert!(silence <= 3, "{way}: {silence} of silence");
    }
}

/// Messages as a sender with jitter of this mean makes them, stamped by the wall.
fn jittery(mean: f64) -> Vec<Message> {
    let (mut dice, mut last) = (1_u64, 0);
    let late = |number: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let uniform = ((dice >> 33) as f64 + 1.0) / (1_u64 << 31) as f64;
        let late = if number < 50 { 0.0 } else { (-uniform.ln() * mean).min(60.0) };
        last = last.max(number * 20 + late as u64);
        last
    };
    let at = (0..3_000).map(late).collect::<Vec<_>>();
    at.into_iter().zip(0..).map(|(at, number)| (number, Some(at), at)).collect()
}

#[test]
fn a_jittery_wall_clock_loses_nothing() {
    for mean in [2.0, 4.0, 8.0, 15.0] {
        let numbers = Given::of(&jittery(mean)).numbers;
        let told: Vec<i16> = numbers.iter().flatten().copied().collect();
        println!("jitter of {mean} ms: {} of 3000 lost", 3_000 - told.len());
        assert_eq!(told, (0..3_000).collect::<Vec<_>>(), "jitter of {mean} ms");
    }
}

#[test]
fn a_copy_that_is_later_than_a_jump_is_still_a_copy() {
    let given = Given::of(&stream(200, |number| if number == 50 { vec![0, 590] } else { vec![0] }));
    assert_eq!(given.numbers, all(200));
    let stale = |number| if number == 50 { vec![0, 590, 591] } else { vec![0] };
    assert_eq!(Given::of(&stream(200, stale)).numbers, all(200));
}

#[test]
fn neighbours_that_were_all_doubled_are_given_once() {
    let given = Given::of(&stream(100, |number| if (40..43).contains(&number) { vec![0, 65] } else { vec![0] }));
    assert_eq!(given.numbers, all(100));
}

#[test]
fn another_message_of_a_time_that_was_given_is_no_copy() {
    let mut messages = stream(100, |_| vec![0]);
    messages[60].1 = messages[59].1;
    assert_eq!(Given::of(&messages).numbers, all(100));
    messages[60].1 = messages[62].1; // of a time that waits
    messages[61].1 = messages[62].1;
    let told: Vec<i16> = Given::of(&messages).numbers.into_iter().flatten().collect();
    assert_eq!(told, (0..100).collect::<Vec<_>>());
}

#[test]
fn a_message_without_a_time_is_next() {
    let mut messages = stream(100, |_| vec![0]);
    (50..60).for_each(|number| messages[number].1 = None);
    let given = Given::of(&messages);
    assert_eq!((given.numbers, given.longest_wait), (all(100), Duration::ZERO));
}

#[test]
fn a_message_without_a_time_overtakes_nothing_that_waits() {
    let mut messages = stream(100, |number| if number == 50 { vec![] } else { vec![0] });
    messages[51].1 = None; // number 52; 51 waits for 50
    let told = Given::of(&messages).numbers;
    assert_eq!(told, (0..100).filter(|number| *number != 50).map(Some).collect::<Vec<_>>());
}

#[test]
fn long_messages_wait_for_a_fifth_of_a_second_at_most() {
    for (samples, longest) in [(160, 40), (800, 200), (8_000, 200)] {
        let (mut order, length) = (InOrder::new(RATE), samples as u64 / 8);
        let ahead = 10 * length + 300;
        for time in (0..10).map(|number| number * length).chain([ahead]) {
            order.came(ms(time), Some(ms(time)), &vec![0; samples]);
        }
        assert_eq!(order.poll_timeout(), Some(ms(ahead + longest)), "{length} ms");
    }
}

#[test]
fn a_wall_clock_for_a_media_time_loses_nothing() {
    let messages = stream(500, |_| vec![0]).into_iter();
    let jittered = messages.map(|(number, at, now)| (number, at.map(|at| at + number as u64 * 7 % 9), now));
    assert_eq!(Given::of(&jittered.collect::<Vec<_>>()).numbers, all(500));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The first messages earn the trust. Row N2 of the fault table: 5 % overtaken and 5 % doubled, at a jitter of 30 ms on the way from the carrier's own network.
    #[test]
    fn reordered_and_doubled_streams_lose_under_a_percent_and_wait_80_ms_at_most(seed in prop::collection::vec((0_u8..100, 0_u8..100, 0_u64..30), 500)) {
        let messages = stream(500, |number| {
            let (reordered, doubled, late) = seed[number as usize];
            let base = if reordered < 5 && number > 5 { 20 + late / 2 } else { 0 };
            if doubled < 5 && number > 5 { vec![base, base + late] } else { vec![base] }
        });
        let given = Given::of(&messages);
        let told: Vec<i16> = given.numbers.iter().flatten().copied().collect();
        prop_assert_eq!(told, (0..500).collect::<Vec<_>>());
        prop_assert!(given.longest_wait <= ms(80));
    }

    /// Whatever a sender writes for times after it was believed: what is left out is no more than what was told as missing and half a message for
    /// each telling, and nothing is given twice.
    #[test]
    fn what_a_caller_says_is_never_lost_to_times_that_say_nothing(steps in prop::collection::vec((0_u8..14, 0_u64..60), 0..400)) {
        let (mut time, mut now, mut messages) = (0_u64, 0, Vec::new());
        for number in 0..50 + steps.len() {
            let (way, after) = if number < 50 { (13, 20) } else { steps[number - 50] };
            let at = match way {
                0 => time.checked_sub(20),
                1 => time.checked_sub(9),
                2 => time.checked_sub(300),
                3 => time.checked_sub(2_000),
                4 => Some(time + 20),
                5 => Some(time + 60),
                6 => Some(time + 400),
                7 => Some(time + 2_000),
                8 => None,
                _ => Some(time),
            };
            time = at.unwrap_or(time) + 20;
            now += after;
            messages.push((number as i16, at, now));
        }
        let given = Given::of(&messages);
        let told: Vec<i16> = given.numbers.iter().flatten().copied().collect();
        let once: BTreeSet<i16> = told.iter().copied().collect();
        prop_assert_eq!(told.len(), once.len(), "twice");
        let lost = ms(20 * (messages.len() - told.len()) as u64);
        prop_assert!(lost <= given.missing + ms(10) * given.holes, "{lost:?} lost, {:?} missing", given.missing);
    }

    #[test]
    fn any_times_at_all_are_taken(messages in prop::collection::vec((any::<Option<u64>>(), 0_u64..200, 0_usize..400), 0..200)) {
        let (mut order, mut now) = (InOrder::new(RATE), Duration::ZERO);
        let (mut came, mut given) = (0, 0);
        for (at, after, samples) in messages {
            now += ms(after);
            came += samples;
            if order.came(now, at.map(ms), &vec![0; samples]) == Place::Next {
                given += samples;
            }
            while let Some(piece) = order.ready(now) {
                given += if let Piece::Audio(samples) = piece { samples.len() } else { 0 };
            }
        }
        while let Some(piece) = order.ready(now + ms(500)) {
            given += if let Piece::Audio(samples) = piece { samples.len() } else { 0 };
        }
        prop_assert_eq!(given, came, "no two of such times are alike");
    }
}
