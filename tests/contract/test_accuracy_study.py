"""The study of accuracy: its methods are valid runs, its page shows every cell."""

import importlib
import json
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

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
        row(
            method="full segformer",
            dice=0.704,
            cases=better,
            decoded={"argmax": 0.704, "rank": 0.714},
        ),
        row(method="full segformer", dice=0.704, cases=better, seed=2),
        row(method="frozen linear", dice=0.9, cases=better),
        row(method="lora segformer", failed="RuntimeError: no room"),
    ]
    del rows[-1]["dice"]
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- study: begin -->\nold\n<!-- study: end -->\nafter\n")
    script("study_page").write_page(page, STUDY, rows)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "**0.550** (0.500, 0.600)" in text
    assert "| full segformer | **0.704** (0.704, 0.704) [10 steps, 2 min] |" in text
    assert "| nuclei | rank | 1 | 1 | +0.010 | +0.010 | +0.010 |" in text
    assert "| 2 | full segformer | unet | +0.204 | +0.20" in text
    assert "RuntimeError: no room" in text


def test_the_page_in_the_repository_is_that_of_the_results(script, tmp_path):
    stands = (PLACE.parents[1] / "docs" / "accuracy.md").read_text()
    page = tmp_path / "page.md"
    page.write_text(stands)
    script("study_page").write_page(page, STUDY, script("run").rows_of(PLACE / "results.jsonl"))
    assert page.read_text() == stands


def test_ranking_finds_the_mask_that_expects_the_best_dice(script):
    """Beside all masks of so many pixels, each by all truths that the probabilities allow."""
    decoding, random = script("study_decoding"), np.random.default_rng(3)
    for _ in range(20):
        p = random.uniform(0.02, 0.98, 8)
        truths = np.array(list(product([0, 1], repeat=8)))
        chances = np.where(truths, p, 1 - p).prod(axis=1)
        order = np.argsort(-p)
        expected = []
        for count in range(1, 9):
            mask = np.zeros(8, int)
            mask[order[:count]] = 1
            dices = 2 * (truths & mask).sum(axis=1) / (truths.sum(axis=1) + count)
            expected.append(float(chances @ dices))
        taken = int((p >= decoding.rank_threshold(p)).sum())
        assert expected[taken - 1] >= max(expected) - 0.01


def test_what_is_fitted_does_not_see_its_own_image(script, tmp_path):
    """Each image wants a threshold that the two others, which are alike, do not."""
    cases = []
    for number, (low, high) in enumerate([(0.1, 0.3), (0.6, 0.8), (0.6, 0.8)]):
        truth = np.zeros((6, 6), np.uint8)
        truth[:3] = 1
        foreground = np.where(truth, high, low).astype(np.float32)
        np.savez(tmp_path / f"c{number}.npz",
                 probabilities=np.stack([1 - foreground, foreground])[:, None])  # fmt: skip
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(truth), str(tmp_path / f"c{number}.png"))
        cases.append({"reference_file": str(tmp_path / f"c{number}.png")})
    (tmp_path / "summary.json").write_text(json.dumps({"metric_per_case": cases}))
    found = script("study_decoding").decodings_of(tmp_path)
    assert found["argmax"] == pytest.approx((0 + 2 / 3 + 2 / 3) / 3)
    assert found["rank"] == pytest.approx((1 + 2 / 3 + 2 / 3) / 3, abs=0.2)
    # the first image gets a threshold above 0.6, the others one between 0.1 and 0.3 or above 0.6
    assert found["threshold"] <= 2 / 3 + 1e-6


def test_the_clock_counts_what_a_child_computes(script):
    clock = script("study_clock").processor_seconds
    busy = "import time\nwhile time.process_time() < 1: pass\nprint(flush=True)\ninput()"
    words = [
        sys.executable,
        "-c",
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {busy!r}])",
    ]
    run = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    run.stdout.readline()
    try:
        assert 1 <= clock(run.pid) < 5
    finally:
        run.communicate(b"\n")
