//! Audio for Tandem: samples in, samples out.
//!
//! Place: the lowest crate; `domain`, `sip`, `providers`, `peers` and `actors` stand on it.
//!
//! Everything here is a function or a small state machine over slices of 16-bit mono PCM. Positions
//! in time are sample counts. The crate knows nothing of calls, reads no clock, and never sleeps,
//! spawns or opens anything: [`wav`] reads and writes through streams that the caller hands in.
//!
//! | module | what it does |
//! |--------|--------------|
//! | [`frame`] | sample rates, and a buffer of PCM that is cheap to clone |
//! | [`format`](mod@format) | how PCM looks on a wire, and the way there and back |
//! | [`g711`], [`l16`] | the codecs behind it |
//! | [`g722`], `opus` | the codecs with a memory of their own; the second with the feature `opus` |
//! | [`jitter`] | packets in as they come, frames out at our pace |
//! | [`in_order`] | messages that say when they were made, each once and in order |
//! | [`late`] | stalls of a stream that loses nothing, such as a WebSocket |
//! | [`plc`] | what is played where audio is missing |
//! | [`resample`] | polyphase conversion between the rates of telephony and synthesis |
//! | [`framer`] | cuts a stream into frames of one size |
//! | [`dtmf`] | keys of a telephone keypad, made and heard |
//! | [`ambience`], [`mix`] | places that an agent may sound like, and one sound under another |
//! | [`level`], [`tone`], [`noise`] | loudness, one frequency, and test signals |
//! | [`call_tone`] | tones of networks and machines, heard |
//! | [`agc`], `denoise` | a caller made audible; the second with the feature `denoise` |
//! | [`click`] | jumps that no voice has made |
//! | [`stereo`], [`peaks`] | both directions of a call on its clock, and their outline |
//! | [`vad`] | speech or not, frame by frame, and where speech starts and ends |
//! | [`wav`] | recordings and fixtures |
//! | `ogg_opus` | recordings that are kept, with the feature `opus` |
//!
//! Buffers named `out` are appended to, never cleared, so one buffer can be filled by several calls
//! and reused without a new allocation.

pub mod agc;
pub mod ambience;
pub mod call_tone;
pub mod click;
#[cfg(feature = "denoise")]
pub mod denoise;
pub mod dtmf;
pub mod format;
pub mod frame;
pub mod framer;
pub mod g711;
pub mod g722;
pub mod in_order;
pub mod jitter;
pub mod l16;
pub mod late;
pub mod level;
pub mod mix;
pub mod noise;
#[cfg(feature = "opus")]
pub mod ogg_opus;
#[cfg(feature = "opus")]
pub mod opus;
pub mod peaks;
pub mod plc;
pub mod resample;
pub mod stereo;
pub mod tone;
pub mod vad;
pub mod wav;

pub use format::{Encoding, FormatError, MediaFormat};
pub use frame::{Pcm, RateError, SampleRate};
pub use framer::Framer;
pub use level::Level;
pub use resample::{Resampler, resample_all};
pub use stereo::Stereo;
pub use vad::{Detector, SpeechGate, SpeechGateConfig, VadEvent};
pub use wav::WavError;
