//! Journals of calls on real sockets and many threads, run again by another process: each effect the same, and nothing forged passes.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tandem::Vendors;
use tandem_actors::call::CallMsg;
use tandem_domain::call_core::Part;
use tandem_peers::caller::{Line, Manners, Rendered, Step};
use tandem_peers::carrier::Carrier;
use tandem_peers::carrier::browser::Wishes;
use tandem_peers::carrier::exotel::{ExotelIds, Habits};
use tandem_peers::carrier::twilio::TwilioIds;
use tandem_peers::simulate::{self, SimulateConfig};
use tandem_peers::vendor::{FakeStt, FakeSttConfig, FakeTts, FakeTtsConfig};
use tandem_peers::voice::Talker;
use tempfile::TempDir;

#[path = "../domain/tests/journal/frames.rs"]
mod frames;
mod support;

use support::Program;

const LIMIT: Duration = Duration::from_secs(60);
const CALLS: usize = 24;
/// Parts that die and stand again.
const PARTS: [Part; 6] = [Part::Tts, Part::Dialogue, Part::Stt, Part::Egress, Part::Vad, Part::Silence];

/// Vendors that take their time, so that a fault meets them at work.
fn slow() -> Vendors {
    let latency = Duration::from_millis(150);
    let stt = FakeStt::new(FakeSttConfig { latency: latency.into(), ..FakeSttConfig::default() });
    let (first_chunk, chunk_interval) = (Duration::from_millis(120), Duration::from_millis(60));
    let tts =
        FakeTts::new(FakeTtsConfig { first_chunk: first_chunk.into(), chunk_interval, ..FakeTtsConfig::default() });
    Vendors { stt: Some(Arc::new(stt)), tts: Some(Arc::new(tts)) }
}

fn line(number: usize, text: &str) -> Line {
    let samples = Talker::numbered(number as u64).speak(text).samples.into();
    Line::Audio(Rendered { text: text.into(), samples })
}

/// Every fourth caller interrupts, presses keys, hangs up in the greeting, or is polite.
fn script(number: usize) -> Vec<Step<Line>> {
    let say = |text| Step::Say(line(number, text));
    let over = |ms, text| Step::Interrupt { after: Duration::from_millis(ms), say: line(number, text) };
    let home = "I want an apartment in Delhi";
    match number % 4 {
        0 => vec![say(home), say("sixty lakh rupees"), Step::Wait, Step::HangUp],
        1 => vec![over(900, home), over(700, "sixty lakh rupees"), Step::Wait, Step::HangUp],
        2 => vec![over(1_500, home), Step::Dtmf("12#".into()), Step::Wait, Step::HangUp],
        _ => vec![Step::Silence(Duration::from_millis(1_300)), Step::HangUp],
    }
}

/// A caller by telephone or in a browser, speaking or typing.
async fn caller(program: &Program, number: usize) -> Option<String> {
    let by_browser = |text_only| {
        let agent = Some("front-desk".to_owned());
        ("/v1/convai/conversation", Carrier::Browser(Wishes { agent, text_only, ..Wishes::default() }))
    };
    let (path, carrier) = match number % 6 {
        0..=2 => ("/media", Carrier::Twilio(TwilioIds::numbered(number as u128))),
        3 => ("/media", Carrier::Exotel(ExotelIds::numbered(number as u128), Habits::default())),
        four_or_five => by_browser(four_or_five == 5),
    };
    let report = simulate::run(SimulateConfig {
        url: program.socket_url(path),
        unix_socket: None,
        carrier,
        custom_parameters: BTreeMap::new(),
        script: script(number),
        manners: Manners { seed: number as u64, ..Manners::default() },
        renderer: Arc::new(FakeTts::default()),
        voice: String::new(),
        language: "en".into(),
        recogniser: None,
        record_to: None,
        limit: LIMIT,
    });
    report.await.ok().map(|report| report.call_sid)
}

/// Kills each part of every other call once, one after the other, and two calls as a whole; until nobody talks any more.
async fn mischief(program: &Program) {
    let mut beat = tokio::time::interval(Duration::from_millis(1_100));
    for round in 0.. {
        beat.tick().await;
        let calls = program.running.switch.calls().await;
        if round > 3 && calls.is_empty() {
            break;
        }
        for (place, (_, call)) in calls.iter().enumerate().filter(|(place, _)| place % 2 == 1) {
            if let Some(part) = PARTS.get((round + place) % (PARTS.len() * 2)) {
                let _ = call.cast(CallMsg::Kill(*part)); // it ended meanwhile
            }
        }
        if round == 4 {
            calls.iter().take(2).for_each(|(_, call)| call.kill());
        }
    }
}

/// `tandem replay`, in a process of its own, on an empty environment.
fn replay(file: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_tandem");
    Command::new(program).arg("replay").arg(file).arg("--json").args(arguments).env_clear().output().unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", talk(output)))
}

fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs the calls, and returns the folder of their journals.
async fn journals(folder: &TempDir) -> Vec<PathBuf> {
    let kept = folder.path().join("journals");
    let settings = [("JOURNAL_CALLS", "100"), ("JOURNAL_DIR", kept.to_str().unwrap())];
    let program = support::boot_in(tempfile::tempdir().unwrap(), &settings, slow()).await.unwrap();
    let callers = futures_util::future::join_all((0..CALLS).map(|number| caller(&program, number)));
    let (sids, ()) = tokio::join!(callers, mischief(&program));

    // The polite caller by telephone was not killed as a whole or else ended: its journal is had by the carrier's id.
    let sid = sids[0].as_ref().or(sids[1].as_ref()).or(sids[2].as_ref()).unwrap();
    support::transcript(&program, sid).await; // its rows are written
    let answer = program.client.get(format!("{}/api/calls/{sid}/journal", program.base())).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"application/octet-stream".parse().unwrap())
    );
    let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    let name = disposition.split('"').nth(1).unwrap().to_owned();
    let shown = answer.bytes().await.unwrap();
    let nobody = program.get("/api/calls/0199aaaa-0000-7000-8000-000000000000/journal").await;
    assert_eq!(nobody.status, 404);

    program.running.shutdown().await;
    let mut files: Vec<PathBuf> = std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(std::fs::read(kept.join(&name)).unwrap(), shown, "the file and the answer are one journal");
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_on_sockets_run_again_in_another_process_and_nothing_forged_passes() {
    let folder = tempfile::tempdir().unwrap();
    let files = journals(&folder).await;
    assert_eq!(files.len(), CALLS, "one journal a call, whatever became of it");

    let (mut lines, mut closings, mut spoken) = (Vec::new(), BTreeMap::<String, usize>::new(), Vec::new());
    let (mut bytes, mut seconds, mut inputs, mut effects) = (0, 0.0, 0, 0);
    for file in &files {
        let run = replay(file, &["--print"]);
        assert!(run.status.success(), "{}: {}", file.display(), talk(&run));
        let report = report(&run);
        assert_eq!(report["divergence"], Value::Null);
        *closings.entry(report["closing"].as_str().unwrap().to_owned()).or_default() += 1;
        bytes += std::fs::metadata(file).unwrap().len();
        seconds += report["seconds"].as_f64().unwrap();
        inputs += report["inputs"].as_u64().unwrap();
        effects += report["effects"].as_u64().unwrap();
        let all = report["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned());
        let before = lines.len();
        lines.extend(all);
        if lines[before..].iter().any(|line| line.contains("> transcript {")) {
            spoken.push(std::fs::read(file).unwrap());
        }
    }
    println!(
        "{CALLS} journals replayed: {inputs} inputs, {effects} effects, {seconds:.1} call-seconds, {bytes} bytes: {:.0} bytes a call-second, \
         {:.0} bytes an input; {closings:?}",
        bytes as f64 / seconds,
        bytes as f64 / inputs as f64
    );
    let of = |closing| closings.get(closing).copied().unwrap_or_default();
    assert!((1..=2).contains(&of("died")), "the calls that were killed left theirs: {closings:?}");
    assert_eq!(of("died") + of("ended"), CALLS, "{closings:?}");
    // The run held what it was made for.
    for there in ["> cut {", "> dtmf", "> typed", "< show {", "\"kind\":\"interruption\"", "> spoken"] {
        assert!(lines.iter().any(|line| line.contains(there)), "no {there:?}");
    }
    let restarted = |part: &Part| lines.iter().any(|line| line.contains(&format!("> restarted \"{}\"", part.name())));
    assert!(PARTS.iter().all(restarted), "a part was not killed in any call");

    let whole = spoken.into_iter().max_by_key(Vec::len).unwrap();
    flipped_bytes_are_found(&folder, &whole);
    edited_decisions_are_found(&folder, &whole);
    another_patience_stops_where_it_would_have_mattered(&folder, &whole);
}

fn flipped_bytes_are_found(folder: &TempDir, journal: &[u8]) {
    let file = folder.path().join("flipped.journal");
    for at in (0..16).map(|part| part * (journal.len() - 1) / 15) {
        let mut flipped = journal.to_vec();
        flipped[at] ^= 0x20;
        std::fs::write(&file, flipped).unwrap();
        let run = replay(&file, &[]);
        assert_eq!(run.status.code(), Some(1), "byte {at}");
        assert!(run.stdout.is_empty(), "nothing of a damaged journal is run");
        assert!(at < 10 || talk(&run).contains("at byte "), "{}", talk(&run));
    }
}

fn edited_decisions_are_found(folder: &TempDir, journal: &[u8]) {
    let file = folder.path().join("edited.journal");
    let edits: [(&[u8], &[u8]); 3] =
        [(b"sentences\x02", b"sentences\x03"), (b"thinking", b"drinking"), (b"an apartment", b"an apartmunt")];
    for (old, new) in edits {
        std::fs::write(&file, frames::forged(journal, old, new).expect("the journal has it")).unwrap();
        let run = replay(&file, &[]);
        assert_eq!(run.status.code(), Some(1), "{old:?}");
        let divergence = &report(&run)["divergence"];
        assert_ne!(divergence["journal"], divergence["now"]);
        assert!(talk(&run).contains(&format!("in entry {}", divergence["entry"])), "{}", talk(&run));
    }
}

fn another_patience_stops_where_it_would_have_mattered(folder: &TempDir, journal: &[u8]) {
    let file = folder.path().join("whole.journal");
    std::fs::write(&file, journal).unwrap();
    let run = replay(&file, &["--set", "eagerness=low"]);
    assert!(run.status.success(), "{}", talk(&run));
    let (answer, program) = (report(&run), env!("CARGO_BIN_EXE_tandem"));
    assert!(answer["moved"]["journal"].as_str().unwrap().ends_with("(endpoint)"), "{answer:#}");
    let (after, journal) = (&answer["divergence"]["after"], answer["divergence"]["journal"].as_str().unwrap());
    assert_eq!((after, &answer["divergence"]["now"]), (&"tick".into(), &"nothing".into()), "it waits: {answer:#}");
    // A page is shown the turn before the brain is asked.
    assert!(["think {", "show {\"user_transcript\""].iter().any(|turn| journal.starts_with(turn)), "{answer:#}");
    assert!(answer["effects"].as_u64().unwrap() > 3, "up to there all was the same: {answer:#}");
    let words = Command::new(program).arg("replay").arg(&file).args(["--set", "eagerness=low"]).output().unwrap();
    println!("{}", String::from_utf8_lossy(&words.stdout));
    assert!(String::from_utf8_lossy(&words.stdout).contains("with eagerness=low a deadline moves first"));

    assert!(report(&replay(&file, &["--set", "eagerness=high"]))["divergence"].is_object());
    assert_eq!(report(&replay(&file, &["--set", "eagerness=normal"]))["divergence"], Value::Null);
    let unknown = replay(&file, &["--set", "voice=amy"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(talk(&unknown).contains("eagerness"), "{}", talk(&unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_journal_is_kept_unless_asked_for() {
    let program = support::boot_with_fakes().await;
    let sid = caller(&program, 7).await.unwrap();
    support::transcript(&program, &sid).await;
    let answer = program.get(&format!("/api/calls/{sid}/journal")).await;
    assert_eq!(answer.status, 404);
    assert!(answer.json()["detail"].as_str().unwrap().contains("set JOURNAL_CALLS"), "{}", answer.body);
    program.running.shutdown().await;
}

#[test]
fn what_is_no_journal_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let missing = replay(&folder.path().join("none.journal"), &[]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(talk(&missing).contains("give the file of a journal"), "{}", talk(&missing));
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "not a journal").unwrap();
    let wrong = replay(&file, &[]);
    assert!(talk(&wrong).contains("this is not the journal of a call"), "{}", talk(&wrong));
}
