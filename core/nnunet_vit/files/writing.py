"""Write files so that a kill or a full disk leaves the whole new one, or the one before."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nnunet_vit.errors import MachineError

UNFINISHED = ".tmp-"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the path of a file to fill; put it in the place of `path` in one step afterwards.

    Several processes may do so at once: the last one's file stays.

    Raises:
        OSError: the disk refuses; it names `path`, which is what it was.
    """
    # processes in containers often have one number
    unfinished = path.with_name(f"{UNFINISHED}{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        yield unfinished
        sync_file(unfinished)
        os.replace(unfinished, path)
    except BaseException as error:
        with suppress(OSError):  # of a folder that may not be written: the first error counts
            unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == str(unfinished):
            error.filename, error.filename2 = str(path), None
        raise
    sync_folder(path.parent)


def write_text(text: str, path: Path) -> None:
    """Write a file of text whole or not at all: a reader never meets half of it.

    Raises:
        MachineError: the folder is missing, full or not writable.
    """
    try:
        with replacing(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise MachineError(
            f"{path}: cannot be written: {error.strerror or error}.",
            fix="make its folder, or make room in it and allow writing to it.",
        ) from error


def remove_unfinished(path: Path) -> None:
    """Remove what killed processes left of a path; only where no other one writes it now."""
    for leftover in path.parent.glob(f"{UNFINISHED}{path.name}-*"):
        leftover.unlink()


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
    except OSError as error:  # some network file systems sync no folders, and order renames so
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
