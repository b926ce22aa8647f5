//! Names the commit that the program is built from: `BUILD_COMMIT` of the environment, else what git says, else nothing, and the program
//! calls it unknown. A source tree without git builds all the same.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=BUILD_COMMIT");
    if std::env::var_os("BUILD_COMMIT").is_some() {
        return; // the compiler reads it itself
    }
    // Relative paths of a worktree's own HEAD and of the branch that it names: both move with a commit.
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", name])
            && std::path::Path::new(&path).exists()
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    if let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo::rustc-env=BUILD_COMMIT={commit}");
    }
}

/// What git prints; nothing if it is absent, fails, or knows no such tree.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
