//! Carriers, as the switch meets them: each a strict model of one protocol, written from its description alone.
//!
//! [`MediaPeer`] is what a driver needs of any of them; [`Carrier`] is the choice, made once a call.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub mod browser;
pub mod exotel;
mod playback;
pub mod twilio;

pub use playback::{HeardFrame, PlaybackStatistics};

/// Samples of one frame of the caller's and of the agent's audio: 20 ms at 8 kHz.
pub const FRAME_SAMPLES: usize = 160;
/// Length of one frame.
pub const FRAME: Duration = Duration::from_millis(20);

/// What the switch did that a carrier forbids. Ends a simulated call at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Of Twilio's rules.
    #[error(transparent)]
    Twilio(#[from] twilio::Violation),
    /// Of Exotel's rules.
    #[error(transparent)]
    Exotel(#[from] exotel::Violation),
    /// Of what a page can make sense of.
    #[error(transparent)]
    Browser(#[from] browser::Violation),
}

/// A carrier's side of one call on a media socket. Told the time; text messages in and out.
pub trait MediaPeer: Send {
    /// The carrier's id of the call.
    fn call_sid(&self) -> &str;
    /// What is added to the socket's path, where the carrier's customer writes it there.
    fn query(&self) -> Option<String>;
    /// Begins the stream. The playback clock runs from `now`.
    fn open(&mut self, now: Instant) -> Vec<String>;
    /// The caller's next 20 ms; the message that is full with it.
    fn caller_audio(&mut self, samples: &[i16; FRAME_SAMPLES]) -> Option<String>;
    /// The caller presses a key.
    fn dtmf(&mut self, digit: char) -> String;
    /// The caller hangs up: the last message.
    fn stop(&mut self, now: Instant) -> String;
    /// Takes a text message of the switch; returns the messages that answer it at once.
    fn receive(&mut self, now: Instant, text: &str) -> Result<Vec<String>, Violation>;
    /// Takes a binary frame of the switch.
    fn receive_binary(&mut self, bytes: usize) -> Violation;
    /// When to call [`handle_timeout`](Self::handle_timeout); `None` while nothing is played.
    fn poll_timeout(&self) -> Option<Instant>;
    /// Plays up to `now`; returns the marks that are due.
    fn handle_timeout(&mut self, now: Instant) -> Vec<String>;
    /// The frames that began since the last call, without a gap.
    fn played(&mut self, now: Instant) -> Vec<HeardFrame>;
    /// What the listener could complain about.
    fn statistics(&self) -> PlaybackStatistics;
    /// Caller audio sent so far.
    fn sent(&self) -> Duration;
}

/// Whose protocol a simulated call speaks, and the carrier's names for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrier {
    /// Twilio Media Streams.
    Twilio(twilio::TwilioIds),
    /// Exotel AgentStream.
    Exotel(exotel::ExotelIds, exotel::Habits),
    /// A page in a browser.
    Browser(browser::Wishes),
}

impl Carrier {
    /// The carrier's side of the call. `parameters`: the values that its customer attached to the stream.
    pub fn peer(&self, parameters: BTreeMap<String, String>) -> Box<dyn MediaPeer> {
        match self {
            Self::Twilio(ids) => Box::new(twilio::TwilioPeer::new(ids.clone(), parameters)),
            Self::Browser(wishes) => Box::new(browser::BrowserPeer::new(wishes.clone(), parameters)),
            Self::Exotel(ids, habits) => Box::new(exotel::ExotelPeer::new(ids.clone(), *habits, parameters)),
        }
    }

    /// The subprotocols that its socket offers. A browser sends no header of its own with a socket: its token is one of them.
    pub fn subprotocols(&self) -> Vec<String> {
        match self {
            Self::Browser(browser::Wishes { token: Some(token), .. }) => {
                vec!["convai".to_owned(), format!("tandem.bearer.{}", token.0)]
            }
            Self::Twilio(_) | Self::Exotel(..) | Self::Browser(_) => Vec::new(),
        }
    }
}
