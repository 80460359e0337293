#!/usr/bin/env python3
"""Print a constraints file for pip from pyproject.toml: `python .ci/constraints.py oldest`.

oldest: each package at its floor there. newest: nothing, pip then takes what it finds; with
`newest-timm`, the timm that is laid over it afterwards (see `make test-newest`).
"""
