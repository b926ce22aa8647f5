//! The contexts of one socket: which sentence is spoken, whose audio is dropped, and whether the socket may go on.
//!
//! A socket speaks one sentence at a time. The vendor allows five contexts, and the other four are for what was interrupted: a context that was
//! closed goes on sending what was flushed until its last frame, and until then it counts.
//!
//! ```text
//! begin ─► live ─ last frame ─► nothing
//!            └── cut ─► dropped (audio thrown away) ─ last frame ─► nothing
//!                                                   └ 2 s ─► the socket retires: what nobody hears shall not be made on
//! ```
//!
//! Pure: told the time, returns what to write. Frames that close come before frames that open: the vendor counts in that order.

use std::time::Duration;

use tandem_domain::port::tts::TtsError;
use tokio::time::Instant;

use super::wire::{self, Alignment, Heard, MOST_CONTEXTS};

/// How long the audio of an interrupted sentence may still come (promises.md P8).
const LINGER: Duration = Duration::from_secs(2);

/// Audio of the live sentence.
#[derive(Debug, PartialEq)]
pub(super) struct Piece {
    /// In the socket's format.
    pub(super) audio: Vec<u8>,
    /// Its timing.
    pub(super) alignment: Option<Alignment>,
}

/// What a frame means.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    /// Audio of the live sentence; with `true` the last of it.
    Audio(Piece, bool),
    /// The live sentence is over.
    Over,
    /// The live sentence failed, and nothing else.
    Failed(TtsError),
    /// The socket is done for.
    Lost(TtsError),
    /// Nothing to anybody.
    Nothing,
}

/// The contexts.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    live: Option<String>,
    /// Interrupted ones, and when.
    dropped: Vec<(String, Instant)>,
    begun: u64,
    retired: bool,
}

impl Contexts {
    /// What to write to have `text` spoken, in order. What was live is cut.
    pub(super) fn begin(&mut self, now: Instant, text: &str) -> [String; 3] {
        self.cut(now);
        self.begun += 1;
        let context = format!("s{}", self.begun);
        // Closed at once: the text is whole, and only a closed context is told when its audio ends.
        let frames = [wire::open(&context), wire::text(&context, text), wire::close(&context)];
        self.live = Some(context);
        frames
    }

    /// Nobody listens to the live sentence any more.
    pub(super) fn cut(&mut self, now: Instant) {
        self.dropped.extend(self.live.take().map(|context| (context, now)));
    }

    /// A frame came.
    pub(super) fn hear(&mut self, heard: Heard) -> Meaning {
        let Heard { context, audio, alignment, last, error } = heard;
        let ours = context.is_none() || context == self.live;
        if let Some(error) = error {
            return match (context, error) {
                // A sixth context closes the whole socket, whoever it names; and so does what names nobody.
                (None, error) | (Some(_), error @ TtsError::Busy { .. }) => Meaning::Lost(error),
                (Some(_), error) if ours => {
                    self.live = None;
                    Meaning::Failed(error)
                }
                (Some(context), _) => {
                    self.forget(&context);
                    Meaning::Nothing
                }
            };
        }
        if !ours || self.live.is_none() {
            if let Some(context) = context.filter(|_| last) {
                self.forget(&context);
            }
            return Meaning::Nothing;
        }
        if last {
            self.live = None;
        }
        match (audio.is_empty(), last) {
            (false, last) => Meaning::Audio(Piece { audio, alignment }, last),
            (true, true) => Meaning::Over,
            (true, false) => Meaning::Nothing,
        }
    }

    fn forget(&mut self, context: &str) {
        self.dropped.retain(|(dropped, _)| dropped != context);
    }

    /// When to call [`Self::handle_timeout`].
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        if self.retired {
            return None;
        }
        self.dropped.iter().map(|(_, at)| *at + LINGER).min()
    }

    /// Looks at how long interrupted sentences have lingered.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.retired |= self.dropped.iter().any(|(_, at)| now >= *at + LINGER);
    }

    /// How many the vendor counts.
    pub(super) fn open(&self) -> usize {
        self.dropped.len() + usize::from(self.live.is_some())
    }

    /// Whether another sentence may be begun once the live one is over.
    pub(super) fn has_room(&self) -> bool {
        !self.retired && self.dropped.len() < MOST_CONTEXTS - 1
    }

    /// Whether the socket is of no more use.
    pub(super) fn is_spent(&self) -> bool {
        self.retired && self.live.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a made-up clock needs an origin")]
    fn origin() -> Instant {
        Instant::now()
    }

    fn audio(context: &str, byte: u8) -> Heard {
        Heard { context: Some(context.to_owned()), audio: vec![byte], alignment: None, last: false, error: None }
    }

    fn last(context: &str) -> Heard {
        Heard { audio: Vec::new(), last: true, ..audio(context, 0) }
    }

    fn spoken(byte: u8) -> Meaning {
        Meaning::Audio(Piece { audio: vec![byte], alignment: None }, false)
    }

    #[test]
    fn a_sentence_is_opened_flushed_closed_and_over_with_its_last_frame() {
        let mut contexts = Contexts::default();
        let frames = contexts.begin(origin(), "Hello.");
        assert!(
            frames[0].contains(r#""text":" ""#) && frames[1].contains("flush") && frames[2].contains("close_context")
        );
        assert_eq!(contexts.hear(audio("s1", 7)), spoken(7));
        assert_eq!(
            contexts.hear(Heard { context: None, ..audio("", 8) }),
            spoken(8),
            "who names nobody means the live one"
        );
        assert_eq!(contexts.hear(last("s1")), Meaning::Over);
        assert_eq!((contexts.open(), contexts.has_room(), contexts.is_spent()), (0, true, false));
    }

    #[test]
    fn audio_of_an_interrupted_sentence_is_dropped_at_once() {
        let mut contexts = Contexts::default();
        contexts.begin(origin(), "A long story.");
        contexts.cut(origin());
        assert_eq!(contexts.hear(audio("s1", 7)), Meaning::Nothing);
        contexts.begin(origin(), "Yes?");
        assert_eq!(contexts.hear(audio("s1", 7)), Meaning::Nothing);
        assert_eq!(contexts.hear(audio("s2", 9)), spoken(9));
        assert_eq!(contexts.open(), 2);
        assert_eq!(contexts.hear(last("s1")), Meaning::Nothing);
        assert_eq!(contexts.open(), 1);
    }

    #[test]
    fn there_is_never_a_sixth_context() {
        let mut contexts = Contexts::default();
        for _ in 0..4 {
            assert!(contexts.has_room());
            contexts.begin(origin(), "One.");
            contexts.cut(origin());
        }
        assert_eq!((contexts.open(), contexts.has_room()), (4, false));
        contexts.hear(last("s2"));
        assert!(contexts.has_room());
    }

    #[test]
    fn a_socket_that_goes_on_about_what_nobody_hears_retires() {
        let (t0, mut contexts) = (origin(), Contexts::default());
        contexts.begin(t0, "One.");
        contexts.cut(t0);
        contexts.begin(t0, "Two.");
        assert_eq!(contexts.poll_timeout(), Some(t0 + LINGER));
        contexts.handle_timeout(t0 + LINGER - Duration::from_millis(1));
        assert!(contexts.has_room());
        contexts.handle_timeout(t0 + LINGER);
        assert!(!contexts.has_room() && !contexts.is_spent(), "the live sentence is let finish");
        contexts.hear(last("s2"));
        assert!(contexts.is_spent());
    }

    #[test]
    fn an_error_ends_what_it_is_about() {
        let error = || wire::fault("input_timeout_exceeded", "", None);
        let mut contexts = Contexts::default();
        contexts.begin(origin(), "One.");
        contexts.begin(origin(), "Two.");
        let frame = |context: Option<&str>, error| Heard {
            context: context.map(str::to_owned),
            error: Some(error),
            ..last("")
        };
        assert_eq!(contexts.hear(frame(Some("s1"), error())), Meaning::Nothing);
        assert_eq!(contexts.hear(frame(Some("s2"), error())), Meaning::Failed(error()));
        assert_eq!(contexts.open(), 0);
        contexts.begin(origin(), "Three.");
        let busy = || wire::fault("max_active_conversations", "", None);
        assert_eq!(contexts.hear(frame(Some("s9"), busy())), Meaning::Lost(busy()));
        assert_eq!(contexts.hear(frame(None, error())), Meaning::Lost(error()));
    }
}
