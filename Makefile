# `make run` and `make test` need only Python 3.11+, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test kill fuzz check console lock clean

run: $(VENV)/ready
	@$(BIN)/ketafacts run

console: $(VENV)/ready
	@$(BIN)/ketafacts console

test: check
	$(BIN)/pytest -n 2 --dist worksteal --cov --cov-report=term-missing --durations=5

# At every await of the sending of daily posts, and at random moments; RIGS is a folder of rigs.
kill: $(VENV)/ready
	$(BIN)/python -m tests.kills 200 $(if $(RIGS),--rigs $(RIGS))

# Odd updates and interactions through the whole core: none may raise or be slow.
fuzz: $(VENV)/ready
	FUZZ_EXAMPLES=20000 $(BIN)/pytest -k "slow_or_raises or too_odd"

check: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/ketafacts check

$(VENV)/ready: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=path" if sys.version_info < (3, 11) else 0)'
	@echo "Installing into $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q bots core
	@touch $@

lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --no-annotate -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .import_linter_cache
