# LoRA Sidecar. `make demo` and `make test` set everything up by themselves.

VENV  := .venv
BIN   := $(VENV)/bin
READY := $(VENV)/.ready
CLIP  := sidecar/assets/clip/bpe_simple_vocab_16e6.txt.gz

# The first of these that is Python 3.11 or newer; PYTHON=... chooses another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help setup assets demo test check bench generate starter lock clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## */\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-9s %s\n", $$1, $$2}'

setup: $(READY) $(CLIP)  ## .venv with locked dependencies (the other targets do this themselves)

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "LoRA Sidecar needs Python 3.11 or newer. Install it, or say where it is: make PYTHON=/path/to/python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is no Python 3.11 or newer, which LoRA Sidecar needs. Say where one is: make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Setting up $(VENV) (once; a few minutes) ..."
	@test -x $(BIN)/pip || "$(PYTHON)" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

assets: $(CLIP)  ## CLIP's vocabulary, for single-file checkpoints (the other targets do this themselves)

$(CLIP): tools/assets.py | $(READY)
	@$(BIN)/python -m tools.assets

demo: $(READY) $(CLIP)  ## draw the contact sheet through a real sidecar
	@$(BIN)/python -m sidecar demo --out demo-out

test: $(READY) $(CLIP)  ## every test
	@$(BIN)/python -m pytest

check: $(READY)  ## lint, types, layers, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.generate --check
	@$(BIN)/python -m tools.machine_paths

bench: $(READY) $(CLIP)  ## every figure beside its peer
	@$(BIN)/python -m benchmarks --name issue-2

generate: $(READY)  ## write schema/, docs/protocol.md and the README's table from the protocol
	@$(BIN)/python -m tools.generate

starter: $(READY)  ## train the starter model from scratch (hours)
	@$(BIN)/python -m starter --work build/starter

lock: $(READY)  ## write requirements.lock from what .venv has
	@$(BIN)/python -m tools.lock

clean:  ## remove .venv and everything that can be made again
	rm -rf $(VENV) $(CLIP) dist demo-out .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
