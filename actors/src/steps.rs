//! What operators watch a server by: the steps of a call, in the words that they have watched for since the earlier services
//! (api-inventory section 10 item 15), with the provider's name in the place of the one that they had.
//!
//! | message | level | from |
//! |---|---|---|
//! | `WebSocket connection established` | info | `switch`, before the stream has started |
//! | `WebSocket event received` | info; marks debug; audio trace, at fifty a second | `switch` (`start`), `ingress` (the rest) |
//! | `… transcription` | info | `call` |
//! | `… response generated` | info | `call` |
//! | `… audio synthesized` | info | `tts`, for each sentence |
//! | `Session persisted to database` | info | `scribe`, once the end of a call is stored |
//!
//! The log holds lengths and ids, never words, numbers or keys: those are the caller's, and a log goes to more people than a database.

use std::net::SocketAddr;
use std::time::Duration;

use tandem_domain::call_core::Input;
use tandem_domain::ids::CallId;
use tandem_domain::port::dialect::{LegEvent, LegStart};
use tandem_domain::record::Record;
use tracing::{debug, info, trace};

/// A socket was accepted.
pub fn connected(carrier: &'static str, peer: Option<SocketAddr>) {
    info!(carrier, peer = peer.map(tracing::field::display), "WebSocket connection established");
}

/// The stream of a socket has started; the call's own id comes later.
pub fn stream_started(carrier: &'static str, start: &LegStart) {
    info!(carrier, event = "start", call_sid = start.carrier_call_id, "WebSocket event received");
}

/// The far end sent something.
pub fn received(call: CallId, carrier: &'static str, event: &LegEvent) {
    match event {
        LegEvent::Audio { samples, .. } => {
            trace!(call_id = %call, carrier, event = "media", samples, "WebSocket event received");
        }
        LegEvent::Mark(_) => debug!(call_id = %call, carrier, event = "mark", "WebSocket event received"),
        LegEvent::Ignored(reason) => {
            debug!(call_id = %call, carrier, event = "ignored", reason, "WebSocket event received");
        }
        LegEvent::Connected => info!(call_id = %call, carrier, event = "connected", "WebSocket event received"),
        LegEvent::Started(_) => info!(call_id = %call, carrier, event = "start", "WebSocket event received"),
        // Which key it was is the caller's own.
        LegEvent::Dtmf(_) => info!(call_id = %call, carrier, event = "dtmf", "WebSocket event received"),
        LegEvent::Typed(_) => info!(call_id = %call, carrier, event = "typed", "WebSocket event received"),
        LegEvent::Context(_) => info!(call_id = %call, carrier, event = "context", "WebSocket event received"),
        LegEvent::ToolResult { is_error, .. } => {
            info!(call_id = %call, carrier, event = "tool_result", is_error, "WebSocket event received");
        }
        LegEvent::Activity => debug!(call_id = %call, carrier, event = "activity", "WebSocket event received"),
        LegEvent::Pong(_) => debug!(call_id = %call, carrier, event = "pong", "WebSocket event received"),
        LegEvent::Stopped | LegEvent::MovedOn => {
            info!(call_id = %call, carrier, event = "stop", "WebSocket event received");
        }
    }
}

/// What a vendor told the call.
pub fn answered(call: CallId, stt: &str, brain: &str, input: &Input) {
    match input {
        Input::Transcript { turn, text, confidence, .. } => {
            let characters = text.chars().count();
            info!(call_id = %call, turn = turn.0, characters, confidence, "{} transcription", brand(stt));
        }
        Input::BrainDone { ask } => info!(call_id = %call, ask, "{} response generated", brand(brain)),
        _ => {}
    }
}

/// A sentence became audio.
pub fn synthesized(call: CallId, tts: &str, characters: usize, audio: Duration) {
    let audio_ms = u64::try_from(audio.as_millis()).unwrap_or(u64::MAX);
    info!(call_id = %call, characters, audio_ms, "{} audio synthesized", brand(tts));
}

/// The end of a session, to be told once it is stored.
pub struct Ending {
    call: CallId,
    reason: &'static str,
}

/// The sessions that these records end.
pub fn endings(records: &[Record]) -> Vec<Ending> {
    let ended = |record: &Record| match record {
        Record::Ended(ended) => Some(Ending { call: ended.call, reason: ended.reason.as_str() }),
        _ => None,
    };
    records.iter().filter_map(ended).collect()
}

/// It is stored.
pub fn persisted(ending: &Ending) {
    info!(call_id = %ending.call, reason = ending.reason, "Session persisted to database");
}

/// The name of a provider as its makers write it.
fn brand(provider: &str) -> String {
    let known = ["Deepgram", "OpenAI", "ElevenLabs", "HomeAI", "Sarvam", "Gemini", "Anthropic", "Cartesia"];
    if let Some(name) = known.iter().find(|name| name.eq_ignore_ascii_case(provider)) {
        return (*name).to_owned();
    }
    let mut letters = provider.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_written_as_their_makers_do() {
        let written = ["openai", "deepgram", "elevenlabs", "whisper", "flite", ""].map(brand);
        assert_eq!(written, ["OpenAI", "Deepgram", "ElevenLabs", "Whisper", "Flite", ""]);
    }
}
