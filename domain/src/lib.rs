//! The words and the decisions of Tandem: ids, agents, playbooks, the call's one brain and the traits that the outside world fulfils.
//!
//! No runtime, no IO, no clock: time comes in by argument, futures and streams are only named by the port traits.
//! Knows audio by its formats (`tandem-codecs`), never by a socket.

pub mod admission;
pub mod agent;
pub mod agent_file;
pub mod agent_settings;
pub mod agent_version;
pub mod aside;
pub mod barge_in;
pub mod brain;
pub mod business;
pub mod business_limits;
pub mod call_core;
pub mod caller;
pub mod echo;
pub mod endpointing;
pub mod etag;
pub mod greeting;
pub mod guide;
pub mod ids;
pub mod invitation;
pub mod journal;
pub mod ledger;
pub mod needed_agents;
pub mod number;
pub mod opening;
pub mod phone_number;
pub mod playbook;
pub mod playout;
pub mod port;
pub mod prompt;
pub mod reception;
pub mod record;
#[cfg(feature = "sabotage")]
pub mod sabotage;
pub mod sentences;
pub mod silence;
pub mod slot;
pub mod transcript;
pub mod turn;
pub mod variables;
pub mod zone;
