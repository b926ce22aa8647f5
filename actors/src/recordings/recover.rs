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
use tandem_domain::ids::{BusinessId, CallId};
use tracing::warn;

use super::Format;
use super::disk::{Medium, PAIR_BYTES, PART, Saved, whole};

/// The switch's own.
const RATE: SampleRate = SampleRate::HZ_8000;

/// What a file is that is not whole.
enum Left {
    /// The recording itself.
    Recording,
    /// What was being made of it.
    Encoded,
}

/// The call of a file, its business, and what it is; `None` where it is none of ours. Older releases named no business.
fn left(name: &str) -> Option<(CallId, Option<BusinessId>, Left)> {
    let parts: Vec<&str> = name.split('.').collect();
    let (call, business, left) = match parts.as_slice() {
        [call, PART] => (call, None, Left::Recording),
        [call, "opus", PART] => (call, None, Left::Encoded),
        [call, business, PART] => (call, Some(business), Left::Recording),
        [call, business, "opus", PART] => (call, Some(business), Left::Encoded),
        _ => return None,
    };
    let business = business.map(|id| id.parse().map(BusinessId)).transpose().ok()?;
    Some((call.parse().ok()?, business, left))
}

/// Finishes all files that no living process writes. A file that an older release left does not say whose call it is of.
pub(super) fn finish_left(folder: &Path) -> Vec<(CallId, Option<BusinessId>, Saved)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() }; // there are none yet
    let mut finished = Vec::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some((call, business, left)) = left(name) else { continue };
        let finished_one = match left {
            Left::Recording => finish(&path),
            Left::Encoded => drop_encoded(&path, &folder.join(format!("{call}.{}", Format::Wav.ending()))),
        };
        match finished_one {
            Ok(Some(saved)) => finished.push((call, business, saved)),
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

    const OURS: BusinessId = BusinessId(7);

    fn call(number: u128) -> CallId {
        CallId(Uuid::from_u128(number))
    }

    /// What a process leaves that is killed after so many pairs.
    fn leave(folder: &Path, call: CallId, pairs: usize) {
        let mut part = Disk::default().part(folder, (call, OURS), SampleRate::HZ_8000);
        part.write(0, &vec![7; 2 * pairs]).unwrap();
    }

    #[test]
    fn what_was_being_encoded_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        leave(folder.path(), call(1), 800);
        let [(_, _, saved)] = finish_left(folder.path()).try_into().unwrap();
        for (name, business) in [("7.opus.part", Some(OURS)), ("opus.part", None)] {
            let half = folder.path().join(format!("{}.{name}", call(1)));
            fs::write(&half, b"OggS").unwrap();
            assert_eq!(finish_left(folder.path()), [(call(1), business, saved.clone())]);
            assert!(!half.exists());
        }
    }

    #[test]
    fn a_recording_of_an_older_release_is_finished_and_says_not_whose_it_is() {
        let folder = tempfile::tempdir().unwrap();
        leave(folder.path(), call(1), 800);
        let path = |name: &str| folder.path().join(format!("{}.{name}", call(1)));
        fs::rename(path("7.part"), path(PART)).unwrap();
        let finished = finish_left(folder.path());
        let [(found, None, saved)] = finished.as_slice() else { panic!("{finished:?}") };
        assert_eq!((*found, &saved.name), (call(1), &format!("{}.wav", call(1))));
        for name in ["x.part", "7.8.part", "part.part"] {
            fs::write(path(name), "not ours").unwrap();
        }
        assert!(finish_left(folder.path()).is_empty());
    }

    #[test]
    fn what_a_dead_process_left_becomes_whole_and_what_lives_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        leave(folder.path(), call(1), 8_000);
        let cut = path(&format!("{}.7.{PART}", call(1)));
        let length = fs::metadata(&cut).unwrap().len();
        OpenOptions::new().write(true).open(&cut).unwrap().set_len(length - 3).unwrap();
        leave(folder.path(), call(2), 0);
        let _alive = create_file(&path(&format!("{}.7.{PART}", call(3)))).unwrap();
        for name in ["notes.part", "tandem.db"] {
            fs::write(path(name), "not ours").unwrap();
        }

        let finished = finish_left(folder.path());
        let [(found, business, saved)] = finished.as_slice() else { panic!("{finished:?}") };
        assert_eq!(
            (*found, *business, saved.length, saved.bytes),
            (call(1), Some(OURS), SampleRate::HZ_8000.duration_of(7_999), 44 + 4 * 7_999)
        );
        let file = path(&saved.name);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let pcm = tandem_codecs::wav::read(File::open(&file).unwrap()).unwrap();
        assert_eq!((pcm.samples.len(), pcm.samples[0]), (7_999, 7));
        let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        let alive = format!("{}.7.{PART}", call(3));
        assert_eq!(names, [saved.name.as_str(), alive.as_str(), "notes.part", "tandem.db"]);
        assert!(finish_left(folder.path()).is_empty(), "once");
        assert!(finish_left(&path("nowhere")).is_empty());
    }
}
