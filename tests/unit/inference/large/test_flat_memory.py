"""Memory does not depend on how high an image is, and on its width as documented."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnunet_vit.inference.large.opening import bytes_of_strips, opened

pytestmark = [pytest.mark.unit, pytest.mark.slow]

PROGRAM = Path(__file__).with_name("flat_memory.py")
FIXTURES = Path(__file__).parents[3] / "fixtures"
NOISE = 60_000_000  # bytes by which equal runs differ, and what the allocator keeps


def peak(folder, edge):
    """Return the peak of a process that predicts a square image, and what strips should take."""
    folder.mkdir()
    paths = os.pathsep.join([str(FIXTURES), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, PROGRAM, folder, str(edge)],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    height, found = map(int, done.stdout.split())
    assert height == edge
    source = opened([folder / "a_0000.tif"])
    return found, bytes_of_strips(source, (256, 256), 3, 1)


def test_2000_and_12000_pixels(tmp_path):
    small, strips = peak(tmp_path / "small", 2000)
    large, wider = peak(tmp_path / "large", 12000)
    assert large - small <= wider - strips + NOISE
    assert large - small < 12000**2  # less than a byte per pixel
