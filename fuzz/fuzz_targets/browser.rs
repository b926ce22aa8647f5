//! The browser's socket under arbitrary bytes: one message a line, all through one decoder, on a talk that runs and on one that does not.
//!
//! Holds: no panic; audio is told in the length in which it was appended, never above a second a message; nothing else appends any; what a
//! page may type, tell or wish for is bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem_domain::port::dialect::{Dialect, LegEvent, WireMessage};
use tandem_providers::carrier::browser::BrowserDialect;

fuzz_target!(|data: &[u8]| {
    let dialect = BrowserDialect::new(Some("front-desk".to_owned()), 1);
    let start = WireMessage::Text(r#"{"type":"conversation_initiation_client_data"}"#.to_owned());
    for running in [false, true] {
        let mut decoder = dialect.decoder();
        let mut pcm = Vec::new();
        if running {
            assert!(decoder.decode(&start, &mut pcm).is_ok());
        }
        for line in data.split(|&byte| byte == b'\n') {
            pcm.clear();
            let message = WireMessage::Text(String::from_utf8_lossy(line).into_owned());
            match decoder.decode(&message, &mut pcm) {
                Ok(LegEvent::Audio { samples, .. }) => assert!(samples == pcm.len() && samples <= 16_000),
                Ok(LegEvent::Typed(text) | LegEvent::Context(text)) => {
                    assert!(pcm.is_empty() && !text.trim().is_empty() && text.chars().count() <= 4_000);
                }
                Ok(LegEvent::Started(start)) => assert!(pcm.is_empty() && start.parameters.len() <= 64),
                Ok(_) | Err(_) => assert!(pcm.is_empty()),
            }
        }
    }
});
