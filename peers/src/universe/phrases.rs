//! What callers say. A fixed list, so that ten thousand calls share their recordings.

pub mod dictated;
pub mod overlaps;

/// Answers to the greeting.
pub const OPENINGS: [&str; 8] = [
    "I want an apartment in Delhi",
    "hello, I am looking for a flat",
    "I would like to buy a villa in Pune",
    "a two bedroom apartment in Mumbai please",
    "I need an office in Gurgaon",
    "do you have a plot near Whitefield in Bangalore",
    "I want a house",
    "a shop in Chennai for one crore",
];
/// Kinds of property.
pub const PROPERTIES: [&str; 6] = ["an apartment", "a villa", "a flat", "an independent house", "a plot", "an office"];
/// Places.
pub const CITIES: [&str; 7] =
    ["in Delhi", "in Mumbai please", "Pune", "somewhere in Bangalore", "in Hyderabad", "Noida", "in Goa I think"];
/// Amounts.
pub const BUDGETS: [&str; 7] = [
    "sixty lakh rupees",
    "my budget is fifty lakh",
    "one crore",
    "about eighty lakh",
    "one crore twenty lakh",
    "forty five lakh",
    "around two crore",
];
/// Times to call back.
pub const CALLBACKS: [&str; 6] = [
    "tomorrow evening",
    "in the morning",
    "between four and six",
    "after five",
    "on Saturday afternoon",
    "please call me tomorrow",
];
/// The end of a call.
pub const CLOSINGS: [&str; 5] = ["no, that's all", "no thank you", "thank you, goodbye", "that is all", "goodbye"];
/// Answers that take back another.
pub const CORRECTIONS: [&str; 5] = [
    "actually make it a villa",
    "no I said Pune",
    "sorry, the budget is forty lakh",
    "no, fifty lakh",
    "Mumbai, not Pune",
];
/// Questions, which no slot answers.
pub const QUESTIONS: [&str; 4] =
    ["what is your company called", "can you repeat that", "who am I speaking to", "I do not know yet"];
/// Digits that nobody asked for, in one go.
pub const DICTATED_DIGITS: [&str; 4] = [
    "nine eight seven six, five four three, two one zero",
    "nine one, nine eight, one two three four, five six seven eight",
    "double four, zero seven, two two nine",
    "one zero zero, zero two four",
];
/// What somebody in the background says to somebody else.
pub const ASIDES: [&str; 4] = [
    "has anybody seen my keys, they were on the table",
    "yes I will be there in ten minutes, tell them to wait",
    "turn the television down, your father is on the phone",
    "the soup is getting cold, come on everybody",
];

/// All that callers say (asides are not the callers').
pub fn everything() -> impl Iterator<Item = &'static &'static str> {
    let lists: [&'static [&'static str]; 8] =
        [&OPENINGS, &PROPERTIES, &CITIES, &BUDGETS, &CALLBACKS, &CLOSINGS, &CORRECTIONS, &QUESTIONS];
    let own = lists.into_iter().flatten().chain(&DICTATED_DIGITS);
    own.chain(overlaps::everything()).chain(dictated::everything())
}
