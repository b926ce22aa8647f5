//! Recordings of whole calls under a paused clock, held against what the caller's mouth said and his ear got, sample by sample.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/line.rs"]
mod line;
#[path = "support/memory.rs"]
mod memory;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use line::{Exchange, Line, Vendors, rendered, say};
use memory::CallRecords;
use sha2::{Digest, Sha256};
use tandem_actors::recordings::disk::{Disk, Medium, create_file};
use tandem_actors::{Arrival, RecordFrom, RecordingKeeping, SwitchConfig};
use tandem_codecs::g711;
use tandem_domain::agent::Timing;
use tandem_domain::call_core::Part;
use tandem_domain::port::dialect::{Dialect, WireMessage};
use tandem_peers::caller::{Rendered, Step};
use tandem_peers::carrier::MediaPeer;
use tandem_peers::carrier::exotel::{ExotelIds, ExotelPeer, Habits};
use tandem_providers::carrier::exotel::ExotelDialect;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(240);
/// Samples of 20 ms.
const FRAME: usize = 160;
/// A piece of audio is on its way to the ear until the line's next tick, and heard from there on.
const WAY: usize = 2 * FRAME;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn script(number: u64) -> Vec<Step<Rendered>> {
    vec![say(number, "I want an apartment in Delhi"), say(number, "sixty lakh rupees")]
}

struct Studio {
    exchange: Exchange,
    folder: TempDir,
}

impl Studio {
    async fn new() -> Self {
        Self::with(RecordingKeeping::default()).await
    }

    async fn with(keeping: RecordingKeeping) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recordings = RecordingKeeping { folder: Some(folder.path().join("recordings")), ..keeping };
        let config = SwitchConfig { max_calls: 10, recordings, ..SwitchConfig::default() };
        Self { exchange: Exchange::with(Vendors::default(), Timing::default(), config).await, folder }
    }

    /// The recording of a call that is over, and its records.
    async fn recording<P: MediaPeer>(self, line: &Line<P>) -> (Recording, CallRecords) {
        let records = self.exchange.records(line).await;
        let (call, length) = (records.ended[0].call, records.ended[0].duration);
        let file = std::fs::read(self.folder.path().join(format!("recordings/{call}.wav"))).unwrap();
        let saved = &records.timeline.iter().find(|event| event.kind == "recording_saved").unwrap().data;
        let digest: String = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(saved["sha256"], digest);
        assert_eq!(saved["bytes"], file.len());
        let reader = hound::WavReader::new(file.as_slice()).unwrap();
        assert_eq!((reader.spec().channels, reader.spec().sample_rate, reader.spec().bits_per_sample), (2, 8_000, 16));
        let samples: Vec<i16> = reader.into_samples().map(Result::unwrap).collect();
        let side = |channel| samples.iter().skip(channel).step_by(2).copied().collect();
        let recording = Recording { caller: side(0), agent: side(1) };
        let seconds = recording.caller.len() as f64 / 8_000.0;
        assert_eq!(saved["seconds"], seconds);
        assert!((length.as_secs_f64() - seconds).abs() <= 0.020, "a call of {length:?}, a recording of {seconds} s");
        (recording, records)
    }
}

struct Recording {
    caller: Vec<i16>,
    agent: Vec<i16>,
}

/// As it sounds on the telephone.
fn telephone(samples: &[i16]) -> Vec<i16> {
    let (mut wire, mut heard) = (Vec::new(), Vec::new());
    g711::encode_ulaw(samples, &mut wire);
    g711::decode_ulaw(&wire, &mut heard);
    heard
}

fn loud(samples: &[i16]) -> usize {
    samples.iter().filter(|sample| **sample != 0).count()
}

/// Pieces of sound with at least `gap` samples of silence between them: where they begin, and what they are.
fn pieces(samples: &[i16], gap: usize) -> Vec<(usize, &[i16])> {
    let mut bounds: Vec<(usize, usize)> = Vec::new();
    for (at, _) in samples.iter().enumerate().filter(|(_, sample)| **sample != 0) {
        match bounds.last_mut() {
            Some((_, end)) if at - *end < gap => *end = at + 1,
            _ => bounds.push((at, at + 1)),
        }
    }
    bounds.into_iter().map(|(from, to)| (from, &samples[from..to])).collect()
}

impl Recording {
    fn assert_holds_the_mouth_of(&self, line: &Line) {
        let said = telephone(&line.mouth_tape);
        let common = said.len().min(self.caller.len());
        assert!(self.caller.len().abs_diff(said.len()) <= FRAME, "as long as the call, to one frame");
        let differs = (0..common).find(|at| said[*at] != self.caller[*at]);
        assert_eq!(differs, None, "of {common}: what the caller said stands where he said it");
    }

    /// Each piece of the agent's stands in the ear a moment later; the last `cut` samples of one may be missing there.
    fn assert_is_what_came_to_the_ear_of(&self, line: &Line, cut: usize) {
        let (agent, ear) = (telephone(&self.agent), &line.ear_tape);
        let pieces = pieces(&agent, FRAME);
        assert!(pieces.len() > 1, "the agent spoke");
        for (at, piece) in pieces {
            let piece = &piece[..piece.len().saturating_sub(cut).max(1)];
            let heard = (0..=WAY).any(|way| ear.get(at + way..at + way + piece.len()) == Some(piece));
            assert!(heard, "{} samples at {at} are not in the ear within {WAY} of it", piece.len());
        }
        assert!(loud(ear).abs_diff(loud(&agent)) <= 2 * cut, "{} heard, {} recorded", loud(ear), loud(&agent));
    }
}

#[tokio::test(start_paused = true)]
async fn a_recording_is_what_was_said_and_what_was_heard() {
    let studio = Studio::new().await;
    let mut line = Line::dial(&studio.exchange, 1, script(1)).await;
    line.run_out(LIMIT).await;
    let (recording, records) = studio.recording(&line).await;
    assert_eq!(records.reason(), "completed");
    recording.assert_holds_the_mouth_of(&line);
    recording.assert_is_what_came_to_the_ear_of(&line, 0);
}

#[tokio::test(start_paused = true)]
async fn what_an_interruption_took_back_is_not_in_it() {
    let studio = Studio::new().await;
    let script =
        vec![Step::Interrupt { after: ms(1_500), say: rendered(2, "I want a villa in Pune") }, say(2, "one crore")];
    let mut line = Line::dial(&studio.exchange, 2, script).await;
    line.run_out(LIMIT).await;
    assert_eq!(line.peer.statistics().clears, 1);
    let (recording, records) = studio.recording(&line).await;
    assert!(records.responses[0].interrupted);
    recording.assert_holds_the_mouth_of(&line);
    recording.assert_is_what_came_to_the_ear_of(&line, FRAME);
}

#[tokio::test(start_paused = true)]
async fn a_stall_and_its_burst_leave_no_trace() {
    for stall in [300, 1_990, 4_500] {
        let studio = Studio::new().await;
        let mut line = Line::dial(&studio.exchange, 3, script(3)).await;
        line.until("the caller speaks", LIMIT, |line| line.mouth_tape.iter().any(|sample| sample.abs() > 1_000)).await;
        line.stall();
        let until = line.mouth_tape.len() + stall * 8;
        line.until("the stall", LIMIT, |line| line.mouth_tape.len() >= until).await;
        line.burst().await;
        line.run_out(LIMIT).await;
        let (recording, _) = studio.recording(&line).await;
        recording.assert_holds_the_mouth_of(&line);
    }
}

/// Exotel brings and takes audio in pieces of a tenth of a second and more, and not as telephone companies code it.
#[tokio::test(start_paused = true)]
async fn pieces_of_any_length_stand_where_they_were_said() {
    let studio = Studio::new().await;
    let peer = ExotelPeer::new(ExotelIds::numbered(1), Habits::default(), BTreeMap::new());
    let dialects: Vec<Arc<dyn Dialect>> = vec![Arc::new(ExotelDialect::new(false))];
    let mut line = Line::dial_as(&studio.exchange, dialects, peer, Arrival::default(), 11, script(11)).await;
    line.run_out(LIMIT).await;
    let (recording, records) = studio.recording(&line).await;
    assert_eq!(records.reason(), "completed");
    let common = line.mouth_tape.len().min(recording.caller.len()) - 10 * FRAME; // the last piece never left
    assert!(loud(&line.mouth_tape[..common]) > 16_000);
    let differs = (0..common).find(|at| line.mouth_tape[*at] != recording.caller[*at]);
    assert_eq!(differs, None, "of {common}");
}

/// In real time: a clock that is paused waits for the disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_hangs_holds_up_nobody_and_costs_nothing_for_some_seconds() {
    type Hangs = Arc<(Mutex<bool>, Condvar)>;
    struct Slow(std::fs::File, Hangs);

    impl Medium for Slow {
        fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
            drop(self.1.1.wait_while(self.1.0.lock().unwrap(), |hangs| *hangs).unwrap());
            Medium::write_all_at(&self.0, bytes, offset)
        }

        fn set_len(&self, length: u64) -> io::Result<()> {
            Medium::set_len(&self.0, length)
        }
    }

    let hangs = Hangs::default();
    let hanging = Arc::clone(&hangs);
    let disk =
        Disk::of(move |path: &Path| Ok(Box::new(Slow(create_file(path)?, Arc::clone(&hanging))) as Box<dyn Medium>));
    let studio = Studio::with(RecordingKeeping { disk, ..RecordingKeeping::default() }).await;
    let mut line = Line::dial(&studio.exchange, 12, vec![Step::Wait]).await;
    line.until("half a second", LIMIT, |line| line.mouth_tape.len() == 4_000).await;
    *hangs.0.lock().unwrap() = true;
    let before = loud(&line.ear_tape);
    line.until("2 s more", LIMIT, |line| line.mouth_tape.len() == 20_000).await;
    assert!(loud(&line.ear_tape) > before + 4_000, "the agent goes on speaking");
    *hangs.0.lock().unwrap() = false;
    hangs.1.notify_all();
    let text = line.peer.stop(tandem_actors::clock::now());
    line.send_raw(Ok(WireMessage::Text(text))).await;
    line.run_out(LIMIT).await;
    let (recording, records) = studio.recording(&line).await;
    assert_eq!(records.reason(), "caller_hangup");
    let saved = &records.timeline.iter().find(|event| event.kind == "recording_saved").unwrap().data;
    assert_eq!(saved["lost_seconds"], 0.0);
    let (spoken, recorded) = (loud(&line.ear_tape), loud(&telephone(&recording.agent)));
    assert!(spoken.abs_diff(recorded) < 8 * FRAME, "{spoken} heard, {recorded} recorded: some were on their way");
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_is_killed_loses_nothing() {
    let studio = Studio::new().await;
    let mut line = Line::dial(&studio.exchange, 4, script(4)).await;
    for words in [2, 5, 8] {
        line.until("some words", LIMIT, |line| line.heard.len() >= words).await;
        studio.exchange.kill(&line, Part::Recorder).await;
    }
    line.run_out(LIMIT).await;
    let (recording, records) = studio.recording(&line).await;
    assert_eq!(records.reason(), "completed");
    assert_eq!(records.events.iter().filter(|kind| **kind == "restart").count(), 3, "{:?}", records.events);
    recording.assert_holds_the_mouth_of(&line);
    recording.assert_is_what_came_to_the_ear_of(&line, 0);
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_dies_too_often_ends_the_recording_and_not_the_call() {
    let studio = Studio::new().await;
    let mut line = Line::dial(&studio.exchange, 5, script(5)).await;
    for _ in 0..4 {
        let until = line.mouth_tape.len() + 8_000;
        line.until("a second", LIMIT, |line| line.mouth_tape.len() >= until).await;
        studio.exchange.kill(&line, Part::Recorder).await;
    }
    line.run_out(LIMIT).await;
    let folder = studio.folder.path().join("recordings");
    let records = studio.exchange.records(&line).await;
    assert_eq!(records.reason(), "completed");
    assert!(records.events.contains(&"recording_stopped"), "{:?}", records.events);
    let saved = &records.timeline.iter().find(|event| event.kind == "recording_saved").unwrap().data;
    assert!((3.9..4.2).contains(&saved["seconds"].as_f64().unwrap()), "until it was given up: {saved}");
    assert!(folder.join(saved["path"].as_str().unwrap()).exists());
}

/// A disk that is full while a flag says so.
fn full_while(full: &Arc<AtomicBool>) -> Disk {
    struct Crowded(std::fs::File, Arc<AtomicBool>);

    impl Crowded {
        fn room(&self) -> io::Result<()> {
            if self.1.load(Ordering::Relaxed) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }
    }

    impl Medium for Crowded {
        fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
            self.room().and_then(|()| Medium::write_all_at(&self.0, bytes, offset))
        }

        fn set_len(&self, length: u64) -> io::Result<()> {
            Medium::set_len(&self.0, length) // makes a hole, for which no disk needs room
        }
    }

    let full = Arc::clone(full);
    Disk::of(move |path: &Path| Ok(Box::new(Crowded(create_file(path)?, Arc::clone(&full))) as Box<dyn Medium>))
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_costs_the_recording_that_stretch_and_the_call_nothing() {
    let full = Arc::new(AtomicBool::new(false));
    let studio = Studio::with(RecordingKeeping { disk: full_while(&full), ..RecordingKeeping::default() }).await;
    let mut line = Line::dial(&studio.exchange, 6, script(6)).await;
    line.until("2 s", LIMIT, |line| line.mouth_tape.len() == 16_000).await;
    full.store(true, Ordering::Relaxed);
    line.until("3 s more", LIMIT, |line| line.mouth_tape.len() == 40_000).await;
    assert!(studio.exchange.switch.recordings().are_failing());
    full.store(false, Ordering::Relaxed);
    line.run_out(LIMIT).await;
    assert!(!studio.exchange.switch.recordings().are_failing());
    let (recording, records) = studio.recording(&line).await;
    assert_eq!(records.reason(), "completed");
    assert_eq!(records.said(), "I want an apartment in Delhi / sixty lakh rupees");
    let told = records.timeline.iter().find(|event| event.kind == "recording_interrupted").unwrap();
    assert!(told.data["detail"].as_str().unwrap().starts_with("disk_full: "), "{told:?}");
    assert!(records.events.contains(&"recording_continued"), "{:?}", records.events);
    let saved = &records.timeline.iter().find(|event| event.kind == "recording_saved").unwrap().data;
    let lost = saved["lost_seconds"].as_f64().unwrap();
    assert!((2.5..3.5).contains(&lost), "{saved}");
    let (spoken, heard) = (loud(&line.ear_tape), loud(&telephone(&recording.agent)));
    assert!(heard < spoken && heard > spoken / 2, "{heard} of {spoken}");
    let said = telephone(&line.mouth_tape);
    assert_eq!(recording.caller[48_000..], said[48_000..recording.caller.len()], "it goes on in its place");
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_is_full_throughout_costs_the_recording_alone() {
    let full = Arc::new(AtomicBool::new(true));
    let studio = Studio::with(RecordingKeeping { disk: full_while(&full), ..RecordingKeeping::default() }).await;
    let mut line = Line::dial(&studio.exchange, 7, script(7)).await;
    line.run_out(LIMIT).await;
    let folder = studio.folder.path().join("recordings");
    let records = studio.exchange.records(&line).await;
    assert_eq!(records.reason(), "completed");
    let told = records.timeline.iter().find(|event| event.kind == "recording_lost").unwrap();
    assert!(!told.data["detail"].as_str().unwrap().is_empty());
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0, "nothing half is left");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_recorded_before_it_was_announced() {
    let keeping = RecordingKeeping { from: RecordFrom::Announcement, ..RecordingKeeping::default() };
    let studio = Studio::with(keeping).await;
    let mut line = Line::dial(&studio.exchange, 8, script(8)).await;
    line.run_out(LIMIT).await;
    let (recording, records) = studio.recording(&line).await;
    let said = telephone(&line.mouth_tape);
    let answer = said.iter().position(|sample| sample.abs() > 1_000).unwrap();
    let first = recording.agent.iter().position(|sample| *sample != 0).unwrap();
    let greeting = records.responses[0].heard.split(' ').count();
    assert!(greeting > 2 && first > answer, "the greeting is not in it: {first}, {answer}");
    assert_eq!(recording.caller[answer..], said[answer..recording.caller.len()], "the answer to it is");
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_silent_on_both_sides_and_as_long_as_it_was() {
    let studio = Studio::new().await;
    let mut line = Line::dial(&studio.exchange, 9, script(9)).await;
    line.until("1 s", LIMIT, |line| line.mouth_tape.len() == 8_000).await;
    let call = studio.exchange.session(&line).await.call_id;
    assert_eq!(studio.exchange.switch.pause_recording(call, true).await, Some(true));
    assert_eq!(studio.exchange.switch.pause_recording(call, true).await, Some(true), "twice is once");
    line.until("3 s more", LIMIT, |line| line.mouth_tape.len() == 32_000).await;
    assert_eq!(studio.exchange.switch.pause_recording(call, false).await, Some(true));
    line.run_out(LIMIT).await;
    assert_eq!(studio.exchange.switch.pause_recording(call, true).await, None, "it is over");
    let (recording, records) = studio.recording(&line).await;
    assert!(loud(&recording.agent[..8_000]) > 0);
    assert_eq!(loud(&recording.agent[8_000..32_000]) + loud(&recording.caller[8_000..32_000]), 0);
    assert!(loud(&recording.agent[32_000..]) > 0);
    let told: Vec<_> = records.events.iter().filter(|kind| kind.starts_with("recording_")).collect();
    assert_eq!(told, [&"recording_paused", &"recording_resumed", &"recording_saved"]);
}

#[cfg(feature = "opus")]
#[tokio::test(start_paused = true)]
async fn a_recording_may_be_opus_and_is_as_long() {
    use tandem_actors::RecordingFormat;
    let keeping = RecordingKeeping { format: RecordingFormat::Opus, ..RecordingKeeping::default() };
    let studio = Studio::with(keeping).await;
    let mut line = Line::dial(&studio.exchange, 10, script(10)).await;
    line.run_out(LIMIT).await;
    while studio.exchange.switch.recordings().are_finishing() {
        tokio::time::sleep(ms(100)).await;
    }
    let folder = studio.folder.path().join("recordings");
    let records = studio.exchange.records(&line).await;
    let saved = &records.timeline.iter().find(|event| event.kind == "recording_saved").unwrap().data;
    assert_eq!(saved["format"], "opus");
    let file = std::fs::read(folder.join(saved["path"].as_str().unwrap())).unwrap();
    let mut samples = Vec::new();
    tandem_codecs::ogg_opus::read(io::Cursor::new(&file), |piece| samples.extend_from_slice(piece)).unwrap();
    let seconds = samples.len() as f64 / 16_000.0;
    assert_eq!(saved["seconds"], seconds);
    assert!((records.ended[0].duration.as_secs_f64() - seconds).abs() <= 0.020);
    assert!(file.len() * 4 < samples.len() * 2, "{} bytes for {seconds} s", file.len());
    let said = line.mouth_tape.iter().position(|sample| sample.abs() > 1_000).unwrap();
    let heard = samples.iter().step_by(2).position(|sample| sample.abs() > 500).unwrap();
    assert!(said.abs_diff(heard) < FRAME, "{said} and {heard}");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1, "the WAV file is gone");
}
