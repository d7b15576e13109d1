# Each target works from a bare clone on Debian or Ubuntu with Python 3.10-3.13, make and git.

SHELL := /bin/bash
# Without byte code, every start of the tests compiles all modules again.
unexport PYTHONDONTWRITEBYTECODE
# Debian keeps the MariaDB server where only root's path looks.
export PATH := $(PATH):/usr/sbin
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.10; do \
	$$python -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' \
	2>/dev/null && echo $$python && break; done)
AS_ROOT := $(if $(filter 0,$(shell id -u)),env,sudo -n)
BIN := .venv/bin
# Without byte code, a third faster: Python makes it of what is used.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile

# Install Debian packages; fails without root and without sudo that asks no password.
apt = { command -v apt-get && $(AS_ROOT) true && $(AS_ROOT) apt-get -qq update && \
	$(AS_ROOT) env DEBIAN_FRONTEND=noninteractive \
	apt-get -qq --yes --no-install-recommends install $(1); } >/dev/null 2>&1

.PHONY: demo test test-fast check example-report fuzz torture system

demo: .venv/has-samaf  ## index the bundled clips, distort them, find them again
	@$(BIN)/samaf demo

test: .venv/has-test system  ## all tests; those that lack a system package are skipped by name
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -rs

# One process: two would import everything twice, and take as long on two hyper-threads.
test-fast: .venv/has-test  ## unit tests, in about a minute of processor time
	@$(BIN)/python -m pytest -q -m "not slow"

check: .venv/has-dev  ## format, lint, types, import contracts
	@$(BIN)/ruff format --check --quiet . || \
		{ echo "not formatted as above: run $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

example-report: .venv/has-test  ## make docs/example-report/ again
	@$(BIN)/python tests/data/make_example_report.py

fuzz: .venv/has-test  ## spoil every format that is read, many times over
	@SAMAF_FUZZ=$${SAMAF_FUZZ:-5000} $(BIN)/python -m pytest -q tests/fuzz

torture: .venv/has-test system  ## end program and server at random moments, 210 times
	@$(BIN)/python -m benchmarks stores torture

system:
	@missing=""; \
	command -v sox >/dev/null || missing="sox libsox-fmt-all"; \
	command -v mariadbd >/dev/null || missing="$$missing mariadb-server"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	[ -z "$$missing" ] || { echo "installing through apt:" $$missing && $(call apt,$$missing); } || \
		echo "not installed, so the tests that need them are skipped:" $$missing; \
	sh benchmarks/stores/mysql.sh .venv/mysql >/dev/null || \
		echo "no MySQL server was unpacked, so the tests that need one are skipped"

# A stamp for each set of requirements, so that a second run starts at once.
.venv/has-samaf: EXTRAS :=
.venv/has-test: EXTRAS := [test,train,bench,fast,parquet,chdb,cluster,report,web]
.venv/has-dev: EXTRAS := [dev]
.venv/has-%: setup.cfg pyproject.toml | .venv/bin/pip
	@echo "installing samaf$(EXTRAS) into .venv"
	@$(INSTALL) --editable '.$(EXTRAS)'
	@touch $@

.venv/bin/pip:
	@[ -n "$(PYTHON)" ] || { echo "no Python 3.10-3.13 found; install one or set PYTHON="; exit 1; }
	@$(PYTHON) -m venv .venv >/dev/null || { $(call apt,python3-venv) && $(PYTHON) -m venv .venv; } || \
		{ echo "$(PYTHON) cannot make a virtual environment; install python3-venv"; exit 1; }
