"""Where printed lines go: those of libraries to a log, ours to the stream that people look at.

nnU-Net prints from worker processes and C libraries print past Python, so what is diverted are the
file descriptors 1 and 2, which all of them share. That holds for the whole process.
"""

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

OUTPUT, ERRORS = 1, 2  # file descriptors
DEBUG = "NNUNET_VIT_DEBUG"  # set by --debug
UNBUFFERED = "PYTHONUNBUFFERED"  # a terminated worker would take its buffered lines with it


class _LogFile(io.FileIO):
    """A file that may fill its disk without stopping the work."""

    def write(self, data: "ReadableBuffer") -> int:
        try:
            return super().write(data) or 0
        except OSError:
            return memoryview(data).nbytes


class Log:
    """What libraries print; the file is deleted at the end unless `keep` was called."""

    def __init__(self) -> None:
        """Open a temporary file, or none where there is no room for one."""
        self.path = _temporary_file()
        name = os.devnull if self.path is None else str(self.path)
        self._descriptor = os.open(name, os.O_RDWR | os.O_APPEND)
        self._kept = False
        raw = _LogFile(os.dup(self._descriptor), "w")
        self.stream = io.TextIOWrapper(
            io.BufferedWriter(raw), encoding="utf-8", errors="replace", line_buffering=True
        )

    def position(self) -> int:
        """Return where the next line will stand."""
        self.stream.flush()
        return 0 if self.path is None else os.fstat(self._descriptor).st_size

    def since(self, position: int) -> str:
        """Return what was printed since a position."""
        if self.path is None:
            return ""
        size = os.fstat(self._descriptor).st_size  # the name may be gone: temporary files are swept
        os.lseek(self._descriptor, position, os.SEEK_SET)  # writing appends wherever this stands
        return os.read(self._descriptor, size - position).decode(errors="replace")

    def note(self, error: BaseException) -> None:
        """Write where an error comes from."""
        traceback.print_exception(error, file=self.stream)

    def keep(self) -> str:
        """Keep the file and return the sentence that names it; nothing where there is none."""
        self._kept = True
        return "" if self.path is None else f"Log: {self.path}"

    def receive(self, descriptor: int) -> None:
        """Let what is written to a file descriptor go here."""
        os.dup2(self._descriptor, descriptor)

    def close(self) -> None:
        """Close the file, and delete it unless it is to be kept."""
        self.stream.close()
        os.close(self._descriptor)
        if self.path is not None and not self._kept:
            with contextlib.suppress(OSError):
                self.path.unlink()


class _NoLog(Log):
    """For --debug: all is shown, so there is nothing to look at afterwards."""

    def __init__(self) -> None:
        """Open nothing."""
        self.path = None

    def position(self) -> int:
        """Return 0."""
        return 0

    def note(self, error: BaseException) -> None:
        """Leave it to the command line."""

    def close(self) -> None:
        """Do nothing."""


_current: Log | None = None


@contextlib.contextmanager
def diverted() -> Iterator[Log]:
    """Divert all that is printed to a log for a while; inside another diversion, to its log.

    With --debug nothing is diverted.
    """
    global _current
    if _current is not None:
        yield _current
        return
    if os.environ.get(DEBUG):
        yield _NoLog()
        return
    streams, unbuffered = (sys.stdout, sys.stderr), os.environ.get(UNBUFFERED)
    _flush(*streams)
    saved = {number: _copy(number) for number in (OUTPUT, ERRORS)}
    log = Log()
    try:
        for number in saved:
            log.receive(number)
        sys.stdout = sys.stderr = log.stream
        os.environ[UNBUFFERED] = "1"
        _current = log
        yield log
    finally:
        _current = None
        _flush(log.stream, *streams)  # what a library wrote to the streams of before
        sys.stdout, sys.stderr = streams
        _restore(saved)
        _set_variable(UNBUFFERED, unbuffered)
        log.close()


def display() -> TextIO:
    """Return a stream for lines of ours, which no diversion touches."""
    stream = sys.stdout
    if stream is None:  # it was closed before Python started
        return open(os.devnull, "w", encoding="utf-8")
    if _descriptor(stream) != OUTPUT:  # a notebook's, a test's
        return stream
    _flush(stream)
    return open(
        os.dup(OUTPUT), "w", buffering=1, encoding=stream.encoding, errors="backslashreplace"
    )


def open_missing() -> None:
    """Open what was closed before Python started: a file of ours would get the number 1 or 2.

    The streams replace characters that their encoding lacks.
    """
    for number in (0, OUTPUT, ERRORS):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            os.set_inheritable(number, True)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> bool:
    """Drop what standard output cannot take; tell whether there was something."""
    stream = sys.stdout
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):  # its reader is gone or its disk is full; it is closed
        with contextlib.suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            if _descriptor(stream) == OUTPUT:
                os.dup2(nowhere, OUTPUT)
            os.close(nowhere)
        return True
    return False


def _temporary_file() -> Path | None:
    import tempfile  # a light command does without

    try:
        descriptor, name = tempfile.mkstemp(prefix="vit_cli_", suffix=".log")
    except OSError:  # the temporary folder is full or read-only
        return None
    os.close(descriptor)
    return Path(name)


def _descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):  # in memory, closed, or a notebook's
        return None


def _copy(number: int) -> int | None:
    try:
        return os.dup(number)
    except OSError:  # closed
        return None


def _restore(saved: dict[int, int | None]) -> None:
    for number, copy in saved.items():
        if copy is None:
            os.close(number)
        else:
            os.dup2(copy, number)
            os.close(copy)


def _flush(*streams: TextIO | None) -> None:
    for stream in streams:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # full, closed, none
            if stream is not None:
                stream.flush()


def _set_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
