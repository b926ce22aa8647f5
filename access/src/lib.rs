//! Who may do what: log-ins, tokens, keys, roles, and the record of what was changed.
//!
//! Everything here is a decision. The time and the chance come in by argument, nothing is read, written or sent: the HTTP interface
//! asks (`may this request pass?`), the store keeps the rows, and both get their answers from here.
//!
//! ```text
//! request ─► bearer ─► token, session │ api_key ─► setup::admit ─► Principal ─► policy::may ─► handler ─► audit::Record
//!                      ▲
//! log-in ─► lockout ─► password
//! ```
//!
//! Not here: the signatures of carriers' webhooks and the tokens of media sockets, which prove a carrier and not a person; the
//! encryption of stored credentials, for which [`secret::SecretKey`] only derives the key.

pub mod account;
pub mod api_key;
pub mod audit;
pub mod bearer;
pub mod lockout;
pub mod password;
pub mod policy;
pub mod port;
pub mod role;
pub mod secret;
pub mod session;
pub mod setup;
pub mod token;
