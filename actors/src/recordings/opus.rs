//! Recordings that are kept as Ogg Opus: made of the whole WAV file when the call is over, one at a time, so that no call waits for an encoder.
//!
//! What goes wrong, and the end of the program, leave the WAV file as it is.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use tandem_codecs::ogg_opus::Writer;
use tandem_codecs::wav::HEADER_BYTES;
use tandem_domain::ids::BusinessId;

use super::Format;
use super::disk::{PART, Saved, create_file, seal};

/// Read at once: two seconds.
const PIECE_BYTES: u64 = 64_000;

/// Puts an Opus file in the place of a recording, unless `stop` says that there is no time.
pub(super) fn shrink(folder: &Path, saved: &Saved, business: BusinessId, stop: &AtomicBool) -> io::Result<Saved> {
    let wav = folder.join(&saved.name);
    let part = wav.with_extension(format!("{}.{}.{PART}", business.0, Format::Opus.ending()));
    let shrunk = encode(&wav, &part, stop).and_then(|()| seal(&part, &wav.with_extension(Format::Opus.ending())));
    match shrunk {
        Ok((name, sha256, bytes)) => {
            fs::remove_file(&wav)?;
            Ok(Saved { name, sha256, bytes, format: Format::Opus, ..saved.clone() })
        }
        Err(error) => {
            let _ = fs::remove_file(&part); // the error that matters is told
            Err(error)
        }
    }
}

fn encode(wav: &Path, part: &Path, stop: &AtomicBool) -> io::Result<()> {
    let mut wav = File::open(wav)?;
    wav.seek(SeekFrom::Start(HEADER_BYTES))?;
    let mut writer = Writer::new(BufWriter::new(create_file(part)?)).map_err(io::Error::other)?;
    let (mut bytes, mut samples) = (Vec::new(), Vec::new());
    loop {
        bytes.clear();
        if wav.by_ref().take(PIECE_BYTES).read_to_end(&mut bytes)? == 0 {
            let mut file = writer.finish().map_err(io::Error::other)?;
            return io::Write::flush(&mut file);
        }
        if stop.load(Ordering::Relaxed) {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "the program is ending"));
        }
        samples.clear();
        samples.extend(bytes.chunks_exact(2).map(|sample| i16::from_le_bytes([sample[0], sample[1]])));
        writer.push(&samples).map_err(io::Error::other)?;
    }
}
