# Everything a newcomer needs; `make help` lists it. The virtual environment is .venv, and only this folder is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/.made
INSTALLED := $(VENV)/.installed
BENCHMARKED := $(VENV)/.bench
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

# Passed on: `make run RUN="--rate 100 --beats 20"`, `make test TEST="-k worker"`, `make bench BENCH=--quick`,
# `make chaos CHAOS="--chaos 50 --seed 7"`, `make soak SOAK="--kills 1000"`.
RUN ?= --rate 500 --beats 60
TEST ?=
BENCH ?=
CHAOS ?= --chaos 20 --freeze 0.1
SOAK ?=

# Where a whole `make bench` is kept; one with options of its own is kept where those say.
KEPT := --json docs/performance.json --charts docs/images

.DEFAULT_GOAL := help
.PHONY: help install run test lint format types bench figures chaos soak mutants clean FORCE

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(INSTALLED)  ## make .venv (again only when pyproject.toml has changed); PYTHON=python3.12 picks the interpreter

run: $(INSTALLED)  ## run the example pipeline for half a minute
	@$(BIN)/steady-mp run $(RUN)

# Two at a time: most tests start several processes and wait for them, so one alone leaves a core idle.
test: $(INSTALLED)  ## run the tests
	@$(BIN)/python -m pytest -m "not long" --numprocesses 2 --dist worksteal $(TEST)

lint: $(INSTALLED)  ## look for faults and for unformatted code
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

format: $(INSTALLED)  ## mend what the linter can mend
	@$(BIN)/ruff check --fix --exit-zero
	@$(BIN)/ruff format

types: $(INSTALLED)  ## check the types
	@$(BIN)/mypy

bench: $(BENCHMARKED)  ## measure beside the peers, some 11 minutes; `make bench BENCH=--quick` only shows that it runs
	@$(BIN)/python -m benchmarks $(or $(BENCH),$(KEPT))

figures: $(BENCHMARKED)  ## write the tables and charts of the docs from what `make bench` has measured
	@$(BIN)/python -m benchmarks.document

chaos: $(INSTALLED)  ## run the example pipeline while its actors are killed and frozen, and check the result
	@$(BIN)/steady-mp run --rate 5 --beats 4000 --log-level error $(CHAOS)

soak: $(INSTALLED)  ## kill actors 10,000 times, some minutes; the result must not change
	@$(BIN)/python -m tests.chaos.long $(SOAK)

mutants: $(INSTALLED)  ## break the commit protocol on purpose, in every way we know; the simulation must notice
	@$(BIN)/python -m tests.mutants.hunt

clean:  ## remove .venv and whatever the tools left
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An interpreter that is asked for and is not the one in .venv makes .venv anew; without PYTHON= the one there stays.
VERSION := import sys; print("%d.%d" % sys.version_info[:2])
version_of = $(shell { $(1) -c '$(VERSION)'; } 2>/dev/null)
ifneq ($(origin PYTHON),file)
ifneq ($(call version_of,$(PYTHON)),$(call version_of,$(BIN)/python))
$(MADE) $(INSTALLED): FORCE
endif
endif

# What a bare machine may lack: the interpreter, its version, and venv's ensurepip (Debian packs it apart).
need = @{ $(1); } >/dev/null 2>&1 || { echo "steady-mp: $(2)" >&2; exit 1; }
ANOTHER = make $(or $(MAKECMDGOALS),install) PYTHON=python3.12

$(MADE):
	$(call need,$(PYTHON) -c 'import sys',there is no working $(PYTHON) here: install Python 3.11 or newer (or name one: $(ANOTHER)))
	$(call need,$(PYTHON) -c 'import sys; sys.exit(sys.hexversion < 0x030B0000)',it needs Python 3.11 or newer and $(PYTHON) is $(call version_of,$(PYTHON)): name another one: $(ANOTHER))
	$(call need,$(PYTHON) -c 'import ensurepip; import venv',$(PYTHON) can make no virtual environment: on Debian and Ubuntu 'apt-get install python$(call version_of,$(PYTHON))-venv' mends it)
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(INSTALLED): pyproject.toml | $(MADE)
	@$(PIP) --editable '.[dev]'
	@rm -f $(BENCHMARKED)
	@touch $@

$(BENCHMARKED): $(INSTALLED)
	@$(PIP) --editable '.[bench]'
	@touch $@
