//! The universe: whole calls of the real switch, by the thousand, on a clock that waits for them.
//!
//! Place: a tool of development beside the binary, not in it. `make test` runs a thousand calls, `make sim` as many as wanted. The models of
//! callers, lines and vendors are `tandem_peers`'; here is what brings them together with the switch, tapes what happens, and judges it.
//!
//! ```text
//!  seed ─► Case ─► run ─► Run (tape, records, what is left alive) ─┬► check: each invariant alone
//!                                                                  └► figures: how well turns are taken
//! ```
//!
//! `docs/universe.md` says what is modelled, what is not, and what each invariant allows.

pub mod case;
pub mod check;
pub mod crowd;
pub mod dump;
mod exchange;
pub mod figures;
mod line;
pub mod many;
mod recorder;
pub mod run;
pub mod sabotage;
mod stage;
mod tape;

pub use case::Case;
pub use exchange::Overheard;
pub use line::Over;
pub use run::{Run, run};
pub use tape::Tape;
