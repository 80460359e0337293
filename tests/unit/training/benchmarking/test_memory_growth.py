"""The memory of steps, and the rate of the device, measured."""

import mmap
import sys

import pytest
import torch

from nnunet_vit.training.benchmarking import device_rate, memory_growth
from nnunet_vit.training.benchmarking.device_rate import device_name, peak_rate
from nnunet_vit.training.benchmarking.memory_growth import MemoryGrowth

pytestmark = pytest.mark.unit
CPU = torch.device("cpu")
SIZE = 200_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says how much is resident")
def test_what_was_held_at_most_and_is_free_again():
    growth = MemoryGrowth(CPU)
    if growth.at_peak() is None:
        pytest.skip("this system keeps the highest resident memory")
    with mmap.mmap(-1, SIZE) as pages:  # an allocator may have as much lying about
        pages.write(b"x" * SIZE)
    peak = growth.at_peak()
    assert peak > 0.9 * SIZE
    growth.aside = SIZE // 2
    assert growth.at_peak() == peak - SIZE // 2
    assert MemoryGrowth(CPU).at_peak() < 0.5 * SIZE


def test_a_system_that_does_not_say(monkeypatch, tmp_path):
    monkeypatch.setattr(memory_growth, "FORGET", tmp_path / "none" / "clear_refs")
    assert MemoryGrowth(CPU).at_peak() is None


def test_the_rate_is_of_the_fastest_product(monkeypatch):
    moments = iter([0.0, 2.0, 10.0, 10.5, 20.0, 25.0])
    monkeypatch.setattr(device_rate, "EDGE", 100)
    monkeypatch.setattr(device_rate, "perf_counter", lambda: next(moments))
    assert peak_rate(CPU, "bfloat16") == 2 * 100**3 / 0.5


def test_a_device_has_a_name():
    assert device_name(CPU)
