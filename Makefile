# make demo, make demo-vision, make test: each does everything it needs on a fresh machine.

VENV := .venv
BIN := $(VENV)/bin
# The first interpreter that is new enough; override with PYTHON=...
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# The peers of the benchmark and what clearhead needs, in an environment of their own.
BENCH := $(VENV)-bench
BENCH_PIP = $(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -c benchmarks/path/requirements.txt
# A folder with clinc150/, sst/ and clothing/; the problems on them are left out without it.
DATA ?=
BENCH_DATA = $(if $(DATA),--data $(DATA))

# timm and torchvision in an environment of their own, without what they would bring along:
# they would replace torch.
VISION := $(VENV)-vision

.PHONY: help demo demo-vision test test-vision test-peers pictures check bench bench-full format clean

help:
	@echo "make demo         a sentence encoder on film reviews: features, path, findings, report"
	@echo "make demo-vision  an image network on photos of solar cells"
	@echo "make test         all the tests"
	@echo "make test-vision  the tests of timm and torchvision, in an environment of their own"
	@echo "make test-peers   the solver against glmnet, adelie, celer, skglm, glm_saga and scikit-learn"
	@echo "make pictures     the pictures of the app in docs/images/app"
	@echo "make check        style, types and the layer contract"
	@echo "make bench        the path solver and its peers, about 20 minutes; bench-full takes hours"
	@echo "make ui           build the app's front-end into the package; needs Node 20.19 or newer"
	@echo "make check-ui     its types and tests, and whether the bundle is what the source builds"
	@echo "make clean        remove .venv, node_modules, caches and runs/"

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

$(VISION)/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "clearhead needs Python 3.11 or newer; none was found. Name one: make test-vision PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(VISION)/bin/python || $(PYTHON) -m venv $(VISION)
	@echo "Installing clearhead, timm and torchvision (once) ..."
	$(VISION)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[hf]' pytest
	$(VISION)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps torchvision==0.29.2 timm==1.0.31
	@touch $@

test-vision: $(VISION)/.installed
	$(VISION)/bin/python -m pytest tests/vision --confcutdir=tests/vision

pictures: $(VENV)/.dev
	CLEARHEAD_PICTURES=docs/images/app $(BIN)/python -m pytest tests/ui/test_pictures.py

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What is built of the app's front-end, ui/; committed, so that users need no Node.
BUNDLE := src/clearhead/report/bundle
.PHONY: ui check-ui

ui/node_modules/.installed: ui/package.json ui/package-lock.json
	@command -v npm >/dev/null || { echo "The app's front-end needs Node 20.19 or newer with npm; npm was not found." >&2; exit 1; }
	cd ui && npm ci --no-audit --no-fund
	@touch $@

ui: ui/node_modules/.installed
	cd ui && npm run build

# Built into a folder of its own: a check changes nothing.
check-ui: ui/node_modules/.installed $(VENV)/.dev
	cd ui && PYTHON=$(abspath $(BIN)/python) npm run types -- --check
	cd ui && npm run check
	cd ui && npm test
	rm -rf build/bundle
	cd ui && npm run build -- --outDir $(abspath build/bundle)
	@diff -rq $(BUNDLE) build/bundle || { echo "$(BUNDLE) is not what ui/ builds: run \`make ui\`, and commit what it changes." >&2; exit 1; }

$(BENCH)/.installed: benchmarks/path/requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "The benchmark needs Python 3.11 or newer; none was found. Name one: make bench PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	@echo "Installing clearhead and its peers (once) ..."
	$(BENCH_PIP) -e '.[demo,plot]'
	@sed 's/ *#.*//; /^$$/d' benchmarks/path/requirements.txt | while read -r peer; do \
		$(BENCH_PIP) "$$peer" || echo "$$peer was not installed: it is left out"; done
	@touch $@

test-peers: $(BENCH)/.installed
	$(BENCH_PIP) pytest hypothesis
	$(BENCH)/bin/python -m pytest tests/benchmarks/test_peers.py tests/glm/test_peers.py

bench: $(BENCH)/.installed
	$(BENCH)/bin/python -m benchmarks.path run --quick $(BENCH_DATA)
	$(BENCH)/bin/python -m benchmarks.path report

bench-full: $(BENCH)/.installed
	$(BENCH)/bin/python -m benchmarks.path run $(BENCH_DATA)
	$(BENCH)/bin/python -m benchmarks.path memory
	$(BENCH)/bin/python -m benchmarks.path streaming
	$(BENCH)/bin/python -m benchmarks.path growth
	$(BENCH)/bin/python -m benchmarks.path report

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(BENCH) $(VISION) ui/node_modules runs build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
