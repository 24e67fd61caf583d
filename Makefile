# make demo | test | check | bench: each makes .venv first, and again when pyproject.toml changes.
# ARGS="..." goes to the program that is run. VENV=/path uses that environment just as it is.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin/python
ARGS ?=

ifeq ($(origin VENV), file)
    EXAMPLES = $(VENV)/.installed-examples
    DEV = $(VENV)/.installed-dev
endif

.DEFAULT_GOAL = help
.PHONY: help demo test check bench venv

help:
	@sed -n '1,2s/^# //p' Makefile

demo: $(EXAMPLES)
	$(BIN) -m flambeau demo $(ARGS)

test: $(DEV)
	$(BIN) -m pytest -n auto $(ARGS)

check: $(DEV)
	$(BIN) -m ruff format --check .
	$(BIN) -m ruff check .
	$(BIN) -m mypy
	$(BIN) -c "from importlinter.cli import lint_imports_command as lint; lint()"
	$(BIN) -m pytest --doctest-modules flambeau $(ARGS)

bench: $(DEV)
	$(BIN) -m benchmarks $(ARGS)

venv: $(DEV)

.venv/.installed-%: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN) -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
