# make demo, make test: each sets up .venv first. PYTHON and VENV can be given: make test VENV=/tmp/v
PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
PLUGINS := $(wildcard plugins/*/)
# of test-oldest and test-newest: from pyenv, by name, or else PYTHON
python = $(firstword $(wildcard $(HOME)/.pyenv/versions/$(1).*/bin/python3) $(shell command -v python$(1)) $(PYTHON))
OLDEST ?= $(call python,3.10)
NEWEST ?= $(call python,3.13)

# two test processes share two cores: threads of one wait, spinning, for the other's
test coverage test-slow mutations: export OMP_NUM_THREADS ?= 1

.PHONY: help setup demo test test-browser coverage test-slow test-all test-oldest test-newest mutations lint bench clean

help:  ## this list
	@grep -hE "^[a-z-]+:.*##" $(MAKEFILE_LIST) | sed -E "s/:.*## /\t/" | expand -t 14

setup: $(VENV)/.installed  ## an environment with the project, its heads and what tests need

$(VENV)/.installed: pyproject.toml $(wildcard plugins/*/pyproject.toml)
	$(PYTHON) -m venv $(VENV)
	"$(BIN)/pip" install -q $(CONSTRAINTS:%=-c %) -e '.[test,dev]' $(addprefix -e ./,$(PLUGINS))
	touch $@

demo: setup  ## the sample dataset from drawing to overlays, 5 minutes
	PATH="$(BIN):$$PATH" sh examples/demo.sh

test: setup  ## the default tier: unit, contract, end to end
	"$(BIN)/pytest" -n 2 --dist loadfile -m 'not slow and not end_to_end'
	"$(BIN)/pytest" -n 2 --dist loadfile -m 'not slow and end_to_end'

test-browser: setup  ## the page of `vit_cli report` in Chromium (apt-get install chromium)
	"$(BIN)/pip" install -q -e '.[browser]'
	NNUNET_VIT_BROWSER=required "$(BIN)/pytest" tests/browser

coverage: setup  ## the default tier, and the share of lines and branches that it runs
	"$(BIN)/pytest" -n 2 --dist loadfile -m 'not slow and not end_to_end' --cov --cov-report=
	"$(BIN)/pytest" -n 2 --dist loadfile -m 'not slow and end_to_end' --cov --cov-append

test-slow: setup  ## the tests marked slow
	"$(BIN)/pytest" -n 2 --dist loadfile -m slow

test-all:  ## all tiers, and the default one with the oldest and newest versions
	$(MAKE) coverage
	$(MAKE) test-slow
	$(MAKE) test-oldest
	$(MAKE) test-newest

# every package at its floor in pyproject.toml
test-oldest:  ## the default tier with every package at its floor
	mkdir -p .venvs
	"$(OLDEST)" .ci/constraints.py test > .venvs/oldest.txt
	$(MAKE) demo test PYTHON="$(OLDEST)" VENV=.venvs/oldest CONSTRAINTS=.venvs/oldest.txt

# what pip takes today, and the newest timm laid over it: nnU-Net's dependencies hold an older one
test-newest:  ## the default tier with what pip takes today
	$(MAKE) setup PYTHON="$(NEWEST)" VENV=.venvs/newest
	.venvs/newest/bin/pip install -q --upgrade --no-deps timm
	$(MAKE) demo test PYTHON="$(NEWEST)" VENV=.venvs/newest

mutations: setup  ## 300 damaged datasets through the verbs
	"$(BIN)/pytest" -n 2 -m '' tests/mutations

lint: setup  ## ruff and mypy
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"

bench: setup  ## list-models beside import torch; accuracy, 20 minutes, where NNUNET_VIT_DATA and _WEIGHTS name folders
	"$(BIN)/python" benchmarks/list_models.py
ifeq ($(and $(NNUNET_VIT_DATA),$(NNUNET_VIT_WEIGHTS)),)
	@echo "accuracy: left out; NNUNET_VIT_DATA (with Dataset502_DSB2018) and NNUNET_VIT_WEIGHTS (a DINOv2-small) name no folders"
else
	"$(BIN)/python" benchmarks/accuracy/run.py "$(NNUNET_VIT_DATA)" "$(NNUNET_VIT_WEIGHTS)" .bench \
		--results .bench/results.jsonl --paces .bench/paces.json --page .bench/accuracy.md --stages small
	cat .bench/accuracy.md
endif

clean:  ## remove what building leaves
	rm -rf .demo .bench build core/*.egg-info plugins/*/build plugins/*/*.egg-info
