"""Words that docs/glossary.md has retired stay out of names, help and messages."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core/nnunet_vit"
FORMER = {CORE / "modeling/creation.py", CORE / "testing/tiny.py"}  # paths that stay for a version
FORMER_NAMES = {("resolution", "doublings")}
SOURCES = [
    *sorted(set(CORE.rglob("*.py")) - FORMER),
    *sorted(path for path in ROOT.glob("plugins/*/nnunet_vit_*/**/*.py")),
]
PHRASES = re.compile(
    r"\b(go on|goes on|gone on|going on|anew|mend|mended|no use to|a whole number|whole numbers|"
    r"the easy way|the whole way|judge[sd]?)\b",
    re.IGNORECASE,
)
NAMES = re.compile(
    r"^_?(goes_on|going_on|tell_progress|say|judged|defuse|twin|shadow|exchange_weights|"
    r"forward_in_parts|harmless|choosing|creation|doublings|TinyVit|TINY_VITS)$"
)


def texts(tree):
    """Yield what people read: strings, docstrings among them, each with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def names(tree):
    """Yield the names that a module defines, each with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def retired(source):
    """Return the lines of a module with a retired word, and the word."""
    tree = ast.parse(source)
    found = [(line, m[0]) for line, text in texts(tree) if (m := PHRASES.search(text))]
    return sorted(found + [(line, name) for line, name in names(tree) if NAMES.match(name)])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_uses_a_retired_word(path):
    assert not NAMES.match(path.stem)
    found = retired(path.read_text(encoding="utf-8"))
    assert [word for _, word in found if (path.stem, word) not in FORMER_NAMES] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('x = "--continue to go on"', [(1, "go on")]),
        ("def say(text):\n    return text", [(1, "say")]),
        ("goes_on = True", [(1, "goes_on")]),
        ('"""Judges options."""', [(1, "Judges")]),
        ('x = f"given {1}; allowed: a whole number"', [(1, "a whole number")]),
        ('x = "the mending of bones"\ndef essay(): ...', []),
    ],
)
def test_the_rule_itself(source, found):
    assert retired(source) == found
