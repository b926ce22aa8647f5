#!/usr/bin/env bash
# Installs the Debian packages that Tandem needs and this machine lacks.
#
#   scripts/setup.sh run     to build and serve
#   scripts/setup.sh test    the same and what the tests need (default)
#
# VOICE=natural adds what the natural voice needs.
#
# Nothing missing: says so, touches nothing, needs no network. Installing needs root or sudo without a password; else the
# exact command is printed and the exit code is 1. TANDEM_SKIP_SETUP=1 trusts you, for systems without apt.
set -euo pipefail

for_run=(
    build-essential pkg-config # linker, SQLite
    cmake clang libclang-dev   # whisper.cpp and its bindings
    libopus-dev                # recordings as Ogg Opus
    python3-pip                # fetches the speech model's package
    flite                      # the voice
)
for_natural_voice=(
    espeak-ng # writes words as sounds; GPL, run as a program
)
for_test=(
    "${for_natural_voice[@]}"
    postgresql          # the store's tests start a server of their own
    python3-venv        # foreign peers from PyPI, see peers.sh
    chromium nodejs npm # a browser talks with the server
    curl                # the guide's examples
)

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

installed() {
    case $1 in
        # Any version will do; the tests look for the newest one.
        postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ;;
        # From wherever they came; other packages of Node bring npm with them.
        chromium | curl | npm) command -v "$1" >/dev/null ;;
        nodejs) command -v node >/dev/null ;;
        *) [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]] ;;
    esac
}

case ${1:-test} in
    run) wanted=("${for_run[@]}") ;;
    test) wanted=("${for_run[@]}" "${for_test[@]}") ;;
    *) fail "usage: scripts/setup.sh [run|test]" ;;
esac
if [[ ${VOICE:-} == natural && ${1:-test} == run ]]; then
    wanted+=("${for_natural_voice[@]}")
fi

command -v cargo >/dev/null || fail "there is no cargo: install a Rust toolchain first (https://rustup.rs)"
if [[ ${TANDEM_SKIP_SETUP:-} == 1 ]]; then
    say "skipped, as TANDEM_SKIP_SETUP says"
    exit 0
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    fail "not a Debian system: install the like of '${wanted[*]}', then set TANDEM_SKIP_SETUP=1"
fi

missing=()
for package in "${wanted[@]}"; do
    installed "$package" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
    say "all ${#wanted[@]} Debian packages are there"
    exit 0
fi

if ((EUID == 0)); then
    as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
else
    say "missing: ${missing[*]}. May not install without root; run this once:"
    fail "    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
fi

apt() {
    # `env` because sudo drops our environment; no terminal, so that nothing can ask.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# The package makes a database cluster and starts it at boot; the tests want the programs alone.
without_cluster() {
    local conf=/etc/postgresql-common/createcluster.conf
    compgen -G '/etc/postgresql/*/*' >/dev/null && return
    apt install -y --no-install-recommends postgresql-common
    "${as_root[@]}" sed -i -E 's/^#?[[:space:]]*create_main_cluster.*/create_main_cluster = false/' "$conf"
}

say "installing ${missing[*]}"
apt update || fail "the package lists cannot be fetched: check the network and /etc/apt/sources.list, then run 'make setup' again"
for package in "${missing[@]}"; do
    [[ $package != postgresql ]] || without_cluster
done
apt install -y --no-install-recommends "${missing[@]}" ||
    fail "apt-get did not install ${missing[*]}; its words are above"
say "done"
