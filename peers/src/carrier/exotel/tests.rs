//! The model against its sheet, on a made-up clock.

#![allow(clippy::unwrap_used)]

use super::*;
use serde_json::{Value, json};

fn origin() -> Instant {
    crate::clock::now().into_std()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn peer_with(habits: Habits, t0: Instant) -> ExotelPeer {
    let mut peer =
        ExotelPeer::new(ExotelIds::numbered(7), habits, BTreeMap::from([("lead_id".into(), "L-204".into())]));
    peer.open(t0);
    peer
}

fn peer(t0: Instant) -> ExotelPeer {
    peer_with(Habits::default(), t0)
}

fn sid() -> String {
    ExotelIds::numbered(7).stream_sid
}

fn media(bytes: usize) -> String {
    let loud: Vec<u8> = [0x00, 0x20].into_iter().cycle().take(bytes).collect();
    json!({"event":"media","stream_sid":sid(),"media":{"payload":STANDARD.encode(loud)}}).to_string()
}

fn mark(name: &str) -> String {
    json!({"event":"mark","stream_sid":sid(),"mark":{"name":name}}).to_string()
}

fn clear() -> String {
    json!({"event":"clear","stream_sid":sid()}).to_string()
}

fn names(messages: &[String]) -> Vec<String> {
    let values = messages.iter().map(|text| serde_json::from_str::<Value>(text).unwrap());
    values
        .filter(|value| value["event"] == "mark")
        .map(|value| value["mark"]["name"].as_str().unwrap().into())
        .collect()
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_stream_opens_as_the_sheet_shows() {
    let mut peer = ExotelPeer::new(
        ExotelIds::numbered(7),
        Habits::default(),
        BTreeMap::from([("lead_id".into(), "L-204".into())]),
    );
    let opening = peer.open(origin());
    assert_eq!(opening[0], r#"{"event":"connected"}"#);
    let ids = ExotelIds::numbered(7);
    assert_eq!(
        read(&opening[1]),
        json!({"event":"start","sequence_number":"1","stream_sid":ids.stream_sid,
            "start":{"stream_sid":ids.stream_sid,"call_sid":ids.call_sid,"account_sid":"acme1",
                "from":"09876543210","to":"08047112233","custom_parameters":{"lead_id":"L-204"},
                "media_format":{"encoding":"base64","sample_rate":"8000","bit_rate":"128kbps"}}})
    );
    assert!(peer.open(origin()).is_empty(), "once");
}

#[test]
fn the_other_spelling_means_the_same() {
    let habits = Habits {
        counts: Counts::Numbers,
        keys: Keys::Camel,
        start_names_rate: false,
        ..Habits::at(SampleRate::HZ_16000)
    };
    let mut peer =
        ExotelPeer::new(ExotelIds::numbered(7), habits, BTreeMap::from([("lead_id".into(), "L-204".into())]));
    let start = read(&peer.open(origin())[1]);
    assert_eq!((&start["sequenceNumber"], &start["streamSid"]), (&json!(1), &json!(sid())));
    assert_eq!(start["start"]["customParameters"], json!({"lead_id":"L-204"}));
    assert_eq!(start["start"]["mediaFormat"], json!({"encoding":"base64","bitRate":"128kbps"}));
    assert_eq!(peer.query().as_deref(), Some("sample-rate=16000"));
}

#[test]
fn the_caller_is_sent_in_messages_of_a_tenth_of_a_second() {
    for (rate, bytes) in [(SampleRate::HZ_8000, 1_600), (SampleRate::HZ_16000, 3_200), (SampleRate::HZ_24000, 4_800)] {
        let mut peer = peer_with(Habits::at(rate), origin());
        let sent: Vec<Value> =
            (0..25).filter_map(|_| peer.caller_audio(&[1_000; FRAME_SAMPLES])).map(|text| read(&text)).collect();
        assert_eq!(sent.len(), 5);
        assert_eq!(sent[4]["media"]["chunk"], "5");
        assert_eq!(sent[4]["media"]["timestamp"], "400");
        assert_eq!(sent[4]["sequence_number"], "6");
        let payload = STANDARD.decode(sent[4]["media"]["payload"].as_str().unwrap()).unwrap();
        assert_eq!(payload.len(), bytes, "{rate}");
        assert_eq!(peer.sent(), ms(500));
    }
}

#[test]
fn a_mark_comes_back_when_everything_before_it_was_played() {
    let t0 = origin();
    let mut peer = peer(t0);
    peer.receive(t0 + ms(1), &media(3_200)).unwrap();
    assert!(peer.receive(t0 + ms(1), &mark("end")).unwrap().is_empty());
    // played from the tick at 20 ms on
    assert!(peer.handle_timeout(t0 + ms(219)).is_empty());
    assert_eq!(names(&peer.handle_timeout(t0 + ms(220))), ["end"]);
    assert_eq!(names(&peer.receive(t0 + ms(300), &mark("idle")).unwrap()), ["idle"], "nothing to wait for");
    let heard: usize = peer.played(t0 + ms(300)).iter().map(|frame| frame.agent_samples).sum();
    assert_eq!(heard, 1_600);
}

#[test]
fn clear_drops_the_queue_and_its_marks_either_way() {
    for (marks_on_clear, expected) in [(MarksOnClear::Returned, vec!["a", "b"]), (MarksOnClear::Dropped, vec![])] {
        let t0 = origin();
        let mut peer = peer_with(Habits { marks_on_clear, ..Habits::default() }, t0);
        for name in ["a", "b"] {
            peer.receive(t0 + ms(1), &media(3_200)).unwrap();
            peer.receive(t0 + ms(1), &mark(name)).unwrap();
        }
        assert_eq!(names(&peer.receive(t0 + ms(50), &clear()).unwrap()), expected);
        assert!(names(&peer.handle_timeout(t0 + ms(900))).is_empty());
        let heard: usize = peer.played(t0 + ms(900)).iter().map(|frame| frame.agent_samples).sum();
        assert_eq!(heard, 2 * FRAME_SAMPLES, "only the frames of 20 and 40 ms");
        assert_eq!(peer.statistics().clears, 1);
    }
}

#[test]
fn agent_audio_is_heard_at_every_rate() {
    for rate in [SampleRate::HZ_8000, SampleRate::HZ_16000, SampleRate::HZ_24000] {
        let t0 = origin();
        let mut peer = peer_with(Habits::at(rate), t0);
        peer.receive(t0 + ms(1), &media(9_600)).unwrap();
        let length = rate.duration_of(4_800);
        let heard: usize = peer.played(t0 + ms(900)).iter().map(|frame| frame.agent_samples).sum();
        let heard = SampleRate::HZ_8000.duration_of(heard as u64);
        assert!(length.abs_diff(heard) <= ms(3), "{rate}: {heard:?} of {length:?}");
    }
}

#[test]
fn a_second_ahead_of_real_time_is_the_limit() {
    let t0 = origin();
    let mut peer = peer(t0);
    for _ in 0..5 {
        peer.receive(t0, &media(3_200)).unwrap();
    }
    let ahead = Violation::TooFarAhead { ahead: ms(1_200) };
    assert_eq!(peer.receive(t0, &media(3_200)), Err(ahead.into()));
}

#[test]
fn what_the_sheet_forbids_breaks_the_call() {
    let t0 = origin();
    let sid = sid();
    let payload = STANDARD.encode(vec![0; 3_200]);
    let wav = STANDARD.encode([b"RIFF".as_slice(), &[0; 3_196]].concat());
    let cases: Vec<(String, &str)> = vec![
        ("{".into(), "EOF"),
        ("[]".into(), "invalid"),
        ("null".into(), "invalid"),
        (json!({"stream_sid":sid}).to_string(), "missing field `event`"),
        (json!({"event":"hangup","stream_sid":sid}).to_string(), "none of media"),
        (json!({"event":"clear"}).to_string(), "missing field `stream_sid`"),
        (json!({"event":"clear","streamSid":sid}).to_string(), "missing field `stream_sid`"),
        (json!({"event":"clear","stream_sid":sid,"x":1}).to_string(), "unknown field `x`"),
        (json!({"event":"clear","stream_sid":sid,"mark":{"name":"a"}}).to_string(), "section of its name"),
        (json!({"event":"mark","stream_sid":sid}).to_string(), "section of its name"),
        (json!({"event":"mark","stream_sid":sid,"mark":{"name":4}}).to_string(), "invalid type"),
        (json!({"event":"media","stream_sid":sid,"media":{}}).to_string(), "missing field `payload`"),
        (json!({"event":"media","stream_sid":sid,"media":{"payload":"*"}}).to_string(), "not base64"),
        (json!({"event":"media","stream_sid":sid,"media":{"payload":wav}}).to_string(), "WAV file header"),
        (json!({"event":"clear","stream_sid":"other"}).to_string(), "stream_sid \"other\" is not"),
        (json!({"event":"clear","stream_sid":sid,"streamSid":"other"}).to_string(), "streamSid \"other\" is not"),
        (json!({"event":"clear","stream_sid":sid,"sequence_number":"x"}).to_string(), "is no count"),
        (
            json!({"event":"clear","stream_sid":sid,"sequence_number":"1","sequenceNumber":"2"}).to_string(),
            "sequence_number and sequenceNumber differ",
        ),
        (media(3_198), "jitter"),
        (media(1_600), "jitter"),
        (media(3_202), "gap of 20 ms"),
        (media(3_360), "gap of 20 ms"),
        (media(100_160), "times out"),
        (
            json!({"event":"media","stream_sid":sid,"media":{"payload":payload,"track":"inbound"}}).to_string(),
            "unknown field `track`",
        ),
    ];
    for (message, expected) in cases {
        let violation = peer(t0).receive(t0, &message).unwrap_err().to_string();
        assert!(violation.contains(expected), "{:.200}: {violation}", message);
    }
    assert_eq!(peer(t0).receive_binary(3), Violation::Binary { bytes: 3 }.into());
}

#[test]
fn counts_run_on_or_are_left_out() {
    let t0 = origin();
    let payload = STANDARD.encode(vec![0; 3_200]);
    let numbered = |sequence: u64, chunk: u64, timestamp: u64| {
        json!({"event":"media","stream_sid":sid(),"sequence_number":sequence.to_string(),
            "media":{"chunk":chunk,"timestamp":timestamp.to_string(),"payload":payload}})
        .to_string()
    };
    let second = |sequence, chunk, timestamp| {
        let mut peer = peer(t0);
        peer.receive(t0, &numbered(1, 1, 0)).unwrap();
        peer.receive(t0, &numbered(sequence, chunk, timestamp)).map_err(|violation| violation.to_string())
    };
    assert_eq!(second(2, 2, 200), Ok(vec![]));
    assert_eq!(second(4, 2, 200), Err("sequence_number goes from 1 to 4".into()));
    assert_eq!(second(2, 1, 200), Err("chunk goes from 1 to 1".into()));
    assert_eq!(second(2, 2, 0), Err("timestamp goes from 0 to 0".into()));
    let mut bare = peer(t0);
    assert!((0..4).all(|_| bare.receive(t0, &media(3_200)).is_ok()), "what other integrations send");
}

#[test]
fn messages_before_start_and_after_stop_are_forbidden() {
    let t0 = origin();
    let mut idle = ExotelPeer::new(ExotelIds::numbered(7), Habits::default(), BTreeMap::new());
    assert_eq!(idle.receive(t0, &media(3_200)), Err(Violation::BeforeStart.into()));
    let mut peer = peer(t0);
    assert_eq!(read(&peer.stop(t0 + ms(100)))["stop"]["reason"], "callended");
    assert_eq!(peer.receive(t0 + ms(150), &media(3_200)), Ok(Vec::new()), "it crossed the stop on the wire");
    assert_eq!(peer.receive(t0 + ms(700), &media(3_200)), Err(Violation::AfterStop.into()));
    assert_eq!(peer.poll_timeout(), None);
}

#[test]
fn keys_are_told_with_their_length() {
    let key = read(&peer(origin()).dtmf('#'));
    assert_eq!(key["dtmf"], json!({"digit":"#","duration":"120"}));
}
