//! The call core under a made-up clock: whole conversations, and every fault that once held a call, without a runtime, a socket or a sound.

#![allow(clippy::unwrap_used)]

mod conversation;
mod doubt;
mod faults;
mod filler;
mod floor;
mod keys;
mod opening;
mod patience;
mod preempt;
mod screen;
mod world;
