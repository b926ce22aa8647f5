#!/usr/bin/env bash
# Installs the peers that tests talk to and that are no Debian packages, into a virtual environment in the user's cache folder.
#
#   kosoku         Autobahn's WebSocket cases, for tests/websocket_peers.rs
#   requests       the client of the guide's Python examples, for tests/guide.rs
#   schemathesis   requests made up from the description of our interface, for tests/schemathesis.rs
#   others         the vendors' own clients, for tests/vendor_sdks.rs
#
# Nothing missing: says so and needs no network.
set -euo pipefail

packages=(
    kosoku==0.1.0
    deepgram-sdk==7.17.0
    openai==3.54.0
    elevenlabs==2.78.0
    livekit-plugins-elevenlabs==1.8.9
    requests==2.34.2
    schemathesis==4.32.5
)
home="${XDG_CACHE_HOME:-$HOME/.cache}/tandem/peers"

say() { printf 'peers: %s\n' "$*" >&2; }

[[ -x $home/bin/pip ]] || python3 -m venv "$home"
there=$("$home/bin/pip" list --format freeze --disable-pip-version-check)
missing=()
for package in "${packages[@]}"; do
    grep -qixF "$package" <<<"$there" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
    say "${packages[*]} are there"
    exit 0
fi
say "installing ${missing[*]} into $home"
"$home/bin/pip" install --quiet --disable-pip-version-check "${missing[@]}"
