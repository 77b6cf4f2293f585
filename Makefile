# make run    a virtual environment, the package, and the demo: the whole story in the terminal
# make test   what the tests need, then all of them
# make check  format, lint, types, imports and tests
# make bench  the figures of docs/benchmarks.md

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

.PHONY: run test check lint bench clean

run: $(VENV)/.installed
	$(BIN)/vestnik demo

test: $(VENV)/.tested
	sh scripts/install-test-servers.sh
	$(BIN)/pytest -n 2 --dist worksteal

check: lint test

lint: $(VENV)/.tested
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.tested
	$(BIN)/python -m benchmarks

$(VENV)/.installed: pyproject.toml
ifdef UV
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python -e .
else
	$(PYTHON) -m venv $(VENV) || sh scripts/install-venv.sh $(PYTHON) $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
endif
	touch $@

$(VENV)/.tested: $(VENV)/.installed pyproject.toml
ifdef UV
	$(UV) pip install --quiet --python $(BIN)/python -e '.[dev]'
	-$(UV) pip install --quiet --python $(BIN)/python -e '.[fuzz]'
else
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	-$(BIN)/pip install --quiet --disable-pip-version-check -e '.[fuzz]'
endif
	touch $@

clean:
	rm -rf $(VENV)
