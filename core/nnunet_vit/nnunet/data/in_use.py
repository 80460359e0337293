"""Who trains on preprocessed data: many may at once, and nobody changes the data meanwhile."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from nnunet_vit.errors import MachineError, shortened

LOCK = ".in_use"
_held: dict[Path, TextIO] = {}  # closing any second file of the same lock would drop the first


def train_on(folder: Path, what: str) -> None:
    """Hold a dataset's preprocessed data until this process ends; others may train on them too.

    Args:
        folder: of the dataset's preprocessed data.
        what: is trained, for whoever wants to change the data.

    Raises:
        MachineError: another process is changing them.
    """
    if folder.absolute() in _held:
        return
    file = _file_of(folder)
    if not _locked(file, exclusive=False):
        _held.pop(folder.absolute()).close()
        raise MachineError(
            f"The preprocessed data in {folder} are being made again by another process.",
            fix="wait for it.",
        )
    file.seek(0, os.SEEK_END)
    file.write(f"{os.getpid()} {what}\n")
    file.flush()


@contextlib.contextmanager
def nobody_trains_on(folder: Path) -> Iterator[None]:
    """Keep trainings away while preprocessed data change.

    Raises:
        MachineError: another process of this machine trains on them.
    """
    file = _file_of(folder)
    try:
        if not _locked(file, exclusive=True):
            raise MachineError(
                f"The preprocessed data in {folder} cannot be changed while they are trained on"
                f"{_trainings(file)}.",
                fix="wait for it or stop it.",
            )
        file.truncate(0)
        yield
    finally:
        _held.pop(folder.absolute()).close()  # gives the lock up


def _file_of(folder: Path) -> TextIO:
    folder = folder.absolute()
    if folder not in _held:
        folder.mkdir(parents=True, exist_ok=True)
        _held[folder] = open(folder / LOCK, "a+", encoding="utf-8")
    return _held[folder]


def _locked(file: TextIO, exclusive: bool) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows has no fcntl: as without a lock
        return True
    try:
        fcntl.lockf(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError as error:
        # a file system without locks, such as some of clusters, tells nothing
        return error.errno not in (errno.EACCES, errno.EAGAIN)
    return True


def _trainings(file: TextIO) -> str:
    file.seek(0)
    lines = [line.split(" ", 1) for line in file.read().splitlines() if " " in line]
    alive = [f"{what} in process {number}" for number, what in lines if _lives(number)]
    return f": {shortened(alive)}" if alive else ""


def _lives(number: str) -> bool:
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, ValueError):
        return False
    except OSError:  # somebody else's
        return True
    return True
