//! A PostgreSQL server for the tests of this process: started by the first that asks, stopped when the last lets go.
//!
//! It runs from the distribution's programs in a temporary folder, on a free loopback port, as an unprivileged user (it refuses to run as
//! root). A shell stands between us and it and stops it at the end of its own standard input, which comes even when we are killed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};

use tempfile::TempDir;

const MISSING: &str = "PostgreSQL is not installed: run `make setup`";

/// Runs the server, prints a line once it takes connections, and waits; in the end nothing of it is left. `$1` is the folder of its programs,
/// `$2` its own, `$3` its options.
///
/// The traps keep the shell alive for its last lines when somebody interrupts the whole terminal.
const SCRIPT: &str = r#"
trap : INT TERM HUP
"$1/pg_ctl" start -w -s -D "$2/data" -l "$2/log" -o "$3" </dev/null || exit 1
echo ready
read -r _
"$1/pg_ctl" stop -w -s -m immediate -D "$2/data" </dev/null
rm -rf "$2"
"#;

static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

pub struct Server {
    guard: Child,
    port: u16,
    folder: TempDir,
}

impl Server {
    /// The server of this process.
    pub fn shared() -> Arc<Self> {
        // A start that failed poisons the lock; the next test may try again and fail with the same words.
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(server) = shared.upgrade() {
            return server;
        }
        let server = Arc::new(Self::start());
        *shared = Arc::downgrade(&server);
        server
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql+asyncpg://tandem:secret@127.0.0.1:{}/{database}", self.port)
    }

    /// Its processes, the postmaster first: for tests that stop them for a while.
    #[allow(dead_code, reason = "the store's own tests do not")]
    pub fn processes(&self) -> Vec<u32> {
        let file = fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap();
        let postmaster: u32 = file.lines().next().unwrap().parse().unwrap();
        let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap();
        std::iter::once(postmaster).chain(children.split_whitespace().map(|id| id.parse().unwrap())).collect()
    }

    fn start() -> Self {
        let programs = programs().expect(MISSING);
        let folder = tempfile::tempdir().unwrap();
        let owner = owner();
        if let Some((user, group)) = owner {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let made = as_owner(programs.join("initdb"), owner)
            .args(["-U", "tandem", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));

        // The port is free when we ask and may be taken when the server does, so more than one is tried.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let options =
                format!("-p {port} -h 127.0.0.1 -k {} -c fsync=off -c max_connections=400", folder.path().display());
            let mut guard = as_owner("sh".into(), owner)
                .args(["-c", SCRIPT, "sh"])
                .args([programs.as_path(), folder.path()])
                .arg(options)
                .process_group(0)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut ready = String::new();
            BufReader::new(guard.stdout.take().unwrap()).read_line(&mut ready).unwrap();
            if ready == "ready\n" {
                return Self { guard, port, folder };
            }
            guard.wait().unwrap();
        }
        panic!("PostgreSQL does not start: {}", fs::read_to_string(folder.path().join("log")).unwrap_or_default());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait(); // then the folder goes
    }
}

/// Where `initdb` and `pg_ctl` are: Debian keeps them out of `PATH`, in a folder a version; the newest one counts.
fn programs() -> Option<PathBuf> {
    let debian =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    let newest = debian
        .filter(|bin| bin.join("initdb").is_file())
        .max_by_key(|bin| bin.parent().and_then(Path::file_name)?.to_str()?.parse::<u32>().ok());
    let in_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|bin| bin.join("initdb").is_file())
    };
    newest.or_else(in_path)
}

/// Whom to run as: ourselves, or, if we are root, the user that the package made, else `nobody`.
fn owner() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let ids = |name: &str| {
        let fields: Vec<&str> = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|f| f[0] == name)?;
        Some((fields[2].parse().ok()?, fields[3].parse().ok()?))
    };
    Some(ids("postgres").or_else(|| ids("nobody")).expect("a Debian system has the user nobody"))
}

fn as_owner(program: PathBuf, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some((user, group)) = owner {
        command.gid(group).uid(user);
    }
    command
}
