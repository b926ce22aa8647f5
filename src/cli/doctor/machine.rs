//! The machine: where things are kept, how much room there is, the port, the clock, open files.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rustix::process::{Resource, getrlimit};
use tandem_actors::clock as time;
use tokio::net::TcpListener;

use super::Finding;
use crate::cli::place;
use crate::config::Config;

const DATA: &str = "data folder";
const DISK: &str = "disk space";
const PORT: &str = "port";
const OPEN_FILES: &str = "open files";
const CLOCK: &str = "clock";

/// Less room than this is too little to begin with: the database needs some to write at all.
const LEAST_ROOM: u64 = 100 * 1024 * 1024;
/// Less than this is soon gone: about a day of 10 calls at once, with their recordings.
const LITTLE_ROOM: u64 = 2 * 1024 * 1024 * 1024;
/// Files that a call holds open at most: its socket, and what its vendors' connections need.
const FILES_PER_CALL: u64 = 8;
/// Files that the program holds open without calls: database, models, log, worker pipes, API connections.
const FILES_WITHOUT_CALLS: u64 = 256;
/// When this was written. A machine whose clock is before has lost its time.
const WRITTEN: &str = "2026-11-01T00:00:00Z";
/// No machine runs this so long.
const FAR: &str = "2100-01-01T00:00:00Z";
/// What systemd-timesyncd leaves once the clock was set by a server.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";

/// Whether files can be made where everything is kept. Leaves none.
pub(super) fn data_folder(config: &Config) -> Finding {
    let folder = absolute(&config.data_dir);
    let remedy =
        "choose another folder with DATA_DIR or --data-dir, or give the user that runs tandem the right to write there";
    let Some(nearest) = existing(&folder) else {
        return Finding::fail(DATA, format!("{} cannot be made", folder.display()), remedy);
    };
    match tempfile::tempfile_in(nearest) {
        Ok(_) if nearest == folder => Finding::ok(DATA, format!("{} can be written", folder.display())),
        Ok(_) => Finding::ok(DATA, format!("{} will be made at the first start", folder.display())),
        Err(error) => Finding::fail(DATA, format!("{} cannot be written: {error}", nearest.display()), remedy),
    }
}

pub(super) fn disk_space(config: &Config) -> Finding {
    let folder = absolute(&config.data_dir);
    let room = existing(&folder).ok_or(io::ErrorKind::NotFound.into()).and_then(|nearest| {
        let disk = rustix::fs::statvfs(nearest)?;
        Ok::<u64, io::Error>(disk.f_bavail.saturating_mul(disk.f_frsize))
    });
    match room {
        Ok(bytes) => room_left(bytes),
        Err(error) => Finding::warn(DISK, format!("not known: {error}"), "look at it with `df -h`"),
    }
}

fn room_left(bytes: u64) -> Finding {
    let detail = format!("{} MB free", bytes / 1_000_000);
    let remedy =
        "make room, or put DATA_DIR on another disk: when it is full, calls go on and their records have to wait";
    match bytes {
        0..LEAST_ROOM => Finding::fail(DISK, detail, remedy),
        LEAST_ROOM..LITTLE_ROOM => Finding::warn(DISK, detail, remedy),
        _ => Finding::ok(DISK, detail),
    }
}

/// Whether the port can be had, or a tandem has it already.
pub(super) async fn port(config: &Config) -> Finding {
    let address = SocketAddr::new(config.host, config.port);
    match TcpListener::bind(address).await {
        Ok(_) if config.port == 0 => Finding::ok(PORT, "any free one"),
        Ok(_) => Finding::ok(PORT, format!("{address} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match place::tandem_at(address).await {
            true => Finding::ok(PORT, format!("a tandem serves on {address}")),
            false => {
                let remedy = "stop that program, or choose another port with --port or PORT (0 takes a free one)";
                Finding::fail(PORT, format!("{address} is taken by another program"), remedy)
            }
        },
        Err(error) => {
            let remedy = "check HOST: it has to be an address of this machine; ports below 1024 need a privilege";
            Finding::fail(PORT, format!("cannot listen on {address}: {error}"), remedy)
        }
    }
}

pub(super) fn open_files(calls: usize) -> Finding {
    files_for(calls, getrlimit(Resource::Nofile).current)
}

/// `limit` is the soft one; `None` is none.
fn files_for(calls: usize, limit: Option<u64>) -> Finding {
    let calls_at_once = u64::try_from(calls).unwrap_or(u64::MAX);
    let needed = FILES_PER_CALL.saturating_mul(calls_at_once).saturating_add(FILES_WITHOUT_CALLS);
    match limit {
        Some(limit) if limit < needed => Finding::warn(
            OPEN_FILES,
            format!("at most {limit}; {calls} calls at once may need {needed}"),
            "raise it with `ulimit -n 65536`, or LimitNOFILE=65536 in the systemd unit, or lower MAX_CONCURRENT_CALLS",
        ),
        Some(limit) => Finding::ok(OPEN_FILES, format!("at most {limit}, enough for {calls} calls at once")),
        None => Finding::ok(OPEN_FILES, "no limit"),
    }
}

pub(super) fn clock() -> Finding {
    judged(time::utc(), Path::new(SYNCHRONISED).exists())
}

fn judged(now: DateTime<Utc>, synchronised: bool) -> Finding {
    let at = |text: &str| text.parse::<DateTime<Utc>>().expect("an instant");
    let told = now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    if now < at(WRITTEN) || now > at(FAR) {
        let remedy = "set it (`timedatectl set-ntp true`): certificates, signatures and calling hours depend on it";
        return Finding::fail(CLOCK, format!("says {told}, which cannot be"), remedy);
    }
    let by = if synchronised { ", set by a time server" } else { "" };
    Finding::ok(CLOCK, format!("says {told}{by}"))
}

fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

/// The nearest folder at or above a path that is there; `None` where a file stands in the way.
fn existing(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|place| place.symlink_metadata().is_ok()).filter(|place| place.is_dir())
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn room_files_and_time_have_their_limits() {
        assert_eq!(room_left(0).verdict, Verdict::Fail);
        assert_eq!(room_left(LEAST_ROOM).verdict, Verdict::Warn);
        assert_eq!(room_left(u64::MAX).verdict, Verdict::Ok);
        assert_eq!(files_for(10, Some(335)).verdict, Verdict::Warn);
        assert_eq!(files_for(10, Some(336)).verdict, Verdict::Ok);
        assert_eq!(files_for(usize::MAX, None).verdict, Verdict::Ok);
        let clock = |text: &str| judged(text.parse().expect("an instant"), false).verdict;
        assert_eq!(clock("1970-01-01T00:00:30Z"), Verdict::Fail);
        assert_eq!(clock("2027-01-01T00:00:00Z"), Verdict::Ok);
        assert_eq!(clock("2155-01-01T00:00:00Z"), Verdict::Fail);
    }
}
