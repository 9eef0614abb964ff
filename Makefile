# LoRA Sidecar. `make demo` and `make test` set everything up by themselves.

VENV  := .venv
BIN   := $(VENV)/bin
READY := $(VENV)/.ready
SHIM_READY := electron-shim/node_modules/.package-lock.json
ASSETS := sidecar/assets/.fetched

# Tests go two files at a time, in about 4 GB of memory; AT_ONCE= is one after the other.
AT_ONCE ?= -n 2 --dist loadfile

# The first of these that is Python 3.11 or newer; PYTHON=... chooses another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help setup assets demo app app-web test torture shim check bench bench-switch bench-startup bench-upscale bench-memory freeze generate starter lock clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## */\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: $(READY) $(ASSETS)  ## .venv with locked dependencies (the other targets do this themselves)

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "LoRA Sidecar needs Python 3.11 or newer. Install it, or say where it is: make PYTHON=/path/to/python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is no Python 3.11 or newer, which LoRA Sidecar needs. Say where one is: make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Setting up $(VENV) (once; a few minutes) ..."
	@test -x $(BIN)/pip || "$(PYTHON)" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

assets: | $(READY)  ## vocabulary, super-resolution, picture checks (the other targets do this themselves)
	@$(BIN)/python -m tools.assets
	@touch $(ASSETS)

$(ASSETS): $(wildcard tools/assets/*.py) | $(READY)
	@$(BIN)/python -m tools.assets
	@touch $@

demo: $(READY) $(ASSETS)  ## draw the contact sheet through a real sidecar
	@$(BIN)/python -m sidecar demo --out demo-out

app: $(READY) $(ASSETS) $(SHIM_READY)  ## the desktop app, in Electron
	@node electron-shim/demo/scripts/app.mjs

app-web: $(READY) $(ASSETS) $(SHIM_READY)  ## the same page for a browser of this machine; prints its address
	@node electron-shim/demo/scripts/app-web.mjs

test: $(READY) $(ASSETS)  ## every test: the npm package's (where npm is), then the sidecar's
	@failed=0; \
	if command -v npm >/dev/null; then $(MAKE) --no-print-directory shim || failed=1; \
	else echo "No npm here: the package in electron-shim is not tested."; fi; \
	$(BIN)/python -m pytest $(AT_ONCE) && exit $$failed

torture: $(READY) $(ASSETS)  ## the long form of tests/torture: kills, noise, malformed input, disks, leaks (an hour)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check "atheris>=3,<4" \
		|| echo "No atheris here: the search guided by coverage is left out."
	@SIDECAR_TORTURE=1 $(BIN)/python -m pytest tests/torture -rs

shim: $(READY) $(SHIM_READY)  ## check and test the npm package alone (Node 20 or newer)
	@cd electron-shim && npm run --silent check && npm test --silent && npm run --silent check:package

$(SHIM_READY): electron-shim/package-lock.json
	@echo "Installing the packages of electron-shim (once) ..."
	@cd electron-shim && npm ci --loglevel=error && touch node_modules/.package-lock.json

check: $(READY)  ## lint, types, layers, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.generate --check
	@$(BIN)/python -m tools.machine_paths

bench: $(READY) $(ASSETS)  ## every figure beside its peer
	@$(BIN)/python -m benchmarks --name issue-2

bench-switch: $(READY)  ## LoRA switching at the size of SD 1.5, beside diffusers (16 GB of memory)
	@$(BIN)/python -m benchmarks.switching --name switching

bench-upscale: $(READY) $(ASSETS)  ## super-resolution beside ONNX Runtime alone, PyTorch and bicubic
	@$(BIN)/python -m benchmarks --only upscale --name upscale
	@$(BIN)/python -m benchmarks --only upscale_memory --name upscale-memory

bench-memory: $(READY) $(ASSETS)  ## memory foretold beside memory taken, on every rung (7 GB of memory, 5 GB of disk)
	@$(BIN)/python -m benchmarks.memory --name memory

bench-startup: $(READY) $(ASSETS)  ## the start, frozen (after make freeze) and not, beside diffusers
	@$(BIN)/python -m benchmarks --only startup --name startup

freeze: $(READY) $(ASSETS)  ## the program for people without Python: dist/lora-sidecar, and -lite without torch
	@for variant in $(or $(VARIANT),lite full); do \
		echo "Freezing $$variant (some minutes) ..."; \
		SIDECAR_VARIANT=$$variant $(BIN)/pyinstaller pyinstaller.spec --noconfirm --log-level WARN \
			--distpath dist --workpath build/freeze-$$variant || exit 1; \
	done; du -sh dist/lora-sidecar*

generate: $(READY)  ## write schema/, docs/protocol.md, the README's table and the npm package's types
	@$(BIN)/python -m tools.generate
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(SHIM_READY) && cd electron-shim && npm run --silent generate; fi

starter: $(READY)  ## train the starter model from scratch (hours)
	@$(BIN)/python -m starter --work build/starter

lock: $(READY)  ## write requirements.lock from what .venv has
	@$(BIN)/python -m tools.lock

clean:  ## remove .venv and everything that can be made again
	rm -rf $(VENV) $(ASSETS) sidecar/assets/clip/*.gz sidecar/assets/*/*.onnx dist demo-out electron-shim/dist electron-shim/build electron-shim/demo/dist electron-shim/node_modules .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
