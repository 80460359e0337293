"""Progress of long work: a live display on a terminal, plain lines elsewhere."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TextIO

from nnunet_vit.errors import counted
from nnunet_vit.quantities import decimal_text
from nnunet_vit.report.end_time import EndTime
from nnunet_vit.report.screen import Screen
from nnunet_vit.report.step_seconds import StepSeconds
from nnunet_vit.report.text_width import WIDTH
from nnunet_vit.report.work import Work, WorkDisplay

MEGABYTE = 1e6
WITHOUT_FOREGROUND = (
    "A pseudo Dice of nan: its class was in none of the epoch's validation patches and predicted "
    "in none; with more train.num_val_iterations_per_epoch it is seen."
)


@dataclass(frozen=True)
class EpochSeconds:
    """How long an epoch took; what is in none of the parts is checkpoints, pictures and the like.

    Attributes:
        whole: seconds of all of it.
        training: of the training steps and their waits for batches, by phase.
        validation: of the validation, its batches included.
    """

    whole: float
    training: StepSeconds
    validation: float

    def as_text(self) -> str:
        """Return it for a line."""
        steps = f"data {self.training.wait:.1f}, steps {self.training.computing:.1f}"
        return f"{self.whole:.1f} s ({steps}, validation {self.validation:.1f})"


@dataclass(frozen=True)
class EpochFigures:
    """What an epoch of the training came to.

    Attributes:
        training_loss: the epoch's mean.
        validation_loss: likewise.
        dice: by class or region.
        mean_dice: of the classes.
        smoothed_dice: nnU-Net's moving average of the mean.
        rate: the highest learning rate.
        seconds: that it took.
    """

    training_loss: float
    validation_loss: float
    dice: Mapping[str, float]
    mean_dice: float
    smoothed_dice: float
    rate: float
    seconds: EpochSeconds


class Progress:
    """What the trainer and the predictor tell about their work; by itself it shows nothing.

    Stock nnU-Net, which prints its own lines, runs with this one.
    """

    @property
    def width(self) -> int:
        """Columns that a table may have."""
        return WIDTH

    def log(self, text: str) -> None:
        """Show one line that stays."""

    def log_once(self, text: str) -> None:
        """Show a line that stays, once however often it is given."""
        self.log(text)

    def warn(self, text: str) -> None:
        """Show a warning as a line that stays, once however often it is given."""

    def begin_part(self, name: str, number: int, total: int) -> None:
        """Begin a part of the work that has several like it.

        Args:
            name: of the part, or nothing: the parts are done.
            number: counted from 0.
            total: how many there are.
        """

    def start_epoch(self, epoch: int, epochs: int, steps: int) -> None:
        """Begin an epoch (counted from 0) of that many steps."""

    def advance(self, loss: float | None = None) -> None:
        """Finish one step."""

    def end_epoch(self, epoch: int, epochs: int, figures: EpochFigures) -> None:
        """Finish an epoch (counted from 0) with its figures."""

    def start_cases(self, text: str, total: int) -> None:
        """Begin work on that many cases."""

    def case(self, name: str) -> None:
        """Finish one case, or begin the next one."""

    def start_work(
        self, text: str, total: int | None = None, done: Callable[[], int] | None = None
    ) -> None:
        """Begin work that reports nothing itself.

        Args:
            text: what it is.
            total: how many cases it has; None: not known.
            done: returns how many of them are done; it is asked now and then.
        """

    def start_epochs(self, text: str, total: int, done: Callable[[], int]) -> None:
        """Begin work that is counted in epochs; the arguments are those of `start_work`."""

    def start_parts(self, text: str, total: int, unit: str, done: Callable[[], int]) -> None:
        """Begin work that is counted in parts of any kind.

        Args:
            text: what it is.
            total: how many parts it has.
            unit: what a part is.
            done: returns how many of them are done; it is asked now and then.
        """

    def start_download(self, text: str, total: int, received: Callable[[], int]) -> None:
        """Begin a download.

        Args:
            text: what it is.
            total: bytes; 0: not known.
            received: returns how many bytes have arrived; it is asked now and then.
        """

    def close(self) -> None:
        """Take the live display away."""


class ConsoleProgress(Progress):
    """Bars that move on a terminal; elsewhere the lines that stay, and one now and then."""

    def __init__(self, stream: TextIO, live: bool | None = None) -> None:
        """Write to the stream that was standard output before nnU-Net's own was put aside.

        Args:
            stream: what people look at.
            live: False: no bars even on a terminal; None: as the stream is.
        """
        self.console = Screen(stream, live)
        self._display = WorkDisplay(self.console)
        self._end = EndTime()
        self._part = ""
        self._said: set[str] = set()

    @property
    def width(self) -> int:
        """Columns that a table may have: the terminal's but for the last one."""
        return self.console.width - 1 if self.console.live else WIDTH

    def log(self, text: str) -> None:
        """Show one line that stays."""
        self.console.write_line(text)

    def warn(self, text: str) -> None:
        """Show a warning once."""
        self.log_once(f"Warning: {text}")

    def log_once(self, text: str) -> None:
        """Show one line that stays, once."""
        if text not in self._said:
            self._said.add(text)
            self.log(text)

    def begin_part(self, name: str, number: int, total: int) -> None:
        """Name the part in what follows, and reckon with the parts after it."""
        self._part = f"{name}  " if name else ""
        self._end.later_parts = total - number - 1
        if name:
            self.log(f"{name[0].upper()}{name[1:]}, {number + 1} of {total}:")

    def start_epoch(self, epoch: int, epochs: int, steps: int) -> None:
        """Begin an epoch."""
        self._end.start_epoch()
        end = self._end.text(epoch, epochs)
        text = f"{self._part}epoch {epoch + 1}/{epochs}" + f", done at {end}" * bool(end)
        self._display.start(Work(text, steps, "step"))

    def advance(self, loss: float | None = None) -> None:
        """Finish one step."""
        self._display.advance("validating" if loss is None else f"loss {decimal_text(loss, 3)}")

    def end_epoch(self, epoch: int, epochs: int, figures: EpochFigures) -> None:
        """Show the epoch's figures in one line."""
        self.close()
        per_class = ", ".join(f"{name} {value:.3f}" for name, value in figures.dice.items())
        width = len(str(epochs))
        self._end.end_epoch()
        end = self._end.text(epoch + 1, epochs)
        losses = (figures.training_loss, figures.validation_loss)
        trained, validated = (decimal_text(loss, 3, signed=True) for loss in losses)
        self.log(
            f"{self._part}epoch {epoch + 1:>{width}}/{epochs}  train loss {trained}  "
            f"validation loss {validated}  pseudo Dice {per_class}  "
            f"rate {figures.rate:.1e}  {figures.seconds.as_text()}" + f"  done at {end}" * bool(end)
        )
        if any(map(math.isnan, figures.dice.values())):
            self.log_once(WITHOUT_FOREGROUND)

    def start_cases(self, text: str, total: int) -> None:
        """Begin work on that many cases."""
        self.log(f"{text}: {counted(total, 'case')} …")
        self._display.start(Work(text, total, "case"))

    def case(self, name: str) -> None:
        """Count one case."""
        self._display.advance(name)

    def start_work(
        self, text: str, total: int | None = None, done: Callable[[], int] | None = None
    ) -> None:
        """Begin work that reports nothing itself."""
        self._display.start(Work(text, total, "case", done))

    def start_epochs(self, text: str, total: int, done: Callable[[], int]) -> None:
        """Begin work that is counted in epochs."""
        self._display.start(Work(text, total, "epoch", done))

    def start_parts(self, text: str, total: int, unit: str, done: Callable[[], int]) -> None:
        """Begin work that is counted in parts."""
        self._display.start(Work(text, total, unit, done))

    def start_download(self, text: str, total: int, received: Callable[[], int]) -> None:
        """Begin a download."""
        size = round(total / MEGABYTE) or None
        self._display.start(Work(text, size, "MB", lambda: round(received() / MEGABYTE)))

    def close(self) -> None:
        """Take the live display away."""
        self._display.stop()
