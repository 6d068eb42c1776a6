# Every target makes .venv by itself, and again when the lock or a member's pyproject.toml has changed.
# Needed: make, Python 3.11 or newer with venv. ARGS= is handed on: make test ARGS="tests/unit -k window"

PYTHON ?= python3
MEMBERS = shared client realtime streaming offline deploy
PROJECTS = $(MEMBERS:%=%/pyproject.toml)
VENV = .venv/.stamp
RUN = .venv/bin

.PHONY: help demo test check faults-short bench prove clean bootstrap relock
.DEFAULT_GOAL = help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV) ## run the whole platform here: stack, tiers, a replayed day of payments
	@$(RUN)/fraudbrain demo $(ARGS)

test: $(VENV) ## run all tests: unit, parity, integration, system, faults
	@$(RUN)/python -m pytest $(ARGS)

check: $(VENV) ## lint, types, import contracts, each tier installed alone
	@$(RUN)/ruff check --output-format concise .
	@$(RUN)/ruff format --check --output-format concise .
	@$(RUN)/mypy
	@$(RUN)/lint-imports --no-logo
	@$(RUN)/python .ci/tiers_alone.py

faults-short: $(VENV) ## break things on purpose, simulated and on real parts: nothing may be lost or counted twice
	@$(RUN)/python -m tests.faults.simulator --seeds 20000 --processes 2 --mutants
	@$(RUN)/fraudbrain faults run $(ARGS)

bench: $(VENV) ## measure speed and print the figures
	@$(RUN)/fraudbrain bench $(ARGS)

prove: $(VENV) ## prove CLAIM=… and commit its evidence; without CLAIM list claims and stale evidence
	@$(RUN)/python -m tests.prove $(CLAIM)

clean: ## stop the local stack, then remove .venv, caches and .fraudbrain
	@[ ! -d .fraudbrain ] || [ ! -x $(RUN)/fraudbrain ] || $(RUN)/fraudbrain stack down || true
	@rm -rf .venv .fraudbrain .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +

bootstrap: $(VENV) ## make .venv: all packages from requirements.lock, the members editable

$(VENV): requirements.lock $(PROJECTS) .ci/bootstrap.py
	@command -v $(PYTHON) > /dev/null || { echo "$(PYTHON) not found. Install Python 3.11 or newer, on Debian and Ubuntu: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) .ci/bootstrap.py

relock: $(VENV) ## write requirements.lock anew from the pyproject files; ARGS=--upgrade takes newer versions
	@UV_CUSTOM_COMPILE_COMMAND="make relock" $(RUN)/python .ci/uv.py pip compile $(PROJECTS) --group dev \
		--universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-package fraudbrain-shared \
		--no-emit-index-url --no-emit-find-links --quiet --output-file requirements.lock $(ARGS)
