"""Another interpreter that finds the packages which this one finds."""

import os
import sys


def python_module(name: str, *arguments: str) -> list[str]:
    """Return the command that runs a module in this Python."""
    return [sys.executable, "-m", name, *arguments]


def environment() -> dict[str, str]:
    """Return this process's environment, with its import path: heads may lie on it."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
