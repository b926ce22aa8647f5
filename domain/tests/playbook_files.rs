//! Playbook files: one that is nobody's default loads and runs, a broken one is refused with its line.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tandem_domain::playbook::{Awaiting, Context, Decision, Ending, Heard, Playbook, PlaybookError, PlaybookState};

/// A file as a stranger would write it: other slots, another policy, its own stage, words and closing.
const FREIGHT: &str = r#"
name = "freight-desk"
title = "Freight desk"
stages = ["welcome", "language_selection", "collecting", "pickup", "completed"]
greeting = ["This is {company}, {agent} speaking."]
max_turns = 30

[variables]
company = "Swift Haulage"
agent = "Ravi"

[confirmation]
policy = "each"
each = ["So, {summary}.", "Is that right?"]

[closing]
completed = ["Booked.", "Bye."]

[phrases]
handover = ["dispatcher"]

[[slots]]
name = "language"
type = "choice"
prompt = "English or Hindi?"
stage = "language_selection"
vocabulary = [{ value = "en", synonyms = ["english"] }, { value = "hi", synonyms = ["hindi"], say = "Hindi" }]

[[slots]]
name = "origin"
type = "place"
prompt = "From where?"
read_back = "from {value}"
cues = ["from", "origin", "pick up"]
stage = "pickup"
vocabulary = [{ value = "Nhava Sheva", misheard = ["nava shiva"] }]

[[slots]]
name = "destination"
type = "place"
prompt = "To where?"
read_back = "to {value}"
cues = ["to", "destination"]

[[slots]]
name = "boxes"
type = "number"
prompt = "How many boxes?"
read_back = "with {value} boxes"
units = ["boxes", "box", "cartons"]

[[slots]]
name = "fragile"
type = "yes_no"
prompt = "Is it fragile?"
required = false

[[slots]]
name = "remarks"
type = "text"
prompt = "Any remarks?"
required = false
unknown = { skip = "none" }
"#;

struct Talk(Playbook, PlaybookState, String);

impl Talk {
    fn begin(text: &str) -> Self {
        let playbook = Playbook::from_toml(text).unwrap();
        let reply = playbook.start(&Context::default());
        Self(playbook, reply.state, reply.say.join(" "))
    }

    fn says(&mut self, text: &str) -> &str {
        let reply = self.0.respond(&self.1, &Heard { text, confidence: None }, &Context::default());
        (self.1, self.2) = (reply.state, reply.say.join(" "));
        &self.2
    }

    fn data(&self) -> Value {
        Value::Object(self.0.extracted_data(&self.1))
    }
}

#[test]
fn a_file_that_is_not_ours_runs() {
    let mut talk = Talk::begin(FREIGHT);
    assert_eq!(talk.2, "This is Swift Haulage, Ravi speaking. English or Hindi?");
    assert_eq!(talk.1.stage, "welcome");
    assert_eq!(talk.says("Hindi"), "From where?");
    assert_eq!((talk.1.language.as_str(), talk.1.stage.as_str()), ("hi", "pickup"));
    assert_eq!(talk.says("from nava shiva to Pune"), "So, from Nhava Sheva to Pune. Is that right?");
    assert_eq!(talk.says("no, to Nagpur"), "All right. So, to Nagpur. Is that right?");
    assert_eq!(talk.says("yes"), "How many boxes?");
    assert_eq!(talk.says("twenty five"), "So, with twenty five boxes. Is that right?");
    assert_eq!(talk.says("no"), "How many boxes?");
    assert_eq!(talk.says("thirty cartons"), "All right. So, with thirty boxes. Is that right?");
    assert_eq!(talk.says("correct"), "Is it fragile?");
    assert_eq!(talk.says("no it isn't"), "Any remarks?");
    assert_eq!(talk.says("Ring the bell twice."), "Booked. Bye.");
    assert_eq!((talk.1.decision(), talk.1.ending()), (Decision::ThankYouResponse, Some(Ending::Completed)));
    let expected = json!({
        "language": "hi", "origin": "Nhava Sheva", "destination": "Nagpur", "boxes": 30, "fragile": false, "remarks": "Ring the bell twice"
    });
    assert_eq!(talk.data(), expected);
    assert!(talk.1.slots["destination"].confirmed);
}

#[test]
fn its_own_phrases_and_values_for_what_is_not_known() {
    let mut talk = Talk::begin(FREIGHT);
    for text in ["english", "from Delhi to Agra", "yes", "ten boxes", "yes", "yes"] {
        talk.says(text);
    }
    assert_eq!(talk.1.awaiting, Awaiting::Answer { slot: "remarks".to_owned() });
    talk.says("I don't know");
    assert_eq!(talk.data()["remarks"], "none");
    let mut talk = Talk::begin(FREIGHT);
    talk.says("get me the dispatcher");
    assert_eq!(talk.1.decision(), Decision::HandoverToHuman);
}

#[test]
fn a_bare_minimum() {
    let text = "name = 'tiny'\ntitle = 'Tiny'\ngreeting = []\n[[slots]]\nname = 'age'\ntype = 'number'\nprompt = 'How old?'\nread_back = '{value} years'";
    let mut talk = Talk::begin(text);
    assert_eq!(talk.2, "How old?");
    assert_eq!(talk.says("forty two"), "So that is forty two years. Is that right?");
    assert_eq!(talk.says("no, forty three"), "All right. So that is forty three years. Is that right?");
    assert_eq!(talk.says("yes"), "Thank you. Goodbye.");
    assert_eq!(talk.data(), json!({"age": 43}));
}

#[test]
fn the_context_replaces_greeting_and_variables() {
    let playbook = Playbook::from_toml(FREIGHT).unwrap();
    let reply = playbook.start(&Context::new("Meera", ""));
    assert_eq!(reply.say[0], "This is Swift Haulage, Meera speaking.");
    let context = Context { greeting: Some("Namaste from {company}!".to_owned()), ..Context::new("", "Acme {agent}") };
    assert_eq!(playbook.start(&context).say, ["Namaste from Acme {agent}!", "English or Hindi?"]);
}

/// The error for the freight playbook with `from` replaced by `to`.
fn refused(from: &str, to: &str) -> String {
    assert!(FREIGHT.contains(from), "{from}");
    Playbook::from_toml(&FREIGHT.replacen(from, to, 1)).unwrap_err().to_string()
}

/// Line of `text` in the freight playbook.
fn line(text: &str) -> usize {
    FREIGHT[..FREIGHT.find(text).unwrap()].matches('\n').count() + 1
}

#[test]
fn what_could_not_run_is_refused_with_its_line() {
    for (from, to, at, message) in [
        ("prompt = \"From where?\"", "promt = \"From where?\"", "prompt = \"From where?\"", "unknown field `promt`"),
        ("type = \"number\"", "type = \"numbers\"", "type = \"number\"", "unknown variant `numbers`"),
        ("max_turns = 30", "max_turns = 0", "max_turns", "max_turns: 1 to 200"),
        ("name = \"freight-desk\"", "name = \"Freight Desk\"", "name = \"freight-desk\"", "name: lower case"),
        ("name = \"destination\"", "name = \"origin\"", "name = \"destination\"", "slots[2].name: used twice"),
        ("\"To where?\"", "\"To {where}?\"", "\"To where?\"", "slots[2].prompt: unknown variable {where}"),
        (
            "with {value} boxes",
            "with {a value} boxes",
            "with {value} boxes",
            "slots[3].read_back: unknown variable {a value}",
        ),
        ("stage = \"pickup\"", "stage = \"pick-up\"", "stage = \"pickup\"", "slots[1].stage: not among the stages"),
        ("{summary}.", "it", "each = [", "confirmation.each: must hold {summary}"),
        ("\"completed\"]", "\"done\"]", "stages =", "stages: must hold \"completed\""),
        ("units = [\"boxes\"", "least = 5\nunits = [\"boxes\"", "units = [\"boxes\"", "slots[3].least: only for money"),
        ("speaking.\"", "speaking, {caller_name}.\"", "greeting", "greeting: unknown variable {caller_name}"),
    ] {
        let error = refused(from, to);
        assert!(error.starts_with(&format!("line {}: ", line(at))), "{to}: {error}");
        assert!(error.contains(message), "{to}: {error}");
    }
}

#[test]
fn a_missing_key_names_the_table_it_belongs_to() {
    let error = refused("prompt = \"To where?\"\n", "");
    assert!(error.contains("missing field `prompt`"), "{error}");
    assert!(error.starts_with(&format!("line {}: ", line("name = \"destination\"") - 1)), "{error}");
    let error = refused(
        "vocabulary = [{ value = \"en\", synonyms = [\"english\"] }, { value = \"hi\", synonyms = [\"hindi\"], say = \"Hindi\" }]",
        "",
    );
    assert_eq!(
        error,
        format!("line {}: slots[0].vocabulary: a choice needs its answers", line("name = \"language\"") - 1)
    );
}

#[test]
fn what_is_no_toml_is_refused() {
    assert!(matches!(Playbook::from_toml("name = 'x'\ntitle = \"x\n"), Err(PlaybookError::Unreadable { line: 2, .. })));
    assert!(Playbook::from_toml("").is_err());
    assert!(
        Playbook::from_toml("name = 'x'\ntitle = 'x'\ngreeting = []\nslots = []")
            .unwrap_err()
            .to_string()
            .starts_with("line 4: slots")
    );
}

/// The freight playbook with a translation.
fn in_hindi(translation: &str) -> Result<Playbook, PlaybookError> {
    let slots = ["language", "origin", "destination", "boxes", "fragile", "remarks"];
    let prompts: String =
        slots.iter().map(|name| format!("[languages.hi.slots.{name}]\nprompt = '{name}?'\n")).collect();
    Playbook::from_toml(&format!("{FREIGHT}\n{translation}\n{prompts}"))
}

#[test]
fn a_translation_is_spoken_once_its_language_is_chosen() {
    let playbook = in_hindi("[languages.hi.closing]\nhandover = ['बस।']").unwrap();
    let context = Context::default();
    let state = playbook.start(&context).state;
    let hear = |state: &PlaybookState, text: &str| playbook.respond(state, &Heard { text, confidence: None }, &context);
    let reply = hear(&state, "Hindi");
    assert_eq!(reply.say, ["Origin?"]);
    assert_eq!(hear(&reply.state, "the dispatcher").say, ["बस।"]);
    // What a translation does not say, Hindi says in its own words.
    assert_eq!(hear(&reply.state, "hello hello").say, ["Origin?"]);
    assert_eq!(playbook.respond_unheard(&reply.state, &context).say[0], "माफ़ कीजिए, आपकी आवाज़ नहीं आई।");
    // Another region of the language will do.
    let regional = Context { language: Some("hi-IN".to_owned()), ..Context::default() };
    assert_eq!(playbook.start(&regional).say.last().unwrap(), "Language?");
}

#[test]
fn a_playbook_in_hindi_needs_no_lines_of_its_own() {
    let text = "name = 'umr'\ntitle = 'उम्र'\nlanguage = 'hi'\ngreeting = ['नमस्ते।']\n[[slots]]\nname = 'age'\ntype = 'number'\n\
                prompt = 'आपकी उम्र?'\nread_back = '{value} साल'";
    let mut talk = Talk::begin(text);
    assert_eq!(talk.2, "नमस्ते। आपकी उम्र?");
    assert_eq!(talk.says("बयालीस साल"), "तो बयालीस साल। क्या यह सही है?");
    assert_eq!(talk.says("नहीं, तैंतालीस"), "ठीक है। तो तैंतालीस साल। क्या यह सही है?");
    assert_eq!(talk.says("जी"), "धन्यवाद। नमस्ते।");
    assert_eq!(talk.data(), json!({"age": 43}));
}

#[test]
fn a_translation_that_changes_more_than_words_is_refused() {
    for (translation, message) in [
        ("[languages.hi]\nname = 'other'", "languages.hi: only texts can be translated"),
        ("[languages.hi]\nmax_turns = 3", "languages.hi: only texts can be translated"),
        ("[languages.hi]\ngreting = ['x']", "languages.hi: unknown field `greting`"),
        ("[languages.hi]\ngreeting = ['{who}']", "greeting: unknown variable {who}"),
        ("[languages.hi.slots.colour]\nprompt = 'x'", "slots.colour: no such slot"),
        ("[languages.en.slots.origin]\nprompt = 'x'", "languages.en: a language tag other than the playbook's own"),
        ("[languages.Hindi.slots.origin]\nprompt = 'x'", "languages.Hindi: a language tag"),
        ("[languages.ta.slots.origin]\nprompt = 'x'", "languages.ta: slots.language.prompt: not translated"),
    ] {
        let error = in_hindi(translation).unwrap_err().to_string();
        assert!(error.contains(message), "{translation}: {error}");
    }
    let typed = FREIGHT.to_owned() + "[languages.hi.slots.boxes]\ntype = 'money'\n";
    let error = Playbook::from_toml(&typed).unwrap_err().to_string();
    assert!(error.contains("slots.boxes.type: only prompt, reprompts") && error.starts_with("line "), "{error}");
}

#[test]
fn offers_and_tools_that_could_not_run_are_refused() {
    let offer = refused("required = false\nunknown", "required = true\noffer = true\nunknown");
    assert!(offer.contains("slots[5].offer: an offer may be declined"), "{offer}");
    let tool =
        Playbook::from_toml(&format!("{FREIGHT}\n[[client_tools]]\nname = 'x'\nwhen = 'slot_filled'\nslot = 'y'"));
    assert!(tool.unwrap_err().to_string().contains("client_tools[0].slot: no slot of that name"));
}
