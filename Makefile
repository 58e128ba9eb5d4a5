# make demo, make demo-vision, make test: each does everything it needs on a fresh machine.

VENV := .venv
BIN := $(VENV)/bin
# The first interpreter that is new enough; override with PYTHON=...
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help demo demo-vision test check format clean

help:
	@echo "make demo         a sentence encoder on film reviews: features, path, findings, report"
	@echo "make demo-vision  an image network on photos of solar cells"
	@echo "make test         all the tests"
	@echo "make check        style, types and the layer contract"
	@echo "make clean        remove .venv, caches and runs/"

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "clearhead needs Python 3.11 or newer; none was found. Name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing clearhead and the demo's network and data (once) ..."
	$(INSTALL) -e '.[demo]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing clearhead and the tools of its tests (once) ..."
	$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/clearhead demo text

demo-vision: $(VENV)/.demo
	$(BIN)/clearhead demo vision

test: $(VENV)/.dev
	$(BIN)/python -m pytest

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) runs build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
