# Needs Python 3.11+ and make. Everything else is set up in .venv from the hashed lock file.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 3978
# With it, each of the many processes that the tests start would compile every module anew, for three seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test crossed rolling check transcripts mutants audit secrets site sbom vendors lowest postgresql-15 lock clean

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

crossed: setup  ## the stories on the other database: Slack's on PostgreSQL, Teams' on SQLite
	$(BIN)/pytest tests/e2e tests/crash -m crossed

rolling: setup  ## this version beside the one before on one database; needs git and the history
	$(BIN)/pytest tests/rolling -n 0

transcripts: setup  ## write anew what every conversation says, after a change that is meant
	$(BIN)/python -m tests.transcript

mutants: setup  ## does a test fail when the code is wrong? Hours; what is known from before is not asked again
	$(BIN)/mutmut run
	$(BIN)/mutmut results

VENDORS := tests/vendors/.venv

vendors: setup tests/vendors/node_modules/.package-lock.json $(VENDORS)/.ready  ## the same bot held against Slack's and Microsoft's own JavaScript, and what is deployed against its own tools; needs Node 18 or newer, npm and promtool
	$(BIN)/pytest tests/vendors -n 0

tests/vendors/node_modules/.package-lock.json: tests/vendors/package-lock.json
	cd tests/vendors && npm ci
	touch $@

$(VENDORS)/.ready: tests/vendors/requirements.lock
	$(BIN)/python -m venv --clear $(VENDORS)
	$(VENDORS)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

audit: setup $(VENDORS)/.ready  ## known vulnerabilities of what is locked; needs the network, and says so where there is none
	.ci/audit

secrets: setup $(VENDORS)/.ready  ## nothing that was committed looks like a secret
	$(VENDORS)/bin/python .ci/secrets

site: setup $(VENDORS)/.ready  ## docs/ as a site in build/site; fails when a link leads nowhere
	NO_MKDOCS_2_WARNING=1 $(VENDORS)/bin/mkdocs build --quiet

sbom: setup $(VENDORS)/.ready  ## sbom.json: what the container image holds of Python, as CycloneDX
	$(VENDORS)/bin/cyclonedx-py requirements --output-reproducible --pyproject pyproject.toml --output-file sbom.json requirements-serve.lock

LOWEST := .venv-lowest
UV := PATH="$(BIN):$$PATH" uv

lowest: $(LOWEST)/.ready  ## what touches other people's packages most, on the lowest versions that pyproject.toml allows
	$(LOWEST)/bin/pytest tests/adapters tests/contract tests/playground/teams/test_teams_sdk.py \
	  tests/storage/test_migrations.py tests/storage/test_store_deliveries.py tests/storage/test_store_transactions.py \
	  tests/e2e/test_story_of_confirm.py -k "not postgresql"

$(LOWEST)/.ready: $(VENV)/.ready pyproject.toml
	$(UV) venv --quiet --clear --python $(BIN)/python $(LOWEST)
	VIRTUAL_ENV=$(LOWEST) $(UV) pip install --quiet --resolution lowest-direct --group dev --extra otel --requirements pyproject.toml
	VIRTUAL_ENV=$(LOWEST) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

postgresql-15: setup  ## what uses the database most, on Debian's PostgreSQL: `make test` has the newest
	pg_virtualenv -v 15 -t sh -c 'TEST_DATABASE_URL=postgresql://$$PGUSER:$$PGPASSWORD@$$PGHOST:$$PGPORT/postgres \
	  $(BIN)/pytest tests/storage tests/backup tests/crash/test_two_processes.py -k "not sqlite"'

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --custom-compile-command "make lock"

lock:  ## write the lock files anew from pyproject.toml: for development and tests, what the container image needs of it, and what only `make vendors` needs
	$(LOCK) --extra otel --group dev --output-file requirements.lock pyproject.toml
	echo hatchling | $(LOCK) --extra otel --no-annotate --constraint requirements.lock --output-file requirements-serve.lock pyproject.toml -
	$(LOCK) --group vendors --output-file tests/vendors/requirements.lock

clean:
	rm -rf build $(VENV) $(LOWEST) $(VENDORS) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache dist mutants
