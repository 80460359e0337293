"""The study of accuracy: its methods are valid runs, its page shows every cell."""

import importlib
import json
import sys
from pathlib import Path

import pytest

from nnunet_vit.config.load import load_run

pytestmark = pytest.mark.contract

PLACE = Path(__file__).parents[2] / "benchmarks" / "accuracy"
sys.path.append(str(PLACE))
STUDY = importlib.import_module("study_cells").study_of(PLACE / "study.yaml")
OURS = [name for name, keys in STUDY["methods"].items() if "stock" not in keys]


@pytest.fixture
def script():
    """`script(name)` imports one of the study's files."""
    return importlib.import_module


def row(**changes):
    """Return a cell's result."""
    return {
        "dataset": "nuclei", "share": 1, "minutes": 2, "seed": 1, "steps": 10, "dice": 0.5,
        "trained_minutes": 2.0, "cpu_minutes": 3.0, "cases": {str(n): 0.5 for n in range(9)},
        "processor": "P", "date": "2026-01-01", "commit": "c", "method": "unet",
    } | changes  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_each_method_is_a_valid_run(name, script):
    keys = script("study_keys").given_keys(STUDY, name)
    run = load_run(None, [f"{key}={json.dumps(value)}" for key, value in keys.items()])
    assert run.model.head == keys.get("model.head", "segformer")


@pytest.mark.parametrize("stage", STUDY["stages"])
def test_each_stage_names_what_there_is(script, stage):
    lists = STUDY["stages"][stage]
    assert set(lists["datasets"]) <= set(STUDY["datasets"])
    assert lists["methods"] and set(lists["methods"]) <= set(STUDY["methods"])
    assert set(lists["shares"]) <= set(STUDY["shares"])
    cells = script("study_cells").cells_of(STUDY, [stage, stage])
    count = 1
    for values in lists.values():
        count *= len(values)
    assert len(set(cells)) == len(cells) == count


def test_the_results_in_the_repository_are_cells_of_the_study(script):
    known = set(script("study_cells").cells_of(STUDY, STUDY["stages"]))
    rows = script("run").rows_of(PLACE / "results.jsonl")
    assert {script("study_cells").cell_of(each) for each in rows} <= known


def test_the_page_shows_every_cell_and_what_the_best_differ_by(script, tmp_path):
    better = {str(n): 0.7 + n / 1000 for n in range(9)}
    rows = [
        row(),
        row(seed=2, dice=0.6),
        row(method="full segformer", dice=0.704, cases=better),
        row(method="lora segformer", failed="RuntimeError: no room"),
    ]
    del rows[-1]["dice"]
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- study: begin -->\nold\n<!-- study: end -->\nafter\n")
    script("study_page").write_page(page, STUDY, rows)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "**0.550** (0.500, 0.600)" in text
    assert "| full segformer | 0.704 [10 steps, 2 min] |" in text
    assert "| 2 | full segformer | unet | +0.204 | +0.20" in text
    assert "RuntimeError: no room" in text


def test_the_page_in_the_repository_is_that_of_the_results(script, tmp_path):
    stands = (PLACE.parents[1] / "docs" / "accuracy.md").read_text()
    page = tmp_path / "page.md"
    page.write_text(stands)
    script("study_page").write_page(page, STUDY, script("run").rows_of(PLACE / "results.jsonl"))
    assert page.read_text() == stands
