//! The brain that asks a model: what the model is told, when the caller hears what, and what becomes of an answer that is none.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use futures_util::{FutureExt, StreamExt, stream};
use tandem_domain::agent::{Agent, Script, SystemTool, Timing};
use tandem_domain::brain::model::{MOST_TOKENS, ModelBrain};
use tandem_domain::caller::{CallFacts, KnownCaller};
use tandem_domain::ids::{AgentId, BusinessId, TurnId};
use tandem_domain::port::EventStream;
use tandem_domain::port::brain::{Ask, Brain, BrainError, BrainEvent, BrainKind, Prompt, ToolCall};
use tandem_domain::port::llm::{AskedTool, Author, Finish, Llm, LlmError, LlmEvent, LlmSpec};
use tandem_domain::transcript::{Line, Role};

/// A model that says these pieces, over and over if it is told to, and keeps what it was asked.
#[derive(Clone, Default)]
struct Scripted {
    events: Vec<Result<LlmEvent, LlmError>>,
    endless: bool,
    asked: Arc<Mutex<Vec<LlmSpec>>>,
}

impl Llm for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn complete(&self, spec: LlmSpec) -> EventStream<LlmEvent, LlmError> {
        self.asked.lock().unwrap().push(spec);
        let events = self.events.clone();
        if self.endless { Box::pin(stream::iter(events.into_iter().cycle())) } else { Box::pin(stream::iter(events)) }
    }
}

fn texts(pieces: &[&str]) -> Vec<Result<LlmEvent, LlmError>> {
    pieces.iter().map(|piece| Ok(LlmEvent::Text((*piece).to_owned()))).collect()
}

fn finished(pieces: &[&str]) -> Scripted {
    let mut events = texts(pieces);
    events.push(Ok(LlmEvent::Finished(Finish::Stop)));
    Scripted { events, ..Scripted::default() }
}

fn agent() -> Agent {
    let script = Script {
        system_prompt: "You are Asha.".to_owned(),
        business_info: serde_json::json!({"company_name": "Acme"}).as_object().unwrap().clone(),
        ..Script::default()
    };
    Agent {
        id: AgentId(1),
        uuid: uuid::Uuid::nil(),
        business: BusinessId::FIRST,
        version: tandem_domain::agent_version::VersionNumber::FIRST,
        name: "assistant".to_owned(),
        playbook: String::new(),
        language: "en".to_owned(),
        voice: String::new(),
        asr_keywords: Vec::new(),
        first_message_inbound: None,
        timing: Timing::default(),
        uncertainty: Default::default(),
        ambience: Default::default(),
        recorded: true,
        terms: Default::default(),
        script,
    }
}

/// A caller who has heard us.
const MET: [(Role, &str); 1] = [(Role::Agent, "Hi!")];

fn heard(text: &str) -> Prompt {
    Prompt::Heard { text: text.to_owned(), confidence: None }
}

fn ask(prompt: Prompt, history: &[(Role, &str)]) -> Ask {
    let history: Vec<Line> =
        history.iter().map(|(role, text)| Line { role: *role, text: (*text).to_owned() }).collect();
    Ask { turn: TurnId(1), prompt, state: None, history: history.into() }
}

fn answer(llm: &Scripted, ask: Ask) -> Vec<Result<BrainEvent, BrainError>> {
    let brain = ModelBrain::new(Arc::new(llm.clone()), &agent(), &CallFacts::default());
    brain.respond(ask).collect().now_or_never().expect("the model is all there")
}

fn said(events: &[Result<BrainEvent, BrainError>]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| if let Ok(BrainEvent::Say(text)) = event { Some(text.as_str()) } else { None })
        .collect()
}

#[test]
fn the_model_is_told_who_it_is_and_what_was_heard() {
    let llm = finished(&["Yes."]);
    let history = [(Role::Agent, "Hi! This is"), (Role::System, "The page shows order 7."), (Role::User, "wait")];
    answer(&llm, ask(heard("cancel it"), &history));
    let asked = llm.asked.lock().unwrap();
    let [LlmSpec { messages, max_tokens, .. }] = asked.as_slice() else { panic!("asked once: {asked:?}") };
    assert_eq!(*max_tokens, MOST_TOKENS);
    assert!(
        messages[0].text.starts_with("You are Asha.\n\n## BUSINESS INFORMATION\nCompany: Acme\n\n## THIS CONVERSATION")
    );
    let rest: Vec<_> = messages.iter().map(|message| (message.author, message.text.as_str())).skip(1).collect();
    assert_eq!(
        rest,
        [
            (Author::Assistant, "Hi! This is"),
            (Author::System, "The page shows order 7."),
            (Author::User, "wait"),
            (Author::User, "cancel it"),
        ]
    );
}

#[test]
fn who_is_asked_again_is_told_once_what_the_caller_said() {
    let llm = finished(&["Yes."]);
    answer(&llm, ask(heard("cancel it"), &[(Role::User, "cancel it")]));
    assert_eq!(llm.asked.lock().unwrap()[0].messages.len(), 2);
}

#[test]
fn a_long_call_is_told_from_its_end() {
    let llm = finished(&["Yes."]);
    let long = "x".repeat(1_000);
    let history: Vec<_> = (0..100).map(|_| (Role::User, long.as_str())).collect();
    answer(&llm, ask(heard("and now?"), &history));
    let asked = llm.asked.lock().unwrap();
    let bytes: usize = asked[0].messages.iter().skip(1).map(|message| message.text.len()).sum();
    assert!((20_000..=25_000).contains(&bytes), "{bytes}");
    assert_eq!(asked[0].messages.last().unwrap().text, "and now?");
}

#[test]
fn a_sentence_is_said_as_soon_as_it_is_whole() {
    let (pieces, said_after) = (["Your", " order", " is", " out", ".", " It", " comes"], [0, 0, 0, 0, 0, 1, 1]);
    for (number, expected) in said_after.into_iter().enumerate() {
        let mut events = texts(&pieces[..=number]);
        events.push(Ok(LlmEvent::ToolCall(tandem_domain::port::llm::AskedTool {
            id: "call_a".to_owned(),
            name: "cancel".to_owned(),
            arguments: "{".to_owned(),
        })));
        let found = answer(&Scripted { events, ..Scripted::default() }, ask(heard("where"), &MET));
        assert_eq!(found[0], Ok(BrainEvent::FirstToken));
        assert_eq!(said(&found).len(), expected, "after {:?}: {found:?}", pieces[number]);
    }
}

#[test]
fn an_answer_that_breaks_off_says_its_whole_sentences_and_fails() {
    for (last, why) in [
        (Some(Err(LlmError::Refused { vendor: "scripted" })), "refused to answer"),
        (Some(Ok(LlmEvent::Restarted)), "broke off in the middle"),
        (None, "ended before its answer did"),
    ] {
        let mut events = texts(&["It is out. It com"]);
        events.extend(last);
        let found = answer(&Scripted { events, ..Scripted::default() }, ask(heard("where"), &MET));
        assert_eq!(said(&found), ["It is out."]);
        let Some(Err(error)) = found.last() else { panic!("{found:?}") };
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn another_model_begins_anew_while_nothing_was_said() {
    let mut events = texts(&["It is"]);
    events.push(Ok(LlmEvent::Restarted));
    events.extend(finished(&["Your order is out."]).events);
    let found = answer(&Scripted { events, ..Scripted::default() }, ask(heard("where"), &MET));
    assert_eq!(
        found,
        [Ok(BrainEvent::FirstToken), Ok(BrainEvent::FirstToken), Ok(BrainEvent::Say("Your order is out.".to_owned())),]
    );
}

#[test]
fn an_answer_without_a_word_is_a_failure() {
    for pieces in [&[][..], &["…", "\n"], &["\u{0}\u{1}\u{fffd}"]] {
        let found = answer(&finished(pieces), ask(heard("where"), &MET));
        assert!(matches!(found.last(), Some(Err(BrainError::Failed { vendor: "scripted", .. }))), "{found:?}");
    }
}

#[test]
fn an_endless_answer_is_left_after_its_bound() {
    let llm = Scripted { events: texts(&["And", " so on. "]), endless: true, ..Scripted::default() };
    let found = answer(&llm, ask(heard("go on"), &MET));
    assert_eq!(said(&found).len(), (MOST_TOKENS / 2) as usize);
    assert!(found.iter().all(Result::is_ok), "what was said stays said");
    let wide = Scripted { events: texts(&["x".repeat(8 * 1_024).as_str()]), endless: true, ..Scripted::default() };
    let bytes: usize = said(&answer(&wide, ask(heard("go on"), &MET))).iter().map(|text| text.len()).sum();
    assert!(bytes <= 64 * 1_024, "{bytes}");
}

#[test]
fn greeting_and_reprompts_need_no_model() {
    let llm = Scripted::default();
    for (prompt, line) in [
        (Prompt::Open, "Hi! This is assistant from Acme."),
        (Prompt::Unheard, "Sorry, I did not catch that. Could you say it again?"),
        (Prompt::Silence { rung: 0 }, "Are you still there?"),
        (Prompt::Silence { rung: 1 }, "Hello? I cannot hear you."),
        (Prompt::Silence { rung: 2 }, "If you can hear me, please say something."),
    ] {
        assert_eq!(said(&answer(&llm, ask(prompt, &[]))), [line]);
    }
    assert!(llm.asked.lock().unwrap().is_empty());
    let hindi = Agent { language: "hi-IN".to_owned(), ..agent() };
    let brain = ModelBrain::new(Arc::new(llm), &hindi, &CallFacts::default());
    let found: Vec<_> = brain.respond(ask(Prompt::Silence { rung: 0 }, &[])).collect().now_or_never().unwrap();
    assert_eq!(said(&found), ["क्या आप लाइन पर हैं?"]);
    assert_eq!((brain.kind(), brain.name(), brain.hints(None)), (BrainKind::Model, "scripted", vec![]));
}

#[test]
fn a_silent_caller_is_asked_the_open_question_in_the_model_s_other_words() {
    let llm = finished(&["In which city should it be?"]);
    let history = [(Role::Agent, "Hi! Where should it be?")];
    let rungs = [0, 1, 2].map(|rung| {
        let events = answer(&llm, ask(Prompt::Silence { rung }, &history));
        said(&events).join(" ")
    });
    assert_eq!(
        rungs,
        [
            "Are you still there?",
            "Hello? I cannot hear you. In which city should it be?",
            "If you can hear me, please say something. In which city should it be?",
        ]
    );
    let asked = llm.asked.lock().unwrap();
    assert_eq!(asked.len(), 2, "the first is by rule");
    let [_, question, told] = asked[0].messages.as_slice() else { panic!("{asked:?}") };
    assert_eq!((question.author, question.text.as_str()), (Author::Assistant, "Hi! Where should it be?"));
    assert!(told.author == Author::System && told.text.contains("other words"), "{told:?}");
}

#[test]
fn a_disclosure_comes_before_everything_until_it_was_heard() {
    let llm = finished(&["Eleven."]);
    let script = Script { disclosure: Some("I am a machine.".to_owned()), ..Script::default() };
    let brain = ModelBrain::new(Arc::new(llm), &Agent { script, ..agent() }, &CallFacts::default());
    let says = |prompt, history: &[(Role, &str)]| {
        let events: Vec<_> = brain.respond(ask(prompt, history)).collect().now_or_never().unwrap();
        said(&events).join(" ")
    };
    assert_eq!(says(Prompt::Open, &[]), "I am a machine. Hi! How's it going?");
    assert_eq!(says(heard("how much?"), &[]), "I am a machine. Hi! How's it going? Eleven.");
    assert_eq!(says(heard("Hello?"), &[]), "I am a machine. Hi! How's it going?");
    assert_eq!(says(heard("how much?"), &[(Role::Agent, "I am a machine.")]), "Eleven.");
}

#[test]
fn a_reprompt_without_a_model_is_the_line_alone() {
    let llm = Scripted::default();
    let events = answer(&llm, ask(Prompt::Silence { rung: 1 }, &[(Role::Agent, "Where should it be?")]));
    assert_eq!(said(&events), ["Hello? I cannot hear you."]);
    assert!(matches!(events.last(), Some(Err(BrainError::Failed { .. }))), "and the failure is told: {events:?}");
}

#[test]
fn who_asks_for_a_moment_is_given_one_without_the_model() {
    let llm = Scripted::default();
    let events: Vec<_> =
        answer(&llm, ask(heard("ek minute, let me check"), &MET)).into_iter().map(Result::unwrap).collect();
    assert_eq!(events, [BrainEvent::Say("Take your time.".to_owned()), BrainEvent::SkipTurn]);
    assert!(llm.asked.lock().unwrap().is_empty());
    let model = finished(&["Eleven."]);
    assert_eq!(said(&answer(&model, ask(heard("hold on, how much is it?"), &MET))), ["Eleven."]);
}

#[test]
fn a_model_may_leave_the_turn_to_the_caller_and_no_other_tool_is_an_answer() {
    for (name, skips) in [("skip_turn", true), ("transfer_to_number", false)] {
        let asked = AskedTool { id: "1".to_owned(), name: name.to_owned(), arguments: "{}".to_owned() };
        let events = vec![Ok(LlmEvent::ToolCall(asked)), Ok(LlmEvent::Finished(Finish::ToolCalls))];
        let found = answer(&Scripted { events, ..Scripted::default() }, ask(heard("I have to find my papers"), &MET));
        assert_eq!(found == [Ok(BrainEvent::SkipTurn)], skips, "{found:?}");
        assert_eq!(found.iter().any(Result::is_err), !skips, "{found:?}");
    }
}

#[test]
fn a_model_is_offered_what_its_agent_has_and_presses_keys_only_then() {
    let asked = |arguments: &str| AskedTool {
        id: "1".to_owned(),
        name: "play_keypad_tone".to_owned(),
        arguments: arguments.to_owned(),
    };
    let call = |tools: &[SystemTool], arguments: &str| {
        let events = vec![
            Ok(LlmEvent::Text("Pressing".to_owned())),
            Ok(LlmEvent::ToolCall(asked(arguments))),
            Ok(LlmEvent::Finished(Finish::ToolCalls)),
        ];
        let llm = Scripted { events, ..Scripted::default() };
        let brain = ModelBrain::new(Arc::new(llm.clone()), &agent(), &CallFacts::default()).offering(tools);
        let found: Vec<_> =
            brain.respond(ask(heard("one"), &MET)).map(Result::unwrap).collect().now_or_never().unwrap();
        let offered: Vec<_> = llm.asked.lock().unwrap()[0].tools.iter().map(|tool| tool.name).collect();
        (found, offered)
    };
    let say = BrainEvent::Say("Pressing".to_owned());
    let press = |parameters: serde_json::Value| {
        let parameters = parameters.as_object().unwrap().clone();
        BrainEvent::Tool(ToolCall { name: "play_keypad_tone".to_owned(), parameters })
    };
    let (found, offered) = call(&SystemTool::ALL, r##"{"keys":"1#"}"##);
    assert_eq!(offered, ["skip_turn", "play_keypad_tone"]);
    let pressed = press(serde_json::json!({"keys": "1#"}));
    assert_eq!(found, [BrainEvent::FirstToken, say.clone(), pressed], "the keys come behind the words");
    let (found, _) = call(&SystemTool::ALL, "[1");
    assert_eq!(found.last(), Some(&press(serde_json::json!({}))), "the core says what is missing");
    let (found, offered) = call(&[SystemTool::SkipTurn], r#"{"keys":"1"}"#);
    assert_eq!((found, offered), (vec![BrainEvent::FirstToken, say], vec!["skip_turn"]));
}

#[test]
fn a_known_caller_and_the_hour_are_told() {
    let known = KnownCaller {
        name: Some("Rahul".to_owned()),
        last_call_at: chrono::DateTime::UNIX_EPOCH,
        language: None,
        last_outcome: None,
    };
    let call = CallFacts { known: Some(known), now: "2026-11-21T19:30:00".parse().ok(), ..CallFacts::default() };
    let llm = finished(&["Yes."]);
    let brain = ModelBrain::new(Arc::new(llm.clone()), &agent(), &call);
    drop(brain.respond(ask(heard("hi"), &MET)));
    let system = &llm.asked.lock().unwrap()[0].messages[0].text;
    assert!(
        system.contains("The call began at Saturday, 21 November 2026, 19:30.\nThe caller is probably Rahul"),
        "{system}"
    );
}
