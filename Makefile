# make demo, make test: each sets up .venv first. PYTHON and VENV can be given: make test VENV=/tmp/v
PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
PLUGINS := $(wildcard plugins/*/)

.PHONY: setup demo test test-all lint bench clean

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml $(wildcard plugins/*/pyproject.toml)
	$(PYTHON) -m venv $(VENV)
	"$(BIN)/pip" install -q -e '.[test,dev]' $(addprefix -e ./,$(PLUGINS))
	touch $@

demo: setup
	PATH="$(BIN):$$PATH" sh examples/demo.sh

test: setup
	"$(BIN)/pytest" -n 2 --dist loadfile -m 'not slow and not end_to_end'
	"$(BIN)/pytest" -m 'not slow and end_to_end'

test-all: setup
	"$(BIN)/pytest" -m ''

lint: setup
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"

bench: setup
	"$(BIN)/python" benchmarks/list_models.py

clean:
	rm -rf .demo build core/*.egg-info plugins/*/build plugins/*/*.egg-info
