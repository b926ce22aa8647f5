#!/usr/bin/env bash
# Builds every test once, puts the models in place with the binary of that build and the
# foreign programs that tests talk to, runs every test, the browser's last, adds up the summaries.
# Arguments go to cargo. Called by `make test`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo=${CARGO:-cargo}
scripts/stage.sh "build of the tests" "$cargo" test --workspace --no-run "$@"
# That build holds the binary too. Running it, rather than `cargo run`, spares a second build with other features.
scripts/stage.sh "models" "$(scripts/target-dir.sh)/debug/tandem" models install --voice natural --vad silero --end-of-turn smart-turn
scripts/stage.sh "peers" scripts/peers.sh
scripts/stage.sh "promtool" scripts/promtool.sh

log=$(mktemp)
trap 'rm -f "$log"' EXIT
code=0
scripts/stage.sh "tests" "$cargo" test --workspace --no-fail-fast "$@" 2>&1 | tee "$log" || code=$?
# The hooks that switch a mechanism off are in no other build.
scripts/stage.sh "sabotage" "$cargo" test -p tandem-universe --features sabotage --test sabotage "$@" 2>&1 | tee -a "$log" || code=$?
scripts/stage.sh "browser tests" scripts/browser.sh 2>&1 | tee -a "$log" || code=$?
awk '/^test result: / {
        suites++; passed += $4; failed += $6; ignored += $8
        if ($3 == "FAILED.") bad++
    }
    END { printf "test result: %s. %d passed; %d failed; %d ignored; %d suites, %d of them failed\n",
                 bad ? "FAILED" : "ok", passed, failed, ignored, suites, bad }' "$log"
exit "$code"
