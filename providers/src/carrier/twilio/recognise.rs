//! Whether a socket's first messages are Twilio's: `connected` names its protocol, `start` its stream in camelCase and µ-law.

use serde::Deserialize;
use serde::de::IgnoredAny;
use tandem_domain::port::dialect::{Recognition, WireMessage};

use super::wire::{Head, StartMessage, read};

#[derive(Deserialize)]
struct Greeting {
    protocol: Option<IgnoredAny>,
    version: Option<IgnoredAny>,
}

pub(super) fn recognise(message: &WireMessage) -> Recognition {
    let WireMessage::Text(text) = message else { return Recognition::NotMine };
    let Ok(head) = read::<Head<'_>>(text) else { return Recognition::NotMine };
    match &*head.event {
        "connected" => match read::<Greeting>(text) {
            Ok(Greeting { protocol: Some(_), version: Some(_) }) => Recognition::Mine,
            // A stand-in for Twilio may leave them out.
            Ok(_) => Recognition::Unsure,
            Err(_) => Recognition::NotMine,
        },
        "start" => match read::<StartMessage<'_>>(text) {
            Ok(message) if message.start.media_format.is_ulaw_8k_mono() => Recognition::Mine,
            Ok(_) | Err(_) => Recognition::NotMine,
        },
        _ => Recognition::NotMine,
    }
}
