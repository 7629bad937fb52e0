# make demo    the main job on the shipped example; prints where the pages are
# make test    the tests
# make check   lint, import contracts, types, docstrings, notebooks, stale generated pages
# make bench   speed and memory against named peers
# make study   models beside their peers on real people; some hours
# make docs    remake the generated reference pages
# make lock    choose the newest dependencies again (needs uv)

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run-installed
DEV := $(VENV)/.dev-installed
# One more than cores: browsers, clusters and other processes are waited for.
JOBS ?= $(shell python3 -c "import os; print((os.cpu_count() or 1) + 1)" 2>/dev/null || echo auto)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE # without compiled files every start costs seconds

.PHONY: demo test check bench study docs lock clean format

demo: $(RUN)
	@$(BIN)/casestrat demo --out demo-output

test: $(DEV)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/numpydoc lint $$(git ls-files 'src/*.py')
	$(BIN)/deptry src
	$(BIN)/python docs/reference.py --check
	$(BIN)/python notebooks/run.py
	@if [ -f .coverage ]; then $(BIN)/coverage report --skip-covered --fail-under=95; fi

bench: $(DEV)
	$(BIN)/python -m pip install --quiet -r benchmarks/peers/requirements.txt
	for script in benchmarks/[a-z]*.py; do $(BIN)/python $$script || exit 1; done

study: $(DEV)
	$(PYTHON) -m venv .venv-study && .venv-study/bin/python -m pip install --quiet -r studies/peers/requirements.txt -e .
	-$(PYTHON) -m venv .venv-fasterrisk && .venv-fasterrisk/bin/python -m pip install --quiet -r studies/peers/fasterrisk.txt
	cd studies && ../.venv-study/bin/python models.py && ../.venv-study/bin/python shares.py && ../$(BIN)/python tell.py

docs: $(DEV)
	$(BIN)/python docs/reference.py

format: $(DEV)
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "casestrat needs Python 3.11 or later: call make PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python has no venv module: install it (on Debian: apt install python3-venv)"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(RUN): requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade \
	  --all-extras --group dev pyproject.toml -o requirements-dev.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --constraint requirements-dev.lock --group build pyproject.toml -o requirements.lock
	uv pip compile -q --python-version 3.11 --resolution lowest-direct --generate-hashes --no-header --no-annotate \
	  --all-extras --group oldest --group build pyproject.toml -o requirements-oldest.lock

clean:
	rm -rf $(VENV) .venv-oldest .venv-study .venv-fasterrisk demo-output demo-oldest dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
