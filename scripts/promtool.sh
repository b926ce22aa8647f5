#!/usr/bin/env bash
# Prints where Prometheus' own `promtool` is: on the path, else taken out of its Debian package into the user's cache folder.
#
# The package is not installed: it would start a server at boot, and the tests want one program of it.
set -euo pipefail

if command -v promtool; then exit 0; fi
home="${XDG_CACHE_HOME:-$HOME/.cache}/tandem/peers"
tool="$home/usr/bin/promtool"
if [[ ! -x $tool ]]; then
    printf 'promtool: taking it out of the Debian package prometheus into %s\n' "$home" >&2
    fetched=$(mktemp -d)
    trap 'rm -rf "$fetched"' EXIT
    fetch() { (cd "$fetched" && apt-get -qq -o APT::Sandbox::User=root download prometheus); }
    # Without package lists nothing is found; making them needs root.
    fetch 2>/dev/null || { apt-get -qq update && fetch; } || {
        printf 'promtool: apt-get cannot fetch the package prometheus: run `make setup`, or install Prometheus\n' >&2
        exit 1
    }
    mkdir -p "$home"
    dpkg-deb --fsys-tarfile "$fetched"/prometheus_*.deb | tar -x -C "$home" ./usr/bin/promtool
fi
printf '%s\n' "$tool"
