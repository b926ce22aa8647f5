//! Numbers, addresses and names that were cut off where the caller took a breath.
//!
//! What can be asked of a call without a real recogniser is that a pause is not taken for the end. What the reports say of spelling itself ("at" for
//! "@", digits written as words) is the slots' matter, in `tandem_domain::slot`.

use std::time::Duration;

use super::{Holds, PublicBug, call, ms, say};
use crate::caller::Step;
use crate::universe::dictation::{Dictated, Dictation};
use crate::universe::scenario::{Cue, Desk};

/// Longer than the silence that ends a turn, shorter than what an answer takes to be heard.
const PAUSE: Duration = ms(750);

/// All of them.
pub fn dictated() -> Vec<PublicBug> {
    vec![
        livekit_agents_3701_phone_number_cut(),
        livekit_agents_382_digits_in_threes(),
        unmute_130_spelled_name(),
        livekit_agents_6990_email_in_parts(),
        dograh_739_amount_in_two_parts(),
        calle_271_pairs_of_digits(),
        bolna_771_date_of_birth(),
    ]
}

/// A caller of the contact desk who reads that out, and says goodbye.
fn reads(name: &str, reported: &'static str, what: Dictated, groups: &[&str]) -> PublicBug {
    let read = Step::Say(Cue::Dictated(Dictation::of(what, groups, PAUSE)));
    let mut call = call(name, vec![read, say("thank you, goodbye")]);
    call.desk = Desk::ContactDesk;
    PublicBug { reported, call, holds: vec![Holds::OneTurnEach] }
}

/// Callers who give telephone numbers or e-mail addresses are cut in the middle as soon as the delay before an answer is bearable.
pub fn livekit_agents_3701_phone_number_cut() -> PublicBug {
    let groups = ["nine eight seven six", "five four three", "two one zero"];
    reads("livekit_agents_3701_phone_number_cut", "livekit/agents#3701", Dictated::Phone, &groups)
}

/// Of the class "numbers are cut off".
pub fn livekit_agents_382_digits_in_threes() -> PublicBug {
    let groups = ["seven six eight", "zero three nine"];
    reads("livekit_agents_382_digits_in_threes", "livekit/agents#382", Dictated::Pin, &groups)
}

/// Of the class "spelling is cut off".
pub fn unmute_130_spelled_name() -> PublicBug {
    let groups = ["r a h", "u l", "at example", "dot com"];
    reads("unmute_130_spelled_name", "kyutai-labs/unmute#130", Dictated::Email, &groups)
}

/// Of the class "numbers, addresses, e-mail": the end of a turn does not know what was asked for.
pub fn livekit_agents_6990_email_in_parts() -> PublicBug {
    let groups = ["priya", "one two three", "at gmail", "dot com"];
    reads("livekit_agents_6990_email_in_parts", "livekit/agents#6990", Dictated::Email, &groups)
}

/// Of the class "numbers are cut off".
pub fn dograh_739_amount_in_two_parts() -> PublicBug {
    let groups = ["one crore", "twenty five lakh"];
    reads("dograh_739_amount_in_two_parts", "dograh-hq/dograh#739", Dictated::Amount, &groups)
}

/// Of the class "numbers are cut off". Digits in pairs and fours here, with "double".
pub fn calle_271_pairs_of_digits() -> PublicBug {
    let groups = ["double nine", "one two three four", "double zero four five"];
    reads("calle_271_pairs_of_digits", "CALLE-AI/awesome-phone-call-agents#271", Dictated::Phone, &groups)
}

/// Of the class "numbers are cut off". A day in three parts here.
pub fn bolna_771_date_of_birth() -> PublicBug {
    let groups = ["the fifteenth", "of March", "nineteen ninety"];
    reads("bolna_771_date_of_birth", "bolna-ai/bolna#771", Dictated::Date, &groups)
}
