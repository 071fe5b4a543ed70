# `make` lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: help demo test python go stubs user-chk check fmt-check clippy doc deny units examples documents lab fuzz gen bench build forgetful lab-build needs

# A build that is made once (a clean clone, CI) gains nothing from incremental files.
ifdef CI
export CARGO_INCREMENTAL := 0
endif

TARGET := $(or $(CARGO_TARGET_DIR),target)
VENV := $(or $(OUTRIGGER_TEST_VENV),$(TARGET)/test-venv)
FUZZ_SECONDS ?= 60

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

demo: ## play the demo in private network namespaces
	deploy/demo/run

test: needs lab-build units stubs python go ## install what the tests need, then run all of them
	cargo test --workspace --no-fail-fast
	cargo test --manifest-path tests/fuzz/Cargo.toml
	$(MAKE) user-chk

python: needs ## the SDK for Python, its user_chk and examples: lints, types, tests, wheel
	scripts/test-python

go: needs ## the SDK for Go, its user_chk and examples: lints, tests with the race detector
	scripts/test-go

# The lab runs them with the service in Rust beside all other tests.
user-chk: needs lab-build ## the lab's tests of user_chk, with the service in Python and in Go
	for program in $(VENV)/bin/user-chk $(TARGET)/debug/user-chk-go; do \
		OUTRIGGER_USER_CHK="$$(realpath "$$program")" \
		cargo test -p outrigger-lab --test hooks -- user_chk_demo user_chk_errors user_chk_v4 user_chk_video; \
	done

stubs: needs ## what is generated from proto/ for Python and Go is up to date
	scripts/gen-stubs --check

check: fmt-check clippy test doc deny examples documents ## everything that a change must pass

fmt-check: ## rustfmt, changing nothing
	cargo fmt --all --check

clippy: ## lints, warnings are errors
	cargo clippy --workspace --all-targets --all-features -- -D warnings

doc: ## documentation, warnings are errors
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

deny: ## licences and sources of dependencies; needs cargo-deny
	cargo deny --all-features check

units: needs ## the systemd units
	scripts/check-units

examples: build ## every configuration in deploy/examples
	for file in deploy/examples/*.json; do echo "$$file"; $(TARGET)/debug/dhcp-server -t "$$file"; done

documents: ## tests and files that the documents name
	scripts/check-architecture

lab: needs lab-build ## only the tests with real clients
	cargo test -p outrigger-lab

fuzz: ## fuzz one decoder: make fuzz NAME=decode4 [FUZZ_SECONDS=60]; needs cargo-fuzz and nightly
	@test -n "$(NAME)" || { echo "make fuzz NAME=...: one of" tests/fuzz/fuzz_targets/*.rs >&2; exit 64; }
	cargo +nightly fuzz run $(NAME) --fuzz-dir tests/fuzz -- -max_total_time=$(FUZZ_SECONDS)

gen: needs ## write generated files again
	scripts/gen-stubs
	UPDATE=1 cargo test -p outrigger-proto
	UPDATE=1 cargo test -p outrigger-wire --test option_table
	UPDATE=1 cargo test -p outrigger-hook-sdk --test paths
	UPDATE=1 cargo test -p outrigger-server --lib the_page_of_commands

bench: ## compare with the packaged Kea: tests/load/run
	cargo build --release -p outrigger-server -p user-chk -p outrigger-load --bins
	tests/load/run $(BENCH)

# The lab starts programs from the folder that its tests were built into.
build:
	cargo build --workspace --bins

# For the crash tests also a server whose disk forgets what was not flushed. With the same members and target directory
# nothing but the crates with that feature is built twice.
forgetful:
	cargo build --workspace --bins --features outrigger-server/forgetful
	cp --remove-destination $(TARGET)/debug/dhcp-server $(TARGET)/debug/dhcp-server-forgetful

lab-build: forgetful needs
	cargo build --workspace --bins
	scripts/go -C tests/service/go build -buildvcs=false -o "$(abspath $(TARGET))/debug/outrigger-test-service-go" .
	scripts/go -C hooks/go/user_chk build -buildvcs=false -o "$(abspath $(TARGET))/debug/user-chk-go" ./cmd/user-chk

needs:
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust (rust-version in Cargo.toml), https://rustup.rs" >&2; exit 1; }
	scripts/install-test-needs
