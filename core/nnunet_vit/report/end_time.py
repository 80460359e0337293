"""When a training of several epochs and folds will be done, by the epochs that are."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

LAST = 5  # epochs whose mean counts: the first ones start workers and caches


class EndTime:
    """Foretells the end of equal epochs, of this part of the work and those that follow."""

    def __init__(self, now: Callable[[], datetime] = datetime.now) -> None:
        """Know nothing yet; `now` tells the time of the day."""
        self._now = now
        self._began = time.monotonic()
        self._seconds: list[float] = []
        self.later_parts = 0

    def start_epoch(self) -> None:
        """Begin an epoch."""
        self._began = time.monotonic()

    def end_epoch(self) -> None:
        """Finish an epoch."""
        self._seconds.append(time.monotonic() - self._began)

    def text(self, done: int, epochs: int) -> str:
        """Return when all is done, as 14:32 or Nov 28 14:32; or nothing where it is.

        Args:
            done: epochs of this part that are done.
            epochs: of this part, and of each that follows.
        """
        ahead = epochs - done + self.later_parts * epochs
        if not ahead or not self._seconds:
            return ""
        last, now = self._seconds[-LAST:], self._now()
        end = now + timedelta(seconds=ahead * sum(last) / len(last))
        return f"{end:%H:%M}" if end.date() == now.date() else f"{end:%b %d %H:%M}"
