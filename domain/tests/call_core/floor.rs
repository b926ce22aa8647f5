//! The caller speaks over our voice: it is held, and goes on or is dropped by what was said.

use tandem_domain::agent::Timing;
use tandem_domain::barge_in::{Ground, List};
use tandem_domain::call_core::Input;
use tandem_domain::echo::Loudness;
use tandem_domain::ids::UtteranceId;
use tandem_domain::journal::Setup;
use tandem_domain::playbook::Playbook;
use tandem_domain::port::brain::BrainEvent;
use tandem_domain::port::stt::Covers;
use tandem_domain::record::EndReason;

use crate::world::{SENTENCE, World, ms};

/// Our greeting is in the caller's ear, half of it, and the caller has spoken over it for so long.
fn spoken_over(length: u64) -> World {
    let mut world = World::new(Timing::default());
    world.play();
    world.heard = SENTENCE / 2;
    world.speak(length);
    assert_eq!((world.holds, world.cuts), (1, 0));
    world
}

#[test]
fn who_listens_aloud_lets_us_go_on_and_has_said_nothing() {
    let mut world = spoken_over(500);
    world.understand("mm-hmm");
    assert_eq!((world.cuts, world.resumed.as_slice()), (0, &[Ground::Backchannel][..]));
    assert!(world.core.agent_speaking() && !world.core.turn_is_open());
    world.play_all();
    let greeting = world.responses()[0];
    assert!(!greeting.interrupted && greeting.heard == greeting.text, "{greeting:?}");
    assert!(world.turns().is_empty(), "no turn of the caller's");
    world.say("I want an apartment in Delhi");
    world.pass(ms(60));
    world.play_all();
    assert_eq!(world.turns().last().unwrap().1, "I want an apartment in Delhi");
}

#[test]
fn lists_that_come_as_data_are_heard_by_and_are_in_the_journal() {
    let list = List::from_toml("language = 'mr'\nheard_in = ['*']\nbackchannels = ['ho ka']").unwrap();
    for (lexicons, resumes) in [(Vec::new(), 0), (vec![list], 1)] {
        let mut world = World::before(Setup { lexicons, ..Setup::default() }); // runs it again from its journal as it ends
        world.input(Input::Started);
        world.play();
        world.heard = SENTENCE / 2;
        world.speak(500);
        world.understand("ho ka");
        assert_eq!((world.resumed.len(), world.cuts), (resumes, 1 - resumes));
    }
}

#[test]
fn whoever_has_changed_the_language_nods_in_it() {
    for (language, resumes) in [("en", 0), ("hi", 1)] {
        let mut world = World::before(Setup::default());
        world.brain_in(language); // the agent's own is English
        world.input(Input::Started);
        world.play();
        world.heard = SENTENCE / 2;
        world.speak(500);
        world.understand("हाँ जी");
        assert_eq!((world.resumed.len(), world.cuts), (resumes, 1 - resumes), "{language}");
    }
}

#[test]
fn a_cough_whose_words_never_come_lets_us_go_on() {
    let mut world = spoken_over(400);
    world.pass(ms(1_300));
    assert_eq!(world.resumed, [Ground::Nothing]);
    world.pass(ms(4_000));
    assert_eq!(world.cuts, 0, "nor does the recogniser's silence end our voice later");
    assert!(world.core.agent_speaking());
}

#[test]
fn words_that_come_after_we_went_on_still_interrupt_and_agreement_does_not() {
    let mut world = spoken_over(400);
    world.pass(ms(1_300));
    world.words("no, a villa in Pune");
    world.pass(ms(600));
    assert_eq!((world.resumed.len(), world.cuts), (1, 1));
    assert!(world.last_text().contains("Pune"), "{}", world.last_text());

    let mut world = spoken_over(400);
    world.pass(ms(1_300));
    world.words("okay, right");
    world.pass(ms(600));
    assert_eq!((world.resumed.len(), world.cuts), (1, 0));
    assert!(world.core.agent_speaking());
}

#[test]
fn long_speech_takes_the_floor_without_a_word() {
    let mut world = World::new(Timing::default());
    world.play();
    world.heard = SENTENCE / 2;
    world.begin();
    assert_eq!((world.holds, world.cuts), (1, 0));
    world.pass(ms(2_500));
    assert_eq!(world.cuts, 1);
}

#[test]
fn partial_words_decide_before_the_speech_ends() {
    let mut world = World::new(Timing::default());
    world.play();
    world.heard = SENTENCE / 2;
    world.begin();
    world.input(Input::Partial("mm".into()));
    assert_eq!(world.cuts, 0);
    world.input(Input::Partial("wait".into()));
    assert_eq!(world.cuts, 1);
}

#[test]
fn a_key_takes_the_floor_that_is_held_and_the_end_of_the_call_ends_it() {
    let mut world = spoken_over(400);
    world.input(Input::Dtmf('1'));
    assert_eq!((world.cuts, world.resumed.len()), (1, 0));

    let mut world = spoken_over(400);
    world.input(Input::Ended(tandem_domain::record::EndReason::CallerHangup));
    assert_eq!(world.cuts, 1, "what was heard is on record");
    assert_eq!(world.ended.len(), 1);
    assert_eq!(world.core.poll_timeout(), None);
}

#[test]
fn a_voice_that_had_nothing_left_to_say_is_not_held_back() {
    let mut world = World::new(Timing::default());
    world.play();
    world.heard = SENTENCE * 10;
    world.speak(600);
    assert_eq!((world.holds, world.cuts), (1, 1), "all was heard: the caller's turn");
}

/// What the timeline has of this kind.
#[test]
fn the_words_of_a_turn_that_was_none_are_in_the_timeline() {
    let mut world = spoken_over(500);
    world.understand("mm-hmm, okay");
    assert_eq!(world.events("resumed"), ["backchannel: mm-hmm, okay"]);
}

#[test]
fn the_recognisers_answer_to_an_older_question_is_not_all_that_was_said() {
    let mut world = World::new(Timing::default());
    world.play();
    world.heard = SENTENCE / 2;
    world.begin();
    world.end(4_000);
    let (turn, _, first) = *world.transcribe.last().unwrap();
    world.input(Input::SpeechStarted { at: 6_000, began: world.now });
    world.pass(ms(300));
    world.end(9_000);
    world.answered(turn, first, "okay", Covers::WholeTurn);
    assert!(world.resumed.is_empty() && world.cuts == 0, "the caller has said more");
    world.words("okay, but not in Delhi");
    assert_eq!((world.resumed.len(), world.cuts), (0, 1));
}

#[test]
fn a_key_ends_our_voice_and_the_ladder_goes_on() {
    let mut world = World::new(Timing::default());
    world.input(Input::Dtmf('1'));
    assert_eq!(world.cuts, 0, "nobody has heard anything yet");
    world.play();
    world.heard = SENTENCE / 2;
    world.input(Input::Dtmf('2'));
    assert_eq!((world.holds, world.cuts), (0, 1));
    assert_eq!(world.events("barge_in"), ["key"]);
    assert!(world.responses()[0].interrupted);
    let spoken = world.spoken.len();
    world.pass(Timing::default().turn_after_silence);
    assert!(world.spoken.len() > spoken, "who pressed a key and says nothing is asked");
}

#[test]
fn a_key_in_the_last_words_takes_the_end_back() {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.say("goodbye");
    world.play();
    world.heard = SENTENCE / 4;
    world.input(Input::Dtmf('1'));
    assert_eq!((world.cuts, world.ended.len()), (1, 0));
}

/// An opening of two sentences, of which the first has to be heard.
fn disclosing() -> World {
    let mut world = World::new(Timing::default());
    world.play_all();
    world.hold_brain = true;
    world.say("I want an apartment in Delhi");
    let (ask, _) = world.asks.pop_front().unwrap();
    let say = |text: &str| BrainEvent::Say(text.to_owned());
    for event in [BrainEvent::Protect, say("This call is recorded."), say("An apartment in Delhi.")] {
        world.input(Input::Brain { ask, event });
    }
    world.input(Input::BrainDone { ask });
    world.play();
    world.hold_brain = false;
    world
}

#[test]
fn nobodys_speech_and_no_key_stops_what_has_to_be_heard() {
    let mut world = disclosing();
    world.heard = SENTENCE / 2;
    world.speak(600);
    world.input(Input::Dtmf('1'));
    world.understand("in Pune");
    world.pass(ms(600));
    assert_eq!((world.holds, world.cuts), (0, 0));
    assert_eq!(world.events("postponed"), ["in Pune"]);
    world.play_all();
    assert!(world.last_text().contains("Pune"), "answered behind it: {}", world.last_text());
    world.pass(ms(100));
    world.play_all();
    let words: Vec<String> = world.turns().into_iter().map(|(_, text)| text).collect();
    assert_eq!(words, ["I want an apartment in Delhi", "in Pune"]);
}

#[test]
fn a_playbooks_consent_is_heard_whole_and_what_is_said_over_it_answers_it() {
    let desk = "name = 'x'\ntitle = 'X'\ngreeting = ['Hello.']\nconfirmation = { policy = 'none' }\n\
        [[slots]]\nname = 'age'\ntype = 'number'\nprompt = 'How old are you?'\n\
        [[slots]]\nname = 'consent'\ntype = 'yes_no'\nprompt = 'We keep your number. Do you agree?'\nprotected = true";
    let mut world = World::before(Setup::default());
    world.runs(Playbook::from_toml(desk).unwrap());
    world.input(Input::Started);
    world.play_all();
    world.say("forty");
    world.pass(ms(300));
    world.play();
    assert_eq!(world.core.protected_sentences(), [0]);
    world.heard = SENTENCE * 3 / 4;
    world.speak(600);
    world.understand("yes");
    world.pass(ms(600));
    assert_eq!((world.holds, world.cuts), (0, 0), "nobody's speech stops it");
    assert!(!world.slots().contains_key("consent"));
    world.play_all();
    assert_eq!(world.slots()["consent"], true, "answered behind it: {}", world.last_text());
    let question = world.responses()[1];
    assert!(!question.interrupted && question.heard == question.text, "{question:?}");
}

#[test]
fn behind_what_has_to_be_heard_we_are_interrupted_as_ever() {
    let mut world = disclosing();
    world.heard = SENTENCE - 4_000;
    world.begin();
    assert_eq!((world.holds, world.cuts), (0, 0));
    world.heard = SENTENCE + 800;
    world.pass(ms(501));
    assert_eq!(world.holds, 1, "the caller still speaks when the passage is over");
    world.input(Input::Partial("wait".into()));
    assert_eq!(world.cuts, 1);
}

#[test]
fn who_hangs_up_in_a_protected_passage_has_said_what_was_said() {
    let mut world = disclosing();
    world.heard = SENTENCE / 2;
    world.speak(600);
    world.understand("in Pune");
    world.pass(ms(600));
    world.input(Input::Ended(EndReason::CallerHangup));
    assert_eq!(world.turns().last().unwrap().1, "in Pune");
}

#[test]
fn a_key_interrupts_only_where_it_may_and_shows_in_any_case_that_somebody_is_there() {
    for interrupt_on_dtmf in [true, false] {
        let mut world = World::new(Timing { interrupt_on_dtmf, ..Timing::default() });
        world.play();
        world.heard = SENTENCE / 2;
        world.input(Input::Dtmf('1'));
        assert_eq!(world.cuts, usize::from(interrupt_on_dtmf));
        assert_eq!(world.events("dtmf"), ["1"]);
        assert_eq!(world.core.agent_speaking(), !interrupt_on_dtmf);
        if !interrupt_on_dtmf {
            world.play_all();
            world.pass(ms(6_500));
            world.input(Input::Dtmf('2'));
            world.pass(ms(6_500));
            assert_eq!(world.spoken.last().unwrap().0, UtteranceId(1), "nobody is asked whether they are there");
        }
    }
}

/// The line brings in speech at this level, and our own voice is known to come back on it at -45 dBFS.
fn loudness(loudest: f32) -> Input {
    Input::Loudness(Loudness { loudest, now: loudest, played: -18.0, line: Some(-45.0), proven: true, caller: None })
}

/// The detector hears speech that is as loud as our echo, for 600 ms.
fn an_echo() -> World {
    let mut world = World::new(Timing::default());
    world.play();
    world.heard = SENTENCE / 2;
    world.input(Input::SpeechStarted { at: 0, began: world.now });
    world.pass(ms(200));
    world.input(loudness(-44.0));
    world.input(Input::SpeechSustained);
    world.pass(ms(400));
    assert_eq!((world.holds, world.cuts), (0, 0), "our voice is not held for itself");
    world
}

#[test]
fn our_own_voice_on_a_loudspeaker_is_no_turn() {
    let mut world = an_echo();
    world.end(4_800);
    assert!(world.transcribe.is_empty() && !world.core.turn_is_open(), "nobody is asked what we said");
    world.play_all();
    assert!(world.turns().is_empty() && !world.responses()[0].interrupted);
    world.say("I want an apartment in Delhi");
    world.pass(ms(60));
    world.play_all();
    assert_eq!(world.turns().last().unwrap().1, "I want an apartment in Delhi");
}

#[test]
fn who_speaks_in_the_middle_of_our_echo_holds_our_voice() {
    let mut world = an_echo();
    world.input(loudness(-22.0));
    assert_eq!((world.holds, world.cuts), (1, 0));
    world.end(8_000);
    world.understand("wait a moment");
    assert_eq!((world.cuts, world.events("barge_in")), (1, vec!["command"]));
}

#[test]
fn a_room_that_goes_on_behind_a_nod_lets_us_go_on_and_the_caller_holds_us_again() {
    let mut world = World::new(Timing::default());
    let faded =
        |now| Input::Loudness(Loudness { loudest: -20.0, now, played: -18.0, line: None, proven: false, caller: None });
    world.play();
    world.heard = SENTENCE / 2;
    world.begin();
    world.input(faded(-34.0));
    world.pass(ms(5_000));
    assert_eq!((world.holds, world.cuts, world.resumed.as_slice()), (1, 0, &[Ground::Noise][..]));
    world.input(faded(-21.0));
    assert_eq!(world.holds, 2);
    world.pass(ms(2_400));
    assert_eq!(world.cuts, 0, "counted from when the caller spoke up");
    world.pass(ms(100));
    assert_eq!(world.cuts, 1);
}

#[test]
fn a_recogniser_that_makes_up_words_says_nothing() {
    let mut world = spoken_over(500);
    world.understand("zek tol vim qua xor ply gna fub hesk dwo jit ula osp irk");
    assert_eq!((world.cuts, world.resumed.as_slice()), (0, &[Ground::Nothing][..]));
}
