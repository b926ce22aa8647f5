//! The switch itself: a supervised tree of actors, two pumps a call, and the lanes between them.
//!
//! ```text
//! Switch ── switchboard ── call ─┬─ leg        closes the connection
//!                                ├─ ingress    pump: socket → dialect → the switch's rate → detector → ear lane
//!                                ├─ vad        owns the detector
//!                                ├─ stt        one recogniser stream, fed from the ear lane
//!                                ├─ dialogue   asks the brain
//!                                ├─ tts        sentence by sentence into the speech lane
//!                                ├─ egress     pump: speech lane → pacing → the leg's rate → dialect → socket
//!                                ├─ silence    wakes the call at its next deadline
//!                                └─ recorder   tap → stereo on the call's clock → file, where calls are recorded
//!        ├─ limits               a place for each call, by business and agent
//!        ├─ tap (lanes)          both directions of a call for whoever records, where anybody does
//!        └─ scribe (tasks)       records: spool, journal on disk, one writer to the store
//! agent_saves (task)             outbox of saved agents → providers; the switch knows nothing of it
//! ```
//!
//! Sees vendors, carriers and the store only through `tandem_domain::port`. Decides nothing about a conversation: that is the `CallCore`'s.

pub mod agent_saves;
pub mod alarm;
pub mod call;
pub mod clock;
pub mod flood;
pub mod guard;
pub mod journals;
pub mod lane;
pub mod leg;
pub mod limits;
pub mod metrics;
pub mod overrides;
pub mod recordings;
pub mod screen;
pub mod scribe;
pub mod socket;
pub mod steps;
pub mod supervise;
pub mod switch;
pub mod switchboard;
pub mod tap;

pub use call::end_of_turn::TurnJudge;
pub use call::ingress::{Hearing, InbandDtmf};
pub use call::vad::VadEngine;
pub use journals::JournalKeeping;
pub use recordings::{Format as RecordingFormat, RecordFrom, RecordingKeeping};
pub use socket::{LastWords, MediaSocket, SocketError};
/// Whether this build has hooks that switch a mechanism off. The shipped binary refuses to be built with them.
pub const CAN_BE_SABOTAGED: bool = cfg!(feature = "sabotage");

pub use switch::{Arrival, DIRECTION_PARAMETER, Ports, StartError, Switch, SwitchConfig, TOKEN_PARAMETER};
pub use tap::{AudioTap, Tap};
