//! Rebuilds when a migration is added: on stable Rust the embedding macro notices only changes to files that it already knows.

fn main() {
    println!("cargo::rerun-if-changed=../migrations");
}
