#!/usr/bin/env bash
# Prints cargo's target folder, wherever the environment or a configuration file has put it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

"${CARGO:-cargo}" metadata --format-version 1 --no-deps | sed -E 's/.*"target_directory":"([^"]*)".*/\1/'
