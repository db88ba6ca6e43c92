# One command each: demo, test, lint, bench. Each sets up .venv by itself, so a fresh clone needs only Python, git and make.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

VENV   := .venv
PYTHON := $(VENV)/bin/python
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Small matrices gain nothing from threads, and two test workers would fight over the cores.
export OPENBLAS_NUM_THREADS := 1
export VIRTUAL_ENV := $(CURDIR)/$(VENV)

.PHONY: help demo test lint build bench lock clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-6s %s\n", $$1, $$2}'

$(VENV)/.installed-run: pyproject.toml uv.lock
	@scripts/install run
	touch $@

$(VENV)/.installed-dev: pyproject.toml uv.lock
	@scripts/install dev
	touch $@ $(VENV)/.installed-run

demo: $(VENV)/.installed-run ## Inspect and tune a real web service on this machine, and leave reports
	@$(PYTHON) examples/shop/demo.py

test: $(VENV)/.installed-dev ## Run every test this machine can run
	@scripts/system-packages
	scripts/with-services scripts/run-tests $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev ## Style, types, layers
	@ruff check .
	ruff format --check .
	mypy
	lint-imports

build: $(VENV)/.installed-dev ## Build wheel and sdist, and run what they install in an empty environment
	@scripts/check-build

bench: $(VENV)/.installed-dev ## Run every benchmark, and write benchmarks/results
	@$(PYTHON) -m benchmarks

lock: ## Resolve the dependencies again
	@scripts/lock

clean: ## Remove what make made
	@rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache
