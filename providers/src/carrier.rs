//! Carriers, one folder each: the dialect of its media socket, later its REST interface and webhooks.
//!
//! Place:   behind `domain::port`; the switch never names a carrier.
//! Not here: sockets, clocks, retries. A dialect is a pure translation that the leg's pumps drive.

pub mod browser;
pub mod exotel;
mod message;
mod told_keys;
pub mod twilio;
