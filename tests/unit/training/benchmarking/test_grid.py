"""The grid of benchmarks, as small as it can be."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.unit, pytest.mark.slow]
GRID = Path(__file__).parents[4] / "benchmarks/gpu/grid.py"


def run(work, *words):
    command = [sys.executable, str(GRID), str(work), "--device", "cpu", "--heads", "linear"]
    sizes = ["--patches", "64", "--precisions", "float32", "--batch", "2", "--seconds", "0.3"]
    return subprocess.run(
        [*command, *sizes, *words], capture_output=True, text=True, timeout=280, check=False
    )


def test_a_cell_beside_the_two_other_trainings(tmp_path):
    done = run(tmp_path, "--backbones", "timm:test_vit")
    assert done.returncode == 0, done.stdout + done.stderr
    head, rule, row = (tmp_path / "grid.md").read_text().splitlines()
    assert head.count("|") == rule.count("|") == row.count("|")
    assert row.startswith("| linear | test_vit | 64 | float32 |")
    (cell,) = json.loads((tmp_path / "grid.json").read_text())
    assert cell["benchmark"]["batch_size"] == 2
    assert all(seconds > 0 for seconds in cell["u_net_and_plain_loop_seconds"])
    assert list((tmp_path / "results/Dataset901_SampleFundus").glob("*linear*")) == []


def test_a_cell_that_had_no_time_is_named(tmp_path):
    done = run(tmp_path, "--backbones", "timm:test_vit", "--minutes", "-1")
    assert done.returncode == 0
    assert "Left out after -1 minutes: linear timm:test_vit 64 float32." in done.stdout
