//! Whether a socket's first messages are Exotel's.
//!
//! `connected` alone says nothing: Exotel sends it bare, and so may a stand-in for Twilio. `start` decides, by the case of its keys, or by
//! the name of its samples where Exotel writes camelCase too.

use tandem_domain::port::dialect::{Recognition, WireMessage};

use super::wire::{Head, StartMessage, read};

/// Names of the samples that Exotel's pages have used. Always the same samples.
const ENCODINGS: [&str; 4] = ["base64", "raw", "audio/x-raw", "audio/x-l16"];

pub(super) fn recognise(message: &WireMessage) -> Recognition {
    let WireMessage::Text(text) = message else { return Recognition::NotMine };
    let Ok(head) = read::<Head<'_>>(text) else { return Recognition::NotMine };
    match &*head.event {
        "connected" if names_a_protocol(text) => Recognition::NotMine,
        "connected" => Recognition::Unsure,
        "start" => match read::<StartMessage<'_>>(text) {
            Ok(message) if head.is_snake_case() || message.start.is_snake_case() => Recognition::Mine,
            Ok(message) if message.start.encoding().is_some_and(|name| ENCODINGS.contains(&name)) => Recognition::Mine,
            Ok(_) => Recognition::NotMine,
            // Bent, but by somebody who speaks our language: our decoder can say how.
            Err(_) if head.is_snake_case() => Recognition::Mine,
            Err(_) => Recognition::NotMine,
        },
        _ if head.is_snake_case() => Recognition::Mine,
        _ => Recognition::NotMine,
    }
}

/// Twilio's greeting has `protocol` and `version`.
fn names_a_protocol(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Greeting {
        protocol: Option<serde::de::IgnoredAny>,
        version: Option<serde::de::IgnoredAny>,
    }
    read::<Greeting>(text).is_ok_and(|greeting| greeting.protocol.is_some() || greeting.version.is_some())
}
