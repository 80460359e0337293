"""Training steps of a run, timed: its own trainer, loaders, loss and optimizer."""

import contextlib
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import torch

from nnunet_vit.report.step_seconds import StepSeconds
from nnunet_vit.training.batch_workers import BatchWorkers
from nnunet_vit.training.benchmarking.memory_growth import MemoryGrowth, resident
from nnunet_vit.training.callbacks.block_compiling import BlockCompiling
from nnunet_vit.training.callbacks.feature_keeping import Batches, FeatureKeeping
from nnunet_vit.training.trainer import nnUNetTrainer_vit
from nnunet_vit.training.worker_memory import CACHED_PER_WORKER

WARM = 3  # steps before the clock starts, or one that is slow
PART = 4  # of the time, at most, until the batches that wait are used up
LEAST = 2  # steps that are timed, however slow


@dataclass(frozen=True)
class TimedSteps:
    """What was timed.

    Attributes:
        seconds: by phase.
        workers: processes that made batches.
        memory: bytes at the peak; None: the system does not say.
    """

    seconds: StepSeconds
    workers: int
    memory: int | None


def timed_steps(trainer: nnUNetTrainer_vit, seconds: float) -> TimedSteps:
    """Do training steps for that long, after some that warm up, and free everything.

    Args:
        trainer: that has not begun; its network gets random weights.
        seconds: of the timed steps.
    """
    memory = MemoryGrowth(trainer.device)
    trainer.needs_pretrained_weights = False
    try:
        trainer.initialize()
        trainer.set_deep_supervision_enabled(trainer.enable_deep_supervision)
        trainer.network.train()
        trainer.lr_scheduler.step(0)
        trainer.callbacks.of(BlockCompiling).on_training_start(trainer)
        with _batches(trainer, memory) as batches:
            workers = _workers_of(batches)
            _warm_up(trainer, batches, CACHED_PER_WORKER * workers, seconds=seconds / PART)
            return TimedSteps(_timed(trainer, batches, seconds), workers, memory.at_peak())
    finally:
        trainer.network = trainer.optimizer = None
        gc.collect()
        if trainer.device.type == "cuda":
            torch.cuda.empty_cache()


@contextlib.contextmanager
def _batches(trainer: nnUNetTrainer_vit, memory: MemoryGrowth) -> Iterator[Batches]:
    """Yield the training batches; the workers are stopped in the end."""
    before = resident("VmRSS") or 0
    training, _ = trainer.get_dataloaders()
    memory.aside = max(0, (resident("VmRSS") or 0) - before)  # cases that are held
    try:
        yield training
    finally:
        trainer.callbacks.of(FeatureKeeping).on_training_end(trainer)
        if isinstance(training, BatchWorkers):
            training.close()


def _workers_of(batches: Batches) -> int:
    return batches.num_processes if isinstance(batches, BatchWorkers) else 0


def _warm_up(trainer: nnUNetTrainer_vit, batches: Batches, waiting: int, *, seconds: float) -> None:
    """Do steps until the batches that the workers have made meanwhile are used up."""
    began, done = perf_counter(), 0
    while not done or (done < max(WARM, waiting) and perf_counter() - began < seconds):
        trainer.train_step(next(batches))
        done += 1
    trainer.losses.check(0, all_of_them=True)


def _timed(trainer: nnUNetTrainer_vit, batches: Batches, seconds: float) -> StepSeconds:
    trainer.clock.start()
    began, done = perf_counter(), 0
    while done < LEAST or perf_counter() - began < seconds:
        trainer.train_step(next(batches))
        done += 1
    trainer.losses.check(0, all_of_them=True)
    return trainer.clock.read()
