//! Exotel's media socket under arbitrary bytes: one message a line, all through one decoder.
//!
//! Holds: no panic, neither in the decoder nor in telling the carrier by the message, and audio is told in the length in which it was
//! appended, never above the greatest chunk.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem_domain::port::dialect::{Dialect, LegEvent, WireMessage};
use tandem_providers::carrier::exotel::ExotelDialect;
use tandem_providers::carrier::twilio::TwilioDialect;

fuzz_target!(|data: &[u8]| {
    let dialect = ExotelDialect::new(false);
    let mut decoder = dialect.decoder();
    let mut pcm = Vec::new();
    for line in data.split(|&byte| byte == b'\n') {
        pcm.clear();
        let message = WireMessage::Text(String::from_utf8_lossy(line).into_owned());
        let _ = (dialect.recognises(&message), TwilioDialect::new(0).recognises(&message));
        match decoder.decode(&message, &mut pcm) {
            Ok(LegEvent::Audio { samples, .. }) => assert!(samples == pcm.len() && samples <= 50_000),
            Ok(_) | Err(_) => assert!(pcm.is_empty()),
        }
    }
});
