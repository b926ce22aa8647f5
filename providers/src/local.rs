//! Speech engines that run on this machine and need no key: Whisper hears; flite speaks, or Piper where a natural voice is wanted.
//!
//! Place: adapters of `port::stt` and `port::tts`, chosen by the engine names `whisper`, `flite` and `piper`. Native inference runs in child
//! processes ([`whisper`] is the parent's side, [`whisper_worker`] the child's), so that a crash costs one retry and never a call.
//! Not here: downloads by anything else than a package's name ([`models`]), and any decision about a call.
//!
//! ```text
//! call A ─┐                                    ┌─ worker process 1 (whisper.cpp)
//! call B ─┼─ WhisperStt ── WhisperPool ── pipes┤
//! call C ─┘   per call       per process       └─ worker process 2
//!
//! calls ──── Clauses ── Order ─────┬─ Piper ── espeak-ng (a process a clause) ── queue ── threads (rten)
//!                                  └─ Flite (a process a sentence)
//! ```

pub mod clauses;
pub mod ct2;
pub mod flite;
pub mod ggml;
pub mod models;
pub mod piper;
mod pool;
mod shape;
pub mod silero;
pub mod smart_turn;
pub mod speakable;
mod spoken;
pub mod whisper;
pub mod whisper_stt;
pub mod whisper_wire;
pub mod whisper_worker;
