# `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test test-fast coverage lint check lock bench bench-orders bench-logs bench-checks bench-ledger bench-runs bench-events bench-database bench-remedies bench-clicks bench-faults bench-growth bench-memory bench-hosts drills mutants e2e browser docs pictures clean
BIN := .venv/bin
# Kept bytecode: without it each of the many processes of a stack, and of the tests, compiles all of this again.
unexport PYTHONDONTWRITEBYTECODE
ARGS ?=
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# Two processes more than there are cores share the tests: half of their time they wait. What shares a server or a stack
# stays in one of them.
JOBS ?= $(shell expr 2 + $(CORES))
# Each has a stack of its own, which works also where nobody drills.
DRILL_JOBS ?= 2

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv and install what running needs (PYTHON=… names an interpreter); done once
	@PYTHON="$(PYTHON)" requirements/install.sh run

setup-dev: ## The same, and what tests, checks and benches need
	@PYTHON="$(PYTHON)" requirements/install.sh dev

run: setup ## Start the whole stack in the foreground; Ctrl-C stops all of it (ARGS=--detach)
	@$(BIN)/runbook up $(ARGS)

test: setup-dev ## Run all tests but the drills and those in a browser, several at once (ARGS=… goes to pytest)
	@$(BIN)/pytest -m "not drill and not browser" -n $(JOBS) --dist loadscope $(ARGS)

test-fast: setup-dev ## Run the tests that start no process and wait for nothing: the rules, the words, the house
	@$(BIN)/pytest -m "not e2e and not live and not prefect" -n $(CORES) --dist loadscope -p no:schemathesis $(ARGS)

coverage: setup-dev ## Run the tests that start no stack with branch coverage, and name the lines that none of them reaches
	@COVERAGE_FILE=$$(mktemp -d)/coverage; export COVERAGE_FILE; \
	$(BIN)/coverage run -m pytest -m "not e2e" $(ARGS); result=$$?; \
	$(BIN)/coverage report --skip-covered --skip-empty || true; \
	rm -rf "$$(dirname "$$COVERAGE_FILE")"; exit $$result

mutants: setup-dev ## Change the deciding rules one place at a time, and name the changes that no fast test notices (ARGS='--seed 7 --count 100')
	@$(BIN)/python -m tests.mutants $(ARGS)

drills: setup-dev ## Inject faults into the real stack under orders, and hold the check to their causes, the automation to its actions
	@$(BIN)/pytest -m drill -n $(DRILL_JOBS) --dist loadfile $(ARGS)

e2e: setup-dev ## Run only the tests that start the real stack
	@$(BIN)/pytest -m "e2e and not drill and not browser" $(ARGS)

browser: setup-dev ## Let a real browser do at the Prefect UI what a person does in an incident; screenshots in test-artifacts
	@$(BIN)/pytest tests/browser $(ARGS)

lint: setup-dev ## Lint, format, types: what no test looks at
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

check: lint ## The same, and the tests of what is written: import contracts, the promises of tests/house, the rules of the monitoring
	@$(BIN)/pytest -q tests/house tests/deployments/monitoring/test_rules.py tests/deployments/monitoring/test_dashboard.py

docs: setup-dev ## Bring the generated pages of docs up to date, and build the site into site/, strictly
	@$(BIN)/python -m docs.generate
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

pictures: setup-dev ## Take the pictures of README and docs again, from the real Prefect UI in an incident of the real stack
	@taken=$$(mktemp -d); PICTURES=$$taken $(BIN)/pytest tests/browser -k "approved or four_questions or pause" $(ARGS) && \
	for name in $$(cd .github/pictures && ls *.png); do cp $$taken/$$name .github/pictures/$$name || exit 1; done; rm -rf $$taken

# Each file holds what it adds to the ones before it: what running needs, what the rest needs, and the extra `redis`.
COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" $(ARGS)
BESIDE_LOCK = --constraint requirements/lock.txt $$(sed -n 's/^\([a-z0-9._-]*\)==.*/--no-emit-package \1/p' requirements/lock.txt)

lock: ## Resolve pyproject.toml into requirements/*.txt, every file hashed (ARGS=--upgrade takes newer releases)
	@[ -x $(BIN)/uv ] || $(MAKE) setup-dev
	@$(COMPILE) --group install --output-file requirements/lock.txt
	@$(COMPILE) --group dev $(BESIDE_LOCK) --output-file requirements/dev.txt
	@$(COMPILE) --extra redis $(BESIDE_LOCK) --constraint requirements/dev.txt --output-file requirements/redis.txt
	@sed -i.old '/^# The following packages were excluded/,$$d' requirements/*.txt && rm requirements/*.old

bench: setup-dev ## Measure everything, on SQLite and PostgreSQL, and sum all budgets up; JSON under bench/results (ARGS=--quick)
	@$(BIN)/python -m bench $(ARGS)

bench-logs: setup-dev ## Measure the log scan beside ripgrep and Python's re (ripgrep where it is installed)
	@$(BIN)/python -m bench log_scan $(ARGS)

bench-checks: setup-dev ## Measure all checks of one healthy triage, at once and one after the other
	@$(BIN)/python -m bench checks $(ARGS)

bench-ledger: setup-dev ## Measure one append to the incident ledger, at 10 kB and at 64 MB
	@$(BIN)/python -m bench ledger $(ARGS)

bench-runs: setup-dev ## Measure a triage from trigger to end, and a minute's CPU, beside Prefect's worker and serve()
	@$(BIN)/python -m bench runs $(ARGS)

bench-events: setup-dev ## Measure how soon a triage follows an incident and a silence between the minutes
	@$(BIN)/python -m bench events $(ARGS)

bench-database: setup-dev ## Measure what a healthy minute leaves in Prefect's database, and a week of them under retention
	@$(BIN)/python -m bench database $(ARGS)

bench-remedies: setup-dev ## Measure how long a hung service stays hung: from the signal to a proven recovery
	@$(BIN)/python -m bench remedies $(ARGS)

bench-clicks: setup-dev ## Measure how a person's clicks fare while the stack works: stock server, ours, PostgreSQL
	@$(BIN)/python -m bench clicks $(ARGS)

bench-faults: setup-dev ## Measure, fault by fault, how soon it is found, acted on and proven to be over
	@$(BIN)/python -m bench faults $(ARGS)

bench-growth: setup-dev ## Measure how a minute grows with 1, 100, 400, 1000 services of a host, and where it ends
	@$(BIN)/python -m bench growth $(ARGS)

bench-memory: setup-dev ## Measure what each part of the stack holds in memory, and its slope over an hour of minutes (ARGS=--quick)
	@$(BIN)/python -m bench memory $(ARGS)

bench-hosts: setup-dev ## Measure what 1, 5 and 10 trading hosts cost one Prefect server on PostgreSQL and Redis (ARGS=--quick)
	@$(BIN)/python -m bench hosts $(ARGS)

bench-orders: setup-dev ## Measure orders per second through the order service and its gateways
	@$(BIN)/python -m bench orders $(ARGS)

clean: ## Remove .venv, var and every cache (stop the stack first: runbook down)
	@rm -rf .venv .setup-running var site htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
