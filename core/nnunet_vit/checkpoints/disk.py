"""Write files so that a kill or a full disk leaves the whole new one, or the one before."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from safetensors import SafetensorError

from nnunet_vit.errors import MachineError

UNFINISHED = ".tmp-"


@contextmanager
def writing(path: Path, needed: int) -> Iterator[None]:
    """Report what the disk refuses inside as an error with the path and the room it has.

    Args:
        path: what is written.
        needed: bytes.

    Raises:
        MachineError: the disk is full, or there is no permission, or it fails.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise MachineError(
            f"{path} could not be written: {reason}. "
            f"Needed: {needed:,} bytes; free on this disk: {_free(path)} bytes.",
            fix="make room or give write permission; what was saved before is intact.",
        ) from error


def _free(path: Path) -> str:
    try:
        existing = next(folder for folder in (path, *path.parents) if folder.exists())
        return f"{shutil.disk_usage(existing).free:,}"
    except OSError:
        return "unknown"


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a new file and put it in the place of `path` in one step.

    Only one process may write a path at a time: what another has left unfinished is removed.

    Raises:
        OSError: the disk refuses; `path` is what it was.
    """
    for leftover in path.parent.glob(f"{UNFINISHED}{path.name}-*"):
        leftover.unlink()
    unfinished = path.with_name(f"{UNFINISHED}{path.name}-{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Wait until the disk holds a file's content."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the disk holds the names in a folder."""
    if os.name == "nt":  # it opens no folders, and orders renames itself
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
