//! The language between the switch and its inference processes: frames over the child's stdin and stdout.
//!
//! Place: [`super::whisper`] speaks it asynchronously, [`super::whisper_worker`] blocking; here is only bytes to types and back.
//! Not here: versions. Both ends are the same program.
//!
//! Little endian. Every frame is a `u32` length of what follows, at most [`MAX_FRAME_BYTES`], then:
//!
//! ```text
//! request   u64 id   u16 prompt bytes   prompt (UTF-8)   samples (i16, 16 kHz mono, to the end)
//! reply     u64 id   u8 kind (0 heard, 1 refused)   f32 confidence   u32 milliseconds   text (UTF-8, to the end)
//! ```
//!
//! A worker first says [`READY`] as the id of an empty reply, once its model is loaded. Then it answers one request after the other.

use std::time::Duration;

/// Rate of the samples in a request, in Hz: what Whisper was trained on.
pub const RATE_HZ: u32 = 16_000;
/// The longest audio of a request: Whisper's own window.
pub const MAX_SAMPLES: usize = 30 * RATE_HZ as usize;
/// The longest prompt. Whisper takes 224 tokens of it, and a token is rarely shorter than three bytes.
pub const MAX_PROMPT_BYTES: usize = 640;
/// The longest body of a frame: a request with the longest audio and prompt.
pub const MAX_FRAME_BYTES: usize = 8 + 2 + MAX_PROMPT_BYTES + 2 * MAX_SAMPLES;
/// Id of a worker's first reply.
pub const READY: u64 = 0;

/// One stretch of speech to be recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Comes back in the reply; never [`READY`].
    pub id: u64,
    /// Words to expect, at most [`MAX_PROMPT_BYTES`].
    pub prompt: String,
    /// At most [`MAX_SAMPLES`], 16 kHz mono.
    pub samples: Vec<i16>,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Id of the request.
    pub id: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// Time spent on it.
    pub took: Duration,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The words, empty where there were none.
    Heard {
        /// Text as Whisper writes it.
        text: String,
        /// 0 to 1: geometric mean of the words' probabilities.
        confidence: f32,
    },
    /// The engine said no to this request.
    Refused {
        /// Why, for the log.
        why: String,
    },
}

impl Request {
    /// The whole frame. A prompt or audio past its limit is cut.
    pub fn encode(&self) -> Vec<u8> {
        let prompt = &self.prompt.as_bytes()[..self.prompt.floor_char_boundary(MAX_PROMPT_BYTES)];
        let samples = &self.samples[..self.samples.len().min(MAX_SAMPLES)];
        let mut body = Vec::with_capacity(8 + 2 + prompt.len() + 2 * samples.len());
        body.extend(self.id.to_le_bytes());
        body.extend((prompt.len() as u16).to_le_bytes());
        body.extend(prompt);
        body.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
        framed(body)
    }

    /// Reads the body of a frame.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let (id, rest) = body.split_first_chunk().ok_or(WireError::Malformed)?;
        let (length, rest) = rest.split_first_chunk().ok_or(WireError::Malformed)?;
        let length = usize::from(u16::from_le_bytes(*length));
        let (prompt, samples) = rest.split_at_checked(length).ok_or(WireError::Malformed)?;
        let (samples, odd) = samples.as_chunks();
        if !odd.is_empty() || samples.len() > MAX_SAMPLES {
            return Err(WireError::Malformed);
        }
        let prompt = std::str::from_utf8(prompt).map_err(|_| WireError::Malformed)?.to_owned();
        let samples = samples.iter().map(|s| i16::from_le_bytes(*s)).collect();
        Ok(Self { id: u64::from_le_bytes(*id), prompt, samples })
    }
}

impl Reply {
    /// What a worker says when its model is loaded, `took` the time for that.
    pub fn ready(took: Duration) -> Self {
        Self { id: READY, outcome: Outcome::Heard { text: String::new(), confidence: 0.0 }, took }
    }

    /// The whole frame.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, confidence, text) = match &self.outcome {
            Outcome::Heard { text, confidence } => (0u8, *confidence, text),
            Outcome::Refused { why } => (1, 0.0, why),
        };
        let text = &text.as_bytes()[..text.floor_char_boundary(MAX_FRAME_BYTES - 17)];
        let mut body = self.id.to_le_bytes().to_vec();
        body.push(kind);
        body.extend(confidence.to_le_bytes());
        body.extend(u32::try_from(self.took.as_millis()).unwrap_or(u32::MAX).to_le_bytes());
        body.extend(text);
        framed(body)
    }

    /// Reads the body of a frame.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let (id, rest) = body.split_first_chunk().ok_or(WireError::Malformed)?;
        let ([kind], rest) = rest.split_first_chunk().ok_or(WireError::Malformed)?;
        let (confidence, rest) = rest.split_first_chunk().ok_or(WireError::Malformed)?;
        let (millis, text) = rest.split_first_chunk().ok_or(WireError::Malformed)?;
        let text = std::str::from_utf8(text).map_err(|_| WireError::Malformed)?.to_owned();
        let outcome = match kind {
            0 => Outcome::Heard { text, confidence: f32::from_le_bytes(*confidence) },
            1 => Outcome::Refused { why: text },
            _ => return Err(WireError::Malformed),
        };
        let took = Duration::from_millis(u64::from(u32::from_le_bytes(*millis)));
        Ok(Self { id: u64::from_le_bytes(*id), outcome, took })
    }
}

/// The size of the body that a frame's first four bytes announce.
pub fn body_length(header: [u8; 4]) -> Result<usize, WireError> {
    let length = u32::from_le_bytes(header) as usize;
    if length <= MAX_FRAME_BYTES { Ok(length) } else { Err(WireError::TooLong { length }) }
}

fn framed(body: Vec<u8>) -> Vec<u8> {
    let mut frame = (body.len() as u32).to_le_bytes().to_vec();
    frame.extend(body);
    frame
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Longer than any frame of ours.
    #[error("frame of {length} bytes, more than {MAX_FRAME_BYTES}")]
    TooLong {
        /// What the header claims.
        length: usize,
    },
    /// Cut short, of an unknown kind or not UTF-8.
    #[error("malformed frame")]
    Malformed,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn body(frame: &[u8]) -> &[u8] {
        assert_eq!(body_length(frame[..4].try_into().unwrap()).unwrap(), frame.len() - 4);
        &frame[4..]
    }

    proptest! {
        #[test]
        fn requests_survive(id: u64, prompt in ".{0,100}", samples: Vec<i16>) {
            let request = Request { id, prompt, samples };
            prop_assert_eq!(Request::decode(body(&request.encode())).unwrap(), request);
        }

        #[test]
        fn replies_survive(id: u64, text: String, confidence in 0.0f32..1.0, heard: bool, millis: u32) {
            let outcome = if heard { Outcome::Heard { text, confidence } } else { Outcome::Refused { why: text } };
            let reply = Reply { id, outcome, took: Duration::from_millis(millis.into()) };
            prop_assert_eq!(Reply::decode(body(&reply.encode())).unwrap(), reply);
        }

        #[test]
        fn noise_never_panics(bytes: Vec<u8>) {
            let _ = (Request::decode(&bytes), Reply::decode(&bytes));
        }
    }

    #[test]
    fn what_passes_a_limit_is_cut_or_refused() {
        let request = Request { id: 1, prompt: "é".repeat(MAX_PROMPT_BYTES), samples: vec![0; MAX_SAMPLES + 1] };
        let decoded = Request::decode(body(&request.encode())).unwrap();
        assert_eq!((decoded.prompt.len(), decoded.samples.len()), (MAX_PROMPT_BYTES, MAX_SAMPLES));
        assert!(matches!(body_length([0xFF; 4]), Err(WireError::TooLong { .. })));
    }
}
