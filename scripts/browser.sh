#!/usr/bin/env bash
# Runs tests/browser: Chromium with a microphone made of a WAV file talks with the debug build, or with TANDEM_BIN.
# Fetches the Node packages of package-lock.json when they are not the ones that are there. Ends with a line such as cargo's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../tests/browser"

# npm writes this file last, so an install that was cut short is done again.
if [[ ! node_modules/.package-lock.json -nt package-lock.json ]]; then
    npm ci --no-audit --no-fund --loglevel=error
fi

tap=$(mktemp)
trap 'rm -f "$tap"' EXIT
code=0
node --test --test-reporter=spec --test-reporter-destination=stdout --test-reporter=tap --test-reporter-destination="$tap" || code=$?
awk '/^# (pass|fail|cancelled|skipped) / { sum[$2] = $3 }
    END { failed = sum["fail"] + sum["cancelled"]
          printf "test result: %s. %d passed; %d failed; %d ignored; 0 measured; 0 filtered out\n",
                 failed || !sum["pass"] ? "FAILED" : "ok", sum["pass"], failed, sum["skipped"] }' "$tap"
exit "$code"
