# Everything one does with this repository. Each target is re-entrant: what is up to date is not done again.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# onnxruntime-node would download 200 MB of CUDA libraries, which only the GPU image needs.
export ONNXRUNTIME_NODE_INSTALL := skip
export npm_config_update_notifier := false

installed := node_modules/.installed
built := dist/.built
venv := .venv-test
# Folders are in the list because a deleted file changes only its folder.
sources := $(shell find src -not -name '*.test.ts' -not -name '.*' 2>/dev/null | sed 's/ /\\ /g')

.PHONY: help serve build test bench bench-peers bench-plots clean check-node

help: ## show this list
	@echo 'make serve [ARGS="--port 8080"]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: $(built) ## install, build and serve on http://localhost:11445; ARGS go to the command line
	@echo '== serve'
	@MALLOC_MMAP_THRESHOLD_=131072 exec node dist/cli.js serve $(ARGS) # large blocks of unloaded models go back to the system

build: $(built) ## compile to dist/

test: $(installed) $(built) $(venv)/.installed ## install what the tests need, then run all of them
	@scripts/test.sh

bench: $(built) ## measure against the reference; numbers and how to read them: docs/benchmarks.md
	@if [ -x bench/run.sh ]; then exec bench/run.sh $(ARGS); else echo 'bench/run.sh is missing' >&2; exit 1; fi

bench-peers: $(built) ## measure beside other servers, installed on demand into .bench/; ARGS="--peer NAME=URL" adds one that runs
	@exec bench/run.sh --only peers --peers all $(ARGS)

bench-plots: $(installed) ## draw docs/plots/ from the last results in .bench/
	@exec bench/plots.sh $(ARGS)

clean: ## remove what the other targets made
	rm -rf dist node_modules coverage $(venv) .bench

check-node:
	@scripts/check-node.sh

$(installed): package-lock.json | check-node
	@echo '== npm ci (package-lock.json is new or has changed)'
	@npm ci || { echo "npm ci failed. Where it says \"Missing: ... from lock file\", run: node scripts/complete-lock.mjs" >&2; exit 1; }
	@touch $@

$(built): $(installed) package.json tsconfig.json tsconfig.build.json $(sources)
	@echo '== build (the sources have changed)'
	@npm run --silent build
	@touch $@

# Python is only for the tests with Python clients, which say so and are skipped where this could not be made.
$(venv)/.installed: $(wildcard tests/python/*.txt)
	@scripts/test-venv.sh $(venv)
