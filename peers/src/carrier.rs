//! Carriers, as the switch meets them: each a strict model of one protocol, written from its description alone.

pub mod twilio;
