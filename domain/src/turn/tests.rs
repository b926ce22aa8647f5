use super::*;
use crate::agent::Timing;

const SILENCE: Duration = Duration::from_millis(500);

#[allow(clippy::disallowed_methods)] // a made-up clock needs an origin
fn origin() -> Instant {
    Instant::now()
}
fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
fn turns() -> Turns {
    let timing = Timing { endpoint_silence: SILENCE, ..Timing::default() };
    Turns::new(Endpointing::new(&timing, "en"))
}

#[test]
fn a_turn_ends_when_silence_and_words_are_both_there() {
    let (t0, mut turns) = (origin(), turns());
    assert_eq!(turns.speech_started(800, t0, false), None);
    let asked = turns.speech_ended(t0 + ms(1_200), 8_800, t0 + ms(1_000), false);
    assert_eq!(asked, Some(TurnAction::Transcribe { turn: TurnId(1), from: 800, to: 8_800 }));
    assert_eq!(
        turns.transcript(t0 + ms(1_400), TurnId(1), 8_800, " in Delhi ", Some(0.9), Covers::WholeTurn),
        None,
        "silence is not full"
    );
    assert_eq!(turns.poll_timeout(), Some(t0 + ms(1_500)));
    let Some(TurnAction::Commit(turn)) = turns.handle_timeout(t0 + ms(1_500)) else { panic!("no commit") };
    assert_eq!((turn.text.as_str(), turn.ended, turn.endpoint), ("in Delhi", t0 + ms(1_000), t0 + ms(1_500)));
}

#[test]
fn late_words_commit_at_once() {
    let (t0, mut turns) = (origin(), turns());
    turns.speech_started(0, t0, false);
    turns.speech_ended(t0 + ms(200), 0, t0, false);
    assert_eq!(turns.handle_timeout(t0 + ms(600)), None, "the words are not there yet");
    let commit = turns.transcript(t0 + ms(900), TurnId(1), 0, "yes", None, Covers::WholeTurn);
    assert!(matches!(commit, Some(TurnAction::Commit(_))));
}

#[test]
fn a_silent_recogniser_does_not_hold_the_call() {
    let (t0, mut turns) = (origin(), turns());
    turns.speech_started(0, t0, false);
    turns.speech_ended(t0, 0, t0, false);
    assert_eq!(turns.handle_timeout(t0 + TRANSCRIPT_LIMIT - ms(1)), None);
    let Some(TurnAction::Commit(turn)) = turns.handle_timeout(t0 + TRANSCRIPT_LIMIT) else { panic!("no commit") };
    assert_eq!(turn.text, "");
}

#[test]
fn a_pause_inside_a_turn_is_no_end() {
    let (t0, mut turns) = (origin(), turns());
    turns.speech_started(0, t0, false);
    turns.speech_ended(t0 + ms(200), 8_000, t0, false);
    turns.transcript(t0 + ms(250), TurnId(1), 8_000, "sixty", None, Covers::WholeTurn);
    assert_eq!(turns.speech_started(11_000, t0 + ms(400), false), None);
    assert_eq!(turns.transcript(t0 + ms(420), TurnId(1), 8_000, "sixty", None, Covers::WholeTurn), None);
    let again = turns.speech_ended(t0 + ms(900), 16_000, t0 + ms(700), false);
    assert_eq!(
        again,
        Some(TurnAction::Transcribe { turn: TurnId(1), from: 0, to: 16_000 }),
        "from the beginning of the turn"
    );
}

#[test]
fn finals_of_streaming_engines_add_up() {
    let mut words = Words::default();
    words.settle("sixty", None, Covers::SinceLastFinal);
    words.settle("lakh rupees", Some(0.8), Covers::SinceLastFinal);
    assert_eq!(words.text, "sixty lakh rupees");
    words.settle("sixty lakh rupees", None, Covers::WholeTurn);
    assert_eq!(words.text, "sixty lakh rupees");
}

#[test]
fn going_on_before_the_reply_reopens_the_turn_and_after_it_begins_another() {
    let (t0, mut turns) = (origin(), turns());
    turns.speech_started(0, t0, false);
    turns.speech_ended(t0, 0, t0, false);
    turns.transcript(t0 + SILENCE, TurnId(1), 0, "A house", None, Covers::WholeTurn);
    assert_eq!(turns.speech_started(9_000, t0 + ms(600), false), Some(TurnAction::Reopen(TurnId(1))));
    turns.speech_ended(t0 + ms(900), 12_000, t0 + ms(800), false);
    turns.transcript(t0 + ms(1_300), TurnId(1), 12_000, "A house in Delhi", None, Covers::WholeTurn);
    turns.reply_heard();
    assert_eq!(turns.speech_started(20_000, t0 + ms(2_000), true), None);
    let asked = turns.speech_ended(t0 + ms(2_600), 24_000, t0 + ms(2_400), false);
    assert!(matches!(asked, Some(TurnAction::Transcribe { turn: TurnId(2), .. })));
}

#[test]
fn a_short_sound_under_our_voice_is_nobodys_turn_but_a_short_answer_is() {
    let (t0, mut turns) = (origin(), turns());
    turns.speech_started(0, t0, true);
    assert_eq!(turns.speech_ended(t0 + ms(300), 800, t0 + ms(100), true), None);
    assert!(!turns.is_open());
    turns.speech_started(9_000, t0 + ms(900), true);
    assert!(
        turns.speech_ended(t0 + ms(1_300), 9_800, t0 + ms(1_000), false).is_some(),
        "our voice had ended: it was an answer"
    );
}

#[test]
fn a_restarted_recogniser_is_asked_again() {
    let (t0, mut turns) = (origin(), turns());
    assert_eq!(turns.unanswered(t0), None);
    turns.speech_started(5, t0, false);
    turns.speech_ended(t0, 50, t0, false);
    assert_eq!(turns.unanswered(t0 + ms(300)), Some(TurnAction::Transcribe { turn: TurnId(1), from: 5, to: 50 }));
    assert_eq!(turns.poll_timeout(), Some(t0 + ms(300) + TRANSCRIPT_LIMIT));
}

#[test]
fn the_answer_to_a_superseded_question_is_dropped() {
    let (t0, mut turns) = (origin(), turns());
    turns.speech_started(0, t0, false);
    turns.speech_ended(t0 + ms(200), 4_000, t0, false);
    turns.speech_started(6_000, t0 + ms(300), false);
    turns.speech_ended(t0 + ms(900), 12_000, t0 + ms(700), false);
    turns.transcript(t0 + ms(950), TurnId(1), 4_000, "sixty", None, Covers::WholeTurn);
    assert_eq!(turns.handle_timeout(t0 + ms(1_300)), None, "the whole turn is still being recognised");
    let commit = turns.transcript(t0 + ms(1_400), TurnId(1), 12_000, "sixty lakh", None, Covers::WholeTurn);
    assert!(matches!(commit, Some(TurnAction::Commit(turn)) if turn.text == "sixty lakh"));
}

#[test]
fn speech_that_never_ends_is_cut() {
    let (t0, mut turns) = (origin(), turns());
    turns.speech_started(800, t0, false);
    let cut = turns.handle_timeout(t0 + LONGEST_SPEECH);
    assert_eq!(cut, Some(TurnAction::Transcribe { turn: TurnId(1), from: 800, to: 240_800 }));
    assert!(!turns.caller_speaking());
}
