//! Where the foreign programs are that `scripts/peers.sh` installs.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::path::PathBuf;

/// A program of the peers' environment: `python` or one that a package brings.
pub fn program(name: &str) -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
    let program = cache.join("tandem/peers/bin").join(name);
    assert!(program.exists(), "{name} is not installed: run scripts/peers.sh, as make test and make peers do");
    program
}
