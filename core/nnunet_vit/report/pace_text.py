"""What a probe of a plan has shown, as text."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnunet_vit.errors import counted
from nnunet_vit.quantities import bytes_text, duration_text

if TYPE_CHECKING:
    from nnunet_vit.planning.length import Length
    from nnunet_vit.planning.pace import Pace, Turn
    from nnunet_vit.planning.probing import Trial

NAME = 28  # characters of the words at the left
FIGURE = 12


def time_lines(trial: "Trial", predicted: int) -> Iterator[str]:
    """Yield the lines on a trial.

    Args:
        trial: of a plan.
        predicted: bytes of its training step.
    """
    if trial.pace is not None and trial.length is not None:
        yield from _measured(trial.pace, trial.length, predicted)
    yield from trial.notes


def _measured(pace: "Pace", length: "Length", predicted: int) -> Iterator[str]:
    steps = counted(pace.steps, "training step")
    yield f"time on this machine, by {steps} on random images"
    yield _line("training step", pace.training.seconds, _bound(pace.training))
    yield _line("validation step", pace.validation.seconds, _bound(pace.validation))
    epoch = pace.epoch(length.iterations, length.validations)
    parts = f"{length.iterations} training and {length.validations} validation steps"
    after = f"checkpoint {short_text(pace.saving)}, progress.png {short_text(pace.drawing)}"
    yield _line("epoch", epoch, f"{parts}, {after}")
    whole = f"{counted(length.epochs, 'epoch')}, start and final validation"
    name = "training" if length.folds == 1 else "training of a fold"
    yield _line(name, length.seconds, f"{whole} {duration_text(pace.around)}")
    if length.folds > 1:
        of_each = f"one after the other, {short_text(length.seconds)} each"
        yield _line(f"{length.folds} folds", length.of_all_folds, of_each)
    if pace.peak is not None:
        share = f"{100 * predicted / pace.peak:.0f} % of it was predicted"
        yield f"{'  memory at its peak':<{NAME}}{bytes_text(pace.peak):>{FIGURE}}   {share}"


def _line(name: str, seconds: float, more: str) -> str:
    return f"{'  ' + name:<{NAME}}{short_text(seconds):>{FIGURE}}   {more}"


def _bound(turn: "Turn") -> str:
    """Return what a step waits for."""
    network = f"network {short_text(turn.network)}"
    if not turn.workers:
        return f"{network}, then its batch {short_text(turn.batch)}"
    workers = counted(turn.workers, "worker")
    slower = "data bound" if turn.bound_by_data else "the network bounds"
    return f"{network}, a batch every {short_text(turn.made)} by {workers}: {slower} it"


def short_text(seconds: float) -> str:
    """Return a time that may be short: 12 ms, 0.3 s."""
    return f"{1000 * seconds:.0f} ms" if seconds < 0.1 else duration_text(seconds)
