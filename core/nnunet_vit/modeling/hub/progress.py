"""Who is told about a download: whoever runs it decides."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

INTERVAL = 0.25  # seconds between two looks at what has arrived


class FetchProgress(Protocol):
    """What a display of downloads offers."""

    def say(self, text: str) -> None:
        """Show one line that stays."""

    def start_bytes(self, text: str, total: int) -> None:
        """Begin a download of that many bytes; 0: unknown."""

    def bytes_done(self, count: int) -> None:
        """Show how many bytes have arrived."""

    def close(self) -> None:
        """End the download's display."""


class LinesOnStandardError:
    """The display where nobody brought one: the lines that stay."""

    def say(self, text: str) -> None:
        """Write one line."""
        print(text, file=sys.stderr)

    def start_bytes(self, text: str, total: int) -> None:
        """Show nothing."""

    def bytes_done(self, count: int) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Show nothing."""


_shown: ContextVar[FetchProgress | None] = ContextVar("shown", default=None)


@contextmanager
def downloads_shown_by(progress: FetchProgress) -> Iterator[None]:
    """Show what is fetched inside with a display."""
    token = _shown.set(progress)
    try:
        yield
    finally:
        _shown.reset(token)


def display() -> FetchProgress:
    """Return the display of downloads."""
    return _shown.get() or LinesOnStandardError()


@contextmanager
def followed(text: str, total: int, received: Callable[[], int]) -> Iterator[None]:
    """Show how much has arrived, again and again, for as long as the download inside takes."""
    shown, done = display(), threading.Event()

    def follow() -> None:
        while not done.wait(INTERVAL):
            shown.bytes_done(received())

    shown.start_bytes(text, total)
    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        done.set()
        follower.join()
        shown.close()
