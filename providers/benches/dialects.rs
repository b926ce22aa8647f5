//! What the carriers' protocols cost: one message in and one message out, per chunk of audio.
//!
//! `cargo bench -p tandem-providers`. Twilio and the browser have 50 messages a second and direction, Exotel 10 in and 5 out.

use std::hint::black_box;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tandem_codecs::tone::Sine;
use tandem_codecs::{SampleRate, g711, l16};
use tandem_domain::port::dialect::{Decoder, Encoder, WireMessage};
use tandem_providers::carrier::browser::{BrowserDecoder, BrowserEncoder};
use tandem_providers::carrier::exotel::{ExotelDecoder, ExotelEncoder};
use tandem_providers::carrier::twilio::{TwilioDecoder, TwilioEncoder};

const TWILIO: &str = include_str!("../../tests/fixtures/twilio/one_turn.jsonl");
const EXOTEL: &str = include_str!("../../tests/fixtures/exotel/one_turn.jsonl");
/// The browser starts its talk with the first audio.
const NOTHING: &str = "";

fn text(text: impl Into<String>) -> WireMessage {
    WireMessage::Text(text.into())
}

/// What a voice looks like once it is bytes: no two chunks alike, no silence.
fn tone(rate: SampleRate, chunk: Duration) -> Vec<i16> {
    Sine::new(rate, 1_000.0, 8_000).take(rate.samples_in(chunk)).collect()
}

/// A reader whose stream has started, as a fixture starts it.
fn started(mut decoder: impl Decoder, fixture: &str) -> impl Decoder {
    for line in fixture.lines().take_while(|line| !line.contains(r#""event":"media""#)) {
        decoder.decode(&text(line), &mut Vec::new()).expect("the fixture is valid");
    }
    decoder
}

fn incoming(c: &mut Criterion) {
    let ms = Duration::from_millis;
    let ulaw: Vec<u8> = {
        let mut bytes = Vec::new();
        g711::encode_ulaw(&tone(SampleRate::HZ_8000, ms(20)), &mut bytes);
        bytes
    };
    let linear = |rate, chunk| {
        let mut bytes = Vec::new();
        l16::encode_le(&tone(rate, chunk), &mut bytes);
        STANDARD.encode(bytes)
    };
    let twilio = format!(
        r#"{{"event":"media","sequenceNumber":"3","streamSid":"MZ0123456789abcdef0123456789abcdef","media":{{"track":"inbound","chunk":"2","timestamp":"20","payload":"{}"}}}}"#,
        STANDARD.encode(ulaw)
    );
    let reordered = twilio.replacen(r#""event":"media","#, "", 1).replacen("}}", r#"},"event":"media"}"#, 1);
    let sid = EXOTEL.lines().find_map(|line| line.split(r#""stream_sid":""#).nth(1)).expect("the fixture has an id");
    let sid = sid.split('"').next().unwrap_or_default();
    let exotel = format!(
        r#"{{"event":"media","sequence_number":"3","stream_sid":"{sid}","media":{{"chunk":"2","timestamp":"100","payload":"{}"}}}}"#,
        linear(SampleRate::HZ_8000, ms(100))
    );
    let browser = format!(r#"{{"user_audio_chunk":"{}"}}"#, linear(SampleRate::HZ_16000, ms(20)));
    let readers: [(&str, Box<dyn Decoder>, String); 4] = [
        ("twilio_20_ms", Box::new(started(TwilioDecoder::new(0), TWILIO)), twilio),
        ("twilio_20_ms_in_another_order", Box::new(started(TwilioDecoder::new(0), TWILIO)), reordered),
        ("exotel_100_ms", Box::new(started(ExotelDecoder::new(SampleRate::HZ_8000), EXOTEL)), exotel),
        ("browser_20_ms", Box::new(started(BrowserDecoder::new(None, 0), NOTHING)), browser),
    ];
    let mut group = c.benchmark_group("media_in");
    for (name, mut decoder, message) in readers {
        let (message, mut pcm) = (text(message), Vec::new());
        decoder.decode(&message, &mut pcm).expect("the message is valid"); // the browser's first starts its talk
        group.bench_function(name, |b| {
            b.iter(|| {
                pcm.clear();
                decoder.decode(black_box(&message), &mut pcm)
            });
        });
    }
    group.finish();
}

fn outgoing(c: &mut Criterion) {
    let ms = Duration::from_millis;
    let writers: [(&str, Box<dyn Encoder>, Vec<i16>); 3] = [
        (
            "twilio_20_ms",
            Box::new(TwilioEncoder::new("MZ0123456789abcdef0123456789abcdef")),
            tone(SampleRate::HZ_8000, ms(20)),
        ),
        (
            "exotel_200_ms",
            Box::new(ExotelEncoder::new("0123456789abcdef0123456789abcdef", SampleRate::HZ_8000, false)),
            tone(SampleRate::HZ_8000, ms(200)),
        ),
        ("browser_20_ms", Box::new(BrowserEncoder::default()), tone(SampleRate::HZ_16000, ms(20))),
    ];
    let mut group = c.benchmark_group("media_out");
    for (name, mut encoder, pcm) in writers {
        group.throughput(Throughput::Elements(pcm.len() as u64));
        group.bench_function(name, |b| b.iter(|| encoder.audio(black_box(&pcm))));
    }
    group.finish();
    let mut twilio = TwilioEncoder::new("MZ0123456789abcdef0123456789abcdef");
    c.bench_function("twilio_mark", |b| b.iter(|| twilio.mark(black_box("0-12-48000"))));
}

criterion_group!(benches, incoming, outgoing);
criterion_main!(benches);
