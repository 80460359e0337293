"""Memory that was freed is there for the next step, and is given back in the end."""

import resource
import sys

import pytest
import torch

from nnunet_vit.modeling.runtime.cpu_training import kept_memory
from nnunet_vit.modeling.runtime.cpu_training.kept_memory import (
    give_back_memory,
    keep_freed_memory,
)

pytestmark = pytest.mark.unit
# of a step's tensors, MB: glibc maps each alone; threads but the first one keep up to 64 MB
SIZES = [48, 33, 44, 40]
BYTES = sum(SIZES) * 2**20


def pages_of_a_step():
    """Return how many pages the system hands out for a step's tensors, which are freed again."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    kept = [torch.ones(size * 2**18) for size in SIZES]
    del kept
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(sys.platform != "linux", reason="the switch is glibc's")
def test_the_system_is_asked_once():
    give_back_memory()
    usual = pages_of_a_step()
    if usual < BYTES // 2**21:
        pytest.skip("this system hands out larger pages, or another allocator is loaded")
    keep_freed_memory()
    try:
        pages = [pages_of_a_step() for _ in range(10)]
        assert sum(pages) < 3 * usual  # ten steps in the memory of less than three
    finally:
        give_back_memory()
    assert pages_of_a_step() > usual / 2


def test_another_libc_is_left_alone(monkeypatch):
    monkeypatch.setattr(kept_memory.ctypes, "CDLL", lambda name: object())
    keep_freed_memory()
    give_back_memory()
