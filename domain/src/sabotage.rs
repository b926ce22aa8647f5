//! Mechanisms that can be switched off, so that whoever checks that they work can see the check fail.
//!
//! Place: compiled with the cargo feature `sabotage` alone, which the universe asks for and the shipped binary never has. A hook is one
//! `cfg` line beside the mechanism. By thread: a sabotaged call has its thread to itself.

use std::cell::Cell;

/// What can be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// A voice says one sentence after the other.
    OneSentenceAtATime,
    /// What counts as heard is what was played.
    Ledger,
    /// An end is written once.
    OneEnd,
    /// A task is aborted with its owner.
    TasksEndWithTheirOwner,
    /// Audio leaves when it is due.
    Pacing,
    /// The carrier is kept a little ahead.
    Lead,
    /// A voice that was held goes on when the caller wants nothing.
    Resume,
    /// A pause within what is read out is not its end: the turn is taken up again.
    Spelling,
    /// What is no louder than our own voice comes back is nobody's speech.
    Energy,
    /// A recording lays audio where it was heard, not where it came in.
    SampleClock,
    /// Each chunk has a deadline of its own, counted from the first; off, the next is due a sleep after the last, and sleeps are long.
    Deadlines,
    /// The rest of a piece that fills no chunk waits for the next piece.
    Framing,
    /// A voice that comes after a silence wakes the pump.
    Wake,
    /// Audio is converted to the rate of the leg.
    Rate,
    /// Each reader of a call's audio has lanes of its own.
    Readers,
    /// A recording that is saved is told of.
    Saved,
    /// Messages of audio are put in the order of their media time, and copies left out.
    Order,
    /// A key whose message comes again was pressed once.
    KeysOnce,
}

thread_local! {
    static OFF: Cell<Option<Mechanism>> = const { Cell::new(None) };
}

/// Switches one mechanism off in this thread, or all on again.
pub fn switch_off(mechanism: Option<Mechanism>) {
    OFF.set(mechanism);
}

/// Whether it is off in this thread.
pub fn is_off(mechanism: Mechanism) -> bool {
    OFF.get() == Some(mechanism)
}
