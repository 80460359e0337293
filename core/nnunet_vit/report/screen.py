"""One stream that people look at: lines that stay, and on a terminal a bar below them."""

import contextlib
import os
import textwrap
from typing import TextIO

from rich.console import Console, ConsoleDimensions
from rich.progress import (
    BarColumn,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.table import Column

WIDE = 70  # characters; a narrower terminal gets no details beside its bar
COUNTS, REMAINING = 14, 12  # characters for the numbers and for the time at a bar's right
SPINNER = 2  # characters at its left: what moves while a long step moves no bar
LONGEST_BAR = 40
BOUND = "\u00a0"  # a space that no line is broken at


class Screen(Console):
    """A terminal, or a stream that takes plain lines.

    Attributes:
        live: whether bars can move there.
    """

    def __init__(self, stream: TextIO, live: bool | None = None) -> None:
        """Write to a stream; live: as the stream is, or False for plain lines alone."""
        self.live = _is_terminal(stream) if live is None else live
        super().__init__(
            file=stream,
            highlight=False,
            soft_wrap=True,
            force_terminal=self.live,  # whatever FORCE_COLOR says: a pipe gets no control codes
            force_jupyter=False,
        )

    @property  # type: ignore[misc]
    def size(self) -> ConsoleDimensions:
        """The terminal's own size: the standard streams, which rich asks, are diverted."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            width, height = os.get_terminal_size(self.file.fileno())
            if width and height and not os.environ.get("COLUMNS"):
                return ConsoleDimensions(width, height)
        return super().size

    def show_cursor(self, show: bool = True) -> bool:
        """Leave the cursor as it is: a killed process could not bring it back."""
        return False

    def on_broken_pipe(self) -> None:
        """Leave it to the command line, where rich would end the process."""
        raise BrokenPipeError

    def write_line(self, text: str) -> None:
        """Write one line, on a terminal broken between words.

        Only a reader that is gone stops the work; a disk that is full does not.
        """
        try:
            self.print(self._fitted(text), markup=False, emoji=False)
            self.file.flush()
        except BrokenPipeError:
            raise
        except OSError:
            pass

    def _fitted(self, text: str) -> str:
        if not self.live:
            return text
        bound = text.replace(" …", f"{BOUND}…")  # never alone on a line
        return "\n".join(
            textwrap.fill(
                line,
                max(20, self.width - 1),
                subsequent_indent="  ",
                break_long_words=False,  # a path can be copied
                break_on_hyphens=False,
                replace_whitespace=False,
                drop_whitespace=True,
            )
            for line in bound.split("\n")
        ).replace(BOUND, " ")

    def bars(self, text: str) -> Bars:
        """Return a display of one bar in one line, which goes away when it is stopped."""
        return Bars(
            *self._columns(text),
            console=self,
            transient=True,
            redirect_stdout=False,  # they are diverted already
            redirect_stderr=False,
        )

    def _columns(self, text: str) -> list[ProgressColumn]:
        wide = self.width >= WIDE
        longest = min(len(text), self.width // 2 - SPINNER)
        room = self.width - SPINNER - longest - COUNTS - REMAINING * wide
        bar = max(4, min(LONGEST_BAR, room // 2 if wide else room))
        columns: list[ProgressColumn] = [
            SpinnerColumn("line", style=""),
            TextColumn("{task.description}", markup=False, table_column=_one_line(longest)),
            BarColumn(bar),
            TextColumn("{task.fields[counts]}", markup=False, table_column=_one_line()),
        ]
        if wide:
            columns.append(TimeRemainingColumn(table_column=_one_line()))
            detail = max(1, room - bar)
            columns.append(
                TextColumn("{task.fields[detail]}", markup=False, table_column=_one_line(detail))
            )
        return columns


def _one_line(longest: int | None = None) -> Column:
    return Column(no_wrap=True, overflow="ellipsis", max_width=longest)


def _is_terminal(stream: TextIO) -> bool:
    try:
        terminal = stream.isatty()
    except (ValueError, AttributeError):  # closed, or something that only takes writes
        return False
    return terminal and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")
