"""Memory depends neither on how high an image is nor on how wide."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.unit, pytest.mark.slow]

PROGRAM = Path(__file__).with_name("flat_memory.py")
FIXTURES = Path(__file__).parents[3] / "fixtures"
MOST = 100_000_000  # bytes that a lane may take beyond 2000 columns, with what runs differ by


def peak(folder, size):
    """Return the highest resident memory of a process that predicts an image of a size (Y, X)."""
    folder.mkdir()
    paths = os.pathsep.join([str(FIXTURES), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, PROGRAM, folder, *map(str, size)],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_2000_to_100000_pixels(tmp_path):
    small = peak(tmp_path / "small", (2000, 2000))
    for size in [(100_000, 1500), (1500, 100_000), (12_000, 12_000)]:
        assert peak(tmp_path / str(size), size) - small < MOST, size
