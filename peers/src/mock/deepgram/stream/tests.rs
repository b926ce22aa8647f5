#![allow(clippy::unwrap_used)]
use serde_json::json;

use super::super::query::tests::read;
use super::*;
use crate::clock;
use crate::vendor::FaultPlan;
use crate::voice::speak;

const QUERY: &str =
    "model=nova-3&encoding=linear16&sample_rate=8000&interim_results=true&endpointing=300&smart_format=true";

struct Client {
    stream: Stream,
    now: Instant,
}

impl Client {
    fn new(query: &str, behaviour: Behaviour) -> Self {
        let now = clock::now();
        Self { stream: Stream::new(now, read(query).unwrap(), behaviour, "id".to_owned()), now }
    }

    /// Sends audio in real time; what came back meanwhile.
    fn hear(&mut self, samples: &[i16]) -> Vec<Answer> {
        let mut answers = Vec::new();
        for chunk in samples.chunks(160) {
            let bytes: Vec<u8> = chunk.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            self.stream.audio(self.now, &bytes);
            answers.extend(self.wait(Duration::from_millis(20)));
        }
        answers
    }

    fn say(&mut self, message: Value) -> Vec<Answer> {
        self.stream.text(self.now, &message.to_string());
        self.wait(Duration::ZERO)
    }

    fn wait(&mut self, time: Duration) -> Vec<Answer> {
        self.now += time;
        self.stream.handle_timeout(self.now);
        std::iter::from_fn(|| self.stream.poll(self.now)).take(1_000).collect()
    }
}

fn json_of(answers: &[Answer]) -> Vec<Value> {
    let text = |answer: &Answer| if let Answer::Text(text) = answer { serde_json::from_str(text).ok() } else { None };
    answers.iter().filter_map(text).collect()
}

fn finals(answers: &[Answer]) -> Vec<Value> {
    json_of(answers).into_iter().filter(|message| message["is_final"] == true).collect()
}

fn said(message: &Value) -> &str {
    message["channel"]["alternatives"][0]["transcript"].as_str().unwrap()
}

fn seconds_of_silence(seconds: usize) -> Vec<i16> {
    vec![0; seconds * RATE_HZ as usize]
}

#[test]
fn a_pause_settles_what_was_said() {
    let mut client = Client::new(QUERY, Behaviour::default());
    let line = [speak("Sixty lakh rupees."), seconds_of_silence(1)].concat();
    let answers = client.hear(&line);
    let interims: Vec<Value> = json_of(&answers).into_iter().filter(|message| message["is_final"] == false).collect();
    assert!(interims.iter().any(|interim| said(interim) == "Sixty lakh"), "{interims:?}");
    let finals = finals(&answers);
    assert_eq!(finals.len(), 1);
    assert_eq!((said(&finals[0]), &finals[0]["speech_final"]), ("Sixty lakh rupees.", &json!(true)));
    let word = &finals[0]["channel"]["alternatives"][0]["words"][2];
    assert_eq!((&word["word"], &word["punctuated_word"]), (&json!("rupees"), &json!("rupees.")));
    let (start, end) = (
        finals[0]["start"].as_f64().unwrap(),
        finals[0]["start"].as_f64().unwrap() + finals[0]["duration"].as_f64().unwrap(),
    );
    assert!(word["start"].as_f64().unwrap() > start && word["end"].as_f64().unwrap() < end);
}

#[test]
fn finalize_is_answered_where_something_was_buffered() {
    let latency = Duration::from_millis(100);
    let mut client = Client::new(QUERY, Behaviour::steady(latency));
    assert_eq!(client.say(json!({"type": "Finalize"})), [], "nothing was said");
    client.hear(&speak("in Delhi"));
    assert_eq!(client.say(json!({"type": "Finalize"})), []);
    let finals = finals(&client.wait(latency));
    assert_eq!((said(&finals[0]), &finals[0]["from_finalize"]), ("in Delhi", &json!(true)));
    let later = self::finals(&client.hear(&seconds_of_silence(2)));
    assert!(later.iter().all(|message| said(message).is_empty()), "said once: {later:?}");
}

#[test]
fn long_talk_comes_in_several_finals() {
    let text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen";
    let mut client = Client::new(QUERY, Behaviour::default());
    let finals = finals(&client.hear(&[speak(text), seconds_of_silence(1)].concat()));
    assert!(finals.len() > 1, "{finals:?}");
    assert_eq!(finals.iter().map(said).filter(|said| !said.is_empty()).collect::<Vec<_>>().join(" "), text);
}

#[test]
fn close_stream_settles_summarises_and_closes() {
    let mut client = Client::new(QUERY, Behaviour::default());
    client.hear(&speak("thank you"));
    let answers = client.say(json!({"type": "CloseStream"}));
    let kinds: Vec<Value> = json_of(&answers).iter().map(|message| message["type"].clone()).collect();
    assert_eq!(kinds, ["Results", "Metadata"]);
    assert_eq!(answers.last(), Some(&Answer::Close(1000, "")));
    let mut client = Client::new(QUERY, Behaviour::default());
    client.stream.audio(client.now, &[]);
    assert_eq!(client.wait(Duration::ZERO).last(), Some(&Answer::Close(1000, "")), "an empty message ends it too");
}

#[test]
fn a_client_that_says_nothing_is_closed_by_its_reason() {
    let mut client = Client::new(QUERY, Behaviour::default());
    client.hear(&seconds_of_silence(1));
    assert_eq!(client.wait(Duration::from_secs(9)), []);
    assert_eq!(client.say(json!({"type": "KeepAlive"})), []);
    assert_eq!(client.wait(Duration::from_secs(9)), []);
    assert_eq!(client.wait(Duration::from_secs(1)), [Answer::Close(1011, IDLE_REASON)]);

    let mut never = Client::new(QUERY, Behaviour::default());
    for _ in 0..3 {
        assert_eq!(never.say(json!({"type": "KeepAlive"})), []);
        assert_eq!(never.wait(Duration::from_secs(4)), []);
    }
    assert_eq!(never.wait(Duration::from_secs(3)), [Answer::Close(1011, NEVER_AUDIO_REASON)]);

    let mut undecodable = Client::new("model=nova-3", Behaviour::default());
    undecodable.stream.audio(undecodable.now, &[7; 100]);
    assert_eq!(undecodable.wait(Duration::ZERO), [Answer::Close(1008, DATA_REASON)]);
}

#[test]
fn messages_that_cannot_be_read_are_told_so() {
    let mut client = Client::new(QUERY, Behaviour::default());
    for text in ["", "{", "[]", r#"{"type":"Flush"}"#] {
        client.stream.text(client.now, text);
        assert_eq!(json_of(&client.wait(Duration::ZERO))[0]["variant"], "SchemaError", "{text}");
    }
}

#[test]
fn key_terms_may_change_with_nova_3_alone() {
    let configure = json!({"type": "Configure", "keyterms": ["EMI"]});
    let mut client = Client::new(QUERY, Behaviour::default());
    assert_eq!(
        json_of(&client.say(configure.clone()))[0],
        json!({"type": "ConfigureSuccess", "request_id": "id", "keyterms": ["EMI"]})
    );
    let many = vec!["EMI"; 101];
    let answer = client.say(json!({"type": "Configure", "keyterms": many}));
    assert_eq!(json_of(&answer)[0]["code"], "CONFIGURE_KEYTERM_LIMIT_EXCEEDED");
    let mut older = Client::new("model=nova-2", Behaviour::default());
    assert_eq!(json_of(&older.say(configure))[0]["code"], "CONFIGURE_KEYTERMS_NOT_SUPPORTED");
}

#[test]
fn events_come_where_they_are_asked_for() {
    let query = format!("{QUERY}&vad_events=true&utterance_end_ms=1000");
    let mut client = Client::new(&query, Behaviour::default());
    let answers = json_of(&client.hear(&[speak("hello"), seconds_of_silence(2)].concat()));
    let of = |kind: &str| answers.iter().filter(|message| message["type"] == kind).count();
    assert_eq!((of("SpeechStarted"), of("UtteranceEnd")), (1, 1));
}

#[test]
fn faults_come_in_their_utterance() {
    let with = |fault| Behaviour { faults: FaultPlan::times(fault, 1, 1), ..Behaviour::default() };
    let line = [speak("sixty lakh"), seconds_of_silence(1)].concat();
    for (fault, expected) in [
        (Fault::Silent, None),
        (Fault::Error, Some(Answer::Close(1011, "Internal server error."))),
        (Fault::Drop, Some(Answer::Drop)),
        (Fault::DropMidway, Some(Answer::Drop)),
    ] {
        let mut client = Client::new(QUERY, with(fault));
        assert_eq!(said(&finals(&client.hear(&line))[0]), "sixty lakh", "the first goes well");
        let answers = client.hear(&line);
        assert_eq!(finals(&answers), Vec::<Value>::new(), "{fault:?}");
        match expected {
            Some(expected) => assert!(answers.contains(&expected), "{fault:?}: {answers:?}"),
            None => assert!(json_of(&answers).iter().all(|message| said(message).is_empty()), "{answers:?}"),
        }
    }
    let mut garbage = Client::new(QUERY, with(Fault::Garbage));
    garbage.hear(&line);
    let answers = garbage.hear(&line);
    assert!(answers.iter().filter(|answer| json_of(std::slice::from_ref(*answer)).is_empty()).count() >= GARBAGE);
    let mut endless = Client::new(QUERY, with(Fault::Endless));
    endless.hear(&line);
    endless.hear(&speak("sixty lakh"));
    assert_eq!(endless.wait(Duration::ZERO).len(), 1_000, "as many as are taken");
}
