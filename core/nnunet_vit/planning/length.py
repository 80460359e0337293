"""How long to train: epochs and their steps for a number of hours, from a measured pace."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from nnunet_vit.config.train_section import ViTTrainConfig
from nnunet_vit.errors import ConfigError, counted
from nnunet_vit.planning.open_keys import EPOCHS, ITERATIONS, VALIDATIONS, OpenKeys
from nnunet_vit.planning.pace import Pace
from nnunet_vit.quantities import duration_text

USED = 0.95  # of the hours: a short probe does not know how an hour goes
EPOCHS_MOST, ITERATIONS_MOST = 1000, 250  # nnU-Net's
EPOCHS_LEAST = 20  # nnU-Net's moving average, which tells the best model, forgets in ten epochs
STEPS_LEAST = 100  # a head on pretrained features has learned something by then, not before
PER_VALIDATION = 5  # training steps, as nnU-Net's 250 and 50


@dataclass(frozen=True)
class Length:
    """How long a training is.

    Attributes:
        epochs: how many.
        iterations: training steps of an epoch.
        validations: validation steps of an epoch.
        seconds: of the training of a fold, its final validation included.
        folds: that are trained so.
    """

    epochs: int
    iterations: int
    validations: int
    seconds: float
    folds: int = 1

    @property
    def of_all_folds(self) -> float:
        """Seconds of all folds, one after the other."""
        return self.folds * self.seconds


def length_of(pace: Pace, train: ViTTrainConfig, *, folds: int = 1) -> Length:
    """Return how long a run is as it stands.

    Args:
        pace: measured.
        train: of the run.
        folds: that the run trains one after the other.
    """
    return _length(
        pace, train.num_epochs, train.num_iterations_per_epoch,
        validations=train.num_val_iterations_per_epoch, folds=folds,
    )  # fmt: skip


def time_of_folds(length: Length) -> str:
    """Return how long a training lasts, with that of all its folds where there are several."""
    seconds = duration_text(length.seconds)
    if length.folds == 1:
        return seconds
    together = duration_text(length.of_all_folds)
    return f"{seconds} for each of {length.folds} folds, {together} together"


def steps_within(hours: float, pace: Pace, *, folds: int = 1) -> int:
    """Return how many training steps of a fold there is time for, validation steps apart.

    Args:
        hours: of all folds together.
        pace: measured.
        folds: that are trained one after the other.
    """
    return max(0, int((_seconds(hours, folds) - pace.around) / pace.training.seconds))


def has_room(
    hours: float, pace: Pace, train: ViTTrainConfig, *, free: OpenKeys, folds: int = 1
) -> bool:
    """Tell whether `length_for` finds a training for the same arguments."""
    return _shortest(pace, train, free, folds=folds).seconds <= _seconds(hours, folds)


def length_for(
    hours: float, pace: Pace, train: ViTTrainConfig, *, free: OpenKeys, folds: int = 1
) -> Length:
    """Return the longest training that takes at most so many hours, never more than nnU-Net's.

    Fewer epochs come before fewer steps in an epoch.

    Args:
        hours: of all folds together.
        pace: measured.
        train: of the run: what it gives is kept.
        free: what may be chosen.
        folds: that the run trains one after the other.

    Raises:
        ConfigError: there is time for too few steps, or what the run file gives takes longer.
    """
    seconds = _seconds(hours, folds)
    shortest = _shortest(pace, train, free, folds=folds)
    if shortest.seconds > seconds:
        raise _too_long(hours, shortest, free)
    for iterations in _iterations(train, free):
        validations = _validations(iterations, train, free)
        epoch = pace.epoch(iterations, validations)
        fitting = min(EPOCHS_MOST, int((seconds - pace.around) / epoch))
        epochs = fitting if EPOCHS in free else train.num_epochs
        found = _length(pace, epochs, iterations, validations=validations, folds=folds)
        if epochs >= shortest.epochs and found.seconds <= seconds:
            return found
    return shortest


def _seconds(hours: float, folds: int) -> float:
    return 3600 * hours * USED / folds


def _shortest(pace: Pace, train: ViTTrainConfig, free: OpenKeys, *, folds: int) -> Length:
    """Return the shortest training that makes sense, of those that the run file allows."""
    epochs, iterations = train.num_epochs, train.num_iterations_per_epoch
    if EPOCHS in free:
        epochs = EPOCHS_LEAST if ITERATIONS in free else ceil(STEPS_LEAST / iterations)
    if ITERATIONS in free:
        iterations = ceil(STEPS_LEAST / epochs)
    validations = _validations(iterations, train, free)
    return _length(pace, epochs, iterations, validations=validations, folds=folds)


def _iterations(train: ViTTrainConfig, free: OpenKeys) -> Iterable[int]:
    if ITERATIONS in free:
        return range(ITERATIONS_MOST, 0, -1)
    return [train.num_iterations_per_epoch]


def _validations(iterations: int, train: ViTTrainConfig, free: OpenKeys) -> int:
    if VALIDATIONS in free:
        return max(1, iterations // PER_VALIDATION)
    return train.num_val_iterations_per_epoch


def _length(pace: Pace, epochs: int, iterations: int, *, validations: int, folds: int) -> Length:
    seconds = epochs * pace.epoch(iterations, validations) + pace.around
    return Length(epochs, iterations, validations, seconds, folds)


def _too_long(hours: float, shortest: Length, free: OpenKeys) -> ConfigError:
    needed = ceil(100 * shortest.of_all_folds / 3600 / USED) / 100
    each = f"{counted(shortest.epochs, 'epoch')} of {counted(shortest.iterations, 'step')}"
    took = f"{each} take {time_of_folds(shortest)} on this machine"
    if EPOCHS in free or ITERATIONS in free:
        return ConfigError(
            f"--hours {hours:g}: too short for a training: {took}, start and final validation "
            "included.",
            fix=f"--hours {needed:g} or more, or a smaller train.batch_size, patch or backbone.",
        )
    return ConfigError(
        f"--hours {hours:g}: {took}, and the run file gives both numbers.",
        fix=f"leave {EPOCHS} or {ITERATIONS} to the planner, or --hours {needed:g}.",
    )
