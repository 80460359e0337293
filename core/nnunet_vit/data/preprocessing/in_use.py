"""Who trains on preprocessed data: many may at once, and nobody changes the data meanwhile."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from nnunet_vit.errors import MachineError, shortened
from nnunet_vit.files.locks import LockedError, lock

LOCK = ".in_use"


def train_on(folder: Path, what: str) -> None:
    """Hold a dataset's preprocessed data; others may train on them too.

    Until this process ends or leaves `locks.given_back`.

    Args:
        folder: of the dataset's preprocessed data.
        what: is trained, for whoever wants to change the data.

    Raises:
        MachineError: another process is changing them.
    """
    try:
        held = lock(folder / LOCK, shared=True)
    except LockedError as error:
        raise MachineError(
            f"The preprocessed data in {folder} are being made again by another process.",
            fix="wait for it.",
        ) from error
    held.file.seek(0, os.SEEK_END)
    held.file.write(f"{os.getpid()} {what}\n")
    held.file.flush()
    held.at_end = _leave


def _leave(file: TextIO) -> None:
    """Take this process' lines out: it may live on, as a notebook does, and train no more."""
    file.seek(0)
    others = [line for line in file if not line.startswith(f"{os.getpid()} ")]
    file.truncate(0)
    file.writelines(others)
    file.flush()


@contextlib.contextmanager
def nobody_trains_on(folder: Path) -> Iterator[None]:
    """Keep trainings away while preprocessed data change.

    Raises:
        MachineError: another process of this machine trains on them.
    """
    try:
        held = lock(folder / LOCK)
    except LockedError as error:
        raise MachineError(
            f"The preprocessed data in {folder} cannot be changed while they are trained on"
            f"{_trainings(str(error))}.",
            fix="wait for it or stop it.",
        ) from error
    held.file.truncate(0)  # whoever trained is gone
    try:
        with held:
            yield
    finally:
        if held.holders:  # this process has trained on them before: others may again
            lock(folder / LOCK, shared=True).close()


def _trainings(written: str) -> str:
    lines = [line.split(" ", 1) for line in written.splitlines() if " " in line]
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
