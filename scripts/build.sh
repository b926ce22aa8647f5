#!/usr/bin/env bash
# Builds the release binary and leaves it at target/release/tandem, even if cargo's target folder is elsewhere.
# Arguments go to cargo. Called by `make build`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

"${CARGO:-cargo}" build --release -p tandem "$@"
built=$(scripts/target-dir.sh)/release/tandem
if ! [[ $built -ef target/release/tandem ]]; then
    mkdir -p target/release
    # By way of a rename: a binary that is running cannot be written to.
    cp "$built" target/release/tandem.new
    mv -f target/release/tandem.new target/release/tandem
fi
