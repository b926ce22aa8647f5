//! Places that an agent may sound like: sounds to be looped quietly under a voice.
//!
//! Place: made here, once a process, and shared; [`mix::Bed`](crate::mix::Bed) plays them, each call from its own place in the round.
//!
//! | scene | what is in it |
//! |---|---|
//! | `office` | a fan, keyboards, somebody far away |
//! | `call_center` | a dozen voices of which no word can be told, keyboards, telephones at the other end of the room |
//! | `restaurant` | voices, glasses and plates, a low hum |
//! | `salsa` | clave, congas, shaker, bass and piano, through a wall |
//! | `concert` | a hall full of people, applause, a band that plays somewhere |
//!
//! Every sound is computed from a seed: nothing is a recording, nothing has a licence but ours, and the same scene is the same to the sample
//! in every build. A round is 24 s of 8 kHz audio without a seam, at [`LEVEL_DBFS`] and with peaks that leave a voice its room, so that at full
//! volume it lies 12 dB under speech at -20 dBFS. Not here: volume, ducking, mixing.

mod canvas;
mod crowd;
mod scenes;
mod things;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::frame::SampleRate;

/// Of every round.
pub const RATE: SampleRate = SampleRate::HZ_8000;
/// Of every round: 18 bars of four at 180 beats a minute.
pub const LENGTH: Duration = Duration::from_secs(24);
/// Root mean square of every round.
pub const LEVEL_DBFS: f32 = -32.0;

/// A place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scene {
    /// A quiet office.
    Office,
    /// Many agents in one room.
    CallCenter,
    /// Plates and voices.
    Restaurant,
    /// Dance music, far away.
    Salsa,
    /// A hall full of people.
    Concert,
}

impl Scene {
    /// Every one of them.
    pub const ALL: [Self; 5] = [Self::Office, Self::CallCenter, Self::Restaurant, Self::Salsa, Self::Concert];

    /// Its round, which is made when it is first asked for: some tens of milliseconds of work, so not on a thread that carries audio.
    pub fn round(self) -> Arc<[i16]> {
        Arc::clone(self.place().get_or_init(|| scenes::paint(self).into()))
    }

    /// Its round, if it was made already.
    pub fn made(self) -> Option<Arc<[i16]>> {
        self.place().get().cloned()
    }

    fn place(self) -> &'static OnceLock<Arc<[i16]>> {
        static ROUNDS: [OnceLock<Arc<[i16]>>; 5] = [const { OnceLock::new() }; 5];
        &ROUNDS[self as usize]
    }
}
