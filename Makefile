# `make run` and `make test` are all one needs; each does the whole set-up by itself and is quick the second time.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
export PYTHONPATH := .:tests/support
export PYTHONUTF8 := 1
# Compiled once and kept: the tests start many processes, and each of them would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

# Arguments for the programs below, e.g. make test ARGS="tests/core -k merge"
ARGS ?=
# How many processes share the tests; a few tests named by ARGS are not worth a second one.
WORKERS ?= $(if $(strip $(ARGS)),0,logical)
# Lines of sync/domain, sync/store and sync/client that tests must reach; `make check` asks for all of them.
FLOOR ?= 0
# Without a screen Qt paints into memory.
SCREEN := $(if $(DISPLAY)$(WAYLAND_DISPLAY),,QT_QPA_PLATFORM=offscreen)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/\1|\2/' | while IFS='|' read -r n t; do printf '  make %-11s %s\n' "$$n" "$$t"; done

.PHONY: setup-run setup-dev
setup-run:
	@packaging/setup/prepare.sh run
setup-dev:
	@packaging/setup/prepare.sh dev

.PHONY: run
run: setup-run ## start a local server and the desktop with a small made-up community
	@$(PYTHON) -m desktop --demo $(ARGS)

.PHONY: test
test: setup-dev ## run all tests
	@mkdir -p build/coverage
	@QT_QPA_PLATFORM=offscreen $(PYTHON) -m pytest --cov --cov-fail-under=$(FLOOR) \
		--cov-report=$(if $(filter 0,$(FLOOR)),,term:skip-covered) \
		--numprocesses=$(WORKERS) --maxprocesses=4 --dist=worksteal $(ARGS)

.PHONY: check
check: setup-dev ## everything that must be right before a change lands: style, types, layers, words, tests
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports --no-logo --cache-dir build/importlinter
	@QT_QPA_PLATFORM=offscreen $(PYTHON) -m desktop.i18n --check
	@$(MAKE) test FLOOR=100

.PHONY: coverage
coverage: setup-dev ## the table of the last test run
	@$(PYTHON) -m coverage report --fail-under=100

.PHONY: format
format: setup-dev ## put the source into the house style
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .

.PHONY: tour
tour: setup-run ## drive the real window through the main job; pictures in build/tour/
	@$(SCREEN) $(PYTHON) -m desktop --tour build/tour $(ARGS)

.PHONY: bench
bench: setup-dev ## measure the desktop; results in build/bench/
	@mkdir -p build/bench
	@QT_QPA_PLATFORM=offscreen $(PYTHON) tests/bench/desktop.py $(ARGS)

.PHONY: bench-sync
bench-sync: setup-dev ## measure syncing beside its peers; results in build/bench/
	@$(PYTHON) tests/bench/sync_bench.py $(ARGS)

.PHONY: soak
soak: setup-dev ## the long proofs of sync: HISTORIES=10000 KILLS=200 SEED=1; the last line has the counts
	@nice $(PYTHON) tests/soak/soak.py

# Each is a program of packaging/trials/ and says ok or FAILED for every step.
TRIALS ?= linux_packages linux_arm64 windows_installer server many_communities updates
.PHONY: package-test
package-test: setup-dev ## try the installers as their users do, in other systems: minutes, root; TRIALS=windows_installer for one
	@status=0; for trial in $(TRIALS); do echo "== $$trial"; \
		nice $(PYTHON) packaging/trials/$$trial.py $(ARGS) || status=1; done; exit $$status

.PHONY: lock
lock: setup-dev ## renew the lists of locked packages, e.g. ARGS="--upgrade-package httpx"
	@packaging/setup/lock.sh $(ARGS)

.PHONY: clean
clean: ## remove what was built (the environment .venv stays)
	@rm -rf build dist .ruff_cache .import_linter_cache .hypothesis
	@find desktop sync tests packaging -name __pycache__ -type d -prune -exec rm -rf {} +
