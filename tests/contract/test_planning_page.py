"""docs/planning.md shows what the planner chooses."""

import importlib.util
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "planning.md").read_text(encoding="utf-8")


def _script():
    spec = importlib.util.spec_from_file_location("planning_table", DOCS / "planning_table.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for their module there
    spec.loader.exec_module(module)
    return module


planning_table = _script()
STATED = {stated.name: stated for stated in planning_table.STATED}
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
ROWS = {row[0]: row[1:] for row in ROWS if row[0] in STATED}
HEAD = 2  # image and cases come before the choices


def test_every_dataset_has_its_row_and_its_defence():
    assert list(ROWS) == list(STATED) and len(STATED) == 12
    for name, stated in STATED.items():
        assert ROWS[name][-1] == stated.defence
        assert len(ROWS[name]) == HEAD + len(planning_table.MEMORY) + 1


@pytest.mark.parametrize(
    ("name", "memory"),
    [
        ("8 small images", (8,)),
        ("tiny images", (80,)),
        ("strips, 1:8", (80,)),
        *(
            pytest.param(name, planning_table.MEMORY, marks=pytest.mark.slow)
            for name in ("nuclei", "CT, 131 volumes", "20 whole slides")
        ),
    ],
)
def test_the_choices_are_those_of_the_planner(name, memory):
    shown = dict(zip(planning_table.MEMORY, ROWS[name][HEAD:-1], strict=True))
    assert planning_table.cells_of(STATED[name], memory) == [shown[number] for number in memory]
