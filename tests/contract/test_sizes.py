"""Core stays small-grained: lengths of files and functions, Any, and one name for one module."""

import ast
from collections import Counter
from pathlib import Path
from statistics import median

import pytest

pytestmark = pytest.mark.contract

CORE = Path(__file__).parents[2] / "core/nnunet_vit"
MODULES = sorted(CORE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
LINES = [len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES]
FORMER = {"modeling/pyramid", "modeling/resolution", "modeling/creation", "testing/tiny"}


def functions():
    """Return the lengths of all functions, in lines."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    every = (node for tree in TREES.values() for node in ast.walk(tree))
    return [node.end_lineno - node.lineno + 1 for node in every if isinstance(node, kinds)]


def names(paths):
    """Return the names that several modules have; a verb may be named like what it calls."""
    own = [path for path in paths if path.name != "__init__.py" and path.parts[0] != "cli"]
    stems = Counter(path.stem for path in own if path.with_suffix("").as_posix() not in FORMER)
    return {name for name, count in stems.items() if count > 1}


def test_files():
    assert median(LINES) <= 80
    assert max(LINES) <= 250


def test_functions():
    assert median(functions()) <= 8


def test_any_is_rare():
    every = (node for tree in TREES.values() for node in ast.walk(tree))
    assert sum(isinstance(node, ast.Name) and node.id == "Any" for node in every) <= 120


def test_a_name_belongs_to_one_module():
    assert names([path.relative_to(CORE) for path in MODULES]) == set()


def test_the_rule_of_names():
    found = ["data/record.py", "checkpoints/record.py", "cli/describe.py", "profiling/describe.py"]
    assert names([Path(path) for path in found]) == {"record"}
    assert names([Path("modeling/pyramid.py"), Path("blocks/pyramid.py")]) == set()
