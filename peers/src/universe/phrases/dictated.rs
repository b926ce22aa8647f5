//! Numbers and addresses as people read them out: in groups, with a pause behind each.
//!
//! Groups are a fixed list, so that ten thousand calls share their recordings; a number is drawn of them, so it is new in most calls.

/// First five digits of ten: an Indian mobile number begins with 6 to 9.
pub const FIVE_FIRST: [&str; 8] = [
    "nine eight seven six five",
    "nine double eight one two",
    "eight one zero five five",
    "seven zero four two nine",
    "nine four triple six",
    "double nine one zero two",
    "eight six double zero five",
    "six three eight one nine",
];
/// The other five.
pub const FIVE_LAST: [&str; 8] = [
    "four three two one zero",
    "one one two two three",
    "zero nine eight seven five",
    "double four seven one two",
    "six two double nine three",
    "five triple zero one",
    "three eight five four two",
    "seven seven six zero one",
];
/// First four digits of ten.
pub const FOUR_FIRST: [&str; 6] = [
    "nine eight seven six",
    "nine double eight one",
    "double eight two five",
    "seven zero four two",
    "eight one zero five",
    "six two nine zero",
];
/// Three digits, in the middle or at the end.
pub const THREE: [&str; 8] = [
    "five four three",
    "double nine four",
    "two one zero",
    "one double zero",
    "seven six eight",
    "zero three nine",
    "triple two",
    "four one seven",
];
/// Two digits: how a number is begun by those who think of it in pairs.
pub const TWO_FIRST: [&str; 5] = ["nine eight", "double nine", "seven zero", "eight one", "six three"];
/// Four digits, behind those.
pub const FOUR: [&str; 6] = [
    "one two three four",
    "five six seven eight",
    "double zero four five",
    "nine three six one",
    "two triple eight",
    "seven four zero nine",
];

/// Of an address, up to its sign.
pub const MAILBOXES: [[&str; 2]; 5] = [
    ["rahul", "dot sharma"],
    ["priya", "one two three"],
    ["anita", "underscore rao"],
    ["sunil dot", "kumar"],
    ["info", "dot sales"],
];
/// Names of mailboxes, letter by letter.
pub const SPELLED: [[&str; 2]; 4] = [["r a h", "u l"], ["p r i", "y a"], ["s u n", "i l"], ["k a v", "y a"]];
/// What follows.
pub const HOSTS: [[&str; 2]; 4] =
    [["at gmail", "dot com"], ["at yahoo", "dot co dot in"], ["at example", "dot com"], ["at outlook", "dot com"]];

/// Amounts in two parts.
pub const AMOUNTS: [[&str; 2]; 5] = [
    ["one crore", "twenty five lakh"],
    ["sixty lakh", "fifty thousand rupees"],
    ["two crore", "ten lakh rupees"],
    ["my budget is", "eighty five lakh"],
    ["around", "one crore forty lakh"],
];
/// Days in two or three parts.
pub const DATES: [[&str; 3]; 5] = [
    ["the fifteenth", "of March", "nineteen ninety"],
    ["third of", "August", "two thousand one"],
    ["twenty second", "November", "nineteen eighty five"],
    ["the first of", "January", "nineteen ninety nine"],
    ["seventh", "of July", "nineteen seventy eight"],
];

/// All groups.
pub fn everything() -> impl Iterator<Item = &'static &'static str> {
    let groups: [&'static [&'static str]; 6] = [&FIVE_FIRST, &FIVE_LAST, &FOUR_FIRST, &THREE, &TWO_FIRST, &FOUR];
    let pairs: [&'static [[&'static str; 2]]; 4] = [&MAILBOXES, &SPELLED, &HOSTS, &AMOUNTS];
    let pairs = pairs.into_iter().flatten().flatten();
    groups.into_iter().flatten().chain(pairs).chain(DATES.iter().flatten())
}
