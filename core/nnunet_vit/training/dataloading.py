"""Batches whose content depends on the run's seed and their number, not on the workers.

nnU-Net's forked workers share one state of torch's random numbers and repeat each other's
augmentations (https://github.com/MIC-DKFZ/batchgeneratorsv2/pull/13). Here every batch seeds all
three generators with its own number, so workers differ, a run with a seed repeats, and a
resumed one draws what would have come next, with any number of workers.
"""

import ctypes
import random
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from batchgenerators.dataloading.single_threaded_augmenter import SingleThreadedAugmenter

from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.training.batch_workers import BatchWorkers
from nnunet_vit.training.held_cases import hold_cases
from nnunet_vit.training.whole_batches import DrawnBatches
from nnunet_vit.training.worker_memory import (
    CACHED_PER_WORKER,
    fitting_workers,
    validation_workers,
)

if TYPE_CHECKING:
    from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader

    from nnunet_vit.training.trainer import nnUNetTrainer_vit

Augmenter: TypeAlias = BatchWorkers | SingleThreadedAugmenter

PR_SET_PDEATHSIG = 1  # of Linux' prctl


class NumberedBatches:
    """Every workers-th batch of a loader, each seeded with its number."""

    def __init__(self, loader: Iterator[JsonObject], seed: int, first: int, workers: int) -> None:
        """Start at batch `first`, as the only worker until told otherwise."""
        self.loader = loader
        self.seed = seed
        self.first = first
        self.workers = workers
        self.number = first

    def set_thread_id(self, worker: int) -> None:
        """Take the place of a worker, counted from 0; batchgenerators calls this in the worker."""
        # a forked process hangs in torch's thread pool if its parent has used it
        torch.set_num_threads(1)
        _die_with_parent()
        self.number = self.first + worker

    def __iter__(self) -> Iterator[JsonObject]:
        return self

    def __next__(self) -> JsonObject:
        number = self.number
        self.number += self.workers
        return self.batch(number)

    def batch(self, number: int) -> JsonObject:
        """Return the batch of a number: it does not depend on those before it."""
        seeds = np.random.SeedSequence([self.seed, number]).generate_state(3)
        random.seed(int(seeds[0]))
        np.random.seed(int(seeds[1]))
        torch.manual_seed(int(seeds[2]))
        return next(self.loader)


def _die_with_parent() -> None:
    """Let a killed training leave no worker behind (Linux alone knows how)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def augmenters(
    trainer: "nnUNetTrainer_vit", training: "nnUNetDataLoader", validation: "nnUNetDataLoader"
) -> tuple[Augmenter, Augmenter]:
    """Return the numbered batches of a training's two loaders, made by its workers."""
    workers = fitting_workers(trainer, training)
    hold_cases(trainer, training, validation, workers=workers)
    batches = DrawnBatches(training, trainer.batched) if trainer.batched else training
    seed = trainer.seed + 2 * trainer.local_rank  # each GPU draws batches of its own
    made = {"pin_memory": trainer.device.type == "cuda"}
    epoch = trainer.current_epoch
    first = epoch * trainer.num_iterations_per_epoch
    first_validation = epoch * trainer.num_val_iterations_per_epoch
    return (
        augmenter(batches, seed, first, workers=workers, **made),
        augmenter(
            validation, seed + 1, first_validation, workers=validation_workers(workers), **made
        ),
    )


def augmenter(
    loader: Iterator[JsonObject],
    seed: int,
    first: int,
    *,
    workers: int,
    pin_memory: bool,
) -> Augmenter:
    """Return the batches of a loader in order, made by that many processes (0: by this one)."""
    batches = NumberedBatches(loader, seed, first, max(1, workers))
    return made_by(workers, batches, pin_memory=pin_memory)


def made_by(workers: int, batches: NumberedBatches, *, pin_memory: bool) -> Augmenter:
    """Let that many processes make the batches (0: this one)."""
    if workers == 0:
        return SingleThreadedAugmenter(batches, None)
    return BatchWorkers(
        batches,
        None,
        num_processes=workers,
        num_cached_per_queue=CACHED_PER_WORKER,
        seeds=list(range(workers)),  # overwritten per batch; None would read entropy for nothing
        pin_memory=pin_memory,
        wait_time=0.002,
    )
