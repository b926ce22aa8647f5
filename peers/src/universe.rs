//! A universe of calls: who may call, over what line, in what noise, and which vendors answer, all drawn from one seed.
//!
//! Place: pure models. The runner in `tests/` puts the real switch between them under a paused clock; here nothing runs, and nothing is
//! random but by [`crate::dice`]: the same seed gives the same call bit by bit, on any machine that renders the same voices.
//!
//! ```text
//!  cast ──► caller ──► surroundings ──► channel ──► [ the switch ] ──► channel ──► carrier's playback ──► ear
//!  voices   script     noise, echo      delay, loss      │ ports                                         words, gaps,
//!                         ▲                              ▼                                               clicks, overlaps
//!                         └── what is played      vendors' plans
//! ```
//!
//! | module | what it models |
//! |--------|----------------|
//! | [`cast`] | callers' voices, spoken once and kept |
//! | [`noise`], [`surroundings`] | what else goes into the telephone |
//! | [`channel`] | the line, in each direction |
//! | [`ear`] | what the caller heard, and what was wrong with it |
//! | [`scenario`], [`phrases`], [`dictation`] | a whole call, drawn from a seed, and what callers say |
//! | [`public_bugs`] | calls that broke other people's agents |
//! | [`fault_rows`] | calls in which one thing goes wrong, by the table of faults |

pub mod cast;
pub mod channel;
pub mod dictation;
pub mod ear;
pub mod fault_rows;
pub mod noise;
pub mod phrases;
pub mod public_bugs;
pub mod scenario;
pub mod surroundings;
