# `make help` lists the targets. `make setup` comes first by itself where it is needed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
RUST_SOURCES := $(shell find rust bench/core -name '*.rs' -not -path '*/target/*' -not -path '*/fuzz/*') \
	$(wildcard Cargo.toml Cargo.lock rust/*/Cargo.toml)
# Rust is looked for where rustup puts it, too.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help setup demo test test-rust test-python test-servers check bench fuzz fmt lint types clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.core  ## Install what is needed and build; quick when nothing changed

.venv/.dependencies: pyproject.toml scripts/setup.sh
	scripts/setup.sh
	@touch $@

.venv/.core: .venv/.dependencies $(RUST_SOURCES)
	$(BIN)/maturin develop --release --quiet --skip-install
	@touch $@

demo: setup  ## Mount a remote, read it, commit into it, with every command shown
	@scripts/demo.sh

test: test-rust test-python  ## Run all tests

test-rust: setup
	cargo test --quiet --workspace

test-python: setup
	$(BIN)/pytest

test-servers: setup  ## Run the tests against DynamoDB Local and MinIO
	scripts/install-servers.sh
	PYFS_TEST_SERVERS=real $(BIN)/pytest

check: setup lint types test  ## Do what CI does

fmt: setup  ## Format the sources
	cargo fmt
	$(BIN)/ruff format
	$(BIN)/ruff check --fix-only --quiet

lint: setup  ## Check format, style and layers
	cargo fmt --check
	cargo clippy --quiet --workspace --all-targets -- -D warnings
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/lint-imports --no-cache

types: setup  ## Check the types, and the stub against the built module
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest pyfs._core

bench: setup  ## Measure over MinIO and DynamoDB Local; beside dolt where it is installed
	scripts/install-servers.sh
	cargo bench --quiet --package bench-core
	PYFS_TEST_SERVERS=real $(BIN)/python -m bench.mount flights edits commits branches rows repetitions

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= $$(cargo fuzz list)
# libFuzzer's instrumentation is for nightly compilers. Another one takes it when told that it is
# one; the address sanitizer it has not.
fuzz:  ## Fuzz each parser for FUZZ_SECONDS, or those of FUZZ_TARGETS (needs cargo-fuzz)
	@cargo fuzz --version >/dev/null 2>&1 || { echo 'fuzz: run cargo install cargo-fuzz' >&2; exit 1; }
	cd rust/dolt-format/fuzz && cargo run --quiet --example seeds
	cd rust/dolt-format/fuzz && \
	if cargo +nightly --version >/dev/null 2>&1; then fuzz='cargo +nightly fuzz run'; \
	else fuzz='cargo fuzz run --sanitizer none'; export RUSTC_BOOTSTRAP=1; fi && \
	for target in $(FUZZ_TARGETS); do \
		$$fuzz $$target -- -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=4096 \
			-verbosity=0 -print_final_stats=1 || exit 1; \
	done

clean:  ## Delete what was built and installed here
	rm -rf .venv target .servers .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -f pyfs/_core*.so
	find . -name __pycache__ -prune -exec rm -rf {} +
