//! The figures of all engines, as tables or as one JSON object.

use std::collections::BTreeMap;

use serde::Serialize;
use tandem_codecs::noise::Noise;
use tandem_codecs::vad::{Detector, EnergyDetector, FRAME_SAMPLES, GateDetector, NeuralDetector};
use tandem_providers::local::models;
use tandem_providers::local::silero::Silero;

use crate::figures::{self, Heard};
use crate::speech::Utterance;
use crate::{picture, sounds, speech};

/// Seconds of each sound.
const SECONDS: usize = 60;
/// Moderate and loud: speech is at -20 dBFS.
const LEVELS: [f32; 2] = [-40.0, -25.0];

/// A room that speech is in: what it is called, how much louder speech is than -20 dBFS, and noise of a length.
type Room = (&'static str, f32, Box<dyn Fn(usize) -> Vec<i16>>);
type Table<T> = Vec<(String, BTreeMap<&'static str, T>)>;

/// How the figures are shown.
pub(crate) enum Form {
    /// For people.
    Tables,
    /// For programs: one object.
    Json,
    /// SVG.
    Picture,
}

#[derive(Serialize)]
struct Report {
    /// Sound, engine: seconds of false speech a minute.
    false_speech_seconds_per_minute: Table<f64>,
    /// Room, engine.
    speech: Table<Heard>,
    /// Engine: microseconds of processor time for a frame of 20 ms, mean over a conversation.
    cost_us: BTreeMap<&'static str, f64>,
}

pub(crate) fn print(form: Form) -> Result<(), Box<dyn std::error::Error>> {
    let utterances = speech::all(false)?;
    let report = Report {
        false_speech_seconds_per_minute: false_speech()?,
        speech: rooms().into_iter().map(|room| in_room(&utterances, room)).collect::<Result<_, _>>()?,
        cost_us: costs(&utterances)?,
    };
    match form {
        Form::Json => println!("{}", serde_json::to_string_pretty(&report)?),
        Form::Picture => print!("{}", picture::draw(&report.false_speech_seconds_per_minute)),
        Form::Tables => tables(&report, utterances.len())?,
    }
    Ok(())
}

fn tables(report: &Report, sentences: usize) -> Result<(), Box<dyn std::error::Error>> {
    let names: Vec<&str> = engines()?.iter().map(|engine| engine.name()).collect();
    let head = |first: &str| println!("\n| {first} | {} |\n|---{}|", names.join(" | "), "|---".repeat(names.len()));
    head("false speech, seconds a minute");
    for (sound, row) in &report.false_speech_seconds_per_minute {
        let cells: Vec<String> = names.iter().map(|name| format!("{:.1}", row[name])).collect();
        println!("| {sound} | {} |", cells.join(" | "));
    }
    head("speech: missed; start told after p50 / p95; end told after p50 / p95");
    for (room, row) in &report.speech {
        let cell = |heard: &Heard| {
            let delay = |ms: Option<[i64; 2]>| ms.map_or("–".to_owned(), |[p50, p95]| format!("{p50} / {p95}"));
            let lost = if heard.started_percent < 99.5 {
                format!(" ({:.0} % told)", heard.started_percent)
            } else {
                String::new()
            };
            format!("{:.1} %; {}{lost}; {} ms", heard.missed_percent, delay(heard.onset_ms), delay(heard.offset_ms))
        };
        let cells: Vec<String> = names.iter().map(|name| cell(&row[name])).collect();
        println!("| {room} | {} |", cells.join(" | "));
    }
    head("cost of 20 ms, µs");
    let cells: Vec<String> = names.iter().map(|name| format!("{:.1}", report.cost_us[name])).collect();
    println!("| a conversation, half of it silence | {} |", cells.join(" | "));
    println!("\n{sentences} sentences, {SECONDS} s of each sound.");
    Ok(())
}

fn engines() -> Result<Vec<Box<dyn Detector>>, Box<dyn std::error::Error>> {
    let silero = Silero::load(&models::require(models::DETECTOR, &models::models_dir())?)?;
    Ok(vec![
        Box::new(NeuralDetector::default()),
        silero.detector(),
        Box::new(GateDetector::default()),
        Box::new(EnergyDetector::default()),
    ])
}

fn false_speech() -> Result<Table<f64>, Box<dyn std::error::Error>> {
    let mut table = Table::new();
    let mut engines = engines()?;
    for dbfs in LEVELS {
        for sound in sounds::all(SECONDS, dbfs) {
            let level = tandem_codecs::Level::of(&sound.samples).rms_dbfs;
            let row = engines.iter_mut().map(|e| (e.name(), figures::false_seconds(e.as_mut(), &sound.samples)));
            table.push((format!("{}, {level:.0} dBFS", sound.name), row.collect()));
        }
    }
    // What comes in bursts has one level.
    table.dedup_by_key(|(name, _)| name.clone());
    let mut seen = std::collections::BTreeSet::new();
    table.retain(|(name, _)| seen.insert(name.clone()));
    Ok(table)
}

fn rooms() -> Vec<Room> {
    let quiet = |length: usize| Noise::new(9, -65.0).take(length).collect::<Vec<i16>>();
    let mut rooms: Vec<Room> = vec![
        ("a quiet line", 0.0, Box::new(quiet)),
        ("a quiet line, 10 dB softer", -10.0, Box::new(quiet)),
        ("a quiet line, 20 dB softer", -20.0, Box::new(quiet)),
    ];
    for (name, kind, snr) in [
        ("white noise, 20 dB below", "white", 20.0),
        ("white noise, 10 dB below", "white", 10.0),
        ("white noise, 5 dB below", "white", 5.0),
        ("pink noise, 10 dB below", "pink", 10.0),
        ("street, 10 dB below", "street", 10.0),
        ("babble of six, 20 dB below", "babble", 20.0),
        ("babble of six, 10 dB below", "babble", 10.0),
    ] {
        rooms.push((name, 0.0, Box::new(move |length| sounds::background(kind, length, -20.0 - snr))));
    }
    rooms
}

type Row = (String, BTreeMap<&'static str, Heard>);

fn in_room(utterances: &[Utterance], (name, gain_db, room): Room) -> Result<Row, Box<dyn std::error::Error>> {
    let judge =
        |engine: &mut Box<dyn Detector>| (engine.name(), figures::heard(engine.as_mut(), utterances, gain_db, &room));
    Ok((name.to_owned(), engines()?.iter_mut().map(judge).collect()))
}

fn costs(utterances: &[Utterance]) -> Result<BTreeMap<&'static str, f64>, Box<dyn std::error::Error>> {
    let talk = figures::conversation(utterances);
    let cost = |engine: &mut Box<dyn Detector>| {
        let frames = talk.samples.chunks_exact(FRAME_SAMPLES);
        let (count, began) = (frames.len(), processor_us());
        frames.for_each(|frame| {
            std::hint::black_box(engine.push(frame));
        });
        (engine.name(), (processor_us() - began) / count as f64)
    };
    Ok(engines()?.iter_mut().map(cost).collect())
}

/// What this process has used of all cores: other programs do not count, and threads of an engine do.
fn processor_us() -> f64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    used.tv_sec as f64 * 1e6 + used.tv_nsec as f64 / 1e3
}
