#![allow(clippy::unwrap_used)]
use tandem_peers::caller::Step;
use tandem_peers::universe::dictation::Dictation;
use tandem_peers::universe::scenario::{Cue, Desk, Meaning};

use super::*;
use crate::check::made_up::made_up;
use crate::exchange::Overheard;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// The first go of the caller means that.
fn meaning(run: &mut Run, cue: Cue) {
    run.case.scenario.caller.script = vec![Step::Say(cue)];
}

#[test]
fn an_agent_that_was_stopped_by_a_command_gave_way_and_by_a_backchannel_did_not_go_on() {
    let mut run = made_up().says_but("one two three four", "one").interrupted_after(MS(300)).run();
    meaning(&mut run, Cue::meant(Meaning::Command, "wait"));
    let figures = Figures::of(&run, &[]);
    assert_eq!((figures.honoured, figures.false_barge_ins), (Share { count: 1, of: 1 }, Share::default()));
    meaning(&mut run, Cue::meant(Meaning::Backchannel, "mm-hmm"));
    let figures = Figures::of(&run, &[]);
    assert_eq!((figures.honoured, figures.false_barge_ins), (Share::default(), Share { count: 1, of: 1 }));
}

#[test]
fn an_agent_that_goes_on_to_its_end_ignored_a_command_and_talked_through_a_cough() {
    let mut run = made_up().says("one two three four five six").interrupted_after(MS(4_000)).pause(MS(3_000)).run();
    run.goes[0].ended = run.goes[0].began + MS(700);
    meaning(&mut run, Cue::meant(Meaning::Command, "wait"));
    assert_eq!(Figures::of(&run, &[]).honoured, Share { count: 0, of: 1 });
    meaning(&mut run, Cue::Cough(1));
    assert_eq!(Figures::of(&run, &[]).false_barge_ins, Share { count: 0, of: 1 });
}

#[test]
fn who_speaks_before_a_held_voice_is_heard_again_has_cut_it_and_otherwise_the_room_has() {
    let by_the_room = made_up().says_but("one two three", "one").pause(MS(2_000)).says("four five six").run();
    assert_eq!(Figures::of(&by_the_room, &[]).unprovoked, 1);
    let held = made_up().says_but("one two three", "one").pause(MS(1_200));
    let by_the_caller = held.caller(MS(800), true).says("four five six").run();
    assert_eq!(Figures::of(&by_the_caller, &[]).unprovoked, 0);
    let too_late = made_up().says_but("one two three", "one").pause(MS(2_000)).says("four five six");
    let too_late = too_late.caller(MS(800), true).pause(MS(2_000)).run();
    assert_eq!(Figures::of(&too_late, &[]).unprovoked, 1);
}

#[test]
fn yes_into_a_question_is_not_judged_and_behind_one_is_an_answer() {
    let mut run = made_up().says_but("one. is two three?", "one. is two").interrupted_after(MS(300)).run();
    meaning(&mut run, Cue::meant(Meaning::Assent, "yes"));
    let figures = Figures::of(&run, &[]);
    assert_eq!((figures.honoured.of, figures.false_barge_ins.of), (0, 0));
    let mut run = made_up().says_but("is two? three four", "is two? three").interrupted_after(MS(300)).run();
    meaning(&mut run, Cue::meant(Meaning::Assent, "yes"));
    assert_eq!(Figures::of(&run, &[]).honoured, Share { count: 1, of: 1 });
}

/// A caller who reads out a number, asked for it by these words; committed in its pause, and once it is whole.
fn number_read_out(question: &str) -> Run {
    let mut run = made_up().says(question).caller(MS(4_000), true).pause(MS(2_000)).run();
    run.case.scenario.desk = Desk::ContactDesk;
    meaning(&mut run, Cue::Dictated(Dictation::of(Dictated::Phone, &["nine eight", "one two"], MS(900))));
    let (began, ended) = (run.goes[0].began, run.goes[0].ended);
    for at in [began + MS(1_500), ended + MS(700)] {
        run.overheard.push((at, Overheard::Asked { text: "nine eight".into() }));
    }
    run
}

/// The agent is heard for half a second from then on.
fn is_heard(run: &mut Run, at: Duration) {
    let frame = (at.as_millis() / 20) as usize;
    run.tape.agent_samples[frame..frame + 25].fill(160);
    run.tape.ear[frame * 160..(frame + 25) * 160].fill(3_000);
}

#[test]
fn an_agent_that_is_heard_in_a_pause_cuts_a_number_off() {
    let mut run = number_read_out("What is your phone number?");
    let unheard = Figures::of(&run, &[]);
    assert_eq!(
        (unheard.cut_off[&Dictated::Phone], unheard.taken_back),
        (Share { count: 0, of: 1 }, Share { count: 1, of: 1 })
    );
    let (began, ended) = (run.goes[0].began, run.goes[0].ended);
    is_heard(&mut run, began + MS(1_900));
    let heard = Figures::of(&run, &[]);
    assert_eq!(
        (heard.cut_off[&Dictated::Phone], heard.taken_back),
        (Share { count: 1, of: 1 }, Share { count: 0, of: 1 })
    );
    assert!(heard.endpointing_dictated.is_empty(), "it became two turns");
    run.overheard.retain(|(at, _)| *at > ended);
    let whole = Figures::of(&run, &[]);
    assert_eq!((whole.cut_off[&Dictated::Phone].count, whole.endpointing_dictated), (0, vec![MS(700)]));
}

#[test]
fn an_answer_to_the_beginning_of_a_number_cuts_it_off_however_late_it_is_heard() {
    let became = |heard_behind: u64, committed_again: bool| {
        let mut run = number_read_out("What is your phone number?");
        let ended = run.goes[0].ended;
        if !committed_again {
            run.overheard.retain(|(at, _)| *at < ended);
        }
        is_heard(&mut run, ended + MS(heard_behind));
        let figures = Figures::of(&run, &[]);
        (figures.cut_off[&Dictated::Phone].count, figures.taken_back.count)
    };
    assert_eq!(became(300, true), (1, 0), "before the whole was committed");
    assert_eq!(became(1_000, true), (0, 1), "an answer to the whole");
    assert_eq!(became(1_000, false), (1, 0), "nobody took the turn up again");
}

#[test]
fn a_number_counts_apart_where_it_was_not_asked_for() {
    for (question, asked) in [
        ("What is your phone number?", 1),
        ("Please tell me the ten digits of your number.", 1),
        ("I have nine eight. Please go on.", 1),
        ("What is your PIN code?", 0),
        ("What is your", 0),
    ] {
        let figures = Figures::of(&number_read_out(question), &[]);
        let counted = figures.cut_off.get(&Dictated::Phone).map_or(0, |share| share.of);
        assert_eq!((counted, figures.cut_off_unasked.of), (asked, 1 - asked), "{question}");
        assert_eq!(figures.asked_for, Share { count: asked, of: 1 }, "{question}");
    }
}

#[test]
fn what_was_asked_early_counts_when_it_is_used_and_not_when_it_is_wasted() {
    let made_up = made_up().says("your phone number?").caller(MS(4_000), true).pause(MS(2_000));
    let mut run = made_up.noted("preemptive_wasted", MS(6_000)).noted("preemptive_used", MS(7_500)).run();
    run.case.scenario.desk = Desk::ContactDesk;
    meaning(&mut run, Cue::Dictated(Dictation::of(Dictated::Phone, &["nine eight", "one two"], MS(900))));
    let ended = run.goes[0].ended;
    assert_eq!(ended, MS(7_000));
    let asked = |at| (MS(at), Overheard::Asked { text: "nine eight".into() });
    run.overheard.extend([asked(5_700), asked(7_200), asked(8_900)]);
    let figures = Figures::of(&run, &[]);
    assert_eq!((figures.cut_off[&Dictated::Phone].count, figures.endpointing_dictated), (0, vec![MS(500)]));
    run.overheard.insert(0, (MS(100), Overheard::Met));
    assert_eq!(Figures::of(&run, &[]).endpointing_dictated, [MS(600)], "the timeline begins with the call");
}

#[test]
fn a_voice_goes_on_at_the_right_word_if_none_is_lost_and_one_at_most_said_again() {
    let resumed = |said: &str, cleared_before: usize| {
        let mut run = made_up().says(said).run();
        run.tape.clears = vec![(run.heard[cleared_before].start / 160) as usize - 5];
        Figures::of(&run, &[]).resumed
    };
    // what was meant is what the record has: the made-up agent says it as it is written
    assert_eq!(resumed("one two three four", 2), Share { count: 1, of: 1 });
    let mut lost = made_up().says("one two three four five six").run();
    lost.tape.clears = vec![(lost.heard[2].start / 160) as usize - 5];
    lost.heard.remove(3);
    lost.heard.remove(2);
    assert_eq!(Figures::of(&lost, &[]).resumed, Share { count: 0, of: 1 });
    let mut again = made_up().says("one two three four").run();
    let word = again.heard[1].clone();
    again.heard.insert(2, tandem_peers::voice::Heard { start: word.end + 800, end: word.end + 1_600, ..word });
    again.tape.clears = vec![((again.heard[1].end + 400) / 160) as usize];
    assert_eq!(Figures::of(&again, &[]).resumed, Share { count: 1, of: 1 });
}

#[test]
fn figures_add_up_and_name_what_is_missed() {
    let mut one = Figures::default();
    one.false_barge_ins.add(true);
    one.honoured.add(true);
    one.barge_ins = vec![MS(200), MS(400)];
    one.transcripts.add(true);
    one.asked_for.add(true);
    let sum = Figures::sum([&one, &one]);
    assert_eq!((sum.false_barge_ins, sum.barge_ins.len()), (Share { count: 2, of: 2 }, 4));
    assert_eq!((percentile(&sum.barge_ins, 50), percentile(&[], 50)), (MS(400), Duration::ZERO));
    let missed = sum.missed();
    assert!(missed.len() == 1 && missed[0].contains("at most 3 %: MISSED"), "{missed:?}");
    let json = sum.to_json();
    assert_eq!(json["shares"]["interruptions_honoured"]["met"], true);
}
