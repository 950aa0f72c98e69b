# Needs Python 3.11+ and make. Everything else is set up in .venv from the hashed lock file.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 3978
# With it, each of the many processes that the tests start would compile every module anew, for three seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test check vendors lowest lock clean

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

LOWEST := .venv-lowest
UV := PATH="$(BIN):$$PATH" uv

lowest: $(LOWEST)/.ready  ## what touches other people's packages most, on the lowest versions that pyproject.toml allows
	$(LOWEST)/bin/pytest tests/adapters tests/contract tests/storage tests/playground/teams/test_teams_sdk.py \
	  tests/e2e/test_story_of_confirm.py -k "not postgresql"

$(LOWEST)/.ready: $(VENV)/.ready pyproject.toml
	$(UV) venv --quiet --clear --python $(BIN)/python $(LOWEST)
	VIRTUAL_ENV=$(LOWEST) $(UV) pip install --quiet --resolution lowest-direct --group dev --requirements pyproject.toml
	VIRTUAL_ENV=$(LOWEST) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --extra otel --custom-compile-command "make lock"

lock:  ## write both lock files anew from pyproject.toml; the second is what the container image needs of the first
	$(LOCK) --group dev --output-file requirements.lock pyproject.toml
	echo hatchling | $(LOCK) --no-annotate --constraint requirements.lock --output-file requirements-serve.lock pyproject.toml -

clean:
	rm -rf $(VENV) $(LOWEST) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache dist
