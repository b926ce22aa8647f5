//! Keys that we press: by the carrier's own message where it has one, else as tones in the audio.
//!
//! They wait for the end of what is being said, and in band what comes next waits for them: a tone under a voice is heard by neither people nor
//! exchanges. A message goes when that was heard, for it overtakes the audio. They are no words: the ledger knows nothing of them. Neither Twilio nor
//! Exotel has a message for them on its media socket, so theirs are in band. Not here: RFC 4733 events, which `sip` sends.

use std::time::{Duration, Instant};

use tandem_codecs::SampleRate;
use tandem_codecs::dtmf::{Key, dtmf};

use super::{Playout, PlayoutAction};

/// A key's tone, and the silence after it: ITU-T Q.24 asks for 40 ms each, exchanges abroad for up to 70; carriers' own take 100.
pub const KEY_LENGTH: Duration = Duration::from_millis(100);
/// The silence.
pub const KEY_GAP: Duration = Duration::from_millis(100);
/// Each of the two tones: -12 dBFS at its peak, in the middle of what Q.24's receivers take.
const PEAK: i16 = 8_000;
/// `w` in a row of keys; `W` is two of them.
const WAIT: Duration = Duration::from_millis(500);
/// Keys of one row, and so of all that wait.
pub const MOST_KEYS: usize = 64;

/// What is left of a row that goes as messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyStep {
    Press(Key),
    Wait(Duration),
}

/// Why keys were not pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// Not a key.
    #[error("{0:?} is no key; a keypad has 0 to 9, *, # and A to D, w waits half a second and W a whole one")]
    NoKey(char),
    /// Too many.
    #[error("more than {MOST_KEYS} keys wait already; press fewer at once")]
    TooMany,
    /// There is nobody to hear them.
    #[error("the far end reads and has no ear for keys")]
    Silent,
}

impl Playout {
    /// Presses a row of keys (`0` to `9`, `*`, `#`, `A` to `D`; `w` waits 500 ms, `W` a second) after what is being said. All of them, or none.
    ///
    /// # Errors
    ///
    /// If one is no key, or too many wait.
    pub fn press(&mut self, keys: &str) -> Result<(), KeysError> {
        if self.silent {
            return Err(KeysError::Silent);
        }
        if keys.chars().count() + self.waiting_keys() > MOST_KEYS {
            return Err(KeysError::TooMany);
        }
        if let Some(other) = keys.chars().find(|key| Key::new(*key).is_none() && !matches!(key, 'w' | 'W')) {
            return Err(KeysError::NoKey(other));
        }
        if self.keys.is_empty() && self.key_messages.is_empty() {
            self.keys_after = self.playing.as_ref().map(|playing| playing.id);
        }
        let steps = keys.chars().map(|key| match Key::new(key) {
            Some(key) => KeyStep::Press(key),
            None if key == 'W' => KeyStep::Wait(2 * WAIT),
            None => KeyStep::Wait(WAIT),
        });
        if self.key_messages_exist {
            self.key_messages.extend(steps);
            return Ok(());
        }
        let rate = SampleRate::new(self.rate_hz).unwrap_or(SampleRate::HZ_8000); // no switch has another
        for step in steps {
            let wait = match step {
                KeyStep::Press(key) => {
                    self.keys.extend(dtmf(rate, key, PEAK, KEY_LENGTH).samples.iter());
                    KEY_GAP
                }
                KeyStep::Wait(wait) => wait,
            };
            self.keys.resize(self.keys.len() + rate.samples_in(wait), 0);
        }
        Ok(())
    }

    /// When the next message for a key is due; `None` if none waits, or what was being said is not heard yet.
    pub(super) fn key_message_due(&self, now: Instant) -> Option<Instant> {
        let before = self.playing.as_ref().is_some_and(|playing| self.keys_after == Some(playing.id));
        (!self.key_messages.is_empty() && !before).then(|| self.key_waits_until.unwrap_or(now).max(now))
    }

    /// The messages for keys that are due.
    pub(super) fn send_key_messages(&mut self, now: Instant, out: &mut Vec<PlayoutAction>) {
        while self.key_message_due(now).is_some_and(|due| due <= now)
            && let Some(step) = self.key_messages.pop_front()
        {
            match step {
                KeyStep::Press(key) => out.push(PlayoutAction::Key(key.as_char())),
                KeyStep::Wait(wait) => self.key_waits_until = Some(now + wait),
            }
        }
    }

    /// Keys that were not sent, by the shortest that one may be.
    fn waiting_keys(&self) -> usize {
        self.key_messages.len() + self.keys.len() / self.samples_in(KEY_LENGTH + KEY_GAP).max(1) as usize
    }
}
