//! What is speech: sentences by flite's voices and espeak-ng's, in English and Hindi. Synthetic, all of it.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use tandem_codecs::{Level, SampleRate, resample_all, wav};

/// One sentence on a quiet line.
pub(crate) struct Utterance {
    /// 8 kHz, silence around it cut off, -20 dBFS while it sounds.
    pub(crate) samples: Vec<i16>,
}

const ENGLISH: [&str; 5] = [
    "Yes.",
    "No, not that one.",
    "I want an apartment in Delhi, please.",
    "My number is nine eight seven six, five four three two one zero.",
    "Could you tell me how much it would cost, and when I can see it?",
];
const HINDI: [&str; 3] = ["हाँ।", "मुझे दिल्ली में घर चाहिए।", "कृपया मुझे कल शाम को फ़ोन कीजिए।"];

/// Sentences by several voices; `few` takes two voices of one program.
pub(crate) fn all(few: bool) -> io::Result<Vec<Utterance>> {
    let mut utterances = Vec::new();
    let flite: &[&str] = if few { &["rms", "slt"] } else { &["rms", "slt", "awb", "kal16"] };
    for voice in flite {
        for text in ENGLISH {
            utterances.push(say("flite", &["-voice", voice, "-t", text, "-o"], &[])?);
        }
    }
    if few {
        return Ok(utterances);
    }
    for voice in ["en-us", "en-us+f3", "en-gb-x-rp+f2", "en-gb-scotland+m3"] {
        for text in ENGLISH {
            utterances.push(say("espeak-ng", &["-v", voice, "-w"], &[text])?);
        }
    }
    for voice in ["hi", "hi+f2"] {
        for text in HINDI {
            utterances.push(say("espeak-ng", &["-v", voice, "-w"], &[text])?);
        }
    }
    Ok(utterances)
}

/// Runs a program that writes a WAV file between these arguments.
fn say(program: &str, before: &[&str], after: &[&str]) -> io::Result<Utterance> {
    let file = tempfile::Builder::new().suffix(".wav").tempfile()?;
    let run = Command::new(program).args(before).arg(file.path()).args(after).stdout(Stdio::null()).status();
    let status = run.map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}: run `make setup`")))?;
    if !status.success() {
        return Err(io::Error::other(format!("{program} failed: {status}")));
    }
    read(file.path())
}

fn read(path: &Path) -> io::Result<Utterance> {
    let pcm = wav::read(std::fs::File::open(path)?).map_err(io::Error::other)?;
    let samples = resample_all(&pcm.samples, pcm.rate, SampleRate::HZ_8000);
    let voiced = voiced(&samples);
    let (Some(first), Some(last)) = (voiced.iter().position(|v| *v), voiced.iter().rposition(|v| *v)) else {
        return Err(io::Error::other("a sentence without a sound"));
    };
    let sounding: Vec<i16> =
        samples.chunks_exact(160).zip(&voiced).filter(|(_, v)| **v).flat_map(|(frame, _)| frame).copied().collect();
    let gain = 10f32.powf((-20.0 - Level::of(&sounding).rms_dbfs) / 20.0);
    let samples = &samples[first * 160..(last + 1) * 160];
    Ok(Utterance { samples: samples.iter().map(|sample| (f32::from(*sample) * gain) as i16).collect() })
}

/// Which frames of clean speech are voiced: within 30 dB of the loudest.
pub(crate) fn voiced(clean: &[i16]) -> Vec<bool> {
    let levels: Vec<f32> = clean.chunks_exact(160).map(|frame| Level::of(frame).rms_dbfs).collect();
    let loudest = levels.iter().copied().fold(f32::MIN, f32::max);
    levels.into_iter().map(|level| level >= loudest - 30.0).collect()
}
