"""Who is told about a download: whoever runs it decides."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class FetchProgress(Protocol):
    """What a display of downloads offers."""

    def log(self, text: str) -> None:
        """Show one line that stays."""

    def start_download(self, text: str, total: int, received: Callable[[], int]) -> None:
        """Begin to show a download of that many bytes; 0: not known."""

    def close(self) -> None:
        """End the download's display."""


class LinesOnStandardError:
    """The display where nobody brought one: the lines that stay."""

    def log(self, text: str) -> None:
        """Write one line."""
        print(text, file=sys.stderr)

    def start_download(self, text: str, total: int, received: Callable[[], int]) -> None:
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
    """Show how much has arrived while the download inside takes its time."""
    shown = display()
    shown.start_download(text, total, received)
    try:
        yield
    finally:
        shown.close()
