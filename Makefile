# The commands that anyone needs. `make` lists them.

PROGRAMS = kua-probes kua-collector kua-auditor kua-lab
TARGET ?= x86_64-unknown-linux-musl
# Ballista, which few need. With WITHOUT= everything is built at once, as continuous integration does.
WITHOUT ?= --exclude kua-cluster

# One choice of crates for all: another would have DataFusion compiled again.
BUILD = cargo build --quiet --workspace $(WITHOUT)
# As `cargo run` has it: with the reference data of the source.
BUILT = KUA_REFERENCE_DIR= $${CARGO_TARGET_DIR:-target}

.PHONY: help accuracy cluster demo test check fuzz load torture bench dist certs tools

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: tools ## build all, start the lab, probe through it, import, report
	@echo 'Building; the first time takes some minutes.'
	@cargo build $(PROGRAMS:%=--package %)
	@lab/demo

test: tools ## build all and run every test; none leaves this machine
	cargo build --workspace $(WITHOUT)
	cargo test --workspace $(WITHOUT) --no-fail-fast

cluster: ## build and test SQL on many machines (compiles Ballista)
	cargo build --workspace
	cargo test --workspace --test cluster

check: tools ## formatting, lints, licences and layers
	cargo fmt --all --check
	cargo clippy --workspace $(WITHOUT) --all-targets -- --deny warnings
	@command -v cargo-deny >/dev/null || { echo 'error: please run: cargo install --locked cargo-deny' >&2; exit 1; }
	cargo deny --workspace --offline check bans licenses sources

accuracy: tools ## how right the judgement is: incidents, corpora, hostile chains
	@$(BUILD)
	@$(BUILT)/debug/accuracy

fuzz: ## fuzz each reader of foreign bytes for 60 s (needs nightly and cargo-fuzz)
	fuzz/run 60

load: ## hand records in to the collector: how many a second last, how fast, in how much memory
	@$(BUILD) --release
	@ulimit -n "$$(ulimit -Hn)" && $(BUILT)/release/load

torture: ## kill the collector a thousand times; what it acknowledged must be there once
	@$(BUILD)
	@$(BUILT)/debug/torture

bench: tools ## speed beside openssl, gzip, DuckDB and chdb, as ratios (BENCH=national ROWS=100000000)
	@$(BUILD) --release
	@$(BUILT)/release/kua-benches $(BENCH) $(ROWS)

dist: ## the volunteer's static binary, with its size and number of crates
	.ci/dist $(TARGET)

certs: ## make root programs and block lists again from their packages (fetches 200 MB, once)
	certs/fetch target/certs
	cargo run --quiet --package kua-certs -- build target/certs certs

tools:
	@.ci/tools
