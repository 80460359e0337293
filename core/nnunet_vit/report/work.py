"""Work that is being done, shown while it lasts: a bar that moves, or a line now and then."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.progress import Progress as Bars
from rich.progress import TaskID

from nnunet_vit.report.screen import Screen

LINE_EVERY = 30.0  # seconds, where there is no terminal
DRAW_EVERY = 0.02  # seconds between two drawings of the bar, at least
ASK_EVERY = 0.5  # seconds between two questions how much is done


@dataclass
class Work:
    """A piece of work.

    Attributes:
        text: what it is.
        total: number of its parts; None: not known.
        unit: what a part is: a step, a case.
        count: returns how many are done, for work that does not say so itself.
        done: number of parts that are done.
        detail: of the last part.
        began: seconds of the monotonic clock.
    """

    text: str
    total: int | None
    unit: str
    count: Callable[[], int] | None = None
    done: int = 0
    detail: str = ""
    began: float = field(default_factory=time.monotonic)

    def as_line(self) -> str:
        """Return how far it is in one line."""
        elapsed = _duration(time.monotonic() - self.began)
        if self.total is None:
            return f"{self.text}: {elapsed} so far"
        detail = f", {self.detail}" if self.detail else ""
        return f"{self.text}: {self.unit} {self.done}/{self.total}{detail}, {elapsed}"

    def counts(self) -> str:
        """Return the numbers beside a bar."""
        return "" if self.total is None else f"{self.done}/{self.total}"


class WorkDisplay:
    """Shows one piece of work at a time on a screen; it must be stopped at the end."""

    def __init__(self, screen: Screen) -> None:
        """Show nothing yet."""
        self._screen = screen
        self._work: Work | None = None
        self._bars: tuple[Bars, TaskID] | None = None
        self._drawn = 0.0
        self._ended = threading.Event()
        self._watcher: threading.Thread | None = None

    def start(self, work: Work) -> None:
        """Show a piece of work in place of the one before."""
        self.stop()
        self._work = work
        if self._screen.live:
            bars = self._screen.bars(work.text)
            task = bars.add_task(work.text, total=work.total, detail="", counts=work.counts())
            self._bars = bars, task
            bars.start()
        if self._bars is None or work.count is not None:
            self._ended = threading.Event()
            self._watcher = threading.Thread(target=self._watch, args=(work,), daemon=True)
            self._watcher.start()

    def advance(self, detail: str) -> None:
        """Count one part."""
        if self._work is not None:
            self._work.done += 1
            self._work.detail = detail
            self._show(self._work)

    def stop(self) -> None:
        """Take the bar away."""
        self._ended.set()
        if self._watcher is not None and self._watcher is not threading.current_thread():
            self._watcher.join()
        self._watcher = self._work = None
        bars, self._bars = self._bars, None
        if bars is not None:
            with contextlib.suppress(OSError):  # the terminal is gone
                bars[0].stop()

    def _show(self, work: Work) -> None:
        if self._bars is not None:
            bars, task = self._bars
            now = time.monotonic()
            drawn = now - self._drawn >= DRAW_EVERY  # rich alone would leave out quick cases
            self._drawn = now if drawn else self._drawn
            bars.update(
                task, completed=work.done, detail=work.detail, counts=work.counts(), refresh=drawn
            )

    def _watch(self, work: Work) -> None:
        """Ask how much is done; where there is no bar, write a line now and then."""
        said = work.began
        while not self._ended.wait(ASK_EVERY):
            with contextlib.suppress(OSError):  # nobody reads: the main thread notices it too
                if work.count is not None:
                    work.done = work.count()
                    self._show(work)
                if self._bars is None and time.monotonic() - said >= LINE_EVERY:
                    said = time.monotonic()
                    self._screen.write_line(work.as_line())


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
