//! What a process that died has left of its recordings.
//!
//! Every sample that it wrote is in the file; only the header and the name are not those of a whole one. Of a file that it was encoding, the
//! original is there.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use tandem_codecs::SampleRate;
use tandem_codecs::wav::{HEADER_BYTES, stereo_header};
use tandem_domain::ids::CallId;
use tracing::warn;

use super::Format;
use super::disk::{Medium, PAIR_BYTES, PART, Saved, whole};

/// The switch's own.
const RATE: SampleRate = SampleRate::HZ_8000;

/// Finishes all files that no living process writes.
pub(super) fn finish_left(folder: &Path) -> Vec<(CallId, Saved)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() }; // there are none yet
    let mut finished = Vec::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let mut parts = name.splitn(2, '.');
        let Some(call) = parts.next().and_then(|id| id.parse::<CallId>().ok()) else { continue };
        let finished_one = match parts.next() {
            Some(PART) => finish(&path),
            Some("opus.part") => drop_encoded(&path, &folder.join(format!("{call}.{}", Format::Wav.ending()))),
            _ => continue,
        };
        match finished_one {
            Ok(Some(saved)) => finished.push((call, saved)),
            Ok(None) => {}
            Err(error) => warn!(call_id = %call, %error, "recording of a call that died stays unfinished"),
        }
    }
    finished
}

/// `None` if it is being written, or holds nothing.
fn finish(path: &Path) -> io::Result<Option<Saved>> {
    let file: File = OpenOptions::new().read(true).write(true).open(path)?;
    if file.try_lock().is_err() {
        return Ok(None);
    }
    let pairs = file.metadata()?.len().saturating_sub(HEADER_BYTES) / PAIR_BYTES;
    if pairs == 0 {
        fs::remove_file(path)?;
        return Ok(None);
    }
    file.set_len(HEADER_BYTES + pairs * PAIR_BYTES)?;
    Medium::write_all_at(&file, &stereo_header(RATE, pairs), 0)?;
    whole(path, RATE, pairs, Duration::ZERO).map(Some)
}

/// Forgets what was encoded of a file: it may have no record yet, and a record that is written twice is one.
fn drop_encoded(part: &Path, wav: &Path) -> io::Result<Option<Saved>> {
    if File::open(part)?.try_lock().is_err() {
        return Ok(None);
    }
    fs::remove_file(part)?;
    let pairs = match fs::metadata(wav) {
        Ok(file) => file.len().saturating_sub(HEADER_BYTES) / PAIR_BYTES,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    whole(wav, RATE, pairs, Duration::ZERO).map(Some)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use uuid::Uuid;

    use super::super::disk::{Disk, create_file};
    use super::*;

    fn call(number: u128) -> CallId {
        CallId(Uuid::from_u128(number))
    }

    /// What a process leaves that is killed after so many pairs.
    fn leave(folder: &Path, call: CallId, pairs: usize) {
        let mut part = Disk::default().part(folder, call, SampleRate::HZ_8000);
        part.write(0, &vec![7; 2 * pairs]).unwrap();
    }

    #[test]
    fn what_was_being_encoded_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        leave(folder.path(), call(1), 800);
        let [(_, saved)] = finish_left(folder.path()).try_into().unwrap();
        let half = folder.path().join(format!("{}.opus.part", call(1)));
        fs::write(&half, b"OggS").unwrap();
        assert_eq!(finish_left(folder.path()), [(call(1), saved)]);
        assert!(!half.exists());
    }

    #[test]
    fn what_a_dead_process_left_becomes_whole_and_what_lives_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        leave(folder.path(), call(1), 8_000);
        let cut = path(&format!("{}.{PART}", call(1)));
        let length = fs::metadata(&cut).unwrap().len();
        OpenOptions::new().write(true).open(&cut).unwrap().set_len(length - 3).unwrap();
        leave(folder.path(), call(2), 0);
        let _alive = create_file(&path(&format!("{}.{PART}", call(3)))).unwrap();
        for name in ["notes.part", "tandem.db"] {
            fs::write(path(name), "not ours").unwrap();
        }

        let finished = finish_left(folder.path());
        let [(found, saved)] = finished.as_slice() else { panic!("{finished:?}") };
        assert_eq!(
            (*found, saved.length, saved.bytes),
            (call(1), SampleRate::HZ_8000.duration_of(7_999), 44 + 4 * 7_999)
        );
        let file = path(&saved.name);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let pcm = tandem_codecs::wav::read(File::open(&file).unwrap()).unwrap();
        assert_eq!((pcm.samples.len(), pcm.samples[0]), (7_999, 7));
        let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        let alive = format!("{}.{PART}", call(3));
        assert_eq!(names, [saved.name.as_str(), alive.as_str(), "notes.part", "tandem.db"]);
        assert!(finish_left(folder.path()).is_empty(), "once");
        assert!(finish_left(&path("nowhere")).is_empty());
    }
}
