# make run    install, make a demo company if there is no gatebook.toml, serve
# make test   install what the suite needs, then every check and the whole suite
# make bench  the slow measurements (benchmarks/)

PYTHON ?= python3
PORT   ?= 8501
BIN    := .venv/bin
DEMO   := data/demo-company
CONFIG := $(if $(wildcard gatebook.toml),gatebook.toml,$(DEMO)/gatebook.toml)
SERVERS := chromium fonts-noto-cjk ldap-utils libreoffice-calc mariadb-server \
           postgresql slapd

.PHONY: run test check bench clean servers

run: .venv/.runs $(CONFIG)
	$(BIN)/python cli.py serve --config $(CONFIG) --port $(PORT)

$(DEMO)/gatebook.toml: | .venv/.runs
	rm -rf $(DEMO)
	$(BIN)/python cli.py demo $(DEMO) --people 300 --months 6 --seal

test: .venv/.tests servers check
	$(BIN)/python -m pytest -q --durations=10

check: .venv/.tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar queries

# The suite starts real servers and a real browser; they come from the system.
servers:
	@$(PYTHON) tests/system_packages.py $(SERVERS)

bench: .venv/.tests
	$(BIN)/python -m benchmarks

.venv/.runs: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Gatebook needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/.tests: requirements-dev.txt .venv/.runs
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:
	rm -rf .venv $(DEMO)
