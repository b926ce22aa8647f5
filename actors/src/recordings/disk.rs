//! A recording as a file: written at its place sample by sample, so that what could not be written is silence, and no more than that.
//!
//! `<call>.<business>.part` while the call runs, locked; `<call>.wav` when it is whole. Who finds a part file has nobody else to ask whose it is.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tandem_codecs::SampleRate;
use tandem_codecs::wav::{HEADER_BYTES, stereo_header};
use tandem_domain::ids::{BusinessId, CallId};

use super::Format;

/// Ending of a file that is not whole.
pub(super) const PART: &str = "part";
/// Of a pair of samples.
pub(super) const PAIR_BYTES: u64 = 4;
/// A length that is not known yet.
const OPEN_END: u64 = u64::MAX;

/// A file that takes bytes at any place.
pub trait Medium: Send {
    /// Writes all of `bytes` at `offset`.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes the file so long; what is new reads as zeros.
    fn set_len(&self, length: u64) -> io::Result<()>;
}

impl Medium for File {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, offset)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        File::set_len(self, length)
    }
}

type Create = dyn Fn(&Path) -> io::Result<Box<dyn Medium>> + Send + Sync;

/// How files are made. By default as files are; a test has its own disk, which may be full.
#[derive(Clone, Default)]
pub struct Disk(Option<Arc<Create>>);

impl Disk {
    /// One whose files `create` makes. Each has to be a file at the path that it is given, in the end.
    pub fn of(create: impl Fn(&Path) -> io::Result<Box<dyn Medium>> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(create)))
    }

    pub(super) fn part(&self, folder: &Path, (call, business): (CallId, BusinessId), rate: SampleRate) -> PartFile {
        let path = folder.join(format!("{call}.{}.{PART}", business.0));
        PartFile { disk: self.clone(), path, rate, file: None, lost: 0 }
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Medium>> {
        match &self.0 {
            Some(create) => create(path),
            None => create_file(path).map(|file| Box::new(file) as Box<dyn Medium>),
        }
    }
}

/// Makes a part file that belongs to this process, readable by its user alone.
pub fn create_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.try_lock()?; // a process that starts on the same folder leaves it alone
    Ok(file)
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Disk(other)" } else { "Disk" })
    }
}

impl PartialEq for Disk {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(mine), Some(other)) => Arc::ptr_eq(mine, other),
            (None, None) => true,
            _ => false,
        }
    }
}

impl Eq for Disk {}

/// A file that is being written.
pub(super) struct PartFile {
    disk: Disk,
    path: PathBuf,
    rate: SampleRate,
    file: Option<Box<dyn Medium>>,
    /// Pairs that were not written.
    lost: u64,
}

/// A file that is whole.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Saved {
    /// Of the file.
    pub(super) name: String,
    /// In lower-case hexadecimal, of the whole file.
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) length: Duration,
    /// What the disk did not take.
    pub(super) lost: Duration,
    pub(super) format: Format,
}

impl PartFile {
    /// Writes interleaved samples, the first pair of which stands at `position`. What is not taken is lost; the next may be taken.
    pub(super) fn write(&mut self, position: u64, samples: &[i16]) -> io::Result<()> {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let written = self.file().and_then(|file| file.write_all_at(&bytes, HEADER_BYTES + position * PAIR_BYTES));
        if written.is_err() {
            self.lost += bytes.len() as u64 / PAIR_BYTES;
        }
        written
    }

    /// Makes it whole: so many pairs, a header that says so, its own name.
    pub(super) fn finish(mut self, pairs: u64) -> io::Result<Saved> {
        let rate = self.rate;
        let lost = rate.duration_of(self.lost);
        let file = self.file()?;
        let done = file
            .set_len(HEADER_BYTES + pairs * PAIR_BYTES)
            .and_then(|()| file.write_all_at(&stereo_header(rate, pairs), 0))
            .and_then(|()| whole(&self.path, rate, pairs, lost));
        if done.is_err() {
            let _ = fs::remove_file(&self.path); // the error that matters is told
        }
        done
    }

    /// The file, made when it is first needed: the folder may come to be, and room on the disk too.
    fn file(&mut self) -> io::Result<&dyn Medium> {
        if self.file.is_none() {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            let file = self.disk.create(&self.path)?;
            let begun = file.write_all_at(&stereo_header(self.rate, OPEN_END), 0);
            if let Err(error) = begun {
                let _ = fs::remove_file(&self.path); // made anew at the next try
                return Err(error);
            }
            self.file = Some(file);
        }
        self.file.as_deref().ok_or_else(|| io::Error::other("no file"))
    }
}

/// Gives a WAV file that is whole its name.
pub(super) fn whole(part: &Path, rate: SampleRate, pairs: u64, lost: Duration) -> io::Result<Saved> {
    let name = part.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let call = name.split('.').next().unwrap_or_default();
    let (name, sha256, bytes) = seal(part, &part.with_file_name(format!("{call}.{}", Format::Wav.ending())))?;
    Ok(Saved { name, sha256, bytes, length: rate.duration_of(pairs), lost, format: Format::Wav })
}

/// Gives a file that is whole its name; returns that, its digest, and its size.
pub(super) fn seal(part: &Path, path: &Path) -> io::Result<(String, String, u64)> {
    let (sha256, bytes) = (digest(part)?, fs::metadata(part)?.len());
    fs::rename(part, path)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok((name, sha256, bytes))
}

fn digest(path: &Path) -> io::Result<String> {
    let (mut file, mut digest, mut piece) = (File::open(path)?, Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            read => digest.update(&piece[..read]),
        }
    }
}
