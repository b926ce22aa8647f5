//! Recordings of real calls over real sockets: fetched whole, in parts and as an outline, paused by whoever may, and whole after a `kill -9`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tandem_peers::simulate::PeerReport;

#[path = "support/killable.rs"]
mod killable;
#[path = "support/stored.rs"]
mod stored;
mod support;
#[path = "support/witness.rs"]
mod witness;

use killable::Killable;
use stored::{assert_problem, store_call};
use support::{Program, answer, boot_with_settings};

const LIMIT: Duration = Duration::from_secs(30);

struct Fetched {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Fetched {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn fetch(program: &Program, path: &str, headers: &[(&str, &str)]) -> Fetched {
    let request =
        headers.iter().fold(program.request("GET", path), |request, (name, value)| request.header(*name, *value));
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Fetched { status, headers, body: response.bytes().await.unwrap().to_vec() }
}

/// Asks again until `done` is content with the answer.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asked = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LIMIT, asked).await.unwrap_or_else(|_| panic!("{what}: not within {LIMIT:?}"))
}

fn pairs(file: &[u8]) -> Vec<[i16; 2]> {
    let samples: Vec<i16> = hound::WavReader::new(file).unwrap().into_samples().map(Result::unwrap).collect();
    samples.chunks(2).map(|pair| [pair[0], pair[1]]).collect()
}

/// A call that was recorded, and paused for a moment on the way.
async fn recorded_call(program: &Program) -> (PeerReport, String) {
    let call = tokio::spawn(witness::call(program.socket_url("/media"), 0));
    let live = until("a live call", async || {
        let sessions = program.get("/debug/sessions").await.json();
        let session = sessions["items"].get(0)?.clone();
        let id = session["call_id"].as_str()?.to_owned();
        (program.get(&format!("/api/calls/{id}")).await.status == 200).then_some(id)
    });
    let path = format!("/api/calls/{}/recording", live.await);
    assert_problem(&program.get(&path).await, 404, "not-found");
    let foreign = program.request("POST", &format!("{path}/pause")).header("origin", "http://evil.example.test");
    assert_problem(&answer(foreign).await, 403, "closed");
    for (act, state) in [("pause", "paused"), ("resume/", "recording")] {
        let done = answer(program.request("POST", &format!("{path}/{act}"))).await;
        assert_eq!((done.status, &done.json()["recording"]), (200, &json!(state)), "{}", done.body);
    }
    (call.await.unwrap().unwrap(), path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_fetched_whole_in_parts_and_as_an_outline() {
    let program = boot_with_settings(&[("RECORD_CALLS", "wav"), ("ENDPOINT_SILENCE_MS", "200")]).await.unwrap();
    let (report, path) = recorded_call(&program).await;
    let whole = until("the recording", async || {
        let fetched = fetch(&program, &path, &[]).await;
        (fetched.status == 200).then_some(fetched)
    })
    .await;
    let length = whole.body.len();
    let tag = format!("\"{}\"", Sha256::digest(&whole.body).iter().map(|b| format!("{b:02x}")).collect::<String>());
    assert_eq!(whole.header("etag"), tag);
    assert_eq!((whole.header("content-type"), whole.header("accept-ranges")), ("audio/wav", "bytes"));
    assert_eq!(whole.header("content-length"), length.to_string());
    let pairs = pairs(&whole.body);
    assert!(pairs.iter().any(|pair| pair[0].abs() > 1_000) && pairs.iter().any(|pair| pair[1].abs() > 1_000));
    let call = program.get(&format!("/api/calls/{}", report.call_sid)).await.json();
    assert_eq!(call["recording_url"], path);
    let by_sid = fetch(&program, &format!("/api/calls/{}/recording/", report.call_sid), &[]).await;
    assert!(by_sid.status == 200 && by_sid.body == whole.body);

    parts(&program, &path, &whole.body, &tag).await;
    outline(&program, &path, &pairs).await;

    let over = answer(program.request("POST", &format!("{path}/pause"))).await;
    assert_problem(&over, 404, "not-found");
    let (unrecorded, _) = store_call(&program, 1).await;
    for nothing in [format!("/api/calls/{unrecorded}/recording"), "/api/calls/4711/recording/peaks".to_owned()] {
        assert_problem(&program.get(&nothing).await, 404, "not-found");
    }
    program.running.shutdown().await;
}

async fn parts(program: &Program, path: &str, whole: &[u8], tag: &str) {
    let length = whole.len();
    let mut joined = Vec::new();
    while joined.len() < length {
        let range = format!("bytes={}-{}", joined.len(), joined.len() + 99_999);
        let part = fetch(program, path, &[("range", &range), ("if-range", tag)]).await;
        let last = (joined.len() + 99_999).min(length - 1);
        assert_eq!(part.status, 206);
        assert_eq!(part.header("content-range"), format!("bytes {}-{last}/{length}", joined.len()));
        assert_eq!(part.header("content-length"), part.body.len().to_string());
        joined.extend(part.body);
    }
    assert_eq!(joined, whole);
    let end = fetch(program, path, &[("range", "bytes=-7")]).await;
    assert_eq!((end.status, &end.body[..]), (206, &whole[length - 7..]));
    for validator in ["\"another\"", "W/\"x\"", "Sat, 21 Nov 2026 20:00:00 GMT"] {
        let other = fetch(program, path, &[("range", "bytes=0-9"), ("if-range", validator)]).await;
        assert_eq!((other.status, other.body.len()), (200, length), "{validator} is of another file: the whole");
    }
    assert_eq!(fetch(program, path, &[("range", "bytes=0-1,5-6")]).await.status, 200);
    let outside = fetch(program, path, &[("range", &format!("bytes={length}-"))]).await;
    assert_eq!((outside.status, outside.header("content-range")), (416, format!("bytes */{length}").as_str()));
    assert_eq!(outside.header("content-type"), "application/problem+json");
    assert_eq!(fetch(program, path, &[("if-none-match", tag)]).await.status, 304);
    let head = program.request("HEAD", path).send().await.unwrap();
    assert_eq!(
        (head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()),
        (200, &*length.to_string())
    );
    assert!(head.bytes().await.unwrap().is_empty());
}

async fn outline(program: &Program, path: &str, pairs: &[[i16; 2]]) {
    let outline = program.get(&format!("{path}/peaks?points=50")).await;
    let told = outline.json();
    assert_eq!((&told["points"], &told["sample_rate"]), (&json!(50), &json!(8_000)));
    assert_eq!(told["seconds"], pairs.len() as f64 / 8_000.0);
    for (side, channel) in [("caller", 0), ("agent", 1)] {
        let points: Vec<[i16; 2]> = serde_json::from_value(told[side].clone()).unwrap();
        assert_eq!(points.len(), 50);
        let highest = points.iter().map(|[_, high]| *high).max();
        assert_eq!(highest, pairs.iter().map(|pair| pair[channel]).max(), "{side}");
        let lowest = points.iter().map(|[low, _]| *low).min();
        assert_eq!(lowest, pairs.iter().map(|pair| pair[channel]).min(), "{side}");
    }
    let again = [("if-none-match", outline.header("etag"))];
    assert_eq!(fetch(program, &format!("{path}/peaks?points=50"), &again).await.status, 304);
    assert_eq!(fetch(program, &format!("{path}/peaks?points=51"), &again).await.status, 200);
    assert_eq!(program.get(&format!("{path}/peaks")).await.json()["points"], 1_000);
    for wrong in ["points=0", "points=10001", "points=many", "dots=5"] {
        assert_problem(&program.get(&format!("{path}/peaks?{wrong}")).await, 400, "invalid-request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_until_a_kill_is_whole_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let switch = Killable::start(&data, &["RECORD_CALLS=wav"]).await;
    let call = tokio::spawn(witness::call(switch.media_url(), 0));
    let recordings = data.join("recordings");
    until("three seconds on disk", async || {
        let part = std::fs::read_dir(&recordings).ok()?.next()?.ok()?;
        (part.metadata().ok()?.len() > 3 * 32_000).then_some(())
    })
    .await;
    switch.kill().await;
    let report = call.await.unwrap().unwrap();

    let again = Killable::start(&data, &["RECORD_CALLS=wav"]).await;
    let call = until("the recording's address", async || {
        let call: Value = again.json(&format!("/api/calls/{}", report.call_sid)).await?;
        call["recording_url"].is_string().then_some(call)
    })
    .await;
    let file = std::fs::read(recordings.join(format!("{}.wav", call["uuid"].as_str().unwrap()))).unwrap();
    let pairs = pairs(&file);
    assert!(pairs.len() > 24_000 && pairs.iter().any(|pair| pair[1].abs() > 1_000));
    let (status, outline) = again.get(&format!("{}/peaks?points=10", call["recording_url"].as_str().unwrap())).await;
    let outline: Value = serde_json::from_str(&outline).unwrap();
    assert_eq!((status, &outline["seconds"]), (200, &json!(pairs.len() as f64 / 8_000.0)));
    again.end().await;
}

#[cfg(feature = "opus")]
#[tokio::test(flavor = "multi_thread")]
async fn an_opus_recording_is_served_and_drawn_too() {
    let program = boot_with_settings(&[("RECORD_CALLS", "opus"), ("ENDPOINT_SILENCE_MS", "200")]).await.unwrap();
    let (_, path) = recorded_call(&program).await;
    let whole = until("the recording", async || {
        let fetched = fetch(&program, &path, &[]).await;
        (fetched.status == 200).then_some(fetched)
    })
    .await;
    assert_eq!(whole.header("content-type"), "audio/ogg");
    let mut samples = Vec::new();
    tandem_codecs::ogg_opus::read(std::io::Cursor::new(&whole.body), |piece| samples.extend_from_slice(piece)).unwrap();
    let part = fetch(&program, &path, &[("range", "bytes=0-3")]).await;
    assert_eq!((part.status, &part.body[..]), (206, &b"OggS"[..]));
    let pairs: Vec<[i16; 2]> = samples.chunks(2).map(|pair| [pair[0], pair[1]]).collect();
    outline(&program, &path, &pairs).await;
    program.running.shutdown().await;
}
