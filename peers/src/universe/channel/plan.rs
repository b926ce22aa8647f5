//! What a line is like.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_codecs::g711;

use super::disorder::Disorder;
use super::loss::Loss;
use super::stalls::Stalls;
use crate::vendor::Latency;

/// What one direction of a line is like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelPlan {
    /// Least time under way.
    #[serde(with = "crate::millis")]
    pub delay: Duration,
    /// What comes on top, drawn for each item.
    pub jitter: Latency,
    /// When nothing comes through.
    pub stalls: Option<Stalls>,
    /// The carrier's trouble with marks; of no effect on what is sent as anything else.
    pub marks: MarkTrouble,
    /// What the transport adds.
    pub transport: Transport,
}

/// What carries the items.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Over TCP: in order, each once.
    WebSocket,
    /// Over UDP.
    Rtp(Datagrams),
}

/// What may become of datagrams. Probabilities are 0 to 1, for each datagram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Datagrams {
    /// Which never come.
    pub loss: Loss,
    /// Probability of being overtaken.
    pub reordered: f64,
    /// How far an overtaken datagram falls behind.
    #[serde(with = "crate::millis")]
    pub reordered_by: Duration,
    /// Probability of coming twice.
    pub duplicated: f64,
    /// How long the copy comes behind.
    #[serde(with = "crate::millis")]
    pub copy_after: Duration,
}

impl Default for Datagrams {
    /// All come, once and in order.
    fn default() -> Self {
        Self {
            loss: Loss::None,
            reordered: 0.0,
            reordered_by: Duration::from_millis(30),
            duplicated: 0.0,
            copy_after: Duration::from_millis(5),
        }
    }
}

/// What a carrier does wrong with marks, each with a probability of 0 to 1; what is left goes well.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkTrouble {
    /// The mark never comes.
    pub lost: f64,
    /// The mark comes late.
    pub late: f64,
    /// By so much.
    pub lateness: Latency,
    /// The mark comes under a name that nobody gave.
    pub unknown: f64,
}

impl ChannelPlan {
    /// At once, in order, all.
    pub const PERFECT: Self = Self::websocket(Duration::ZERO, Latency::ZERO);

    /// A WebSocket with that delay and jitter.
    pub const fn websocket(delay: Duration, jitter: Latency) -> Self {
        Self {
            delay,
            jitter,
            stalls: None,
            marks: MarkTrouble { lost: 0.0, late: 0.0, lateness: Latency::ZERO, unknown: 0.0 },
            transport: Transport::WebSocket,
        }
    }

    /// RTP with that delay and jitter, and what may become of its datagrams.
    pub fn rtp(delay: Duration, jitter: Latency, datagrams: Datagrams) -> Self {
        Self { transport: Transport::Rtp(datagrams), ..Self::websocket(delay, jitter) }
    }

    /// Stands still now and then.
    #[must_use]
    pub fn stalling(self, stalls: Stalls) -> Self {
        Self { stalls: Some(stalls), ..self }
    }

    /// Has trouble with marks.
    #[must_use]
    pub fn with_marks(self, marks: MarkTrouble) -> Self {
        Self { marks, ..self }
    }

    pub(super) fn loss(&self) -> Loss {
        match self.transport {
            Transport::WebSocket => Loss::None,
            Transport::Rtp(datagrams) => datagrams.loss,
        }
    }
}

/// Both directions of a line, and what its far end is like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinePlan {
    /// From the carrier to the switch. Marks come back on it.
    pub up: ChannelPlan,
    /// From the switch to the carrier.
    pub down: ChannelPlan,
    /// How much too fast the far end's clock is, in millionths (see [`super::FarClock`]).
    pub drift_ppm: i32,
    /// What the caller's voice goes through before it reaches the carrier's socket.
    pub codec: Codec,
    /// Packets of the caller's voice that the carrier's own network loses before its media server, which sends silence in their place.
    #[serde(default)]
    pub lost: Loss,
    /// What the carrier's media server does to its messages.
    #[serde(default)]
    pub disorder: Disorder,
}

impl LinePlan {
    /// As if both ends were one machine.
    pub const PERFECT: Self = Self {
        up: ChannelPlan::PERFECT,
        down: ChannelPlan::PERFECT,
        drift_ppm: 0,
        codec: Codec::None,
        lost: Loss::None,
        disorder: Disorder { lost: 0.0, reordered: 0.0, doubled: 0.0 },
    };
}

/// A codec on the way, and what it leaves of samples at 8 kHz.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// None; what the carrier's own protocol does comes on top.
    #[default]
    None,
    /// G.711 mu-law, there and back.
    Ulaw,
    /// A call from another continent: A-law there, mu-law here.
    AlawUlaw,
}

impl Codec {
    /// Codes the samples and decodes them again, in place.
    pub fn pass(self, samples: &mut [i16]) {
        let mut bytes = Vec::with_capacity(samples.len());
        let mut back = Vec::with_capacity(samples.len());
        if self == Self::AlawUlaw {
            g711::encode_alaw(samples, &mut bytes);
            g711::decode_alaw(&bytes, &mut back);
            samples.copy_from_slice(&back);
            bytes.clear();
            back.clear();
        }
        if self != Self::None {
            g711::encode_ulaw(samples, &mut bytes);
            g711::decode_ulaw(&bytes, &mut back);
            samples.copy_from_slice(&back);
        }
    }
}
