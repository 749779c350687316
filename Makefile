# What people type. Each target first looks for what the machine lacks, then sets up .venv, then does its work.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help run test quick check lint bench bench-year faults

PORT ?= 8080
SKIP ?=
SEED ?=
MINUTES ?=
WORKERS ?= 3
export SKIP

PYTEST := .venv/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

help:
	@echo 'make run      start the demo on http://127.0.0.1:8080 (PORT=9000 moves it); Ctrl-C stops it'
	@echo 'make test     run every test (SKIP=browser,cluster,processes leaves groups out, and says so)'
	@echo 'make quick    run what needs no other process, in about a minute'
	@echo 'make check    check format, lint and types, then run every test'
	@echo 'make bench    measure speed and memory on this machine, in five minutes, into docs/performance.md'
	@echo 'make bench-year  state what a year of counts takes in Redis, in ten minutes'
	@echo 'make faults   break it in every way, once each; SEED=1 MINUTES=10 at random: exact, or it fails; into docs/reliability.md'
	@echo 'make help     print this'

run:
	@scripts/need run
	@scripts/venv run
	@exec env ADSERVER_DEMO=1 scripts/run .venv/bin/adserver serve --watch --port '$(PORT)'

test:
	@scripts/need test
	@scripts/venv dev
	@scripts/javascript
	@exec $(PYTEST)

quick: override export SKIP := browser,cluster,processes
quick:
	@scripts/need quick
	@scripts/venv dev
	@exec $(PYTEST) --hypothesis-profile=quick

lint:
	@scripts/need quick
	@scripts/venv dev
	@echo 'ruff format --check' && .venv/bin/ruff format --check --quiet .
	@echo 'ruff check' && .venv/bin/ruff check --quiet .
	@echo 'mypy' && .venv/bin/mypy

check: lint test

bench:
	@scripts/need bench
	@scripts/venv run
	@exec scripts/bench

bench-year:
	@scripts/need bench
	@scripts/venv run
	@exec .venv/bin/python -m bench.memory

faults:
	@scripts/need faults
	@scripts/venv dev
	@exec env SEED='$(SEED)' MINUTES='$(MINUTES)' WORKERS='$(WORKERS)' scripts/faults
