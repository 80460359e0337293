# make demo, make test: each sets up .venv first. PYTHON and VENV can be given: make test VENV=/tmp/v
PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
PLUGINS := $(wildcard plugins/*/)
# of test-oldest and test-newest: from pyenv, by name, or else PYTHON
python = $(firstword $(wildcard $(HOME)/.pyenv/versions/$(1).*/bin/python3) $(shell command -v python$(1)) $(PYTHON))
OLDEST ?= $(call python,3.10)
NEWEST ?= $(call python,3.13)

.PHONY: setup demo test test-slow test-all test-oldest test-newest mutations lint bench clean

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml $(wildcard plugins/*/pyproject.toml)
	$(PYTHON) -m venv $(VENV)
	"$(BIN)/pip" install -q $(CONSTRAINTS:%=-c %) -e '.[test,dev]' $(addprefix -e ./,$(PLUGINS))
	touch $@

demo: setup
	PATH="$(BIN):$$PATH" sh examples/demo.sh

test: setup
	"$(BIN)/pytest" -n 2 --dist loadfile -m 'not slow and not end_to_end'
	"$(BIN)/pytest" -n 2 --dist loadfile -m 'not slow and end_to_end'

test-slow: setup
	"$(BIN)/pytest" -n 2 --dist loadfile -m slow

test-all:
	$(MAKE) test
	$(MAKE) test-slow
	$(MAKE) test-oldest
	$(MAKE) test-newest

# every package at its floor in pyproject.toml
test-oldest:
	mkdir -p .venvs
	"$(OLDEST)" .ci/constraints.py test > .venvs/oldest.txt
	$(MAKE) demo test PYTHON="$(OLDEST)" VENV=.venvs/oldest CONSTRAINTS=.venvs/oldest.txt

# what pip takes today, and the newest timm laid over it: nnU-Net's dependencies hold an older one
test-newest:
	$(MAKE) setup PYTHON="$(NEWEST)" VENV=.venvs/newest
	.venvs/newest/bin/pip install -q --upgrade --no-deps timm
	$(MAKE) demo test PYTHON="$(NEWEST)" VENV=.venvs/newest

mutations: setup
	"$(BIN)/pytest" -n 2 -m '' tests/mutations

lint: setup
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"

bench: setup
	"$(BIN)/python" benchmarks/list_models.py

clean:
	rm -rf .demo build core/*.egg-info plugins/*/build plugins/*/*.egg-info
