//! The model against its sheet, on a made-up clock.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

fn origin() -> Instant {
    crate::clock::now().into_std()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn peer(t0: Instant) -> TwilioPeer {
    let mut peer = TwilioPeer::new(TwilioIds::numbered(7), BTreeMap::from([("tenant".into(), "acme".into())]));
    peer.open(t0);
    peer
}

fn sid() -> String {
    TwilioIds::numbered(7).stream_sid
}

fn media(frames: usize) -> String {
    media_bytes(&vec![0x20; frames * FRAME_SAMPLES])
}

fn media_bytes(bytes: &[u8]) -> String {
    json!({"event":"media","streamSid":sid(),"media":{"payload":STANDARD.encode(bytes)}}).to_string()
}

fn mark(name: &str) -> String {
    json!({"event":"mark","streamSid":sid(),"mark":{"name":name}}).to_string()
}

fn clear() -> String {
    json!({"event":"clear","streamSid":sid()}).to_string()
}

fn names(messages: &[String]) -> Vec<String> {
    let name = |text: &String| -> Option<String> {
        let value: Value = serde_json::from_str(text).ok()?;
        (value["event"] == "mark").then(|| value["mark"]["name"].as_str().map(str::to_owned))?
    };
    messages.iter().filter_map(name).collect()
}

#[test]
fn the_stream_opens_as_the_sheet_shows() {
    let mut peer = TwilioPeer::new(TwilioIds::numbered(7), BTreeMap::from([("tenant".into(), "acme".into())]));
    let opening = peer.open(origin());
    assert_eq!(opening[0], r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#);
    let ids = TwilioIds::numbered(7);
    let start: Value = serde_json::from_str(&opening[1]).unwrap();
    assert_eq!(
        start,
        json!({"event":"start","sequenceNumber":"1","streamSid":ids.stream_sid,
            "start":{"streamSid":ids.stream_sid,"accountSid":ids.account_sid,"callSid":ids.call_sid,"tracks":["inbound"],
                "mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},
                "customParameters":{"tenant":"acme"}}})
    );
    assert_eq!(ids.call_sid.len(), 34);
}

#[test]
fn sequence_chunk_and_timestamp_are_strings_that_count() {
    let t0 = origin();
    let mut peer = peer(t0);
    peer.caller_audio(&[0; FRAME_SAMPLES]);
    peer.dtmf('5');
    let second: Value = serde_json::from_str(&peer.caller_audio(&[0; FRAME_SAMPLES])).unwrap();
    let payload = STANDARD.encode([0xff; FRAME_SAMPLES]);
    assert_eq!(
        second,
        json!({"event":"media","sequenceNumber":"4","streamSid":sid(),
            "media":{"track":"inbound","chunk":"2","timestamp":"40","payload":payload}})
    );
    let key: Value = serde_json::from_str(&peer.dtmf('#')).unwrap();
    assert_eq!(key["dtmf"], json!({"track":"inbound_track","digit":"#"}));
    let stop: Value = serde_json::from_str(&peer.stop(t0 + ms(50))).unwrap();
    assert_eq!(stop["sequenceNumber"], "6");
    assert_eq!(stop["stop"]["callSid"], json!(TwilioIds::numbered(7).call_sid));
}

#[test]
fn a_mark_comes_back_when_everything_before_it_was_played() {
    let t0 = origin();
    let mut peer = peer(t0);
    assert_eq!(peer.receive(t0 + ms(5), &media(3)).unwrap(), Vec::<String>::new());
    assert_eq!(peer.receive(t0 + ms(5), &mark("a")).unwrap(), Vec::<String>::new());
    // frames begin at 20, 40 and 60 ms: the last is over at 80
    assert_eq!(names(&peer.handle_timeout(t0 + ms(79))), Vec::<String>::new());
    assert_eq!(peer.poll_timeout(), Some(t0 + ms(80)));
    assert_eq!(names(&peer.handle_timeout(t0 + ms(80))), ["a"]);
    assert_eq!(names(&peer.receive(t0 + ms(85), &mark("b")).unwrap()), ["b"], "nothing queued: at once");
}

#[test]
fn clear_drops_the_queue_and_returns_all_marks() {
    let t0 = origin();
    let mut peer = peer(t0);
    for name in ["a", "b"] {
        peer.receive(t0, &media(10)).unwrap();
        peer.receive(t0, &mark(name)).unwrap();
    }
    assert_eq!(names(&peer.receive(t0 + ms(50), &clear()).unwrap()), ["a", "b"]);
    let heard: usize = peer.played(t0 + ms(400)).iter().map(|frame| frame.agent_samples).sum();
    assert_eq!(heard, 2 * FRAME_SAMPLES, "only the frames of 20 and 40 ms");
    assert_eq!(peer.statistics().underruns, 0);
    assert_eq!(peer.statistics().clears, 1);
}

#[test]
fn the_caller_hears_frames_on_an_absolute_clock() {
    let t0 = origin();
    let mut peer = peer(t0);
    peer.receive(t0 + ms(1), &media_bytes(&[0x20; 200])).unwrap();
    let frames = peer.played(t0 + ms(85));
    assert_eq!(frames.iter().map(|frame| frame.at).collect::<Vec<_>>(), [ms(0), ms(20), ms(40), ms(60), ms(80)]);
    assert_eq!(frames.iter().map(|frame| frame.agent_samples).collect::<Vec<_>>(), [0, 160, 40, 0, 0]);
    assert_eq!(frames[2].samples[40..], [0; 120]);
    assert_ne!(frames[2].samples[39], 0);
}

#[test]
fn a_gap_in_speech_is_an_underrun_unless_marked_or_long() {
    let gap = |marked: bool, gap_ms: u64| {
        let t0 = origin();
        let mut peer = peer(t0);
        peer.receive(t0 + ms(1), &media(5)).unwrap();
        if marked {
            peer.receive(t0 + ms(1), &mark("end")).unwrap();
        }
        // five frames from 20 ms on: dry from 120 ms
        let back = t0 + ms(120 + gap_ms);
        peer.handle_timeout(back - ms(1));
        peer.receive(back - ms(1), &media(5)).unwrap();
        peer.handle_timeout(back + ms(500));
        let statistics = peer.statistics();
        (statistics.underruns, statistics.marked_gaps)
    };
    assert_eq!(gap(false, 0), (0, 0));
    assert_eq!(gap(false, 20), (1, 0));
    assert_eq!(gap(false, 180), (1, 0));
    assert_eq!(gap(false, 200), (0, 0), "a new utterance");
    assert_eq!(gap(true, 100), (0, 1));
}

#[test]
fn lateness_is_counted_after_the_lead() {
    let t0 = origin();
    let mut peer = peer(t0);
    // four frames at once are the lead; then one every 20 ms, the last of them 30 ms late
    for _ in 0..4 {
        peer.receive(t0, &media(1)).unwrap();
    }
    for frame in 1..=50 {
        peer.receive(t0 + ms(frame * 20 + if frame == 50 { 30 } else { 2 }), &media(1)).unwrap();
    }
    let statistics = peer.statistics();
    assert_eq!(statistics.lateness_p50, ms(2));
    assert_eq!(statistics.late_frames, 1);
    assert_eq!(statistics.greatest_lead, ms(80));
    assert_eq!(statistics.underruns, 0);
    assert_eq!(statistics.received, ms(54 * 20));
}

#[test]
fn what_the_sheet_forbids_breaks_the_call() {
    let t0 = origin();
    let sid = sid();
    let cases: [(String, &str); 17] = [
        ("{".into(), "not a JSON object"),
        ("[]".into(), "not a JSON object"),
        ("null".into(), "not a JSON object"),
        (json!({"streamSid":sid}).to_string(), "event is missing"),
        (json!({"event":4,"streamSid":sid}).to_string(), "event is missing"),
        (json!({"event":"start","streamSid":sid}).to_string(), "none of media"),
        (json!({"event":"hangup","streamSid":sid}).to_string(), "none of media"),
        (json!({"event":"clear"}).to_string(), "missing field `streamSid`"),
        (json!({"event":"clear","streamSid":sid,"x":1}).to_string(), "unknown field `x`"),
        (json!({"event":"mark","streamSid":sid,"mark":{"name":4}}).to_string(), "invalid type"),
        (json!({"event":"mark","streamSid":sid,"mark":{"name":"a","x":null}}).to_string(), "unknown field"),
        (
            json!({"event":"media","streamSid":sid,"media":{"payload":"","track":"inbound"}}).to_string(),
            "unknown field",
        ),
        (json!({"event":"media","streamSid":sid,"media":{}}).to_string(), "missing field `payload`"),
        (json!({"event":"media","streamSid":sid,"media":{"payload":"*"}}).to_string(), "not base64"),
        (format!(r#"{{"event":"clear","streamSid":"{sid}","streamSid":"{sid}"}}"#), "duplicate field"),
        (media_bytes(b"RIFF\x24\x00\x00\x00WAVE"), "WAV file header"),
        (json!({"event":"clear","streamSid":"MZ0"}).to_string(), "not this stream's"),
    ];
    for (message, expected) in cases {
        let violation = peer(t0).receive(t0, &message).unwrap_err().to_string();
        assert!(violation.contains(expected), "{message}: {violation}");
    }
    assert_eq!(peer(t0).receive_binary(3), Violation::Binary { bytes: 3 });
}

#[test]
fn ten_minutes_fit_and_no_more() {
    let t0 = origin();
    let mut peer = peer(t0);
    for _ in 0..10 {
        peer.receive(t0, &media(50 * 60)).unwrap();
    }
    assert_eq!(peer.receive(t0, &media(1)), Err(Violation::Overflow { queued: ms(600_020) }));
}

#[test]
fn messages_before_start_and_after_stop_are_forbidden() {
    let t0 = origin();
    let mut idle = TwilioPeer::new(TwilioIds::numbered(7), BTreeMap::new());
    assert_eq!(idle.receive(t0, &media(1)), Err(Violation::BeforeStart));
    let mut peer = peer(t0);
    peer.stop(t0 + ms(100));
    assert_eq!(peer.receive(t0 + ms(150), &media(1)), Ok(Vec::new()), "it crossed the stop on the wire");
    assert_eq!(peer.receive(t0 + ms(700), &media(1)), Err(Violation::AfterStop));
    assert_eq!(peer.poll_timeout(), None);
}

/// Heard in a simulated call: mu-law speech that begins as a WAV file does, and is none.
#[test]
fn speech_may_begin_with_the_letters_of_a_file() {
    assert!(wire::audio(&STANDARD.encode(b"RIFFGHHLTXFz\xed\xe4")).is_ok());
}
