//! What was spoken once and may be spoken again: greetings and prompts are the same in every call.
//!
//! Place: inside the local voices. A text that several calls want at the same moment is synthesised once, and all wait for it.

use std::sync::Arc;

use moka::sync::Cache;
use tandem_domain::port::tts::TtsError;
use tokio::sync::OnceCell;

/// Voice, rate in Hz, text.
pub(super) type Key = (&'static str, u32, String);
type Audio = Arc<[i16]>;

/// Characters that a voice speaks in a second, to guess the size of what is still to be spoken.
const CHARS_PER_SECOND: usize = 14;

/// Finished audio, the least used thrown out beyond a size.
pub(super) struct Spoken {
    audio: Cache<Key, Arc<OnceCell<Audio>>>,
}

impl Spoken {
    /// Keeps about `bytes`.
    pub(super) fn new(bytes: u64) -> Self {
        let weigh = |(_, rate_hz, text): &Key, _: &_| {
            let samples = text.len().saturating_mul(*rate_hz as usize) / CHARS_PER_SECOND;
            u32::try_from(text.len() + 2 * samples + 128).unwrap_or(u32::MAX)
        };
        Self { audio: Cache::builder().max_capacity(bytes).weigher(weigh).build() }
    }

    /// The audio of `key`, made by `make` unless it is there. If who makes it gives up or fails, the next who waits makes it.
    pub(super) async fn get_or_make(
        &self,
        key: Key,
        make: impl Future<Output = Result<Audio, TtsError>>,
    ) -> Result<Audio, TtsError> {
        let cell = self.audio.get_with(key, Arc::default);
        cell.get_or_try_init(|| make).await.cloned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::future::pending;

    use super::*;

    fn key(text: &str) -> Key {
        ("rms", 8_000, text.to_owned())
    }

    fn failed() -> TtsError {
        TtsError::Failed { vendor: "test", detail: String::new() }
    }

    #[tokio::test]
    async fn two_who_want_the_same_wait_for_one() {
        let spoken = Spoken::new(1 << 20);
        let (give, wait) = tokio::sync::oneshot::channel::<()>();
        let first = spoken.get_or_make(key("hello"), async {
            wait.await.unwrap();
            Ok(Arc::from([1, 2]))
        });
        let second = spoken.get_or_make(key("hello"), async { panic!("made twice") });
        let release = async { give.send(()).unwrap() };
        let (first, second, ()) = tokio::join!(biased; first, second, release);
        assert_eq!(first.unwrap()[..], [1, 2]);
        assert_eq!(second.unwrap()[..], [1, 2]);
    }

    #[tokio::test]
    async fn what_failed_or_was_given_up_is_made_again() {
        let spoken = Spoken::new(1 << 20);
        spoken.get_or_make(key("hello"), async { Err(failed()) }).await.unwrap_err();
        {
            let given_up = spoken.get_or_make(key("hello"), pending());
            tokio::pin!(given_up);
            assert!(futures_util::poll!(given_up).is_pending());
        }
        let made = spoken.get_or_make(key("hello"), async { Ok(Arc::from([3])) }).await.unwrap();
        assert_eq!(made[..], [3]);
    }
}
