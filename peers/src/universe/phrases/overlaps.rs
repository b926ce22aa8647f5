//! What callers say over an agent, by what they mean with it.
//!
//! **Held out**: the switch tells a backchannel from a command by the lists in `domain/lexicons`. These here were written beside them and not
//! from them, after what people are on record to say: the acknowledgements and continuers of the Switchboard corpus in its dialogue-act manual
//! (SWBD-DAMSL, 1997), with weights in their rough order there, and what callers from India say in their place. A phrase that a list does not
//! know is a finding about the list; it is not to be copied from here into it one by one, or the figures measure nothing.

/// "Go on", whatever was said before. With weights.
pub const CONTINUERS: [(u32, &str); 18] = [
    (18, "uh-huh"),
    (18, "mm-hmm"),
    (9, "hmm"),
    (8, "right"),
    (7, "oh"),
    (6, "achha"),
    (5, "I see"),
    (4, "oh I see"),
    (4, "right right"),
    (4, "hmm hmm"),
    (3, "oh really"),
    (3, "achha achha"),
    (3, "that's nice"),
    (2, "oh wow"),
    (2, "oh good"),
    (2, "got it"),
    (1, "go ahead"),
    (1, "I understand"),
];

/// "Go on" in the middle of a statement, and an answer behind a question. With weights.
pub const ASSENTS: [(u32, &str); 12] = [
    (20, "yeah"),
    (14, "yes"),
    (14, "okay"),
    (10, "haan"),
    (6, "yeah yeah"),
    (6, "haan ji"),
    (5, "okay okay"),
    (5, "theek hai"),
    (5, "sure"),
    (4, "all right"),
    (4, "yes yes"),
    (3, "oh okay"),
];

/// The floor, please.
pub const COMMANDS: [&str; 14] = [
    "wait wait",
    "wait a minute",
    "stop, I have a question",
    "stop stop stop",
    "no no, listen",
    "hang on please",
    "hold on a second please",
    "excuse me, in Delhi",
    "one moment please",
    "let me speak please",
    "please stop talking",
    "ek minute ruko",
    "can I say something",
    "not so fast please",
];

/// Something that the agent is to answer.
pub const QUESTIONS: [&str; 8] = [
    "sorry, can you repeat that",
    "how much does that cost",
    "where is your office",
    "who gave you my number",
    "am I talking to a machine",
    "what did you say",
    "which builder is that",
    "do you also rent out",
];

/// What takes back what the agent has understood.
pub const CORRECTIONS: [&str; 8] = [
    "actually make it a villa",
    "no I said Pune",
    "no, fifty lakh",
    "Mumbai, not Pune",
    "that is not what I said",
    "I meant an office",
    "you got that wrong",
    "not Delhi, Noida please",
];

/// All of them.
pub fn everything() -> impl Iterator<Item = &'static &'static str> {
    let weighted = CONTINUERS.iter().chain(&ASSENTS).map(|(_, line)| line);
    weighted.chain(&COMMANDS).chain(&QUESTIONS).chain(&CORRECTIONS)
}
