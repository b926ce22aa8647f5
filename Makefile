# Everything that is done to Tandem, by name. `make` alone lists it.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

CARGO ?= cargo
export CARGO
# Passed to every cargo command; CI sets --locked.
CARGO_FLAGS ?=
# Arguments of `make run`, for instance ARGS="--port 9000".
ARGS ?=
# VOICE=natural with `make models` or `make run`: Piper besides flite. Its licence has a note of its own, shown when it is installed.
VOICE ?= light
export VOICE
FUZZ_TARGET ?= twilio
FUZZ_SECONDS ?= 60
BENCH_CALLS ?= 100
# Of `make bench-ramp`: where to draw the curve, and further arguments, for instance RAMP_ARGS="--from 200 --step 20 --hold 60s".
RAMP_PLOT ?=
RAMP_ARGS ?=
# What `make sim` runs: SEEDS calls from FIRST_SEED on, or the public bug SCENARIO (`all` for every one); with SABOTAGE=<invariant> it must go red.
SEEDS ?= 10000
FIRST_SEED ?= 1
SCENARIO ?=
SABOTAGE ?=

STAGE := scripts/stage.sh
BINARY := target/release/tandem

##@ Two commands
.PHONY: run
run: setup-run build ## Install what is missing, build, fetch the models, serve on http://localhost:8000
	@$(BINARY) models install --voice $(VOICE)
	exec $(BINARY) $(if $(filter natural,$(VOICE)),--set TTS_PROVIDER=piper) $(ARGS) serve

.PHONY: test
test: setup ## Install what is missing, fetch the models, run every test
	@scripts/test.sh $(CARGO_FLAGS)

##@ Parts of them
.PHONY: setup
setup: ## Debian packages to build, serve and test
	@scripts/setup.sh test

.PHONY: setup-run
setup-run: ## Debian packages to build and serve
	@scripts/setup.sh run

.PHONY: build
build: ## The release binary, at target/release/tandem
	@scripts/build.sh $(CARGO_FLAGS)

.PHONY: models
models: setup-run build ## The speech models, into the user's cache folder; VOICE=natural for the natural voice too
	@$(BINARY) models install --voice $(VOICE)

.PHONY: peers
peers: setup ## Conformance against foreign programs: Autobahn's WebSocket cases, the vendors' own clients
	@scripts/peers.sh
	@$(CARGO) test --workspace $(CARGO_FLAGS) --test websocket_peers --test vendor_sdks -- --nocapture

##@ Before a commit
.PHONY: check
check: ## What CI runs: fmt, clippy, docs, deny, test
	@$(STAGE) fmt $(MAKE) --no-print-directory fmt
	@$(STAGE) setup $(MAKE) --no-print-directory setup
	@$(STAGE) clippy $(MAKE) --no-print-directory clippy
	@$(STAGE) docs $(MAKE) --no-print-directory docs
	@$(STAGE) deny $(MAKE) --no-print-directory deny
	@$(STAGE) test $(MAKE) --no-print-directory test

.PHONY: fmt
fmt: ## Formatting is as rustfmt.toml says
	@$(CARGO) fmt --all --check

.PHONY: clippy
clippy: ## No warning in any target
	@$(CARGO) clippy --workspace --all-targets $(CARGO_FLAGS) -- -D warnings

.PHONY: docs
docs: ## No warning in the documentation
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --workspace $(CARGO_FLAGS)

.PHONY: deny
deny: ## Licences, bans and sources of dependencies, if cargo-deny is there
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --offline check bans licenses sources; \
	else echo "cargo-deny is not installed, so deny.toml was not checked: cargo install --locked cargo-deny"; fi

.PHONY: browser
browser: setup ## The talk page and the public agents client in Chromium, against a debug build
	@$(CARGO) build $(CARGO_FLAGS)
	@"$$(scripts/target-dir.sh)/debug/tandem" models install
	@scripts/browser.sh

.PHONY: sim
sim: setup ## SEEDS (10000) simulated calls from FIRST_SEED (1) on, or SCENARIO=<name>; SABOTAGE=<invariant> must go red; ARGS="--list", "--json", "--dump DIR"
	@$(CARGO) run --profile sim -p tandem-universe --bin sim $(if $(SABOTAGE),--features sabotage) $(CARGO_FLAGS) -- \
		--seeds $(SEEDS) --first-seed $(FIRST_SEED) $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(SABOTAGE),--sabotage $(SABOTAGE)) $(ARGS)

##@ Figures
.PHONY: wer
wer: setup ## Word error rate of the recogniser over the real socket
	@$(CARGO) test --workspace --no-run --quiet $(CARGO_FLAGS)
	@"$$(scripts/target-dir.sh)/debug/tandem" models install
	@$(CARGO) test --workspace $(CARGO_FLAGS) --test wer -- --nocapture

.PHONY: audio
audio: build ## The calls of docs/audio again, and their pictures, with the natural voice
	@$(BINARY) models install --voice natural
	@for call in turn interruption resume; do \
		$(BINARY) --set TTS_PROVIDER=piper simulate --script docs/audio/$$call.toml --voice rms \
			--record docs/audio/$$call.wav --plot docs/audio/$$call.svg || exit 1; done

.PHONY: bench
bench: build ## CPU, memory and pacing jitter of BENCH_CALLS (100) simultaneous calls
	@$(BINARY) bench --calls $(BENCH_CALLS)

.PHONY: bench-ramp
bench-ramp: build ## How many calls are held at the service level, the switch on one core, beside a bare echo; RAMP_PLOT=FILE.svg draws it
	@$(BINARY) bench --ramp --pin --floor $(if $(RAMP_PLOT),--plot $(RAMP_PLOT)) $(RAMP_ARGS)

.PHONY: bench-hostile
bench-hostile: build ## What 20 calls notice of far ends that attack the same switch
	@$(BINARY) bench --hostile --calls 20

.PHONY: fuzz
fuzz: ## FUZZ_TARGET (twilio, exotel or browser) for FUZZ_SECONDS (60), starting from the fixtures
	@$(CARGO) fuzz --version >/dev/null 2>&1 || { echo "cargo-fuzz is not installed: cargo install --locked cargo-fuzz"; exit 1; }
	@mkdir -p fuzz/corpus/$(FUZZ_TARGET)
	RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run $(FUZZ_TARGET) fuzz/corpus/$(FUZZ_TARGET) $(wildcard tests/fixtures/$(FUZZ_TARGET)) -- \
		-max_total_time=$(FUZZ_SECONDS) -max_len=65536

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
