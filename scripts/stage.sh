#!/usr/bin/env bash
# Runs a command between two lines that name it, with its duration:  scripts/stage.sh NAME COMMAND…
set -uo pipefail

name=$1
shift
printf '\n==> %s\n' "$name"
SECONDS=0
"$@"
code=$?
((code == 0)) && verdict=ok || verdict="FAILED ($code)"
printf '<== %s: %s, %d min %02d s\n' "$name" "$verdict" $((SECONDS / 60)) $((SECONDS % 60))
exit "$code"
