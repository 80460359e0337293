"""Numbered batches: the same with any number of workers, and no worker repeats another."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from nnunet_vit.training.dataloading import NumberedBatches, augmenter

pytestmark = pytest.mark.unit


class Loader:
    """Stands in for nnU-Net's: each batch is drawn from the three global generators."""

    def __next__(self):
        return {
            "numpy": np.random.rand(2).tolist(),
            "torch": torch.rand(2).tolist(),
            "python": random.random(),
        }


@pytest.fixture
def batches():
    """`batches(count, workers)` draws that many and stops the workers."""

    def draw(count, workers, seed=7, first=0):
        source = augmenter(Loader(), seed, first, workers=workers, pin_memory=False)
        try:
            return [next(source) for _ in range(count)]
        finally:
            if workers:
                source.close()

    return draw


@pytest.fixture
def unbroken(batches):
    return batches(9, 0)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_workers_do_not_change_the_batches(batches, unbroken, workers):
    assert batches(9, workers) == unbroken


@pytest.mark.parametrize(("first", "workers"), [(1, 0), (5, 0), (4, 1), (5, 2), (4, 3)])
def test_a_resumed_run_goes_on_where_it_stopped(batches, unbroken, first, workers):
    assert batches(9 - first, workers, first=first) == unbroken[first:]


@pytest.mark.parametrize("workers", [0, 3])
@pytest.mark.parametrize("generator", ["numpy", "torch", "python"])
def test_no_batch_repeats_another(batches, workers, generator):
    seen = [str(batch[generator]) for batch in batches(9, workers)]
    assert len(set(seen)) == len(seen)


def test_another_seed_gives_other_batches(batches, unbroken):
    other = batches(9, 0, seed=8)
    assert not any(batch in unbroken for batch in other)


def test_each_worker_takes_every_so_many_th_batch(unbroken):
    for worker in range(3):
        source = NumberedBatches(Loader(), seed=7, first=0, workers=3)
        source.set_thread_id(worker)
        assert [next(source) for _ in range(3)] == unbroken[worker::3]


def test_the_state_before_does_not_matter(batches, unbroken):
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    assert batches(9, 0) == unbroken


SEVERAL_THREADS = """
import torch
from nnunet_vit.training.dataloading import augmenter

class Products:
    def __next__(self):
        return {"sum": float((torch.ones(512, 512) @ torch.ones(512, 512)).sum())}

torch.set_num_threads(3)
next(Products())  # the threads of this process are there before it forks
source = augmenter(Products(), 7, 0, workers=2, pin_memory=False)
print([next(source)["sum"] for _ in range(4)])
source.close()
"""


def test_workers_compute_though_the_training_has_used_threads():
    told = subprocess.run(
        [sys.executable, "-c", SEVERAL_THREADS],
        env={**os.environ, "OMP_NUM_THREADS": "3"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.stdout == f"{[512.0**3] * 4}\n", told.stderr
