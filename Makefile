# `make demo` and `make test` need only Python 3.11+ with venv; each makes its own .venv.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_STAMP := $(VENV)/.installed-demo

.PHONY: demo test check lint types contracts bench clean

demo: $(DEMO_STAMP)
	@$(BIN)/ecr-tui demo

test: $(STAMP)
	@$(BIN)/python -m pytest

check: lint types contracts test

lint: $(STAMP)
	@$(BIN)/ruff check ecr_tui tests
	@$(BIN)/ruff format --check ecr_tui tests

types: $(STAMP)
	@$(BIN)/mypy

contracts: $(STAMP)
	@$(BIN)/lint-imports

bench: $(STAMP)
	@$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) dist

$(VENV)/bin/python:
	@py=''; for c in $$PYTHON python3 python3.13 python3.12 python3.11 python; do \
	  if command -v $$c >/dev/null 2>&1 && $$c -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1; then py=$$c; break; fi; done; \
	if [ -z "$$py" ]; then echo "ecr-tui needs Python 3.11 or newer: install it (Debian/Ubuntu: apt-get install python3 python3-venv; macOS: brew install python), or name it with PYTHON=/path/to/python3."; exit 1; fi; \
	if ! $$py -c 'import ensurepip, venv' >/dev/null 2>&1; then echo "$$py has no venv module: install it (Debian/Ubuntu: apt-get install python3-venv)."; exit 1; fi; \
	$$py -m venv $(VENV) && $(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'

$(DEMO_STAMP): pyproject.toml $(VENV)/bin/python
	@echo "Installing ecr-tui into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]' && touch $@

$(STAMP): pyproject.toml $(VENV)/bin/python
	@echo "Installing ecr-tui and its development tools into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]' --group dev && touch $@ $(DEMO_STAMP)
