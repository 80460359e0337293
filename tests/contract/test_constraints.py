"""The oldest packages that are tried are those that pyproject.toml allows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract
ROOT = Path(__file__).resolve().parents[2]


def constraints(*extras):
    script = [sys.executable, ROOT / ".ci" / "constraints.py", *extras]
    return subprocess.run(script, capture_output=True, text=True, check=False)


def test_every_floor_is_a_constraint():
    found = constraints("test")
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert all(re.fullmatch(r"[a-z0-9.-]+==[0-9.]+", line) for line in lines)
    written = (ROOT / "pyproject.toml").read_text("utf-8").partition("[project.scripts]")[0]
    for package in ("torch", "timm", "peft", "transformers", "pydantic"):
        floor = re.search(rf'"{package}>=([0-9.]+)', written)[1]
        assert f"{package}=={floor}" in lines
    assert len(lines) == len({line.partition("==")[0] for line in lines})


def test_an_extra_that_is_not_there():
    found = constraints("tests")
    assert found.returncode == 1
    assert found.stderr == (
        "No extra tests in pyproject.toml; it has test, tensorboard, mlflow, wandb, trackio, "
        "browser, onnx, bioimageio, dev, release.\n"
    )
