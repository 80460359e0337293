"""Progress of long work: a live display on a terminal, plain lines elsewhere."""

import time
from collections.abc import Mapping
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

BETWEEN_LINES = 30.0  # seconds, of long work outside a terminal
MEGABYTE = 1e6


class Progress:
    """What the trainer and the predictor tell about their work; by itself it shows nothing.

    Stock nnU-Net, which prints its own lines, runs with this one.
    """

    def say(self, text: str) -> None:
        """Show one line that stays."""

    def start_epoch(self, epoch: int, epochs: int, steps: int) -> None:
        """Begin an epoch (counted from 0) of that many steps."""

    def advance(self, loss: float | None = None) -> None:
        """Finish one step."""

    def end_epoch(
        self,
        epoch: int,
        epochs: int,
        training_loss: float,
        validation_loss: float,
        dice: Mapping[str, float],
        rate: float,
    ) -> None:
        """Finish an epoch (counted from 0) with its figures; dice is by class or region."""

    def start_cases(self, text: str, total: int) -> None:
        """Begin work on that many cases."""

    def case(self, name: str) -> None:
        """Begin one case."""

    def start_bytes(self, text: str, total: int) -> None:
        """Begin a download of that many bytes; 0: nobody knows."""

    def bytes_done(self, count: int) -> None:
        """Show how many bytes of the download have arrived."""

    def close(self) -> None:
        """Take the live display away."""


class ConsoleProgress(Progress):
    """Bars that move on a terminal; where there is none, the lines that stay and nothing else."""

    def __init__(self, stream: TextIO) -> None:
        """Write to the stream that was standard output before nnU-Net's own was put aside."""
        self.console = Console(file=stream, highlight=False, soft_wrap=True)
        self._bars: Bars | None = None
        self._task: TaskID | None = None
        self._began = time.monotonic()
        self._download = ("", 0)

    def say(self, text: str) -> None:
        """Show one line that stays."""
        self.console.print(text, markup=False)
        self.console.file.flush()

    def start_epoch(self, epoch: int, epochs: int, steps: int) -> None:
        """Begin an epoch."""
        self._began = time.monotonic()
        self._start(f"epoch {epoch + 1}/{epochs}", steps)

    def advance(self, loss: float | None = None) -> None:
        """Finish one step."""
        if self._bars is not None and self._task is not None:
            detail = "validating" if loss is None else f"loss {loss:.3f}"
            self._bars.update(self._task, advance=1, detail=detail)

    def end_epoch(
        self,
        epoch: int,
        epochs: int,
        training_loss: float,
        validation_loss: float,
        dice: Mapping[str, float],
        rate: float,
    ) -> None:
        """Show the epoch's figures in one line."""
        self.close()
        per_class = ", ".join(f"{name} {value:.3f}" for name, value in dice.items())
        width = len(str(epochs))
        self.say(
            f"epoch {epoch + 1:>{width}}/{epochs}  train loss {training_loss:+.3f}  "
            f"validation loss {validation_loss:+.3f}  pseudo Dice {per_class}  rate {rate:.1e}  "
            f"{time.monotonic() - self._began:.1f} s"
        )

    def start_cases(self, text: str, total: int) -> None:
        """Begin work on that many cases."""
        self.say(f"{text}: {total} cases …")
        self._start(text, total)

    def case(self, name: str) -> None:
        """Begin one case."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, advance=1, detail=name)

    def start_bytes(self, text: str, total: int) -> None:
        """Begin a download: a bar on a terminal, a line every half minute elsewhere."""
        self._download, self._began = (text, total), time.monotonic()
        if total:
            self._start(text, total / MEGABYTE)

    def bytes_done(self, count: int) -> None:
        """Show how many bytes of the download have arrived."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=count / MEGABYTE, detail="MB")
        elif time.monotonic() - self._began > BETWEEN_LINES:
            self._began = time.monotonic()
            text, total = self._download
            of_total = f" of {total / MEGABYTE:.0f}" if total else ""
            self.say(f"{text}: {count / MEGABYTE:.0f}{of_total} MB")

    def close(self) -> None:
        """Take the live display away."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _start(self, text: str, total: int) -> None:
        self.close()
        if not self.console.is_terminal:
            return
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}"),
            console=self.console,
            transient=True,
        )
        self._task = self._bars.add_task(text, total=total, detail="")
        self._bars.start()
