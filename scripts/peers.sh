#!/usr/bin/env bash
# Installs the peers that tests talk to and that are no Debian packages, into a virtual environment in the user's cache folder.
#
#   kosoku   Autobahn's WebSocket cases, for tests/websocket_peers.rs
#
# Nothing missing: says so and needs no network.
set -euo pipefail

kosoku=0.1.0
home="${XDG_CACHE_HOME:-$HOME/.cache}/tandem/peers"

say() { printf 'peers: %s\n' "$*" >&2; }

if [[ -x $home/bin/kosoku && $("$home/bin/pip" show kosoku 2>/dev/null) == *"Version: $kosoku"* ]]; then
    say "kosoku $kosoku is there"
    exit 0
fi
say "installing kosoku $kosoku into $home"
python3 -m venv "$home"
"$home/bin/pip" install --quiet --disable-pip-version-check "kosoku==$kosoku"
