# Needs Python 3.11+ and make. Everything else is set up in .venv from the hashed lock file.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 3978

.PHONY: setup demo test check vendors lock clean

setup: $(VENV)/.ready  ## create .venv from requirements.lock, with the command `usher`

$(VENV)/.ready: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	command -v uv >/dev/null || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	PATH="$(BIN):$$PATH" VIRTUAL_ENV=$(VENV) uv pip sync --quiet --require-hashes requirements.lock
	PATH="$(BIN):$$PATH" VIRTUAL_ENV=$(VENV) uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

demo: setup  ## open the playground at http://127.0.0.1:3978/ (PORT overrides)
	$(BIN)/usher demo --port $(PORT)

check: setup  ## lint, format, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check  ## every check that needs only Python
	$(BIN)/pytest

vendors: setup tests/vendors/node_modules/.package-lock.json  ## the same bot held against Slack's and Microsoft's own JavaScript; needs Node 18 or newer and npm
	$(BIN)/pytest tests/vendors -n 0

tests/vendors/node_modules/.package-lock.json: tests/vendors/package-lock.json
	cd tests/vendors && npm ci
	touch $@

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --custom-compile-command "make lock"

lock:  ## write both lock files anew from pyproject.toml; the second is what the container image needs of the first
	$(LOCK) --group dev --output-file requirements.lock pyproject.toml
	echo hatchling | $(LOCK) --no-annotate --constraint requirements.lock --output-file requirements-serve.lock pyproject.toml -

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache dist
